"""What does a text say, whatever its capitals, dots and invisible characters, and where?

Folding is one to one: the folded character at place i stands for the original one at place i. Only what must vanish
(stress marks, zero-width characters) and other readings of a text shift places; `Reading` remembers by how much.
"""

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from storage.model import Span
from watchers.alphabet import VANISHING_BYTE, decoded, encoded


def fold(text: str) -> str:
    """The text as it is compared, of the same length."""
    return decoded(encoded(text))


def letters_of(text: str) -> bytes | None:
    """The folded text between two blanks, a byte for a character; None when places shift: `read` it then."""
    letters = encoded(text)
    if VANISHING_BYTE in letters or ("\ufe0f" in text and _SELECTOR_INSIDE.search(text)):
        return None
    return _padded(letters)


def _padded(letters: bytes) -> bytes:
    """Between blanks, so that every token is; apostrophes and dots at the end of a word are blanks too."""
    letters = (b" %b " % letters).replace(b". ", b"  ")
    if b"'" in letters:
        letters = letters.replace(b" '", b"  ").replace(b"' ", b"  ")
    return letters


class Reading(NamedTuple):
    """A folded text between two blanks, and where its characters stood in the original."""

    folded: str
    places: tuple[int, ...] = (0,)  # ascending places in `folded` from which on …
    shifts: tuple[int, ...] = (-1,)  # … the original place is that much further

    def origin(self, place: int) -> int:
        return place + self.shifts[bisect_right(self.places, place) - 1]

    def span(self, start: int, end: int, text: str) -> Span:
        """The span of folded[start:end] in the text, without what vanished at its end."""
        first, last = self.origin(start), min(self.origin(end), len(text))
        while last > first + 1 and text[last - 1] in _ZERO_WIDTH:
            last -= 1
        return Span(first, last)


class Edit(NamedTuple):
    """text[start:end] is read as something else."""

    start: int
    end: int
    instead: str


_ZERO_WIDTH = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u180e"
_VANISHING = (
    r"\x00\u00ad\u0300-\u036f\u0483-\u0489\u061c\u180b-\u180e\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f"
    r"\u202a-\u202e\u2060-\u206f\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\ufeff\U000e0000-\U000e0fff"
)
_MARKED = re.compile(f"([^{_VANISHING}]?)([{_VANISHING}]+)", re.DOTALL)
_SELECTOR_INSIDE = re.compile(r"\w\ufe0f\w")
# Marks that no alphabet of ours uses, neither for a letter nor for stress: somebody is hiding a word.
_SCRAWL = re.compile(
    r"[\u0302\u0303\u0305\u0309-\u030b\u030d-\u0326\u0329-\u036f\u0488\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]"
    r"|[\u0300-\u036f]{3}|[\u0300-\u036f]\w?[\u0300-\u036f]\w?[\u0300-\u036f]"
)
_DECOMPOSED_POLISH = re.compile("[aeAE]\u0328|[csnzCSNZ]\u0301|[zZ]\u0307")
_WORD_LONG = 15


def read(text: str) -> Reading:
    letters = letters_of(text)
    return _without_marks(text) if letters is None else Reading(decoded(letters))


def is_scrawled(text: str) -> bool:
    return _SCRAWL.search(text) is not None


def _without_marks(text: str) -> Reading:
    scrawled, polish = is_scrawled(text), _DECOMPOSED_POLISH.search(text) is not None
    edits = []
    for match in _MARKED.finditer(text):
        around = text[max(match.start() - _WORD_LONG, 0) : match.end() + _WORD_LONG]
        bare = scrawled and is_scrawled(around)
        edits.append(
            Edit(*match.span(), match[1] if bare else _letter(*match.groups(), polish=polish))
        )
    return edited(text, edits)


def _letter(letter: str, marks: str, *, polish: bool) -> str:
    """One letter and the marks upon it, as the one letter that is meant: и and a breve are й."""
    if letter in "oO" and not polish:
        return letter  # stressed; in a text that is decomposed as a whole it were ó
    return unicodedata.normalize("NFC", letter + marks)[:1] if letter else ""


def edited(text: str, edits: Iterable[Edit]) -> Reading:
    """A reading of the text with these changes made (ascending); each at most as long as what it replaces, or a
    blank put in."""
    pieces, cuts = [], [(0, -1)]
    done = length = 0
    for start, end, instead in edits:
        pieces += [text[done:start], instead]
        length += start - done + len(instead)
        done = end
        cuts.append((length + 1, done - length - 1))
    pieces.append(text[done:])
    places, shifts = zip(*cuts, strict=True)
    letters = encoded("".join(pieces)).replace(VANISHING_BYTE, b" ")
    return Reading(decoded(_padded(letters)), places, shifts)


_TAG = re.compile(r"#\w*[^\W\d_]\w*")
_BROKEN_WORD = re.compile(r"(?<=[^\W\d_])-\n\s*(?=[^\W\d_])")


def other_readings(text: str) -> list[Reading]:
    """#CamelCase apart, words broken at the end of a line together. None for nearly every text."""
    edits = []
    if "#" in text:
        for tag in _TAG.finditer(text):
            edits += [Edit(place, place, " ") for place in _humps(text, *tag.span())]
    if "-\n" in text:
        edits += [Edit(*broken.span(), "") for broken in _BROKEN_WORD.finditer(text)]
    return [edited(text, sorted(edits))] if edits else []


def _humps(text: str, start: int, end: int) -> list[int]:
    """Where a #CamelCase word has its humps, and where letters turn to digits."""
    return [
        i
        for i in range(start + 2, end)
        if (text[i].isupper() and text[i - 1].islower())
        or (text[i].isupper() and text[i - 1].isupper() and text[i + 1 : i + 2].islower())
        or (text[i].isdigit() and text[i - 1].isalpha())
    ]
