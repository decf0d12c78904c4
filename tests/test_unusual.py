"""Is unusual activity told once, to whom it concerns, and ordinary weeks left alone?"""

import gc
from dataclasses import replace
from datetime import datetime, time, timedelta

import numpy as np
import pytest

from bot.printing import print_digest
from storage import (
    channels,
    chats,
    hits,
    mutes,
    outbox,
    posts,
    stories,
    subscriptions,
    watchlists,
)
from storage.model import Chat, DeliveryKind, Mutable, Mute, PostKey, Severity, Subscription, Term
from tests import make
from watchers import surges, unusual
from watchers.unusual import is_unusual

UTC = make.NOON.tzinfo
HOURS = unusual.DAYS * len(unusual.NEIGHBOURS)


@pytest.mark.parametrize(
    ("number", "samples", "sensitivity", "told"),
    [
        (4, [0], "high", False),  # fewer than five are never unusual
        (5, [0], "normal", False),
        (6, [0], "normal", True),
        (9, [0], "low", False),
        (10, [0], "low", True),
        (14, [3], "normal", False),
        (15, [3], "normal", True),
        (25, [0, 0, 0, 0, 12], "normal", False),  # bursts are usual here
        (89, [20, 40], "normal", False),
        (90, [20, 40], "normal", True),
        (999, [0] * 3, "high", True),
    ],
)
def test_the_arithmetic(number, samples, sensitivity, told):
    assert is_unusual(number, samples * (HOURS // len(samples)), sensitivity) == told


def test_what_is_looked_for_since_yesterday_has_no_usual():
    hours = unusual.samples(make.NOON)
    assert len(hours) == HOURS
    since = make.NOON - timedelta(days=2)
    assert not is_unusual(999, unusual.known(hours, [0] * HOURS, since), "high")
    assert is_unusual(999, unusual.known(hours, [0] * HOURS, since - timedelta(days=2)), "high")
    read_later = [0] * (HOURS - 1) + [1]  # history that was read after it was looked for
    assert len(unusual.known(hours, read_later, since)) == HOURS


def alarms(rng, sensitivity, burst, terms=100, slot=6):
    """Of an ordinary week in which 100 terms are looked at every ten minutes, how often one would
    be called unusual, whatever its channels. `burst` is the shape of a Gamma: how far each hour's
    rate strays from the usual by itself (0: not at all)."""
    days, found = unusual.DAYS + 8, 0
    hour_of_day = np.arange(days * 24) % 24
    rhythm = 1 + 0.8 * np.sin((hour_of_day - 9) / 24 * 2 * np.pi)
    for rate in np.geomspace(0.02, 20, terms):  # posts an hour
        rates = rate * rhythm * (rng.gamma(burst, 1 / burst, rhythm.size) if burst else 1)
        slots = rng.poisson(np.repeat(rates, slot) / slot)
        hourly = np.convolve(slots, np.ones(slot, dtype=int))[: slots.size]  # ends in this slot
        quiet_until = 0
        for now in range((unusual.DAYS * 24 + 2) * slot, (unusual.DAYS * 24 + 7 * 24) * slot):
            if hourly[now] < unusual.POSTS or now < quiet_until:
                continue
            back = [d * 24 * slot + h * slot for d in range(1, 15) for h in unusual.NEIGHBOURS]
            if is_unusual(int(hourly[now]), hourly[now - np.array(back)].tolist(), sensitivity):
                found += 1
                quiet_until = now + 6 * slot
    return found


@pytest.mark.parametrize(("sensitivity", "most"), [("low", 0), ("normal", 1), ("high", 10)])
def test_ordinary_weeks_raise_hardly_an_alarm(sensitivity, most):
    """In a week of 100 terms; three independent channels are asked for on top of that."""
    assert alarms(np.random.default_rng(1), sensitivity, burst=0) <= most
    assert alarms(np.random.default_rng(2), sensitivity, burst=3) <= 8 * most


@pytest.fixture
async def rail(db):
    """Two terms, looked for since a month; channels 1–9; chat 7 wants alerts."""
    long_ago = make.NOON - timedelta(days=30)
    async with db.transaction() as tx:
        for id in range(1, 10):
            await channels.add(tx, make.channel(id), 0, long_ago)
        await watchlists.create(tx, make.watchlist(), long_ago)
        for name in ("Orsha", "Brest"):
            await watchlists.add_term(tx, 1, Term(0, name, "place"), long_ago)
        await subscriptions.put(tx, Subscription(1, 7), long_ago)


@pytest.fixture
def publish(db, clock):
    numbers = iter(range(1, 9999))

    async def run(channel_id=1, *, term_id=1, at=None, story=None):
        key = PostKey(channel_id, next(numbers))
        moment = at or clock()
        post = make.post("Orsha", channel_id=key[0], message_id=key[1], published_at=moment)
        hit = make.hit(post.text, "Orsha", term_id=term_id, message_id=key.message_id)
        async with db.transaction() as tx:
            await posts.save(tx, post, moment)
            await hits.save(tx, [replace(hit, channel_id=channel_id)], moment)
            await stories.place(tx, key, story or key)
        if at is None:
            clock.forward(seconds=1)
        return key

    return run


async def owed(db):
    rows = await db.reader.execute_fetchall("SELECT chat_id, kind, reason FROM outbox ORDER BY id")
    return [tuple(row) for row in rows]


async def test_a_surge_in_several_channels_is_told_once_in_six_hours(db, rail, publish, clock):
    for day in range(1, 15):  # usually one an hour
        await publish(at=clock() - timedelta(days=day, minutes=20))
    for channel in (1, 2, 3, 4, 4, 5, 6, 7):
        await publish(channel)
        clock.forward(minutes=2)
    for _ in range(10):  # over an hour
        await surges.check(db, clock(), UTC, "normal")
        await publish(8)
        clock.forward(minutes=7)
    ((chat, kind, reason),) = await owed(db)
    assert (chat, kind) == (7, "digest")
    assert reason == (
        "list1: Orsha 8, usually 0.3 in an hour, from 7 channels independent of each other"
    )
    clock.forward(hours=6)
    for channel in range(1, 9):
        await publish(channel)
    assert await surges.check(db, clock(), UTC, "normal") == 1


async def test_one_story_in_many_channels_or_many_posts_of_one_are_no_surge(
    db, rail, publish, clock
):
    first = await publish(1)
    for channel in range(2, 10):
        await publish(channel, story=first)
    for _ in range(9):
        await publish(2)
    assert await surges.check(db, clock(), UTC, "high") == 0


async def test_a_watchlist_surges_as_a_whole_when_none_of_its_terms_does(db, rail, publish, clock):
    for channel in (1, 2, 3, 4):
        await publish(channel, term_id=1)
        await publish(channel + 4, term_id=2)
    assert await surges.check(db, clock(), UTC, "normal") == 1
    ((_, _, reason),) = await owed(db)
    assert reason.startswith("list1 8, usually 0 in an hour")


@pytest.mark.parametrize(
    ("mute", "told"),
    [
        (Mute(7, Mutable.CHAT, 7), 0),
        (Mute(7, Mutable.WATCHLIST, 1), 0),
        (Mute(7, Mutable.TERM, 1), 0),
        (Mute(7, Mutable.TERM, 2), 1),
        (Mute(8, Mutable.TERM, 1), 1),
    ],
)
async def test_who_muted_it_is_not_told(db, rail, publish, clock, mute, told):
    async with db.transaction() as tx:
        await mutes.put(tx, mute)
    for channel in range(1, 9):
        await publish(channel)
    assert await surges.check(db, clock(), UTC, "normal") == told


@pytest.mark.parametrize(("severity", "hour"), [(Severity.NORMAL, 14), (Severity.HIGH, 12)])
async def test_in_quiet_hours_it_waits_unless_it_is_severe(
    db, rail, publish, clock, severity, hour
):
    async with db.transaction() as tx:
        await chats.put(tx, Chat(7, quiet=(time(10), time(14))))
        await tx.execute("UPDATE watchlists SET severity = ?", (severity,))
    for channel in range(1, 9):
        await publish(channel)
    assert await surges.check(db, clock(), UTC, "normal") == 1
    due = datetime(2026, 1, 1, hour, 30, tzinfo=UTC)
    (delivery,) = await outbox.next_due(db.reader, due)
    assert delivery.due_at.hour == hour


async def test_it_comes_with_a_picture_of_the_day_and_the_stories_of_the_hour(
    db, rail, publish, clock
):
    for hour in range(1, 24):
        await publish(at=clock() - timedelta(hours=hour))
    for channel in range(1, 10):
        await publish(channel, at=clock() - timedelta(minutes=channel))
    assert await surges.check(db, clock(), UTC, "normal") == 1
    (delivery,) = await outbox.next_due(db.reader, clock())
    assert delivery.kind is DeliveryKind.DIGEST
    printed = await print_digest(db.reader, delivery, clock(), UTC)
    assert gc.isenabled()  # it is off meanwhile
    assert printed.chart
    assert printed.caption.startswith("📈 <b>Unusual activity</b>\nlist1: Orsha 9, usually 0")
    assert printed.edition.stories == 9
    assert sum(map(sum, printed.edition.series.counts.values())) == 32
    assert printed.edition.series.usual > 0
