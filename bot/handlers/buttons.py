"""What happens when a button under an alert is pressed?

All that a button needs is in what it says and in the database, so that it works after a restart
and on old messages. What it says is not believed: the message must be one of the chat in which it
was pressed, and what is to be muted must be something the message told of.
"""

import logging
from collections.abc import Callable
from datetime import datetime, tzinfo

from aiogram import Bot, Router
from aiogram.exceptions import TelegramAPIError, TelegramBadRequest
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, ReplyParameters

from bot import keyboards, render, views
from bot.handlers.mutes import ends_at
from bot.keyboards import Hush, Menu, Open, Pick, Say, Show, View
from bot.names import plain_name, toast
from bot.pressed import OnlyOwn, Pressed, foreign
from bot.speech import say
from storage import audit, mutes, posts, stories, verdicts
from storage.db import Database
from storage.model import Author, Entry, Mute, Verdict
from storage.said import Said
from watchers.pipeline import Pipeline

log = logging.getLogger(__name__)

FAILED = Said("Telegram did not take that. Try again in a minute.")
PERSON_LIMIT = 32  # characters of a person's name


def make_router() -> Router:
    router = Router(name=__name__)
    router.callback_query.middleware(OnlyOwn())
    router.callback_query.register(judge, Say.filter())
    router.callback_query.register(open_menu, Open.filter())
    router.callback_query.register(pick, Pick.filter())
    router.callback_query.register(hush, Hush.filter())
    router.callback_query.register(show, Show.filter())
    return router


async def judge(
    callback: CallbackQuery,
    callback_data: Say,
    pressed: Pressed,
    db: Database,
    pipeline: Pipeline,
    clock: Callable[[], datetime],
    by: Author,
) -> None:
    if pressed.merged:
        await foreign(callback)
        return
    person = callback.from_user
    name = plain_name(person.first_name, PERSON_LIMIT) or Said("somebody")
    verdict = Verdict(person.id, name, callback_data.useful)
    hits = [finding.hit for finding in pressed.lead.findings]
    async with db.transaction() as tx:
        if await verdicts.give(tx, hits, verdict, clock()):
            word = "useful" if verdict.useful else "noise"
            link = render.post_link(pressed.lead.channel, pressed.lead.post.message_id)
            await audit.note(tx, by, f"verdict {word} {link}", clock())
    pipeline.owed.set()  # the alert shows it
    useful = verdict.useful
    await callback.answer(say("👍 Noted: useful.") if useful else say("👎 Noted: noise."))


async def open_menu(
    callback: CallbackQuery, callback_data: Open, pressed: Pressed, bot: Bot
) -> None:
    if callback_data.menu is Menu.MUTE:
        keyboard = keyboards.what_to_mute(pressed.delivery_id, pressed.entries)
    elif callback_data.menu is Menu.MORE and not pressed.merged:
        keyboard = keyboards.more(pressed.delivery_id)
    else:
        keyboard = pressed.keyboard()
    shown = await _change(bot, pressed, keyboard)
    await callback.answer(None if shown else say(FAILED))


async def pick(callback: CallbackQuery, callback_data: Pick, pressed: Pressed, bot: Bot) -> None:
    what, target = callback_data.what, callback_data.target
    if pressed.name(what, target) is None:
        await foreign(callback)
        return
    keyboard = keyboards.how_long(pressed.delivery_id, what, target)
    shown = await _change(bot, pressed, keyboard)
    await callback.answer(None if shown else say(FAILED))


async def hush(
    callback: CallbackQuery,
    callback_data: Hush,
    pressed: Pressed,
    bot: Bot,
    db: Database,
    clock: Callable[[], datetime],
    zone: tzinfo,
    by: Author,
) -> None:
    what, target = callback_data.what, callback_data.target
    name = pressed.name(what, target)
    if name is None:
        await foreign(callback)
        return
    end = ends_at(callback_data.period, clock(), zone)
    async with db.transaction() as tx:
        await mutes.put(tx, Mute(pressed.chat_id, what, target, end))
        await audit.note(tx, by, f"mute {what} {name} {callback_data.period}", clock())
    await _change(bot, pressed, pressed.keyboard())
    template = Said("🔕 {name}: no alerts here for good. /mute lists, /unmute ends")
    if end:
        template = Said("🔕 {name}: no alerts here until {when}. /mute lists, /unmute ends")
    when = render.time_shown(end, zone) if end else ""
    named = keyboards.named(what, name)
    await callback.answer(toast(say(template, name=named, when=when)))


async def show(
    callback: CallbackQuery,
    callback_data: Show,
    pressed: Pressed,
    bot: Bot,
    db: Database,
    zone: tzinfo,
) -> None:
    if pressed.merged:
        await foreign(callback)
        return
    try:
        for html in await _view(callback_data.view, pressed.lead, db, zone):
            await _reply(bot, pressed, html)
    except TelegramAPIError as error:
        log.warning("delivery %s: more of it failed: %s", pressed.delivery_id, type(error).__name__)
        await callback.answer(say(FAILED))
        return
    await _change(bot, pressed, pressed.keyboard())
    await callback.answer()


async def _view(view: View, entry: Entry, db: Database, zone: tzinfo) -> list[str]:
    if view is View.POST:
        return views.whole(entry, zone)
    if view is View.STORY:
        members = await stories.members(db.reader, entry.story or entry.post.key)
        return render.pages(views.story(entry, members, zone))
    kept = await posts.versions(db.reader, entry.post.channel_id, entry.post.message_id)
    return views.versions(entry, kept, zone)


async def _reply(bot: Bot, pressed: Pressed, html: str) -> None:
    await bot.send_message(
        pressed.chat_id,
        html,
        message_thread_id=pressed.thread_id,
        reply_parameters=ReplyParameters(
            message_id=pressed.message_id, allow_sending_without_reply=True
        ),
    )


async def _change(bot: Bot, pressed: Pressed, keyboard: InlineKeyboardMarkup) -> bool:
    """Put these buttons under the message. False when Telegram does not let it be."""
    try:
        await bot.edit_message_reply_markup(
            chat_id=pressed.chat_id, message_id=pressed.message_id, reply_markup=keyboard
        )
    except TelegramBadRequest as error:
        return "not modified" in error.message  # a second tap
    except TelegramAPIError as error:
        log.warning("delivery %s: its buttons stay: %s", pressed.delivery_id, type(error).__name__)
        return False
    return True
