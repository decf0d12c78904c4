"""Which of the latest posts share words with this one?"""

from array import array
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice

from storage.model import PostKey
from watchers.wording import Wording, wording

WINDOW = timedelta(hours=48)  # what was published further apart is told anew
ROOM = 100_000  # posts; with more of them the oldest are let go

_SKETCH = 16  # triples that a post is found by: the smallest of its numbers
_SHARERS = 8  # the latest posts found by one triple
_LOOKED_AT = 8  # posts worth a closer look
_COMMON = 6  # a triple in so many stories tells nothing


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """A post and the story it tells."""

    key: PostKey
    story: PostKey
    published_at: datetime
    names: tuple[
        Hashable, ...
    ]  # what else it is known by: its whole text, what it was forwarded from
    text: str
    core: tuple[int, int]  # its words without what its channel says every time
    triples: "array[int]"
    roundup: bool = False  # tells several stories, and none of them

    @property
    def wording(self) -> Wording:
        return wording(self.text).part(*self.core)


class Window:
    """Posts by key and by what they say; the oldest are let go."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._told: dict[PostKey, Told] = {}
        self._sharers: dict[int, Told | tuple[Told, ...]] = {}  # by a triple of their sketch
        self._named: dict[Hashable, Told] = {}  # the latest of each name
        self._tellers: dict[PostKey, Counter[int]] = {}  # by story: posts by channel
        self._counts = Counts()
        self._swept = datetime.min.replace(tzinfo=UTC)

    def get(self, key: PostKey) -> Told | None:
        return self._told.get(key)

    def latest(self, name: Hashable) -> Told | None:
        return self._named.get(name)

    def is_told(self, story: PostKey) -> bool:
        return story in self._tellers

    def is_told_by(self, story: PostKey, channel_id: int) -> bool:
        return self._tellers[story][channel_id] > 0

    def telling(self, triples: Iterable[int]) -> set[int]:
        """Those that are not common: that tell one story from another."""
        return self._counts.below(_COMMON, triples)

    def fresh(self, triples: Iterable[int]) -> int:
        """How many are in one story only."""
        return len(self._counts.below(2, triples))

    def near(self, triples: Collection[int]) -> Iterator[Told]:
        """Posts that share some of these triples, the likeliest first."""
        found = Counter[Told]()
        for triple in triples:
            sharers = self._sharers.get(triple)
            if isinstance(sharers, Told):
                found[sharers] += 1
            elif sharers:
                found.update(sharers)
        likeliest = found.most_common(_LOOKED_AT)
        return (told for told, number in likeliest if number > 1)

    def add(self, told: Told) -> None:
        if len(self._told) >= self._room:
            for key in list(islice(self._told, self._room // 16 + 1)):
                self.drop(key)
        if told.story not in self._tellers:
            self._counts.add(told.triples)
        self._told[told.key] = told
        self._tellers.setdefault(told.story, Counter())[told.key.channel_id] += 1
        self._named.update(dict.fromkeys(told.names, told))
        for triple in sorted(self.telling(told.triples))[:_SKETCH]:
            others = self._found_by(triple)[1 - _SHARERS :]
            self._sharers[triple] = (*others, told) if others else told

    def _found_by(self, triple: int) -> tuple[Told, ...]:
        sharers = self._sharers.get(triple, ())
        return (sharers,) if isinstance(sharers, Told) else sharers

    def drop(self, key: PostKey) -> Told | None:
        told = self._told.pop(key, None)
        if told is None:
            return None
        tellers = self._tellers[told.story]
        tellers[key.channel_id] -= 1
        if not tellers.total():
            del self._tellers[told.story]
        for name in told.names:
            if self._named.get(name) is told:
                del self._named[name]
        for triple in told.triples:
            sharers = self._found_by(triple)
            if told in sharers:
                self._sharers[triple] = tuple(other for other in sharers if other is not told)
                if not self._sharers[triple]:
                    del self._sharers[triple]
        return told

    def forget(self, before: datetime) -> None:
        """Let go of what was published before; at most once an hour, for it goes through all posts."""
        if before - self._swept < timedelta(hours=1):
            return
        if before - self._counts.since > WINDOW / 2:
            self._counts.turn(before)
        self._swept = before
        for key in [told.key for told in self._told.values() if told.published_at < before]:
            self.drop(key)


class Counts:
    """In how many stories is a triple, roughly? One byte a place, two triples may share one."""

    _PLACES = 1 << 22  # a power of two

    def __init__(self) -> None:
        self.since = datetime.min.replace(tzinfo=UTC)
        self._now, self._before = bytearray(self._PLACES), bytearray(self._PLACES)

    def below(self, limit: int, triples: Iterable[int]) -> set[int]:
        """Those that are in fewer stories."""
        now, before, mask = self._now, self._before, self._PLACES - 1
        return {t for t in triples if now[t & mask] + before[t & mask] < limit}

    def add(self, triples: Iterable[int]) -> None:
        for triple in triples:
            place = triple & (self._PLACES - 1)
            if self._now[place] < 255:
                self._now[place] += 1

    def turn(self, since: datetime) -> None:
        """Begin anew, and let go of what was counted before the last turn."""
        self.since = since
        self._now, self._before = bytearray(self._PLACES), self._now
