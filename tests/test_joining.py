"""Does the account join what it is told to, say why it could not, and leave only that again?"""

import asyncio

import pytest
from telethon import types

from storage import channels, memberships
from tests import make
from watchers import errands
from watchers.ingest import Flooded, NotJoined
from watchers.preview import PreviewSource
from watchers.references import Reference
from watchers.sources import Member, Sources
from watchers.telegram import Account, TelegramSource

NEWS = Reference(username="news")


@pytest.fixture
def news(dc):
    return dc.add_channel("News", username="news")


@pytest.fixture
def source(dc, reader, db, clock, monkeypatch):
    monkeypatch.setattr(errands, "EVERY", 0.01)
    return TelegramSource(Account(1, "x" * 32, dc.session(reader)), db, clock)


async def added(db, source, reference=NEWS):
    channel, newest = await source.resolve(reference)
    async with db.transaction() as tx:
        await channels.add(tx, channel, newest, make.NOON)
    return channel


async def nobody(ahead):
    return []


async def test_what_is_only_added_is_not_joined(dc, db, reader, source, news):
    async with source.connected():
        await added(db, source)
    assert reader not in news.members
    assert source.pushed() == frozenset()


async def test_what_is_joined_is_pushed_from_then_on(dc, db, reader, source, news):
    async with source.connected():
        channel = await added(db, source)
        await source.join(channel)
        assert reader in news.members
        assert source.pushed() == {channel.id}
        assert source.hinted() == channel.id  # what came before the push began
        await dc.post(news, "pushed")
        async with asyncio.timeout(5):
            batch = await anext(source.live())
    assert [post.text for post in batch] == ["pushed"]


@pytest.mark.parametrize(
    ("prepare", "why"),
    [
        (lambda dc, news: setattr(dc, "join_limit", 0), "as many channels as Telegram allows"),
        (lambda dc, news: news.flags.update(join_request=True), "a request was sent"),
        (lambda dc, news: dc.fail("JoinChannel", 400, "CHANNEL_PRIVATE"), "is private"),
        (lambda dc, news: setattr(news, "private", True), "is private"),
        (lambda dc, news: dc.fail("JoinChannel", 420, "FROZEN_METHOD_INVALID"), "has frozen"),
        (lambda dc, news: dc.fail("JoinChannel", 400, "SOME_NEW_ERROR"), "SOME_NEW_ERROR"),
    ],
    ids=["too many", "on request", "private", "private before", "frozen", "unknown"],
)
async def test_a_refused_join_says_why_and_leaves_nothing_behind(
    dc, db, reader, source, news, prepare, why
):
    async with source.connected():
        channel = await added(db, source)
        prepare(dc, news)
        with pytest.raises(NotJoined, match=why):
            await source.join(channel)
        assert source.pushed() == frozenset()
    assert await memberships.of_account(db.reader, reader) == set()


async def test_a_join_that_has_to_wait_says_how_long(dc, db, reader, source, news):
    async with source.connected():
        channel = await added(db, source)
        dc.fail("JoinChannel", 420, "FLOOD_WAIT_300")
        with pytest.raises(Flooded) as flood:
            await source.join(channel)
    assert flood.value.seconds == 300
    assert await memberships.of_account(db.reader, reader) == set()


async def test_what_was_joined_to_be_watched_is_left_when_it_is_removed(
    dc, db, reader, source, news
):
    async with source.connected():
        channel = await added(db, source)
        await source.join(channel)
    async with db.transaction() as tx:
        await channels.remove(tx, channel.id, make.NOON)
    again = TelegramSource(Account(1, "x" * 32, dc.session(reader)), db)  # after a restart
    async with again.connected():
        tending = asyncio.create_task(again.tend(nobody, None))
        await dc.wait_for(lambda: reader not in news.members)
        while await memberships.of_account(db.reader, reader):
            await asyncio.sleep(0.01)
        tending.cancel()
    assert len(dc.calls_of("LeaveChannel")) == 1


async def test_what_a_person_joined_is_a_persons_to_leave(dc, db, reader, source, news):
    news.members.add(reader)
    async with source.connected():
        channel = await added(db, source)
        assert source.pushed() == {channel.id}  # the page said it
        await source.join(channel)
        assert dc.calls_of("JoinChannel") == []
        async with db.transaction() as tx:
            await channels.remove(tx, channel.id, make.NOON)
        await source.leave_removed()
    assert reader in news.members


async def test_who_was_thrown_out_is_not_pushed_and_has_nothing_to_leave(
    dc, db, reader, source, news
):
    async with source.connected():
        channel = await added(db, source)
        await source.join(channel)
        news.members.discard(reader)
        await source.page(channel, None, 10)
        assert source.pushed() == frozenset()
        await source.leave_removed()
        assert await memberships.of_account(db.reader, reader) == set()
    assert dc.calls_of("LeaveChannel") == []


async def test_a_channel_that_can_not_be_left_any_more_is_forgotten(dc, db, reader, source, news):
    async with source.connected():
        channel = await added(db, source)
        await source.join(channel)
        async with db.transaction() as tx:
            await channels.remove(tx, channel.id, make.NOON)
        dc.fail("LeaveChannel", 400, "CHANNEL_PRIVATE")
        await source.leave_removed()
    assert await memberships.of_account(db.reader, reader) == set()


async def test_a_push_that_leaves_posts_out_is_a_hint_and_is_not_relied_on(
    dc, db, reader, source, news
):
    async with source.connected():
        channel = await added(db, source)
        await source.join(channel)
        source.hinted()
        await dc.post(news, "one")
        news.last_id += 1  # as if one had been published and not pushed
        await dc.post(news, "three")
        await dc.wait_for(lambda: source._hints)
        assert source.hinted() == channel.id
        source.doubt_push(channel.id)
        assert source.pushed() == frozenset()


async def test_without_an_account_nothing_is_joined(db, news):
    channel = make.channel(news.id, "news", "News")
    with pytest.raises(NotJoined, match="only a Telegram account"):
        await PreviewSource().join(channel)
    with pytest.raises(NotJoined, match="no Telegram account is connected"):
        await Sources([Member(PreviewSource())]).join(channel)


async def test_the_whole_way_in_the_chat(program, dc, owner, reader, news, monkeypatch):
    monkeypatch.setattr(errands, "EVERY", 0.05)
    other = dc.add_channel("Closed", username="closed_one", join_request=True)
    async with program():
        await owner.send("/add @news join")
        await owner.expect(text="is watched from now on. The account has joined it")
        assert reader in news.members
        await owner.send("/add @closed_one JOIN")
        answer = await owner.expect(text="Closed")
        assert "is watched from now on. Not joined: its administrators" in answer["text"]
        assert "looked at regularly all the same" in answer["text"]
        said = await owner.send("/channels")
        listed = (await owner.expect(text="News", after=said))["text"].splitlines()
        assert ["joined: its posts are pushed" in line for line in listed] == [False, True]
        dc.fail("JoinChannel", 420, "FLOOD_WAIT_77")
        await owner.send("/add @closed_one join")
        await owner.expect(text="Not joined: Telegram asks to wait 77 s; then say it again")
        await owner.send("/remove @news")
        await owner.expect(text="are kept. The account leaves it")
        await dc.wait_for(lambda: reader not in news.members)
        said = await owner.send("/remove @closed_one")
        assert "leaves" not in (await owner.expect(text="no longer watched", after=said))["text"]
    assert other.members == set()
    assert all(
        isinstance(c.request.channel, types.InputChannel) for c in dc.calls_of("JoinChannel")
    )
