"""What words may a token of a text be meant as, and how sure is that?

A token is what stands between two blanks of a folded text: a word, a hyphenated one, letters with dots between.
Each distinct token is looked at once (the matcher remembers the answer), so this may take its time.
"""

import re
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple

from watchers.text import FOREIGN


class How(IntEnum):
    """How a token was read; the first is the surest."""

    PLAIN = 0
    ALIKE = (
        1  # wholly in letters of another script that look like these: what stands around decides
    )
    DISGUISED = 2  # an evasive spelling undone

    @property
    def disguised(self) -> bool:
        return self is How.DISGUISED


class Spelling(NamedTuple):
    word: str
    start: int  # in the token
    end: int
    how: How


WORD = re.compile(rf"(?:[^\W_]|{FOREIGN})+(?:'(?:[^\W_]|{FOREIGN})+)*")
CYRILLIC = re.compile("[а-яєії]")
LATIN = re.compile("[a-ząćęłńóśźżčšžŭ]")
_TO_CYRILLIC = str.maketrans("abceikmoptxyh", "авсеікмортхун")
_TO_LATIN = str.maketrans("авсеікмортхун", "abceikmoptxyh")
_NEEDLESS_SOFT_SIGN = re.compile("(?<=[зсцн])ь(?=[бвмнлпсцзд])")


def spellings(token: str) -> Iterator[Spelling]:
    if token.isalpha():
        yield from _of_word(token, 0, len(token))
        return
    pieces = list(WORD.finditer(token))
    for piece in pieces:
        yield from _of_word(piece[0], *piece.span())
    for first in range(len(pieces)):
        for last in range(first + 1, min(len(pieces), first + 4)):
            yield from _of_pieces(token, pieces[first : last + 1])


def _of_pieces(token: str, pieces: list[re.Match[str]]) -> Iterator[Spelling]:
    start, end = pieces[0].start(), pieces[-1].end()
    between = token[start:end]
    if set(between) & {".", "@"}:
        return
    yield from _of_word(between, start, end)
    yield from _of_word("".join(piece[0] for piece in pieces), start, end)


def _of_word(word: str, start: int, end: int) -> Iterator[Spelling]:
    for spelling, how in _readings(word):
        yield Spelling(spelling, start, end, how)
        if (softer := _NEEDLESS_SOFT_SIGN.sub("", spelling)) != spelling:
            yield Spelling(softer, start, end, how)
    if "'" in word and LATIN.search(word):
        for piece in re.finditer("[^']+", word):
            yield Spelling(piece[0], start + piece.start(), start + piece.end(), How.PLAIN)


def _readings(word: str) -> Iterator[tuple[str, How]]:
    cyrillic, latin = CYRILLIC.search(word), LATIN.search(word)
    if "'" in word and cyrillic:
        word = word.replace("'", "")
    yield word, How.PLAIN
    how = How.PLAIN if cyrillic and latin else How.ALIKE
    if latin and not LATIN.search(other := word.translate(_TO_CYRILLIC)):
        yield other, how
    if cyrillic and not CYRILLIC.search(other := word.translate(_TO_LATIN)):
        yield other, how


def comparable(form: str) -> set[str]:
    """What a folded form is looked up by: Cyrillic without apostrophes, and also without needless soft signs."""
    if "'" in form and CYRILLIC.search(form):
        form = form.replace("'", "")
    if "ь" in form:
        return {form, _NEEDLESS_SOFT_SIGN.sub("", form)}
    return {form}
