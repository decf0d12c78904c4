"""Which older posts are read again, for what was edited or deleted since? PURE.

A look sees what became of the newest posts, no more. So when nothing is more urgent, older ones are
read again, a page at a time, from the newest down. Each pass goes OVERLAP ids deep, every second one
4 times as deep, every fourth 16 times, and so on until it is as deep as the last DAYS: what is young
is read again soon, all of it in the end, and the cost grows as the root of the depth. Where in this
order a channel begins is given from outside, so that a program often restarted goes deep, too.
"""

from dataclasses import dataclass

OVERLAP = 100  # ids
DAYS = 7
EVERY = 900.0  # seconds from the beginning of a channel's pass to that of the next
TURN = 8  # of so many requests one is for a sweep, even when all of them are wanted for looks
SPARE = 3  # requests of a channel that a sweep leaves for looks when it can


@dataclass(slots=True)
class Sweep:
    number: int | None = None  # of the pass
    below: int | None = None  # what lies below is next; None: no pass is under way
    floor: int = 0
    began: float = float("-inf")
    at: float = float("-inf")  # when it last went on

    def due(self, now: float) -> bool:
        return self.below is not None or now - self.began >= EVERY

    def begin(self, cursor: int, oldest: int, now: float, first: int = 1) -> None:
        """`oldest`: nothing is wanted of this id and below. `first`: the number to begin with."""
        self.number = first if self.number is None else self.number + 1
        depth = OVERLAP * (self.number & -self.number) ** 2
        self.below, self.floor, self.began = cursor + 1, max(oldest, cursor - depth), now

    def reached(self, oldest: int | None) -> None:
        """All from this id on is read; None: there is nothing further down."""
        self.below = oldest if oldest is not None and oldest > self.floor + 1 else None

    def break_off(self) -> None:
        """Begin the pass anew: the post that it stood at may be gone."""
        if self.below is not None and self.number is not None:
            self.below, self.began = None, float("-inf")
            self.number -= 1
