"""How does history come that was published before a channel was watched?

Politely: one page at a time through the source's one queue of requests, in which catch-up has its
turn before the next page. What is wanted, and how far it got, stands in the database, so a restart
changes nothing.
"""

import asyncio
import logging
from datetime import datetime

from aiosqlite import Connection

from storage import backfills, outbox, said
from storage.model import Backfill, Delivery, DeliveryKind
from storage.said import Counted, Said
from watchers.ingest import ChannelRefused, Flooded, Source, SourceLost
from watchers.pipeline import Counts, Pipeline
from watchers.sources import Sources

log = logging.getLogger(__name__)

PAUSE = 3.0  # seconds between two pages: catch-up looks at a channel or two meanwhile
PAGE = 100  # posts; Telegram gives no more

ALBUM = 10  # messages at most: a page may cut one in two, so the next one overlaps it


async def keep_backfilling(source: Source | Sources, pipeline: Pipeline) -> None:
    """Read what is wanted, the oldest wish first, for as long as the program runs."""
    while True:
        wanted = await backfills.wanted(pipeline.db.reader)
        if wanted:
            await _one_page(source, pipeline, wanted[0])
        await asyncio.sleep(PAUSE)


async def _one_page(source: Source | Sources, pipeline: Pipeline, wish: Backfill) -> None:
    try:
        if await read_page(source, pipeline, wish):
            await _finish(pipeline, wish)
    except Flooded as flooded:
        log.warning("%s before a backfill goes on", flooded)
        await asyncio.sleep(flooded.seconds)
    except SourceLost:
        log.debug("a backfill waits for the source")  # whose supervisor tells what is wrong
    except ChannelRefused as refused:
        await _give_up(pipeline, wish, refused)


async def read_page(source: Source | Sources, pipeline: Pipeline, wish: Backfill) -> bool:
    """Store the next page of history; say whether it was the last one.

    Raises ChannelRefused, Flooded, SourceLost.
    """
    page = await source.page(wish.channel, wish.below + ALBUM - 1, PAGE)
    if page.oldest is None or page.oldest >= wish.below:
        return True
    history = [post for post in page.posts if post.message_id < wish.below]
    wanted = [post for post in history if post.published_at >= wish.until]
    last = len(wanted) < len(history)
    below = min((post.message_id for post in wanted), default=wish.below) if last else page.oldest

    async def note(tx: Connection, counts: Counts) -> None:
        await backfills.progress(tx, wish.channel.id, below, counts.posts, counts.hits)

    await pipeline.take(wanted, alert=False, note=note)
    return last


async def _finish(pipeline: Pipeline, wish: Backfill) -> None:
    now = pipeline.clock()
    async with pipeline.db.transaction() as tx:
        ended = await backfills.finish(tx, wish, now)
        if ended is None:
            return  # the channel was removed meanwhile, or more is wanted now
        await _tell(tx, ended, _done(ended, now), now)
    log.info("a backfill is done: %s posts, %s hits", ended.posts, ended.hits)
    pipeline.owed.set()


def _done(ended: Backfill, now: datetime) -> Said:
    channel = ended.channel.title
    posts = Counted("{n} post", "{n} posts", ended.posts)
    hits = Counted("{n} hit", "{n} hits", ended.hits)
    if not ended.hits:
        return Said(
            "The backfill of “{channel}” is done: {posts}, {hits}.",
            channel=channel,
            posts=posts,
            hits=hits,
        )
    return Said(
        "The backfill of “{channel}” is done: {posts}, {hits}. "
        "They are told when a period is asked for: /digest {days}d",
        channel=channel,
        posts=posts,
        hits=hits,
        days=(now - ended.until).days,
    )


async def _give_up(pipeline: Pipeline, wish: Backfill, why: ChannelRefused) -> None:
    """What was read stays. Asked for again, it begins anew, which finds the same."""
    async with pipeline.db.transaction() as tx:
        await backfills.forget(tx, wish.channel.id)
        text = Said(
            "The backfill of “{channel}” stopped: {why}. Ask again when it is mended.",
            channel=wish.channel.title,
            why=said.of(why),
        )
        await _tell(tx, wish, text, pipeline.clock())
    pipeline.owed.set()


async def _tell(tx: Connection, wish: Backfill, text: str, now: datetime) -> None:
    notice = Delivery(wish.chat_id, DeliveryKind.NOTICE, now, text=text, thread_id=wish.thread_id)
    await outbox.add(tx, notice, now)
