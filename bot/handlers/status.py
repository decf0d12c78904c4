"""/status: is all well?"""

from datetime import tzinfo

from aiogram import Router
from aiogram.filters import Command
from aiogram.types import Message

from bot import render
from storage import channels, chats, hits, outbox, posts
from storage.db import Database
from watchers.ingest import Source, SourceState
from watchers.preview import PreviewSource


def make_router() -> Router:
    router = Router(name=__name__)
    router.message.register(status, Command("status"))
    return router


async def status(
    message: Message, db: Database, source: Source, source_state: SourceState, zone: tzinfo
) -> None:
    ledgers = await channels.watched(db.reader)
    looks = [ledger.looked_at for ledger in ledgers if not ledger.trouble]
    complete = sum(look is not None for look in looks)
    lines = [
        _source_line(source, source_state),
        f"Channels: {complete} of {len(ledgers)} complete"
        + (f" as of {render.time_shown(min(filter(None, looks)), zone)}" if complete else ""),
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


def _source_line(source: Source, state: SourceState) -> str:
    if state.trouble:
        return f"❗ Telegram: {render.safe(state.trouble)}"
    if isinstance(source, PreviewSource):
        return "✅ Telegram's web preview is read; no account is set up, so no groups"
    return "✅ Telegram: connected"
