"""Does the web preview fill in for what an account does not show? Both real, against two servers."""

import asyncio
import logging
import random
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from storage import channels, posts, subscriptions, watchlists
from storage.model import Subscription, Term
from tests import make
from tests.preview_server import START, PreviewServer
from tests.telegram_media import UnknownMedia
from watchers import errands, ingest, rhythm, second, share
from watchers.ingest import catch_up
from watchers.preview import PreviewSource
from watchers.preview_web import Pace
from watchers.share import Share
from watchers.sources import Member, Sources
from watchers.telegram import Account, TelegramSource

QUICK = Pace(every=1e-6, least=0, retry=0, pauses=(0.01, 0.02, 0.03, 0.04, 0.05))
CHAT = 7


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    for module in (ingest, rhythm):
        monkeypatch.setattr(module, "LOOK_EVERY", 0.02)
    monkeypatch.setattr(ingest, "BACK_OFF", (0.02,))
    for name in ("EVERY", "PAUSE"):
        monkeypatch.setattr(errands, name, 0.02)
    monkeypatch.setattr(second, "EVERY", 0.02)
    monkeypatch.setattr(second, "AGAIN", 0.1)


@pytest.fixture
async def server():
    async with PreviewServer() as server:
        yield server


class Both:
    """One channel as both servers show it."""

    def __init__(self, dc, server, name="news"):
        self.dc = dc
        self.there = dc.add_channel("News", username=name)
        self.here = server.channel(name, id=self.there.id)

    def post(self, text, **fields):
        self.here.post(text)
        return self.dc.store(self.there, text, **fields).id

    def only_in_preview(self, text):
        self.there.last_id += 1
        return self.here.post(text).id

    def only_with_account(self, text):
        self.here.last_id += 1
        return self.dc.store(self.there, text).id


@pytest.fixture
async def news(dc, reader, server, db):
    """Watched from its first post on, known to the account; «эшелон» is an alert."""
    both = Both(dc, server)
    both.post("before it was watched")
    async with db.transaction() as tx:
        await channels.add(tx, make.channel(both.there.id, "news", "News"), 1, make.NOON)
        known = both.there.access_hash_for(reader)
        await channels.keep_access_hash(tx, reader, both.there.id, known)
        await watchlists.create(tx, make.watchlist(), make.NOON)
        await watchlists.add_term(tx, 1, Term(0, "эшелон"), make.NOON)
        await subscriptions.put(tx, Subscription(1, CHAT), make.NOON)
    return both


@pytest.fixture
def account(dc, reader, db):
    return TelegramSource(Account(1, "x" * 32, dc.session(reader)), db)


@pytest.fixture
async def preview(server):
    source = PreviewSource(server.url, QUICK)
    async with source.connected():
        yield source


@asynccontextmanager
async def running(dc, reader, server, db, pipeline):
    """All sources at work, as in the program; what the owners are told."""
    told = []

    async def tell(text):
        told.append(text)

    account = TelegramSource(Account(1, "x" * 32, dc.session(reader)), db)
    sources = Sources([Member(account), Member(PreviewSource(server.url, QUICK), rank=1)])
    async with asyncio.TaskGroup() as tasks:
        work = sources.start(tasks, pipeline, tell)
        try:
            yield told
        finally:
            for task in work:
                task.cancel()


@pytest.fixture
def all_at_work(dc, reader, server, db, pipeline):
    return lambda: running(dc, reader, server, db, pipeline)


async def ids(db):
    rows = await db.reader.execute_fetchall("SELECT message_id FROM posts ORDER BY message_id")
    return [id for (id,) in rows]


async def ledger(db):
    return (await channels.watched(db.reader))[0]


async def alerts(db):
    rows = await db.reader.execute_fetchall(
        "SELECT message_id FROM outbox_hits ORDER BY message_id"
    )
    return [id for (id,) in rows]


async def holds(true, within=8):
    async with asyncio.timeout(within):
        while not await true():
            await asyncio.sleep(0.01)


def asked(server, path):
    return [address for address in server.asked if address.startswith(path)]


# What the account can't read.


async def test_a_poisoned_post_comes_from_the_preview_and_is_told_once(
    dc, db, news, all_at_work, monkeypatch
):
    async def nothing(*_):
        return False

    monkeypatch.setattr(second, "check", nothing)
    for number in range(25):
        news.post(f"post {number}")
    bad = news.post("эшелон в новом виде", media=UnknownMedia())
    news.post("after")
    async with all_at_work() as told:

        async def complete():
            return await posts.count(db.reader) == 27

        await holds(complete)
        asked = len(dc.calls_of("GetHistory"))
        await dc.wait_for(lambda: len(dc.calls_of("GetHistory")) > asked + 5)
    assert await ids(db) == list(range(2, 29))
    assert await alerts(db) == [bad]
    assert told == []


async def test_a_poisoned_post_is_owed_until_the_preview_could_be_asked(
    db, server, pipeline, clock, news, account, preview
):
    bad = news.post("эшелон", media=UnknownMedia())
    async with account.connected():
        await catch_up(account, pipeline, await ledger(db))
    assert (await ledger(db)).cursor == bad  # a restart would not find it again
    for fault in ("throttle", "shape", "drop", "elsewhere", "ignore_before"):
        for number in range(30):
            news.post(f"{fault} {number}")
        server.fail(fault, value="https://example.org/")
        with pytest.raises((ingest.Flooded, ingest.SourceLost)):
            await second.ask(preview, pipeline)
        server.heal()
        assert not await second.ask(preview, pipeline)  # others have their turn first
        clock.forward(minutes=11)
    assert await second.ask(preview, pipeline)
    assert await ids(db) == [bad]
    assert await alerts(db) == [bad]
    assert not await second.ask(preview, pipeline)


async def test_what_the_preview_has_not_either_stays_set_aside_with_a_warning(
    db, server, pipeline, clock, news, account, preview, caplog
):
    bad = news.post("эшелон", media=UnknownMedia())
    news.here.delete(bad)
    async with account.connected():
        await catch_up(account, pipeline, await ledger(db))
    with caplog.at_level(logging.WARNING, logger="watchers.second"):
        for _ in range(second.TRIES):
            assert await second.ask(preview, pipeline)
            clock.forward(minutes=11)
    assert not await second.ask(preview, pipeline)
    assert "stays set aside" in caplog.text
    assert "news" not in caplog.text.lower()
    assert await ids(db) == []


async def test_a_channel_without_a_preview_stays_without_trouble(
    db, pipeline, clock, news, account, preview
):
    news.post("эшелон", media=UnknownMedia())
    news.here.preview = False
    async with account.connected():
        await catch_up(account, pipeline, await ledger(db))
    for _ in range(second.TRIES):
        assert await second.ask(preview, pipeline)
        clock.forward(minutes=11)
    assert not await second.ask(preview, pipeline)
    assert (await ledger(db)).trouble is None


async def test_a_poisoned_message_of_an_album_joins_its_album(
    dc, db, pipeline, news, account, preview
):
    await dc.album(news.there, "", media=dc.photo(b"x"))
    group = news.there.messages[2].grouped_id
    dc.store(news.there, "эшелон", media=UnknownMedia(), grouped_id=group)
    news.here.album("", "эшелон")
    async with account.connected():
        await catch_up(account, pipeline, await ledger(db))
        await second.ask(preview, pipeline)
        await catch_up(account, pipeline, await ledger(db))
    rows = await db.reader.execute_fetchall("SELECT message_id, text, deleted_at FROM posts")
    assert [tuple(row) for row in rows] == [(2, "эшелон", None)]
    assert await alerts(db) == [2]


async def test_what_only_the_preview_shows_is_not_deleted_for_the_account_lacks_it(
    db, pipeline, clock, news, account, preview
):
    bad = news.post("эшелон", media=UnknownMedia())
    news.post("after")
    async with account.connected():
        await catch_up(account, pipeline, await ledger(db))
        await second.ask(preview, pipeline)
        await catch_up(account, pipeline, await ledger(db))
    shown = await posts.ids_between(db.reader, news.there.id, 0, 99)
    assert bad in shown
    news.here.delete(bad)
    watching = Share(clock=lambda: 0.0)
    watching.well("account")
    await second.check(preview, pipeline, watching, {}, 0.0)
    assert bad not in await posts.ids_between(db.reader, news.there.id, 0, 99)


async def test_a_restart_between_setting_aside_and_asking_loses_nothing(
    dc, db, server, pipeline, news, account, all_at_work
):
    bad = news.post("эшелон", media=UnknownMedia())
    async with account.connected():
        await catch_up(account, pipeline, await ledger(db))
    for number in range(150):  # far below the cursor when it starts again
        news.post(f"post {number}")
    async with db.transaction() as tx:
        await channels.advance(tx, news.there.id, news.there.last_id, make.NOON)
    dc.calls.clear()
    async with all_at_work():

        async def found():
            return bad in await ids(db)

        await holds(found)
    assert await alerts(db) == [bad]


# While the account has to wait.


async def test_a_post_published_during_a_flood_wait_comes_from_the_preview_and_only_once(
    dc, reader, db, server, news, all_at_work, monkeypatch
):
    monkeypatch.setattr(share, "LONG_WAIT", 1.0)
    monkeypatch.setattr(second, "AGAIN", 1e9)
    news.there.members.add(reader)
    group = dc.add_channel("Talk", username="talk", megagroup=True)
    async with db.transaction() as tx:
        await channels.add(tx, make.channel(group.id, "talk", "Talk"), 0, make.NOON)
    first = news.post("до")
    async with all_at_work() as told:

        async def one():
            return await ids(db) == [first]

        await holds(one)
        dc.fail("GetHistory", 420, "FLOOD_WAIT_2")
        before = len(dc.calls_of("GetHistory"))
        await dc.wait_for(lambda: len(dc.calls_of("GetHistory")) > before)
        pushed = (await dc.post(news.there, "в вебе виден позже")).id

        async def two():
            return await ids(db) == [first, pushed]

        await holds(two)
        news.here.last_id += 1
        late = news.post("эшелон")

        async def three():
            return late in await ids(db)

        await holds(three, within=1.5)
        asked_meanwhile = len(server.asked)
        waited = dc.calls_of("GetHistory")[-1]
        await dc.wait_for(lambda: len(dc.calls_of("GetHistory")) > before + 12)  # it is back
        assert dc.calls_of("GetHistory")[-12].at - waited.at >= 1
        handed_back = len(server.asked)
        await dc.wait_for(lambda: len(dc.calls_of("GetHistory")) > before + 20)
        assert len(server.asked) == handed_back >= asked_meanwhile > 0
    assert await ids(db) == [first, pushed, late]
    assert await alerts(db) == [late]
    assert told == []
    assert [ledger.trouble for ledger in await channels.watched(db.reader)] == [None, None]
    assert await posts.ids_between(db.reader, news.there.id, 0, 99) == {first, pushed, late}


async def test_a_backfill_waits_with_the_account_instead_of_being_refused_by_the_preview(
    news, account, preview
):
    sources = Sources([Member(account), Member(preview, rank=1)])
    for source, rank in ((account, 0), (preview, 1)):
        sources._share.well(source.name, rank)
    sources._share.waits(account.name, 500)
    with pytest.raises(ingest.SourceLost):
        await sources.page(make.channel(news.there.id, "news"), None, 10)


def test_for_a_short_wait_nobody_stands_in():
    now = [0.0]
    chosen = Share(60.0, lambda: now[0])
    for name, rank in (("a", 0), ("b", 0), ("preview", 1)):
        chosen.well(name, rank)
    chosen.waits("a", 500)
    assert chosen.reader_of(1) == "b"
    chosen.unwell("a")
    chosen.waits("b", 5)
    assert chosen.reader_of(1) is None
    chosen.waits("preview", 500)
    chosen.well("preview", 1)
    assert chosen.reader_of(1) is None
    chosen.well("b")
    chosen.waits("b", 11)
    assert chosen.reader_of(1) == "preview"
    assert chosen.stands_in(1)
    assert not chosen.relied_on(1)
    now[0] = 61.0
    assert chosen.stands_in(1)  # b comes back by itself …
    assert chosen.relied_on(1)  # … but until then there is nothing else
    chosen.unwell("b")
    assert not chosen.stands_in(1)
    assert not chosen.stands_in(0)


# Is nothing missing?


async def test_a_post_that_the_account_never_gets_is_found_counted_and_stays(
    dc, db, server, news, all_at_work, caplog
):
    first = news.post("первый")
    missed = news.only_in_preview("эшелон")
    last = news.post("последний")
    hidden = news.only_with_account("preview не показывает")
    caplog.set_level(logging.INFO)
    async with all_at_work() as told:

        async def complete():
            return await ids(db) == [first, missed, last, hidden]

        await holds(complete)
        before = len(dc.calls_of("GetHistory"))
        await dc.wait_for(lambda: len(dc.calls_of("GetHistory")) > before + 3)
        seen = len(server.asked)
        await dc.wait_for(lambda: len(server.asked) > seen + 2)
    assert await alerts(db) == [missed]
    repaired = (await ledger(db)).repaired
    assert repaired in (1, 3)  # 3: the preview came before the account's first look
    assert told == []
    assert await posts.ids_between(db.reader, news.there.id, 0, 99) == {first, missed, last, hidden}
    assert f"showed {repaired} posts that the account had missed" in caplog.text
    assert not [r for r in caplog.records if r.name.startswith("watchers") and "news" in r.message]


async def test_a_deep_look_after_the_check_does_not_take_it_for_deleted(
    db, pipeline, news, account, preview
):
    news.post("первый")
    missed = news.only_in_preview("эшелон")
    news.post("последний")
    watching = Share(clock=lambda: 0.0)
    watching.well("account")
    async with account.connected():
        await catch_up(account, pipeline, await ledger(db))
        await second.check(preview, pipeline, watching, {}, 0.0)
        await catch_up(account, pipeline, await ledger(db))
    assert missed in await posts.ids_between(db.reader, news.there.id, 0, 99)


@pytest.mark.parametrize("trouble", ["", "banned", "never looked", "not for long"])
async def test_what_the_account_could_not_see_yet_is_no_gap_unless_it_can_not_look(
    trouble, db, pipeline, clock, news, preview
):
    watching = Share(clock=lambda: 0.0)
    watching.well("account")
    new = news.post("эшелон")
    published = START + timedelta(minutes=new)  # as the preview server has it
    clock.now = published + timedelta(minutes=5)

    async with db.transaction() as tx:
        await channels.advance(tx, news.there.id, 1, published)
        if trouble == "banned":
            await channels.set_trouble(tx, news.there.id, "this account is banned from it")
        if trouble == "never looked":
            await tx.execute("UPDATE channels SET looked_at = NULL")
    if trouble == "not for long":
        clock.forward(minutes=30)
    await second.check(preview, pipeline, watching, {}, 0.0)
    assert await ids(db) == ([new] if trouble else [])


async def test_each_channel_is_checked_in_its_turn_and_only_while_an_account_reads(
    dc, db, server, pipeline, news, preview, monkeypatch
):
    monkeypatch.setattr(second, "AGAIN", 3600.0)
    others = [Both(dc, server, f"chan_{number}") for number in range(2)]
    async with db.transaction() as tx:
        for other in others:
            other.post("first")
            await channels.add(tx, make.channel(other.there.id, other.here.name), 0, make.NOON)
    watching, checked = Share(clock=lambda: 0.0), {}
    watching.well(preview.name, 1)
    assert not await second.check(preview, pipeline, watching, checked, 0.0)
    watching.well("account")
    for now in (0.0, 20.0, 40.0):
        assert await second.check(preview, pipeline, watching, checked, now)
    assert not await second.check(preview, pipeline, watching, checked, 60.0)
    assert sorted(server.asked) == ["/s/chan_0", "/s/chan_1", "/s/news"]
    assert await second.check(preview, pipeline, watching, checked, 3600.0)
    assert server.asked[-1] == server.asked[0]


@pytest.mark.parametrize("fault", ["throttle", "status", "drop", "shape", "elsewhere"])
async def test_a_broken_preview_changes_nothing(fault, dc, db, server, news, all_at_work):
    server.fail(fault, value=502 if fault == "status" else "https://example.org/")
    first = news.post("эшелон")
    news.post("эшелон", media=UnknownMedia())
    async with all_at_work() as told:
        await dc.wait_for(lambda: len(server.asked) > 4)
        last = news.post("последний")

        async def complete():
            return await ids(db) == [first, last]

        await holds(complete)
        assert told == []
    assert (await ledger(db)).trouble is None
    assert (await ledger(db)).repaired == 0
    assert await alerts(db) == [first]


async def test_a_preview_that_breaks_while_it_stands_in_is_nobodys_trouble(
    dc, db, server, news, all_at_work, monkeypatch
):
    monkeypatch.setattr(share, "LONG_WAIT", 1.0)
    server.fail("shape")
    async with all_at_work() as told:
        await dc.wait_for(lambda: dc.calls_of("GetHistory"))
        dc.fail("GetHistory", 420, "FLOOD_WAIT_2")
        before = len(dc.calls_of("GetHistory"))
        await dc.wait_for(lambda: len(server.asked) > 12)
        last = news.post("эшелон")
        await dc.wait_for(lambda: len(dc.calls_of("GetHistory")) > before + 5)

        async def complete():
            return await ids(db) == [last]

        await holds(complete)
        assert told == []
    assert (await ledger(db)).trouble is None


async def test_restarts_amid_poison_floods_and_gaps_lose_nothing_and_double_nothing(
    dc, db, server, news, all_at_work, monkeypatch
):
    monkeypatch.setattr(share, "LONG_WAIT", 0.5)
    monkeypatch.setattr(second, "TRY_AFTER", timedelta(0))
    chance, wanted = random.Random(7), []
    for kinds in ("plain poison", "plain poison", "poison", "plain poison preview"):
        async with all_at_work() as told:
            if chance.random() < 0.7:
                dc.fail("GetHistory", 420, "FLOOD_WAIT_1")
            server.fail("throttle", 3)
            for number in range(12):
                kind = chance.choice(kinds.split())
                if kind == "preview":
                    wanted.append(news.only_in_preview(f"эшелон {number}"))
                else:
                    media = UnknownMedia() if kind == "poison" else None
                    wanted.append(news.post(f"эшелон {number}", media=media))
                await asyncio.sleep(chance.random() / 30)
            assert told == []
    async with all_at_work() as told:
        news.post("the account sees a newer one")
        wanted.append(news.there.last_id)

        async def complete():
            return await ids(db) == wanted

        await holds(complete)
        assert told == []
    assert await alerts(db) == wanted[:-1]
    assert await posts.ids_between(db.reader, news.there.id, 0, 999) == set(wanted)
    assert (await ledger(db)).trouble is None
