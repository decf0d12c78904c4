"""Which byte stands for a character when texts are compared?

Every letter of the five languages fits into one byte, so a text is folded by encoding it into an 8-bit alphabet of our
own and translating the bytes: two passes in C (2 µs for a post of 350 characters; 25 chained replaces take 5), and
tokens are bytes, quick to cut and to look up. ASCII characters have their usual bytes.
"""

import codecs
import unicodedata
from functools import lru_cache

FOREIGN = "\x7f"  # a letter of no alphabet of ours; the original has to be compared instead
VANISHES = "\0"

_CYRILLIC = "абвгдеёжзийклмнопрстуфхцчшщъыьэюяіўєїґѐѝ"
_LATIN = "abcdefghijklmnopqrstuvwxyząćęłńóśźżčšžŭŝ"
_APOSTROPHES = "'’ʼ`´‘′ʹʺ″"
_HYPHENS = "-‐‑‒–—−"
_JOINERS = "._*|·•"  # what people put between the letters of a word to hide it
_BLANKS = ' \n\t\r\xa0,!?:;"()«»„“”…#/\\+=%&№[]{}<>~^€₽'
_FOLDED_OTHERWISE = {"ё": "е", "ў": "у", "ґ": "г", "ѐ": "е", "ѝ": "и"}

# Letters outside the alphabet that are drawn like one inside it.
_DRAWN_ALIKE = dict(
    zip(
        "ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαβεικνορτυχϲϳѕјһԁԛԝӏıɑɡ",
        "ABEZHIKMNOPTYXaBeikvopTuxcjsjhdqwliag",
        strict=True,
    )
)


def _folded() -> dict[str, str]:
    """What each character of the alphabet is folded to."""
    folded = {VANISHES: VANISHES, FOREIGN: FOREIGN, "@": "@", "$": "$"}
    for letter in _CYRILLIC + _LATIN:
        folded[letter] = folded[letter.upper()] = _FOLDED_OTHERWISE.get(letter, letter)
    folded |= {digit: digit for digit in "0123456789"}
    for characters, to in ((_APOSTROPHES, "'"), (_HYPHENS, "-"), (_JOINERS, "."), (_BLANKS, " ")):
        folded |= dict.fromkeys(characters, to)
    return folded


_FOLDED = _folded()
_UNUSED = "\ufffe"  # what charmap_build takes for: no character


def _alphabet() -> str:
    """256 characters in the order of their bytes. The bytes of other ASCII blanks stay unused: tokens are cut there."""
    others = iter(character for character in _FOLDED if not character.isascii())
    return "".join(
        chr(byte) if chr(byte) in _FOLDED else _UNUSED if byte in b"\v\f" else next(others, _UNUSED)
        for byte in range(256)
    )


_ALPHABET = _alphabet()
_BYTES = {character: bytes([i]) for i, character in enumerate(_ALPHABET) if character != _UNUSED}
_ENCODING = codecs.charmap_build(_ALPHABET)
_TRANSLATION = b"".join(_BYTES[_FOLDED.get(character, " ")] for character in _ALPHABET)
VANISHING_BYTE = _BYTES[VANISHES]


def encoded(text: str) -> bytes:
    """The text folded, a byte for a character: small letters, е for ё, one apostrophe, one hyphen."""
    return codecs.charmap_encode(text, "watchers.alphabet", _ENCODING)[0].translate(_TRANSLATION)


def decoded(folded: bytes) -> str:
    return codecs.charmap_decode(folded, "strict", _ALPHABET)[0]


@lru_cache(maxsize=4096)
def _other(character: str) -> bytes:
    """The byte for a character outside the alphabet."""
    if unicodedata.category(character) in ("Mn", "Me", "Cf"):
        return VANISHING_BYTE
    letters = unicodedata.normalize("NFKD", character)
    bare = "".join(letter for letter in letters if not unicodedata.combining(letter))
    bare = _DRAWN_ALIKE.get(bare, bare)
    if len(bare) == 1 and bare.isalnum() and bare in _BYTES:
        return _BYTES[bare]
    return _BYTES[FOREIGN if character.isalnum() else " "]


def _others(error: UnicodeError) -> tuple[bytes, int]:
    assert isinstance(error, UnicodeEncodeError)
    found = b"".join(map(_other, error.object[error.start : error.end]))
    if found[0]:  # joiners and selectors inside an emoji hide nothing
        found = found.replace(VANISHING_BYTE, b" ")
    return found, error.end


# charmap_encode knows its error handlers by name only; the name is ours.
codecs.register_error("watchers.alphabet", _others)
