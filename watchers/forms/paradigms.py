"""How does a table of endings make the forms of a word?

A language is a few tables (nouns, adjectives, verbs). A table is a list of rows, most particular
first; the first row that fits a word makes its forms: the row's ending is cut off, what is left
is the stem, and every new ending is set on the stem that its *change* gives (softened, with a
vowel more or less, as it is). What is written differently where stem and ending meet (a *seam*: к
+ ы = кі) is put right afterwards, so one row serves hard, velar and hushing stems.

The tables make too much rather than too little: a form that does not exist costs a few bytes, a
missed one a post.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """Stem → the stems that some endings are set on: those of the first pattern that fits."""

    rules: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]
    otherwise_same: bool  # when no pattern fits: the stem as it is, or none

    def stems(self, stem: str) -> Iterable[str]:
        for pattern, replacements in self.rules:
            if found := pattern.search(stem):
                return [stem[: found.start()] + found.expand(new) for new in replacements]
        return (stem,) if self.otherwise_same else ()


def change(rules: Mapping[str, str], *, otherwise_same: bool = False) -> Change:
    """`{"к": "ц ч"}`: к at the end becomes ц, and also ч; "" is no stem at all.

    Keys are regular expressions, values templates; the first key that fits counts.
    """
    return Change(
        tuple((re.compile(f"(?:{end})$"), tuple(new.split())) for end, new in rules.items()),
        otherwise_same,
    )


STEM = change({}, otherwise_same=True)


def themed(theme: str, endings: str) -> str:
    """`themed("а", "ю ць")` is "аю аць"."""
    return " ".join(theme + ending.replace("∅", "") for ending in endings.split())


@dataclass(frozen=True, slots=True)
class Row:
    """Words that end in `after` + `ending`, and what is put in the place of `ending`."""

    after: str  # regular expression for the end of the stem; "" is any
    ending: str  # "" for words that end in their stem
    parts: Mapping[Change, str]  # endings are separated by spaces; ∅ is no ending


class Table:
    def __init__(self, seams: Mapping[str, str], rows: Iterable[Row]) -> None:
        self._seams = dict(seams)
        self._rows = [
            (row.ending, re.compile(f"(?:{row.after})$"), _split(row.parts)) for row in rows
        ]

    def forms(self, word: str) -> set[str]:
        for ending, after, parts in self._rows:
            stem = word.removesuffix(ending)
            if word.endswith(ending) and after.search(stem):
                return {
                    self._join(changed, new)
                    for how, endings in parts
                    for changed in how.stems(stem)
                    for new in endings
                }
        return set()

    def _join(self, stem: str, ending: str) -> str:
        met = self._seams.get(stem[-1:] + ending[:1])
        return stem + ending if met is None else stem[:-1] + met + ending[1:]


def _split(parts: Mapping[Change, str]) -> list[tuple[Change, list[str]]]:
    return [(how, [e.replace("∅", "") for e in ends.split()]) for how, ends in parts.items()]


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def listed(lines: str) -> dict[str, frozenset[str]]:
    """`"дзень: дня дню"` a line → {"дзень": {"дня", "дню"}}."""
    pairs = (line.split(":") for line in lines.splitlines() if line.strip())
    return {word.strip(): frozenset(forms.split()) for word, forms in pairs}


@dataclass(frozen=True, slots=True)
class Language:
    tables: tuple[Table, ...]
    verbs: Table | None = None
    # The verb without its reflexive ending, or None; and a form with it.
    unreflexive: Callable[[str], str | None] = lambda word: None
    reflexive: Callable[[str], Iterable[str]] = lambda form: ()
    irregular: Mapping[str, frozenset[str]] = field(default_factory=dict)  # beside the regular ones
    # Only unmistakable ones: {"тысяча": {"тыс"}}.
    abbreviations: Mapping[str, frozenset[str]] = field(default_factory=dict)
    # Pronouns, particles, forms of "be" …: a form that looks like one of these is one of these.
    common: frozenset[str] = frozenset()
    # Forms that are nearly always another word: {"беларус": {"беларусі"}}.
    unlikely: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def forms(self, word: str) -> set[str]:
        """What the rules make; the word itself is among them."""
        made = {word} | self.irregular.get(word, frozenset())
        for table in self.tables:
            made |= table.forms(word)
        if self.verbs:
            made |= self._verb_forms(self.verbs, word)
        return made

    def sifted(self, word: str, forms: Iterable[str]) -> set[str]:
        """Without what would be found for another word's sake."""
        unlikely = self.unlikely.get(word, frozenset())
        kept = {form for form in forms if len(form) > 2} - self.common - unlikely
        sure = self.irregular.get(word, frozenset()) | self.abbreviations.get(word, frozenset())
        return kept | sure | {word}

    def _verb_forms(self, verbs: Table, word: str) -> set[str]:
        plain = self.unreflexive(word)
        if plain is None:
            return verbs.forms(word)
        return {each for form in verbs.forms(plain) if form for each in self.reflexive(form)}
