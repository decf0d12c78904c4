"""How does every watched channel stay complete?

`follow` is the fast path: posts as they are pushed, perhaps none, perhaps late. `catch_up` is the
truth: it reads a channel's history down to its cursor, and only it moves the cursor. So a post
missed live is found by the next catch-up, and one that both see is stored once.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from storage import channels
from storage.model import Channel, Ledger, Post
from watchers.pipeline import Counts, Pipeline
from watchers.references import Reference

log = logging.getLogger(__name__)

LOOK_EVERY = 1.5  # seconds between two looks of one account, whichever the channels: polite
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


class Source(Protocol):
    def connected(self) -> AbstractAsyncContextManager[None]:
        """Readable inside. Raises SourceLost when it can't be."""

    async def until_lost(self) -> None:
        """Wait for the connection to end, then raise SourceLost."""

    def live(self) -> AsyncIterator[list[Post]]:
        """New and edited posts as they are pushed, all that wait at a time."""

    def hinted(self) -> int | None:
        """A channel that has news which were not pushed, if one is known; each is given once."""

    async def resolve(self, reference: Reference) -> tuple[Channel, int]:
        """The channel and its newest message id.

        Raises ChannelRefused, Flooded, SourceLost.
        """

    async def page(self, channel: Channel, below: int | None, limit: int) -> Page:
        """The newest `limit` messages below an id (None: of all).

        Raises ChannelRefused, Flooded, SourceLost.
        """


Tell = Callable[[str], Awaitable[None]]  # a sentence for the owners


@dataclass(slots=True)
class SourceState:
    """For /status: why the source can't be read just now; None when it can."""

    trouble: str | None = "not connected yet"


async def supervise(source: Source, pipeline: Pipeline, tell: Tell, state: SourceState) -> None:
    """Keep the source connected and its channels complete, whatever happens to it."""
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
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(source.until_lost())
                    tasks.create_task(follow(source, pipeline))
                    tasks.create_task(keep_complete(source, pipeline, tell))
        except* SourceLost as lost:
            why = next(_leaves(lost))
        attempts, state.trouble = attempts + 1, str(why)
        wait = BACK_OFF[min(attempts, len(BACK_OFF)) - 1]
        hopeless = isinstance(why, SessionRefused)
        log.warning("%s; next try in %s s", why, BACK_OFF[-1] if hopeless else wait)
        if (hopeless or attempts >= PATIENCE) and str(why) != told:
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
        await pipeline.take(batch)


async def keep_complete(source: Source, pipeline: Pipeline, tell: Tell) -> None:
    """Catch up every channel deeply, then look at one after the other for as long as it lasts."""
    clock = asyncio.get_running_loop().time
    looked: dict[int, float] = {}  # when each channel was last looked at, and last deeply
    deeply: dict[int, float] = {}
    while True:
        ledger = await _next(source, pipeline, looked)
        if ledger is not None:
            id, now = ledger.channel.id, clock()
            deep = now - deeply.get(id, -DEEP_EVERY) >= DEEP_EVERY
            first, looked[id] = id not in looked, now
            if await _look(source, pipeline, tell, ledger, deep) and deep:
                deeply[id] = now
            if first:
                await asyncio.sleep(LOOK_EVERY / 5)  # after a start: who knows what was missed
                continue
        await asyncio.sleep(LOOK_EVERY)


async def _next(source: Source, pipeline: Pipeline, looked: dict[int, float]) -> Ledger | None:
    """The channel that a push hinted at, else the one not looked at for the longest."""
    watched = {ledger.channel.id: ledger for ledger in await channels.watched(pipeline.db.reader)}
    while (hint := source.hinted()) is not None:
        if hint in watched:
            return watched[hint]
    if not watched:
        return None
    return min(watched.values(), key=lambda ledger: looked.get(ledger.channel.id, float("-inf")))


async def _look(source: Source, pipeline: Pipeline, tell: Tell, ledger: Ledger, deep: bool) -> bool:
    channel = ledger.channel
    try:
        counts = await catch_up(source, pipeline, ledger, deep=deep)
    except Flooded as flooded:
        log.warning("%s before channels are read further", flooded)
        await asyncio.sleep(flooded.seconds)
        return False
    except ChannelRefused as refused:
        async with pipeline.db.transaction() as tx:
            news = await channels.set_trouble(tx, channel.id, str(refused))
        if news:
            await tell(f"{channel.title} can't be read: {refused}.")
        return True
    if counts.posts:
        log.info(
            "caught up %s posts of a channel", counts.posts
        )  # which one is nobody else's business
    return True


async def catch_up(
    source: Source, pipeline: Pipeline, ledger: Ledger, *, deep: bool = True
) -> Counts:
    """Read from the newest post down to the cursor, storing each page; then move the cursor.

    Newest first, so that what was just published is told first; an end that is sure: an id at or
    below the cursor, or nothing. A short page proves nothing.
    """
    channel, counts = ledger.channel, Counts()
    floor = max(ledger.cursor - OVERLAP, ledger.start) if deep else ledger.cursor
    page = await source.page(channel, None, DEEP if deep else QUICK)
    newest = max(page.newest, ledger.cursor)
    while page.oldest is not None:
        counts += await pipeline.take([post for post in page.posts if post.message_id > floor])
        if page.oldest <= floor:
            break
        page = await source.page(channel, page.oldest, DEEP)
    async with pipeline.db.transaction() as tx:
        await channels.advance(tx, channel.id, newest, pipeline.clock())
    return counts
