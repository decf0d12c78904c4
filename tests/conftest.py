"""What do many tests need?

The clients and what stands on them are imported by the fixtures that need them: the process that
hands tests out reads this file too, and would be busy for seconds before the first test begins.
"""

import asyncio
import itertools
import shutil
import ssl
import time
from contextlib import asynccontextmanager
from datetime import UTC, timedelta
from functools import cache

import hypothesis
import pytest

from storage import channels, chats, hits, outbox, posts, team, watchlists
from storage.db import open_database
from storage.model import Delivery, DeliveryKind, Hit, Span, Term
from tests import make
from watchers import indexing, ingest, rhythm
from watchers.pipeline import Pipeline

# The same examples every time, however slow the machine is.
hypothesis.settings.register_profile("same", derandomize=True, deadline=None)
hypothesis.settings.load_profile("same")

# Each bot reads all the certificates of the world, to talk with a local server without TLS.
ssl.create_default_context = cache(ssl.create_default_context)

# Each of these needs something that takes a worker seconds to make: one worker makes it for all.
TOGETHER = {
    "test_black_box.py": "processes",
    "test_team_day.py": "processes",
    "test_demo.py": "pack",
    "test_guide.py": "pack",
    "test_pack.py": "pack",
}


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """What --dist loadgroup would be: the groups of xdist 3.8 are lost on pytest 9.2."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return TOGETHER.get(nodeid.split("::")[0].rpartition("/")[2], nodeid)

    return Scheduling(config, log)


def pytest_collectstart():
    """Before anything imports aiogram, and not where tests are handed out only."""
    from bot.lazy_types import import_aiogram

    import_aiogram()
    from aiogram.client.session.aiohttp import AiohttpSession

    AiohttpSession.close = close_at_once


async def close_at_once(session):
    """aiogram waits 250 ms more, for TLS, which the local servers don't speak."""
    if session._session is not None:
        await session._session.close()


OWNER = 1
NOWHERE = "http://127.0.0.1:9"


class Clock:
    """Stands still until told."""

    def __init__(self, now=make.NOON):
        self.now = now

    def __call__(self):
        return self.now

    def forward(self, **time):
        self.now += timedelta(**time)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(scope="session")
def new_database(tmp_path_factory):
    """The file of a database that is migrated and holds nothing; copying it is quicker."""

    async def make_it(path):
        async with open_database(path):
            pass

    path = tmp_path_factory.mktemp("new") / "watch.db"
    asyncio.run(make_it(path))
    return path


@pytest.fixture
async def db(tmp_path, new_database):
    shutil.copy(new_database, tmp_path)
    async with open_database(tmp_path / "watch.db") as db:
        yield db


@pytest.fixture
async def pipeline(db, clock):
    return Pipeline(db, clock)


@pytest.fixture
async def dc():
    from tests.telegram_dc import DataCentre

    async with DataCentre() as dc:
        yield dc
        assert not dc.errors


@pytest.fixture
async def api():
    from tests.bot_api import BotApi

    async with BotApi() as api:
        yield api


@pytest.fixture
def owner(api):
    return api.user(OWNER, "Ann")


@pytest.fixture
def ann(api, owner):
    """The owner, who has written to the bot before."""
    return api.user(OWNER, "Ann", started=True)


@pytest.fixture
def talking(db, api, pipeline, clock, monkeypatch):
    """`async with talking():` is the chat side of the program, with nothing to watch."""
    from bot import app, delivery, updates
    from bot.export_chat import Exports
    from bot.handlers import Desk, make_dispatcher
    from bot.settings import Settings
    from watchers.sources import Sources

    monkeypatch.setattr(delivery, "CHAT_PAUSE", 0.02)

    @asynccontextmanager
    async def running(owners=(OWNER,), seconds=time.monotonic):
        settings = Settings(_env_file=None, bot_token=api.token, bot_api_url=api.url)
        async with app.open_bot(settings) as bot:
            exports = Exports(bot, db)
            desk = Desk(db, pipeline, Sources([]), clock, UTC, frozenset(owners), exports)
            sender = delivery.Sender(bot, pipeline, UTC, nobody_is_told)
            sending = asyncio.create_task(sender.run())
            exporting = asyncio.create_task(exports.run())
            polling = asyncio.create_task(updates.poll(bot, make_dispatcher(desk, seconds)))
            try:
                yield
            finally:
                polling.cancel()
                exporting.cancel()
                await asyncio.wait([polling, exporting])
                sender.stop()
                await sending

    return running


@pytest.fixture
async def keep(db, clock):
    """Store posts of two channels, an hour between them, the last one now; and index them."""
    async with db.transaction() as tx:
        for id in (1, 2):
            await channels.add(tx, make.channel(id), 0, clock())

    async def stored(*texts, channel_id=1, first=1, index=True, **fields):
        made = []
        for n, text in enumerate(texts):
            at = clock() - timedelta(hours=len(texts) - 1 - n)
            made.append(
                make.post(
                    text, channel_id=channel_id, message_id=first + n, published_at=at, **fields
                )
            )
        async with db.transaction() as tx:
            for post in made:
                await posts.save(tx, post, clock())
        if index:
            await indexing.index_all(db)
        return made

    return stored


async def nobody_is_told(text):
    raise AssertionError(text)


@pytest.fixture
def reader(dc):
    """The account that reads channels."""
    return dc.add_user("Reader")


@pytest.fixture
def program(dc, api, reader, tmp_path, monkeypatch):
    """`async with program():` is the whole program, at work against both servers."""
    from bot import app
    from bot.settings import Settings

    monkeypatch.setattr(ingest, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(rhythm, "LOOK_EVERY", 0.05)

    @asynccontextmanager
    async def running(**settings):
        values = {
            "bot_token": api.token,
            "bot_api_url": api.url,
            "telegram_api_id": 1,
            "telegram_api_hash": "x" * 32,
            "telegram_session_string": dc.session(reader),
            "owner_ids": str(OWNER),
            "preview_url": NOWHERE,
            "database": tmp_path / "watch.db",
        }
        stop = asyncio.Event()
        task = asyncio.create_task(app.run(Settings(_env_file=None, **values | settings), stop))
        try:
            yield
        finally:
            stop.set()
            await task

    return running


@pytest.fixture
def take_in(db, clock):
    async def take(person_id, role, name="Bob"):
        async with db.transaction() as tx:
            await team.put(tx, person_id, name, role, clock())

    return take


@pytest.fixture
def give_group(db):
    async def give(chat, role):
        async with db.transaction() as tx:
            await chats.set_role(tx, chat.id, role)

    return give


@pytest.fixture
async def owe(db, clock, pipeline):
    """Owe one alert of posts that all touch `эшелон` in the watchlist list1 (both with id 1)."""
    async with db.transaction() as tx:
        await channels.add(tx, make.channel(1, "news", "News"), 0, clock())
        await channels.add(tx, make.channel(2, "other", "Other"), 0, clock())
        for number in (1, 2):
            await watchlists.create(tx, make.watchlist(id=number), clock())
            await watchlists.add_term(tx, number, Term(0, "эшелон"), clock())
    numbers = itertools.count(1)

    async def alert(*texts, chat=OWNER, lists=(1,), **fields):
        found = []
        async with db.transaction() as tx:
            for text in texts or ("Прибыл эшелон",):
                post = make.post(text, message_id=next(numbers))
                await posts.save(tx, post, clock())
                at = text.index("эшелон")
                for number in lists:
                    span = (Span(at, at + 6),)
                    found.append(Hit(1, post.message_id, number, number, span, ("эшелон",)))
            await hits.save(tx, found, clock())
            owed = Delivery(chat, DeliveryKind.ALERT, clock(), tuple(found), **fields)
            id = await outbox.add(tx, owed, clock())
        pipeline.owed.set()
        return id

    return alert
