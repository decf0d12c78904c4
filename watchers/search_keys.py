"""What is a post found by? Every word that a rule may find in it, however it is written there.

The matcher reads a token in several ways (another alphabet, digits for letters, stretched …). The keys of a
post are all of these readings, so that what the index offers for a rule always holds what the matcher
would find, and mostly little else. A key that begins with ~ is a sound, one with + a fact about the post.
"""

import re
from collections.abc import Iterator

from storage.model import Post
from watchers import designations, sounds
from watchers.alphabet import decoded, encoded
from watchers.hidden import SHORTEST, rows
from watchers.languages import language_of
from watchers.spellings import LATIN, WORD, is_plain, spellings
from watchers.text import letters_of, other_readings, read

SOUND, CHANNEL, LANGUAGE, NUMBER = "~", "+c", "+l", "+n"
_MOST_TOKENS = 200_000  # remembered; then forgotten all at once
_LONGEST_HIDDEN = 25  # letters, as the matcher has it
_DIGIT = re.compile(rb"\d")
_PIECE = re.compile(r"[^\s.@$'-][^\s.@$-]*")
_LETTERS_APART = re.compile(rb" [^ ][ .-]+[^ ] ")  # there may be a row of them
_SIGNS = str.maketrans({"'": "_", "\x7f": "_"})  # what the index takes for part of a word


def keys_of(post: Post) -> str:
    """All keys of a post, with blanks between."""
    found = [f"{CHANNEL}{post.channel_id}"]
    if language := language_of(post.text):
        found.append(LANGUAGE + language)
    for text in (post.text, *(extra.text for extra in post.extras)):
        found += _of_text(text)
    return " ".join(found)


def key(word: str) -> str:
    """A folded word as the index has it."""
    return word.translate(_SIGNS)


def _of_text(text: str) -> Iterator[str]:
    letters = letters_of(text)
    if letters is None:
        letters = encoded(read(text).folded)
    yield from _of_letters(letters)
    for reading in other_readings(text):
        yield from _of_letters(encoded(reading.folded))


def _of_letters(letters: bytes) -> Iterator[str]:
    yield " ".join(map(_known.__getitem__, set(letters.split())))
    if _LETTERS_APART.search(letters):
        yield from _of_rows(decoded(letters))
    if _DIGIT.search(letters):
        yield from (NUMBER + number for number in designations.numbers_in(decoded(letters)))


def _of_rows(folded: str) -> Iterator[str]:
    """Words with blanks between their letters."""
    for letters, _ in rows(folded):
        for start in range(len(letters)):
            for end in range(start + SHORTEST, min(start + _LONGEST_HIDDEN, len(letters)) + 1):
                yield " ".join(_spelt(letters[start:end])).translate(_SIGNS)


class _Known(dict[bytes, str]):
    """The keys of each token that was seen lately."""

    def __missing__(self, letters: bytes) -> str:
        if len(self) > _MOST_TOKENS:
            self.clear()
        self[letters] = keys = " ".join(_keys(decoded(letters))).translate(_SIGNS)
        return keys


_known = _Known()


def _keys(token: str) -> set[str]:
    keys = _spelt(token)
    if not token.isalpha():
        for piece in _PIECE.findall(token):
            keys |= _spelt(piece)
            keys.update(_heard(piece))
        for word in WORD.findall(token):
            keys.update(_heard(word))
            keys.update(_heard(word.rpartition("'")[0]))
    else:
        keys.update(_heard(token))
    return keys


def _spelt(token: str) -> set[str]:
    return {token} if is_plain(token) else {spelling.word for spelling in spellings(token)}


def _heard(word: str) -> Iterator[str]:
    if LATIN.search(word):
        for sound in sounds.of_latin(word):
            yield SOUND + sound
