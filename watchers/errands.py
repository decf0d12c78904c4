"""What does an account do besides reading, slowly? It leaves channels, and looks names up."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from storage.model import Channel
from storage.said import Counted
from watchers.ingest import Flooded, Tell
from watchers.lookups import WITHIN
from watchers.rhythm import duration

log = logging.getLogger(__name__)

EVERY = 2.0  # seconds between two rounds
PAUSE = 0.5  # seconds after a lookup

# The watched channels that the account has not met, the busiest first: those that it has to read
# now; or ahead of time (True) those that it would have to read if another account failed.
Strangers = Callable[[bool], Awaitable[Sequence[Channel]]]


class Errands(Protocol):
    async def leave_removed(self) -> None:
        """Leave what was joined to be watched, and is no longer watched."""

    async def lookup_wait(self, ahead: bool) -> float:
        """Seconds until the budget allows one (see lookups)."""

    async def meet(self, channel: Channel) -> None:
        """Look its name up."""


async def run(account: Errands, strangers: Strangers, tell: Tell) -> None:
    """Never ends. Raises SourceLost."""
    told = False
    while True:
        pause = EVERY
        try:
            await account.leave_removed()
            told = await _tell_who_waits(account, strangers, tell, told)
            if await _meet_one(account, strangers):
                pause = PAUSE
        except Flooded as flooded:
            log.warning("%s before names are looked up or channels left", flooded)
            pause = flooded.seconds
        await asyncio.sleep(pause)


async def _meet_one(account: Errands, strangers: Strangers) -> bool:
    """Only one at a time: who has to read a channel may have changed before the next."""
    for ahead in (False, True):
        if not await account.lookup_wait(ahead):
            for channel in (await strangers(ahead))[:1]:
                await account.meet(channel)
                return True
    return False


async def _tell_who_waits(account: Errands, strangers: Strangers, tell: Tell, told: bool) -> bool:
    """Owners are told once when the day's budget is used up and channels wait for it."""
    wait = await account.lookup_wait(False)
    if wait <= WITHIN.total_seconds():
        return told and wait > 0
    if not told and (waiting := await strangers(False)):
        await tell(
            Counted(
                "{n} channel is not read yet: this account does not know it, and Telegram allows "
                "only about 200 names to be looked up a day. It goes on in {time}; nothing is "
                "lost, what it publishes is caught up.",
                "{n} channels are not read yet: this account does not know them, and Telegram "
                "allows only about 200 names to be looked up a day. It goes on in {time}; nothing "
                "is lost, what they publish is caught up.",
                len(waiting),
                time=duration(wait),
            )
        )
        return True
    return told
