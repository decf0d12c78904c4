"""Which messages are owed to which chats, and what became of each?

A row is written in the transaction that stores the hits, and one row is one message.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from aiosqlite import Connection, Row

from storage import chats, hits, posts, said, stories, verdicts
from storage.db import moment, stamp
from storage.model import (
    Channel,
    ChannelKind,
    Delivery,
    DeliveryKind,
    Entry,
    Finding,
    Hit,
    Part,
    Period,
    Place,
    PostKey,
    Severity,
    Sighting,
    Told,
    Wanted,
)

_OWED = "sent_at IS NULL AND failed IS NULL"
_COLUMNS = (
    "outbox.id, outbox.chat_id, outbox.kind, outbox.due_at, outbox.text, outbox.thread_id, "
    "outbox.attempts, outbox.severity, outbox.reason, outbox.tried_at IS NOT NULL, "
    "outbox.message_id, outbox.changes, outbox.period_from, outbox.period_to, outbox.wanted, "
    "outbox.part, outbox.said"
)
PROBE_AFTER = timedelta(hours=6)  # a chat that can't be written to is tried again after that
_RANKS = list(Severity)


async def add(tx: Connection, delivery: Delivery, now: datetime) -> int:
    """Owe a message; return its id. The chat must not have been told of these hits before."""
    await chats.ensure(tx, delivery.chat_id)
    done = await tx.execute(
        "INSERT INTO outbox "
        "(chat_id, thread_id, kind, text, created_at, due_at, severity, reason, "
        "period_from, period_to, wanted, said) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            delivery.chat_id,
            delivery.thread_id,
            delivery.kind,
            delivery.text,
            stamp(now),
            stamp(delivery.due_at),
            delivery.severity.rank,
            delivery.reason,
            *(map(stamp, delivery.period) if delivery.period else (None, None)),
            _write_wanted(delivery.wanted) if delivery.period else None,
            said.kept(delivery.text or delivery.reason),
        ),
    )
    assert done.lastrowid is not None
    await _attach(tx, done.lastrowid, delivery.chat_id, delivery.hits)
    return done.lastrowid


async def _attach(tx: Connection, id: int, chat_id: int, told: Iterable[Hit | Sighting]) -> None:
    await tx.executemany(
        "INSERT INTO outbox_hits VALUES (?, ?, ?, ?, ?)",
        [(id, chat_id, hit.channel_id, hit.message_id, hit.term_id) for hit in told],
    )


async def hold(tx: Connection, digest: Delivery, now: datetime) -> None:
    """Owe hits in the digest that waits for the end of the chat's quiet hours."""
    rows = await tx.execute_fetchall(
        f"SELECT id FROM outbox WHERE {_OWED} AND chat_id = ? AND thread_id IS ? "
        "AND kind = 'digest' AND due_at > ? AND attempts = 0 AND period_from IS NULL",
        (digest.chat_id, digest.thread_id, stamp(now)),
    )
    for (id,) in rows:
        await _attach(tx, id, digest.chat_id, digest.hits)
        return
    await add(tx, digest, now)


async def release(tx: Connection, chat_id: int, now: datetime) -> bool:
    """What waits for the end of quiet hours is due now: the chat has asked. False: nothing waits."""
    done = await tx.execute(
        f"UPDATE outbox SET due_at = ? WHERE {_OWED} AND chat_id = ? AND kind = 'digest' "
        "AND due_at > ? AND attempts = 0",
        (stamp(now), chat_id, stamp(now)),
    )
    return done.rowcount > 0


async def join(tx: Connection, told: Told, copies: Iterable[Hit]) -> None:
    """Hits of a copy are told by the message that told of the story."""
    await _attach(tx, told.delivery_id, told.chat_id, copies)


async def note_story(tx: Connection, story: PostKey) -> None:
    """A story has one post more: what told of it shows that."""
    await tx.execute(
        "UPDATE outbox SET changes = changes + 1 WHERE kind = 'alert' AND id IN ("
        "SELECT delivery_id FROM story_posts JOIN outbox_hits USING (channel_id, message_id) "
        "WHERE story_channel_id = ? AND story_message_id = ?)",
        story,
    )


async def told(tx: Connection, story: PostKey) -> list[Told]:
    """What each chat was told, or is owed, of a story. What Telegram refused was not told."""
    rows = await tx.execute_fetchall(
        "SELECT outbox_hits.chat_id, min(delivery_id), json_group_array(term_id) "
        "FROM story_posts JOIN outbox_hits USING (channel_id, message_id) "
        "JOIN outbox ON outbox.id = delivery_id AND failed IS NULL "
        "WHERE story_channel_id = ? AND story_message_id = ? GROUP BY outbox_hits.chat_id",
        story,
    )
    return [Told(chat, delivery, frozenset(json.loads(terms))) for chat, delivery, terms in rows]


async def next_due(db: Connection, now: datetime) -> list[Delivery]:
    """The most urgent message due to each chat that may be written to; without its hits.

    A chat that can't be written to is tried now and then: nobody may tell us that it is back.
    """
    rows = await db.execute_fetchall(
        f"""
        WITH first AS (
            -- Of a group SQLite gives the id that goes with the max().
            SELECT id, count(*) AS waiting, max(severity * 1000000000000 - id)
            FROM outbox WHERE {_OWED} AND due_at <= ? GROUP BY chat_id)
        SELECT {_COLUMNS}, waiting
        FROM first JOIN outbox USING (id) JOIN chats ON chats.id = outbox.chat_id
        WHERE paused_at IS NULL OR paused_at <= ?
        ORDER BY outbox.severity DESC, outbox.id
        """,
        (stamp(now), stamp(now - PROBE_AFTER)),
    )
    return [_from_row(row, waiting=row[-1]) for row in rows]


async def next_due_at(db: Connection, after: datetime) -> datetime | None:
    """When the next message becomes due that is not due yet."""
    rows = await db.execute_fetchall(
        f"SELECT min(due_at) FROM outbox WHERE {_OWED} AND due_at > ?", (stamp(after),)
    )
    return next((moment(due_at) for (due_at,) in rows if due_at), None)


async def next_changed(db: Connection) -> list[Delivery]:
    """Of each chat the first sent alert whose message no longer shows what it should."""
    rows = await db.execute_fetchall(
        f"SELECT {_COLUMNS}, min(outbox.id) FROM outbox JOIN chats ON chats.id = outbox.chat_id "
        "WHERE changes > shown AND message_id IS NOT NULL AND paused_at IS NULL "
        "AND sent_at IS NOT NULL GROUP BY outbox.chat_id"
    )
    return [_from_row(row) for row in rows]


async def one(db: Connection, id: int) -> Delivery | None:
    rows = await db.execute_fetchall(f"SELECT {_COLUMNS} FROM outbox WHERE id = ?", (id,))
    return next((_from_row(row) for row in rows), None)


def _from_row(row: Row, waiting: int = 1) -> Delivery:
    id, chat_id, kind, due_at, text, thread_id, attempts, rank, reason, tried, message, changes = (
        row[:12]
    )
    start, end, wanted, part, kept = row[12:17]
    return Delivery(
        chat_id,
        DeliveryKind(kind),
        moment(due_at),
        text=said.read(text, kept if text else None),
        thread_id=thread_id,
        attempts=attempts,
        id=id,
        severity=_RANKS[rank],
        reason=said.read(reason, kept if reason else None),
        tried=bool(tried),
        message_id=message,
        changes=changes,
        waiting=waiting,
        period=Period(moment(start), moment(end)) if start else None,
        wanted=_read_wanted(wanted) if wanted else Wanted(),
        part=Part(part),
    )


def _write_wanted(wanted: Wanted) -> str:
    return json.dumps([wanted.watchlists, wanted.channels, wanted.terms, wanted.languages])


def _read_wanted(text: str) -> Wanted:
    return Wanted(*map(tuple, json.loads(text)))


async def merge(tx: Connection, delivery: Delivery, now: datetime) -> int:
    """Alerts due to the same chat and topic, as urgent as this one and never tried, become part of
    it. Returns how many."""
    same = (
        f"SELECT id FROM outbox WHERE {_OWED} AND kind = 'alert' AND tried_at IS NULL "
        "AND chat_id = ? AND thread_id IS ? AND severity = ? AND due_at <= ? AND id <> ?"
    )
    which = (delivery.chat_id, delivery.thread_id, delivery.severity.rank, stamp(now), delivery.id)
    return await _fold(tx, delivery.id, same, which)


async def _fold(tx: Connection, id: int, same: str, which: Sequence[int | str | None]) -> int:
    """Move what the messages that a query names have to tell into one; delete them."""
    ids = [row[0] for row in await tx.execute_fetchall(same, which)]
    marks = ", ".join("?" * len(ids))
    await tx.execute(
        f"UPDATE outbox_hits SET delivery_id = ? WHERE delivery_id IN ({marks})", (id, *ids)
    )
    await tx.execute(f"DELETE FROM outbox WHERE id IN ({marks})", ids)
    return len(ids)


async def resume(tx: Connection, chat_id: int, now: datetime) -> bool:
    """The bot may write there again: what the chat missed is owed as one digest a topic.

    False when it was not paused.
    """
    if not await chats.resume(tx, chat_id):
        return False
    owed = f"SELECT id FROM outbox WHERE {_OWED} AND chat_id = ? AND kind <> 'notice'"
    topics = await tx.execute_fetchall(
        f"SELECT DISTINCT thread_id FROM outbox WHERE {_OWED} AND chat_id = ? AND kind <> 'notice'",
        (chat_id,),
    )
    for (thread_id,) in topics:
        digest = Delivery(chat_id, DeliveryKind.DIGEST, now, thread_id=thread_id)
        id = await add(tx, digest, now)
        await _fold(tx, id, f"{owed} AND thread_id IS ? AND id <> ?", (chat_id, thread_id, id))
    return True


async def entries(db: Connection, delivery_id: int, *, as_found: bool = False) -> list[Entry]:
    """What a message is to tell: its posts, oldest first, each with its hits.

    `as_found`: the one we found first is the first, whatever its age.
    """
    order = "hits.found_at, " if as_found else ""
    rows = await db.execute_fetchall(
        f"""
        SELECT channels.id, channels.username, channels.title, channels.kind,
               {posts.COLUMNS}, posts.deleted_at,
               iif(posts.edited_at IS NULL, NULL,
                   (SELECT text FROM post_versions AS old
                    WHERE old.channel_id = posts.channel_id AND old.message_id = posts.message_id
                    ORDER BY replaced_at DESC LIMIT 1)),
               story_channel_id, story_message_id,
               watchlists.name, terms.name, {hits.COLUMNS}
        FROM outbox_hits
        JOIN hits USING (channel_id, message_id, term_id)
        JOIN posts USING (channel_id, message_id)
        JOIN channels ON channels.id = hits.channel_id
        JOIN watchlists ON watchlists.id = hits.watchlist_id
        JOIN terms ON terms.id = hits.term_id
        LEFT JOIN story_posts ON story_posts.channel_id = hits.channel_id
            AND story_posts.message_id = hits.message_id
        WHERE outbox_hits.delivery_id = ?
        ORDER BY {order}posts.published_at, posts.channel_id, posts.message_id,
                 watchlists.name, terms.id
        """,
        (delivery_id,),
    )
    said = await verdicts.of_delivery(db, delivery_id)
    found: dict[tuple[int, int], Entry] = {}
    for row in rows:
        id, username, title, kind = row[:4]
        post = posts.from_row(*row[4:13])
        key = (post.channel_id, post.message_id)
        entry = found.get(key) or Entry(
            Channel(id, username, title, ChannelKind(kind)),
            post,
            (),
            deleted_at=moment(row[13]) if row[13] else None,
            before=row[14],
            verdicts=tuple(said.get(key, ())),
            story=PostKey(*row[15:17]) if row[15] else post.key,
        )
        finding = Finding(hits.from_row(*row[19:]), watchlist=row[17], term=row[18])
        found[key] = replace(entry, findings=(*entry.findings, finding))
    return list(found.values())


async def elsewhere(db: Connection, entry: Entry) -> tuple[Place, ...]:
    """Where else an entry's story stands, as of now."""
    if entry.story is None:
        return ()
    return tuple(
        place for place in await stories.members(db, entry.story) if place.key != entry.post.key
    )


async def move(
    tx: Connection, delivery: Delivery, rest: Sequence[Hit | Sighting], now: datetime
) -> None:
    """What did not fit into a message becomes the next one to the same chat."""
    id = await add(tx, replace(delivery, hits=(), period=None), now)
    await tx.executemany(
        "UPDATE outbox_hits SET delivery_id = ? "
        "WHERE chat_id = ? AND channel_id = ? AND message_id = ? AND term_id = ?",
        [(id, delivery.chat_id, hit.channel_id, hit.message_id, hit.term_id) for hit in rest],
    )


async def mark_tried(tx: Connection, delivery_id: int, now: datetime) -> None:
    """A send begins: should nothing be heard of it, the next one may be a repeat."""
    await tx.execute("UPDATE outbox SET tried_at = ? WHERE id = ?", (stamp(now), delivery_id))


async def mark_refused(tx: Connection, delivery_id: int) -> None:
    """Telegram said no: the next try is no repeat."""
    await tx.execute("UPDATE outbox SET tried_at = NULL WHERE id = ?", (delivery_id,))


async def mark_sent(
    tx: Connection, delivery: Delivery, message_id: int | None, now: datetime
) -> None:
    """It is in the chat, as it was when `delivery` was read."""
    await tx.execute(
        "UPDATE outbox SET sent_at = coalesce(sent_at, ?), message_id = ?, shown = ? WHERE id = ?",
        (stamp(now), message_id, delivery.changes, delivery.id),
    )


async def next_part(tx: Connection, delivery_id: int, part: Part) -> None:
    """One of a digest's messages is in the chat; this is the next one."""
    await tx.execute(
        "UPDATE outbox SET part = ?, tried_at = NULL, attempts = 0 WHERE id = ?",
        (part, delivery_id),
    )


async def postpone(
    tx: Connection, delivery_id: int, until: datetime, *, refused: bool = True
) -> None:
    """`refused`: Telegram said no, so that the next try is no repeat."""
    await tx.execute(
        "UPDATE outbox SET due_at = ?, attempts = attempts + 1, "
        "tried_at = iif(?, NULL, tried_at) WHERE id = ?",
        (stamp(until), int(refused), delivery_id),
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


async def abandon(tx: Connection, chat_id: int, reason: str) -> None:
    """Tell that chat nothing of what it is owed, nor how that which it was told has changed."""
    await tx.execute(
        "UPDATE outbox SET failed = ? WHERE chat_id = ? AND sent_at IS NULL AND failed IS NULL",
        (reason, chat_id),
    )
    await tx.execute("UPDATE outbox SET message_id = NULL WHERE chat_id = ?", (chat_id,))


async def waiting(db: Connection) -> int:
    ((number,),) = await db.execute_fetchall(f"SELECT count(*) FROM outbox WHERE {_OWED}")
    return int(number)
