"""Does the index offer every post in which the matcher finds something?"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.model import Extra
from tests import make
from watchers.atoms import Manner, atoms_of
from watchers.candidates import AllOf, AnyOf, expression, near, ranges, typos_of, wanted
from watchers.languages import language_of
from watchers.matching import Matcher
from watchers.query import parse
from watchers.rule_tokens import RuleError
from watchers.search_keys import keys_of

OFFERED = [
    ("эшелон", "прибыли эшелоны"),
    ("эшелон", "ЭШЕЛОНОМ!"),
    ("эшелон", "#ЭшелонТехники"),
    ("эшелон", "э ш е л о н"),
    ("эшелон", "э-ш-е-л-о-н"),
    ("эшелон", "эше-\nлон"),
    ("эшелон", "эше\u200bло\u0301н"),
    ("эшелон", "эшeлoн"),
    ("эшелон", "эшелооооон"),
    ("Барановичи", "в Бар4новичах"),
    ("Баранавічы", "rail yard in Baranavichy tonight"),
    ('"воинский эшелон"', "воинских эшелонов"),
    ('"па Мінску"', "jedziem pa Minsku siarod nochy i dnia"),
    ("эшел*", "эшелоны"),
    ("=БЧ", "паезд БЧ"),
    ("Су-30", "Су 30СМ"),
    ("Су-30", "Su-30SM"),
    ("2С19", "две 2с19"),
    ("Ил-76", "ИЛ-76МД"),
    ("9К72", "комплекс 9к72"),
    ("Акация~", "Акацыя"),
    ("Акация~", "акции и Окация"),
    ("Зеленский~", "Зиленскей"),
    ("Зеленский~", "Зленский"),
    ("Беларусь", "у Беларусі"),
    ("Нью-Йорк", "Нью Йорке"),
    ("об'ект", "обʼєкт об’екта"),
    ("эшелон NEAR/3 техника", "эшелон с военной техникой"),
    ("эшелон -футбол", "эшелон"),
    ("эшелон | /\\d{4}/", "2024"),
    ("米", "米"),
]


def holds(wanted, keys):
    """What FTS5 says to it."""
    match wanted:
        case None:
            return True
        case AllOf(parts):
            return all(holds(part, keys) for part in parts)
        case AnyOf(parts):
            return any(holds(part, keys) for part in parts)
    if wanted.begins:
        return any(one.startswith(tuple(wanted.keys)) for one in keys)
    return not wanted.keys.isdisjoint(keys)


def offered(rule, post):
    tree = parse(rule)
    words = keys_of(post).split()
    found = {t: near(t, [w for w in words if in_ranges(w, ranges(t))]) for t in typos_of(tree)}
    return holds(wanted(tree, found.__getitem__), frozenset(words))


def in_ranges(word, ranges):
    return any(low <= word < high for low, high in ranges)


@pytest.mark.parametrize(("rule", "text"), OFFERED)
def test_what_matches_is_offered(rule, text):
    post = make.post(text)
    if rule not in ("Акация~",) or "акции" not in text:
        assert Matcher([make.watchlist(rule)]).match(post)
    assert offered(rule, post)


@pytest.mark.parametrize(
    ("rule", "text"), [("эшелон", "поезд"), ("Су-30", "с 30 по 31"), ("а б", "а")]
)
def test_what_has_nothing_of_it_is_not(rule, text):
    assert not offered(rule, make.post(text))


def test_what_stands_beside_the_text_is_offered():
    post = make.post("фото", extras=(Extra("link", "эшелоны"),))
    assert offered("эшелон", post)


WORDS = [
    "эшелон",
    "эшелона",
    "Эшэлоны",
    "Минск",
    "Miнск",
    "Minsk",
    "Мінску",
    "Су-30",
    "su 30",
    "техника",
    "т-е-х-н-и-к-а",
    "т е х н и к а",
    "Су30СМ",
    "76",
    "ил-76мд",
    "об'екты",
    "мииинск",
    "м1нск",
    "#МинскЭшелон",
    "эше-\nлон",
    "Акацыя",
    "акация",
    "в",
    "на",
    "не",
    "х",
    "…",
    "Baranavichy",
    "Барановичи",
    "ў",
    "ґ",
    "\u0301",
    "\u200b",
    "米",
    "'",
    "-",
    ".",
    "@",
    "Zelenskyi",
    "Зеленски",
]
RULES = [
    "эшелон",
    "Минск",
    "=Минск",
    "эшел*",
    "Су-30",
    "Ил-76",
    '"на Минск"',
    '"эшелон техника"',
    "Акация~",
    "техника -в",
    "Зеленский~",
    "эшелон NEAR/2 Минск",
    "(Минск | техника) эшелон",
    '="на Минск"',
    "Барановичи",
    "объект",
    "м*",
    '"Су-30 на"',
    "Minsk",
    "Zelenskyi",
]


@settings(max_examples=400)
@given(
    st.sampled_from(RULES),
    st.lists(st.one_of(st.sampled_from(WORDS), st.text(max_size=3)), max_size=6),
    st.sampled_from([" ", "", "-", "\n", ". "]),
)
def test_whatever_matches_is_offered(rule, words, between):
    post = make.post(between.join(words))
    if Matcher([make.watchlist(rule)]).match(post):
        assert offered(rule, post)


def edited(word, edits):
    """Letters left out, put in, replaced, or changed about."""
    for at, letter, how in edits:
        at %= len(word)
        head, rest = word[:at], word[at:]
        made = (head + rest[1:], head + letter + rest, head + letter + rest[1:])
        word = (*made, head + rest[1:2] + rest[:1] + rest[2:])[how]
    return word


@settings(max_examples=400)
@given(
    st.sampled_from(["Зеленский~", "эвакуация~", "Акация~", "Лукашенко~"]),
    st.data(),
    st.lists(st.tuples(st.integers(0, 20), st.sampled_from("аекз"), st.integers(0, 3)), max_size=2),
)
def test_a_misspelt_word_that_matches_is_offered(rule, data, edits):
    (typo,) = typos_of(parse(rule))
    forms = sorted(form for a in atoms_of(typo, Manner(())) for e in a.elements for form in e.forms)
    post = make.post(edited(data.draw(st.sampled_from(forms)), edits))
    if Matcher([make.watchlist(rule)]).match(post):
        assert offered(rule, post)


@settings(max_examples=200)
@given(st.text(max_size=40), st.text(max_size=40))
def test_any_rule_that_matches_is_offered(rule, text):
    try:
        parse(rule)
    except RuleError:
        return
    post = make.post(f"{text} {rule}")
    if Matcher([make.watchlist(rule)]).match(post):
        assert offered(rule, post)


def test_an_expression_quotes_what_it_holds():
    made = expression(wanted(parse('эшел* (=а | ="б в") /x/'), lambda _: frozenset()))
    assert made == '(("эшел" *) AND (("а") OR (("б") AND ("в"))))'


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Сёння ў горадзе дождж", "be"),
        ("Сегодня в городе идёт дождь, объявлено", "ru"),
        ("Сьогодні в місті дощ, її немає", "uk"),
        ("W mieście pada dziś deszcz", "pl"),
        ("It rains in the city today", "en"),
        ("Привет", None),
        ("", None),
        ("🔥🔥🔥", None),
        ("\ud800", None),
    ],
)
def test_the_language_of_a_post(text, language):
    assert language_of(text) == language
