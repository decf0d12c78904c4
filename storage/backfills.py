"""Which history is wanted from before a channel was watched, and how far did that get?"""

from datetime import datetime

from aiosqlite import Connection

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
    await tx.execute(
        """
        INSERT INTO backfills (channel_id, until, below, chat_id, thread_id, asked_at)
        VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET
            until = min(until, excluded.until), chat_id = excluded.chat_id,
            thread_id = excluded.thread_id, asked_at = excluded.asked_at,
            posts = iif(done_at IS NULL, posts, 0), hits = iif(done_at IS NULL, hits, 0),
            done_at = iif(done_at IS NOT NULL AND until <= excluded.until, done_at, NULL)
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
    rows = await tx.execute_fetchall(f"{_SELECT} WHERE channel_id = ?", (backfill.channel.id,))
    (asked,) = [_backfill(*row) for row in rows]
    return asked


async def wanted(db: Connection) -> list[Backfill]:
    """Those that are not done, the one asked for first before the others."""
    rows = await db.execute_fetchall(f"{_SELECT} WHERE done_at IS NULL ORDER BY asked_at")
    return [_backfill(*row) for row in rows]


async def progress(tx: Connection, channel_id: int, below: int, posts: int, hits: int) -> None:
    """Note that everything from `below` on is read, and what it came to."""
    await tx.execute(
        "UPDATE backfills SET below = min(below, ?), posts = posts + ?, hits = hits + ? "
        "WHERE channel_id = ?",
        (below, posts, hits, channel_id),
    )


async def finish(tx: Connection, channel_id: int, now: datetime) -> Backfill | None:
    """Note that it is done; return it as it ended. None when nobody wants it any more."""
    await tx.execute(
        "UPDATE backfills SET done_at = ? WHERE channel_id = ?", (stamp(now), channel_id)
    )
    rows = await tx.execute_fetchall(f"{_SELECT} WHERE channel_id = ?", (channel_id,))
    return next((_backfill(*row) for row in rows), None)


async def forget(tx: Connection, channel_id: int) -> None:
    await tx.execute("DELETE FROM backfills WHERE channel_id = ?", (channel_id,))


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
