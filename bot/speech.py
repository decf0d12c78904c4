"""In which language is a sentence said, and how? PURE: no network, no database.

Whoever writes to a chat says first in which language (`with speaking("be"):`); `say` goes by it.
English sentences are the keys of the catalogues in locales/, one .po file a language.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Literal

from babel.dates import get_month_names
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from storage.said import Counted, Said

Language = Literal["en", "be", "ru", "uk", "pl"]
ENGLISH: Language = "en"
LANGUAGES: dict[str, str] = {  # each as those who speak it call it
    "en": "English",
    "be": "Беларуская",
    "ru": "Русский",
    "uk": "Українська",
    "pl": "Polski",
}
LOCALES = Path(__file__).parent / "locales"

USUAL: ContextVar[str] = ContextVar("usual", default=ENGLISH)  # what a chat gets that has none
LANGUAGE: ContextVar[str] = ContextVar("language", default=ENGLISH)  # what is spoken


def begin(language: str) -> None:
    """The language of the settings, for this task and all that begin in it."""
    USUAL.set(language)
    LANGUAGE.set(language)


@contextmanager
def speaking(language: str | None) -> Iterator[None]:
    """Say what is said in here in that language; None: in the usual one."""
    before = LANGUAGE.set(language or USUAL.get())
    try:
        yield
    finally:
        LANGUAGE.reset(before)


def known(code: str | None) -> str | None:
    """Our name of a language that Telegram calls `code`, such as `pl` or `pt-br`."""
    code = (code or "").replace("_", "-").partition("-")[0].casefold()
    return code if code in LANGUAGES else None


def say(what: str | BaseException, /, **values: object) -> str:
    """A sentence, in the language that is spoken. Of an exception its message.

    Values stand in it as they are: who makes HTML of it makes them safe first.
    """
    if isinstance(what, BaseException):
        what = what.args[0] if what.args else ""
    if isinstance(what, Counted):
        return say_number(what.template, what.many, what.n, **{**what.values, **values})
    template = what
    if isinstance(what, Said):
        template, values = what.template, {**what.values, **values}
    if not template:
        return ""  # by which a catalogue has its header
    return _filled(catalogue(LANGUAGE.get()).gettext(template), values)


def say_number(one: str, many: str, n: int, /, **values: object) -> str:
    """Likewise, going by the number `n`."""
    template = catalogue(LANGUAGE.get()).ngettext(one, many, n)
    return _filled(template, {"n": n, **values})


def _filled(template: str, values: dict[str, object]) -> str:
    if not values:
        return template
    return template.format_map({name: _value(template, name, values[name]) for name in values})


def _value(template: str, name: str, value: object) -> object:
    if isinstance(value, Said):
        return say(value)
    if isinstance(value, float) and f"{{{name}}}" in template:  # no format says how to write it
        return decimal(value)
    return _Number(value) if type(value) is int else value


class _Number(int):
    """`{n:,}` is written as the language does."""

    def __format__(self, format: str) -> str:
        return decimal(self) if format == "," else super().__format__(format)


@lru_cache(maxsize=len(LANGUAGES))
def catalogue(language: str) -> NullTranslations:
    path = LOCALES / f"{language}.po"
    if not path.exists():
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return GNUTranslations(compiled)


@lru_cache(maxsize=len(LANGUAGES))
def _months(language: str) -> dict[int, str]:
    return dict(get_month_names("abbreviated", "format", language))


def month(number: int) -> str:
    """«Nov», «ліс», «нояб.» …, as it stands behind the day."""
    return _months(LANGUAGE.get())[number]


def decimal(number: float) -> str:
    """«1,234.5», «1 234,5» …"""
    return format_decimal(number, format="#,##0.###", locale=LANGUAGE.get())
