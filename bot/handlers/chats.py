"""What happens to the chats themselves: the bot is blocked, let back, a group moves?"""

from collections.abc import Callable
from datetime import datetime

from aiogram import F, Router
from aiogram.filters import JOIN_TRANSITION, LEAVE_TRANSITION, ChatMemberUpdatedFilter
from aiogram.types import ChatMemberUpdated, Message

from storage import chats
from storage.db import Database
from watchers.pipeline import Pipeline


def make_router() -> Router:
    router = Router(name=__name__)
    router.my_chat_member.register(left, ChatMemberUpdatedFilter(LEAVE_TRANSITION))
    router.my_chat_member.register(joined, ChatMemberUpdatedFilter(JOIN_TRANSITION))
    router.message.register(migrated, F.migrate_to_chat_id)
    return router


async def left(event: ChatMemberUpdated, db: Database, clock: Callable[[], datetime]) -> None:
    async with db.transaction() as tx:
        await chats.pause(tx, event.chat.id, "the bot was blocked or removed", clock())


async def joined(event: ChatMemberUpdated, db: Database, pipeline: Pipeline) -> None:
    async with db.transaction() as tx:
        await chats.resume(tx, event.chat.id)
    pipeline.owed.set()  # what was kept for it


async def migrated(message: Message, db: Database) -> None:
    assert message.migrate_to_chat_id is not None
    async with db.transaction() as tx:
        await chats.migrate(tx, message.chat.id, message.migrate_to_chat_id)
