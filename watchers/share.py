"""Which source reads which channel?

Each channel is read by one source at a time, and keeps it for as long as that source is well
(rendezvous hashing): when one fails, only its channels move, spread over the others; when it is back,
they return. Sources have ranks: those of a higher rank read only when no source of rank 0 has been
well for a while.
"""

import time
from collections.abc import Callable
from hashlib import blake2b

GRACE = 60.0  # seconds that the first rank is given to come, or to come back


class Share:
    def __init__(self, grace: float = 0.0, clock: Callable[[], float] = time.monotonic) -> None:
        """`grace`: seconds to wait for rank 0, where there is one; `clock` is a steady one."""
        self._ranks: dict[str, int] = {}  # of the sources that are well
        self._grace, self._clock = grace, clock
        self._alone_since = clock()  # since when no source of rank 0 is well

    def well(self, source: str, rank: int = 0) -> None:
        self._ranks[source] = rank

    def unwell(self, source: str) -> None:
        if self._ranks.pop(source, 1) == 0 and 0 not in self._ranks.values():
            self._alone_since = self._clock()

    def reader_of(self, channel_id: int) -> str | None:
        """The name of the source that reads this channel now; None when no source is well."""
        if not self._ranks:
            return None
        best = min(self._ranks.values())
        if best > 0 and self._clock() - self._alone_since < self._grace:
            return None
        able = [source for source, rank in self._ranks.items() if rank == best]
        return max(able, key=lambda source: _weight(source, channel_id))


def _weight(source: str, channel_id: int) -> bytes:
    return blake2b(f"{source} {channel_id}".encode(), digest_size=8).digest()
