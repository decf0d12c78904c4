"""/grouprole: what may everybody in this group do here?"""

from collections.abc import Callable
from datetime import datetime

from aiogram import Bot, Router
from aiogram.exceptions import TelegramAPIError
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from bot import menus
from bot.handlers.invites import read_role
from bot.speech import say
from storage import audit, chats
from storage.db import Database
from storage.model import Author, Role
from storage.said import Said

GROUP_USAGE = Said(
    "To change that: <code>/grouprole viewer</code>, <code>member</code>, <code>operator</code> "
    "or <code>none</code>."
)
OPEN_GROUP = Said(
    "People who are no members can speak in this group: it is public, or belongs to a channel. So "
    "it can have no role."
)


def register(router: Router) -> None:
    router.message.register(group_role, Command("grouprole"))


async def group_role(
    message: Message,
    command: CommandObject,
    bot: Bot,
    db: Database,
    owners: frozenset[int],
    clock: Callable[[], datetime],
    by: Author,
) -> None:
    word, chat_id = (command.args or "").strip().casefold(), message.chat.id
    role = read_role(word)
    if role is None and word != "none":
        await message.answer(
            _group(await chats.role_of(db.reader, chat_id)) + f" {say(GROUP_USAGE)}"
        )
        return
    try:
        refused = OPEN_GROUP if role is not None and await _open(message, bot) else None
    except TelegramAPIError:
        refused = Said("Telegram could not be asked about this group: try again.")
    if refused:
        await message.answer(say(refused))
        return
    async with db.transaction() as tx:
        if role is not await chats.role_of(tx, chat_id):
            await chats.set_role(tx, chat_id, role)
            await audit.note(tx, by, f"grouprole {word}", clock())
    await menus.renew_chat(bot, db, owners, chat_id)
    await message.answer(_group(role))


async def _open(message: Message, bot: Bot) -> bool:
    """Can people speak there who were let in by nobody?"""
    chat = await bot.get_chat(message.chat.id)
    return bool(chat.username or chat.active_usernames or chat.linked_chat_id)


def _group(role: Role | None) -> str:
    if role is None:
        return say("This group has no role: only those of the team are listened to here.")
    return say("Everybody in this group is at least {role} here.", role=role.word)
