import pytest

from watchers.lint import lint

WARNINGS = [
    # rule, position, part of what is said
    ("эшелoн", 0, "mixes scripts: o"),
    ("поезд -эшeлон", 7, "mixes scripts"),
    ("и", 0, "almost every post"),
    ("поезд | это", 8, "almost every post"),
    ("поезд ИЛИ танк", 6, "either is written |"),
    ("бк", 0, "write =БК"),
    ("эше*", 0, "more letters"),
    ("the", 0, "almost every post"),
    ("поезд -поезд", 7, "never matches"),
    ("поезд танк -(танк | дождь)", 13, "never matches"),
    ("поезд | поезд", 8, "once is enough"),
    (r"/\w+/", 0, "almost every post"),
    (r"/\bпоезд/", 0, r"(^|\PL)"),
]


@pytest.mark.parametrize(("rule", "position", "said"), WARNINGS, ids=[w[0] for w in WARNINGS])
def test_a_doubtful_rule_is_warned_about(rule, position, said):
    [warning] = lint(rule)

    assert warning.position == position
    assert said in warning.message


@pytest.mark.parametrize(
    "rule",
    ["эшелон", "=БЧ", '"в путь"', "Су-30СМ", "эшел*", "поезд -дождь", "поезд | танк", "Акация~"],
)
def test_a_sound_rule_is_not(rule):
    assert lint(rule) == []
