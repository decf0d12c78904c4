"""Which forms does a word with a hyphen take?"""

from collections.abc import Callable, Collection
from itertools import product

from watchers.forms.paradigms import words

# A part of fewer letters does not inflect (Нью-Йорк, Усть-Кут), nor one that ends in a linking
# vowel (северо-запад, паўднёва-заходні), nor these.
SHORTEST = 4
LINKING = "оеєа"
FIXED = words("""
    санкт усть прэс пресс прес экс вице віцэ віце онлайн анлайн интернет інтэрнэт інтернет
    бизнес бізнэс бізнес медиа медыя медіа генерал унтер обер штаб блок кибер кібер дизель
    дызель
""")

# Last letters of two words that stand in the same case: поезда-призрака, города-героя,
# женщине-космонавту, Римского-Корсакова. A hint is enough: what does not exist does no harm.
_HARDENED = str.maketrans("яюїиієё", "ауыыыео")
_AGREEING = ({"а", "ы"}, {"е", "у"}, {"о", "а"})


def forms(word: str, forms_of: Callable[[str], Collection[str]]) -> set[str]:
    """Those of its last part, and of both parts where they inflect together (Cyrillic only)."""
    head, _, last = word.rpartition("-")
    lasts = forms_of(last)
    made = {f"{head}-{form}" for form in lasts} | {word}
    if _inflects(head) and len(last) >= SHORTEST:
        made |= {f"{a}-{b}" for a, b in product(forms_of(head), lasts) if _agree(a, b)}
    return made


def _inflects(head: str) -> bool:
    return len(head) >= SHORTEST and head[-1] not in LINKING and head not in FIXED


def _agree(one: str, other: str) -> bool:
    a, b = (form[-1].translate(_HARDENED) for form in (one, other))
    return (a == b or {a, b} in _AGREEING) and a > "z"
