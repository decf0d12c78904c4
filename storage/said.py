"""How is a sentence kept, so that every reader can get it in their own language? PURE.

Below bot/ nobody knows who will read what is said there, and what is stored is read later. So a
sentence is kept as what it was made of: the English template by which translations are found, and
the values that stand in it. It is an English string to whoever does not care.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Self


class Said(str):
    """`Said("{name} is watched already", name=…)`; a value may be Said, too. Plain text, no HTML."""

    template: str
    values: Mapping[str, object]

    def __new__(cls, template: str, /, **values: object) -> Self:
        made = super().__new__(cls, template.format_map(values) if values else template)
        made.template, made.values = template, values
        return made

    def in_words(self) -> dict[str, Any]:
        return {"say": self.template, "with": _written(self.values)}

    def kept(self) -> str:
        """For the database; `read` reads it."""
        return json.dumps(self.in_words(), ensure_ascii=False)


class Counted(Said):
    """`Counted("{n} gap", "{n} gaps", 3)`: goes by the number `n`."""

    many: str
    n: int

    def __new__(cls, one: str, many: str, n: int, /, **values: object) -> Self:
        made = super().__new__(cls, one if n == 1 else many, n=n, **values)
        made.template, made.many, made.n, made.values = one, many, n, values
        return made

    def __getnewargs_ex__(self) -> tuple[tuple[object, ...], Mapping[str, object]]:
        return (self.template, self.many, self.n), self.values  # to be copied by

    def in_words(self) -> dict[str, Any]:
        return {"say": self.template, "many": self.many, "n": self.n, "with": _written(self.values)}


def listed(separator: str, items: Iterable[str]) -> str:
    """`separator.join(items)` that stays Said."""
    values = {f"item{number}": item for number, item in enumerate(items)}
    return Said(separator.join(f"{{{name}}}" for name in values), **values)


def of(error: BaseException) -> str:
    """What an exception says; unlike `str(error)` as it was said."""
    return error.args[0] if error.args else ""


def kept(text: str | None) -> str | None:
    """What is to be stored beside the English text; None: it is nothing but text."""
    return text.kept() if isinstance(text, Said) else None


def read(text: str | None, said: str | None) -> str | None:
    """What was stored: the sentence, where it was kept as one."""
    return _read(json.loads(said)) if said else text


def _written(values: Mapping[str, object]) -> dict[str, object]:
    return {
        name: value.in_words()
        if isinstance(value, Said)
        else (value if isinstance(value, int | float) else str(value))
        for name, value in values.items()
    }


def _read(words: Mapping[str, Any]) -> Said:
    values = {
        name: _read(value) if isinstance(value, dict) else value
        for name, value in words["with"].items()
    }
    if "many" in words:
        return Counted(words["say"], words["many"], words["n"], **values)
    return Said(words["say"], **values)
