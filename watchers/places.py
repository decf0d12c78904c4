"""Where in a reading does an atom stand, given a token that holds its anchor?"""

import re
from collections.abc import Iterator

from watchers.atoms import Atom, Element
from watchers.lexicon import Find
from watchers.spellings import CYRILLIC, LATIN, WORD, How, spellings
from watchers.text import FOREIGN, Reading, fold

_GAP = r"[ '.@-]"
_NEXT = re.compile(rf"{_GAP}*([^\s.@'-][^\s.@-]*)")
_LAST = re.compile(rf"([^\s.@'-][^\s.@-]*?){_GAP}*$")
_FARTHEST = 60  # characters between two words of a phrase, and of a word
_AROUND = 40  # characters on each side that decide which script a word is in


def places_of(
    find: Find, token: str, atom: Atom, reading: Reading, text: str
) -> Iterator[tuple[int, int]]:
    for at in _occurrences(token, reading.folded):
        start, end = at + find.start, at + find.end
        if find.how is How.ALIKE and not _in_other_script(reading.folded, start, end):
            continue
        if len(atom.elements) > 1:
            whole = _walk(atom, reading.folded, start, end)
            if whole is None:
                continue
            start, end = whole
        if atom.cased is not None and not _same_capitals(atom.cased, reading, start, end, text):
            continue
        if FOREIGN in token and not _same_letters(atom, reading, start, end, text):
            continue
        yield start, end


def _occurrences(token: str, folded: str) -> Iterator[int]:
    wanted = f" {token} "
    at = folded.find(wanted)
    while at >= 0:
        yield at + 1
        at = folded.find(wanted, at + len(wanted) - 1)


def _in_other_script(folded: str, start: int, end: int) -> bool:
    """Is the word at this place written in one script and surrounded by the other?"""
    around = folded[max(start - _AROUND, 0) : start] + " " + folded[end : end + _AROUND]
    cyrillic, latin = len(CYRILLIC.findall(around)), len(LATIN.findall(around))
    return latin < cyrillic if LATIN.search(folded, start, end) else cyrillic < latin


def _walk(atom: Atom, folded: str, start: int, end: int) -> tuple[int, int] | None:
    """The whole phrase around its anchor."""
    for element in atom.elements[atom.anchor + 1 :]:
        after = _NEXT.match(folded, end, end + _FARTHEST)
        if not after or not _is(element, after[1]):
            return None
        end = after.end(1)
    for element in reversed(atom.elements[: atom.anchor]):
        before = _LAST.search(folded, max(start - _FARTHEST, 0), start)
        if not before or not _is(element, before[1]):
            return None
        start = before.start(1)
    return start, end


def _is(element: Element, word: str) -> bool:
    for spelling in spellings(word):
        if (spelling.start, spelling.end) != (0, len(word)):
            continue
        if element.begins and spelling.word.startswith(element.forms):
            return True
        if spelling.word in element.forms:
            return True
    return False


_CAPITALS_ALIKE = str.maketrans("ABCEHIKMOPTXYacegikopxy", "АВСЕНІКМОРТХУасеgікорху")


def _capitals(text: str) -> str:
    """The words as written, look-alikes and punctuation aside."""
    words = WORD.finditer(fold(text).replace("\0", ""))
    return " ".join(text[w.start() : w.end()] for w in words).translate(_CAPITALS_ALIKE)


def _same_capitals(cased: str, reading: Reading, start: int, end: int, text: str) -> bool:
    span = reading.span(start, end, text)
    return _capitals(text[span.start : span.end]) == _capitals(cased)


def _same_letters(atom: Atom, reading: Reading, start: int, end: int, text: str) -> bool:
    """Letters of no alphabet of ours all fold to one: compare what was written."""
    span = reading.span(start, end, text)
    return text[span.start : span.end].casefold() == atom.written
