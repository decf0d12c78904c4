import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage.model import Elsewhere, Extra, Term
from tests import make
from watchers.matching import Matcher


def found(terms, text, **watchlist):
    hits = Matcher([make.watchlist(*terms, **watchlist)]).match(make.post(text))
    return [matched for hit in hits for matched in hit.matched]


DESIGNATED = ["Су 30 СМ", "Su-30SM", "СУ-30см", "су30см"]
CASES = [
    # name, terms, text, matched pieces of the text
    ("whole word only", ["cat"], "concatenate", []),
    ("every form", ["эшелон"], "два эшелона, эшелонами", ["эшелона", "эшелонами"]),
    ("hashtag", ["эшелон"], "#эшелоны", ["эшелоны"]),
    ("emoji glued on", ["эшелон"], "⚡️Эшелон🔥", ["Эшелон"]),
    ("this form only", ["=эшелон"], "эшелон эшелона ЭШЕЛОН", ["эшелон", "ЭШЕЛОН"]),
    ("capitals count", ["=БЧ"], "БЧ и бч", ["БЧ"]),
    ("phrase", ['"воинский эшелон"'], "воинского\nэшелона", ["воинского\nэшелона"]),
    ("phrase over punctuation", ['"воинский эшелон"'], "воинский, эшелон", ["воинский, эшелон"]),
    ("phrase in order", ['"воинский эшелон"'], "эшелон воинский", []),
    ("prefix", ["эшел*"], "эшелонирование", ["эшелонирование"]),
    ("prefix in a phrase", ['"воен* техника"'], "военной техники", ["военной техники"]),
    ("both", ["эшелон техника"], "техника, потом эшелоны", ["техника", "эшелоны"]),
    ("both, one absent", ["эшелон техника"], "эшелоны", []),
    ("either", ["эшелон | состав"], "составы", ["составы"]),
    ("and not", ["техника -футбол"], "техника футбола", []),
    ("and not, absent", ["техника -футбол"], "техника", ["техника"]),
    ("not within either", ["техника (-футбол | победа)"], "техника", ["техника"]),
    ("near", ["эшелон NEAR/2 техника"], "эшелон и новая техника", ["эшелон", "техника"]),
    ("not so near", ["эшелон NEAR/1 техника"], "эшелон и новая техника", []),
    ("near, other order", ["эшелон NEAR/2 техника"], "техника, эшелон", ["техника", "эшелон"]),
    ("regex", [r"/\d{3} вагон/"], "шли 120 Вагонов", ["120 Вагон"]),
    ("any letter in a regex", [r"/\w+ВЛ-80[\w-]*/"], "тягачВЛ-80с", ["тягачВЛ-80с"]),
    ("ё is е", ["Королёв"], "Королев", ["Королев"]),
    ("й is not и", ["=мои"], "мой", []),
    ("stress mark", ["замок"], "за\u0301мок", ["за\u0301мок"]),
    ("zero width", ["Минск"], "Мин\u200bск\u200b!", ["Мин\u200bск"]),
    ("look-alike letters", ["эшелон"], "эшeлoн", ["эшeлoн"]),
    ("look-alike in the rule", ["эшeлoн"], "эшелоны", ["эшелоны"]),
    ("wholly look-alike", ["СССР"], "бывший CCCP был", ["CCCP"]),
    ("no look-alike among its own", ["мама", "мет"], "I met mama mia", []),
    ("Latin look-alike term", ["mama"], "мыла мама раму", []),
    ("apostrophe forms", ["об'єднання"], "об’єднання обєднання", ["об’єднання", "обєднання"]),
    ("needless soft sign", ["снег"], "сьнег", ["сьнег"]),
    ("hyphenated", ["Нью-Йорк"], "Нью‑Йорк, Нью Йорка", ["Нью‑Йорк", "Нью Йорка"]),
    ("part of a hyphenated word", ["магазин"], "интернет-магазины", ["магазины"]),
    ("hyphenation", ["Барановичи"], "в Барано-вичах", ["Барано-вичах"]),
    ("CamelCase tag", ['"белорусская дорога"'], "#БелорусскаяДорога", ["БелорусскаяДорога"]),
    (
        "tag with underscore",
        ['"белорусская дорога"'],
        "#белорусской_дороги",
        ["белорусской_дороги"],
    ),
    ("word broken by a line", ["Барановичи"], "в Барано-\nвичах", ["Барано-\nвичах"]),
    ("typo", ["Барановичи~"], "в Бараовичах", ["Бараовичах"]),
    ("a known word is no typo", ["Акация~"], "акции", []),
    ("designation", ["Су-30СМ"], "Су 30 СМ, Su-30SM, СУ-30см, су30см", DESIGNATED),
    ("digits first", ["2С3"], "2S3 и 2с3", ["2S3", "2с3"]),
    ("a number", ["152"], "поезд 152, не 1520", ["152"]),
    ("a number's beginning", ["15*"], "поезд 1520 в 16:30", ["1520"]),
    ("digits count", ["С-30"], "С-300 и С-3", []),
    ("a variant", ["Ил-76"], "Ил-76МД, Ил 76", ["Ил-76МД", "Ил 76"]),
    ("not the bare type", ["Ил-76МД"], "Ил-76", []),
    ("a preposition is no designation", ["С-400"], "с 400 рублями, С 400 руб", []),
    (
        "designation in a phrase",
        ['"истребитель Су-30"'],
        "истребителя Су-30",
        ["истребителя Су-30"],
    ),
    ("other scripts", ["北京"], "上海 北京", ["北京"]),
]


@pytest.mark.parametrize(
    ("terms", "text", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_match(terms, text, expected):
    assert found(terms, text) == expected


DISGUISED = [
    # name, terms, text, matched pieces of the text
    ("stretched", ["эшелон"], "эшелооон", ["эшелооон"]),
    ("stretched double", ["россия"], "росссия", ["росссия"]),
    ("scrawled over", ["эшелон"], "э̷ш̷е̷л̷о̷н̷", ["э̷ш̷е̷л̷о̷н̷"]),
    ("digits for letters", ["эшелон", "бомба"], "эшел0н, 6омба", ["эшел0н", "6омба"]),
    ("dots between", ["эшелон"], "э.ш.е.л.о.н", ["э.ш.е.л.о.н"]),
    ("a dot inside", ["эшелон"], "эше*лон", ["эше*лон"]),
    ("blanks between", ["эшелон"], "шёл э ш е л о н в лес", ["э ш е л о н"]),
]


@pytest.mark.parametrize(
    ("terms", "text", "expected"), [c[1:] for c in DISGUISED], ids=[c[0] for c in DISGUISED]
)
def test_a_disguise_is_seen_through_and_the_hit_says_so(terms, text, expected):
    hits = Matcher([make.watchlist(*terms)]).match(make.post(text))

    assert [matched for hit in hits for matched in hit.matched] == expected
    assert all(hit.disguised for hit in hits)


ROMANISED = [
    # name, an entity's name, text, matched pieces of the text
    ("BGN/PCGN", "Баранавічы", "He came to Baranavichy", ["Baranavichy"]),
    ("ISO 9", "Баранавічы", "u Baranavičah bylo", ["Baranavičah"]),
    ("Russian passport", "Борисов", "in Borisov today", ["Borisov"]),
    ("Ukrainian passport", "Чернігів", "in Chernihiv today", ["Chernihiv"]),
    ("genitive 's", "Барановичи", "Baranovichi's station", ["Baranovichi"]),
    ("Łacinka", "Наваполацк", "u Navapołacku", ["Navapołacku"]),
    ("a Latin name in Cyrillic", "Baranavichy", "у Баранавічах", ["Баранавічах"]),
    ("a Latin name in Russian", "Borisov", "в Борисове", ["Борисове"]),
    ("an English word is none", "Пост", "the post was here", []),
]


@pytest.mark.parametrize(
    ("name", "text", "expected"), [c[1:] for c in ROMANISED], ids=[c[0] for c in ROMANISED]
)
def test_names_across_scripts(name, text, expected):
    assert found([make.entity(name)], text) == expected


BARANAVICHY = make.entity(
    "Baranavichy", "Баранавічы", "Барановичи", "Оршанский район", unless='"Барановичи Арена"'
)


def test_hits_roll_up_to_the_entity():
    [hit] = Matcher([make.watchlist(BARANAVICHY)]).match(
        make.post("В Барановичах и в Оршанском районе")
    )

    assert hit.matched == ("Барановичах", "Оршанском районе")


def test_no_hit_where_unless_matches():
    assert found([BARANAVICHY], "в Барановичи-Арене") == []


def test_extras_are_searched_and_the_hit_says_where():
    post = make.post("смотри", extras=(Extra("link", "https://x.by/эшелоны"),))

    [hit] = Matcher([make.watchlist("эшелон")]).match(post)

    assert (hit.spans, hit.elsewhere) == ((), (Elsewhere("link", "эшелоны"),))


def test_both_may_stand_in_different_texts_of_a_post():
    post = make.post("техника", extras=(Extra("poll", "эшелон?"),))

    [hit] = Matcher([make.watchlist("эшелон техника")]).match(post)

    assert (hit.matched, hit.elsewhere) == (("техника",), (Elsewhere("poll", "эшелон"),))


def test_a_watchlist_keeps_to_its_channels():
    watchlist = make.watchlist("эшелон", channels=("@Channel2", "77"))
    matcher = Matcher([watchlist], [make.channel(2), make.channel(3)])

    heard = [id for id in (2, 3, 77) if matcher.match(make.post("эшелон", channel_id=id))]

    assert heard == [2, 77]


def test_a_changed_term_compiles_no_other(monkeypatch):
    old = Matcher([make.watchlist("эшелон", "техника")])
    compiled = []
    from watchers import matching

    original = matching.atoms_of
    monkeypatch.setattr(
        matching, "atoms_of", lambda leaf, *a, **k: compiled.append(leaf) or original(leaf, *a, **k)
    )
    new = Matcher([make.watchlist("эшелон", "состав")], previous=old)

    assert [leaf.words for leaf in compiled] == [("состав",)]
    assert [hit.term_id for hit in new.match(make.post("эшелоны и составы"))] == [1, 2]


def test_a_stored_term_that_is_no_rule_is_named_and_the_rest_works():
    matcher = Matcher([make.watchlist("(эшелон", "состав")])

    assert [mistake.term.name for mistake in matcher.mistakes] == ["(эшелон"]
    assert [hit.matched for hit in matcher.match(make.post("составы"))] == [("составы",)]


TERMS = ["эшелон", "=БЧ", '"воинский эшелон"', "эшел*", "a | cat", "Минск -Брест", r"/\w+-\d/"]
ONCE = Matcher([make.watchlist(*TERMS)])
PIECES = [
    "эшелон",
    "Эшелoны",
    "БЧ",
    "воинский",
    "cat",
    "Мин\u200bск",
    "\u0301",
    "🔥",
    ".",
    "-",
    " ",
    "#",
    "'",
]


@settings(deadline=None)
@given(st.text() | st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_matching_never_raises_and_spans_cover_what_matched_says(text):
    matcher = Matcher([make.watchlist(*TERMS)], previous=ONCE)

    for hit in matcher.match(make.post(text)):
        assert hit.spans
        assert list(hit.spans) == sorted(hit.spans, key=lambda s: s.start)
        for span, matched in zip(hit.spans, hit.matched, strict=True):
            assert 0 <= span.start < span.end <= len(text)
            assert text[span.start : span.end] == matched


def test_matching_never_raises():
    assert Matcher([]).match(make.post("эшелон")) == []
    assert Matcher([make.watchlist(Term(1, "a", None, (), "b"))]).match(make.post("a b")) == []
