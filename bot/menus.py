"""Which commands does Telegram offer to whom, when they type a slash?

The menu of a private chat, of a whole group, of one person in a group. What was given is remembered,
so that it can be taken back; what Telegram refuses is tried again at the next occasion.
"""

import logging
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from aiogram import BaseMiddleware, Bot
from aiogram.exceptions import ClientDecodeError, TelegramAPIError
from aiogram.types import (
    BotCommand,
    BotCommandScopeChat,
    BotCommandScopeChatMember,
    Chat,
    TelegramObject,
    User,
)

from bot.access import Where, offered
from bot.languages import language_of
from bot.speech import say, speaking
from bot.standing import GROUPS, own_role
from storage import chats, menus, team
from storage.db import Database, DatabaseUnusable
from storage.menus import Menu
from storage.model import Author, Role

log = logging.getLogger(__name__)

Key = tuple[int, int]  # chat, person or menus.EVERYBODY


async def renew_all(bot: Bot, db: Database, owners: frozenset[int]) -> None:
    """At the start: the commands may be others than those of the last release."""
    private = {*owners, *(person.id for person in await team.all(db.reader))}
    keys = {(chat_id, menus.EVERYBODY) for chat_id in (*private, *await chats.roles(db.reader))}
    await _renew(bot, db, owners, sorted(keys | set(await menus.all(db.reader))))


async def dismiss_former_owners(db: Database, owners: frozenset[int]) -> None:
    """Who was taken out of OWNER_IDS is told nothing more. That they were is seen by their menu."""
    for chat_id, person_id in await menus.all(db.reader):
        private = chat_id > 0 and person_id == menus.EVERYBODY
        if private and await own_role(db, owners, chat_id) is None:
            async with db.transaction() as tx:
                await team.dismiss(tx, chat_id)


async def renew_person(bot: Bot, db: Database, owners: frozenset[int], person_id: int) -> None:
    """Their role has changed."""
    given = [key for key in await menus.all(db.reader) if key[1] == person_id]
    await _renew(bot, db, owners, [(person_id, menus.EVERYBODY), *given])


async def renew_chat(bot: Bot, db: Database, owners: frozenset[int], chat_id: int) -> None:
    """The role of the whole group has changed."""
    given = [key for key in await menus.all(db.reader) if key[0] == chat_id and key[1]]
    await _renew(bot, db, owners, [(chat_id, menus.EVERYBODY), *given])


async def renew_language(bot: Bot, db: Database, owners: frozenset[int], chat_id: int) -> None:
    """The language of the chat has changed."""
    await _renew(bot, db, owners, [key for key in await menus.all(db.reader) if key[0] == chat_id])


async def _renew(bot: Bot, db: Database, owners: frozenset[int], keys: Iterable[Key]) -> None:
    for key in keys:
        await _give(bot, db, key, await _due(db, owners, key))


async def _due(db: Database, owners: frozenset[int], key: Key) -> Menu | None:
    """The role and the language in which that menu is made; None: there is to be none."""
    role = await _role(db, owners, key)
    return Menu(role, await language_of(db, key[0])) if role else None


async def _role(db: Database, owners: frozenset[int], key: Key) -> Role | None:
    chat_id, person_id = key
    if chat_id > 0:
        return await own_role(db, owners, chat_id)
    group = await chats.role_of(db.reader, chat_id)
    if person_id == menus.EVERYBODY:
        return group
    own = await own_role(db, owners, person_id)
    return own if own and (group is None or own > group) else None  # else the group's menu is his


async def _give(bot: Bot, db: Database, key: Key, menu: Menu | None) -> None:
    chat_id, person_id = key
    scope = (
        BotCommandScopeChatMember(chat_id=chat_id, user_id=person_id)
        if person_id
        else BotCommandScopeChat(chat_id=chat_id)
    )
    try:
        if menu is None:
            await bot.delete_my_commands(scope=scope)
        else:
            await bot.set_my_commands(_menu(menu, private=chat_id > 0), scope=scope)
        async with db.transaction() as tx:
            await menus.put(tx, chat_id, person_id, menu)
    except (TelegramAPIError, ClientDecodeError, DatabaseUnusable) as error:
        log.info("a command menu was not changed: %s", type(error).__name__)


def _menu(menu: Menu, *, private: bool) -> list[BotCommand]:
    where = Where.PRIVATE if private else Where.GROUP
    with speaking(menu.language):
        return [
            BotCommand(command=info.name, description=say(info.does))
            for info in offered(menu.role, where)
        ]


class OfferMenu(BaseMiddleware):
    """Gives a person their menu in the chat where they speak, if they have not got it."""

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        result = await handler(event, data)
        by: Author = data["by"]
        chat: Chat | None = data.get("event_chat")
        person: User | None = data.get("event_from_user")
        if "command" not in data or chat is None or person is None or by.person_id is None:
            return result
        db, owners = data["db"], data["owners"]
        key = (chat.id, person.id if chat.type in GROUPS else menus.EVERYBODY)
        menu = await _due(db, owners, key)
        if menu != await menus.one(db.reader, *key):
            await _give(data["bot"], db, key, menu)
        return result
