"""Which history is wanted from before a channel was watched, and how far did that get?"""

from datetime import datetime

from aiosqlite import Connection

from storage import chats
from storage.db import moment, stamp
from storage.model import Backfill, Channel, ChannelKind

_SELECT = """
    SELECT channels.id, username, title, kind, until, below, chat_id, thread_id, posts, hits,
           done_at IS NOT NULL
    FROM backfills JOIN channels ON channels.id = channel_id AND removed_at IS NULL
"""


async def ask(tx: Connection, backfill: Backfill, now: datetime) -> Backfill:
    """Want a channel's history back to `until`; return the wish as it is now.

    What an earlier wish has read is not read again.
    """
    await chats.ensure(tx, backfill.chat_id)
    await tx.execute(
        """
        INSERT INTO backfills (channel_id, until, below, chat_id, thread_id, asked_at)
        VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET
            until = min(until, excluded.until), chat_id = excluded.chat_id,
            thread_id = excluded.thread_id, asked_at = excluded.asked_at,
            posts = iif(done_at IS NOT NULL AND until > excluded.until, 0, posts),
            hits = iif(done_at IS NOT NULL AND until > excluded.until, 0, hits),
            done_at = iif(until > excluded.until, NULL, done_at)
        """,
        (
            backfill.channel.id,
            stamp(backfill.until),
            backfill.below,
            backfill.chat_id,
            backfill.thread_id,
            stamp(now),
        ),
    )
    asked = await _of(tx, backfill.channel.id)
    assert asked is not None, "only of a watched channel"
    return asked


async def all(db: Connection) -> list[Backfill]:
    """Done or not, the one asked for first before the others."""
    rows = await db.execute_fetchall(f"{_SELECT} ORDER BY asked_at, channel_id")
    return [_backfill(*row) for row in rows]


async def wanted(db: Connection) -> list[Backfill]:
    return [backfill for backfill in await all(db) if not backfill.done]


async def progress(tx: Connection, channel_id: int, below: int, posts: int, hits: int) -> None:
    """Note that everything from `below` on is read, and what it came to."""
    await tx.execute(
        "UPDATE backfills SET below = min(below, ?), posts = posts + ?, hits = hits + ? "
        "WHERE channel_id = ?",
        (below, posts, hits, channel_id),
    )


async def finish(tx: Connection, wish: Backfill, now: datetime) -> Backfill | None:
    """Note that it is done; return it as it ended. None when something else is wanted by now."""
    done = await tx.execute(
        "UPDATE backfills SET done_at = ? WHERE channel_id = ? AND until = ? AND done_at IS NULL",
        (stamp(now), wish.channel.id, stamp(wish.until)),
    )
    return await _of(tx, wish.channel.id) if done.rowcount else None


async def forget(tx: Connection, channel_id: int) -> None:
    await tx.execute("DELETE FROM backfills WHERE channel_id = ?", (channel_id,))


async def _of(db: Connection, channel_id: int) -> Backfill | None:
    rows = await db.execute_fetchall(f"{_SELECT} WHERE channel_id = ?", (channel_id,))
    return next((_backfill(*row) for row in rows), None)


def _backfill(
    id: int,
    username: str | None,
    title: str,
    kind: str,
    until: str,
    below: int,
    chat_id: int,
    thread_id: int | None,
    posts: int,
    hits: int,
    done: int,
) -> Backfill:
    channel = Channel(id, username, title, ChannelKind(kind))
    return Backfill(channel, moment(until), below, chat_id, thread_id, posts, hits, done=bool(done))
