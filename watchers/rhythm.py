"""How often is each channel's history looked at? PURE.

One account makes one request at a time and at most one a `LOOK_EVERY` seconds, however many channels
it reads. The arithmetic: with N channels each is looked at every N × LOOK_EVERY seconds, until that
is longer than its own need:

- a quiet one needs a look every COLD seconds: 300 of them cost 300 / 540 = 0.56 requests a second;
- a hot one, which publishes more often than every HOT_GAP, needs one every HOT seconds: with 300 cold
  ones beside them (1 / 1.1 − 0.56 =) 0.35 requests a second are left, 8 hot channels' worth;
- hot ones beyond that share it evenly: 10 of 300 are looked at every 27 s, 16 every 42 s;
- one whose posts are pushed to a connected account needs four times fewer: push is a hint, and a
  look finds what it left out. A hot one every 4 × HOT = 100 s, after all that are not pushed; a
  quiet one every RARELY = 900 s. 300 joined and quiet cost 300 / 900 = 0.33 requests a second, and
  100 of 300 joined leave (0.56 − 200 / 540 − 100 / 900 =) 0.07 to the others, 2 more hot channels.
  Where a look shows that push left posts out, the channel counts as not pushed for an hour.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from storage.said import Counted, Said

LOOK_EVERY = 1.1  # seconds between two requests of one account: below one a second on average
HOT = 25.0  # seconds between looks at a busy channel
COLD = 540.0  # seconds between looks at a quiet one
SLOWER = 4  # times: looks at a channel that is pushed, beside one that is not
RARELY = 900.0  # seconds between looks at a quiet channel that is pushed
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
    """Seconds between two looks, by channel. `pushed`: those whose posts are pushed."""
    fair = len(rhythms) * LOOK_EVERY  # each in its turn
    if fair <= HOT:
        return {id: SLOWER * fair if id in pushed else fair for id in rhythms}
    cold, rarely = max(COLD, fair), max(RARELY, fair)
    found = {id: rarely if id in pushed else cold for id in rhythms}
    left = 1 / LOOK_EVERY - sum(1 / every for every in found.values())
    busy = {id for id, rhythm in rhythms.items() if rhythm.gap <= HOT_GAP}
    for hot, quickest, slowest in (
        (busy - pushed, HOT, cold),
        (busy & pushed, HOT * SLOWER, rarely),
    ):
        if hot:
            every = max(quickest, 1 / (left / len(hot) + 1 / slowest))
            found |= dict.fromkeys(hot, every)
            left -= len(hot) * (1 / every - 1 / slowest)
    return found


def silent(rhythm: Rhythm) -> bool:
    """Is it quiet far beyond its own rhythm: beyond its longest pause of late, nights included?"""
    if rhythm.usual is None:
        return False
    return rhythm.last > max(SHORTEST_SILENCE, 12 * rhythm.usual, 1.5 * max(rhythm.gaps))


def duration(seconds: float) -> Said:
    """A length of time as people say it: 40 s, 20 min, 9 h, 3 days."""
    if seconds >= 2 * 86400:
        return Counted("{n} day", "{n} days", round(seconds / 86400))
    if seconds >= 3600:
        return Said("{n} h", n=round(seconds / 3600))
    if seconds >= 60:
        return Said("{n} min", n=round(seconds / 60))
    return Said("{n} s", n=round(seconds))
