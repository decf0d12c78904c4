"""What does somebody hear who is not of the team? One polite sentence, now and then."""

import logging
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from aiogram.types import CallbackQuery, Message, TelegramObject

from bot.speech import say
from bot.standing import Standing
from storage.said import Said

log = logging.getLogger(__name__)

REFUSAL = Said(
    "This bot serves a closed team. If you belong to it, give its owner this number: {id}"
)
REFUSAL_TO_GROUP = Said(
    "This bot serves a closed team. If you belong to it, write under your own name."
)
REFUSE_EVERY = 60.0  # seconds between two refusals to one person; a stranger can't make it chatter
REMEMBERED = 1000  # strangers


class Refusals:
    def __init__(self, seconds: Callable[[], float]) -> None:
        """`seconds` is a steady clock."""
        self._seconds = seconds
        self._refused: OrderedDict[int, float] = OrderedDict()

    async def refuse(self, event: TelegramObject, standing: Standing, data: dict[str, Any]) -> None:
        """Commands and what is said in private are answered; in groups nothing else is."""
        person = standing.person
        if isinstance(event, CallbackQuery):
            log.info("refused a button: user %s", event.from_user.id)
            await event.answer(say(REFUSAL, id=event.from_user.id))
            return
        assert isinstance(event, Message)
        log.info("refused: user %s", person.id if person else "unknown")
        private = event.chat.type == "private"
        anonymous = event.sender_chat is not None and event.sender_chat.id == event.chat.id
        if not (person or anonymous) or not (private or "command" in data):
            return
        if self.is_due(person.id if person else event.chat.id):
            await event.answer(say(REFUSAL, id=person.id) if person else say(REFUSAL_TO_GROUP))

    def is_due(self, id: int) -> bool:
        """Whether it is time to answer them again; if so, it is taken for done."""
        now = self._seconds()
        if now - self._refused.get(id, float("-inf")) < REFUSE_EVERY:
            return False
        self._refused[id] = now
        self._refused.move_to_end(id)
        while len(self._refused) > REMEMBERED:
            self._refused.popitem(last=False)
        return True
