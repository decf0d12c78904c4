"""Which forms may a word take, in the languages it may be in?"""

import re
import unicodedata
from collections.abc import Collection

from watchers.forms import dictionaries
from watchers.forms.belarusian import BELARUSIAN
from watchers.forms.english import ENGLISH
from watchers.forms.polish import POLISH
from watchers.forms.russian import RUSSIAN
from watchers.forms.ukrainian import UKRAINIAN

LANGUAGES = ("be", "ru", "uk", "pl", "en")

_RULES = {"be": BELARUSIAN, "ru": RUSSIAN, "uk": UKRAINIAN, "pl": POLISH, "en": ENGLISH}
# Letters that a language does not have.
_FOREIGN = {
    "be": re.compile("[иїєґщъa-z]"),
    "ru": re.compile("[іўїєґ'a-z]"),
    "uk": re.compile("[ыэёўъa-z]"),
    "pl": re.compile("[а-яёіўїєґqvx]"),
    "en": re.compile("[а-яёіўїєґąćęłńóśźż]"),
}


def languages_of(word: str) -> frozenset[str]:
    """The languages that have all letters of this lower-case word."""
    return frozenset(lang for lang, foreign in _FOREIGN.items() if not foreign.search(word))


def forms_of(word: str, languages: Collection[str] = ()) -> frozenset[str]:
    word = unicodedata.normalize("NFC", word.lower())
    made = {word}
    for language in languages or languages_of(word):
        made |= _forms_in(language, word)
    return frozenset(made)


def is_known(word: str, languages: Collection[str] = ()) -> bool:
    return any(
        found.knows(word)
        for language in languages or languages_of(word)
        if (found := dictionaries.dictionary(language))
    )


def _forms_in(language: str, word: str) -> set[str]:
    head, hyphen, last = word.rpartition("-")
    if hyphen and head and last:
        return {f"{head}-{form}" for form in _forms_in(language, last)}
    known = dictionaries.dictionary(language)
    rules = _RULES[language]
    return rules.sifted(word, (known and known.forms(word)) or rules.forms(word))
