"""How does what is owed reach the chats? The only place that sends alerts, digests and notices.

At least once: a crash between *send* and *mark sent* repeats the one message in flight, and so
does an answer of Telegram's that gets lost. Telegram has no key that would prevent it.
"""

import asyncio
import json
import logging
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable
from datetime import timedelta, tzinfo

from aiogram import Bot
from aiogram.enums import ParseMode
from aiogram.exceptions import (
    ClientDecodeError,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNetworkError,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.types import LinkPreviewOptions

from bot import render
from storage import channels, chats, outbox
from storage.model import Delivery, DeliveryKind
from watchers.ingest import rhythms
from watchers.pipeline import Pipeline

log = logging.getLogger(__name__)

OVERALL = 30  # messages a second, over all chats
CHAT_PAUSE = 1.0  # seconds between two messages to one chat
GROUP_A_MINUTE = 20  # messages to one group
IN_FLIGHT = 30  # sends under way at once
SEND_WITHIN = 20  # seconds for one request
DRAIN_WITHIN = 3.0  # seconds that sends under way are given at shutdown
LONGEST_BACK_OFF = 300  # seconds


class Pace:
    """When may the next message go to a chat? Times are seconds of one steady clock."""

    def __init__(self) -> None:
        self._overall: deque[float] = deque(maxlen=OVERALL)
        self._chats: defaultdict[int, deque[float]] = defaultdict(
            lambda: deque(maxlen=GROUP_A_MINUTE)
        )
        self._told: dict[int, float] = {}  # told to wait until then

    def free_at(self, chat_id: int) -> float:
        sent = self._chats[chat_id]
        times = [self._told.get(chat_id, 0.0)]
        if sent:
            times.append(sent[-1] + CHAT_PAUSE)
        if chat_id < 0 and len(sent) == GROUP_A_MINUTE:  # groups and channels have negative ids
            times.append(sent[0] + 60)
        if len(self._overall) == OVERALL:
            times.append(self._overall[0] + 1)
        return max(times)

    def spend(self, chat_id: int, now: float) -> None:
        self._overall.append(now)
        self._chats[chat_id].append(now)

    def wait(self, chat_id: int, until: float) -> None:
        self._told[chat_id] = until


class Sender:
    def __init__(
        self,
        bot: Bot,
        pipeline: Pipeline,
        zone: tzinfo,
        tell: Callable[[str], Awaitable[None]],
    ) -> None:
        """`tell` says a sentence to the owners."""
        self._bot, self._pipeline = bot, pipeline
        self._db, self._wake, self._clock = pipeline.db, pipeline.owed, pipeline.clock
        self._zone, self._tell = zone, tell
        self._pace = Pace()
        self._busy: set[int] = set()  # chats with a send under way: their messages keep order
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def run(self) -> None:
        """Send what is due, as the pace allows, until `stop`."""
        async with asyncio.TaskGroup() as sends:
            while not self._stopping:
                self._wake.clear()
                for delivery in await outbox.next_due(self._db.reader, self._clock()):
                    if self._may_go(delivery.chat_id):
                        self._busy.add(delivery.chat_id)
                        self._pace.spend(delivery.chat_id, _seconds())
                        task = sends.create_task(self._send_and_wake(delivery))
                        self._tasks.add(task)
                        task.add_done_callback(self._tasks.discard)
                await self._rest()
            await self._drain()
            for task in list(self._tasks):
                task.cancel()

    def stop(self) -> None:
        """Begin nothing more; `run` returns when what is under way is done."""
        self._stopping = True
        self._wake.set()

    async def _drain(self) -> None:
        """Give what is under way its time; what still hangs then is cut off and sent again later."""
        try:
            async with asyncio.timeout(DRAIN_WITHIN):
                while self._busy:
                    self._wake.clear()
                    await self._wake.wait()
        except TimeoutError:
            log.warning(
                "%s sends were cut off; they are repeated at the next start", len(self._busy)
            )

    def _may_go(self, chat_id: int) -> bool:
        return (
            chat_id not in self._busy
            and len(self._busy) < IN_FLIGHT
            and self._pace.free_at(chat_id) <= _seconds()
        )

    async def _rest(self) -> None:
        """Until woken, or until the pace or a postponed message lets one go."""
        now = self._clock()
        pauses = [
            self._pace.free_at(delivery.chat_id) - _seconds()
            for delivery in await outbox.next_due(self._db.reader, now)
            if delivery.chat_id not in self._busy
        ]
        if (later := await outbox.next_due_at(self._db.reader, now)) is not None:
            pauses.append((later - now).total_seconds())
        crowded = len(self._busy) >= IN_FLIGHT  # whoever finishes wakes us
        try:
            async with asyncio.timeout(None if crowded or not pauses else max(0, min(pauses))):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _send_and_wake(self, delivery: Delivery) -> None:
        try:
            await self.send(delivery)
        finally:
            self._busy.discard(delivery.chat_id)
            self._wake.set()

    async def send(self, delivery: Delivery) -> None:
        """Send one message and note what became of it."""
        html = await self._compose(delivery)
        try:
            message_id = await self._deliver(delivery, html)
        except TelegramRetryAfter as error:
            self._pace.wait(delivery.chat_id, _seconds() + error.retry_after)
            await self._postpone(delivery, error.retry_after, error)
        except TelegramMigrateToChat as error:
            async with self._db.transaction() as tx:
                await chats.migrate(tx, delivery.chat_id, error.migrate_to_chat_id)
        except TelegramUnauthorizedError:
            raise  # the token is gone: nothing can be sent, and only a person can help
        except TelegramForbiddenError as error:
            await self._pause_chat(delivery, error)
        except TelegramBadRequest as error:
            await self._refused(delivery, html, error)
        except (TelegramNetworkError, TelegramServerError, ClientDecodeError) as error:
            await self._postpone(delivery, back_off(delivery.attempts), error)
        except TelegramAPIError as error:
            await self._postpone(delivery, back_off(delivery.attempts + 3), error)
        else:
            await self._mark_sent(delivery, message_id)

    async def _compose(self, delivery: Delivery) -> str:
        """The message's HTML. A digest that does not fit leaves the rest to the next message."""
        if delivery.kind is DeliveryKind.NOTICE:
            return f"⚠️ {render.safe(delivery.text or '')}"
        entries = await outbox.entries(self._db.reader, delivery.id)
        if delivery.kind is DeliveryKind.ALERT:
            return render.alert(entries[0], self._zone)
        coverage = render.coverage(
            await channels.watched(self._db.reader), await rhythms(self._pipeline), self._clock()
        )
        digest = render.digest(entries, self._zone, self._clock(), coverage)
        rest = [finding.hit for entry in entries[digest.told :] for finding in entry.findings]
        if rest:
            async with self._db.transaction() as tx:
                await outbox.move(tx, delivery, rest, self._clock())
        return digest.html

    async def _deliver(self, delivery: Delivery, html: str) -> int | None:
        """The id of the message in the chat; None when it was sent but the answer is garbled."""
        try:
            message = await self._bot.send_message(
                delivery.chat_id,
                html,
                message_thread_id=delivery.thread_id,
                parse_mode=ParseMode.HTML,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
                request_timeout=SEND_WITHIN,
            )
        except ClientDecodeError as error:
            if not _was_sent(error):
                raise
            return None
        return message.message_id

    async def _refused(self, delivery: Delivery, html: str, error: TelegramBadRequest) -> None:
        """Telegram does not take this message: change what it complains of, or give up aloud."""
        complaint = error.message.casefold()
        if "thread not found" in complaint or "topic_closed" in complaint:
            async with self._db.transaction() as tx:
                await outbox.drop_thread(tx, delivery)
        elif "chat not found" in complaint or "not enough rights" in complaint:
            await self._pause_chat(delivery, error)
        elif html != render.plain(html):
            await self._send_plain(delivery, html)
        else:
            await self._give_up(delivery, error)

    async def _send_plain(self, delivery: Delivery, html: str) -> None:
        try:
            message = await self._bot.send_message(
                delivery.chat_id,
                render.plain(html)[: render.MESSAGE_LIMIT // 2],
                message_thread_id=delivery.thread_id,
                parse_mode=None,
                link_preview_options=LinkPreviewOptions(is_disabled=True),
                request_timeout=SEND_WITHIN,
            )
        except TelegramBadRequest as error:
            await self._give_up(delivery, error)
        except TelegramAPIError as error:
            await self._postpone(delivery, back_off(delivery.attempts), error)
        else:
            log.warning("delivery %s was refused with markup, sent plain", delivery.id)
            await self._mark_sent(delivery, message.message_id)

    async def _mark_sent(self, delivery: Delivery, message_id: int | None) -> None:
        async with self._db.transaction() as tx:
            await outbox.mark_sent(tx, delivery.id, message_id, self._clock())

    async def _postpone(self, delivery: Delivery, seconds: float, error: Exception) -> None:
        name = type(error).__name__  # its text may hold the address, and that the token
        log.warning("delivery %s waits %.0f s: %s", delivery.id, seconds, name)
        async with self._db.transaction() as tx:
            until = self._clock() + timedelta(seconds=seconds)
            await outbox.postpone(tx, delivery.id, until)

    async def _pause_chat(self, delivery: Delivery, error: TelegramAPIError) -> None:
        async with self._db.transaction() as tx:
            news = await chats.pause(tx, delivery.chat_id, error.message, self._clock())
        if news:
            await self._tell(
                f"Chat {delivery.chat_id} can't be written to ({error.message}). What it is owed "
                "is kept and sent when the bot may write there again."
            )

    async def _give_up(self, delivery: Delivery, error: TelegramBadRequest) -> None:
        log.error("delivery %s was refused for good: %s", delivery.id, error.message)
        async with self._db.transaction() as tx:
            await outbox.give_up(tx, delivery.id, error.message)
        if delivery.kind is not DeliveryKind.NOTICE:
            await self._tell(
                f"Telegram refused delivery {delivery.id} to chat {delivery.chat_id} "
                f"({error.message}). Its hits are kept in the database."
            )


def back_off(attempts: int) -> float:
    """Seconds to wait after that many failures."""
    return float(min(2**attempts, LONGEST_BACK_OFF))


def _was_sent(error: ClientDecodeError) -> bool:
    """aiogram could not read the answer, but does it say ok?"""
    data = error.data
    if isinstance(data, str | bytes):
        try:
            data = json.loads(data)
        except ValueError:
            return False
    return isinstance(data, dict) and data.get("ok") is True


def _seconds() -> float:
    return asyncio.get_running_loop().time()
