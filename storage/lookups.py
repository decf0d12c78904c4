"""When did an account look names up of late?"""

from datetime import datetime, timedelta

from aiosqlite import Connection

from storage.db import moment, stamp

DAY = timedelta(days=1)


async def note(tx: Connection, account_id: int, now: datetime) -> None:
    """One more; those older than a day are forgotten."""
    await tx.execute("DELETE FROM lookups WHERE looked_up_at <= ?", (stamp(now - DAY),))
    await tx.execute("INSERT INTO lookups VALUES (?, ?)", (account_id, stamp(now)))


async def within_a_day(db: Connection, account_id: int, now: datetime) -> list[datetime]:
    """Oldest first."""
    rows = await db.execute_fetchall(
        "SELECT looked_up_at FROM lookups WHERE account_id = ? AND looked_up_at > ? "
        "ORDER BY looked_up_at",
        (account_id, stamp(now - DAY)),
    )
    return [moment(at) for (at,) in rows]
