"""Which language is a chat spoken to in?

What it has chosen with /language; else, in private, the language of the person's Telegram; else, as
in groups that chose none, that of the settings. aiogram's i18n, on our catalogues.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from gettext import GNUTranslations
from typing import Any

from aiogram import BaseMiddleware
from aiogram.types import Chat as TelegramChat
from aiogram.types import TelegramObject, User
from aiogram.utils.i18n import I18n, I18nMiddleware

from bot import speech
from storage import chats
from storage.db import Database
from storage.model import Chat


class Catalogues(I18n):
    """Shares its language with `speech`, so that pure modules speak it, too."""

    def __init__(self) -> None:
        super().__init__(path=speech.LOCALES, default_locale=speech.USUAL.get())
        self.ctx_locale = speech.LANGUAGE

    def find_locales(self) -> dict[str, GNUTranslations]:
        found = {code: speech.catalogue(code) for code in speech.LANGUAGES}
        return {code: one for code, one in found.items() if isinstance(one, GNUTranslations)}


class Interface(I18nMiddleware):
    """Whatever a handler says is said in the language of its chat."""

    def __init__(self) -> None:
        super().__init__(Catalogues())

    async def get_locale(self, event: TelegramObject, data: dict[str, Any]) -> str:
        chat: TelegramChat | None = data.get("event_chat")
        person: User | None = data.get("event_from_user")
        told = chosen(await chats.one(data["db"].reader, chat.id)) if chat else None
        if told is None and person and (chat is None or chat.type == "private"):
            told = speech.known(person.language_code)
        return told or speech.USUAL.get()


def chosen(chat: Chat) -> str | None:
    """None: that of the settings."""
    return chat.language or chat.spoken


async def language_of(db: Database, chat_id: int) -> str:
    return chosen(await chats.one(db.reader, chat_id)) or speech.USUAL.get()


class Remember(BaseMiddleware):
    """Keeps the language of a person's Telegram, for what they are told unasked."""

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        person: User | None = data.get("event_from_user")
        chat: TelegramChat | None = data.get("event_chat")
        if person is not None and chat is not None and chat.type == "private":
            await _remember(data["db"], chat.id, speech.known(person.language_code))
        return await handler(event, data)


async def _remember(db: Database, chat_id: int, spoken: str | None) -> None:
    if spoken is None or (await chats.one(db.reader, chat_id)).spoken == spoken:
        return
    async with db.transaction() as tx:
        await chats.put(tx, replace(await chats.one(tx, chat_id), spoken=spoken))
