"""/channels /add /remove: which channels are watched?"""

from collections.abc import Callable
from datetime import datetime, tzinfo

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from bot import render
from storage import audit, channels
from storage.db import Database
from storage.model import Author, Channel, Ledger
from watchers.ingest import ChannelRefused, Flooded, SourceLost
from watchers.references import BadReference, read_reference
from watchers.sources import Sources


def make_router() -> Router:
    router = Router(name=__name__)
    router.message.register(list_channels, Command("channels"))
    router.message.register(add, Command("add"))
    router.message.register(remove, Command("remove"))
    return router


async def list_channels(message: Message, db: Database, zone: tzinfo) -> None:
    ledgers = await channels.watched(db.reader)
    if not ledgers:
        await message.answer("No channel is watched yet: /add @channel")
    for page in render.pages([_line(ledger, zone) for ledger in ledgers]):
        await message.answer(page)


def _line(ledger: Ledger, zone: tzinfo) -> str:
    name = render.channel_name(ledger.channel)
    if ledger.trouble:
        return f"❗ {name}: {render.safe(ledger.trouble)}"
    if ledger.looked_at is None:
        return f"⏳ {name}: not looked at yet"
    return f"✅ {name}: complete up to {render.time_shown(ledger.looked_at, zone)}"


async def add(
    message: Message,
    command: CommandObject,
    db: Database,
    sources: Sources,
    clock: Callable[[], datetime],
    by: Author,
) -> None:
    wanted = (command.args or "").replace(",", " ").split()
    if not wanted:
        await message.answer("Which channel? <code>/add @name</code> or a t.me link.")
    else:
        for text in wanted:
            await message.answer(await add_channel(text, db, sources, clock, by))


async def add_channel(
    text: str, db: Database, sources: Sources, clock: Callable[[], datetime], by: Author
) -> str:
    """Watch what `text` names; the sentence to answer."""
    try:
        channel, newest = await sources.resolve(read_reference(text))
    except (BadReference, ChannelRefused) as error:
        return f"Not added: {render.safe(str(error))}."
    except Flooded as error:
        return f"{error} before another channel is looked up. Then say it again."
    except SourceLost as error:
        return f"Channels can't be looked up just now: {render.safe(str(error))}."
    async with db.transaction() as tx:
        new = await channels.add(tx, channel, newest, clock())
        if new:
            await audit.note(tx, by, f"add {_said(channel)}", clock())
    name = render.channel_name(channel)
    return f"{name} is watched from now on." if new else f"{name} is watched already."


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
        await message.answer(f"Not removed: {render.safe(str(error))}.")
        return
    ledger = await channels.referred_to(db.reader, reference.username, reference.id)
    if ledger is None:
        await message.answer(
            f"{render.safe(str(reference))} is not watched; /channels lists those that are."
        )
        return
    async with db.transaction() as tx:
        await channels.remove(tx, ledger.channel.id, clock())
        await audit.note(tx, by, f"remove {_said(ledger.channel)}", clock())
    name = render.channel_name(ledger.channel)
    await message.answer(f"{name} is no longer watched. Its posts and hits are kept.")
