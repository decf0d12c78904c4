"""/digest: what was this chat not told yet, or what was there in a period?"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from bot import digest_text, render
from bot.speech import say
from storage import digests as stored
from storage import outbox, subscriptions, watchlists
from storage.db import Database
from storage.model import Channel, Period, Wanted
from watchers import digests, periods
from watchers.languages import LANGUAGES
from watchers.pipeline import Pipeline
from watchers.references import BadReference, read_reference

NEWS = timedelta(hours=24)  # of a watchlist that the chat is not subscribed to, or of a channel
LANG = "lang:"


class Unclear(Exception):
    """The message, as HTML, says what to write."""


@dataclass(frozen=True, slots=True)
class Request:
    period: Period | None
    wanted: Wanted
    named: str  # what is wanted, in words; empty: everything


def register(router: Router) -> None:
    router.message.register(digest, Command("digest"))


async def digest(
    message: Message,
    command: CommandObject,
    db: Database,
    pipeline: Pipeline,
    clock: Callable[[], datetime],
    zone: tzinfo,
) -> None:
    now = clock()
    try:
        request = await read_request(db, command.args or "", now, zone)
    except Unclear as error:
        await message.answer(str(error))
        return
    thread_id = message.message_thread_id if message.is_topic_message else None
    subscribed = {
        s.watchlist_id: s.owed_since
        for s in await subscriptions.of_chat(db.reader, message.chat.id)
    }
    lists = request.wanted.watchlists or tuple(
        subscribed or [one.id for one in await watchlists.all(db.reader)]
    )
    async with db.transaction() as tx:
        if request.period:
            wanted = replace(request.wanted, watchlists=lists)
            owed = await digests.owe_period(
                tx, message.chat.id, thread_id, request.period, wanted, now
            )
        else:
            since = {id: subscribed.get(id, now - NEWS) for id in lists}
            owed = await digests.owe(tx, message.chat.id, thread_id, since, now)
        released = await outbox.release(tx, message.chat.id, now)  # of quiet hours
    if owed or released:
        pipeline.owed.set()
    else:
        await message.answer(_nothing(request, zone))


def _nothing(request: Request, zone: tzinfo) -> str:
    if request.period is None:
        return say("Nothing that this chat was not told already.")
    period = digest_text.period_shown(request.period, zone)
    if request.named:
        return say("Nothing of {what} · {period}", what=request.named, period=period)
    return say("Nothing · {period}", period=period)


async def read_request(db: Database, text: str, now: datetime, zone: tzinfo) -> Request:
    """A period and any of: watchlists, @channels, lang:be. Raises Unclear."""
    period, words = periods.read(text, now, zone)
    lists = {one.name.casefold(): one.id for one in await watchlists.all(db.reader)}
    channels = [*(await stored.channels(db.reader)).values()]
    wanted, named = Wanted(), []
    for word in (word.strip(",") for word in words):
        if word.casefold() in lists:
            wanted = replace(wanted, watchlists=(*wanted.watchlists, lists[word.casefold()]))
        elif word.casefold().startswith(LANG):
            wanted = replace(wanted, languages=wanted.languages + _languages(word))
        elif word.startswith("@") or "t.me/" in word:
            wanted = replace(wanted, channels=(*wanted.channels, _channel(word, channels).id))
        elif word:
            raise Unclear(_unknown(word))
        named.append(render.safe(word[:64]))
    if period is None and (wanted.channels or wanted.languages):
        period = Period(now - NEWS, now)
    return Request(period, wanted, " ".join(named))


def _languages(word: str) -> tuple[str, ...]:
    codes = tuple(word.casefold().removeprefix(LANG).split(","))
    if not set(codes) <= set(LANGUAGES):
        codes_known = ", ".join(LANGUAGES)
        raise Unclear(
            say("lang: takes {codes}: <code>/digest 7d lang:be</code>", codes=codes_known)
        )
    return codes


def _channel(word: str, channels: list[Channel]) -> Channel:
    try:
        wanted = read_reference(word)
    except BadReference as error:
        raise Unclear(f"{render.safe(say(error))}.") from error
    for channel in channels:
        name = (channel.username or "").casefold()
        if channel.id == wanted.id or (wanted.username and name == wanted.username.casefold()):
            return channel
    name = render.safe(word[:64])
    raise Unclear(say("{channel} is not watched: /channels names those that are.", channel=name))


def _unknown(word: str) -> str:
    return say(
        "There is no watchlist {name}: /watchlists names them. A period is written like 6h, "
        "yesterday, last week, since 18:00, 20.11-22.11.",
        name=render.safe(word[:64]),
    )
