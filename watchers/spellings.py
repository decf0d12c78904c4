"""What words may a token of a text be meant as, and how sure is that?

A token is what stands between two blanks of a folded text: a word, a hyphenated one, letters with dots between.
Each distinct token is looked at once (the lexicon remembers the answer), so this may take its time.
"""

import re
from collections.abc import Iterator
from enum import IntEnum
from itertools import product
from typing import NamedTuple

from watchers.alphabet import FOREIGN


class How(IntEnum):
    """How a token was read; the first is the surest."""

    PLAIN = 0
    ALIKE = (
        1  # wholly in letters of another script that look like these: what stands around decides
    )
    ROMANISED = 2  # Cyrillic in Latin letters: the language of the post decides
    TYPO = 3
    DISGUISED = 4  # an evasive spelling undone
    DOUBLED = 5  # disguised, if no dictionary knows the word


class Spelling(NamedTuple):
    word: str
    start: int  # in the token
    end: int
    how: How = How.PLAIN


WORD = re.compile(rf"(?:[^\W_]|{FOREIGN})+(?:'(?:[^\W_]|{FOREIGN})+)*")
CYRILLIC = re.compile("[а-яєії]")
LATIN = re.compile("[a-ząćęłńóśźżčšžŭ]")
LATIN_ALIKE = "abceikmoptxyh"
CYRILLIC_ALIKE = "авсеікмортхун"
_TO_CYRILLIC = str.maketrans(LATIN_ALIKE, CYRILLIC_ALIKE)
_TO_LATIN = str.maketrans(CYRILLIC_ALIKE, LATIN_ALIKE)
# Latin letters that people put for Cyrillic ones that are drawn a little alike.
_TO_CYRILLIC_ROUGHLY = str.maketrans(LATIN_ALIKE + "unrgdzlfs", CYRILLIC_ALIKE + "ипгдджлфс")
_ODD = re.compile(rf"[{LATIN_ALIKE}]+|[{CYRILLIC_ALIKE}]+")
_NEEDLESS_SOFT_SIGN = re.compile("(?<=[зсцн])ь(?=[бвмнлпсцздкг])")
_STRETCHED = re.compile(r"(.)\1\1+")
_DOUBLED = re.compile(r"(.)\1")
_DOUBLED_INSIDE = re.compile(r"(.)\1(?!$)")  # калоніі is an ending like any other
_CYRILLIC_DIGITS = {
    "0": "о",
    "1": "іил",
    "2": "г",
    "3": "зеэ",
    "4": "ча",
    "5": "сб",
    "6": "бь",
    "7": "тг",
    "8": "в",
    "9": "дя",
    "@": "а",
    "$": "с",
}
_LATIN_DIGITS = {
    "0": "o",
    "1": "il",
    "2": "z",
    "3": "e",
    "4": "a",
    "5": "s",
    "6": "gb",
    "7": "t",
    "8": "b",
    "9": "g",
    "@": "a",
    "$": "s",
}
_DIGIT = re.compile(r"[0-9@$]")
_MOST_DIGITS = 4
_SHORTEST_HIDDEN = 4  # letters of a word that may be read out of digits or dots


_CYRILLIC_RANGE, _LATIN_RANGE = CYRILLIC.pattern, LATIN.pattern
_UNUSUAL = re.compile(
    rf"[ь'{FOREIGN}]|(.)\1|{_CYRILLIC_RANGE}{_LATIN_RANGE}|{_LATIN_RANGE}{_CYRILLIC_RANGE}"
)


def is_plain(token: str) -> bool:
    """Nearly every token: a word that can be read in one way only."""
    return token.isalpha() and not _UNUSUAL.search(token) and not _ODD.fullmatch(token)


def spellings(token: str) -> Iterator[Spelling]:
    if token.isalpha():
        yield from _of_word(token, 0, len(token))
        return
    pieces = list(WORD.finditer(token))
    for piece in pieces:
        yield from _of_word(piece[0], *piece.span())
    if len(pieces) > 1:
        yield from _of_pieces(token, pieces)
    if _DIGIT.search(token):
        yield from _of_digits(token)


def _of_pieces(token: str, pieces: list[re.Match[str]]) -> Iterator[Spelling]:
    """Hyphenated words; and words that were taken to pieces by hyphens or dots."""
    if all(len(piece[0]) == 1 for piece in pieces):
        yield from _disguised("".join(p[0] for p in pieces), pieces[0].start(), pieces[-1].end())
        return
    for first in range(len(pieces)):
        whole = {len(pieces) - 1} if first == 0 else set()
        for last in {*range(first + 1, min(len(pieces), first + 4))} | whole:
            start, end = pieces[first].start(), pieces[last].end()
            between = token[start:end]
            joined = "".join(piece[0] for piece in pieces[first : last + 1])
            if not set(between) & {".", "@", "$"}:
                yield from _of_word(between, start, end)
                yield from _of_word(joined, start, end)
            elif len(joined) >= _SHORTEST_HIDDEN:
                yield from _disguised(joined, start, end)


def _of_digits(token: str) -> Iterator[Spelling]:
    """Digits for letters: бар4новичи."""
    for piece in re.finditer(r"[^\W_@$]*[^\W_][\w@$]*", token):
        word = piece[0]
        digits = len(_DIGIT.findall(word))
        if len(word) < _SHORTEST_HIDDEN or not 0 < digits <= min(_MOST_DIGITS, len(word) / 2):
            continue
        meant = _CYRILLIC_DIGITS if CYRILLIC.search(word) else _LATIN_DIGITS
        for letters in product(*(meant.get(c, c) for c in word)):
            yield from _disguised("".join(letters), *piece.span())


def _disguised(word: str, start: int, end: int) -> Iterator[Spelling]:
    for spelling in _of_word(word, start, end):
        yield spelling._replace(how=How.DISGUISED)


def _of_word(word: str, start: int, end: int) -> Iterator[Spelling]:
    yield Spelling(word, start, end)
    if "ь" in word and (softer := _NEEDLESS_SOFT_SIGN.sub("", word)) != word:
        yield Spelling(softer, start, end)
    if "'" in word:
        yield from _of_apostrophes(word, start, end)
    if not word.isascii() or _ODD.fullmatch(word):
        for spelling, how in _in_other_letters(word):
            yield Spelling(spelling, start, end, how)
    if _DOUBLED.search(word):
        for spelling, how in _squeezed(word):
            yield Spelling(spelling, start, end, how)


def _of_apostrophes(word: str, start: int, end: int) -> Iterator[Spelling]:
    if CYRILLIC.search(word):
        yield Spelling(word.replace("'", ""), start, end)
        return
    for piece in re.finditer("[^']+", word):
        yield Spelling(piece[0], start + piece.start(), start + piece.end())


def _in_other_letters(word: str) -> Iterator[tuple[str, How]]:
    latin = LATIN.search(word)
    cyrillic = CYRILLIC.search(word)
    if not (latin and cyrillic):
        if _ODD.fullmatch(word):
            yield word.translate(_TO_CYRILLIC if latin else _TO_LATIN), How.ALIKE
        return
    word = word.replace("'", "")
    for table, script, how in (
        (_TO_CYRILLIC, LATIN, How.PLAIN),
        (_TO_LATIN, CYRILLIC, How.PLAIN),
        (_TO_CYRILLIC_ROUGHLY, LATIN, How.DISGUISED),
    ):
        other = word.translate(table)
        if not script.search(other):
            yield other, how
            if (softer := _NEEDLESS_SOFT_SIGN.sub("", other)) != other:
                yield softer, how


def _squeezed(word: str) -> Iterator[tuple[str, How]]:
    """Stretched letters: Мииинск; doubled ones where no dictionary knows the word."""
    runs = _STRETCHED.findall(word)
    if not runs:
        if len(word) > _SHORTEST_HIDDEN:
            yield _DOUBLED_INSIDE.sub(r"\1", word), How.DOUBLED
        return
    if len(runs) > 3:
        yield _DOUBLED.sub(r"\1", _STRETCHED.sub(r"\1", word)), How.DISGUISED
        return
    for times in product((1, 2), repeat=len(runs)):
        squeezed = _with_runs(word, times)
        yield squeezed, How.DISGUISED
        yield squeezed.translate(_TO_CYRILLIC), How.DISGUISED


def _with_runs(word: str, times: tuple[int, ...]) -> str:
    """Each stretched letter so many times."""
    left = iter(times)
    return _STRETCHED.sub(lambda run: str(run[1]) * next(left), word)


def in_one_script(word: str) -> str:
    """A small-letter word of a rule, without letters of another script that look like its own."""
    if CYRILLIC.search(word) and LATIN.search(word):
        for table, script in ((_TO_CYRILLIC, LATIN), (_TO_LATIN, CYRILLIC)):
            if not script.search(other := word.translate(table)):
                return other
    return word


def comparable(form: str) -> set[str]:
    """What a folded form is looked up by: Cyrillic without apostrophes, and also without needless soft signs."""
    if "'" in form and CYRILLIC.search(form):
        form = form.replace("'", "")
    if "ь" in form:
        return {form, _NEEDLESS_SOFT_SIGN.sub("", form)}
    return {form}
