"""/start /help: what can this bot do for me?"""

from aiogram import Router
from aiogram.filters import Command, CommandStart
from aiogram.types import Message

from bot import render
from bot.access import COMMANDS

WELCOME = (
    "I watch public Telegram channels and tell you when a post touches what you watch for.\n\n"
    "Three steps to the first alert:\n"
    "1. /add @channel\n"
    "2. /watch NAME RULE, such as <code>/watch rail эшелон</code>: every inflected form is found\n"
    "3. /subscribe NAME\n\n"
    "/help explains the rest."
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


async def start(message: Message) -> None:
    await message.answer(WELCOME)


async def help(message: Message) -> None:
    lines = [
        f"/{command.name} {render.safe(command.usage)} – {command.does}".replace("  ", " ")
        for command in COMMANDS
    ]
    await message.answer("\n".join(lines) + "\n\n" + RULES)
