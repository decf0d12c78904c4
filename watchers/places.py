"""Where in a reading does an atom stand, given a token that holds its anchor?"""

import re
from collections.abc import Iterator

from watchers import designations, sounds
from watchers.alphabet import FOREIGN
from watchers.atoms import Atom, Element
from watchers.english_words import is_english
from watchers.forms import is_known
from watchers.lexicon import Find
from watchers.romanised import SURELY, romanised
from watchers.spellings import CYRILLIC, LATIN, WORD, How, spellings
from watchers.text import Reading, fold

_GAP = r"[ '.@$-]"
_NEXT = re.compile(rf"{_GAP}*([^\s.@$'-][^\s.@$-]*)")
_LAST = re.compile(rf"([^\s.@$'-][^\s.@$-]*?){_GAP}*$")
_FARTHEST = 60  # characters between two words of a phrase, and of a word
_AROUND = 40  # characters on each side that decide which script a word is in
_SHORTEST_NAME = 5  # letters of a Cyrillic name that is found in an English or Polish post


def places_of(
    find: Find, token: str, atom: Atom, reading: Reading, text: str
) -> Iterator[tuple[int, int]]:
    folded = reading.folded
    for at in _occurrences(token, folded):
        start, end = at + find.start, at + find.end
        if find.how is How.ALIKE and not _in_other_script(folded, start, end):
            continue
        if find.how is How.ROMANISED and not _may_be_romanised(atom, reading, start, end, text):
            continue
        designation = atom.elements[atom.anchor].designation
        if designation:
            place = _designation(atom, designation, reading, start, end, text)
            if place is None:
                continue
            start, end = place
        if len(atom.elements) > 1:
            whole = _walk(atom, folded, start, end)
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


def _may_be_romanised(atom: Atom, reading: Reading, start: int, end: int, text: str) -> bool:
    """Anything in a romanised post; in others, names that are no word of theirs."""
    points = romanised(reading.folded)
    if points >= SURELY:
        return True
    word = reading.folded[start:end]
    if points <= 0:
        if not atom.name or len(word) < _SHORTEST_NAME:
            return False
        if not text[reading.origin(start)].isupper():
            return False
    return not (is_english(word) or is_known(word, ("en", "pl")))


def _designation(
    atom: Atom, designation: str, reading: Reading, start: int, end: int, text: str
) -> tuple[int, int] | None:
    """The whole designation around its number."""
    folded = reading.folded
    pattern = designations.pattern(designation, exact=atom.exact)
    for match in pattern.finditer(folded, max(start - len(designation) - 12, 0)):
        if match.start() > start:
            return None
        if match.end() >= end:
            span = reading.span(*match.span(), text)
            written = text[span.start : span.end]
            if designations.counts_something(folded, match.start(), match.end(), written):
                return None
            return match.span()
    return None


def _walk(atom: Atom, folded: str, start: int, end: int) -> tuple[int, int] | None:
    """The whole phrase around its anchor."""
    for element in atom.elements[atom.anchor + 1 :]:
        after = _after(element, folded, end, atom.exact)
        if after is None:
            return None
        end = after
    for element in reversed(atom.elements[: atom.anchor]):
        before = _before(element, folded, start, atom.exact)
        if before is None:
            return None
        start = before
    return start, end


_BETWEEN = re.compile(rf"{_GAP}+")


def _after(element: Element, folded: str, end: int, exact: bool) -> int | None:
    if element.designation:
        gap = _BETWEEN.match(folded, end)
        pattern = designations.pattern(element.designation, exact=exact)
        match = pattern.match(folded, gap.end()) if gap else None
        return match.end() if match else None
    after = _NEXT.match(folded, end, end + _FARTHEST)
    return after.end(1) if after and _is(element, after[1]) else None


def _before(element: Element, folded: str, start: int, exact: bool) -> int | None:
    if element.designation:
        pattern = designations.pattern(element.designation, exact=exact)
        for match in pattern.finditer(folded, max(start - _FARTHEST, 0), start):
            if _BETWEEN.fullmatch(folded, match.end(), start):
                return match.start()
        return None
    before = _LAST.search(folded, max(start - _FARTHEST, 0), start)
    return before.start(1) if before and _is(element, before[1]) else None


def _is(element: Element, word: str) -> bool:
    for spelling in spellings(word):
        if (spelling.start, spelling.end) != (0, len(word)):
            continue
        if element.begins and spelling.word.startswith(element.forms):
            return True
        if spelling.word in element.forms:
            return True
    if element.sounds and LATIN.search(word):
        return any(key in element.sounds for key in sounds.of_latin(word))
    return False


_CAPITALS_ALIKE = str.maketrans("ABCEHIKMOPTXYaceikopxy", "АВСЕНІКМОРТХУасеікорху")


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
