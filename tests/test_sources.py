"""Do several accounts share the channels, and does the death of one stop no other?"""

import asyncio

import pytest

from storage import channels, posts
from tests import make
from watchers import errands, ingest, rhythm, telegram
from watchers.ingest import SourceLost
from watchers.references import Reference
from watchers.sources import Member, Sources
from watchers.telegram import Account, TelegramSource

NUMBER = 12


@pytest.fixture
def readers(dc):
    return [dc.add_user(name) for name in ("a", "b", "c")]


@pytest.fixture
def sources(dc, db, readers, monkeypatch):
    for module in (ingest, rhythm):
        monkeypatch.setattr(module, "LOOK_EVERY", 0.02)
    monkeypatch.setattr(ingest, "BACK_OFF", (0.05,))
    for name in ("EVERY", "PAUSE"):
        monkeypatch.setattr(errands, name, 0.02)
    accounts = [
        Account(1, "x" * 32, dc.session(reader), f"account {n}") for n, reader in enumerate(readers)
    ]
    return Sources([Member(TelegramSource(account, db)) for account in accounts])


@pytest.fixture
async def watched(dc, db):
    chosen = [dc.add_channel(f"C{n}", username=f"chan_{n}") for n in range(NUMBER)]
    async with db.transaction() as tx:
        for channel in chosen:
            await channels.add(
                tx, make.channel(channel.id, channel.username, channel.title), 0, make.NOON
            )
    return chosen


async def stored(db, number):
    async with asyncio.timeout(20):
        while await posts.count(db.reader) < number:
            await asyncio.sleep(0.01)


async def test_channels_are_shared_and_move_when_an_account_dies(
    dc, db, pipeline, sources, watched, readers
):
    told = []

    async def tell(text):
        told.append(text)

    for channel in watched:
        dc.store(channel, "first")
    async with asyncio.TaskGroup() as tasks:
        running = sources.start(tasks, pipeline, tell)
        await stored(db, NUMBER)
        await dc.wait_for(lambda: len({call.user for call in dc.calls_of("GetHistory")}) == 3)

        dc.revoke(readers[0])
        dc.kick()
        for channel in watched:
            dc.store(channel, "second")
        await stored(db, 2 * NUMBER)
        async with asyncio.timeout(10):
            while not any("revoked this session" in text for text in told):
                await asyncio.sleep(0.01)
        for task in running:
            task.cancel()
    assert [member.state.trouble is None for member in sources.members].count(True) == 2


async def test_a_name_is_asked_of_who_can_answer(
    dc, db, pipeline, sources, watched, readers, monkeypatch
):
    monkeypatch.setattr(telegram, "UP_WITHIN", 0.2)
    dc.revoke(readers[0])

    async def tell(text):
        pass

    async with asyncio.TaskGroup() as tasks:
        running = sources.start(tasks, pipeline, tell)
        await dc.wait_for(
            lambda: [m.state.trouble is None for m in sources.members].count(True) == 2
        )
        channel, _ = await sources.resolve(Reference(username="chan_3"))
        assert channel.title == "C3"
        for task in running:
            task.cancel()
    with pytest.raises(SourceLost):
        await Sources(sources.members[:1]).resolve(Reference(username="chan_3"))
