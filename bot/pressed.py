"""Under which message was a button pressed, and is it one of the chat that it claims to be of?"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiogram import BaseMiddleware
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, TelegramObject

from bot import keyboards, render
from bot.names import plain_name
from bot.speech import say
from storage import outbox
from storage.db import Database
from storage.model import DeliveryKind, Entry, Mutable
from storage.said import Said

log = logging.getLogger(__name__)

FOREIGN = Said("This button does not belong here.")
NAME_LIMIT = 60  # characters of what is muted, in a toast


@dataclass(frozen=True, slots=True)
class Pressed:
    """The message under which a button was pressed."""

    delivery_id: int
    chat_id: int
    thread_id: int | None
    message_id: int  # in the chat
    entries: tuple[Entry, ...]  # what it tells, the lead post first

    @property
    def lead(self) -> Entry:
        return self.entries[0]

    @property
    def merged(self) -> bool:
        return len(render.leads(self.entries)) > 1

    def keyboard(self) -> InlineKeyboardMarkup:
        """The buttons it usually has."""
        if self.merged:
            return keyboards.under_merged(self.delivery_id)
        useful = sum(verdict.useful for verdict in self.lead.verdicts)
        noise = len(self.lead.verdicts) - useful
        return keyboards.under_alert(self.delivery_id, useful, noise)

    def name(self, what: Mutable, target: int) -> str | None:
        """What it is called; None when the message did not tell of it."""
        name = keyboards.mutable(self.entries).get((what, target))
        return None if name is None else plain_name(name, NAME_LIMIT) or "…"


class OnlyOwn(BaseMiddleware):
    """Gives handlers the message the button is about, if it stands in this chat."""

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        assert isinstance(event, CallbackQuery)
        pressed = await find(data["db"], event, data["callback_data"].delivery)
        if pressed is None:
            return await foreign(event)
        data["pressed"] = pressed
        return await handler(event, data)


async def find(db: Database, callback: CallbackQuery, delivery_id: int) -> Pressed | None:
    # Of an old message Telegram gives an InaccessibleMessage: its place is all that is needed.
    if callback.message is None:
        return None
    delivery = await outbox.one(db.reader, delivery_id)
    if delivery is None or delivery.kind is not DeliveryKind.ALERT:
        return None
    if delivery.chat_id != callback.message.chat.id:
        return None
    entries = await outbox.entries(db.reader, delivery_id, as_found=True)
    if not entries:
        return None
    return Pressed(
        delivery_id,
        delivery.chat_id,
        delivery.thread_id,
        callback.message.message_id,
        tuple(entries),
    )


async def foreign(callback: CallbackQuery) -> None:
    log.info("callback %s: made up, gone, or of another chat", callback.id)
    await callback.answer(say(FOREIGN))
