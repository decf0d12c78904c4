"""Who may say what to the bot? Closed by default: who is not of the team is told so, once.

Two tables, COMMANDS and BUTTONS, say which role it takes; /help, the command menus and the README
are made from them, and Access goes by them. What stands in neither is for owners alone.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from aiogram import BaseMiddleware
from aiogram.dispatcher.flags import get_flag
from aiogram.filters import CommandObject
from aiogram.filters.callback_data import CallbackData
from aiogram.types import CallbackQuery, Chat, Message, TelegramObject

from bot import invites, keyboards, places
from bot.refusals import Refusals
from bot.speech import say
from bot.standing import GROUPS, Standing, name_of, standing_of
from storage.model import Role
from storage.said import Said

TOO_LOW = Said(
    "That takes the role {needed}; here you are {role}. An owner can change that with /team."
)
PRIVATELY = Said("Say that in our private chat: what I answer is not for a group.")
IN_GROUP = Said("Say that in the group that it is about.")


class Where(Enum):
    ANYWHERE = "anywhere"
    PRIVATE = "private"  # the answer is for one pair of eyes
    GROUP = "group"

    def holds(self, chat: Chat | None) -> bool:
        private = chat is not None and chat.type == "private"
        group = chat is not None and chat.type in GROUPS
        return {Where.PRIVATE: private, Where.GROUP: group}.get(self, True)


@dataclass(frozen=True, slots=True)
class Needs:
    """What it takes to be heard."""

    role: Role
    where: Where = Where.ANYWHERE
    in_group: Role | None = None  # where it changes what all others there see; None: as anywhere
    elsewhere: Role | None = None  # the person's own role to say it of another chat; None: as here

    def least(self, *, in_group: bool) -> Role:
        return self.in_group if in_group and self.in_group else self.role


@dataclass(frozen=True, slots=True)
class CommandInfo:
    name: str
    usage: str  # its arguments
    does: Said
    needs: Needs


VIEWER, MEMBER, OPERATOR, OWNER = (Needs(role) for role in Role)
OWNER_PRIVATELY = Needs(Role.OWNER, Where.PRIVATE)
# Of another chat it is for operators to speak, whatever is said.
SEES_OTHERS = Needs(Role.VIEWER, elsewhere=Role.OPERATOR)
SETS_CHAT = Needs(Role.MEMBER, elsewhere=Role.OPERATOR)
SETS_LANGUAGE = Needs(Role.VIEWER, in_group=Role.MEMBER, elsewhere=Role.OPERATOR)

COMMANDS = (
    CommandInfo(
        "add",
        "@channel … [join]",
        Said("watch public channels or groups; join: be pushed posts"),
        OPERATOR,
    ),
    CommandInfo("remove", "@channel", Said("stop watching one, leave it if I joined it"), OPERATOR),
    CommandInfo("channels", "", Said("the watched channels and how complete each is"), MEMBER),
    CommandInfo(
        "backfill", "@channel 30d", Said("read what one published before it was watched"), OPERATOR
    ),
    CommandInfo("watch", "NAME RULE", Said("look for something, in the watchlist NAME"), OPERATOR),
    CommandInfo("unwatch", "NAME RULE", Said("stop looking for it"), OPERATOR),
    CommandInfo("watchlists", "", Said("the watchlists"), VIEWER),
    CommandInfo("watchlist", "NAME", Said("the terms of one"), VIEWER),
    CommandInfo(
        "severity",
        "NAME low | normal | high",
        Said("low arrives silently, high at any hour"),
        OPERATOR,
    ),
    CommandInfo(
        "subscribe",
        "NAME [now | hourly | daily 08:00,18:00 | weekdays 08:00 | weekly mon 08:00] [in @channel]",
        Said("tell this chat, or another one, of its hits"),
        SETS_CHAT,
    ),
    CommandInfo("unsubscribe", "NAME [in @channel]", Said("stop telling it"), SETS_CHAT),
    CommandInfo(
        "subscriptions", "[all]", Said("what this chat, or every chat, is told of"), SEES_OTHERS
    ),
    CommandInfo(
        "mute",
        '[NAME | @channel | "term"] [1h | 8h | 3d | tomorrow | forever]',
        Said("no alerts of it here for a while; alone: what is muted"),
        SETS_CHAT,
    ),
    CommandInfo("unmute", "NUMBER | all", Said("alerts of it again"), SETS_CHAT),
    CommandInfo(
        "quiet", "22:00-07:00 | off", Said("hours in which only high severity comes"), SETS_CHAT
    ),
    CommandInfo("zone", "Europe/Warsaw", Said("the clock this chat goes by"), SETS_CHAT),
    CommandInfo(
        "digest",
        "[6h | yesterday | last week | since 18:00] [NAME] [@channel] [lang:be]",
        Said("what this chat was not told yet, or all of a period"),
        VIEWER,
    ),
    CommandInfo(
        "search",
        "RULE [@channel] [list:NAME] [7d] [lang:be]",
        Said("find stored posts, newest or best first"),
        VIEWER,
    ),
    CommandInfo(
        "story", "LINK", Said("who published a post's story first, and how it spread"), VIEWER
    ),
    CommandInfo("why", "LINK", Said("why a post matched, or did not"), VIEWER),
    CommandInfo("test", "RULE", Said("what a rule would find in the last 7 days"), VIEWER),
    CommandInfo(
        "backtest", "NAME | RULE [14d]", Said("what a watchlist or a rule would have found"), MEMBER
    ),
    CommandInfo(
        "export",
        "[hits | posts] [7d | yesterday | 2026-01-01..2026-01-31] [NAME] [@channel] [csv | jsonl | html]",
        Said("a file of what was stored, with every version"),
        MEMBER,
    ),
    CommandInfo(
        "language",
        "en | be | ru | uk | pl | auto",
        Said("the language I speak in this chat"),
        SETS_LANGUAGE,
    ),
    CommandInfo("status", "", Said("whether all is well"), VIEWER),
    CommandInfo(
        "invite",
        "viewer | member | operator | off",
        Said("a link that takes one person into the team; off: none of them is good any more"),
        OWNER_PRIVATELY,
    ),
    CommandInfo(
        "team",
        "[NUMBER viewer | member | operator | remove]",
        Said("who may do what; change or end it"),
        OWNER,
    ),
    CommandInfo(
        "grouprole",
        "viewer | member | operator | none",
        Said("what everybody in this group may do here"),
        Needs(Role.OWNER, Where.GROUP),
    ),
    CommandInfo("audit", "", Said("who changed what, and when"), OWNER_PRIVATELY),
    CommandInfo("start", "", Said("what this bot is for"), VIEWER),
    CommandInfo("help", "", Said("these commands, and how rules are written"), VIEWER),
)
BUTTONS: dict[type[CallbackData], Needs] = {
    keyboards.Open: VIEWER,
    keyboards.Show: VIEWER,
    keyboards.Turn: VIEWER,
    keyboards.Speak: SETS_LANGUAGE,
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
        if info.needs.least(in_group=where is Where.GROUP) <= role
        and info.needs.where in (where, Where.ANYWHERE)
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


class Access(BaseMiddleware):
    """Decides for each handler whether it runs; handlers get `role` and `by`."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        """`seconds` is a steady clock."""
        self._guesses = invites.Guesses(seconds)
        self._refusals = Refusals(seconds)

    async def __call__(
        self,
        handler: Callable[[TelegramObject, dict[str, Any]], Awaitable[Any]],
        event: TelegramObject,
        data: dict[str, Any],
    ) -> Any:
        standing = await standing_of(event, data)
        if isinstance(event, Message):
            standing = await self._with_invite(event, standing, data)
        if standing.role is None:
            await self._refusals.refuse(event, standing, data)
            return None
        if why := _hindrance(standing, data):
            await _answer(event, why)
            return None
        data["role"] = standing.role
        data["by"] = standing.author(data.get("event_chat"))
        return await handler(event, data)

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
        role = await invites.accept(
            data["db"], data["owners"], command.args, person.id, name_of(person), data["clock"]()
        )
        if role is None:
            self._guesses.failed(person.id)
            return standing
        data["pipeline"].owed.set()  # the owners are told
        data["joined"] = True
        return Standing(person, role, role)


def _hindrance(standing: Standing, data: dict[str, Any]) -> str | None:
    """Why they are not heard, though they have a role."""
    assert standing.role is not None
    needs, chat = needed(data), data.get("event_chat")
    needed_here = needs.least(in_group=Where.GROUP.holds(chat))
    if standing.role < needed_here:
        return say(TOO_LOW, needed=needed_here.word, role=standing.role.word)
    command: CommandObject | None = data.get("command")
    if needs.elsewhere is not None and command is not None and speaks_of_another_chat(command):
        own = standing.own
        if own is None or own < needs.elsewhere:
            shown = own.word if own else standing.role.word
            return say(TOO_LOW, needed=needs.elsewhere.word, role=shown)
    if needs.where.holds(chat):
        return None
    return say(PRIVATELY) if needs.where is Where.PRIVATE else say(IN_GROUP)


async def _answer(event: TelegramObject, text: str) -> None:
    if isinstance(event, Message | CallbackQuery):
        await event.answer(text)
