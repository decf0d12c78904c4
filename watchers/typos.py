"""Which forms may a misspelt word stand for?

Candidates come from a delete-neighbourhood index: two words one edit apart agree when one letter of each, or of one,
is left out. Only the first letters are indexed, so the forms of one word share their keys; rapidfuzz then compares
the whole words.
"""

from collections.abc import Iterator
from typing import NamedTuple

from rapidfuzz.distance import OSA

SHORTEST = 5  # letters
ONE_EDIT_UP_TO = 7
_INDEXED = 7  # first letters of a form


def edits_of(word: str) -> int:
    """How many edits the forms of a word tolerate."""
    return 0 if len(word) < SHORTEST else 1 if len(word) <= ONE_EDIT_UP_TO else 2


class _Form(NamedTuple):
    letters: str
    edits: int  # at most so many
    atom: int


class TypoIndex:
    def __init__(self) -> None:
        self._forms: dict[str, list[_Form]] = {}  # by beginning
        self._beginnings: dict[str, tuple[str, ...]] = {}  # by what is left of a beginning

    def __bool__(self) -> bool:
        return bool(self._forms)

    def add(self, form: str, edits: int, atom: int) -> None:
        if len(form) < SHORTEST:
            return
        beginning = form[:_INDEXED]
        if beginning not in self._forms:
            self._forms[beginning] = []
            for left in _deletes(beginning, 2 if len(beginning) == _INDEXED else 1):
                self._beginnings[left] = (*self._beginnings.get(left, ()), beginning)
        self._forms[beginning].append(_Form(form, edits, atom))

    def candidates(self, word: str) -> Iterator[int]:
        """Atoms with a form near this word."""
        if len(word) < SHORTEST - 1:
            return
        beginnings: set[str] = set()
        for left in _deletes(word[:_INDEXED], 2):
            beginnings.update(self._beginnings.get(left, ()))
        for beginning in beginnings:
            for form in self._forms[beginning]:
                if _is_near(word, form):
                    yield form.atom


def _is_near(word: str, form: _Form) -> bool:
    longer = abs(len(form.letters) - len(word))
    if longer > form.edits:
        return False
    edits = OSA.distance(word, form.letters, score_cutoff=form.edits)
    if not 0 < edits <= form.edits:
        return False
    # Two edits and another first letter, or two letters more: rather another name (Зеленский is no еланский).
    return edits == 1 or (longer < 2 and word[0] == form.letters[0])


def _deletes(word: str, most: int) -> set[str]:
    made = {word}
    fresh = {word}
    for _ in range(most):
        fresh = {w[:i] + w[i + 1 :] for w in fresh for i in range(len(w))}
        made |= fresh
    return made
