"""How fast do posts become committed hits, beside bare SQLite inserts of the same rows?

`python -m tests.bench_pipeline`. Catch-up: batches of 100 posts, 1 in 20 a hit, 100 terms, a commit a
batch. Beside it every row that this left in posts, hits, outbox and outbox_hits, read back and inserted
into a fresh database of the same schema: executemany, a commit for the same 100 posts, WAL, synchronous
FULL, foreign keys unchecked (SQLite's default). Both in posts/s, from the first BEGIN to the last COMMIT,
in turns, medians. Live: from the bytes on the socket to the committed hit, a real client at 50 posts/s.
"""

import asyncio
import random
import resource
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from storage import channels, subscriptions, watchlists
from storage.db import open_database
from storage.model import Channel, Post, Subscription, Term, Watchlist
from tests.telegram_dc import DataCentre
from watchers import ingest
from watchers.ingest import DEEP, Looks, Task
from watchers.pipeline import Pipeline
from watchers.rhythm import COLD, LOOK_EVERY, Rhythm, intervals
from watchers.sweeps import DAYS
from watchers.telegram import Account, TelegramSource

POSTS = 20_000
BATCH = 100
ROUNDS = 5
STORED = {  # the tables that a post leaves rows in, and which of them a batch left
    "posts": "channel_id = 1 AND message_id >= ? AND message_id < ?",
    "hits": "channel_id = 1 AND message_id >= ? AND message_id < ?",
    "outbox": "id IN (SELECT delivery_id FROM outbox_hits WHERE message_id >= ? AND message_id < ?)",
    "outbox_hits": "message_id >= ? AND message_id < ?",
}
LIVE_POSTS, LIVE_RATE = 500, 50
WORDS = "На станцию прибыл состав, движение поездов идёт по расписанию, погода без осадков. " * 4


def now() -> datetime:
    return datetime.now(UTC)


def posts() -> list[Post]:
    return [
        Post(1, n, now(), f"{n} {'эшелон ' if n % 20 == 0 else ''}{WORDS}")
        for n in range(1, POSTS + 1)
    ]


async def prepare(db, channel: int = 1) -> None:
    async with db.transaction() as tx:
        await channels.add(tx, Channel(channel, "news", "News"), 0, now())
        id = await watchlists.create(tx, Watchlist(0, "rail", "rail"), now())
        for name in ("эшелон", *(f"слово{n}" for n in range(99))):
            await watchlists.add_term(tx, id, Term(0, name), now())
        await subscriptions.put(tx, Subscription(id, 7), now())


async def pipeline_rate(path: Path) -> float:
    async with open_database(path) as db:
        await prepare(db)
        pipeline, every = Pipeline(db, now), posts()
        await pipeline.take([])  # compiles the watchlist
        start = time.perf_counter()
        for at in range(0, POSTS, BATCH):
            await pipeline.take(every[at : at + BATCH])
        return POSTS / (time.perf_counter() - start)


def bare_rate(path: Path, stored: Path) -> float:
    """All rows that the pipeline stored, into a fresh database: nothing but INSERT and COMMIT."""
    batches = rows_by_batch(stored)
    asyncio.run(make(path))
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA synchronous = FULL")
    start = time.perf_counter()
    for batch in batches:
        db.execute("BEGIN IMMEDIATE")
        for table, rows in batch.items():
            db.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
        db.execute("COMMIT")
    took = time.perf_counter() - start
    db.close()
    return POSTS / took


async def make(path: Path) -> None:
    async with open_database(path) as db:
        await prepare(db)


def rows_by_batch(path: Path) -> list[dict[str, list[tuple[object, ...]]]]:
    """What the pipeline stored with each batch, by table."""
    db = sqlite3.connect(path)
    batches = [
        {
            table: db.execute(
                f"SELECT * FROM {table} WHERE {of_batch}", (at, at + BATCH)
            ).fetchall()
            for table, of_batch in STORED.items()
        }
        for at in range(1, POSTS, BATCH)
    ]
    for table in STORED:
        ((number,),) = db.execute(f"SELECT count(*) FROM {table}")
        assert number == sum(len(batch[table]) for batch in batches), f"not all of {table}"
    db.close()
    return batches


def share() -> tuple[float, float]:
    """Posts a second of the pipeline and of bare inserts, in turns: the median of each."""
    ours, bare = [], []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as name:
            stored = Path(name) / "watch.db"
            ours.append(asyncio.run(pipeline_rate(stored)))
            bare.append(bare_rate(Path(name) / "bare.db", stored))
    return statistics.median(ours), statistics.median(bare)


async def latencies(folder: Path) -> list[float]:
    """Seconds from the server's write to the committed hit, by post."""
    sent: dict[str, float] = {}
    took: list[float] = []
    async with DataCentre() as dc, open_database(folder / "live.db") as db:
        reader = dc.add_user("Reader")
        news = dc.add_channel("News", username="news", members=[reader])
        await prepare(db, news.id)
        pipeline = Pipeline(db, now)
        source = TelegramSource(Account(1, "x" * 32, dc.session(reader)), db)
        take = pipeline.take

        async def timed(batch):
            counts = await take(batch)
            took.extend(time.perf_counter() - sent[post.text] for post in batch)
            return counts

        pipeline.take = timed
        async with source.connected():
            following = asyncio.create_task(ingest.follow(source, pipeline))
            for number in range(LIVE_POSTS):
                text = f"{number} эшелон {WORDS}"
                sent[text] = time.perf_counter()
                await dc.post(news, text)
                await asyncio.sleep(1 / LIVE_RATE)
            following.cancel()
    return took


async def memory(folder: Path, number: int = 200_000) -> tuple[float, float]:
    """Peak memory in MB after a tenth of the posts, and after all of them."""
    async with open_database(folder / "memory.db") as db:
        await prepare(db)
        pipeline, after_a_tenth = Pipeline(db, now), 0.0
        for at in range(1, number, BATCH):
            batch = [Post(1, n, now(), f"{n} {WORDS}") for n in range(at, at + BATCH)]
            await pipeline.take(batch)
            if at < number // 10:
                after_a_tenth = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return after_a_tenth, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def a_day(
    number: int = 300, hot: int = 8, seed: int = 7, joined: int = 0
) -> tuple[float, float, float, float]:
    """One idle account, simulated: requests a second, how late the last post of a hot and of a cold
    channel that is not joined was found, and how long a pass over older posts took at most, in
    seconds. `joined`: so many are, the hot ones first; push brings their posts at once."""
    rng = random.Random(seed)
    gaps = [rng.uniform(60, 300) if n < hot else rng.uniform(1800, 6 * 3600) for n in range(number)]
    published = [rng.expovariate(1 / gap) for gap in gaps]
    rhythms = {n: Rhythm(gap / 2, (gap,) * 20) for n, gap in enumerate(gaps)}
    looks = Looks(
        at={n: -rng.random() * COLD for n in range(number)},
        every=intervals(rhythms, frozenset(range(joined))),
    )
    latest, longest, requests, clock = [0.0, 0.0], 0.0, 0, 0.0
    while clock < 86400:
        match looks.choose(range(number), lambda id, pages: True, clock):
            case (Task.LOOK, n):
                looks.at[n], requests = clock, requests + 1
                while published[n] <= clock:
                    if n >= joined:
                        latest[n >= hot] = max(latest[n >= hot], clock - published[n])
                    published[n] += rng.expovariate(1 / gaps[n])
            case (Task.SWEEP, n):
                sweep, requests = looks.sweep(n), requests + 1
                if sweep.below is None:
                    sweep.begin(1_000_000, 1_000_000 - int(DAYS * 86400 / gaps[n]), clock)
                sweep.at = clock
                sweep.reached(sweep.below - DEEP)
                longest = max(longest, clock - sweep.began)
        clock += LOOK_EVERY
    return requests / 86400, latest[0], latest[1], longest


def measure() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:  # first, for it is the process's peak that is read
        early, late = asyncio.run(memory(Path(name)))
        yield f"memory at 20,000 posts {early:.0f} MB, at 200,000 {late:.0f} MB"
    ours, bare = share()
    yield (
        f"pipeline with commits {ours:.0f} posts/s, bare inserts of all its rows {bare:.0f} posts/s: "
        f"{ours / bare:.2f} of them (wanted 0.3)"
    )
    with tempfile.TemporaryDirectory() as name:
        took = sorted(asyncio.run(latencies(Path(name))))
        median, high = statistics.median(took), took[int(len(took) * 0.99)]
        yield (
            f"live, socket to committed hit at {LIVE_RATE} posts/s: median {median * 1000:.1f} ms "
            f"(wanted 10), 99th percentile {high * 1000:.1f} ms (wanted 50), {len(took)} posts"
        )
    rate, hot, cold, older = a_day()
    yield (
        f"a day of one account, 300 channels unjoined, 8 of them hot: {rate:.2f} requests/s "
        f"(wanted below 1), latest find hot {hot:.0f} s (wanted 30), cold {cold:.0f} s (wanted 600); "
        f"each channel's older posts are read again every quarter of an hour, in {older:.0f} s at most"
    )
    rate, hot, cold, older = a_day(hot=16, joined=100)
    yield (
        f"the same with 16 hot, 100 of them joined, the hot ones among these: {rate:.2f} requests/s; "
        f"those that are not joined: cold {cold:.0f} s; older posts again in {older:.0f} s at most"
    )


if __name__ == "__main__":
    for said in measure():
        print(said, flush=True)
