"""Which terms does a post mention, and where?

    text → fold → tokens → those not known to be dull → atoms → the terms they touch → rules → hits

Nothing in the first steps depends on how many terms there are.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import filterfalse

from storage.model import Channel, Elsewhere, Hit, Post, Span, Term, Watchlist
from watchers import query
from watchers.atoms import Atom, atoms_of
from watchers.evaluating import Occurrence, evaluate
from watchers.lexicon import Lexicon
from watchers.places import places_of
from watchers.query import Leaf, Node
from watchers.rule_tokens import RuleError
from watchers.text import Reading, read

Key = tuple[Leaf, tuple[str, ...], bool]  # what the atoms of a leaf depend on
Found = dict[int, list[Occurrence]]  # by atom


@dataclass(frozen=True, slots=True)
class Mistake:
    """A stored term that is no rule (any more): it matches nothing until it is mended."""

    watchlist: Watchlist
    term: Term
    error: RuleError


@dataclass(frozen=True, slots=True)
class _Compiled:
    watchlist_id: int
    term_id: int
    channels: frozenset[int] | None  # None: all
    tree: Node
    unless: Node | None
    atoms: dict[Leaf, tuple[int, ...]]


class Matcher:
    """Watchlists compiled once, asked many times. With `previous`, only what changed is compiled."""

    def __init__(
        self,
        watchlists: Iterable[Watchlist],
        channels: Iterable[Channel] = (),
        *,
        previous: "Matcher | None" = None,
    ) -> None:
        self._known = previous._made if previous else {}
        self._made: dict[Key, tuple[Atom, ...]] = {}
        self._atoms: list[Atom] = []
        self._index: dict[Key, tuple[int, ...]] = {}
        self._terms: list[_Compiled] = []
        self._touched_by: defaultdict[int, list[int]] = defaultdict(list)
        self.mistakes: tuple[Mistake, ...] = ()
        named = {c.username.lower(): c.id for c in channels if c.username}
        for watchlist in watchlists:
            self._add(watchlist, _channels(watchlist, named))
        self._known = {}
        self._lexicon = Lexicon(self._atoms)
        self._expressions = [i for i, atom in enumerate(self._atoms) if atom.expression]

    def match(self, post: Post) -> list[Hit]:
        found = self._found(0, post.text)
        for number, extra in enumerate(post.extras, start=1):
            for atom, occurrences in self._found(number, extra.text).items():
                found.setdefault(atom, []).extend(occurrences)
        if not found:
            return []
        touched = sorted({term for atom in found for term in self._touched_by.get(atom, ())})
        hits = (self._hit(self._terms[term], post, found) for term in touched)
        return [hit for hit in hits if hit]

    # compiling

    def _add(self, watchlist: Watchlist, channels: frozenset[int] | None) -> None:
        for term in watchlist.terms:
            try:
                tree = _tree(term)
                unless = query.parse(term.unless) if term.unless else None
            except RuleError as error:
                self.mistakes += (Mistake(watchlist, term, error),)
                continue
            wanted = query.leaves(tree)
            others = query.leaves(unless) if unless else []
            atoms: dict[Leaf, tuple[int, ...]] = {}
            for leaf, _ in wanted:
                atoms[leaf] = self._atoms_of((leaf, watchlist.languages, term.is_entity))
            for leaf, _ in others:
                if leaf not in atoms:
                    atoms[leaf] = self._atoms_of((leaf, watchlist.languages, False))
            number = len(self._terms)
            for atom in {atom for leaf, positive in wanted if positive for atom in atoms[leaf]}:
                self._touched_by[atom].append(number)
            self._terms.append(_Compiled(watchlist.id, term.id, channels, tree, unless, atoms))

    def _atoms_of(self, key: Key) -> tuple[int, ...]:
        if key not in self._index:
            leaf, languages, name = key
            made = self._known.get(key) or atoms_of(leaf, languages, name=name)
            self._made[key] = made
            first = len(self._atoms)
            self._atoms += made
            self._index[key] = tuple(range(first, len(self._atoms)))
        return self._index[key]

    # matching

    def _found(self, number: int, text: str) -> Found:
        reading = read(text)
        lexicon = self._lexicon
        fresh = list(filterfalse(lexicon.dull.__contains__, reading.folded.split()))
        found: Found = {}
        if fresh:
            self._look(number, text, reading, fresh, found)
        for index in self._expressions:
            expression = self._atoms[index].expression
            assert expression
            spans = [Occurrence(number, s.start, s.end) for s in expression.spans(text)]
            if spans:
                found[index] = spans
        return found

    def _look(
        self, number: int, text: str, reading: Reading, tokens: list[str], found: Found
    ) -> None:
        for token in dict.fromkeys(tokens):
            for find in self._lexicon.look_up(token):
                atom = self._atoms[find.atom]
                for start, end in places_of(find, token, atom, reading, text):
                    span = reading.span(start, end, text)
                    occurrence = Occurrence(
                        number, span.start, span.end, find.how.disguised or reading.disguised
                    )
                    found.setdefault(find.atom, []).append(occurrence)

    def _hit(self, term: _Compiled, post: Post, found: Found) -> Hit | None:
        if term.channels is not None and post.channel_id not in term.channels:
            return None

        def where(leaf: Leaf) -> list[Occurrence]:
            return [o for atom in term.atoms[leaf] for o in found.get(atom, ())]

        texts = {0: post.text} | {n: e.text for n, e in enumerate(post.extras, start=1)}
        occurrences = evaluate(term.tree, where, texts)
        if not occurrences:
            return None
        if term.unless is not None and evaluate(term.unless, where, texts) is not None:
            return None
        return _rolled_up(term, post, occurrences)


def _tree(term: Term) -> Node:
    if not term.is_entity:
        return query.parse(term.name)
    names = tuple(dict.fromkeys(query.phrase(name) for name in (term.name, *term.aliases)))
    return names[0] if len(names) == 1 else query.Either(names)


def _channels(watchlist: Watchlist, named: dict[str, int]) -> frozenset[int] | None:
    if not watchlist.channels:
        return None
    written = [channel.strip().lstrip("@").lower() for channel in watchlist.channels]
    ids = (int(c) if c.isdecimal() else named.get(c) for c in written)
    return frozenset(id for id in ids if id is not None)


def _rolled_up(term: _Compiled, post: Post, occurrences: list[Occurrence]) -> Hit:
    """One hit a term: every occurrence once, the longer of two that overlap."""
    spans = [Span(o.start, o.end) for o in _longest(o for o in occurrences if o.text == 0)]
    elsewhere = dict.fromkeys(
        Elsewhere(post.extras[o.text - 1].kind, post.extras[o.text - 1].text[o.start : o.end])
        for o in sorted(occurrences)
        if o.text
    )
    return Hit(
        post.channel_id,
        post.message_id,
        term.watchlist_id,
        term.term_id,
        tuple(spans),
        tuple(post.text[s.start : s.end] for s in spans),
        tuple(elsewhere),
        all(o.disguised for o in occurrences),
    )


def _longest(occurrences: Iterable[Occurrence]) -> Iterator[Occurrence]:
    last: Occurrence | None = None
    for this in sorted(set(occurrences), key=lambda o: (o.start, -o.end)):
        if last is None or this.start >= last.end:
            yield this
            last = this
