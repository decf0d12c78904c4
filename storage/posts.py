"""What did the channels publish?"""

import json
from datetime import datetime
from enum import Enum

from aiosqlite import Connection

from storage.db import moment, stamp
from storage.model import Extra, Post


class Saved(Enum):
    NEW = "new"
    EDITED = "edited"
    KNOWN = "known"


async def save(tx: Connection, post: Post, now: datetime) -> Saved:
    """Remember a post, or its newer text. An older edit never replaces a newer one."""
    rows = await tx.execute_fetchall(
        "SELECT edited_at, text, extras FROM posts WHERE channel_id = ? AND message_id = ?",
        (post.channel_id, post.message_id),
    )
    extras = _write_extras(post.extras)
    edited_at = stamp(post.edited_at) if post.edited_at else None
    for known_edit, text, known_extras in rows:
        if (text, known_extras) == (post.text, extras) or (edited_at or "") < (known_edit or ""):
            return Saved.KNOWN
        await tx.execute(
            "UPDATE posts SET text = ?, extras = ?, edited_at = ? "
            "WHERE channel_id = ? AND message_id = ?",
            (post.text, extras, edited_at, post.channel_id, post.message_id),
        )
        return Saved.EDITED
    await tx.execute(
        "INSERT INTO posts (channel_id, message_id, published_at, edited_at, seen_at, text, extras) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            post.channel_id,
            post.message_id,
            stamp(post.published_at),
            edited_at,
            stamp(now),
            post.text,
            extras,
        ),
    )
    return Saved.NEW


async def count(db: Connection) -> int:
    ((number,),) = await db.execute_fetchall("SELECT count(*) FROM posts")
    return int(number)


def from_row(
    channel_id: int,
    message_id: int,
    published_at: str,
    text: str,
    edited_at: str | None,
    extras: str,
) -> Post:
    return Post(
        channel_id,
        message_id,
        moment(published_at),
        text,
        moment(edited_at) if edited_at else None,
        tuple(Extra(kind, extra) for kind, extra in json.loads(extras)),
    )


def _write_extras(extras: tuple[Extra, ...]) -> str:
    return json.dumps([(extra.kind, extra.text) for extra in extras], ensure_ascii=False)
