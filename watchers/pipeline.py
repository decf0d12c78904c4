"""How does a post become hits and owed messages? In one transaction."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import partial
from itertools import chain

from aiosqlite import Connection

from storage import (
    channels,
    chats,
    hits,
    mutes,
    outbox,
    posts,
    stories,
    subscriptions,
    watchlists,
)
from storage.db import Database
from storage.model import Hit, Post
from storage.posts import Saved
from watchers.alerts import Audience, owed_for
from watchers.matching import Matcher
from watchers.placing import Placing


@dataclass(frozen=True, slots=True)
class Counts:
    """What a batch of posts came to."""

    posts: int = 0  # not seen before
    hits: int = 0  # not seen before
    owed: int = 0  # messages
    edits: int = 0  # of posts seen before

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(
            self.posts + other.posts,
            self.hits + other.hits,
            self.owed + other.owed,
            self.edits + other.edits,
        )


Note = Callable[[Connection, Counts], Awaitable[None]]


class Pipeline:
    """post → match → hit → outbox, with a matcher that is never older than the watchlists."""

    def __init__(self, db: Database, clock: Callable[[], datetime], zone: tzinfo = UTC) -> None:
        """`zone` is that of chats that set none."""
        self.db = db
        self.zone = zone
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
        if counts.owed or counts.edits:
            self.owed.set()
        return counts

    async def matcher(self) -> Matcher:
        """Of the watchlists as they are now."""
        matcher, _ = await self._renewed()
        return matcher

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
        wanted = await (self._news(tx, batch) if alert else self._history(tx, batch))
        now = self.clock()
        new = await posts.save_new(tx, wanted, now)
        found = [(post, hit) for post in new if (hit := matcher.match(post))]
        all_found = list(chain.from_iterable(hit for _, hit in found))
        await hits.save_new(tx, all_found, now, history=not alert)
        counts = Counts(len(new), len(all_found))
        # Most posts touch nothing: who wants to hear is asked only when something is to be said.
        said = alert and (found or len(new) < len(wanted))
        audience = await self._audience(tx) if said else None
        if audience:
            for post, fresh in found:
                counts += await self._tell(tx, post, fresh, audience, now)
        seen = set(map(id, new))
        for post in wanted:
            if id(post) not in seen:
                counts += await self._take_known(tx, matcher, audience, post, now)
        if note:
            await note(tx, counts)
        return counts

    async def _take_known(
        self,
        tx: Connection,
        matcher: Matcher,
        audience: Audience | None,
        post: Post,
        now: datetime,
    ) -> Counts:
        """A post that may be an edit, or a message of an album."""
        post, saved = await posts.save(tx, post, now)
        if saved is Saved.KNOWN:
            return Counts()
        if saved is Saved.EDITED:
            await hits.fade(tx, post.channel_id, post.message_id)
        new = saved is Saved.NEW
        found = matcher.match(post)
        fresh = await hits.save(tx, found, now, history=audience is None)
        counts = Counts(posts=int(new), hits=len(fresh), edits=int(not new))
        return (
            counts + await self._tell(tx, post, fresh, audience, now)
            if found and audience
            else counts
        )

    async def _tell(
        self, tx: Connection, post: Post, fresh: Sequence[Hit], audience: Audience, now: datetime
    ) -> Counts:
        """Place a post with hits into its story; owe what is owed because of those that are fresh."""
        story = await self._placing.place(tx, post)
        told, reached = [], 0
        if story != post.key:
            await outbox.note_story(tx, story)
            told = await outbox.told(tx, story)
            reached = await stories.reached(tx, story, post.key)
        owed = owed_for(fresh, audience, now, told, reached)
        for alert in owed.alerts:
            await outbox.add(tx, alert, now)
        for digest in owed.held:
            await outbox.hold(tx, digest, now)
        for before, copies in owed.joined:
            await outbox.join(tx, before, copies)
        return Counts(owed=len(owed.alerts) + len(owed.joined))

    async def _audience(self, tx: Connection) -> Audience:
        return Audience(
            await subscriptions.instant(tx),
            await chats.all(tx),
            await mutes.active(tx, self.clock()),
            self.zone,
        )

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
