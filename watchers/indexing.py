"""How do stored posts come into the search index? In the background, from a durable queue.

A post is stored and told of without waiting for this; the newest in the queue goes first, so that
an import or an upgrade with a million old posts does not hold up what comes in meanwhile.
"""

import asyncio
from functools import partial

from storage import search
from storage.db import Database
from watchers.search_keys import keys_of

LOOK_EVERY = 0.3  # seconds between two looks into the queue
BATCH = 250  # posts in one transaction: others wait for it some 20 ms


async def keep_indexing(db: Database) -> None:
    while True:
        if not await index_some(db):
            await asyncio.sleep(LOOK_EVERY)


async def index_all(db: Database) -> int:
    """Until nothing waits; return how many were indexed."""
    number = 0
    while done := await index_some(db):
        number += done
    return number


async def index_some(db: Database, batch: int = BATCH) -> int:
    """Index those that were stored last; return how many left the queue."""
    waiting = await search.next_waiting(db.reader, batch)
    if not waiting:
        return 0
    posts = {one.post.key: one.post for one in reversed(waiting) if one.post}
    made = await asyncio.to_thread(lambda: [(post, keys_of(post)) for post in posts.values()])
    await db.at_once(partial(search.index, posts=made, queued=[one.id for one in waiting]))
    return len(waiting)
