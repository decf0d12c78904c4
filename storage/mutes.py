"""What does a chat want to hear nothing of at present?"""

import json
from collections.abc import Iterable
from datetime import datetime

from aiosqlite import Connection

from storage import chats
from storage.db import moment, stamp
from storage.model import Mutable, Mute


async def put(tx: Connection, mute: Mute) -> None:
    """Mute; a mute of the same thing gets the new end."""
    await chats.ensure(tx, mute.chat_id)
    await tx.execute(
        "INSERT INTO mutes (chat_id, what, target, until) VALUES (?, ?, ?, ?) "
        "ON CONFLICT DO UPDATE SET until = excluded.until",
        (mute.chat_id, mute.what, mute.target, stamp(mute.until) if mute.until else None),
    )


async def remove(tx: Connection, chat_id: int, id: int) -> bool:
    done = await tx.execute("DELETE FROM mutes WHERE id = ? AND chat_id = ?", (id, chat_id))
    return done.rowcount > 0


async def names(db: Connection, muted: Iterable[Mute]) -> dict[int, str]:
    """By mute, what its target is called, also when it is watched no longer; nothing for a chat."""
    rows = await db.execute_fetchall(
        """
        SELECT mutes.id, coalesce(terms.name, watchlists.name,
                                  '@' || channels.username, channels.title)
        FROM json_each(?) AS wanted JOIN mutes ON mutes.id = wanted.value
        LEFT JOIN terms ON what = 'term' AND terms.id = target
        LEFT JOIN watchlists ON what = 'watchlist' AND watchlists.id = target
        LEFT JOIN channels ON what = 'channel' AND channels.id = target
        """,
        (json.dumps([mute.id for mute in muted]),),
    )
    return {id: name or "" for id, name in rows}


async def of_chat(db: Connection, chat_id: int, now: datetime) -> list[Mute]:
    return [mute for mute in await active(db, now) if mute.chat_id == chat_id]


async def active(db: Connection, now: datetime) -> list[Mute]:
    """Those that are not over, in the order they were made."""
    rows = await db.execute_fetchall(
        "SELECT chat_id, what, target, until, id FROM mutes "
        "WHERE until IS NULL OR until > ? ORDER BY id",
        (stamp(now),),
    )
    return [
        Mute(chat_id, Mutable(what), target, moment(until) if until else None, id)
        for chat_id, what, target, until, id in rows
    ]
