"""/channels /add /remove: which channels are watched?"""

from collections.abc import Callable
from datetime import datetime, tzinfo

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from bot import render
from bot.speech import say
from storage import audit, channels, memberships
from storage.db import Database
from storage.model import Author, Channel, Ledger
from storage.said import Said
from watchers.ingest import ChannelRefused, Flooded, NotJoined, SourceLost
from watchers.references import BadReference, read_reference
from watchers.sources import Sources

JOIN = "join"  # without @: an option, not a name


def register(router: Router) -> None:
    router.message.register(list_channels, Command("channels"))
    router.message.register(add, Command("add"))
    router.message.register(remove, Command("remove"))


async def list_channels(message: Message, db: Database, sources: Sources, zone: tzinfo) -> None:
    ledgers = await channels.watched(db.reader)
    if not ledgers:
        await message.answer(say("No channel is watched yet: /add @channel"))
    for page in render.pages([_line(ledger, zone, sources.joined()) for ledger in ledgers]):
        await message.answer(page)


def _line(ledger: Ledger, zone: tzinfo, joined: frozenset[int]) -> str:
    name = render.channel_name(ledger.channel)
    parts = []
    if ledger.channel.id in joined:
        parts.append(say("joined: its posts are pushed"))
    if ledger.mark:
        parts.append(f"⚠️ {render.safe(say(ledger.mark))}")
    return " · ".join([_state(ledger, name, zone), *parts])


def _state(ledger: Ledger, name: str, zone: tzinfo) -> str:
    if ledger.trouble:
        return f"❗ {name}: {render.safe(say(ledger.trouble))}"
    if ledger.looked_at is None:
        return say("⏳ {channel}: not looked at yet", channel=name)
    when = render.time_shown(ledger.looked_at, zone)
    return say("✅ {channel}: complete up to {when}", channel=name, when=when)


async def add(
    message: Message,
    command: CommandObject,
    db: Database,
    sources: Sources,
    clock: Callable[[], datetime],
    by: Author,
) -> None:
    words = (command.args or "").replace(",", " ").split()
    wanted = [word for word in words if word.casefold() != JOIN]
    if not wanted:
        await message.answer(
            say(
                "Which channel? <code>/add @name</code> or a t.me link; with <code>join</code> behind "
                "it the account joins it, and its posts are pushed."
            )
        )
    for text in wanted:
        said, channel = await add_channel(text, db, sources, clock, by)
        if channel and len(wanted) < len(words):
            said = f"{said} {await _join(channel, sources)}"
        await message.answer(said)


async def add_channel(
    text: str, db: Database, sources: Sources, clock: Callable[[], datetime], by: Author
) -> tuple[str, Channel | None]:
    """The answer, and the channel if it is watched now."""
    try:
        channel, newest = await sources.resolve(read_reference(text))
    except (BadReference, ChannelRefused) as error:
        return say("Not added: {why}.", why=render.safe(say(error))), None
    except Flooded as error:
        template = Said("{why} before another channel is looked up. Then say it again.")
        return say(template, why=render.safe(say(error))), None
    except SourceLost as error:
        template = Said("Channels can't be looked up just now: {why}.")
        return say(template, why=render.safe(say(error))), None
    async with db.transaction() as tx:
        before = await channels.referred_to(tx, None, channel.id)
        await channels.add(tx, channel, newest, clock())
        if before is None:
            await audit.note(tx, by, f"add {_said(channel)}", clock())
    name = render.channel_name(channel)
    if before is None:
        return say("{channel} is watched from now on.", channel=name), channel
    was = render.channel_name(before.channel)
    if was != name:
        template = Said("{channel} is watched already, as {was}; it goes by its new name now.")
        return say(template, channel=name, was=was), channel
    return say("{channel} is watched already.", channel=name), channel


async def _join(channel: Channel, sources: Sources) -> str:
    """Whatever comes of it, the channel is watched."""
    try:
        await sources.join(channel)
    except (NotJoined, ChannelRefused, SourceLost) as error:
        template = Said("Not joined: {why}. It is looked at regularly all the same.")
        return say(template, why=render.safe(say(error)))
    except Flooded as error:
        template = Said(
            "Not joined: {why}; then say it again. It is looked at regularly all the same."
        )
        return say(template, why=render.safe(say(error)))
    return say("The account has joined it: its posts are pushed.")


def _said(channel: Channel) -> str:
    return f"@{channel.username}" if channel.username else str(channel.id)


async def remove(
    message: Message,
    command: CommandObject,
    db: Database,
    clock: Callable[[], datetime],
    by: Author,
) -> None:
    try:
        reference = read_reference(command.args or "")
    except BadReference as error:
        await message.answer(say("Not removed: {why}.", why=render.safe(say(error))))
        return
    ledger = await channels.referred_to(db.reader, reference.username, reference.id)
    if ledger is None:
        await message.answer(
            say(
                "{channel} is not watched; /channels lists those that are.",
                channel=render.safe(str(reference)),
            )
        )
        return
    async with db.transaction() as tx:
        await channels.remove(tx, ledger.channel.id, clock())
        joined = await memberships.is_joined(tx, ledger.channel.id)
        await audit.note(tx, by, f"remove {_said(ledger.channel)}", clock())
    name = render.channel_name(ledger.channel)
    done = say("{channel} is no longer watched. Its posts and hits are kept.", channel=name)
    if joined:
        done = f"{done} {say('The account leaves it: it had joined it to watch it.')}"
    await message.answer(done)
