"""/start /help: what can this bot do for me?"""

from collections.abc import Callable
from datetime import datetime

from aiogram import Router
from aiogram.filters import Command, CommandObject, CommandStart
from aiogram.types import Message

from bot import invites, keyboards, render
from bot.access import Where, offered
from bot.keyboards import Guide, Step
from bot.speech import say
from storage import channels
from storage.db import Database
from storage.model import Role
from storage.said import Said

WHAT = Said("I watch public Telegram channels and tell you when a post touches what you watch for.")
STEPS = Said(
    "Three steps to the first alert:\n"
    "1. /add @channel\n"
    "2. /watch NAME RULE, such as <code>/watch rail эшелон</code>: every inflected form is found\n"
    "3. /subscribe NAME"
)
READING = Said("/watchlists names what is looked for, /digest tells what was found.")
TELLING = Said(
    "/watchlists names what is looked for, <code>/subscribe NAME</code> has you told of it."
)
BEGIN = Said("🚀 Or let me lead you: five taps")
REST = Said("/help explains the rest.")
JOINED = Said("Welcome: you are {role} in the team now.")
OWN_LINK = Said(
    "That link is for somebody else: it takes the first who opens it into the team as {role}. "
    "It is still good."
)
RULES = (
    Said("<b>Rules</b>"),
    Said("<code>эшелон</code> – the word in any form"),
    Said("<code>=эшелон</code> – this form only; with capitals the case counts (<code>=БЧ</code>)"),
    Said('<code>"воинский эшелон"</code> – next to each other, in this order, each in any form'),
    Said("<code>эшел*</code> – begins with"),
    Said(
        "<code>a b</code> – both; <code>a | b</code> – either; <code>-a</code> – and not; "
        "<code>( )</code> – grouping"
    ),
    Said("<code>a NEAR/5 b</code> – at most five words between, either order"),
    Said("<code>Акация~</code> – tolerates a typo"),
    Said("<code>/…/</code> – a regular expression"),
)


def register(router: Router) -> None:
    router.message.register(start, CommandStart())
    router.message.register(help, Command("help"))


async def start(
    message: Message,
    command: CommandObject,
    db: Database,
    owners: frozenset[int],
    clock: Callable[[], datetime],
    role: Role,
    joined: bool = False,
) -> None:
    """`joined`: this very message brought the invite that made them one of the team."""
    if role is Role.OWNER and command.args:
        invite = await invites.find(db.reader, owners, command.args, clock())
        if invite is not None:
            await message.answer(say(OWN_LINK, role=invite.role.word))
            return
    greeting = [say(JOINED, role=role.word)] if joined else []
    alone = role is Role.OWNER and message.chat.type == "private"
    new = alone and not await channels.watched(db.reader)
    begin = keyboards.choices([(say(BEGIN), Guide(step=Step.BEGIN))]) if new else None
    parts = [*greeting, say(WHAT), say(_first_steps(role)), say(REST)]
    await message.answer("\n\n".join(parts), reply_markup=begin)


def _first_steps(role: Role) -> Said:
    if role >= Role.OPERATOR:
        return STEPS
    return TELLING if role >= Role.MEMBER else READING


async def help(message: Message, role: Role) -> None:
    where = Where.PRIVATE if message.chat.type == "private" else Where.GROUP
    lines = [
        f"/{command.name} {render.safe(command.usage)} – {say(command.does)}".replace("  ", " ")
        for command in offered(role, where)
    ]
    await message.answer("\n".join([*lines, "", *map(say, RULES)]))
