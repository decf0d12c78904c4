"""/why /story: what is there to say about one post?"""

import asyncio
from datetime import tzinfo

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from bot import found, render, views
from bot.speech import say
from storage import channels, hits, search, watchlists
from storage.db import Database
from storage.model import Entry
from watchers import spread
from watchers.pipeline import Pipeline
from watchers.references import BadReference, read_post_link
from watchers.why import reasons


class NoSuchPost(Exception):
    """The message says what to do."""


def register(router: Router) -> None:
    router.message.register(why, Command("why"))
    router.message.register(story, Command("story"))


async def why(
    message: Message, command: CommandObject, db: Database, pipeline: Pipeline, zone: tzinfo
) -> None:
    try:
        entry = await _entry(db, command)
    except NoSuchPost as error:
        await message.answer(str(error))
        return
    lists = await watchlists.all(db.reader)
    known = await channels.everything(db.reader)
    given = await asyncio.to_thread(reasons, entry.post, lists, known, await pipeline.matcher())
    stored = await hits.terms_of(db.reader, entry.post.key)
    for page in render.pages(found.why(entry, given, stored, zone)):
        await message.answer(page)


async def story(message: Message, command: CommandObject, db: Database, zone: tzinfo) -> None:
    try:
        entry = await _entry(db, command)
    except NoSuchPost as error:
        await message.answer(str(error))
        return
    for page in render.pages(views.story(entry, await spread.places(db, entry), zone)):
        await message.answer(page)


async def _entry(db: Database, command: CommandObject) -> Entry:
    """The stored post that a link leads to. Raises NoSuchPost."""
    if not command.args:
        usage = f"<code>/{command.command} https://t.me/name/123</code>"
        raise NoSuchPost(say("Of which post? {usage}", usage=usage))
    try:
        reference, message_id = read_post_link(command.args)
    except BadReference as error:
        raise NoSuchPost(say("Not looked up: {why}.", why=render.safe(say(error)))) from None
    name = render.safe(str(reference))
    id = await channels.id_of(db.reader, reference.username, reference.id)
    if id is None:
        raise NoSuchPost(
            say(
                "Nothing of {channel} is stored: it was never watched. /add it first.", channel=name
            )
        )
    entry = await search.entry(db.reader, id, message_id)
    if entry is None:
        raise NoSuchPost(await _why_not(db, id, message_id, name))
    return entry


async def _why_not(db: Database, channel_id: int, message_id: int, name: str) -> str:
    ledger = await channels.referred_to(db.reader, None, channel_id)
    if ledger is None:
        return say("That post is not stored: {channel} is not watched any more.", channel=name)
    if message_id <= ledger.start:
        return say(
            "That post is not stored: it is older than the watch of {channel}. "
            "<code>/backfill {channel} 30d</code> reads older ones.",
            channel=name,
        )
    if message_id > ledger.cursor:
        return say("That post is not stored yet: catch-up has not reached it.")
    return say("There is no such post: it was deleted before it was read, or it never was one.")
