"""Does a digest fit, say everything, and stay readable, whatever the channels wrote?"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import digest_page, digest_text, render
from storage.model import Period, Place
from tests import make
from tests.test_render import HOSTILE, WARSAW, any_text, entries, shown
from watchers.editions import Edition, Section, Seen

DAY = Period(datetime(2025, 12, 31, 23, tzinfo=UTC), datetime(2026, 1, 1, 23, tzinfo=UTC))


def edition(*sections, asked=True, period=DAY, **fields):
    found = [entry for section in sections for entry in section.stories]
    return Edition(
        period, asked, posts=len(found), hits=len(found), channels=1, sections=sections, **fields
    )


def story(text="эшелон", *words, message_id=1, also=(), **fields):
    entry = make.entry(text, *(words or ("эшелон",)), message_id=message_id, **fields)
    return replace(entry, also=also, story=entry.post.key)


def lines(html):
    return shown(html)[0].splitlines()


def test_stories_stand_under_their_watchlists_with_how_many_others_have_them():
    later = make.NOON + timedelta(minutes=5)
    earlier = make.NOON - timedelta(days=1)
    copies = tuple(Place(make.channel(n), n, later) for n in range(2, 7))
    found = edition(
        Section("rail", (story(also=copies), story("второй эшелон", message_id=2))),
        Section("army", (story("и снова эшелон", also=(Place(make.channel(3), 1, earlier),)),)),
        entities=(Seen("Baranavichy", 14, 3.0), Seen("Orsha", 2, None)),
    )
    text = digest_text.text(found, WARSAW, "<i>40 of 40 channels complete</i>")
    assert text.complete
    assert lines(text.html) == [
        "📋 Digest · 3 stories in 3 posts of 1 channel · 1 Jan",
        "📍 Baranavichy 14, usually 3 · Orsha 2",
        "",
        "rail · 2 stories",
        "• 13:00 News: эшелон +5 others",
        "• 13:00 News: второй эшелон",
        "",
        "army · 1 story",
        "• 13:00 News: и снова эшелон +1 other, since 31 Dec 13:00 @channel3",
        "",
        "40 of 40 channels complete",
    ]


def test_of_a_long_post_the_line_with_the_terms_is_shown():
    said = "На станцию прибыл эшелон с техникой из Орши."
    text = f"Доброе утро!\n\nПогода хорошая. {said} " + "и " * 200
    html = digest_text.text(edition(Section("rail", (story(text),))), WARSAW).html
    assert lines(html)[3].startswith(f"• 13:00 News: {said}")


def test_more_than_a_few_stories_unfold_at_a_tap():
    found = edition(Section("rail", tuple(story(f"эшелон {n}", message_id=n) for n in range(9))))
    html = digest_text.text(found, UTC).html
    assert html.count("<blockquote expandable>") == 1
    assert html.index("эшелон</b> 2") < html.index("<blockquote") < html.index("эшелон</b> 3")


def test_what_does_not_fit_is_in_the_file_and_each_watchlist_is_told_of_first():
    stories = [tuple(story(f"эшелон {n} " + "слово " * 60, message_id=n) for n in range(50))] * 4
    found = edition(*(Section(f"list{n}", own) for n, own in enumerate(stories)))
    text = digest_text.text(found, UTC)
    assert not text.complete
    assert [text.html.count(f"list{n}") for n in range(4)] == [1, 1, 1, 1]
    assert f"… {200 - len(text.told)} more stories in the file below" in text.html
    page = digest_page.page(found, UTC).decode()
    assert page.count("<article>") == 200


@settings(max_examples=40)
@given(
    st.lists(st.tuples(any_text, st.lists(entries(), min_size=1, max_size=9)), max_size=5),
    st.lists(st.tuples(any_text, st.integers(0, 9999)), max_size=6),
    st.booleans(),
)
def test_any_digest_is_valid_and_fits_and_its_file_leaves_nothing_out(found, seen, charted):
    sections = [Section(name, tuple(own)) for name, own in found]
    whole = edition(*sections, entities=tuple(Seen(name, n, n / 3) for name, n in seen))
    text = digest_text.text(whole, WARSAW, "<i>coverage</i>", charted=charted)
    shown(text.html)
    assert render.length(render.REPEAT + text.html) <= render.MESSAGE_LIMIT
    assert text.html.count("</") <= render.ENTITY_LIMIT
    assert text.complete == (len(text.told) == whole.stories)
    caption = digest_text.caption(whole, WARSAW, "<i>coverage</i>")
    shown(caption)
    assert render.length(render.REPEAT + caption) <= digest_text.CAPTION_LIMIT
    assert digest_page.page(whole, WARSAW).decode().count("<article>") == whole.stories


@pytest.mark.parametrize("text", [*HOSTILE, "<script>alert(1)</script>", "<img src=x onerror=x>"])
def test_in_the_file_hostile_text_is_only_text(text):
    hostile = replace(story(text, text[:1]), channel=make.channel(1, "news", text))
    found = edition(Section(text, (hostile,)), reason=text, entities=(Seen(text, 1, None),))
    page = digest_page.page(found, UTC, render.safe(text)).decode()
    assert "<script" not in page
    assert "onerror=x>" not in page
    assert "tg://" not in page.replace("&lt;a href='tg://", "")
    assert "Content-Security-Policy" in page


def test_stories_that_are_too_many_are_named_in_the_file():
    place = Place(make.channel(5), 77, make.NOON)
    page = digest_page.page(edition(Section("rail", (story(),), (place,))), UTC).decode()
    assert "and 1 lighter one" in page
    assert "https://t.me/channel5/77" in page


def test_an_empty_digest_says_so_in_one_line():
    asked = digest_text.text(edition(), WARSAW)
    assert lines(asked.html) == ["📋 Nothing found · 1 Jan"]
    assert asked.complete
    due = digest_text.text(edition(asked=False), WARSAW)
    assert lines(due.html) == ["📋 Nothing new since the last digest · 2 Jan 00:00 CET"]


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("2026-01-01T00", "2026-01-02T00", "1 Jan"),
        ("2026-01-05T00", "2026-01-12T00", "5 – 11 Jan"),
        ("2026-01-26T00", "2026-02-02T00", "26 Jan – 1 Feb"),
        ("2026-03-29T00", "2026-03-30T00", "29 Mar"),  # 23 hours
        ("2026-01-01T06", "2026-01-01T12", "1 Jan 06:00 – 12:00 CET"),
        ("2026-01-01T18", "2026-01-02T06", "1 Jan 18:00 – 2 Jan 06:00 CET"),
        ("2026-07-01T18", "2026-07-01T18", "1 Jul 18:00 CEST"),
    ],
)
def test_a_period_is_said_in_few_words(start, end, said):
    zone = ZoneInfo("Europe/Warsaw")
    moments = (datetime.fromisoformat(f"{at}:00:00").replace(tzinfo=zone) for at in (start, end))
    period = Period(*(at.astimezone(UTC) for at in moments))
    assert digest_text.period_shown(period, zone) == said
