"""Is every digest due once, at the right moment, whatever the clocks do?"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from watchers.schedules import BadSchedule, last_slot, read_schedule, shown

WARSAW = ZoneInfo("Europe/Warsaw")


@pytest.mark.parametrize(
    ("text", "schedule"),
    [
        ("", "now"),
        ("NOW", "now"),
        ("hourly", "hourly"),
        ("daily 8:00", "daily 08:00"),
        ("Daily  23:59", "daily 23:59"),
        ("daily 18:00, 8", "daily 08:00,18:00"),
        ("every day at 8:00 and 20:30", "daily 08:00,20:30"),
        ("weekdays 08:00", "weekdays 08:00"),
        ("mon tue wed thu fri 8", "weekdays 08:00"),
        ("weekends 10:00", "weekends 10:00"),
        ("weekly mon 08:00", "mon 08:00"),
        ("thu,mon 8:00", "mon,thu 08:00"),
        ("штодзень 8:00", "daily 08:00"),
        ("ежедневно в 8:00 и 18:00", "daily 08:00,18:00"),
        ("по будням 9:00", "weekdays 09:00"),
        ("щодня 8:00", "daily 08:00"),
        ("codziennie o 8:00", "daily 08:00"),
        ("w poniedziałek 8:00", "mon 08:00"),
        ("пн,чт 07:15", "mon,thu 07:15"),
    ],
)
def test_a_schedule_has_one_way_of_writing(text, schedule):
    assert read_schedule(text) == schedule
    assert read_schedule(schedule) == schedule


@pytest.mark.parametrize(
    "text",
    ["daily", "daily 24:00", "daily 8:60", "8:00", "weekly", "daily -1:00", "weekly mon", "x 8:00"],
)
def test_what_is_no_schedule_is_refused_with_what_is(text):
    with pytest.raises(BadSchedule, match="write now, hourly, or days and a time"):
        read_schedule(text)


def slots(schedule, start, hours):
    """The slots that a bell every 10 minutes would see, in order, each once."""
    moments = (start + timedelta(minutes=10 * n) for n in range(hours * 6))
    return list(dict.fromkeys(last_slot(schedule, moment, WARSAW) for moment in moments))


def test_a_daily_digest_comes_once_a_day_over_both_changes_of_the_clock():
    spring = datetime(2026, 3, 27, 12, tzinfo=UTC)  # 29 March has no 02:30 in Warsaw
    autumn = datetime(2026, 10, 23, 12, tzinfo=UTC)  # 25 October has two
    assert slots("daily 02:30", spring, 96) == [
        f"2026-03-{day} 02:30" for day in (27, 28, 29, 30, 31)
    ]
    assert slots("daily 02:30", autumn, 96) == [
        f"2026-10-{day} 02:30" for day in (23, 24, 25, 26, 27)
    ]


def test_an_hourly_digest_comes_every_hour_over_the_change_of_the_clock():
    autumn = datetime(2026, 10, 24, 20, tzinfo=UTC)
    assert len(slots("hourly", autumn, 12)) == 12


@pytest.mark.parametrize(
    ("schedule", "days"),
    [
        ("weekdays 02:30", "Mon Tue Wed Thu Fri Mon Tue Wed Thu Fri"),
        ("sat,sun 02:30", "Sat Sun Sat Sun"),
        ("sun 02:30", "Sun Sun"),
    ],
)
@pytest.mark.parametrize(
    "start", [datetime(2026, 3, 23, tzinfo=WARSAW), datetime(2026, 10, 19, tzinfo=WARSAW)]
)
def test_days_of_the_week_come_over_both_changes_of_the_clock(schedule, days, start):
    begun = last_slot(schedule, start, WARSAW)
    found = [slot for slot in slots(schedule, start, 14 * 24) if slot != begun]
    assert " ".join(f"{datetime.fromisoformat(slot):%a}" for slot in found) == days


def test_several_times_a_day_come_each_once_over_both_changes_of_the_clock():
    for month, day, times in (
        (3, 29, ["00:30", "03:30", "18:00"]),  # 02:30 would have been at 03:30: one digest
        (10, 25, ["00:30", "02:30", "03:30", "18:00"]),
    ):
        start = datetime(2026, month, day, tzinfo=WARSAW)
        found = slots("daily 00:30,02:30,03:30,18:00", start, 23)[1:]
        assert [slot[11:] for slot in found] == times


def test_slots_never_go_back_when_the_clock_does():
    moments = [datetime(2026, 10, 24, 23, tzinfo=UTC) + timedelta(minutes=n) for n in range(300)]
    keys = [last_slot("daily 02:30", moment, WARSAW) for moment in moments]
    assert keys == sorted(keys)


def test_a_digest_comes_at_its_local_time_in_summer_and_in_winter():
    for moment in (datetime(2026, 7, 1, 8, tzinfo=WARSAW), datetime(2026, 12, 1, 8, tzinfo=WARSAW)):
        just_before = moment.astimezone(UTC) - timedelta(seconds=1)
        assert last_slot("daily 08:00", moment.astimezone(UTC), WARSAW)[:10] == str(moment.date())
        assert last_slot("daily 08:00", just_before, WARSAW)[:10] != str(moment.date())


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("now", "every hit at once"),
        ("hourly", "a digest every hour"),
        ("daily 08:00", "a digest every day at 08:00"),
        ("daily 08:00,12:00,18:00", "a digest every day at 08:00, 12:00 and 18:00"),
        ("weekdays 08:00", "a digest from Monday to Friday at 08:00"),
        ("weekends 10:00", "a digest at weekends at 10:00"),
        ("mon,thu 08:00", "a digest every Monday, Thursday at 08:00"),
    ],
)
def test_it_is_said_in_words(schedule, said):
    assert shown(schedule) == said
