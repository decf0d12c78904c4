"""/subscribe /unsubscribe /subscriptions: what is a chat told of, and when?"""

from collections.abc import Callable
from datetime import datetime, tzinfo

from aiogram import Bot, Router
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from bot import places, render
from bot.speech import say
from bot.standing import own_role
from storage import audit, chats, subscriptions, watchlists
from storage.db import Database
from storage.model import Author, Subscription
from storage.said import Said
from watchers.pipeline import Pipeline
from watchers.schedules import BadSchedule, last_slot, read_schedule, shown
from watchers.zones import zone_of

STRANGER = Said(
    "That is the private chat of somebody who is not of the team: an owner can /invite them."
)


def register(router: Router) -> None:
    router.message.register(subscribe, Command("subscribe"))
    router.message.register(unsubscribe, Command("unsubscribe"))
    router.message.register(list_subscriptions, Command("subscriptions"))


async def subscribe(
    message: Message,
    command: CommandObject,
    bot: Bot,
    db: Database,
    pipeline: Pipeline,
    clock: Callable[[], datetime],
    owners: frozenset[int],
    by: Author,
) -> None:
    said, chat = places.split(command.args or "")
    name, _, when = said.partition(" ")
    watchlist = await watchlists.named(db.reader, name)
    if watchlist is None:
        await message.answer(_unknown(name))
        return
    try:
        schedule = read_schedule(when)
        place = await places.place_of(message, chat, bot)
    except (BadSchedule, places.NoSuchChat) as error:
        await message.answer(render.safe(say(error)))
        return
    if place.chat_id > 0 and await own_role(db, owners, place.chat_id) is None:
        await message.answer(say(STRANGER))
        return
    zone = zone_of(await chats.one(db.reader, place.chat_id), pipeline.zone)
    wanted = Subscription(watchlist.id, place.chat_id, schedule, place.thread_id)
    async with db.transaction() as tx:
        await subscriptions.put(tx, wanted, clock())
        told = f"subscribe {watchlist.name} {schedule}"
        await audit.note(tx, by, places.said_of(told, place, message), clock())
        if schedule != "now":  # the slot that has passed already is not owed
            await subscriptions.skip_slot(tx, wanted, last_slot(schedule, clock(), zone))
    await message.answer(
        say(
            "{chat} is told of <b>{watchlist}</b>: {when}.",
            chat=place.name,
            watchlist=watchlist.name,
            when=_when(schedule, zone),
        )
    )


def _when(schedule: str, zone: tzinfo) -> str:
    said = say(shown(schedule))
    return said if schedule in ("now", "hourly") else f"{said} ({zone})"


def _unknown(name: str) -> str:
    if not name:
        return say("Which watchlist? <code>/subscribe NAME</code>; /watchlists names them.")
    return say(
        "There is no watchlist {name}: /watchlists names them, <code>/watch NAME RULE</code> makes "
        "one.",
        name=render.safe(name[:64]),
    )


async def unsubscribe(
    message: Message,
    command: CommandObject,
    bot: Bot,
    db: Database,
    clock: Callable[[], datetime],
    by: Author,
) -> None:
    name, chat = places.split(command.args or "")
    watchlist = await watchlists.named(db.reader, name)
    if watchlist is None:
        await message.answer(_unknown(name))
        return
    try:
        place = await places.known_place(message, chat, bot)
    except places.NoSuchChat as error:
        await message.answer(render.safe(say(error)))
        return
    async with db.transaction() as tx:
        was = await subscriptions.remove(tx, watchlist.id, place.chat_id)
        if was:
            said = places.said_of(f"unsubscribe {watchlist.name}", place, message)
            await audit.note(tx, by, said, clock())
    template = Said("{chat} was not told of <b>{watchlist}</b>.")
    if was:
        template = Said("{chat} is no longer told of <b>{watchlist}</b>.")
    await message.answer(say(template, chat=place.name, watchlist=watchlist.name))


async def list_subscriptions(
    message: Message, command: CommandObject, db: Database, pipeline: Pipeline, zone: tzinfo
) -> None:
    names = {watchlist.id: watchlist.name for watchlist in await watchlists.all(db.reader)}
    if (command.args or "").strip().casefold() == "all":
        known = await chats.all(db.reader)
        lines = [
            say(
                "<b>{watchlist}</b> in <code>{chat}</code>: {when}",
                watchlist=names[s.watchlist_id],
                chat=s.chat_id,
                when=_when(s.schedule, zone_of(known.get(s.chat_id), pipeline.zone)),
            )
            for s in await subscriptions.all(db.reader)
        ]
    else:
        lines = [
            f"<b>{names[s.watchlist_id]}</b>: {_when(s.schedule, zone)}"
            for s in await subscriptions.of_chat(db.reader, message.chat.id)
        ]
    if not lines:
        await message.answer(say("This chat is told of nothing yet: /subscribe NAME"))
    for page in render.pages(lines):
        await message.answer(page)
