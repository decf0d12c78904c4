"""Is a whole post shown whole, within Telegram's limits, whatever it says?"""

import html
from dataclasses import replace
from datetime import UTC, timedelta

from hypothesis import given
from hypothesis import strategies as st

from bot import render, views
from storage.model import Entry, Extra, Place, Span, Version
from tests import make
from tests.bot_api import TEXT_LIMIT, formatted, units

LATER = make.NOON + timedelta(minutes=7)
words = st.text("аб <&>\n\u202e\u200b🚂é", max_size=400).map(lambda text: text * 30)


def shown(messages):
    """The messages as Telegram takes them; its server refuses what Telegram does."""
    found = []
    for message in messages:
        text, entities = formatted(message, "HTML", None)
        assert units(text) <= TEXT_LIMIT
        assert message.count("</") <= 100
        assert text.strip()
        found.append((text, entities))
    return found


def letters(text):
    return "".join(render.plain(render.safe(text)).split())


@given(words, st.integers(0, 300), st.integers(1, 400))
def test_nothing_of_a_post_is_left_out(text, start, long):
    part = text[start : start + long] or ""
    entry = make.entry(text, *([part] if part else []))
    said = letters("".join(text for text, _ in shown(views.whole(entry, UTC))))
    assert letters(text) in said


@given(words, words)
def test_versions_fit_and_hold_the_first_text(old, new):
    kept = [Version(make.NOON, old), Version(LATER, new)]
    messages = shown(views.versions(make.entry(new), kept, UTC))
    assert letters(old) in letters("".join(text for text, _ in messages))


def test_matched_words_are_marked_up_to_telegrams_limit_in_each_message():
    text = "эшелон и " * 300
    spans = tuple(Span(at, at + 6) for at in range(len(text)) if text.startswith("эшелон", at))
    found = replace(make.finding(text, "эшелон"), hit=replace(make.hit(), spans=spans))
    entry = Entry(make.channel(1, "news"), make.post(text), (found,))
    messages = shown(views.whole(entry, UTC))
    bold = [e for _, entities in messages for e in entities if e["type"] == "bold"]
    assert len(bold) == 300 + 1  # and the channel's title


def test_a_post_without_text_shows_what_it_has():
    entry = make.entry("", extras=(Extra("poll", "Где эшелон?"), Extra("file", "план.pdf")))
    ((text, _),) = shown(views.whole(entry, UTC))
    assert "poll: Где эшелон?\nfile: план.pdf\n\nhttps://t.me/news/1" in text


def test_what_an_edit_added_and_took_away_is_marked():
    kept = [Version(make.NOON, "Прибыл эшелон с <углём>"), Version(LATER, "Прибыл эшелон пустой")]
    (message,) = views.versions(make.entry("Прибыл эшелон пустой"), kept, UTC)
    assert "Прибыл эшелон<u> пустой</u><s> с &lt;углём&gt;</s>" in message
    assert html.unescape(message).count("<углём>") == 2


def test_who_else_has_a_story_and_when():
    entry = make.entry("эшелон", "эшелон")
    later = make.NOON + timedelta(minutes=7)
    places = [
        Place(entry.channel, 1, make.NOON),
        Place(make.channel(2, "other", "<Other>"), 5, later, deleted=True),
    ]
    first, *lines = views.story(entry, places, UTC)
    assert first == "👥 <b>2 posts in 2 channels</b>"
    assert lines[0].endswith("<b>News</b> (@news) · first")
    assert lines[1].endswith("<b>&lt;Other&gt;</b> (@other) · 7 min later · deleted")
    assert views.story(entry, places[:1], UTC) == [
        "No other watched channel has it, as far as its words tell."
    ]
