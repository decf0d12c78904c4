"""How is the database copied while the daemon writes into it?"""

import asyncio
import sqlite3
from pathlib import Path

import aiosqlite

from storage.db import BUSY_MS, DatabaseUnusable, remedies


class CopyFailed(Exception):
    """The copy can't be written; the message says why."""


async def copy(database: Path, to: Path) -> int:
    """Copy the database as it is at one moment into `to`, which is empty or not there.

    Nobody who writes has to wait. Returns how many posts the copy has. Raises DatabaseUnusable,
    CopyFailed.
    """
    if not database.is_file():
        raise DatabaseUnusable(f"database {database}: there is none; set DATABASE to its path")
    existing = f"{database.resolve().as_uri()}?mode=rw"
    with remedies(database):
        async with aiosqlite.connect(existing, uri=True, isolation_level=None) as source:
            await source.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
            ((version,),) = await source.execute_fetchall("PRAGMA user_version")
            if not version:
                raise DatabaseUnusable(f"database {database}: it holds nothing of this program yet")
            await _vacuum(source, to.resolve())
    async with aiosqlite.connect(to) as made:
        ((well,),) = await made.execute_fetchall("PRAGMA quick_check(1)")
        if well != "ok":
            raise CopyFailed(f"what was written is damaged ({well}): check the disk")
        ((posts,),) = await made.execute_fetchall("SELECT count(*) FROM posts")
    return int(posts)


async def _vacuum(source: aiosqlite.Connection, to: Path) -> None:
    try:
        await source.execute("VACUUM INTO ?", (str(to),))
    except asyncio.CancelledError:
        await source.interrupt()
        raise
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_FULL:
            raise CopyFailed("the disk is full") from error
        raise
