"""Which words are hidden in single letters with blanks between: э ш е л о н?"""

import re
from collections.abc import Iterator

from watchers.lexicon import Find, Lexicon

_ROW = re.compile(r"(?<= )[^\s](?:[ .-]+[^\s](?= )){3,}")
_LETTER = re.compile(r"[^\s.-]")
_LONGEST_ROW = 200  # letters; more are cut
SHORTEST = 4  # letters of a hidden word
_NEAR = 10  # characters on each side in which three more letters stand


def rows(folded: str) -> Iterator[tuple[str, list[int]]]:
    """Single letters in a row, and where each stands."""
    for row in _ROW.finditer(folded):
        places = [letter.start() for letter in _LETTER.finditer(folded, *row.span())]
        places = places[:_LONGEST_ROW]
        yield "".join(folded[place] for place in places), places


def hidden_words(folded: str, lexicon: Lexicon) -> Iterator[tuple[Find, int, int]]:
    """The finds, and where they start and end."""
    for letters, places in rows(folded):
        for find in _longest(list(lexicon.within(letters, SHORTEST))):
            yield find, places[find.start], places[find.end - 1] + 1


def _longest(finds: list[Find]) -> Iterator[Find]:
    """Without those that are part of a longer word."""
    for find in finds:
        if not any(
            other.start <= find.start
            and find.end <= other.end
            and other.end - other.start > find.end - find.start
            for other in finds
        ):
            yield find


def is_in_row(letter: str, folded: str) -> bool:
    """Does a letter that is a token stand in a row of such?"""
    at = folded.find(f" {letter} ")
    while at >= 0:
        if _ROW.search(folded, max(at - _NEAR, 0), at + _NEAR):
            return True
        at = folded.find(f" {letter} ", at + 2)
    return False
