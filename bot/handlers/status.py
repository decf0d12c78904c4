"""/status: is all well?"""

from aiogram import Router
from aiogram.filters import Command
from aiogram.types import Message

from bot import render
from bot.handlers.channels import NO_ACCOUNT
from storage import channels, chats, hits, outbox, posts
from storage.db import Database
from watchers.ingest import Source, SourceState, rhythms
from watchers.pipeline import Pipeline


def make_router() -> Router:
    router = Router(name=__name__)
    router.message.register(status, Command("status"))
    return router


async def status(
    message: Message,
    db: Database,
    source: Source | None,
    source_state: SourceState,
    pipeline: Pipeline,
) -> None:
    ledgers = await channels.watched(db.reader)
    lines = [
        _source_line(source, source_state),
        render.coverage(ledgers, await rhythms(pipeline), pipeline.clock())
        or "No channel is watched yet: /add @channel",
        *(
            f"❗ {render.channel_name(ledger.channel)}: {render.safe(ledger.trouble)}"
            for ledger in ledgers
            if ledger.trouble
        ),
        f"Stored: {await posts.count(db.reader)} posts, {await hits.count(db.reader)} hits",
        f"Messages waiting to be sent: {await outbox.waiting(db.reader)}",
        *(
            f"❗ chat {chat_id} can't be written to: {render.safe(reason)}"
            for chat_id, reason in await chats.paused(db.reader)
        ),
    ]
    for page in render.pages(lines):
        await message.answer(page)


def _source_line(source: Source | None, state: SourceState) -> str:
    if source is None:
        return f"❗ {NO_ACCOUNT}"
    if state.trouble:
        return f"❗ Telegram: {render.safe(state.trouble)}"
    return "✅ Telegram: connected"
