"""Does the starter pack find what it promises, and leave everyday life alone?"""

from collections import Counter
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.demo import EXPORT
from storage.model import Post, Watchlist
from watchers import watchlist_file
from watchers.export_file import ExportFile
from watchers.exports import read_posts
from watchers.matching import Matcher

PACK = Path(__file__).parents[1] / "watchers" / "packs" / "belarus.yaml"
CASES = yaml.load(
    (Path(__file__).parent / "pack_cases.yaml").read_text(encoding="utf-8"),
    getattr(yaml, "CSafeLoader", yaml.SafeLoader),
)
NAMES = [
    "railways",
    "military-transport",
    "equipment",
    "airfields",
    "exercises",
    "strikes",
    "sabotage",
    "units",
    "nuclear",
    "border",
    "casualties",
    "repression",
    "organisations",
    "people",
]


@cache
def pack() -> tuple[Watchlist, ...]:
    return watchlist_file.load(PACK.read_text(encoding="utf-8"), "belarus.yaml")


@cache
def matcher() -> Matcher:
    return Matcher(pack())


def hits(text: str) -> set[tuple[str, str]]:
    """The watchlist and the entity of each hit; `rule` for a rule."""
    found = matcher().match(Post(1, 1, datetime(2025, 1, 1, tzinfo=UTC), text))
    lists = {watchlist.id: watchlist for watchlist in pack()}
    terms = {(w.id, t.id): t.name if t.is_entity else "rule" for w in pack() for t in w.terms}
    return {(lists[h.watchlist_id].name, terms[h.watchlist_id, h.term_id]) for h in found}


def test_the_watchlists_are_those_of_the_readme() -> None:
    assert [watchlist.name for watchlist in pack()] == NAMES
    assert matcher().mistakes == ()


def test_the_railway_has_its_stations() -> None:
    places = [term for term in pack()[0].terms if term.kind == "place"]

    assert len(places) >= 120


def test_the_sport_shop_and_weather_channels_of_the_demo_hit_nothing() -> None:
    found = list(read_posts(ExportFile(EXPORT), print))
    dull = list(dict.fromkeys(exported.channel for exported in found))[-3:]
    posts = [post for exported in found if exported.channel in dull for post in exported.posts]

    assert len(posts) > 20
    assert [post.text for post in posts if hits(post.text)] == []


@pytest.mark.parametrize("watchlist", pack(), ids=lambda watchlist: watchlist.name)
def test_an_alias_belongs_to_one_entity(watchlist: Watchlist) -> None:
    aliases = Counter(
        alias if alias.startswith("=") else alias.casefold()
        for term in watchlist.terms
        if term.is_entity
        for alias in {term.name, *term.aliases}
    )

    assert [alias for alias, count in aliases.items() if count > 1] == []


@pytest.mark.parametrize("watchlist", pack(), ids=lambda watchlist: watchlist.name)
def test_every_alias_finds_its_entity(watchlist: Watchlist) -> None:
    missed = [
        alias
        for term in watchlist.terms
        if term.is_entity
        for alias in (term.name, *term.aliases)
        if (watchlist.name, term.name) not in hits(alias.lstrip("="))
    ]

    assert missed == []


@pytest.mark.parametrize("case", CASES["positive"], ids=lambda case: case["text"][:40])
def test_finds(case: dict[str, Any]) -> None:
    assert (case["watchlist"], case["term"]) in hits(case["text"])


@pytest.mark.parametrize("case", CASES["negative"], ids=lambda case: case["text"][:40])
def test_leaves_alone(case: dict[str, Any]) -> None:
    assert hits(case["text"]) == set()


@pytest.mark.parametrize("case", CASES["entities"], ids=lambda case: case["term"])
def test_an_entity_is_found_in_every_language_and_script(case: dict[str, Any]) -> None:
    missed = [text for text in case["found"] if (case["watchlist"], case["term"]) not in hits(text)]

    assert missed == []
