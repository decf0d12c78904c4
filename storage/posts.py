"""What did the channels publish?"""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from enum import Enum

from aiosqlite import Connection

from storage.db import moment, stamp
from storage.model import Extra, Forward, Post, Version

COLUMNS = (
    "posts.channel_id, posts.message_id, posts.published_at, posts.text, posts.edited_at, "
    "posts.extras, posts.forward, posts.views, posts.forwards"
)

_INSERT = (
    "INSERT INTO posts (channel_id, message_id, published_at, edited_at, seen_at, text, "
    "extras, forward, views, forwards, group_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


class Saved(Enum):
    NEW = "new"
    EDITED = "edited"
    KNOWN = "known"


async def save(tx: Connection, post: Post, now: datetime) -> tuple[Post, Saved]:
    """Remember a post, or its newer text; return it as it is stored now.

    An older edit never replaces a newer one; the text that an edit replaces is kept as a version.
    A message of an album joins the post that the album is.

    Sources differ in what they see of the same post, and may take turns. So white space alone is
    no edit, and what one of them sees beside the same words is added to what the other saw. The
    web preview says that a post was edited but not when (`edited_at` is `published_at` then): such
    a text replaces one whose time is known only if the post never said it before, and leaves that
    time as it is, for the next exact one to be newer.
    """
    known, is_album = await _known(tx, post)
    if known is None:
        await _insert(tx, post, now)
        return post, Saved.NEW
    alone = is_album and not post.album  # another source knew what it belongs to, this one does not
    if alone:
        post = replace(post, album=(post.message_id,))
    if known.message_id > post.message_id:
        await _renumber(tx, known, post.message_id)
        known = replace(known, message_id=post.message_id)
    await _note_album(tx, post.channel_id, known.message_id, post.album)
    await _count(tx, post, known.message_id)
    merged = _merged(known, post, alone)
    if (merged.text, merged.extras) == (known.text, known.extras):
        return known, Saved.KNOWN
    if merged.text != known.text and _untimed(known, post) and await _said_before(tx, merged):
        return known, Saved.KNOWN
    if merged.text != known.text or not set(known.extras) <= set(merged.extras):
        await _keep_version(tx, known, now)
    await tx.execute(
        "UPDATE posts SET text = ?, extras = ?, edited_at = ? "
        "WHERE channel_id = ? AND message_id = ?",
        (
            merged.text,
            _write_extras(merged.extras),
            stamp(merged.edited_at) if merged.edited_at else None,
            merged.channel_id,
            merged.message_id,
        ),
    )
    return merged, Saved.EDITED


async def save_new(tx: Connection, posts: Sequence[Post], now: datetime) -> list[Post]:
    """Remember those that are new and no part of an album, all at once; return them.

    The quick way for a batch. What it leaves out is for `save`.
    """
    new: dict[tuple[int, int], Post] = {}
    for post in posts:
        if not post.album:
            # of a post and its edit in one batch, the edit waits
            new.setdefault((post.channel_id, post.message_id), post)
    for key in await _taken(tx, new):
        del new[key]
    seen_at = stamp(now)
    await tx.executemany(_INSERT, [_as_row(post, seen_at) for post in new.values()])
    return list(new.values())


async def _taken(tx: Connection, keys: Iterable[tuple[int, int]]) -> set[tuple[int, int]]:
    """Which of these messages are stored, as posts or in albums?"""
    wanted: defaultdict[int, list[int]] = defaultdict(list)
    for channel_id, message_id in keys:
        wanted[channel_id].append(message_id)
    taken: set[tuple[int, int]] = set()
    for channel_id, message_ids in wanted.items():
        rows = await tx.execute_fetchall(
            "SELECT message_id FROM json_each(?2) "
            "CROSS JOIN posts ON channel_id = ?1 AND message_id = value "
            "UNION ALL SELECT message_id FROM json_each(?2) "
            "CROSS JOIN album_messages ON channel_id = ?1 AND message_id = value",
            (channel_id, json.dumps(message_ids)),
        )
        taken.update((channel_id, message_id) for (message_id,) in rows)
    return taken


async def _known(tx: Connection, post: Post) -> tuple[Post | None, bool]:
    """The stored post that this one is, or whose album it belongs to; and whether it is an album."""
    rows = await tx.execute_fetchall(
        f"""
        SELECT {COLUMNS}, EXISTS (SELECT 1 FROM album_messages AS album
                                  WHERE album.channel_id = posts.channel_id
                                    AND album.post_id = posts.message_id)
        FROM posts WHERE channel_id = ?1 AND message_id IN (
            SELECT ?2 UNION ALL
            SELECT post_id FROM album_messages
            WHERE channel_id = ?1 AND message_id IN (SELECT value FROM json_each(?3)))
        ORDER BY message_id <> ?2, message_id LIMIT 1
        """,
        (post.channel_id, post.message_id, json.dumps(post.album or [post.message_id])),
    )
    for *row, is_album in rows:
        return from_row(*row), bool(is_album)
    rows = await tx.execute_fetchall(
        f"SELECT {COLUMNS} FROM posts WHERE channel_id = ? AND group_id = ?",
        (post.channel_id, post.group_id),
    )
    return next(((from_row(*row), True) for row in rows), (None, False))


async def any_of(db: Connection, channel_id: int, message_ids: Iterable[int]) -> bool:
    """Is one of these messages a post of its own?"""
    rows = await db.execute_fetchall(
        "SELECT 1 FROM posts WHERE channel_id = ? "
        "AND message_id IN (SELECT value FROM json_each(?)) LIMIT 1",
        (channel_id, json.dumps(list(message_ids))),
    )
    return bool(list(rows))


def _merged(known: Post, post: Post, alone: bool) -> Post:
    """The newer text; of an album's messages the one that has a caption."""
    both = known.extras + tuple(extra for extra in post.extras if extra not in known.extras)
    if post.album and not post.text and known.text:
        return replace(known, extras=both)
    before, after = _moment(known.edited_at), _moment(post.edited_at)
    if alone and known.text and after == before:
        return replace(known, extras=both)
    untimed = post.edited_at == post.published_at
    if post.text.split() == known.text.split():
        if after == before or untimed:
            return replace(known, extras=both)
        extras = post.extras or (known.extras if post.album else ())
        return replace(known, extras=extras, edited_at=post.edited_at) if after > before else known
    if after < before and not untimed:
        return known
    extras = post.extras or (known.extras if post.album else ())
    edited_at = post.edited_at if after >= before else known.edited_at
    return replace(known, text=post.text, extras=extras, edited_at=edited_at)


def _moment(at: datetime | None) -> str:
    return stamp(at) if at else ""


def _untimed(known: Post, post: Post) -> bool:
    """Do two texts differ without a time that says which one is newer?"""
    if known.edited_at is None or post.edited_at is None:
        return known.edited_at is post.edited_at and bool(known.text)
    return post.edited_at == post.published_at < known.edited_at


async def _said_before(tx: Connection, post: Post) -> bool:
    """A source that lags behind, or shows less, gives a text that was replaced already, or none."""
    rows = await tx.execute_fetchall(
        "SELECT 1 FROM post_versions WHERE channel_id = ? AND message_id = ? AND text = ?",
        (post.channel_id, post.message_id, post.text),
    )
    return not post.text or bool(list(rows))


async def _insert(tx: Connection, post: Post, now: datetime) -> None:
    await tx.execute(_INSERT, _as_row(post, stamp(now)))
    await _note_album(tx, post.channel_id, post.message_id, post.album)


def _as_row(post: Post, seen_at: str) -> tuple[int | str | None, ...]:
    return (
        post.channel_id,
        post.message_id,
        stamp(post.published_at),
        stamp(post.edited_at) if post.edited_at else None,
        seen_at,
        post.text,
        _write_extras(post.extras),
        _write_forward(post.forward),
        post.views,
        post.forwards,
        post.group_id,
    )


async def _renumber(tx: Connection, known: Post, message_id: int) -> None:
    """An earlier message of the album turned up: the album goes by the lowest of its ids."""
    await tx.execute(
        "UPDATE posts SET message_id = ? WHERE channel_id = ? AND message_id = ?",
        (message_id, known.channel_id, known.message_id),
    )


async def _note_album(
    tx: Connection, channel_id: int, post_id: int, album: tuple[int, ...]
) -> None:
    if album:
        await tx.executemany(
            "INSERT INTO album_messages VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            [(channel_id, message_id, post_id) for message_id in album],
        )


async def _count(tx: Connection, post: Post, message_id: int) -> None:
    """Views and forwards as of now; and it is there, so it is not deleted."""
    await tx.execute(
        "UPDATE posts SET views = coalesce(?, views), forwards = coalesce(?, forwards), "
        "deleted_at = NULL WHERE channel_id = ? AND message_id = ? AND "
        "(views IS NOT coalesce(?, views) OR forwards IS NOT coalesce(?, forwards) "
        "OR deleted_at IS NOT NULL)",
        (
            post.views,
            post.forwards,
            post.channel_id,
            message_id,
            post.views,
            post.forwards,
        ),
    )


async def _keep_version(tx: Connection, known: Post, now: datetime) -> None:
    await tx.execute(
        "INSERT INTO post_versions VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            known.channel_id,
            known.message_id,
            stamp(known.edited_at or known.published_at),
            stamp(now),
            known.text,
            _write_extras(known.extras),
        ),
    )


async def versions(db: Connection, channel_id: int, message_id: int) -> list[Version]:
    """What a post said from when on, the present text last; the same words follow each other once."""
    rows = await db.execute_fetchall(
        """
        SELECT since, text, replaced_at FROM post_versions
        WHERE channel_id = ?1 AND message_id = ?2
        UNION ALL
        SELECT coalesce(edited_at, published_at), text, '~' FROM posts
        WHERE channel_id = ?1 AND message_id = ?2
        ORDER BY 3, 1
        """,
        (channel_id, message_id),
    )
    found: list[Version] = []
    for since, text, _ in rows:
        if not found or found[-1].text != text:
            found.append(Version(moment(since), text))
    return found


async def mark_deleted(
    tx: Connection, channel_id: int, message_ids: Iterable[int], now: datetime
) -> int:
    """Note that these messages are gone; of an album all have to be. The text stays."""
    done = await tx.execute(
        """
        UPDATE posts SET deleted_at = ?1
        WHERE channel_id = ?2 AND deleted_at IS NULL
          AND (message_id IN (SELECT value FROM json_each(?3))
               OR message_id IN (SELECT post_id FROM album_messages
                                 WHERE channel_id = ?2
                                   AND message_id IN (SELECT value FROM json_each(?3))))
          AND NOT EXISTS (SELECT 1 FROM album_messages
                          WHERE album_messages.channel_id = posts.channel_id
                            AND album_messages.post_id = posts.message_id
                            AND album_messages.message_id NOT IN (SELECT value FROM json_each(?3)))
        """,
        (stamp(now), channel_id, json.dumps(list(message_ids))),
    )
    return done.rowcount


async def ids_between(db: Connection, channel_id: int, low: int, high: int) -> set[int]:
    """Message ids stored and not deleted in low … high, of albums all their messages'."""
    rows = await db.execute_fetchall(
        """
        SELECT message_id FROM posts
        WHERE channel_id = ?1 AND message_id BETWEEN ?2 AND ?3 AND deleted_at IS NULL
        UNION
        SELECT album_messages.message_id FROM album_messages
        JOIN posts ON posts.channel_id = ?1 AND posts.message_id = post_id
        WHERE album_messages.channel_id = ?1 AND album_messages.message_id BETWEEN ?2 AND ?3
          AND deleted_at IS NULL
        """,
        (channel_id, low, high),
    )
    return {id for (id,) in rows}


async def stored(db: Connection, channel_id: int, message_ids: Iterable[int]) -> set[int]:
    """Those of these messages that are stored, deleted since or not, of albums all their messages."""
    rows = await db.execute_fetchall(
        """
        SELECT value FROM json_each(?2) AS wanted
        WHERE EXISTS (SELECT 1 FROM posts
                      WHERE channel_id = ?1 AND message_id = wanted.value)
           OR EXISTS (SELECT 1 FROM album_messages
                      WHERE channel_id = ?1 AND message_id = wanted.value)
        """,
        (channel_id, json.dumps(list(message_ids))),
    )
    return {id for (id,) in rows}


async def latest_ids(db: Connection, channel_id: int, low: int, high: int, latest: int) -> set[int]:
    """As `ids_between`, of the `latest` posts there only."""
    rows = await db.execute_fetchall(
        "SELECT message_id FROM posts WHERE channel_id = ? AND message_id BETWEEN ? AND ? "
        "AND deleted_at IS NULL ORDER BY message_id DESC LIMIT 1 OFFSET ?",
        (channel_id, low, high, latest - 1),
    )
    lowest = next((int(row[0]) for row in rows), low)
    return await ids_between(db, channel_id, lowest, high)


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
    forward: str | None,
    views: int | None,
    forwards: int | None,
) -> Post:
    """A row of COLUMNS; an album's message ids are not read back."""
    return Post(
        channel_id,
        message_id,
        moment(published_at),
        text,
        moment(edited_at) if edited_at else None,
        tuple(Extra(kind, extra) for kind, extra in json.loads(extras)) if extras != "[]" else (),
        forward=_read_forward(forward) if forward else None,
        views=views,
        forwards=forwards,
    )


def _write_forward(forward: Forward | None) -> str | None:
    if forward is None:
        return None
    written = {
        "published_at": stamp(forward.published_at) if forward.published_at else None,
        "channel_id": forward.channel_id,
        "message_id": forward.message_id,
        "channel": forward.channel,
    }
    return json.dumps(written, ensure_ascii=False)


def _read_forward(text: str) -> Forward:
    written = json.loads(text)
    when = written["published_at"]
    return Forward(**{**written, "published_at": moment(when) if when else None})


def _write_extras(extras: tuple[Extra, ...]) -> str:
    if not extras:
        return "[]"
    return json.dumps([(extra.kind, extra.text) for extra in extras], ensure_ascii=False)


async def publishing_times(db: Connection, latest: int = 50) -> dict[int, list[datetime]]:
    """When each watched channel published its latest posts, newest first."""
    rows = await db.execute_fetchall(
        """
        SELECT channels.id, latest.published_at FROM channels
        JOIN posts AS latest ON latest.channel_id = channels.id
        WHERE removed_at IS NULL AND latest.message_id IN (
            SELECT message_id FROM posts WHERE channel_id = channels.id
            ORDER BY message_id DESC LIMIT ?)
        ORDER BY channels.id, latest.message_id DESC
        """,
        (latest,),
    )
    found: dict[int, list[datetime]] = {}
    for channel_id, published_at in rows:
        found.setdefault(channel_id, []).append(moment(published_at))
    return found


async def newest(db: Connection, channel_id: int) -> int:
    """The highest message id stored of a channel; 0 when there is none."""
    rows = await db.execute_fetchall(
        "SELECT max(message_id) FROM posts WHERE channel_id = ?", (channel_id,)
    )
    return next((int(row[0] or 0) for row in rows), 0)


async def newest_before(db: Connection, channel_id: int, when: datetime) -> int:
    """The highest message id of those published earlier; 0 when there is none."""
    rows = await db.execute_fetchall(
        "SELECT message_id FROM posts WHERE channel_id = ? AND published_at < ? "
        "ORDER BY message_id DESC LIMIT 1",
        (channel_id, stamp(when)),
    )
    return next((int(row[0]) for row in rows), 0)
