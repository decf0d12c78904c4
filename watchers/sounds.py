"""Which Cyrillic words may a Latin spelling stand for? Both are compared by how they sound.

A key says roughly how a word is spoken: i, j and y before a vowel are dropped, as are soft signs and
doubled letters; ks, ts and tch are one sound each. So BGN/PCGN, ISO 9, passports, Polish and Belarusian
Łacinka meet: Баранавічы, Baranavičy, Baranavichy → baraniCi. A Cyrillic word has one key or two (ё, ў); a
Latin one several, for ch is ч or х, h is г or х.
"""

import re
from collections.abc import Iterator
from itertools import islice, product

_CYRILLIC = {
    **dict(zip("абвгґдезиійклмнопрстуўфхцыэєї", "abvggdeziiiklmnoprstuufxcieei", strict=True)),
    "ж": "Z",
    "ч": "C",
    "ш": "S",
    "щ": "SC",
    "ъ": "",
    "ь": "",
    "'": "",
    "ю": "iu",
    "я": "ia",
    "ё": "io",
}
_FROM_CYRILLIC = str.maketrans(_CYRILLIC)
# Longest first. What is written one way and may be spoken in several has several sounds.
_LATIN: dict[str, tuple[str, ...]] = {
    "shch": ("SC",),
    "shh": ("SC",),
    "szcz": ("SC",),
    "tch": ("C",),
    "sch": ("SC", "S", "sx"),
    "zgh": ("zg",),
    "šč": ("SC",),
    "ch": ("C", "x"),
    "cz": ("C", "c"),
    "sh": ("S", "sg"),
    "sz": ("S",),
    "zh": ("Z", "zg"),
    "kh": ("x",),
    "gh": ("g",),
    "ts": ("c",),
    "tz": ("c",),
    "rz": ("r", "Z"),
    "ck": ("ck", "k"),
    "h": ("g", "x"),
    "c": ("c", "k"),
    "x": ("ks", "x"),
    "w": ("v",),
    "v": ("v",),
    "q": ("k",),
    "j": ("i", "Z"),
    "y": ("i",),
    "'": ("",),
}
_LATIN |= {letter: (letter,) for letter in "abdefgiklmnoprstuz"}
_LATIN |= dict(zip("čšžŭćśźńłąęóż", zip("CSZucsznlaeoZ"), strict=True))
_LETTERS = re.compile("|".join(sorted(_LATIN, key=len, reverse=True)))
_SEVERAL = re.compile("[hcxzšj]")  # what may be, or be part of, more than one sound
_FROM_LATIN = str.maketrans(
    {letter: spoken[0] for letter, spoken in _LATIN.items() if len(letter) == 1}
)
_BEFORE_VOWEL = re.compile("i+(?=[aeou])")
_DOUBLED = re.compile(r"(.)\1+")
_MOST_KEYS = 16


def of_cyrillic(word: str) -> set[str]:
    """The keys of a Cyrillic word, small letters, ё and ў kept."""
    keys = {_key(word.translate(_FROM_CYRILLIC))}
    if "ё" in word:
        keys.add(_key(word.replace("ё", "е").translate(_FROM_CYRILLIC)))
    if "ў" in word:
        keys.add(_key(word.replace("ў", "в").translate(_FROM_CYRILLIC)))
    return keys


def of_latin(word: str) -> Iterator[str]:
    """The keys a Latin word may have, small letters."""
    if not _SEVERAL.search(word):
        yield _key(word.translate(_FROM_LATIN))
        return
    sounds = [_LATIN[piece] for piece in _LETTERS.findall(word)]
    for spoken in islice(product(*sounds), _MOST_KEYS):
        yield _key("".join(spoken))


def _key(spoken: str) -> str:
    if "i" in spoken:
        spoken = _BEFORE_VOWEL.sub("", spoken)
    if "t" in spoken or "cC" in spoken:
        spoken = spoken.replace("ts", "c").replace("tC", "C").replace("cC", "C")
    return _DOUBLED.sub(r"\1", spoken) if _DOUBLED.search(spoken) else spoken
