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
from datetime import timedelta
from enum import Enum
from functools import partial
from itertools import groupby, pairwise
from typing import Protocol

from storage import channels, gaps, posts, said
from storage.model import Channel, Ledger, Post
from storage.said import Said
from watchers import life
from watchers.pipeline import Counts, Pipeline
from watchers.references import Reference
from watchers.rhythm import HOT_GAP, LOOK_EVERY, Rhythm, intervals
from watchers.share import Share
from watchers.standing import Standing
from watchers.sweeps import DAYS, EVERY, SPARE, TURN, Sweep
from watchers.walks import Walk

log = logging.getLogger(__name__)

QUICK, DEEP = 20, 100  # posts a look asks for; Telegram gives 100 at most
DEEP_EVERY = (
    300.0  # seconds: how often a look asks for more than it needs, for edits and late posts
)
STORED = 500  # of a channel's posts above and on a page, those that are compared with it
SLICE = 5.0  # seconds that are spent on one channel before others have their turn
BACK_OFF = (1, 2, 5, 10, 30, 60)  # seconds; the last one repeats
PATIENCE = 4  # failures in a row before the owners are told of a lost connection


class SourceLost(Exception):
    """The source can't be read at present; the message says why. It is tried again."""


class SessionRefused(SourceLost):
    """Telegram no longer accepts the session. Only a person can help: a new login."""


class Flooded(Exception):
    """Telegram asks for a pause."""

    def __init__(self, seconds: float) -> None:
        super().__init__(Said("Telegram asks to wait {seconds} s", seconds=round(seconds)))
        self.seconds = seconds


class ChannelRefused(Exception):
    """Not a channel that can be watched; the message says why."""


class NotJoined(Exception):
    """The channel is read, but nothing of it is pushed; the message says why."""


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

    def has_turn(self, channel: Channel, pages: int = 1) -> bool:
        """May so many pages be asked for now, without that others have to wait for it?"""

    async def resolve(self, reference: Reference) -> tuple[Channel, int]:
        """The channel and its newest message id.

        Raises ChannelRefused, Flooded, SourceLost.
        """

    def ready(self, channel: Channel) -> bool:
        """Can it be asked for pages of this channel without looking its name up first?"""

    def standing(self, channel_id: int) -> Standing | None:
        """What its latest page said of the channel, besides posts."""

    def joined(self) -> frozenset[int]:
        """The channels that it is a member of, as far as it knows: their posts are pushed."""

    def pushed(self) -> frozenset[int]:
        """Those of them whose push can be relied on at present."""

    def doubt_push(self, channel_id: int) -> None:
        """Posts were found that were not pushed."""

    async def tend(
        self, strangers: Callable[[bool], Awaitable[list[Channel]]], tell: "Tell"
    ) -> None:
        """Whatever is to be done besides reading, for as long as it is connected.

        `strangers`: the watched channels that it is not ready for, the busiest first: of those it
        is to read, or (True) of the others. Raises SourceLost.
        """

    async def join(self, channel: Channel) -> None:
        """Be pushed what the channel publishes.

        Raises NotJoined, ChannelRefused, Flooded, SourceLost.
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

    trouble: str | None = Said("not connected yet")


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
    looks = Looks()
    while True:
        why: SourceLost | None = None
        try:
            async with source.connected():
                log.info("connected to Telegram")
                state.trouble = None
                if told:
                    await tell(Said("The connection to Telegram is back; catching up."))
                attempts, told = 0, ""
                share.well(source.name, rank)
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(source.until_lost())
                    tasks.create_task(follow(source, pipeline))
                    tasks.create_task(keep_complete(source, pipeline, tell, share, rank, looks))
                    tasks.create_task(
                        source.tend(partial(_strangers, source, pipeline, share), tell)
                    )
        except* SourceLost as lost:
            why = next(_leaves(lost))
        finally:
            share.unwell(source.name)
        trouble = said.of(why) if why else ""
        attempts, state.trouble = attempts + 1, trouble
        wait = BACK_OFF[min(attempts, len(BACK_OFF)) - 1]
        hopeless = isinstance(why, SessionRefused)
        log.warning("%s; next try in %s s", why, BACK_OFF[-1] if hopeless else wait)
        lasting = (hopeless or attempts >= PATIENCE) and share.relied_on(rank)
        if lasting and trouble != told:
            told = trouble
            await tell(
                Said(
                    "Channels can't be read: {why}. What is missed now is caught up later.",
                    why=trouble,
                )
            )
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


async def _strangers(
    source: Source, pipeline: Pipeline, share: Share, ahead: bool
) -> list[Channel]:
    """See Source.tend."""
    unmet = [
        ledger.channel
        for ledger in await channels.watched(pipeline.db.reader)
        if not source.ready(ledger.channel)
        and (share.reader_of(ledger.channel.id) != source.name) == ahead
    ]
    known = await rhythms(pipeline) if len(unmet) > 1 else {}
    return sorted(unmet, key=lambda channel: known[channel.id].gap if channel.id in known else 0)


async def _forget(pipeline: Pipeline, deletions: Iterable[Deletion]) -> None:
    async with pipeline.db.transaction() as tx:
        for deletion in deletions:
            await posts.mark_deleted(
                tx, deletion.channel_id, deletion.message_ids, pipeline.clock()
            )
    pipeline.owed.set()  # an alert may have to say so


async def keep_complete(
    source: Source,
    pipeline: Pipeline,
    tell: Tell,
    share: Share,
    rank: int = 0,
    looks: "Looks | None" = None,
) -> None:
    """Look at every channel of its share once, then as often as its rhythm asks for.

    What a look can't finish soon goes on in turns with the looks at other channels; when nothing is
    more urgent, older posts are read again. How far that came is in `looks`, for the next connection.
    """
    clock = asyncio.get_running_loop().time
    looks = looks or Looks()
    looks.at.clear()
    looks.deep_at.clear()
    while True:
        task, ledger = await _next(source, pipeline, share, looks, clock())
        if ledger is None:
            await asyncio.sleep(LOOK_EVERY)
            continue
        first = ledger.channel.id not in looks.at
        try:
            await _do(task, source, pipeline, tell, ledger, looks, partial(share.stands_in, rank))
        except Flooded as flooded:
            log.warning("%s before channels are read further", flooded)
            share.waits(source.name, flooded.seconds)  # others read its channels meanwhile
            await asyncio.sleep(flooded.seconds)
            share.well(source.name, rank)
        # After a start nobody knows what was missed: the first round is quicker.
        await asyncio.sleep(LOOK_EVERY / 5 if first else LOOK_EVERY)


class Task(Enum):
    LOOK = "from the newest post down to the cursor"
    WALK = "further down, where a look was not finished"
    SWEEP = "a page of older posts, once more"


@dataclass(slots=True)
class Looks:
    """When each channel was looked at, and how often it is to be. Seconds of one steady clock."""

    at: dict[int, float] = field(default_factory=dict)
    deep_at: dict[int, float] = field(default_factory=dict)
    every: dict[int, float] = field(default_factory=dict)
    renewed_at: float = float("-inf")
    walks: dict[int, Walk] = field(default_factory=dict)
    sweeps: dict[int, Sweep] = field(default_factory=dict)
    turn: int = 0

    async def renew(
        self,
        pipeline: Pipeline,
        watched: Collection[int],
        now: float,
        pushed: frozenset[int] = frozenset(),
    ) -> None:
        """Rhythms change slowly: once a minute is enough, and when a channel comes or goes."""
        if now - self.renewed_at < 60 and self.every.keys() == set(watched):
            return
        self.renewed_at = now
        known = await rhythms(pipeline)
        self.every = intervals({id: known[id] for id in watched if id in known}, pushed)

    def overdue(self, id: int, now: float) -> float:
        """1 and more: it is time; never looked at: at once."""
        return (now - self.at.get(id, float("-inf"))) / self.every.get(id, LOOK_EVERY)

    def choose(
        self, watched: Collection[int], ready: Callable[[int, int], bool], now: float
    ) -> tuple[Task, int] | None:
        """What is next. Looks and walks take turns; sweeps have the rest, and a small share."""
        due = [id for id in watched if self.overdue(id, now) >= 1 and ready(id, 1)]
        new = any(id not in self.at for id in due)
        behind = [id for id in self.walks if id in watched and ready(id, 1)]
        look = [(Task.LOOK, max(due, key=lambda id: self.overdue(id, now)))] if due else []
        walk = [(Task.WALK, min(behind, key=lambda id: self.walks[id].at))] if behind else []
        order = [*walk, *look] if self.turn % 2 and not new else [*look, *walk]
        share = self.turn % TURN == 0 and not new
        if share or not order:
            spare = 1 if share else SPARE
            old = [id for id in self.at if id in watched and self.sweep(id).due(now)]
            swept = [id for id in old if ready(id, spare)]
            if swept:
                order = [(Task.SWEEP, min(swept, key=lambda id: self.sweep(id).at))]
        self.turn += bool(order)
        return order[0] if order else None

    def sweep(self, id: int) -> Sweep:
        return self.sweeps.setdefault(id, Sweep())


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
) -> tuple[Task, Ledger | None]:
    """The channel that a push hinted at, else what is most urgent, if anything is."""
    waiting = sorted(await channels.watched(pipeline.db.reader), key=_looked_at)
    watched = {
        ledger.channel.id: ledger
        for ledger in waiting
        if share.reader_of(ledger.channel.id) == source.name and source.ready(ledger.channel)
    }
    while (hint := source.hinted()) is not None:
        if hint in watched:
            return Task.LOOK, watched[hint]
    await looks.renew(pipeline, watched, now, source.pushed())
    chosen = looks.choose(watched, lambda id, n: source.has_turn(watched[id].channel, n), now)
    return (chosen[0], watched[chosen[1]]) if chosen else (Task.LOOK, None)


def _looked_at(ledger: Ledger) -> float:
    """After a start, who was not looked at for longest comes first."""
    return ledger.looked_at.timestamp() if ledger.looked_at else 0.0


async def _do(
    task: Task,
    source: Source,
    pipeline: Pipeline,
    tell: Tell,
    ledger: Ledger,
    looks: Looks,
    standing_in: Callable[[], bool],
) -> None:
    channel, clock = ledger.channel, asyncio.get_running_loop().time
    now, first = clock(), channel.id not in looks.at
    walk, trouble = looks.walks.setdefault(channel.id, Walk()), None
    pages = StandIn(source) if standing_in() else source

    def patient() -> bool:
        return not first and clock() - now < SLICE and source.has_turn(channel)

    try:
        if task is Task.SWEEP:
            await sweep_on(pages, pipeline, ledger, looks.sweep(channel.id), now)
        elif task is Task.WALK:
            walk.at = now
            _log(await walk_on(pages, pipeline, ledger, walk, patient))
        else:
            deep = now - looks.deep_at.get(channel.id, -DEEP_EVERY) >= DEEP_EVERY
            looks.at[channel.id] = now
            counts = await catch_up(pages, pipeline, ledger, deep=deep, walk=walk, patient=patient)
            _log(counts)
            if counts.posts and not first:
                source.doubt_push(channel.id)
            if deep:
                looks.deep_at[channel.id] = now
    except ChannelRefused as refused:
        walk.read.clear()  # where it stood may be gone
        if standing_in():
            return  # it is read again by who can
        trouble = said.of(refused)
    finally:
        if not walk.unfinished:
            del looks.walks[channel.id]
    if task is not Task.SWEEP:  # what is wrong with older posts alone is no news of the channel
        for news in await life.note(pipeline.db, ledger, source.standing(channel.id), trouble):
            await tell(news)


def _log(counts: Counts) -> None:
    if counts.posts:
        log.info("caught up %s posts of a channel", counts.posts)  # which one is a secret


async def catch_up(
    source: Pages,
    pipeline: Pipeline,
    ledger: Ledger,
    *,
    deep: bool = True,
    walk: Walk | None = None,
    patient: Callable[[], bool] = lambda: True,
) -> Counts:
    """Read from the newest post down to the cursor, storing each page; then move the cursor.

    Newest first, so that what was just published is told first; an end that is sure: an id just
    above the cursor, or nothing. A short page proves nothing. When `patient` says no, or the source
    gives up, the `walk` knows what was read already.
    """
    walk = Walk() if walk is None else walk
    return await _down(source, pipeline, ledger, walk, None, DEEP if deep else QUICK, patient)


async def walk_on(
    source: Pages,
    pipeline: Pipeline,
    ledger: Ledger,
    walk: Walk,
    patient: Callable[[], bool] = lambda: True,
) -> Counts:
    """Go on where a walk came closest to the cursor."""
    return await _down(source, pipeline, ledger, walk, walk.read[0][0], DEEP, patient)


async def _down(
    source: Pages,
    pipeline: Pipeline,
    ledger: Ledger,
    walk: Walk,
    below: int | None,
    limit: int,
    patient: Callable[[], bool],
) -> Counts:
    channel, counts = ledger.channel, Counts()
    if walk.known is None:
        walk.known = await posts.newest(pipeline.db.reader, channel.id)
    while below is None or below > ledger.cursor + 1:
        there = await _stored_ids(pipeline, ledger, below)
        page = await source.page(channel, below, limit)
        high = below - 1 if below else page.newest
        if page.oldest is None:
            if high > ledger.cursor:
                walk.note(ledger.cursor + 1, high)
            await _mark_gone(pipeline, channel, page, there)
            break
        counts += await pipeline.take(page.posts)
        missed = {p.message_id for p in page.posts if ledger.cursor < p.message_id < walk.known}
        walk.repaired += len(missed - there)
        await _mark_gone(pipeline, channel, page, there)
        walk.note(page.oldest, max(high, page.oldest))
        below, limit = walk.under(page.oldest), DEEP
        if below > ledger.cursor + 1 and not patient():
            return counts
    newest = walk.above(ledger.cursor)
    async with pipeline.db.transaction() as tx:
        await channels.advance(tx, channel.id, newest, pipeline.clock(), walk.repaired)
    walk.finish(newest)
    return counts


async def sweep_on(
    source: Pages, pipeline: Pipeline, ledger: Ledger, sweep: Sweep, now: float
) -> None:
    """Read one page of older posts again: what was edited or deleted since?"""
    channel = ledger.channel
    if sweep.below is None:
        today = pipeline.clock()
        oldest = await posts.newest_before(
            pipeline.db.reader, channel.id, today - timedelta(days=DAYS)
        )
        first = channel.id + int(today.timestamp() / EVERY)
        sweep.begin(ledger.cursor, max(oldest, ledger.start), now, first)
    sweep.at, below = now, sweep.below
    there = await _stored_ids(pipeline, ledger, below)
    try:
        page = await source.page(channel, below, DEEP)
    except (ChannelRefused, Flooded, SourceLost):
        sweep.break_off()
        raise
    await pipeline.take(page.posts)
    await _mark_gone(pipeline, channel, page, there)
    sweep.reached(page.oldest)


async def _stored_ids(pipeline: Pipeline, ledger: Ledger, below: int | None) -> set[int]:
    """What we hold of a stretch, as of before it is asked for."""
    high = below - 1 if below else 2**53
    return await posts.latest_ids(
        pipeline.db.reader, ledger.channel.id, ledger.start + 1, high, STORED
    )


async def _mark_gone(
    pipeline: Pipeline, channel: Channel, page: Page, stored: Iterable[int]
) -> None:
    """What was stored before the page was read, and is not on it, was deleted."""
    gone = {id for id in stored if id >= (page.oldest or 0) and id not in page.ids}
    if page.ids and gone:
        gone -= await gaps.of(pipeline.db.reader, channel.id)  # never shown by an account
        await _forget(pipeline, [Deletion(channel.id, tuple(gone))])
