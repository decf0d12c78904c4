"""What may a handler ask for by name, and in which order are they asked?"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from aiogram import Dispatcher
from aiogram.exceptions import TelegramAPIError
from aiogram.filters import ExceptionTypeFilter
from aiogram.types import ErrorEvent

from bot.access import Access
from bot.handlers import (
    backfills,
    channels,
    chats,
    digests,
    start,
    status,
    subscriptions,
    watchlists,
)
from storage.db import Database, DatabaseUnusable
from watchers.pipeline import Pipeline
from watchers.sources import Sources

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """What handlers work with; each of its fields is a handler's argument of that name."""

    db: Database
    pipeline: Pipeline
    sources: Sources
    clock: Callable[[], datetime]
    zone: tzinfo
    owners: frozenset[int]


def make_dispatcher(desk: Desk, seconds: Callable[[], float]) -> Dispatcher:
    """`seconds` is a steady clock."""
    dispatcher = Dispatcher(**{name: getattr(desk, name) for name in Desk.__slots__})
    dispatcher.include_router(chats.make_router())  # not commands: they come from anybody
    commands = [start, channels, backfills, watchlists, subscriptions, digests, status]
    access = Access(desk.owners, seconds)
    for module in commands:
        dispatcher.include_router(module.make_router())
    dispatcher.message.outer_middleware(access)
    dispatcher.errors.register(_unsaved, ExceptionTypeFilter(DatabaseUnusable))
    dispatcher.errors.register(_unanswered, ExceptionTypeFilter(TelegramAPIError))
    return dispatcher


async def _unsaved(event: ErrorEvent) -> bool:
    log.error("%s", event.exception)
    message = event.update.message
    if message is not None:
        await message.answer("That could not be saved: the database can't be written at present.")
    return True


async def _unanswered(event: ErrorEvent) -> bool:
    """What was asked for is done; only the answer did not get through."""
    kind = type(event.exception).__name__
    log.warning("the answer to update %s was not delivered: %s", event.update.update_id, kind)
    return True
