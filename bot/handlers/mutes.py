"""/mute /unmute: what does this chat want to hear nothing of for a while?"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo

from aiogram import Bot, Router
from aiogram.filters import Command, CommandObject
from aiogram.types import Message
from rapidfuzz import process

from bot import keyboards, places, render
from bot.names import plain_name
from bot.periods import read_length
from bot.speech import say, say_number
from storage import audit, channels, chats, mutes, watchlists
from storage.db import Database
from storage.model import Author, Mutable, Mute
from storage.said import Said
from watchers.pipeline import Pipeline
from watchers.references import BadReference, read_reference
from watchers.zones import zone_of

MORNING = time(8)  # in the chat's zone: when tomorrow begins
USUALLY = "8h"  # when no time is given
NAME_LIMIT = 60
NOTHING = Said("Nothing is muted.")
USAGE = Said(
    "<code>/mute rail 8h</code>, <code>/mute @channel 3d</code>, "
    '<code>/mute "эшелон" tomorrow</code>, <code>/mute forever</code> (this whole chat); '
    "<code>/unmute NUMBER</code> or <code>/unmute all</code>"
)
_QUOTES = "\"'“”„«»"


@dataclass(frozen=True, slots=True)
class Target:
    what: Mutable
    id: int
    name: str  # plain


class Unknown(Exception):
    """Nothing is called so; the message is HTML."""


def register(router: Router) -> None:
    router.message.register(mute, Command("mute"))
    router.message.register(unmute, Command("unmute"))


def ends_at(word: str, now: datetime, zone: tzinfo) -> datetime | None:
    """When a mute of `1h`, `3d`, `tomorrow` or `forever` ends; None: never. Raises ValueError."""
    if word == "forever":
        return None
    if word == "tomorrow":
        day = now.astimezone(zone).date() + timedelta(days=1)
        return datetime.combine(day, MORNING, zone).astimezone(UTC)
    period = read_length(word)
    if not period:
        raise ValueError(word)
    return now + period


def split(text: str) -> tuple[str, str | None]:
    """What is to be muted, and for how long if that is said."""
    rest, _, last = text.strip().rpartition(" ")
    word = last.casefold()
    if word in ("forever", "tomorrow") or read_length(word):
        return rest.strip(), word
    return text.strip(), None


async def mute(
    message: Message,
    command: CommandObject,
    bot: Bot,
    db: Database,
    pipeline: Pipeline,
    clock: Callable[[], datetime],
    by: Author,
) -> None:
    said, elsewhere = places.split(command.args or "")
    text, word = split(said)
    try:
        place = await places.known_place(message, elsewhere, bot)
        zone = zone_of(await chats.one(db.reader, place.chat_id), pipeline.zone)
        if not text and word is None:
            await _list(message, db, place.chat_id, clock(), zone)
            return
        targets = await _targets(db, place.chat_id, text)
    except places.NoSuchChat as error:
        await message.answer(render.safe(say(error)))
        return
    except Unknown as error:
        await message.answer(str(error))
        return
    end = ends_at(word or USUALLY, clock(), zone)
    async with db.transaction() as tx:
        for target in targets:
            await mutes.put(tx, Mute(place.chat_id, target.what, target.id, end))
        noted = places.said_of(f"mute {said}", place, message)
        await audit.note(tx, by, noted, clock())
    hint = "" if word else f"\n{say('Another time: {usage}', usage=say(USAGE))}"
    template = Said("🔕 {name}: no alerts here {until}.")
    if elsewhere:
        template = Said("🔕 {name}: no alerts there {until}.")
    done = say(template, name=_named(targets[0]), until=_until(end, zone))
    await message.answer(f"{done}{hint}")


def _named(target: Target) -> str:
    if target.what is Mutable.CHAT:
        return say("The whole chat")
    named = keyboards.named(target.what, f"<b>{render.safe(target.name)}</b>")
    return named[:1].upper() + named[1:]


def _until(end: datetime | None, zone: tzinfo) -> str:
    return say("until {when}", when=render.time_shown(end, zone)) if end else say("for good")


async def _targets(db: Database, chat_id: int, text: str) -> list[Target]:
    """What a person means. A term may stand in several watchlists. Raises Unknown."""
    if not text:
        return [Target(Mutable.CHAT, chat_id, "")]
    lists = await watchlists.all(db.reader)
    for watchlist in lists:
        if watchlist.name.casefold() == text.casefold():
            return [Target(Mutable.WATCHLIST, watchlist.id, watchlist.name)]
    if (channel := await _channel(db, text)) is not None:
        return [channel]
    wanted = {text.casefold(), text.strip(_QUOTES).casefold()}
    terms = [
        Target(Mutable.TERM, term.id, plain_name(term.name, NAME_LIMIT))
        for watchlist in lists
        for term in watchlist.terms
        if term.name.casefold() in wanted
    ]
    if not terms:
        known = [w.name for w in lists] + [term.name for w in lists for term in w.terms]
        raise Unknown(_unknown(text, known))
    return terms


async def _channel(db: Database, text: str) -> Target | None:
    if text[0] in _QUOTES:
        return None
    try:
        reference = read_reference(text)
    except BadReference:
        return None
    ledger = await channels.referred_to(db.reader, reference.username, reference.id)
    if ledger is None:
        return None
    name = f"@{ledger.channel.username}" if ledger.channel.username else ledger.channel.title
    return Target(Mutable.CHANNEL, ledger.channel.id, plain_name(name, NAME_LIMIT))


def _unknown(text: str, known: Iterable[str]) -> str:
    near = process.extractOne(text.strip(_QUOTES), list(known), score_cutoff=70)
    shown = render.safe(plain_name(text, NAME_LIMIT))
    said = say("No watchlist, watched channel or term is called {name}.", name=shown)
    if near:
        known_as = render.safe(near[0])
        said += " " + say("Did you mean <code>{name}</code>?", name=known_as)
    return f"{said}\n{say('Write it like {usage}.', usage=say(USAGE))}"


async def _list(message: Message, db: Database, chat_id: int, now: datetime, zone: tzinfo) -> None:
    muted = await mutes.of_chat(db.reader, chat_id, now)
    names = await mutes.names(db.reader, muted)
    lines = [f"{mute.id}. {_line(mute, names[mute.id], zone)}" for mute in muted]
    for page in render.pages(
        [say("Muted:"), *lines, say(USAGE)] if lines else [say(NOTHING), say(USAGE)]
    ):
        await message.answer(page)


def _line(mute: Mute, name: str, zone: tzinfo) -> str:
    target = Target(mute.what, mute.target, plain_name(name, NAME_LIMIT))
    return f"{_named(target)} {_until(mute.until, zone)}"


async def unmute(
    message: Message,
    command: CommandObject,
    bot: Bot,
    db: Database,
    clock: Callable[[], datetime],
    by: Author,
) -> None:
    word, elsewhere = places.split((command.args or "").casefold())
    try:
        place = await places.known_place(message, elsewhere, bot)
    except places.NoSuchChat as error:
        await message.answer(render.safe(say(error)))
        return
    muted = await mutes.of_chat(db.reader, place.chat_id, clock())
    wanted = muted if word == "all" else [mute for mute in muted if str(mute.id) == word]
    if wanted:
        names = await mutes.names(db.reader, wanted)
        said = ", ".join(f"{mute.what} {names[mute.id]}".strip() for mute in wanted)
        async with db.transaction() as tx:
            for mute in wanted:
                await mutes.remove(tx, place.chat_id, mute.id)
            noted = places.said_of(f"unmute {said}", place, message)
            await audit.note(tx, by, noted, clock())
    await message.answer(_unmuted(word, len(muted), len(wanted)))


def _unmuted(word: str, muted: int, wanted: int) -> str:
    if not muted:
        return say(NOTHING)
    if not word:
        return say("Which one? /mute lists them.")
    if not wanted:
        shown = render.safe(plain_name(word, 20))
        return say("Nothing that is muted has the number {number}: /mute lists them.", number=shown)
    parts = [say("🔔 Its alerts come again.")]
    if muted > wanted:
        left = muted - wanted
        parts.append(
            say_number(
                "{n} more muted: /mute lists them.", "{n} more muted: /mute lists them.", left
            )
        )
    return " ".join([*parts, say("/digest tells what was missed.")])
