"""Where does a regular expression match, in time linear in the text?"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

import re2

from storage.model import Span

_MEMORY = 4 << 20  # bytes a pattern may take, its automaton included
_MOST_SPANS = 1000


@dataclass(frozen=True)
class Expression:
    pattern: str
    problem: str | None = None  # why it is none
    _compiled: object = field(default=None, repr=False)

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
        made = re2.compile(pattern, options)
        if made.search("") is not None:
            return Expression(pattern, "this regular expression matches even an empty text")
    except re2.error as error:
        return Expression(pattern, f"this is no regular expression of RE2: {_reason(error)}")
    return Expression(pattern, None, made)


def _reason(error: Exception) -> str:
    reason = error.args[0] if error.args else ""
    if isinstance(reason, bytes):
        reason = reason.decode(errors="replace")
    if "invalid perl operator" in reason or "invalid escape sequence" in reason:
        return f"{reason} (look-around and back references do not exist there)"
    return str(reason)
