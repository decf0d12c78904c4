"""Where does a regular expression match, in time linear in the text?"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import re2

from storage.model import Span
from storage.said import Said

_MEMORY = 1 << 20  # bytes a pattern may take, its automaton included
_MOST_SPANS = 1000


@dataclass(frozen=True)
class Expression:
    pattern: str
    problem: str | None = None  # why it is none
    _compiled: object = field(default=None, repr=False)

    def matches(self, text: str) -> bool:
        return self._compiled.search(text) is not None  # type: ignore[attr-defined]

    def spans(self, text: str) -> Iterator[Span]:
        """Where it matches, empty matches left out."""
        for n, match in enumerate(self._compiled.finditer(text)):  # type: ignore[attr-defined]
            if match.end() > match.start():
                yield Span(*match.span())
            if n > _MOST_SPANS:
                return


@lru_cache(maxsize=4096)
def compiled(pattern: str) -> Expression:
    options = re2.Options()
    options.case_sensitive = False
    options.max_mem = _MEMORY
    options.log_errors = False
    try:
        made = re2.compile(_with_all_letters(pattern), options)
        if made.search("") is not None:
            return Expression(pattern, Said("this regular expression matches even an empty text"))
    except re2.error as error:
        return Expression(pattern, _problem(error))
    return Expression(pattern, None, made)


_ESCAPE = re.compile(r"\\[wW]|\\.|\[\^?\]?|\]", re.DOTALL)


def _with_all_letters(pattern: str) -> str:
    r"""RE2's \w knows Latin letters only; here it means any letter, digit or _."""
    inside = False
    made, done = [], 0
    for match in _ESCAPE.finditer(pattern):
        made.append(pattern[done : match.start()])
        done = match.end()
        piece = match[0]
        if piece == r"\w":
            piece = r"\pL\pN_" if inside else r"[\pL\pN_]"
        elif piece == r"\W" and not inside:
            piece = r"[^\pL\pN_]"
        elif piece[0] == "[" or piece == "]":
            inside = piece[0] == "["
        made.append(piece)
    return "".join(made) + pattern[done:]


def _problem(error: Exception) -> Said:
    reason = error.args[0] if error.args else ""
    if isinstance(reason, bytes):
        reason = reason.decode(errors="replace")
    if "invalid perl operator" in reason or "invalid escape sequence" in reason:
        return Said(
            "this is no regular expression of RE2: {reason} "
            "(look-around and back references do not exist there)",
            reason=reason,
        )
    return Said("this is no regular expression of RE2: {reason}", reason=reason)


_TOGETHER = 50


class Expressions:
    """Many expressions, tried together first: most posts match none."""

    def __init__(self, expressions: dict[int, Expression]) -> None:
        items = list(expressions.items())
        self._groups = [
            (_either(group), group)
            for group in (items[i : i + _TOGETHER] for i in range(0, len(items), _TOGETHER))
        ]

    def __bool__(self) -> bool:
        return bool(self._groups)

    def spans(self, text: str) -> Iterator[tuple[int, list[Span]]]:
        """The keys of the expressions that match, and where."""
        for either, group in self._groups:
            if either.problem is None and not either.matches(text):
                continue
            for key, expression in group:
                if spans := list(expression.spans(text)):
                    yield key, spans


def _either(group: list[tuple[int, Expression]]) -> Expression:
    return compiled("|".join(f"(?:{expression.pattern})" for _, expression in group))
