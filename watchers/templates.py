"""Is one post the other with other numbers or names put in: an update, not a copy?"""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from rapidfuzz.distance import Levenshtein

from watchers.wording import CAPITAL, FIRST, NUMBER, Wording

_FIRM = 3  # so many equal words in a row are no chance
_GAP = 12  # words between two such rows; more is another passage
_EDGE = 4  # words beside the first and the last row
_STEM = 4  # letters of a name: its other forms are no other name


class _Row(NamedTuple):
    """Equal words in a row: where they start and end in the one post and the other."""

    start: int
    end: int
    other_start: int
    other_end: int


def is_update(one: Wording, other: Wording, *, whole: bool) -> bool:
    """Between equal words, do different numbers or names stand? With `whole`, before and after, too.

    Of a quote only what stands between counts: it begins and ends in the middle of another text.
    """
    rows = _rows(one.words, other.words)
    if not rows:
        return False
    for row, following in pairwise(rows):
        gap = one.part(row.end, following.start)
        instead = other.part(row.other_end, following.other_start)
        if max(len(gap.words), len(instead.words)) <= _GAP and _replaced(gap, instead):
            return True
    return whole and (
        _begins_otherwise(one, other, rows[0]) or _ends_otherwise(one, other, rows[-1])
    )


def _rows(words: Sequence[bytes], others: Sequence[bytes]) -> list[_Row]:
    return [
        _Row(step.src_start, step.src_end, step.dest_start, step.dest_end)
        for step in Levenshtein.opcodes(words, others)
        if step.tag == "equal" and step.src_end - step.src_start >= _FIRM
    ]


def _begins_otherwise(one: Wording, other: Wording, row: _Row) -> bool:
    start, other_start = _line_start(one, row.start), _line_start(other, row.other_start)
    if min(row.start - start, row.other_start - other_start) > _EDGE:
        return False
    return _replaced(
        one.part(max(start, row.start - _EDGE), row.start),
        other.part(max(other_start, row.other_start - _EDGE), row.other_start),
    )


def _ends_otherwise(one: Wording, other: Wording, row: _Row) -> bool:
    end, other_end = _line_end(one, row.end), _line_end(other, row.other_end)
    if min(end - row.end, other_end - row.other_end) > _EDGE:
        return False
    return _replaced(
        one.part(row.end, min(end, row.end + _EDGE)),
        other.part(row.other_end, min(other_end, row.other_end + _EDGE)),
    )


def _line_start(told: Wording, at: int) -> int:
    while at and not told.marks[at] & FIRST:
        at -= 1
    return at


def _line_end(told: Wording, at: int) -> int:
    while at < len(told.marks) and not told.marks[at] & FIRST:
        at += 1
    return at


def _replaced(gap: Wording, instead: Wording) -> bool:
    return _differ(_marked(gap, NUMBER), _marked(instead, NUMBER)) or _differ(
        _marked(gap, CAPITAL, _STEM), _marked(instead, CAPITAL, _STEM)
    )


def _marked(told: Wording, mark: int, length: int | None = None) -> list[bytes]:
    return [word[:length] for word, marks in zip(*told, strict=True) if marks & mark]


def _differ(some: list[bytes], others: list[bytes]) -> bool:
    """Has each what the other has not, or both the same in another order?"""
    if set(some) - set(others) and set(others) - set(some):
        return True
    return some != others and sorted(some) == sorted(others)
