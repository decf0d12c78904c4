"""What do the dictionaries know about a word?

Dictionaries are packages that may be absent (MATCHING §1.7): every language works without, by its rules. Tests take
them away by replacing `dictionary` here with a function that returns None.
"""

import importlib.util
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any, Protocol


class Dictionary(Protocol):
    def knows(self, word: str) -> bool:
        """Is this lower-case word there, in any form?"""
        ...

    def forms(self, word: str) -> set[str]:
        """Its forms, lower case; none when it does not know the word."""
        ...


@cache
def dictionary(language: str) -> Dictionary | None:
    """Loads on first use, some 50 ms and 30 MB each."""
    load = _LOADERS.get(language)
    return load() if load else None


# Below this share of a form's occurrences the form is nearly always another word (после is hardly ever a посол).
UNLIKELY = 0.15


class Pymorphy:
    """Russian (OpenCorpora) and Ukrainian (VESUM) lexemes."""

    def __init__(self, language: str) -> None:
        import pymorphy3

        morph = pymorphy3.MorphAnalyzer(lang=language)
        self._words: Any = morph.dictionary.words
        self._dictionary: Any = morph.dictionary
        self._substitutes: Any = morph.char_substitutes  # Russian ё may be written е
        self._probability: Any = morph.prob_estimator and morph.prob_estimator.p_t_given_w
        self._paradigm = lru_cache(maxsize=4096)(self._read_paradigm)

    def knows(self, word: str) -> bool:
        return bool(self._words.similar_keys(word, self._substitutes))

    def forms(self, word: str) -> set[str]:
        found = [
            (written, paradigm, index)
            for written, entries in self._words.similar_items(word, self._substitutes)
            for paradigm, index in entries
        ]
        nouns = [f for f in found if self._part_of_speech(f) == "NOUN"]
        lemmas = (
            [f for f in nouns if f[2] == 0] or [f for f in found if f[2] == 0] or nouns or found
        )
        made: set[str] = set()
        for lexeme in {self._lexeme(f) for f in lemmas}:
            made |= self._forms(lexeme)
        return made

    def _read_paradigm(self, number: int) -> list[tuple[str, str, str]]:
        return [(a, str(tag), z) for a, tag, z in self._dictionary.build_paradigm_info(number)]

    def _part_of_speech(self, found: tuple[str, int, int]) -> str:
        return self._paradigm(found[1])[found[2]][1][:4]

    def _lexeme(self, found: tuple[str, int, int]) -> tuple[str, int]:
        written, paradigm, index = found
        prefix, _, suffix = self._paradigm(paradigm)[index]
        return written[len(prefix) : len(written) - len(suffix)], paradigm

    def _forms(self, lexeme: tuple[str, int]) -> set[str]:
        stem, paradigm = lexeme
        made: dict[str, list[str]] = {}
        for prefix, tag, suffix in self._paradigm(paradigm):
            made.setdefault(prefix + stem + suffix, []).append(tag)
        if not self._probability:
            return set(made)
        return {form for form, tags in made.items() if self._likely(form, tags)}

    def _likely(self, form: str, tags: list[str]) -> bool:
        entries = self._words.get(form) or ()
        if len(entries) < 2:
            return True
        shares = {
            t: self._probability.prob(form, t)
            for t in {self._paradigm(p)[i][1] for p, i in entries}
        }
        return not any(shares.values()) or sum(shares.get(t, 0) for t in set(tags)) >= UNLIKELY


class Morfeusz:
    """Polish (SGJP)."""

    NOUNS = ("subst", "depr")
    OTHERS = ("adj", "adja", "fin", "praet", "impt", "inf", "ppas", "pact", "ger", "bedzie")

    def __init__(self) -> None:
        import morfeusz2

        self._morfeusz: Any = morfeusz2.Morfeusz(expand_tags=False)

    def knows(self, word: str) -> bool:
        return any(
            analysis[2].split(":")[0] != "ign" for _, _, analysis in self._morfeusz.analyse(word)
        )

    def forms(self, word: str) -> set[str]:
        if not self.knows(word):
            return set()
        made = {
            (tag.split(":")[0], form)
            for lemma in {word, word.capitalize()}
            for form, _, tag, *_ in self._morfeusz.generate(lemma)
        }
        nouns = {form.lower() for kind, form in made if kind in self.NOUNS}
        found = nouns or {form.lower() for kind, form in made if kind in self.OTHERS}
        return {form for form in found if len(form) > 2}


def _pymorphy(language: str) -> Callable[[], Dictionary | None]:
    def load() -> Dictionary | None:
        package = f"pymorphy3_dicts_{language}"
        if not all(map(importlib.util.find_spec, ("pymorphy3", package))):
            return None
        return Pymorphy(language)

    return load


def _morfeusz() -> Dictionary | None:
    return Morfeusz() if importlib.util.find_spec("morfeusz2") else None


_LOADERS: dict[str, Callable[[], Dictionary | None]] = {
    "ru": _pymorphy("ru"),
    "uk": _pymorphy("uk"),
    "pl": _morfeusz,
}
