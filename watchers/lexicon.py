"""Which atoms may a token of a text be part of?"""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from watchers import designations, sounds
from watchers.alphabet import decoded
from watchers.atoms import Atom
from watchers.forms import is_known
from watchers.spellings import LATIN, WORD, How, Spelling, is_plain, spellings
from watchers.typos import TypoIndex, edits_of

_MOST_TOKENS = 200_000  # remembered; then forgotten all at once
_LONGEST_NUMBER = 4  # digits; longer ones seldom come again and are not worth remembering
_SHORTEST_SOUND = 4  # letters
_LONGEST_HIDDEN = 25
_NUMBER = re.compile(r"\d+")
_WORDS_OF_ONE_LETTER = frozenset("авікосузяиiaouwzvs")


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
        self._sounds: dict[str, tuple[int, ...]] = {}
        self._numbers: dict[str, tuple[int, ...]] = {}
        self._typos = TypoIndex()
        for index, atom in enumerate(atoms):
            if not atom.expression:
                self._add(index, atom)
        self._lengths = sorted({len(prefix) for prefix in self._prefixes})
        self._beginnings = {form[0] for form in (*self._forms, *self._prefixes) if form}
        self.dull: set[bytes] = set()  # tokens that are part of no atom, as `encoded`
        self._seen: dict[bytes, tuple[str, tuple[Find, ...]]] = {}

    def _add(self, index: int, atom: Atom) -> None:
        element = atom.elements[atom.anchor]
        if element.designation:
            _put(self._numbers, [designations.number_of(element.designation)], index)
            return
        _put(self._prefixes if element.begins else self._forms, element.forms, index)
        _put(self._sounds, element.sounds, index)
        if atom.typo:
            for form in element.forms:
                self._typos.add(form, edits_of(atom.written), index)

    def __bool__(self) -> bool:
        """Is any word looked for? Not where there are only regular expressions."""
        return bool(self._forms or self._prefixes or self._sounds or self._numbers)

    def look_up(self, letters: bytes) -> tuple[str, tuple[Find, ...]]:
        """The token these letters are, and what it may be part of."""
        seen = self._seen.get(letters)
        if seen is not None:
            return seen
        token = decoded(letters)
        finds = () if self._is_clearly_dull(token) else self._surest(token)
        if len(self.dull) + len(self._seen) > _MOST_TOKENS:
            self.dull.clear()
            self._seen.clear()
        if finds or _is_odd_letter(token):
            self._seen[letters] = token, finds
        elif len(token) <= _LONGEST_NUMBER or not token.isdecimal():
            self.dull.add(letters)
        return token, finds

    def within(self, letters: str, shortest: int) -> Iterator[Find]:
        """Atoms whose words are hidden in a row of letters."""
        for start in range(len(letters) - shortest + 1):
            for end in range(start + shortest, min(len(letters), start + _LONGEST_HIDDEN) + 1):
                for spelling in spellings(letters[start:end]):
                    if (spelling.start, spelling.end) == (0, end - start):
                        for atom in self._forms.get(spelling.word, ()):
                            yield Find(atom, start, end, How.DISGUISED)

    def _is_clearly_dull(self, token: str) -> bool:
        """Nearly every token, told quickly."""
        if token.isdecimal():  # it stands for nothing but digits, of which it keeps the first
            return token[0] not in self._beginnings and token not in self._numbers
        if token in self._forms or not is_plain(token) or self._typos or self._lengths:
            return False
        if not self._sounds or len(token) < _SHORTEST_SOUND or token[-1] >= "а":
            return True
        return self._sounds.keys().isdisjoint(sounds.of_latin(token))

    def _surest(self, token: str) -> tuple[Find, ...]:
        """Each atom once for each place in the token, by its surest reading."""
        ways: dict[tuple[int, int, int], How] = {}
        for atom, start, end, how in self._all(token):
            key = atom, start, end
            ways[key] = min(how, ways.get(key, how))
        return tuple(Find(atom, start, end, how) for (atom, start, end), how in ways.items())

    def _all(self, token: str) -> Iterator[Find]:
        if is_plain(token):
            yield from self._spelt(Spelling(token, 0, len(token)), token)
        else:
            for spelling in spellings(token):
                yield from self._spelt(spelling, token)
        if token.isalpha():
            if self._sounds and LATIN.search(token):
                yield from self._heard(token, 0)
            if self._typos:
                yield from self._misspelt(token)
        else:
            yield from self._in_pieces(token)

    def _in_pieces(self, token: str) -> Iterator[Find]:
        for number in _NUMBER.finditer(token) if self._numbers else ():
            for atom in self._numbers.get(number[0], ()):
                yield Find(atom, number.start(), number.end(), How.PLAIN)
        for piece in WORD.finditer(token) if LATIN.search(token) else ():
            yield from self._heard(piece[0], piece.start())
            stem, apostrophe, _ = piece[0].rpartition("'")
            if apostrophe:  # Baranovichi's
                yield from self._heard(stem, piece.start())

    def _spelt(self, spelling: Spelling, token: str) -> Iterator[Find]:
        word, start, end, how = spelling
        atoms = self._forms.get(word, ())
        for length in self._lengths:
            if length > len(word):
                break
            atoms += self._prefixes.get(word[:length], ())
        if not atoms:
            return
        if how is How.DOUBLED:
            if is_known(token[start:end]):
                return
            how = How.DISGUISED
        for atom in atoms:
            yield Find(atom, start, end, how)

    def _heard(self, word: str, start: int) -> Iterator[Find]:
        if len(word) < _SHORTEST_SOUND:
            return
        for key in sounds.of_latin(word):
            for atom in self._sounds.get(key, ()):
                yield Find(atom, start, start + len(word), How.ROMANISED)

    def _misspelt(self, word: str) -> Iterator[Find]:
        near = set(self._typos.candidates(word))
        if near and not is_known(word):
            for atom in near:
                yield Find(atom, 0, len(word), How.TYPO)


def _is_odd_letter(token: str) -> bool:
    """A letter that is no word may be part of one that was taken to pieces."""
    return len(token) == 1 and token.isalpha() and token not in _WORDS_OF_ONE_LETTER


def _put(table: dict[str, tuple[int, ...]], keys: Iterable[str], index: int) -> None:
    for key in keys:
        known = table.get(key)
        table[key] = (index,) if known is None else (*known, index)
