"""Which channels are watched, and how complete is each?"""

import json
from collections.abc import Iterable
from datetime import datetime

from aiosqlite import Connection

from storage import backfills, said, watchlists
from storage.db import moment, stamp
from storage.model import Channel, ChannelKind, Ledger


async def add(tx: Connection, channel: Channel, start: int, now: datetime) -> bool:
    """Watch a channel from message id `start` on. False when it was watched already."""
    if await is_watched(tx, channel.id):
        await rename(tx, channel)
        return False
    await tx.execute(
        """
        INSERT INTO channels (id, username, title, kind, start, cursor, added_at)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET
            username = excluded.username, title = excluded.title, kind = excluded.kind,
            start = excluded.start, cursor = excluded.cursor, added_at = excluded.added_at,
            looked_at = NULL, trouble = NULL, mark = NULL, removed_at = NULL
        """,
        (channel.id, channel.username, channel.title, channel.kind, start, start, stamp(now)),
    )
    await _take_name(tx, channel)
    return True


async def note(tx: Connection, channel: Channel, now: datetime) -> bool:
    """Know a channel without watching it, so that it can have posts. False when it is known."""
    done = await tx.execute(
        "INSERT INTO channels (id, username, title, kind, start, cursor, added_at, removed_at) "
        "VALUES (?, ?, ?, ?, 0, 0, ?, ?) ON CONFLICT DO NOTHING",
        (channel.id, channel.username, channel.title, channel.kind, stamp(now), stamp(now)),
    )
    return done.rowcount > 0


async def rename(tx: Connection, channel: Channel) -> bool:
    """Note its present title and @name, in watchlists that name it, too. False: they were known."""
    before = await tx.execute_fetchall("SELECT username FROM channels WHERE id = ?", (channel.id,))
    done = await tx.execute(
        "UPDATE channels SET username = ?, title = ? "
        "WHERE id = ? AND (username IS NOT ? OR title IS NOT ?)",
        (channel.username, channel.title, channel.id, channel.username, channel.title),
    )
    for (username,) in before:
        if username and username != channel.username:
            await watchlists.follow(tx, username, channel)
    await _take_name(tx, channel)
    return done.rowcount > 0


async def _take_name(tx: Connection, channel: Channel) -> None:
    """Whoever had its @name before has lost it: a link must not lead to somebody else."""
    await tx.execute(
        "UPDATE channels SET username = NULL WHERE username = ? COLLATE NOCASE AND id <> ?",
        (channel.username, channel.id),
    )


async def remove(tx: Connection, channel_id: int, now: datetime) -> None:
    """Stop watching; posts and hits stay."""
    await backfills.forget(tx, channel_id)
    await tx.execute("UPDATE channels SET removed_at = ? WHERE id = ?", (stamp(now), channel_id))


async def is_watched(db: Connection, channel_id: int) -> bool:
    rows = await db.execute_fetchall(
        "SELECT 1 FROM channels WHERE id = ? AND removed_at IS NULL", (channel_id,)
    )
    return bool(list(rows))


async def watched(db: Connection) -> list[Ledger]:
    rows = await db.execute_fetchall(
        "SELECT id, username, title, kind, start, cursor, looked_at, trouble, repaired, silent, "
        "mark, trouble_said, mark_said FROM channels "
        "WHERE removed_at IS NULL ORDER BY title COLLATE NOCASE, id"
    )
    return [_ledger(*row) for row in rows]


async def referred_to(db: Connection, username: str | None, id: int | None) -> Ledger | None:
    """The watched channel of that name, whatever its case, or of that id."""
    for ledger in await watched(db):
        known = (ledger.channel.username or "").casefold()
        if ledger.channel.id == id or (username and known == username.casefold()):
            return ledger
    return None


async def id_of(db: Connection, username: str | None, id: int | None) -> int | None:
    """The id of a known channel, watched or not, by its present name, whatever its case, or its id."""
    rows = await db.execute_fetchall(
        "SELECT id FROM channels WHERE id = ?1 OR lower(username) = lower(?2) "
        "ORDER BY removed_at IS NOT NULL, added_at DESC LIMIT 1",
        (id, username),
    )
    return next((int(row[0]) for row in rows), None)


async def news(db: Connection) -> dict[int, tuple[int, datetime]]:
    """Of each watched channel the cursor, and when it was added.

    What is newer than both is news that catch-up has not reached yet, and owes alerts for.
    """
    rows = await db.execute_fetchall(
        "SELECT id, cursor, added_at FROM channels WHERE removed_at IS NULL"
    )
    return {id: (cursor, moment(added_at)) for id, cursor, added_at in rows}


async def starts(db: Connection, ids: Iterable[int]) -> dict[int, int]:
    """After which message id each of these channels is watched; not those that are not."""
    rows = await db.execute_fetchall(
        "SELECT id, start FROM channels "
        "WHERE removed_at IS NULL AND id IN (SELECT value FROM json_each(?))",
        (json.dumps(list(ids)),),
    )
    return {int(id): int(start) for id, start in rows}


async def known(db: Connection) -> set[int]:
    """The ids of all channels, watched or not, that may have posts."""
    return {id for (id,) in await db.execute_fetchall("SELECT id FROM channels")}


async def everything(db: Connection) -> list[Channel]:
    """All channels that may have posts, watched or not; of one @name the watched one last."""
    rows = await db.execute_fetchall(
        "SELECT id, username, title, kind FROM channels ORDER BY removed_at IS NULL, added_at"
    )
    return [Channel(id, username, title, ChannelKind(kind)) for id, username, title, kind in rows]


async def cursor(db: Connection, channel_id: int) -> int:
    rows = await db.execute_fetchall("SELECT cursor FROM channels WHERE id = ?", (channel_id,))
    return next((int(row[0]) for row in rows), 0)


async def advance(
    tx: Connection, channel_id: int, message_id: int, now: datetime, repaired: int = 0
) -> None:
    """Note a look at the channel's history that left nothing missing up to `message_id`.

    Moves the cursor forward, never back. Live posts must not come here: only catch-up knows.
    `repaired` posts were missing below newer ones until now.
    """
    await tx.execute(
        "UPDATE channels SET cursor = max(cursor, ?), looked_at = ?, trouble = NULL, "
        "repaired = repaired + ? WHERE id = ?",
        (message_id, stamp(now), repaired, channel_id),
    )


async def repair(tx: Connection, channel_id: int, posts: int) -> None:
    """Count posts that were missing, though a look had left them out."""
    await tx.execute(
        "UPDATE channels SET repaired = repaired + ? WHERE id = ?", (posts, channel_id)
    )


async def set_silent(tx: Connection, channel_id: int, silent: bool) -> bool:
    """Note whether a channel is unusually quiet. False when that was known."""
    done = await tx.execute(
        "UPDATE channels SET silent = ? WHERE id = ? AND silent <> ?", (silent, channel_id, silent)
    )
    return done.rowcount > 0


async def set_trouble(tx: Connection, channel_id: int, why: str | None) -> bool:
    """Note why a channel can't be read, or that it can. Was it the other way round before?"""
    (row,) = await tx.execute_fetchall("SELECT trouble FROM channels WHERE id = ?", (channel_id,))
    await tx.execute(
        "UPDATE channels SET trouble = ?, trouble_said = ? WHERE id = ?",
        (why, said.kept(why), channel_id),
    )
    return (row[0] is None) != (why is None)


async def set_mark(tx: Connection, channel_id: int, mark: str | None) -> bool:
    """Note what Telegram says against a channel. False when that was known."""
    done = await tx.execute(
        "UPDATE channels SET mark = ?1, mark_said = ?2 WHERE id = ?3 AND mark IS NOT ?1",
        (mark, said.kept(mark), channel_id),
    )
    return done.rowcount > 0


async def keep_access_hash(
    tx: Connection, account_id: int, channel_id: int, access_hash: int
) -> None:
    await tx.execute(
        "INSERT INTO access_hashes VALUES (?, ?, ?) "
        "ON CONFLICT DO UPDATE SET access_hash = excluded.access_hash",
        (account_id, channel_id, access_hash),
    )


async def access_hashes(db: Connection, account_id: int) -> dict[int, int]:
    rows = await db.execute_fetchall(
        "SELECT channel_id, access_hash FROM access_hashes WHERE account_id = ?", (account_id,)
    )
    return {int(channel_id): int(access_hash) for channel_id, access_hash in rows}


def _ledger(
    id: int,
    username: str | None,
    title: str,
    kind: str,
    start: int,
    cursor: int,
    looked_at: str | None,
    trouble: str | None,
    repaired: int,
    silent: int,
    mark: str | None,
    trouble_said: str | None,
    mark_said: str | None,
) -> Ledger:
    channel = Channel(id, username, title, ChannelKind(kind))
    looked = moment(looked_at) if looked_at else None
    trouble = said.read(trouble, trouble_said if trouble else None)
    mark = said.read(mark, mark_said if mark else None)
    return Ledger(channel, start, cursor, looked, trouble, repaired, bool(silent), mark)
