"""Does the program stay complete while everything goes wrong? As a process, against a local data centre.

    python -m tests.soak --channels 50 --posts 20000 --kills 10

Updates are dropped, differences too long, connections reset, requests flooded and hanging, posts
edited and deleted, one post poisoned, one account of three revoked, the process killed. At the end
what is stored is compared with what was published.
"""

import argparse
import asyncio
import contextlib
import json
import random
import sqlite3
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from rich.progress import Progress

from storage import channels
from storage.db import open_database
from storage.model import Channel
from tests import make
from tests.bot_api import BotApi
from tests.telegram_dc import DataCentre
from tests.telegram_media import UnknownMedia
from tests.test_black_box import Process

RECENT = 40  # posts back that are edited and deleted
SETTLE = 240  # seconds given at the end


@dataclass
class Soak:
    dc: DataCentre
    rng: random.Random
    chosen: list = field(default_factory=list)
    poison: set = field(default_factory=set)
    edits: int = 0
    deletions: int = 0
    dropped: int = 0

    async def publish(self, posts: int, seconds: float, progress: Progress) -> None:
        task = progress.add_task("publishing", total=posts)
        for number in range(posts):
            channel = self.rng.choice(self.chosen)
            if number == posts // 3:
                message = self.dc.store(channel, "poison", media=UnknownMedia())
                self.poison.add((channel.id, message.id))
            await self.one(channel, f"post {number} of {channel.id}")
            progress.advance(task)
            await asyncio.sleep(seconds / posts * self.rng.random() * 2)

    async def one(self, channel, text: str) -> None:
        lost = self.rng.random() < 0.2
        self.dropped += lost
        if lost:
            self.dc.drop_updates += 1
        await self.dc.post(channel, text)
        recent = [
            id for id in sorted(channel.messages)[-RECENT:] if (channel.id, id) not in self.poison
        ]
        if self.rng.random() < 0.05:
            self.edits += 1
            await self.dc.edit(channel, self.rng.choice(recent), f"edited {text}")
        if self.rng.random() < 0.02:
            self.deletions += 1
            await self.dc.delete(channel, [self.rng.choice(recent)])

    async def misfortunes(self) -> None:
        while True:
            await asyncio.sleep(self.rng.uniform(0.5, 3))
            match self.rng.randrange(5):
                case 0:
                    self.dc.fail("GetHistory", 420, f"FLOOD_WAIT_{self.rng.randint(1, 30)}")
                case 1:
                    self.dc.fault("GetHistory", "hang")
                case 2:
                    self.dc.kick()
                case 3:
                    self.dc.diff_limit = self.rng.choice([1, 3, 100])
                case 4:
                    self.dc.fail("GetHistory", 500, "INTERDC_1_CALL_ERROR")


def wanted(soak: Soak) -> dict[tuple[int, int], str]:
    return {
        (channel.id, id): message.message
        for channel in soak.chosen
        for id, message in channel.messages.items()
        if (channel.id, id) not in soak.poison
    }


def compare(soak: Soak, database: Path) -> dict[str, int]:
    with contextlib.closing(sqlite3.connect(database)) as db:
        rows = db.execute("SELECT channel_id, message_id, text, deleted_at FROM posts").fetchall()
    here = {(channel, id): (text, gone) for channel, id, text, gone in rows}
    there = wanted(soak)
    return {
        "published": len(there),
        "stored": len(rows),
        "missing": sum(key not in here for key in there),
        "doubles": len(rows) - len(here),
        "old text": sum(key in here and here[key][0] != text for key, text in there.items()),
        "deleted, not marked": sum(
            gone is None and key not in there for key, (_, gone) in here.items()
        ),
        "marked, not deleted": sum(
            gone is not None and key in there for key, (_, gone) in here.items()
        ),
    }


async def run(arguments: argparse.Namespace) -> dict[str, object]:
    rng = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory() as name, Progress() as progress:
        folder = Path(name)
        database = folder / "watch.db"
        async with DataCentre() as dc, BotApi() as api:
            accounts = [dc.add_user(f"Reader {n}") for n in range(3)]
            soak = Soak(dc, rng)
            for n in range(arguments.channels):
                members = accounts if n % 2 else []
                soak.chosen.append(dc.add_channel(f"C{n}", username=f"chan_{n}", members=members))
            async with open_database(database) as db, db.transaction() as tx:
                for c in soak.chosen:
                    await channels.add(tx, Channel(c.id, c.username, c.title), 0, make.NOON)
            settings = {
                "BOT_TOKEN": api.token,
                "BOT_API_URL": api.url,
                "OWNER_IDS": 1,
                "PREVIEW_URL": "http://127.0.0.1:9",
                "DATABASE": database,
                "TELEGRAM_API_ID": 1,
                "TELEGRAM_API_HASH": "0" * 32,
                "TELEGRAM_SESSION_STRING": ",".join(dc.session(user) for user in accounts),
            }
            publishing = asyncio.create_task(
                soak.publish(arguments.posts, arguments.seconds, progress)
            )
            harm = asyncio.create_task(soak.misfortunes())
            for kill in range(arguments.kills):
                process = Process(("run",), settings, folder)
                await process.start()
                await process.says("connected to Telegram", 60)
                await asyncio.sleep(rng.uniform(1, arguments.seconds / arguments.kills))
                if kill == arguments.kills // 2:
                    dc.revoke(accounts[0])
                    dc.kick()
                await process.kill()
            process = Process(("run",), settings, folder)
            await process.start()
            await publishing
            harm.cancel()
            dc.heal()
            ended = time.monotonic()
            while True:
                counts = compare(soak, database)
                bad = sum(counts[key] for key in list(counts)[2:])
                if not bad or time.monotonic() - ended > SETTLE:
                    break
                await asyncio.sleep(1)
            late = time.monotonic() - ended
            await process.kill()
            assert "Traceback" not in process.output, process.output[-3000:]
            return counts | {
                "edits": soak.edits,
                "deletions": soak.deletions,
                "updates dropped": soak.dropped,
                "kills": arguments.kills,
                "last found after, s": round(late, 1),
                "server errors": len(dc.errors),
            }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--channels", type=int, default=50)
    parser.add_argument("--posts", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=120)
    parser.add_argument("--seed", type=int, default=7)
    print(json.dumps(asyncio.run(run(parser.parse_args())), indent=1))


if __name__ == "__main__":
    main()
