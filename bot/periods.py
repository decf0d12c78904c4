"""Which time does a person mean by 6h, yesterday or 2026-01-01..2026-01-31? PURE."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from bot.speech import say

MEANT = "6h, 14d, today, yesterday, 2026-01-31, 2026-01-01..2026-01-31 or all"
_BACK = re.compile(r"(\d{1,4})(m|h|d)")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_DAY = r"\d{4}-\d{2}-\d{2}"
_DAYS = re.compile(rf"({_DAY})(?:\.\.({_DAY})?)?")


@dataclass(frozen=True, slots=True)
class Period:
    """Both ends in UTC; None: open."""

    since: datetime | None = None
    until: datetime | None = None  # the first moment after it

    def __str__(self) -> str:
        if self.since is None and self.until is None:
            return say("all times")
        since = f"{self.since:%Y-%m-%d %H:%M}" if self.since else say("the beginning")
        until = f"{self.until:%Y-%m-%d %H:%M}" if self.until else say("now")
        return say("{since} to {until} UTC", since=since, until=until)


def read_length(word: str) -> timedelta | None:
    """`30m`, `6h`, `14d`; None when it is none."""
    match = _BACK.fullmatch(word.casefold())
    return timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else None


def read_period(word: str, now: datetime, zone: tzinfo) -> Period | None:
    """None when it is none. Days are those of `zone`, from midnight to midnight."""
    word = word.casefold()
    today = now.astimezone(zone).date()
    try:
        if word == "all":
            return Period()
        if word == "today":
            return _days(today, today, zone)
        if word == "yesterday":
            yesterday = today - timedelta(days=1)
            return _days(yesterday, yesterday, zone)
        if (length := read_length(word)) is not None:
            return Period((now - length).astimezone(UTC))
        if match := _DAYS.fullmatch(word):
            return _read_days(match, zone)
    except (ValueError, OverflowError):  # no such day
        return None
    return None


def _read_days(match: re.Match[str], zone: tzinfo) -> Period | None:
    first = date.fromisoformat(match[1])
    if match[2] is None and match[0].endswith(".."):
        return _days(first, None, zone)
    last = date.fromisoformat(match[2] or match[1])
    return _days(first, last, zone) if first <= last else None


def _days(first: date, last: date | None, zone: tzinfo) -> Period:
    since = datetime.combine(first, time.min, zone).astimezone(UTC)
    if last is None:
        return Period(since)
    until = datetime.combine(last + timedelta(days=1), time.min, zone).astimezone(UTC)
    return Period(since, until)
