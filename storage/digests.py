"""What is there to be told in a digest?

Of very many hits: so of each no more is read than it takes to weigh it, and all of it only of those
that are shown.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter

from aiosqlite import Connection, Row

from storage import hits, posts
from storage.db import moment, stamp
from storage.model import (
    Channel,
    ChannelKind,
    Entry,
    Finding,
    Period,
    Place,
    PostKey,
    Sighting,
    Wanted,
)

_Values = list[str | int]  # of a query's parameters

_KEY = "hits.channel_id, hits.message_id, hits.term_id"
_SEEN = "posts.published_at, posts.views, story_channel_id, story_message_id"
_SIGHTED = f"hits.channel_id, hits.message_id, hits.watchlist_id, hits.term_id, {_SEEN}"
_STORY = "LEFT JOIN story_posts USING (channel_id, message_id)"
_OF_PERIOD = f"""
    SELECT {{}} FROM posts CROSS JOIN hits USING (channel_id, message_id) {_STORY}
    WHERE posts.published_at >= ? AND posts.published_at < ?
"""
_UNTOLD = """
    NOT EXISTS (SELECT 1 FROM outbox_hits AS told
                WHERE told.chat_id = ? AND told.channel_id = hits.channel_id
                  AND told.message_id = hits.message_id AND told.term_id = hits.term_id)
"""


_UNMUTED = """
    NOT EXISTS (SELECT 1 FROM muted WHERE what = 'chat')
    AND hits.watchlist_id NOT IN (SELECT target FROM muted WHERE what = 'watchlist')
    AND hits.channel_id NOT IN (SELECT target FROM muted WHERE what = 'channel')
    AND hits.term_id NOT IN (SELECT target FROM muted WHERE what = 'term')
"""


async def is_untold(
    db: Connection,
    chat_id: int,
    watchlists: Mapping[int, datetime | None],
    muted_at: datetime | None = None,
) -> bool:
    """Is there anything that `tell_untold` would tell?"""
    hits, values = _untold(chat_id, watchlists, muted_at)
    return bool(await db.execute_fetchall(f"{hits} LIMIT 1", values))


async def tell_untold(
    tx: Connection,
    delivery_id: int,
    chat_id: int,
    watchlists: Mapping[int, datetime | None],
    muted_at: datetime | None = None,
) -> None:
    """Hits that the chat was never told are told by that delivery; without what the chat had muted
    at a given moment.

    `watchlists` names them by id, each with the moment from which its hits count (None: all). With
    a moment given it is news that are asked for, and hits in history are none.
    """
    await _tell(tx, delivery_id, chat_id, *_untold(chat_id, watchlists, muted_at))


def _untold(
    chat_id: int, watchlists: Mapping[int, datetime | None], muted_at: datetime | None
) -> tuple[str, _Values]:
    wanted = [(id, stamp(since) if since else "") for id, since in watchlists.items()]
    query = f"""
        WITH muted AS (
            SELECT what, target FROM mutes
            WHERE chat_id = ? AND ? <> '' AND (until IS NULL OR until > ?))
        SELECT {_KEY} FROM json_each(?) AS wanted
        JOIN hits ON hits.watchlist_id = wanted.value ->> 0 AND hits.found_at >= wanted.value ->> 1
          AND (wanted.value ->> 1 = '' OR NOT hits.history)
        WHERE {_UNTOLD} AND {_UNMUTED}
        """
    at = stamp(muted_at) if muted_at else ""
    return query, [chat_id, at, at, json.dumps(wanted), chat_id]


async def is_any(db: Connection, period: Period, wanted: Wanted) -> bool:
    """Is there a hit in posts published then? Languages are left to the caller."""
    which, values = _which(wanted)
    query = f"{_OF_PERIOD.format('1')} {which} LIMIT 1"
    return bool(await db.execute_fetchall(query, (*map(stamp, period), *values)))


async def tell_of_period(
    tx: Connection, delivery_id: int, chat_id: int, period: Period, wanted: Wanted
) -> None:
    """Hits in posts published then that the chat was never told are told by that delivery. Languages
    are left to the caller."""
    which, values = _which(wanted)
    hits = f"{_OF_PERIOD.format(_KEY)} {which} AND {_UNTOLD}"
    await _tell(tx, delivery_id, chat_id, hits, [*map(stamp, period), *values, chat_id])


async def _tell(tx: Connection, delivery_id: int, chat_id: int, hits: str, values: _Values) -> None:
    """`hits` is a query for their keys. Stored in the order of the table, which is quicker."""
    await tx.execute(
        f"INSERT INTO outbox_hits SELECT ?, ?, channel_id, message_id, term_id FROM ({hits}) "
        "ORDER BY channel_id, message_id, term_id",
        (delivery_id, chat_id, *values),
    )


async def of_period(
    db: Connection,
    period: Period,
    wanted: Wanted,
    *,
    found_by: datetime | None = None,
    untold_to: int | None = None,
) -> list[Sighting]:
    """Hits in posts published then, told or not; with `untold_to` only what that chat was never
    told. Its languages are left to the caller."""
    which, values = _which(wanted)
    if found_by:
        which, values = f"{which} AND hits.found_at <= ?", [*values, stamp(found_by)]
    if untold_to is not None:
        which, values = f"{which} AND {_UNTOLD}", [*values, untold_to]
    rows = await db.execute_fetchall(
        f"{_OF_PERIOD.format(_SIGHTED)} {which} ORDER BY posts.published_at",
        (*map(stamp, period), *values),
    )
    return _sightings(rows)  # the index gives them in order


def _which(wanted: Wanted) -> tuple[str, _Values]:
    which: str = ""
    values: _Values = []
    for column, ids in (
        ("hits.watchlist_id", wanted.watchlists),
        ("hits.channel_id", wanted.channels),
        ("hits.term_id", wanted.terms),
    ):
        if ids:
            which += f" AND +{column} IN (SELECT value FROM json_each(?))"
            values.append(json.dumps(ids))
    return which, values


async def told_by(db: Connection, delivery_id: int) -> list[Sighting]:
    """The hits that a delivery is to tell."""
    rows = await db.execute_fetchall(
        # Whatever is told is a hit: the table says so. That of hits, which is large, is not asked.
        f"""
        SELECT hits.channel_id, hits.message_id, terms.watchlist_id, hits.term_id, {_SEEN}
        FROM outbox_hits AS hits CROSS JOIN terms ON terms.id = hits.term_id
        CROSS JOIN posts USING (channel_id, message_id) {_STORY}
        WHERE hits.delivery_id = ?
        """,
        (delivery_id,),
    )
    return _in_order(rows)


def _in_order(rows: Iterable[Row]) -> list[Sighting]:
    """Oldest post first. Sorted here, which is several times quicker than there."""
    return _sightings(sorted(rows, key=itemgetter(4, 0, 1, 3)))


def _sightings(rows: Iterable[Row]) -> list[Sighting]:
    found = []
    key: PostKey = PostKey(0, 0)
    story: PostKey = key
    for row in rows:
        channel_id, message_id, watchlist_id, term_id, at, views, story_channel, story_message = row
        if key[1] != message_id or key[0] != channel_id:
            key = PostKey(channel_id, message_id)
            story = key
            if story_channel and (story_message != message_id or story_channel != channel_id):
                story = PostKey(story_channel, story_message)
            published_at = moment(at)
        found.append(Sighting(key, watchlist_id, term_id, published_at, views or 0, story))
    return found


async def asked_at(db: Connection, delivery_id: int) -> datetime:
    rows = await db.execute_fetchall("SELECT created_at FROM outbox WHERE id = ?", (delivery_id,))
    return next(moment(at) for (at,) in rows)


async def texts(db: Connection, keys: Iterable[PostKey]) -> dict[PostKey, str]:
    rows = await db.execute_fetchall(
        "SELECT channel_id, message_id, text FROM json_each(?) AS key "
        "JOIN posts ON channel_id = key.value ->> 0 AND message_id = key.value ->> 1",
        (json.dumps(list(keys)),),
    )
    return {PostKey(channel_id, message_id): text for channel_id, message_id, text in rows}


async def entries(
    db: Connection, keys: Sequence[PostKey], wanted: Collection[tuple[PostKey, int]]
) -> dict[PostKey, Entry]:
    """These posts with those of their hits that are `wanted`: a post and a term's id."""
    rows = await db.execute_fetchall(
        f"""
        SELECT watchlists.name, terms.name, posts.deleted_at, {hits.COLUMNS}, {posts.COLUMNS}
        FROM json_each(?) AS key
        CROSS JOIN posts ON posts.channel_id = key.value ->> 0
            AND posts.message_id = key.value ->> 1
        CROSS JOIN hits ON hits.channel_id = posts.channel_id
            AND hits.message_id = posts.message_id
        CROSS JOIN terms ON terms.id = hits.term_id
        CROSS JOIN watchlists ON watchlists.id = hits.watchlist_id
        ORDER BY watchlists.name, terms.id
        """,
        (json.dumps(keys),),
    )
    known = await channels(db)
    found: dict[PostKey, list[Finding]] = {}
    told: dict[PostKey, Row] = {}
    for row in rows:
        hit = hits.from_row(*row[3:11])
        key = PostKey(hit.channel_id, hit.message_id)
        if (key, hit.term_id) in wanted:
            found.setdefault(key, []).append(Finding(hit, watchlist=row[0], term=row[1]))
            told[key] = row
    return {
        key: Entry(
            known[key.channel_id],
            posts.from_row(*row[11:]),
            tuple(found[key]),
            deleted_at=moment(row[2]) if row[2] else None,
        )
        for key, row in told.items()
    }


async def channels(db: Connection) -> dict[int, Channel]:
    """All that were ever watched, by id."""
    rows = await db.execute_fetchall("SELECT id, username, title, kind FROM channels")
    return {
        id: Channel(id, username, title, ChannelKind(kind)) for id, username, title, kind in rows
    }


async def firsts(db: Connection, stories: Iterable[PostKey]) -> dict[PostKey, Place]:
    """Where stories began, as far as their posts are stored."""
    known = await channels(db)
    rows = await db.execute_fetchall(
        "SELECT channel_id, message_id, published_at, deleted_at IS NOT NULL "
        "FROM json_each(?) AS key "
        "JOIN posts ON channel_id = key.value ->> 0 AND message_id = key.value ->> 1",
        (json.dumps(list(stories)),),
    )
    return {
        PostKey(channel_id, message_id): Place(
            known[channel_id], message_id, moment(at), bool(deleted)
        )
        for channel_id, message_id, at, deleted in rows
    }
