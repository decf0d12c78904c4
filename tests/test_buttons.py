"""Do the buttons under an alert do what they say, for those who may press them, and nothing else?"""

import asyncio
from datetime import timedelta

import pytest

from bot import keyboards
from bot.keyboards import Hush, Menu, Open, Period, Pick, Say, Show, View
from bot.pressed import FOREIGN
from storage import chats, mutes, outbox, posts, verdicts
from storage.model import Chat, Delivery, DeliveryKind, Mutable
from tests import make
from tests.bot_api import buttons
from tests.conftest import OWNER

BOB = 2


@pytest.fixture
def ann(api, owner):
    return api.user(OWNER, "Ann", started=True)


@pytest.fixture
def bob(api):
    return api.user(BOB, "Bob", started=True)


async def press(api, user, label, chat=None, message=None):
    """The toast."""
    answer = await api.answer(await user.press(label, message, chat=chat))
    return answer.get("text", "")


async def forge(api, user, data, chat=None, **fields):
    """A tap on a button that was never sent; the toast."""
    chat = chat or user.chat
    fake = chat.messages[-1] if chat.messages else {"message_id": 1, "chat": chat.about, "date": 0}
    query = str(len(api.callbacks) + 1)
    api.callbacks[query] = None
    about = {"id": query, "from": user.about, "chat_instance": "1", "message": fake, "data": data}
    api.push_raw({"callback_query": {k: v for k, v in (about | fields).items() if v is not None}})
    return (await api.answer(query)).get("text", "")


def labels(message):
    return [button["text"] for button in buttons(message)]


async def nothing_done(db):
    for table in ("verdicts", "mutes"):
        ((number,),) = await db.reader.execute_fetchall(f"SELECT count(*) FROM {table}")
        assert number == 0


def test_every_button_fits_whatever_the_ids():
    big = 2**63 - 1
    what = Mutable.WATCHLIST
    for keyboard in (keyboards.under_alert(big, 99, 99), keyboards.how_long(-big, what, -big)):
        for row in keyboard.inline_keyboard:
            for button in row:
                assert len(button.callback_data.encode()) <= 64


# ---- verdicts


async def test_a_verdict_is_kept_for_each_hit_and_shown(talking, api, ann, db, owe):
    async with talking():
        await owe(lists=(1, 2))
        sent = await ann.expect("эшелон")
        assert labels(sent) == ["👍 Useful", "👎 Noise", "🔕 Mute", "⋯ More"]
        assert "useful" in await press(api, ann, "👍 Useful")
        shown = await ann.expect("👍 Ann")
    assert labels(shown)[:2] == ["👍 Useful 1", "👎 Noise"]
    rows = await db.reader.execute_fetchall("SELECT term_id, person, useful FROM verdicts")
    assert [tuple(row) for row in rows] == [(1, "Ann", 1), (2, "Ann", 1)]


async def test_a_verdict_can_be_changed_and_a_second_one_shows_beside_it(
    talking, api, ann, bob, db, owe
):
    desk = api.supergroup("Desk")
    async with talking(owners=(OWNER, BOB)):
        await owe(chat=desk.id)
        await ann.expect("эшелон", chat=desk)
        await press(api, ann, "👍 Useful", desk)
        await desk.expect("👍 Ann")
        assert "noise" in await press(api, bob, "👎 Noise", desk)
        both = await desk.expect("👍 Ann · 👎 Bob")
        assert labels(both)[:2] == ["👍 Useful 1", "👎 Noise 1"]
        await press(api, ann, "👎 Noise 1", desk)
        changed = await desk.expect("👎 Ann · 👎 Bob")
    assert labels(changed)[:2] == ["👍 Useful", "👎 Noise 2"]
    assert len(desk.messages) == 1


async def test_two_persons_alerts_of_one_post_show_both_verdicts(talking, api, ann, bob, db, owe):
    async with talking(owners=(OWNER, BOB)):
        await owe()
        await ann.expect("эшелон")
        async with db.transaction() as tx:  # Bob is told of the same hit
            told = Delivery(BOB, DeliveryKind.ALERT, make.NOON, (make.hit("эшелон", "эшелон"),))
            await outbox.add(tx, told, make.NOON)
        await press(api, ann, "👍 Useful")
        await bob.expect("👍 Ann")
        await press(api, bob, "👎 Noise")
        await ann.expect("👍 Ann · 👎 Bob")


async def test_said_twice_it_changes_nothing(talking, api, ann, db, owe):
    async with talking():
        id = await owe()
        await ann.expect("эшелон")
        await press(api, ann, "👍 Useful")
        await ann.expect("👍 Ann")
        await press(api, ann, "👍 Useful 1")
    ((changes,),) = await db.reader.execute_fetchall(
        "SELECT changes FROM outbox WHERE id = ?", (id,)
    )
    assert changes == 1


async def test_a_persons_name_cannot_spoil_the_message(talking, api, db, owe):
    eve = api.user(OWNER, "<b>\u202eEve\n&" + "x" * 100, started=True)
    async with talking():
        await owe()
        await eve.expect("эшелон")
        await press(api, eve, "👍 Useful")
        shown = await eve.expect("👍 <b>Eve &xx")
    assert "\u202e" not in shown["text"]
    ((person,),) = await db.reader.execute_fetchall("SELECT person FROM verdicts")
    assert len(person) == 32


# ---- mutes


async def test_the_keyboard_asks_what_and_how_long_and_leads_back(talking, api, ann, owe):
    async with talking():
        await owe(lists=(1, 2))
        sent = await ann.expect("эшелон")
        usual = labels(sent)
        await press(api, ann, "🔕 Mute")
        assert labels(ann.messages[-1]) == [
            "term эшелон",
            "term эшелон",
            "watchlist list1",
            "watchlist list2",
            "channel News",
            "‹ Back",
        ]
        await press(api, ann, "channel News")
        assert labels(ann.messages[-1]) == ["1 h", "8 h", "until tomorrow", "for good", "‹ Back"]
        await press(api, ann, "‹ Back")
        assert "channel News" in labels(ann.messages[-1])
        await press(api, ann, "‹ Back")
        assert labels(ann.messages[-1]) == usual


@pytest.mark.parametrize(
    ("label", "what"),
    [
        ("term эшелон", (Mutable.TERM, 1)),
        ("watchlist list1", (Mutable.WATCHLIST, 1)),
        ("channel News", (Mutable.CHANNEL, 1)),
    ],
)
async def test_muted_in_three_taps(talking, api, ann, db, clock, owe, label, what):
    async with db.transaction() as tx:
        await chats.put(tx, Chat(OWNER, "Europe/Warsaw"))  # where it is 13:00
    periods = {"1 h": 1, "8 h": 8, "until tomorrow": 19, "for good": None}
    async with talking():
        await owe()
        await ann.expect("эшелон")
        for period, hours in periods.items():
            for tap in ("🔕 Mute", label):
                await press(api, ann, tap)
            toast = await press(api, ann, period)
            assert label in toast
            assert len(toast) <= 200
            assert labels(ann.messages[-1])[0] == "👍 Useful"
            (mute,) = await mutes.of_chat(db.reader, OWNER, clock())
            assert (mute.what, mute.target) == what
            assert mute.until == (clock() + timedelta(hours=hours) if hours else None)


async def test_a_merged_alert_has_mute_alone(talking, api, ann, db, owe):
    async with talking():
        await owe("первый эшелон", "второй эшелон")
        sent = await ann.expect("2 hits")
        assert labels(sent) == ["🔕 Mute"]
        await press(api, ann, "🔕 Mute")
        assert "term эшелон" in labels(ann.messages[-1])
        await press(api, ann, "‹ Back")
        assert labels(ann.messages[-1]) == ["🔕 Mute"]
        assert await forge(api, ann, Say(delivery=1, useful=True).pack()) == FOREIGN
        assert await forge(api, ann, Show(delivery=1, view=View.POST).pack()) == FOREIGN
    await nothing_done(db)


# ---- more


async def test_the_whole_post_comes_as_a_reply_in_as_many_messages_as_it_takes(
    talking, api, ann, owe
):
    text = "эшелон и " + "длинный рассказ <о> нём, " * 300 + "конец"
    async with talking():
        await owe(text)
        sent = await ann.expect("эшелон")
        await press(api, ann, "⋯ More")
        assert labels(ann.messages[-1]) == [
            "📄 Whole post",
            "🕘 Its versions",
            "👥 Who else has it",
            "‹ Back",
        ]
        await press(api, ann, "📄 Whole post")
        parts = ann.messages[1:]
        assert labels(ann.messages[0])[0] == "👍 Useful"
    assert len(parts) == 2
    assert all(p["reply_to_message"]["message_id"] == sent["message_id"] for p in parts)
    said = "".join(part["text"] for part in parts)
    assert "".join(said.split()).count("длинныйрассказ<о>нём,") == 300
    assert "конец" in parts[1]["text"]
    bold = [e for e in parts[0]["entities"] if e["type"] == "bold"]
    assert parts[0]["text"][bold[1]["offset"] :].startswith("эшелон")


async def test_the_versions_of_a_post(talking, api, ann, db, clock, owe):
    async with talking():
        await owe("Прибыл эшелон")
        await ann.expect("эшелон")
        await press(api, ann, "⋯ More")
        await press(api, ann, "🕘 Its versions")
        await ann.expect("never edited")
        clock.forward(minutes=7)
        async with db.transaction() as tx:
            edited = make.post("Прибыл второй эшелон", edited_at=clock())
            await posts.save(tx, edited, clock())
            await posts.mark_deleted(tx, 1, [1], clock() + timedelta(minutes=1))
        await press(api, ann, "⋯ More")
        await press(api, ann, "🕘 Its versions")
        told = await ann.expect("2. edited 1 Jan 12:07 UTC\nПрибыл второй эшелон")
    assert "1. published 1 Jan 12:00 UTC\nПрибыл эшелон" in told["text"]
    assert "deleted 1 Jan 12:08 UTC" in told["text"]
    (added, _) = [e for e in told["entities"] if e["type"] == "underline"]
    assert told["text"][added["offset"] :][: added["length"]].strip() == "второй"


async def test_in_a_topic_more_of_the_post_comes_in_that_topic(talking, api, ann, owe):
    forum = api.supergroup("Desk", forum=True)
    thread = forum.topic("rail")
    async with talking():
        await owe(chat=forum.id, thread_id=thread)
        await ann.expect("эшелон", chat=forum)
        await press(api, ann, "⋯ More", forum)
        await press(api, ann, "📄 Whole post", forum)
    assert [m["message_thread_id"] for m in forum.messages] == [thread, thread]


# ---- who, where, when


EVERY = [
    Say(delivery=1, useful=True),
    Say(delivery=1, useful=False),
    Open(delivery=1, menu=Menu.MUTE),
    Open(delivery=1, menu=Menu.MORE),
    Open(delivery=1, menu=Menu.USUAL),
    Pick(delivery=1, what=Mutable.TERM, target=1),
    Hush(delivery=1, what=Mutable.TERM, target=1, period=Period.FOREVER),
    Show(delivery=1, view=View.POST),
    Show(delivery=1, view=View.VERSIONS),
    Show(delivery=1, view=View.STORY),
]


@pytest.mark.parametrize("place", ["private", "group", "topic", "channel"])
async def test_an_owner_may_press_them_all_a_stranger_none(talking, api, ann, db, owe, place):
    eve = api.user(666, "Eve", started=True)
    made = {"group": api.supergroup, "channel": api.channel}.get(place, lambda: None)()
    forum = api.supergroup("Forum", forum=True) if place == "topic" else None
    thread = forum.topic("rail") if forum else None
    chat = made or forum or ann.chat
    async with talking():
        await owe(chat=chat.id, thread_id=thread)
        sent = await chat.expect("эшелон")
        for button in EVERY:
            assert "closed team" in await forge(api, eve, button.pack(), chat, message=sent)
        await nothing_done(db)
        assert len(chat.messages) == 1
        assert labels(chat.messages[0])[0] == "👍 Useful"
        for button in EVERY:
            toast = await forge(api, ann, button.pack(), chat, message=sent)
            assert toast != FOREIGN
            assert "closed team" not in toast
    rows = await db.reader.execute_fetchall("SELECT chat_id FROM mutes")
    assert [row[0] for row in rows] == [chat.id]


async def test_a_button_of_another_chat_does_nothing(talking, api, ann, bob, db, owe):
    async with talking(owners=(OWNER, BOB)):
        await owe()
        await ann.expect("эшелон")
        for button in EVERY:
            assert (button, await forge(api, bob, button.pack())) == (button, FOREIGN)
    await nothing_done(db)
    assert bob.messages == []


GARBAGE = [
    "x",
    "v",
    "v:1",
    "v:1:2:3",
    "v:one:1",
    "v:1:7",
    "v:99:1",  # no such delivery
    f"v:{2**63}:1",  # more than the database can hold
    f"v:{'9' * 60}:1",
    "v:-1:1",
    "v::",
    "k:1:zzz",
    "w:1:term:999",
    "w:1:chat:1",
    "w:1:planet:1",
    "w:1:channel:2",  # watched, but not what the alert told of
    "f:1:term:999:1h",
    "f:1:channel:2:forever",
    "f:1:term:1:100y",
    "s:1:x",
    "💥" * 16,
    "v:1:1\x00",
]


async def test_what_was_made_up_does_nothing(talking, api, ann, db, owe):
    async with talking():
        await owe()
        await ann.expect("эшелон")
        for data in GARBAGE:
            assert (data, await forge(api, ann, data)) == (data, FOREIGN)
    await nothing_done(db)


async def test_other_callbacks_that_have_no_place(talking, api, ann, db, owe):
    say = Say(delivery=1, useful=True).pack()
    async with talking():
        await owe()
        await ann.expect("эшелон")
        assert await forge(api, ann, say, message=None) == FOREIGN  # of an inline message
        assert await forge(api, ann, None, game_short_name="chess") == FOREIGN
        async with db.transaction() as tx:
            await tx.execute("UPDATE outbox SET kind = 'digest'")
        assert await forge(api, ann, say) == FOREIGN
    await nothing_done(db)


async def test_a_week_later_after_a_restart_they_still_work(talking, api, ann, db, clock, owe):
    async with talking():
        await owe()
        sent = await ann.expect("эшелон")
    clock.forward(days=7)
    # Of messages that old Telegram tells where they are, not what they say.
    old = {"chat": sent["chat"], "message_id": sent["message_id"], "date": 0}
    async with talking():
        assert "useful" in await forge(api, ann, Say(delivery=1, useful=True).pack(), message=old)
        await ann.expect("👍 Ann")
        menu = Open(delivery=1, menu=Menu.MUTE).pack()
        assert await forge(api, ann, menu, message=old) == ""
        assert "term эшелон" in labels(ann.messages[0])
        post = Show(delivery=1, view=View.POST).pack()
        assert await forge(api, ann, post, message=old) == ""
        await ann.expect("Прибыл эшелон", reply_to_message=True)


async def test_when_the_message_is_deleted_nothing_breaks(talking, api, ann, db, owe):
    async with talking():
        await owe()
        sent = await ann.expect("эшелон")
        del ann.chat.history[sent["message_id"]]
        toasts = [await forge(api, ann, button.pack(), message=sent) for button in EVERY]
        await ann.expect("Прибыл эшелон")  # the whole post, though there is nothing to reply to
    assert "useful" in toasts[0]
    assert toasts[2] == "Telegram did not take that. Try again in a minute."
    assert "no alerts here for good" in toasts[6]


async def test_a_double_tap_is_as_good_as_one(talking, api, ann, owe):
    async with talking():
        await owe()
        await ann.expect("эшелон")
        first = await ann.press("🔕 Mute")
        second = await ann.press("🔕 Mute")
        answers = [await api.answer(first), await api.answer(second)]
    assert [answer.get("text", "") for answer in answers] == ["", ""]


@pytest.mark.parametrize(
    ("method", "fault"),
    [
        ("answerCallbackQuery", {"what": 400, "description": "Bad Request: query is too old"}),
        ("editMessageReplyMarkup", {"what": 429, "retry_after": 1}),
        ("editMessageReplyMarkup", {"what": 502, "html": True}),
    ],
    ids=str,
)
async def test_what_was_asked_for_is_done_though_telegram_stumbles(
    talking, api, ann, db, clock, owe, method, fault
):
    async with talking():
        await owe()
        await ann.expect("эшелон")
        api.fail(method, fault.pop("what"), **fault)
        hush = Hush(delivery=1, what=Mutable.TERM, target=1, period=Period.HOUR).pack()
        about = {"id": "77", "from": ann.about, "chat_instance": "1", "data": hush}
        api.callbacks["77"] = None
        api.push_raw({"callback_query": about | {"message": ann.messages[-1]}})
        assert "useful" in await press(api, ann, "👍 Useful")
    assert len(await mutes.of_chat(db.reader, OWNER, clock())) == 1
    assert await verdicts.of_delivery(db.reader, 1)


async def test_when_the_database_cannot_be_written_a_toast_says_so(talking, api, ann, db, owe):
    async with talking():
        await owe()
        await ann.expect("эшелон")
        while await outbox.waiting(db.reader):  # until it is noted that it was sent
            await asyncio.sleep(0.01)
        await db._writer.execute("PRAGMA query_only = ON")
        assert "could not be saved" in await press(api, ann, "👍 Useful")
        await db._writer.execute("PRAGMA query_only = OFF")
        assert "useful" in await press(api, ann, "👍 Useful")
