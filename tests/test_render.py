"""Does a message say what happened, survive hostile text and fit, whatever it is made from?"""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import render
from storage.model import Channel, Elsewhere, Entry, Finding, Hit, Ledger, Span
from tests import make
from tests.bot_api import formatted
from watchers.rhythm import Rhythm

WARSAW = ZoneInfo("Europe/Warsaw")


def shown(html):
    """What Telegram's strict parser makes of it: (text, entities)."""
    return formatted(html, "html", None)


def bold(html):
    text, entities = shown(html)
    units = text.encode("utf-16-le")
    return [
        units[2 * e["offset"] : 2 * (e["offset"] + e["length"])].decode("utf-16-le")
        for e in entities
        if e["type"] == "bold"
    ]


def test_an_alert_says_what_where_when_and_links():
    entry = make.entry("На станцию прибыли два эшелона с техникой", "эшелона")
    html = render.alert([entry], WARSAW)
    text, entities = shown(html)
    assert text.splitlines() == [
        "🔎 rail: эшелон",
        "News · 1 Jan 13:00 CET",
        "На станцию прибыли два эшелона с техникой",
        "t.me/news/1",
    ]
    assert bold(html) == ["rail", "News", "эшелона"]
    assert [e["url"] for e in entities if e["type"] == "text_link"] == ["https://t.me/news/1"]


def test_an_edited_post_says_so():
    html = render.alert([make.entry("эшелон", edited_at=make.NOON + timedelta(hours=1))], WARSAW)
    assert "✏️ edited 1 Jan 14:00 CET" in html


def test_several_watchlists_and_terms_are_named():
    text = "эшелон и танк"
    findings = tuple(
        Finding(make.hit(text), watchlist, term)
        for watchlist, term in (("rail", "эшелон"), ("rail", "состав"), ("army", "танк"))
    )
    html = render.alert([Entry(make.channel(), make.post(text), findings)], WARSAW)
    assert shown(html)[0].splitlines()[:2] == ["🔎 rail: эшелон, состав", "🔎 army: танк"]


def test_what_matched_outside_of_the_text_is_said():
    hit = Hit(1, 1, 1, 1, (), (), (Elsewhere("link", "эшелон"),))
    entry = Entry(make.channel(), make.post(""), (Finding(hit, "rail", "эшелон"),))
    assert "in its link: <b>эшелон</b>" in render.alert([entry], WARSAW)


def test_a_channel_without_a_name_is_linked_for_its_members():
    channel = Channel(5, None, "\u202e")
    assert render.post_link(channel, 3) == "https://t.me/c/5/3"
    assert render.channel_name(channel) == "<b>a channel without a name</b>"


@pytest.mark.parametrize(
    ("before", "after"), [(0, 0), (30, 9000), (9000, 30), (9000, 9000), (1500, 0)]
)
def test_a_long_post_is_cut_at_words_with_its_hit_in_view(before, after):
    words = "слово " * (before // 6), " слово" * (after // 6)
    text = f"{words[0]}эшелона{words[1]}"
    html = render.alert([make.entry(text, "эшелона")], WARSAW)
    quote = shown(html)[0].splitlines()[2]
    assert "эшелона" in bold(html)
    assert set(quote.strip("…").split()) <= {"слово", "эшелона"}
    assert len(quote) <= render.ALERT_EXCERPT + 10
    assert quote.startswith("…") == (before > render.ALERT_EXCERPT)


def test_distant_hits_are_all_in_view():
    text = " ".join(f"эшелон{n} " + "слово " * 300 for n in range(4))
    entry = make.entry(text, *(f"эшелон{n}" for n in range(4)))
    assert bold(render.alert([entry], WARSAW))[2:] == [f"эшелон{n}" for n in range(4)]


HOSTILE = [
    "<b>5 & 6 вагонов</b>",
    "</blockquote><a href='tg://user?id=1'>эшелон",
    "&lt;эшелон&gt; &amp; &#0; &nosuch;",
    "\u202eнолешэ\u202c эшелон \u2066\u200f",
    "\x00\x01эшелон\x7f\x85",
    "эшелон\ud800",
    "э" * 4096,
    "эшелон " * 600,
    "😀" * 3000 + "эшелон",
    "э̷̢̛͙ш̵е̸л̶о̴н̵ " * 200,
    "\n\n\n\nэшелон\n\n\n\n",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_only_text(text):
    entry = make.entry(text, title=text)
    html = render.alert([entry], WARSAW)
    message, entities = shown(html)
    assert render.length(html) <= render.MESSAGE_LIMIT
    assert not set(message) & set("\u202e\u202c\u2066\u200f\x00\x01\x7f\x85")
    assert {e["type"] for e in entities} <= {"bold", "blockquote", "text_link", "url"}


any_text = st.text(alphabet=st.characters(), max_size=300) | st.sampled_from(HOSTILE)


@st.composite
def entries(draw):
    text = draw(any_text)
    places = st.integers(0, len(text))
    findings = []
    for number in range(draw(st.integers(1, 9))):
        pairs = draw(st.lists(st.tuples(places, places), max_size=20))
        spans = tuple(sorted({Span(a, b) for a, b in map(sorted, pairs) if a < b}, key=str))
        elsewhere = tuple(Elsewhere("link", t) for t in draw(st.lists(any_text, max_size=2)))
        matched = tuple(text[s.start : s.end] for s in spans)
        hit = Hit(1, 1, 1, number, spans, matched, elsewhere)
        findings.append(
            Finding(hit, draw(st.sampled_from(["rail", "army", *HOSTILE[:3]])), draw(any_text))
        )
    channel = make.entry("", title=draw(any_text)).channel
    return Entry(channel, make.post(text, message_id=draw(st.integers(1, 99))), tuple(findings))


@given(entries())
def test_any_alert_is_valid_and_fits(entry):
    html = render.alert([entry], WARSAW)
    shown(html)
    assert render.length(html) <= render.MESSAGE_LIMIT
    assert html.count("</") <= render.ENTITY_LIMIT
    assert render.plain(html).strip()


def test_a_list_is_split_between_lines():
    pages = render.pages(f"line {n} " + "x" * 90 for n in range(100))
    assert len(pages) > 1
    assert all(render.length(page) <= render.MESSAGE_LIMIT for page in pages)
    assert sum(page.count("line") for page in pages) == 100


def test_the_line_of_coverage_says_how_complete_it_is():
    usual = Rhythm(9 * 3600, (1200.0,) * 10)
    ledgers = [
        Ledger(make.channel(1, "x"), 0, 5, make.NOON, repaired=2, silent=True),
        Ledger(make.channel(2), 0, 5, make.NOON - timedelta(hours=2)),
        Ledger(make.channel(3), 0, 5, make.NOON, "private"),
    ]
    line = render.coverage(ledgers, {1: usual}, make.NOON)
    assert line == (
        "<i>1 of 3 channels complete, 2 gaps repaired, @x silent for 9 h, usually 20 min</i>"
    )
    assert render.coverage([], {}, make.NOON) == ""


def test_of_a_long_rule_an_alert_shows_what_it_found():
    rule = "(дыверсія | дыверсант | диверсия | диверсант) -футбол"
    found = make.finding("раскрыты диверсии", "диверсии", term=rule)
    html = render.alert([Entry(make.channel(), make.post("раскрыты диверсии"), (found,))], WARSAW)
    assert html.splitlines()[0] == "🔎 <b>rail</b>: «диверсии»"
