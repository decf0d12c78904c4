"""How does an export reach the chat that asked for it?

One is made at a time, beside everything else: a handler that took a minute would let every chat
wait. Its files have no name on the disk: they go when they are closed, even if the program is
killed, and nobody else can open them.
"""

import asyncio
import logging
import tempfile
from collections.abc import AsyncGenerator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import BinaryIO

from aiogram import Bot
from aiogram.enums import ChatAction
from aiogram.exceptions import (
    TelegramAPIError,
    TelegramBadRequest,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramRetryAfter,
)
from aiogram.types import InputFile

from bot import render
from bot.export import Files, Request, TooMuch, describe, fill, make_format
from bot.speech import ENGLISH, say, speaking
from storage.db import Database, DatabaseUnusable
from storage.records import Wanted
from storage.said import Said

log = logging.getLogger(__name__)

LIMIT = 45_000_000  # bytes a file: the Bot API takes 50 MB
MOST = 10  # files an export
WAITING = 5  # exports; who asks for more is told to wait
ACT_EVERY = 5.0  # seconds: so long Telegram shows that a file is coming
UPLOAD_TIMEOUT = 900  # seconds
LONGEST_WAIT = 60  # seconds that Telegram may ask for before a file
TRIES = 3
PAUSE = 1.0  # seconds between two files

TOO_MUCH = Said(
    "That is more than {files} files of {size} MB, so nothing is sent. Ask for a shorter period, a "
    "watchlist or a channel; the whole of it writes <code>python -m bot export FILE</code> where "
    "the bot runs.",
    files=MOST,
    size=LIMIT // 1_000_000,
)
NO_ROOM = Said(
    "The file can't be written where the bot runs: the disk for temporary files is full."
)
TOO_LARGE = Said("Telegram did not take a file of that size. Ask for a shorter period.")
REFUSED = Said("Telegram refused the file. May I send files in this chat?")
NOT_SENT = Said("The file may not have arrived: Telegram can't be reached. Ask again in a minute.")
FAILED = Said("That did not work. The program's log says why.")
UNREADABLE = Said("The stored posts can't be read at present.")


@dataclass(frozen=True, slots=True)
class Order:
    """An export for a chat."""

    chat_id: int
    thread_id: int | None
    request: Request
    wanted: Wanted
    language: str = ENGLISH  # in which it was asked for


class Exports:
    def __init__(self, bot: Bot, db: Database) -> None:
        self._bot, self._db = bot, db
        self._orders: asyncio.Queue[Order] = asyncio.Queue(WAITING)

    def take(self, order: Order) -> bool:
        """False when too many wait already."""
        try:
            self._orders.put_nowait(order)
        except asyncio.QueueFull:
            return False
        return True

    async def run(self) -> None:
        """Make and send what was asked for until cancelled; what waits then is not made."""
        while True:
            order = await self._orders.get()
            with speaking(order.language):
                await self._take_out(order)

    async def _take_out(self, order: Order) -> None:
        async with asyncio.TaskGroup() as tasks:
            showing = tasks.create_task(self._show_work(order))
            try:
                said = await self._made_and_sent(order)
            except Exception:
                # One person's wish must not keep the program down for everybody.
                log.exception("an export failed")
                said = FAILED
            finally:
                showing.cancel()
        if said:
            await self._say(order, said)

    async def _show_work(self, order: Order) -> None:
        while True:
            with suppress(TelegramAPIError):
                await self._bot.send_chat_action(
                    order.chat_id,
                    ChatAction.UPLOAD_DOCUMENT,
                    message_thread_id=order.thread_id,
                )
            await asyncio.sleep(ACT_EVERY)

    async def _made_and_sent(self, order: Order) -> str | None:
        """What is left to say."""
        with ExitStack() as open_files:
            files = Files(
                make_format(order.request),
                lambda: open_files.enter_context(tempfile.TemporaryFile()),
                LIMIT,
                MOST,
            )
            try:
                await fill(self._db, order.wanted, files)
            except TooMuch:
                return TOO_MUCH
            except OSError as error:
                log.error("an export can't be written: %s", error.strerror)
                return NO_ROOM
            except DatabaseUnusable as error:
                log.error("%s", error)
                return UNREADABLE
            if not files.made.posts:
                return say("{what}: there are none.", what=render.safe(describe(order.request)))
            return await self._sent(order, files)

    async def _sent(self, order: Order, files: Files) -> str | None:
        try:
            for number, file in enumerate(files.files, start=1):
                if number > 1:
                    await asyncio.sleep(PAUSE)
                await self._send(order, files, number, file)
        except TelegramEntityTooLarge:
            return TOO_LARGE
        except (TelegramBadRequest, TelegramForbiddenError) as error:
            log.warning("an export was refused: %s", type(error).__name__)
            return REFUSED
        except TelegramAPIError as error:
            log.warning("an export was not delivered: %s", type(error).__name__)
            return NOT_SENT
        return None

    async def _send(self, order: Order, files: Files, number: int, file: BinaryIO) -> None:
        total = len(files.files)
        caption = f"{describe(order.request)}: {files.made}"
        if total > 1:
            part = say(
                "File {number} of {all}: each can be read by itself", number=number, all=total
            )
            caption += f". {part}"
        for attempt in range(1, TRIES + 1):
            try:
                await self._bot.send_document(
                    order.chat_id,
                    _Upload(file, _name(order.request, number, total)),
                    caption=render.safe(caption),
                    message_thread_id=order.thread_id,
                    disable_content_type_detection=True,
                    request_timeout=UPLOAD_TIMEOUT,
                )
                return
            except TelegramRetryAfter as error:
                if attempt == TRIES or error.retry_after > LONGEST_WAIT:
                    raise
                await asyncio.sleep(error.retry_after)

    async def _say(self, order: Order, text: str) -> None:
        try:
            await self._bot.send_message(
                order.chat_id, say(text), message_thread_id=order.thread_id
            )
        except TelegramAPIError as error:
            log.warning("the answer to an export was not delivered: %s", type(error).__name__)


class _Upload(InputFile):
    """Reads an open file from its beginning, as often as it is asked to."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        super().__init__(name)
        self._file = file

    async def read(self, bot: Bot) -> AsyncGenerator[bytes, None]:
        self._file.seek(0)
        while chunk := await asyncio.to_thread(self._file.read, self.chunk_size):
            yield chunk


def _name(request: Request, number: int, total: int) -> str:
    """`hits-2026-01-01-2026-01-31-1of2.csv`"""
    period = request.period
    ends = [f"{end:%Y-%m-%d}" for end in (period.since, period.until) if end] or ["all"]
    part = [f"{number}of{total}"] if total > 1 else []
    name = "-".join(["posts" if request.posts else "hits", *ends, *part])
    return f"{name}.{request.format}"
