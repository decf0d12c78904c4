"""Which stories do these hits tell, and which of them matters most? PURE."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from math import log2, log10
from typing import NamedTuple

from storage.model import PostKey, Severity, Sighting

FAST = timedelta(hours=1)
SEVERE = 3.0  # what a step of severity weighs: as much as eight times the channels


class Weighed(NamedTuple):
    """A story as hits tell it."""

    story: PostKey
    posts: tuple[tuple[PostKey, datetime], ...]  # in the order of publishing
    watchlist_id: int  # under which it is told: the most severe, then the most touched
    weight: float

    @property
    def lead(self) -> PostKey:
        return self.posts[0][0]


def weigh(sightings: Iterable[Sighting], severities: Mapping[int, Severity]) -> list[Weighed]:
    """The stories, the heaviest first. `severities` are those of the watchlists.

    What a story weighs: log2 of its channels, log2 of the channels that had it within an hour of
    the first one (it is fast), 3 for each step of severity, and half the decimal logarithm of the
    views. So twice the channels weigh as much as a hundred times the views. Of equals, the newest.
    """
    ranks: defaultdict[int, int] = defaultdict(lambda: Severity.NORMAL.rank)
    ranks.update({id: severity.rank for id, severity in severities.items()})
    found: defaultdict[PostKey, list[Sighting]] = defaultdict(list)
    for sighting in sightings:
        found[sighting.story].append(sighting)
    weighed = [_weighed(story, told, ranks) for story, told in found.items()]
    weighed.sort(key=lambda one: (one.weight, one.posts[0][1], one.story), reverse=True)
    return weighed


def _weighed(story: PostKey, told: list[Sighting], ranks: Mapping[int, int]) -> Weighed:
    posts = {one.post: one for one in told}
    views = sum([one.views for one in posts.values()])
    main = _main_list([one.watchlist_id for one in told], ranks)
    weight = SEVERE * (ranks[main] - 1) + log10(1 + views) / 2
    ordered = [(post, one.published_at) for post, one in posts.items()]
    if len(ordered) == 1:
        return Weighed(story, tuple(ordered), main, weight)
    ordered.sort(key=lambda post: (post[1], post[0]))
    first = ordered[0][1]
    weight += log2(len({key.channel_id for key, _ in ordered}))
    weight += log2(len({key.channel_id for key, at in ordered if at - first <= FAST}))
    return Weighed(story, tuple(ordered), main, weight)


def _main_list(touched: list[int], ranks: Mapping[int, int]) -> int:
    lists = set(touched)
    if len(lists) == 1:
        return touched[0]
    return max(lists, key=lambda id: (ranks[id], touched.count(id), -id))
