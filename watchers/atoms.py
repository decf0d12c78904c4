"""What has to be found in a text, once a rule is taken to pieces and its words put into all their forms?"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from watchers import designations, expressions, sounds
from watchers.expressions import Expression
from watchers.forms import forms_of
from watchers.query import Leaf, Regex, Typo, Words
from watchers.spellings import CYRILLIC, LATIN, comparable
from watchers.text import fold

Languages = tuple[str, ...]


class Manner(NamedTuple):
    """How the words of a term are meant."""

    languages: Languages
    name: bool = False  # of an entity
    in_cyrillic: bool = False  # a Latin name is to be found in Cyrillic too


@dataclass(frozen=True, slots=True)
class Element:
    """One word of a phrase."""

    forms: tuple[str, ...]  # folded, as `comparable` has them
    sounds: tuple[str, ...] = ()  # of its Cyrillic forms
    begins: bool = False  # begins with one of these
    designation: str = ""  # folded; no forms then


@dataclass(frozen=True, slots=True)
class Atom:
    """Words next to each other, or a regular expression."""

    elements: tuple[Element, ...] = ()
    anchor: int = 0  # the element that is looked up; the others are compared where it stands
    written: str = ""  # case-folded
    cased: str | None = None  # as written, where capitals count
    exact: bool = False  # this form only
    name: bool = False  # of an entity, or written with a capital
    typo: bool = False  # tolerates a typo
    expression: Expression | None = None


def atoms_of(leaf: Leaf, manner: Manner) -> tuple[Atom, ...]:
    """The ways to find a leaf: any of these will do."""
    if isinstance(leaf, Regex):
        return (Atom(expression=expressions.compiled(leaf.pattern)),)
    if isinstance(leaf, Typo):
        element = _element(leaf.word, manner)
        name = manner.name or leaf.word[0].isupper()
        return (Atom((element,), written=leaf.word.casefold(), name=name, typo=True),)
    words = designations.joined(leaf.words) if manner.name or len(leaf.words) > 1 else leaf.words
    made = [_phrase(leaf, words, manner)]
    if any("-" in fold(word) for word in words if not _is_designation(word)):
        pieces = tuple(piece for word in words for piece in _parts(word))
        if pieces != words:
            made.append(_phrase(leaf, pieces, manner))
    return tuple(made)


def _phrase(leaf: Words, words: tuple[str, ...], manner: Manner) -> Atom:
    written = " ".join(leaf.words)
    elements = tuple(_element(word, manner, exact=leaf.exact) for word in words)
    lengths = [
        len(word) + 10 * bool(e.designation) for word, e in zip(words, elements, strict=True)
    ]
    return Atom(
        elements,
        lengths.index(max(lengths)),
        written.casefold(),
        written if leaf.exact and written != written.lower() else None,
        leaf.exact,
        manner.name or words[0][0].isupper(),
    )


def _is_designation(word: str) -> bool:
    return designations.is_designation(fold(word))


def _parts(word: str) -> list[str]:
    """A hyphenated word's words."""
    if _is_designation(word):
        return [word]
    return [piece for piece in fold(word).split("-") if piece]


def _element(word: str, manner: Manner, *, exact: bool = False) -> Element:
    if word.endswith("*"):
        return Element(_folded({word[:-1]}), begins=True)
    if _is_designation(word):
        return Element((), designation=fold(word))
    word = word.lower()
    if exact:
        return Element(_folded({word}))
    forms = {word, *forms_of(word, manner.languages)}
    if manner.in_cyrillic and LATIN.search(word):
        forms |= _cyrillic_forms(word, manner.languages)
    heard = {key for form in forms if CYRILLIC.search(form) for key in sounds.of_cyrillic(form)}
    return Element(_folded(forms), tuple(heard))


def _cyrillic_forms(word: str, languages: Languages) -> set[str]:
    return {
        form
        for language, written in sounds.cyrillic_of(word).items()
        if language in languages or not languages
        for name in written
        for form in {name, *forms_of(name, (language,))}
    }


def _folded(forms: Iterable[str]) -> tuple[str, ...]:
    text = fold("\n".join(forms)).replace("\0", "")
    folded = set(text.split())
    if "ь" in text or "'" in text:
        folded = {made for form in folded for made in comparable(form)}
    if "-" in text:
        folded |= {form.replace("-", "") for form in folded}
    return tuple(folded)
