"""Is nothing skipped on a way that was broken off, and what is read again, and when?"""

from hypothesis import given
from hypothesis import strategies as st

from watchers import sweeps
from watchers.ingest import Looks, Task
from watchers.rhythm import LOOK_EVERY
from watchers.sweeps import OVERLAP, Sweep
from watchers.walks import Walk


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 9)), max_size=20), st.integers(0, 70))
def test_a_walk_knows_just_what_was_read(stretches, cursor):
    walk, read = Walk(), set()
    for low, more in stretches:
        walk.note(low, low + more)
        read |= set(range(low, low + more + 1))
    assert {id for low, high in walk.read for id in range(low, high + 1)} == read
    for id in range(1, 80):
        assert set(range(walk.under(id), id)) <= read
        assert walk.under(id) - 1 not in read
        assert set(range(id + 1, walk.above(id) + 1)) - set(range(id)) <= read
    newest = walk.above(cursor)
    assert newest + 1 not in read
    walk.finish(newest)
    assert {id for low, high in walk.read for id in range(low, high + 1)} == {
        id for id in read if id > newest
    }


def depths(passes, oldest=0, cursor=10_000):
    """Of each pass, how many ids it reads again; pages have 20."""
    sweep, found = Sweep(), []
    for number in range(passes):
        sweep.begin(cursor, oldest, now=number)
        while sweep.below:
            found[number:] = [cursor + 1 - sweep.below + 20]
            sweep.reached(sweep.below - 20)
    return found


def test_what_is_young_is_read_again_soon_and_all_of_it_in_the_end():
    assert depths(8) == [OVERLAP * n for n in (1, 4, 1, 16, 1, 4, 1, 64)]
    assert max(depths(64, oldest=9_700)) == 300


def test_a_pass_that_was_broken_off_begins_anew():
    sweep = Sweep()
    sweep.begin(1000, 0, now=5000)
    sweep.reached(950)
    assert sweep.due(5001)
    sweep.break_off()
    assert sweep.due(5001)
    sweep.begin(1000, 0, now=5001)
    assert (sweep.below, sweep.number) == (1001, 1)
    sweep.reached(None)
    assert not sweep.due(5002)
    assert sweep.due(5001 + sweeps.EVERY)


def chosen(looks, turns, watched=(1, 2, 3), ready=lambda id, pages: True, now=0.0):
    """What comes next, again and again; looks are due again at once."""
    found = []
    for _ in range(turns):
        now += LOOK_EVERY
        found.append(looks.choose(watched, ready, now))
        if found[-1] and found[-1][0] is Task.LOOK:
            looks.at[found[-1][1]] = now
        elif found[-1]:
            (looks.walks if found[-1][0] is Task.WALK else looks.sweeps)[found[-1][1]].at = now
    return found


def test_every_channel_is_looked_at_before_any_is_read_further():
    looks = Looks(walks={1: Walk()})
    assert sorted(id for task, id in chosen(looks, 3) if task is Task.LOOK) == [1, 2, 3]


def test_long_walks_take_turns_with_looks_and_with_each_other():
    looks = Looks(at=dict.fromkeys((1, 2, 3), 0.0), walks={1: Walk(), 2: Walk()})
    found = chosen(looks, 80)
    looked = [id for task, id in found if task is Task.LOOK]
    walked = [id for task, id in found if task is Task.WALK]
    assert min(len(looked), len(walked)) >= 30
    assert walked[:4] in ([1, 2, 1, 2], [2, 1, 2, 1])
    assert {1, 2, 3} == set(looked[:3])
    assert sum(task is Task.SWEEP for task, _ in found) == 80 // sweeps.TURN


def test_older_posts_are_read_when_nothing_is_more_urgent():
    looks = Looks(at=dict.fromkeys((1, 2), 0.0), every={1: 900.0, 2: 900.0})
    assert {task for task, _ in chosen(looks, 6, watched=(1, 2))} == {Task.SWEEP}
    for sweep in looks.sweeps.values():
        sweep.began = 10.0
    assert chosen(looks, 1, watched=(1, 2)) == [None]


def test_nobody_waits_for_a_channel_whose_turn_has_not_come():
    looks = Looks(at=dict.fromkeys((1, 2), 0.0), walks={1: Walk(), 2: Walk()})
    found = chosen(looks, 9, watched=(1, 2), ready=lambda id, pages: id == 2)
    assert {id for _, id in found} == {2}
    few = chosen(Looks(at={1: 0.0}, every={1: 900.0}, turn=1), 1, (1,), lambda id, pages: pages < 3)
    assert few == [None]  # a sweep leaves a channel's last requests for its looks
