"""Is history read on request: all that is wanted, politely, once, and without alerting anybody?"""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from storage import backfills, channels, outbox, posts, subscriptions, watchlists
from storage.model import Backfill, Subscription, Term
from tests import make
from watchers import backfill, ingest
from watchers.backfill import keep_backfilling, read_page
from watchers.references import Reference
from watchers.telegram import Account, TelegramSource

CHAT = 7


@pytest.fixture
def news(dc, reader):
    return dc.add_channel("News", username="news", members=[reader])


@pytest.fixture
def source(dc, reader, db):
    return TelegramSource(Account(1, "x" * 32, dc.session(reader)), db)


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(backfill, "PAUSE", 0.02)


@pytest.fixture
async def rail(db):
    async with db.transaction() as tx:
        await watchlists.create(tx, make.watchlist(), make.NOON)
        await watchlists.add_term(tx, 1, Term(0, "эшелон"), make.NOON)
        await subscriptions.put(tx, Subscription(1, CHAT), make.NOON)


def publish(dc, news, number):
    """A post a day until yesterday, every tenth of them a hit."""
    for n in range(number):
        date = make.NOON - timedelta(days=number - n)
        dc.store(news, f"эшелон {n}" if n % 10 == 0 else f"погода {n}", date=date)


@pytest.fixture
async def watched(dc, db, source, news):
    """The channel with a year behind it, watched from its newest post on; the source connected."""
    publish(dc, news, 365)
    async with source.connected():
        channel, newest = await source.resolve(Reference(username="news"))
        async with db.transaction() as tx:
            await channels.add(tx, channel, newest, make.NOON)
        yield channel


async def ask(db, channel, days, now=make.NOON):
    wish = Backfill(channel, now - timedelta(days=days), below=366, chat_id=CHAT)
    async with db.transaction() as tx:
        return await backfills.ask(tx, wish, now)


async def until_done(source, pipeline):
    task = asyncio.create_task(keep_backfilling(source, pipeline))
    async with asyncio.timeout(10):
        while await backfills.wanted(pipeline.db.reader):
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.wait([task])


async def told(db):
    return [d.text for d in await outbox.next_due(db.reader, datetime(2100, 1, 1, tzinfo=UTC))]


async def test_history_is_read_as_far_as_wanted_and_no_further(
    dc, db, pipeline, source, watched, rail, quick
):
    await ask(db, watched, 250)
    await until_done(source, pipeline)
    assert await posts.ids_between(db.reader, watched.id, 0, 999) == set(range(116, 366))
    assert await told(db) == [
        "The backfill of “News” is done: 250 posts, 25 hits. "
        "They are told when a period is asked for: /digest 250d"
    ]
    assert len(dc.calls_of("GetHistory")) == 4  # one of them for the newest id
    assert (await channels.watched(db.reader))[0].cursor == 365


async def test_it_ends_where_the_channel_begins(db, pipeline, source, watched, rail, quick):
    await ask(db, watched, 9999)
    await until_done(source, pipeline)
    assert await posts.count(db.reader) == 365


async def test_more_is_read_from_where_the_first_wish_ended(
    dc, db, pipeline, source, watched, rail, quick
):
    await ask(db, watched, 50)
    await until_done(source, pipeline)
    assert (await ask(db, watched, 30)).done
    assert not (await ask(db, watched, 60)).done
    await until_done(source, pipeline)
    (done,) = await backfills.all(db.reader)
    assert (done.posts, done.hits, done.done) == (10, 1, True)
    offsets = [call.request.offset_id for call in dc.calls_of("GetHistory")]
    assert offsets[1:] == [375, 325]


async def test_a_restart_goes_on_after_the_last_page(
    dc, db, pipeline, source, watched, rail, quick
):
    await ask(db, watched, 250)
    (wish,) = await backfills.wanted(db.reader)
    assert not await read_page(source, pipeline, wish)
    (wish,) = await backfills.wanted(db.reader)
    assert (wish.below, wish.posts, wish.hits) == (266, 100, 10)
    await until_done(source, pipeline)
    assert await posts.count(db.reader) == 250
    assert (await told(db))[0].startswith("The backfill of “News” is done: 250 posts, 25 hits")


async def test_what_is_published_meanwhile_is_left_to_catch_up(
    dc, db, pipeline, source, watched, rail, quick
):
    dc.store(dc.channels[watched.id], "эшелон, новый")
    await ask(db, watched, 30)
    await until_done(source, pipeline)
    assert 366 not in await posts.ids_between(db.reader, watched.id, 0, 999)
    (ledger,) = await channels.watched(db.reader)
    assert (await ingest.catch_up(source, pipeline, ledger)).owed == 1


async def test_a_flood_wait_is_obeyed(dc, db, pipeline, source, watched, rail, quick):
    await ask(db, watched, 30)
    dc.fail("GetHistory", 420, "FLOOD_WAIT_1")
    await until_done(source, pipeline)
    first, second = dc.calls_of("GetHistory")[1:]
    assert second.at - first.at >= 1


async def test_a_channel_that_cannot_be_read_ends_it_with_the_reason(
    dc, db, pipeline, source, watched, rail, quick
):
    await ask(db, watched, 30)
    dc.fail("GetHistory", 400, "CHANNEL_PRIVATE")
    await until_done(source, pipeline)
    (text,) = await told(db)
    assert text.startswith("The backfill of “News” stopped: ")
    assert "private" in text
    assert await backfills.all(db.reader) == []


async def test_a_lost_connection_is_waited_for(db, pipeline, source, watched, rail, quick):
    await ask(db, watched, 30)
    client, source._client = source._client, None
    task = asyncio.create_task(keep_backfilling(source, pipeline))
    await asyncio.sleep(0.1)
    source._client = client
    await until_done(source, pipeline)
    task.cancel()
    await asyncio.wait([task])
    assert await posts.count(db.reader) == 30


async def test_a_channel_removed_meanwhile_ends_it(db, pipeline, source, watched, rail, quick):
    wish = await ask(db, watched, 30)
    async with db.transaction() as tx:
        await channels.remove(tx, watched.id, make.NOON)
        assert await backfills.finish(tx, wish, make.NOON) is None
    assert await backfills.wanted(db.reader) == []


async def test_it_is_asked_for_in_the_chat(program, dc, owner, news, monkeypatch):
    monkeypatch.setattr(backfill, "PAUSE", 0.5)
    for n in range(300):
        date = datetime.now(UTC) - timedelta(hours=300 - n, minutes=-30)
        dc.store(news, f"эшелон {n}" if n % 10 == 0 else "погода", date=date)
    async with program():
        await owner.send("/status")
        await owner.expect(text="Stored")
        await dc.wait_for(lambda: dc.online)
        for command, answer in (
            ("/backfill", "how far back?"),
            ("/backfill @news", "how far back?"),
            ("/backfill t.me/+x 3d", "Not read: that is an invite link"),
            ("/backfill @news 10d", "@news is not watched: /add it first"),
            ("/add @news", "is watched from now on"),
            ("/watch rail эшелон", "looks for"),
            ("/subscribe rail", "every hit at once"),
            ("/backfill @NEWS 10d", "I will say when it is done"),
            ("/backfill", "⏳ News (@news): being read back to"),
        ):
            said = await owner.send(command)
            await owner.expect(text=answer, after=said)
    async with program():  # it was interrupted
        done = await owner.expect(text="The backfill of “News” is done: ", timeout=20)
        said = await owner.send("/backfill")
        await owner.expect(text="✅ News (@news): read back to", after=said)
        said = await owner.send("/backfill @news 2d")
        await owner.expect(text="already", after=said)
        said = await owner.send("/digest")
        await owner.expect(text="Nothing that this chat was not told", after=said)
        said = await owner.send("/digest 10d")
        digest = await owner.expect(text="Digest", after=said)
    assert "240 posts, 24 hits" in done["text"]
    assert "24 posts" in digest["caption"]
    assert not [m for m in owner.messages if m.get("text", "").startswith("🔎")]
