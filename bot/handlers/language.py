"""/language: in which language does the bot speak in this chat?"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from aiogram import Bot, Router
from aiogram.filters import Command, CommandObject
from aiogram.types import CallbackQuery, Message

from bot import keyboards, languages, menus, places, render, speech
from bot.keyboards import Speak
from bot.speech import say, speaking
from storage import audit, chats
from storage.db import Database
from storage.model import Author

AUTOMATIC = "auto"  # that of the person's Telegram, or of the settings


def register(router: Router) -> None:
    router.message.register(language, Command("language"))
    router.callback_query.register(tapped, Speak.filter())


async def language(
    message: Message,
    command: CommandObject,
    bot: Bot,
    db: Database,
    owners: frozenset[int],
    clock: Callable[[], datetime],
    by: Author,
) -> None:
    text, elsewhere = places.split(command.args or "")
    try:
        place = await places.place_of(message, elsewhere, bot)
    except places.NoSuchChat as error:
        await message.answer(render.safe(say(error)))
        return
    if not text:
        now = speech.LANGUAGES[await languages.language_of(db, place.chat_id)]
        asked = say("{chat}: I speak {language}. Choose another:", chat=place.name, language=now)
        # The buttons are for this chat; another one is named in words.
        keyboard = None if elsewhere else keyboards.languages(speech.LANGUAGES)
        await message.answer(f"{asked}\n{_usage()}", reply_markup=keyboard)
        return
    if (code := read_language(text)) is None:
        unknown = say("I don't speak {language}.", language=render.safe(text[:32]))
        await message.answer(f"{unknown} {_usage()}")
        return
    said = places.said_of(f"language {code}", place, message)
    await message.answer(await _set(bot, db, owners, place, code, by, said, clock()))


async def tapped(
    callback: CallbackQuery,
    callback_data: Speak,
    bot: Bot,
    db: Database,
    owners: frozenset[int],
    clock: Callable[[], datetime],
    by: Author,
) -> None:
    await callback.answer()
    code = read_language(callback_data.code)
    if not isinstance(callback.message, Message) or code is None:
        return
    place = await places.place_of(callback.message, "", bot)
    said = f"language {code}"
    answer = await _set(bot, db, owners, place, code, by, said, clock())
    await callback.message.edit_text(answer)


async def _set(
    bot: Bot,
    db: Database,
    owners: frozenset[int],
    place: places.Place,
    code: str,
    by: Author,
    said: str,
    now: datetime,
) -> str:
    """Choose it; the answer is in the new language, if it is this chat's."""
    async with db.transaction() as tx:
        chat = await chats.one(tx, place.chat_id)
        chosen = None if code == AUTOMATIC else code
        await chats.put(tx, replace(chat, language=chosen))
        await audit.note(tx, by, said, now)
    told = await languages.language_of(db, place.chat_id)
    await menus.renew_language(bot, db, owners, place.chat_id)
    name = speech.LANGUAGES[told]
    if place.chat_id != by.chat_id:
        return say("{chat}: I speak {language} there from now on.", chat=place.name, language=name)
    with speaking(told):
        return say("I speak {language} from now on.", language=name)


def read_language(text: str) -> str | None:
    """`be`, `Беларуская`, `Belarusian` or `auto`, as a code; None: none of ours."""
    wanted = text.strip().casefold()
    if wanted == AUTOMATIC:
        return AUTOMATIC
    for code, name in speech.LANGUAGES.items():
        if wanted in (code, name.casefold(), *_ALSO.get(code, ())):
            return code
    return None


_ALSO = {
    "be": ("belarusian", "па-беларуску", "by"),
    "ru": ("russian", "по-русски"),
    "uk": ("ukrainian", "українською", "ua"),
    "pl": ("polish", "po polsku", "polska"),
}


def _usage() -> str:
    codes = ", ".join(f"<code>/language {code}</code>" for code in speech.LANGUAGES)
    automatic = say("<code>/language auto</code>: that of your Telegram")
    return f"{codes}; {automatic}"
