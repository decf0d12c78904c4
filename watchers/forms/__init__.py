"""Which forms may a word take, in the languages it may be in?

A dictionary that knows the word is believed; where none does, the language's rules make the
forms. A word whose language is not given gets the forms of every language that has its letters,
and the dictionaries that know it weed out what the other languages' rules make of it (дума is a
Russian noun, so Belarusian думаю is not a form of it).
"""

import re
import unicodedata
from collections.abc import Collection
from functools import partial

from watchers.forms import compounds, dictionaries
from watchers.forms.belarusian import BELARUSIAN
from watchers.forms.english import ENGLISH
from watchers.forms.polish import LOOKS_POLISH, POLISH
from watchers.forms.russian import RUSSIAN
from watchers.forms.ukrainian import UKRAINIAN

LANGUAGES = ("be", "ru", "uk", "pl", "en")

_RULES = {"be": BELARUSIAN, "ru": RUSSIAN, "uk": UKRAINIAN, "pl": POLISH, "en": ENGLISH}
# Letters that the language does not have, or not together.
_FOREIGN = {
    "be": re.compile("[иїєґщъ]|[жшчр][ёеюь]|[тд][еёіюяь]|[a-zà-ž]"),
    "ru": re.compile("[іўїєґ']|[a-zà-ž]"),
    "uk": re.compile("[ыэёўъ]|[a-zà-ž]"),
    "pl": re.compile("[а-яёіўїєґqvx]"),
    "en": re.compile("[а-яёіўїєґąćęłńóśźż]"),
}
_WORD = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
_APOSTROPHES = str.maketrans(dict.fromkeys("’ʼ`´‘′", "'"))
_LONGEST = 40  # letters; what is longer is no word, and would cost the tables' patterns too much


def languages_of(word: str) -> frozenset[str]:
    """The languages that have all letters of this word; all of them when that leaves none."""
    word = word.lower()
    able = frozenset(lang for lang, foreign in _FOREIGN.items() if not foreign.search(word))
    return able or frozenset(LANGUAGES)


def forms_of(word: str, languages: Collection[str] = ()) -> frozenset[str]:
    """Lower case, NFC, the word itself included; the word alone when it is not made of letters."""
    asked = unicodedata.normalize("NFC", word.lower())
    plain = asked.translate(_APOSTROPHES)
    if len(plain) > _LONGEST or not _WORD.fullmatch(plain):
        return frozenset({asked})
    return frozenset({asked} | _forms(plain, languages))


def is_known(word: str, languages: Collection[str] = ()) -> bool:
    """Does a dictionary have this lower-case word, in any form? No dictionary, no."""
    possible = map(dictionaries.dictionary, _possible(word, languages))
    return any(found.knows(word) for found in possible if found)


def _possible(word: str, languages: Collection[str]) -> Collection[str]:
    able = languages_of(word)
    return able.intersection(languages) or languages or able


def _forms(word: str, languages: Collection[str]) -> set[str]:
    kept: set[str] = {word}
    doubtful: set[str] = set()
    believed = []  # the dictionaries that know the word
    possible = _possible(word, languages)
    for language in possible:
        dictionary, rules = dictionaries.dictionary(language), _RULES[language]
        if dictionary and (found := dictionary.forms(word)):
            believed.append(dictionary)
            kept |= rules.sifted(word, found)
        elif "-" in word:
            kept |= compounds.forms(word, partial(_forms, languages=(language,)))
        else:
            made = rules.sifted(word, rules.forms(word))
            if language == "pl" and dictionary and "en" in possible:
                made = _not_english(word, made)
            # A language whose dictionary is not installed has only its guesses: they stay.
            # Belarusian never has one; its guesses gain more by weeding than they lose.
            (doubtful if dictionary or language == "be" else kept).update(made)
    if len(possible) > 1:
        doubtful = doubtful.difference(*(_RULES[language].common for language in possible))
        doubtful = {form for form in doubtful if not any(d.knows(form) for d in believed)}
    return kept | doubtful


def _not_english(word: str, guessed: set[str]) -> set[str]:
    """Polish rules would make store of story, and not of note. A word in plain Latin letters that
    the Polish dictionary does not know is more likely English, unless it looks Polish."""
    if LOOKS_POLISH.search(word):
        return guessed
    stem = word.removesuffix("a")
    return {f for f in guessed if f.startswith(stem) and f[len(stem) :] not in ("y", "i", "e")}
