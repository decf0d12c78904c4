"""Which channels did the program join, and with which account?"""

from datetime import datetime

from aiosqlite import Connection

from storage.db import stamp


async def keep(tx: Connection, account_id: int, channel_id: int, now: datetime) -> None:
    await tx.execute(
        "INSERT INTO memberships VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        (account_id, channel_id, stamp(now)),
    )


async def forget(tx: Connection, account_id: int, channel_id: int) -> None:
    await tx.execute(
        "DELETE FROM memberships WHERE account_id = ? AND channel_id = ?", (account_id, channel_id)
    )


async def of_account(db: Connection, account_id: int) -> set[int]:
    """The ids of the channels joined with it."""
    rows = await db.execute_fetchall(
        "SELECT channel_id FROM memberships WHERE account_id = ?", (account_id,)
    )
    return {channel_id for (channel_id,) in rows}


async def to_leave(db: Connection, account_id: int) -> list[int]:
    """Those of them that are no longer watched."""
    rows = await db.execute_fetchall(
        "SELECT channel_id FROM memberships JOIN channels ON channels.id = channel_id "
        "WHERE account_id = ? AND removed_at IS NOT NULL",
        (account_id,),
    )
    return [channel_id for (channel_id,) in rows]


async def is_joined(db: Connection, channel_id: int) -> bool:
    """With any account, by the program."""
    rows = await db.execute_fetchall(
        "SELECT 1 FROM memberships WHERE channel_id = ?", (channel_id,)
    )
    return bool(list(rows))
