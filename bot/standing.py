"""Who speaks, and which role have they here: their own or the group's, whichever is higher?"""

from dataclasses import dataclass
from typing import Any

from aiogram.types import Chat, Message, TelegramObject, User

from bot.names import plain_name
from storage import chats, team
from storage.db import Database
from storage.model import Author, Role
from storage.said import Said

GROUPS = ("group", "supergroup")
NAME_LIMIT = 32  # characters of a person's name


@dataclass(frozen=True, slots=True)
class Standing:
    person: User | None  # None: nobody in particular, such as the group itself
    own: Role | None
    role: Role | None  # in this chat

    def author(self, chat: Chat | None) -> Author:
        """For the audit log: of names only those of the team."""
        chat_id = chat.id if chat else None
        if self.person is None:
            return Author(None, None, chat_id)
        return Author(self.person.id, name_of(self.person) if self.own else None, chat_id)


async def standing_of(event: TelegramObject, data: dict[str, Any]) -> Standing:
    """`data`: as middlewares get it."""
    db: Database = data["db"]
    chat: Chat | None = data.get("event_chat")
    group = await _group_role(db, chat)
    disguise = event.sender_chat if isinstance(event, Message) else None
    if disguise is not None:  # `from` names a stand-in then
        anonymous = chat is not None and disguise.id == chat.id
        return Standing(None, None, group if anonymous else None)
    user: User | None = data.get("event_from_user")
    if user is None or user.is_bot:
        return Standing(None, None, None)
    own = await own_role(db, data["owners"], user.id)
    known = [role for role in (own, group) if role is not None]
    return Standing(user, own, max(known, default=None))


async def own_role(db: Database, owners: frozenset[int], person_id: int) -> Role | None:
    if person_id in owners:
        return Role.OWNER
    person = await team.one(db.reader, person_id)
    return person.role if person else None


async def _group_role(db: Database, chat: Chat | None) -> Role | None:
    """Anybody can walk into a public group: there it counts for nothing."""
    if chat is None or chat.type not in GROUPS or chat.username:
        return None
    return await chats.role_of(db.reader, chat.id)


def name_of(user: User) -> str:
    return plain_name(user.full_name, NAME_LIMIT) or Said("somebody")
