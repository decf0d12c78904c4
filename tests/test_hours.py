"""Does each chat live by its own clock?"""

from datetime import UTC, datetime, time

import pytest

from bot.handlers.hours import BadHours, read_hours
from storage import chats, subscriptions, watchlists
from storage.model import Chat, Subscription
from tests import make
from tests.conftest import OWNER
from watchers import digests
from watchers.zones import NoSuchZone, read_zone, zone_of

SAID = [
    [
        ("/quiet", "This chat: no quiet hours, alerts come at any time."),
        ("/quiet 22:00-07:00", "This chat: quiet hours from 22:00 to 07:00 (UTC)"),
        ("/quiet", "To change that"),
        ("/zone Europe/Warsaw", "time zone is Europe/Warsaw from now on"),
        ("/quiet", "from 22:00 to 07:00 (Europe/Warsaw)"),
        ("/zone", "Europe/Warsaw, where it is 1 Jan 13:00 CET"),
        ("/quiet off", "no quiet hours"),
    ],
    [("/quiet 7", "No such hours: write them like 22:00-07:00")],
    [("/quiet 22-25", "they go from 00:00 to 23:59")],
    [("/quiet 9-9", "That is no time at all")],
    [("/quiet <b>", "No such hours")],
    [("/zone Minsk", "“Minsk” is no time zone; did you mean Europe/Minsk?")],
    [("/zone <b>", "is no time zone")],
    [("/zone ../../etc/passwd", "is no time zone")],
    [
        ("/severity", "Which watchlist?"),
        ("/severity nope high", "no watchlist nope"),
        ("/severity list1", "has normal severity. To change that"),
        ("/severity list1 urgent", "has normal severity. To change that"),
        ("/severity LIST1 High", "list1: high severity, its alerts go first"),
        ("/watchlists", "list1 – 0 terms · high severity"),
    ],
]


@pytest.mark.parametrize("conversation", SAID, ids=lambda c: c[-1][0])
@pytest.mark.parametrize("where", ["private", "group", "topic"])
async def test_an_owner_says_how_a_chat_is_told(
    talking, api, owner, db, clock, conversation, where
):
    chat = None if where == "private" else api.supergroup("Desk", forum=where == "topic")
    thread = chat.topic("rail") if where == "topic" else None
    async with db.transaction() as tx:
        await watchlists.create(tx, make.watchlist(), clock())
    async with talking():
        for said, answer in conversation:
            at = await owner.send(said, chat=chat, thread=thread)
            told = await owner.expect(answer, chat=chat, after=at)
            assert told.get("message_thread_id") == thread


async def test_what_a_chat_set_is_kept_apart_and_together(talking, api, owner, db):
    desk = api.supergroup("Desk")
    async with talking():
        await owner.send("/quiet 22:30-7", chat=desk)
        await owner.send("/zone europe/kyiv", chat=desk)
        await owner.expect("Europe/Kyiv", chat=desk)
    assert await chats.one(db.reader, desk.id) == Chat(
        desk.id, "Europe/Kyiv", (time(22, 30), time(7))
    )
    assert await chats.one(db.reader, OWNER) == Chat(OWNER)


async def test_a_channel_is_set_from_elsewhere(talking, api, owner, db):
    wire = api.channel("Wire", username="wire")
    async with talking():
        for said, answer in (
            ("/zone Europe/Kyiv in @wire", "Wire: the time zone is Europe/Kyiv from now on"),
            ("/quiet 23-6 in @wire", "Wire: quiet hours from 23:00 to 06:00 (Europe/Kyiv)"),
            ("/quiet in @wire", "Wire: quiet hours from 23:00"),
            (f"/zone in {wire.id}", "Wire: the time zone is Europe/Kyiv, where it is 1 Jan 14:00"),
            ("/quiet 23-6 in @nobody_here", "the bot knows no such chat"),
            ("/zone in @nobody_here", "the bot knows no such chat"),
            ("/zone", "This chat: the time zone is UTC"),
        ):
            at = await owner.send(said)
            await owner.expect(answer, after=at)
    assert await chats.one(db.reader, wire.id) == Chat(wire.id, "Europe/Kyiv", (time(23), time(6)))


async def test_times_are_shown_and_digests_due_in_the_chats_zone(talking, owner, db, clock):
    async with db.transaction() as tx:
        await watchlists.create(tx, make.watchlist(), clock())
        await chats.put(tx, Chat(OWNER, "Asia/Tokyo"))  # 21:00 there
    async with talking():
        await owner.send("/subscribe list1 daily 22:00")
        await owner.expect("every day at 22:00 (Asia/Tokyo)")
        await owner.send("/subscriptions")
        await owner.expect("list1: a digest every day at 22:00 (Asia/Tokyo)")
        assert await digests.make_due(db, clock(), UTC) == 0
        clock.forward(hours=1)
        assert await digests.make_due(db, clock(), UTC) == 1
        assert await digests.make_due(db, clock(), UTC) == 0


async def test_two_chats_get_the_same_digest_each_in_its_own_morning(db, clock):
    async with db.transaction() as tx:
        await watchlists.create(tx, make.watchlist(), clock())
        for chat_id, zone in ((1, None), (2, "Europe/Warsaw"), (3, "no/such_zone")):
            await chats.put(tx, Chat(chat_id, zone))
            await subscriptions.put(tx, Subscription(1, chat_id, "daily 08:00"), clock())
    await digests.make_due(db, clock(), UTC)  # today's

    for hour in (6, 7, 8):
        await digests.make_due(db, datetime(2026, 1, 2, hour, tzinfo=UTC), UTC)
    rows = await db.reader.execute_fetchall(
        "SELECT chat_id, due_at FROM outbox WHERE due_at > '2026-01-02' ORDER BY due_at, chat_id"
    )
    assert [(chat_id, due_at[11:13]) for chat_id, due_at in rows] == [
        (2, "07"),
        (1, "08"),
        (3, "08"),
    ]


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("22:00-07:00", (time(22), time(7))),
        ("22-7", (time(22), time(7))),
        (" 9:05 – 17:30 ", (time(9, 5), time(17, 30))),
        ("0:00-23:59", (time(0), time(23, 59))),
    ],
)
def test_hours_are_read(text, hours):
    assert read_hours(text) == hours


@pytest.mark.parametrize("text", ["", "22:00", "22:00-", "24:00-07:00", "22:60-7", "8-8", "a-b"])
def test_other_hours_are_refused(text):
    with pytest.raises(BadHours):
        read_hours(text)


def test_a_zone_is_read_whatever_its_case():
    assert read_zone("europe/warsaw") == "Europe/Warsaw"
    assert read_zone("America/new york") == "America/New_York"
    assert str(zone_of(Chat(1, "Europe/Warsaw"), UTC)) == "Europe/Warsaw"
    assert zone_of(None, UTC) is zone_of(Chat(1), UTC) is UTC


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("Europe/Warsw", "did you mean Europe/Warsaw?"),
        ("Kiev", "did you mean Europe/Kiev?"),
        ("new york", "did you mean America/New_York?"),
        ("+3", "write Europe/Warsaw"),  # Etc/GMT+3 is three hours the other way
        ("x" * 1000, "write Europe/Warsaw"),
    ],
)
def test_another_zone_is_refused_with_a_near_one(text, hint):
    with pytest.raises(NoSuchZone) as refused:
        read_zone(text)
    assert hint in str(refused.value)
    assert len(str(refused.value)) < 150
