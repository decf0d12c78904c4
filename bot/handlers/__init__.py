"""What may a handler ask for by name, and in which order are they asked?"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from aiogram import Dispatcher, Router
from aiogram.exceptions import TelegramAPIError
from aiogram.filters import ExceptionTypeFilter
from aiogram.types import ErrorEvent

from bot.access import Access
from bot.export_chat import Exports
from bot.handlers import (
    audit,
    backfills,
    buttons,
    channels,
    chats,
    digests,
    export,
    groups,
    guide,
    hours,
    idle,
    invites,
    language,
    mutes,
    posts,
    search,
    start,
    status,
    subscriptions,
    team,
    trials,
    watchlists,
)
from bot.languages import Interface, Remember
from bot.menus import OfferMenu
from bot.speech import known, say, speaking
from bot.zones import LocalTime
from storage.db import Database, DatabaseUnusable
from storage.said import Said
from watchers.pipeline import Pipeline
from watchers.sources import Sources

log = logging.getLogger(__name__)

UNSAVED = Said("That could not be saved: the database can't be written at present.")
COMMANDS = (
    start,
    guide,
    channels,
    backfills,
    watchlists,
    subscriptions,
    mutes,
    hours,
    language,
    digests,
    export,
    search,
    posts,
    trials,
    status,
    team,
    invites,
    groups,
    audit,
)


@dataclass(frozen=True, slots=True)
class Desk:
    """What handlers work with; each of its fields is a handler's argument of that name."""

    db: Database
    pipeline: Pipeline
    sources: Sources
    clock: Callable[[], datetime]
    zone: tzinfo  # of chats that set none; a handler gets its chat's own
    owners: frozenset[int]
    exports: Exports


def make_dispatcher(desk: Desk, seconds: Callable[[], float]) -> Dispatcher:
    """`seconds` is a steady clock."""
    dispatcher = Dispatcher(**{name: getattr(desk, name) for name in Desk.__slots__})
    dispatcher.include_router(chats.make_router())  # not commands: they come from anybody
    dispatcher.include_router(make_commands(Access(seconds)))
    dispatcher.errors.register(_unsaved, ExceptionTypeFilter(DatabaseUnusable))
    dispatcher.errors.register(_unanswered, ExceptionTypeFilter(TelegramAPIError))
    return dispatcher


def make_commands(access: Access) -> Router:
    """What only those may do who have a role; one router, since aiogram makes and walks each slowly."""
    router = Router(name="commands")
    interface = Interface()
    for observer in (router.message, router.callback_query):
        observer.outer_middleware(interface)
        observer.middleware(access)
        observer.middleware(Remember())
        observer.middleware(OfferMenu())
        observer.middleware(LocalTime())
    for module in COMMANDS:
        module.register(router)
    router.include_routers(buttons.make_router(), idle.make_router())  # idle takes what is left
    return router


async def _unsaved(event: ErrorEvent) -> bool:
    log.error("%s", event.exception)
    said = event.update.message or event.update.callback_query
    if said is not None:
        person = said.from_user
        with speaking(known(person.language_code) if person else None):
            await said.answer(say(UNSAVED))
    return True


async def _unanswered(event: ErrorEvent) -> bool:
    """What was asked for is done; only the answer did not get through."""
    kind = type(event.exception).__name__
    log.warning("the answer to update %s was not delivered: %s", event.update.update_id, kind)
    return True
