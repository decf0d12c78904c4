"""What does a text say, whatever its capitals, dots and invisible characters, and where?

Folding is one to one: the folded character at place i stands for the original one at place i. Every letter of the
five languages fits into one byte, so a text is folded by encoding it into a private 8-bit alphabet and decoding it
with another table: two passes in C (2 µs for a post of 350 characters; 25 chained replaces take 5).
Only what must vanish (stress marks, zero-width characters) shifts places; `Reading` remembers by how much.
"""

import codecs
import re
import unicodedata
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from storage.model import Span

FOREIGN = "\x7f"  # a letter of no alphabet of ours; the original has to be compared instead
_VANISHES = "\0"

_CYRILLIC = "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіўєїґѐѝ"
_LATIN = "abcdefghijklmnopqrstuvwxyząćęłńóśźżčšžŭ"
_APOSTROPHES = "'’ʼ`´‘′"
_HYPHENS = "-‐‑‒–—−"
_JOINERS = "._*|·•"  # what people put between the letters of a word to hide it
_BLANKS = ' \n\t\r\xa0,!?:;"()«»„“”…#/\\+=%&№[]{}<>~^$€₽'
_FOLDED_OTHERWISE = {"ё": "е", "ў": "у", "ґ": "г", "ѐ": "е", "ѝ": "и"}

# Letters outside the alphabet that are drawn like one inside it.
_DRAWN_ALIKE = dict(
    zip(
        "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαβεικνορτυχϲϳѕјһԁԛԝӏıɑɡ",
        "ABEZHIKMNOPTYXaBeikvopTuxcjsjhdqwliag",
        strict=True,
    )
)


def _tables() -> tuple[str, str]:
    """The alphabet (byte → character) and what each of its characters is folded to."""
    folded = {_VANISHES: _VANISHES, FOREIGN: FOREIGN, "@": "@"}
    for letter in _CYRILLIC + _LATIN:
        folded[letter] = folded[letter.upper()] = _FOLDED_OTHERWISE.get(letter, letter)
    folded |= {digit: digit for digit in "0123456789"}
    for characters, to in ((_APOSTROPHES, "'"), (_HYPHENS, "-"), (_JOINERS, "."), (_BLANKS, " ")):
        folded |= dict.fromkeys(characters, to)
    unused = "\ufffe" * (256 - len(folded))
    return "".join(folded) + unused, "".join(folded.values()) + unused


_ALPHABET, _FOLDED = _tables()
_BYTE = {character: bytes([i]) for i, character in enumerate(_ALPHABET) if character != "\ufffe"}
_ENCODING = codecs.charmap_build(_ALPHABET)


@lru_cache(maxsize=4096)
def _other(character: str) -> bytes:
    """The byte for a character outside the alphabet."""
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return _BYTE[_VANISHES]
    bare = "".join(
        c for c in unicodedata.normalize("NFKD", character) if not unicodedata.combining(c)
    )
    bare = _DRAWN_ALIKE.get(bare, bare)
    if len(bare) == 1 and bare.isalnum() and bare in _BYTE:
        return _BYTE[bare]
    return _BYTE[FOREIGN if character.isalnum() else " "]


def _others(error: UnicodeError) -> tuple[bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    found = error.object[error.start : error.end]
    encoded = b"".join(map(_other, found))
    if encoded[0]:  # joiners and selectors inside an emoji hide nothing
        encoded = encoded.replace(_BYTE[_VANISHES], _BYTE[" "])
    return encoded, error.end


# charmap_encode knows its error handlers by name only; the name is ours.
codecs.register_error("watchers.text", _others)


def fold(text: str) -> str:
    """The text as it is compared, of the same length: small letters, е for ё, one apostrophe, one hyphen."""
    encoded, _ = codecs.charmap_encode(text, "watchers.text", _ENCODING)
    return codecs.charmap_decode(encoded, "strict", _FOLDED)[0]


@dataclass(frozen=True, slots=True)
class Reading:
    """A folded text between two blanks, and where its characters stood in the original."""

    folded: str
    places: tuple[int, ...] = (0,)  # ascending places in `folded` from which on …
    shifts: tuple[int, ...] = (-1,)  # … the original place is that much further
    disguised: bool = False  # made by undoing an evasive spelling

    def origin(self, place: int) -> int:
        return place + self.shifts[bisect_right(self.places, place) - 1]

    def span(self, start: int, end: int, text: str) -> Span:
        """The span of text[start:end] of the folded text, without what vanished at its end."""
        first, last = self.origin(start), min(self.origin(end), len(text))
        while last > first + 1 and text[last - 1] in _ZERO_WIDTH:
            last -= 1
        return Span(first, last)


_ZERO_WIDTH = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff\u180e"
_VANISHING = (
    r"\x00\u00ad\u0300-\u036f\u0483-\u0489\u061c\u180b-\u180e\u1ab0-\u1aff\u1dc0-\u1dff\u200b-\u200f"
    r"\u202a-\u202e\u2060-\u206f\u20d0-\u20ff\ufe00-\ufe0f\ufe20-\ufe2f\ufeff\U000e0000-\U000e0fff"
)
_MARKED = re.compile(f"([^{_VANISHING}]?)([{_VANISHING}]+)", re.DOTALL)
_SELECTOR_INSIDE = re.compile(r"\w\ufe0f\w")


def read(text: str) -> Reading:
    folded = fold(text)
    if _VANISHES in folded or ("\ufe0f" in text and _SELECTOR_INSIDE.search(text)):
        return _without_marks(text)
    return Reading(padded(folded))


def padded(folded: str) -> str:
    """Between blanks, so that every token is; apostrophes and dots at the end of a word are blanks too."""
    folded = f" {folded} ".replace(". ", "  ")
    if "'" in folded:
        folded = folded.replace(" '", "  ").replace("' ", "  ")
    return folded


def _without_marks(text: str) -> Reading:
    pieces, cuts = [], [(0, -1)]
    done = length = 0
    for match in _MARKED.finditer(text):
        letter = _letter(match[1], match[2])
        pieces += [text[done : match.start()], letter]
        length += match.start() - done + len(letter)
        done = match.end()
        cuts.append((length + 1, done - length - 1))
    pieces.append(text[done:])
    places, shifts = zip(*cuts, strict=True)
    folded = padded(fold("".join(pieces)).replace(_VANISHES, " "))
    return Reading(folded, places, shifts)


def _letter(letter: str, marks: str) -> str:
    """One letter and the marks upon it, as the one letter that is meant: и and a breve are й."""
    composed = unicodedata.normalize("NFC", letter + marks)
    return composed[:1] if letter else ""


def spaced(text: str, before: list[int]) -> Reading:
    """A reading with a blank put before each of these places (ascending)."""
    pieces = [text[a:b] for a, b in zip([0, *before], [*before, len(text)], strict=True)]
    starts = accumulate((len(piece) + 1 for piece in pieces[:-1]), initial=1)
    return Reading(
        padded(fold(" ".join(pieces)).replace(_VANISHES, " ")),
        tuple(starts),
        tuple(-1 - i for i in range(len(pieces))),
    )
