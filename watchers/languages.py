"""In which of the five languages is a post? PURE.

By letters: Ukrainian and Belarusian have і, of these only Ukrainian и, щ, ї and є, only Belarusian
ы, э and ў. Short posts without a telling letter go by the script's larger language.
"""

from collections import Counter
from typing import Final

LANGUAGES: Final = ("be", "ru", "uk", "pl", "en")
RARE = 0.01  # of the letters; what is rarer is a name or a quotation
_OF = {
    "west": "іїєґў",
    "be": "ыэўё",
    "uk": "ищїєґ",
    "pl": "ąćęłńóśźż",
}
_POLISH = {
    "się",
    "nie",
    "na",
    "do",
    "jest",
    "że",
    "dla",
    "po",
    "od",
    "przez",
    "oraz",
    "roku",
    "jak",
}


def language_of(text: str) -> str:
    letters = Counter(text.lower())
    latin = sum(letters[chr(code)] for code in range(ord("a"), ord("z") + 1))
    cyrillic = sum(number for letter, number in letters.items() if "а" <= letter <= "ґ")
    share = {name: sum(letters[letter] for letter in own) for name, own in _OF.items()}
    if latin + share["pl"] >= cyrillic:
        words = Counter(text.lower().split())
        polish = share["pl"] > RARE * latin or sum(words[word] for word in _POLISH) >= 2
        return "pl" if polish else "en"
    if share["west"] <= RARE * cyrillic:
        return "ru"
    return "be" if share["be"] > share["uk"] else "uk"
