"""Which atoms may a token of a text be part of?"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from watchers.atoms import Atom
from watchers.spellings import How, spellings

_MOST_TOKENS = 200_000  # remembered; then forgotten all at once


class Find(NamedTuple):
    """An atom's anchor in a token."""

    atom: int
    start: int  # in the token
    end: int
    how: How


class Lexicon:
    """Every form of every atom, and the tokens that were looked up before.

    A stream repeats its words: after some thousand posts nearly every token is known to be of no interest, and a
    post costs the same whether ten terms are watched or ten thousand.
    """

    def __init__(self, atoms: Sequence[Atom]) -> None:
        self._forms: dict[str, tuple[int, ...]] = {}
        self._prefixes: dict[str, tuple[int, ...]] = {}
        for index, atom in enumerate(atoms):
            if not atom.expression:
                self._add(index, atom)
        self._lengths = sorted({len(prefix) for prefix in self._prefixes})
        self.dull: set[str] = set()  # tokens that are part of no atom
        self._seen: dict[str, tuple[Find, ...]] = {}

    def _add(self, index: int, atom: Atom) -> None:
        element = atom.elements[atom.anchor]
        table = self._prefixes if element.begins else self._forms
        for form in element.forms:
            known = table.get(form)
            table[form] = (index,) if known is None else (*known, index)

    def look_up(self, token: str) -> tuple[Find, ...]:
        seen = self._seen.get(token)
        if seen is not None:
            return seen
        finds = tuple(self._surest(token))
        if len(self.dull) + len(self._seen) > _MOST_TOKENS:
            self.dull.clear()
            self._seen.clear()
        if finds:
            self._seen[token] = finds
        else:
            self.dull.add(token)
        return finds

    def _surest(self, token: str) -> Iterator[Find]:
        """Each atom once for each place in the token, by its surest reading."""
        ways: dict[tuple[int, int, int], How] = {}
        for atom, start, end, how in self._all(token):
            key = atom, start, end
            ways[key] = min(how, ways.get(key, how))
        for (atom, start, end), how in ways.items():
            yield Find(atom, start, end, how)

    def _all(self, token: str) -> Iterator[Find]:
        for word, start, end, how in spellings(token):
            for atom in self._forms.get(word, ()):
                yield Find(atom, start, end, how)
            for length in self._lengths:
                if length > len(word):
                    break
                for atom in self._prefixes.get(word[:length], ()):
                    yield Find(atom, start, end, how)
