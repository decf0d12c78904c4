"""Is everything set up as it must be? Each check says what it found, and what to do if it is wrong."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import aiohttp
from aiogram.exceptions import TelegramNotFound, TelegramUnauthorizedError

from bot import render, updates
from bot.app import NO_ACCOUNT, NO_OWNERS, REFUSED, CannotRun, open_bot
from bot.settings import Settings
from storage import channels, outbox
from storage.db import DatabaseUnusable, open_database
from watchers.ingest import SourceLost, rhythms
from watchers.pipeline import Pipeline
from watchers.telegram import TelegramSource

CLOCK_MAY_DIFFER = 30  # seconds; Telegram refuses messages of a client whose clock is further off


@dataclass(frozen=True, slots=True)
class Finding:
    well: bool
    text: str


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """One finding after the other, as they come."""
    if not settings.owner_ids:
        yield Finding(False, NO_OWNERS)
    async for finding in _database(settings):
        yield finding
    yield await _bot(settings)
    yield await _clock(settings)


async def _database(settings: Settings) -> AsyncIterator[Finding]:
    """The database, what it says of the channels, and the session, which is checked through it."""
    try:
        async with open_database(settings.database) as db:
            ((broken,),) = await db.reader.execute_fetchall("PRAGMA quick_check(1)")
            well = broken == "ok"
            remedy = "" if well else ": it is damaged, restore the last backup"
            yield Finding(well, f"database {settings.database}{remedy}")
            pipeline = Pipeline(db, lambda: datetime.now(UTC))
            ledgers = await channels.watched(db.reader)
            line = render.coverage(ledgers, await rhythms(pipeline), pipeline.clock())
            yield Finding(True, render.plain(line) or "no channel is watched yet")
            for ledger in ledgers:
                if ledger.trouble:
                    yield Finding(False, f"{ledger.channel.title}: {ledger.trouble}")
            yield Finding(True, f"{await outbox.waiting(db.reader)} messages wait to be sent")
            if not settings.accounts:
                yield Finding(False, NO_ACCOUNT)
            for account in settings.accounts:
                try:
                    async with TelegramSource(account, db).connected():
                        yield Finding(True, f"the Telegram session of {account.name} is good")
                except SourceLost as error:
                    yield Finding(False, f"the Telegram session of {account.name}: {error}")
    except DatabaseUnusable as error:
        yield Finding(False, str(error))


async def _bot(settings: Settings) -> Finding:
    try:
        async with open_bot(settings) as bot:
            me = await bot.get_me()
    except CannotRun as error:
        return Finding(False, str(error))
    except (TelegramUnauthorizedError, TelegramNotFound):
        return Finding(False, REFUSED)
    except tuple(updates.REMEDIES) as error:
        return Finding(False, updates.remedy(error))
    return Finding(True, f"the bot is @{me.username}")


async def _clock(settings: Settings) -> Finding:
    """This machine's clock beside that of the Bot API server."""
    try:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(10)) as session:
            before = datetime.now(UTC)
            async with session.head(settings.bot_api_url) as answer:
                there = parsedate_to_datetime(answer.headers["Date"])
    except (aiohttp.ClientError, TimeoutError, KeyError, ValueError):
        return Finding(
            False, "the clock could not be compared: the Bot API server can't be reached"
        )
    off = abs((there - before).total_seconds())
    if off <= CLOCK_MAY_DIFFER:
        return Finding(True, "the clock is right")
    return Finding(False, f"the clock is {off:.0f} s off: switch on time synchronisation (NTP)")
