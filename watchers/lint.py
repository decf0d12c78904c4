"""What is likely to be wrong with a rule that is one? Warnings to show before it is saved."""

import re
from dataclasses import dataclass

from storage.said import Said
from watchers import query
from watchers.forms import forms_of
from watchers.little_words import EVERYWHERE
from watchers.query import Both, Either, Leaf, Near, Node, Not, Regex, Typo, Words
from watchers.spellings import CYRILLIC, LATIN, LATIN_ALIKE
from watchers.text import fold

_SHORTEST_WORD = 3  # letters, without capitals that count
_SHORTEST_PREFIX = 4
_LITTLE = frozenset(fold(word) for word in EVERYWHERE)


_OPERATORS = (
    dict.fromkeys(("ИЛИ", "АБО", "ЦІ", "ЧИ", "LUB", "ALBO"), Said("either is written |"))
    | dict.fromkeys(("И", "І", "ДЫ", "ТА", "I", "ORAZ"), Said("both is written with a blank"))
    | dict.fromkeys(("НЕ", "НЯ", "NIE"), Said("not is written - before the word"))
)


@dataclass(frozen=True, slots=True)
class Warning:
    position: int  # in the rule, 0-based
    message: str  # says what to write instead, where that is known


def lint(rule: str) -> list[Warning]:
    """Warnings about a rule; RuleError when it is none."""
    tree = query.parse(rule)
    warnings = [w for leaf, wanted in query.leaves(tree) for w in _of_leaf(leaf, wanted)]
    return sorted(warnings + _never(tree), key=lambda w: w.position)


def _of_leaf(leaf: Leaf, wanted: bool) -> list[Warning]:
    if isinstance(leaf, Regex):
        return _of_regex(leaf, wanted)
    words = (leaf.word,) if isinstance(leaf, Typo) else leaf.words
    warnings = [w for word in words for w in _of_letters(word, leaf.position)]
    if wanted and isinstance(leaf, Words) and len(words) == 1:
        warnings += _of_frequency(words[0], leaf)
    return warnings


def _of_letters(word: str, position: int) -> list[Warning]:
    small = word.lower()
    if not (LATIN.search(small) and CYRILLIC.search(small)) or re.search(r"\d", small):
        return []
    strangers = "".join(dict.fromkeys(c for c in word if LATIN.search(c.lower())))
    alike = all(c.lower() in LATIN_ALIKE for c in strangers)
    if alike:
        what = Said(
            "{word} mixes scripts: {letters} (Latin letters that look Cyrillic); write it in one",
            word=word,
            letters=strangers,
        )
    else:
        what = Said(
            "{word} mixes scripts: {letters} (Latin and Cyrillic letters); write it in one",
            word=word,
            letters=strangers,
        )
    return [Warning(position, what)]


def _of_frequency(word: str, leaf: Words) -> list[Warning]:
    at = leaf.position
    if word.endswith("*"):
        if len(word) <= _SHORTEST_PREFIX:
            what = Said("{word} begins very many words: write more letters", word=word)
            return [Warning(at, what)]
        return []
    if word in _OPERATORS:
        what = Said("{word} is looked for as a word: {meant}", word=word, meant=_OPERATORS[word])
        return [Warning(at, what)]
    folded = fold(word)
    if folded in _LITTLE:
        what = Said(
            "{word} stands in almost every post: write it in a phrase, or a rarer word", word=word
        )
        return [Warning(at, what)]
    if len(word) < _SHORTEST_WORD and not (leaf.exact and word.isupper()):
        what = Said(
            "{word} is so short that it is found in very many posts: write ={capitals}",
            word=word,
            capitals=word.upper(),
        )
        return [Warning(at, what)]
    if (
        word.isupper()
        and len(word) <= 4
        and not leaf.exact
        and word.isalpha()
        and len(forms_of(word.lower())) > 1
    ):
        what = Said(
            "{word} is also found as a word in small letters: for the abbreviation write ={word}",
            word=word,
        )
        return [Warning(at, what)]
    return []


def _of_regex(leaf: Regex, wanted: bool) -> list[Warning]:
    from watchers.expressions import compiled

    if re.search(r"\\[bB]", leaf.pattern) and CYRILLIC.search(leaf.pattern.lower()):
        what = Said(r"\b knows Latin letters only, so this may never match: write (^|\PL) for it")
        return [Warning(leaf.position, what)]
    probe = compiled(leaf.pattern)
    if wanted and sum(bool(list(probe.spans(text))) for text in _PLAIN_POSTS) == len(_PLAIN_POSTS):
        what = Said("this expression matches almost every post: make it narrower")
        return [Warning(leaf.position, what)]
    return []


_PLAIN_POSTS = (
    "Сегодня утром в городе прошёл дождь, ночью будет холоднее.",
    "Сёння ў горадзе дождж, уначы будзе халадней.",
    "Сьогодні в місті дощ, вночі буде холодніше.",
    "W mieście pada dziś deszcz, w nocy będzie chłodniej.",
    "It rains in the city today and the night will be colder.",
)


# Rules that can never match: what is wanted is forbidden as well.


def _never(node: Node) -> list[Warning]:
    match node:
        case Both(parts):
            forbidden = {
                leaf for part in parts if isinstance(part, Not) for leaf in _any_of(part.part)
            }
            wanted = {leaf for part in parts if not isinstance(part, Not) for leaf in _all_of(part)}
            said = [
                Warning(
                    leaf.position,
                    Said("{word} is wanted and forbidden: this never matches", word=_name(leaf)),
                )
                for leaf in forbidden
                if leaf in wanted
            ]
            return said + [w for part in parts for w in _never(part)]
        case Either(parts):
            doubled = [part for n, part in enumerate(parts) if part in parts[:n]]
            said = [
                Warning(
                    _position(part),
                    Said("{word} stands on both sides of |: once is enough", word=_name(part)),
                )
                for part in doubled
                if isinstance(part, Words | Typo | Regex)
            ]
            return said + [w for part in parts for w in _never(part)]
        case Near(left, right):
            return _never(left) + _never(right)
        case Not(part):
            return _never(part)
    return []


def _all_of(node: Node) -> set[Leaf]:
    """Leaves that must be there."""
    match node:
        case Both(parts):
            return {leaf for part in parts for leaf in _all_of(part)}
        case Near(left, right):
            return _all_of(left) | _all_of(right)
        case Either() | Not():
            return set()
    return {node}


def _any_of(node: Node) -> set[Leaf]:
    """Leaves each of which is enough."""
    match node:
        case Either(parts):
            return {leaf for part in parts for leaf in _any_of(part)}
        case Both() | Near() | Not():
            return set()
    return {node}


def _position(leaf: Node) -> int:
    return leaf.position if isinstance(leaf, Words | Typo | Regex) else 0


def _name(leaf: Node) -> str:
    match leaf:
        case Words(words):
            return " ".join(words)
        case Typo(word):
            return word
        case Regex(pattern):
            return f"/{pattern}/"
    return "this"
