"""Is every digest made once, whatever clocks, restarts and daylight saving do?"""

from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest

from storage import channels, hits, outbox, posts, subscriptions, watchlists
from storage.model import DeliveryKind, Subscription, Term
from tests import make
from watchers import digests
from watchers.schedules import last_slot

WARSAW = ZoneInfo("Europe/Warsaw")


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


@pytest.mark.parametrize(
    ("looked", "trouble", "complete"),
    [(-1, None, False), (None, None, False), (0, None, True), (-1, "it is private now", True)],
)
async def test_digests_are_complete_when_each_readable_channel_was_looked_at(
    db, rail, looked, trouble, complete
):
    async with db.transaction() as tx:
        if looked is not None:
            await channels.advance(tx, 1, 5, make.NOON + timedelta(seconds=looked))
        if trouble:
            await channels.set_trouble(tx, 1, trouble)
    assert await digests.are_complete(db, make.NOON) is complete
