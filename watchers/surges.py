"""Which watchlist is touched far more than usual? Its chats are told once, with a picture."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from aiosqlite import Connection

from storage import activity, chats, digests, mutes, outbox, subscriptions, surges, watchlists
from storage.db import Database
from storage.model import (
    Delivery,
    DeliveryKind,
    Mutable,
    Mute,
    Period,
    Severity,
    Subscription,
    Wanted,
    Watchlist,
)
from storage.said import Counted, Said, listed
from watchers import unusual
from watchers.alerts import quiet_until
from watchers.zones import zone_of

NAMED = 3  # terms, in one alert


@dataclass(frozen=True, slots=True)
class Surge:
    watchlist: Watchlist
    terms: tuple[int, ...]  # none: the watchlist as a whole
    said: str  # «Baranavichy 14, usually 3»


async def check(db: Database, now: datetime, zone: tzinfo, sensitivity: str) -> int:
    """Owe what must be told; return to how many chats. `zone` is that of chats that set none."""
    told = 0
    for surge in await _surges(db.reader, now, sensitivity):
        hour = Period(unusual.window(now).start, now)
        wanted = Wanted((surge.watchlist.id,), terms=surge.terms)
        found = await digests.of_period(db.reader, hour, wanted)
        channels = unusual.independent(found)
        if channels < unusual.CHANNELS:
            continue
        reason = _reason(surge, channels)
        async with db.transaction() as tx:
            await surges.add(tx, surge.watchlist.id, now)
            for alert in await _alerts(tx, surge, reason, hour, now, zone):
                await outbox.add(tx, alert, now)
                told += 1
    return told


async def _surges(db: Connection, now: datetime, sensitivity: str) -> list[Surge]:
    present = await activity.counts(db, [unusual.window(now)])
    if sum(number for (number,) in present.values()) < unusual.POSTS:
        return []
    hours = unusual.samples(now)
    past = await activity.counts(db, hours)
    terms = await activity.terms(db)
    lately = await surges.raised_since(db, now - unusual.AGAIN)
    lists = [one for one in await watchlists.all(db) if one.id not in lately]
    own: defaultdict[int, list[int]] = defaultdict(list)
    for id, (watchlist_id, *_) in terms.items():
        if id in present or id in past:
            own[watchlist_id].append(id)
    found = []
    for watchlist in lists:
        counts = {
            id: (
                present.get(id, [0])[0],
                unusual.known(hours, past.get(id, [0] * len(hours)), terms[id][3]),
            )
            for id in own[watchlist.id]
        }
        names = {id: terms[id][1] for id in counts}
        if surge := _of_terms(watchlist, counts, names, sensitivity):
            found.append(surge)
            continue
        number = sum(n for n, _ in counts.values())
        together = [
            sum(column)
            for column in zip(*(past.get(i, [0] * len(hours)) for i in counts), strict=True)
        ]
        since = min((terms[id][3] for id in counts), default=now)
        usually = unusual.known(hours, together, since) if together else []
        if unusual.is_unusual(number, usually, sensitivity):
            found.append(Surge(watchlist, (), _said(watchlist.name, number, usually)))
    return found


def _of_terms(
    watchlist: Watchlist,
    counts: Mapping[int, tuple[int, Sequence[int]]],
    names: Mapping[int, str],
    sensitivity: str,
) -> Surge | None:
    """Its terms that are unusual, the most frequent first."""
    high = [
        id
        for id, (number, usually) in sorted(counts.items(), key=lambda item: -item[1][0])
        if unusual.is_unusual(number, usually, sensitivity)
    ][:NAMED]
    if not high:
        return None
    terms = listed("; ", [_said(names[id], *counts[id]) for id in high])
    return Surge(watchlist, tuple(high), listed(": ", (watchlist.name, terms)))


def _said(name: str, number: int, usually: Sequence[int]) -> Said:
    usual = round(unusual.usual(usually) or 0.0, 1)
    return Said(
        "{name} {number}, usually {usual}",
        name=name,
        number=number,
        usual=int(usual) if usual.is_integer() else usual,
    )


def _reason(surge: Surge, channels: int) -> Said:
    return Counted(
        "{activity} in an hour, from {n} channel independent of each other",
        "{activity} in an hour, from {n} channels independent of each other",
        channels,
        activity=surge.said,
    )


async def _alerts(
    tx: Connection, surge: Surge, reason: str, hour: Period, now: datetime, zone: tzinfo
) -> list[Delivery]:
    """To the chats that are told of the watchlist at once, but for those that muted it."""
    known = await chats.all(tx)
    muted = await mutes.active(tx, now)
    alerts = []
    for subscription in await subscriptions.instant(tx):
        if subscription.watchlist_id != surge.watchlist.id or _is_muted(subscription, surge, muted):
            continue
        chat = known.get(subscription.chat_id)
        severe = subscription.severity is Severity.HIGH
        until = None if severe else quiet_until(chat, now, zone_of(chat, zone))
        alerts.append(
            Delivery(
                subscription.chat_id,
                DeliveryKind.DIGEST,
                until or now,
                thread_id=subscription.thread_id,
                severity=Severity.HIGH if severe else Severity.NORMAL,
                reason=reason,
                period=hour,
                wanted=Wanted((surge.watchlist.id,), terms=surge.terms),
            )
        )
    return alerts


def _is_muted(subscription: Subscription, surge: Surge, muted: Sequence[Mute]) -> bool:
    """The chat, the watchlist, or each of the terms."""
    own = {(m.what, m.target) for m in muted if m.chat_id == subscription.chat_id}
    terms = {(Mutable.TERM, id) for id in surge.terms}
    return (
        (Mutable.CHAT, subscription.chat_id) in own
        or (Mutable.WATCHLIST, surge.watchlist.id) in own
        or (bool(terms) and terms <= own)
    )
