"""Is every digest made once, whatever clocks, restarts and daylight saving do?"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from storage import channels, hits, outbox, posts, subscriptions, watchlists
from storage.model import DeliveryKind, Subscription, Term
from tests import make
from watchers import digests
from watchers.schedules import BadSchedule, last_slot, read_schedule

WARSAW = ZoneInfo("Europe/Warsaw")


@pytest.mark.parametrize(
    ("text", "schedule"),
    [
        ("", "now"),
        ("NOW", "now"),
        ("hourly", "hourly"),
        ("daily 8:00", "daily 08:00"),
        ("Daily  23:59", "daily 23:59"),
    ],
)
def test_a_schedule_has_one_way_of_writing(text, schedule):
    assert read_schedule(text) == schedule


@pytest.mark.parametrize(
    "text", ["daily", "daily 24:00", "daily 8:60", "8:00", "weekly", "daily -1:00"]
)
def test_what_is_no_schedule_is_refused_with_what_is(text):
    with pytest.raises(BadSchedule, match="write now, hourly, or daily and a time"):
        read_schedule(text)


def slots(schedule, start, hours):
    """The slots that a bell every 10 minutes would see, in order, each once."""
    moments = (start + timedelta(minutes=10 * n) for n in range(hours * 6))
    return list(dict.fromkeys(last_slot(schedule, moment, WARSAW) for moment in moments))


def test_a_daily_digest_comes_once_a_day_over_both_changes_of_the_clock():
    spring = datetime(2026, 3, 27, 12, tzinfo=UTC)  # 29 March has no 02:30 in Warsaw
    autumn = datetime(2026, 10, 23, 12, tzinfo=UTC)  # 25 October has two
    assert slots("daily 02:30", spring, 96) == [
        f"2026-03-{day} 02:30" for day in (27, 28, 29, 30, 31)
    ]
    assert slots("daily 02:30", autumn, 96) == [
        f"2026-10-{day} 02:30" for day in (23, 24, 25, 26, 27)
    ]


def test_an_hourly_digest_comes_every_hour_over_the_change_of_the_clock():
    autumn = datetime(2026, 10, 24, 20, tzinfo=UTC)
    assert len(slots("hourly", autumn, 12)) == 12


@pytest.fixture
async def rail(db):
    async with db.transaction() as tx:
        await channels.add(tx, make.channel(1), 0, make.NOON)
        await watchlists.create(tx, make.watchlist(), make.NOON)
        await watchlists.add_term(tx, 1, Term(0, "эшелон"), make.NOON)


async def a_hit(db, message_id, now):
    async with db.transaction() as tx:
        await posts.save(tx, make.post("эшелон", message_id=message_id, published_at=now), now)
        await hits.save(tx, [make.hit("эшелон", "эшелон", message_id=message_id)], now)


async def owed(db):
    rows = await db.reader.execute_fetchall(
        "SELECT id FROM outbox WHERE kind = 'digest' ORDER BY id"
    )
    return [len(await outbox.entries(db.reader, id)) for (id,) in rows]


async def subscribe(db, schedule, now):
    async with db.transaction() as tx:
        wish = Subscription(1, 7, schedule)
        await subscriptions.put(tx, wish, now)
        await subscriptions.skip_slot(tx, wish, last_slot(schedule, now, UTC))


async def test_a_digest_is_made_once_for_its_slot_and_catches_up_after_downtime(db, rail, clock):
    await a_hit(db, 1, clock())
    await subscribe(db, "daily 08:00", clock() + timedelta(seconds=1))
    await a_hit(db, 2, clock() + timedelta(seconds=2))
    assert await digests.make_due(db, clock(), UTC) == 0  # today's 08:00 is over

    clock.forward(hours=20)
    for _ in range(3):
        await digests.make_due(db, clock(), UTC)
    assert await owed(db) == [1]  # the hit since it subscribed, not the one before

    clock.forward(days=3, hours=1)  # down over three slots
    await a_hit(db, 3, clock())
    for _ in range(3):
        await digests.make_due(db, clock(), UTC)
    assert await owed(db) == [1, 1]


async def test_an_empty_day_is_said_and_an_empty_hour_is_not(db, rail, clock):
    await subscribe(db, "daily 08:00", clock())
    clock.forward(days=1)
    assert await digests.make_due(db, clock(), UTC) == 1
    assert await owed(db) == [0]

    await subscribe(db, "hourly", clock())
    clock.forward(hours=1)
    assert await digests.make_due(db, clock(), UTC) == 0


async def test_a_digest_on_demand_takes_what_the_next_one_would_have_told(db, rail, clock):
    await subscribe(db, "daily 08:00", clock())
    await a_hit(db, 1, clock())
    async with db.transaction() as tx:
        assert await digests.owe(tx, 7, None, {1: None}, clock())
        assert not await digests.owe(tx, 7, None, {1: None}, clock())
    clock.forward(days=1)
    await digests.make_due(db, clock(), UTC)
    assert await owed(db) == [1, 0]
    due = await outbox.next_due(db.reader, clock())
    assert due[0].kind is DeliveryKind.DIGEST
