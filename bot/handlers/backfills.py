"""/backfill: which history is read from before a channel was watched?"""

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from bot import render
from bot.periods import read_length
from bot.speech import say, say_number
from storage import audit, backfills, channels
from storage.db import Database
from storage.model import Author, Backfill
from storage.said import Said
from watchers.references import BadReference, read_reference

USAGE = Said("Which channel, and how far back? <code>/backfill @name 30d</code>")


def register(router: Router) -> None:
    router.message.register(backfill, Command("backfill"))


async def backfill(
    message: Message,
    command: CommandObject,
    db: Database,
    clock: Callable[[], datetime],
    zone: tzinfo,
    by: Author,
) -> None:
    words = (command.args or "").split()
    periods = [period for period in map(read_length, words) if period]
    names = [word for word in words if read_length(word) is None]
    if not words:
        await _list(message, db, zone)
    elif len(periods) != 1 or len(names) != 1:
        await message.answer(say(USAGE))
    else:
        await message.answer(await _ask(message, db, names[0], clock(), periods[0], zone, by))


async def _ask(
    message: Message,
    db: Database,
    name: str,
    now: datetime,
    period: timedelta,
    zone: tzinfo,
    by: Author,
) -> str:
    try:
        reference = read_reference(name)
    except BadReference as error:
        return say("Not read: {why}.", why=render.safe(say(error)))
    async with db.transaction() as tx:
        ledger = await channels.referred_to(tx, reference.username, reference.id)
        if ledger is None:
            return say(
                "{channel} is not watched: /add it first.", channel=render.safe(str(reference))
            )
        thread_id = message.message_thread_id if message.is_topic_message else None
        below = ledger.start + 1
        wish = Backfill(ledger.channel, now - period, below, message.chat.id, thread_id)
        asked = await backfills.ask(tx, wish, now)
        if not asked.done:
            await audit.note(tx, by, f"backfill {reference} back to {asked.until:%Y-%m-%d}", now)
    name, back = render.channel_name(asked.channel), render.date_shown(asked.until, zone)
    if asked.done:
        return say("{channel} is read back to {day} already.", channel=name, day=back)
    return say(
        "{channel} is read back to {day}, a page every few seconds. I will say when it is done.",
        channel=name,
        day=back,
    )


async def _list(message: Message, db: Database, zone: tzinfo) -> None:
    lines = [_line(asked, zone) for asked in await backfills.all(db.reader)]
    for page in render.pages([*lines, say(USAGE)]):
        await message.answer(page)


def _line(asked: Backfill, zone: tzinfo) -> str:
    name, back = render.channel_name(asked.channel), render.date_shown(asked.until, zone)
    posts = say_number("{n} post", "{n} posts", asked.posts)
    hits = say_number("{n} hit", "{n} hits", asked.hits)
    template = Said("⏳ {channel}: being read back to {day}, {posts}, {hits} so far")
    if asked.done:
        template = Said("✅ {channel}: read back to {day}, {posts}, {hits}")
    return say(template, channel=name, day=back, posts=posts, hits=hits)
