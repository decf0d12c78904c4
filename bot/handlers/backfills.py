"""/backfill: which history is read from before a channel was watched?"""

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from bot import render
from storage import backfills, channels
from storage.db import Database
from storage.model import Backfill
from watchers.periods import length as read_period
from watchers.references import BadReference, read_reference

USAGE = "Which channel, and how far back? <code>/backfill @name 30d</code>"


def make_router() -> Router:
    router = Router(name=__name__)
    router.message.register(backfill, Command("backfill"))
    return router


async def backfill(
    message: Message,
    command: CommandObject,
    db: Database,
    clock: Callable[[], datetime],
    zone: tzinfo,
) -> None:
    words = (command.args or "").split()
    periods = [period for period in map(read_period, words) if period]
    names = [word for word in words if read_period(word) is None]
    if not words:
        await _list(message, db, zone)
    elif len(periods) != 1 or len(names) != 1:
        await message.answer(USAGE)
    else:
        await message.answer(await _ask(message, db, names[0], clock(), periods[0], zone))


async def _ask(
    message: Message, db: Database, name: str, now: datetime, period: timedelta, zone: tzinfo
) -> str:
    try:
        reference = read_reference(name)
    except BadReference as error:
        return f"Not read: {render.safe(str(error))}."
    async with db.transaction() as tx:
        ledger = await channels.referred_to(tx, reference.username, reference.id)
        if ledger is None:
            return f"{render.safe(str(reference))} is not watched: /add it first."
        thread_id = message.message_thread_id if message.is_topic_message else None
        below = ledger.start + 1
        wish = Backfill(ledger.channel, now - period, below, message.chat.id, thread_id)
        asked = await backfills.ask(tx, wish, now)
    name, back = render.channel_name(asked.channel), render.date_shown(asked.until, zone)
    if asked.done:
        return f"{name} is read back to {back} already."
    return f"{name} is read back to {back}, a page every few seconds. I will say when it is done."


async def _list(message: Message, db: Database, zone: tzinfo) -> None:
    lines = [_line(asked, zone) for asked in await backfills.all(db.reader)]
    for page in render.pages([*lines, USAGE]):
        await message.answer(page)


def _line(asked: Backfill, zone: tzinfo) -> str:
    name, back = render.channel_name(asked.channel), render.date_shown(asked.until, zone)
    so_far = f"{asked.posts} posts, {asked.hits} hits"
    if asked.done:
        return f"✅ {name}: read back to {back}, {so_far}"
    return f"⏳ {name}: being read back to {back}, {so_far} so far"
