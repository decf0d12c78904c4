"""How may a designation be written? Су-30СМ is also Су 30 СМ, Su-30SM, СУ-30см; but С-30 is not С-300.

Letters and digits are groups; between groups a hyphen, a blank or nothing. Letters may be Cyrillic or Latin, by sound
(Su) or by looks (CУ). A designation that ends in digits is also found with the letters of a variant: Ил-76МД.
"""

import re
from functools import cache, lru_cache

from watchers.spellings import CYRILLIC_ALIKE, LATIN_ALIKE

_GROUP = re.compile(r"[^\W\d_]+|\d+")
_DESIGNATION = re.compile(
    r"(?:[^\W\d_]{1,5}-?\d{1,4}|\d{1,3}-?[^\W\d_]{1,3}-?\d{1,4})(?:-?[^\W_]{1,4}){0,3}"
)
_SOUND = {
    **dict(zip("абвгдезиійклмнопрстуфхцыэ", "abvgdeziijklmnoprstufhcye", strict=True)),
    "ж": "zh",
    "ч": "ch",
    "ш": "sh",
    "щ": "shch",
    "ю": "yu",
    "я": "ya",
    "є": "ye",
    "ї": "yi",
}
_ALSO = {
    "х": ["kh", "x"],
    "г": ["h"],
    "в": ["w"],
    "ц": ["ts"],
    "ж": ["ž"],
    "ч": ["č"],
    "ш": ["š"],
    "и": ["y"],
}
_SEPARATOR = "[-. ]{0,2}"
_VARIANT = r"(?:-?[^\W\d_]{1,4}\d{0,2}(?:-?[^\W\d_]{1,2})?)?"
_BESIDE = re.compile(r"(?:([^\W\d_])[-. ]{0,2})?(\d+)(?=(?:[-. ]{0,2}([^\W\d_]))?)")
PREPOSITIONS = frozenset("свкуоаиізв")  # with a number after: with 400 roubles, in 30 minutes
_COUNTED = re.compile(
    r" *(?:%|тыс|тис|млн|млр|мил|мін|мин|руб|грн|грив|дол|евр|евро|км|кіл|кил|метр|м |см|лет|год|рок|час|чел|"
    r"осіб|чал|про[цс]|до |по |и |і |др|дн|сут|мес|ме[сс]|шт|ед|раз|ступ|град|баз|тон|гек|вул|дом)"
)


def is_designation(word: str) -> bool:
    return _DESIGNATION.fullmatch(word) is not None


def joined(words: tuple[str, ...]) -> tuple[str, ...]:
    """A phrase's words, with designations that are written apart (Су 30 СМ) put together."""
    made: list[str] = []
    for word in words:
        last = made[-1] if made else ""
        together = f"{last}-{word}"
        short = word.isupper() and len(word) <= 3 and any(c.isdigit() for c in last)
        number = word[:1].isdigit() and last.isalpha() and len(last) <= 3 and len(word) <= 5
        if (short or number) and is_designation(together):
            made[-1] = together
        else:
            made.append(word)
    return tuple(made)


@lru_cache(maxsize=20_000)
def pattern(word: str, *, exact: bool) -> re.Pattern[str]:
    """Matches the folded word in a folded text, wherever it stands."""
    groups = _GROUP.findall(word)
    written = _SEPARATOR.join(map(_letters, groups))
    digits = groups[-1].isdigit()
    after = "" if exact else _VARIANT if digits else r"(?:-[^\W\d_]{1,3})?"
    stop = r"(?!\.?\d)" if digits else ""
    return re.compile(rf"(?<![^\W_])(?<!\d[.-]){written}{stop}{after}(?![^\W_])")


def number_of(word: str) -> str:
    """The digits it is looked up by."""
    return str(max((g for g in _GROUP.findall(word) if g.isdigit()), key=len))


def beside(word: str) -> set[str]:
    """Its digits with the letter before them, or after them where they come first, in all ways to write it.

    One of these is among `numbers_in` a text that holds the designation.
    """
    groups = _GROUP.findall(word)
    number = number_of(word)
    at = groups.index(number)
    if at:
        return {f"{way[-1]}{number}" for way in _written(groups[at - 1][-1])}
    if len(groups) > 1:
        return {f"{number}{way[0]}" for way in _written(groups[1][0])}
    return {number}


def numbers_in(folded: str) -> set[str]:
    """Every number that stands beside letters, with the letter before it and with the one after it."""
    found = set()
    for before, number, after in _BESIDE.findall(folded):
        if before:
            found.add(before + number)
        if after:
            found.add(number + after)
    return found


def counts_something(folded: str, start: int, end: int, written: str) -> bool:
    """Is this no designation but a preposition and a number: с 400 рублями?"""
    if len(written) < 2 or written[1] not in " \\n\\xa0" or folded[start] not in PREPOSITIONS:
        return False
    return written[0].islower() or _COUNTED.match(folded, end) is not None


def _letters(group: str) -> str:
    if group.isdigit():
        return group
    return "".join(_ways(letter) for letter in group)


@cache
def _ways(letter: str) -> str:
    return f"(?:{'|'.join(sorted(_written(letter), key=lambda w: (-len(w), w)))})"


@cache
def _written(letter: str) -> frozenset[str]:
    """The ways to write a letter."""
    ways = {letter, _SOUND.get(letter, letter), *_ALSO.get(letter, [])}
    for cyrillic, latin in _SOUND.items():
        if letter == latin or letter in _ALSO.get(cyrillic, []):
            ways.add(cyrillic)
    for cyrillic, latin in zip(CYRILLIC_ALIKE, LATIN_ALIKE, strict=True):
        if letter == cyrillic:
            ways.add(latin)
        if letter == latin:
            ways.add(cyrillic)
    return frozenset(ways)
