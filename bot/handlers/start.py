"""/start /help: what can this bot do for me?"""

from collections.abc import Callable
from datetime import datetime

from aiogram import Router
from aiogram.filters import Command, CommandObject, CommandStart
from aiogram.types import Message

from bot import invites, keyboards, render
from bot.access import Where, offered
from bot.keyboards import Guide, Step
from storage import channels
from storage.db import Database
from storage.model import Role

WHAT = "I watch public Telegram channels and tell you when a post touches what you watch for.\n\n"
STEPS = (
    "Three steps to the first alert:\n"
    "1. /add @channel\n"
    "2. /watch NAME RULE, such as <code>/watch rail эшелон</code>: every inflected form is found\n"
    "3. /subscribe NAME\n\n"
)
READING = "/watchlists names what is looked for, /digest tells what was found.\n\n"
TELLING = (
    "/watchlists names what is looked for, <code>/subscribe NAME</code> has you told of it.\n\n"
)
BEGIN = "🚀 Or let me lead you: five taps"
REST = "/help explains the rest."
JOINED = "Welcome: you are {role} in the team now.\n\n"
OWN_LINK = (
    "That link is for somebody else: it takes the first who opens it into the team as {role}. "
    "It is still good."
)
RULES = """\
<b>Rules</b>
<code>эшелон</code> – the word in any form
<code>=эшелон</code> – this form only; with capitals the case counts (<code>=БЧ</code>)
<code>"воинский эшелон"</code> – next to each other, in this order, each in any form
<code>эшел*</code> – begins with
<code>a b</code> – both; <code>a | b</code> – either; <code>-a</code> – and not; <code>( )</code> – grouping
<code>a NEAR/5 b</code> – at most five words between, either order
<code>Акация~</code> – tolerates a typo
<code>/…/</code> – a regular expression"""


def make_router() -> Router:
    router = Router(name=__name__)
    router.message.register(start, CommandStart())
    router.message.register(help, Command("help"))
    return router


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
            await message.answer(OWN_LINK.format(role=invite.role.word))
            return
    greeting = JOINED.format(role=role.word) if joined else ""
    alone = role is Role.OWNER and message.chat.type == "private"
    new = alone and not await channels.watched(db.reader)
    begin = keyboards.choices([(BEGIN, Guide(step=Step.BEGIN))]) if new else None
    await message.answer(greeting + WHAT + _first_steps(role) + REST, reply_markup=begin)


def _first_steps(role: Role) -> str:
    if role >= Role.OPERATOR:
        return STEPS
    return TELLING if role >= Role.MEMBER else READING


async def help(message: Message, role: Role) -> None:
    where = Where.PRIVATE if message.chat.type == "private" else Where.GROUP
    lines = [
        f"/{command.name} {render.safe(command.usage)} – {command.does}".replace("  ", " ")
        for command in offered(role, where)
    ]
    await message.answer("\n".join(lines) + "\n\n" + RULES)
