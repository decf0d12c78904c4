"""Is every channel looked at often enough, and no account asked too much of?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchers.rhythm import COLD, HOT, LOOK_EVERY, RARELY, SLOWER, Rhythm, intervals, silent

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


def test_what_is_pushed_is_looked_at_four_times_more_rarely():
    assert intervals({1: quiet(), 2: quiet()}, frozenset({2})) == {
        1: 2 * LOOK_EVERY,
        2: 2 * LOOK_EVERY * SLOWER,
    }
    every = intervals({n: busy() if n < 2 else quiet() for n in range(300)}, frozenset({0, 2}))
    assert (every[0], every[1], every[2], every[3]) == (HOT * SLOWER, HOT, RARELY, COLD)


def test_hot_channels_share_evenly_what_does_not_suffice():
    """None is left to the pace of a cold one because others are a little busier."""
    every = intervals({n: busy(30.0 * (n + 1)) if n < 16 else quiet() for n in range(300)})
    assert len({every[n] for n in range(16)}) == 1
    assert HOT < every[0] < 2 * HOT
    few = intervals({n: busy(n + 1.0) for n in range(25)})
    assert max(few.values()) < 30
    many = intervals({n: busy(10.0 * (n + 1)) for n in range(51)})
    assert max(many.values()) <= 51 * LOOK_EVERY + 1e-9


def test_what_is_not_pushed_comes_first():
    pushed = frozenset(range(200))
    every = intervals({n: busy() for n in range(300)}, pushed)
    alone = intervals({n: busy() if n >= 200 else quiet() for n in range(300)}, pushed)
    assert all(every[n] == alone[n] for n in range(200, 300))
    assert all(every[n] <= RARELY for n in pushed)
    assert max(every[n] for n in range(200, 300)) <= COLD


@given(
    st.lists(st.floats(1, 30 * DAY), min_size=1, max_size=50),
    st.integers(1, 20),
    st.frozensets(st.integers(0, 999)),
)
def test_the_budget_holds_whatever_the_channels_do(gaps, times, pushed):
    gaps *= times  # up to 1,000 channels
    every = intervals({n: busy(gap) for n, gap in enumerate(gaps)}, pushed)
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
