"""Who may say what to the bot? Closed by default: owners may, everybody else may not."""

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from aiogram import BaseMiddleware
from aiogram.types import CallbackQuery, Message, TelegramObject, User

log = logging.getLogger(__name__)

REFUSAL = "This bot serves a closed team. If you belong to it, give its owner this number: {id}"
REFUSE_EVERY = 60.0  # seconds between two refusals to one person; a stranger can't make it chatter
REMEMBERED = 1000  # strangers


class Role(IntEnum):
    OWNER = 4


@dataclass(frozen=True, slots=True)
class CommandInfo:
    name: str
    usage: str  # its arguments
    does: str


COMMANDS = (
    CommandInfo("add", "@channel …", "watch public channels or groups"),
    CommandInfo("remove", "@channel", "stop watching one; its posts are kept"),
    CommandInfo("channels", "", "the watched channels and how complete each is"),
    CommandInfo("backfill", "@channel 30d", "read what one published before it was watched"),
    CommandInfo("watch", "NAME RULE", "look for something, in the watchlist NAME"),
    CommandInfo("unwatch", "NAME RULE", "stop looking for it"),
    CommandInfo("watchlists", "", "the watchlists"),
    CommandInfo("watchlist", "NAME", "the terms of one"),
    CommandInfo("severity", "NAME low | normal | high", "low arrives silently, high at any hour"),
    CommandInfo(
        "subscribe",
        "NAME [now | hourly | daily 08:00,18:00 | weekdays 08:00 | weekly mon 08:00] [in @channel]",
        "tell this chat, or another one, of its hits",
    ),
    CommandInfo("unsubscribe", "NAME [in @channel]", "stop telling it"),
    CommandInfo("subscriptions", "[all]", "what this chat, or every chat, is told of"),
    CommandInfo(
        "mute",
        '[NAME | @channel | "term"] [1h | 8h | 3d | tomorrow | forever]',
        "no alerts of it here for a while; alone: what is muted",
    ),
    CommandInfo("unmute", "NUMBER | all", "alerts of it again"),
    CommandInfo("quiet", "22:00-07:00 | off", "hours in which only high severity comes"),
    CommandInfo("zone", "Europe/Warsaw", "the clock this chat goes by"),
    CommandInfo(
        "digest",
        "[6h | yesterday | last week | since 18:00] [NAME] [@channel] [lang:be]",
        "what this chat was not told yet, or all of a period",
    ),
    CommandInfo("status", "", "whether all is well"),
    CommandInfo("help", "", "these commands, and how rules are written"),
)


class Access(BaseMiddleware):
    """Lets those through who have a role, which handlers get as `role`."""

    def __init__(self, owners: frozenset[int], clock: Callable[[], float]) -> None:
        """`clock` gives seconds of a steady clock."""
        self._owners = owners
        self._clock = clock
        self._refused: OrderedDict[int, float] = OrderedDict()

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        user: User | None = data.get("event_from_user")
        if user is not None and user.id in self._owners:
            data["role"] = Role.OWNER
            return await handler(event, data)
        if isinstance(event, Message):
            await self._refuse(event, user)
        elif isinstance(event, CallbackQuery):
            log.info("refused a button: user %s", event.from_user.id)
            await event.answer(REFUSAL.format(id=event.from_user.id))
        return None

    async def _refuse(self, message: Message, user: User | None) -> None:
        """One polite sentence, to commands and in private; no word of it in groups otherwise."""
        log.info("refused: user %s", user.id if user else "unknown")
        private = message.chat.type == "private"
        if user is None or not (private or (message.text or "").startswith("/")):
            return
        now = self._clock()
        if now - self._refused.get(user.id, float("-inf")) < REFUSE_EVERY:
            return
        self._refused[user.id] = now
        self._refused.move_to_end(user.id)
        while len(self._refused) > REMEMBERED:
            self._refused.popitem(last=False)
        await message.answer(REFUSAL.format(id=user.id))
