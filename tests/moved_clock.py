"""How does a test move the clock of a process that runs?

Both sides look into one small file: how far the process's wall clock is from the true one, and how
many seconds its steady clock was set on. Of the process nothing else is changed.
"""

import asyncio
import mmap
import signal
import time
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

WALL, STEADY = 0, 1
SIZE = 16  # bytes: two doubles


def shared(path: Path) -> memoryview:
    with path.open("r+b") as file:
        return memoryview(mmap.mmap(file.fileno(), SIZE)).cast("d")


def follow(path: Path) -> None:
    """In the process: go by that file. SIGUSR1 says that it changed."""
    import apscheduler.schedulers.base

    import bot.app
    import watchers.telegram

    offsets = shared(path)

    class Moved(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) + timedelta(seconds=offsets[WALL])

    for module in (bot.app, watchers.telegram, apscheduler.schedulers.base):
        module.datetime = Moved
    asyncio.BaseEventLoop.time = lambda self: time.monotonic() + offsets[STEADY]
    signal.signal(signal.SIGUSR1, lambda *_: None)  # the loop wakes, and asks what the time is


class MovedClock:
    """In the test. Goes on by itself, and jumps when told."""

    def __init__(self, path: Path, now: datetime) -> None:
        path.write_bytes(bytes(SIZE))
        self._offsets = shared(path)
        self._moves: list[tuple[float, float]] = []  # when, by time.monotonic(), and the offset
        self.prepare = partial(follow, path)  # for Process
        self.move(now)

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._offsets[WALL])

    def move(self, to: datetime, seconds: float = 0.0) -> None:
        """The wall clock jumps; by the steady one so many seconds pass, so waits are over sooner."""
        self._offsets[WALL] = offset = (to - datetime.now(UTC)).total_seconds()
        self._offsets[STEADY] += seconds
        self._moves.append((time.monotonic(), offset))

    def showed(self, at: float) -> datetime:
        """What it showed at a moment of time.monotonic()."""
        offset = next(offset for moved_at, offset in reversed(self._moves) if moved_at <= at)
        return datetime.now(UTC) + timedelta(seconds=offset + at - time.monotonic())
