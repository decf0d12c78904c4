"""How often is each channel's history looked at? PURE.

One account makes one request at a time and at most one a `LOOK_EVERY` seconds, however many channels
it reads. The arithmetic: with N channels each is looked at every N × LOOK_EVERY seconds, until that
is longer than its own need:

- a channel that is pushed to us, or that is quiet, needs a look every COLD seconds: 300 of them
  cost 300 / 540 = 0.56 requests a second;
- a hot one, which publishes more often than every HOT_GAP, needs one every HOT seconds: with 300 cold
  ones beside them (1 / 1.1 − 0.56 =) 0.35 requests a second are left, 8 hot channels' worth;
- what is hot beyond that shares what is left: who publishes four times as often is looked at twice
  as often.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from statistics import median

LOOK_EVERY = 1.1  # seconds between two requests of one account: below one a second on average
HOT = 25.0  # seconds between looks at a busy channel
COLD = 540.0  # seconds between looks at a quiet one
HOT_GAP = 600.0  # seconds between posts, below which a channel is busy
SHORTEST_SILENCE = 3 * 3600.0  # seconds; less is never called unusual


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When a channel published lately."""

    last: float  # seconds since its newest post
    gaps: tuple[float, ...]  # seconds between its latest posts

    @property
    def usual(self) -> float | None:
        """The usual time between two posts, in seconds; None when there are too few to tell."""
        return median(self.gaps) if len(self.gaps) >= 5 else None

    @property
    def gap(self) -> float:
        """The time between posts to reckon with now: longer than usual once it has been quiet."""
        known = self.usual if self.usual is not None else COLD
        return max(known, self.last / 3)


def intervals(
    rhythms: Mapping[int, Rhythm], pushed: frozenset[int] = frozenset()
) -> dict[int, float]:
    """Seconds between two looks, by channel."""
    fair = len(rhythms) * LOOK_EVERY  # each in its turn
    if fair <= HOT:
        return dict.fromkeys(rhythms, fair)
    slowest = max(COLD, fair)
    busy = {
        id: rhythm.gap
        for id, rhythm in rhythms.items()
        if rhythm.gap <= HOT_GAP and id not in pushed
    }
    left = 1 / LOOK_EVERY - (len(rhythms) - len(busy)) / slowest
    return dict.fromkeys(rhythms, slowest) | _shared(busy, left, slowest)


def _shared(gaps: Mapping[int, float], budget: float, slowest: float) -> dict[int, float]:
    """Intervals as the square roots of the gaps: then posts wait least on average."""

    def stretched(by: float) -> dict[int, float]:
        return {id: min(slowest, max(HOT, by * sqrt(max(1.0, gap)))) for id, gap in gaps.items()}

    low, high = 0.0, slowest
    for _ in range(40):
        middle = (low + high) / 2
        fits = sum(1 / seconds for seconds in stretched(middle).values()) <= budget
        low, high = (low, middle) if fits else (middle, high)
    return stretched(high)


def silent(rhythm: Rhythm) -> bool:
    """Is it quiet far beyond its own rhythm: beyond its longest pause of late, nights included?"""
    if rhythm.usual is None:
        return False
    return rhythm.last > max(SHORTEST_SILENCE, 12 * rhythm.usual, 1.5 * max(rhythm.gaps))


def duration(seconds: float) -> str:
    """A length of time as people say it: 40 s, 20 min, 9 h, 3 days."""
    for unit, size in (("days", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size * (2 if unit == "days" else 1):
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
