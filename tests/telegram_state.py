"""What does the data centre know? Its users and channels, what was asked of it and published."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, NamedTuple

from telethon import types
from telethon.tl import TLObject


class Call(NamedTuple):
    """One request that reached the server, refused or not."""

    method: str  # "GetHistory"
    request: TLObject
    at: float  # time.monotonic()
    user: int | None


class Published(NamedTuple):
    """One message as it was first published; kept for ever, whatever became of it."""

    channel_id: int
    message_id: int
    text: str
    at: float  # time.monotonic()


class LogEntry(NamedTuple):
    pts: int
    update: TLObject
    at: int  # Unix time


@dataclass(eq=False)
class User:
    id: int
    name: str
    username: str | None = None
    phone: str | None = None  # digits only
    password: str | None = None  # set: two-step verification is on
    hint: str | None = None
    flags: dict[str, Any] = field(default_factory=dict)  # of types.User: bot=True, …

    def seen_by(self, viewer: int | None) -> TLObject:
        return types.User(
            self.id,
            is_self=viewer == self.id,
            access_hash=self.id * 7,
            first_name=self.name,
            username=self.username,
            phone=self.phone if viewer == self.id else None,
            **self.flags,
        )


@dataclass(eq=False)
class Channel:
    id: int
    title: str
    username: str | None = None
    about: str = ""
    members: set[int | None] = field(default_factory=set)
    megagroup: bool = False
    private: bool = False  # only members may look inside
    banned: set[int | None] = field(default_factory=set)  # may not, even if it is public
    aliases: tuple[str, ...] = ()  # collectible usernames, besides the ordinary one
    invite: str | None = None  # the hash in t.me/+<hash>
    restricted: str | None = None  # why nobody should be shown it
    flags: dict[str, Any] = field(default_factory=dict)  # of types.Channel: verified=True, …
    pts: int = 1
    last_id: int = 0  # ids are never reused; raise it to leave a hole
    messages: dict[int, types.Message] = field(default_factory=dict)  # as they are now
    log: list[LogEntry] = field(default_factory=list)  # what differences are made of

    # ---- who may see it, and what they see

    def access_hash_for(self, user: int | None) -> int:
        """Each account has its own: one account's is worth nothing to another."""
        return self.id * 1_000 + (user or 0) % 1_000

    def open_to(self, user: int | None) -> bool:
        if user in self.banned:
            return False
        return not self.private or user in self.members

    def names(self) -> set[str]:
        return {name.lower() for name in (self.username, *self.aliases) if name}

    def seen_by(self, viewer: int | None) -> TLObject:
        access_hash = self.access_hash_for(viewer)
        if not self.open_to(viewer):
            return types.ChannelForbidden(self.id, access_hash, self.title)
        reason = self.restricted and [types.RestrictionReason("all", "terms", self.restricted)]
        return types.Channel(
            self.id,
            self.title,
            types.ChatPhotoEmpty(),
            datetime.now(UTC),
            access_hash=access_hash,
            left=viewer not in self.members,
            broadcast=not self.megagroup,
            megagroup=self.megagroup,
            restricted=bool(reason),
            restriction_reason=reason or None,
            **self._usernames(),
            **self.flags,
        )

    def _usernames(self) -> dict[str, Any]:
        if not self.aliases:
            return {"username": self.username}
        names = [types.Username(self.username, editable=True, active=True)] * bool(self.username)
        names += [types.Username(alias, active=True) for alias in self.aliases]
        return {"usernames": names}

    # ---- what becomes of its messages; the updates that say so

    def store(
        self, text: str, sender: int | None, date: datetime | None, fields: dict[str, Any]
    ) -> types.Message:
        author: dict[str, Any] = {"post": not self.megagroup}
        if self.megagroup:  # without a sender it was an anonymous admin
            anonymous = types.PeerChannel(self.id)
            author["from_id"] = types.PeerUser(sender) if sender else anonymous
        return self._keep(
            types.Message(
                self._next_id(),
                types.PeerChannel(self.id),
                date or datetime.now(UTC),
                text,
                **{"views": 1, "forwards": 1, **author, **fields},
            )
        )

    def store_service(self, action: TLObject) -> types.MessageService:
        number, peer = self._next_id(), types.PeerChannel(self.id)
        post = not self.megagroup
        return self._keep(
            types.MessageService(number, peer, datetime.now(UTC), action=action, post=post)
        )

    def announced(self, message: types.Message) -> TLObject:
        return self._logged(types.UpdateNewChannelMessage(message, self._advance(), 1))

    def changed(self, message_id: int, changes: dict[str, Any]) -> TLObject:
        message = self.messages[message_id]
        for name, value in changes.items():
            setattr(message, name, value)
        return self._logged(types.UpdateEditChannelMessage(message, self._advance(), 1))

    def deleted(self, message_ids: Iterable[int]) -> TLObject:
        gone = list(message_ids)
        for number in gone:
            self.messages.pop(number, None)
        pts = self._advance(len(gone))
        return self._logged(types.UpdateDeleteChannelMessages(self.id, gone, pts, len(gone)))

    def _next_id(self) -> int:
        self.last_id += 1
        return self.last_id

    def _keep(self, message: types.Message) -> types.Message:
        self.messages[message.id] = message
        return message

    def _advance(self, by: int = 1) -> int:
        self.pts += by
        return self.pts

    def _logged(self, update: TLObject) -> TLObject:
        self.log.append(LogEntry(update.pts, update, int(time.time())))
        return update
