"""How does a whole post look, and how did it change? PURE: no bot, no database, no clock.

As many messages as it takes, each within Telegram's limits.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise
from typing import NamedTuple

from rapidfuzz.distance import LCSseq

from bot import render
from bot.speech import say, say_number
from storage.model import Entry, Place, Span, Version
from storage.said import Said

MARKS_LIMIT = 90  # marks in one message: Telegram drops those above 100
COMPARED = 6000  # words of two texts together: above that the newer one is shown as it is
_WORD = re.compile(r"\s*\S+|\s+")
_INVISIBLE = re.compile(r"[\s\u00ad\u180e\u200b-\u200f\u2060-\u2064\ufeff]*")

KINDS = {
    "link": Said("link"),
    "quote": Said("quote"),
    "poll": Said("poll"),
    "list": Said("list"),
    "file": Said("file"),
    "button": Said("button"),
    "preview": Said("preview"),
}


class Piece(NamedTuple):
    text: str
    tag: str = ""  # b, u, s …; none: plain


def whole(entry: Entry, zone: tzinfo) -> list[str]:
    """All of a post's text, its matched words marked, and what it holds beside its text."""
    post = entry.post
    pieces = [*_head(entry, zone), *_marked(post.text, entry)]
    for extra in post.extras:
        pieces += [Piece(f"\n{say(KINDS.get(extra.kind, extra.kind))}: ", "i"), Piece(extra.text)]
    return _messages([*pieces, *_foot(entry)])


def versions(entry: Entry, kept: Sequence[Version], zone: tzinfo) -> list[str]:
    """Every text of a post with its time, the present one last, and what each one changed."""
    if len(kept) == 1 and entry.deleted_at is None:
        return [say("It was never edited, as far as was seen: there is one version.")]
    pieces = [*_head(entry, zone)]
    before = None
    for number, version in enumerate(kept, start=1):
        when = render.time_shown(version.since, zone)
        what = (
            say("published {when}", when=when) if number == 1 else say("edited {when}", when=when)
        )
        pieces.append(Piece(f"{number}. {what}\n", "b"))
        pieces += _changes(before, version.text) if before is not None else [Piece(version.text)]
        pieces.append(Piece("\n\n"))
        before = version.text
    if entry.deleted_at is not None:
        when = render.time_shown(entry.deleted_at, zone)
        pieces.append(Piece(f"{say('deleted {when}', when=when)}\n\n", "b"))
    if len(kept) > 1:
        pieces += [Piece(say("added"), "u"), Piece(" · "), Piece(say("taken away"), "s")]
    return _messages([*pieces, *_foot(entry)])


def story(entry: Entry, members: Sequence[Place], zone: tzinfo) -> list[str]:
    """Lines: who published it first, and how it spread."""
    others = [one for one in members if one.key != entry.post.key]
    if not others:
        return [say("No other watched channel has it, as far as its words tell.")]
    first = min(members, key=lambda one: one.published_at)
    channels = len({one.channel.id for one in members})
    counted = say_number("{n} channel", "{n} channels", channels)
    posts = say_number("{n} post", "{n} posts", len(members))
    lines = [say("👥 <b>{posts} in {channels}</b>", posts=posts, channels=counted)]
    for one in members:
        link = render.post_link(one.channel, one.message_id)
        when = render.time_shown(one.published_at, zone)
        after = (
            _span(one.published_at - first.published_at)
            if one is not first
            else f" · {say('first')}"
        )
        gone = f" · {say('deleted')}" if one.deleted else ""
        name = render.channel_name(one.channel)
        lines.append(f'• <a href="{link}">{when}</a> {name}{after}{gone}')
    return lines


def _span(after: timedelta) -> str:
    minutes = int(after.total_seconds() // 60)
    if minutes < 120:
        return f" · {say('{minutes} min later', minutes=minutes)}"
    return f" · {say('{hours} h later', hours=minutes // 60)}"


def _head(entry: Entry, zone: tzinfo) -> list[Piece]:
    title = " ".join(entry.channel.title.split())[: render.LINE_LIMIT]
    when: datetime = entry.post.published_at
    return [Piece(title, "b"), Piece(f" · {render.time_shown(when, zone)}\n\n")]


def _foot(entry: Entry) -> list[Piece]:
    return [Piece(f"\n\n{render.post_link(entry.channel, entry.post.message_id)}")]


def _marked(text: str, entry: Entry) -> Iterator[Piece]:
    """The text in pieces, those that hits are in marked."""
    marked = [False] * len(text)
    for span in (span for finding in entry.findings for span in finding.hit.spans):
        marked[span.start : span.end] = [True] * len(marked[span.start : span.end])
    edges = [0, *(at for at in range(1, len(text)) if marked[at] != marked[at - 1]), len(text)]
    for span in (Span(*edge) for edge in pairwise(edges) if edge[0] < edge[1]):
        yield Piece(text[span.start : span.end], "b" if marked[span.start] else "")


def _changes(before: str, after: str) -> list[Piece]:
    old, new = _WORD.findall(before), _WORD.findall(after)
    if len(old) + len(new) > COMPARED:
        return [Piece(after)]
    pieces = []
    for step in LCSseq.opcodes([word.strip() for word in old], [word.strip() for word in new]):
        gone = "".join(old[step.src_start : step.src_end])
        came = "".join(new[step.dest_start : step.dest_end])
        if step.tag == "equal":
            pieces.append(Piece(came))
        else:
            pieces += [Piece(gone, "s"), Piece(came, "u")]
    return [piece for piece in pieces if piece.text]


def _messages(pieces: Iterable[Piece]) -> list[str]:
    """Pieces as HTML messages: cut between words where that is possible."""
    found, room, marks = [""], render.MESSAGE_LIMIT, MARKS_LIMIT
    for raw, tag in pieces:
        text = render.plain(render.safe(raw))
        while text:
            if room <= 0 or (tag and not marks):
                found.append("")
                room, marks = render.MESSAGE_LIMIT, MARKS_LIMIT
            part, text = _cut(text, room, whole=room == render.MESSAGE_LIMIT)
            room = room - _units(part) if part and not text else 0
            marks -= bool(tag)
            found[-1] += _tagged(part, tag)
    return [html for html in found if not _INVISIBLE.fullmatch(render.plain(html))]


def _cut(text: str, room: int, *, whole: bool) -> tuple[str, str]:
    """What fits into `room` UTF-16 units, and the rest. Of a whole message's room something fits."""
    if _units(text) <= room:
        return text, ""
    fits = text.encode("utf-16-le", "surrogatepass")[: 2 * room].decode("utf-16-le", "ignore")
    edge = max(fits.rfind(" "), fits.rfind("\n")) + 1
    if edge > len(fits) - 200 and edge > 0:
        return text[:edge], text[edge:]
    return (fits, text[len(fits) :]) if whole else ("", text)


def _tagged(text: str, tag: str) -> str:
    html = render.safe(text)
    return f"<{tag}>{html}</{tag}>" if tag and html.strip() else html


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
