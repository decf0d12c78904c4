"""Which stretch of time do these words mean? PURE.

Read in English, Belarusian, Russian, Ukrainian and Polish, whatever the language of the chat. Days
and weeks are those of the chat's zone, so that a day on which the clock changes has 23 or 25 hours;
`6h` are six hours as they pass. Nothing here lies in the future: «18:00» at noon is yesterday's.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from storage.model import Period

LONGEST = timedelta(days=3650)
NIGHT, MORNING = (time(22), time(6)), (time(6), time(12))

_UNITS = {
    "m": "m min mins minute minutes мин минут минуты минута минуту хв хвіл хвилин хвилини хвилина "
    "хвіліна хвіліны хвілін minut minuty minuta minutę",
    "h": "h hr hrs hour hours ч час часа часов год година години годин годину г гадз гадзіна "
    "гадзіны гадзін гадзіну godz godzina godziny godzin godzinę",
    "d": "d day days д день дня дней дн дні дзень дзён дня дни днів доба доби діб добу сутки суток "
    "суткі сутак dzień dni doba doby dób dobę",
    "w": "w week weeks нед неделя недели недель неделю тиждень тижні тижнів тижня тыдзень тыдні "
    "тыдняў тыдня tydzień tygodnie tygodni tygodnia",
}
_LENGTHS = {
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}

# What may stand before «6 hours», and changes nothing.
_WITHIN_SAID = (
    "last past previous the for in during за апошні апошнія апошніх апошнюю последний последние "
    "последних последнюю последнее останній останні останніх останню ostatni ostatnie ostatnich "
    "ostatnia ostatnią ostatniej przez za w ciągu на протяжении"
)
_SINCE_SAID = "since from с со от з із зі ад від од od ze"
_UNTIL_SAID = "to till until до па по do"
_FILLER_SAID = "at on o о об а у в ва во we w na на"

_PHRASES = {
    "today": "today|сёння|сягоння|сегодня|за сегодня|сьогодні|за сьогодні|за сёння|dzisiaj|dziś|"
    "dzis|z dzisiaj",
    "yesterday": "yesterday|учора|за ўчора|ўчора|вчера|за вчера|вчора|за вчора|wczoraj|z wczoraj",
    "before": "day before yesterday|the day before yesterday|пазаўчора|заўчора|позавчера|позавчора|"
    "przedwczoraj",
    "night": "last night|overnight|tonight|за ноч|уначы|ноччу|за ночь|ночью|за ніч|вночі|уночі|"
    "w nocy|dziś w nocy|przez noc",
    "morning": "this morning|раніцай|з раніцы|утром|с утра|вранці|зранку|rano|dziś rano",
    "this week": "this week|гэты тыдзень|на гэтым тыдні|за гэты тыдзень|эта неделя|на этой неделе|"
    "за эту неделю|эту неделю|цей тиждень|цього тижня|на цьому тижні|за цей тиждень|ten tydzień|"
    "w tym tygodniu|tego tygodnia",
    "last week": "last week|previous week|мінулы тыдзень|на мінулым тыдні|за мінулы тыдзень|"
    "прошлая неделя|на прошлой неделе|за прошлую неделю|прошлую неделю|минулий тиждень|"
    "минулого тижня|на минулому тижні|за минулий тиждень|zeszły tydzień|w zeszłym tygodniu|"
    "ubiegły tydzień|w ubiegłym tygodniu|poprzedni tydzień",
    "weekend": "weekend|the weekend|last weekend|выхадныя|за выхадныя|выходные|за выходные|вихідні|"
    "за вихідні|w weekend",
    "this month": "this month|гэты месяц|у гэтым месяцы|этот месяц|в этом месяце|цей місяць|"
    "цього місяця|у цьому місяці|ten miesiąc|w tym miesiącu",
    "last month": "last month|мінулы месяц|у мінулым месяцы|прошлый месяц|в прошлом месяце|"
    "за прошлый месяц|минулий місяць|минулого місяця|zeszły miesiąc|w zeszłym miesiącu",
    "month": "month|past month|за месяц|за апошні месяц|за последний месяц|за місяць|"
    "за останній місяць|ostatni miesiąc|przez miesiąc",
}
_DAYS = (
    "mon monday mondays панядзелак панядзелка панядзелку понедельник понедельника понеділок "
    "понеділка пн poniedziałek poniedziałku pon",
    "tue tuesday tuesdays аўторак аўторка вторник вторника вівторок вівторка аў вт wtorek wtorku wt",
    "wed wednesday wednesdays серада сераду серады среда среду среды середа середу середи ср środa "
    "środę środy śr",
    "thu thursday thursdays чацвер чацвярга четверг четверга четвер четверга чц чт czwartek "
    "czwartku czw",
    "fri friday fridays пятніца пятніцу пятніцы пятница пятницу пятницы п'ятниця п'ятницю п'ятниці "
    "пт piątek piątku pt",
    "sat saturday saturdays субота суботу суботы суботи суббота субботу субботы сб sobota sobotę "
    "soboty sob",
    "sun sunday sundays нядзеля нядзелю нядзелі воскресенье воскресенья неділя неділю неділі нд вс "
    "niedziela niedzielę niedzieli ndz nd",
)

_CLOCK = re.compile(r"(\d{1,2})[:.](\d{2})")
_HOUR = re.compile(r"\d{1,2}")
_COUNT = re.compile(r"(\d{1,4})(\D*)")
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.?(?:(\d{4})\.?)?")
_RANGE = re.compile(r"([\d.:]+|\d{4}-\d\d?-\d\d?)[-–—]([\d.:]+|\d{4}-\d\d?-\d\d?)")
_APOSTROPHES = str.maketrans("’ʼ`ё", "'''е")


def _fold(text: str) -> str:
    return text.casefold().translate(_APOSTROPHES)


_NAMED = {_fold(one): name for name, said in _PHRASES.items() for one in said.split("|")}
_MOST_WORDS = max(phrase.count(" ") for phrase in _NAMED) + 1
_UNIT_OF = {_fold(word): unit for unit, words in _UNITS.items() for word in words.split()}
_WEEKDAYS = {_fold(word): number for number, said in enumerate(_DAYS) for word in said.split()}
_WITHIN, _SINCE, _UNTIL, _FILLER = (
    frozenset(map(_fold, said.split()))
    for said in (_WITHIN_SAID, _SINCE_SAID, _UNTIL_SAID, _FILLER_SAID)
)


def length(word: str) -> timedelta | None:
    """`30m`, `6h`, `14d`, `2w`; None when it is none."""
    match = _COUNT.fullmatch(_fold(word))
    unit = _UNIT_OF.get(match[2].strip(". ")) if match else None
    return int(match[1]) * _LENGTHS[unit] if match and unit else None


def read(text: str, now: datetime, zone: tzinfo) -> tuple[Period | None, list[str]]:
    """The first period that the words name, in UTC, and the words that are no part of it."""
    words = text.split()
    folded = [_fold(word.strip(',;«»"')) for word in words]
    clock = _Clock(now, zone)
    for start in range(len(words)):
        for reader in (_named, _range, _since, _counted, _day):
            if found := reader(folded[start:], clock):
                period, used = found
                return period, words[:start] + words[start + used :]
    return None, words


def weekday(word: str) -> int | None:
    """0 is Monday."""
    return _WEEKDAYS.get(_fold(word))


Found = tuple[Period, int] | None  # and how many words it takes


class _Clock:
    """A chat's calendar."""

    def __init__(self, now: datetime, zone: tzinfo) -> None:
        self.now, self.zone = now.astimezone(UTC), zone
        self.today = now.astimezone(zone).date()

    def at(self, day: date, clock: time = time()) -> datetime:
        """That moment; of one that comes twice the first."""
        return datetime.combine(day, clock, self.zone).astimezone(UTC)

    def ago(self, days: int) -> date:
        return self.today - timedelta(days=days)

    def days(self, first: date, last: date) -> Period:
        """Whole days, both included, as far as they have passed."""
        end = min(self.at(last + timedelta(days=1)), self.now)
        return Period(min(self.at(first), end), end)

    def last(self, clock: time) -> datetime:
        """When it was that late for the last time."""
        late = [
            datetime.combine(self.ago(days), clock, self.zone).replace(fold=fold).astimezone(UTC)
            for days in (0, 1)
            for fold in (1, 0)
        ]
        return next(moment for moment in late if moment <= self.now)


def _named(words: Sequence[str], clock: _Clock) -> Found:
    for used in range(min(_MOST_WORDS, len(words)), 0, -1):
        name = _NAMED.get(" ".join(words[:used]))
        if name:
            return _MEANINGS[name](clock), used
    return None


def _week(clock: _Clock, ago: int) -> Period:
    monday = clock.ago(clock.today.weekday() + 7 * ago)
    return clock.days(monday, monday + timedelta(days=6))


def _month(clock: _Clock, ago: int) -> Period:
    first = clock.today.replace(day=1)
    if not ago:
        return clock.days(first, clock.today)
    last = first - timedelta(days=1)
    return clock.days(last.replace(day=1), last)


def _night(clock: _Clock) -> Period:
    start, end = NIGHT
    ends = min(clock.at(clock.today, end), clock.now)
    return Period(clock.at(clock.ago(1), start), ends)


def _morning(clock: _Clock) -> Period:
    day = clock.today if clock.at(clock.today, MORNING[0]) < clock.now else clock.ago(1)
    return Period(clock.at(day, MORNING[0]), min(clock.at(day, MORNING[1]), clock.now))


def _weekend(clock: _Clock) -> Period:
    saturday = clock.ago((clock.today.weekday() - 5) % 7)
    return clock.days(saturday, saturday + timedelta(days=1))


_MEANINGS: dict[str, Callable[[_Clock], Period]] = {
    "today": lambda clock: clock.days(clock.today, clock.today),
    "yesterday": lambda clock: clock.days(clock.ago(1), clock.ago(1)),
    "before": lambda clock: clock.days(clock.ago(2), clock.ago(2)),
    "night": _night,
    "morning": _morning,
    "this week": lambda clock: _week(clock, 0),
    "last week": lambda clock: _week(clock, 1),
    "weekend": _weekend,
    "this month": lambda clock: _month(clock, 0),
    "last month": lambda clock: _month(clock, 1),
    "month": lambda clock: Period(clock.now - timedelta(days=30), clock.now),
}


def _counted(words: Sequence[str], clock: _Clock) -> Found:
    """`6h`, `last 6 hours`, «за 3 дні», «за неделю»"""
    used = 0
    while used < len(words) and words[used] in _WITHIN:
        used += 1
    rest = words[used:]
    if not rest:
        return None
    if (found := length(rest[0])) is not None:
        return _back(clock, found), used + 1
    if len(rest) > 1 and rest[0].isdecimal() and (found := length(rest[0] + rest[1])) is not None:
        return _back(clock, found), used + 2
    unit = _UNIT_OF.get(rest[0])
    if used and unit and len(rest[0]) > 2:
        return _back(clock, _LENGTHS[unit]), used + 1
    return None


def _back(clock: _Clock, span: timedelta) -> Period:
    return Period(clock.now - min(span, LONGEST), clock.now)


def _since(words: Sequence[str], clock: _Clock) -> Found:
    """`since 18:00`, «с понедельника», `from 18:00 to 20:00`, `since 20.11`"""
    if words[0] not in _SINCE or len(words) < 2:
        return None
    used = 1 + int(words[1] in _FILLER and len(words) > 2)
    start = _moment(words[used], clock, bare=True)
    if start is None:
        return None
    used += 1
    if len(words) > used + 1 and words[used] in _UNTIL:
        end = _end(words[used + 1], clock, start)
        if end is not None and end > start:
            return Period(start, end), used + 2
    return Period(start, clock.now), used


def _range(words: Sequence[str], clock: _Clock) -> Found:
    """`18:00-20:00`, `20.11-22.11`"""
    match = _RANGE.fullmatch(words[0])
    if match is None:
        return None
    start = _moment(match[1], clock)
    end = _end(match[2], clock, start) if start else None
    return (Period(start, end), 1) if start and end and end > start else None


def _day(words: Sequence[str], clock: _Clock) -> Found:
    """A day by its date or its name: the last one of that name, today included."""
    used = int(words[0] in _FILLER and len(words) > 1)
    day = _date(words[used], clock)
    return (clock.days(day, day), used + 1) if day else None


def _moment(word: str, clock: _Clock, *, bare: bool = False) -> datetime | None:
    """`bare`: a number alone is an hour."""
    if at := _time(word, bare=bare):
        return clock.last(at)
    if name := _NAMED.get(word):
        return _MEANINGS[name](clock).start
    day = _date(word, clock)
    return clock.at(day) if day else None


def _end(word: str, clock: _Clock, start: datetime) -> datetime | None:
    if at := _time(word, bare=True):
        same = start.astimezone(clock.zone).date()
        end = clock.at(same, at)
        end = end if end > start else clock.at(same + timedelta(days=1), at)
        return min(end, clock.now)
    day = _date(word, clock)
    return clock.days(day, day).end if day else None


def _time(word: str, *, bare: bool) -> time | None:
    match = _CLOCK.fullmatch(word)
    # 20.11 is a date; a time is written with a colon, or on its own after «since»
    hour, minute = (int(match[1]), int(match[2])) if match and ":" in word else (None, 0)
    if hour is None and bare and _HOUR.fullmatch(word):
        hour = int(word)
    return time(hour, minute) if hour is not None and hour < 24 and minute < 60 else None


def _date(word: str, clock: _Clock) -> date | None:
    if word in _WEEKDAYS:
        return clock.ago((clock.today.weekday() - _WEEKDAYS[word]) % 7)
    if match := _ISO.fullmatch(word):
        day = _calendar(int(match[1]), int(match[2]), int(match[3]))
    elif match := _DOTTED.fullmatch(word):
        year = int(match[3]) if match[3] else clock.today.year
        day = _calendar(year, int(match[2]), int(match[1]))
        if day and day > clock.today and not match[3]:
            day = _calendar(year - 1, int(match[2]), int(match[1]))
    else:
        return None
    return day if day and day <= clock.today else None


def _calendar(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
