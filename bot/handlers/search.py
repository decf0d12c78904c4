"""/search: which stored posts say something?"""

from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo

from aiogram import Bot, Router
from aiogram.exceptions import TelegramBadRequest
from aiogram.filters import Command, CommandObject
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message

from bot import found, keyboards, render
from bot.handlers.watchlists import mistake
from bot.keyboards import Turn
from bot.pressed import foreign
from bot.speech import say, say_number
from storage import search
from storage.db import Database
from storage.model import Entry
from storage.said import Said
from storage.search import Search
from watchers import search as searching
from watchers.rule_tokens import RuleError
from watchers.search import PAGE, BadQuery, Found, Scope

USAGE = Said(
    "What is searched for? <code>/search эшелон</code>, with the same rules as a watchlist. "
    "Besides, in any order: <code>@channel</code>, <code>list:NAME</code> (a watchlist), "
    "<code>7d</code>, <code>lang:be</code>"
)
LONGEST = 1000  # characters


def register(router: Router) -> None:
    router.message.register(ask, Command("search"))
    router.callback_query.register(turn, Turn.filter())


async def ask(
    message: Message,
    command: CommandObject,
    db: Database,
    clock: Callable[[], datetime],
    zone: tzinfo,
) -> None:
    said = " ".join((command.args or "").split())
    if not said or len(said) > LONGEST:
        await message.answer(say(USAGE))
        return
    scope = await _scope(db, said, clock())
    if isinstance(scope, str):
        await message.answer(scope)
        return
    first = await search.newest_number(db.reader) + 1
    async with db.transaction() as tx:
        id = await search.open_search(tx, message.chat.id, said, first, clock())
    asked = Search(id, message.chat.id, said, clock(), (first,), ())
    html, keyboard = await _newest(db, asked, scope, 0, zone)
    await message.answer(html, reply_markup=keyboard)


async def turn(
    callback: CallbackQuery,
    callback_data: Turn,
    db: Database,
    bot: Bot,
    clock: Callable[[], datetime],
    zone: tzinfo,
) -> None:
    asked = await search.one_search(db.reader, callback_data.search)
    message = callback.message
    if asked is None or message is None or asked.chat_id != message.chat.id:
        await foreign(callback)
        return
    scope = await _scope(db, asked.said, asked.asked_at)
    if isinstance(scope, str):  # what it names is gone
        await callback.answer(render.plain(scope)[:200])
        return
    make = _best if callback_data.best else _newest
    if callback_data.page >= max(len(asked.pages), searching.BEST_KEPT // PAGE):
        await foreign(callback)
        return
    html, keyboard = await make(db, asked, scope, callback_data.page, zone)
    try:
        await bot.edit_message_text(
            html, chat_id=asked.chat_id, message_id=message.message_id, reply_markup=keyboard
        )
    except TelegramBadRequest as error:
        if "not modified" not in error.message:  # a second tap
            raise
    await callback.answer()


async def _scope(db: Database, said: str, now: datetime) -> Scope | str:
    """Or what is wrong with it."""
    try:
        return await searching.prepare(db, searching.read_query(said), now)
    except RuleError as error:
        return mistake(said, error)
    except BadQuery as error:
        return say("Not searched: {why}.", why=render.safe(say(error)))


async def _newest(
    db: Database, asked: Search, scope: Scope, page: int, zone: tzinfo
) -> tuple[str, InlineKeyboardMarkup]:
    page = min(page, len(asked.pages) - 1)
    got = await searching.newest(db, scope, asked.pages[page])
    more = got.below is not None
    if got.below is not None and page + 1 == len(asked.pages):
        async with db.transaction() as tx:
            await search.note_page(tx, asked.id, page + 1, got.below)
    notes = _notes(scope, got, await search.waiting(db.reader))
    html = found.page(asked.said, got.entries, zone, page * PAGE + 1, notes)
    return html, keyboards.under_search(asked.id, page, best=False, more=more)


async def _best(
    db: Database, asked: Search, scope: Scope, page: int, zone: tzinfo
) -> tuple[str, InlineKeyboardMarkup]:
    keys = asked.best
    if not keys:
        ranked = await searching.best(db, scope, asked.pages[0])
        keys = tuple(entry.post.key for entry in ranked)
        async with db.transaction() as tx:
            await search.note_best(tx, asked.id, keys)
    page = min(page, max(len(keys) - 1, 0) // PAGE)
    shown: list[Entry] = []
    for key in keys[page * PAGE : (page + 1) * PAGE]:
        entry = await search.entry(db.reader, *key)
        if entry is not None:
            shown.append(searching.with_hits(entry, scope.matcher, scope.rule) or entry)
    notes = [say("The best of the newest {number} that match.", number=searching.BEST_OF)]
    html = found.page(asked.said, shown, zone, page * PAGE + 1, notes if shown else ())
    more = len(keys) > (page + 1) * PAGE
    return html, keyboards.under_search(asked.id, page, best=True, more=more)


def _notes(scope: Scope, got: Found, waiting: int) -> Sequence[str]:
    notes = []
    if got.cut:
        template = Said(
            "There may be older ones: the newest {number:,} posts that may match were looked at. "
            "“More” goes on."
        )
        if scope.expression is None:
            template = Said(
                "There may be older ones: a regular expression alone is slow: {number:,} posts were "
                "looked at. “More” goes on."
            )
        notes.append(say(template, number=got.looked_at))
    if waiting > searching.PAGE:
        notes.append(
            say_number(
                "{n:,} stored post is still being indexed: it is not found yet.",
                "{n:,} stored posts are still being indexed: they are not found yet.",
                waiting,
            )
        )
    return notes
