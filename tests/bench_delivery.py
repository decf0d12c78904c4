"""How well is Telegram's pace used, how few messages is a storm, how soon is an alert on its way?

`python -m tests.bench_delivery`. Against the local Bot API server with its limits switched on.
"""

import asyncio
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from bot.app import open_bot
from bot.delivery import Sender
from bot.settings import Settings
from storage import channels, hits, outbox, posts, subscriptions, watchlists
from storage.db import open_database
from storage.model import Delivery, DeliveryKind, Hit, Severity, Subscription, Term
from tests import make
from tests.bot_api import BotApi
from tests.processes import Process
from watchers.pipeline import Pipeline

CHATS, GROUPS, EACH = 100, 20, 50
URGENT = 3  # of each chat's alerts, the last ones
STORM, STORM_SECONDS = 1000, 60.0
KILLS = 30


def now() -> datetime:
    return datetime.now(UTC)


@asynccontextmanager
async def sending(api: BotApi, pipeline: Pipeline, **options) -> AsyncIterator[None]:
    async def tell(text: str) -> None: ...

    settings = Settings(_env_file=None, bot_token=api.token, bot_api_url=api.url)
    async with open_bot(settings) as bot:
        sender = Sender(bot, pipeline, UTC, tell, **options)
        task = asyncio.create_task(sender.run())
        yield
        sender.stop()
        await task


async def prepare(db) -> None:
    async with db.transaction() as tx:
        await channels.add(tx, make.channel(1, "news"), 0, now())
        await watchlists.create(tx, make.watchlist(), now())
        await watchlists.add_term(tx, 1, Term(0, "эшелон"), now())


async def make_hits(tx, number: int) -> list[Hit]:
    found = []
    for id in range(1, number + 1):
        text = f"прошёл эшелон, номер {id}."
        await posts.save(tx, make.post(text, message_id=id), now())
        found += await hits.save(tx, [make.hit(text, "эшелон", message_id=id)], now())
    return found


async def owe(db, chats: Sequence[int], each: int) -> None:
    async with db.transaction() as tx:
        found = await make_hits(tx, each)
        for number, hit in enumerate(found):
            severity = Severity.HIGH if number >= each - URGENT else Severity.NORMAL
            for chat in chats:
                alert = Delivery(chat, DeliveryKind.ALERT, now(), (hit,), severity=severity)
                await outbox.add(tx, alert, now())


def shortest(chats: Sequence[int], messages: Counter) -> float:
    """Seconds that the limits ask for at least: 30/s overall, 1/s a chat, 20/min a group."""
    one = 0.0
    for chat in chats:
        number = messages[chat] - 1
        one = max(one, float(number), number // 20 * 60.0 + number % 20 if chat < 0 else 0.0)
    return max(one, (sum(messages.values()) - 1) // 30)


async def until_sent(db) -> None:
    while await outbox.waiting(db.reader):
        await asyncio.sleep(0.1)


async def many_chats(folder: Path, merging: bool) -> str:
    async with BotApi() as api, open_database(folder / f"{merging}.db") as db:
        people = [api.user(id, f"U{id}", started=True).id for id in range(1, CHATS - GROUPS + 1)]
        chats = [*people, *(api.group(f"G{n}").id for n in range(GROUPS))]
        await prepare(db)
        await owe(db, chats, EACH)
        api.limits = True
        pipeline = Pipeline(db, now)
        start = time.monotonic()
        async with sending(api, pipeline, merging=merging):
            await until_sent(db)
        took = api.sent[-1].at - start
        least = shortest(chats, Counter(sent.chat_id for sent in api.sent))
        told = Counter(
            (sent.chat_id, entity["url"])
            for sent in api.sent
            for entity in sent.message["entities"]
            if entity["type"] == "text_link"
        )
        assert len(told) == len(chats) * EACH
        assert max(told.values()) == 1
        late = sum(_overtaken(api, chat) for chat in chats)
        refused = len(api.called("sendMessage")) - len(api.sent)
        return (
            f"{len(told)} alerts to {CHATS} chats, {GROUPS} of them groups, "
            f"{'merged' if merging else 'one by one'}: {len(api.sent)} messages in {took:.1f} s, "
            f"the limits ask for {least:.1f} s: {took / max(least, 1):.2f} (wanted 1.1); "
            f"{refused} refused; {late} urgent ones came after others"
        )


def _overtaken(api: BotApi, chat: int) -> int:
    """Urgent alerts of a chat that came after one that was not urgent."""
    seen, late = False, 0
    for sent in api.sent:
        if sent.chat_id != chat:
            continue
        urgent = any(
            f"номер {n}." in sent.message["text"] for n in range(EACH - URGENT + 1, EACH + 1)
        )
        late += urgent and seen
        seen = seen or not urgent
    return late


async def storm(folder: Path) -> str:
    async with BotApi() as api, open_database(folder / "storm.db") as db:
        ann, group = api.user(7, "Ann", started=True), api.group("Desk")
        await prepare(db)
        async with db.transaction() as tx:
            for chat in (ann.id, group.id):
                await subscriptions.put(tx, Subscription(1, chat), now())
        api.limits = True
        pipeline = Pipeline(db, now)
        async with sending(api, pipeline):
            start = time.monotonic()
            for number in range(1, STORM + 1):
                text = f"прошёл эшелон, номер {number}."
                await pipeline.take([make.post(text, message_id=number, published_at=now())])
                await asyncio.sleep(start + number * STORM_SECONDS / STORM - time.monotonic())
            await until_sent(db)
        took = time.monotonic() - start
        links = Counter(
            (sent.chat_id, entity["url"])
            for sent in api.sent
            for entity in sent.message["entities"]
            if entity["type"] == "text_link"
        )
        messages = Counter(sent.chat_id for sent in api.sent)
        refused = len(api.called("sendMessage")) - len(api.sent)
        assert len(links) == 2 * STORM
        return (
            f"a storm of {STORM} hits in {STORM_SECONDS:.0f} s: all told after {took:.1f} s, in "
            f"{messages[7]} messages to a person and {messages[group.id]} to a group; "
            f"{refused} refused"
        )


async def soonness(folder: Path, number: int = 200) -> str:
    """From the committed hit to the bytes of sendMessage at the server, the chat being idle."""
    took = []
    async with BotApi() as api, open_database(folder / "soon.db") as db:
        await prepare(db)
        async with db.transaction() as tx:
            for chat in range(1, number + 1):
                api.user(chat, f"U{chat}", started=True)
        pipeline = Pipeline(db, now)
        async with sending(api, pipeline):
            for id in range(1, number + 1):
                async with db.transaction() as tx:
                    await tx.execute("DELETE FROM subscriptions")
                    await subscriptions.put(tx, Subscription(1, id), now())
                await pipeline.take([make.post("прошёл эшелон", message_id=id)])
                committed = time.monotonic()
                await until_sent(db)
                took.append(
                    next(call.at for call in api.calls[::-1] if call.method == "sendMessage")
                    - committed
                )
    took.sort()
    return (
        f"from the committed hit to sendMessage: median {statistics.median(took) * 1000:.1f} ms "
        f"(wanted 10), 99th percentile {took[int(len(took) * 0.99)] * 1000:.1f} ms"
    )


async def chaos(folder: Path, alerts: int = 150, seed: int = 7) -> str:
    """10 % 429, 5 % 5xx, HTML 502, lost answers, hangs, and the process killed 30 times."""
    rng, database = random.Random(seed), folder / "chaos.db"
    async with BotApi() as api:
        chats = [api.user(id, f"U{id}", started=True).id for id in range(1, 21)]
        async with open_database(database) as db:
            await prepare(db)
            await owe(db, chats, alerts)
        api.limits = True
        api.chaos(
            rng,
            methods="sendMessage",
            rate429=0.1,
            rate5xx=0.05,
            html502=0.02,
            lost=0.03,
            hang=0.02,
        )
        settings = {
            "BOT_TOKEN": api.token,
            "BOT_API_URL": api.url,
            "PREVIEW_URL": "http://127.0.0.1:9",
            "DATABASE": database,
        }
        for _ in range(KILLS):
            process = Process(("run",), settings, folder)
            await process.start()
            await process.says("running")
            await asyncio.sleep(rng.random() * 2)
            await process.kill()
        process = Process(("run",), settings, folder)
        await process.start()
        async with open_database(database) as db:
            await until_sent(db)
        await process.kill()
        told = Counter(
            (sent.chat_id, entity["url"])
            for sent in api.sent
            for entity in sent.message["entities"]
            if entity["type"] == "text_link"
        )
        missing = len(chats) * alerts - len(told)
        shown = Counter(
            (sent.chat_id, sent.message["text"].replace(REPEATED, "")) for sent in api.sent
        )
        repeats = sum(shown.values()) - len(shown)
        marked = sum(sent.message["text"].startswith(REPEATED) for sent in api.sent)
        return (
            f"{len(chats) * alerts} alerts owed through faults and {KILLS} kills: {missing} missing, "
            f"{repeats} messages repeated, {marked} marked as perhaps repeated"
        )


REPEATED = "🔁 may be a repeat\n"


def measure() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        yield asyncio.run(soonness(folder))
        yield asyncio.run(many_chats(folder, merging=True))
        yield asyncio.run(many_chats(folder, merging=False))
        yield asyncio.run(storm(folder))
        yield asyncio.run(chaos(folder))


if __name__ == "__main__":
    for said in measure():
        print(said, flush=True)
