"""Which stored posts may hold what is searched for, and what did a chat search for?

The index is filled from a queue, outside of the transaction that stores a post. It offers candidates;
whether they match is not decided here.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from aiosqlite import Connection

from storage.db import moment, stamp
from storage.model import Channel, ChannelKind, Entry, Post, PostKey
from storage.posts import COLUMNS, from_row

PER_SECOND = 8  # numbers of the index; a busier second takes those of the next ones
SEARCHES_KEPT = 2000
FEW_HITS = 3000
_WORD = re.compile(r"[-_~+0-9A-Za-z\x80-\U0010ffff]+")  # what the index takes for one

_HIT = "SELECT DISTINCT channel_id, message_id FROM hits WHERE watchlist_id = ?5"
_ENTRY = f"channels.id, username, title, kind, deleted_at, {COLUMNS}"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A post that is to be indexed."""

    id: int  # in the queue
    post: Post | None  # None: it is gone


@dataclass(frozen=True, slots=True)
class Candidate:
    number: int  # of the index
    entry: Entry


@dataclass(frozen=True, slots=True)
class Search:
    """What a chat asked for, and the pages that it saw."""

    id: int
    chat_id: int
    said: str
    asked_at: datetime
    pages: tuple[int, ...]  # below which number each begins
    best: tuple[PostKey, ...]


# Indexing


async def waiting(db: Connection) -> int:
    ((number,),) = await db.execute_fetchall("SELECT count(*) FROM search_queue")
    return int(number)


async def next_waiting(db: Connection, limit: int) -> list[Waiting]:
    """Those that were stored or edited last."""
    rows = await db.execute_fetchall(
        f"""
        SELECT queue.id, {COLUMNS}
        FROM (SELECT * FROM search_queue ORDER BY id DESC LIMIT ?) AS queue
        LEFT JOIN posts USING (channel_id, message_id)
        """,
        (limit,),
    )
    return [Waiting(row[0], from_row(*row[1:]) if row[1] is not None else None) for row in rows]


async def index(tx: Connection, posts: Sequence[tuple[Post, str]], queued: Sequence[int]) -> None:
    """Index posts by their keys, and take these out of the queue. A text that was indexed before is
    forgotten: its number leads nowhere any more."""
    await tx.executemany(
        "UPDATE search_posts SET channel_id = NULL, message_id = NULL "
        "WHERE channel_id = ? AND message_id = ?",
        [post.key for post, _ in posts],
    )
    ordered = sorted(posts, key=lambda one: one[0].published_at)
    numbers = await _numbers(tx, [first_number(post.published_at) for post, _ in ordered])
    rows = list(zip(numbers, ordered, strict=True))
    await tx.executemany(
        "INSERT INTO search_posts VALUES (?, ?, ?)", [(n, *post.key) for n, (post, _) in rows]
    )
    await tx.executemany(
        "INSERT INTO search_index (rowid, keys) VALUES (?, ?)", [(n, keys) for n, (_, keys) in rows]
    )
    words = {word for _, keys in posts for word in _WORD.findall(keys)}
    await tx.execute(
        "INSERT OR IGNORE INTO search_vocabulary SELECT lower(value) FROM json_each(?)",
        (json.dumps(sorted(words), ensure_ascii=False),),
    )
    await tx.executemany("DELETE FROM search_queue WHERE id = ?", [(id,) for id in queued])


def first_number(published_at: datetime) -> int:
    """Posts from that moment on have this number in the index or a higher one."""
    return int(published_at.timestamp()) * PER_SECOND


async def _numbers(tx: Connection, wished: Sequence[int]) -> list[int]:
    """The lowest free numbers from those wished for on; both ascending."""
    if not wished:
        return []
    found: list[int] = []
    taken: set[int] = set()
    read_to = wished[0]
    for wish in wished:
        number = max(wish, found[-1] + 1) if found else wish
        while True:
            if number >= read_to:
                rows = await tx.execute_fetchall(
                    "SELECT id FROM search_posts WHERE id >= ? AND id < ?",
                    (number, number + 1000),
                )
                taken.update(id for (id,) in rows)
                read_to = number + 1000
                if len(taken) == 1000:  # a burst: go to its end
                    number = await _end_of(tx, number)
                    taken, read_to = set(), number
                    continue
            if number not in taken:
                break
            number += 1
        found.append(number)
    return found


async def _end_of(tx: Connection, number: int) -> int:
    """The first free number above a row of taken ones."""
    rows = await tx.execute_fetchall(
        """
        SELECT id + 1 FROM search_posts AS one WHERE id >= ? AND NOT EXISTS (
            SELECT 1 FROM search_posts AS other WHERE other.id = one.id + 1)
        ORDER BY id LIMIT 1
        """,
        (number,),
    )
    return next(int(id) for (id,) in rows)


# Searching


async def candidates(
    db: Connection,
    expression: str | None,
    *,
    below: int,
    since: datetime | None = None,
    watchlist_id: int | None = None,
    limit: int,
) -> list[Candidate]:
    """Posts that the index offers, newest first; without an expression all."""
    source, number, matches = "search_posts AS found", "found.id", "?1 IS ?1"
    if watchlist_id is not None and await _has_few_hits(db, watchlist_id):
        source = f"({_HIT}) AS hit CROSS JOIN {source} USING (channel_id, message_id)"
    elif expression is not None:
        source = f"search_index CROSS JOIN {source} ON found.id = search_index.rowid"
        number, matches = "search_index.rowid", "search_index MATCH ?1"
    rows = await db.execute_fetchall(
        f"""
        SELECT {number}, {_ENTRY} FROM {source}
        CROSS JOIN posts ON posts.channel_id = found.channel_id
            AND posts.message_id = found.message_id
        CROSS JOIN channels ON channels.id = posts.channel_id
        WHERE {matches} AND {number} < ?2 AND {number} >= ?3
          AND (?5 IS NULL OR EXISTS (
              SELECT 1 FROM hits WHERE hits.watchlist_id = ?5
                AND hits.channel_id = found.channel_id AND hits.message_id = found.message_id))
          AND posts.published_at >= ?4
        ORDER BY {number} DESC LIMIT ?6
        """,
        (
            expression,
            below,
            first_number(since) if since else 0,
            stamp(since) if since else "",
            watchlist_id,
            limit,
        ),
    )
    return [Candidate(row[0], _entry(*row[1:])) for row in rows]


async def _has_few_hits(db: Connection, watchlist_id: int) -> bool:
    """So few that it is quicker to go through them than through what the index offers."""
    ((number,),) = await db.execute_fetchall(
        "SELECT count(*) FROM (SELECT 1 FROM hits WHERE watchlist_id = ? LIMIT ?)",
        (watchlist_id, FEW_HITS + 1),
    )
    return bool(number <= FEW_HITS)


async def words_between(db: Connection, ranges: Iterable[tuple[str, str]]) -> list[str]:
    """Keys that stand in posts, from … to, half-open."""
    ((words,),) = await db.execute_fetchall(  # one text: rows would be a hundred thousand
        "SELECT json_group_array(word) FROM json_each(?) AS range CROSS JOIN search_vocabulary "
        "ON word >= range.value ->> 0 AND word < range.value ->> 1",
        (json.dumps(list(ranges)),),
    )
    found: list[str] = json.loads(words)
    return found


async def rarest(db: Connection, words: Iterable[str], number: int) -> list[str]:
    """Of these keys those that stand in the fewest posts, but in some."""
    rows = await db.execute_fetchall(
        "SELECT value FROM json_each(?) CROSS JOIN search_words ON term = value "
        "ORDER BY doc, term LIMIT ?",
        (json.dumps(sorted(set(words)), ensure_ascii=False), number),
    )
    return [word for (word,) in rows]


async def entry(db: Connection, channel_id: int, message_id: int) -> Entry | None:
    """A stored post, without what hit it. A message of an album will do."""
    rows = await db.execute_fetchall(
        f"""
        SELECT {_ENTRY} FROM posts JOIN channels ON channels.id = posts.channel_id
        WHERE posts.channel_id = ?1 AND posts.message_id IN (
            SELECT ?2 UNION ALL
            SELECT post_id FROM album_messages WHERE channel_id = ?1 AND message_id = ?2)
        ORDER BY posts.message_id <> ?2 LIMIT 1
        """,
        (channel_id, message_id),
    )
    return next((_entry(*row) for row in rows), None)


async def count_since(db: Connection, since: datetime) -> int:
    ((number,),) = await db.execute_fetchall(
        "SELECT count(*) FROM posts WHERE published_at >= ?", (stamp(since),)
    )
    return int(number)


def _entry(
    id: int, username: str | None, title: str, kind: str, deleted_at: str | None, *post: object
) -> Entry:
    return Entry(
        Channel(id, username, title, ChannelKind(kind)),
        from_row(*post),  # type: ignore[arg-type]
        (),
        deleted_at=moment(deleted_at) if deleted_at else None,
    )


# What chats searched for


async def open_search(tx: Connection, chat_id: int, said: str, first: int, now: datetime) -> int:
    """Remember a search, whose first page begins below the number `first`; return its id."""
    await tx.execute("INSERT INTO chats (id) VALUES (?) ON CONFLICT DO NOTHING", (chat_id,))
    done = await tx.execute(
        "INSERT INTO searches (chat_id, said, asked_at, pages) VALUES (?, ?, ?, ?)",
        (chat_id, said, stamp(now), json.dumps([first])),
    )
    assert done.lastrowid is not None
    await tx.execute("DELETE FROM searches WHERE id <= ?", (done.lastrowid - SEARCHES_KEPT,))
    return done.lastrowid


async def one_search(db: Connection, id: int) -> Search | None:
    rows = await db.execute_fetchall(
        "SELECT id, chat_id, said, asked_at, pages, best FROM searches WHERE id = ?", (id,)
    )
    for id, chat_id, said, asked_at, pages, best in rows:
        keys = tuple(PostKey(*key) for key in json.loads(best))
        return Search(id, chat_id, said, moment(asked_at), tuple(json.loads(pages)), keys)
    return None


async def note_page(tx: Connection, id: int, page: int, below: int) -> None:
    """Where a page begins that was not seen yet."""
    await tx.execute(
        "UPDATE searches SET pages = json_insert(pages, '$[#]', ?) "
        "WHERE id = ? AND json_array_length(pages) = ?",
        (below, id, page),
    )


async def note_best(tx: Connection, id: int, keys: Sequence[PostKey]) -> None:
    await tx.execute("UPDATE searches SET best = ? WHERE id = ?", (json.dumps(keys), id))


async def newest_number(db: Connection) -> int:
    ((number,),) = await db.execute_fetchall("SELECT coalesce(max(id), 0) FROM search_posts")
    return int(number)
