"""/subscribe /unsubscribe /subscriptions: what is a chat told of, and when?"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, tzinfo

from aiogram import Bot, Router
from aiogram.exceptions import TelegramAPIError
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from bot import render, rights
from bot.names import plain_name
from storage import chats, subscriptions, watchlists
from storage.db import Database
from storage.model import Subscription
from watchers.digests import BadSchedule, last_slot, read_schedule
from watchers.pipeline import Pipeline
from watchers.references import BadReference, read_reference
from watchers.zones import zone_of

REMEDY = (
    "Add me there (in a channel: as an administrator who may post messages), then say it again."
)
_CHAT_ID = re.compile(r"-?\d{1,18}")


class NoSuchChat(Exception):
    """The message says what to do."""


@dataclass(frozen=True, slots=True)
class Wish:
    name: str
    when: str
    chat: str  # as written; empty: the one it was said in


@dataclass(frozen=True, slots=True)
class Place:
    chat_id: int
    thread_id: int | None
    name: str  # HTML


def make_router() -> Router:
    router = Router(name=__name__)
    router.message.register(subscribe, Command("subscribe"))
    router.message.register(unsubscribe, Command("unsubscribe"))
    router.message.register(list_subscriptions, Command("subscriptions"))
    return router


async def subscribe(
    message: Message,
    command: CommandObject,
    bot: Bot,
    db: Database,
    pipeline: Pipeline,
    clock: Callable[[], datetime],
) -> None:
    wish = read_wish(command.args or "")
    watchlist = await watchlists.named(db.reader, wish.name)
    if watchlist is None:
        await message.answer(_unknown(wish.name))
        return
    try:
        schedule = read_schedule(wish.when)
        place = await _place(message, wish.chat, bot)
    except (BadSchedule, NoSuchChat) as error:
        await message.answer(render.safe(str(error)))
        return
    zone = zone_of(await chats.one(db.reader, place.chat_id), pipeline.zone)
    wanted = Subscription(watchlist.id, place.chat_id, schedule, place.thread_id)
    async with db.transaction() as tx:
        await subscriptions.put(tx, wanted, clock())
        if schedule != "now":  # the slot that has passed already is not owed
            await subscriptions.skip_slot(tx, wanted, last_slot(schedule, clock(), zone))
    told = f"is told of <b>{watchlist.name}</b>: {_when(schedule, zone)}."
    await message.answer(f"{place.name} {told}")


def read_wish(text: str) -> Wish:
    """`NAME [schedule] [in @chat]`"""
    rest, _, chat = text.rpartition(" in ")
    if not rest:
        rest, chat = text, ""
    name, _, when = rest.strip().partition(" ")
    return Wish(name, when, chat.strip())


async def _place(message: Message, chat: str, bot: Bot) -> Place:
    """Where to tell it: here, unless another chat is named. Raises NoSuchChat."""
    if not chat:
        thread_id = message.message_thread_id if message.is_topic_message else None
        return Place(message.chat.id, thread_id, "This chat")
    try:
        found = await rights.writable(bot, _address(chat))
    except rights.MayNotWrite as error:
        raise NoSuchChat(f"I can't tell {chat[:64]} anything: {error}. {REMEDY}") from error
    except TelegramAPIError as error:
        raise NoSuchChat(f"Telegram could not be asked about {chat[:64]}: try again.") from error
    name = plain_name(found.title or found.first_name or "", 60)
    return Place(found.id, None, f"<b>{render.safe(name)}</b>" if name else "That chat")


def _address(chat: str) -> int | str:
    """A chat as the Bot API wants it named. Raises NoSuchChat."""
    if _CHAT_ID.fullmatch(chat):
        return int(chat)
    try:
        reference = read_reference(chat)
    except BadReference as error:
        raise NoSuchChat(f"In which chat? {error}.") from error
    return f"@{reference.username}" if reference.username else int(f"-100{reference.id}")


def _when(schedule: str, zone: tzinfo) -> str:
    if schedule == "now":
        return "every hit at once"
    if schedule == "hourly":
        return "a digest every hour"
    return f"a digest every day at {schedule.removeprefix('daily ')} ({zone})"


def _unknown(name: str) -> str:
    if not name:
        return "Which watchlist? <code>/subscribe NAME</code>; /watchlists names them."
    return (
        f"There is no watchlist {render.safe(name[:64])}: /watchlists names them, "
        "<code>/watch NAME RULE</code> makes one."
    )


async def unsubscribe(message: Message, command: CommandObject, bot: Bot, db: Database) -> None:
    wish = read_wish(command.args or "")
    watchlist = await watchlists.named(db.reader, wish.name)
    if watchlist is None:
        await message.answer(_unknown(wish.name))
        return
    try:
        place = await _left(wish.chat, message.chat.id, bot)
    except NoSuchChat as error:
        await message.answer(render.safe(str(error)))
        return
    async with db.transaction() as tx:
        was = await subscriptions.remove(tx, watchlist.id, place)
    told = f"told of <b>{watchlist.name}</b>"
    here = "That chat" if wish.chat else "This chat"
    await message.answer(f"{here} is no longer {told}." if was else f"It was not {told}.")


async def _left(chat: str, here: int, bot: Bot) -> int:
    """The chat's id; by number also when the bot is out of it. Raises NoSuchChat."""
    address = _address(chat) if chat else here
    if isinstance(address, int):
        return address
    try:
        return (await bot.get_chat(address)).id
    except TelegramAPIError as error:
        raise NoSuchChat(
            f"I can't find {chat[:64]}: write its number, which /subscriptions all names."
        ) from error


async def list_subscriptions(
    message: Message, command: CommandObject, db: Database, pipeline: Pipeline, zone: tzinfo
) -> None:
    names = {watchlist.id: watchlist.name for watchlist in await watchlists.all(db.reader)}
    if (command.args or "").strip().casefold() == "all":
        known = await chats.all(db.reader)
        lines = [
            f"<b>{names[s.watchlist_id]}</b> in <code>{s.chat_id}</code>: "
            f"{_when(s.schedule, zone_of(known.get(s.chat_id), pipeline.zone))}"
            for s in await subscriptions.all(db.reader)
        ]
    else:
        lines = [
            f"<b>{names[s.watchlist_id]}</b>: {_when(s.schedule, zone)}"
            for s in await subscriptions.of_chat(db.reader, message.chat.id)
        ]
    if not lines:
        await message.answer("This chat is told of nothing yet: /subscribe NAME")
    for page in render.pages(lines):
        await message.answer(page)
