"""Of which chat does a command speak? Of the one it is said in, unless it ends in «in @chat»."""

import re
from dataclasses import dataclass

from aiogram import Bot
from aiogram.exceptions import TelegramAPIError
from aiogram.types import Message

from bot import render, rights
from bot.names import plain_name
from bot.speech import say
from storage.said import Said
from watchers.references import BadReference, read_reference

REMEDY = Said(
    "Add me there (in a channel: as an administrator who may post messages), then say it again."
)
_ELSEWHERE = re.compile(
    r"(?:(.*)\s)?in\s+((?:@|-?\d|https?://|t\.me/|telegram\.me/)\S+)", re.DOTALL
)
_CHAT_ID = re.compile(r"-?\d{1,18}")


class NoSuchChat(Exception):
    """The message says what to do."""


@dataclass(frozen=True, slots=True)
class Place:
    chat_id: int
    thread_id: int | None
    name: str  # HTML; begins a sentence


def split(text: str) -> tuple[str, str]:
    """What is said, and the other chat that it is said of; empty: none."""
    match = _ELSEWHERE.fullmatch(text.strip())
    return ((match[1] or "").strip(), match[2]) if match else (text.strip(), "")


async def place_of(message: Message, chat: str, bot: Bot) -> Place:
    """A chat that the bot may write to. Raises NoSuchChat."""
    if not chat:
        thread_id = message.message_thread_id if message.is_topic_message else None
        return Place(message.chat.id, thread_id, say("This chat"))
    try:
        found = await rights.writable(bot, _address(chat))
    except rights.MayNotWrite as error:
        why = say("I can't tell {chat} anything: {why}.", chat=chat[:64], why=say(error))
        raise NoSuchChat(f"{why} {say(REMEDY)}") from error
    except TelegramAPIError as error:
        raise NoSuchChat(
            say("Telegram could not be asked about {chat}: try again.", chat=chat[:64])
        ) from error
    name = render.safe(plain_name(found.title or found.first_name or "", 60))
    return Place(found.id, None, f"<b>{name}</b>" if name else say("That chat"))


async def known_place(message: Message, chat: str, bot: Bot) -> Place:
    """The same, though the bot may be out of it: then it goes by its number. Raises NoSuchChat."""
    if not chat:
        return Place(message.chat.id, None, say("This chat"))
    address = _address(chat)
    if isinstance(address, int):
        return Place(address, None, say("That chat"))
    try:
        return Place((await bot.get_chat(address)).id, None, say("That chat"))
    except TelegramAPIError as error:
        raise NoSuchChat(
            say(
                "I can't find {chat}: write its number, which /subscriptions all names.",
                chat=chat[:64],
            )
        ) from error


def said_of(what: str, place: Place, message: Message) -> str:
    """For the audit log: names the chat when it is another one."""
    return what if place.chat_id == message.chat.id else f"{what} in {place.chat_id}"


def _address(chat: str) -> int | str:
    """A chat as the Bot API wants it named. Raises NoSuchChat."""
    if _CHAT_ID.fullmatch(chat):
        return int(chat)
    try:
        reference = read_reference(chat)
    except BadReference as error:
        raise NoSuchChat(say("In which chat? {why}.", why=say(error))) from error
    return f"@{reference.username}" if reference.username else int(f"-100{reference.id}")
