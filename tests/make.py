"""Builders: a test says only what it is about."""

from datetime import UTC, datetime
from typing import Any

from storage.model import Channel, Entry, Finding, Hit, Post, Span, Term, Watchlist

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def channel(id: int = 1, username: str | None = None, title: str | None = None) -> Channel:
    return Channel(id, username or f"channel{id}", title or f"Channel {id}")


def post(
    text: str = "",
    *,
    channel_id: int = 1,
    message_id: int = 1,
    published_at: datetime = NOON,
    edited_at: datetime | None = None,
    **fields: Any,
) -> Post:
    return Post(channel_id, message_id, published_at, text, edited_at, **fields)


def watchlist(
    *terms: str | Term,
    id: int = 1,
    languages: tuple[str, ...] = (),
    channels: tuple[str, ...] = (),
) -> Watchlist:
    made = tuple(t if isinstance(t, Term) else Term(n, t) for n, t in enumerate(terms, start=1))
    return Watchlist(id, f"list{id}", f"List {id}", made, languages=languages, channels=channels)


def entity(
    name: str, *aliases: str, id: int = 1, kind: str = "place", unless: str | None = None
) -> Term:
    return Term(id, name, kind, aliases, unless)


def hit(text: str = "", *words: str, term_id: int = 1, message_id: int = 1) -> Hit:
    """A hit on the first occurrence of each word in the text."""
    spans = tuple(Span(text.index(word), text.index(word) + len(word)) for word in words)
    return Hit(1, message_id, 1, term_id, spans, words)


def finding(text: str = "", *words: str, watchlist: str = "rail", term: str = "эшелон") -> Finding:
    return Finding(hit(text, *words), watchlist, term)


def entry(text: str, *words: str, title: str = "News", **fields) -> Entry:
    return Entry(channel(1, "news", title), post(text, **fields), (finding(text, *words),))
