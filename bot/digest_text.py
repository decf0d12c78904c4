"""How does a digest look in Telegram? PURE.

A picture with a caption, then the stories in one message: what does not fit into it is in the file.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta, tzinfo

from bot import render, speech
from bot.speech import say, say_number
from storage.model import Entry, Finding, Period, Post, Span
from watchers.editions import Edition, Section, Seen

CAPTION_LIMIT = 1024  # UTF-16 units, counted without the tags
EXCERPTS = (260, 160, 100)  # characters of a story, the longest that fits
OPEN = 3  # stories of a watchlist that stand open; the others unfold at a tap
MOST = 40  # stories of a watchlist that one message can hold
NAME_LIMIT = 32  # UTF-16 units of a name in the head
ENOUGH = 70  # characters that say something by themselves

_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+")


@dataclass(frozen=True, slots=True)
class Text:
    html: str
    told: tuple[Entry, ...]  # the stories it holds
    complete: bool


def text(edition: Edition, zone: tzinfo, coverage: str = "", *, charted: bool = False) -> Text:
    """As many stories as one message holds, of each watchlist its heaviest.

    `charted`: a picture goes before it, whose caption has said what stands above the stories.
    """
    if not edition.sections:
        return Text(_empty(edition, zone, coverage), (), True)
    above = [head(edition, zone), *_entities(edition.entities)]
    if charted:
        when = period_shown(edition.period, zone, whole=edition.asked)
        above = [say("📋 <b>Stories</b> · {period}", period=when)]
    below = "" if charted else coverage
    for limit in EXCERPTS:
        found = _fitting(edition, zone, above, below, limit, MOST, len(edition.sections))
        if found and found.complete:
            return found
    for sections, each, limit in _fewer(len(edition.sections)):
        if found := _fitting(edition, zone, above, below, limit, each, sections):
            return found
    raise AssertionError("one story fits")


def _fewer(sections: int) -> Iterator[tuple[int, int, int]]:
    """What to try when not all fits: how many watchlists, stories of each, characters of a story.

    Three stories of each in some words, rather than one in many.
    """
    yield from ((sections, each, EXCERPTS[1]) for each in range(MOST, OPEN - 1, -1))
    yield from ((sections, each, EXCERPTS[2]) for each in range(OPEN, 0, -1))
    yield from ((fewer, 1, EXCERPTS[2]) for fewer in range(sections - 1, 0, -1))


def _fitting(
    edition: Edition,
    zone: tzinfo,
    above: Sequence[str],
    below: str,
    limit: int,
    each: int,
    sections: int,
) -> Text | None:
    """The message with so many stories of so many watchlists; None when it is too long."""
    shown = [(one, one.stories[:each]) for one in edition.sections[:sections]]
    told = tuple(entry for _, stories in shown for entry in stories)
    if len(told) * 2 > render.ENTITY_LIMIT:
        return None
    parts = ["\n".join(above)]
    parts += [_section(one, stories, edition, zone, limit) for one, stories in shown]
    if more := edition.stories - len(told):
        parts.append(
            say_number(
                "… {n} more story in the file below", "… {n} more stories in the file below", more
            )
        )
    if below:
        parts.append(below)
    html = "\n\n".join(parts)
    if render.fill(html) > 1:
        return None
    return Text(html, told, not more)


def _section(
    section: Section, stories: Sequence[Entry], edition: Edition, zone: tzinfo, limit: int
) -> str:
    number = stories_counted(len(section.stories) + len(section.brief))
    lines = [f"<b>{render.one_line(section.watchlist)}</b> · {number}"]
    dated = _spans_days(edition.period, zone)
    said = [_story(entry, zone, limit, dated) for entry in stories]
    if len(said) <= OPEN + 1:
        return "\n".join([*lines, *said])
    folded = "\n".join(said[OPEN:])
    return "\n".join([*lines, *said[:OPEN], f"<blockquote expandable>{folded}</blockquote>"])


def _story(entry: Entry, zone: tzinfo, limit: int, dated: bool) -> str:
    link = render.post_link(entry.channel, entry.post.message_id)
    at = entry.post.published_at
    when = render.time_short(at, zone) if dated else f"{at.astimezone(zone):%H:%M}"
    said = " ".join(best_excerpt(entry, limit, marks=2).split()) or say("(no text)")
    return (
        f'• <a href="{link}">{when}</a> {render.title(entry.channel)}: {said}{others(entry, zone)}'
    )


def others(entry: Entry, zone: tzinfo) -> str:
    """« +5 others»; « +5 others, since 20 Nov 14:02 @first» of a story that began before."""
    if not entry.also:
        return ""
    number = say_number("+{n} other", "+{n} others", len(entry.also))
    first = entry.also[0]
    if first.published_at >= entry.post.published_at:
        return f" {number}"
    since = render.time_short(first.published_at, zone)
    channel = render.channel_at(first.channel)
    return " " + say("{others}, since {when} {channel}", others=number, when=since, channel=channel)


def best_excerpt(entry: Entry, limit: int, *, marks: int) -> str:
    """The post's best line, with the terms marked; with what follows when it is short."""
    post, findings = _best_line(entry, limit)
    return render.excerpt(post, findings, limit, marks=marks)


def _best_line(entry: Entry, limit: int) -> tuple[Post, Sequence[Finding]]:
    body = entry.post.text
    if len(body) <= limit:
        return entry.post, entry.findings
    spans = [span for finding in entry.findings for span in finding.hit.spans]
    lines = _lines(body)
    best = max(
        range(len(lines)),
        key=lambda n: (len({s.start for s in spans if _within(s, lines[n])}), -n),
    )
    start, last = lines[best].start, best
    while lines[last].end - start < ENOUGH and last + 1 < len(lines):
        last += 1
    line = Span(start, lines[last].end)
    findings = [
        replace(finding, hit=replace(finding.hit, spans=tuple(_moved(finding.hit.spans, line))))
        for finding in entry.findings
    ]
    return replace(entry.post, text=body[line.start : line.end]), findings


def _lines(body: str) -> list[Span]:
    """Its sentences and lines."""
    edges = [0]
    for gap in _SENTENCE.finditer(body):
        edges += [gap.start(), gap.end()]
    edges.append(len(body))
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [Span(start, end) for start, end in pairs if end > start] or [Span(0, len(body))]


def _within(span: Span, line: Span) -> bool:
    return line.start <= span.start < line.end


def _moved(spans: Iterable[Span], line: Span) -> Iterable[Span]:
    for span in spans:
        if _within(span, line):
            yield Span(span.start - line.start, min(span.end, line.end) - line.start)


def caption(edition: Edition, zone: tzinfo, coverage: str = "") -> str:
    """What stands under the picture: how much there is, and what is more than usual."""
    parts = [head(edition, zone), *_entities(edition.entities), coverage]
    parts = [part for part in parts if part]
    while render.length(render.repeat() + "\n".join(parts)) > CAPTION_LIMIT:
        parts.pop(1)
    return "\n".join(parts)


def head(edition: Edition, zone: tzinfo) -> str:
    amount = say_number("{n} post", "{n} posts", edition.posts)
    if edition.posts > 1:
        amount = say(
            "{stories} in {posts} of {channels}",
            stories=stories_counted(edition.stories),
            posts=amount,
            channels=say_number("{n} channel", "{n} channels", edition.channels),
        )
    when = period_shown(edition.period, zone, whole=edition.asked)
    if edition.reason:
        why = render.one_line(say(edition.reason), 400)
        return f"{say('📈 <b>Unusual activity</b>')}\n{why}\n{amount} · {when}"
    return f"{say('📋 <b>Digest</b>')} · {amount} · {when}"


def stories_counted(number: int) -> str:
    return say_number("{n} story", "{n} stories", number)


def _entities(seen: Sequence[Seen]) -> list[str]:
    """«Baranavichy 14, usually 3 · …»"""
    said = []
    for one in seen:
        times = f"{render.one_line(one.name, NAME_LIMIT)} <b>{one.times}</b>"
        if one.usual is not None:
            times = say("{times}, usually {usual}", times=times, usual=speech.decimal(one.usual))
        said.append(times)
    return [f"📍 {' · '.join(said)}"] if said else []


def _empty(edition: Edition, zone: tzinfo, coverage: str) -> str:
    if edition.asked:
        nothing = say("📋 Nothing found · {period}", period=period_shown(edition.period, zone))
    else:
        when = render.time_shown(edition.period.end, zone)
        nothing = say("📋 Nothing new since the last digest · {when}", when=when)
    return f"{nothing}\n{coverage}".rstrip()


def period_shown(period: Period, zone: tzinfo, *, whole: bool = True) -> str:
    """«21 Nov», «16 – 22 Nov», «21 Nov 18:00 – 22 Nov 06:00 CET»; `whole`: days may be named alone."""
    start, end = (at.astimezone(zone) for at in period)
    if whole and start.time() == end.time() == time() and end > start:
        last = end - timedelta(hours=1)
        if last.date() <= start.date():
            return _day(start)
        if (start.year, start.month) == (last.year, last.month):
            return f"{start.day} – {_day(last)}"
        return f"{_day(start)} – {_day(last)}"
    if start.date() == end.date():
        until = f"{end:%H:%M} {end.tzname()}"
        return (
            f"{render.time_short(period.start, zone)} – {until}"
            if end > start
            else (render.time_shown(period.start, zone))
        )
    return f"{render.time_short(period.start, zone)} – {render.time_shown(period.end, zone)}"


def _day(local: datetime) -> str:
    return f"{local.day} {speech.month(local.month)}"


def _spans_days(period: Period, zone: tzinfo) -> bool:
    start, end = (at.astimezone(zone) for at in period)
    return (end - timedelta(seconds=1)).date() > start.date()
