"""What does the web preview add while an account reads?

It is asked for posts that the account can't read, and its newest pages are compared with what is
stored. (That it reads in the place of an account that was told to wait is ingest's and share's.)
Nothing that goes wrong here is anybody's trouble: it is tried again later, and nobody is told.

The arithmetic: one page in EVERY seconds at most, whatever it is for, is 3 a minute, 180 an hour.
A channel is checked once in AGAIN seconds at most: up to 180 channels once an hour each; 300 of
them every 300 × 20 s = 100 min. A post that is asked for takes the place of a check. What fails
doubles the pause, up to 20 s × 2⁶ = 21 min. A page shows 20 ids: of a channel that published more
since its last check, the newest are compared.
"""

import asyncio
import logging
import math
from collections.abc import Iterable
from datetime import datetime, timedelta

from aiosqlite import Connection

from storage import channels, gaps, posts
from storage.model import Channel, ChannelKind, Ledger, Post
from watchers.ingest import ChannelRefused, Flooded, Page, SourceLost
from watchers.pipeline import Counts, Pipeline
from watchers.preview import PreviewSource
from watchers.share import Share

log = logging.getLogger(__name__)

EVERY = 20.0  # seconds between two pages
AGAIN = 3600.0  # seconds between two checks of a channel
TRIES = 3  # for a post that the account can't read and the preview does not show
TRY_AFTER = timedelta(minutes=10)  # between two of them: the preview may lag behind
BESIDE = 10  # ids above the one asked for: an album has ten messages and is to be whole
SETTLED = timedelta(minutes=1)  # the account may need that long for a new post
STUCK = timedelta(minutes=30)  # a look that is longer ago is not waited for


async def assist(preview: PreviewSource, pipeline: Pipeline, share: Share) -> None:
    """For as long as the program runs."""
    clock = asyncio.get_running_loop().time
    checked: dict[int, float] = {}  # by channel: when
    failures, pause = 0, 0.0
    while True:
        await asyncio.sleep(max(EVERY * 2 ** min(failures, 6), pause))
        pause = 0.0
        try:
            if await ask(preview, pipeline) or await check(
                preview, pipeline, share, checked, clock()
            ):
                failures = 0
        except Flooded as flooded:
            failures, pause = failures + 1, flooded.seconds
        except SourceLost:
            failures += 1


async def ask(preview: PreviewSource, pipeline: Pipeline) -> bool:
    """Ask for one post that the account could not read; say whether there was one to ask for.

    It stays owed until the preview answered. Raises Flooded, SourceLost.
    """
    reader, now = pipeline.db.reader, pipeline.clock()
    known = {ledger.channel.id: ledger.channel for ledger in await channels.watched(reader)}
    owed = [gap for gap in await gaps.owed(reader, TRIES, now - TRY_AFTER) if gap[0] in known]
    if not owed:
        return False
    channel_id, message_id = owed[0]
    try:
        page = await preview.glance(known[channel_id], message_id + BESIDE)
        found = [post for post in page.posts if message_id in _ids([post])]
    except ChannelRefused:
        found = []  # it has no preview
    except (Flooded, SourceLost):
        async with pipeline.db.transaction() as tx:  # others have their turn first
            await gaps.asked(tx, channel_id, message_id, now, in_vain=False)
        raise
    await pipeline.take(found)
    async with pipeline.db.transaction() as tx:
        tries = await gaps.asked(tx, channel_id, message_id, now, in_vain=not found)
    if found:
        log.info("a post that the account can't read was found in the web preview")
    elif tries == TRIES:
        log.warning("a post stays set aside: the account can't read it, nor shows it the preview")
    return True


async def check(
    preview: PreviewSource,
    pipeline: Pipeline,
    share: Share,
    checked: dict[int, float],
    now: float,
) -> bool:
    """Compare the channel that waits longest with its newest page; say whether one was due.

    Raises Flooded, SourceLost.
    """
    due = [
        ledger
        for ledger in await channels.watched(pipeline.db.reader)
        if _is_shown(ledger.channel)
        and share.reader_of(ledger.channel.id) not in (None, preview.name)
        and now - checked.get(ledger.channel.id, -math.inf) >= AGAIN
    ]
    if not due:
        return False
    ledger = min(due, key=lambda ledger: checked.get(ledger.channel.id, -math.inf))
    checked[ledger.channel.id] = now
    try:
        page = await preview.glance(ledger.channel)
    except ChannelRefused:
        return True  # it has no preview
    await _repair(pipeline, ledger, page)
    await _mark_gone(pipeline, ledger.channel.id, page)
    return True


async def _repair(pipeline: Pipeline, ledger: Ledger, page: Page) -> None:
    """Store what the account should have seen, and has not."""
    channel_id, until = ledger.channel.id, _settled(ledger, pipeline.clock())
    stored = await posts.stored(pipeline.db.reader, channel_id, _ids(page.posts))
    missed = [
        post
        for post in page.posts
        if post.message_id > ledger.start
        and post.published_at < until
        and not _ids([post]) & stored
    ]
    if not missed:
        return

    async def note(tx: Connection, counts: Counts) -> None:
        await channels.repair(tx, channel_id, counts.posts)
        await gaps.note(tx, channel_id, _ids(missed))

    counts = await pipeline.take(missed, note=note)
    log.warning("the web preview showed %s posts that the account had missed", counts.posts)


async def _mark_gone(pipeline: Pipeline, channel_id: int, page: Page) -> None:
    """Of posts that only the preview shows, only the preview can tell that they are gone."""
    known = await gaps.of(pipeline.db.reader, channel_id)
    gone = {id for id in known if (page.oldest or 0) <= id <= page.newest} - page.ids
    if page.ids and gone:
        async with pipeline.db.transaction() as tx:
            await posts.mark_deleted(tx, channel_id, gone, pipeline.clock())


def _settled(ledger: Ledger, now: datetime) -> datetime:
    """What was published before this, the account has had its chance to see."""
    looked = ledger.looked_at
    if looked is None or now - looked > STUCK or ledger.trouble:
        looked = now  # it may never have that chance
    return looked - SETTLED


def _is_shown(channel: Channel) -> bool:
    return channel.username is not None and channel.kind is ChannelKind.CHANNEL


def _ids(found: Iterable[Post]) -> set[int]:
    return {id for post in found for id in (post.message_id, *post.album)}
