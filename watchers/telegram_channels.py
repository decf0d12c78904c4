"""What does Telegram say of a channel? Telethon's objects in, ours out."""

from typing import Any

from telethon import errors, types

from storage.model import Channel, ChannelKind
from watchers.ingest import ChannelRefused
from watchers.references import Reference
from watchers.standing import Standing

NOT_JOINED = {
    errors.ChannelsTooMuchError: "this account is in as many channels as Telegram allows; leave "
    "some of them with it",
    errors.InviteRequestSentError: "its administrators let people in one by one; a request was "
    "sent, and if they agree its posts are pushed",
    errors.ChannelPrivateError: "it is private, or this account is banned from it",
    errors.ChannelInvalidError: "Telegram does not know it any more",
    errors.UsersTooMuchError: "it has as many members as Telegram allows",
    errors.FrozenMethodInvalidError: "Telegram has frozen this account: it may read, but not join",
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
        marks.append("many people reported it as a scam")
    if chat.fake:
        marks.append("it pretends to be somebody else (fake)")
    if chat.restricted:
        reasons = [
            f"{reason.text or reason.reason} ({'everywhere' if where == 'all' else where})"
            for reason in chat.restriction_reason or ()
            if (where := reason.platform)
        ]
        marks.append(f"it is restricted: {', '.join(reasons) or 'no reason is given'}")
    return "; ".join(marks)


def public(entity: Any, reference: Reference) -> Channel:
    """The channel, if it is a public channel or group. Raises ChannelRefused."""
    if entity is None or isinstance(entity, types.Chat | types.ChatForbidden):
        raise ChannelRefused(
            f"{reference} is a person, a bot or a private group; "
            "only public channels and groups are watched"
        )
    if isinstance(entity, types.ChannelForbidden):
        raise ChannelRefused(f"{reference} is private or closed to this account")
    known_as = names(entity)
    if not known_as:
        raise ChannelRefused(f"{reference} is private: it has no public @name")
    if reference.username and reference.username.casefold() not in map(str.casefold, known_as):
        raise ChannelRefused(f"nobody has the name {reference}; check its spelling")
    kind = ChannelKind.CHANNEL if entity.broadcast else ChannelKind.GROUP
    return Channel(entity.id, known_as[0], entity.title, kind)


def migrated(entity: Any, chats: list[Any]) -> Any:
    """What a group has become: its supergroup, which has another id; else itself."""
    if isinstance(entity, types.Chat) and isinstance(entity.migrated_to, types.InputChannel):
        heir = entity.migrated_to.channel_id
        return next((c for c in chats if isinstance(c, types.Channel) and c.id == heir), entity)
    return entity
