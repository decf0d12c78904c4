"""May the bot write in a chat, and if not, why?"""

from aiogram import Bot
from aiogram.exceptions import TelegramBadRequest, TelegramForbiddenError
from aiogram.types import (
    ChatFullInfo,
    ChatMemberAdministrator,
    ChatMemberBanned,
    ChatMemberLeft,
    ChatMemberMember,
    ChatMemberRestricted,
    ChatPermissions,
)
from aiogram.types.chat_member_union import ChatMemberUnion

from storage.said import Said


class MayNotWrite(Exception):
    """The message says why."""


def hindrance(
    chat_type: str, me: ChatMemberUnion, everybody: ChatPermissions | None = None
) -> str | None:
    """Why a bot that is `me` in such a chat may not write there; None when it may.

    `everybody`: what plain members of a group may do.
    """
    if isinstance(me, ChatMemberBanned):
        return (
            Said("the bot was blocked") if chat_type == "private" else Said("the bot was removed")
        )
    if isinstance(me, ChatMemberLeft):
        return Said("the bot is no member")
    if chat_type == "channel":
        if not isinstance(me, ChatMemberAdministrator):
            return Said("the bot is no administrator there")
        return (
            Said("the bot may not post messages there") if me.can_post_messages is False else None
        )
    if isinstance(me, ChatMemberRestricted) and not (me.is_member and me.can_send_messages):
        return Said("the bot is restricted: it may not send messages")
    if isinstance(me, ChatMemberMember) and everybody and everybody.can_send_messages is False:
        return Said("only administrators may send messages there")
    return None


async def writable(bot: Bot, chat_id: int | str) -> ChatFullInfo:
    """The chat, if the bot may write there. Raises MayNotWrite, and TelegramAPIError when Telegram
    can't be asked."""
    try:
        chat = await bot.get_chat(chat_id)
        me = await bot.get_chat_member(chat.id, bot.id)
    except TelegramForbiddenError as error:
        raise MayNotWrite(Said("the bot is no member")) from error
    except TelegramBadRequest as error:
        raise MayNotWrite(Said("the bot knows no such chat, or is no member")) from error
    if why := hindrance(chat.type, me, chat.permissions):
        raise MayNotWrite(why)
    return chat
