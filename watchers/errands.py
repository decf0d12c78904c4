"""What does an account do besides reading, slowly? It leaves channels, and looks names up."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from storage.model import Channel
from watchers.ingest import Flooded

log = logging.getLogger(__name__)

EVERY = 2.0  # seconds between two rounds
PAUSE = 0.5  # seconds after a lookup

# The watched channels that the account has not met, the busiest first: those that it has to read
# now; or ahead of time (True) those that it would have to read if another account failed.
Strangers = Callable[[bool], Awaitable[Sequence[Channel]]]


class Errands(Protocol):
    async def leave_removed(self) -> None:
        """Leave what was joined to be watched, and is no longer watched."""

    async def may_look_up(self, ahead: bool) -> bool:
        """Does the budget allow it (see lookups)?"""

    async def meet(self, channel: Channel) -> None:
        """Look its name up."""


async def run(account: Errands, strangers: Strangers) -> None:
    """Never ends. Raises SourceLost."""
    while True:
        pause = EVERY
        try:
            await account.leave_removed()
            if await _meet_one(account, strangers):
                pause = PAUSE
        except Flooded as flooded:
            log.warning("%s before names are looked up or channels left", flooded)
            pause = flooded.seconds
        await asyncio.sleep(pause)


async def _meet_one(account: Errands, strangers: Strangers) -> bool:
    """Only one at a time: who has to read a channel may have changed before the next."""
    for ahead in (False, True):
        if await account.may_look_up(ahead):
            for channel in (await strangers(ahead))[:1]:
                await account.meet(channel)
                return True
    return False
