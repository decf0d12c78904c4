"""What goes wrong at a local web preview, without any account? For soak.py.

Pages are empty, asked for too often (429), broken (5xx), of an unknown shape, late or never there;
connections drop; previews are switched off for a while; posts are edited and deleted.

At the preview's pace, a page a second, 20,000 posts take most of an hour. So time passes faster for
the program: its two clocks do, and nothing else is touched; seconds here are the program's.
"""

import asyncio
import random
import selectors
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

from bot import app, updates
from storage.model import Channel
from tests.preview_server import Channel as Shown
from tests.preview_server import PreviewServer

RECENT = 40  # ids back that are edited and deleted


def hurried(times: float, since: datetime) -> datetime:
    return since + (datetime.now(UTC) - since) * times


def hurry(times: float, since: datetime) -> None:
    """In the program's process: every wait is so many times shorter, and its day, too."""
    select = selectors.EpollSelector.select

    def shorter(self: selectors.EpollSelector, timeout: float | None = None) -> object:
        return select(self, timeout and timeout / times)

    asyncio.BaseEventLoop.time = lambda self: time.monotonic() * times
    selectors.EpollSelector.select = shorter
    app.now = partial(hurried, times, since)
    updates.LONG_POLL = 1  # held by the local server for a real second


class WebPreview:
    def __init__(self, rng: random.Random, hurry: float) -> None:
        self._rng, self._hurry, self._since = rng, hurry, datetime.now(UTC)
        self._edits = self._deletions = 0
        self._happened: Counter[str] = Counter()

    @asynccontextmanager
    async def open(self, channels: int) -> AsyncIterator[None]:
        async with PreviewServer(etags=True) as self._server:
            self._began = time.monotonic()
            self._shown = [self._server.channel(f"chan_{n}", f"C{n}") for n in range(channels)]
            yield

    def channels(self) -> list[Channel]:
        return [Channel(shown.id, shown.name, shown.title) for shown in self._shown]

    def settings(self) -> dict[str, object]:
        return {"PREVIEW_URL": self._server.url}

    async def publish(self, number: int) -> None:
        shown, text = self._rng.choice(self._shown), f"post {number}"
        at = hurried(self._hurry, self._since)
        match self._rng.random():
            case chance if chance < 0.08:
                texts = [text, *[""] * self._rng.randint(1, 4)]
                self._rng.shuffle(texts)
                shown.album(*texts, at=at)
            case chance if chance < 0.1:
                shown.post(text, forward=("Origin", f"https://t.me/origin/{number + 1}"), at=at)
            case chance if chance < 0.11:
                shown.post(service=True, at=at)
                shown.post(text, at=at)
            case _:
                shown.post(text, at=at)
        if self._rng.random() < 0.05:
            self._edit(shown, f"edited {text}")
        if self._rng.random() < 0.02:
            self._delete(shown)

    def _recent(self, shown: Shown) -> list[int]:
        return [id for id in shown.messages if id > shown.last_id - RECENT]

    def _edit(self, shown: Shown, text: str) -> None:
        if said := [id for id in self._recent(shown) if shown.messages[id].text]:
            self._edits += 1
            shown.edit(self._rng.choice(said), text)

    def _delete(self, shown: Shown) -> None:
        """An album as a whole."""
        if recent := self._recent(shown):
            self._deletions += 1
            chosen = shown.messages[self._rng.choice(recent)]
            album = [m.id for m in shown.messages.values() if m.album and m.album == chosen.album]
            shown.delete(*(album or [chosen.id]))

    async def misfortunes(self) -> None:
        kinds = [self._throttled, self._too_many, self._broken, self._cut, self._late]
        kinds += [self._switched_off, self._of_another_shape]
        while True:
            await asyncio.sleep(self._rng.uniform(10, 90) / self._hurry)
            happens = self._rng.choice(kinds)
            self._happened[happens.__name__.strip("_").replace("_", " ")] += 1
            happens()

    def _for_a_while(self, kind: str, low: float, high: float, value: float = 0) -> None:
        until = time.monotonic() + self._rng.uniform(low, high) / self._hurry
        self._server.fail(kind, when=lambda request: time.monotonic() < until, value=value)

    def _throttled(self) -> None:
        self._for_a_while("throttle", 1, 60)

    def _too_many(self) -> None:
        self._server.retry_after = self._rng.choice(["", "3", "30"])
        self._for_a_while("status", 1, 30, 429)

    def _broken(self) -> None:
        self._for_a_while("status", 1, 30, self._rng.choice([500, 502]))

    def _cut(self) -> None:
        self._for_a_while("drop", 1, 20)

    def _late(self) -> None:
        """5 s are waited for, 50 are not."""
        self._for_a_while("slow", 1, 20, self._rng.choice([5, 50]) / self._hurry)

    def _of_another_shape(self) -> None:
        self._for_a_while(self._rng.choice(["shape", "text_shape"]), 1, 40)

    def _switched_off(self) -> None:
        shown = self._rng.choice(self._shown)
        shown.preview = False
        seconds = self._rng.uniform(20, 120) / self._hurry
        asyncio.get_running_loop().call_later(seconds, setattr, shown, "preview", True)

    def prepare(self) -> Callable[[], None] | None:
        return partial(hurry, self._hurry, self._since)

    def halfway(self) -> None:
        """The web preview has nothing that could be revoked."""

    def heal(self) -> None:
        self._server.heal()
        for shown in self._shown:
            shown.preview = True

    def published(self) -> dict[tuple[int, int], str]:
        found: dict[tuple[int, int], str] = {}
        for shown in self._shown:
            for id, message in shown.messages.items():
                if not message.service:
                    key = shown.id, message.album or id
                    found[key] = found.get(key) or message.text
        return found

    def said(self) -> dict[str, object]:
        seconds = (time.monotonic() - self._began) * self._hurry
        return {
            "edits": self._edits,
            "deletions": self._deletions,
            "misfortunes": dict(self._happened),
            "requests": len(self._server.asked),
            "requests a second": round(len(self._server.asked) / seconds, 2),
        }
