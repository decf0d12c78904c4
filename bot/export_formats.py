"""How does a record stand in CSV and in JSON lines? PURE. docs/export.md describes both for readers."""

import csv
import io
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Protocol

from bot.render import post_link
from storage.model import Extra, Forward, Record, RecordedHit, Version

COLUMNS = (
    "channel_id",
    "channel",
    "channel_title",
    "message_id",
    "album",
    "link",
    "published_at",
    "edited_at",
    "deleted_at",
    "seen_at",
    "views",
    "forwards",
    "forward_channel_id",
    "forward_channel",
    "forward_message_id",
    "forward_published_at",
    "forward_link",
    "version",
    "versions",
    "since",
    "replaced_at",
    "text",
    "text_sha256",
    "extras",
    "watchlists",
    "terms",
    "matched",
    "hits",
)

# What a spreadsheet may take for a formula, blanks before it or not; and the guard itself, so that
# taking one ' away gives back every text.
_FORMULA = re.compile(r"[\t\r\n]|[\s\u200b-\u200f\u2060\ufeff\x00]*[=+\-@'＝＋－＠]")
# Programs take these for ends of lines, and JSON does not have to escape them.
_LINE_ENDS = {"\x85": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class Format(Protocol):
    """Text before the records, for each of them, and after them."""

    suffix: str

    def head(self) -> str: ...
    def record(self, record: Record) -> str: ...
    def foot(self) -> str: ...


class JsonLines:
    """A line a post."""

    suffix = "jsonl"

    def head(self) -> str:
        return ""

    def record(self, record: Record) -> str:
        line = _json(as_object(record))
        for end, escaped in _LINE_ENDS.items():  # far quicker than str.translate
            line = line.replace(end, escaped)
        return f"{line}\n"

    def foot(self) -> str:
        return ""


class Csv:
    """RFC 4180, a row a version of a post's text, safe to open in a spreadsheet."""

    suffix = "csv"

    def __init__(self, bom: bool = False) -> None:
        """With `bom` Excel knows that it is UTF-8."""
        self._bom = "\ufeff" if bom else ""

    def head(self) -> str:
        return self._bom + _rows([COLUMNS])

    def record(self, record: Record) -> str:
        return _rows(_cells(record))

    def foot(self) -> str:
        return ""


def as_object(record: Record) -> dict[str, Any]:
    """A record as JSON tells it; keys are only ever added."""
    post = record.post
    return {
        "channel_id": post.channel_id,
        "channel": record.channel.username,
        "channel_title": record.channel.title,
        "message_id": post.message_id,
        "album": post.album,
        "link": post_link(record.channel, post.message_id),
        "published_at": utc(post.published_at),
        "edited_at": utc(post.edited_at),
        "deleted_at": utc(record.deleted_at),
        "seen_at": utc(record.seen_at),
        "views": post.views,
        "forwards": post.forwards,
        "forward": _forward(post.forward) if post.forward else None,
        "versions": [_version(n, version) for n, version in enumerate(record.versions, start=1)],
        "hits": [_hit(hit) for hit in record.hits],
    }


def _forward(forward: Forward) -> dict[str, Any]:
    return {
        "channel_id": forward.channel_id,
        "channel": forward.channel,
        "message_id": forward.message_id,
        "published_at": utc(forward.published_at),
        "link": forward_link(forward),
    }


def _version(number: int, version: Version) -> dict[str, Any]:
    return {
        "version": number,
        "since": utc(version.since),
        "replaced_at": utc(version.replaced_at),
        "text": version.text,
        "text_sha256": digest(version.text),
        "extras": _extras(version.extras),
    }


def _extras(extras: Iterable[Extra]) -> list[dict[str, str]]:
    return [{"kind": extra.kind, "text": extra.text} for extra in extras]


def _hit(recorded: RecordedHit) -> dict[str, Any]:
    hit = recorded.hit
    return {
        "watchlist": recorded.watchlist,
        "term": recorded.term,
        "kind": recorded.kind,
        "found_at": utc(recorded.found_at),
        "history": recorded.history,
        "disguised": hit.disguised,
        "spans": [(span.start, span.end) for span in hit.spans],
        "matched": hit.matched,
        "elsewhere": [{"kind": e.kind, "matched": e.matched} for e in hit.elsewhere],
    }


def _cells(record: Record) -> Iterable[list[Any]]:
    """A row for each version, the present one last: its characters are what the spans count."""
    post, forward = record.post, record.post.forward or Forward()
    of_post = [
        post.channel_id,
        record.channel.username,
        record.channel.title,
        post.message_id,
        " ".join(map(str, post.album)),
        post_link(record.channel, post.message_id),
        utc(post.published_at),
        utc(post.edited_at),
        utc(record.deleted_at),
        utc(record.seen_at),
        post.views,
        post.forwards,
        forward.channel_id,
        forward.channel,
        forward.message_id,
        utc(forward.published_at),
        forward_link(forward),
    ]
    watchlists = "; ".join(dict.fromkeys(hit.watchlist for hit in record.hits))
    terms = "; ".join(dict.fromkeys(hit.term for hit in record.hits))
    words = "; ".join(dict.fromkeys(word for hit in record.hits for word in hit.hit.matched))
    hits = _json([_hit(hit) for hit in record.hits]) if record.hits else ""
    for number, version in enumerate(record.versions, start=1):
        is_present = number == len(record.versions)
        yield [
            *of_post,
            number,
            len(record.versions),
            utc(version.since),
            utc(version.replaced_at),
            version.text,
            digest(version.text),
            _json(_extras(version.extras)) if version.extras else "",
            watchlists,
            terms,
            words if is_present else "",
            hits if is_present else "",
        ]


def _rows(rows: Iterable[Iterable[Any]]) -> str:
    made = io.StringIO(newline="")
    csv.writer(made).writerows([guarded(cell) for cell in row] for row in rows)
    return made.getvalue()


def guarded(cell: Any) -> Any:
    """A text that a spreadsheet might run begins with ' instead."""
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def utc(moment: datetime | None) -> str | None:
    if moment is None:
        return None
    return f"{moment.astimezone(UTC).isoformat(timespec='milliseconds')[:23]}Z"


def digest(text: str) -> str:
    """SHA-256 of the text in UTF-8."""
    return sha256(text.encode()).hexdigest()


def forward_link(forward: Forward) -> str | None:
    """Where it was published first, if that can be told; c/… opens for members only."""
    if forward.message_id is None:
        return None
    if forward.channel and re.fullmatch(r"@\w{4,32}", forward.channel, re.ASCII):
        return f"https://t.me/{forward.channel[1:]}/{forward.message_id}"
    if forward.channel_id is not None:
        return f"https://t.me/c/{forward.channel_id}/{forward.message_id}"
    return None
