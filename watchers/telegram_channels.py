"""What does Telegram say of a channel? Telethon's objects in, ours out."""

from collections.abc import Iterable
from typing import Any

from telethon import errors, types

from storage.model import Channel, ChannelKind
from storage.said import Said, listed
from watchers.ingest import ChannelRefused
from watchers.references import Reference
from watchers.standing import Standing, nobody_has

NOT_JOINED = {
    errors.ChannelsTooMuchError: Said(
        "this account is in as many channels as Telegram allows; leave some of them with it"
    ),
    errors.InviteRequestSentError: Said(
        "its administrators let people in one by one; a request was sent, and if they agree its "
        "posts are pushed"
    ),
    errors.ChannelPrivateError: Said("it is private, or this account is banned from it"),
    errors.ChannelInvalidError: Said("Telegram does not know it any more"),
    errors.UsersTooMuchError: Said("it has as many members as Telegram allows"),
    errors.FrozenMethodInvalidError: Said(
        "Telegram has frozen this account: it may read, but not join"
    ),
}


def names(chat: Any) -> tuple[str, ...]:
    """Its active public @names, the ordinary one first."""
    found = [chat.username, *(u.username for u in chat.usernames or () if u.active)]
    return tuple(dict.fromkeys(name for name in found if name))


def standing(chat: types.Channel) -> Standing:
    return Standing(chat.title, names(chat), _mark(chat))


def _mark(chat: types.Channel) -> str:
    marks = []
    if chat.scam:
        marks.append(Said("many people reported it as a scam"))
    if chat.fake:
        marks.append(Said("it pretends to be somebody else (fake)"))
    if chat.restricted:
        marks.append(_restricted(chat.restriction_reason or ()))
    return listed("; ", marks)


def _restricted(reasons: Iterable[types.RestrictionReason]) -> Said:
    given = [
        Said("{reason} (everywhere)", reason=reason.text or reason.reason)
        if reason.platform == "all"
        else f"{reason.text or reason.reason} ({reason.platform})"
        for reason in reasons
        if reason.platform
    ]
    if not given:
        return Said("it is restricted: no reason is given")
    return Said("it is restricted: {reasons}", reasons=listed(", ", given))


def public(entity: Any, reference: Reference) -> Channel:
    """The channel, if it is a public channel or group. Raises ChannelRefused."""
    if entity is None or isinstance(entity, types.Chat | types.ChatForbidden):
        raise ChannelRefused(
            Said(
                "{name} is a person, a bot or a private group; "
                "only public channels and groups are watched",
                name=reference,
            )
        )
    if isinstance(entity, types.ChannelForbidden):
        raise ChannelRefused(Said("{name} is private or closed to this account", name=reference))
    known_as = names(entity)
    if not known_as:
        raise ChannelRefused(Said("{name} is private: it has no public @name", name=reference))
    if reference.username and reference.username.casefold() not in map(str.casefold, known_as):
        raise ChannelRefused(nobody_has(reference))
    kind = ChannelKind.CHANNEL if entity.broadcast else ChannelKind.GROUP
    return Channel(entity.id, known_as[0], entity.title, kind)


def migrated(entity: Any, chats: list[Any]) -> Any:
    """What a group has become: its supergroup, which has another id; else itself."""
    if isinstance(entity, types.Chat) and isinstance(entity.migrated_to, types.InputChannel):
        heir = entity.migrated_to.channel_id
        return next((c for c in chats if isinstance(c, types.Channel) and c.id == heir), entity)
    return entity
