"""Is a post in Latin letters English or Polish, or Cyrillic romanised?

Told by little words (each counts twice) and groups of letters (once): zh and yu are neither English nor Polish, th is
only English, cz only Polish.
"""

import re
from functools import lru_cache

from watchers.little_words import ENGLISH, POLISH, ROMANISED

_ENGLISH_LETTERS = re.compile(
    "th|wh|ing|tion|ck|ee|oo|ght|ly |ough|ew|ay |ey |ed |q|sh |ll|al |ou[^n]"
)
_POLISH_LETTERS = re.compile("sz|cz|rz|[ąęłżóśćńź]| w|ow|aw|ie|dzi|eg|wi")
_ROMANISED_LETTERS = re.compile(
    "zh|kh|shch|[âûèê]|y[aoueiy]|j[aouei]|ii|iy|[aeiou]j |sk[aiouy]|v[aiykn]|[aeo][hg]o |ts[^ ]|tsia|[^s]ch[^e ]"
    "|dz|nn[yi]|i[au] |iu|aj|vs|zd|ky|y[mkh] "
)


SURELY = 3  # points


@lru_cache(maxsize=256)
def romanised(folded: str) -> int:
    """A folded text: by how many points do its Latin words look like Belarusian, Russian or Ukrainian ones rather than
    English or Polish ones? Not above 0: they do not."""
    words = folded.split()
    english = _score(words, folded, ENGLISH, _ENGLISH_LETTERS)
    polish = _score(words, folded, POLISH, _POLISH_LETTERS)
    points = _score(words, folded, ROMANISED, _ROMANISED_LETTERS)
    points += 3 * sum(folded.count(letter) for letter in "čšžŭ") + folded.count("v")
    return points - max(english, polish)


def _score(words: list[str], folded: str, own: frozenset[str], letters: re.Pattern[str]) -> int:
    return 2 * sum(word in own for word in words) + sum(1 for _ in letters.finditer(folded))
