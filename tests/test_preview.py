"""Does the web preview give what was published, whatever Telegram does to who asks?"""

import asyncio
import random
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from storage import channels, posts
from storage.model import Extra, Forward, Post
from tests import make
from tests.preview_server import Channel as Shown
from tests.preview_server import PreviewServer, feed
from watchers import ingest, preview_web, rhythm, sweeps
from watchers.ingest import ChannelRefused, Flooded, SourceLost, SourceState, catch_up, sweep_on
from watchers.preview import PreviewSource
from watchers.preview_page import PageKind, PreviewPost, parse_page
from watchers.preview_web import Pace, PreviewWeb, Turns
from watchers.references import Reference
from watchers.share import Share
from watchers.sweeps import Sweep
from watchers.telegram import Account, TelegramSource
from watchers.walks import Walk

QUICK = Pace(every=1e-6, least=0, retry=0, pauses=(0.01, 0.02, 0.03, 0.04, 0.05))
NEWS = Reference(username="news")


@pytest.fixture
async def server():
    async with PreviewServer() as server:
        yield server


@pytest.fixture
def news(server):
    return server.channel("news")


@pytest.fixture
async def source(server):
    source = PreviewSource(server.url, QUICK)
    async with source.connected():
        yield source


@pytest.fixture
async def watched(db, source, news):
    """Watched from its first post on."""
    news.post("before it was watched")
    channel, newest = await source.resolve(NEWS)
    async with db.transaction() as tx:
        await channels.add(tx, channel, newest, make.NOON)
    return channel


async def ledger(db):
    return (await channels.watched(db.reader))[0]


async def patiently(source, pipeline, *, tries=200):
    """Catch up as keep_complete does: after each flood again, with what was read in memory."""
    walk = Walk()
    for _ in range(tries):
        try:
            return await catch_up(source, pipeline, await ledger(pipeline.db), walk=walk)
        except (Flooded, SourceLost):
            continue
    raise AssertionError("it never came to an end")


async def read_again(source, pipeline):
    """One pass over older posts."""
    sweep = Sweep(number=15)
    while sweep.due(0) or sweep.below:
        await sweep_on(source, pipeline, await ledger(pipeline.db), sweep, now=0)


async def stored(db):
    rows = await db.reader.execute_fetchall(
        "SELECT message_id, text FROM posts WHERE deleted_at IS NULL ORDER BY message_id"
    )
    return [tuple(row) for row in rows]


def published(channel, above=1):
    """Albums are one post, with the caption of whichever message has one."""
    shown = {}
    for message in channel.messages.values():
        if message.id > above and not message.service:
            key = ("album", message.album) if message.album else message.id
            first, text = shown.get(key, (message.id, ""))
            shown[key] = first, text or message.text
    return sorted(shown.values())


# Through the local server.


async def test_a_channel_is_resolved_with_its_id_title_and_newest_message(source, news):
    news.post("a")
    news.post(service=True)
    channel, newest = await source.resolve(Reference(username="NEWS"))
    assert (channel.id, channel.username, channel.title) == (news.id, "news", "News")
    assert newest == 2


async def test_what_can_not_be_watched_without_an_account_says_why(server, source):
    server.channel("talk", extra="56 members", preview=False)
    server.channel("closed", preview=False)
    server.channel("alice", extra="@alice", preview=False)
    server.channel("void")
    for name, why in (
        ("nobody", "nobody has the name @nobody; check its spelling"),
        ("talk", "@talk is a group, .* only a Telegram account can read it"),
        ("closed", "@closed has no web preview, .* switched it off"),
        ("alice", "@alice is a person or a bot"),
        ("void", "shows no posts of @void: .* try again"),
    ):
        with pytest.raises(ChannelRefused, match=why):
            await source.resolve(Reference(username=name))
    with pytest.raises(ChannelRefused, match="found by its @name only"):
        await source.resolve(Reference(id=77))


async def test_hundreds_of_posts_are_caught_up(server, db, pipeline, source, news, watched):
    for number in range(300):
        if number % 7 == 0:
            news.album("", f"caption {number}", "", "")
        elif number % 11 == 0:
            news.post(service=True)
        else:
            news.post(f"post {number}\nsecond line 🔥")
    news.delete(*range(40, 60), *range(100, 117), 200, 330)
    await patiently(source, pipeline)
    assert await stored(db) == published(news)
    assert (await ledger(db)).cursor == news.last_id
    asked = len(server.asked)
    await catch_up(source, pipeline, await ledger(db), deep=False)
    assert len(server.asked) == asked + 1


async def test_it_is_the_same_on_the_same_bytes(db, pipeline, source, news, watched):
    news.post("a", forward=("Origin", "https://t.me/origin/7"))
    news.album("b", "")
    await catch_up(source, pipeline, await ledger(db))
    for deep in (True, False, True):
        counts = await catch_up(source, pipeline, await ledger(db), deep=deep)
        assert counts == ingest.Counts()
    versions = await db.reader.execute_fetchall("SELECT * FROM post_versions")
    assert list(versions) == []


async def test_the_two_sources_give_the_same_posts(dc, reader, db, server, pipeline, source):
    there = dc.add_channel("News", username="news", members=[reader])
    here = server.channel("news", id=there.id)
    dc.store(there, "before it was watched")
    here.post("before it was watched")
    telegram = TelegramSource(Account(1, "x" * 32, dc.session(reader)), db)
    async with telegram.connected():
        channel, newest = await source.resolve(NEWS)
        assert (channel, newest) == await telegram.resolve(NEWS)
        async with db.transaction() as tx:
            await channels.add(tx, channel, newest, make.NOON)
        for number in range(30):
            text = f"эшелон {number}\nстрока\n\n🔥 «{number}»  & <b>"
            dc.store(there, text, media=dc.document("план.pdf", b"x") if number % 3 == 0 else None)
            here.post(text, file="план.pdf" if number % 3 == 0 else None)
        await dc.album(there, "", "подпись", "", media=dc.photo(b"x"))
        here.album("", "подпись", "")
        for both in (source, telegram, source, telegram):
            await catch_up(both, pipeline, await ledger(db))
        assert await stored(db) == published(here)
        await dc.edit(there, 5, "поправка", silent=True)
        here.edit(5, "поправка")
        here.edit(6, "раньше видна здесь")
        for both in (telegram, source, source):
            await catch_up(both, pipeline, await ledger(db))
        await dc.edit(there, 6, "раньше видна здесь", silent=True)
        for both in (telegram, source, telegram, source):
            await catch_up(both, pipeline, await ledger(db))
    assert await stored(db) == published(here)
    rows = await db.reader.execute_fetchall("SELECT message_id, text FROM post_versions")
    assert sorted(id for id, _ in rows) == [5, 6]


async def test_gaps_longer_than_a_window_do_not_end_it(db, pipeline, source, news, watched):
    for number in range(200):
        news.post(f"post {number}")
    news.delete(*range(30, 120))
    await patiently(source, pipeline)
    assert await stored(db) == published(news)


async def test_the_end_of_history_is_reached(source, news):
    for number in range(30):
        news.post(f"post {number}")
    news.delete(1, 2, 3)
    channel, _ = await source.resolve(NEWS)
    top = await source.page(channel, None, 20)
    bottom = await source.page(channel, top.oldest, 20)
    assert (top.oldest, top.newest, bottom.oldest) == (11, 30, 4)
    assert (await source.page(channel, bottom.oldest, 20)).oldest is None
    assert (await source.page(channel, 1, 20)).oldest is None


@pytest.mark.parametrize("size", range(2, 11))
async def test_an_album_is_whole_wherever_a_page_is_cut(size, db, pipeline, source, news, watched):
    for number in range(70 // size):
        news.album(*[""] * (size - 1), f"caption {number}")
        news.post(f"between {number}")
    await catch_up(source, pipeline, await ledger(db))
    assert await stored(db) == published(news)
    rows = await db.reader.execute_fetchall(
        "SELECT count(DISTINCT message_id) FROM album_messages GROUP BY post_id"
    )
    assert {number for (number,) in rows} == {size}


async def test_edits_and_deletions_are_seen(db, pipeline, clock, source, news, watched):
    for number in range(60):
        news.post(f"post {number}")
    await catch_up(source, pipeline, await ledger(db))
    news.edit(30, "edited")
    news.edit(61, "edited, too")
    news.delete(12, 29, 60)
    await catch_up(source, pipeline, await ledger(db))
    await read_again(source, pipeline)
    clock.forward(minutes=5)
    news.edit(61, "edited again")
    await catch_up(source, pipeline, await ledger(db))
    assert await stored(db) == published(news)
    rows = await db.reader.execute_fetchall("SELECT text FROM post_versions WHERE message_id = 61")
    assert {text for (text,) in rows} == {"post 59", "edited, too"}


async def test_a_purge_is_marked_though_whole_pages_are_empty(db, pipeline, source, news, watched):
    for number in range(150):
        news.post(f"post {number}")
    await catch_up(source, pipeline, await ledger(db))
    news.delete(*range(60, 130))
    await read_again(source, pipeline)
    assert await stored(db) == published(news)


async def test_the_first_posts_of_a_channel_can_be_deleted_too(db, pipeline, source, news):
    for number in range(30):
        news.post(f"post {number}")
    channel, _ = await source.resolve(NEWS)
    async with db.transaction() as tx:
        await channels.add(tx, channel, 0, make.NOON)
    await catch_up(source, pipeline, await ledger(db))
    news.delete(1, 2)
    await read_again(source, pipeline)
    assert await stored(db) == published(news, above=0)


async def test_a_look_sees_what_became_of_all_that_its_page_shows(
    server, db, pipeline, source, news, watched
):
    for number in range(30):
        news.post(f"post {number}")
    await catch_up(source, pipeline, await ledger(db))
    news.edit(14, "edited")
    news.delete(15, 31)
    asked = len(server.asked)
    await catch_up(source, pipeline, await ledger(db), deep=False)
    assert await stored(db) == published(news)
    assert len(server.asked) - asked == 1


async def test_who_asks_knows_whether_a_channels_turn_has_come(server, news):
    news.post("a")
    source = PreviewSource(server.url, replace(QUICK, every=1000, burst=3))
    async with source.connected():
        channel, _ = await source.resolve(NEWS)
        assert [source.has_turn(channel, pages) for pages in (1, 2, 3)] == [True, True, False]
        await source.page(channel, None, 20)
        await source.page(channel, None, 20)
        assert not source.has_turn(channel)


@pytest.mark.parametrize("seed", range(6))
async def test_pages_without_posts_are_not_believed(
    seed, server, db, pipeline, source, news, watched
):
    for number in range(150):
        news.post(f"post {number}")
    news.delete(*range(60, 75))
    chance = random.Random(seed)
    server.fail("throttle", when=lambda request: chance.random() < 0.3)
    await patiently(source, pipeline)
    assert await stored(db) == published(news)


async def test_a_walk_that_was_broken_off_goes_on_and_skips_nothing_new(
    server, db, pipeline, source, news, watched
):
    for number in range(60):
        news.post(f"post {number}")
    server.fail("throttle", when=lambda request: int(request.query.get("before", 99)) < 30)
    walk = Walk()
    for _ in range(2):
        with pytest.raises(Flooded):
            await catch_up(source, pipeline, await ledger(db), walk=walk)
        for number in range(60):
            news.post(f"later {number}")
    server.heal()
    asked = len(server.asked)
    await catch_up(source, pipeline, await ledger(db), walk=walk)
    assert await stored(db) == published(news)
    assert len(server.asked) - asked == 6  # of 10


async def test_throttling_is_met_with_growing_pauses_then_counts_as_lost(
    server, source, news, watched
):
    server.fail("throttle")
    pauses = []
    for _ in QUICK.pauses:
        with pytest.raises(Flooded) as flood:
            await source.page(watched, None, 20)
        pauses.append(flood.value.seconds)
    assert tuple(pauses) == QUICK.pauses
    with pytest.raises(SourceLost, match="shows no posts at present"):
        await source.page(watched, None, 20)


async def test_one_channel_without_posts_does_not_hold_up_the_others(server, source, news, watched):
    other = server.channel("other")
    other.post("fine")
    fine, _ = await source.resolve(Reference(username="other"))
    server.fail("throttle", when=lambda request: request.match_info["name"] == "news")
    for _ in QUICK.pauses:
        with pytest.raises(Flooded):
            await source.page(watched, None, 20)
        assert (await source.page(fine, None, 20)).posts
    with pytest.raises(ChannelRefused, match="shows no posts of it, while it shows others"):
        await source.page(watched, None, 20)


async def test_too_many_requests_says_how_long_to_wait(server, source, news, watched):
    server.fail("status", 1, value=429)
    with pytest.raises(Flooded) as flood:
        await source.page(watched, None, 20)
    assert flood.value.seconds == 7


async def test_server_errors_pass(server, db, pipeline, source, news, watched):
    for number in range(50):
        news.post(f"post {number}")
    chance = random.Random(1)
    server.fail("status", when=lambda request: chance.random() < 0.3, value=502)
    await patiently(source, pipeline)
    assert await stored(db) == published(news)


async def test_a_dropped_connection_is_tried_once_more(server, db, pipeline, source, news, watched):
    for number in range(100):
        news.post(f"post {number}")
    server.fail("drop", when=lambda request: len(server.asked) % 4 == 0)
    await catch_up(source, pipeline, await ledger(db))
    assert await stored(db) == published(news)
    server.heal()
    server.fail("drop")
    with pytest.raises(SourceLost, match="can't be reached"):
        await source.page(watched, None, 20)


async def test_a_server_that_does_not_answer_counts_as_lost(server, news, monkeypatch):
    monkeypatch.setattr(preview_web, "ANSWER_WITHIN", 0.05)
    server.fail("slow", value=0.2)
    source = PreviewSource(server.url, QUICK)
    async with source.connected():
        with pytest.raises(SourceLost, match="can't be reached"):
            await source.resolve(NEWS)


async def test_a_preview_switched_off_later_is_the_channels_trouble(source, news, watched):
    news.preview = False
    with pytest.raises(ChannelRefused, match="has no web preview"):
        await source.page(watched, None, 20)
    news.preview = True
    assert (await source.page(watched, None, 20)).newest == 1


async def test_a_name_that_changed_hands_is_not_followed(source, news, watched):
    news.id = 4711
    with pytest.raises(ChannelRefused, match="@news belongs to somebody else now"):
        await source.page(watched, None, 20)


@pytest.mark.parametrize("shape", ["shape", "text_shape"])
async def test_a_changed_shape_is_told_and_never_taken_for_silence(
    shape, server, source, news, watched
):
    news.post("still here")
    server.fail(shape)
    for _ in range(2):
        with pytest.raises(ChannelRefused, match="a shape that this release does not know"):
            await source.page(watched, None, 20)
    with pytest.raises(SourceLost, match="a shape that this release does not know"):
        await source.page(watched, None, 20)


async def test_a_redirect_to_somewhere_else_is_an_unknown_shape(server, source, news, watched):
    server.fail("elsewhere", value="https://telegram.org/")
    with pytest.raises(ChannelRefused, match="a shape that this release does not know"):
        await source.page(watched, None, 20)


async def test_a_page_that_is_not_the_one_asked_for_is_not_believed(server, source, news, watched):
    for number in range(100):
        news.post(f"post {number}")
    server.fail("ignore_before")
    with pytest.raises(ChannelRefused, match="a shape that this release does not know"):
        await source.page(watched, 40, 20)


async def test_one_post_that_is_not_understood_is_left_out_alone(
    db, pipeline, source, news, watched, caplog
):
    for number in range(5):
        news.post(f"post {number}", no_time=number == 2)
    await catch_up(source, pipeline, await ledger(db))
    assert [id for id, _ in await stored(db)] == [2, 3, 5, 6]
    assert "1 posts of a preview page could not be understood" in caplog.text


async def test_pages_are_not_sent_again_and_the_connection_is_kept(news):
    async with PreviewServer(etags=True) as server:
        server.channels["news"] = news
        news.post("a")
        source = PreviewSource(server.url, QUICK)
        async with source.connected():
            channel, _ = await source.resolve(NEWS)
            pages = [await source.page(channel, None, 20) for _ in range(3)]
            assert server.not_modified == 3
            news.edit(1, "b")
            assert (await source.page(channel, None, 20)).posts[0].text == "b"
        assert [page.posts[0].text for page in pages] == ["a", "a", "a"]
        assert len(server.connections) == 1


async def test_another_host_is_asked_when_the_first_is_down(server, news, monkeypatch):
    news.post("a")
    monkeypatch.setitem(preview_web.FALL_BACKS, "http://127.0.0.1:9", (server.url,))
    source = PreviewSource("http://127.0.0.1:9", QUICK)
    async with source.connected():
        assert (await source.resolve(NEWS))[1] == 1
        assert source._web._in_order()[0] == server.url  # and goes on being asked
        source._web._since -= preview_web.DETOUR
        assert source._web._in_order()[0] == "http://127.0.0.1:9"
    assert preview_web.FALL_BACKS["https://t.me"] == ("https://telegram.me",)
    alone = PreviewSource("http://127.0.0.1:9", QUICK)
    alone._web._hosts.pop()
    async with alone.connected():
        with pytest.raises(SourceLost, match="can't be reached at http"):
            await alone.resolve(NEWS)


async def test_a_host_that_only_points_to_another_does_not_count(server, news, monkeypatch):
    news.post("a")
    async with PreviewServer() as signpost:
        signpost.fail("elsewhere", value=f"{server.url}/s/news")
        monkeypatch.setitem(preview_web.FALL_BACKS, signpost.url, (server.url,))
        source = PreviewSource(signpost.url, QUICK)
        async with source.connected():
            assert (await source.resolve(NEWS))[1] == 1


def test_a_path_is_asked_once_in_20_seconds_on_average_and_less_when_throttled():
    turns = Turns(Pace())
    assert [turns.wait("/s/a", 1000.0) for _ in range(8)] == [0] * 6 + [20, 40]
    assert turns.wait("/s/b", 1000.0) == 0
    assert turns.wait("/s/a", 1000.0 + 60) == 0
    turns.slow_down("/s/b")
    assert turns.wait("/s/b", 1000.0) == 40
    for _ in range(9):
        turns.relax("/s/b")
    assert turns.wait("/s/b", 1020.0) == pytest.approx(20)


async def test_requests_are_made_one_at_a_time_with_a_pause_between(server, news):
    web = PreviewWeb(server.url, replace(QUICK, least=0.05))
    news.post("a")
    async with web.open():
        started = asyncio.get_running_loop().time()
        await asyncio.gather(*(web.get("/s/news") for _ in range(4)))
        assert asyncio.get_running_loop().time() - started >= 0.15


async def test_nothing_can_be_asked_while_it_is_not_read(server):
    with pytest.raises(SourceLost, match="not being read at present"):
        await PreviewSource(server.url, QUICK).resolve(NEWS)


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


async def until(true, timeout=5):
    async with asyncio.timeout(timeout):
        while not true():
            await asyncio.sleep(0.005)


@pytest.fixture
def quick(monkeypatch):
    for module in (ingest, rhythm):
        monkeypatch.setattr(module, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(ingest, "BACK_OFF", (0.01,))


@pytest.mark.parametrize(
    ("fault", "why"), [("throttle", "shows no posts"), ("shape", "shape"), ("drop", "reached")]
)
async def test_owners_are_told_of_what_lasts_and_when_it_is_over(
    fault, why, server, db, pipeline, news, watched, quick
):
    server.fail(fault)
    async with supervised(PreviewSource(server.url, QUICK), pipeline) as (told, state):
        await until(lambda: any("Channels can't be read" in text and why in text for text in told))
        assert why in state.trouble
        server.heal()
        news.post("meanwhile")
        await until(lambda: told[-1] == "The connection to Telegram is back; catching up.")
        async with asyncio.timeout(5):
            while await posts.count(db.reader) < 1:
                await asyncio.sleep(0.005)
        assert state.trouble is None
    assert len([text for text in told if why in text and "Channels" in text]) == 1


async def test_what_was_read_of_a_long_way_down_outlives_a_lost_connection(
    server, db, pipeline, news, watched, quick
):
    for number in range(300):
        news.post(f"post {number}")
    server.fail("drop", when=lambda request: int(request.query.get("before", 999)) < 200)
    async with supervised(PreviewSource(server.url, QUICK), pipeline):
        await until(lambda: sum("before=1" in path for path in server.asked) > 8)
        walked = [path for path in server.asked if "before=2" in path]
        server.heal()
        async with asyncio.timeout(5):
            while await posts.count(db.reader) < 300:
                await asyncio.sleep(0.005)
    assert len(walked) >= 4
    assert len(walked) == len(set(walked))


async def test_many_channels_stay_complete_through_everything_at_once(
    server, db, pipeline, quick, monkeypatch
):
    """Throttling, errors, dropped connections, edits, deletions, albums, long gaps; one goes bad."""
    monkeypatch.setattr(sweeps, "EVERY", 0.1)
    monkeypatch.setattr(ingest, "TURN", 2)
    chance, server.retry_after = random.Random(11), "0"
    shown = [server.channel(f"chan_{n}", f"Channel {n}") for n in range(10)]
    async with db.transaction() as tx:
        for channel in shown:
            channel.post("before it was watched")
            await channels.add(
                tx, make.channel(channel.id, channel.name, channel.title), 1, make.NOON
            )
    bad = server.channel("chan_bad")
    async with db.transaction() as tx:
        await channels.add(tx, make.channel(bad.id, bad.name), 0, make.NOON)
    for kind, value in (("throttle", 0), ("status", 502), ("drop", 0), ("status", 429)):
        server.fail(kind, when=lambda request: chance.random() < 0.04, value=value)

    async with supervised(PreviewSource(server.url, QUICK), pipeline):
        for _ in range(8):
            for channel in shown:
                for _ in range(chance.randrange(8)):
                    if chance.random() < 0.2:
                        channel.album("", f"album {channel.last_id}", "", "")
                    else:
                        channel.post(f"post {channel.last_id}")
                late = [id for id in channel.messages if id > 1 and channel.last_id - 20 < id]
                for id in chance.sample(late, min(2, len(late))):
                    if channel.messages[id].album is None:
                        channel.edit(id, f"edited {chance.random()}")
                for id in chance.sample(late, min(1, len(late))):
                    if channel.messages[id].album is None:
                        channel.delete(id)
            channel.last_id += chance.choice((0, 0, 50))
            await asyncio.sleep(0.1)
        server.heal()
        expected = [post for channel in shown for post in published_in(channel)]
        for _ in range(1200):  # a page of each channel at a time; a busy machine needs its time
            if (there := await stored_of_all(db)) == expected:
                break
            await asyncio.sleep(0.05)
        assert there == expected


async def stored_of_all(db):
    rows = await db.reader.execute_fetchall(
        "SELECT channel_id, message_id, text FROM posts WHERE deleted_at IS NULL ORDER BY 1, 2"
    )
    return [tuple(row) for row in rows]


def published_in(channel):
    return [(channel.id, *post) for post in published(channel)]


# What a page says.


def only_post(message_of):
    channel = Shown("news", 1, "News")
    message_of(channel)
    (post,) = parse_page(feed(channel)).posts
    return post


CASES = {
    "lines, emoji, custom emoji, markup, spoilers": (
        'a <b>b</b><br/><br/><tg-emoji emoji-id="5"><i class="emoji"><b>🔥</b></i></tg-emoji>'
        "<tg-spoiler>c</tg-spoiler> &lt;d&gt;&nbsp;  e",
        "a b\n\n🔥c <d>\xa0  e",
        [],
    ),
    "quotes and code are on lines of their own": (
        "a<blockquote>q<br/>r</blockquote>b<pre>x\n  y</pre>c",
        "a\nq\nr\nb\nx\n  y\nc",
        [],
    ),
    "a line of markup is no line of text": ("a\n      b<br/>\n      c", "a b\nc", []),
    "links that say themselves": (
        '<a href="http://topwar.ru/">topwar.ru</a> <a href="https://t.me/ann">@ann</a> '
        '<a href="?q=%23tag">#tag</a> <a href="https://e.org/%D0%B0?b=1&amp;c">https://e.org/а?b=1&amp;c</a>'
        ' <a href="mailto:a@b.org">a@b.org</a>',
        "topwar.ru @ann #tag https://e.org/а?b=1&c a@b.org",
        [],
    ),
    "links behind words": (
        '<a href="https://e.org/x">тут</a> <a href="https://t.me/other">@ann</a>',
        "тут @ann",
        ["https://e.org/x", "https://t.me/other"],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_text_is_what_a_reader_sees(case):
    html, text, links = CASES[case]
    post = only_post(lambda channel: channel.post(html=html))
    assert post.text == text
    assert post.extras == tuple(Extra("link", link) for link in links)


def test_words_outside_of_the_text_are_kept_as_the_other_source_keeps_them():
    post = only_post(
        lambda channel: channel.post(
            "",
            poll=("Вопрос?", "Да", "Нет"),
            file="план.pdf",
            link_preview=("Заголовок", "Описание"),
            button=("Читать", "https://e.org/b"),
        )
    )
    assert post.extras == (
        Extra("poll", "Вопрос?"),
        Extra("poll", "Да"),
        Extra("poll", "Нет"),
        Extra("file", "план.pdf"),
        Extra("preview", "Заголовок"),
        Extra("preview", "Описание"),
        Extra("button", "Читать"),
        Extra("button", "https://e.org/b"),
    )


def test_what_is_replied_to_and_who_signed_are_left_out():
    post = only_post(
        lambda channel: channel.post("мой", reply="чужой текст", signature="edited by Ann")
    )
    assert (post.text, post.edited) == ("мой", False)
    assert "чужой" not in repr(post)
    assert "Ann" not in repr(post)


def test_a_forward_keeps_its_channel_and_no_person():
    def of(name, link):
        return only_post(lambda channel: channel.post("a", forward=(name, link))).forward

    assert of("Origin", "https://t.me/origin/77") == Forward(None, None, 77, "Origin")
    assert of("Secret Person", "https://t.me/person") == Forward(None)
    assert of("Secret Person", None) == Forward(None)


def test_a_post_that_the_preview_can_not_show_is_noted():
    unsupported = '<div class="message_media_not_supported">Please open Telegram</div>'
    post = only_post(
        lambda channel: channel.post(media=f'<div class="message_media_wrap">{unsupported}</div>')
    )
    assert (post.text, post.unsupported) == ("", True)


@pytest.mark.parametrize(
    ("shown", "number"),
    [("746", 746), ("1.2K", 1200), ("37.2K", 37200), ("1.05M", 1_050_000), ("?", None)],
)
def test_views_are_numbers(shown, number):
    assert only_post(lambda channel: channel.post("a", views=shown)).views == number


def test_pages_are_told_apart():
    channel = Shown("news", 77, "News")
    channel.post(service=True)
    page = parse_page(feed(channel))
    assert (page.kind, page.channel_id, page.posts, page.ids) == (PageKind.FEED, 77, (), {1})
    assert parse_page(feed(channel, empty=True)).kind is PageKind.EMPTY
    assert parse_page(feed(Shown("news", 77, "News"))).kind is PageKind.EMPTY
    for nothing_known in (
        "",
        "<html><body>Hello</body></html>",
        '{"ok": false}',
        '<section class="js-message_history"><article>news in a new shape</article></section>',
        '<div class="tgme_widget_message" data-post="news">no number</div>',
    ):
        assert parse_page(nothing_known).kind is PageKind.UNKNOWN


# Real pages, saved in 2023 by somebody else and indented since.

REAL = Path(__file__).parent.parent.parent / "shared" / "data" / "preview"

VO = "Военное обозрение"
PAGE = [  # read from channel_page.html: id, time on 2023-02-28, views, text, the rest
    (
        70989,
        "07:47:53",
        37200,
        "В Санкт-Петербурге в небо над городом подняли истребители из-за неизвестного объекта в "
        "воздухе, аэропорт Пулково не принимает самолеты, сообщает Baza.\nСудя по сервису "
        "Flightradar, гражданские самолеты не приближаются к Санкт-Петербургу.",
        {},
    ),
    (
        70990,
        "08:09:50",
        34500,
        "Власти Петербурга подтвердили, что аэропорт Пулково временно не принимает самолеты.",
        {},
    ),
    (
        70992,
        "08:51:58",
        33800,
        "Сегодня ночью в Республике Адыгея упал неизвестный летательный аппарат, обломки "
        "реактивного двигателя от которого опубликовал глава региона. Предположительно, обломки "
        "принадлежат украинскому БПЛА Ту-141 или Ту-143.",
        {"album": (70992, 70993, 70994)},
    ),
    (
        70995,
        "08:54:50",
        33600,
        'План "Ковер" отменен, небо над Санкт-Петербургом открывают, сообщает источник РЕН ТВ.',
        {},
    ),
    (
        70996,
        "09:06:02",
        32900,
        "Информация о том, что подразделения ЧВК «Вагнер» подошли к самолетику в Бахмуте на "
        "расстояние 180 метров, пока не соответствует действительности. Музыканты уже близко, но "
        "не настолько.\n\nКроме этого, в треугольнике между улицами Корсунского и Чайковского "
        "украинскими военнослужащими был создан мощный район обороны с многочисленными дотами в "
        "жилых домах, на этажах которых дополнительно располагаются снайперские группы, расчеты "
        "ПТРК и гранатометчики. Прилегающая территория 99,9% заминирована.\n\nНо бойцы ЧВК "
        "«Вагнер» продолжают наступление, а это значит, что рано или поздно я обязательно сниму "
        "их на фоне стелы с МиГ-17.\n\n@yaremshooter",
        {
            "forward": Forward(None, None, 1066, "Военкор Ярем"),
            "extras": (
                Extra("link", "https://t.me/infantmilitario/93419"),
                Extra("preview", "Милитарист"),
                Extra(
                    "preview",
                    "Сообщают, что стелу с истребителем МиГ-17ПФ в центре Бахмута и передовые "
                    "подразделения ЧВК «Вагнера» разделяют 180 метров",
                ),
            ),
        },
    ),
    (
        70997,
        "10:00:03",
        30300,
        "Минобороны России сообщило, что дежурными силами Западной зоны ответственности за ПВО "
        "проведена тренировка по взаимодействию с гражданскими органами управления воздушным "
        "движением.\n\nОтработаны вопросы обнаружения, перехвата и идентификации предполагаемой "
        "цели нарушителя, а также взаимодействия с экстренными службами. Были задействованы "
        "истребители из состава дежурных сил ПВО.",
        {},
    ),
    (
        70998,
        "10:29:08",
        29000,
        "Новые ракетные корабли ВМФ РФ с Калибрами вышли на учения в Балтийское море\n\nМалые "
        'ракетные корабли проектов 22800 "Каракурт" и 21631 "Буян-М", которые оснащены '
        'боекомплектами крылатых ракет "Калибр", вышли на учения в Балтийское море, сообщили в '
        'пресс-службе Западного военного округа.\n\n"Ракетные корабли и катера Балтийской '
        "военно-морской базы Балтийского флота вышли в море для проведения учений. В манёврах "
        'принимают участие малые ракетные корабли "Одинцово", "Зелёный Дол", "Советск", ракетный '
        'катер "Димитровград", — уточнили в пресс-службе.\n\nВ рамках учений экипажам кораблей '
        "предстоит выполнить ряд задач по противокорабельной и противовоздушной обороне, а также "
        "разыграть учебный бой с ударными группировками условного противника. Помимо электронных "
        "ракетных пусков перед ними поставили задачу произвести реальные боевые упражнения "
        "комплексами постановки пассивных помех для уклонения от противокорабельных ракет "
        "противника.",
        {"forward": Forward(None, None, 34301, "БелВПО")},
    ),
    (
        70999,
        "10:43:08",
        28700,
        "Ночью ВСУ предприняли попытку применения беспилотников в Краснодарском крае и Адыгее, "
        "подразделениями радиоэлектронной борьбы БПЛА были подавлены — Минобороны РФ",
        {},
    ),
    (
        71000,
        "10:52:36",
        28700,
        "Последствия ночного удара БПЛА-камикадзе ВСУ по нефтебазе в Туапсе сегодня ночью.",
        {"album": (71000, 71001, 71002, 71003, 71004, 71005)},
    ),
    (
        71006,
        "12:48:58",
        17200,
        "Кратко по фронту Сватово-Кременная, район Макеевка-балка Журавка. Вчера штурмовой отряд "
        "«Чёрная Мамба» 3 мсд при поддержке артиллерии и танков,после тяжёлого боя выбил хохла с "
        "очень важной высоты. Обороняющие высоту хохлы не успели сдаться в плен и умерли.",
        {"forward": Forward(None, None, 10899, "Старше Эдды")},
    ),
    (
        71007,
        "13:02:00",
        16800,
        "Путин – о приоритетах ФСБ в 2023 году: Прежде всего, необходимо продолжить оказывать "
        "содействие Вооруженным силам и Росгвардии в решении задач специальной военной операции, "
        "в том числе по контрразведывательному обеспечению воинских формирований, быстрому обмену "
        "оперативно значимой информацией. \nПредстоит уделить повышенное внимание становлению "
        "органов безопасности в ДНР, ЛНР, Запорожской и Херсонской областях. Надо укреплять их "
        "оперативный и кадровый потенциал, оснащать самой современной техникой. Обязательно надо "
        "работать с людьми и помогать им в сложных ситуациях. Доверие жителей Донбасса и "
        "Новороссии – это наша, ваша надежная, самая главная опора.\nПод особым контролем "
        "пограничной службы ФСБ должен находиться российско-украинский участок государственной "
        "границы. Сейчас там развернута группировка, в которую входят подразделения пограничных "
        "органов, авиации ФСБ, вооруженных сил и Росгвардии. Ваша задача - поставить заслон на "
        "пути диверсионных групп, пресекать попытки незаконного провоза на территорию России "
        "оружия и боеприпасов.\nНеобходимо в целом усилить линию контрразведки, ведь западные "
        "спецслужбы традиционно, всегда активно работали против России, а сейчас они бросили "
        "против нас дополнительные кадровые, технические и прочие ресурсы. Нам нужно "
        "соответствующим образом на это реагировать.",
        {"forward": Forward(None, None, 44655, "Пул N3")},
    ),
    (
        71008,
        "13:14:03",
        14900,
        "Подземные тоннели для укрытия и скрытого перемещения иранских средств ПВО были "
        "продемонстрированы в ходе начавшихся учений иранской ПВО Modafean-e-Aseman-e-Velayat "
        "1401.",
        {"forward": Forward(None, None, 4580, "ImpNavigator")},
    ),
]

real = pytest.mark.skipif(not REAL.is_dir(), reason="the saved pages are not part of this")


@real
def test_a_real_page_is_read_whole():
    page = parse_page((REAL / "channel_page.html").read_text())
    assert (page.kind, page.channel_id, page.username, page.title, page.more, page.unread) == (
        PageKind.FEED,
        1084368520,
        "topwar_official",
        VO,
        True,
        0,
    )
    assert page.ids == set(range(70989, 71009)) - {70991}
    assert [post.to_post(1084368520) for post in page.posts] == [
        Post(
            1084368520,
            id,
            datetime.fromisoformat(f"2023-02-28T{time}+00:00"),
            text,
            views=views,
            **rest,
        )
        for id, time, views, text, rest in PAGE
    ]


MESSAGES = {  # what each saved message holds: id, time, views, start and end of its text, the rest
    "text": (70991, "2023-02-28T08:48:01", 33400, "Неопознанный", "на параде».", {}),
    "poll": (
        488,
        "2023-02-27T16:21:02",
        1100,
        "",
        "",
        {
            "extras": (
                Extra("poll", "Как лучше?"),
                Extra("poll", "Несколько постов в день"),
                Extra("poll", "Один пост в несколько дней"),
                Extra("poll", "Свой вариант в комментарии"),
            )
        },
    ),
    "media_file": (
        16936,
        "2022-08-03T19:31:10",
        171900,
        "Центр изучения",
        "на фоне СВО»",
        {
            "forward": Forward(None, None, 20294, "Кремлёвская прачка"),
            "extras": (Extra("file", "Оппозиционные медиапроекты.pdf"),),
        },
    ),
    "media_forwarded_from": (
        22358,
        "2023-02-27T07:20:50",
        214400,
        "Британская разведка",
        "дочку в свет",
        {"forward": Forward(None, None, 44604, "Пул N3")},
    ),
    "media_photo_and_video": (
        46908,
        "2023-02-28T06:48:36",
        59500,
        "Ночью над Белгородом",
        "#Белгород #Беспилотники\n\n@anna_news",
        {"album": (46908, 46909, 46910)},
    ),
    "media_round_video": (3495, "2023-03-01T09:35:31", 54200, "", "", {"unsupported": True}),
    "sticker": (5, "2023-03-01T08:01:50", 1, "", "", {"unsupported": True}),
    "voice": (
        939,
        "2018-04-24T15:28:46",
        746,
        "Обсудили:\n\n- Сталина",
        "@kakberadiobot",
        {"forward": Forward(None)},
    ),
    "with_from_author": (4, "2023-02-28T16:38:34", 1, "test", "test", {}),
    "link_preview_video": (
        11226,
        "2023-03-01T07:37:02",
        69400,
        "Жениться вам, барин, пора! 😁\n\n",
        "https://t.me/shalnyak/5410",
        {
            "edited": True,
            "extras": (
                Extra("preview", "Shalnyak"),
                Extra(
                    "preview",
                    "Дядь @fighter_bomber глянь!!!\nУ меня такааая разработка🔥\n"
                    "Для чего пока не знаю, но жути наводит пздц как🤓",
                ),
            ),
        },
    ),
}


@real
@pytest.mark.parametrize("name", MESSAGES)
def test_a_real_message_is_read(name):
    id, time, views, start, end, rest = MESSAGES[name]
    (post,) = parse_page((REAL / f"message_{name}.html").read_text()).posts
    assert post.text.startswith(start)
    assert post.text.endswith(end)
    at = datetime.fromisoformat(f"{time}+00:00")
    assert post == PreviewPost(id, at, post.text, views=views, **rest)
    assert bool(post.text) == bool(start)
