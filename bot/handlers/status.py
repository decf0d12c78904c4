"""/status: is all well?"""

from aiogram import Router
from aiogram.filters import Command
from aiogram.types import Message

from bot import render
from bot.speech import say, say_number
from storage import channels, chats, hits, outbox, posts, search
from storage.db import Database
from watchers.ingest import rhythms
from watchers.pipeline import Pipeline
from watchers.preview import PreviewSource
from watchers.sources import Member, Sources


def register(router: Router) -> None:
    router.message.register(status, Command("status"))


async def status(
    message: Message,
    db: Database,
    sources: Sources,
    pipeline: Pipeline,
) -> None:
    ledgers = await channels.watched(db.reader)
    lines = [
        *(_source_line(member) for member in sources.members),
        render.coverage(ledgers, await rhythms(pipeline), pipeline.clock())
        or say("No channel is watched yet: /add @channel"),
        *(
            f"❗ {render.channel_name(ledger.channel)}: {render.safe(say(ledger.trouble))}"
            for ledger in ledgers
            if ledger.trouble
        ),
        say(
            "Stored: {posts}, {hits}",
            posts=say_number("{n} post", "{n} posts", await posts.count(db.reader)),
            hits=say_number("{n} hit", "{n} hits", await hits.count(db.reader)),
        ),
        *_unindexed(await search.waiting(db.reader)),
        say("Messages waiting to be sent: {number}", number=await outbox.waiting(db.reader)),
        *(
            say(
                "❗ chat {number} can't be written to: {why}",
                number=chat_id,
                why=render.safe(say(reason)),
            )
            for chat_id, reason in await chats.paused(db.reader)
        ),
    ]
    for page in render.pages(lines):
        await message.answer(page)


def _unindexed(posts: int) -> list[str]:
    """A few always wait for a moment."""
    late = say_number(
        "⏳ /search does not find {n:,} post yet", "⏳ /search does not find {n:,} posts yet", posts
    )
    return [late] if posts > 500 else []


def _source_line(member: Member) -> str:
    name = source_name(member.source.name)
    if member.state.trouble:
        return f"❗ {name}: {render.safe(say(member.state.trouble))}"
    return say("✅ {source}: connected", source=name)


def source_name(name: str) -> str:
    """«account 1», «web preview»: so they are called in the log."""
    kind, _, number = name.partition(" ")
    if kind == "account" and number:
        return say("Account {number}", number=number)
    return say("Web preview") if name == PreviewSource.name else name.capitalize()
