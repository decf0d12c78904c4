"""How many posts touched each term, ten minutes by ten minutes?

A trigger keeps the table; a slot is the beginning of a moment as stored: 2026-01-01T12:3.
"""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from aiosqlite import Connection

from storage.db import moment, stamp
from storage.model import Period

SLOT = timedelta(minutes=10)
_DIGITS = 15  # of a moment's text


def slot(at: datetime) -> str:
    return stamp(at)[:_DIGITS]


async def counts(
    db: Connection, windows: Sequence[Period], terms: Sequence[int] | None = None
) -> dict[int, list[int]]:
    """By term, how many posts touched it in each window, as far as whole slots tell; terms that
    were in none are left out."""
    asked = json.dumps([(slot(start), slot(end)) for start, end in windows])
    which = "" if terms is None else "AND term_id IN (SELECT value FROM json_each(?))"
    rows = await db.execute_fetchall(
        f"""
        SELECT term_id, asked.key, sum(posts) FROM json_each(?) AS asked
        CROSS JOIN activity ON slot >= asked.value ->> 0 AND slot < asked.value ->> 1
        WHERE TRUE {which} GROUP BY 1, 2
        """,
        (asked, *([json.dumps(terms)] if terms is not None else [])),
    )
    found: dict[int, list[int]] = {}
    for term_id, window, posts in rows:
        found.setdefault(term_id, [0] * len(windows))[window] = posts
    return found


async def terms(db: Connection) -> dict[int, tuple[int, str, bool, datetime]]:
    """By id: its watchlist, its name, whether it is an entity, and since when it is looked for."""
    rows = await db.execute_fetchall(
        "SELECT id, watchlist_id, name, kind IS NOT NULL OR aliases <> '[]', created_at FROM terms"
    )
    return {
        id: (watchlist_id, name, bool(entity), moment(since))
        for id, watchlist_id, name, entity, since in rows
    }
