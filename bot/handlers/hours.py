"""/quiet /zone: when may this chat be disturbed, by which clock?"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, tzinfo

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from bot import render
from storage import chats
from storage.db import Database
from watchers.zones import NoSuchZone, read_zone

_HOURS = re.compile(r"(\d{1,2})(?::(\d{2}))?\s*[-–—]\s*(\d{1,2})(?::(\d{2}))?")
QUIET_USAGE = "<code>/quiet 22:00-07:00</code>, or <code>/quiet off</code>"


class BadHours(ValueError):
    """The message says what to write."""


def make_router() -> Router:
    router = Router(name=__name__)
    router.message.register(quiet, Command("quiet"))
    router.message.register(zone_command, Command("zone"))
    return router


def read_hours(text: str) -> tuple[time, time]:
    """`22:00-07:00` or `22-7`. Raises BadHours."""
    match = _HOURS.fullmatch(text.strip())
    if match is None:
        raise BadHours("No such hours: write them like 22:00-07:00, from – to.")
    try:
        start = time(int(match[1]), int(match[2] or 0))
        end = time(int(match[3]), int(match[4] or 0))
    except ValueError:
        raise BadHours("No such hours: they go from 00:00 to 23:59.") from None
    if start == end:
        raise BadHours("That is no time at all. To hear nothing for a while, /mute the chat.")
    return start, end


async def quiet(message: Message, command: CommandObject, db: Database, zone: tzinfo) -> None:
    text = (command.args or "").strip().casefold()
    if not text:
        hours = (await chats.one(db.reader, message.chat.id)).quiet
        await message.answer(f"{_shown(hours, zone)}\nTo change that: {QUIET_USAGE}.")
        return
    try:
        hours = None if text == "off" else read_hours(text)
    except BadHours as error:
        await message.answer(render.safe(str(error)))
        return
    async with db.transaction() as tx:
        chat = await chats.one(tx, message.chat.id)
        await chats.put(tx, replace(chat, quiet=hours))
    await message.answer(_shown(hours, zone))


def _shown(hours: tuple[time, time] | None, zone: tzinfo) -> str:
    if hours is None:
        return "No quiet hours: alerts come at any time."
    start, end = hours
    return (
        f"Quiet hours from {start:%H:%M} to {end:%H:%M} ({zone}): alerts of high severity come "
        f"all the same, the others as one digest at {end:%H:%M}."
    )


async def zone_command(
    message: Message,
    command: CommandObject,
    db: Database,
    clock: Callable[[], datetime],
    zone: tzinfo,
) -> None:
    text = (command.args or "").strip()
    if not text:
        now = render.time_shown(clock(), zone)
        await message.answer(
            f"This chat's time zone is {zone}, where it is {now}.\n"
            "To change that: <code>/zone Europe/Warsaw</code>"
        )
        return
    try:
        name = read_zone(text)
    except NoSuchZone as error:
        await message.answer(f"{render.safe(str(error))}.")
        return
    async with db.transaction() as tx:
        chat = replace(await chats.one(tx, message.chat.id), zone=name)
        await chats.put(tx, chat)
    await message.answer(
        f"This chat's time zone is {name} from now on: times are shown, digests sent and quiet "
        "hours kept by it."
    )
