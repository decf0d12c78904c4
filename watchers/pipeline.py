"""How does a post become hits and owed messages? In one transaction."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from aiosqlite import Connection

from storage import channels, hits, outbox, posts, subscriptions, watchlists
from storage.db import Database
from storage.model import Hit, Post, Subscription
from storage.posts import Saved
from watchers.alerts import alerts_for
from watchers.matching import Matcher


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
        while True:
            matcher = await self._renewed()
            async with self.db.transaction() as tx:
                if await watchlists.revision(tx) != self._revision:
                    continue  # changed since: match with the new terms
                counts = await self._take(tx, matcher, batch, alert)
                if note:
                    await note(tx, counts)
            if counts.owed:
                self.owed.set()
            return counts

    async def _take(
        self, tx: Connection, matcher: Matcher, batch: Sequence[Post], alert: bool
    ) -> Counts:
        instant = await subscriptions.instant(tx) if alert else []
        wanted = (
            {ledger.channel.id for ledger in await channels.watched(tx)}
            if alert
            else await channels.known(tx)
        )
        counts = Counts()
        for post in batch:
            if post.channel_id in wanted:
                counts += await process(tx, matcher, instant, post, self.clock(), history=not alert)
        return counts

    async def _renewed(self) -> Matcher:
        """The matcher of the present watchlists, compiled outside of any transaction."""
        revision = await watchlists.revision(self.db.reader)
        if revision != self._revision:
            lists = await watchlists.all(self.db.reader)
            known = [ledger.channel for ledger in await channels.watched(self.db.reader)]
            self._matcher = await asyncio.to_thread(Matcher, lists, known, previous=self._matcher)
            self._revision = revision
        return self._matcher


async def process(
    tx: Connection,
    matcher: Matcher,
    instant: Sequence[Subscription],
    post: Post,
    now: datetime,
    *,
    history: bool = False,
) -> Counts:
    post, saved = await posts.save(tx, post, now)
    if saved is Saved.KNOWN:
        return Counts()
    if saved is Saved.EDITED:
        await hits.fade(tx, post.channel_id, post.message_id)
    fresh: list[Hit] = await hits.save(tx, matcher.match(post), now, history=history)
    alerts = alerts_for(fresh, instant, now)
    for alert in alerts:
        await outbox.add(tx, alert, now)
    return Counts(int(saved is Saved.NEW), len(fresh), len(alerts))
