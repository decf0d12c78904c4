"""Who may say what to the bot? Closed by default: owners may, everybody else may not."""

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from aiogram import BaseMiddleware
from aiogram.types import Message, TelegramObject, User

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
    CommandInfo(
        "add", "@channel … [join]", "watch public channels or groups; join: be pushed posts"
    ),
    CommandInfo("remove", "@channel", "stop watching one, leave it if I joined it"),
    CommandInfo("channels", "", "the watched channels and how complete each is"),
    CommandInfo("backfill", "@channel 30d", "read what one published before it was watched"),
    CommandInfo("watch", "NAME RULE", "look for something, in the watchlist NAME"),
    CommandInfo("unwatch", "NAME RULE", "stop looking for it"),
    CommandInfo("watchlists", "", "the watchlists"),
    CommandInfo("watchlist", "NAME", "the terms of one"),
    CommandInfo("subscribe", "NAME [now | hourly | daily 08:00]", "tell this chat of its hits"),
    CommandInfo("unsubscribe", "NAME", "stop telling this chat"),
    CommandInfo("subscriptions", "", "what this chat is told of"),
    CommandInfo("digest", "[6h] [NAME]", "what this chat was not told yet"),
    CommandInfo("status", "", "whether all is well"),
    CommandInfo("help", "", "these commands, and how rules are written"),
)


class Access(BaseMiddleware):
    """Lets messages of those through who have a role; handlers get it as `role`."""

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
