"""Are names looked up rarely, the urgent ones first, and ahead of need? With real servers."""

import asyncio
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage import channels, lookups, posts
from tests import make
from tests.telegram_media import forwarded
from watchers import errands, ingest, rhythm
from watchers import lookups as budget
from watchers.ingest import ChannelRefused, Flooded, SourceState
from watchers.lookups import (
    A_DAY,
    AGAIN,
    AHEAD_A_DAY,
    AHEAD_EVERY,
    AT_ONCE,
    DAY,
    WITHIN,
    wait,
)
from watchers.share import Share
from watchers.telegram import Account, TelegramSource


def often(number, ago=0.0):
    return [make.NOON - timedelta(seconds=ago)] * number


@pytest.mark.parametrize(
    ("times", "ahead", "seconds"),
    [
        ([], False, 0),
        (often(AT_ONCE - 1), False, 0),
        (often(AT_ONCE), False, WITHIN.total_seconds()),
        (often(A_DAY, ago=3600), False, 23 * 3600),
        ([], True, 0),
        (often(1), True, AHEAD_EVERY.total_seconds()),
        (often(1, ago=601), True, 0),
        (often(AHEAD_A_DAY, ago=3600), True, 23 * 3600),
        (often(AHEAD_A_DAY, ago=3600), False, 0),
    ],
)
def test_the_budget(times, ahead, seconds):
    assert wait(times, make.NOON, ahead) == seconds


@given(st.integers(0, 400), st.lists(st.booleans(), min_size=1))
def test_whatever_is_wanted_no_day_has_more_than_the_budget(people, wanted):
    """However many are wanted, each as soon as it may be; `people` added some at the beginning."""
    made, now = [make.NOON] * people, make.NOON
    for number in range(400):
        ahead = wanted[number % len(wanted)]
        recent = [at for at in made if at > now - DAY]
        now += timedelta(seconds=wait(recent, now, ahead))
        if now >= make.NOON + DAY:
            break
        made.append(now)
    assert len(made) <= max(A_DAY, people)


@pytest.fixture
def source(dc, reader, db, clock, monkeypatch):
    for module in (ingest, rhythm):
        monkeypatch.setattr(module, "LOOK_EVERY", 0.01)
    for name in ("EVERY", "PAUSE"):
        monkeypatch.setattr(errands, name, 0.001)
    return TelegramSource(Account(1, "x" * 32, dc.session(reader), "account 1"), db, clock)


async def watch(dc, db, number):
    """Channels, the last of which publishes most often."""
    chosen = [dc.add_channel(f"C{n}", username=f"chan_{n}") for n in range(number)]
    async with db.transaction() as tx:
        for n, one in enumerate(chosen):
            await channels.add(tx, make.channel(one.id, one.username, one.title), 90, make.NOON)
            for back in range(8):
                at = make.NOON - timedelta(minutes=(number - n) * 20 * (back + 1))
                post = make.post("x", channel_id=one.id, message_id=99 - back, published_at=at)
                await posts.save(tx, post, make.NOON)
    return chosen


def asked(dc):
    return [call.request.username for call in dc.calls_of("ResolveUsername")]


def read(dc):
    return {call.request.peer.channel_id for call in dc.calls_of("GetHistory")}


class Reading:
    def __init__(self, source, pipeline, *others):
        self._share = Share()
        for name in others:
            self._share.well(name)
        self.told = []
        self._what = source, pipeline, self._tell, SourceState(), self._share

    async def _tell(self, text):
        self.told.append(text)

    async def __aenter__(self):
        self._task = asyncio.create_task(ingest.supervise(*self._what))
        return self

    async def __aexit__(self, *_):
        self._task.cancel()
        await asyncio.wait([self._task])


async def test_channels_of_an_account_that_failed_are_met_the_busiest_first_within_the_budget(
    dc, db, pipeline, source, clock, monkeypatch
):
    monkeypatch.setattr(budget, "AT_ONCE", 10)
    chosen = await watch(dc, db, 15)
    async with Reading(source, pipeline) as reading:
        await dc.wait_for(lambda: len(asked(dc)) == 10)
        await dc.wait_for(lambda: len(dc.calls_of("GetHistory")) > 30)
        assert asked(dc) == [one.username for one in reversed(chosen)][:10]
        clock.now += WITHIN
        await dc.wait_for(lambda: len(asked(dc)) == 15)
        await dc.wait_for(lambda: len(read(dc)) == 15)
    assert len(asked(dc)) == 15
    assert reading.told == []  # that a channel waits for its turn is no trouble


async def test_the_budget_outlives_a_restart(dc, db, reader, source, clock):
    (one,) = await watch(dc, db, 1)
    async with db.transaction() as tx:
        for _ in range(A_DAY):
            await lookups.note(tx, reader, make.NOON - timedelta(hours=1))
    async with source.connected():
        with pytest.raises(Flooded, match="60 s"):
            await source.page(make.channel(one.id, one.username), None, 10)
        clock.forward(hours=23)
        await source.page(make.channel(one.id, one.username), None, 10)


async def test_channels_of_other_accounts_are_met_ahead_of_time_slowly(
    dc, db, pipeline, source, clock
):
    chosen = await watch(dc, db, 12)
    async with Reading(source, pipeline, "account 1", "account 2") as reading:
        own = sum(reading._share.reader_of(one.id) == "account 1" for one in chosen)
        assert 0 < own < 10
        await dc.wait_for(lambda: len(asked(dc)) >= own)
        await asyncio.sleep(0.1)
        assert len(asked(dc)) == own
        for number in range(own + 1, 13):
            clock.forward(minutes=10)
            await dc.wait_for(lambda number=number: len(asked(dc)) >= number)
            await asyncio.sleep(0.03)
            assert len(asked(dc)) == number
        reading._share.unwell("account 2")  # all its channels come at once, and are known
        await dc.wait_for(lambda: len(read(dc)) == 12)
    assert len(asked(dc)) == 12


async def test_a_hash_that_comes_along_costs_no_lookup(dc, db, pipeline, source):
    first, second = await watch(dc, db, 2)
    dc.store(first, "news of the other", fwd_from=forwarded(second, 5))
    async with source.connected():
        await source.page(make.channel(first.id, first.username), None, 10)
        assert source.ready(make.channel(second.id, second.username))
        await source.page(make.channel(second.id, second.username), None, 10)
    assert asked(dc) == ["chan_0"]


async def test_a_name_that_leads_nowhere_is_told_once_and_asked_again_after_hours(
    dc, db, pipeline, source, clock
):
    (one,) = await watch(dc, db, 1)
    await dc.rename(one, "moved_on")
    async with Reading(source, pipeline) as reading:
        await dc.wait_for(lambda: reading.told)
        await asyncio.sleep(0.1)
        assert "nobody has the name @chan_0 any more" in reading.told[0]
        assert "/add @newname" in reading.told[0]
        assert asked(dc) == ["chan_0"]
        clock.now += AGAIN
        await dc.wait_for(lambda: len(asked(dc)) == 2)
        async with db.transaction() as tx:  # what /add @moved_on does
            await channels.rename(tx, make.channel(one.id, "moved_on", "C0"))
        await dc.wait_for(lambda: len(reading.told) == 2)
    # A look may have begun before the new name was known: it asks for the old one once more.
    assert asked(dc)[:2] == ["chan_0", "chan_0"]
    assert asked(dc)[-1] == "moved_on"
    assert len(asked(dc)) <= 4
    assert reading.told[1].startswith("C0 can be read again")


async def test_a_hash_that_turns_out_wrong_is_replaced_but_not_asked_for_each_time(
    dc, db, reader, source, clock
):
    (one,) = await watch(dc, db, 1)
    channel = make.channel(one.id, one.username)
    async with db.transaction() as tx:
        await channels.keep_access_hash(tx, reader, one.id, 1)
    async with source.connected():
        with pytest.raises(ChannelRefused, match="does not know it any more"):
            await source.page(channel, None, 10)
        await source.page(channel, None, 10)
        assert asked(dc) == ["chan_0"]
        dc.fail("GetHistory", 400, "CHANNEL_INVALID", times=5)
        for _ in range(5):
            with pytest.raises(ChannelRefused):
                await source.page(channel, None, 10)
        assert asked(dc) == ["chan_0"]


async def test_a_flood_of_lookups_stops_neither_reading_nor_the_account(dc, db, pipeline, source):
    known, unknown = await watch(dc, db, 2)
    async with Reading(source, pipeline):
        await dc.wait_for(lambda: len(read(dc)) == 2)
    async with db.transaction() as tx:
        await tx.execute("DELETE FROM access_hashes WHERE channel_id = ?", (unknown.id,))
    dc.fail("ResolveUsername", 420, "FLOOD_WAIT_1000")
    async with Reading(source, pipeline) as reading:
        before = len(dc.calls_of("GetHistory"))
        await dc.wait_for(lambda: len(asked(dc)) == 3)
        await dc.wait_for(lambda: len(dc.calls_of("GetHistory")) > before + 3)
        assert reading._share.reader_of(known.id) == "account 1"
    assert len(asked(dc)) == 3


async def test_owners_are_told_once_of_channels_that_wait_for_the_next_day(
    dc, db, reader, pipeline, source, clock
):
    await watch(dc, db, 3)
    async with db.transaction() as tx:
        for _ in range(A_DAY - 1):
            await lookups.note(tx, reader, make.NOON - timedelta(hours=15))
    async with Reading(source, pipeline) as reading:
        await dc.wait_for(lambda: reading.told)
        await asyncio.sleep(0.05)
        assert len(reading.told) == 1
        assert reading.told[0].startswith("2 channels are not read yet: ")
        assert "It goes on in 9 h" in reading.told[0]
        assert len(read(dc)) == 1
        clock.forward(hours=9)
        await dc.wait_for(lambda: len(read(dc)) == 3)
    assert len(reading.told) == 1
