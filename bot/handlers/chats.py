"""What happens to the chats themselves: the bot is blocked, let back, a group moves?"""

import logging
from collections.abc import Callable
from datetime import datetime

from aiogram import Bot, F, Router
from aiogram.dispatcher.event.bases import SkipHandler
from aiogram.exceptions import TelegramAPIError
from aiogram.types import Chat, ChatMemberUpdated, Message

from bot import notices, rights
from bot.names import plain_name
from storage import chats, outbox
from storage.db import Database
from storage.said import Said
from watchers.pipeline import Pipeline

log = logging.getLogger(__name__)


def make_router() -> Router:
    router = Router(name=__name__)
    router.my_chat_member.register(rights_changed)
    router.message.register(migrated, F.migrate_to_chat_id)
    router.message.register(heard)
    return router


async def rights_changed(
    event: ChatMemberUpdated,
    db: Database,
    pipeline: Pipeline,
    clock: Callable[[], datetime],
    owners: frozenset[int],
) -> None:
    """The bot became something else in a chat: may it write there now?"""
    why = rights.hindrance(event.chat.type, event.new_chat_member)
    if why is None:
        await _resume(event.chat.id, db, pipeline, clock())
        return
    async with db.transaction() as tx:
        if await chats.pause(tx, event.chat.id, why, clock()):
            others = owners - {event.chat.id}
            await notices.owe(tx, others, _paused(event.chat, why), clock())
    pipeline.owed.set()


def _paused(chat: Chat, why: str) -> str:
    name = plain_name(chat.title or chat.first_name or "", 60)
    return Said(
        "Chat {name} ({number}) can't be written to: {why}. What it is owed is kept and sent when "
        "the bot may write there again.",
        name=name or Said("without a name"),
        number=chat.id,
        why=why,
    )


async def migrated(message: Message, db: Database) -> None:
    assert message.migrate_to_chat_id is not None
    async with db.transaction() as tx:
        await chats.migrate(tx, message.chat.id, message.migrate_to_chat_id)


async def heard(
    message: Message,
    bot: Bot,
    db: Database,
    pipeline: Pipeline,
    clock: Callable[[], datetime],
) -> None:
    """A chat that can't be written to says something: it may be one that can by now."""
    if await chats.is_paused(db.reader, message.chat.id) and await _may_write(bot, message.chat):
        await _resume(message.chat.id, db, pipeline, clock())
    raise SkipHandler  # what it said is for others to hear


async def _may_write(bot: Bot, chat: Chat) -> bool:
    if chat.type == "private":
        return True  # who has blocked a bot can't write to it
    try:
        await rights.writable(bot, chat.id)
    except (rights.MayNotWrite, TelegramAPIError):
        return False
    return True


async def _resume(chat_id: int, db: Database, pipeline: Pipeline, now: datetime) -> None:
    async with db.transaction() as tx:
        await outbox.resume(tx, chat_id, now)
    pipeline.owed.set()  # what was kept for it
