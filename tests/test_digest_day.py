"""A scripted day: three chats in three time zones, a team at work, and the program down over a digest."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.printing import print_digest
from storage import channels, chats, hits, mutes, outbox, posts, subscriptions, watchlists
from storage.model import Chat, Mutable, Mute, Period, Subscription, Term, Wanted
from tests import make
from watchers import digests
from watchers.schedules import last_slot

ZONES = {1: "Europe/Warsaw", 2: "Asia/Tokyo", 3: "America/New_York"}
STEP = timedelta(minutes=5)


class Desk:
    """The part of the program that makes digests, and what the chats were told."""

    def __init__(self, db, start):
        self.db, self.now, self.told, self.posts = db, start, [], 0

    async def publish(self, watchlist_id, channel_id=1):
        """A hit; its post is called by its number."""
        self.posts += 1
        async with self.db.transaction() as tx:
            post = make.post(
                f"эшелон {self.posts}",
                channel_id=channel_id,
                message_id=self.posts,
                published_at=self.now,
            )
            await posts.save(tx, post, self.now)
            hit = make.hit(post.text, "эшелон", term_id=watchlist_id, message_id=self.posts)
            hit = replace(hit, channel_id=channel_id, watchlist_id=watchlist_id)
            await hits.save(tx, [hit], self.now)
        return self.posts

    async def subscribe(self, chat_id, watchlist_id, schedule):
        wish = Subscription(watchlist_id, chat_id, schedule)
        async with self.db.transaction() as tx:
            await subscriptions.put(tx, wish, self.now)
            slot = last_slot(schedule, self.now, ZoneInfo(ZONES[chat_id]))
            await subscriptions.skip_slot(tx, wish, slot)

    async def until(self, hour, minute=0, *, day=0, down=False):
        """Let time pass until that hour UTC. `down`: nobody looks what is due."""
        end = self.now.replace(hour=hour, minute=minute) + timedelta(days=day)
        while self.now < end:
            self.now += STEP
            if not down:
                await self.ring()

    async def ring(self):
        for _ in range(2):  # a late bell rings twice
            await digests.make_due(self.db, self.now, UTC)
        await self.send()

    async def send(self):
        while due := await outbox.next_due(self.db.reader, self.now):
            for delivery in due:
                zone = ZoneInfo(ZONES[delivery.chat_id])
                printed = await print_digest(self.db.reader, delivery, self.now, zone)
                numbers = sorted(int(entry.post.text.split()[1]) for entry in printed.text.told)
                at = f"{self.now.astimezone(zone):%a %H:%M}"
                self.told.append((delivery.chat_id, at, numbers))
                async with self.db.transaction() as tx:
                    await outbox.mark_sent(tx, delivery, len(self.told), self.now)

    def said(self, chat_id):
        return [(at, numbers) for chat, at, numbers in self.told if chat == chat_id]


async def make_desk(db, start):
    async with db.transaction() as tx:
        for id in (1, 2):
            await channels.add(tx, make.channel(id), 0, start)
            await watchlists.create(tx, make.watchlist(id=id), start)
            await watchlists.add_term(tx, id, Term(0, "эшелон"), start)
        for chat_id, zone in ZONES.items():
            await chats.put(tx, Chat(chat_id, zone))
    return Desk(db, start)


@pytest.mark.parametrize(
    "day", [datetime(2026, 3, 28, 12), datetime(2026, 10, 24, 12), datetime(2026, 6, 13, 12)]
)
async def test_each_digest_comes_once_with_the_right_hits(db, day):
    """Over both changes of Warsaw's clock, and on a day without one."""
    desk = await make_desk(db, day.replace(tzinfo=UTC))
    await desk.publish(1)  # before anybody subscribed
    desk.now += STEP
    await desk.subscribe(1, 1, "daily 08:00,18:00")
    await desk.subscribe(1, 2, "daily 08:00")
    await desk.subscribe(2, 1, "daily 08:00")
    await desk.subscribe(3, 2, "weekends 08:00")
    second = await desk.publish(1)
    third = await desk.publish(2)
    await desk.until(22)
    fourth = await desk.publish(1)
    await desk.until(5, 30, day=1, down=True)  # over Tokyo's 08:00, 23:00 UTC
    fifth = await desk.publish(1, channel_id=2)
    await desk.until(23, 55)

    weekday, next_day = f"{day:%a}", f"{day + timedelta(days=1):%a}"
    assert desk.said(1) == [
        (f"{weekday} 18:00", [second]),
        (f"{next_day} 08:00", [third, fourth, fifth]),
        (f"{next_day} 18:00", []),
    ]
    after = f"{day + timedelta(days=2):%a}"
    assert desk.said(2) == [
        (f"{next_day} 14:35", [second, fourth, fifth]),  # at the start
        (f"{after} 08:00", []),
    ]
    assert desk.said(3) == [(f"{next_day} 08:00", [third])]


async def test_a_digest_that_was_due_while_it_was_down_comes_at_the_start_and_once(db):
    desk = await make_desk(db, datetime(2026, 1, 1, 12, tzinfo=UTC))
    await desk.subscribe(2, 1, "daily 08:00")  # 23:00 UTC
    first = await desk.publish(1)
    await desk.until(22, 50)
    await desk.until(3, 20, day=1, down=True)
    second = await desk.publish(1)
    await desk.ring()
    assert desk.said(2) == [("Fri 12:20", [first, second])]
    await desk.until(23, 30)
    assert desk.said(2)[1:] == [("Sat 08:00", [])]


async def test_a_period_asked_for_tells_all_and_the_next_digest_none_of_it(db):
    desk = await make_desk(db, datetime(2026, 1, 1, 12, tzinfo=UTC))
    await desk.subscribe(1, 1, "hourly")
    first = await desk.publish(1)
    await desk.until(13, 10)
    second, other = await desk.publish(1), await desk.publish(2)
    desk.now += STEP
    day = Period(desk.now - timedelta(days=1), desk.now)
    for _ in range(2):  # told or not
        async with db.transaction() as tx:
            assert await digests.owe_period(tx, 1, None, day, Wanted((1,)), desk.now)
        await desk.send()
    third = await desk.publish(1)
    await desk.until(14, 30)
    assert desk.said(1) == [
        ("Thu 14:00", [first]),
        ("Thu 14:15", [first, second]),
        ("Thu 14:15", [first, second]),
        ("Thu 15:00", [third]),
    ]
    assert other not in [n for _, numbers in desk.said(1) for n in numbers]


async def test_what_was_muted_is_told_when_it_no_longer_is(db):
    desk = await make_desk(db, datetime(2026, 1, 1, 12, tzinfo=UTC))
    await desk.subscribe(1, 1, "hourly")
    async with db.transaction() as tx:
        end = desk.now + timedelta(days=3)
        await mutes.put(tx, Mute(1, Mutable.CHANNEL, 2, end))
    muted = await desk.publish(1, channel_id=2)
    first = await desk.publish(1)
    await desk.until(13, 30)
    assert desk.said(1) == [("Thu 14:00", [first])]
    desk.now = end + STEP
    await desk.until(13, 30)
    assert desk.said(1)[1:] == [("Sun 13:10", [muted])]


async def test_languages_and_channels_narrow_a_period(db):
    desk = await make_desk(db, datetime(2026, 1, 1, 12, tzinfo=UTC))
    first, second = await desk.publish(1), await desk.publish(1, channel_id=2)
    desk.now += STEP
    day = Period(desk.now - timedelta(days=1), desk.now)
    for wanted, numbers in (
        (Wanted((1,)), [first, second]),
        (Wanted((1,), channels=(2,)), [second]),
        (Wanted((1,), languages=("ru",)), [first, second]),
        (Wanted((1,), languages=("be",)), None),
        (Wanted((2,)), None),
    ):
        async with db.transaction() as tx:
            owed = await digests.owe_period(tx, 1, None, day, wanted, desk.now)
        assert owed == (numbers is not None)
        await desk.send()
        if numbers:
            assert desk.said(1)[-1][1] == numbers
