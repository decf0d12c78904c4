"""Can a chart be read on a phone, whatever it shows?"""

import struct
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot import charts
from bot.speech import speaking
from storage.model import Period
from watchers.editions import BARS, Series, edges_of

WARSAW = ZoneInfo("Europe/Warsaw")
NOW = datetime(2026, 11, 18, 11, 20, tzinfo=UTC)


def series(hours=24, names=("rail",), usual=None, zone=WARSAW):
    edges = tuple(edges_of(Period(NOW - timedelta(hours=hours), NOW), zone))
    return Series(edges, {name: tuple(range(len(edges) - 1)) for name in names}, usual)


def size(png):
    assert png.startswith(b"\x89PNG")
    return struct.unpack(">II", png[16:24])


@pytest.mark.parametrize("hours", [0, 0.1, 1, 6, 24, 48, 168, 720, 9000])
def test_there_are_few_bars_and_their_labels_do_not_crowd(hours):
    shown = series(hours)
    assert 1 <= len(shown.edges) - 1 <= BARS
    assert shown.edges[0] <= NOW - timedelta(hours=hours)
    assert shown.edges[-1] >= NOW
    labels = charts.ticks(shown.edges, WARSAW)
    assert 1 <= len(labels) <= charts.TICKS + 1
    assert len({place for place, _ in labels}) == len(labels)


def test_days_begin_at_midnight_of_the_zone_over_the_change_of_the_clock():
    week = Period(datetime(2026, 10, 19, tzinfo=WARSAW), datetime(2026, 11, 19, tzinfo=WARSAW))
    edges = edges_of(Period(*(at.astimezone(UTC) for at in week)), WARSAW)
    assert {edge.astimezone(WARSAW).hour for edge in edges} == {0}


@pytest.mark.parametrize(
    "names",
    [
        ("rail",),
        tuple(f"list{n}" for n in range(14)),
        ("чыгунка", "ўніверсітэт", "війська"),
        ("$x^2$ \\frac{1}", "日本語", "\u202e😀", "n" * 500),
    ],
)
def test_any_names_are_drawn_at_the_size_of_a_phone(names):
    assert size(charts.chart(series(names=names, usual=3.0), names[0], WARSAW)) == (800, 520)


def test_lists_beyond_the_colours_are_drawn_together_and_none_is_lost():
    counts = {f"list{n}": (1, n) for n in range(9)}
    drawn = charts.shown(counts)
    assert list(drawn)[-1] == charts.OTHERS_NAME
    assert len(drawn) == len(charts.COLOURS) + 1
    assert sum(map(sum, drawn.values())) == sum(map(sum, counts.values()))


def test_days_are_named_in_the_language_that_is_spoken():
    edges = edges_of(
        Period(datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 5, tzinfo=UTC)), UTC
    )
    with speaking("be"):
        assert [label for _, label in charts.ticks(edges, UTC)] == ["2 ліс", "3 ліс", "4 ліс"]


def light(colour):
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    high, low = sorted((light(one), light(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_letters_and_bars_stand_out_from_the_paper():
    """WCAG asks for 4.5 of letters and for 3 of drawings."""
    assert min(contrast(ink, charts.PAPER) for ink in (charts.INK, charts.FAINT)) >= 7
    assert min(contrast(one, charts.PAPER) for one in (*charts.COLOURS, charts.OTHERS)) >= 4.5
