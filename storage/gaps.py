"""Which messages did no account show as they are, and which of them does the preview owe us?"""

import json
from collections.abc import Iterable
from datetime import datetime

from aiosqlite import Connection

from storage.db import stamp


async def note(tx: Connection, channel_id: int, message_ids: Iterable[int]) -> None:
    await tx.execute(
        "INSERT INTO gaps (channel_id, message_id) SELECT ?, value FROM json_each(?) "
        "WHERE true ON CONFLICT DO NOTHING",
        (channel_id, json.dumps(list(message_ids))),
    )


async def of(db: Connection, channel_id: int) -> set[int]:
    rows = await db.execute_fetchall(
        "SELECT message_id FROM gaps WHERE channel_id = ?", (channel_id,)
    )
    return {id for (id,) in rows}


async def owed(db: Connection, tries: int, before: datetime) -> list[tuple[int, int]]:
    """(channel id, message id) of what is not stored, asked for less than `tries` times and last
    before that moment; of watched channels that the preview can show. Never asked for first."""
    rows = await db.execute_fetchall(
        """
        SELECT channel_id, message_id FROM gaps JOIN channels ON channels.id = channel_id
        WHERE removed_at IS NULL AND kind = 'channel' AND username IS NOT NULL
          AND message_id > start AND tries < ? AND coalesce(asked_at, '') <= ?
          AND NOT EXISTS (SELECT 1 FROM posts WHERE posts.channel_id = gaps.channel_id
                                                AND posts.message_id = gaps.message_id)
          AND NOT EXISTS (SELECT 1 FROM album_messages AS album
                          WHERE album.channel_id = gaps.channel_id
                            AND album.message_id = gaps.message_id)
        ORDER BY coalesce(asked_at, ''), channel_id, message_id
        """,
        (tries, stamp(before)),
    )
    return [(channel_id, message_id) for channel_id, message_id in rows]


async def asked(
    tx: Connection, channel_id: int, message_id: int, now: datetime, *, in_vain: bool
) -> int:
    """Note that the preview was asked; return how often in vain: it answered, and hadn't it."""
    rows = await tx.execute_fetchall(
        "UPDATE gaps SET asked_at = ?, tries = tries + ? WHERE channel_id = ? AND message_id = ? "
        "RETURNING tries",
        (stamp(now), in_vain, channel_id, message_id),
    )
    return next((int(tries) for (tries,) in rows), 0)
