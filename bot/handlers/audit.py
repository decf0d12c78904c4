"""/audit: who changed what, and when?"""

from contextlib import suppress
from datetime import tzinfo

from aiogram import Bot, Router
from aiogram.exceptions import TelegramAPIError
from aiogram.filters import Command
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message

from bot import keyboards, render
from bot.keyboards import Audit
from bot.speech import say
from storage import audit
from storage.db import Database
from storage.model import Change

PAGE = 20  # changes
SHOWN = 90  # UTF-16 units of each: so twenty of them fit into a message


def register(router: Router) -> None:
    router.message.register(latest, Command("audit"))
    router.callback_query.register(page, Audit.filter())


async def latest(message: Message, db: Database, zone: tzinfo) -> None:
    html, keyboard = await _page(db, zone, 0)
    await message.answer(html, reply_markup=keyboard)


async def page(
    callback: CallbackQuery, callback_data: Audit, bot: Bot, db: Database, zone: tzinfo
) -> None:
    assert callback.message is not None
    html, keyboard = await _page(db, zone, callback_data.before)
    with suppress(TelegramAPIError):  # too old to be changed, or nothing new
        await bot.edit_message_text(
            html,
            chat_id=callback.message.chat.id,
            message_id=callback.message.message_id,
            reply_markup=keyboard,
        )
    await callback.answer()


async def _page(db: Database, zone: tzinfo, before: int) -> tuple[str, InlineKeyboardMarkup]:
    found = await audit.latest(db.reader, PAGE + 1, before or None)
    changes = found[:PAGE]
    older = changes[-1].id if len(found) > PAGE else None
    keyboard = keyboards.pages_of_audit(older, latest=not before)
    lines = [_line(change, zone) for change in changes] or [say("Nothing was changed yet.")]
    return "\n".join(lines), keyboard


def _line(change: Change, zone: tzinfo) -> str:
    when = render.time_shown(change.at, zone)
    return f"{when} · {_who(change)}: {render.safe(_short(change.what))}"


def _short(text: str) -> str:
    fits = text.encode("utf-16-le", "replace")[: 2 * SHOWN].decode("utf-16-le", "ignore")
    return text if fits == text else f"{fits}…"


def _who(change: Change) -> str:
    """Of names only those of the team; the others are those in a group that has a role."""
    by = change.by
    who = say("an administrator")
    if by.name:
        who = f"<b>{render.safe(by.name)}</b>"
    elif by.person_id:
        who = f"{say('somebody')} (<code>{by.person_id}</code>)"
    if by.chat_id and by.chat_id < 0:
        return say("{who} in <code>{chat}</code>", who=who, chat=by.chat_id)
    return who
