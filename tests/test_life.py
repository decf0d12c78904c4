"""Are owners told once of what becomes of a channel, and again when it recovers? Real servers."""

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from telethon import types

from storage import channels, watchlists
from storage.model import Channel, Ledger
from tests import make
from tests.preview_server import PreviewServer
from tests.telegram_requests import fill
from tests.telegram_state import Channel as Published
from watchers import errands, ingest, life, rhythm
from watchers.ingest import SourceState
from watchers.preview import PreviewSource
from watchers.preview_web import Pace
from watchers.references import Reference
from watchers.share import Share
from watchers.standing import Standing, changed
from watchers.telegram import Account, TelegramSource
from watchers.telegram_channels import migrated


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    for module in (ingest, rhythm):
        monkeypatch.setattr(module, "LOOK_EVERY", 0.02)
    monkeypatch.setattr(errands, "EVERY", 0.02)


@pytest.fixture
def source(dc, reader, db, clock):
    return TelegramSource(Account(1, "x" * 32, dc.session(reader)), db, clock)


@pytest.fixture
def news(dc):
    return dc.add_channel("News", username="news")


@asynccontextmanager
async def watching(source, pipeline, *chosen):
    """The channels are watched; yields what the owners are told."""
    told = []

    async def tell(text):
        told.append(text)

    async with pipeline.db.transaction() as tx:
        for one in chosen:
            channel = make.channel(one.id, one.username, one.title)
            await channels.add(tx, channel, 0, make.NOON)
    task = asyncio.create_task(ingest.supervise(source, pipeline, tell, SourceState(), Share()))
    try:
        yield told
    finally:
        task.cancel()
        await asyncio.wait([task])


async def looked(dc, times=3):
    """So often again, whatever came of it."""
    before = len(dc.calls_of("GetHistory"))
    await dc.wait_for(lambda: len(dc.calls_of("GetHistory")) >= before + times)


async def ledger(db, number=0):
    return (await channels.watched(db.reader))[number]


# What happens, what is told of it, how it ends, and what is told then.
FATES = {
    "private": (
        lambda dc, news: setattr(news, "private", True),
        ("News can't be read: it is private now", "/add @newname", "/remove @news"),
        lambda dc, news: setattr(news, "private", False),
        "News can be read again",
    ),
    "banned": (
        lambda dc, news: news.banned.update(dc.users),
        ("News can't be read: ", "this account is banned from it"),
        lambda dc, news: news.banned.clear(),
        "News can be read again",
    ),
    "restricted": (
        lambda dc, news: dc.restrict(news, "Not available in your country"),
        ("Telegram says of News: it is restricted: Not available in your country (everywhere)",),
        lambda dc, news: dc.restrict(news, None),
        "Telegram no longer marks or restricts News.",
    ),
    "scam": (
        lambda dc, news: dc.mark(news, scam=True),
        ("Telegram says of News: many people reported it as a scam", "/remove @news"),
        lambda dc, news: dc.mark(news, scam=False),
        "Telegram no longer marks or restricts News.",
    ),
    "fake": (
        lambda dc, news: dc.mark(news, fake=True),
        ("it pretends to be somebody else",),
        lambda dc, news: dc.mark(news, fake=False),
        "Telegram no longer marks or restricts News.",
    ),
    "retitled": (
        lambda dc, news: dc.retitle(news, "Olds"),
        ("News is called “Olds” now. It is watched as before",),
        lambda dc, news: dc.retitle(news, "News"),
        "Olds is called “News” now.",
    ),
    "renamed": (
        lambda dc, news: dc.rename(news, "new_news"),
        ("News has the name @new_news now instead of @news.",),
        lambda dc, news: dc.rename(news, "news"),
        "News has the name @news now instead of @new_news.",
    ),
    "nameless": (
        lambda dc, news: dc.rename(news, None),
        ("News can't be read: it is private now: it has no public @name any more",),
        lambda dc, news: dc.rename(news, "back_again"),
        "News has the name @back_again now.",
    ),
}


@pytest.mark.parametrize("joined", [False, True], ids=["unjoined", "joined"])
@pytest.mark.parametrize("fate", FATES)
async def test_owners_are_told_once_and_again_when_it_is_over(
    dc, db, reader, pipeline, source, news, fate, joined
):
    happens, said, ends, said_then = FATES[fate]
    if joined and fate != "private":  # a member sees a private channel
        news.members.add(reader)
    async with watching(source, pipeline, news) as told:
        await looked(dc)
        assert told == []
        for change, parts in ((happens, said), (ends, (said_then,))):
            told.clear()
            if (done := change(dc, news)) is not None:
                await done
            await dc.wait_for(lambda: told)
            await looked(dc)
            assert all(part in told[0] for part in parts), told
            assert len(told) == (2 if fate == "nameless" and change is ends else 1)
    after = await ledger(db)
    assert (after.trouble, after.mark) == (None, None)
    assert (after.channel.title, after.channel.username) == (news.title, news.username)


async def test_a_deleted_channel_is_unreadable(dc, db, pipeline, source, news):
    async with watching(source, pipeline, news) as told:
        await looked(dc)
        await dc.delete_channel(news)
        await dc.wait_for(lambda: told)
        await looked(dc)
    assert len(told) == 1
    assert "was deleted" in told[0]


async def test_a_push_that_it_changed_makes_it_the_next_to_be_looked_at(
    dc, db, reader, pipeline, source, news
):
    news.members.add(reader)
    async with watching(source, pipeline, news) as told:
        await looked(dc, 1)
        rhythm.LOOK_EVERY, before = 3600.0, len(dc.calls_of("GetHistory"))  # put back by `quick`
        await dc.retitle(news, "Olds")
        await dc.wait_for(lambda: told)
    assert len(dc.calls_of("GetHistory")) <= before + 3


async def test_nothing_of_it_costs_a_request(dc, db, pipeline, source, news):
    async with watching(source, pipeline, news):
        await looked(dc)
        await dc.rename(news, "new_news")
        await looked(dc)
    assert {call.method for call in dc.calls} <= {
        "GetHistory",
        "GetUsers",
        "ResolveUsername",
        "InvokeWithLayer",
        "InitConnection",
        "GetState",
        "GetDifference",
        "GetConfig",
        "GetChannelDifference",
    }
    assert len(dc.calls_of("ResolveUsername")) == 1  # the first time, for its access hash


async def test_a_member_is_not_pushed_what_is_private_now(dc, db, reader, pipeline, source, news):
    news.members.add(reader)
    async with watching(source, pipeline, news) as told:
        await looked(dc)
        await dc.make_private(news)
        await dc.wait_for(lambda: told)
        await dc.post(news, "for members only")
        await looked(dc)
    assert await db.reader.execute_fetchall("SELECT text FROM posts") == []


async def test_links_and_watchlists_go_by_the_new_name(dc, db, pipeline, source, news):
    async with db.transaction() as tx:
        for number, name in enumerate(("@News", "@other"), start=1):
            await watchlists.create(tx, make.watchlist(id=number, channels=(name,)), make.NOON)
    async with watching(source, pipeline, news) as told:
        await looked(dc)
        await dc.rename(news, "new_news")
        await dc.wait_for(lambda: told)
    named = [watchlist.channels for watchlist in await watchlists.all(db.reader)]
    assert named == [("@new_news",), ("@other",)]


async def test_who_takes_over_a_name_takes_it_from_who_had_it(db):
    async with db.transaction() as tx:
        await channels.add(tx, Channel(1, "news", "Old"), 0, make.NOON)
        await channels.add(tx, Channel(2, "News", "Thief"), 0, make.NOON)
    assert {one.channel.id: one.channel.username for one in await channels.watched(db.reader)} == {
        1: None,
        2: "News",
    }


async def test_another_reason_for_the_same_trouble_is_kept_and_not_told(db):
    async with db.transaction() as tx:
        await channels.add(tx, make.channel(1), 0, make.NOON)
    told = []
    for why in ("it is private", "it has no preview", None, "it is private"):
        told += await life.note(db, await ledger(db), None, why)
        if why is None:
            async with db.transaction() as tx:
                await channels.advance(tx, 1, 1, make.NOON + timedelta(hours=1))
    assert [text.partition(":")[0] for text in told] == [
        "Channel 1 can't be read",
        "Channel 1 can be read again; what it published meanwhile is caught up.",
        "Channel 1 can't be read",
    ]
    assert (await ledger(db)).trouble == "it is private"


@pytest.mark.parametrize(
    ("title", "names", "now"),
    [
        ("News  ✈️", ("news",), ("News ✈", "news")),  # as another source writes the same
        ("News ✈", ("other", "NEWS"), ("News ✈", "news")),  # one of several names is kept
        ("News ✈", ("other", "more"), ("News ✈", "other")),
        ("News", (), ("News", None)),
    ],
)
def test_what_counts_as_a_new_name(title, names, now):
    after = changed(Channel(1, "news", "News ✈"), Standing(title, names))
    assert (after.title, after.username) == now


async def test_a_source_that_can_not_know_takes_no_mark_away(db):
    async with db.transaction() as tx:
        await channels.add(tx, make.channel(1, "news", "News"), 0, make.NOON)
        await channels.set_mark(tx, 1, "it is restricted")
    assert (await ledger(db)) == Ledger(
        make.channel(1, "news", "News"), 0, 0, mark="it is restricted"
    )
    assert await life.note(db, await ledger(db), Standing("News", ("news",)), None) == []
    assert (await ledger(db)).mark == "it is restricted"


def test_a_group_that_became_a_supergroup_is_followed_to_its_new_id():
    heir = Published(77, "Talk", "talk", megagroup=True).seen_by(1)
    group = fill(types.Chat, id=5, title="Talk", migrated_to=types.InputChannel(77, 1))
    alone = fill(types.Chat, id=6, title="Chat")
    assert migrated(group, [alone, group, heir]) is heir
    assert migrated(heir, [heir]) is heir
    assert migrated(alone, [alone]) is alone


# Through the web preview.


@pytest.fixture
async def server():
    async with PreviewServer() as server:
        yield server


async def met(server):
    """Asked for its pages a few times more."""
    before = len(server.asked)
    while len(server.asked) < before + 4:
        await asyncio.sleep(0.005)


async def until(told):
    async with asyncio.timeout(5):
        while not told:
            await asyncio.sleep(0.005)


def move(server, shown, name):
    del server.channels[shown.name]
    shown.name = name
    server.channels[name] = shown


PACE = Pace(every=1e-6, least=0, retry=0, pauses=(0.01, 0.02))


async def test_the_preview_says_a_new_title(db, pipeline, server):
    shown = server.channel("news", "News")
    shown.post("a")
    one = Channel(shown.id, "news", "News")
    async with watching(PreviewSource(server.url, PACE), pipeline, one) as told:
        await met(server)
        shown.title = "Olds"
        await until(told)
        await met(server)
    assert [text.partition(".")[0] for text in told] == ["News is called “Olds” now"]
    assert (await ledger(db)).channel.title == "Olds"


@pytest.mark.parametrize("taken", [False, True], ids=["free", "taken"])
async def test_where_its_name_leads_nowhere_the_new_one_keeps_the_channel_and_its_cursor(
    db, pipeline, server, taken
):
    shown = server.channel("news", "News")
    shown.post("a")
    source, one = PreviewSource(server.url, PACE), Channel(shown.id, "news", "News")
    async with watching(source, pipeline, one) as told:
        await met(server)
        move(server, shown, "new_news")
        if taken:
            server.channel("news", "Thief", id=4711).post("not this one")
        await until(told)
        await met(server)
        why = "belongs to somebody else now" if taken else "nobody has the name @news any more"
        assert len(told) == 1
        assert why in told[0]
        assert "say /add @newname: the same channel goes on where it stopped" in told[0]
        shown.post("b")
        channel, newest = await source.resolve(Reference(username="new_news"))
        async with db.transaction() as tx:  # what /add @new_news does
            assert not await channels.add(tx, channel, newest, make.NOON)
        told.clear()
        await until(told)
    assert told == ["News can be read again; what it published meanwhile is caught up."]
    rows = await db.reader.execute_fetchall("SELECT channel_id, text FROM posts ORDER BY 2")
    assert [tuple(row) for row in rows] == [(shown.id, "a"), (shown.id, "b")]


async def test_in_the_chat_the_new_name_keeps_the_same_channel(program, dc, owner, news):
    async with program():
        await owner.send("/add @news")
        await owner.expect(text="is watched from now on")
        await dc.rename(news, "new_news")
        await owner.send("/add @new_news")
        await owner.expect(text="is watched already")
        await dc.restrict(news, "Not <b>here</b>")
        await owner.expect(text="⚠️ Telegram says of News: it is restricted: Not <b>here</b>")
        said = await owner.send("/channels")
        listed = await owner.expect(text="News (@new_news)", after=said)
        assert "it is restricted: Not <b>here</b> (everywhere)" in listed["text"]
        await owner.send("/remove @new_news")
        await owner.expect(text="is no longer watched")
