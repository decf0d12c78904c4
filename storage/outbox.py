"""Which messages are owed to which chats, and what became of each?

A row is written in the transaction that stores the hits, and one row is one message.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from aiosqlite import Connection

from storage import chats, hits, posts
from storage.db import moment, stamp
from storage.model import (
    Channel,
    ChannelKind,
    Delivery,
    DeliveryKind,
    Entry,
    Finding,
    Hit,
)

_OWED = "sent_at IS NULL AND failed IS NULL"


async def add(tx: Connection, delivery: Delivery, now: datetime) -> int:
    """Owe a message; return its id. The chat must not have been told of these hits before."""
    await chats.ensure(tx, delivery.chat_id)
    done = await tx.execute(
        "INSERT INTO outbox (chat_id, thread_id, kind, text, created_at, due_at) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (
            delivery.chat_id,
            delivery.thread_id,
            delivery.kind,
            delivery.text,
            stamp(now),
            stamp(delivery.due_at),
        ),
    )
    assert done.lastrowid is not None
    await tx.executemany(
        "INSERT INTO outbox_hits VALUES (?, ?, ?, ?, ?)",
        [
            (done.lastrowid, delivery.chat_id, hit.channel_id, hit.message_id, hit.term_id)
            for hit in delivery.hits
        ],
    )
    return done.lastrowid


async def next_due(db: Connection, now: datetime) -> list[Delivery]:
    """The oldest message due to each chat that may be written to; without its hits."""
    rows = await db.execute_fetchall(
        f"""
        SELECT chat_id, kind, due_at, text, thread_id, attempts, min(outbox.id)
        FROM outbox JOIN chats ON chats.id = chat_id
        WHERE {_OWED} AND due_at <= ? AND paused_at IS NULL
        GROUP BY chat_id ORDER BY min(outbox.id)
        """,
        (stamp(now),),
    )
    return [
        Delivery(
            chat_id,
            DeliveryKind(kind),
            moment(due_at),
            text=text,
            thread_id=thread_id,
            attempts=attempts,
            id=id,
        )
        for chat_id, kind, due_at, text, thread_id, attempts, id in rows
    ]


async def next_due_at(db: Connection, after: datetime) -> datetime | None:
    """When the next message becomes due that is not due yet."""
    rows = await db.execute_fetchall(
        f"SELECT min(due_at) FROM outbox WHERE {_OWED} AND due_at > ?", (stamp(after),)
    )
    return next((moment(due_at) for (due_at,) in rows if due_at), None)


async def entries(db: Connection, delivery_id: int) -> list[Entry]:
    """What a message is to tell: its posts, oldest first, each with its hits."""
    rows = await db.execute_fetchall(
        f"""
        SELECT channels.id, channels.username, channels.title, channels.kind,
               {posts.COLUMNS}, watchlists.name, terms.name, {hits.COLUMNS}
        FROM outbox_hits
        JOIN hits USING (channel_id, message_id, term_id)
        JOIN posts USING (channel_id, message_id)
        JOIN channels ON channels.id = hits.channel_id
        JOIN watchlists ON watchlists.id = hits.watchlist_id
        JOIN terms ON terms.id = hits.term_id
        WHERE outbox_hits.delivery_id = ?
        ORDER BY posts.published_at, posts.channel_id, posts.message_id, watchlists.name, terms.id
        """,
        (delivery_id,),
    )
    found: dict[tuple[int, int], Entry] = {}
    for row in rows:
        id, username, title, kind = row[:4]
        post = posts.from_row(*row[4:13])
        key = (post.channel_id, post.message_id)
        before = found.get(key) or Entry(Channel(id, username, title, ChannelKind(kind)), post, ())
        finding = Finding(hits.from_row(*row[15:]), watchlist=row[13], term=row[14])
        found[key] = Entry(before.channel, post, (*before.findings, finding))
    return list(found.values())


async def move(tx: Connection, delivery: Delivery, rest: Sequence[Hit], now: datetime) -> None:
    """What did not fit into a message becomes the next one to the same chat."""
    id = await add(tx, replace(delivery, hits=()), now)
    await tx.executemany(
        "UPDATE outbox_hits SET delivery_id = ? "
        "WHERE chat_id = ? AND channel_id = ? AND message_id = ? AND term_id = ?",
        [(id, delivery.chat_id, hit.channel_id, hit.message_id, hit.term_id) for hit in rest],
    )


async def mark_sent(
    tx: Connection, delivery_id: int, message_id: int | None, now: datetime
) -> None:
    await tx.execute(
        "UPDATE outbox SET sent_at = ?, message_id = ? WHERE id = ?",
        (stamp(now), message_id, delivery_id),
    )


async def postpone(tx: Connection, delivery_id: int, until: datetime) -> None:
    await tx.execute(
        "UPDATE outbox SET due_at = ?, attempts = attempts + 1 WHERE id = ?",
        (stamp(until), delivery_id),
    )


async def give_up(tx: Connection, delivery_id: int, reason: str) -> None:
    await tx.execute("UPDATE outbox SET failed = ? WHERE id = ?", (reason, delivery_id))


async def drop_thread(tx: Connection, delivery: Delivery) -> None:
    """The forum topic is gone: this and all that follows goes to the chat's main topic."""
    for table in ("outbox", "subscriptions"):
        await tx.execute(
            f"UPDATE {table} SET thread_id = NULL WHERE chat_id = ? AND thread_id = ?",
            (delivery.chat_id, delivery.thread_id),
        )


async def waiting(db: Connection) -> int:
    ((number,),) = await db.execute_fetchall(f"SELECT count(*) FROM outbox WHERE {_OWED}")
    return int(number)
