"""What has to be found in a text, once a rule is taken to pieces and its words put into all their forms?"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from watchers import designations, expressions, sounds
from watchers.expressions import Expression
from watchers.forms import forms_of
from watchers.latin_names import cyrillic_of
from watchers.query import Leaf, Regex, Typo, Words
from watchers.spellings import CYRILLIC, LATIN, comparable, in_one_script
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
    whole = [_element(word, manner, exact=leaf.exact) for word in words]
    pieces = [_pieces(word, manner, exact=leaf.exact) for word in words]
    made = [_phrase(leaf, words, whole, manner)]
    if any(pieces):
        apart = [p for e, some in zip(whole, pieces, strict=True) for p in some or [e]]
        cut = [p for word in words for p in (_HYPHEN.split(word) if _is_compound(word) else [word])]
        made.append(_phrase(leaf, cut, apart, manner))
    return tuple(made)


def _phrase(leaf: Words, words: Sequence[str], elements: Sequence[Element], manner: Manner) -> Atom:
    written = " ".join(leaf.words)
    lengths = [
        len(word) + 10 * bool(e.designation) for word, e in zip(words, elements, strict=True)
    ]
    return Atom(
        tuple(elements),
        lengths.index(max(lengths)),
        written.casefold(),
        written if leaf.exact and written != written.lower() else None,
        leaf.exact,
        manner.name or words[0][0].isupper(),
    )


def _is_designation(word: str) -> bool:
    return designations.is_designation(fold(word))


_HYPHEN = re.compile("[-‐‑‒–—−]+")


def _is_compound(word: str) -> bool:
    return not _is_designation(word) and all(_HYPHEN.split(word)) and len(_HYPHEN.split(word)) > 1


def _pieces(word: str, manner: Manner, *, exact: bool) -> list[Element]:
    """A hyphenated word's words, each in its own forms and in those it has in the whole; none of another word."""
    if not _is_compound(word):
        return []
    cut = _HYPHEN.split(word)
    whole = set() if exact else forms_of(word.lower(), manner.languages)
    splits = [form.split("-") for form in whole]
    splits = [split for split in splits if len(split) == len(cut)]
    made = []
    for number, piece in enumerate(cut):
        element = _element(piece, manner, exact=exact)
        also = _folded({split[number] for split in splits})
        made.append(replace(element, forms=tuple({*element.forms, *also})))
    return made


def _element(word: str, manner: Manner, *, exact: bool = False) -> Element:
    if word.endswith("*"):
        return Element(_folded({in_one_script(word[:-1].lower())}), begins=True)
    if _is_designation(word):
        return Element((), designation=fold(word))
    word = in_one_script(word.lower())
    if exact:
        return Element(_folded({word}))
    forms = {word, *forms_of(word, manner.languages)}
    if manner.in_cyrillic and LATIN.search(word):
        forms |= _cyrillic_forms(word, manner.languages)
    if manner.name and not word.isascii() and LATIN.search(word):
        forms |= {form.translate(_BARE) for form in forms}  # Bialystok
    heard = {key for form in forms if CYRILLIC.search(form) for key in sounds.of_cyrillic(form)}
    return Element(_folded(forms), tuple(heard))


_BARE = str.maketrans("ąćęłńóśźżčšžŭ", "acelnoszzcszu")


def _cyrillic_forms(word: str, languages: Languages) -> set[str]:
    return {
        form
        for language, written in cyrillic_of(word).items()
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
