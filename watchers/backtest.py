"""What would these watchlists have matched in the stored posts?"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, tzinfo

from storage import channels, search
from storage.db import Database
from storage.model import Entry, Finding, Watchlist
from watchers.matching import Matcher

PAGE = 1000  # posts
EXAMPLES = 5  # of each term, the newest

Key = tuple[str, str]  # watchlist, term
Moved = Callable[[int], Awaitable[bool]]  # told of the posts looked at; False: that is enough


@dataclass
class Tally:
    """Counted while posts are gone through."""

    posts: int = 0  # looked at
    matched: int = 0
    terms: Counter[Key] = field(default_factory=Counter)
    days: Counter[date] = field(default_factory=Counter)
    examples: defaultdict[Key, list[Entry]] = field(default_factory=lambda: defaultdict(list))
    oldest: datetime | None = None  # of those looked at
    ended: bool = True  # all were looked at


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
        await asyncio.to_thread(_count, tally, page, matcher, names, zone)
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


def _count(
    tally: Tally,
    page: Iterable[Entry],
    matcher: Matcher,
    names: dict[tuple[int, int], Key],
    zone: tzinfo,
) -> None:
    for entry in page:
        tally.posts += 1
        tally.oldest = min(tally.oldest or entry.post.published_at, entry.post.published_at)
        hits = matcher.match(entry.post)
        if not hits:
            continue
        tally.matched += 1
        tally.days[entry.post.published_at.astimezone(zone).date()] += 1
        for hit in hits:
            key = names[hit.watchlist_id, hit.term_id]
            tally.terms[key] += 1
            if len(tally.examples[key]) < EXAMPLES:
                tally.examples[key].append(replace(entry, findings=(Finding(hit, *key),)))
