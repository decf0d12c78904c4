"""Who must be told about these hits, how, and when? PURE."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from storage.model import (
    Chat,
    Delivery,
    DeliveryKind,
    Hit,
    Mutable,
    Mute,
    Severity,
    Sighting,
    Subscription,
    Told,
)
from storage.said import Counted, Said
from watchers.zones import zone_of

NEW_TERM = Said("new in a story told before")
SPREADING = (10, 30, 100, 300)  # channels that have a story: then it is told again


@dataclass(frozen=True, slots=True)
class Audience:
    """Who wants alerts, and how."""

    subscriptions: Sequence[Subscription] = ()
    chats: Mapping[int, Chat] = field(default_factory=dict)
    mutes: Sequence[Mute] = ()
    zone: tzinfo = UTC  # of chats that set none


@dataclass(frozen=True, slots=True)
class Owed:
    """What comes of the hits of one post."""

    alerts: tuple[Delivery, ...] = ()
    held: tuple[Delivery, ...] = ()  # digests for the end of quiet hours
    joined: tuple[tuple[Told, tuple[Hit, ...]], ...] = ()  # a copy of what was told already


def owed_for(
    fresh: Sequence[Hit],
    audience: Audience,
    now: datetime,
    told: Iterable[Told] = (),
    reached: int = 0,
) -> Owed:
    """One alert a chat (and topic) for one post, however many terms and watchlists it touches.

    A chat that was told the post's story with these terms is not told again, unless the story
    spreads: `told` says what each chat was told of it, `reached` how many channels have it by this
    very post.
    """
    if not fresh:
        return Owed()
    wanted: dict[int, list[Subscription]] = defaultdict(list)
    for subscription in audience.subscriptions:
        wanted[subscription.watchlist_id].append(subscription)
    groups: dict[tuple[int, int | None], list[tuple[Hit, Severity]]] = defaultdict(list)
    for hit in fresh:
        for subscription in wanted[hit.watchlist_id]:
            if not is_muted(hit, subscription.chat_id, audience.mutes, now):
                groups[subscription.chat_id, subscription.thread_id].append(
                    (hit, subscription.severity)
                )
    before = {one.chat_id: one for one in told}
    alerts, held, joined = [], [], []
    for (chat_id, thread_id), found in groups.items():
        hits = tuple(hit for hit, _ in found)
        severity = max((severity for _, severity in found), key=lambda one: one.rank)
        known = before.get(chat_id)
        news = known is None or not {hit.term_id for hit in hits} <= known.term_ids
        if known and not news and reached not in SPREADING:
            joined.append((known, hits))
            continue
        reason = None
        if known:
            reason = NEW_TERM if news else _spread(reached)
        until = quiet_until(audience.chats.get(chat_id), now, audience.zone)
        if until and severity is not Severity.HIGH:
            held.append(Delivery(chat_id, DeliveryKind.DIGEST, until, hits, thread_id=thread_id))
        else:
            alerts.append(
                Delivery(
                    chat_id,
                    DeliveryKind.ALERT,
                    now,
                    hits,
                    thread_id=thread_id,
                    severity=severity,
                    reason=reason,
                )
            )
    return Owed(tuple(alerts), tuple(held), tuple(joined))


def _spread(reached: int) -> Said:
    return Counted(
        "{n} channel has this story by now", "{n} channels have this story by now", reached
    )


def is_muted(hit: Hit | Sighting, chat_id: int, mutes: Sequence[Mute], now: datetime) -> bool:
    """Does the chat want to hear nothing of this hit at present?"""
    if not mutes:
        return False
    targets = {
        Mutable.CHAT: chat_id,
        Mutable.WATCHLIST: hit.watchlist_id,
        Mutable.TERM: hit.term_id,
        Mutable.CHANNEL: hit.channel_id,
    }
    return any(
        mute.chat_id == chat_id
        and mute.target == targets[mute.what]
        and (mute.until is None or mute.until > now)
        for mute in mutes
    )


def quiet_until(chat: Chat | None, now: datetime, zone: tzinfo) -> datetime | None:
    """When the quiet hours end that the chat is in; None when it is in none."""
    if chat is None or chat.quiet is None:
        return None
    start, end = chat.quiet
    local = now.astimezone(zone_of(chat, zone))
    at = local.time()
    inside = start <= at < end if start <= end else at >= start or at < end
    if not inside:
        return None
    day = local.date() + timedelta(days=int(start > end and at >= start))
    return _at(day, end, local.tzinfo)


def _at(day: date, at: time, zone: tzinfo | None) -> datetime:
    return datetime.combine(day, at, zone).astimezone(UTC)
