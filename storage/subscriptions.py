"""Which chat wants to be told about which watchlist, and when?"""

from datetime import datetime

from aiosqlite import Connection

from storage import chats
from storage.db import moment, stamp
from storage.model import Severity, Subscription

_COLUMNS = "watchlist_id, chat_id, schedule, thread_id, subscriptions.created_at, subscriptions.id, severity, told_to"


async def put(tx: Connection, subscription: Subscription, now: datetime) -> None:
    """Subscribe the chat, or change how it is subscribed to that watchlist."""
    await chats.ensure(tx, subscription.chat_id)
    await tx.execute(
        """
        INSERT INTO subscriptions (watchlist_id, chat_id, thread_id, schedule, created_at)
        VALUES (?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET thread_id = excluded.thread_id, schedule = excluded.schedule
        """,
        (
            subscription.watchlist_id,
            subscription.chat_id,
            subscription.thread_id,
            subscription.schedule,
            stamp(now),
        ),
    )


async def remove(tx: Connection, watchlist_id: int, chat_id: int) -> bool:
    done = await tx.execute(
        "DELETE FROM subscriptions WHERE watchlist_id = ? AND chat_id = ?", (watchlist_id, chat_id)
    )
    return done.rowcount > 0


async def remove_all(tx: Connection, chat_id: int) -> None:
    await tx.execute("DELETE FROM subscriptions WHERE chat_id = ?", (chat_id,))


async def of_chat(db: Connection, chat_id: int) -> list[Subscription]:
    return await _where(db, "chat_id = ?", chat_id)


async def all(db: Connection) -> list[Subscription]:
    return await _where(db, "chat_id <> ?", 0)


async def instant(db: Connection) -> list[Subscription]:
    """Those that want alerts rather than digests."""
    return await _where(db, "schedule = ?", "now")


async def scheduled(db: Connection) -> list[Subscription]:
    """Those that want digests."""
    return await _where(db, "schedule <> ?", "now")


async def _where(db: Connection, condition: str, value: int | str) -> list[Subscription]:
    rows = await db.execute_fetchall(
        f"SELECT {_COLUMNS} FROM subscriptions JOIN watchlists ON watchlists.id = watchlist_id "
        f"WHERE {condition} ORDER BY subscriptions.id",
        (value,),
    )
    return [
        Subscription(
            list_id,
            chat_id,
            schedule,
            thread_id,
            moment(since),
            id,
            Severity(severity),
            moment(told_to) if told_to else None,
        )
        for list_id, chat_id, schedule, thread_id, since, id, severity, told_to in rows
    ]


async def take_slot(tx: Connection, subscription_id: int, slot: str) -> bool:
    """Claim the right to make the digest of this slot. False when it was made before."""
    done = await tx.execute(
        "INSERT INTO digest_slots VALUES (?, ?) ON CONFLICT DO NOTHING", (subscription_id, slot)
    )
    return done.rowcount > 0


async def note_told(tx: Connection, subscription_id: int, now: datetime) -> None:
    """All that was found by now is told: there is no need to look there again."""
    await tx.execute(
        "UPDATE subscriptions SET told_to = ? WHERE id = ?", (stamp(now), subscription_id)
    )


async def skip_slot(tx: Connection, subscription: Subscription, slot: str) -> None:
    """Count a slot as done for whichever id the subscription was stored under."""
    await tx.execute(
        "INSERT INTO digest_slots SELECT id, ? FROM subscriptions "
        "WHERE watchlist_id = ? AND chat_id = ? ON CONFLICT DO NOTHING",
        (slot, subscription.watchlist_id, subscription.chat_id),
    )
