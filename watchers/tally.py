"""How many posts does each term match, on which days, and which are they?"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, tzinfo

from storage.model import Entry, Finding
from watchers.matching import Matcher

EXAMPLES = 5  # of each term, the newest

Key = tuple[str, str]  # watchlist, term


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


def count(
    tally: Tally,
    page: Iterable[Entry],
    matcher: Matcher,
    names: Mapping[tuple[int, int], Key],
    zone: tzinfo,
) -> None:
    """Add a page of posts, which go from the newest to the oldest; `names` by the ids of watchlist and term."""
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
