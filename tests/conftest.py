"""What do many tests need?"""

import asyncio
import time
from contextlib import asynccontextmanager
from datetime import UTC, timedelta

import hypothesis
import pytest

from bot import app, delivery, updates
from bot.export_chat import Exports
from bot.handlers import Desk, make_dispatcher
from bot.settings import Settings
from storage.db import open_database
from tests import make
from tests.bot_api import BotApi
from tests.telegram_dc import DataCentre
from watchers import ingest, rhythm
from watchers.pipeline import Pipeline
from watchers.sources import Sources

# The same examples every time, however slow the machine is.
hypothesis.settings.register_profile("same", derandomize=True, deadline=None)
hypothesis.settings.load_profile("same")

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


@pytest.fixture
async def db(tmp_path):
    async with open_database(tmp_path / "watch.db") as db:
        yield db


@pytest.fixture
async def pipeline(db, clock):
    return Pipeline(db, clock)


@pytest.fixture
async def dc():
    async with DataCentre() as dc:
        yield dc
        assert not dc.errors


@pytest.fixture
async def api():
    async with BotApi() as api:
        yield api


@pytest.fixture
def owner(api):
    return api.user(OWNER, "Ann")


@pytest.fixture
def talking(db, api, pipeline, clock, monkeypatch):
    """`async with talking():` is the chat side of the program, with nothing to watch."""
    monkeypatch.setattr(delivery, "CHAT_PAUSE", 0.02)

    @asynccontextmanager
    async def running(owners=(OWNER,)):
        settings = Settings(_env_file=None, bot_token=api.token, bot_api_url=api.url)
        async with app.open_bot(settings) as bot:
            exports = Exports(bot, db)
            desk = Desk(db, pipeline, Sources([]), clock, UTC, frozenset(owners), exports)
            sender = delivery.Sender(bot, pipeline, UTC, nobody_is_told)
            sending = asyncio.create_task(sender.run())
            exporting = asyncio.create_task(exports.run())
            polling = asyncio.create_task(updates.poll(bot, make_dispatcher(desk, time.monotonic)))
            try:
                yield
            finally:
                polling.cancel()
                exporting.cancel()
                await asyncio.wait([polling, exporting])
                sender.stop()
                await sending

    return running


async def nobody_is_told(text):
    raise AssertionError(text)


@pytest.fixture
def reader(dc):
    """The account that reads channels."""
    return dc.add_user("Reader")


@pytest.fixture
def program(dc, api, reader, tmp_path, monkeypatch):
    """`async with program():` is the whole program, at work against both servers."""
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
