"""What does an account do besides reading, slowly? It leaves channels, and looks names up."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from storage.model import Channel
from watchers.ingest import Flooded

log = logging.getLogger(__name__)

EVERY = 2.0  # seconds between two rounds

# The watched channels that the account has not met, the most wanted first; True: it has to read
# it now, not only if another account fails.
Strangers = Callable[[], Awaitable[Sequence[tuple[Channel, bool]]]]


class Errands(Protocol):
    async def leave_removed(self) -> None:
        """Leave what was joined to be watched, and is no longer watched."""

    async def meet(self, channel: Channel, ahead: bool) -> bool:
        """Look its name up, if the budget allows; say whether it was looked up."""


async def run(account: Errands, strangers: Strangers) -> None:
    """Never ends. Raises SourceLost."""
    while True:
        try:
            await account.leave_removed()
            for channel, needed in await strangers():
                if not await account.meet(channel, ahead=not needed):
                    break
        except Flooded as flooded:
            log.warning("%s before names are looked up or channels left", flooded)
            await asyncio.sleep(flooded.seconds)
        await asyncio.sleep(EVERY)
