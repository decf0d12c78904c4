"""Does the program stay complete while everything goes wrong? As a process, against local servers.

    python -m tests.soak --channels 50 --posts 20000 --kills 10            # a data centre, accounts
    python -m tests.soak --preview --channels 50 --posts 20000 --kills 10  # the web preview, none

What goes wrong besides the kills is told in soak_telegram.py and soak_preview.py. At the end what is
stored is compared with what was published.
"""

import argparse
import asyncio
import contextlib
import json
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Protocol

from rich.progress import Progress

from storage import channels
from storage.db import open_database
from storage.model import Channel
from tests import make
from tests.bot_api import BotApi
from tests.processes import Process
from tests.soak_preview import WebPreview
from tests.soak_telegram import Telegram


class Side(Protocol):
    """Where channels are read from, with all that goes wrong there."""

    def open(self, channels: int) -> AbstractAsyncContextManager[None]:
        """Make so many channels."""

    def channels(self) -> list[Channel]: ...

    def settings(self) -> dict[str, object]:
        """Those that lead the program here."""

    def prepare(self) -> Callable[[], None] | None:
        """What is done in the program's process before it begins."""

    async def publish(self, number: int) -> None:
        """The next post, in any channel; edit and delete a few."""

    async def misfortunes(self) -> None:
        """One after the other, until cancelled."""

    def halfway(self) -> None: ...

    def heal(self) -> None:
        """No more misfortunes."""

    def published(self) -> dict[tuple[int, int], str]:
        """The text of every post that is there now, by channel and message id."""

    def said(self) -> dict[str, object]:
        """For the report."""


def compare(side: Side, database: Path) -> dict[str, Any]:
    """What is wrong, and which posts, as channel and message id."""
    with contextlib.closing(sqlite3.connect(database)) as db:
        rows = db.execute("SELECT channel_id, message_id, text, deleted_at FROM posts").fetchall()
    here = {(channel, id): (text, gone) for channel, id, text, gone in rows}
    there = side.published()
    wrong = {
        "missing": [key for key in there if key not in here],
        "old text": [key for key, text in there.items() if here.get(key, (text,))[0] != text],
        "deleted, not marked": [k for k, (_, gone) in here.items() if not gone and k not in there],
        "marked, not deleted": [k for k, (_, gone) in here.items() if gone and k in there],
    }
    return {
        "published": len(there),
        "stored": len(rows),
        **{what: len(keys) for what, keys in wrong.items()},
        "doubles": len(rows) - len(here),
        "for example": {what: sorted(keys)[:5] for what, keys in wrong.items() if keys},
    }


async def publish(side: Side, posts: int, seconds: float, rng: random.Random) -> None:
    with Progress() as progress:
        for number in progress.track(range(posts), description="publishing"):
            await side.publish(number)
            await asyncio.sleep(seconds / posts * rng.random() * 2)


async def settle(side: Side, database: Path, seconds: float) -> tuple[dict[str, Any], float, float]:
    """What it came to, and after how many seconds: the last post, and the last edit or deletion."""
    began, found = time.monotonic(), 0.0
    while True:
        counts, passed = compare(side, database), time.monotonic() - began
        found = passed if counts["missing"] else found
        complete = not counts["for example"] and not counts["doubles"]
        if complete or passed > seconds:
            return counts, found, passed
        await asyncio.sleep(0.5)


async def run(arguments: argparse.Namespace) -> dict[str, object]:
    rng = random.Random(arguments.seed)
    times = arguments.hurry if arguments.preview else 1
    seconds = arguments.seconds / times
    side: Side = WebPreview(rng, times) if arguments.preview else Telegram(rng)
    with tempfile.TemporaryDirectory() as name:
        folder, began = Path(name), time.monotonic()
        database = folder / "watch.db"
        async with side.open(arguments.channels), BotApi() as api:
            async with open_database(database) as db, db.transaction() as tx:
                for channel in side.channels():
                    await channels.add(tx, channel, 0, make.NOON)
            settings = {
                "BOT_TOKEN": api.token,
                "BOT_API_URL": api.url,
                "OWNER_IDS": 1,
                "DATABASE": database,
                **side.settings(),
            }
            prepare = side.prepare()
            publishing = asyncio.create_task(publish(side, arguments.posts, seconds, rng))
            harm = asyncio.create_task(side.misfortunes())
            output = ""
            for kill in range(arguments.kills):
                process = Process(("run",), settings, folder, prepare=prepare)
                await process.start()
                await process.says("connected to Telegram", 60)
                await asyncio.sleep(rng.uniform(0.1, 1.6) * seconds / (arguments.kills + 1))
                if kill == arguments.kills // 2:
                    side.halfway()
                await process.kill()
                output += process.output
                keep(arguments.log, output)
            process = Process(("run",), settings, folder, prepare=prepare)
            await process.start()
            await publishing
            published_in = time.monotonic() - began
            harm.cancel()
            side.heal()
            counts, found, late = await settle(side, database, arguments.settle / times)
            await process.kill()
            output += process.output
            keep(arguments.log, output)
            return {
                **counts,
                "tracebacks": output.count("Traceback"),
                **side.said(),
                "kills": arguments.kills,
                "published in, s": round(published_in * times),
                "last post found after, s": round(found * times, 1),
                "last edit or deletion found after, s": round(late * times, 1),
            }


def keep(log: str | None, output: str) -> None:
    if log:
        Path(log).write_text(output)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preview", action="store_true", help="the web preview, no account")
    parser.add_argument("--channels", type=int, default=50)
    parser.add_argument("--posts", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seconds", type=float, help="of publishing")
    parser.add_argument(
        "--hurry", type=float, default=10, help="with --preview: how much faster time passes"
    )
    parser.add_argument("--settle", type=float, default=3600, help="seconds given at the end")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--log", help="a file for what the program says")
    arguments = parser.parse_args()
    if arguments.seconds is None:
        arguments.seconds = 3600 if arguments.preview else 120
    print(json.dumps(asyncio.run(run(arguments)), indent=1))


if __name__ == "__main__":
    main()
