"""Which digests are due, and what was a chat never told?"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time, timedelta, tzinfo

from aiosqlite import Connection

from storage import chats, hits, mutes, outbox, subscriptions
from storage.db import Database
from storage.model import Delivery, DeliveryKind, Mute, Subscription
from watchers.alerts import is_muted
from watchers.zones import zone_of

_DAILY = re.compile(r"daily\s+(\d{1,2}):(\d{2})")


class BadSchedule(ValueError):
    """Not a schedule; the message says what is."""


def read_schedule(text: str) -> str:
    """`now`, `hourly` or `daily 8:00` in its one way of writing. Raises BadSchedule."""
    words = " ".join(text.casefold().split()) or "now"
    if words in ("now", "hourly"):
        return words
    match = _DAILY.fullmatch(words)
    if match and int(match[1]) < 24 and int(match[2]) < 60:
        return f"daily {int(match[1]):02}:{match[2]}"
    raise BadSchedule(
        f"“{text}” is no schedule: write now, hourly, or daily and a time (daily 08:00)"
    )


def last_slot(schedule: str, now: datetime, zone: tzinfo) -> str:
    """The newest moment up to `now` for which a digest is due, as a key that occurs once.

    A day's digest is keyed by its local date, so a clock set back at 03:00 does not make two of
    it, and one set forward over its time does not lose it.
    """
    if schedule == "hourly":
        return now.astimezone(UTC).strftime("%Y-%m-%dT%HZ")
    local = now.astimezone(zone)
    at = time.fromisoformat(schedule.removeprefix("daily "))
    day = local.date() if local.time() >= at else local.date() - timedelta(days=1)
    return f"{day} {at:%H:%M}"


async def make_due(db: Database, now: datetime, zone: tzinfo) -> int:
    """Owe each digest whose slot has come and was not made yet; return how many.

    `zone` is that of chats that set none.
    After downtime only the newest slot of a subscription is made: it tells all that is untold.
    """
    made, known = 0, await chats.all(db.reader)
    for subscription in await subscriptions.scheduled(db.reader):
        local = zone_of(known.get(subscription.chat_id), zone)
        slot = last_slot(subscription.schedule, now, local)
        async with db.transaction() as tx:
            if await subscriptions.take_slot(tx, subscription.id, slot):
                made += await _make(tx, subscription, now)
    return made


async def _make(tx: Connection, subscription: Subscription, now: datetime) -> bool:
    wanted = {subscription.watchlist_id: subscription.since}
    return await owe(
        tx,
        subscription.chat_id,
        subscription.thread_id,
        wanted,
        now,
        even_empty=subscription.schedule.startswith("daily"),  # a sign of life once a day
        muted=await mutes.active(tx, now),
    )


async def owe(
    tx: Connection,
    chat_id: int,
    thread_id: int | None,
    watchlists: Mapping[int, datetime | None],
    now: datetime,
    *,
    period: timedelta | None = None,
    even_empty: bool = False,
    muted: Sequence[Mute] = (),
) -> bool:
    """Owe the chat one digest of what it was never told. False when there is nothing to tell."""
    since = now - period if period else None
    untold = [
        hit
        for hit in await hits.untold(tx, chat_id, watchlists, since)
        if not is_muted(hit, chat_id, muted, now)
    ]
    if not untold and not even_empty:
        return False
    digest = Delivery(chat_id, DeliveryKind.DIGEST, now, tuple(untold), thread_id=thread_id)
    await outbox.add(tx, digest, now)
    return True
