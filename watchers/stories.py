"""Which posts tell the same story?

A forward joins the story of the post that it was forwarded from; any other post joins the one whose words it repeats:
most of them, or half of them inside a longer text. What is compared are words in threes, so a translation, or the same
news in other words, is another story. Memory: 9 MB, and about 3.5 kB a post, for at most 100,000 posts of 48 hours.
"""

from array import array
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from zlib import crc32

from storage.model import Post, PostKey
from watchers.templates import is_update
from watchers.window import ROOM, WINDOW, Told, Window
from watchers.wording import Ways, Wording, triples, words_of

_SHORTEST = 5  # words of a text that is known by being the same
_FOOTER = 12  # words
_HEADLINE = 12  # words: a channel that says fewer of them again tells of another event


@dataclass(frozen=True, slots=True)
class Likeness:
    """How much of a post is in another one; in triples of words, without those that are common."""

    told: Told
    mine: int
    theirs: int
    shared: frozenset[int]
    fresh: int  # of the shared ones, those that are in this story only

    @property
    def share(self) -> float:
        """Of the shorter one's words."""
        return (len(self.shared) + 2) / (min(self.mine, self.theirs) + 2)

    @property
    def is_repeat(self) -> bool:
        return len(self.shared) >= 3 and self.share >= 0.9

    @property
    def is_long(self) -> bool:
        return len(self.shared) >= 8

    @property
    def is_copy(self) -> bool:
        return len(self.shared) >= 3 and self.share >= 0.55

    @property
    def is_quote(self) -> bool:
        """About half. Few words are enough if no other story has them and a longer text stands around."""
        number = len(self.shared)
        if self.share < 0.42 or number < 4:
            return False
        inside = max(self.mine, self.theirs) >= 1.5 * min(self.mine, self.theirs)
        return number >= 6 or (inside and (number == 5 or self.fresh == number))

    def is_apart(self, other: "Likeness") -> bool:
        """Is the other one like another part of the post?"""
        both = len(self.shared & other.shared)
        return 2 * both < min(len(self.shared), len(other.shared))


class Stories:
    """The same posts in the same order always give the same stories."""

    def __init__(self, room: int = ROOM) -> None:
        self._window = Window(room)
        self._ways: dict[int, Ways] = {}  # by channel

    def place(self, post: Post) -> PostKey:
        """The story that a post joins, by the key of its first post: the post's own if it is new.

        A post that is placed again was edited: what joined a story, or is joined, stays there.
        """
        known = self._window.drop(post.key)
        told = self._read(post, post.key, learn=known is None)
        if known and (known.story != post.key or self._window.is_told(known.story)):
            told = replace(told, story=known.story, roundup=known.roundup)
        else:
            story, roundup = self._found(post, told)
            told = replace(told, story=story, roundup=roundup)
        self._window.add(told)
        return told.story

    def restore(self, post: Post, story: PostKey) -> None:
        """Take a stored post with the story it was given; posts come in the order of publishing."""
        self._window.add(self._read(post, story, learn=True))

    def forget(self, before: datetime) -> None:
        """Let go of what was published before that moment; cheap if called often."""
        self._window.forget(before)

    def _read(self, post: Post, story: PostKey, *, learn: bool) -> Told:
        words = words_of(post.text)
        ways = self._ways.setdefault(post.channel_id, Ways())
        start, end = ways.core(words)
        if learn:
            ways.learn(words)
        return Told(
            post.key,
            story,
            post.published_at,
            tuple(name for name in (_number(words), _origin(post)) if name),
            post.text,
            (start, end),
            array("I", sorted(triples(words[start:end]))),
        )

    def _found(self, post: Post, new: Told) -> tuple[PostKey, bool]:
        """The story, and whether the post is a round-up: it tells several, so it joins none."""
        if told := self._forwarded(post) or self._the_same(new):
            return told.story, False
        likenesses = list(self._like(new))
        if not likenesses:
            return post.key, False
        best = max(likenesses, key=lambda found: (found.share, len(found.shared)))
        if _is_roundup(best, likenesses):
            return post.key, True
        return best.told.story, False

    def _forwarded(self, post: Post) -> Told | None:
        """The post that this one was forwarded from, or one that goes back to the same."""
        if origin := _origin(post):
            return self._window.latest(origin) or (
                self._window.get(origin) if isinstance(origin, PostKey) else None
            )
        return self._window.latest(post.key)

    def _the_same(self, new: Told) -> Told | None:
        """The latest post of the same words."""
        told = self._window.latest(new.names[0]) if new.names else None
        if told is None or not _is_close(told, new) or self._is_next(new, told):
            return None
        return told

    def _is_next(self, new: Told, told: Told) -> bool:
        """Does a channel say for the next time what it says whenever such a thing happens?"""
        start, end = new.core
        return end - start < _HEADLINE and self._is_told_here(new, told)

    def _is_told_here(self, new: Told, told: Told) -> bool:
        return self._window.is_told_by(told.story, new.key.channel_id)

    def _like(self, new: Told) -> Iterator[Likeness]:
        """The posts that a new one repeats."""
        mine = self._window.telling(new.triples)
        for told in self._window.near(mine):
            if not _is_close(told, new) or self._is_next(new, told):
                continue
            theirs = self._window.telling(told.triples)
            shared = frozenset(mine & theirs)
            fresh = self._window.fresh(shared)
            found = Likeness(told, len(mine), len(theirs), shared, fresh)
            if self._is_like(new, found) and not self._is_otherwise(new.wording, found):
                yield found

    def _is_like(self, new: Told, found: Likeness) -> bool:
        """A channel that told a story first and repeats a part of it has news of it; one that took it over
        has, too, if the part is small."""
        if found.told.story.channel_id == new.key.channel_id:
            return found.is_repeat
        if self._is_told_here(new, found.told) and not (found.is_repeat or found.is_long):
            return False
        if found.told.roundup and 2 * len(found.shared) < found.theirs:
            return False
        return found.is_copy or found.is_quote

    def _is_otherwise(self, core: Wording, found: Likeness) -> bool:
        """Is it an update, or are only the footers alike?

        It is compared with the story's first post, too: in a shortened copy the number may be missing.
        """
        first = self._window.get(found.told.story) or found.told
        return _is_footer(core, found.told.wording, found.shared) or any(
            is_update(core, told.wording, whole=found.is_copy) for told in {found.told, first}
        )


def _is_close(told: Told, new: Told) -> bool:
    return abs(told.published_at - new.published_at) <= WINDOW


def _is_footer(one: Wording, other: Wording, shared: frozenset[int]) -> bool:
    """Are the last lines all they share? Channels of one owner have the same below their posts."""
    return all(shared <= triples(told.last_lines(_FOOTER).words) for told in (one, other))


def _is_roundup(best: Likeness, likenesses: list[Likeness]) -> bool:
    """Is another story, by half at least, in another part of the post?"""
    return 2 * len(best.shared) < best.mine and any(
        2 * len(found.shared) >= found.theirs
        and found.told.story != best.told.story
        and found.is_apart(best)
        for found in likenesses
    )


def _origin(post: Post) -> Hashable:
    """What a forwarded post is known by; the web preview gives the channel's title, not its id."""
    if post.forward is None or post.forward.message_id is None:
        return None
    if post.forward.channel_id is not None:
        return PostKey(post.forward.channel_id, post.forward.message_id)
    return (post.forward.channel, post.forward.message_id)


def _number(words: list[bytes]) -> int:
    """Of the whole text; 0 if it is too short to be known by it."""
    if len(words) < _SHORTEST:
        return 0
    return crc32(b" ".join(words)) or 1
