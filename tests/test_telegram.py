"""Does the Telethon source read what was published, and name its troubles? Against a real server."""

import asyncio
import stat

import pytest
from telethon import types

from storage import channels
from storage.model import Channel, ChannelKind, Extra
from tests.telegram_media import (
    forwarded,
    plain,
    poll,
    rich,
    text_link,
    url_buttons,
    web_page,
)
from watchers import telegram
from watchers.ingest import ChannelRefused, Flooded, SessionRefused, SourceLost
from watchers.references import Reference
from watchers.telegram import Account, TelegramSource

NEWS = Reference(username="news")


@pytest.fixture
def news(dc, reader):
    return dc.add_channel("News", username="news", members=[reader])


@pytest.fixture
def source(dc, reader, db):
    return TelegramSource(Account(1, "x" * 32, dc.session(reader)), db)


async def pushed(source):
    async with asyncio.timeout(5):
        return await anext(source.live())


async def test_a_channel_is_resolved_once_and_its_access_hash_kept(dc, db, reader, source, news):
    dc.store(news, "first")
    async with source.connected():
        assert await source.resolve(NEWS) == (Channel(news.id, "news", "News"), 1)
    again = TelegramSource(Account(1, "x" * 32, dc.session(reader)), db)
    async with again.connected():
        page = await again.page(Channel(news.id, "news", "News"), None, 10)
    assert [post.text for post in page.posts] == ["first"]
    assert len(dc.calls_of("ResolveUsername")) == 1


async def test_another_account_looks_the_name_up_again(dc, db, source, news):
    async with source.connected():
        channel, _ = await source.resolve(NEWS)
    other = TelegramSource(Account(1, "x" * 32, dc.session(dc.add_user("Other"))), db)
    async with other.connected():
        await other.page(channel, None, 10)
        await other.page(channel, None, 10)
    assert len(dc.calls_of("ResolveUsername")) == 2


async def test_a_name_that_changed_hands_is_not_followed(dc, db, source, news):
    other = dc.add_channel("Thief", username="thief")
    async with source.connected():
        with pytest.raises(ChannelRefused, match="@thief belongs to somebody else now"):
            await source.page(Channel(news.id, "thief", "News"), None, 10)
        with pytest.raises(ChannelRefused, match="/add it again by its @name"):
            await source.page(Channel(news.id, None, "News"), None, 10)
    assert other.id != news.id


async def test_what_is_no_public_channel_is_refused(dc, source):
    dc.add_user("Alice", username="alice")
    dc.add_channel("Hidden", private=True)
    async with source.connected():
        for name, why in (("alice", "person"), ("nobody", "nobody has the name")):
            with pytest.raises(ChannelRefused, match=why):
                await source.resolve(Reference(username=name))
        with pytest.raises(ChannelRefused, match="has never met"):
            await source.resolve(Reference(id=77))


async def test_a_number_names_a_channel_the_account_has_met(dc, source, news):
    async with source.connected():
        assert (await source.resolve(Reference(id=news.id)))[0].username == "news"  # from its chats
        assert (await source.resolve(Reference(id=news.id)))[0].username == "news"  # from the hash
    assert len(dc.calls_of("GetChannels")) == 1


async def test_a_private_channel_met_by_number_is_refused(dc, reader, source):
    dc.add_channel("Members", members=[reader])
    (members,) = dc.channels.values()
    async with source.connected():
        with pytest.raises(ChannelRefused, match="no public @name"):
            await source.resolve(Reference(id=members.id))


async def test_a_public_group_is_read_and_its_people_are_left_out(dc, reader, source):
    group = dc.add_channel("Talk", username="talk", members=[reader], megagroup=True)
    dc.store(group, "привет", sender=dc.add_user("Secret Name"))
    async with source.connected():
        channel, _ = await source.resolve(Reference(username="talk"))
        page = await source.page(channel, None, 10)
    assert channel.kind is ChannelKind.GROUP
    assert "Secret" not in repr(page)
    assert str(max(dc.users)) not in repr(page)


async def test_a_page_is_oldest_first_and_says_where_it_ends(dc, source, news):
    for number in range(1, 251):
        dc.store(news, f"post {number}")
    async with source.connected():
        channel, newest = await source.resolve(NEWS)
        top = await source.page(channel, None, 100)
        bottom = await source.page(channel, 20, 100)
        nothing = await source.page(channel, 1, 100)
    assert newest == 250
    assert (top.oldest, top.newest, len(top.posts)) == (151, 250, 100)
    assert [post.message_id for post in bottom.posts] == list(range(1, 20))
    assert nothing.oldest is None


async def test_words_outside_of_the_text_are_kept(dc, source, news):
    await dc.post(news, "см. тут", entities=[text_link("см. тут", "тут", "https://example.org/a")])
    dc.store(news, "", media=poll("Вопрос?", "Да", "Нет"))
    dc.store(news, "", media=dc.document("план.pdf", b"x"))
    dc.store(news, "", media=web_page("https://e.org", "Заголовок", "Описание"))
    dc.store(news, "", reply_markup=url_buttons(Читать="https://e.org/b"))
    dc.store(
        news,
        "",
        reply_to=types.MessageReplyHeader(reply_to_msg_id=1, quote=True, quote_text="цитата"),
    )
    async with source.connected():
        channel, _ = await source.resolve(NEWS)
        page = await source.page(channel, None, 10)
    assert [post.extras for post in page.posts] == [
        (Extra("link", "https://example.org/a"),),
        (Extra("poll", "Вопрос?"), Extra("poll", "Да"), Extra("poll", "Нет")),
        (Extra("file", "план.pdf"),),
        (Extra("preview", "Заголовок"), Extra("preview", "Описание")),
        (Extra("button", "Читать"), Extra("button", "https://e.org/b")),
        (Extra("quote", "цитата"),),
    ]


async def test_posts_of_the_newer_kinds_give_their_text(dc, source, news):
    dc.store(news, "", rich_message=rich("Первый абзац.", "Второй эшелон."))
    items = [types.TodoItem(1, plain("Пункт")), types.TodoItem(2, plain("Ещё"))]
    dc.store(news, "", media=types.MessageMediaToDo(types.TodoList(plain("Дела"), items)))
    async with source.connected():
        channel, _ = await source.resolve(NEWS)
        page = await source.page(channel, None, 10)
    assert page.posts[0].text == "Первый абзац.\nВторой эшелон."
    assert page.posts[1].extras == tuple(Extra("list", t) for t in ("Дела", "Пункт", "Ещё"))


async def test_a_forward_keeps_its_channel_and_no_person(dc, source, news):
    origin = dc.add_channel("Origin", username="origin")
    dc.store(news, "a", fwd_from=forwarded(origin, 77), views=1200, forwards=5)
    dc.store(news, "b", fwd_from=forwarded(name="Secret Person"))
    async with source.connected():
        channel, _ = await source.resolve(NEWS)
        first, second = (await source.page(channel, None, 10)).posts
    assert (first.forward.channel_id, first.forward.message_id) == (origin.id, 77)
    assert (first.views, first.forwards) == (1200, 5)
    assert second.forward is not None
    assert "Secret" not in repr(second)


async def test_new_and_edited_posts_are_pushed(dc, source, news):
    async with source.connected():
        post = await dc.post(news, "новое")
        assert [p.text for p in await pushed(source)] == ["новое"]
        await dc.edit(news, post.id, "новее")
        (edited,) = await pushed(source)
    assert (edited.text, edited.edited_at is not None) == ("новее", True)


async def test_more_pushes_than_can_wait_become_a_hint(dc, source, news, monkeypatch):
    source._live = asyncio.Queue(1)
    async with source.connected():
        for number in range(3):
            await dc.post(news, f"{number}")
        await dc.wait_for(lambda: source._hints, 5)
        assert [p.text for p in await pushed(source)] == ["0"]
        assert source.hinted() == news.id
        assert source.hinted() is None


async def test_a_flood_wait_is_said_with_its_length(dc, source, news):
    async with source.connected():
        dc.fail("ResolveUsername", 420, "FLOOD_WAIT_30")
        with pytest.raises(Flooded) as flood:
            await source.resolve(NEWS)
    assert flood.value.seconds == 30


async def test_a_channel_made_private_is_refused_with_the_reason(dc, source):
    open_one = dc.add_channel("Open", username="open_one")
    async with source.connected():
        channel, _ = await source.resolve(Reference(username="open_one"))
        await dc.make_private(open_one)
        with pytest.raises(ChannelRefused, match="private now"):
            await source.page(channel, None, 10)


async def test_a_hanging_server_counts_as_lost(dc, source, news, monkeypatch):
    monkeypatch.setattr(telegram, "ANSWER_WITHIN", 0.3)
    async with source.connected():
        lost = asyncio.create_task(source.until_lost())
        dc.fault("ResolveUsername", "hang")
        with pytest.raises(SourceLost, match="does not answer"):
            await source.resolve(NEWS)
        with pytest.raises(SourceLost):
            await lost


async def test_a_cut_connection_is_lost_for_who_waits_and_who_asks(dc, source, news):
    async with source.connected():
        lost = asyncio.create_task(source.until_lost())
        dc.fault("ResolveUsername", "disconnect")
        with pytest.raises(SourceLost):
            await source.resolve(NEWS)
        with pytest.raises(SourceLost):
            await lost


async def test_cancelled_while_it_asks_it_is_cancelled(dc, source, news):
    async with source.connected():
        dc.fault("ResolveUsername", "hang")
        asking = asyncio.create_task(source.resolve(NEWS))
        await dc.wait_for(lambda: dc.calls_of("ResolveUsername"), 5)
        asking.cancel()
        await asyncio.wait([asking])
        assert asking.cancelled()


async def test_nothing_can_be_asked_while_it_is_not_connected(source, monkeypatch):
    monkeypatch.setattr(telegram, "UP_WITHIN", 0.05)
    with pytest.raises(SourceLost, match="not connected"):
        await source.resolve(NEWS)
    with pytest.raises(SourceLost, match="not connected"):
        await source._call(None)


async def test_a_revoked_session_says_to_log_in_again(dc, reader, source):
    dc.revoke(reader)
    with pytest.raises(SessionRefused, match="python -m bot login"):
        async with source.connected():
            pass


async def test_an_auth_key_that_the_server_forgot_says_to_log_in_again(dc, source):
    dc.forget_keys()
    with pytest.raises(SourceLost):
        async with source.connected():
            pass


async def test_a_server_that_is_not_there(dc, source):
    await dc.stop()
    with pytest.raises(SourceLost, match="connection to Telegram failed"):
        async with source.connected():
            pass


async def test_without_a_login_it_says_to_log_in(db, tmp_path):
    source = TelegramSource(Account(1, "x", tmp_path / "none.session"), db)
    with pytest.raises(SessionRefused, match=r"no login in .*: run `python -m bot login`"):
        async with source.connected():
            pass
    assert not (tmp_path / "none.session").exists()


async def test_a_session_file_is_used_kept_private_and_holds_no_people(
    dc, reader, db, news, tmp_path
):
    path = dc.session_file(tmp_path / "reader.session", reader)
    path.chmod(0o644)
    source = TelegramSource(Account(1, "x" * 32, path), db)
    async with source.connected():
        await source.resolve(NEWS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert b"News" not in path.read_bytes()
    assert await channels.access_hashes(db.reader, reader)


async def test_a_session_file_that_is_none(db, tmp_path):
    (tmp_path / "bad.session").write_text("this is no session at all, sorry")
    source = TelegramSource(Account(1, "x", tmp_path / "bad.session"), db)
    with pytest.raises(SourceLost, match="can't be used"):
        async with source.connected():
            pass


async def test_an_answer_nobody_foresaw_is_the_channels_trouble_alone(dc, source, news):
    async with source.connected():
        dc.fail("ResolveUsername", 400, "SOME_NEW_ERROR")
        with pytest.raises(ChannelRefused, match=r"Telegram answers .*SOME_NEW_ERROR"):
            await source.resolve(NEWS)
        channel, _ = await source.resolve(NEWS)
        dc.fail("GetHistory", 400, "ANOTHER_NEW_ERROR")
        with pytest.raises(ChannelRefused, match="ANOTHER_NEW_ERROR"):
            await source.page(channel, None, 10)
