"""Who is told of which hits, at once, later, or in a message that is there already?"""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from storage import channels as stored_channels
from storage import chats, hits, mutes, outbox, posts, subscriptions, watchlists
from storage.model import (
    Chat,
    Delivery,
    DeliveryKind,
    Mutable,
    Mute,
    Severity,
    Subscription,
    Term,
    Told,
)
from tests import make
from watchers.alerts import Audience, owed_for, quiet_until

NIGHT = Chat(7, "Europe/Warsaw", (time(22), time(7)))
HIT = make.hit("эшелон", "эшелон")


def audience(*subscriptions, **fields):
    return Audience(subscriptions or (Subscription(1, 7),), **fields)


def test_terms_of_one_post_are_one_alert_for_each_chat_and_topic():
    wanted = audience(Subscription(1, 7), Subscription(1, -5, thread_id=3))
    owed = owed_for([HIT, replace(HIT, term_id=2)], wanted, make.NOON)
    assert [(a.chat_id, a.thread_id, len(a.hits)) for a in owed.alerts] == [
        (7, None, 2),
        (-5, 3, 2),
    ]


def test_the_most_severe_watchlist_decides():
    wanted = audience(
        Subscription(1, 7, severity=Severity.LOW), Subscription(2, 7, severity=Severity.HIGH)
    )
    (alert,) = owed_for([HIT, replace(HIT, watchlist_id=2)], wanted, make.NOON).alerts
    assert alert.severity is Severity.HIGH


@pytest.mark.parametrize(
    ("mute", "told"),
    [
        (Mute(7, Mutable.CHAT, 7), False),
        (Mute(7, Mutable.TERM, 1), False),
        (Mute(7, Mutable.TERM, 2), True),
        (Mute(7, Mutable.WATCHLIST, 1), False),
        (Mute(7, Mutable.CHANNEL, 1), False),
        (Mute(8, Mutable.CHANNEL, 1), True),
        (Mute(7, Mutable.TERM, 1, make.NOON + timedelta(hours=1)), False),
        (Mute(7, Mutable.TERM, 1, make.NOON), True),
    ],
)
def test_what_is_muted_is_not_alerted(mute, told):
    assert bool(owed_for([HIT], audience(mutes=[mute]), make.NOON).alerts) == told


def warsaw(text):
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("quiet", "now", "until"),
    [
        ((22, 7), "2026-01-01T23:00+01:00", "2026-01-02T07:00+01:00"),
        ((22, 7), "2026-01-02T06:59+01:00", "2026-01-02T07:00+01:00"),
        ((22, 7), "2026-01-02T07:00+01:00", None),
        ((22, 7), "2026-01-02T21:59+01:00", None),
        ((13, 14), "2026-01-02T13:30+01:00", "2026-01-02T14:00+01:00"),
        ((22, 7), "2026-03-28T23:00+01:00", "2026-03-29T07:00+02:00"),  # clocks go forward
        ((22, 7), "2026-10-24T23:00+02:00", "2026-10-25T07:00+01:00"),  # and back
    ],
)
def test_quiet_hours(quiet, now, until):
    chat = Chat(7, "Europe/Warsaw", (time(quiet[0]), time(quiet[1])))
    assert quiet_until(chat, warsaw(now), UTC) == (warsaw(until) if until else None)


def test_at_night_alerts_wait_for_the_morning_unless_they_are_urgent():
    night = warsaw("2026-01-01T23:00+01:00")
    owed = owed_for([HIT], audience(chats={7: NIGHT}), night)
    assert not owed.alerts
    (held,) = owed.held
    assert (held.kind, held.due_at) == (DeliveryKind.DIGEST, warsaw("2026-01-02T07:00+01:00"))
    urgent = audience(Subscription(1, 7, severity=Severity.HIGH), chats={7: NIGHT})
    assert owed_for([HIT], urgent, night).alerts


def test_a_copy_joins_what_was_told_of_its_story():
    told = Told(7, 12, frozenset({1}))
    wanted = audience(Subscription(1, 7), Subscription(1, 8))
    owed = owed_for([HIT], wanted, make.NOON, [told], reached=3)
    assert owed.joined == ((told, (HIT,)),)
    assert [alert.chat_id for alert in owed.alerts] == [8]


@pytest.mark.parametrize(
    ("hit", "reached", "reason"),
    [
        (replace(HIT, term_id=2), 3, "new in a story told before"),
        (HIT, 10, "10 channels have this story by now"),
        (HIT, 11, None),
    ],
)
def test_a_story_is_told_again_for_a_new_term_and_when_it_spreads(hit, reached, reason):
    told = Told(7, 12, frozenset({1}))
    owed = owed_for([hit], audience(), make.NOON, [told], reached=reached)
    assert [alert.reason for alert in owed.alerts] == ([reason] if reason else [])


@pytest.fixture
async def rail(db, clock):
    """A watched channel, a watchlist with a term, a chat that wants alerts of it."""
    async with db.transaction() as tx:
        await stored_channels.add(tx, make.channel(1, "news"), 0, clock())
        await watchlists.create(tx, make.watchlist(), clock())
        await watchlists.add_term(tx, 1, Term(0, "эшелон"), clock())
        await subscriptions.put(tx, Subscription(1, 7), clock())


async def due(db, clock):
    return [
        (d.kind, len([f for e in await outbox.entries(db.reader, d.id) for f in e.findings]))
        for d in await outbox.next_due(db.reader, clock())
    ]


async def test_a_night_is_one_digest_in_the_morning(db, rail, pipeline, clock):
    async with db.transaction() as tx:
        await chats.put(tx, Chat(7, "UTC", (time(22), time(7))))
    clock.now = datetime(2026, 1, 1, 23, tzinfo=UTC)
    for number in (1, 2):
        await pipeline.take([make.post(f"эшелон {number}", message_id=number)])
    assert await due(db, clock) == []
    clock.forward(hours=8)
    assert await due(db, clock) == [(DeliveryKind.DIGEST, 2)]


async def test_who_asks_at_night_gets_what_waits(db, rail, pipeline, clock):
    async with db.transaction() as tx:
        await chats.put(tx, Chat(7, "UTC", (time(11), time(13))))
    await pipeline.take([make.post("эшелон")])
    async with db.transaction() as tx:
        assert await outbox.release(tx, 7, clock())
    assert await due(db, clock) == [(DeliveryKind.DIGEST, 1)]


async def test_a_mute_stored_is_obeyed_by_the_next_post(db, rail, pipeline, clock):
    async with db.transaction() as tx:
        await mutes.put(tx, Mute(7, Mutable.CHANNEL, 1, clock() + timedelta(hours=1)))
    await pipeline.take([make.post("эшелон 1")])
    assert await due(db, clock) == []
    clock.forward(hours=1)
    await pipeline.take([make.post("эшелон 2", message_id=2)])
    assert await due(db, clock) == [(DeliveryKind.ALERT, 1)]


async def owe_alerts(db, clock, number, **fields):
    found = []
    async with db.transaction() as tx:
        for id in range(1, number + 1):
            text = f"эшелон {id}"
            await posts.save(tx, make.post(text, message_id=id), clock())
            found += await hits.save(tx, [make.hit(text, "эшелон", message_id=id)], clock())
        for hit in found:
            await outbox.add(
                tx, Delivery(7, DeliveryKind.ALERT, clock(), (hit,), **fields), clock()
            )


async def test_what_a_chat_missed_is_one_digest_when_it_is_back(db, rail, clock):
    await owe_alerts(db, clock, 5)
    async with db.transaction() as tx:
        await chats.pause(tx, 7, "blocked", clock())
    assert await due(db, clock) == []
    async with db.transaction() as tx:
        assert await outbox.resume(tx, 7, clock())
        assert not await outbox.resume(tx, 7, clock())
    assert await due(db, clock) == [(DeliveryKind.DIGEST, 5)]


async def test_a_paused_chat_is_tried_now_and_then(db, rail, clock):
    await owe_alerts(db, clock, 1)
    async with db.transaction() as tx:
        assert await chats.pause(tx, 7, "chat not found", clock())
    clock.forward(hours=6)
    assert await due(db, clock) == [(DeliveryKind.ALERT, 1)]
    async with db.transaction() as tx:
        assert not await chats.pause(tx, 7, "chat not found", clock())  # its owners know
    assert await due(db, clock) == []


async def test_merging_takes_what_is_as_urgent_and_never_tried(db, rail, clock):
    await owe_alerts(db, clock, 5)
    first, *others = await outbox.next_due(db.reader, clock())
    assert (first.waiting, others) == (5, [])
    async with db.transaction() as tx:
        await outbox.mark_tried(tx, first.id + 1, clock())
        assert await outbox.merge(tx, first, clock()) == 3
    assert len(await outbox.entries(db.reader, first.id)) == 4
    assert await outbox.waiting(db.reader) == 2


async def test_the_most_urgent_is_due_first(db, rail, clock):
    async with db.transaction() as tx:
        for severity in (Severity.LOW, Severity.HIGH, Severity.NORMAL):
            owed = Delivery(7, DeliveryKind.NOTICE, clock(), text=severity, severity=severity)
            await outbox.add(tx, owed, clock())
    told = []
    while due := await outbox.next_due(db.reader, clock()):
        told.append(due[0].text)
        async with db.transaction() as tx:
            await outbox.mark_sent(tx, due[0], 1, clock())
    assert told == ["high", "normal", "low"]
