"""Does every watched channel stay complete, whatever the source does? With a real server."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from storage import channels, gaps, posts, watchlists
from storage.model import Term
from tests import make
from tests.telegram_media import UnknownMedia
from watchers import errands, ingest, rhythm
from watchers.ingest import SourceState, catch_up
from watchers.pipeline import Counts
from watchers.references import Reference
from watchers.share import Share
from watchers.sweeps import Sweep
from watchers.telegram import Account, TelegramSource
from watchers.walks import Walk


@pytest.fixture
def news(dc, reader):
    return dc.add_channel("News", username="news", members=[reader])


@pytest.fixture
def source(dc, reader, db):
    return TelegramSource(Account(1, "x" * 32, dc.session(reader)), db)


@pytest.fixture
async def watched(dc, db, source, news):
    """The channel is watched from its newest post on; the source is connected."""
    dc.store(news, "before it was watched")
    async with source.connected():
        channel, newest = await source.resolve(Reference(username="news"))
        async with db.transaction() as tx:
            await channels.add(tx, channel, newest, make.NOON)
        yield channel


async def ledger(db):
    return (await channels.watched(db.reader))[0]


async def ids(db):
    rows = await db.reader.execute_fetchall("SELECT message_id FROM posts ORDER BY message_id")
    return [id for (id,) in rows]


async def test_catch_up_reads_down_to_the_cursor_and_moves_it(
    dc, db, pipeline, source, news, watched
):
    for number in range(250):
        dc.store(news, f"post {number}")
    counts = await catch_up(source, pipeline, await ledger(db))
    assert counts == Counts(posts=250)
    assert await ids(db) == list(range(2, 252))
    assert (await ledger(db)).cursor == 251
    assert await catch_up(source, pipeline, await ledger(db)) == Counts()


async def test_what_was_published_before_it_was_watched_is_left_out(
    dc, db, pipeline, source, watched
):
    await catch_up(source, pipeline, await ledger(db))
    assert await ids(db) == []


async def test_gaps_in_the_ids_and_posts_that_are_none_do_not_end_it(
    dc, db, pipeline, source, news, watched
):
    dc.store(news, "first")
    news.last_id += 500
    for number in range(120):
        dc.store(news, f"{number}")
    await catch_up(source, pipeline, await ledger(db), deep=False)
    assert len(await ids(db)) == 121


async def test_live_posts_do_not_move_the_cursor(dc, db, pipeline, source, news, watched):
    following = asyncio.create_task(ingest.follow(source, pipeline))
    await dc.post(news, "live")
    while not await ids(db):
        await asyncio.sleep(0.01)
    following.cancel()
    assert (await ledger(db)).cursor == 1


async def test_a_deep_look_sees_edits_that_were_not_pushed(dc, db, pipeline, source, news, watched):
    post = dc.store(news, "old text")
    await catch_up(source, pipeline, await ledger(db))
    await dc.edit(news, post.id, "new text", silent=True)
    await catch_up(source, pipeline, await ledger(db), deep=False)
    await catch_up(source, pipeline, await ledger(db), deep=True)
    ((text,),) = await db.reader.execute_fetchall("SELECT text FROM posts")
    assert text == "new text"


async def test_interrupted_anywhere_it_starts_again_from_the_cursor(
    dc, db, pipeline, source, news, watched
):
    for number in range(250):
        dc.store(news, f"post {number}")
    dc.fail("GetHistory", 420, "FLOOD_WAIT_9", when=lambda request: request.offset_id)
    with pytest.raises(ingest.Flooded):
        await catch_up(source, pipeline, await ledger(db))
    assert (await ledger(db)).cursor == 1  # the newest page is stored, what is below is missing
    assert len(await ids(db)) == 100
    dc.heal()
    source._client._flood_waited_requests.clear()
    await catch_up(source, pipeline, await ledger(db))
    assert len(await ids(db)) == 250


async def test_a_long_way_down_is_read_in_slices_and_nothing_is_skipped(
    dc, db, pipeline, source, news, watched
):
    for number in range(250):
        dc.store(news, f"post {number}")
    walk = Walk()
    await catch_up(source, pipeline, await ledger(db), walk=walk, patient=lambda: False)
    assert (await ids(db), walk.unfinished) == (list(range(152, 252)), True)
    for number in range(150):
        dc.store(news, f"later {number}")
    await catch_up(source, pipeline, await ledger(db), walk=walk, patient=lambda: False)
    assert walk.read == [(152, 251), (302, 401)]
    slices = 0
    while walk.unfinished:
        assert (await ledger(db)).cursor in (1, 251)
        await ingest.walk_on(source, pipeline, await ledger(db), walk, lambda: False)
        slices += 1
    assert slices == 3
    assert await ids(db) == list(range(2, 402))
    assert (await ledger(db)).cursor == 401
    assert (await ledger(db)).repaired == 0  # a backlog is no gap


async def test_one_channels_backlog_does_not_hold_up_the_others(
    dc, reader, db, pipeline, source, news, quick, monkeypatch
):
    monkeypatch.setattr(ingest, "SLICE", 0)
    others = [dc.add_channel(f"C{n}", username=f"chan_{n}") for n in range(3)]
    await watch(db, *others, news)
    await meet(db, reader, *others, news)
    for number in range(1500):
        dc.store(news, f"post {number}")
    for channel in others:
        dc.store(channel, "fresh")
    async with supervised(source, pipeline):
        await stored(db, 1503)
    asked = [call.request.peer.channel_id for call in dc.calls_of("GetHistory")]
    assert set(asked[:4]) == {news.id, *(channel.id for channel in others)}
    last = len(asked) - asked[::-1].index(news.id)
    assert sum(id != news.id for id in asked[4:last]) >= 5


async def test_what_became_of_older_posts_is_noticed_in_the_end(
    dc, db, pipeline, clock, source, news, watched
):
    for number in range(450):
        message = dc.store(news, f"post {number}")
        message.date = clock.now
    await catch_up(source, pipeline, await ledger(db))
    await dc.edit(news, 40, "edited", silent=True)
    await dc.delete(news, [50, 260, 261])
    await catch_up(source, pipeline, await ledger(db))
    sweep = Sweep()
    for _ in range(20):
        await ingest.sweep_on(source, pipeline, await ledger(db), sweep, now=0)
    there = await posts.ids_between(db.reader, watched.id, 0, 999)
    assert there == set(range(2, 452)) - {50, 260, 261}
    ((text,),) = await db.reader.execute_fetchall("SELECT text FROM posts WHERE message_id = 40")
    assert text == "edited"


async def test_a_week_back_is_far_enough(dc, db, pipeline, clock, source, news, watched):
    for number in range(300):
        dc.store(news, f"post {number}").date = clock.now
    await catch_up(source, pipeline, await ledger(db))
    clock.forward(days=8)
    for number in range(10):
        dc.store(news, f"later {number}").date = clock.now
    await catch_up(source, pipeline, await ledger(db))
    sweep = Sweep(number=7)
    await ingest.sweep_on(source, pipeline, await ledger(db), sweep, now=0)
    assert (sweep.floor, sweep.below) == (301, None)


@asynccontextmanager
async def supervised(source, pipeline):
    told, state = [], SourceState()

    async def tell(text):
        told.append(text)

    task = asyncio.create_task(ingest.supervise(source, pipeline, tell, state, Share()))
    try:
        yield told, state
    finally:
        task.cancel()
        await asyncio.wait([task])
        assert task.cancelled()


@pytest.fixture
def quick(monkeypatch):
    monkeypatch.setattr(ingest, "LOOK_EVERY", 0.02)
    monkeypatch.setattr(rhythm, "LOOK_EVERY", 0.02)
    monkeypatch.setattr(ingest, "BACK_OFF", (0.02,))
    for name in ("EVERY", "PAUSE"):
        monkeypatch.setattr(errands, name, 0.02)


async def watch(db, *chosen):
    async with db.transaction() as tx:
        for channel in chosen:
            await channels.add(
                tx, make.channel(channel.id, channel.username, channel.title), 0, make.NOON
            )


async def meet(db, account, *chosen):
    """The account needs no name looked up."""
    async with db.transaction() as tx:
        for channel in chosen:
            known = channel.access_hash_for(account)
            await channels.keep_access_hash(tx, account, channel.id, known)


async def stored(db, number):
    async with asyncio.timeout(10):
        while await posts.count(db.reader) < number:
            await asyncio.sleep(0.01)


async def test_one_channel_in_trouble_does_not_stop_another(dc, db, pipeline, source, news, quick):
    hidden = dc.add_channel("Hidden", username="hidden_one")
    await watch(db, hidden, news)
    await dc.make_private(hidden)
    dc.store(news, "still read")
    async with supervised(source, pipeline) as (told, _):
        await stored(db, 1)
        async with asyncio.timeout(5):
            while not told:
                await asyncio.sleep(0.01)
        dc.store(news, "and on")
        await stored(db, 2)
    assert len(told) == 1
    assert told[0].startswith("Hidden can't be read: ")


async def test_a_flood_wait_is_obeyed_and_then_it_goes_on(dc, db, pipeline, source, news, quick):
    await watch(db, news)
    dc.store(news, "in time")
    dc.fail("GetHistory", 420, "FLOOD_WAIT_1")
    async with supervised(source, pipeline):
        await stored(db, 1)
    first, second = dc.calls_of("GetHistory")[:2]
    assert second.at - first.at >= 1


async def test_a_lost_connection_is_told_when_it_lasts_and_when_it_is_back(
    dc, db, pipeline, source, news, quick
):
    await watch(db, news)
    port = dc.port
    await dc.stop()
    async with supervised(source, pipeline) as (told, state):
        async with asyncio.timeout(10):
            while not told:
                await asyncio.sleep(0.01)
            assert "connection to Telegram failed" in told[0]
            assert state.trouble
            await dc.start(port)
            dc.store(news, "meanwhile")
            await stored(db, 1)
        assert told[1:] == ["The connection to Telegram is back; catching up."]
        assert state.trouble is None


async def test_a_push_that_says_too_long_is_looked_at_first(
    dc, reader, db, pipeline, source, news, quick
):
    others = [dc.add_channel(f"C{n}", username=f"chan_{n}") for n in range(5)]
    await watch(db, *others, news)
    await meet(db, reader, *others, news)
    async with supervised(source, pipeline):
        await dc.wait_for(lambda: len(dc.calls_of("GetHistory")) > 6)
        source._hints[news.id] = None
        source._hints[12345] = None  # not watched
        before = len(dc.calls_of("GetHistory"))
        await dc.wait_for(lambda: len(dc.calls_of("GetHistory")) > before + 1)
        asked = [call.request.peer.channel_id for call in dc.calls_of("GetHistory")[before:]]
    assert news.id in asked[:2]


async def test_a_term_added_while_posts_come_in_misses_none_of_them(db, pipeline, clock):
    """The matcher is compiled outside of the transaction, and yet never older than the term."""
    async with db.transaction() as tx:
        await channels.add(tx, make.channel(1), 0, make.NOON)
        await watchlists.create(tx, make.watchlist(), make.NOON)

    compiling, go_on = asyncio.Event(), asyncio.Event()
    renewed = pipeline._renewed

    async def slow():
        pair = await renewed()
        compiling.set()
        await go_on.wait()
        return pair

    pipeline._renewed = slow
    taking = asyncio.create_task(pipeline.take([make.post("эшелон")]))
    await compiling.wait()
    async with db.transaction() as tx:
        await watchlists.add_term(tx, 1, Term(0, "эшелон"), make.NOON)
    await renewed()  # another task, with posts of its own, has the new term already
    go_on.set()
    assert (await taking).hits == 1


async def test_posts_of_channels_that_are_not_watched_are_dropped(db, pipeline):
    assert await pipeline.take([make.post("эшелон")]) == Counts()


async def test_an_album_is_one_post_over_live_and_pages_cut_anywhere(
    dc, db, pipeline, source, news, watched
):
    following = asyncio.create_task(ingest.follow(source, pipeline))
    await dc.album(news, "", "эшелон в альбоме", "", media=dc.photo(b"x"))
    await dc.post(news, "потом")
    await stored(db, 2)
    following.cancel()
    await catch_up(source, pipeline, await ledger(db))
    for size in range(1, 6):
        await source.page(watched, None, size)
    rows = await db.reader.execute_fetchall("SELECT message_id, text FROM posts ORDER BY 1")
    assert [tuple(row) for row in rows] == [(2, "эшелон в альбоме"), (5, "потом")]


async def test_deletions_are_noticed_live_and_by_looking(dc, db, pipeline, source, news, watched):
    for number in range(6):
        dc.store(news, f"post {number}")
    await catch_up(source, pipeline, await ledger(db))
    following = asyncio.create_task(ingest.follow(source, pipeline))
    await dc.delete(news, [3])
    async with asyncio.timeout(5):
        while 3 in await posts.ids_between(db.reader, watched.id, 0, 99):
            await asyncio.sleep(0.01)
    following.cancel()
    dc.drop_updates = 1
    await dc.delete(news, [5, 7])  # the newest one among them
    await catch_up(source, pipeline, await ledger(db))
    assert await posts.ids_between(db.reader, watched.id, 0, 99) == {2, 4, 6}
    assert await posts.count(db.reader) == 6


async def test_a_post_of_an_unknown_type_is_set_aside_alone(
    dc, db, pipeline, source, news, watched
):
    for number in range(30):
        media = UnknownMedia() if number in (3, 17, 18, 29) else None
        dc.store(news, f"post {number}", media=media)
    await catch_up(source, pipeline, await ledger(db))
    bad = {5, 19, 20, 31}
    assert set(await ids(db)) == set(range(2, 32)) - bad
    assert (await ledger(db)).cursor == 31
    asked = len(dc.calls_of("GetHistory"))
    await catch_up(source, pipeline, await ledger(db))
    assert len(dc.calls_of("GetHistory")) - asked <= 8  # it remembers which
    dc.store(news, "after")
    await catch_up(source, pipeline, await ledger(db), deep=False)
    assert 32 in await ids(db)


async def test_what_is_published_while_a_post_is_set_aside_is_not_set_aside(
    dc, db, pipeline, source, news, watched, monkeypatch
):
    dc.store(news, "from the future", media=UnknownMedia())
    history, late = source._history, ["one", "two", "three"]

    async def amid_news(*asked, skip=0, **more):
        if skip == 1:
            while late:
                dc.store(news, late.pop())
        return await history(*asked, skip=skip, **more)

    monkeypatch.setattr(source, "_history", amid_news)
    await catch_up(source, pipeline, await ledger(db))
    await catch_up(source, pipeline, await ledger(db))
    assert await ids(db) == [3, 4, 5]
    assert await gaps.of(db.reader, watched.id) == {2}


async def test_what_is_deleted_above_and_below_a_post_that_was_set_aside_is_noticed(
    dc, db, pipeline, source, news, watched
):
    for number in range(10):
        dc.store(news, f"post {number}", media=UnknownMedia() if number == 4 else None)
    await catch_up(source, pipeline, await ledger(db))
    await dc.delete(news, [3, 9])
    await catch_up(source, pipeline, await ledger(db))
    assert await posts.ids_between(db.reader, watched.id, 7, 99) == {7, 8, 10, 11}
    await ingest.sweep_on(source, pipeline, await ledger(db), Sweep(), now=0)
    await dc.delete(news, [7, 8, 10, 11])
    sweep = Sweep(number=1)
    while sweep.due(0):
        await ingest.sweep_on(source, pipeline, await ledger(db), sweep, now=0)
    assert await posts.ids_between(db.reader, watched.id, 0, 99) == {2, 4, 5}


async def test_what_push_left_out_counts_as_a_repaired_gap(dc, db, pipeline, source, news, watched):
    following = asyncio.create_task(ingest.follow(source, pipeline))
    await dc.post(news, "one")
    await stored(db, 1)
    dc.store(news, "never pushed")
    await asyncio.sleep(0)
    await pipeline.take([make.post("five", channel_id=watched.id, message_id=4)])
    dc.store(news, "five")
    await catch_up(source, pipeline, await ledger(db))
    following.cancel()
    assert (await ledger(db)).repaired == 1
