"""Why does a post match, or not, what is watched for?"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from storage.model import Channel, Hit, Post, Term, Watchlist
from storage.said import Counted, Said
from watchers.matching import Looked, Matcher
from watchers.query import Both, Either, Near, Node, Not, Regex, Typo, Words, written


@dataclass(frozen=True, slots=True)
class Reason:
    """What a term has to do with a post."""

    watchlist: Watchlist
    term: Term
    hit: Hit | None
    words: tuple[str, ...]  # of the post
    against: tuple[str, ...] = ()  # why it is no hit, each the end of a sentence

    @property
    def matched(self) -> bool:
        return self.hit is not None


def reasons(
    post: Post, watchlists: Iterable[Watchlist], channels: Iterable[Channel], matcher: Matcher
) -> list[Reason]:
    """Terms that hit the post first, then those of which something stands there.

    `matcher` is that of these watchlists.
    """
    known = list(watchlists)
    terms = {(w.id, t.id): (w, t) for w in known for t in w.terms}
    looked = [one for one in matcher.look(post) if (one.watchlist_id, one.term_id) in terms]
    found = [_reason(one, *terms[one.watchlist_id, one.term_id]) for one in looked]
    touched = {(one.watchlist_id, one.term_id) for one in looked}
    any_language = [replace(w, languages=()) for w in known if w.languages]
    for one in Matcher(any_language, channels, previous=matcher).look(post) if any_language else ():
        key = one.watchlist_id, one.term_id
        if key not in touched and one.holds(one.tree):
            watchlist, term = terms[key]
            why = Said(
                "it is a form in another language than {languages}",
                languages=", ".join(watchlist.languages),
            )
            found.append(Reason(watchlist, term, None, one.words, (why,)))
    return sorted(found, key=lambda reason: (not reason.matched, reason.watchlist.name))


def _reason(looked: Looked, watchlist: Watchlist, term: Term) -> Reason:
    return Reason(
        watchlist,
        term,
        looked.hit,
        looked.words,
        () if looked.hit else tuple(_against(looked, watchlist, term)),
    )


def _against(looked: Looked, watchlist: Watchlist, term: Term) -> Iterator[str]:
    yield from dict.fromkeys(_lacks(looked.tree, looked))
    if looked.exempt is not None:
        yield _exempted(term, looked.exempt)
    if not looked.in_channel:
        yield Said("the watchlist looks only at {channels}", channels=", ".join(watchlist.channels))


def _exempted(term: Term, words: tuple[str, ...]) -> Said:
    if not words:
        return Said("its unless {rule} holds", rule=term.unless)
    return Said(
        "its unless {rule} holds: {words} stands in it",
        rule=term.unless,
        words=", ".join(f"“{word}”" for word in words),
    )


def _lacks(node: Node, looked: Looked) -> Iterator[str]:
    """What keeps a rule from holding."""
    if looked.holds(node):
        return
    match node:
        case Both(parts):
            for part in parts:
                yield from _lacks(part, looked)
        case Not(part):
            yield Said("{words} stands in it", words=written(part))
        case Either(parts):
            yield Said("none of {words} stands in it", words=", ".join(map(written, parts)))
        case Near(left, right, words):
            if looked.holds(left) and looked.holds(right):
                yield Counted(
                    "more than {n} word between {left} and {right}",
                    "more than {n} words between {left} and {right}",
                    words,
                    left=written(left),
                    right=written(right),
                )
            else:
                yield from _lacks(left, looked)
                yield from _lacks(right, looked)
        case Words() | Typo() | Regex():
            yield Said("{words} does not stand in it", words=written(node))
