"""How does what is owed reach the chats? The only place that sends alerts, digests and notices.

At least once: a crash between *send* and *mark sent* repeats the one message in flight, and so
does an answer of Telegram's that gets lost. Telegram has no key that would prevent it.
"""

import asyncio
import json
import logging
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta, tzinfo
from typing import Any

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
from aiogram.types import BufferedInputFile, InlineKeyboardMarkup, LinkPreviewOptions

from bot import keyboards, languages, render
from bot.printing import Printed, print_digest
from bot.speech import say, say_number, speaking
from storage import channels, chats, digests, outbox
from storage.model import Chat, Delivery, DeliveryKind, Entry, Hit, Part, Severity, Sighting
from storage.said import Said
from watchers.ingest import rhythms
from watchers.pipeline import Pipeline
from watchers.zones import zone_of

log = logging.getLogger(__name__)

OVERALL = 30  # messages a second, over all chats
CHAT_PAUSE = 1.0  # seconds between two messages to one chat
GROUP_A_MINUTE = 20  # messages to one group
SPARE = 5  # of these, kept for new alerts when messages are edited
SOON = 5.0  # seconds: alerts of which the last would wait longer than that are merged
GATHER = (5.0, 10.0, 20.0)  # seconds between merged messages while a storm lasts
FULL = 90  # alerts that wait: as many as a merged message holds
STORM_OVER = 60.0  # seconds after the last merged message
IN_FLIGHT = 30  # sends under way at once
SEND_WITHIN = 20  # seconds for one request
UPLOAD_WITHIN = 120  # seconds for one that sends a file
DRAIN_WITHIN = 3.0  # seconds that sends under way are given at shutdown
LONGEST_BACK_OFF = 300  # seconds
SLOWER, SLOWEST = 1.5, 8.0  # what a refusal makes of a chat's pause, and where that ends
EDIT_AGAIN = 5.0  # seconds until an edit that met a broken network is tried again
FORGIVEN = 0.95  # what each message that is taken makes of it again


HIDDEN = LinkPreviewOptions(is_disabled=True)


@dataclass(frozen=True, slots=True)
class Message:
    """What a chat gets to see."""

    html: str
    preview: LinkPreviewOptions = HIDDEN
    keyboard: InlineKeyboardMarkup | None = None
    photo: bytes | None = None  # what `html` is the caption of
    file: BufferedInputFile | None = None  # likewise
    silent: bool = False


class Pace:
    """When may the next message go to a chat? Times are seconds of one steady clock.

    A message counts from the moment its answer came: Telegram saw it no later than that, so that
    no two are closer at its end than here.
    """

    def __init__(self) -> None:
        self._overall: deque[list[float]] = deque(maxlen=2 * OVERALL)
        self._chats: defaultdict[int, deque[list[float]]] = defaultdict(
            lambda: deque(maxlen=GROUP_A_MINUTE)
        )
        self._told: dict[int, float] = {}  # told to wait until then
        self._slow: defaultdict[int, float] = defaultdict(lambda: 1.0)
        self._all_slow = 1.0
        self._storms: dict[int, tuple[float, int, float]] = {}

    def free_at(self, chat_id: int, spare: int = 0) -> float:
        """`spare`: how many messages to a group are to be left for what is more urgent."""
        sent = self._chats[chat_id]
        times = [self._told.get(chat_id, 0.0)]
        if sent:
            times.append(sent[-1][0] + CHAT_PAUSE * self._slow[chat_id])
        if is_group(chat_id) and len(sent) >= GROUP_A_MINUTE - spare:
            times.append(sent[-(GROUP_A_MINUTE - spare)][0] + 60)
        if len(self._overall) >= OVERALL:
            latest = sorted(at for (at,) in self._overall)[-OVERALL]
            times.append(latest + self._all_slow)
        return max(times)

    def allows(self, chat_id: int, now: float) -> int:
        """How many messages the chat may get in the next SOON seconds."""
        most = 1 + int(SOON / (CHAT_PAUSE * self._slow[chat_id]))
        if is_group(chat_id):
            recent = sum(now - at < 60 - SOON for (at,) in self._chats[chat_id])
            most = min(most, max(1, GROUP_A_MINUTE - recent))
        return most

    def spend(self, chat_id: int, now: float) -> Callable[[float], None]:
        """A message begins its way; call the result with the time when its answer is there."""
        sent = [now]
        self._overall.append(sent)
        self._chats[chat_id].append(sent)

        def answered(at: float) -> None:
            sent[0] = at
            self._slow[chat_id] = max(1.0, self._slow[chat_id] * FORGIVEN)
            self._all_slow = max(1.0, self._all_slow * FORGIVEN)

        return answered

    def gather(self, chat_id: int, now: float) -> None:
        """A merged message was sent: let more come together before the next one, in a long storm
        longer than in a short one."""
        _, step, last = self._storms.get(chat_id, (0.0, -1, now))
        step = min(step + 1, len(GATHER) - 1) if now - last < STORM_OVER else 0
        self._storms[chat_id] = (now + GATHER[step], step, now)

    def gathered_at(self, chat_id: int) -> float:
        return self._storms.get(chat_id, (0.0, -1, 0.0))[0]

    def wait(self, chat_id: int, until: float) -> None:
        """Telegram wants a pause: the chat gets it, and is written to more slowly afterwards."""
        self._told[chat_id] = until
        self._slow[chat_id] = min(SLOWEST, self._slow[chat_id] * SLOWER)
        paused = sum(1 for end in self._told.values() if end >= until - 5)
        if paused >= 3:  # it is not the chats, it is us
            self._all_slow = min(SLOWEST, self._all_slow * SLOWER)


def is_group(chat_id: int) -> bool:
    return chat_id < 0  # channels are counted as groups


class Sender:
    def __init__(
        self,
        bot: Bot,
        pipeline: Pipeline,
        zone: tzinfo,
        tell: Callable[[str], Awaitable[None]],
        *,
        merging: bool = True,
        protect: bool = False,
        previews: bool = True,
    ) -> None:
        """`tell` says a sentence to the owners; `protect` forbids forwarding what is sent;
        `previews` shows the post's card where it has one."""
        self._bot, self._pipeline = bot, pipeline
        self._db, self._wake, self._clock = pipeline.db, pipeline.owed, pipeline.clock
        self._zone, self._tell = zone, tell
        self._merging, self._protect, self._previews = merging, protect, previews
        self._pace = Pace()
        self._busy: set[int] = set()  # chats with a send under way: their messages keep order
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._printed: dict[int, Printed] = {}  # digests of which a part is sent

    async def run(self) -> None:
        """Send what is due, as the pace allows, until `stop`."""
        async with asyncio.TaskGroup() as sends:
            while not self._stopping:
                self._wake.clear()
                due = await outbox.next_due(self._db.reader, self._clock())
                changed = await outbox.next_changed(self._db.reader)
                for delivery in [*due, *changed]:
                    if self._may_go(delivery):
                        self._busy.add(delivery.chat_id)
                        answered = self._pace.spend(delivery.chat_id, _seconds())
                        task = sends.create_task(self._send_and_wake(delivery, answered))
                        self._tasks.add(task)
                        task.add_done_callback(self._tasks.discard)
                await self._rest([*due, *changed])
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

    def _may_go(self, delivery: Delivery) -> bool:
        return (
            delivery.chat_id not in self._busy
            and len(self._busy) < IN_FLIGHT
            and self._free_at(delivery) <= _seconds()
        )

    def _free_at(self, delivery: Delivery) -> float:
        free = self._pace.free_at(delivery.chat_id, SPARE if delivery.message_id else 0)
        if self._may_be_merged(delivery) and delivery.severity is not Severity.HIGH:
            return max(
                free, self._pace.gathered_at(delivery.chat_id) if delivery.waiting < FULL else 0
            )
        return free

    def _may_be_merged(self, delivery: Delivery) -> bool:
        return (
            self._merging
            and delivery.kind is DeliveryKind.ALERT
            and not (delivery.tried or delivery.message_id)
        )

    async def _rest(self, known: Iterable[Delivery]) -> None:
        """Until woken, or until the pace or a postponed message lets one go."""
        now = self._clock()
        pauses = [
            self._free_at(delivery) - _seconds()
            for delivery in known
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

    async def _send_and_wake(self, delivery: Delivery, answered: Callable[[float], None]) -> None:
        try:
            if delivery.message_id:
                await self.renew(delivery)
            else:
                await self.send(delivery)
        finally:
            answered(_seconds())
            self._busy.discard(delivery.chat_id)
            self._wake.set()

    async def send(self, delivery: Delivery) -> None:
        """Send one message and note what became of it."""
        async with self._db.transaction() as tx:
            if self._crowded(delivery):
                await outbox.merge(tx, delivery, self._clock())
                self._pace.gather(delivery.chat_id, _seconds())
            await outbox.mark_tried(tx, delivery.id, self._clock())
        message = await self._compose(delivery)
        try:
            message_id = await self._deliver(delivery, message)
        except TelegramRetryAfter as error:
            self._pace.wait(delivery.chat_id, _seconds() + error.retry_after)
            await self._postpone(delivery, error.retry_after, error)
        except TelegramMigrateToChat as error:
            async with self._db.transaction() as tx:
                await outbox.mark_refused(tx, delivery.id)
                await chats.migrate(tx, delivery.chat_id, error.migrate_to_chat_id)
        except TelegramUnauthorizedError:
            raise  # the token is gone: nothing can be sent, and only a person can help
        except TelegramForbiddenError as error:
            await self._pause_chat(delivery, error)
        except TelegramBadRequest as error:
            await self._refused(delivery, message, error)
        except (TelegramNetworkError, ClientDecodeError) as error:
            await self._postpone(delivery, back_off(delivery.attempts), error, refused=False)
        except TelegramServerError as error:
            await self._postpone(delivery, back_off(delivery.attempts), error)
        except TelegramAPIError as error:
            await self._postpone(delivery, back_off(delivery.attempts + 3), error)
        else:
            await self._mark_sent(delivery, message_id)

    async def renew(self, delivery: Delivery) -> None:
        """Make a message in the chat show what it should by now. It is news no longer, so what
        can't be edited stays as it is."""
        message = await self._compose(delivery)
        try:
            await self._bot.edit_message_text(
                message.html,
                chat_id=delivery.chat_id,
                message_id=delivery.message_id,
                parse_mode=ParseMode.HTML,
                link_preview_options=message.preview,
                reply_markup=message.keyboard,
                request_timeout=SEND_WITHIN,
            )
        except TelegramRetryAfter as error:
            self._pace.wait(delivery.chat_id, _seconds() + error.retry_after)
            return
        except TelegramForbiddenError as error:
            await self._pause_chat(delivery, error)
            return
        except TelegramUnauthorizedError:
            raise
        except TelegramBadRequest as error:
            if "not modified" not in error.message:
                log.info("delivery %s stays as it is: %s", delivery.id, error.message)
        except (TelegramNetworkError, TelegramServerError, ClientDecodeError) as error:
            if not (isinstance(error, ClientDecodeError) and _was_sent(error)):
                self._pace.wait(delivery.chat_id, _seconds() + EDIT_AGAIN)
                return
        await self._mark_sent(delivery, delivery.message_id)

    def _crowded(self, delivery: Delivery) -> bool:
        """Is more owed to the chat than the pace allows?"""
        most = self._pace.allows(delivery.chat_id, _seconds())
        return self._may_be_merged(delivery) and delivery.waiting > most

    async def _compose(self, delivery: Delivery) -> Message:
        """What does not fit into a message is left to the next one."""
        chat = await chats.one(self._db.reader, delivery.chat_id)
        with speaking(languages.chosen(chat)):
            return await self._composed(delivery, chat)

    async def _composed(self, delivery: Delivery, chat: Chat) -> Message:
        again = render.repeat() if delivery.tried and not delivery.message_id else ""
        if delivery.kind is DeliveryKind.NOTICE:
            return Message(f"{again}⚠️ {render.safe(say(delivery.text or ''))}")
        zone = zone_of(chat, self._zone)
        is_alert = delivery.kind is DeliveryKind.ALERT
        if is_alert:
            entries = await outbox.entries(self._db.reader, delivery.id, as_found=True)
            leads = render.leads(entries)
            if len(leads) == 1:
                also = await outbox.elsewhere(self._db.reader, entries[0])
                entries[0] = replace(entries[0], also=also)
                return self._alert(delivery, entries, zone, again)
            merged = render.merged(entries, zone)
            if not delivery.message_id:  # what is in the chat already is not told again
                await self._leave(delivery, entries[merged.told :])
            keyboard = keyboards.under_merged(delivery.id)
            return Message(again + merged.html, keyboard=keyboard)
        printed = self._printed.get(delivery.id) or await self._print(delivery, zone)
        return _part_of(printed, delivery, again)

    async def _print(self, delivery: Delivery, zone: tzinfo) -> Printed:
        """Kept until it is sent as a whole, or a try fails."""
        reader, now = self._db.reader, self._clock()
        watched = await channels.watched(reader)
        coverage = render.coverage(watched, await rhythms(self._pipeline), now)
        printed = await print_digest(reader, delivery, now, zone, coverage)
        self._printed[delivery.id] = printed
        return printed

    def _alert(
        self, delivery: Delivery, entries: Sequence[Entry], zone: tzinfo, again: str
    ) -> Message:
        lead = entries[0]
        useful = sum(verdict.useful for verdict in lead.verdicts)
        keyboard = keyboards.under_alert(delivery.id, useful, len(lead.verdicts) - useful)
        preview = HIDDEN
        if self._previews and lead.channel.username and not lead.deleted_at:
            link = render.post_link(lead.channel, lead.post.message_id)
            preview = LinkPreviewOptions(is_disabled=False, url=link, prefer_small_media=True)
        html = again + render.alert(entries, zone, delivery.reason)
        return Message(html, preview, keyboard)

    async def _leave(self, delivery: Delivery, entries: Iterable[Entry]) -> None:
        await self._move(delivery, [f.hit for entry in entries for f in entry.findings])

    async def _move(self, delivery: Delivery, rest: Sequence[Hit | Sighting]) -> None:
        if rest:
            async with self._db.transaction() as tx:
                await outbox.move(tx, delivery, rest, self._clock())

    async def _deliver(self, delivery: Delivery, message: Message) -> int | None:
        """The id of the message in the chat; None when it was sent but the answer is garbled."""
        common: dict[str, Any] = {
            "chat_id": delivery.chat_id,
            "message_thread_id": delivery.thread_id,
            "parse_mode": ParseMode.HTML,
            "disable_notification": delivery.severity is Severity.LOW or message.silent or None,
            "protect_content": self._protect or None,
        }
        try:
            if message.photo is not None:
                photo = BufferedInputFile(message.photo, "chart.png")
                sent = await self._bot.send_photo(
                    photo=photo, caption=message.html, request_timeout=UPLOAD_WITHIN, **common
                )
            elif message.file is not None:
                sent = await self._bot.send_document(
                    document=message.file,
                    caption=message.html,
                    request_timeout=UPLOAD_WITHIN,
                    **common,
                )
            else:
                sent = await self._bot.send_message(
                    text=message.html,
                    link_preview_options=message.preview,
                    reply_markup=message.keyboard,
                    request_timeout=SEND_WITHIN,
                    **common,
                )
        except ClientDecodeError as error:
            if not _was_sent(error):
                raise
            return None
        return sent.message_id

    async def _refused(
        self, delivery: Delivery, message: Message, error: TelegramBadRequest
    ) -> None:
        """Telegram does not take this message: change what it complains of, or give up aloud."""
        html, complaint = message.html, error.message.casefold()
        if "thread not found" in complaint or "topic_closed" in complaint:
            async with self._db.transaction() as tx:
                await outbox.mark_refused(tx, delivery.id)
                await outbox.drop_thread(tx, delivery)
        elif message.photo is not None or message.file is not None:
            await self._go_without(delivery, message)
        elif "chat not found" in complaint or "not enough rights" in complaint:
            await self._pause_chat(delivery, error)
        elif html != render.plain(html):
            await self._send_plain(delivery, html)
        else:
            await self._give_up(delivery, error)

    async def _go_without(self, delivery: Delivery, message: Message) -> None:
        """The chat takes no picture, or no file: what it would have said is said in words."""
        log.warning(
            "delivery %s goes without a %s", delivery.id, "picture" if message.photo else "file"
        )
        printed = self._printed[delivery.id]
        if message.file is not None:
            told = printed.told
            owed = await digests.told_by(self._db.reader, delivery.id)
            await self._move(delivery, [one for one in owed if one.story not in told])
            await self._mark_sent(delivery, None)
            return
        with speaking(await languages.language_of(self._db, delivery.chat_id)):
            self._printed[delivery.id] = printed.without_chart()
        async with self._db.transaction() as tx:
            await outbox.next_part(tx, delivery.id, Part.STORIES)

    async def _send_plain(self, delivery: Delivery, html: str) -> None:
        try:
            message = await self._bot.send_message(
                delivery.chat_id,
                render.cut(render.plain(html)),
                message_thread_id=delivery.thread_id,
                parse_mode=None,
                protect_content=self._protect or None,
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
        printed = self._printed.get(delivery.id)
        sent = printed.next_part(delivery.part) if printed else None
        rest = printed.after(sent) if printed and sent is not None else None
        async with self._db.transaction() as tx:
            if rest is not None:
                await outbox.next_part(tx, delivery.id, rest)
            else:
                await outbox.mark_sent(tx, delivery, message_id, self._clock())
                self._printed.pop(delivery.id, None)
            if message_id:  # the chat may have been one that is tried now and then
                await outbox.resume(tx, delivery.chat_id, self._clock())

    async def _postpone(
        self, delivery: Delivery, seconds: float, error: Exception, *, refused: bool = True
    ) -> None:
        name = type(error).__name__  # its text may hold the address, and that the token
        log.warning("delivery %s waits %.0f s: %s", delivery.id, seconds, name)
        self._printed.pop(delivery.id, None)
        async with self._db.transaction() as tx:
            until = self._clock() + timedelta(seconds=seconds)
            await outbox.postpone(tx, delivery.id, until, refused=refused)

    async def _pause_chat(self, delivery: Delivery, error: TelegramAPIError) -> None:
        async with self._db.transaction() as tx:
            await outbox.mark_refused(tx, delivery.id)
            news = await chats.pause(tx, delivery.chat_id, error.message, self._clock())
        if news:
            await self._tell(
                Said(
                    "Chat {chat} can't be written to ({why}). What it is owed is kept and sent when "
                    "the bot may write there again.",
                    chat=delivery.chat_id,
                    why=error.message,
                )
            )

    async def _give_up(self, delivery: Delivery, error: TelegramBadRequest) -> None:
        log.error("delivery %s was refused for good: %s", delivery.id, error.message)
        async with self._db.transaction() as tx:
            await outbox.give_up(tx, delivery.id, error.message)
        if delivery.kind is not DeliveryKind.NOTICE:
            await self._tell(
                Said(
                    "Telegram refused delivery {number} to chat {chat} ({why}). Its hits are kept in "
                    "the database.",
                    number=delivery.id,
                    chat=delivery.chat_id,
                    why=error.message,
                )
            )


def _part_of(printed: Printed, delivery: Delivery, again: str) -> Message:
    """The one of a digest's messages that is to be sent now. Only the first one makes a sound."""
    part = printed.next_part(delivery.part)
    if part is Part.CHART:
        return Message(again + printed.caption, photo=printed.chart)
    if part is Part.FILE and printed.file is not None:
        file = BufferedInputFile(printed.file, printed.file_name)
        caption = say_number("All {n} story", "All {n} stories", printed.edition.stories)
        return Message(again + caption, file=file, silent=True)
    return Message(again + printed.text.html, silent=printed.chart is not None)


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
