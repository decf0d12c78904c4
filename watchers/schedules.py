"""When is a digest due? PURE.

A schedule is stored as it is read by people: `hourly`, or days and times, `daily 08:00,18:00`,
`weekdays 08:00`, `mon,thu 08:00`.
"""

import re
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import product

from storage.said import Said, listed
from watchers import periods

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NAMES = (
    Said("Monday"),
    Said("Tuesday"),
    Said("Wednesday"),
    Said("Thursday"),
    Said("Friday"),
    Said("Saturday"),
    Said("Sunday"),
)
_GROUPS = {
    "daily": range(7),
    "weekdays": range(5),
    "weekends": range(5, 7),
}
_SAID = {
    "now": "now at once instantly зараз адразу сразу сейчас одразу teraz od_razu",
    "hourly": "hourly every_hour штогадзіны штогадзінна ежечасно щогодини co_godzinę",
    "daily": "daily every_day штодзень штодня ежедневно щодня codziennie",
    "weekdays": "weekdays workdays будні па_буднях по_будням у_будні в_будні w_dni_robocze",
    "weekends": "weekends выходные вихідні выхадныя weekendy",
    "": "weekly at о у в o и і и and i w we на each every кожны каждый щотижня штотыдзень co",
}
_MEANS = {word.replace("_", " "): name for name, said in _SAID.items() for word in said.split()}
_TIME = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?")
MOST_TIMES = 12


class BadSchedule(ValueError):
    """Not a schedule; the message says what is."""


def read_schedule(text: str) -> str:
    """`now`, `hourly`, `daily 8:00 18:00`, `weekly mon 08:00` … in its one way of writing.

    Raises BadSchedule.
    """
    said = " ".join(text.casefold().replace(",", " ").split()) or "now"
    if _MEANS.get(said) in ("now", "hourly"):
        return _MEANS[said]
    for phrase, name in _MEANS.items():
        if " " in phrase:
            said = said.replace(phrase, name)
    days: set[int] = set()
    times: set[time] = set()
    for word in said.split():
        name = _MEANS.get(word, word)
        day = periods.weekday(word)
        if name in _GROUPS:
            days.update(_GROUPS[name])
        elif day is not None:
            days.add(day)
        elif at := _time(word):
            times.add(at)
        elif name:
            raise _bad(text)
    if not days or not times or len(times) > MOST_TIMES:
        raise _bad(text)
    return f"{_days_written(days)} {','.join(f'{at:%H:%M}' for at in sorted(times))}"


def _bad(text: str) -> BadSchedule:
    return BadSchedule(
        Said(
            "“{text}” is no schedule: write now, hourly, or days and a time: daily 08:00 · "
            "daily 08:00,18:00 · weekdays 08:00 · weekly mon 08:00",
            text=text[:64],
        )
    )


def _time(word: str) -> time | None:
    match = _TIME.fullmatch(word)
    if match is None or int(match[1]) > 23 or int(match[2] or 0) > 59:
        return None
    return time(int(match[1]), int(match[2] or 0))


def _days_written(days: set[int]) -> str:
    for name, group in _GROUPS.items():
        if days == set(group):
            return name
    return ",".join(DAYS[day] for day in sorted(days))


def _days_read(text: str) -> set[int]:
    if text in _GROUPS:
        return set(_GROUPS[text])
    return {DAYS.index(day) for day in text.split(",")}


def last_slot(schedule: str, now: datetime, zone: tzinfo) -> str:
    """The newest moment up to `now` for which a digest is due, as a key that occurs once.

    A slot is keyed by its local date and time, so a clock set back over it does not make two of
    it, and one set forward over it does not lose it: it comes as long after midnight as on any day.
    """
    if schedule == "hourly":
        return now.astimezone(UTC).strftime("%Y-%m-%dT%HZ")
    said, _, at = schedule.partition(" ")
    days = _days_read(said)
    times = sorted(map(time.fromisoformat, at.split(",")), reverse=True)
    today = now.astimezone(zone).date()
    for back, clock in product(range(9), times):
        day = today - timedelta(days=back)
        if day.weekday() in days and _moment(day, clock, zone) <= now:
            return f"{day} {clock:%H:%M}"
    raise AssertionError(schedule)


def _moment(day: date, clock: time, zone: tzinfo) -> datetime:
    """Of a time that comes twice the first; of one that is left out the moment it would have been."""
    return datetime.combine(day, clock, zone).astimezone(UTC)


def shown(schedule: str) -> Said:
    """A schedule in words."""
    if schedule == "now":
        return Said("every hit at once")
    if schedule == "hourly":
        return Said("a digest every hour")
    days, _, at = schedule.partition(" ")
    times = _times_shown(at.split(","))
    match days:
        case "daily":
            return Said("a digest every day at {times}", times=times)
        case "weekdays":
            return Said("a digest from Monday to Friday at {times}", times=times)
        case "weekends":
            return Said("a digest at weekends at {times}", times=times)
    named = listed(", ", [_NAMES[DAYS.index(day)] for day in days.split(",")])
    return Said("a digest every {days} at {times}", days=named, times=times)


def _times_shown(times: list[str]) -> str:
    *earlier, last = times
    if not earlier:
        return last
    return Said("{earlier} and {last}", earlier=", ".join(earlier), last=last)
