"""How long does a digest of a day with 50,000 hits take, from the wish to the last byte?

Eight such days are stored, so that what is usual is known. Each stage is shown beside the time that
SQLite takes just to read and count that day's hits.
"""

import asyncio
import gc
import json
import random
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot import charts
from bot.printing import print_digest
from storage import outbox
from storage.db import Database, open_database, stamp
from storage.model import Period, Wanted
from watchers import digests, surges

HITS = 50_000  # a day
DAYS = 8
CHANNELS, LISTS, TERMS = 300, 14, 40  # terms of each watchlist
LIMIT = 2.0  # seconds
NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
WORDS = [
    "эшелон",
    "вагон",
    "состав",
    "станция",
    "путь",
    "техника",
    "платформа",
    "цистерна",
    "охрана",
    "разгрузка",
]


def measure() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        yield from asyncio.run(_measure(Path(folder) / "watch.db"))


async def _measure(path: Path) -> list[str]:
    async with open_database(path):
        pass
    with sqlite3.connect(path) as db:
        _fill(db)
    said = [
        f"\ndigests: {HITS} hits a day, {DAYS} days, {CHANNELS} channels, {LISTS * TERMS} terms"
    ]
    day = Period(NOW - timedelta(days=1), NOW)
    wanted = Wanted(tuple(range(1, LISTS + 1)))
    async with open_database(path) as db:
        began = time.perf_counter()
        await db.reader.execute_fetchall(
            "SELECT watchlist_id, count(*) FROM posts CROSS JOIN hits USING (channel_id, message_id)"
            " WHERE published_at >= ? GROUP BY 1",
            (stamp(day.start),),
        )
        baseline = time.perf_counter() - began
        said.append(f"  reading and counting them in SQLite alone: {baseline:.2f} s")
        began = time.perf_counter()
        charts.load()  # as the daemon does when it starts
        said.append(f"  loading what draws, once a process: {time.perf_counter() - began:.2f} s")
        for name, asked in (
            ("a day asked for, untold", True),
            ("asked for again, told", True),
            ("on schedule", False),
        ):
            gc.collect()
            said.append(f"  {name}: {await _digest(db, day, wanted, asked=asked)}")
        began = time.perf_counter()
        await surges.check(db, NOW, UTC, "normal")
        said.append(
            f"  a check for unusual activity: {1000 * (time.perf_counter() - began):.0f} ms"
        )
    return said


async def _digest(db: Database, day: Period, wanted: Wanted, *, asked: bool) -> str:
    began, busy = time.perf_counter(), time.process_time()
    async with db.transaction() as tx:
        if asked:
            await digests.owe_period(tx, 1, None, day, wanted, NOW)
        else:
            since = dict.fromkeys(wanted.watchlists, day.start)
            await digests.owe(tx, 2, None, since, NOW)
    owed = time.perf_counter()
    (delivery,) = await _newest(db.reader)
    printed = await print_digest(db.reader, delivery, NOW, UTC, "<i>coverage</i>")
    done = time.perf_counter()
    assert printed.edition.hits == HITS
    assert printed.file
    assert printed.chart
    return (
        f"{done - began:.2f} s (owed {owed - began:.2f}, made {done - owed:.2f}; "
        f"of the processor {time.process_time() - busy:.2f}); "
        f"{printed.edition.stories} stories, file {len(printed.file) / 1e6:.1f} MB"
        f"{'' if done - began < LIMIT else '  TOO SLOW'}"
    )


async def _newest(reader):
    rows = await reader.execute_fetchall("SELECT max(id) FROM outbox")
    return [await outbox.one(reader, id) for (id,) in rows]


def _fill(db: sqlite3.Connection) -> None:
    """Posts of a few hundred characters; every third one is a copy of a post of its hour."""
    chance = random.Random(1)
    old = stamp(NOW - timedelta(days=60))
    db.executemany(
        "INSERT INTO channels (id, username, title, kind, start, cursor, added_at) "
        "VALUES (?, ?, ?, 'channel', 0, 0, ?)",
        [(n, f"channel{n}", f"Channel {n}", old) for n in range(1, CHANNELS + 1)],
    )
    db.executemany(
        "INSERT INTO watchlists (id, name, title, created_at) VALUES (?, ?, ?, ?)",
        [(n, f"list{n}", f"List {n}", old) for n in range(1, LISTS + 1)],
    )
    db.executemany(
        "INSERT INTO terms (id, watchlist_id, name, kind, created_at) VALUES (?, ?, ?, 'place', ?)",
        [(n + 1, n // TERMS + 1, f"Place {n}", old) for n in range(LISTS * TERMS)],
    )
    posts, hits, placed = [], [], []
    for number in range(DAYS * HITS):
        at = NOW - timedelta(seconds=(DAYS * HITS - number) * 86400 / HITS)
        channel, message = chance.randrange(1, CHANNELS + 1), number // 2 + 1
        if number % 2 == 0:  # a post has two hits
            key = (channel, message)
            text = " ".join(chance.choices(WORDS, k=45))
            posts.append((*key, stamp(at), stamp(at), text, chance.randrange(50_000)))
            back = chance.randrange(1, 600)
            story = placed[-back][2:] if number % 6 == 0 and len(placed) > back else key
            placed.append((*key, *story))
            first = chance.randrange(LISTS * TERMS)
        term = (first + number % 2 * 7) % (LISTS * TERMS)
        word = text.split(" ", 1)[0]
        spans = json.dumps([(0, len(word))])
        found = (spans, json.dumps([word], ensure_ascii=False))
        hits.append((*key, term // TERMS + 1, term + 1, stamp(at), *found))
    db.executemany(
        "INSERT INTO posts (channel_id, message_id, published_at, seen_at, text, views) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        posts,
    )
    db.executemany(
        "INSERT INTO hits (channel_id, message_id, watchlist_id, term_id, found_at, spans, matched) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        hits,
    )
    db.executemany("INSERT INTO story_posts VALUES (?, ?, ?, ?)", placed)
    db.execute("INSERT INTO chats (id) VALUES (1), (2)")


if __name__ == "__main__":
    for line in measure():
        print(line)
