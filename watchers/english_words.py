"""Is this an English word, names included?

Rests on the dictionary that the package spylls ships (Hunspell's en_US, from SCOWL). Without the package no word is
known, and names in English posts are taken for Cyrillic ones a little too often.
"""

import importlib.util
import re
from functools import lru_cache
from pathlib import Path

_ENDINGS = re.compile("(?:'s|s'|s|es|ed|d|ing|ly|er|ers)$")


def is_english(word: str) -> bool:
    """A lower-case word."""
    words = _words()
    if word in words:
        return True
    stem = _ENDINGS.sub("", word)
    return stem != word and (stem in words or f"{stem}e" in words or f"{stem[:-1]}y" in words)


@lru_cache(maxsize=1)
def _words() -> frozenset[str]:
    found = importlib.util.find_spec("spylls")
    if not found or not found.origin:
        return frozenset()
    path = Path(found.origin).parent / "hunspell" / "data" / "en" / "en_US.dic"
    lines = path.read_text(encoding="utf-8").splitlines()[1:]
    return frozenset(line.partition("/")[0].lower() for line in lines)
