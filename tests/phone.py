"""How do messages look on a phone? As an SVG picture, in Telegram's colours, 400 points wide."""

import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from functools import cache
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import NamedTuple

import matplotlib
from PIL import ImageFont

WIDTH, MARGIN, PADDING = 400, 8, 10
SIZE, LINE = 15, 21
BOLD = ' font-weight="700"'
FOLDED = 3  # lines of a quote that is not unfolded
FACE = "'Noto Sans', 'DejaVu Sans', Verdana, system-ui, sans-serif"


_PIECE = re.compile(r"\S+ ?| ")


class Colours(NamedTuple):
    wall: str
    bubble: str
    ink: str
    link: str


THEMES = {
    "light": Colours("#dfe8ef", "#ffffff", "#1b2733", "#1c6fb0"),
    "dark": Colours("#0e1621", "#182533", "#f1f4f6", "#6ab3f3"),
}


class Word(NamedTuple):
    text: str
    bold: bool
    link: bool
    quoted: bool


def screen(messages: Sequence[tuple[bytes | None, str]], colours: Colours) -> str:
    """Each message is a picture or none, and its HTML."""
    parts, top = [], MARGIN
    for picture, html in messages:
        drawn, height = _bubble(picture, html, top, colours)
        parts += drawn
        top += height + MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {top}" width="{WIDTH}" '
        f'height="{top}" font-family="{FACE}" font-size="{SIZE}">'
        f'<rect width="{WIDTH}" height="{top}" fill="{colours.wall}"/>{"".join(parts)}</svg>\n'
    )


def _bubble(picture: bytes | None, html: str, top: int, colours: Colours) -> tuple[list[str], int]:
    parts, at = [], top
    wide = WIDTH - 2 * MARGIN
    if picture:
        tall = wide * 520 // 800
        data = b64encode(picture).decode()
        parts.append(
            f'<image x="{MARGIN}" y="{at}" width="{wide}" height="{tall}" '
            f'href="data:image/png;base64,{data}"/>'
        )
        at += tall
    at += PADDING
    for line in _lines(html, wide - 2 * PADDING):
        indent = 10 if line and line[0].quoted else 0
        if indent:
            parts.append(
                f'<rect x="{MARGIN + PADDING}" y="{at}" width="3" height="{LINE}" '
                f'fill="{colours.link}"/>'
            )
        words = "".join(
            f'<tspan fill="{colours.link if word.link else colours.ink}"'
            f"{BOLD if word.bold else ''}>{escape(word.text)}</tspan>"
            for word in line
        )
        x = MARGIN + PADDING + indent
        parts.append(f'<text xml:space="preserve" x="{x}" y="{at + 16}">{words}</text>')
        at += LINE
    at += PADDING
    box = (
        f'<rect x="{MARGIN}" y="{top}" width="{wide}" height="{at - top}" rx="12" '
        f'fill="{colours.bubble}"/>'
    )
    return [box, *parts], at - top


def _lines(html: str, wide: int) -> Iterator[list[Word]]:
    folded = 0
    for paragraph in _paragraphs(html):
        line: list[Word] = []
        for word in paragraph:
            room = wide - (10 if word.quoted else 0)
            if line and _wide([*line, word]) > room:
                folded += line[0].quoted
                if not line[0].quoted or folded <= FOLDED:
                    yield line
                line = []
            line.append(word)
        quoted = bool(line) and line[0].quoted
        folded = folded + 1 if quoted else 0
        if not quoted or folded <= FOLDED:
            yield line


def _paragraphs(html: str) -> list[list[Word]]:
    words = _Words()
    words.feed(html)
    words.close()
    return words.paragraphs


class _Words(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.paragraphs: list[list[Word]] = [[]]
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attributes: object) -> None:
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self._open.remove(tag)

    def handle_data(self, data: str) -> None:
        bold, link, quoted = (tag in self._open for tag in ("b", "a", "blockquote"))
        for number, paragraph in enumerate(data.split("\n")):
            if number:
                self.paragraphs.append([])
            self.paragraphs[-1] += [
                Word(text, bold, link, quoted) for text in _PIECE.findall(paragraph)
            ]


def _wide(words: Sequence[Word]) -> float:
    return sum(_font(word.bold).getlength(word.text) for word in words)


@cache
def _font(bold: bool) -> ImageFont.FreeTypeFont:
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name, SIZE)
