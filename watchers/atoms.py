"""What has to be found in a text, once a rule is taken to pieces and its words put into all their forms?"""

from collections.abc import Iterable
from dataclasses import dataclass

from watchers import expressions
from watchers.expressions import Expression
from watchers.forms import forms_of
from watchers.query import Leaf, Regex, Typo
from watchers.spellings import comparable
from watchers.text import fold


@dataclass(frozen=True, slots=True)
class Element:
    """One word of a phrase."""

    forms: tuple[str, ...]  # folded, as `comparable` has them
    begins: bool = False  # begins with one of these


@dataclass(frozen=True, slots=True)
class Atom:
    """Words next to each other, or a regular expression."""

    elements: tuple[Element, ...] = ()
    anchor: int = 0  # the element that is looked up; the others are compared where it stands
    written: str = ""  # case-folded
    cased: str | None = None  # as written, where capitals count
    name: bool = False  # of an entity
    typo: bool = False  # tolerates a typo
    expression: Expression | None = None


def atoms_of(leaf: Leaf, languages: tuple[str, ...], *, name: bool) -> tuple[Atom, ...]:
    """The ways to find a leaf: any of these will do."""
    if isinstance(leaf, Regex):
        return (Atom(expression=expressions.compiled(leaf.pattern)),)
    if isinstance(leaf, Typo):
        return (Atom((_element(leaf.word, languages, exact=False),), name=name, typo=True),)
    written = " ".join(leaf.words)
    cased = written if leaf.exact and written != written.lower() else None
    whole = tuple(_element(word, languages, exact=leaf.exact) for word in leaf.words)
    made = [Atom(whole, _longest(leaf.words), written.casefold(), cased, name)]
    if any("-" in fold(word) for word in leaf.words):
        pieces = [piece for word in leaf.words for piece in fold(word).split("-") if piece]
        apart = tuple(_element(piece, languages, exact=leaf.exact) for piece in pieces)
        made.append(Atom(apart, _longest(pieces), written.casefold(), cased, name))
    return tuple(made)


def _longest(words: Iterable[str]) -> int:
    lengths = [len(word) for word in words]
    return lengths.index(max(lengths))


def _element(word: str, languages: tuple[str, ...], *, exact: bool) -> Element:
    if word.endswith("*"):
        return Element(_folded({word[:-1]}), begins=True)
    return Element(_folded({word} if exact else {word.lower(), *forms_of(word.lower(), languages)}))


def _folded(forms: Iterable[str]) -> tuple[str, ...]:
    folded: set[str] = set()
    for form in fold("\n".join(forms)).replace("\0", "").split():
        folded |= comparable(form)
        if "-" in form:
            folded.add(form.replace("-", ""))
    return tuple(folded)
