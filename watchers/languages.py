"""In which language is a post? Told by letters that not every alphabet has, and by little words."""

import re

from watchers.forms import LANGUAGES
from watchers.little_words import ENGLISH, POLISH

__all__ = ["LANGUAGES", "language_of", "likely_language"]

_LETTERS = {  # a letter that only this language has, and those that it does not have
    "ru": ("ъ", "іўїєґ"),
    "be": ("ў", "ищъїєґ"),
    "uk": ("ї", "ыэёъў"),
}
_CYRILLIC = re.compile("[а-яёіўїєґ]")
_LATIN = re.compile("[a-ząćęłńóśźż]")
_POLISH_LETTERS = re.compile("[ąęłńśźż]")
_WORD = re.compile(r"[^\W\d_]+")
_READ = 500  # characters; the beginning tells enough
_FEWEST = 4  # letters


def language_of(text: str) -> str | None:
    """be, ru, uk, pl or en; None when that can't be told."""
    small = text[:_READ].lower()
    if len(small.encode(errors="replace")) > 1.6 * len(
        small
    ):  # nearly every letter takes two bytes
        return _of_cyrillic(small)
    cyrillic, latin = len(_CYRILLIC.findall(small)), len(_LATIN.findall(small))
    if cyrillic >= max(latin, _FEWEST):
        return _of_cyrillic(small)
    return _of_latin(small) if latin >= _FEWEST else None


def likely_language(text: str) -> str:
    """The same; what can't be told goes by the larger language of its script."""
    return language_of(text) or ("ru" if _CYRILLIC.search(text[:_READ].lower()) else "en")


def _of_cyrillic(text: str) -> str | None:
    wrong = {
        language: sum(map(text.count, foreign)) - text.count(own)
        for language, (own, foreign) in _LETTERS.items()
    }
    least = min(wrong.values())
    best = [language for language, number in wrong.items() if number == least]
    return best[0] if len(best) == 1 else None


def _of_latin(text: str) -> str | None:
    words = [word for word in _WORD.findall(text) if len(word) > 1]
    polish = sum(word in POLISH for word in words) + len(_POLISH_LETTERS.findall(text))
    english = sum(word in ENGLISH for word in words)
    if polish == english:
        return None
    return "pl" if polish > english else "en"
