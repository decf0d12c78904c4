"""Which story does a post with hits tell, and how is that known after a restart?"""

import asyncio
from collections.abc import Callable
from datetime import datetime

from aiosqlite import Connection

from storage import stories
from storage.db import Database
from storage.model import Post, PostKey
from watchers.stories import Stories
from watchers.window import ROOM, WINDOW


class Placing:
    """The stories of the last 48 hours in memory, in step with storage."""

    def __init__(self, db: Database, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._clock = clock
        self._stories = Stories()
        self._in_step = False
        self._lock = asyncio.Lock()

    async def ready(self) -> None:
        """Take up what is stored. To be called outside of any transaction, before `place`."""
        if self._in_step:
            return
        async with self._lock:
            if not self._in_step:
                self._stories, self._in_step = await self._restored(), True

    async def _restored(self) -> Stories:
        restored = Stories()
        since = self._clock() - WINDOW
        async for page in stories.placed_since(self._db.reader, since, ROOM):
            await asyncio.to_thread(_restore, restored, page)
        return restored

    async def place(self, tx: Connection, post: Post) -> PostKey:
        """The story that a stored post tells; remembered in `tx`."""
        self._stories.forget(self._clock() - WINDOW)
        return await stories.place(tx, post.key, self._stories.place(post))

    def lose(self) -> None:
        """A transaction failed: what it placed is not stored, so all is to be taken up anew."""
        self._in_step = False


def _restore(restored: Stories, page: list[tuple[Post, PostKey]]) -> None:
    for post, story in page:
        restored.restore(post, story)
