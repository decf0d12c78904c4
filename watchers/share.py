"""Which source reads which channel?

Each channel is read by one source at a time, and keeps it for as long as that source is well
(rendezvous hashing): when one fails, only its channels move, spread over the others; when it is back,
they return. Sources have ranks: those of a higher rank read only when no source of rank 0 has been
well for a while, or when the last of them was told to wait: they stand in for it then, at once.
"""

import time
from collections.abc import Callable
from hashlib import blake2b

GRACE = 60.0  # seconds that the first rank is given to come, or to come back
LONG_WAIT = 10.0  # seconds; for less nobody stands in


class Share:
    def __init__(self, grace: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        """`grace`: seconds to wait for rank 0, where there is one; `clock` is a steady one."""
        self._ranks: dict[str, int] = {}  # of the sources that are well
        self._grace, self._clock = grace, clock
        self._alone_since = clock()  # since when no source of rank 0 is well
        self._waits: dict[str, float] = {}  # of rank 0, those that were told to: seconds

    def well(self, source: str, rank: int = 0) -> None:
        self._waits.pop(source, None)
        self._ranks[source] = rank

    def waits(self, source: str, seconds: float) -> None:
        """It was told to; then it is well again. One of a higher rank leaves nobody waiting."""
        first = self._ranks.get(source) == 0
        self.unwell(source)
        if first:
            self._waits[source] = seconds

    def unwell(self, source: str) -> None:
        self._waits.pop(source, None)
        if self._ranks.pop(source, 1) == 0 and 0 not in self._ranks.values():
            self._alone_since = self._clock()

    def reader_of(self, channel_id: int) -> str | None:
        """The name of the source that reads this channel now; None when no source is well."""
        if not self._ranks:
            return None
        best = min(self._ranks.values())
        if max(self._waits.values(), default=0.0) < LONG_WAIT and not self.relied_on(best):
            return None
        able = [source for source, rank in self._ranks.items() if rank == best]
        return max(able, key=lambda source: _weight(source, channel_id))

    def relied_on(self, rank: int) -> bool:
        """Has every source of a lower rank failed for so long that nothing else is to be had?"""
        if rank == 0:
            return True
        alone = self._clock() - self._alone_since >= self._grace
        return alone and all(other >= rank for other in self._ranks.values())

    def stands_in(self, rank: int) -> bool:
        """Is another's word to be waited for: of a source that is well, or is about to be?"""
        return rank > 0 and (bool(self._waits) or not self.relied_on(rank))


def _weight(source: str, channel_id: int) -> bytes:
    return blake2b(f"{source} {channel_id}".encode(), digest_size=8).digest()
