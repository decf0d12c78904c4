"""Is a batch more than its posts?"""

from storage import channels, subscriptions, watchlists
from storage.db import open_database
from storage.model import Subscription, Term
from tests import make
from watchers.pipeline import Pipeline

LATER = make.NOON.replace(hour=13)
BATCH = [
    make.post("эшелон прибыл", message_id=3),
    make.post("эшелон", channel_id=2, message_id=3),
    make.post("ничего", message_id=4),
    make.post("ничего, но эшелон и состав", message_id=4, edited_at=LATER),
    make.post("эшелон, альбом", message_id=5, album=(5, 6)),
    make.post("", message_id=6, album=(6,)),
    make.post("состав и эшелон", message_id=2),  # stored before
    make.post("уже не то", message_id=1, edited_at=LATER),  # stored before, with a hit
    make.post("эшелон", channel_id=3, message_id=1),  # not watched
    make.post("эшелон", channel_id=4, message_id=9),  # older than the watch
]
WRITTEN = {
    "posts": "channel_id, message_id, text, edited_at, seen_at",
    "album_messages": "*",
    "hits": "*",
    "outbox": "chat_id, kind, created_at, due_at",
    "outbox_hits": "chat_id, channel_id, message_id, term_id",
}


async def test_a_batch_comes_to_the_same_as_its_posts_one_by_one(tmp_path, clock):
    found = []
    for name, batches in (("one", [BATCH]), ("many", [[post] for post in BATCH])):
        async with open_database(tmp_path / name) as db:
            pipeline = Pipeline(db, clock)
            await watch(db)
            await pipeline.take([make.post("эшелон", message_id=1)])
            await pipeline.take([make.post("состав и эшелон", message_id=2)])
            counts = [await pipeline.take(batch) for batch in batches]
            rows = [
                sorted(map(repr, map(tuple, await db.reader.execute_fetchall(sql))))
                for sql in (f"SELECT {columns} FROM {table}" for table, columns in WRITTEN.items())
            ]
            found.append((sum(counts[1:], start=counts[0]), rows))

    assert found[0] == found[1]
    assert (found[0][0].posts, found[0][0].hits, found[0][0].owed) == (4, 5, 4)


async def watch(db):
    async with db.transaction() as tx:
        for id in (1, 2):
            await channels.add(tx, make.channel(id), 0, make.NOON)
        await channels.note(tx, make.channel(3), make.NOON)
        await channels.add(tx, make.channel(4), 10, make.NOON)
        await watchlists.create(tx, make.watchlist(), make.NOON)
        for term in ("эшелон", "состав"):
            await watchlists.add_term(tx, 1, Term(0, term), make.NOON)
        await subscriptions.put(tx, Subscription(1, 7), make.NOON)
