"""How does an owner get from nothing to the first alert? In five taps, each of which may be repeated."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo
from typing import Any

from aiogram import F, Router
from aiogram.types import CallbackQuery, InlineKeyboardMarkup, Message

from bot import keyboards, render
from bot.handlers.channels import add_channel
from bot.keyboards import Guide, Step
from bot.match import read_watchlists
from bot.speech import say
from storage import audit, subscriptions, watchlists
from storage.db import Database
from storage.model import Author, Channel, Entry, Finding, Post, Subscription, Watchlist
from storage.said import Said
from watchers.matching import Matcher
from watchers.schedules import last_slot
from watchers.sources import Sources

PACK = "belarus"
# What one may want to hear of: watchlists of the pack. None: all of them.
TOPICS: dict[str, tuple[Said, tuple[str, ...] | None]] = {
    "rail": (
        Said("🚆 Railways and military trains"),
        ("railways", "military-transport", "sabotage"),
    ),
    "air": (Said("✈️ Airfields, strikes, drones"), ("airfields", "strikes", "equipment")),
    "people": (Said("⚖️ Repression, people, border"), ("repression", "people", "border")),
    "all": (Said("📚 All fourteen watchlists"), None),
}
CHANNELS = ("belzhd_live", "Hajun_BY", "nexta_live")  # public, and on what the pack is about
SCHEDULES = {
    "now": (Said("🔔 Every hit at once"), "now"),
    "daily": (Said("📋 A digest every day at 08:00"), "daily 08:00"),
}
SAMPLES = (
    "Вечером на станцию Барановичи прибыл воинский эшелон с техникой.",
    "С аэродрома Мачулищи взлетел Ил-76, в небе слышны взрывы: работает ПВО, сбит беспилотник.",
    "Суд в Минске: задержан журналист, на границе закрыт пункт пропуска Брест.",
)

ASK_TOPIC = Said(
    "<b>1 of 4</b> · What do you want to hear of? Each brings ready-made watchlists; "
    "any word can be added or taken away later."
)
ASK_CHANNELS = Said(
    "<b>2 of 4</b> · Which channels shall I watch? I can begin with {names}. "
    "Your own: <code>/add @channel</code>, as many as you like, then tap on."
)
ASK_SCHEDULE = Said(
    "<b>3 of 4</b> · How shall I tell you, in this chat? For a group, add me there and say "
    "<code>/subscribe NAME</code> in it."
)
ASK_TEST = Said("<b>4 of 4</b> · You are told of: {names}. See how an alert looks:")
DONE = Said(
    "🧪 That was a made-up post. From now on real ones come by themselves; a new channel is watched from "
    "its next post on. /channels shows how complete each is, /help all that I can do."
)


def register(router: Router) -> None:
    steps: dict[Step, Callable[..., Any]] = {
        Step.BEGIN: choose_topic,
        Step.TOPIC: choose_channels,
        Step.CHANNELS: choose_schedule,
        Step.SCHEDULE: subscribe,
        Step.TEST: show_test,
    }
    for step, handler in steps.items():
        router.callback_query.register(handler, Guide.filter(F.step == step))


async def choose_topic(callback: CallbackQuery) -> None:
    choices = [
        (say(label), Guide(step=Step.TOPIC, choice=key)) for key, (label, _) in TOPICS.items()
    ]
    await _ask(callback, say(ASK_TOPIC), keyboards.choices(choices))


async def choose_channels(
    callback: CallbackQuery,
    callback_data: Guide,
    db: Database,
    clock: Callable[[], datetime],
    by: Author,
) -> None:
    for watchlist in await _chosen(callback_data.choice):
        async with db.transaction() as tx:
            _, changed = await watchlists.put(tx, watchlist, clock())
            if changed:
                await audit.note(tx, by, f"watchlist {watchlist.name} of the pack", clock())
    choices = [
        (
            say("➕ Begin with these"),
            Guide(step=Step.CHANNELS, choice=callback_data.choice, add=True),
        ),
        (say("Only my own"), Guide(step=Step.CHANNELS, choice=callback_data.choice)),
    ]
    names = ", ".join(f"@{name}" for name in CHANNELS)
    await _ask(callback, say(ASK_CHANNELS, names=names), keyboards.choices(choices))


async def _chosen(topic: str) -> Sequence[Watchlist]:
    if topic not in TOPICS:  # made up
        return ()
    names = TOPICS[topic][1]
    pack = await asyncio.to_thread(read_watchlists, PACK)
    return [watchlist for watchlist in pack if names is None or watchlist.name in names]


async def choose_schedule(
    callback: CallbackQuery,
    callback_data: Guide,
    db: Database,
    sources: Sources,
    clock: Callable[[], datetime],
    by: Author,
) -> None:
    await callback.answer()  # at once: names are looked up at Telegram
    said = [
        (await add_channel(name, db, sources, clock, by))[0]
        for name in (CHANNELS if callback_data.add else ())
    ]
    choices = [
        (say(label), Guide(step=Step.SCHEDULE, choice=callback_data.choice, schedule=key))
        for key, (label, _) in SCHEDULES.items()
    ]
    if isinstance(callback.message, Message):
        text = "\n".join([*said, "", say(ASK_SCHEDULE)]).lstrip()
        await callback.message.answer(text, reply_markup=keyboards.choices(choices))


async def subscribe(
    callback: CallbackQuery,
    callback_data: Guide,
    db: Database,
    clock: Callable[[], datetime],
    zone: tzinfo,
    by: Author,
) -> None:
    wanted = [watchlist.name for watchlist in await _chosen(callback_data.choice)]
    stored = [one for one in await watchlists.all(db.reader) if one.name in wanted]
    _, schedule = SCHEDULES.get(callback_data.schedule, SCHEDULES["now"])
    assert callback.message is not None
    async with db.transaction() as tx:
        for watchlist in stored:
            wish = Subscription(watchlist.id, callback.message.chat.id, schedule)
            await subscriptions.put(tx, wish, clock())
            if schedule != "now":
                await subscriptions.skip_slot(tx, wish, last_slot(schedule, clock(), zone))
            await audit.note(tx, by, f"subscribe {watchlist.name} {schedule}", clock())
    choices = [(say("🧪 Show me"), Guide(step=Step.TEST, choice=callback_data.choice))]
    names = ", ".join(watchlist.name for watchlist in stored)
    await _ask(callback, say(ASK_TEST, names=names), keyboards.choices(choices))


async def show_test(
    callback: CallbackQuery,
    callback_data: Guide,
    db: Database,
    clock: Callable[[], datetime],
    zone: tzinfo,
) -> None:
    """A made-up post goes the way of a real one, up to what is stored."""
    lists = await watchlists.all(db.reader)
    matcher = await asyncio.to_thread(Matcher, lists)
    names = {t.id: (one.name, t.name) for one in lists for t in one.terms}
    channel = Channel(0, "telegram", say("A made-up channel"))
    await callback.answer()
    if not isinstance(callback.message, Message):
        return
    for text in SAMPLES:
        post = Post(0, 1, clock(), text)
        findings = tuple(Finding(hit, *names[hit.term_id]) for hit in matcher.match(post))
        if findings:
            await callback.message.answer(render.alert([Entry(channel, post, findings)], zone))
            break
    await callback.message.answer(say(DONE))


async def _ask(callback: CallbackQuery, text: str, keyboard: InlineKeyboardMarkup) -> None:
    """The next question; as a message of its own, so that what was said can be read again."""
    await callback.answer()
    if isinstance(callback.message, Message):
        await callback.message.answer(text, reply_markup=keyboard)
