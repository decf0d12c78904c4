"""/team: who belongs to the team, and what may they do?"""

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, tzinfo

from aiogram import Bot, Router
from aiogram.exceptions import TelegramAPIError
from aiogram.filters import Command, CommandObject
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message, User

from bot import keyboards, menus, render
from bot.handlers.invites import OWNERS
from bot.keyboards import Change, Fate, Teammate
from bot.names import plain_name, toast
from bot.speech import say
from bot.standing import NAME_LIMIT, name_of
from storage import audit, chats, team
from storage.db import Database
from storage.model import Author, Person, Role
from storage.said import Said

USAGE = Said(
    "<code>/team NUMBER viewer|member|operator|remove</code>, or in a group as an answer to "
    "somebody of the team: <code>/team member</code>. <code>/invite member</code> takes in another."
)
GONE = Said("They are not in the team any more.")


def register(router: Router) -> None:
    router.message.register(team_command, Command("team"))
    router.callback_query.register(choose, Teammate.filter())
    router.callback_query.register(change, Change.filter())


async def team_command(
    message: Message,
    command: CommandObject,
    bot: Bot,
    db: Database,
    owners: frozenset[int],
    clock: Callable[[], datetime],
    zone: tzinfo,
    by: Author,
) -> None:
    words = (command.args or "").casefold().split()
    if not words:
        if message.chat.type == "private":
            await _list(message, bot, db, owners, clock(), zone)
        else:
            await message.answer(f"{say('In our private chat /team lists them.')}\n{say(USAGE)}")
        return
    try:
        fate = Fate(words[-1])
        person = await _meant(message, words[:-1], db, owners)
    except (ValueError, NobodyMeant) as error:
        await message.answer(str(error) if isinstance(error, NobodyMeant) else say(USAGE))
        return
    await message.answer(render.safe(await _change(bot, db, owners, person, fate, by, clock())))


class NobodyMeant(Exception):
    """The message, HTML, says what to do."""


async def _meant(
    message: Message, words: list[str], db: Database, owners: frozenset[int]
) -> Person:
    """By their number, or by the message that is answered. Raises NobodyMeant."""
    if words:
        if len(words) > 1 or not words[0].isdecimal() or len(words[0]) > 9:
            raise NobodyMeant(say(USAGE))
        person = await team.numbered(db.reader, int(words[0]))
        number = int(words[0])
        missing = say(
            "Nobody of the team has the number {number}: /team lists them.", number=number
        )
    else:
        user = _answered(message)
        if user is None:
            raise NobodyMeant(say("Of whom? {usage}", usage=say(USAGE)))
        if user.id in owners:
            raise NobodyMeant(say(OWNERS))
        person = await team.one(db.reader, user.id)
        missing = say(
            "{name} is not in the team: send them a link, in our private chat "
            "<code>/invite member</code> makes one.",
            name=render.safe(name_of(user)),
        )
    if person is None:
        raise NobodyMeant(missing)
    return person


def _answered(message: Message) -> User | None:
    """Who wrote what is answered. In a topic Telegram lets everything answer to its opening."""
    answered = message.reply_to_message
    if answered is None or answered.sender_chat is not None:
        return None
    if answered.forum_topic_created or answered.message_id == message.message_thread_id:
        return None
    return answered.from_user


async def _change(
    bot: Bot,
    db: Database,
    owners: frozenset[int],
    person: Person,
    fate: Fate,
    by: Author,
    now: datetime,
) -> str:
    """Plain text that says what became of them."""
    async with db.transaction() as tx:
        present = await team.one(tx, person.id)
        if present is None:
            return say(GONE)
        if fate.role is present.role:
            return say("{name} is {role} already.", name=person.name, role=fate)
        if fate.role is not None:
            await team.put(tx, person.id, person.name, fate.role, now)
        else:
            await team.remove(tx, person.id)
            if person.id not in owners:
                await team.dismiss(tx, person.id)
        await audit.note(tx, by, f"team {person.name} ({person.id}) {fate}", now)
    await menus.renew_person(bot, db, owners, person.id)
    if fate is Fate.REMOVE:
        open_ones = await team.invites(db.reader, now)
        done = say("{name} is not in the team any more.", name=person.name)
        hint = say("Open invites are still good: /invite off ends them.")
        return f"{done} {hint}" if open_ones else done
    return say("{name} is {role} from now on.", name=person.name, role=fate)


async def _list(
    message: Message, bot: Bot, db: Database, owners: frozenset[int], now: datetime, zone: tzinfo
) -> None:
    *some, last = render.pages(await _lines(bot, db, owners, now, zone))
    for page in some:
        await message.answer(page)
    await message.answer(last, reply_markup=await _keyboard(db, owners))


async def _keyboard(db: Database, owners: frozenset[int]) -> InlineKeyboardMarkup:
    return keyboards.teammates(one for one in await team.all(db.reader) if one.id not in owners)


async def _lines(
    bot: Bot, db: Database, owners: frozenset[int], now: datetime, zone: tzinfo
) -> list[str]:
    people = [person for person in await team.all(db.reader) if person.id not in owners]
    invited = await team.invites(db.reader, now)
    return [
        *[f"👑 {await _owner(bot, id)} – {Role.OWNER.word}" for id in sorted(owners)],
        *[
            say(
                "{number}. {name} (<code>{id}</code>) – {role}, since {day}",
                number=one.number,
                name=render.safe(one.name),
                id=one.id,
                role=one.role.word,
                day=render.date_shown(one.since, zone),
            )
            for one in people
        ],
        *[
            say(
                "👥 Group <code>{chat}</code> – everybody there is at least {role}",
                chat=chat_id,
                role=role.word,
            )
            for chat_id, role in sorted((await chats.roles(db.reader)).items())
        ],
        *[
            say(
                "✉️ an open invite – {role}, until {when}",
                role=one.role.word,
                when=render.time_shown(one.expires_at, zone),
            )
            for one in invited
        ],
        say(USAGE),
    ]


async def _owner(bot: Bot, id: int) -> str:
    """Telegram knows what they are called, if they have ever written to the bot."""
    name = ""
    with suppress(TelegramAPIError):
        name = plain_name((await bot.get_chat(id)).full_name, NAME_LIMIT)
    return f"{render.safe(name)} (<code>{id}</code>)" if name else f"<code>{id}</code>"


async def choose(
    callback: CallbackQuery,
    callback_data: Teammate,
    bot: Bot,
    db: Database,
    owners: frozenset[int],
) -> None:
    person = await team.numbered(db.reader, callback_data.number)
    if person is None and callback_data.number:
        await callback.answer(say(GONE))
        return
    keyboard = keyboards.teammate(person) if person else await _keyboard(db, owners)
    await _show(callback, bot, keyboard)
    await callback.answer()


async def change(
    callback: CallbackQuery,
    callback_data: Change,
    bot: Bot,
    db: Database,
    owners: frozenset[int],
    clock: Callable[[], datetime],
    zone: tzinfo,
    by: Author,
) -> None:
    person = await team.numbered(db.reader, callback_data.number)
    if person is None:
        await callback.answer(say(GONE))
        return
    done = await _change(bot, db, owners, person, callback_data.fate, by, clock())
    *_, last = render.pages(await _lines(bot, db, owners, clock(), zone))
    await _show(callback, bot, await _keyboard(db, owners), last)
    await callback.answer(toast(done))


async def _show(
    callback: CallbackQuery, bot: Bot, keyboard: InlineKeyboardMarkup, html: str | None = None
) -> None:
    """A message that Telegram does not let be changed any more stays as it was."""
    assert callback.message is not None
    chat_id, message_id = callback.message.chat.id, callback.message.message_id
    with suppress(TelegramAPIError):
        if html is None:
            await bot.edit_message_reply_markup(
                chat_id=chat_id, message_id=message_id, reply_markup=keyboard
            )
        else:
            await bot.edit_message_text(
                html, chat_id=chat_id, message_id=message_id, reply_markup=keyboard
            )
