"""Does the local Bot API server behave as Telegram's, seen by a real aiogram bot?"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiogram import Bot, Dispatcher
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.filters import Command
from aiogram.types import (
    BotCommand,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    BotCommandScopeChatAdministrators,
    BufferedInputFile,
    CallbackQuery,
    ChatMemberUpdated,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaDocument,
    LinkPreviewOptions,
    MediaUnion,
    Message,
    ReplyParameters,
)

from tests.bot_api import ApiError, Bell, BotApi, Json, Pace, formatted, units


@pytest.fixture
async def api() -> AsyncIterator[BotApi]:
    async with BotApi() as server:
        yield server


@pytest.fixture
async def bot(api: BotApi) -> AsyncIterator[Bot]:
    async with connected(api) as client:
        yield client


@asynccontextmanager
async def connected(api: BotApi, token: str = "") -> AsyncIterator[Bot]:
    session = AiohttpSession(api=TelegramAPIServer.from_base(api.url))
    try:
        yield Bot(token or api.token, session=session)
    finally:
        await session.close()


def keyboard(text: str, data: str) -> InlineKeyboardMarkup:
    button = InlineKeyboardButton(text=text, callback_data=data)
    return InlineKeyboardMarkup(inline_keyboard=[[button]])


def kinds(entities: list[Json]) -> list[tuple[str, int, int]]:
    return [(e["type"], e["offset"], e["length"]) for e in entities]


async def fetch(api: BotApi, method: str, **params: object) -> tuple[int, Json]:
    """A call without aiogram: the status and the JSON."""
    async with aiohttp.ClientSession() as session:
        url = f"{api.url}/bot{api.token}/{method}"
        async with session.post(url, json=params) as response:
            return response.status, await response.json()


async def messages(bot: Bot) -> list[Message]:
    """The messages among the updates that wait."""
    return [update.message for update in await bot.get_updates() if update.message]


# ---- a conversation


def talkative() -> Dispatcher:
    """A bot with a command, a button and an ear for being thrown out."""
    dispatcher = Dispatcher()

    @dispatcher.message(Command("start"))
    async def start(message: Message) -> None:
        await message.answer("<b>Hello</b>", parse_mode="HTML", reply_markup=keyboard("Yes", "y"))

    @dispatcher.callback_query()
    async def pressed(query: CallbackQuery) -> None:
        await query.answer("noted")
        assert isinstance(query.message, Message)
        await query.message.edit_text(f"chosen: {query.data}")

    @dispatcher.my_chat_member()
    async def moved(event: ChatMemberUpdated, bot: Bot) -> None:
        await bot.send_message(1, f"{event.chat.id}: {event.new_chat_member.status}")

    return dispatcher


@asynccontextmanager
async def running(dispatcher: Dispatcher, bot: Bot) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        polling = dispatcher.start_polling(bot, handle_signals=False, close_bot_session=False)
        task = tasks.create_task(polling)
        try:
            yield
        finally:
            await dispatcher.stop_polling()
            await task


async def test_a_person_starts_the_bot_presses_a_button_and_sees_the_edit(
    api: BotApi, bot: Bot
) -> None:
    ann = api.user(1, "Ann")

    async with running(talkative(), bot):
        await ann.send("/start")
        greeting = await ann.expect("Hello", reply_markup=True)
        query = await ann.press("Yes")
        answer = await api.answer(query)
        edited = await ann.expect("chosen: y", reply_markup=False)

    assert answer["text"] == "noted"
    assert edited["message_id"] == greeting["message_id"]
    assert kinds(api.sent[0].message["entities"]) == [("bold", 0, 5)]


async def test_a_command_in_a_group_may_name_the_bot_and_one_for_another_bot_is_not_shown(
    api: BotApi, bot: Bot
) -> None:
    ann, group = api.user(1, "Ann"), api.supergroup("Desk")

    async with running(talkative(), bot):
        await ann.send("/start@other_bot", chat=group)
        await ann.send("just talking", chat=group)
        await ann.send("/start@test_bot", chat=group)
        await ann.expect("Hello", chat=group)

    assert api._update_id == 1
    assert len(group.messages) == 1


async def test_the_bot_is_told_when_a_chat_throws_it_out_and_lets_it_back(
    api: BotApi, bot: Bot
) -> None:
    ann = api.user(1, "Ann", started=True)
    group = api.supergroup("Desk")

    async with running(talkative(), bot):
        api.kick(group)
        await ann.expect(f"{group.id}: kicked")
        with pytest.raises(TelegramForbiddenError, match="bot was kicked from the supergroup chat"):
            await bot.send_message(group.id, "are you there?")
        api.unblock(group)
        await ann.expect(f"{group.id}: member")

    await bot.send_message(group.id, "back again")
    await group.expect("back again")


async def test_an_update_that_aiogram_cannot_parse_is_there_until_the_offset_passes_it(
    api: BotApi, bot: Bot
) -> None:
    api.push_raw({"message": {"message_id": "not a number"}})
    with pytest.raises(ClientDecodeError):
        await bot.get_updates()

    await api.user(1).send("fine")
    updates = await bot.get_updates(offset=2)

    assert [update.message.text for update in updates if update.message] == ["fine"]
    assert len(api.updates) == 1


# ---- chats


async def test_a_stranger_cannot_be_written_to(api: BotApi, bot: Bot) -> None:
    group = api.group("Desk")
    bob = api.user(2, "Bob")
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await bot.send_message(2, "hi")

    await bob.send("/help", chat=group)

    with pytest.raises(TelegramForbiddenError, match="can't initiate conversation"):
        await bot.send_message(2, "hi")


async def test_a_blocked_bot_is_refused_until_it_is_unblocked(api: BotApi, bot: Bot) -> None:
    ann = api.user(1, "Ann", started=True)

    api.block(ann)
    with pytest.raises(TelegramForbiddenError, match="bot was blocked by the user"):
        await bot.send_message(1, "hi")
    api.unblock(ann)
    await bot.send_message(1, "hi again")

    updates = [update.my_chat_member for update in await bot.get_updates()]
    assert [u.new_chat_member.status for u in updates if u] == ["kicked", "member"]
    assert [m["text"] for m in ann.messages] == ["hi again"]


async def test_a_topic_takes_messages_and_an_unknown_one_does_not(api: BotApi, bot: Bot) -> None:
    forum = api.supergroup("Desk", forum=True)
    rails = forum.topic("Rails")
    ann = api.user(1, "Ann")
    await ann.send("/why", chat=forum, thread=rails)

    sent = await bot.send_message(forum.id, "alert", message_thread_id=rails)
    with pytest.raises(TelegramBadRequest, match="message thread not found"):
        await bot.send_message(forum.id, "alert", message_thread_id=rails + 99)

    opened, asked = await messages(bot)
    assert (sent.message_thread_id, sent.is_topic_message) == (rails, True)
    assert opened.forum_topic_created is not None
    assert asked.message_thread_id == rails
    forum.delete_topic(rails)
    with pytest.raises(TelegramBadRequest, match="message thread not found"):
        await bot.send_message(forum.id, "alert", message_thread_id=rails)


async def test_a_group_that_becomes_a_supergroup_says_where_it_went(api: BotApi, bot: Bot) -> None:
    old = api.group("Desk")

    new = api.migrate(old)

    with pytest.raises(TelegramMigrateToChat) as refused:
        await bot.send_message(old.id, "hi")
    leaving, coming = await messages(bot)
    assert refused.value.migrate_to_chat_id == new.id
    assert (leaving.chat.id, leaving.migrate_to_chat_id) == (old.id, new.id)
    assert (coming.chat.id, coming.migrate_from_chat_id) == (new.id, old.id)
    assert (await bot.send_message(new.id, "hi")).chat.type == "supergroup"


async def test_an_anonymous_admin_speaks_as_the_group(api: BotApi, bot: Bot) -> None:
    group = api.supergroup("Desk")

    await api.user(1, "Ann").send("/status", chat=group, anonymous=True)

    (command,) = await messages(bot)
    assert command.from_user is not None
    assert command.sender_chat is not None
    assert command.from_user.username == "GroupAnonymousBot"
    assert command.sender_chat.id == group.id


async def test_a_channel_takes_posts_only_from_an_administrator(api: BotApi, bot: Bot) -> None:
    channel = api.channel("News", username="news")
    posted = await bot.send_message("@news", "post")

    api.set_bot(channel, "member")

    assert posted.from_user is None
    with pytest.raises(TelegramBadRequest, match="need administrator rights"):
        await bot.send_message(channel.id, "post")


async def test_members_have_the_status_they_were_given(api: BotApi, bot: Bot) -> None:
    group = api.supergroup("Desk", bot="administrator")
    ann, bob = api.user(1, "Ann"), api.user(2, "Bob")
    group.members |= {ann.id: "creator"}

    about = await bot.get_chat(group.id)
    asked = [ann.id, bob.id, bot.id]
    statuses = [(await bot.get_chat_member(group.id, user)).status for user in asked]

    assert about.title == "Desk"
    assert statuses == ["creator", "left", "administrator"]
    assert [m.user.id for m in await bot.get_chat_administrators(group.id)] == [ann.id]


# ---- what a message carries


async def test_a_message_remembers_how_it_was_sent(api: BotApi, bot: Bot) -> None:
    ann = api.user(1, "Ann")
    question = await ann.send("/digest")

    await bot.send_message(
        1,
        "answer",
        disable_notification=True,
        protect_content=True,
        link_preview_options=LinkPreviewOptions(is_disabled=True),
        reply_parameters=ReplyParameters(message_id=question),
    )

    seen = await ann.expect("answer", disable_notification=True, has_protected_content=True)
    assert seen["link_preview_options"]["is_disabled"] is True
    assert seen["reply_to_message"]["text"] == "/digest"
    with pytest.raises(TelegramBadRequest, match="message to be replied not found"):
        await bot.send_message(1, "?", reply_parameters=ReplyParameters(message_id=999))


async def test_files_go_both_ways(api: BotApi, bot: Bot) -> None:
    ann = api.user(1, "Ann")
    await ann.upload("lists.yaml", b"watchlists: []", caption="here")
    (uploaded,) = await messages(bot)
    assert uploaded.document is not None

    received = await bot.download(uploaded.document)
    chart = BufferedInputFile(b"png", "chart.png")
    photo = await bot.send_photo(1, chart, caption="<i>c</i>", parse_mode="HTML")
    album: list[MediaUnion] = [
        InputMediaDocument(media=BufferedInputFile(b"%d" % n, f"{n}.csv")) for n in range(2)
    ]
    pair = await bot.send_media_group(1, album)

    assert received is not None
    assert received.read() == b"watchlists: []"
    assert photo.photo
    assert photo.caption == "c"
    assert len({message.media_group_id for message in pair}) == 1
    last = pair[1].document
    assert last is not None
    assert api.files[last.file_id] == ("1.csv", b"1")


async def test_an_edit_that_changes_nothing_is_refused(api: BotApi, bot: Bot) -> None:
    api.user(1, started=True)
    sent = await bot.send_message(1, "one", reply_markup=keyboard("a", "a"))

    await sent.edit_text("two", reply_markup=keyboard("a", "a"))

    with pytest.raises(TelegramBadRequest, match="message is not modified"):
        await sent.edit_text("two", reply_markup=keyboard("a", "a"))
    await sent.edit_reply_markup(reply_markup=None)
    with pytest.raises(TelegramBadRequest, match="message is not modified"):
        await sent.edit_text("two")
    await sent.delete()
    with pytest.raises(TelegramBadRequest, match="message to edit not found"):
        await sent.edit_text("three")


async def test_a_callback_query_is_answered_once(api: BotApi, bot: Bot) -> None:
    ann = api.user(1, "Ann", started=True)
    await bot.send_message(1, "?", reply_markup=keyboard("Yes", "y" * 64))
    query = await ann.press("Yes")

    await bot.answer_callback_query(query)

    with pytest.raises(TelegramBadRequest, match="query is too old"):
        await bot.answer_callback_query(query)
    with pytest.raises(TelegramBadRequest, match="BUTTON_DATA_INVALID"):
        await bot.send_message(1, "?", reply_markup=keyboard("Yes", "ж" * 33))
    with pytest.raises(AssertionError, match="no button 'No'"):
        await ann.press("No")


async def test_menus_are_kept_by_scope_and_language(api: BotApi, bot: Bot) -> None:
    ann = api.user(1, "Ann", started=True, language="uk")
    group = api.supergroup("Desk")
    help_, why, team = (BotCommand(command=c, description=c) for c in ("help", "why", "team"))

    await bot.set_my_commands([help_])
    await bot.set_my_commands([why], BotCommandScopeAllPrivateChats(), "uk")
    await bot.set_my_commands([team], BotCommandScopeChatAdministrators(chat_id=group.id))

    assert [command.command for command in await bot.get_my_commands()] == ["help"]
    assert api.menu(ann) == ["why"]
    assert api.menu(ann, group) == ["help"]
    group.members[1] = "administrator"
    assert api.menu(ann, group) == ["team"]
    await bot.delete_my_commands(BotCommandScopeAllPrivateChats(), "uk")
    assert api.menu(ann) == ["help"]
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await bot.set_my_commands([why], BotCommandScopeChat(chat_id=404))


# ---- text


@pytest.mark.parametrize(
    ("html", "text", "entities"),
    [
        ("plain &lt;&amp;&quot;&#33;&#x1F600; &nbsp;", 'plain <&"!😀 &nbsp;', []),
        ("😀<b>x</b>", "😀x", [("bold", 2, 1)]),
        ("<b>a<i>b</i></b>", "ab", [("bold", 0, 1), ("bold", 1, 1), ("italic", 1, 1)]),
        ("<b>a</b><strong>b</strong>", "ab", [("bold", 0, 2)]),
        ("<b></b>x", "x", []),
        ("  <u> a </u>\n", "a", [("underline", 0, 1)]),
        ("<b>a\n</b>", "a", [("bold", 0, 1)]),
        ("a <b> </b>b", "a  b", []),
        ("<code>a <b>b</b></code>", "a b", [("code", 0, 3)]),
        ('<pre><code class="language-py">x</code></pre>', "x", [("pre", 0, 1)]),
        ("<blockquote expandable>a</blockquote>", "a", [("expandable_blockquote", 0, 1)]),
        (
            "<blockquote>a<blockquote>b</blockquote></blockquote>",
            "ab",
            [("blockquote", 0, 2)],
        ),
        ('<span class="tg-spoiler">x</span>', "x", [("spoiler", 0, 1)]),
        ("<tg-spoiler>x</tg-spoiler>", "x", [("spoiler", 0, 1)]),
        ('<tg-emoji emoji-id="5368">👍</tg-emoji>', "👍", [("custom_emoji", 0, 2)]),
        ('<a href="https://t.me/x/1?a=1&amp;b=2">x</a>', "x", [("text_link", 0, 1)]),
        ('<a href="tg://user?id=5">x</a>', "x", [("text_mention", 0, 1)]),
        ('<a href="javascript:alert(1)">x</a>', "x", []),
        ("<A HREF='https://t.me'>x</>", "x", [("text_link", 0, 1)]),
    ],
)
def test_html_reads_as(html: str, text: str, entities: list[tuple[str, int, int]]) -> None:
    read, found = formatted(html, "HTML", None)
    assert (read, kinds(found)) == (text, entities)


@pytest.mark.parametrize(
    ("html", "why"),
    [
        ("a < b", 'Unsupported start tag "" at byte offset 2'),
        ("ж<h1>x</h1>", 'Unsupported start tag "h1" at byte offset 2'),
        ("a<br/>b", 'Unsupported start tag "br/" at byte offset 1'),
        ("<!-- x -->", 'Unsupported start tag "!--" at byte offset 0'),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b><i>x</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ("x <b", "Unclosed start tag at byte offset 2"),
        ('<a href="x', "Unclosed start tag at byte offset 0"),
        ("<a href=x/y>x</a>", "Unexpected end of name token at byte offset 8"),
        ('<a ="x">x</a>', 'Empty attribute name in the tag "a" at byte offset 0'),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
        ('<tg-emoji emoji-id="x">x</tg-emoji>', "Invalid custom emoji identifier specified"),
    ],
)
def test_html_is_refused_as(html: str, why: str) -> None:
    with pytest.raises(ApiError) as refused:
        formatted(html, "HTML", None)
    assert refused.value.description == f"Bad Request: can't parse entities: {why}"


def test_arguments_of_entities_are_kept() -> None:
    pre = '<pre><code class="language-py">x</code></pre>'
    link = '<a href="HTTPS://T.ME?x=1&amp;y">x</a>'
    _, entities = formatted(f"{pre} {link} <a href='tg://user?id=5'>y</a>", "HTML", None)
    assert [{**e} for e in entities] == [
        {"type": "pre", "offset": 0, "length": 1, "language": "py"},
        {"type": "text_link", "offset": 2, "length": 1, "url": "https://t.me/?x=1&y"},
        {"type": "text_mention", "offset": 4, "length": 1, "user": {"id": 5}},
    ]


def test_only_the_first_hundred_entities_count() -> None:
    _, entities = formatted("<b>x</b> " * 101, "HTML", None)
    assert kinds(entities)[-1] == ("bold", 198, 1)


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("😀" * 2048, None),
        ("<b>" + "x" * 4096 + "</b> \n", None),
        ("😀" * 2048 + "x", "message is too long"),
        ("<b> </b>", "text must be non-empty"),
        ("\u200b", "text must be non-empty"),
    ],
)
async def test_length_is_counted_in_utf16_after_entities(
    api: BotApi, bot: Bot, text: str, refusal: str | None
) -> None:
    api.user(1, started=True)
    if refusal is None:
        sent = await bot.send_message(1, text, parse_mode="HTML")
        assert units(sent.text or "") == 4096
    else:
        with pytest.raises(TelegramBadRequest, match=refusal):
            await bot.send_message(1, text, parse_mode="HTML")


async def test_a_caption_is_shorter(api: BotApi, bot: Bot) -> None:
    api.user(1, started=True)
    chart = BufferedInputFile(b"png", "chart.png")

    await bot.send_photo(1, chart, caption="x" * 1024)

    with pytest.raises(TelegramBadRequest, match="message caption is too long"):
        await bot.send_photo(1, chart, caption="x" * 1025)


async def test_text_that_looks_like_json_stays_text(api: BotApi, bot: Bot) -> None:
    ann = api.user(1, started=True)
    await bot.send_message(1, "[1]")
    await ann.expect("[1]")


# ---- limits


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def refused(pace: Pace, chat_id: int, *, group: bool = False) -> int:
    """Seconds to wait; 0 if the message was let through."""
    try:
        pace.check(chat_id, group)
    except ApiError as error:
        return error.parameters["retry_after"]
    return 0


def test_a_chat_takes_a_short_burst_then_one_a_second() -> None:
    clock = Clock()
    pace = Pace(clock=clock)

    assert [refused(pace, 1) for _ in range(5)] == [0, 0, 0, 1, 1]
    clock.now = 0.9
    assert refused(pace, 1) == 1
    clock.now = 1.0
    assert [refused(pace, 1) for _ in range(2)] == [0, 1]


def test_a_group_takes_twenty_a_minute() -> None:
    clock = Clock()
    pace = Pace(clock=clock)

    for second in range(20):
        clock.now = float(second)
        assert refused(pace, -1, group=True) == 0

    clock.now = 20.0
    assert refused(pace, -1, group=True) == 40
    clock.now = 60.0
    assert refused(pace, -1, group=True) == 0


def test_all_chats_together_take_thirty_a_second() -> None:
    clock = Clock()
    pace = Pace(clock=clock)

    assert [refused(pace, chat) for chat in range(1, 32)] == [0] * 30 + [1]
    clock.now = 1.0
    assert refused(pace, 31) == 0


async def test_limits_answer_429_and_every_send_is_on_record(api: BotApi, bot: Bot) -> None:
    api.user(1, started=True)
    api.limits = True
    started = time.monotonic()

    for _ in range(3):
        await bot.send_message(1, "x")
    with pytest.raises(TelegramRetryAfter) as refusal:
        await bot.send_message(1, "x")

    assert refusal.value.retry_after == 1
    assert [chat_id for _, chat_id, _ in api.sent] == [1, 1, 1]
    assert all(started <= at <= time.monotonic() for at, _, _ in api.sent)


# ---- faults


@pytest.mark.parametrize(
    ("kind", "details", "error", "happened"),
    [
        (429, {"retry_after": 7}, TelegramRetryAfter, False),
        (500, {}, TelegramServerError, False),
        (403, {}, TelegramForbiddenError, False),
        (400, {"description": "Bad Request: no"}, TelegramBadRequest, False),
        (502, {"html": True}, ClientDecodeError, False),
        ("drop", {}, TelegramNetworkError, False),
        ("lost", {}, TelegramNetworkError, True),
    ],
)
async def test_a_fault_hits_once_and_has_its_effect_or_not(
    api: BotApi, bot: Bot, kind: int | str, details: Json, error: type[Exception], happened: bool
) -> None:
    ann = api.user(1, started=True)
    api.fail("sendMessage", kind, **details)  # type: ignore[arg-type]

    with pytest.raises(error):
        await bot.send_message(1, "first")
    await bot.send_message(1, "second")

    assert [m["text"] for m in ann.messages] == ["first"] * happened + ["second"]


async def test_a_call_that_hangs_has_no_effect_once_the_client_has_left(
    api: BotApi, bot: Bot
) -> None:
    ann = api.user(1, started=True)
    api.fail("sendMessage", "hang")

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await bot.send_message(1, "never")
    await bot.send_message(1, "next")

    assert [m["text"] for m in ann.messages] == ["next"]
    assert len(api.called("sendMessage")) == 2


async def test_a_slow_call_is_answered_late(api: BotApi, bot: Bot) -> None:
    ann = api.user(1, started=True)
    api.fail("send*", "hang", seconds=0.05, chat_id=1)
    started = time.monotonic()

    await bot.send_message(1, "late")

    assert time.monotonic() - started >= 0.05
    await ann.expect("late")


async def outcomes(api: BotApi, bot: Bot, seed: int) -> list[str]:
    api.heal()
    api.chaos(random.Random(seed), rate429=0.2, rate5xx=0.2, html502=0.1, drop=0.1, lost=0.1)
    seen = []
    for _ in range(40):
        try:
            await bot.send_message(1, "x")
        except (TelegramRetryAfter, TelegramServerError, TelegramNetworkError) as error:
            seen.append(type(error).__name__)
        except ClientDecodeError:
            seen.append("html")
        else:
            seen.append("sent")
    return seen


async def test_chaos_repeats_with_its_seed(api: BotApi, bot: Bot) -> None:
    api.user(1, started=True)

    first, second = await outcomes(api, bot, 7), await outcomes(api, bot, 7)

    assert first == second
    assert len(set(first)) == 5
    api.heal()
    await bot.send_message(1, "calm")


# ---- polling


async def test_a_wrong_token_is_refused(api: BotApi) -> None:
    async with connected(api, "123456:WRONG") as stranger:
        with pytest.raises(TelegramUnauthorizedError):
            await stranger.get_me()


async def test_an_unknown_method_is_not_found(api: BotApi) -> None:
    status, answer = await fetch(api, "sendDreams")
    assert (status, answer["description"]) == (404, "Not Found: method not found")
    assert (await fetch(api, "_send"))[0] == 404


async def test_a_parameter_that_is_no_json_is_refused(api: BotApi) -> None:
    status, answer = await fetch(api, "sendMessage", chat_id=1, text="x", reply_markup="{bad")
    assert (status, answer["description"]) == (
        400,
        "Bad Request: can't parse reply_markup JSON object",
    )


async def test_a_newer_poll_ends_the_older_with_a_conflict(api: BotApi, bot: Bot) -> None:
    async with asyncio.TaskGroup() as tasks:
        older = tasks.create_task(polled(bot))
        await api.wait_for(lambda: api.polling)
        newer = tasks.create_task(bot.get_updates(timeout=30))
        assert await older == "conflict"
        await api.user(1).send("hi")

    assert len(newer.result()) == 1


async def test_a_poll_is_ended_early_when_its_time_is_said_to_be_over(
    api: BotApi, bot: Bot
) -> None:
    async with asyncio.TaskGroup() as tasks:
        poll = tasks.create_task(bot.get_updates(timeout=30))
        await api.wait_for(lambda: api.polling)
        api.end_poll()

    assert poll.result() == []


async def polled(bot: Bot) -> str:
    try:
        await bot.get_updates(timeout=30)
    except TelegramConflictError:
        return "conflict"
    return "updates"


async def test_an_offset_acknowledges_and_without_it_updates_come_again(
    api: BotApi, bot: Bot
) -> None:
    ann = api.user(1)
    for text in ("one", "two", "three"):
        await ann.send(text)

    again = [len(await bot.get_updates(limit=2)) for _ in range(2)]
    rest = await bot.get_updates(offset=3)

    assert again == [2, 2]
    assert [update.update_id for update in rest] == [3]
    assert await bot.get_updates(offset=4) == []
    assert api.updates == []


async def test_updates_the_bot_does_not_want_are_not_kept(api: BotApi, bot: Bot) -> None:
    ann = api.user(1)
    await ann.send("before it said so")
    await bot.get_updates(allowed_updates=["my_chat_member"])

    await ann.send("after")
    api.block(ann)

    kept = [update.event_type for update in await bot.get_updates()]
    assert kept == ["message", "my_chat_member"]


A_BOT = """
import json, os, urllib.request

def call(method, **params):
    url = f"{os.environ['BOT_API_URL']}/bot{os.environ['BOT_TOKEN']}/{method}"
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(params).encode(), headers)
    with urllib.request.urlopen(request) as response:
        return json.load(response)["result"]

offset = 0
while True:
    for update in call("getUpdates", offset=offset, timeout=60):
        offset = update["update_id"] + 1
        message = update["message"]
        call("sendMessage", chat_id=message["chat"]["id"], text="echo " + message["text"])
"""


@asynccontextmanager
async def bot_process(api: BotApi) -> AsyncIterator[asyncio.subprocess.Process]:
    env = os.environ | {"BOT_API_URL": api.url, "BOT_TOKEN": api.token}
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", A_BOT, env=env)
    try:
        yield process
    finally:
        process.kill()
        await process.wait()


async def test_a_bot_killed_in_a_send_or_in_a_poll_is_replaced_by_a_new_one(
    api: BotApi, bot: Bot
) -> None:
    ann = api.user(1)
    api.fail("sendMessage", "hang")
    await ann.send("one")
    async with bot_process(api):
        await api.wait_for(lambda: api.called("sendMessage"), timeout=20)
    async with bot_process(api):
        await ann.expect("echo one", timeout=20)
        await api.wait_for(lambda: api.polling)
    await api.wait_for(lambda: not api.polling)

    await ann.send("two")

    assert [message.text for message in await messages(bot)] == ["two"]
    assert [m["text"] for m in ann.messages] == ["echo one"]


async def test_a_server_that_was_down_comes_back_at_its_address_with_all_it_knew() -> None:
    api = BotApi()
    await api.start()
    ann = api.user(1, started=True)
    async with connected(api) as bot:
        await bot.send_message(1, "before")
        async with asyncio.TaskGroup() as tasks:
            poll = tasks.create_task(lost_poll(bot))
            await api.wait_for(lambda: api.polling)
            await api.stop()
            assert await poll
        with pytest.raises(TelegramNetworkError):
            await bot.send_message(1, "while down")
        await api.start()
        await bot.send_message(1, "after")
    await api.stop()

    assert [m["text"] for m in ann.messages] == ["before", "after"]


async def lost_poll(bot: Bot) -> bool:
    try:
        await bot.get_updates(timeout=30)
    except TelegramNetworkError:
        return True
    return False


# ---- waiting


async def test_waiting_wakes_on_events_and_not_by_the_clock() -> None:
    bell = Bell()
    asked = 0

    def check() -> bool:
        nonlocal asked
        asked += 1
        return asked == 3

    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(bell.until(check, 5))
        for _ in range(2):
            await asyncio.sleep(0.03)
            bell.ring()

    assert waiting.result() is True
    assert asked == 3


async def test_waiting_in_vain_says_what_was_seen(api: BotApi, bot: Bot) -> None:
    ann = api.user(1, "Ann", started=True)
    await bot.send_message(1, "something else")

    with pytest.raises(AssertionError, match="something else"):
        await ann.expect("this", timeout=0.01)
    with pytest.raises(AssertionError, match="sendMessage"):
        await api.wait_for(lambda: False, timeout=0.01)
