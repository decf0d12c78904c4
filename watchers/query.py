"""What does a rule ask for? From its text to a tree, or to an error a person can act on.

either : both ("|" both)*          a | b
both   : part+                     a b
part   : "-"? near                 -a
near   : one ("NEAR/5" one)*       a NEAR/5 b
one    : word | =word | "phrase" | begin* | typo~ | /regex/ | ( either )
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import NoReturn, cast

from lark import Lark, Token, Transformer, UnexpectedInput, UnexpectedToken
from lark.exceptions import VisitError

from storage.said import Counted, Said
from watchers import rule_tokens
from watchers.rule_tokens import RuleError, Written

MOST_PARTS = 400  # words, phrases and expressions in one rule
DEEPEST = 20  # brackets within brackets


@dataclass(frozen=True, slots=True)
class Words:
    """One word, or several next to each other in this order."""

    words: tuple[str, ...]  # as written; a trailing * means: begins with
    exact: bool = False  # this form only; capitals count where there are any
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Typo:
    word: str
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Regex:
    pattern: str
    position: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Both:
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Either:
    parts: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Not:
    part: "Node"


@dataclass(frozen=True, slots=True)
class Near:
    left: "Node"
    right: "Node"
    words: int  # at most so many between


Leaf = Words | Typo | Regex
Node = Leaf | Both | Either | Not | Near

_GRAMMAR = """
?start: either
?either: both (_VBAR both)*
?both: part+
?part: near | NOT near -> negated
?near: one (NEAR one)*
?one: leaf | _LPAR either _RPAR
leaf: LEAF
%declare LEAF NEAR NOT _LPAR _RPAR _VBAR
"""


@lru_cache(maxsize=16_384)
def parse(rule: str) -> Node:
    """The tree of a rule; RuleError when it is none. Trees cannot change, so one is kept for each rule."""
    if rule.isalpha() and not rule.isupper() and len(rule) <= rule_tokens.LONGEST_WORD:
        return Words((rule,))  # nearly every rule; the grammar would say the same
    written = rule_tokens.split(rule)
    _check_brackets(rule, written)
    try:
        tree = cast(Node, _PARSER.parse(rule))
    except UnexpectedInput as error:
        _explain(rule, written, error)
    except VisitError as error:
        raise error.orig_exc from None
    if _holds_without(tree):
        raise RuleError(
            0,
            Said("this matches every post that lacks a word: say what to look for as well"),
            None,
        )
    return tree


def phrase(alias: str) -> Words:
    """An entity's name or alias, always a phrase; with = before it, in this form only."""
    exact = alias.startswith("=")
    words = rule_tokens.words_of(alias.replace("*", " "))
    if not words:
        raise RuleError(0, Said("there is no letter or digit to look for"), None)
    if len(alias) > rule_tokens.LONGEST_PHRASE:
        raise RuleError(
            rule_tokens.LONGEST_PHRASE,
            Counted(
                "a name has at most {n} character",
                "a name has at most {n} characters",
                rule_tokens.LONGEST_PHRASE,
            ),
            None,
        )
    return Words(words, exact)


def leaves(node: Node, *, wanted: bool = True) -> list[tuple[Leaf, bool]]:
    """Every leaf, and whether the rule wants it to be there."""
    match node:
        case Both(parts) | Either(parts):
            return [leaf for part in parts for leaf in leaves(part, wanted=wanted)]
        case Not(part):
            return leaves(part, wanted=not wanted)
        case Near(left, right):
            return leaves(left, wanted=wanted) + leaves(right, wanted=wanted)
    return [(node, wanted)]


def written(node: Node) -> str:
    """A part of a rule as one would write it."""
    match node:
        case Words(words, exact):
            shown = " ".join(words)
            return ("=" if exact else "") + (f'"{shown}"' if len(words) > 1 else shown)
        case Typo(word):
            return f"{word}~"
        case Regex(pattern):
            return f"/{pattern}/"
        case Both(parts):
            return " ".join(map(_in_brackets, parts))
        case Either(parts):
            return " | ".join(map(_in_brackets, parts))
        case Not(part):
            return f"-{_in_brackets(part)}"
    return f"{_in_brackets(node.left)} NEAR/{node.words} {_in_brackets(node.right)}"


def _in_brackets(node: Node) -> str:
    return f"({written(node)})" if isinstance(node, Both | Either | Near) else written(node)


def _holds_without(node: Node) -> bool:
    """Does the rule match a text that holds none of its words?"""
    match node:
        case Both(parts):
            return all(map(_holds_without, parts))
        case Either(parts):
            return any(map(_holds_without, parts))
        case Not(part):
            return not _holds_without(part)
    return False


class _Build(Transformer[Token, Node]):
    def leaf(self, tokens: list[Token]) -> Leaf:
        written: Written = tokens[0].value
        at = written.position
        if written.kind == "regex":
            return Regex(written.words[0], at)
        if written.kind == "typo":
            return Typo(written.words[0], at)
        return Words(written.words, written.kind == "exact", at)

    def either(self, parts: list[Node]) -> Node:
        return Either(tuple(parts))

    def both(self, parts: list[Node]) -> Node:
        return Both(tuple(parts))

    def negated(self, parts: list[Node]) -> Node:
        return Not(parts[1])

    def near(self, parts: list[Node | Token]) -> Node:
        tree, *rest = parts
        for token, right in zip(rest[::2], rest[1::2], strict=True):
            assert isinstance(token, Token)
            assert not isinstance(tree, Token)
            assert not isinstance(right, Token)
            tree = Near(tree, right, int(token.value.words[0]))
        assert not isinstance(tree, Token)
        return tree


_PARSER = Lark(_GRAMMAR, parser="lalr", lexer=rule_tokens.Lexing, transformer=_Build())


def _check_brackets(rule: str, written: list[Written]) -> None:
    opened: list[int] = []
    for token in written:
        if token.kind == "LPAR":
            opened.append(token.position)
        elif token.kind == "RPAR":
            if not opened:
                at = token.position
                raise RuleError(at, Said("this ) closes nothing"), _without(rule, at, at + 1))
            opened.pop()
        if len(opened) > DEEPEST:
            too_deep = Said("brackets go at most {levels} deep", levels=DEEPEST)
            raise RuleError(token.position, too_deep, None)
    if opened:
        raise RuleError(opened[-1], Said("this ( is never closed"), rule + ")" * len(opened))
    if sum(token.type == "LEAF" for token in written) > MOST_PARTS:
        what = Counted(
            "a rule has at most {n} word: make it two rules",
            "a rule has at most {n} words: make it two rules",
            MOST_PARTS,
        )
        raise RuleError(0, what, None)


def _without(rule: str, start: int, end: int) -> str | None:
    return " ".join((rule[:start] + " " + rule[end:]).split()) or None


_BEFORE = Said("nothing stands before this {sign}")
_AFTER = Said("nothing stands after this {sign}")
_ONE_MINUS = Said("one - is enough")
_ABSENT = Said("NEAR wants what is near, not what is absent")


def _explain(rule: str, written: list[Written], error: UnexpectedInput) -> NoReturn:
    """What a person would say about the place where the grammar stopped."""
    token = error.token if isinstance(error, UnexpectedToken) else None
    at = token.value.position if token is not None and token.type != "$END" else len(rule)
    before = next((w for w in reversed(written) if w.position < at), None)
    here = next((w for w in written if w.position == at), None)
    if here is None:  # the rule ended too early
        assert before is not None
        at, here, before = before.position, before, None
        side = _AFTER
    else:
        side = _BEFORE
    cut = _without(rule, here.position, here.end)
    if before is not None and here.kind == "RPAR":
        if before.kind == "LPAR":
            cut = _without(rule, before.position, here.end)
            raise RuleError(before.position, Said("there is nothing in these brackets"), cut)
        at, here, side = before.position, before, _AFTER
        cut = _without(rule, here.position, here.end)
    name = {"VBAR": "|", "NEAR": "NEAR", "NOT": "-"}.get(here.kind, rule[here.position : here.end])
    if here.kind == "NOT":
        doubled = before is not None and before.kind == "NOT"
        what = _ONE_MINUS if doubled else _ABSENT
        raise RuleError(at, what, cut)
    raise RuleError(at, Said(side, sign=name), cut)
