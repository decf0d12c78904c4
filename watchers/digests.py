"""Which digests are due, and what was a chat never told?"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo

from aiosqlite import Connection

from storage import channels, chats, mutes, outbox, subscriptions
from storage import digests as stored
from storage.db import Database
from storage.model import Delivery, DeliveryKind, Period, Sighting, Subscription, Wanted
from watchers.languages import likely_language
from watchers.schedules import last_slot
from watchers.zones import zone_of


async def make_due(db: Database, now: datetime, zone: tzinfo) -> int:
    """Owe each digest whose slot has come and was not made yet; return how many.

    `zone` is that of chats that set none.
    Watchlists that are due to a chat together come as one digest. After downtime only the newest
    slot of a subscription is made: it tells all that is untold.
    """
    due: dict[tuple[int, int | None], list[tuple[Subscription, str]]] = defaultdict(list)
    known = await chats.all(db.reader)
    for subscription in await subscriptions.scheduled(db.reader):
        local = zone_of(known.get(subscription.chat_id), zone)
        slot = last_slot(subscription.schedule, now, local)
        due[subscription.chat_id, subscription.thread_id].append((subscription, slot))
    made = 0
    for together in due.values():
        async with db.transaction() as tx:
            taken = [s for s, slot in together if await subscriptions.take_slot(tx, s.id, slot)]
            if taken:
                made += await _make(tx, taken, now)
    return made


async def are_complete(db: Database, since: datetime) -> bool:
    """Was every channel that can be read looked at since then?"""
    return all(
        ledger.trouble or (ledger.looked_at and ledger.looked_at >= since)
        for ledger in await channels.watched(db.reader)
    )


async def _make(tx: Connection, due: Sequence[Subscription], now: datetime) -> bool:
    wanted = {subscription.watchlist_id: subscription.owed_since for subscription in due}
    made = await owe(
        tx,
        due[0].chat_id,
        due[0].thread_id,
        wanted,
        now,
        # a sign of life once a day
        even_empty=any(subscription.schedule != "hourly" for subscription in due),
        even_muted=False,
    )
    if not await mutes.of_chat(tx, due[0].chat_id, now):  # what is muted is still untold
        for subscription in due:
            await subscriptions.note_told(tx, subscription.id, now)
    return made


async def owe(
    tx: Connection,
    chat_id: int,
    thread_id: int | None,
    watchlists: Mapping[int, datetime | None],
    now: datetime,
    *,
    even_empty: bool = False,
    even_muted: bool = True,
) -> bool:
    """Owe the chat one digest of what it was never told. False when there is nothing to tell."""
    muted_at = None if even_muted else now
    if not even_empty and not await stored.is_untold(tx, chat_id, watchlists, muted_at):
        return False
    digest = Delivery(chat_id, DeliveryKind.DIGEST, now, thread_id=thread_id)
    id = await outbox.add(tx, digest, now)
    await stored.tell_untold(tx, id, chat_id, watchlists, muted_at)
    return True


async def owe_period(
    tx: Connection,
    chat_id: int,
    thread_id: int | None,
    period: Period,
    wanted: Wanted,
    now: datetime,
) -> bool:
    """Owe the chat a digest of all that is wanted of a period, told or not; what was untold is told
    by it. False when there is nothing to tell."""
    digest = Delivery(
        chat_id, DeliveryKind.DIGEST, now, thread_id=thread_id, period=period, wanted=wanted
    )
    if wanted.languages:  # a post is in: only its text says that
        found = await stored.of_period(tx, period, wanted, untold_to=chat_id)
        untold = await _in_languages(tx, found, wanted)
        if not untold and not await told_of(tx, period, wanted, now):
            return False
        await outbox.add(tx, replace(digest, hits=tuple(untold)), now)
        return True
    if not await stored.is_any(tx, period, wanted):
        return False
    id = await outbox.add(tx, digest, now)
    await stored.tell_of_period(tx, id, chat_id, period, wanted)
    return True


async def told_of(
    db: Connection, period: Period, wanted: Wanted, found_by: datetime
) -> list[Sighting]:
    """What a digest of a period tells that was asked for at `found_by`."""
    found = await stored.of_period(db, period, wanted, found_by=found_by)
    return await _in_languages(db, found, wanted)


async def _in_languages(
    db: Connection, sightings: list[Sighting], wanted: Wanted
) -> list[Sighting]:
    if not wanted.languages:
        return sightings
    texts = await stored.texts(db, {one.post for one in sightings})
    kept = {key for key, text in texts.items() if likely_language(text) in wanted.languages}
    return [one for one in sightings if one.post in kept]
