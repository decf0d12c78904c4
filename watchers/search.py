"""What is searched for, and which stored posts match it?

The index offers candidates, newest first; the matcher that finds hits decides. So a search finds in
the stored posts what a watchlist with the same rule would have found.
"""

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from math import log10

from storage import channels, said, search, watchlists
from storage.db import Database
from storage.model import Entry, Finding, Hit, Term, Watchlist
from storage.said import Said
from storage.search import Candidate
from watchers import candidates, query
from watchers.candidates import Wanted
from watchers.languages import LANGUAGES
from watchers.matching import Matcher
from watchers.query import Node, Typo
from watchers.references import BadReference, read_reference

PAGE = 8  # posts
MOST_LOOKED_AT = 1000  # candidates for one page
MOST_SCANNED = 10_000  # posts, when there is only a regular expression to go by
BEST_OF = 200  # the newest so many that match; the best of them are shown
BEST_KEPT = 40
_PIECE = 500  # candidates at once
_EVER = 1 << 62  # above every number of the index

_FIRST_WORDS = 120  # characters
_SAID = re.compile(r'=?"[^"]*"|(?<!\S)/(?:\\.|[^/\\])+/|\S+')
_PERIOD = re.compile(r"(\d{1,4})(h|d|w)")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


class BadQuery(ValueError):
    """No search; the message says what to write."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A search as it was written."""

    rule: str  # empty: everything
    tree: Node | None
    channel: str | None = None
    watchlist: str | None = None
    period: timedelta | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """A search made ready."""

    matcher: Matcher | None  # None: every candidate is wanted
    rule: str
    expression: str | None  # None: the index knows nothing of it, all posts are looked at
    since: datetime | None = None
    watchlist_id: int | None = None

    @property
    def most(self) -> int:
        return MOST_SCANNED if self.expression is None and self.matcher else MOST_LOOKED_AT


@dataclass(frozen=True, slots=True)
class Found:
    """A page of what was found, newest first."""

    entries: tuple[Entry, ...]
    below: int | None  # where the next page begins; None: this is the last one
    looked_at: int = 0  # posts
    cut: bool = False  # there are older posts that were not looked at


def read_query(text: str) -> Asked:
    """A rule with filters around it, in any order. Raises BadQuery, RuleError."""
    asked = Asked("", None)
    words = []
    for piece in _SAID.findall(text):
        with_filter = _filtered(asked, piece)
        if with_filter is None:
            words.append(piece)
        else:
            asked = with_filter
    rule = " ".join(words)
    return replace(asked, rule=rule, tree=query.parse(rule) if rule else None)


def _filtered(asked: Asked, word: str) -> Asked | None:
    """None when the word is no filter."""
    name, colon, value = word.partition(":")
    if word.startswith("@") and len(word) > 1:
        return replace(asked, channel=word)
    if period := _PERIOD.fullmatch(word.lower()):
        return replace(asked, period=timedelta(**{_UNITS[period[2]]: int(period[1])}))
    if not colon or not value:
        return None
    if name.lower() == "lang":
        if value.lower() not in LANGUAGES:
            raise BadQuery(
                Said(
                    "“{text}” is no language: write one of {languages}",
                    text=value[:20],
                    languages=", ".join(LANGUAGES),
                )
            )
        return replace(asked, language=value.lower())
    return replace(asked, watchlist=value) if name.lower() == "list" else None


async def prepare(db: Database, asked: Asked, now: datetime) -> Scope:
    """Raises BadQuery where a filter names what is not there."""
    parts: list[Wanted | None] = []
    if asked.channel:
        parts.append(candidates.of_channel(await _channel(db, asked.channel)))
    if asked.language:
        parts.append(candidates.of_language(asked.language))
    if asked.tree is not None:
        near = await misspelt(db, asked.tree)
        parts.append(await asyncio.to_thread(candidates.wanted, asked.tree, near.__getitem__))
    wanted = candidates.both(parts)
    return Scope(
        await asyncio.to_thread(matcher_of, asked.rule) if asked.rule else None,
        asked.rule,
        candidates.expression(wanted) if wanted else None,
        now - asked.period if asked.period else None,
        await _watchlist(db, asked.watchlist) if asked.watchlist else None,
    )


@lru_cache(maxsize=64)
def matcher_of(rule: str) -> Matcher:
    """It remembers the words it met, so the next page is quicker."""
    return Matcher([Watchlist(0, "search", "search", (Term(0, rule),))])


async def misspelt(db: Database, tree: Node) -> dict[Typo, frozenset[str]]:
    found = {}
    for typo in candidates.typos_of(tree):
        words = await search.words_between(db.reader, candidates.ranges(typo))
        found[typo] = await asyncio.to_thread(candidates.near, typo, words)
    return found


async def _channel(db: Database, name: str) -> int:
    try:
        reference = read_reference(name)
    except BadReference as error:
        raise BadQuery(said.of(error)) from None
    id = await channels.id_of(db.reader, reference.username, reference.id)
    if id is None:
        raise BadQuery(
            Said(
                "nothing is stored of {channel}: /channels names those that are watched",
                channel=reference,
            )
        )
    return id


async def _watchlist(db: Database, name: str) -> int:
    watchlist = await watchlists.named(db.reader, name)
    if watchlist is None:
        raise BadQuery(Said("there is no watchlist {name}: /watchlists names them", name=name[:64]))
    return watchlist.id


async def newest(db: Database, scope: Scope, below: int = _EVER, size: int = PAGE) -> Found:
    """The page of matching posts that begins below that number of the index."""
    found: list[Candidate] = []
    looked_at, piece = 0, 3 * size
    while True:
        offered = await search.candidates(
            db.reader,
            scope.expression,
            below=below,
            since=scope.since,
            watchlist_id=scope.watchlist_id,
            limit=min(piece, scope.most - looked_at),
        )
        found += await asyncio.to_thread(_matching, scope, offered)
        looked_at += len(offered)
        ended = len(offered) < min(piece, scope.most - looked_at + len(offered))
        if len(found) > size:
            return Found(_entries(found[:size]), found[size - 1].number, looked_at)
        if ended:
            return Found(_entries(found), None, looked_at)
        below = offered[-1].number
        if looked_at >= scope.most:
            return Found(_entries(found), below, looked_at, cut=True)
        piece = min(4 * piece, _PIECE)


async def best(db: Database, scope: Scope, below: int = _EVER) -> list[Entry]:
    """Of the newest posts that match, those that are most about it."""
    found = await newest(db, scope, below, BEST_OF)
    return sorted(found.entries, key=_weight, reverse=True)[:BEST_KEPT]


def _weight(entry: Entry) -> tuple[float, datetime]:
    """How often it stands there, whether at the beginning, how many have read it."""
    spans = [span for finding in entry.findings for span in finding.hit.spans]
    points = min(len(spans), 4) + 2 * any(span.start < _FIRST_WORDS for span in spans)
    return points + log10(1 + max(entry.post.views or 0, 0)) / 2, entry.post.published_at


def with_hits(entry: Entry, matcher: Matcher | None, rule: str) -> Entry | None:
    """The entry with what the rule finds in it; None when it finds nothing."""
    if matcher is None:
        return entry
    hits: Iterable[Hit] = matcher.match(entry.post)
    findings = tuple(Finding(hit, "", rule) for hit in hits)
    return replace(entry, findings=findings) if findings else None


def _matching(scope: Scope, offered: list[Candidate]) -> list[Candidate]:
    found = []
    for one in offered:
        entry = with_hits(one.entry, scope.matcher, scope.rule)
        if entry is not None:
            found.append(Candidate(one.number, entry))
    return found


def _entries(found: Iterable[Candidate]) -> tuple[Entry, ...]:
    return tuple(one.entry for one in found)
