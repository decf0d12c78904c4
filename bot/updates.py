"""How does what people say to the bot reach the handlers?

Not aiogram's own polling: there, one update that can't be parsed blocks all that follow for ever,
and a stop closes the session under running handlers.
"""

import asyncio
import logging
from collections import defaultdict
from typing import Any

from aiogram import Bot, Dispatcher
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramConflictError,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.methods import TelegramMethod
from aiogram.types import Update
from pydantic import ValidationError

log = logging.getLogger(__name__)

LONG_POLL = 25  # seconds Telegram holds an empty answer back
BACK_OFF = (1, 2, 5, 10, 30)  # seconds; the last one repeats
REMEDIES: dict[type[Exception], str] = {
    TelegramConflictError: "another program polls with this BOT_TOKEN: stop it, or use another token",
    TelegramNetworkError: "the Bot API server can't be reached: check the network and BOT_API_URL",
    TelegramServerError: "the Bot API server has internal trouble",
    ClientDecodeError: "the Bot API server answers with something else: check BOT_API_URL",
    TelegramRetryAfter: "Telegram asks to slow down",
}


def remedy(error: Exception) -> str:
    return next(text for kind, text in REMEDIES.items() if isinstance(error, kind))


class _GetRawUpdates(TelegramMethod[list[dict[str, Any]]]):
    """getUpdates, unparsed: each update is parsed by itself."""

    __returning__ = list[dict[str, Any]]
    __api_method__ = "getUpdates"

    offset: int
    timeout: int
    allowed_updates: list[str]


async def poll(bot: Bot, dispatcher: Dispatcher) -> None:
    """Feed updates to the dispatcher until cancelled.

    Updates are acknowledged to Telegram after their handlers have run, so a crash repeats rather
    than loses them. Chats do not wait for each other; what one chat says keeps its order.
    """
    offset, failures = 0, 0
    allowed = dispatcher.resolve_used_update_types()
    while True:
        try:
            method = _GetRawUpdates(offset=offset, timeout=LONG_POLL, allowed_updates=allowed)
            batch = await bot(method, request_timeout=LONG_POLL + 15)
        except tuple(REMEDIES) as error:
            wait = BACK_OFF[min(failures, len(BACK_OFF) - 1)]
            if isinstance(error, TelegramRetryAfter):
                wait = error.retry_after
            log.warning("commands are not read: %s; next try in %s s", remedy(error), wait)
            failures += 1
            await asyncio.sleep(wait)
            continue
        if failures:
            failures = 0
            log.info("commands are read again")
        if batch:
            await _whole(_handle(bot, dispatcher, batch))
            offset = batch[-1]["update_id"] + 1


async def _whole(handling: Any) -> None:
    """A handler that has begun is let finish, even when polling is stopped meanwhile."""
    task = asyncio.ensure_future(handling)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task], timeout=2)
        task.cancel()
        raise


async def _handle(bot: Bot, dispatcher: Dispatcher, batch: list[dict[str, Any]]) -> None:
    by_chat: dict[int | None, list[Update]] = defaultdict(list)
    for raw in batch:
        try:
            update = Update.model_validate(raw, context={"bot": bot})
        except ValidationError:
            log.warning("update %s has an unknown shape and is skipped", raw.get("update_id"))
            continue
        by_chat[_chat_of(update)].append(update)
    async with asyncio.TaskGroup() as chats:
        for updates in by_chat.values():
            chats.create_task(_in_order(bot, dispatcher, updates))


async def _in_order(bot: Bot, dispatcher: Dispatcher, updates: list[Update]) -> None:
    for update in updates:
        try:
            await dispatcher.feed_update(bot, update)
        except TelegramUnauthorizedError:
            raise
        except Exception:
            # The last line of defence: Telegram would give the same update again after a crash,
            # and one person's message could keep the program down for everybody.
            log.exception("update %s failed in its handler and is skipped", update.update_id)


def _chat_of(update: Update) -> int | None:
    event = update.event
    chat = getattr(event, "chat", None) or getattr(getattr(event, "message", None), "chat", None)
    return chat.id if chat else None
