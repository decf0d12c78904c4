"""/status: is all well?"""

from aiogram import Router
from aiogram.filters import Command
from aiogram.types import Message

from bot import render
from storage import channels, chats, hits, outbox, posts, search
from storage.db import Database
from watchers.ingest import rhythms
from watchers.pipeline import Pipeline
from watchers.sources import Member, Sources


def make_router() -> Router:
    router = Router(name=__name__)
    router.message.register(status, Command("status"))
    return router


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
        or "No channel is watched yet: /add @channel",
        *(
            f"❗ {render.channel_name(ledger.channel)}: {render.safe(ledger.trouble)}"
            for ledger in ledgers
            if ledger.trouble
        ),
        f"Stored: {await posts.count(db.reader)} posts, {await hits.count(db.reader)} hits",
        *_unindexed(await search.waiting(db.reader)),
        f"Messages waiting to be sent: {await outbox.waiting(db.reader)}",
        *(
            f"❗ chat {chat_id} can't be written to: {render.safe(reason)}"
            for chat_id, reason in await chats.paused(db.reader)
        ),
    ]
    for page in render.pages(lines):
        await message.answer(page)


def _unindexed(posts: int) -> list[str]:
    """A few always wait for a moment."""
    return [f"⏳ /search does not find {posts:,} posts yet"] if posts > 500 else []


def _source_line(member: Member) -> str:
    name = member.source.name.capitalize()
    if member.state.trouble:
        return f"❗ {name}: {render.safe(member.state.trouble)}"
    return f"✅ {name}: connected"
