"""Who changed what, and when?"""

from datetime import datetime

from aiosqlite import Connection

from storage.db import moment, stamp
from storage.model import Author, Change

LIMIT = 300  # characters of what was said


async def note(tx: Connection, by: Author, what: str, now: datetime) -> None:
    """To be called in the transaction of the change, so that there is neither without the other.

    `what` is written as a command would say it: `watch rail эшелон`.
    """
    flat = " ".join(what.split())
    await tx.execute(
        "INSERT INTO audit (at, person_id, name, chat_id, what) VALUES (?, ?, ?, ?, ?)",
        (
            stamp(now),
            by.person_id,
            by.name,
            by.chat_id,
            flat if len(flat) <= LIMIT else f"{flat[: LIMIT - 1]}…",
        ),
    )


async def latest(db: Connection, number: int, before: int | None = None) -> list[Change]:
    """The newest first; `before`: those older than the change with this id."""
    rows = await db.execute_fetchall(
        "SELECT id, at, person_id, name, chat_id, what FROM audit WHERE id < ? "
        "ORDER BY id DESC LIMIT ?",
        (2**63 - 1 if before is None else before, number),
    )
    return [
        Change(id, moment(at), Author(person_id, name, chat_id), what)
        for id, at, person_id, name, chat_id, what in rows
    ]
