"""Is this far more than usual? PURE.

The arithmetic, for a term and for a watchlist alike:

- n: posts of the last hour that touched it; for a watchlist the sum over its terms.
- The samples: the same for each of the 14 days before, in the hour of the day that it is now, in
  the one before and in the one after (so that a clock that changes does no harm): 42 hours. Those
  from before it was looked for do not count; there must be three days of them.
- usual: the mean of the samples. spread: their standard deviation, but at least √(usual + 1), by
  which even posts would spread that come by mere chance (Poisson).
- Unusual is n ≥ usual + k × spread, with k = 10, 6 or 4 for low, normal or high sensitivity, and
  n ≥ 5, and n ≥ 2 × usual. So 6 posts an hour are when there are none as a rule, 15 when there
  are 3, 90 when there are 36 that spread by 9; what comes in bursts as a rule needs a larger one.
  In simulated ordinary weeks (tests/test_unusual.py) 100 terms give no alarm when posts come by
  chance, and 5 when each hour strays by itself by half; at high sensitivity about ten times that.
- It must come from three channels that are independent: of a story only its first channel counts.
- Of a watchlist it is told once in six hours.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from math import sqrt
from statistics import fmean

from storage.model import Period, PostKey, Sighting

HOUR = timedelta(hours=1)
DAYS = 14
FEWEST_DAYS = 3
NEIGHBOURS = (-1, 0, 1)  # hours of the day
POSTS = 5
TIMES = 2.0
CHANNELS = 3
AGAIN = timedelta(hours=6)
STEPS = {"low": 10.0, "normal": 6.0, "high": 4.0}  # of the spread
_SLOT = timedelta(minutes=10)


def window(now: datetime) -> Period:
    """The last hour: the ten minutes that run, and the fifty before them."""
    into = timedelta(minutes=now.minute % 10, seconds=now.second, microseconds=now.microsecond)
    end = now - into + _SLOT
    return Period(end - HOUR, end)


def samples(now: datetime) -> list[Period]:
    """The hours to compare the last one with."""
    last = window(now)
    return [
        Period(last.start - shift, last.end - shift)
        for day in range(1, DAYS + 1)
        for hour in NEIGHBOURS
        for shift in [timedelta(days=day, hours=hour)]
    ]


def known(hours: Sequence[Period], counts: Sequence[int], since: datetime) -> list[int]:
    """The counts of those hours in which it was looked for: since then, or since the first post."""
    first = min([since, *(hour.start for hour, n in zip(hours, counts, strict=True) if n)])
    return [n for hour, n in zip(hours, counts, strict=True) if hour.start >= first]


def usual(counts: Sequence[int]) -> float | None:
    """None when it is not known for long enough."""
    return fmean(counts) if len(counts) >= FEWEST_DAYS * len(NEIGHBOURS) else None


def is_unusual(number: int, counts: Sequence[int], sensitivity: str) -> bool:
    """`counts` are those of the samples."""
    mean = usual(counts)
    if mean is None or number < max(POSTS, TIMES * mean):
        return False
    variance = fmean([(count - mean) ** 2 for count in counts])
    spread = sqrt(max(variance, mean + 1))
    return number >= mean + STEPS[sensitivity] * spread


def independent(sightings: Iterable[Sighting]) -> int:
    """How many channels had something of their own to say. `sightings` are in the order of
    publishing."""
    first: dict[PostKey, int] = {}
    for one in sightings:
        first.setdefault(one.story, one.channel_id)
    return len(set(first.values()))
