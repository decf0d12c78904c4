"""What do the dictionaries know about a word?

Dictionaries are packages that may be absent (their licences: README): every language works without, by its
rules. Tests take them away by replacing `dictionary` here with a function that returns None.
"""

from collections.abc import Callable, Collection
from functools import cache, lru_cache
from importlib import import_module
from importlib.util import find_spec
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


# Below this share of a form's occurrences the form is nearly always another word (после is hardly
# ever a посол).
UNLIKELY = 0.15


NOMINAL = ("NOUN", "ADJF")
Entry = tuple[str, int, int]  # the word as the dictionary writes it, its paradigm, its place there


class Pymorphy:
    """Russian (OpenCorpora) and Ukrainian (VESUM) lexemes."""

    def __init__(self, language: str) -> None:
        morph = import_module("pymorphy3").MorphAnalyzer(lang=language)
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
        lemmas = [f for f in found if f[2] == 0]
        wanted = self._of(lemmas, NOMINAL) or lemmas or self._of(found, ("NOUN",)) or found
        made: set[str] = set()
        for lexeme in {self._lexeme(f) for f in wanted}:
            made |= self._forms(lexeme)
        return made

    def _of(self, found: list[Entry], parts_of_speech: Collection[str]) -> list[Entry]:
        return [e for e in found if self._paradigm(e[1])[e[2]][1][:4] in parts_of_speech]

    def _read_paradigm(self, number: int) -> list[tuple[str, str, str]]:
        return [(a, str(tag), z) for a, tag, z in self._dictionary.build_paradigm_info(number)]

    def _lexeme(self, found: Entry) -> tuple[str, int]:
        written, paradigm, index = found
        prefix, _, suffix = self._paradigm(paradigm)[index]
        return written[len(prefix) : len(written) - len(suffix)], paradigm

    def _forms(self, lexeme: tuple[str, int]) -> set[str]:
        stem, paradigm = lexeme
        made: dict[str, list[str]] = {}
        for prefix, tag, suffix in self._paradigm(paradigm):
            made.setdefault(prefix + stem + suffix, []).append(tag)
        if not self._probability or not self._paradigm(paradigm)[0][1].startswith("NOUN"):
            return set(made)  # verbs have some 200 forms: looking each up takes too long
        return {form for form, tags in made.items() if self._likely(form, tags)}

    def _likely(self, form: str, tags: list[str]) -> bool:
        """By P(tag | form), which is there for ambiguous forms that the dictionary's corpus has."""
        if any("ablt" in tag for tag in tags):
            return True  # вечером, also an adverb, means the same
        share = self._probability.prob
        if sum(share(form, tag) for tag in set(tags)) >= UNLIKELY:
            return True
        entries = self._words.get(form, ())
        others = {self._paradigm(paradigm)[index][1] for paradigm, index in entries}
        return not any(share(form, tag) for tag in others.difference(tags))


class Morfeusz:
    """Polish (SGJP)."""

    NOMINAL = ("subst", "depr", "adj")
    VERBAL = ("fin", "praet", "impt", "inf", "ppas", "pact", "ger", "bedzie")

    def __init__(self) -> None:
        self._morfeusz: Any = import_module("morfeusz2").Morfeusz(expand_tags=False)

    def knows(self, word: str) -> bool:
        return all(tag != "ign" for _, _, (_, _, tag, *_) in self._morfeusz.analyse(word))

    def forms(self, word: str) -> set[str]:
        if not self.knows(word):
            return set()
        made = self._generated({word, word.capitalize()}) or self._generated(self._lemmas(word))
        nominal = {form for part_of_speech, form in made if part_of_speech in self.NOMINAL}
        return nominal or {form for part_of_speech, form in made if part_of_speech in self.VERBAL}

    def _lemmas(self, word: str) -> set[str]:
        """Of a word in another form: pociągi → pociąg."""
        found = [analysis[1:3] for _, _, analysis in self._morfeusz.analyse(word)]
        nouns = [lemma for lemma, tag in found if tag.startswith("subst")]
        return {lemma.split(":")[0] for lemma in nouns or [lemma for lemma, _ in found]}

    def _generated(self, lemmas: set[str]) -> set[tuple[str, str]]:
        return {
            (tag.split(":")[0], form.lower())
            for lemma in lemmas
            for form, _, tag, *_ in self._morfeusz.generate(lemma)
            if tag != "ign"
        }


def _pymorphy(language: str) -> Callable[[], Dictionary | None]:
    def load() -> Dictionary | None:
        package = f"pymorphy3_dicts_{language}"
        if not all(map(find_spec, ("pymorphy3", package))):
            return None
        return Pymorphy(language)

    return load


def _morfeusz() -> Dictionary | None:
    return Morfeusz() if find_spec("morfeusz2") else None


_LOADERS: dict[str, Callable[[], Dictionary | None]] = {
    "ru": _pymorphy("ru"),
    "uk": _pymorphy("uk"),
    "pl": _morfeusz,
}
