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
    "j": ("i",),
    "y": ("i",),
    "'": ("",),
}
_LATIN |= {letter: (letter,) for letter in "abdefgiklmnoprstuz"}
_LATIN |= dict(zip("čšžŭćśźńłąęóż", zip("CSZucsznlaeoZ"), strict=True))
_LETTERS = re.compile("|".join(sorted(_LATIN, key=len, reverse=True)))
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
    sounds = [_LATIN[piece] for piece in _LETTERS.findall(word)]
    for spoken in islice(product(*sounds), _MOST_KEYS):
        yield _key("".join(spoken))


def _key(spoken: str) -> str:
    if "i" in spoken:
        spoken = _BEFORE_VOWEL.sub("", spoken)
    if "t" in spoken or "cC" in spoken:
        spoken = spoken.replace("ts", "c").replace("tC", "C").replace("cC", "C")
    return _DOUBLED.sub(r"\1", spoken) if _DOUBLED.search(spoken) else spoken


# The other way: a Latin name in the Cyrillic letters of a language.
_PAIRS = [
    "shch",
    "щ",
    "szcz",
    "щ",
    "šč",
    "щ",
    "tch",
    "тч",
    "zgh",
    "зг",
    "ch",
    "ч",
    "cz",
    "ч",
    "sh",
    "ш",
    "sz",
    "ш",
    "zh",
    "ж",
    "kh",
    "х",
    "gh",
    "г",
    "ts",
    "ц",
    "tz",
    "ц",
    "rz",
    "ж",
    "ia",
    "я",
    "ya",
    "я",
    "ja",
    "я",
    "iu",
    "ю",
    "yu",
    "ю",
    "ju",
    "ю",
    "ie",
    "е",
    "ye",
    "е",
    "je",
    "е",
    "io",
    "ё",
    "yo",
    "ё",
    "jo",
    "ё",
    "ii",
    "ий",
    "iy",
    "ий",
    "yi",
    "ый",
    "a",
    "а",
    "b",
    "б",
    "v",
    "в",
    "g",
    "г",
    "d",
    "д",
    "e",
    "е",
    "z",
    "з",
    "k",
    "к",
    "l",
    "л",
    "m",
    "м",
    "n",
    "н",
    "o",
    "о",
    "p",
    "п",
    "r",
    "р",
    "s",
    "с",
    "t",
    "т",
    "u",
    "у",
    "f",
    "ф",
    "x",
    "кс",
    "w",
    "в",
    "q",
    "к",
    "c",
    "ц",
    "č",
    "ч",
    "š",
    "ш",
    "ž",
    "ж",
    "ŭ",
    "ў",
    "ć",
    "ць",
    "ś",
    "сь",
    "ź",
    "зь",
    "ń",
    "нь",
    "ł",
    "л",
    "ą",
    "он",
    "ę",
    "ен",
    "ó",
    "у",
    "ż",
    "ж",
]
_CYRILLIC_OF = dict(zip(_PAIRS[::2], _PAIRS[1::2], strict=True))
_OWN = {
    "be": {
        "i": "і",
        "y": "ы",
        "h": "г",
        "j": "й",
        "shch": "шч",
        "šč": "шч",
        "szcz": "шч",
        "ii": "ій",
    },
    "ru": {"i": "и", "y": "ы", "h": "х", "j": "й"},
    "uk": {
        "i": "і",
        "y": "и",
        "h": "г",
        "j": "й",
        "yi": "ї",
        "ii": "ій",
        "iy": "ий",
        "ie": "є",
        "ye": "є",
    },
}
_PIECES = re.compile("|".join(sorted({*_CYRILLIC_OF, *"iyhj"}, key=len, reverse=True)) + "|.")
_HARD_E = re.compile("(?<=[шжчцр])е")


def cyrillic_of(word: str) -> dict[str, set[str]]:
    """How a Latin name, small letters, may be written in each Cyrillic language."""
    return {language: set(_written(word, own, language)) for language, own in _OWN.items()}


def _written(word: str, own: dict[str, str], language: str) -> Iterator[str]:
    table = _CYRILLIC_OF | own
    written = "".join(table.get(piece, piece) for piece in _PIECES.findall(word))
    written = re.sub("(?<=[аеёиоуыэюяіє])[ыиі](?=$|[бвгджзклмнпрстфхцчш])", "й", written)
    if language == "be":
        written = _HARD_E.sub("э", written)
        written = re.sub("(?<=[аеёіоуыэюя])в(?=$|[бвгджзйклмнпрстфхцчшў])", "ў", written)
        written = (
            written.replace("чи", "чы").replace("чі", "чы").replace("ші", "шы").replace("рі", "ры")
        )
    if language == "ru":
        written = re.sub("(?<=[гкхжшчщ])ы", "и", written)
        yield re.sub("ы$", "ий", written) if re.search("[кх]ы$", written) else written
    yield written
