"""Does a rule hold for a post, given where its atoms stand, and which of them make it hold?"""

import re
from bisect import bisect_left
from collections.abc import Callable, Mapping
from typing import NamedTuple

from watchers.query import Both, Either, Leaf, Near, Node, Not

_WORD = re.compile(r"[^\W_]+(?:['’ʼ-][^\W_]+)*")


class Occurrence(NamedTuple):
    """Where an atom stands: in the post's text, or in one of its extras."""

    text: int  # 0 is the post's text, 1 its first extra …
    start: int
    end: int
    disguised: bool = False


Found = Callable[[Leaf], list[Occurrence]]


def evaluate(node: Node, found: Found, texts: Mapping[int, str]) -> list[Occurrence] | None:
    """The occurrences that make the rule hold; None when it does not."""
    match node:
        case Both(parts):
            both = [evaluate(part, found, texts) for part in parts]
            return None if None in both else [o for part in both if part for o in part]
        case Either(parts):
            either = [evaluate(part, found, texts) for part in parts]
            held = [part for part in either if part is not None]
            return [o for part in held for o in part] if held else None
        case Not(part):
            return [] if evaluate(part, found, texts) is None else None
        case Near(left, right, words):
            one, other = evaluate(left, found, texts), evaluate(right, found, texts)
            return _near(one, other, words, texts) if one and other else None
    return found(node) or None


def _near(
    one: list[Occurrence], other: list[Occurrence], words: int, texts: Mapping[int, str]
) -> list[Occurrence] | None:
    one, other = sorted(one), sorted(other)
    near = [o for o in one if _has_neighbour(o, other, words, texts)]
    near += [o for o in other if _has_neighbour(o, one, words, texts)]
    return near or None


def _has_neighbour(
    this: Occurrence, others: list[Occurrence], words: int, texts: Mapping[int, str]
) -> bool:
    at = bisect_left(others, this)
    for other in others[max(at - 2, 0) : at + 2]:
        first, second = sorted((this, other))
        if first.text != second.text or first.end > second.start:
            continue
        between = texts[this.text][first.end : second.start]
        if len(_WORD.findall(between)) <= words:
            return True
    return False
