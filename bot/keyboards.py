"""Which buttons stand under a message, and what does each say when it is pressed?

What a button says comes back from outside, where it can be made up: who hears it looks up whether
it is so.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Annotated

from aiogram.filters.callback_data import CallbackData
from aiogram.types import InlineKeyboardButton, InlineKeyboardMarkup
from pydantic import Field

from bot.names import plain_name
from bot.speech import say
from storage.model import Entry, Mutable, Person, Role
from storage.said import Said

LABEL_LIMIT = 40  # characters of a name on a button
PEOPLE_LIMIT = 90  # Telegram takes 100 buttons; the others go by their number
EACH_LIMIT = 4  # terms, watchlists, channels offered to be muted

Id = Annotated[int, Field(ge=-(2**63), lt=2**63)]  # what SQLite can hold


class Menu(StrEnum):
    USUAL = "b"
    MUTE = "m"
    MORE = "o"


class Period(StrEnum):
    """For how long; written as in /mute."""

    HOUR = "1h"
    SHIFT = "8h"
    TOMORROW = "tomorrow"
    FOREVER = "forever"


class View(StrEnum):
    POST = "p"
    VERSIONS = "v"
    STORY = "s"


class Say(CallbackData, prefix="v"):
    """A verdict."""

    delivery: Id
    useful: bool


class Open(CallbackData, prefix="k"):
    """Other buttons in the place of these."""

    delivery: Id
    menu: Menu


class Pick(CallbackData, prefix="w"):
    """What is to be muted; for how long is asked next."""

    delivery: Id
    what: Mutable
    target: Id


class Hush(CallbackData, prefix="f"):
    """Mute it."""

    delivery: Id
    what: Mutable
    target: Id
    period: Period


class Show(CallbackData, prefix="s"):
    """Send more about the post."""

    delivery: Id
    view: View


class Teammate(CallbackData, prefix="t"):
    """What is to become of this person? 0: back to all of them."""

    number: Id


class Fate(StrEnum):
    """The roles that can be given, and none."""

    VIEWER = "viewer"
    MEMBER = "member"
    OPERATOR = "operator"
    REMOVE = "remove"

    @property
    def role(self) -> Role | None:
        return None if self is Fate.REMOVE else Role.of(self)


class Change(CallbackData, prefix="c"):
    """That is to become of them."""

    number: Id
    fate: Fate


class Audit(CallbackData, prefix="a"):
    """The changes before the one with this id; 0: the latest."""

    before: Id


class Step(StrEnum):
    """Of the guide that leads an owner to the first alert; what was tapped last."""

    BEGIN = "b"
    TOPIC = "t"
    CHANNELS = "c"
    SCHEDULE = "s"
    TEST = "a"


class Guide(CallbackData, prefix="g"):
    step: Step
    choice: str = ""
    add: bool = False
    schedule: str = ""


class Speak(CallbackData, prefix="l"):
    """This chat is to be spoken to in that language."""

    code: str


class Turn(CallbackData, prefix="q"):
    """Another page of a search."""

    search: Id
    page: Annotated[int, Field(ge=0, lt=10_000)]
    best: bool


PERIODS = {
    Period.HOUR: Said("1 h"),
    Period.SHIFT: Said("8 h"),
    Period.TOMORROW: Said("until tomorrow"),
    Period.FOREVER: Said("for good"),
}
VIEWS = {
    View.POST: Said("📄 Whole post"),
    View.VERSIONS: Said("🕘 Its versions"),
    View.STORY: Said("👥 Who else has it"),
}
NAMED = {
    Mutable.TERM: Said("term {name}"),
    Mutable.WATCHLIST: Said("watchlist {name}"),
    Mutable.CHANNEL: Said("channel {name}"),
}


def under_alert(delivery_id: int, useful: int, noise: int) -> InlineKeyboardMarkup:
    """`useful`, `noise`: how many said so."""
    return _keyboard(
        [
            _button(_counted(say("👍 Useful"), useful), Say(delivery=delivery_id, useful=True)),
            _button(_counted(say("👎 Noise"), noise), Say(delivery=delivery_id, useful=False)),
        ],
        [
            _button(say("🔕 Mute"), Open(delivery=delivery_id, menu=Menu.MUTE)),
            _button(say("⋯ More"), Open(delivery=delivery_id, menu=Menu.MORE)),
        ],
    )


def under_merged(delivery_id: int) -> InlineKeyboardMarkup:
    return _keyboard([_button(say("🔕 Mute"), Open(delivery=delivery_id, menu=Menu.MUTE))])


def what_to_mute(delivery_id: int, entries: Iterable[Entry]) -> InlineKeyboardMarkup:
    """What a message told of: its terms, watchlists and channels, the most frequent first."""
    offered: list[list[InlineKeyboardButton]] = []
    told = mutable(entries)
    for kind in (Mutable.TERM, Mutable.WATCHLIST, Mutable.CHANNEL):
        some = [(target, name) for (what, target), name in told.items() if what is kind]
        for target, name in some[:EACH_LIMIT]:
            says = Pick(delivery=delivery_id, what=kind, target=target)
            offered.append([_button(named(kind, _label(name)), says)])
    return _keyboard(*offered, [_back(delivery_id, Menu.USUAL)])


def mutable(entries: Iterable[Entry]) -> dict[tuple[Mutable, int], str]:
    """What can be muted because a message told of it, with its names; the most frequent first."""
    found: Counter[tuple[Mutable, int]] = Counter()
    names: dict[tuple[Mutable, int], str] = {}
    for entry in entries:
        for finding in entry.findings:
            hit = finding.hit
            for what, target, name in (
                (Mutable.TERM, hit.term_id, finding.term),
                (Mutable.WATCHLIST, hit.watchlist_id, finding.watchlist),
                (Mutable.CHANNEL, hit.channel_id, entry.channel.title),
            ):
                names[what, target] = name
                found[what, target] += 1
    return {key: names[key] for key, _ in found.most_common()}


def how_long(delivery_id: int, what: Mutable, target: int) -> InlineKeyboardMarkup:
    periods = [
        _button(say(label), Hush(delivery=delivery_id, what=what, target=target, period=period))
        for period, label in PERIODS.items()
    ]
    return _keyboard(periods[:2], periods[2:], [_back(delivery_id, Menu.MUTE)])


def more(delivery_id: int) -> InlineKeyboardMarkup:
    rows = [
        [_button(say(label), Show(delivery=delivery_id, view=view))]
        for view, label in VIEWS.items()
    ]
    return _keyboard(*rows, [_back(delivery_id, Menu.USUAL)])


def teammates(people: Iterable[Person]) -> InlineKeyboardMarkup:
    some = list(people)[:PEOPLE_LIMIT]
    return _keyboard(
        *(
            [_button(f"{_label(one.name)} · {one.role.word}", Teammate(number=one.number))]
            for one in some
        )
    )


def teammate(person: Person) -> InlineKeyboardMarkup:
    """The other roles they could have, and the way out."""
    fates = [
        _button(_fate(fate), Change(number=person.number, fate=fate))
        for fate in Fate
        if fate.role is not person.role
    ]
    return _keyboard(fates[:-1], fates[-1:], [_button(say("‹ Back"), Teammate(number=0))])


def pages_of_audit(older_than: int | None, *, latest: bool) -> InlineKeyboardMarkup:
    """`older_than`: the id before which there is more; `latest`: these are the newest."""
    row = [] if latest else [_button(say("‹ Latest"), Audit(before=0))]
    if older_than is not None:
        row.append(_button(say("Older ›"), Audit(before=older_than)))
    return _keyboard(*([row] if row else []))


def choices(given: Iterable[tuple[str, CallbackData]]) -> InlineKeyboardMarkup:
    """One below the other."""
    return _keyboard(*([_button(label, says)] for label, says in given))


def languages(names: Mapping[str, str]) -> InlineKeyboardMarkup:
    """`names`: of each code, as its speakers call it."""
    buttons = [_button(name, Speak(code=code)) for code, name in names.items()]
    return _keyboard(buttons[:1], buttons[1:3], buttons[3:])


def under_search(search_id: int, page: int, *, best: bool, more: bool) -> InlineKeyboardMarkup:
    turns = []
    if page:
        turns.append(_button(say("‹ Back"), Turn(search=search_id, page=page - 1, best=best)))
    if more:
        turns.append(_button(say("More ›"), Turn(search=search_id, page=page + 1, best=best)))
    other = say("🕘 Newest first") if best else say("⭐ Best first")
    return _keyboard(turns, [_button(other, Turn(search=search_id, page=0, best=not best))])


def named(what: Mutable, name: str) -> str:
    return say(NAMED[what], name=name)


def _fate(fate: Fate) -> str:
    return say("Remove") if fate is Fate.REMOVE else fate.capitalize()


def _keyboard(*rows: list[InlineKeyboardButton]) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup(inline_keyboard=list(rows))


def _button(label: str, says: CallbackData) -> InlineKeyboardButton:
    return InlineKeyboardButton(text=label, callback_data=says.pack())


def _back(delivery_id: int, menu: Menu) -> InlineKeyboardButton:
    return _button(say("‹ Back"), Open(delivery=delivery_id, menu=menu))


def _counted(label: str, number: int) -> str:
    return f"{label} {number}" if number > 0 else label


def _label(name: str) -> str:
    return plain_name(name, LABEL_LIMIT) or "…"
