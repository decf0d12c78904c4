"""Are owners told once of a channel that falls silent, and again when it speaks?"""

from datetime import timedelta

import pytest

from storage import channels, posts
from tests import make
from watchers import silence
from watchers.rhythm import duration


@pytest.fixture
async def news(db, clock):
    """Usually a post every 20 minutes."""
    async with db.transaction() as tx:
        await channels.add(tx, make.channel(1, "news", "News"), 0, clock())
        for number in range(1, 21):
            await posts.save(tx, make.post("x", message_id=number, published_at=clock()), clock())
            clock.forward(minutes=20)


async def look(db, clock):
    async with db.transaction() as tx:
        await channels.advance(tx, 1, 20, clock())


async def test_silence_is_told_once_and_so_is_its_end(db, pipeline, clock, news):
    told = []

    async def tell(text):
        told.append(text)

    await look(db, clock)
    await silence.check(pipeline, tell)
    assert told == []

    clock.forward(hours=9)
    await look(db, clock)
    for _ in range(2):
        await silence.check(pipeline, tell)
    assert len(told) == 1
    assert told[0].startswith("News has been silent for 9 h; usually it publishes every 20 min.")

    async with db.transaction() as tx:
        await posts.save(tx, make.post("y", message_id=21, published_at=clock()), clock())
    for _ in range(2):
        await silence.check(pipeline, tell)
    assert told[1:] == ["News publishes again."]


async def test_a_channel_we_did_not_look_at_is_not_called_silent(db, pipeline, clock, news):
    async def tell(text):
        raise AssertionError(text)

    await look(db, clock)
    clock.forward(hours=9)
    await silence.check(pipeline, tell)


@pytest.mark.parametrize(
    ("time", "said"),
    [
        (timedelta(seconds=40), "40 s"),
        (timedelta(minutes=20), "20 min"),
        (timedelta(hours=9), "9 h"),
        (timedelta(days=3), "3 days"),
    ],
)
def test_a_duration_is_said_as_people_say_it(time, said):
    assert duration(time.total_seconds()) == said
