"""/invite: how is somebody else taken into the team?"""

from collections.abc import Callable
from datetime import datetime, tzinfo

from aiogram import Bot, Router
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from bot import invites, render
from bot.speech import say
from storage import audit, team
from storage.db import Database
from storage.model import Author, Role
from storage.said import Said

INVITE_USAGE = Said(
    "With which role? <code>/invite viewer</code> (reads), <code>/invite member</code> (also says "
    "what it wants to be told) or <code>/invite operator</code> (also what is watched for). "
    "<code>/invite off</code> makes all open invites worthless."
)
OWNERS = Said("Owners are named in the setting OWNER_IDS, and nowhere else.")


def register(router: Router) -> None:
    router.message.register(invite, Command("invite"))


def read_role(word: str) -> Role | None:
    """A role that can be given."""
    try:
        role = Role.of(word)
    except KeyError:
        return None
    return None if role is Role.OWNER else role


async def invite(
    message: Message,
    command: CommandObject,
    bot: Bot,
    db: Database,
    clock: Callable[[], datetime],
    zone: tzinfo,
    by: Author,
) -> None:
    word = (command.args or "").strip().casefold()
    if word == "off":
        async with db.transaction() as tx:
            if withdrawn := await team.withdraw(tx):
                await audit.note(tx, by, "invite off", clock())
        await message.answer(
            say("Open invites that are worth nothing from now on: {number}.", number=withdrawn)
        )
        return
    role = read_role(word)
    if role is None:
        usage = say(INVITE_USAGE)
        await message.answer(f"{say(OWNERS)} {usage}" if word == "owner" else usage)
        return
    async with db.transaction() as tx:
        token = await invites.make(tx, role, by, clock())
    until = render.time_shown(clock() + invites.GOOD_FOR, zone)
    me = await bot.me()
    await message.answer(
        say(
            "Send this to one person. Whoever opens it first, until {when}, is {role} then:",
            when=until,
            role=role.word,
        )
        + f"\nhttps://t.me/{me.username}?start={token}",
        protect_content=False,  # it is there to be passed on
    )
