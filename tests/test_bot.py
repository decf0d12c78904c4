"""What does the bot answer, to whom, and what can't stop it? Through the whole program."""

import asyncio

import pytest

from bot.access import Where, offered
from storage import chats
from storage.db import open_database
from storage.model import Role
from tests.bot_api import BotApi

# What an owner says in one go, and a part of each answer.
CONVERSATIONS = [
    [("/start", "Three steps to the first alert"), ("/help", "next to each other")],
    [("/channels", "No channel is watched yet"), ("/remove @news", "@news is not watched")],
    [("/add", "Which channel?"), ("/remove", "Not removed: “” names no channel")],
    [("/add @news @other_one", "Other (@other_one) is watched from now on")],
    [("/add @news", "is watched from now on"), ("/add t.me/news", "is watched already")],
    [("/add @news", "is watched from now on"), ("/channels", "✅ News (@news): complete up to")],
    [("/watchlists", "There is no watchlist yet"), ("/watchlist", "Which watchlist?")],
    [("/watchlist nope", "There is no watchlist nope"), ("/unwatch nope x", "no watchlist nope")],
    [("/watch", "a watchlist's name and a rule"), ("/watch rail", "name and a rule")],
    [("/watch ra!l эшелон", "letters a-z, digits")],
    [("/watch rail (эшелон", "is never closed"), ("/watchlists", "no watchlist yet")],
    [
        ("/watch rail эшелон", "rail looks for эшелон"),
        ("/watch RAIL эшелон", "rail looks already for эшелон"),
        ("/watchlist rail", "• эшелон"),
        ("/watchlists", "rail – 1 term"),
        ("/unwatch rail состав", "has no term состав"),
        ("/unwatch rail эшелон", "no longer looks for эшелон"),
        ("/watchlist rail", "no terms"),
    ],
    [("/watch x <b>&", "looks for <b>&"), ("/watchlist x", "• <b>&")],
    [("/watch x Гомель", "It finds also"), ("/watch x и", "⚠️"), ("/watch x =Гомель", "looks for")],
    [("/subscribe", "Which watchlist?"), ("/subscribe nope", "There is no watchlist nope")],
    [
        ("/watch rail эшелон", "/subscribe rail"),
        ("/subscribe rail noon", "is no schedule: write now, hourly"),
        ("/subscribe rail daily 8:05", "every day at 08:05 (UTC)"),
        ("/subscriptions", "rail: a digest every day at 08:05"),
        ("/subscribe rail hourly", "a digest every hour"),
        ("/subscribe rail", "every hit at once"),
        ("/watchlists", "this chat is told"),
        ("/unsubscribe rail", "no longer told of rail"),
        ("/unsubscribe rail", "was not told of rail"),
        ("/unsubscribe nope", "There is no watchlist nope"),
        ("/subscriptions", "told of nothing yet"),
    ],
    [("/digest", "Nothing that this chat was not told"), ("/digest nope", "no watchlist nope")],
    [("/digest lang:xx", "lang: takes be, ru, uk, pl, en")],
    [("/digest @nobody_here", "@nobody_here is not watched")],
    [("/digest учора", "Nothing · ")],
    [("/watch rail эшелон", "looks for"), ("/digest 6h rail", "Nothing of rail · ")],
    [("/status", "✅ Account 1: connected"), ("/status@test_bot", "Stored: 0 posts, 0 hits")],
]


@pytest.fixture
def news(dc, reader):
    dc.add_channel("Other", username="other_one")
    return dc.add_channel("News", username="news", members=[reader])


@pytest.mark.parametrize("conversation", CONVERSATIONS, ids=lambda c: c[-1][0])
async def test_an_owner_is_answered(program, dc, owner, news, conversation):
    async with program():
        await owner.send("/status")
        await owner.expect(text="Stored")
        await dc.wait_for(lambda: dc.online)
        for command, answer in conversation:
            said = await owner.send(command)
            if answer.startswith("✅"):  # comes true after a while
                while answer not in (await owner.expect(after=said))["text"]:
                    said = await owner.send(command)
            else:
                await owner.expect(text=answer, after=said)


@pytest.mark.parametrize("command", ["start", "add", "subscribe"])
@pytest.mark.parametrize("where", ["private", "group"])
async def test_nobody_else_is(program, api: BotApi, owner, news, command, where):
    eve = api.user(666, "Eve", started=True)
    chat = api.supergroup("Desk") if where == "group" else None
    async with program():
        await eve.send(f"/{command} rail эшелон", chat=chat)
        await eve.expect(text="closed team", chat=chat)
        await eve.send(f"/{command} @news", chat=chat)
        await owner.send("/status")
        await owner.expect(text="Stored: 0 posts")
        await owner.send("/watchlists")
        await owner.expect(text="no watchlist yet")
        await owner.send("/channels")
        await owner.expect(text="No channel is watched")
    heard = chat.messages if chat else eve.messages
    assert (
        sum("closed team" in m.get("text", "") for m in heard) == 1
    )  # it can't be made to chatter


async def test_an_owner_commands_in_a_group_and_its_topic(program, dc, api, owner, news):
    forum = api.supergroup("Desk", forum=True)
    thread = forum.topic("rail")
    async with program():
        await owner.send("/add @news")
        await owner.expect(text="is watched")
        await owner.send("/watch rail эшелон", chat=forum, thread=thread)
        await owner.expect(text="looks for", chat=forum)
        await owner.send("/subscribe rail", chat=forum, thread=thread)
        await owner.expect(text="is told of rail", chat=forum)
        await dc.post(news, "эшелон в теме")
        alert = await owner.expect(text="эшелон в теме", chat=forum)
    assert alert["message_thread_id"] == thread


async def test_the_command_menu_is_offered_to_owners_alone(program, api, owner, news):
    stranger = api.user(666, "Eve", started=True)
    await owner.send("/start")
    async with program():
        await owner.expect(text="Three steps")
        await api.wait_for(lambda: api.menu(owner))
    assert api.menu(owner) == [info.name for info in offered(Role.OWNER, Where.PRIVATE)]
    assert api.menu(stranger) == []


async def test_a_digest_tells_what_the_chat_was_not_told(program, dc, owner, news):
    async with program():
        for command in ("/add @news", "/watch rail эшелон", "/subscribe rail daily 03:33"):
            await owner.send(command)
        await owner.expect(text="is told of rail")
        await dc.post(news, "первый эшелон")
        await dc.post(news, "второй эшелон")
        await dc.wait_for(lambda: True)
        said = 0
        while True:  # the posts are on their way
            said = await owner.send("/digest")
            answer = await owner.expect(after=said, timeout=5)
            if "второй" in answer["text"]:
                break
        await owner.send("/digest")
        await owner.expect(text="Nothing that this chat was not told")
    told = "\n".join(m["text"] for m in owner.messages)
    assert told.count("первый эшелон") == 1


async def test_an_update_that_cannot_be_parsed_is_skipped(program, api, owner, news):
    async with program():
        api.push_raw({"message": {"message_id": "not a number", "chat": 5}})
        await owner.send("/start")
        await owner.expect(text="Three steps")


async def test_a_handler_that_fails_does_not_stop_the_next(program, api, owner, news, monkeypatch):
    async def broken(*_):
        raise RuntimeError("a fault in the program")

    monkeypatch.setattr("bot.handlers.status.posts.count", broken)
    async with program():
        await owner.send("/status")
        await owner.send("/start")
        await owner.expect(text="Three steps")


async def test_an_answer_that_telegram_refuses_does_not_stop_the_next(program, api, owner, news):
    async with program():
        api.fail("sendMessage", 400)
        await owner.send("/help")
        await owner.send("/start")
        await owner.expect(text="Three steps")


async def test_polling_outlives_the_bot_api(program, api, owner, news):
    api.fail("getUpdates", 502, html=True)
    api.fail("getUpdates", 500)
    api.fail("getUpdates", 429, retry_after=1)
    async with program():
        await owner.send("/start")
        await owner.expect(text="Three steps", timeout=15)


async def test_a_chat_that_comes_back_gets_what_was_kept(program, dc, api, owner, news, tmp_path):
    ann = api.supergroup("Desk")
    async with program():
        for command in ("/add @news", "/watch rail эшелон", "/subscribe rail"):
            await owner.send(command, chat=ann)
        await owner.expect(text="is told of rail", chat=ann)
        api.kick(ann)
        await dc.post(news, "эшелон для всех")
        await owner.send("/status")
        while True:
            said = await owner.send("/status")
            answer = await owner.expect(text="Stored", after=said)
            if "1 hit" in answer["text"] and "can't be written to" in answer["text"]:
                break
            await asyncio.sleep(0.05)
        api.unblock(ann)
        await owner.expect(text="эшелон для всех", chat=ann)


async def test_a_group_that_becomes_a_supergroup_is_followed(
    program, dc, api, owner, news, tmp_path
):
    group = api.group("Desk")
    async with program():
        for command in ("/add @news", "/watch rail эшелон", "/subscribe rail"):
            await owner.send(command, chat=group)
        await owner.expect(text="is told of rail", chat=group)
        new = api.migrate(group)
        await dc.post(news, "эшелон переехал")
        await owner.expect(text="эшелон переехал", chat=new)
    async with open_database(tmp_path / "watch.db") as db:
        assert await chats.paused(db.reader) == []
