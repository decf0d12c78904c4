"""How does a post become hits and owed messages? In one transaction."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import chain

from aiosqlite import Connection

from storage import channels, hits, outbox, posts, subscriptions, watchlists
from storage.db import Database
from storage.model import Hit, Post, Subscription
from storage.posts import Saved
from watchers.alerts import alerts_for
from watchers.matching import Matcher
from watchers.placing import Placing


@dataclass(frozen=True, slots=True)
class Counts:
    """What a batch of posts came to."""

    posts: int = 0  # not seen before
    hits: int = 0  # not seen before
    owed: int = 0  # messages

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.posts + other.posts, self.hits + other.hits, self.owed + other.owed)


Note = Callable[[Connection, Counts], Awaitable[None]]


class Pipeline:
    """post → match → hit → outbox, with a matcher that is never older than the watchlists."""

    def __init__(self, db: Database, clock: Callable[[], datetime]) -> None:
        self.db = db
        self.clock = clock
        self.owed = asyncio.Event()  # set when the outbox got something to send
        self._placing = Placing(db, clock)
        self._matcher = Matcher(())
        self._revision = 0

    async def take(
        self, batch: Sequence[Post], *, alert: bool = True, note: Note | None = None
    ) -> Counts:
        """Store posts with all that they bring, in one transaction, in which `note` is called, too.

        A post seen before changes nothing; one of a channel that is not watched is dropped.
        Without `alert` the posts are history (an import, a backfill): nobody is told, no digest
        takes their hits for news, and it is enough that their channel is known.
        """
        if alert:
            await self._placing.ready()
        take = partial(self._take, batch, alert, note)
        try:
            counts = await self.db.at_once(partial(take, self._matcher, self._revision))
            while counts is None:  # the watchlists changed since: match with the new terms
                counts = await self.db.at_once(partial(take, *await self._renewed()))
        except BaseException:
            self._placing.lose()
            raise
        if counts.owed:
            self.owed.set()
        return counts

    async def _take(
        self,
        batch: Sequence[Post],
        alert: bool,
        note: Note | None,
        matcher: Matcher,
        revision: int,
        tx: Connection,
    ) -> Counts | None:
        """None, and nothing done, when the matcher is older than the watchlists."""
        if await watchlists.revision(tx) != revision:
            return None
        instant = await subscriptions.instant(tx) if alert else []
        wanted = await (self._news(tx, batch) if alert else self._history(tx, batch))
        now = self.clock()
        new = await posts.save_new(tx, wanted, now)
        found = [pair for pair in zip(new, map(matcher.match, new), strict=True) if pair[1]]
        fresh = [hit for _, hit in found]  # by post
        await hits.save_new(tx, list(chain.from_iterable(fresh)), now, history=not alert)
        placing = self._placing if alert else None  # history tells no news
        if placing:
            for post, _ in found:
                await placing.place(tx, post)
        owed = await _owe(tx, fresh, instant, now)
        counts = Counts(len(new), sum(map(len, fresh)), owed)
        seen = set(map(id, new))
        for post in wanted:
            if id(post) not in seen:
                counts += await process(tx, matcher, instant, post, now, placing)
        if note:
            await note(tx, counts)
        return counts

    async def _news(self, tx: Connection, batch: Sequence[Post]) -> list[Post]:
        """Posts of watched channels; not those older than the watch, which were pushed late,
        edited, or meant for who watched before."""
        starts = await channels.starts(tx, {post.channel_id for post in batch})
        return [p for p in batch if p.message_id > starts.get(p.channel_id, p.message_id)]

    async def _history(self, tx: Connection, batch: Sequence[Post]) -> list[Post]:
        known = await channels.known(tx)
        return [post for post in batch if post.channel_id in known]

    async def _renewed(self) -> tuple[Matcher, int]:
        """The matcher of the present watchlists and their revision, outside of any transaction.

        They go together: another task may renew both while this one still holds the older pair.
        """
        revision = await watchlists.revision(self.db.reader)
        if revision != self._revision:
            lists = await watchlists.all(self.db.reader)
            known = [ledger.channel for ledger in await channels.watched(self.db.reader)]
            matcher = await asyncio.to_thread(Matcher, lists, known, previous=self._matcher)
            self._matcher, self._revision = matcher, revision
        return self._matcher, self._revision


async def process(
    tx: Connection,
    matcher: Matcher,
    instant: Sequence[Subscription],
    post: Post,
    now: datetime,
    placing: Placing | None,
) -> Counts:
    """Without `placing` it is history."""
    post, saved = await posts.save(tx, post, now)
    if saved is Saved.KNOWN:
        return Counts()
    if saved is Saved.EDITED:
        await hits.fade(tx, post.channel_id, post.message_id)
    return Counts(posts=int(saved is Saved.NEW)) + await _touch(
        tx, matcher, instant, post, now, placing
    )


async def _touch(
    tx: Connection,
    matcher: Matcher,
    instant: Sequence[Subscription],
    post: Post,
    now: datetime,
    placing: Placing | None,
) -> Counts:
    """The hits of a stored post, its story, and what is owed because of those that are fresh."""
    found = matcher.match(post)
    fresh = await hits.save(tx, found, now, history=placing is None)
    if found and placing:
        await placing.place(tx, post)
    return Counts(hits=len(fresh), owed=await _owe(tx, [fresh], instant, now))


async def _owe(
    tx: Connection, fresh: Iterable[list[Hit]], instant: Sequence[Subscription], now: datetime
) -> int:
    """Put into the outbox what is owed because of each post's fresh hits; how many messages."""
    alerts = [alert for hits in fresh for alert in alerts_for(hits, instant, now)]
    for alert in alerts:
        await outbox.add(tx, alert, now)
    return len(alerts)
