"""Which time zone does a handler get? That of the chat it answers."""

from collections.abc import Awaitable, Callable
from datetime import tzinfo
from typing import Any

from aiogram import BaseMiddleware
from aiogram.types import TelegramObject

from storage import chats
from storage.db import Database
from watchers import zones


async def zone_of(db: Database, chat_id: int, default: tzinfo) -> tzinfo:
    return zones.zone_of(await chats.one(db.reader, chat_id), default)


class LocalTime(BaseMiddleware):
    """Makes `zone` the chat's own, so that no handler can forget it."""

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        if (chat := data.get("event_chat")) is not None:
            data["zone"] = await zone_of(data["db"], chat.id, data["zone"])
        return await handler(event, data)
