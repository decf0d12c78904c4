"""Of which unusual activity were the chats told?"""

from datetime import datetime

from aiosqlite import Connection

from storage.db import stamp


async def raised_since(db: Connection, since: datetime) -> set[int]:
    """Watchlists of which it was told since then."""
    rows = await db.execute_fetchall(
        "SELECT watchlist_id FROM surges WHERE raised_at > ?", (stamp(since),)
    )
    return {id for (id,) in rows}


async def add(tx: Connection, watchlist_id: int, now: datetime) -> None:
    await tx.execute(
        "INSERT INTO surges VALUES (?, ?) ON CONFLICT DO NOTHING", (watchlist_id, stamp(now))
    )
