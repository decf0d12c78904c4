"""What is stored of the posts of a period, with every version of their texts and all that hit them?"""

import json
from collections import defaultdict
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from aiosqlite import Connection

from storage import hits, posts
from storage.db import moment, stamp
from storage.model import (
    Channel,
    ChannelKind,
    Extra,
    PostKey,
    Record,
    RecordedHit,
    Version,
)

PAGE = 500  # posts held in memory at once

Versions = dict[PostKey, list[Version]]
Albums = dict[PostKey, list[int]]
RecordedHits = dict[PostKey, list[RecordedHit]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which posts, by when they were published."""

    since: datetime | None = None  # None: from the first one on
    until: datetime | None = None  # the first moment that is no longer wanted
    only_hits: bool = True  # posts with hits
    watchlist_id: int | None = None  # hits of this one only
    channel_id: int | None = None


async def pages(
    db: Connection, wanted: Wanted, size: int = PAGE
) -> AsyncGenerator[list[Record], None]:
    """Oldest post first, `size` at a time. `db` is a snapshot: what it shows must not change.

    Who may stop early closes it (contextlib.aclosing), before the connection is closed.
    """
    sql, values = _query(wanted)
    async with db.execute(sql, values) as cursor:
        while rows := [tuple(row) for row in await cursor.fetchmany(size)]:
            keys = json.dumps([row[:2] for row in rows])
            kept = await _kept(db, keys)
            albums = await _albums(db, keys)
            found = await _hits(db, keys, wanted.watchlist_id)
            yield [_record(row, kept, albums, found) for row in rows]


def _query(wanted: Wanted) -> tuple[str, list[int | str]]:
    conditions: list[str] = []
    values: list[int | str] = []
    if wanted.since:
        conditions.append("posts.published_at >= ?")
        values.append(stamp(wanted.since))
    if wanted.until:
        conditions.append("posts.published_at < ?")
        values.append(stamp(wanted.until))
    if wanted.channel_id is not None:
        conditions.append("posts.channel_id = ?")
        values.append(wanted.channel_id)
    if wanted.only_hits or wanted.watchlist_id is not None:
        of_watchlist = ""
        if wanted.watchlist_id is not None:
            of_watchlist = "AND hits.watchlist_id = ?"
            values.append(wanted.watchlist_id)
        conditions.append(
            "EXISTS (SELECT 1 FROM hits WHERE hits.channel_id = posts.channel_id "
            f"AND hits.message_id = posts.message_id {of_watchlist})"
        )
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    sql = f"""
        SELECT {posts.COLUMNS}, posts.seen_at, posts.deleted_at,
               channels.username, channels.title, channels.kind
        FROM posts CROSS JOIN channels ON channels.id = posts.channel_id
        {where} ORDER BY posts.published_at, posts.channel_id, posts.message_id
        """
    return sql, values


def _record(row: Sequence[Any], kept: Versions, albums: Albums, found: RecordedHits) -> Record:
    *columns, seen_at, deleted_at, username, title, kind = row
    post = posts.from_row(*columns)
    post = replace(post, album=tuple(albums.get(post.key, ())))
    present = Version(post.edited_at or post.published_at, post.text, None, post.extras)
    return Record(
        Channel(post.channel_id, username, title, ChannelKind(kind)),
        post,
        moment(seen_at),
        moment(deleted_at) if deleted_at else None,
        (*kept.get(post.key, ()), present),
        tuple(found.get(post.key, ())),
    )


async def _kept(db: Connection, keys: str) -> Versions:
    """What these posts said before they were edited, oldest first."""
    found: Versions = defaultdict(list)
    for channel_id, message_id, since, replaced_at, text, extras in await db.execute_fetchall(
        """
        SELECT channel_id, message_id, since, replaced_at, text, extras
        FROM json_each(?) AS key CROSS JOIN post_versions
          ON channel_id = key.value ->> 0 AND message_id = key.value ->> 1
        ORDER BY replaced_at, since
        """,
        (keys,),
    ):
        beside = tuple(Extra(kind, extra) for kind, extra in json.loads(extras))
        version = Version(moment(since), text, moment(replaced_at), beside)
        found[PostKey(channel_id, message_id)].append(version)
    return found


async def _albums(db: Connection, keys: str) -> Albums:
    found: Albums = defaultdict(list)
    for channel_id, post_id, message_id in await db.execute_fetchall(
        """
        SELECT channel_id, post_id, message_id
        FROM json_each(?) AS key CROSS JOIN album_messages
          ON channel_id = key.value ->> 0 AND post_id = key.value ->> 1
        ORDER BY message_id
        """,
        (keys,),
    ):
        found[PostKey(channel_id, post_id)].append(message_id)
    return found


async def _hits(db: Connection, keys: str, watchlist_id: int | None) -> RecordedHits:
    found: RecordedHits = defaultdict(list)
    for *columns, found_at, history, watchlist, term, kind in await db.execute_fetchall(
        f"""
        SELECT {hits.COLUMNS}, hits.found_at, hits.history, watchlists.name, terms.name, terms.kind
        FROM json_each(?1) AS key CROSS JOIN hits
          ON hits.channel_id = key.value ->> 0 AND hits.message_id = key.value ->> 1
        JOIN watchlists ON watchlists.id = hits.watchlist_id
        JOIN terms ON terms.id = hits.term_id
        WHERE ?2 IS NULL OR hits.watchlist_id = ?2
        ORDER BY watchlists.name, terms.name, hits.term_id
        """,
        (keys, watchlist_id),
    ):
        hit = hits.from_row(*columns)
        recorded = RecordedHit(hit, watchlist, term, kind, moment(found_at), bool(history))
        found[PostKey(hit.channel_id, hit.message_id)].append(recorded)
    return found


async def channel(db: Connection, username: str | None, id: int | None) -> Channel | None:
    """The channel of that name, whatever its case, or of that id; watched or not any more."""
    rows = await db.execute_fetchall(
        "SELECT id, username, title, kind FROM channels "
        "WHERE id = ? OR username = ? COLLATE NOCASE "
        "ORDER BY removed_at IS NULL DESC, removed_at DESC LIMIT 1",
        (id, username),
    )
    return next(
        (Channel(id, name, title, ChannelKind(kind)) for id, name, title, kind in rows), None
    )
