"""/quiet /zone: when may this chat be disturbed, by which clock?"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, tzinfo

from aiogram import Bot, Router
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from bot import places, render
from bot.speech import say
from storage import audit, chats
from storage.db import Database
from storage.model import Author
from storage.said import Said
from watchers.pipeline import Pipeline
from watchers.zones import NoSuchZone, read_zone, zone_of

_HOURS = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*[-–—]\s*(\d{1,2})(?::(\d{2}))?")
QUIET_USAGE = Said("To change that: <code>/quiet 22:00-07:00</code>, or <code>/quiet off</code>.")


class BadHours(ValueError):
    """The message says what to write."""


def register(router: Router) -> None:
    router.message.register(quiet, Command("quiet"))
    router.message.register(zone_command, Command("zone"))


def read_hours(text: str) -> tuple[time, time]:
    """`22:00-07:00` or `22-7`. Raises BadHours."""
    match = _HOURS.fullmatch(text.strip())
    if match is None:
        raise BadHours(Said("No such hours: write them like 22:00-07:00, from – to."))
    try:
        start = time(int(match[1]), int(match[2] or 0))
        end = time(int(match[3]), int(match[4] or 0))
    except ValueError:
        raise BadHours(Said("No such hours: they go from 00:00 to 23:59.")) from None
    if start == end:
        raise BadHours(Said("That is no time at all. To hear nothing for a while, /mute the chat."))
    return start, end


async def quiet(
    message: Message,
    command: CommandObject,
    bot: Bot,
    db: Database,
    pipeline: Pipeline,
    clock: Callable[[], datetime],
    by: Author,
) -> None:
    text, elsewhere = places.split(command.args or "")
    try:
        place = await places.place_of(message, elsewhere, bot)
        wanted = None if text.casefold() in ("", "off") else read_hours(text)
    except (places.NoSuchChat, BadHours) as error:
        await message.answer(render.safe(say(error)))
        return
    async with db.transaction() as tx:
        chat = await chats.one(tx, place.chat_id)
        if text:
            chat = replace(chat, quiet=wanted)
            await chats.put(tx, chat)
            said = places.said_of(f"quiet {text}", place, message)
            await audit.note(tx, by, said, clock())
    hint = "" if text else f"\n{say(QUIET_USAGE)}"
    shown = _shown(chat.quiet, zone_of(chat, pipeline.zone))
    await message.answer(f"{place.name}: {shown}{hint}")


def _shown(hours: tuple[time, time] | None, zone: tzinfo) -> str:
    if hours is None:
        return say("no quiet hours, alerts come at any time.")
    start, end = hours
    return say(
        "quiet hours from {start} to {end} ({zone}): alerts of high severity come all the same, the "
        "others as one digest at {end}.",
        start=f"{start:%H:%M}",
        end=f"{end:%H:%M}",
        zone=zone,
    )


async def zone_command(
    message: Message,
    command: CommandObject,
    bot: Bot,
    db: Database,
    pipeline: Pipeline,
    clock: Callable[[], datetime],
    by: Author,
) -> None:
    text, elsewhere = places.split(command.args or "")
    try:
        place = await places.place_of(message, elsewhere, bot)
        name = read_zone(text) if text else None
    except places.NoSuchChat as error:
        await message.answer(render.safe(say(error)))
    except NoSuchZone as error:
        await message.answer(f"{render.safe(say(error))}.")
    else:
        said = places.said_of(f"zone {name}", place, message)
        await message.answer(await _zone(db, place, name, clock(), pipeline.zone, by, said))


async def _zone(
    db: Database,
    place: places.Place,
    name: str | None,
    now: datetime,
    default: tzinfo,
    by: Author,
    said: str,
) -> str:
    """Set the zone, if one is given; say which it is."""
    async with db.transaction() as tx:
        chat = await chats.one(tx, place.chat_id)
        if name is not None:
            await chats.put(tx, replace(chat, zone=name))
            await audit.note(tx, by, said, now)
    if name is not None:
        return say(
            "{chat}: the time zone is {zone} from now on. Times are shown, digests sent and quiet "
            "hours kept by it.",
            chat=place.name,
            zone=name,
        )
    zone = zone_of(chat, default)
    at = render.time_shown(now, zone)
    here = say(
        "{chat}: the time zone is {zone}, where it is {time}.", chat=place.name, zone=zone, time=at
    )
    return f"{here}\n{say('To change that: <code>/zone Europe/Warsaw</code>')}"
