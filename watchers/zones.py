"""In which time zone does a chat live?"""

from datetime import tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from rapidfuzz import process

from storage.model import Chat
from storage.said import Said


class NoSuchZone(ValueError):
    """The message says what to write."""


def zone_of(chat: Chat | None, default: tzinfo) -> tzinfo:
    if chat is None or chat.zone is None:
        return default
    try:
        return ZoneInfo(chat.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # this machine no longer knows it
        return default


def read_zone(text: str) -> str:
    """A zone's name in its one way of writing. Raises NoSuchZone."""
    known = {name.casefold(): name for name in available_timezones()}
    wanted = text.strip().replace(" ", "_").casefold()
    if wanted in known:
        return known[wanted]
    # Not Etc/…: the signs of those are the wrong way round.
    places = [name for name in sorted(known) if "/" in name and not name.startswith("etc/")]
    cities = {name.rpartition("/")[2]: name for name in places}
    near = process.extractOne(wanted, [*cities, *places], score_cutoff=75)
    text = text.strip()[:64]
    if near:
        zone = known[cities.get(near[0], near[0])]
        raise NoSuchZone(
            Said("“{text}” is no time zone; did you mean {zone}?", text=text, zone=zone)
        )
    raise NoSuchZone(Said("“{text}” is no time zone; write Europe/Warsaw", text=text))
