"""Which source reads which channel?

Each channel is read by one source at a time, and keeps it for as long as that source is well
(rendezvous hashing): when one fails, only its channels move, spread over the others; when it is back,
they return. Sources have ranks: those of a higher rank read only when no source below them is well.
"""

from hashlib import blake2b


class Share:
    def __init__(self) -> None:
        self._ranks: dict[str, int] = {}  # of the sources that are well

    def well(self, source: str, rank: int = 0) -> None:
        self._ranks[source] = rank

    def unwell(self, source: str) -> None:
        self._ranks.pop(source, None)

    def reader_of(self, channel_id: int) -> str | None:
        """The name of the source that reads this channel now; None when no source is well."""
        if not self._ranks:
            return None
        best = min(self._ranks.values())
        able = [source for source, rank in self._ranks.items() if rank == best]
        return max(able, key=lambda source: _weight(source, channel_id))


def _weight(source: str, channel_id: int) -> bytes:
    return blake2b(f"{source} {channel_id}".encode(), digest_size=8).digest()
