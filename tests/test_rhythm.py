"""Is every channel looked at often enough, and no account asked too much of?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchers.rhythm import COLD, HOT, LOOK_EVERY, Rhythm, intervals, silent

DAY = 86400.0


def busy(gap=60.0):
    return Rhythm(gap, (gap,) * 20)


def quiet():
    return Rhythm(DAY / 4, (DAY / 4,) * 20)


def test_a_few_channels_are_looked_at_in_turn():
    assert set(intervals({n: quiet() for n in range(10)}).values()) == {10 * LOOK_EVERY}


def test_three_hundred_channels_cost_less_than_a_request_a_second():
    rhythms = {n: busy(30.0 * (n + 1)) if n < 8 else quiet() for n in range(300)}
    every = intervals(rhythms)
    assert sum(1 / seconds for seconds in every.values()) < 1
    assert all(every[n] <= 30 for n in range(8))  # hot: within 30 s
    assert all(every[n] <= 600 for n in range(300))  # cold: within 10 min


def test_more_busy_channels_than_there_is_time_for_share_it():
    every = intervals({n: busy(10.0) for n in range(50)} | {99: busy(40.0)})
    assert max(every.values()) < 2 * 51 * LOOK_EVERY
    assert every[99] == pytest.approx(2 * every[0])


def test_what_is_pushed_needs_no_quick_looks():
    rhythms = {n: busy() for n in range(300)}
    assert set(intervals(rhythms, frozenset(rhythms)).values()) == {COLD}


@given(st.lists(st.floats(1, 30 * DAY), min_size=1, max_size=600))
def test_the_budget_holds_whatever_the_channels_do(gaps):
    every = intervals({n: busy(gap) for n, gap in enumerate(gaps)})
    assert every.keys() == set(range(len(gaps)))
    assert sum(1 / seconds for seconds in every.values()) <= 1 / LOOK_EVERY + 1e-6
    assert all(seconds >= min(HOT, len(gaps) * LOOK_EVERY) - 1e-9 for seconds in every.values())


@pytest.mark.parametrize(
    ("last", "gaps", "is_silent"),
    [
        (9 * 3600, [1200] * 20, True),  # usually 20 min, now 9 h
        (2 * 3600, [1200] * 20, False),
        (9 * 3600, [1200] * 20 + [8 * 3600], False),  # it sleeps at night
        (13 * 3600, [1200] * 20 + [8 * 3600], True),
        (30 * DAY, [DAY], False),  # nobody knows its rhythm yet
        (3 * DAY, [DAY] * 10, False),
        (13 * DAY, [DAY] * 10, True),
    ],
)
def test_silence_is_measured_by_the_channels_own_rhythm(last, gaps, is_silent):
    assert silent(Rhythm(last, tuple(map(float, gaps)))) is is_silent
