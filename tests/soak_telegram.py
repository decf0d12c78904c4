"""What goes wrong at a local data centre with three accounts? For soak.py.

Updates are dropped, differences too long, connections reset, requests flooded and hanging, posts
edited and deleted, one post poisoned, one account revoked.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from storage.model import Channel
from tests.conftest import NOWHERE
from tests.telegram_dc import DataCentre
from tests.telegram_media import UnknownMedia

RECENT = 40  # posts back that are edited and deleted
POISONED = 1000  # the number of the post that is


class Telegram:
    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._poison: set[tuple[int, int]] = set()
        self._edits = self._deletions = self._dropped = 0

    @asynccontextmanager
    async def open(self, channels: int) -> AsyncIterator[None]:
        async with DataCentre() as self._dc:
            self._accounts = [self._dc.add_user(f"Reader {n}") for n in range(3)]
            self._channels = [
                self._dc.add_channel(
                    f"C{n}", username=f"chan_{n}", members=self._accounts if n % 2 else []
                )
                for n in range(channels)
            ]
            yield

    def channels(self) -> list[Channel]:
        return [Channel(c.id, c.username, c.title) for c in self._channels]

    def settings(self) -> dict[str, object]:
        return {
            "PREVIEW_URL": NOWHERE,
            "TELEGRAM_API_ID": 1,
            "TELEGRAM_API_HASH": "0" * 32,
            "TELEGRAM_SESSION_STRING": ",".join(self._dc.session(user) for user in self._accounts),
        }

    async def publish(self, number: int) -> None:
        channel = self._rng.choice(self._channels)
        if number == POISONED:
            message = self._dc.store(channel, "poison", media=UnknownMedia())
            self._poison.add((channel.id, message.id))
        text = f"post {number} of {channel.id}"
        lost = self._rng.random() < 0.2
        self._dropped += lost
        if lost:
            self._dc.drop_updates += 1
        await self._dc.post(channel, text)
        recent = [
            id for id in sorted(channel.messages)[-RECENT:] if (channel.id, id) not in self._poison
        ]
        if self._rng.random() < 0.05:
            self._edits += 1
            await self._dc.edit(channel, self._rng.choice(recent), f"edited {text}")
        if self._rng.random() < 0.02:
            self._deletions += 1
            await self._dc.delete(channel, [self._rng.choice(recent)])

    async def misfortunes(self) -> None:
        while True:
            await asyncio.sleep(self._rng.uniform(0.5, 3))
            match self._rng.randrange(5):
                case 0:
                    self._dc.fail("GetHistory", 420, f"FLOOD_WAIT_{self._rng.randint(1, 30)}")
                case 1:
                    self._dc.fault("GetHistory", "hang")
                case 2:
                    self._dc.kick()
                case 3:
                    self._dc.diff_limit = self._rng.choice([1, 3, 100])
                case 4:
                    self._dc.fail("GetHistory", 500, "INTERDC_1_CALL_ERROR")

    def prepare(self) -> Callable[[], None] | None:
        return None

    def halfway(self) -> None:
        self._dc.revoke(self._accounts[0])
        self._dc.kick()

    def heal(self) -> None:
        self._dc.heal()

    def published(self) -> dict[tuple[int, int], str]:
        return {
            (channel.id, id): message.message
            for channel in self._channels
            for id, message in channel.messages.items()
            if (channel.id, id) not in self._poison
        }

    def said(self) -> dict[str, object]:
        return {
            "edits": self._edits,
            "deletions": self._deletions,
            "updates dropped": self._dropped,
            "server errors": len(self._dc.errors),
        }
