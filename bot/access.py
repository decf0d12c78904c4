"""Who may say what to the bot? Closed by default: who is not of the team is told so, once.

Two tables, COMMANDS and BUTTONS, say which role it takes; /help, the command menus and the README
are made from them, and Access goes by them. What stands in neither is for owners alone.
"""

import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from aiogram import BaseMiddleware
from aiogram.dispatcher.flags import get_flag
from aiogram.filters import CommandObject
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, Chat, Message, TelegramObject, User

from bot import invites, keyboards, places
from bot.names import plain_name
from storage import chats, team
from storage.db import Database
from storage.model import Author, Role

log = logging.getLogger(__name__)

REFUSAL = "This bot serves a closed team. If you belong to it, give its owner this number: {id}"
REFUSAL_TO_GROUP = "This bot serves a closed team. If you belong to it, write under your own name."
TOO_LOW = "That takes the role {needed}; here you are {role}. An owner can change that with /team."
PRIVATELY = "Say that in our private chat: what I answer is not for a group."
IN_GROUP = "Say that in the group that it is about."
REFUSE_EVERY = 60.0  # seconds between two refusals to one person; a stranger can't make it chatter
REMEMBERED = 1000  # strangers
NAME_LIMIT = 32  # characters of a person's name


class Where(Enum):
    ANYWHERE = "anywhere"
    PRIVATE = "private"  # the answer is for one pair of eyes
    GROUP = "group"

    def holds(self, chat: Chat | None) -> bool:
        private = chat is not None and chat.type == "private"
        group = chat is not None and chat.type in GROUPS
        return {Where.PRIVATE: private, Where.GROUP: group}.get(self, True)


GROUPS = ("group", "supergroup")


@dataclass(frozen=True, slots=True)
class Needs:
    """What it takes to be heard."""

    role: Role
    where: Where = Where.ANYWHERE
    elsewhere: Role | None = None  # the person's own role to say it of another chat; None: as here


@dataclass(frozen=True, slots=True)
class CommandInfo:
    name: str
    usage: str  # its arguments
    does: str
    needs: Needs


VIEWER, MEMBER, OPERATOR, OWNER = (Needs(role) for role in Role)
OWNER_PRIVATELY = Needs(Role.OWNER, Where.PRIVATE)
# Of another chat it is for operators to speak, whatever is said.
SEES_OTHERS = Needs(Role.VIEWER, elsewhere=Role.OPERATOR)
SETS_CHAT = Needs(Role.MEMBER, elsewhere=Role.OPERATOR)

COMMANDS = (
    CommandInfo("add", "@channel …", "watch public channels or groups", OPERATOR),
    CommandInfo("remove", "@channel", "stop watching one; its posts are kept", OPERATOR),
    CommandInfo("channels", "", "the watched channels and how complete each is", MEMBER),
    CommandInfo(
        "backfill", "@channel 30d", "read what one published before it was watched", OPERATOR
    ),
    CommandInfo("watch", "NAME RULE", "look for something, in the watchlist NAME", OPERATOR),
    CommandInfo("unwatch", "NAME RULE", "stop looking for it", OPERATOR),
    CommandInfo("watchlists", "", "the watchlists", VIEWER),
    CommandInfo("watchlist", "NAME", "the terms of one", VIEWER),
    CommandInfo(
        "severity",
        "NAME low | normal | high",
        "low arrives silently, high at any hour",
        OPERATOR,
    ),
    CommandInfo(
        "subscribe",
        "NAME [now | hourly | daily 08:00] [in @channel]",
        "tell this chat, or another one, of its hits",
        SETS_CHAT,
    ),
    CommandInfo("unsubscribe", "NAME [in @channel]", "stop telling it", SETS_CHAT),
    CommandInfo("subscriptions", "[all]", "what this chat, or every chat, is told of", SEES_OTHERS),
    CommandInfo(
        "mute",
        '[NAME | @channel | "term"] [1h | 8h | 3d | tomorrow | forever]',
        "no alerts of it here for a while; alone: what is muted",
        SETS_CHAT,
    ),
    CommandInfo("unmute", "NUMBER | all", "alerts of it again", SETS_CHAT),
    CommandInfo("quiet", "22:00-07:00 | off", "hours in which only high severity comes", SETS_CHAT),
    CommandInfo("zone", "Europe/Warsaw", "the clock this chat goes by", SETS_CHAT),
    CommandInfo("digest", "[6h] [NAME]", "what this chat was not told yet", VIEWER),
    CommandInfo("status", "", "whether all is well", VIEWER),
    CommandInfo(
        "invite",
        "viewer | member | operator | off",
        "a link that takes one person into the team; off: none of them is good any more",
        OWNER_PRIVATELY,
    ),
    CommandInfo(
        "team",
        "[NUMBER viewer | member | operator | remove]",
        "who may do what; change or end it",
        OWNER,
    ),
    CommandInfo(
        "grouprole",
        "viewer | member | operator | none",
        "what everybody in this group may do here",
        Needs(Role.OWNER, Where.GROUP),
    ),
    CommandInfo("audit", "", "who changed what, and when", OWNER_PRIVATELY),
    CommandInfo("start", "", "what this bot is for", VIEWER),
    CommandInfo("help", "", "these commands, and how rules are written", VIEWER),
)
BUTTONS: dict[type[CallbackData], Needs] = {
    keyboards.Open: VIEWER,
    keyboards.Show: VIEWER,
    keyboards.Say: MEMBER,
    keyboards.Pick: MEMBER,
    keyboards.Hush: MEMBER,
    keyboards.Teammate: OWNER_PRIVATELY,
    keyboards.Change: OWNER_PRIVATELY,
    keyboards.Audit: OWNER_PRIVATELY,
    keyboards.Guide: OWNER_PRIVATELY,
}
_BY_NAME = {info.name: info for info in COMMANDS}


def offered(role: Role, where: Where) -> list[CommandInfo]:
    """The commands which that role may say there."""
    return [
        info
        for info in COMMANDS
        if info.needs.role <= role and info.needs.where in (where, Where.ANYWHERE)
    ]


def needed(data: dict[str, Any]) -> Needs:
    """What the handler that was found takes."""
    command: CommandObject | None = data.get("command")
    if command is not None:
        return _BY_NAME[command.command].needs if command.command in _BY_NAME else OWNER
    pressed = data.get("callback_data")
    if pressed is not None:
        return BUTTONS.get(type(pressed), OWNER)
    return VIEWER if get_flag(data, "idle") else OWNER


def speaks_of_another_chat(command: CommandObject) -> bool:
    said = (command.args or "").casefold()
    return bool(places.split(said)[1]) or (command.command == "subscriptions" and "all" in said)


@dataclass(frozen=True, slots=True)
class Standing:
    """Who speaks, and what they may do."""

    person: User | None  # None: nobody in particular, the group itself
    own: Role | None
    role: Role | None  # in this chat: their own or the group's, whichever is higher


class Access(BaseMiddleware):
    """Decides for each handler whether it runs; handlers get `role` and `by`."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        """`seconds` is a steady clock."""
        self._seconds = seconds
        self._guesses = invites.Guesses(seconds)
        self._refused: OrderedDict[int, float] = OrderedDict()

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        standing = await self._standing(event, data)
        if isinstance(event, Message):
            standing = await self._with_invite(event, standing, data)
        if standing.role is None:
            await self._refuse(event, standing, data)
            return None
        if why := _hindrance(standing, data):
            await _answer(event, why)
            return None
        data["role"] = standing.role
        data["by"] = _author(standing, data)
        return await handler(event, data)

    async def _standing(self, event: TelegramObject, data: dict[str, Any]) -> Standing:
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

    async def _with_invite(
        self, message: Message, standing: Standing, data: dict[str, Any]
    ) -> Standing:
        """Who brings a good invite has its role from now on; a stranger is none any more."""
        command: CommandObject | None = data.get("command")
        person = standing.person
        if person is None or command is None or command.command != "start" or not command.args:
            return standing
        if message.chat.type != "private" or standing.own is Role.OWNER:
            return standing
        if not self._guesses.may(person.id):
            return standing
        name = plain_name(person.full_name, NAME_LIMIT) or "somebody"
        role = await invites.accept(
            data["db"], data["owners"], command.args, person.id, name, data["clock"]()
        )
        if role is None:
            self._guesses.failed(person.id)
            return standing
        data["pipeline"].owed.set()  # the owners are told
        data["joined"] = True
        return Standing(person, role, role)

    async def _refuse(
        self, event: TelegramObject, standing: Standing, data: dict[str, Any]
    ) -> None:
        """One polite sentence, to commands and in private; no word of it in groups otherwise."""
        person = standing.person
        if isinstance(event, CallbackQuery):
            log.info("refused a button: user %s", event.from_user.id)
            await event.answer(REFUSAL.format(id=event.from_user.id))
            return
        assert isinstance(event, Message)
        log.info("refused: user %s", person.id if person else "unknown")
        private = event.chat.type == "private"
        anonymous = event.sender_chat is not None and event.sender_chat.id == event.chat.id
        if not (person or anonymous) or not (private or "command" in data):
            return
        if self._just_refused(person.id if person else event.chat.id):
            return
        await event.answer(REFUSAL.format(id=person.id) if person else REFUSAL_TO_GROUP)

    def _just_refused(self, id: int) -> bool:
        now = self._seconds()
        if now - self._refused.get(id, float("-inf")) < REFUSE_EVERY:
            return True
        self._refused[id] = now
        self._refused.move_to_end(id)
        while len(self._refused) > REMEMBERED:
            self._refused.popitem(last=False)
        return False


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


def _hindrance(standing: Standing, data: dict[str, Any]) -> str | None:
    """Why they are not heard, though they have a role."""
    assert standing.role is not None
    needs = needed(data)
    if standing.role < needs.role:
        return TOO_LOW.format(needed=needs.role.word, role=standing.role.word)
    command: CommandObject | None = data.get("command")
    if needs.elsewhere is not None and command is not None and speaks_of_another_chat(command):
        own = standing.own
        if own is None or own < needs.elsewhere:
            shown = own.word if own else standing.role.word
            return TOO_LOW.format(needed=needs.elsewhere.word, role=shown)
    if needs.where.holds(data.get("event_chat")):
        return None
    return PRIVATELY if needs.where is Where.PRIVATE else IN_GROUP


async def _answer(event: TelegramObject, text: str) -> None:
    if isinstance(event, Message | CallbackQuery):
        await event.answer(text)


def _author(standing: Standing, data: dict[str, Any]) -> Author:
    """For the audit log: of names only those of the team."""
    chat: Chat | None = data.get("event_chat")
    person = standing.person
    if person is None:
        return Author(None, None, chat.id if chat else None)
    name = plain_name(person.full_name, NAME_LIMIT) if standing.own else None
    return Author(person.id, name, chat.id if chat else None)
