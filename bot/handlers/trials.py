"""/test /backtest: what would a rule or a watchlist have matched in the stored posts?"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta, tzinfo

from aiogram import Router
from aiogram.exceptions import TelegramAPIError
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from bot import found, render
from bot.handlers.watchlists import mistake
from bot.periods import read_length
from bot.speech import say, say_number
from storage import search, watchlists
from storage.db import Database
from storage.model import Term, Watchlist
from storage.said import Said
from watchers import backtest, candidates
from watchers import search as searching
from watchers.query import parse
from watchers.rule_tokens import RuleError

TEST_PERIOD, BACKTEST_PERIOD = timedelta(days=7), timedelta(days=14)
LONGEST = 10.0  # seconds: others in the chat wait
SAY_EVERY = 2.0  # seconds
TEST_USAGE = Said("Which rule? <code>/test эшелон</code>")
BACKTEST_USAGE = Said(
    "What is to be tried? A watchlist or a rule, and how far back: "
    "<code>/backtest rail 14d</code>, <code>/backtest (эшелон | состав) техника 30d</code>"
)


def register(router: Router) -> None:
    router.message.register(test_rule, Command("test"))
    router.message.register(backtest_all, Command("backtest"))


async def test_rule(
    message: Message,
    command: CommandObject,
    db: Database,
    clock: Callable[[], datetime],
    zone: tzinfo,
) -> None:
    rule = " ".join((command.args or "").split())
    if rule:
        await _try_rule(message, db, rule, TEST_PERIOD, clock(), zone)
    else:
        await message.answer(say(TEST_USAGE))


async def backtest_all(
    message: Message,
    command: CommandObject,
    db: Database,
    clock: Callable[[], datetime],
    zone: tzinfo,
) -> None:
    name, period = _split((command.args or "").split())
    if not name:
        await message.answer(say(BACKTEST_USAGE))
        return
    watchlist = await watchlists.named(db.reader, name)
    if watchlist is None:
        await _try_rule(message, db, name, period, clock(), zone)
    else:
        await _try(message, db, [watchlist], watchlist.name, period, clock(), zone)


def _split(words: Sequence[str]) -> tuple[str, timedelta]:
    """The last word may be a period."""
    period = read_length(words[-1]) if words else None
    if period is None:
        return " ".join(words), BACKTEST_PERIOD
    return " ".join(words[:-1]), period


async def _try_rule(
    message: Message, db: Database, rule: str, period: timedelta, now: datetime, zone: tzinfo
) -> None:
    try:
        tree = parse(rule)
    except RuleError as error:
        await message.answer(mistake(rule, error))
        return
    near = await searching.misspelt(db, tree)
    wanted = candidates.wanted(tree, near.__getitem__)
    lists = [Watchlist(0, "test", "test", (Term(0, rule),))]
    expression = candidates.expression(wanted) if wanted else None
    await _try(message, db, lists, rule, period, now, zone, expression, found.warnings(rule))


async def _try(
    message: Message,
    db: Database,
    lists: Sequence[Watchlist],
    name: str,
    period: timedelta,
    now: datetime,
    zone: tzinfo,
    expression: str | None = None,
    warnings: Sequence[str] = (),
) -> None:
    progress = _Progress(message, await search.count_since(db.reader, now - period))
    tally = await backtest.tried(db, lists, now - period, zone, progress.moved, expression)
    await progress.end()
    waiting = await search.waiting(db.reader)
    late = say_number(
        "{n:,} stored post is not indexed yet and not counted.",
        "{n:,} stored posts are not indexed yet and not counted.",
        waiting,
    )
    notes = [late] if waiting else []
    lines = [*warnings, *found.trial(name, tally, period, zone, notes)]
    for page in render.pages(lines):
        await message.answer(page)


class _Progress:
    """Says in the chat how far it is, once that takes a while."""

    def __init__(self, message: Message, posts: int) -> None:
        self._message = message
        self._posts = posts
        self._done = 0
        self._began = self._said_at = time.monotonic()
        self._shown: Message | None = None

    async def moved(self, posts: int) -> bool:
        """False when it took too long."""
        self._done += posts
        now = time.monotonic()
        if now - self._said_at > SAY_EVERY:
            self._said_at = now
            await self._say(
                say("⏳ {done:,} of up to {all:,} posts", done=self._done, all=self._posts)
            )
        return now - self._began < LONGEST

    async def _say(self, text: str) -> None:
        with suppress(TelegramAPIError):
            if self._shown is None:
                self._shown = await self._message.answer(text)
            else:
                await self._shown.edit_text(text)

    async def end(self) -> None:
        if self._shown is not None:
            with suppress(TelegramAPIError):
                await self._shown.delete()
