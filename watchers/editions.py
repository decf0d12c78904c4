"""What does a digest tell, in which order, and what of it is more than usual?"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from statistics import median

from aiosqlite import Connection

from storage import activity, digests, watchlists
from storage.model import (
    Channel,
    Delivery,
    Entry,
    Period,
    Place,
    PostKey,
    Sighting,
    Watchlist,
)
from watchers import digests as owed
from watchers import unusual
from watchers.weighing import Weighed, weigh

ENTITIES = 6  # named of those most seen
USUAL_OF = 3  # windows that it takes to call something usual
FULL = 1000  # stories told with their words; of those beyond only place and time
BARS = 30  # of a chart, at most
_STEPS = [timedelta(minutes=n) for n in (10, 30, 60, 120, 180, 360, 720)]
_DAYS = (1, 2, 7, 14, 28, 91, 364)


@dataclass(frozen=True, slots=True)
class Seen:
    """How often an entity was seen, in posts."""

    name: str
    times: int
    usual: float | None  # in as long a time; None: not known for long enough


@dataclass(frozen=True, slots=True)
class Section:
    """What is told of a watchlist: its stories, the heaviest first."""

    watchlist: str
    stories: tuple[Entry, ...]  # of each its first post; `also`: the others
    brief: tuple[Place, ...] = ()  # stories that are too many to be told with their words


@dataclass(frozen=True, slots=True)
class Series:
    """Posts over time, by watchlist; the most frequent first."""

    edges: tuple[datetime, ...]  # one more than there are counts
    counts: Mapping[str, tuple[int, ...]]
    usual: float | None = None  # in as long a time as between two edges


@dataclass(frozen=True, slots=True)
class Edition:
    period: Period  # what was asked for, or from the first post to the last
    asked: bool  # for this period; otherwise it is what the chat was never told
    posts: int = 0
    hits: int = 0
    channels: int = 0
    sections: tuple[Section, ...] = ()
    entities: tuple[Seen, ...] = ()
    series: Series | None = None
    reason: str | None = None  # why it is told, when nobody asked

    @property
    def stories(self) -> int:
        return sum(len(one.stories) + len(one.brief) for one in self.sections)


async def read(db: Connection, delivery: Delivery, now: datetime, zone: tzinfo) -> Edition:
    """What this digest is to tell. `zone` says when days begin."""
    found = await sightings(db, delivery)
    if delivery.period:
        period = delivery.period
    elif found:
        period = Period(found[0].published_at, found[-1].published_at)
    else:
        period = Period(now, now)
    if not found:
        return Edition(period, delivery.period is not None, reason=delivery.reason)
    lists = {one.id: one for one in await watchlists.all(db)}
    weighed = weigh(found, {id: one.severity for id, one in lists.items()})
    return Edition(
        period,
        delivery.period is not None,
        posts=len({one.post for one in found}),
        hits=len(found),
        channels=len({one.channel_id for one in found}),
        sections=await _sections(db, weighed, found, lists),
        entities=await _entities(db, found, period, now),
        series=await _drawn(db, delivery, found, period, lists, zone),
        reason=delivery.reason,
    )


async def sightings(db: Connection, delivery: Delivery) -> list[Sighting]:
    """The hits that a digest tells, oldest post first."""
    if delivery.period is None:
        return await digests.told_by(db, delivery.id)
    asked_at = await digests.asked_at(db, delivery.id)
    return await owed.told_of(db, delivery.period, delivery.wanted, asked_at)


async def _sections(
    db: Connection,
    weighed: Sequence[Weighed],
    found: Iterable[Sighting],
    lists: Mapping[int, Watchlist],
) -> tuple[Section, ...]:
    channels = await digests.channels(db)
    leads = dict.fromkeys(one.lead for one in weighed[:FULL])
    told = {(one.post, one.term_id) for one in found if one.post in leads}
    full = await digests.entries(db, list(leads), told)
    began = await digests.firsts(db, [one.story for one in weighed[:FULL] if _joins(one)])
    stories: defaultdict[int, list[Entry]] = defaultdict(list)
    brief: defaultdict[int, list[Place]] = defaultdict(list)
    order: dict[int, None] = {}
    for one in weighed:
        order.setdefault(one.watchlist_id)
        if entry := full.get(one.lead):
            stories[one.watchlist_id].append(_with_places(entry, one, channels, began))
        else:
            key, at = one.posts[0]
            brief[one.watchlist_id].append(Place(channels[key.channel_id], key.message_id, at))
    return tuple(
        Section(
            lists[id].name if id in lists else "?",
            tuple(_own_first(entry, id) for entry in stories[id]),
            tuple(brief[id]),
        )
        for id in order
    )


def _joins(one: Weighed) -> bool:
    """Does it go on with a story that began before what is told here?"""
    return one.story not in {key for key, _ in one.posts}


def _with_places(
    entry: Entry,
    one: Weighed,
    channels: Mapping[int, Channel],
    began: Mapping[PostKey, Place],
) -> Entry:
    others = [Place(channels[key.channel_id], key.message_id, at) for key, at in one.posts[1:]]
    first = [began[one.story]] if one.story in began else []
    return replace(entry, story=one.story, also=(*first, *others))


def _own_first(entry: Entry, watchlist_id: int) -> Entry:
    """What it touches of the watchlist it stands under comes first."""
    return replace(
        entry,
        findings=tuple(
            sorted(entry.findings, key=lambda one: one.hit.watchlist_id != watchlist_id)
        ),
    )


async def _entities(
    db: Connection, found: Iterable[Sighting], period: Period, now: datetime
) -> tuple[Seen, ...]:
    """The entities most seen, by how far that is above the usual."""
    known = await activity.terms(db)
    times = Counter(one.term_id for one in found if one.term_id in known and known[one.term_id][2])
    most = [term_id for term_id, _ in times.most_common(4 * ENTITIES)]
    windows = like(period, now)
    before = await activity.counts(db, windows, most)
    seen = [
        Seen(
            known[id][1],
            times[id],
            usual(windows, before.get(id, [0] * len(windows)), known[id][3]),
        )
        for id in most
    ]
    seen.sort(key=lambda one: (one.times - (one.usual or 0), one.times, one.name), reverse=True)
    return tuple(seen[:ENTITIES])


def like(period: Period, now: datetime) -> list[Period]:
    """Earlier times to compare with: as long, at the same hours; of a day or less on each of the
    seven days before, of a week or less in each of the four weeks before, else the four before.

    A period that is still running is compared as far as it has run.
    """
    start, end = period.start, max(min(period.end, now), period.start + activity.SLOT)
    span = end - start
    if span <= timedelta(days=1):
        shift, number = timedelta(days=1), 7
    elif span <= timedelta(days=7):
        shift, number = timedelta(days=7), 4
    else:
        shift, number = timedelta(days=-(-span // timedelta(days=1))), 4
    return [Period(start - n * shift, end - n * shift) for n in range(1, number + 1)]


def usual(windows: Sequence[Period], counts: Sequence[int], since: datetime) -> float | None:
    """The median of the windows in which it was looked for; None when those are too few.

    It was looked for since then, or longer: posts of before may have been read later.
    """
    known = min([since, *(w.start for w, number in zip(windows, counts, strict=True) if number)])
    fair = [n for window, n in zip(windows, counts, strict=True) if window.start >= known]
    return median(fair) if len(fair) >= USUAL_OF else None


async def _drawn(
    db: Connection,
    delivery: Delivery,
    found: Sequence[Sighting],
    period: Period,
    lists: Mapping[int, Watchlist],
    zone: tzinfo,
) -> Series:
    """Posts over time; of unusual activity over the day that it stands out from."""
    if delivery.reason is None:
        return _series(found, period, lists, zone)
    day = Period(period.end - timedelta(days=1), period.end)
    before = await digests.of_period(db, day, delivery.wanted)
    series = _series(before, day, lists, zone)
    hours = unusual.samples(period.end)
    past = await activity.counts(db, hours, delivery.wanted.terms or None)
    known = await activity.terms(db)
    number = sum(sum(n) for id, n in past.items() if known[id][0] in delivery.wanted.watchlists)
    bar = (series.edges[1] - series.edges[0]) / timedelta(hours=1)
    return replace(series, usual=number / len(hours) * bar)


def _series(
    found: Sequence[Sighting], period: Period, lists: Mapping[int, Watchlist], zone: tzinfo
) -> Series:
    span = Period(min(period.start, found[0].published_at), found[-1].published_at)
    edges = edges_of(Period(span.start, max(period.end, span.end)), zone)
    counts: dict[int, list[int]] = {}
    seen: dict[int, set[PostKey]] = defaultdict(set)
    at = 0
    for one in found:
        while at + 2 < len(edges) and one.published_at >= edges[at + 1]:
            at += 1
        if one.post not in seen[one.watchlist_id]:
            seen[one.watchlist_id].add(one.post)
            counts.setdefault(one.watchlist_id, [0] * (len(edges) - 1))[at] += 1
    ordered = sorted(counts.items(), key=lambda item: -sum(item[1]))
    return Series(
        tuple(edges),
        {lists[id].name if id in lists else "?": tuple(numbers) for id, numbers in ordered},
    )


def edges_of(period: Period, zone: tzinfo) -> list[datetime]:
    """At most BARS stretches of equal length that begin at round times of the zone."""
    span = period.end - period.start
    step = next((one for one in _STEPS if span <= (BARS - 1) * one), None)
    if step is None:
        return _day_edges(period, zone)
    midnight = _midnight(period.start.astimezone(zone).date(), zone)
    start = midnight + (period.start - midnight) // step * step
    edges = [start]
    while edges[-1] < period.end or len(edges) < 2:
        edges.append(edges[-1] + step)
    return edges


def _day_edges(period: Period, zone: tzinfo) -> list[datetime]:
    first = period.start.astimezone(zone).date()
    days = (period.end.astimezone(zone).date() - first).days + 1
    step = next((one for one in _DAYS if days <= BARS * one), _DAYS[-1])
    edges = [_midnight(first, zone)]
    while edges[-1] < period.end:
        first += timedelta(days=step)
        edges.append(_midnight(first, zone))
    return edges


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
