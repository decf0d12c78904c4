"""Which posts touched which terms, and where?"""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime

from aiosqlite import Connection

from storage.db import stamp
from storage.model import Elsewhere, Hit, PostKey, Span

COLUMNS = (
    "hits.channel_id, hits.message_id, hits.watchlist_id, hits.term_id, "
    "hits.spans, hits.matched, hits.elsewhere, hits.disguised"
)

_INSERT = (
    "INSERT INTO hits (channel_id, message_id, watchlist_id, term_id, found_at, "
    "spans, matched, elsewhere, disguised, history) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)

_encode = json.JSONEncoder(ensure_ascii=False).encode  # json.dumps makes an encoder each time


async def save(
    tx: Connection, hits: Iterable[Hit], now: datetime, *, history: bool = False
) -> list[Hit]:
    """Remember hits; return those not seen before, so that an edit alerts once.

    Of a hit seen before, the spans are renewed: they point into the post's present text.
    Hits in `history` are no news: see digests.untold.
    """
    return [hit for hit in hits if await _save(tx, hit, now, history)]


async def save_new(
    tx: Connection, hits: Sequence[Hit], now: datetime, *, history: bool = False
) -> None:
    """Remember hits of posts that are new, all at once: none of them can have been seen before."""
    await tx.executemany(_INSERT, [_as_row(hit, _write(hit), now, history) for hit in hits])


async def _save(tx: Connection, hit: Hit, now: datetime, history: bool) -> bool:
    found = _write(hit)
    known = await tx.execute(
        "UPDATE hits SET spans = ?, matched = ?, elsewhere = ?, disguised = ? "
        "WHERE channel_id = ? AND message_id = ? AND term_id = ?",
        (*found, hit.channel_id, hit.message_id, hit.term_id),
    )
    if known.rowcount:
        return False
    await tx.execute(_INSERT, _as_row(hit, found, now, history))
    return True


async def fade(tx: Connection, channel_id: int, message_id: int) -> None:
    """An edit took words away: the hits stay, their spans no longer point anywhere."""
    await tx.execute(
        "UPDATE hits SET spans = '[]', matched = '[]' WHERE channel_id = ? AND message_id = ?",
        (channel_id, message_id),
    )


async def terms_of(db: Connection, post: PostKey) -> frozenset[int]:
    """The terms that a stored post touches."""
    rows = await db.execute_fetchall(
        "SELECT term_id FROM hits WHERE channel_id = ? AND message_id = ?", post
    )
    return frozenset(int(id) for (id,) in rows)


async def count(db: Connection) -> int:
    ((number,),) = await db.execute_fetchall("SELECT count(*) FROM hits")
    return int(number)


def from_row(
    channel_id: int,
    message_id: int,
    watchlist_id: int,
    term_id: int,
    spans: str,
    matched: str,
    elsewhere: str,
    disguised: int,
) -> Hit:
    return Hit(
        channel_id,
        message_id,
        watchlist_id,
        term_id,
        tuple(Span(*span) for span in json.loads(spans)),
        tuple(json.loads(matched)),
        tuple(Elsewhere(*found) for found in json.loads(elsewhere)),
        bool(disguised),
    )


def _as_row(
    hit: Hit, found: tuple[str, str, str, int], now: datetime, history: bool
) -> tuple[int | str, ...]:
    return (
        hit.channel_id,
        hit.message_id,
        hit.watchlist_id,
        hit.term_id,
        stamp(now),
        *found,
        int(history),
    )


def _write(hit: Hit) -> tuple[str, str, str, int]:
    return (
        _encode([(span.start, span.end) for span in hit.spans]),
        _encode(hit.matched),
        _encode([(found.kind, found.matched) for found in hit.elsewhere]),
        int(hit.disguised),
    )
