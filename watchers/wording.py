"""In which words is a post told, without links, emoji and what its channel says every time?"""

import re
from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple
from zlib import crc32

from watchers.alphabet import FOREIGN, encoded
from watchers.spellings import CYRILLIC_ALIKE, LATIN_ALIKE
from watchers.text import letters_of, read

CAPITAL, NUMBER, FIRST = 1, 2, 4  # marks of a word: has a capital, a digit, is the first of a line

_LINK = re.compile(r"https?://\S+|www\.\S+|\bt\.me/\S+|@\w+")
_IN_NUMBER = re.compile(r"[.,:](?<=\d.)(?=\d)")
_WORD = re.compile(rb"\S+")
_DIGITS = b"0123456789"
_ALIKE = bytes.maketrans(encoded(LATIN_ALIKE) + b".@$|-", encoded(CYRILLIC_ALIKE) + b"     ")
_FOREIGN = encoded(FOREIGN)

# How a channel's ways are learnt: from its latest posts, of each the words on both ends.
_LATEST = 12
_HEAD, _TAIL = 8, 16


class Wording(NamedTuple):
    words: list[bytes]  # folded, letters that look alike made one
    marks: bytes  # of each word

    def part(self, start: int, end: int) -> "Wording":
        return Wording(self.words[start:end], self.marks[start:end])

    def last_lines(self, most: int) -> "Wording":
        """As many whole lines as have no more words than that; not all, and one at least if there are two."""
        starts = [at for at, mark in enumerate(self.marks) if mark & FIRST][1:]
        fitting = [at for at in starts if len(self.words) - at <= most] or starts[-1:]
        return self.part(fitting[0] if fitting else len(self.words), len(self.words))


def words_of(text: str) -> list[bytes]:
    """The words alone: the quick way."""
    letters = letters_of(_bare(text))
    if letters is None or _FOREIGN in letters:
        return wording(text).words
    return letters.translate(_ALIKE).split()


def wording(text: str) -> Wording:
    text = _bare(text)
    letters, origin = letters_of(text), None
    if letters is None:
        reading = read(text)
        letters, origin = encoded(reading.folded), reading.origin
    words: list[bytes] = []
    marks = bytearray()
    line_end = -1  # of the line before the next word
    for match in _WORD.finditer(letters.translate(_ALIKE)):
        word, (start, end) = match[0], match.span()
        start, end = (origin(start), origin(end)) if origin else (start - 1, end - 1)
        mark = CAPITAL if text[start].isupper() else 0
        if word[0] in _DIGITS or word[-1] in _DIGITS:
            mark |= NUMBER
        if not words or 0 <= line_end < start:
            mark |= FIRST
            line_end = text.find("\n", start)
        if _FOREIGN in word:
            word = text[start:end].casefold().encode()
        words.append(word)
        marks.append(mark)
    return Wording(words, bytes(marks))


def _bare(text: str) -> str:
    """Without links, and 1,5 as one word."""
    return _IN_NUMBER.sub("", _LINK.sub(" ", text))


def triples(words: Sequence[bytes]) -> set[int]:
    """A number for each three words in a row; the same in every process."""
    return {crc32(b"%b %b %b" % three) for three in zip(words, words[1:], words[2:], strict=False)}


class Ways:
    """What a channel puts above and below whatever it publishes, learnt from its latest posts."""

    def __init__(self) -> None:
        self._heads: deque[Sequence[bytes]] = deque(maxlen=_LATEST)
        self._tails: deque[Sequence[bytes]] = deque(maxlen=_LATEST)

    def core(self, words: Sequence[bytes]) -> tuple[int, int]:
        """Where a post starts and ends without them: two earlier posts have the same words there."""
        head = _shared(self._heads, words[:_HEAD])
        tail = _shared(self._tails, words[: -_TAIL - 1 : -1])
        tail = tail if tail > 1 else 0
        return head, max(len(words) - tail, head)

    def learn(self, words: Sequence[bytes]) -> None:
        self._heads.append(words[:_HEAD])
        self._tails.append(words[: -_TAIL - 1 : -1])


def _shared(earlier: Iterable[Sequence[bytes]], words: Sequence[bytes]) -> int:
    """With how many words two of the earlier ones begin, too."""
    begins = [other for other in earlier if other and words and other[0] == words[0]]
    lengths = sorted((_alike(other, words) for other in begins), reverse=True)
    return lengths[1] if len(lengths) > 1 else 0


def _alike(one: Sequence[bytes], other: Sequence[bytes]) -> int:
    length = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        length += 1
    return length
