"""Do words name the stretch of time that people mean by them?"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchers import periods

WARSAW = ZoneInfo("Europe/Warsaw")
NOW = datetime(2026, 11, 18, 11, 20, tzinfo=UTC)  # a Wednesday, 12:20 in Warsaw


def read(text, now=NOW, zone=WARSAW):
    period, rest = periods.read(text, now, zone)
    if period is None:
        return None, rest
    return " – ".join(f"{at.astimezone(zone):%a %d.%m %H:%M}" for at in period), rest


TODAY = "Wed 18.11 00:00 – Wed 18.11 12:20"
YESTERDAY = "Tue 17.11 00:00 – Wed 18.11 00:00"
SIX_HOURS = "Wed 18.11 06:20 – Wed 18.11 12:20"
THREE_DAYS = "Sun 15.11 12:20 – Wed 18.11 12:20"
PAST_WEEK = "Wed 11.11 12:20 – Wed 18.11 12:20"
THIS_WEEK = "Mon 16.11 00:00 – Wed 18.11 12:20"
LAST_WEEK = "Mon 09.11 00:00 – Mon 16.11 00:00"
SINCE_18 = "Tue 17.11 18:00 – Wed 18.11 12:20"
SINCE_MONDAY = "Mon 16.11 00:00 – Wed 18.11 12:20"
NIGHT = "Tue 17.11 22:00 – Wed 18.11 06:00"
MONDAY = "Mon 16.11 00:00 – Tue 17.11 00:00"


@pytest.mark.parametrize(
    ("meant", "said"),
    [
        (TODAY, "today; сёння; сегодня; сьогодні; dzisiaj; dziś; TODAY; Сёння"),
        (YESTERDAY, "yesterday; учора; вчера; вчора; wczoraj; за вчера"),
        ("Mon 16.11 00:00 – Tue 17.11 00:00", "пазаўчора; позавчера; позавчора; przedwczoraj"),
        (SIX_HOURS, "6h; 6 h; 6 hours; last 6 hours; past 6 hours; 6 гадзін; апошнія 6 гадзін"),
        (SIX_HOURS, "за 6 часов; 6ч; последние 6 часов; 6 годин; за 6 годин; 6 godzin; 6 godz."),
        (SIX_HOURS, "ostatnie 6 godzin; za 6 godzin; 360m; 360 мин"),
        (THREE_DAYS, "3d; 72h; 3 days; за 3 дні"),
        (THREE_DAYS, "за 3 дня; 3 дні; 3 dni; za ostatnie 3 dni; последние 3 суток"),
        (
            PAST_WEEK,
            "7d; 1w; past week; за тыдзень; за неделю; за тиждень; przez tydzień; за 7 дней",
        ),
        (THIS_WEEK, "this week; гэты тыдзень; на этой неделе; цього тижня; w tym tygodniu"),
        (LAST_WEEK, "last week; мінулы тыдзень; на прошлой неделе; минулого тижня"),
        (LAST_WEEK, "w zeszłym tygodniu; zeszły tydzień; previous week"),
        (SINCE_18, "since 18:00; ад 18:00; з 18:00; с 18:00; від 18:00; od 18:00; since 18"),
        (SINCE_MONDAY, "since monday; с понедельника; з панядзелка; з понеділка; od poniedziałku"),
        (
            MONDAY,
            "monday; mon; on monday; в понедельник; у панядзелак; у понеділок; w poniedziałek",
        ),
        (NIGHT, "last night; overnight; за ноч; за ночь; вночі; w nocy"),
        ("Wed 18.11 06:00 – Wed 18.11 12:00", "this morning; раніцай; утром; вранці; rano"),
        ("Sat 14.11 00:00 – Mon 16.11 00:00", "weekend; выхадныя; выходные; вихідні"),
        ("Sun 01.11 00:00 – Wed 18.11 12:20", "this month; этот месяц; цього місяця; ten miesiąc"),
        ("Thu 01.10 00:00 – Sun 01.11 00:00", "last month; в прошлом месяце; минулого місяця"),
        ("Tue 17.11 18:00 – Tue 17.11 20:00", "18:00-20:00; from 18:00 to 20:00; с 18:00 до 20:00"),
        ("Tue 17.11 22:00 – Wed 18.11 06:00", "22:00-06:00; od 22 do 6"),
        ("Tue 20.10 00:00 – Fri 23.10 00:00", "20.10-22.10; 20.10.2026–22.10.2026"),
        ("Sun 01.11 00:00 – Mon 02.11 00:00", "2026-11-01; 1.11; 01.11.2026"),
        ("Mon 01.12 00:00 – Tue 02.12 00:00", "1.12"),  # of last year
    ],
)
def test_people_say_it_in_five_languages(meant, said):
    for words in said.split(";"):
        assert read(words) == (meant, []), words


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("yesterday railways", ["railways"]),
        ("railways yesterday", ["railways"]),
        ("7d @channel lang:be", ["@channel", "lang:be"]),
        ("rail since 18:00 @news", ["rail", "@news"]),
        ("rail за последние 2 часа army", ["rail", "army"]),
    ],
)
def test_what_is_no_part_of_it_is_left(text, rest):
    period, left = periods.read(text, NOW, WARSAW)
    assert period
    assert left == rest


@pytest.mark.parametrize(
    "text",
    [
        "",
        "railways",
        "last 5",
        "since",
        "since 25:00",
        "31.02",
        "19.11.2026",
        "в",
        "za",
    ],
)
def test_what_names_no_time_is_no_period(text):
    assert periods.read(text, NOW, WARSAW) == (None, text.split())


def test_a_day_on_which_the_clock_changes_has_23_or_25_hours():
    spring = datetime(2026, 3, 29, 20, tzinfo=UTC)
    autumn = datetime(2026, 10, 25, 20, tzinfo=UTC)
    for now, hours in ((spring, 23), (autumn, 25)):
        period, _ = periods.read("yesterday", now + timedelta(days=1), WARSAW)
        assert period.end - period.start == timedelta(hours=hours)
        week, _ = periods.read("last week", now + timedelta(days=7), WARSAW)
        assert week.end - week.start == timedelta(days=7, hours=hours - 24)
    period, _ = periods.read("6h", datetime(2026, 10, 25, 3, tzinfo=UTC), WARSAW)
    assert period.end - period.start == timedelta(hours=6)


def test_a_time_that_comes_twice_is_the_last_one_and_one_that_is_left_out_is_found():
    late = datetime(2026, 10, 25, 1, 40, tzinfo=UTC)  # 02:40 for the second time
    assert periods.read("since 02:30", late, WARSAW)[0].start == late - timedelta(minutes=10)
    early = datetime(2026, 10, 25, 0, 40, tzinfo=UTC)  # 02:40 for the first time
    assert periods.read("since 02:30", early, WARSAW)[0].start == early - timedelta(minutes=10)
    spring = datetime(2026, 3, 29, 5, tzinfo=UTC)
    start = periods.read("since 02:30", spring, WARSAW)[0].start
    assert start.astimezone(WARSAW).hour in (1, 3)


WORDS = [
    "since",
    "с",
    "18:00",
    "6",
    "h",
    "-",
    "20.11",
    "last",
    "week",
    "за",
    "to",
    "9999",
    "d",
    "monday",
]


@given(
    st.text(max_size=40)
    | st.lists(
        st.sampled_from(WORDS),
        max_size=6,
    ).map(" ".join),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
)
def test_any_words_give_a_period_of_the_past_or_none(text, now):
    period, rest = periods.read(text, now, WARSAW)
    assert len(rest) <= len(text.split())
    if period:
        assert period.start <= period.end <= now


@pytest.mark.parametrize(
    ("word", "length"),
    [
        ("30m", timedelta(minutes=30)),
        ("6h", timedelta(hours=6)),
        ("14D", timedelta(days=14)),
        ("2w", timedelta(weeks=2)),
        ("3дня", timedelta(days=3)),
        ("h", None),
        ("6", None),
        ("6x", None),
    ],
)
def test_a_length(word, length):
    assert periods.length(word) == length
