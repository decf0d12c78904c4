"""Which stretches of a history have been read, when it can't be read in one go? PURE."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Walk:
    """The way from the newest post down to the cursor. A stretch is two ids, both of them read."""

    read: list[tuple[int, int]] = field(default_factory=list)
    known: int | None = None  # newest id that was stored when it began
    repaired: int = 0  # posts found below that one
    at: float = float("-inf")  # when it last went on

    @property
    def unfinished(self) -> bool:
        return bool(self.read)

    def note(self, low: int, high: int) -> None:
        """All from `low` to `high` has been read."""
        apart = [(a, b) for a, b in self.read if b < low - 1 or a > high + 1]
        joined = [(low, high), *(stretch for stretch in self.read if stretch not in apart)]
        whole = min(a for a, _ in joined), max(b for _, b in joined)
        self.read = sorted([*apart, whole])

    def under(self, id: int) -> int:
        """The lowest id down to which all is read from `id` on."""
        return next((low for low, high in self.read if low <= id <= high + 1), id)

    def above(self, id: int) -> int:
        """The highest id up to which all is read from `id` on."""
        return max([id, *(high for low, high in self.read if low <= id + 1)])

    def finish(self, cursor: int) -> None:
        """All up to the cursor is there; what is not read above it is still to do."""
        self.read = [stretch for stretch in self.read if stretch[1] > cursor]
        self.known, self.repaired = self.known if self.read else None, 0
