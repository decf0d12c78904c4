"""How do hits look as Telegram HTML? PURE: no bot, no database, no clock.

Text from channels is hostile: it is escaped, its control and direction characters are taken out,
and whatever its length the message fits.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from html import escape, unescape
from itertools import pairwise

from rapidfuzz.distance import LCSseq

from bot import speech
from bot.speech import say, say_number
from storage.model import Channel, Entry, Finding, Ledger, Place, Post, PostKey, Span, Verdict
from storage.said import Said
from watchers.rhythm import Rhythm, duration

MESSAGE_LIMIT = 4096  # UTF-16 units, counted without the tags
ENTITY_LIMIT = 100  # marks, links … Telegram drops those above it
ALERT_EXCERPT = 1000  # characters of a post in an alert; the link leads to the rest
LIST_EXCERPT = 220  # characters of a post in a line of a list
LINE_LIMIT = 80  # UTF-16 units of a title, a name
RULE_LIMIT = 40  # characters; above, an alert shows what the rule found
TERM_LIMIT = 60  # UTF-16 units of a term: a rule may be long
TERMS_LIMIT = 160  # UTF-16 units of the terms named in one line
SILENT_LIMIT = 3  # silent channels named in the line of coverage
FRESH = timedelta(minutes=20)  # a channel looked at longer ago is not called complete
LISTS_LIMIT = 5  # watchlists named in one alert
ELSEWHERE_LIMIT = 4
ALSO_LIMIT = 3  # places of a story named in an alert
VERDICTS_LIMIT = 8
CHANGE_LIMIT = 240  # UTF-16 units of what an edit added, and of what it took away
MERGED_EXCERPTS = ((60, 0), (35, 40), (20, 80), (0, 140))  # from so many lines on, characters
REPEAT = Said("🔁 <i>may be a repeat</i>")  # sent before, perhaps: its answer never came
MARKS_LIMIT = 40  # marked words in one excerpt

# Control characters (line breaks apart), and those that turn the direction of all that follows.
_HOSTILE = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_TAG = re.compile(r"<[^>]*>")
_EDGE = re.compile(r"\s")
_BLANK_LINES = re.compile(r"\n\s*\n\s*")


@dataclass(frozen=True, slots=True)
class Merged:
    html: str
    told: int  # how many of the entries it holds, from the first on


def alert(entries: Sequence[Entry], zone: tzinfo, reason: str | None = None) -> str:
    """One story: its first post, with what it touched, where and when it was, its matched words
    marked, what became of it, and where else it stands. The others in `entries` are copies."""
    lead = entries[0]
    where = f"<b>{title(lead.channel)}</b> · {time_shown(lead.post.published_at, zone)}"
    quoted = excerpt(lead.post, lead.findings, ALERT_EXCERPT)
    link = post_link(lead.channel, lead.post.message_id)
    return "\n".join(
        [
            *([f"📈 <i>{one_line(say(reason))}</i>"] if reason else []),
            *_touched(lead.findings),
            where,
            *([f"<blockquote>{quoted}</blockquote>"] if quoted else []),
            *_elsewhere(lead.findings),
            *_fate(lead, zone),
            *_also(lead, entries[1:], zone),
            *_verdicts(lead.verdicts),
            f'<a href="{link}">{link.removeprefix("https://")}</a>',
        ]
    )


def leads(entries: Sequence[Entry]) -> list[Entry]:
    """Of each story its first post."""
    first: dict[PostKey, Entry] = {}
    for entry in entries:
        first.setdefault(_story(entry), entry)
    return list(first.values())


def _story(entry: Entry) -> PostKey:
    return entry.story or entry.post.key


def _fate(entry: Entry, zone: tzinfo) -> list[str]:
    """What became of the post since: edited, deleted."""
    lines = []
    if entry.post.edited_at:
        changed = _changed(entry.before, entry.post.text) if entry.before is not None else ""
        when = time_shown(entry.post.edited_at, zone)
        known = entry.post.edited_at > entry.post.published_at  # the web preview gives no time
        edited = say("✏️ edited {when}", when=when) if known else say("✏️ edited")
        lines.append(f"{edited}{changed}")
    if entry.deleted_at:
        when = time_shown(entry.deleted_at, zone)
        lines.append(say("🗑 deleted {when}; this is what it said", when=when))
    return lines


def _changed(before: str, after: str) -> str:
    """What an edit added and took away, in words."""
    old, new = before.split(), after.split()
    steps = LCSseq.opcodes(old, new)
    added = [" ".join(new[s.dest_start : s.dest_end]) for s in steps if s.tag == "insert"]
    gone = [" ".join(old[s.src_start : s.src_end]) for s in steps if s.tag == "delete"]
    said = []
    if added:
        said.append(say("added «{words}»", words=one_line(" … ".join(added), CHANGE_LIMIT)))
    if gone:
        said.append(say("removed «{words}»", words=one_line(" … ".join(gone), CHANGE_LIMIT)))
    return f": {', '.join(said)}" if said else ""


def _also(lead: Entry, copies: Sequence[Entry], zone: tzinfo) -> list[str]:
    """Where else the story stands: «also in: @a 10:04, @b 10:07, +5»"""
    places = list(lead.also) or [
        Place(copy.channel, copy.post.message_id, copy.post.published_at) for copy in copies
    ]
    if not places:
        return []
    shown = [
        f'<a href="{post_link(place.channel, place.message_id)}">{channel_at(place.channel)}</a> '
        f"{_clock(place.published_at, zone)}"
        for place in places[:ALSO_LIMIT]
    ]
    if len(places) > ALSO_LIMIT:
        shown.append(f"+{len(places) - ALSO_LIMIT}")
    return [say("🔁 also in: {places}", places=", ".join(shown))]


def channel_at(channel: Channel) -> str:
    return f"@{channel.username}" if channel.username else title(channel)


def _clock(moment: datetime, zone: tzinfo) -> str:
    return f"{moment.astimezone(zone):%H:%M}"


def _verdicts(verdicts: Sequence[Verdict]) -> list[str]:
    said = [
        f"{'👍' if v.useful else '👎'} {one_line(v.person, 24)}" for v in verdicts[:VERDICTS_LIMIT]
    ]
    return [" · ".join(said)] if said else []


def merged(entries: Sequence[Entry], zone: tzinfo) -> Merged:
    """Alerts that waited together, one line a story, by watchlist; the rest is for the next one."""
    told = len(entries)
    while True:
        html = _merged(entries[:told], len(entries) - told, zone)
        full = fill(html)
        if full <= 1 or told == 1:
            return Merged(html, told)
        told = max(1, min(told - 1, int(told / full)))


def fill(html: str) -> float:
    """How much of a message this takes; above 1 it does not fit. REPEAT may come on top."""
    html = f"{repeat()}{html}"
    return max(length(html) / MESSAGE_LIMIT, html.count("</") / ENTITY_LIMIT)


def repeat() -> str:
    return f"{say(REPEAT)}\n"


def _merged(entries: Sequence[Entry], more: int, zone: tzinfo) -> str:
    first = leads(entries)
    room = next(limit for least, limit in MERGED_EXCERPTS if len(first) >= least)
    copies = Counter(map(_story, entries))
    lists: dict[str, list[str]] = {}
    for entry in first:
        line = _merged_line(entry, copies[_story(entry)] - 1, zone, room)
        lists.setdefault(entry.findings[0].watchlist, []).append(line)
    parts = []
    for name, lines in lists.items():
        hits = say_number(
            "🔎 <b>{n} hit in {watchlist}</b>",
            "🔎 <b>{n} hits in {watchlist}</b>",
            len(lines),
            watchlist=one_line(name),
        )
        parts.append("\n".join([hits, *lines]))
    if more:
        parts.append(say("… {number} more in the next message", number=more))
    return "\n\n".join(parts)


def _merged_line(entry: Entry, copies: int, zone: tzinfo, room: int) -> str:
    link = post_link(entry.channel, entry.post.message_id)
    when = _clock(entry.post.published_at, zone)
    if room:
        said = plain(excerpt(entry.post, entry.findings, room, marks=1))
        said = one_line(said, 2 * room) or say("(no text)")
    else:
        words = dict.fromkeys(word for f in entry.findings for word in f.hit.matched)
        said = one_line(", ".join(words) or entry.findings[0].term, 16)
    name = one_line(entry.channel.title, 40 if room else 16) or "?"
    more = f" (+{copies})" if copies else ""
    return f'• <a href="{link}">{when}</a> {name}: {said}{more}'


def _touched(findings: Sequence[Finding]) -> list[str]:
    """A line a watchlist, with its terms."""
    lists: dict[str, list[str]] = {}
    for finding in findings:
        lists.setdefault(finding.watchlist, []).append(_term(finding))
    lines = [f"🔎 <b>{one_line(name)}</b>: {_some(terms)}" for name, terms in lists.items()]
    more = len(lines) - LISTS_LIMIT
    rest = say_number("… and {n} more watchlist", "… and {n} more watchlists", more)
    return lines[:LISTS_LIMIT] + ([rest] if more > 0 else [])


def _term(finding: Finding) -> str:
    """A term by its name; of a long rule, which nobody reads at night, what it found."""
    if len(finding.term) <= RULE_LIMIT or not finding.hit.matched:
        return one_line(finding.term, TERM_LIMIT)
    words = dict.fromkeys(word.casefold() for word in finding.hit.matched)
    return f"«{one_line(' … '.join(words), TERM_LIMIT)}»"


def _some(terms: Sequence[str]) -> str:
    shown: list[str] = []
    for term in terms:
        if shown and length(", ".join([*shown, term])) > TERMS_LIMIT:
            return say(
                "{some} and {number} more", some=", ".join(shown), number=len(terms) - len(shown)
            )
        shown.append(term)
    return ", ".join(shown)


def _elsewhere(findings: Iterable[Finding]) -> list[str]:
    """Matches outside of the shown text: in a link, a poll, a file name …"""
    found = {(e.kind, e.matched) for finding in findings for e in finding.hit.elsewhere}
    lines = [f"{in_its(kind)}: <b>{one_line(matched)}</b>" for kind, matched in sorted(found)]
    return lines[:ELSEWHERE_LIMIT]


def in_its(kind: str) -> str:
    """Where in a post, besides its text; `kind` is that of an extra."""
    return say(IN_ITS[kind]) if kind in IN_ITS else say("in its {kind}", kind=kind)


IN_ITS = {
    "link": Said("in its link"),
    "quote": Said("in its quote"),
    "poll": Said("in its poll"),
    "list": Said("in its list"),
    "file": Said("in its file"),
    "button": Said("in its button"),
    "preview": Said("in its preview"),
}


def post_line(entry: Entry, zone: tzinfo) -> str:
    """A post as a line of a list: when, where, what, its matched words marked."""
    said = " ".join(excerpt(entry.post, entry.findings, LIST_EXCERPT, marks=3).split())
    when = time_short(entry.post.published_at, zone)
    link = post_link(entry.channel, entry.post.message_id)
    return f'• <a href="{link}">{when}</a> {title(entry.channel)}: {said or say("(no text)")}'


def excerpt(post: Post, findings: Iterable[Finding], limit: int, marks: int = MARKS_LIMIT) -> str:
    """The post's text, marked; when long, the parts around its hits, cut at edges of words."""
    spans = _apart(span for finding in findings for span in finding.hit.spans)[:marks]
    windows = _windows(post.text, spans, limit)
    parts = [_marked(post.text, window, spans) for window in windows]
    html = " … ".join(part for part in parts if part)
    if windows and windows[0].start > 0:
        html = f"…{html}"
    if windows and windows[-1].end < len(post.text):
        html = f"{html}…"
    return _BLANK_LINES.sub("\n\n", html)


def _apart(spans: Iterable[Span]) -> list[Span]:
    """Ascending, and of those that overlap one that covers them."""
    apart: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        if apart and span.start < apart[-1].end:
            apart[-1] = Span(apart[-1].start, max(apart[-1].end, span.end))
        else:
            apart.append(span)
    return apart


def _windows(text: str, spans: Sequence[Span], limit: int) -> list[Span]:
    """Parts of the text to show: the beginning, or stretches around the first hits."""
    if len(text) <= limit:
        return [Span(0, len(text))]
    if not spans or spans[-1].end <= limit * 3 // 4:
        return [Span(0, _edge_before(text, limit))]
    shown = spans[: max(1, limit // 150)]
    longest = limit // len(shown) // 2
    around = (limit - sum(min(s.end - s.start, longest) for s in shown)) // len(shown) // 2
    windows: list[Span] = []
    for span in shown:
        end = min(span.end, span.start + longest)
        window = Span(
            _edge_after(text, max(0, span.start - around), span.start),
            max(end, _edge_before(text, min(len(text), end + around))),
        )
        if windows and window.start <= windows[-1].end + 3:
            windows[-1] = Span(windows[-1].start, max(windows[-1].end, window.end))
        else:
            windows.append(window)
    return windows


def _edge_before(text: str, at: int) -> int:
    """The end of the last whole word before `at`, unless that is far away."""
    if at >= len(text):
        return len(text)
    for edge in range(at, max(at - 40, 0), -1):
        if _EDGE.match(text[edge]):
            return edge
    return at


def _edge_after(text: str, at: int, limit: int) -> int:
    """The beginning of the first whole word from `at` on, unless that is beyond `limit`."""
    if at == 0:
        return 0
    for edge in range(at, min(at + 40, limit)):
        if _EDGE.match(text[edge]):
            return edge + 1
    return at


def _marked(text: str, window: Span, spans: Iterable[Span]) -> str:
    inside = [
        Span(max(s.start, window.start), min(s.end, window.end))
        for s in spans
        if s.start < window.end and s.end > window.start
    ]
    edges = [window.start, *(at for s in inside for at in (s.start, s.end)), window.end]
    out = []
    for number, (start, end) in enumerate(pairwise(edges)):
        piece = safe(text[start:end])
        out.append(f"<b>{piece}</b>" if number % 2 and piece.strip() else piece)
    return "".join(out).strip()


def safe(text: str) -> str:
    """Text from outside, fit to stand in a message."""
    return escape(_HOSTILE.sub("", text), quote=False)


def one_line(text: str, limit: int = LINE_LIMIT) -> str:
    """Text from outside as part of one line, of bounded length."""
    flat = " ".join(_HOSTILE.sub(" ", text).split())
    return escape(cut(flat, limit), quote=False)


def title(channel: Channel) -> str:
    return one_line(channel.title) or say("a channel without a name")


def channel_name(channel: Channel) -> str:
    """A channel as a line of a list names it."""
    name = f" (@{channel.username})" if channel.username else ""
    return f"<b>{title(channel)}</b>{name}"


def time_shown(moment: datetime, zone: tzinfo) -> str:
    return f"{time_short(moment, zone)} {moment.astimezone(zone).tzname()}"


def date_shown(moment: datetime, zone: tzinfo) -> str:
    local = moment.astimezone(zone)
    return f"{local.day} {speech.month(local.month)} {local.year}"


def time_short(moment: datetime, zone: tzinfo) -> str:
    local = moment.astimezone(zone)
    return f"{local.day} {speech.month(local.month)} {local:%H:%M}"


def post_link(channel: Channel, message_id: int) -> str:
    """Where the post can be read; without an @name only members can follow it."""
    return f"https://t.me/{channel.username or f'c/{channel.id}'}/{message_id}"


def coverage(ledgers: Sequence[Ledger], rhythms: Mapping[int, Rhythm], now: datetime) -> str:
    """How complete what is told is: «38 of 40 channels complete, 2 gaps repaired, …»"""
    if not ledgers:
        return ""
    complete = sum(
        ledger.trouble is None and ledger.looked_at is not None and now - ledger.looked_at < FRESH
        for ledger in ledgers
    )
    parts = [say("{complete} of {all} channels complete", complete=complete, all=len(ledgers))]
    if repaired := sum(ledger.repaired for ledger in ledgers):
        parts.append(say_number("{n} gap repaired", "{n} gaps repaired", repaired))
    for ledger in [ledger for ledger in ledgers if ledger.silent][:SILENT_LIMIT]:
        rhythm = rhythms[ledger.channel.id]
        name = f"@{ledger.channel.username}" if ledger.channel.username else title(ledger.channel)
        parts.append(
            say(
                "{channel} silent for {quiet}, usually {usual}",
                channel=name,
                quiet=say(duration(rhythm.last)),
                usual=say(duration(rhythm.usual or 0)),
            )
        )
    return f"<i>{', '.join(parts)}</i>"


def pages(lines: Iterable[str]) -> list[str]:
    """Lines as few messages; no line is cut."""
    found: list[str] = []
    for line in lines:
        if found and length(f"{found[-1]}\n{line}") <= MESSAGE_LIMIT:
            found[-1] += f"\n{line}"
        else:
            found.append(line)
    return found


def length(html: str) -> int:
    """How long Telegram finds a message: UTF-16 units of what is shown."""
    return len(plain(html).encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """No longer than that many UTF-16 units."""
    units = text.encode("utf-16-le")
    if len(units) <= 2 * limit:
        return text
    return units[: 2 * (limit - 1)].decode("utf-16-le", "ignore") + "…"


def plain(html: str) -> str:
    """The same message without markup, for when Telegram refuses the markup."""
    return unescape(_TAG.sub("", html))
