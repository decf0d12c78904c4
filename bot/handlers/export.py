"""/export: may I have what was stored, as a file?"""

import re
from collections.abc import Callable
from datetime import datetime, tzinfo

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from bot import render
from bot.export import FORMATS, NotExported, Request, find
from bot.export_chat import Exports, Order
from bot.periods import read_period
from bot.speech import LANGUAGE, say
from storage.db import Database
from storage.said import Said

USUAL_PERIOD = "7d"
BUSY = Said("Several exports wait already. Ask again when they have come.")
USAGE = Said(
    "<code>/export [hits | posts] [7d | yesterday | 2026-01-01..2026-01-31 | all] [NAME] "
    "[@channel] [csv | jsonl | html]</code>; alone: hits of the last 7 days as CSV."
)
_CHANNEL = re.compile(r"@.*|-100\d+|https?://.*|t\.me/.*|telegram\.me/.*", re.IGNORECASE)


def register(router: Router) -> None:
    router.message.register(export, Command("export"))


async def export(
    message: Message,
    command: CommandObject,
    db: Database,
    exports: Exports,
    clock: Callable[[], datetime],
    zone: tzinfo,
) -> None:
    try:
        request = read_request(command.args or "", clock(), zone)
        wanted = await find(db, request)
    except NotExported as error:
        await message.answer(
            f"{say('Not exported: {why}.', why=render.safe(say(error)))}\n{say(USAGE)}"
        )
        return
    thread_id = message.message_thread_id if message.is_topic_message else None
    if not exports.take(Order(message.chat.id, thread_id, request, wanted, LANGUAGE.get())):
        await message.answer(say(BUSY))


def read_request(text: str, now: datetime, zone: tzinfo) -> Request:
    """Words in any order; what is nothing else is a watchlist. Raises NotExported."""
    period = read_period(USUAL_PERIOD, now, zone)
    posts, format, channel, watchlist = False, "csv", "", ""
    for word in text.split():
        said = word.casefold()
        if said in ("hits", "posts"):
            posts = said == "posts"
        elif said in FORMATS:
            format = said
        elif _CHANNEL.fullmatch(word):
            channel = word
        elif found := read_period(word, now, zone):
            period = found
        elif re.match(r"\d+[mhd]|\d{4}-", said):
            raise NotExported(Said("“{word}” is no period", word=word[:64]))
        elif watchlist:
            raise NotExported(
                Said(
                    "of one watchlist at a time, not of {one} and {other}",
                    one=watchlist[:64],
                    other=word[:64],
                )
            )
        else:
            watchlist = word
    assert period is not None
    # Whoever taps the file opens it in a spreadsheet, and that is Excel more often than not.
    return Request(period, posts, watchlist, channel, format, bom=format == "csv")
