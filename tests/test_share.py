"""Does each channel have one reader, and move only when it must?"""

from collections import Counter

from watchers.share import Share

CHANNELS = range(3000)


def readers(share):
    return {id: share.reader_of(id) for id in CHANNELS}


def make(*names):
    share = Share()
    for name in names:
        share.well(name)
    return share


def test_channels_are_spread_evenly():
    counts = Counter(readers(make("a", "b", "c")).values())
    assert all(900 < count < 1100 for count in counts.values())


def test_when_one_fails_only_its_channels_move_and_then_return():
    share = make("a", "b", "c")
    before = readers(share)
    share.unwell("b")
    during = readers(share)
    assert all(during[id] == before[id] for id in CHANNELS if before[id] != "b")
    assert set(during.values()) == {"a", "c"}
    share.well("b")
    assert readers(share) == before


def test_a_higher_rank_reads_only_when_nobody_else_can():
    share = make("a")
    share.well("preview", rank=1)
    assert set(readers(share).values()) == {"a"}
    share.unwell("a")
    assert set(readers(share).values()) == {"preview"}
    share.unwell("preview")
    assert share.reader_of(1) is None


def test_the_first_rank_is_waited_for_a_while():
    now = [0.0]
    share = Share(60.0, lambda: now[0])
    share.well("preview", rank=1)
    assert share.reader_of(1) is None  # the account is still connecting
    share.well("a")
    now[0] = 1000.0
    assert share.reader_of(1) == "a"
    share.unwell("a")
    assert share.reader_of(1) is None
    now[0] += 60.0
    assert share.reader_of(1) == "preview"
    share.well("a")
    assert share.reader_of(1) == "a"
