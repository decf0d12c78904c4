"""Which watchlists does a YAML file hold? And back: watchlists as YAML.

Every mistake names the line and what to write instead. Ids are counted from 1: whoever stores the watchlists gives
them their own.
"""

import re
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from storage.model import Severity, Term, Watchlist
from watchers import query
from watchers.forms import LANGUAGES
from watchers.rule_tokens import RuleError

PACKS = Path(__file__).parent / "packs"  # watchlists to start from, one file a pack
_NAME = re.compile(r"[\w-]{1,64}")
_CHANNEL = re.compile(r"@[A-Za-z]\w{3,31}|\d{1,20}", re.ASCII)
_LIST_KEYS = ("name", "title", "severity", "languages", "channels", "terms")
_TERM_KEYS = ("name", "kind", "aliases", "unless")


class WatchlistFileError(ValueError):
    """A file that holds no watchlists: where, why, and what to write instead."""

    def __init__(self, file: str, line: int, message: str) -> None:
        super().__init__(f"{file}, line {line}: {message}")
        self.file = file
        self.line = line  # from 1
        self.message = message


def load(text: str, file: str = "watchlists") -> tuple[Watchlist, ...]:
    """Watchlists as they are written; `file` is the name that errors give."""
    return _Reader(file).watchlists(text)


def dump(watchlists: Iterable[Watchlist]) -> str:
    data = {"watchlists": [_as_data(watchlist) for watchlist in watchlists]}
    return yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=120)


def _as_data(watchlist: Watchlist) -> dict[str, object]:
    data: dict[str, object] = {"name": watchlist.name, "title": watchlist.title}
    if watchlist.severity is not Severity.NORMAL:
        data["severity"] = watchlist.severity.value
    if watchlist.languages:
        data["languages"] = list(watchlist.languages)
    if watchlist.channels:
        data["channels"] = list(watchlist.channels)
    data["terms"] = [_term_as_data(term) for term in watchlist.terms]
    return data


def _term_as_data(term: Term) -> object:
    if not term.is_entity and term.unless is None:
        return term.name
    data: dict[str, object] = {"name": term.name}
    if term.kind is not None:
        data["kind"] = term.kind
    if term.aliases:
        data["aliases"] = list(term.aliases)
    if term.unless is not None:
        data["unless"] = term.unless
    return data


class _Reader:
    def __init__(self, file: str) -> None:
        self._file = file

    def watchlists(self, text: str) -> tuple[Watchlist, ...]:
        root = self._compose(text)
        top = self._mapping(root, ("watchlists",), "the file", "watchlists:")
        if "watchlists" not in top:
            self._fail(root, "write `watchlists:` first, then a list of them")
        lists: dict[str, Watchlist] = {}
        for number, node in enumerate(self._sequence(top["watchlists"], "watchlists"), start=1):
            watchlist = self._watchlist(number, node)
            if watchlist.name.casefold() in lists:
                self._fail(node, f"there is a watchlist {watchlist.name} already: names are unique")
            lists[watchlist.name.casefold()] = watchlist
        return tuple(lists.values())

    def _compose(self, text: str) -> Node:
        try:
            root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 1
            hint = "; a rule with : # [ { or quotes in it stands between '…'"
            raise WatchlistFileError(self._file, line, f"{error.problem}{hint}") from None
        except yaml.YAMLError as error:
            raise WatchlistFileError(self._file, 1, f"this is no YAML: {error}") from None
        if root is None:
            raise WatchlistFileError(self._file, 1, "the file is empty: write `watchlists:` first")
        return root

    def _watchlist(self, number: int, node: Node) -> Watchlist:
        keys = self._mapping(node, _LIST_KEYS, "a watchlist", "- name: …")
        if "name" not in keys:
            self._fail(node, "a watchlist has a name: write `name: …`")
        name = self._text(keys["name"])
        if not _NAME.fullmatch(name):
            what = "a name has letters, digits, - and _, at most 64"
            self._fail(keys["name"], f"{what}: not {name!r}")
        terms = self._items(keys, "terms")
        return Watchlist(
            number,
            name,
            self._text(keys["title"]) if "title" in keys else name,
            self._terms(terms),
            self._severity(keys.get("severity")),
            tuple(self._language(item) for item in self._items(keys, "languages")),
            tuple(self._channel(item) for item in self._items(keys, "channels")),
        )

    def _terms(self, nodes: list[Node]) -> tuple[Term, ...]:
        terms: dict[str, Term] = {}
        for number, node in enumerate(nodes, start=1):
            term = self._term(number, node)
            if term.name in terms:
                self._fail(node, f"the term {term.name} is there twice: take one away")
            terms[term.name] = term
        return tuple(terms.values())

    def _term(self, number: int, node: Node) -> Term:
        if isinstance(node, ScalarNode):
            term = Term(number, self._text(node))
            self._check(node, term)
            return term
        keys = self._mapping(node, _TERM_KEYS, "a term", "a rule, or - name: …")
        if "name" not in keys:
            self._fail(node, "a term has a name: write `name: …`")
        term = Term(
            number,
            self._text(keys["name"]),
            self._text(keys["kind"]) if "kind" in keys else None,
            tuple(self._text(item) for item in self._items(keys, "aliases")),
            self._text(keys["unless"]) if "unless" in keys else None,
        )
        self._check(keys["name"], term)
        for alias_node, alias in zip(self._items(keys, "aliases"), term.aliases, strict=True):
            self._rule(alias_node, alias, alias=True)
        if term.unless is not None:
            self._rule(keys["unless"], term.unless)
        return term

    def _check(self, node: Node, term: Term) -> None:
        self._rule(node, term.name, alias=term.is_entity)

    def _rule(self, node: Node, text: str, *, alias: bool = False) -> None:
        try:
            query.phrase(text) if alias else query.parse(text)
        except RuleError as error:
            self._fail(node, f"in {text!r} {error}")

    def _severity(self, node: Node | None) -> Severity:
        if node is None:
            return Severity.NORMAL
        text = self._text(node)
        if text not in list(Severity):
            self._fail(node, f"severity is low, normal or high: not {text!r}")
        return Severity(text)

    def _language(self, node: Node) -> str:
        text = self._text(node)
        if text not in LANGUAGES:
            self._fail(node, f"languages are {', '.join(LANGUAGES)}: not {text!r}")
        return text

    def _channel(self, node: Node) -> str:
        text = self._text(node)
        if not _CHANNEL.fullmatch(text):
            what = 'a channel is "@username" (with quotation marks) or its number'
            self._fail(node, f"{what}: not {text!r}")
        return text

    # YAML

    def _mapping(
        self, node: Node, allowed: tuple[str, ...], what: str, example: str
    ) -> dict[str, Node]:
        if not isinstance(node, MappingNode):
            self._fail(node, f"{what} is written as {example}")
        keys: dict[str, Node] = {}
        for key, value in node.value:
            name = self._text(key)
            if name not in allowed:
                near = get_close_matches(name, allowed, 1)
                instead = f"did you mean {near[0]}?" if near else f"known: {', '.join(allowed)}"
                self._fail(key, f"{what} has no {name!r}: {instead}")
            if name in keys:
                self._fail(key, f"{name} is there twice: take one away")
            keys[name] = value
        return keys

    def _items(self, keys: dict[str, Node], name: str) -> list[Node]:
        return self._sequence(keys[name], name) if name in keys else []

    def _sequence(self, node: Node, name: str) -> list[Node]:
        if isinstance(node, ScalarNode) and node.tag.endswith(":null"):
            return []
        if not isinstance(node, SequenceNode):
            self._fail(node, f"{name} is a list: write [a, b], or each on a line after - ")
        return list(node.value)

    def _text(self, node: Node) -> str:
        if not isinstance(node, ScalarNode) or node.tag.endswith(":null"):
            self._fail(node, "a text stands here; one with : # or [ in it between '…'")
        return str(node.value)

    def _fail(self, node: Node, message: str) -> NoReturn:
        raise WatchlistFileError(self._file, node.start_mark.line + 1, message)
