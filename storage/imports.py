"""How far did the import of a file get that was interrupted?"""

from aiosqlite import Connection


async def position(db: Connection, file: str) -> int:
    """How many of the file's messages need not be read again."""
    rows = await db.execute_fetchall("SELECT position FROM imports WHERE file = ?", (file,))
    return next((int(row[0]) for row in rows), 0)


async def note(tx: Connection, file: str, position: int) -> None:
    await tx.execute(
        "INSERT INTO imports VALUES (?, ?) ON CONFLICT DO UPDATE SET position = excluded.position",
        (file, position),
    )


async def forget(tx: Connection, file: str) -> None:
    """It was read to its end; if it is imported again, it is read again, which changes nothing."""
    await tx.execute("DELETE FROM imports WHERE file = ?", (file,))
