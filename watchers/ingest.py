"""How does every watched channel stay complete?

`follow` is the fast path: posts as they are pushed, perhaps none, perhaps late. `catch_up` is the
truth: it reads a channel's history down to its cursor, and only it moves the cursor. So a post
missed live is found by the next catch-up, and one that both see is stored once.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from itertools import groupby, pairwise
from typing import Protocol

from storage import channels, gaps, posts
from storage.model import Channel, Ledger, Post
from watchers.pipeline import Counts, Pipeline
from watchers.references import Reference
from watchers.rhythm import HOT_GAP, LOOK_EVERY, Rhythm, intervals
from watchers.share import Share

log = logging.getLogger(__name__)

QUICK, DEEP = 20, 100  # posts a look asks for; Telegram gives 100 at most
DEEP_EVERY = 300.0  # seconds: how often a look also re-reads what lies below the cursor
OVERLAP = 100  # ids below the cursor that a deep look reads again: edits and late posts
BACK_OFF = (1, 2, 5, 10, 30, 60)  # seconds; the last one repeats
PATIENCE = 4  # failures in a row before the owners are told of a lost connection


class SourceLost(Exception):
    """The source can't be read at present; the message says why. It is tried again."""


class SessionRefused(SourceLost):
    """Telegram no longer accepts the session. Only a person can help: a new login."""


class Flooded(Exception):
    """Telegram asks for a pause."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"Telegram asks to wait {seconds:.0f} s")
        self.seconds = seconds


class ChannelRefused(Exception):
    """Not a channel that can be watched; the message says why."""


@dataclass(frozen=True, slots=True)
class Page:
    """A stretch of history. `oldest` and `newest` count messages that are no posts, too."""

    posts: tuple[Post, ...]  # oldest first
    oldest: int | None  # None: the stretch is empty, there is nothing further down
    newest: int
    ids: frozenset[int] = frozenset()  # of all that is there; empty where that is not known


@dataclass(frozen=True, slots=True)
class Deletion:
    channel_id: int
    message_ids: tuple[int, ...]


class Pages(Protocol):
    async def page(self, channel: Channel, below: int | None, limit: int) -> Page:
        """The newest `limit` messages below an id (None: of all).

        Raises ChannelRefused, Flooded, SourceLost.
        """


class Source(Pages, Protocol):
    name: str  # unlike any other's; never shown

    def connected(self) -> AbstractAsyncContextManager[None]:
        """Readable inside. Raises SourceLost when it can't be."""

    async def until_lost(self) -> None:
        """Wait for the connection to end, then raise SourceLost."""

    def live(self) -> AsyncIterator[list[Post | Deletion]]:
        """New and edited posts and deletions as they are pushed, all that wait at a time."""

    def hinted(self) -> int | None:
        """A channel that has news which were not pushed, if one is known; each is given once."""

    async def resolve(self, reference: Reference) -> tuple[Channel, int]:
        """The channel and its newest message id.

        Raises ChannelRefused, Flooded, SourceLost.
        """


@dataclass(frozen=True, slots=True)
class StandIn:
    """Reads for another source, which may see more: what is missing here is not deleted."""

    source: Pages

    async def page(self, channel: Channel, below: int | None, limit: int) -> Page:
        return replace(await self.source.page(channel, below, limit), ids=frozenset())


Tell = Callable[[str], Awaitable[None]]  # a sentence for the owners


@dataclass(slots=True)
class SourceState:
    """For /status: why the source can't be read just now; None when it can."""

    trouble: str | None = "not connected yet"


async def supervise(
    source: Source,
    pipeline: Pipeline,
    tell: Tell,
    state: SourceState,
    share: Share,
    rank: int = 0,
) -> None:
    """Keep the source connected and its share of the channels complete, whatever happens to it."""
    attempts, told = 0, ""
    while True:
        why: SourceLost | None = None
        try:
            async with source.connected():
                log.info("connected to Telegram")
                state.trouble = None
                if told:
                    await tell("The connection to Telegram is back; catching up.")
                attempts, told = 0, ""
                share.well(source.name, rank)
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(source.until_lost())
                    tasks.create_task(follow(source, pipeline))
                    tasks.create_task(keep_complete(source, pipeline, tell, share, rank))
        except* SourceLost as lost:
            why = next(_leaves(lost))
        finally:
            share.unwell(source.name)
        attempts, state.trouble = attempts + 1, str(why)
        wait = BACK_OFF[min(attempts, len(BACK_OFF)) - 1]
        hopeless = isinstance(why, SessionRefused)
        log.warning("%s; next try in %s s", why, BACK_OFF[-1] if hopeless else wait)
        lasting = (hopeless or attempts >= PATIENCE) and share.relied_on(rank)
        if lasting and str(why) != told:
            told = str(why)
            await tell(f"Channels can't be read: {why}. What is missed now is caught up later.")
        await asyncio.sleep(BACK_OFF[-1] if hopeless else wait)


def _leaves(group: BaseExceptionGroup[SourceLost]) -> Iterator[SourceLost]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


async def follow(source: Source, pipeline: Pipeline) -> None:
    async for batch in source.live():
        for kind, items in groupby(batch, key=type):
            if kind is Post:
                await pipeline.take([item for item in items if isinstance(item, Post)])
            else:
                await _forget(pipeline, [item for item in items if isinstance(item, Deletion)])


async def _forget(pipeline: Pipeline, deletions: Iterable[Deletion]) -> None:
    async with pipeline.db.transaction() as tx:
        for deletion in deletions:
            await posts.mark_deleted(
                tx, deletion.channel_id, deletion.message_ids, pipeline.clock()
            )


async def keep_complete(
    source: Source, pipeline: Pipeline, tell: Tell, share: Share, rank: int = 0
) -> None:
    """Look at every channel of its share deeply once, then as often as its rhythm asks for."""
    clock = asyncio.get_running_loop().time
    looks = Looks()
    while True:
        ledger = await _next(source, pipeline, share, looks, clock())
        if ledger is None:
            await asyncio.sleep(LOOK_EVERY)
            continue
        id, now = ledger.channel.id, clock()
        first = id not in looks.at
        deep = now - looks.deep_at.get(id, -DEEP_EVERY) >= DEEP_EVERY and not share.stands_in(rank)
        looks.at[id] = now
        try:
            if await _look(source, pipeline, tell, ledger, deep, share, rank) and deep:
                looks.deep_at[id] = now
        except Flooded as flooded:
            log.warning("%s before channels are read further", flooded)
            share.waits(source.name, flooded.seconds)  # others read its channels meanwhile
            await asyncio.sleep(flooded.seconds)
            share.well(source.name, rank)
        # After a start nobody knows what was missed: the first round is quicker.
        await asyncio.sleep(LOOK_EVERY / 5 if first else LOOK_EVERY)


@dataclass(slots=True)
class Looks:
    """When each channel was looked at, and how often it is to be. Seconds of one steady clock."""

    at: dict[int, float] = field(default_factory=dict)
    deep_at: dict[int, float] = field(default_factory=dict)
    every: dict[int, float] = field(default_factory=dict)
    renewed_at: float = float("-inf")

    async def renew(self, pipeline: Pipeline, watched: Collection[int], now: float) -> None:
        """Rhythms change slowly: once a minute is enough, and when a channel comes or goes."""
        if now - self.renewed_at < 60 and self.every.keys() == set(watched):
            return
        self.renewed_at = now
        known = await rhythms(pipeline)
        self.every = intervals({id: known[id] for id in watched if id in known})

    def overdue(self, id: int, now: float) -> float:
        """1 and more: it is time; never looked at: at once."""
        return (now - self.at.get(id, float("-inf"))) / self.every.get(id, LOOK_EVERY)


async def rhythms(pipeline: Pipeline) -> dict[int, Rhythm]:
    """The rhythm of every watched channel, as its stored posts show it."""
    now = pipeline.clock()
    times = await posts.publishing_times(pipeline.db.reader)
    found = {}
    for ledger in await channels.watched(pipeline.db.reader):
        latest = times.get(ledger.channel.id, [])
        gaps = tuple((a - b).total_seconds() for a, b in pairwise(latest))
        last = (now - latest[0]).total_seconds() if latest else float(HOT_GAP)
        found[ledger.channel.id] = Rhythm(last, gaps)
    return found


async def _next(
    source: Source, pipeline: Pipeline, share: Share, looks: Looks, now: float
) -> Ledger | None:
    """The channel that a push hinted at, else the one most overdue, if one is."""
    watched = {
        ledger.channel.id: ledger
        for ledger in await channels.watched(pipeline.db.reader)
        if share.reader_of(ledger.channel.id) == source.name
    }
    while (hint := source.hinted()) is not None:
        if hint in watched:
            return watched[hint]
    await looks.renew(pipeline, watched, now)
    due = [id for id in watched if looks.overdue(id, now) >= 1]
    return watched[max(due, key=lambda id: looks.overdue(id, now))] if due else None


async def _look(
    source: Source,
    pipeline: Pipeline,
    tell: Tell,
    ledger: Ledger,
    deep: bool,
    share: Share,
    rank: int,
) -> bool:
    channel = ledger.channel
    pages = StandIn(source) if share.stands_in(rank) else source
    try:
        counts = await catch_up(pages, pipeline, ledger, deep=deep)
    except ChannelRefused as refused:
        if share.stands_in(rank):
            return True  # it is read again by who can
        async with pipeline.db.transaction() as tx:
            news = await channels.set_trouble(tx, channel.id, str(refused))
        if news:
            await tell(f"{channel.title} can't be read: {refused}.")
        return True
    if counts.posts:
        log.info("caught up %s posts of a channel", counts.posts)  # which one is a secret
    return True


async def catch_up(
    source: Pages, pipeline: Pipeline, ledger: Ledger, *, deep: bool = True
) -> Counts:
    """Read from the newest post down to the cursor, storing each page; then move the cursor.

    Newest first, so that what was just published is told first; an end that is sure: an id at or
    below the cursor, or nothing. A short page proves nothing.
    """
    channel, counts = ledger.channel, Counts()
    floor = max(ledger.cursor - OVERLAP, ledger.start) if deep else ledger.cursor
    known = await posts.newest(pipeline.db.reader, channel.id)
    newest, below, repaired = ledger.cursor, None, 0
    while True:
        there = await _stored_ids(pipeline, channel, floor, below)
        page = await source.page(channel, below, DEEP if deep or below else QUICK)
        newest = max(newest, page.newest)
        if page.oldest is None:
            break
        counts += await pipeline.take([post for post in page.posts if post.message_id > floor])
        missed = {p.message_id for p in page.posts if ledger.cursor < p.message_id < known}
        repaired += len(missed - there)
        await _mark_gone(pipeline, channel, page, there)
        if page.oldest <= floor:
            break
        below = page.oldest
    async with pipeline.db.transaction() as tx:
        await channels.advance(tx, channel.id, newest, pipeline.clock(), repaired)
    return counts


async def _stored_ids(
    pipeline: Pipeline, channel: Channel, floor: int, below: int | None
) -> set[int]:
    """What we hold of a stretch, as of before it is asked for."""
    high = below - 1 if below else 2**53
    return await posts.ids_between(pipeline.db.reader, channel.id, floor + 1, high)


async def _mark_gone(
    pipeline: Pipeline, channel: Channel, page: Page, stored: Iterable[int]
) -> None:
    """What was stored before the page was read, and is not on it, was deleted."""
    assert page.oldest is not None
    gone = {id for id in stored if id >= page.oldest and id not in page.ids}
    if page.ids and gone:
        gone -= await gaps.of(pipeline.db.reader, channel.id)  # never shown by an account
        await _forget(pipeline, [Deletion(channel.id, tuple(gone))])
