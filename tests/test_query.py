import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchers.query import Both, Either, Near, Not, Regex, Typo, Words, leaves, parse, phrase
from watchers.rule_tokens import RuleError


def w(*words):
    return Words(words)


TREES = [
    ("эшелон", w("эшелон")),
    ("=БЧ", Words(("БЧ",), exact=True)),
    ('"воинский эшелон"', w("воинский", "эшелон")),
    ("«воинский эшелон»", w("воинский", "эшелон")),
    ('="воинский эшелон"', Words(("воинский", "эшелон"), exact=True)),
    ("эшел*", w("эшел*")),
    ("Акация~", Typo("Акация")),
    ("a b", Both((w("a"), w("b")))),
    ("a | b c", Either((w("a"), Both((w("b"), w("c")))))),
    ("a -b", Both((w("a"), Not(w("b"))))),
    ("a NEAR/5 b", Near(w("a"), w("b"), 5)),
    ("a NEAR/1 b NEAR/2 c", Near(Near(w("a"), w("b"), 1), w("c"), 2)),
    (
        "(эшелон | состав) техника -футбол",
        Both((Either((w("эшелон"), w("состав"))), w("техника"), Not(w("футбол")))),
    ),
    (r"/\d{3} (вагон|цистерн)/", Regex(r"\d{3} (вагон|цистерн)")),
    ("Су-30СМ", w("Су-30СМ")),
    ("#хэш_тег", w("хэш", "тег")),
    ("и/или", w("и", "или")),
    ("и\u0306од", w("йод")),
    ("за\u0301мок", w("замок")),
    ("a (-b | c)", Both((w("a"), Either((Not(w("b")), w("c")))))),
]


@pytest.mark.parametrize(("rule", "tree"), TREES, ids=[rule for rule, _ in TREES])
def test_parse(rule, tree):
    assert parse(rule) == tree


MISTAKES = [
    # rule, position, the rule that is proposed
    ("", 0, None),
    ("  ", 0, None),
    ("-a", 0, None),
    ("a OR b", 2, "a | b"),
    ('/0/"', 3, None),
    ('/0/"a b"', 3, '/0/ "a b"'),
    ("a AND b", 2, "a b"),
    ("a NOT b", 2, "a -b"),
    ("a –b", 2, "a -b"),
    ("a !b", 2, "a -b"),
    ("+a b", 0, "a b"),
    ("(a b", 0, "(a b)"),
    ("a)", 1, "a"),
    ("a |", 2, "a"),
    ("| a", 0, "a"),
    ("a | | b", 4, "a | b"),
    ("a () b", 2, "a b"),
    ("NEAR/5 a", 0, "a"),
    ("a NEAR b", 2, "a NEAR/5 b"),
    ("a NEAR/0 b", 2, "a NEAR/5 b"),
    ("a NEAR/900 b", 2, "a NEAR/50 b"),
    ("- b a", 0, "-b a"),
    ("a near/3 b", 2, "a NEAR/3 b"),
    ("Ил-*", 0, "Ил-"),
    ("/a/b/", 0, r"/a\/b/"),
    ("=/a/", 0, "/a/"),
    (f"/{'a' * 300}/ /{'b' * 300}/", 303, None),
    ('"abc', 0, '"abc"'),
    ("*шелон", 0, r"/\pL*шелон/"),
    ("эш*лон", 0, r"/эш\pL*лон/"),
    ("э*", 0, None),
    ("дом~", 0, "дом"),
    ('"два слова"~', 11, '"два слова"'),
    ("🇧🇾", 0, "/🇧🇾/"),
    ("/(?=a)b/", 0, None),
    ("/a*/", 0, None),
    ("=эшел*", 0, "эшел"),
]


@pytest.mark.parametrize(("rule", "position", "repair"), MISTAKES, ids=[m[0] for m in MISTAKES])
def test_mistakes_name_the_place_and_a_repair(rule, position, repair):
    with pytest.raises(RuleError) as error:
        parse(rule)

    assert (error.value.position, error.value.repair) == (position, repair)
    assert repair is None or parse(repair)


PIECES = [
    "эшелон",
    '"',
    "(",
    ")",
    "|",
    "-",
    "=",
    "*",
    "~",
    "/",
    "NEAR/5",
    "NEAR",
    " ",
    "b",
    "OR",
    "«",
]


@settings(deadline=None)
@given(st.text() | st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_any_text_is_a_rule_or_a_clear_error_within_50_ms(rule):
    error, seconds = min((_read(rule) for _ in range(2)), key=lambda read: read[1])
    assert seconds < 0.05
    assert 0 <= error.position <= len(rule)
    assert error.message
    assert error.repair != rule


def _read(rule):
    """What is wrong with it, and how long the processor took: of two readings one may meet a
    collection of garbage, and other programs may want the processor, too."""
    start = time.thread_time()
    try:
        assert leaves(parse.__wrapped__(rule))
        error = RuleError(0, "none")
    except RuleError as refused:
        error = refused
    return error, time.thread_time() - start


@pytest.mark.parametrize("rule", ["(" * 1000 + "a" + ")" * 1000, "a " * 999, "a" * 5000, "-" * 999])
def test_size_and_depth_are_bounded(rule):
    with pytest.raises(RuleError):
        parse(rule)


def test_an_alias_is_a_phrase_whatever_it_holds():
    assert phrase("Орша | (Минск) -Брест").words == ("Орша", "Минск", "Брест")
    assert phrase("=БЧ") == Words(("БЧ",), exact=True)
