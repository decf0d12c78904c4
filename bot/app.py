"""How is the program put together, and in which order does it stop?"""

import asyncio
import fcntl
import logging
import os
import signal
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiogram import Bot
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.enums import ParseMode
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.utils.token import TokenValidationError

from bot import charts, menus, notices, schedule, speech, updates
from bot.delivery import Sender
from bot.export_chat import Exports
from bot.handlers import Desk, make_dispatcher
from bot.settings import Settings
from storage.db import Database, DatabaseUnusable, open_database
from watchers import backfill, digests, indexing, silence, surges
from watchers.pipeline import Pipeline
from watchers.preview import PreviewSource
from watchers.sources import Member, Sources
from watchers.telegram import TelegramSource

log = logging.getLogger(__name__)

NO_ACCOUNT = (
    "no Telegram account is set, so channels are read through Telegram's web preview: public "
    "channels that have one, each asked about every half a minute at best; no groups, nothing "
    "pushed. For all that, set TELEGRAM_API_ID and TELEGRAM_API_HASH (https://my.telegram.org), "
    "then run `python -m bot login`"
)
NO_OWNERS = (
    "OWNER_IDS is empty, so nobody may command the bot: write /start to it, it tells you your id"
)
REFUSED = "BOT_TOKEN was refused by Telegram: copy it again from @BotFather"
FIRST_LOOKS = 60  # seconds that digests wait for what was published while the program was down
FIRST_TRIES = (1, 2, 5, 10, 30)  # seconds between tries to reach the Bot API; the last repeats


class CannotRun(Exception):
    """What hinders, in one line that says what to do."""


def now() -> datetime:
    return datetime.now(UTC)


async def run(settings: Settings, stop: asyncio.Event | None = None) -> None:
    """Watch and tell until `stop`, by default SIGINT or SIGTERM.

    Raises CannotRun, DatabaseUnusable.
    """
    stop = stop or _stop_signal()
    async with AsyncExitStack() as stack:
        alive = stack.enter_context(only_one(settings.database))
        db = await stack.enter_async_context(open_database(settings.database))
        bot = await stack.enter_async_context(open_bot(settings))
        if await _until(stop, _greet(bot)):
            await _until_mendable(_work(settings, db, bot, stop, alive))
    log.info("stopped")


async def _until_mendable(work: Coroutine[Any, Any, None]) -> None:
    """Of the tasks that failed together, the one whose trouble a person can mend is reported."""
    try:
        await work
    except BaseExceptionGroup as group:
        for error in _leaves(group):
            if isinstance(error, DatabaseUnusable):
                raise error from None
            if isinstance(error, TelegramUnauthorizedError):
                raise CannotRun(REFUSED) from None
        raise


def _leaves(group: BaseExceptionGroup[Any]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


async def _work(
    settings: Settings, db: Database, bot: Bot, stop: asyncio.Event, alive: Path
) -> None:
    speech.begin(settings.language)
    pipeline = Pipeline(db, now, settings.zone)
    sources = _sources(settings, db)
    zone, owners = settings.zone, settings.owner_ids

    async def tell(text: str) -> None:
        log.info("the owners are told something in their chats")  # it may name what is read
        async with db.transaction() as tx:
            await notices.owe(tx, owners, text, now())
        pipeline.owed.set()

    began, caught_up = now(), asyncio.Event()

    async def make_digests() -> None:
        if caught_up.is_set() and await digests.make_due(db, now(), zone):
            pipeline.owed.set()

    async def make_missed_digests() -> None:
        """They are to tell what was published meanwhile, and do not wait for ever."""
        for _ in range(FIRST_LOOKS * 5):
            if await digests.are_complete(db, began):
                break
            await asyncio.sleep(1 / 5)
        caught_up.set()
        await make_digests()

    async def check_silence() -> None:
        await silence.check(pipeline, tell)

    async def check_surges() -> None:
        if settings.unusual != "off" and await surges.check(db, now(), zone, settings.unusual):
            pipeline.owed.set()

    await menus.dismiss_former_owners(db, owners)
    exports = Exports(bot, db)
    desk = Desk(db, pipeline, sources, now, zone, owners, exports)
    dispatcher = make_dispatcher(desk, time.monotonic)
    sender = Sender(
        bot,
        pipeline,
        zone,
        tell,
        protect=settings.protect_content,
        previews=settings.link_previews,
    )
    scheduler = schedule.make_scheduler(make_digests, check_silence, check_surges, alive.touch)
    async with asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(sender.run())
        intake = [
            tasks.create_task(updates.poll(bot, dispatcher)),
            tasks.create_task(menus.renew_all(bot, db, owners)),
        ]
        intake += sources.start(tasks, pipeline, tell)
        intake.append(tasks.create_task(exports.run()))
        intake.append(tasks.create_task(backfill.keep_backfilling(sources, pipeline)))
        intake.append(tasks.create_task(indexing.keep_indexing(db)))
        intake.append(tasks.create_task(make_missed_digests()))
        intake.append(tasks.create_task(asyncio.to_thread(charts.load)))
        if not owners:
            log.warning(NO_OWNERS)
        scheduler.start()
        log.info("running; stop with Ctrl-C")
        try:
            await stop.wait()
        finally:
            scheduler.shutdown(wait=False)
        log.info("stopping: what is under way is finished")
        for task in intake:
            task.cancel()
        await asyncio.wait(intake)
        sender.stop()
        await sending


def _sources(settings: Settings, db: Database) -> Sources:
    """The accounts share the channels; the web preview reads when none of them can."""
    accounts = [Member(TelegramSource(account, db)) for account in settings.accounts]
    if not accounts:
        log.warning(NO_ACCOUNT)
    return Sources([*accounts, Member(PreviewSource(settings.preview_url), rank=1)])


def _stop_signal() -> asyncio.Event:
    stop = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    return stop


async def _until(stop: asyncio.Event, work: object) -> bool:
    """Do `work` unless stopped before it is done; say which."""
    doing = asyncio.ensure_future(work)  # type: ignore[call-overload]
    stopping = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait((doing, stopping), return_when=asyncio.FIRST_COMPLETED)
        if doing.done():
            doing.result()
        return bool(doing.done())
    finally:
        for task in (doing, stopping):
            task.cancel()
        await asyncio.wait((doing, stopping))


@contextmanager
def only_one(database: Path) -> Iterator[Path]:
    """Hold the database for this process; yield the lock file, whose age says whether it lives.

    Two daemons on one database would tell every chat twice.
    """
    path = database.with_name(f"{database.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise CannotRun(
            f"database {database}: {path.parent} can't be written ({error.strerror}): "
            "set DATABASE to a path this user may write"
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CannotRun(
                f"database {database}: another `python -m bot run` is using it; stop that one first"
            ) from error
        yield path
    finally:
        os.close(descriptor)


@asynccontextmanager
async def open_bot(settings: Settings) -> AsyncIterator[Bot]:
    session = AiohttpSession(api=TelegramAPIServer.from_base(settings.bot_api_url), timeout=20)
    try:
        bot = Bot(
            settings.bot_token.get_secret_value(),
            session=session,
            default=DefaultBotProperties(
                parse_mode=ParseMode.HTML,
                link_preview_is_disabled=True,
                protect_content=settings.protect_content or None,
            ),
        )
    except TokenValidationError:
        raise CannotRun(
            "BOT_TOKEN has not the shape of a bot token (123456789:letters): "
            "copy it again from @BotFather"
        ) from None
    try:
        yield bot
    finally:
        await session.close()


async def _greet(bot: Bot) -> None:
    """Make sure that the token is good, waiting for a server that can't be reached."""
    for attempt in range(1_000_000):
        try:
            me = await bot.get_me()
        except (TelegramUnauthorizedError, TelegramNotFound):
            raise CannotRun(REFUSED) from None
        except (TelegramNetworkError, TelegramServerError, ClientDecodeError) as error:
            wait = FIRST_TRIES[min(attempt, len(FIRST_TRIES) - 1)]
            log.warning("%s; next try in %s s", updates.remedy(error), wait)
            await asyncio.sleep(wait)
        else:
            log.info("the bot is @%s", me.username)
            return
