"""How do records stand in an HTML page? PURE. It needs nothing but itself, and asks nobody anything."""

import re
from collections.abc import Iterable, Sequence
from html import escape

from bot.export_formats import digest, forward_link, utc
from bot.render import post_link
from storage.model import Record, RecordedHit, Span, Version

_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_STYLE = """
:root { color-scheme: light dark; font: 16px/1.45 system-ui, sans-serif }
body { max-width: 50rem; margin: 0 auto; padding: 1rem }
article { border-top: 1px solid #8886; padding: 1rem 0; overflow-wrap: anywhere }
h1 { font-size: 1.3rem } h2 { font-size: 1rem; margin: 0 }
p { margin: .3rem 0 } .small { font-size: .8rem; opacity: .75 }
.text { white-space: pre-wrap; margin: .6rem 0 }
mark { background: #ffd54a; color: #000 } code { font-size: .75rem }
"""
# No scripts, pictures, fonts or frames, from anywhere, whatever a post says.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


class Html:
    """An article a post: the present text with its matched words marked, older ones folded below."""

    suffix = "html"

    def __init__(self, title: str) -> None:
        self._title = _shown(title)

    def head(self) -> str:
        return f"""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{self._title}</title><style>{_STYLE}</style></head><body>
<h1>{self._title}</h1>
<p class="small">Times are UTC. The SHA-256 is that of each text in UTF-8.</p>
"""

    def record(self, record: Record) -> str:
        *older, present = record.versions
        spans = [span for recorded in record.hits for span in recorded.hit.spans]
        name = record.channel.title or record.channel.username or str(record.channel.id)
        link = escape(post_link(record.channel, record.post.message_id))
        parts = [
            f'<article id="p{record.post.channel_id}-{record.post.message_id}">',
            f"<h2><bdi>{_shown(name)}</bdi> · {_time(utc(record.post.published_at))}</h2>",
            f'<p class="small"><a href="{link}" rel="noreferrer noopener">{link}</a></p>',
            *_fate(record),
            *_hits(record.hits),
            _text(present, spans),
            *_versions(older),
            "</article>\n",
        ]
        return "\n".join(parts)

    def foot(self) -> str:
        return "</body></html>\n"


def _fate(record: Record) -> Iterable[str]:
    post = record.post
    if forward := post.forward:
        first = _shown(
            forward.channel or (f"channel {forward.channel_id}" if forward.channel_id else "?")
        )
        link = escape(forward_link(forward) or "")
        when = f" · {_time(utc(forward.published_at))}" if forward.published_at else ""
        where = f' · <a href="{link}" rel="noreferrer noopener">{link}</a>' if link else ""
        yield f'<p class="small">Forwarded from <bdi>{first}</bdi>{when}{where}</p>'
    if post.edited_at:
        known = post.edited_at > post.published_at
        yield f'<p class="small">Edited{f" {_time(utc(post.edited_at))}" if known else ""}</p>'
    if record.deleted_at:
        yield f'<p class="small">Deleted, seen {_time(utc(record.deleted_at))}</p>'


def _hits(hits: Sequence[RecordedHit]) -> Iterable[str]:
    for recorded in hits:
        hit = recorded.hit
        words = [*hit.matched, *(f"{e.matched} ({e.kind})" for e in hit.elsewhere)]
        found = f": {_shown(', '.join(words))}" if words else " (in an older text)"
        sure = ", disguised" if hit.disguised else ""
        yield (
            f'<p class="small"><b>{_shown(recorded.watchlist)}</b> · '
            f"<bdi>{_shown(recorded.term)}</bdi><bdi>{found}</bdi>{sure}</p>"
        )


def _text(version: Version, spans: Sequence[Span] = ()) -> str:
    extras = "".join(
        f'<p class="small">{_shown(extra.kind)}: <bdi>{_shown(extra.text)}</bdi></p>'
        for extra in version.extras
    )
    return (
        f'<div class="text" dir="auto">{_marked(version.text, spans)}</div>{extras}'
        f'<p><code class="sha256">{digest(version.text)}</code></p>'
    )


def _versions(older: Sequence[Version]) -> Iterable[str]:
    for version in reversed(older):
        when = f"From {_time(utc(version.since))} to {_time(utc(version.replaced_at))}"
        yield f"<details><summary>{when} it said</summary>{_text(version)}</details>"


def _marked(text: str, spans: Sequence[Span]) -> str:
    pieces, at = [], 0
    for span in sorted(spans, key=lambda span: span.start):
        start, end = max(span.start, at), min(span.end, len(text))
        if start < end:
            pieces += [_shown(text[at:start]), f"<mark>{_shown(text[start:end])}</mark>"]
            at = end
    return "".join([*pieces, _shown(text[at:])])


def _shown(text: str) -> str:
    """Escaped; what HTML can't hold is seen as �."""
    return _UNSEEN.sub("\ufffd", escape(text)).replace("\r", "&#13;")


def _time(stamp: str | None) -> str:
    if stamp is None:
        return "?"
    return f'<time datetime="{stamp}">{stamp[:10]} {stamp[11:19]}</time>'
