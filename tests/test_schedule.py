"""When does the bell ring next, whatever became of the clock?"""

from datetime import datetime, timedelta

import pytest

from bot.schedule import Every
from tests.make import NOON


@pytest.mark.parametrize(
    ("bell", "now", "rings"),
    [
        (Every(minutes=5), "12:00:30", "12:05:30"),
        (Every(minutes=1, sharp=True), "12:00:30", "12:01:00"),
        (Every(minutes=1, sharp=True), "12:00:00", "12:01:00"),
    ],
)
@pytest.mark.parametrize("previous", [None, NOON, NOON - timedelta(days=210)])
def test_it_is_not_made_up_for_what_was_missed(bell, now, rings, previous):
    now, rings = (datetime.fromisoformat(f"{NOON.date()}T{at}+00:00") for at in (now, rings))
    assert bell.get_next_fire_time(previous, now) == rings
