"""Which terms does a post mention, and where?

    text → fold → tokens → those not known to be dull → atoms → the terms they touch → rules → hits

Nothing in the first steps depends on how many terms there are.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import filterfalse

from storage.model import Channel, Elsewhere, Hit, Post, Span, Term, Watchlist
from watchers import query
from watchers.alphabet import decoded, encoded
from watchers.atoms import Atom, Manner, atoms_of
from watchers.evaluating import Occurrence, evaluate
from watchers.expressions import Expressions
from watchers.hidden import hidden_words, is_in_row
from watchers.lexicon import Find, Lexicon
from watchers.places import places_of
from watchers.query import Leaf, Node
from watchers.rule_tokens import RuleError
from watchers.spellings import CYRILLIC, How
from watchers.text import Reading, is_scrawled, letters_of, other_readings, read

Key = tuple[Leaf, Manner]  # what the atoms of a leaf depend on
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


@dataclass(frozen=True, slots=True)
class Looked:
    """How a post fares with a term of which it holds something."""

    watchlist_id: int
    term_id: int
    tree: Node
    hit: Hit | None
    words: tuple[str, ...]  # of the post, that the rule looks for
    in_channel: bool  # the watchlist looks at the post's channel
    exempt: tuple[str, ...] | None  # the words that make its `unless` hold; None: it does not
    holds: Callable[[Node], bool]  # does a part of the rule hold?


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
        self._expressions = Expressions(
            {i: atom.expression for i, atom in enumerate(self._atoms) if atom.expression}
        )

    def match(self, post: Post) -> list[Hit]:
        found = self._found_in(post)
        if not found:
            return []
        hits = (self._hit(self._terms[term], post, found) for term in self._touched(found))
        return [hit for hit in hits if hit]

    def look(self, post: Post) -> list[Looked]:
        """Every term of which something stands in the post, hit or not, and what hinders."""
        found = self._found_in(post)
        return [self._looked(self._terms[term], post, found) for term in self._touched(found)]

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
            manner = Manner(watchlist.languages, term.is_entity, _is_latin(term))
            atoms = {leaf: self._atoms_of((leaf, manner)) for leaf, _ in wanted}
            for leaf, _ in others:
                if leaf not in atoms:
                    atoms[leaf] = self._atoms_of((leaf, Manner(watchlist.languages)))
            number = len(self._terms)
            for atom in {atom for leaf, positive in wanted if positive for atom in atoms[leaf]}:
                self._touched_by[atom].append(number)
            self._terms.append(_Compiled(watchlist.id, term.id, channels, tree, unless, atoms))

    def _atoms_of(self, key: Key) -> tuple[int, ...]:
        if key not in self._index:
            made = self._known.get(key) or atoms_of(*key)
            self._made[key] = made
            first = len(self._atoms)
            self._atoms += made
            self._index[key] = tuple(range(first, len(self._atoms)))
        return self._index[key]

    # matching

    def _found_in(self, post: Post) -> Found:
        found = self._found(0, post.text)
        for number, extra in enumerate(post.extras, start=1):
            for atom, occurrences in self._found(number, extra.text).items():
                found.setdefault(atom, []).extend(occurrences)
        return found

    def _touched(self, found: Found) -> list[int]:
        return sorted({term for atom in found for term in self._touched_by.get(atom, ())})

    def _found(self, number: int, text: str) -> Found:
        found: Found = {}
        if self._lexicon:
            self._find_words(number, text, found)
        if self._expressions:
            for atom, spans in self._expressions.spans(text):
                found[atom] = [Occurrence(number, span.start, span.end) for span in spans]
        return found

    def _find_words(self, number: int, text: str, found: Found) -> None:
        letters = letters_of(text)
        if letters is None:
            self._look(number, text, read(text), found)
        else:
            telling = self._telling(letters)
            if telling:
                self._look_at(number, text, Reading(decoded(letters)), telling, found)
        if "#" in text or "-\n" in text:
            for reading in other_readings(text):
                self._look(number, text, reading, found)

    def _telling(self, letters: bytes) -> dict[str, tuple[Find, ...]]:
        """The tokens that may be part of something, and of what."""
        telling = {}
        for fresh in filterfalse(self._lexicon.dull.__contains__, letters.split()):
            token, finds = self._lexicon.look_up(fresh)
            if finds or len(token) == 1:
                telling[token] = finds
        return telling

    def _look(self, number: int, text: str, reading: Reading, found: Found) -> None:
        self._look_at(number, text, reading, self._telling(encoded(reading.folded)), found)

    def _look_at(
        self,
        number: int,
        text: str,
        reading: Reading,
        telling: dict[str, tuple[Find, ...]],
        found: Found,
    ) -> None:
        in_row = False
        for token, finds in telling.items():
            for find in finds:
                for start, end in places_of(find, token, self._atoms[find.atom], reading, text):
                    span = reading.span(start, end, text)
                    disguised = find.how is How.DISGUISED
                    if not disguised and len(reading.places) > 1:
                        disguised = is_scrawled(text[span.start : span.end])
                    occurrence = Occurrence(number, span.start, span.end, disguised)
                    found.setdefault(find.atom, []).append(occurrence)
            if len(token) == 1 and not in_row:
                in_row = is_in_row(token, reading.folded)
        if in_row:
            self._look_between(number, text, reading, found)

    def _look_between(self, number: int, text: str, reading: Reading, found: Found) -> None:
        """Words with blanks between their letters."""
        for find, start, end in hidden_words(reading.folded, self._lexicon):
            if len(self._atoms[find.atom].elements) == 1:
                span = reading.span(start, end, text)
                occurrence = Occurrence(number, span.start, span.end, disguised=True)
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

    def _looked(self, term: _Compiled, post: Post, found: Found) -> Looked:
        texts = {0: post.text} | {n: e.text for n, e in enumerate(post.extras, start=1)}

        def where(leaf: Leaf) -> list[Occurrence]:
            return [o for atom in term.atoms[leaf] for o in found.get(atom, ())]

        def words(occurrences: Iterable[Occurrence]) -> tuple[str, ...]:
            return tuple(dict.fromkeys(texts[o.text][o.start : o.end] for o in occurrences))

        wanted = [leaf for leaf, positive in query.leaves(term.tree) if positive]
        exempt = evaluate(term.unless, where, texts) if term.unless is not None else None
        return Looked(
            term.watchlist_id,
            term.term_id,
            term.tree,
            self._hit(term, post, found),
            words(_longest(o for leaf in wanted for o in where(leaf))),
            term.channels is None or post.channel_id in term.channels,
            words(exempt) if exempt is not None else None,
            lambda node: evaluate(node, where, texts) is not None,
        )


def _tree(term: Term) -> Node:
    if not term.is_entity:
        return query.parse(term.name)
    names = tuple(dict.fromkeys(query.phrase(name) for name in (term.name, *term.aliases)))
    return names[0] if len(names) == 1 else query.Either(names)


def _is_latin(term: Term) -> bool:
    """Has an entity no Cyrillic name?"""
    names = (term.name, *term.aliases)
    return term.is_entity and not any(CYRILLIC.search(name.lower()) for name in names)


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
