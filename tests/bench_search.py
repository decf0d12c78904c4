"""How long does a search of 1,000,000 stored posts take, beside a plain FTS5 query of the same index?

`python -m tests.bench_search`. The posts are sentences of real ones (../shared/data/posts, where that is
there; else of the bundled sample), put together anew: so words are as frequent as in real posts. They
are stored directly, then indexed by the program itself. Searches begin from the text as it was typed and
end with a page of matching posts; each is made once before, as the process of a daemon is warm. The plain
query: the ten newest posts that hold the one word as it is written, with their texts.
"""

import asyncio
import json
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from storage import channels, watchlists
from storage.db import Database, open_database, stamp
from storage.model import Channel, Term, Watchlist
from watchers import indexing
from watchers import search as searching

POSTS = 1_000_000
CHANNELS = 300
BATCH = 4000
NOW = datetime(2026, 1, 1, tzinfo=UTC)
STEP = timedelta(seconds=20)  # between two posts: a million are 230 days
SHARED = Path(__file__).parents[2] / "shared" / "data" / "posts" / "ru_news.jsonl"
SAMPLE = Path(__file__).parents[1] / "bot" / "sample" / "result.json"
SYLLABLES = tuple(
    a + b for a in "бвгдзклмнпрстфхш" for b in ("а", "е", "и", "о", "ов", "ин", "ник")
)
ROUNDS = 5
QUERIES = (
    "президент",
    "эшелон",
    "Жириновский",
    "беспилотник",
    "Новосибирск",
    "пожар",
    '"Красная площадь"',
    '"Министерство обороны"',
    "школа Новосибирск",
    "поезд | электричка",
    "взрыв -газ",
    "суд NEAR/3 приговорил",
    "эвакуац*",
    "Лукашенко 30d",
    "@channel7 президент",
    "полиция lang:ru 7d",
    "ракета @channel7 60d",
    "(пожар | взрыв) (склад | завод) -учения",
    "=США",
    "Коммерсант",
    "метро list:rail",
    "задержали подозреваемого",
    "Су-30",
    "Зеленский~",
    "несуществующееслово",
    "взятка чиновник",
    "дроны Белгород 90d",
    "в Москве",
    '"в Москве"',
    "поставки газа",
)
SLOW = ('"президент суд"', "полиция NEAR/2 газ", "эвакуаця~", "/эшелон/")
PLAIN = ("президент", "эшелон", "беспилотник", "пожар", "школа", "полиция", "суд", "поезд", "метро")


def sentences() -> list[str]:
    if SHARED.is_file():
        texts = [json.loads(line)["text"] for line in SHARED.open(encoding="utf-8")]
    else:
        chats = json.loads(SAMPLE.read_text(encoding="utf-8"))["chats"]["list"]
        texts = [
            "".join(part if isinstance(part, str) else part["text"] for part in message["text"])
            for chat in chats
            for message in chat["messages"]
        ]
    return [part.strip() for text in texts for part in text.split("\n") if len(part) > 20]


def texts(rng: random.Random) -> Iterator[str]:
    """Each also names somebody and a number, so that there are as many words as in real posts."""
    every = sentences()
    while True:
        name = "".join(rng.choices(SYLLABLES, k=rng.choice((2, 3, 3)))).capitalize()
        rare = f"{name} {rng.randrange(10_000)}"
        yield "\n\n".join([*rng.choices(every, k=rng.choice((1, 1, 2, 2, 3))), rare])


async def make(db: Database, number: int) -> tuple[float, float]:
    """Seconds for storing and for indexing."""
    async with db.transaction() as tx:
        for id in range(1, CHANNELS + 1):
            await channels.add(tx, Channel(id, f"channel{id}", f"Channel {id}"), 0, NOW)
        rail = await watchlists.create(tx, Watchlist(0, "rail", "rail"), NOW)
        await watchlists.add_term(tx, rail, Term(0, "метро"), NOW)
    start = time.perf_counter()
    store(db.path, number)
    stored = time.perf_counter()
    while await indexing.index_some(db, BATCH):
        pass
    return stored - start, time.perf_counter() - stored


def store(path: Path, number: int) -> None:
    rng = random.Random(5)
    made = texts(rng)
    rows = (
        (n % CHANNELS + 1, n, stamp(NOW - STEP * (number - n)), stamp(NOW), next(made), n % 5000)
        for n in range(1, number + 1)
    )
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA synchronous = OFF")
    db.execute("BEGIN")
    db.executemany(
        "INSERT INTO posts (channel_id, message_id, published_at, seen_at, text, views) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        rows,
    )
    db.execute(
        "INSERT INTO hits (channel_id, message_id, watchlist_id, term_id, found_at, spans, matched) "
        "SELECT channel_id, message_id, 1, 1, seen_at, '[]', '[]' FROM posts "
        "WHERE instr(text, 'метро') > 0"
    )
    db.execute("COMMIT")
    db.close()


async def ask(db: Database, said: str) -> searching.Found:
    searching.matcher_of.cache_clear()  # as when it is searched for for the first time
    scope = await searching.prepare(db, searching.read_query(said), NOW)
    return await searching.newest(db, scope)


async def plain(db: Database, word: str) -> int:
    rows = await db.reader.execute_fetchall(
        "SELECT text FROM search_index CROSS JOIN search_posts AS found ON found.id = search_index.rowid "
        "CROSS JOIN posts ON posts.channel_id = found.channel_id AND posts.message_id = found.message_id "
        "WHERE search_index MATCH ? ORDER BY search_index.rowid DESC LIMIT 10",
        (f'"{word}"',),
    )
    return len(list(rows))


async def timed(work) -> float:
    start = time.perf_counter()
    await work
    return (time.perf_counter() - start) * 1000


async def measures(db: Database, *, each: bool = False) -> str:
    took: list[float] = []
    for said in QUERIES:
        found = await ask(db, said)
        own = [await timed(ask(db, said)) for _ in range(ROUNDS)]
        took += own
        if each:
            print(
                f"{statistics.median(own):8.1f} ms  {said}  {len(found.entries)} {found.looked_at} {found.cut}"
            )
    beside = [await timed(plain(db, word)) for word in PLAIN for _ in range(ROUNDS)]
    took.sort()
    median, high = statistics.median(took), took[int(len(took) * 0.95)]
    usual = statistics.median(beside)
    slow = [
        f"{said} {statistics.median([await timed(ask(db, said)) for _ in range(ROUNDS)]):.0f} ms"
        for said in SLOW
    ]
    return (
        f"search of {POSTS:,} posts: median {median:.1f} ms, 95th percentile {high:.1f} ms (wanted 100), "
        f"{len(QUERIES)} searches × {ROUNDS}; a plain FTS5 query {usual:.2f} ms: {median / usual:.0f} times; "
        f"beside these, of the slow kinds: {', '.join(slow)}"
    )


async def _measure(path: Path) -> list[str]:
    async with open_database(path) as db:
        stored, indexed = await make(db, POSTS)
        said = [
            f"{POSTS:,} posts stored in {stored:.0f} s, indexed in {indexed:.0f} s "
            f"({POSTS / indexed:.0f} posts/s), the file has {path.stat().st_size / 1e6:.0f} MB"
        ]
        return [*said, await measures(db, each=__name__ == "__main__")]


def measure() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        yield from asyncio.run(_measure(Path(name) / "search.db"))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        POSTS = int(sys.argv[1])
    for said in measure():
        print(said, flush=True)
