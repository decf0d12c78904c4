"""/subscribe /unsubscribe /subscriptions: what is this chat told of, and when?"""

from collections.abc import Callable
from datetime import datetime, tzinfo

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from bot import render
from storage import subscriptions, watchlists
from storage.db import Database
from storage.model import Subscription
from watchers.digests import BadSchedule, last_slot, read_schedule


def make_router() -> Router:
    router = Router(name=__name__)
    router.message.register(subscribe, Command("subscribe"))
    router.message.register(unsubscribe, Command("unsubscribe"))
    router.message.register(list_subscriptions, Command("subscriptions"))
    return router


async def subscribe(
    message: Message,
    command: CommandObject,
    db: Database,
    clock: Callable[[], datetime],
    zone: tzinfo,
) -> None:
    name, _, when = (command.args or "").partition(" ")
    watchlist = await watchlists.named(db.reader, name)
    if watchlist is None:
        await message.answer(_unknown(name))
        return
    try:
        schedule = read_schedule(when)
    except BadSchedule as error:
        await message.answer(render.safe(str(error)))
        return
    wish = Subscription(
        watchlist.id,
        message.chat.id,
        schedule,
        message.message_thread_id if message.is_topic_message else None,
    )
    async with db.transaction() as tx:
        await subscriptions.put(tx, wish, clock())
        if schedule != "now":  # the slot that has passed already is not owed
            await subscriptions.skip_slot(tx, wish, last_slot(schedule, clock(), zone))
    await message.answer(f"This chat is told of <b>{watchlist.name}</b>: {_when(schedule, zone)}.")


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


async def unsubscribe(message: Message, command: CommandObject, db: Database) -> None:
    name = (command.args or "").strip()
    watchlist = await watchlists.named(db.reader, name)
    if watchlist is None:
        await message.answer(_unknown(name))
        return
    async with db.transaction() as tx:
        was = await subscriptions.remove(tx, watchlist.id, message.chat.id)
    told = f"told of <b>{watchlist.name}</b>"
    await message.answer(f"This chat is no longer {told}." if was else f"It was not {told}.")


async def list_subscriptions(message: Message, db: Database, zone: tzinfo) -> None:
    names = {watchlist.id: watchlist.name for watchlist in await watchlists.all(db.reader)}
    lines = [
        f"<b>{names[s.watchlist_id]}</b>: {_when(s.schedule, zone)}"
        for s in await subscriptions.of_chat(db.reader, message.chat.id)
    ]
    if not lines:
        await message.answer("This chat is told of nothing yet: /subscribe NAME")
    for page in render.pages(lines):
        await message.answer(page)
