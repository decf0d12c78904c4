"""How is a name in Latin letters written in Cyrillic: Baranavichy, Баранавічы?"""

import re
from collections.abc import Iterator

_PAIRS = """
    shch щ szcz щ šč щ tch тч zgh зг ch ч cz ч sh ш sz ш zh ж kh х gh г ts ц tz ц rz ж
    ia я ya я ja я iu ю yu ю ju ю ie е ye е je е io ё yo ё jo ё ii ий iy ий yi ый
    a а b б v в g г d д e е z з k к l л m м n н o о p п r р s с t т u у f ф x кс w в q к c ц
    č ч š ш ž ж ŭ ў ć ць ś сь ź зь ń нь ł л ą он ę ен ó у ż ж
"""
_BELARUSIAN = "i і y ы h г j й shch шч šč шч szcz шч ii ій"
_RUSSIAN = "i и y ы h х j й"
_UKRAINIAN = "i і y и h г j й yi ї ii ій iy ий ie є ye є"


def _table(pairs: str) -> dict[str, str]:
    written = pairs.split()
    return dict(zip(written[::2], written[1::2], strict=True))


_OWN = {
    "be": _table(_PAIRS) | _table(_BELARUSIAN),
    "ru": _table(_PAIRS) | _table(_RUSSIAN),
    "uk": _table(_PAIRS) | _table(_UKRAINIAN),
}
_PIECES = re.compile("|".join(sorted({*_OWN["uk"], "ji"}, key=len, reverse=True)) + "|.")
_CONSONANTS = "бвгджзклмнпрстфхцчшщ"
_J = re.compile(f"(?<=[аеёиоуыэюяіє])[ыиі](?=$|[{_CONSONANTS}])")
_HARD_E = re.compile("(?<=[шжчцр])е")
_SHORT_U = re.compile(f"(?<=[аеёіоуыэюя])в(?=$|[{_CONSONANTS}])")
_HARD_I = re.compile("(?<=[шжчр])[іи]")
_SOFT_Y = re.compile("(?<=[гкхжшчщ])ы")
_SOFT_L = re.compile(f"л(?=$|[{_CONSONANTS}])")


def cyrillic_of(name: str) -> dict[str, set[str]]:
    """How a name, small letters, may be written in each Cyrillic language."""
    return {language: set(_written(name, language)) for language in _OWN}


def _written(name: str, language: str) -> Iterator[str]:
    table = _OWN[language]
    if language == "uk":
        name = re.sub("(?<=[^aeiouy])yi", "yji", name)  # Kyiv is Київ
        table = table | {"ji": "ї"}
    written = _J.sub("й", "".join(table.get(piece, piece) for piece in _PIECES.findall(name)))
    if language == "be":
        written = _HARD_I.sub("ы", _SHORT_U.sub("ў", _HARD_E.sub("э", written)))
    if language == "ru":
        written = _SOFT_Y.sub("и", written)
        if re.search("[кх]и$", written):
            yield f"{written}й"
    yield written
    if (softened := _SOFT_L.sub("ль", written)) != written:
        yield softened
