"""/digest: what was this chat not told yet?"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from bot import render
from bot.periods import read_length
from storage import outbox, subscriptions, watchlists
from storage.db import Database
from watchers import digests
from watchers.pipeline import Pipeline

STRANGERS_PERIOD = timedelta(hours=24)  # of a watchlist that the chat is not subscribed to


@dataclass(frozen=True, slots=True)
class Request:
    period: timedelta | None = None
    name: str | None = None


def make_router() -> Router:
    router = Router(name=__name__)
    router.message.register(digest, Command("digest"))
    return router


def read_request(text: str) -> Request:
    period, name = None, None
    for word in text.split():
        if (found := read_length(word)) is not None:
            period = found
        else:
            name = word
    return Request(period, name)


async def digest(
    message: Message,
    command: CommandObject,
    db: Database,
    pipeline: Pipeline,
    clock: Callable[[], datetime],
) -> None:
    request = read_request(command.args or "")
    wanted = await _wanted(db, message.chat.id, request, clock())
    if isinstance(wanted, str):
        await message.answer(wanted)
        return
    thread_id = message.message_thread_id if message.is_topic_message else None
    async with db.transaction() as tx:
        owed = await digests.owe(
            tx, message.chat.id, thread_id, wanted, clock(), period=request.period
        )
        released = await outbox.release(tx, message.chat.id, clock())  # of quiet hours
    if owed or released:
        pipeline.owed.set()
    else:
        await message.answer("Nothing that this chat was not told already.")


async def _wanted(
    db: Database, chat_id: int, request: Request, now: datetime
) -> dict[int, datetime | None] | str:
    """The watchlists to tell of, each with the moment from which its hits count; or what is wrong.

    With a period given that alone counts; without, hits since the chat subscribed.
    """
    subscribed = {s.watchlist_id: s.since for s in await subscriptions.of_chat(db.reader, chat_id)}
    lists = await watchlists.all(db.reader)
    if request.name is not None:
        lists = [w for w in lists if w.name.casefold() == request.name.casefold()]
        if not lists:
            return (
                f"There is no watchlist {render.safe(request.name[:64])}: /watchlists names them."
            )
    elif subscribed:
        lists = [w for w in lists if w.id in subscribed]
    if request.period:
        return {w.id: None for w in lists}
    return {w.id: subscribed.get(w.id, now - STRANGERS_PERIOD) for w in lists}
