"""What would these watchlists have matched in the stored posts?"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import datetime, tzinfo

from storage import channels, search
from storage.db import Database
from storage.model import Entry, Watchlist
from watchers.matching import Matcher
from watchers.tally import Tally, count

PAGE = 1000  # posts
Moved = Callable[[int], Awaitable[bool]]  # told of the posts looked at; False: that is enough


async def tried(
    db: Database,
    watchlists: Iterable[Watchlist],
    since: datetime,
    zone: tzinfo,
    moved: Moved,
    expression: str | None = None,
) -> Tally:
    """Go through the stored posts, newest first; of posts that the index does not offer for
    `expression` nothing is expected."""
    lists = list(watchlists)
    known = await channels.everything(db.reader)
    matcher = await asyncio.to_thread(Matcher, lists, known)
    names = {(w.id, t.id): (w.name, t.name) for w in lists for t in w.terms}
    tally = Tally()
    async for page in _newest_first(db, since, expression):
        await asyncio.to_thread(count, tally, page, matcher, names, zone)
        if not await moved(len(page)):
            tally.ended = False
            break
    return tally


async def _newest_first(
    db: Database, since: datetime, expression: str | None
) -> AsyncIterator[list[Entry]]:
    below = 1 << 62
    while page := await search.candidates(
        db.reader, expression, below=below, since=since, limit=PAGE
    ):
        yield [one.entry for one in page]
        below = page[-1].number
