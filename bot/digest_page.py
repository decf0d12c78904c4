"""How does a complete digest look as a file? PURE.

One HTML file that needs nothing from elsewhere and runs nothing: text from channels is hostile.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator
from datetime import tzinfo
from functools import cache, partial
from html import escape

from bot import digest_text, render, speech
from bot.speech import say, say_number
from storage.model import Entry, Place
from watchers.editions import Edition, Section

EXCERPT = 600  # characters
PLACES = 12  # of one story
MARKS = 12

_STYLE = """
:root { color-scheme: light dark; --ink: #1b2733; --paper: #fff; --faint: #5d6f7e; --line: #dde3e8;
  --link: #1c6fb0; --mark: #fff0b3 }
@media (prefers-color-scheme: dark) { :root { --ink: #e8edf1; --paper: #17212b; --faint: #9fb0bf;
  --line: #2b3a48; --link: #6ab3f3; --mark: #5a4a12 } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 44rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere }
h1 { font-size: 1.3rem } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem } img { width: 100% }
article { border-top: 1px solid var(--line); padding: .7rem 0 } p { margin: .3rem 0 }
b { background: var(--mark); font-weight: 600 } a { color: var(--link); text-decoration: none }
.faint, article footer { color: var(--faint); font-size: .88rem } h1 b, header b { background: none }
li { margin: .1rem 0 }
"""
_SAFE = (
    '<meta http-equiv="Content-Security-Policy" '
    "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">"
)


def page(edition: Edition, zone: tzinfo, coverage: str = "", chart: bytes | None = None) -> bytes:
    """The same as the messages, with every story."""
    when = digest_text.period_shown(edition.period, zone, whole=edition.asked)
    parts = [
        "<!doctype html>",
        f'<html lang="{speech.LANGUAGE.get()}"><head><meta charset="utf-8">{_SAFE}',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(say('Digest · {period}', period=when))}</title><style>{_STYLE}</style></head><body>",
        "<header>",
        *(f"<p>{line}</p>" for line in _head(edition, zone, coverage)),
        "</header>",
    ]
    if chart:
        image = b64encode(chart).decode()
        parts.append(
            f'<img alt="{escape(say("Posts over time"))}" src="data:image/png;base64,{image}">'
        )
    places = _Places(zone)
    for section in edition.sections:
        parts += _section(section, places)
    parts.append("</body></html>")
    # A lone half of a surrogate pair can't be written.
    return "\n".join(parts).encode("utf-8", "replace")


def _head(edition: Edition, zone: tzinfo, coverage: str) -> list[str]:
    return digest_text.caption(edition, zone, coverage).splitlines()


def _section(section: Section, places: "_Places") -> Iterator[str]:
    number = len(section.stories) + len(section.brief)
    yield f"<section><h2>{render.one_line(section.watchlist)} · {number}</h2>"
    for entry in section.stories:
        yield _story(entry, places)
    if section.brief:
        lighter = say_number("and {n} lighter one", "and {n} lighter ones", len(section.brief))
        yield f"<h3>{lighter}</h3><p>"
        yield ", ".join(map(places.link, section.brief))
        yield "</p>"
    yield "</section>"


def _story(entry: Entry, places: "_Places") -> str:
    said = render.excerpt(entry.post, entry.findings, EXCERPT, marks=MARKS).replace("\n", "<br>")
    terms = ", ".join(dict.fromkeys(render.one_line(one.term) for one in entry.findings))
    lead = Place(entry.channel, entry.post.message_id, entry.post.published_at)
    footer = f'<p class="faint">{terms}</p>'
    if entry.also:
        also = say("also in: {places}", places=places.some(entry.also))
        footer += f"<footer>{also}</footer>"
    said = said or say("(no text)")
    return f"<article><p>{places.link(lead)}</p><p>{said}</p>{footer}</article>"


class _Places:
    """Places as links. There are very many: each channel and each minute is put into words once."""

    def __init__(self, zone: tzinfo) -> None:
        self._when = cache(partial(render.time_short, zone=zone))
        self._name = cache(render.title)

    def link(self, place: Place) -> str:
        url = escape(render.post_link(place.channel, place.message_id))
        when = self._when(place.published_at.replace(second=0, microsecond=0))
        return f'<a href="{url}">{when}</a> {self._name(place.channel)}'

    def some(self, also: Iterable[Place]) -> str:
        shown = [self.link(place) for place in also]
        more = f", +{len(shown) - PLACES}" if len(shown) > PLACES else ""
        return ", ".join(shown[:PLACES]) + more
