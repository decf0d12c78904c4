"""Which stories do these hits tell, and which of them matters most? PURE."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log2, log10

from storage.model import PostKey, Severity, Sighting

FAST = timedelta(hours=1)
SEVERE = 3.0  # what a step of severity weighs: as much as eight times the channels


@dataclass(frozen=True, slots=True)
class Weighed:
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
    found: dict[PostKey, list[Sighting]] = {}
    for sighting in sightings:
        found.setdefault(sighting.story, []).append(sighting)
    weighed = [_weighed(story, told, severities) for story, told in found.items()]
    return sorted(weighed, key=lambda one: (one.weight, one.posts[0][1], one.story), reverse=True)


def _weighed(story: PostKey, told: list[Sighting], severities: Mapping[int, Severity]) -> Weighed:
    posts = {one.post: one.published_at for one in told}
    ordered = (
        sorted(posts.items(), key=lambda post: (post[1], post[0]))
        if len(posts) > 1
        else [*posts.items()]
    )
    lists = Counter(one.watchlist_id for one in told)
    rank = {id: severities.get(id, Severity.NORMAL).rank for id in lists}
    main = max(lists, key=lambda id: (rank[id], lists[id], -id))
    weight = SEVERE * (rank[main] - 1)
    if len(ordered) > 1:
        first = ordered[0][1]
        weight += log2(len({key.channel_id for key, _ in ordered}))
        weight += log2(len({key.channel_id for key, at in ordered if at - first <= FAST}))
    views = {one.post: one.views for one in told}
    weight += log10(1 + sum(views.values())) / 2
    return Weighed(story, tuple(ordered), main, weight)
