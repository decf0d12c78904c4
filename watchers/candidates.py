"""Which keys must a post have for a rule to hold there? PURE: from the rule's tree to an expression of FTS5.

Whatever the matcher finds has these keys; what has them is still for the matcher to decide.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from os.path import commonprefix

from rapidfuzz import process
from rapidfuzz.distance import OSA

from watchers import designations
from watchers.atoms import Atom, Element, Manner, atoms_of
from watchers.forms import is_known
from watchers.query import Both, Either, Leaf, Near, Node, Not, Typo, leaves
from watchers.search_keys import CHANNEL, LANGUAGE, NUMBER, SOUND, key
from watchers.typos import SHORTEST, edits_of

_MANNER = Manner(())
_ANY_LETTER = "абвгдежзийклмнопрстуфхцчшщьыэюяіїєabcdefghijklmnopqrstuvwxyząćęłńóśźż\x7f"
_FIRST = 3  # letters of a word
_SHORTEST_BEGINNING = 4  # letters
_LAST = "\U0010ffff"

Range = tuple[str, str]  # of words, half-open


@dataclass(frozen=True, slots=True)
class Has:
    """Any of these keys will do."""

    keys: frozenset[str]
    begins: bool = False  # or one that begins with one of them


@dataclass(frozen=True, slots=True)
class AllOf:
    parts: tuple["Wanted", ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    parts: tuple["Wanted", ...]


Wanted = Has | AllOf | AnyOf
Misspelt = Callable[[Typo], frozenset[str]]  # the stored words that a word with ~ may stand for


def wanted(tree: Node, misspelt: Misspelt) -> Wanted | None:
    """None: any post may match, for the rule rests on a regular expression."""
    match tree:
        case Both(parts):
            some = [wanted(part, misspelt) for part in parts if not isinstance(part, Not)]
            return _all(some)
        case Near(left, right):
            return _all([wanted(left, misspelt), wanted(right, misspelt)])
        case Either(parts):
            return _any([wanted(part, misspelt) for part in parts])
        case Not():
            return None
    return _of_leaf(tree, misspelt)


def _of_leaf(leaf: Leaf, misspelt: Misspelt) -> Wanted | None:
    more = misspelt(leaf) if isinstance(leaf, Typo) else frozenset()
    return _any([_of_atom(atom, more) for atom in atoms_of(leaf, _MANNER)])


def _of_atom(atom: Atom, more: frozenset[str]) -> Wanted | None:
    if atom.expression:
        return None
    return _all([_of_element(element, more) for element in atom.elements])


def _of_element(element: Element, more: frozenset[str]) -> Wanted | None:
    if element.begins and min(map(len, element.forms), default=0) < _SHORTEST_BEGINNING:
        return None  # too many words begin so, and too many posts have one
    if element.designation:
        return Has(
            frozenset(NUMBER + beside for beside in designations.beside(element.designation))
        )
    heard = (SOUND + sound for sound in element.sounds)
    keys = map(key, (*element.forms, *more, *heard))
    return Has(frozenset(keys), element.begins)


def _all(parts: Iterable[Wanted | None]) -> Wanted | None:
    known = tuple(part for part in parts if part is not None)
    return AllOf(known) if len(known) > 1 else next(iter(known), None)


def _any(parts: Iterable[Wanted | None]) -> Wanted | None:
    known: list[Wanted] = []
    for part in parts:
        if part is None:
            return None
        known.append(part)
    return AnyOf(tuple(known)) if len(known) > 1 else next(iter(known), None)


def of_channel(channel_id: int) -> Wanted:
    return Has(frozenset({f"{CHANNEL}{channel_id}"}))


def of_language(language: str) -> Wanted:
    return Has(frozenset({LANGUAGE + language}))


def both(parts: Iterable[Wanted | None]) -> Wanted | None:
    return _all(parts)


def expression(wanted: Wanted) -> str:
    """As FTS5 wants it written."""
    match wanted:
        case AllOf(parts):
            return f"({' AND '.join(map(expression, parts))})"
        case AnyOf(parts):
            return f"({' OR '.join(map(expression, parts))})"
    star = " *" if wanted.begins else ""
    return f"({' OR '.join(f'{_quoted(one)}{star}' for one in sorted(wanted.keys))})"


def _quoted(word: str) -> str:
    return '"' + word.replace('"', '""') + '"'


# Typos: which of the words that stand in posts are near?


def typos_of(tree: Node) -> list[Typo]:
    return [leaf for leaf, positive in leaves(tree) if positive and isinstance(leaf, Typo)]


def ranges(typo: Typo) -> list[Range]:
    """Between which words those lie that the word may be misspelt as.

    Two edits leave the first letter as it is. Of one, what stands around it among the first letters is known.
    """
    whole = 1 if edits_of(typo.word.casefold()) > 1 else _FIRST
    found: set[Range] = set()
    for form in {form[: _FIRST + 2] for form in _forms(typo)}:
        found.add(_range(form[:whole]))
        found.update(map(_range, _with_an_edit(form)))
    return _merged(found)


def _with_an_edit(form: str) -> Iterator[str]:
    """How a word may begin when there is one edit among its first letters."""
    for at in range(_FIRST):
        head, rest = form[:at], form[at:]
        made = [head + rest[1:], head + rest[1] + rest[0] + rest[2:]]
        made += [head + letter + tail for letter in _ANY_LETTER for tail in (rest, rest[1:])]
        yield from (one[: _FIRST + 1] for one in made)


def near(typo: Typo, words: Sequence[str]) -> frozenset[str]:
    """Those of these words that are it, misspelt: none that a dictionary knows for another word."""
    edits = edits_of(typo.word.casefold())
    forms = _forms(typo)
    by_length: defaultdict[int, list[str]] = defaultdict(list)
    beginning = commonprefix(forms)  # noqa: RUF071 - of letters: these are no paths
    for word in _begin_alike(beginning, words, 2 * edits):
        by_length[len(word)].append(word)
    found: set[str] = set()
    for form in forms:
        # One letter more or less at most: so the matcher has it.
        some = [word for more in (-1, 0, 1) for word in by_length[len(form) + more]]
        alike = process.extract(form, some, scorer=OSA.distance, score_cutoff=edits, limit=None)
        found.update(word for word, _, _ in alike)
    return frozenset(word for word in found if not is_known(word))


def _begin_alike(beginning: str, words: Sequence[str], edits: int) -> list[str]:
    """Of very many words the few that are worth a comparison with each form.

    n edits of a word are at most n of its beginning, and move the end of that by at most n letters
    more: so 2 × n leave none out.
    """
    heads = [word[: len(beginning)] for word in words]
    alike = process.extract(beginning, heads, scorer=OSA.distance, score_cutoff=edits, limit=None)
    return [words[at] for _, _, at in alike]


def _forms(typo: Typo) -> list[str]:
    forms = (form for atom in atoms_of(typo, _MANNER) for e in atom.elements for form in e.forms)
    return [form for form in forms if len(form) >= SHORTEST]


def _range(beginning: str) -> Range:
    return key(beginning), key(beginning) + _LAST


def _merged(found: set[Range]) -> list[Range]:
    """Ascending, none inside of another."""
    kept: list[Range] = []
    for low, high in sorted(found):
        if not kept or high > kept[-1][1]:
            kept.append((low, high))
    return kept
