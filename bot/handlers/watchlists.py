"""/watchlists /watchlist /watch /unwatch /severity: what is looked for?"""

import re
from collections.abc import Callable
from datetime import datetime

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from bot import render
from storage import audit, subscriptions, watchlists
from storage.db import Database
from storage.model import Author, Severity, Term, Watchlist
from watchers.forms import forms_of
from watchers.lint import lint
from watchers.query import Node, Words, parse
from watchers.rule_tokens import RuleError

FORMS_SHOWN = 8
SEVERITIES = {
    Severity.LOW: "low severity, its alerts arrive without a sound",
    Severity.NORMAL: "normal severity",
    Severity.HIGH: "high severity, its alerts go first and come in quiet hours, too",
}
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def make_router() -> Router:
    router = Router(name=__name__)
    router.message.register(list_watchlists, Command("watchlists"))
    router.message.register(show, Command("watchlist"))
    router.message.register(watch, Command("watch"))
    router.message.register(unwatch, Command("unwatch"))
    router.message.register(severity, Command("severity"))
    return router


async def list_watchlists(message: Message, db: Database) -> None:
    lists = await watchlists.all(db.reader)
    told = {s.watchlist_id for s in await subscriptions.of_chat(db.reader, message.chat.id)}
    if not lists:
        await message.answer("There is no watchlist yet: /watch NAME RULE")
    for page in render.pages([_summary(watchlist, watchlist.id in told) for watchlist in lists]):
        await message.answer(page)


def _summary(watchlist: Watchlist, told: bool) -> str:
    terms = "1 term" if len(watchlist.terms) == 1 else f"{len(watchlist.terms)} terms"
    urgent = "" if watchlist.severity is Severity.NORMAL else f" · {watchlist.severity} severity"
    return f"<b>{watchlist.name}</b> – {terms}{urgent}" + (" · this chat is told" if told else "")


async def show(message: Message, command: CommandObject, db: Database) -> None:
    name = (command.args or "").strip()
    watchlist = await watchlists.named(db.reader, name)
    if watchlist is None:
        await message.answer(_unknown(name))
        return
    lines = [f"<b>{watchlist.name}</b>", *map(_term, watchlist.terms)]
    for page in render.pages(lines if watchlist.terms else [*lines, "no terms"]):
        await message.answer(page)


def _term(term: Term) -> str:
    also = f" ({term.kind or 'entity'}): {', '.join(term.aliases)}" if term.is_entity else ""
    unless = f", unless {term.unless}" if term.unless else ""
    return f"• <code>{render.safe(term.name)}</code>{render.safe(also + unless)}"


def _unknown(name: str) -> str:
    if not name:
        return "Which watchlist? /watchlists names them."
    return f"There is no watchlist {render.safe(name[:64])}: /watchlists names them."


async def watch(
    message: Message,
    command: CommandObject,
    db: Database,
    clock: Callable[[], datetime],
    by: Author,
) -> None:
    name, rule = _split(command)
    if not name or not rule:
        await message.answer("Write a watchlist's name and a rule: <code>/watch rail эшелон</code>")
        return
    if not _NAME.fullmatch(name):
        await message.answer("A watchlist's name has up to 64 letters a-z, digits, - and _.")
        return
    try:
        tree = parse(rule)
    except RuleError as error:
        await message.answer(mistake(rule, error))
        return
    done = await _watch(db, message.chat.id, name, rule, clock(), by)
    await message.answer("\n".join([done, *_forms(tree), *_warnings(rule)]))


def _forms(tree: Node) -> list[str]:
    """A taste of what a plain word finds, so that nobody lists its forms by hand."""
    if not isinstance(tree, Words) or tree.exact or len(tree.words) != 1:
        return []
    (word,) = tree.words
    others = sorted(forms_of(word) - {word.casefold()}, key=lambda form: (len(form), form))
    if word.endswith("*") or not others:
        return []
    more = f" and {len(others) - FORMS_SHOWN} more" if len(others) > FORMS_SHOWN else ""
    return [f"It finds also {render.safe(', '.join(others[:FORMS_SHOWN]))}{more}."]


def _warnings(rule: str) -> list[str]:
    return [f"⚠️ {render.safe(warning.message)}" for warning in lint(rule)]


async def _watch(
    db: Database, chat_id: int, name: str, rule: str, now: datetime, by: Author
) -> str:
    async with db.transaction() as tx:
        watchlist = await watchlists.named(tx, name)
        id = watchlist.id if watchlist else await watchlists.create(tx, _empty(name), now)
        new = await watchlists.add_term(tx, id, Term(0, rule), now)
        if new:
            await audit.note(tx, by, f"watch {name} {rule}", now)
        told = id in {s.watchlist_id for s in await subscriptions.of_chat(tx, chat_id)}
    shown = watchlist.name if watchlist else name
    done = "looks for" if new else "looks already for"
    hint = "" if told else f"\nTo be told of its hits here: /subscribe {shown}"
    return f"<b>{shown}</b> {done} <code>{render.safe(rule)}</code>{hint}"


def _empty(name: str) -> Watchlist:
    return Watchlist(0, name, title=name)


async def unwatch(
    message: Message,
    command: CommandObject,
    db: Database,
    clock: Callable[[], datetime],
    by: Author,
) -> None:
    name, rule = _split(command)
    watchlist = await watchlists.named(db.reader, name)
    if watchlist is None:
        await message.answer(_unknown(name))
        return
    async with db.transaction() as tx:
        was = await watchlists.remove_term(tx, watchlist.id, rule, clock())
        if was:
            await audit.note(tx, by, f"unwatch {watchlist.name} {rule}", clock())
    shown = f"<code>{render.safe(rule)}</code>"
    if was:
        await message.answer(f"<b>{watchlist.name}</b> no longer looks for {shown}.")
    else:
        await message.answer(
            f"<b>{watchlist.name}</b> has no term {shown or '…'}: "
            f"<code>/watchlist {watchlist.name}</code> shows them as they are written."
        )


async def severity(
    message: Message,
    command: CommandObject,
    db: Database,
    clock: Callable[[], datetime],
    by: Author,
) -> None:
    name, word = _split(command)
    watchlist = await watchlists.named(db.reader, name)
    if watchlist is None:
        await message.answer(_unknown(name))
    elif word.casefold() not in SEVERITIES:
        await message.answer(
            f"<b>{watchlist.name}</b> has {watchlist.severity} severity. To change that: "
            f"<code>/severity {watchlist.name} low|normal|high</code>"
        )
    else:
        wanted = Severity(word.casefold())
        async with db.transaction() as tx:
            await watchlists.set_severity(tx, watchlist.id, wanted)
            await audit.note(tx, by, f"severity {watchlist.name} {wanted}", clock())
        await message.answer(f"<b>{watchlist.name}</b>: {SEVERITIES[wanted]}.")


def _split(command: CommandObject) -> tuple[str, str]:
    name, _, rule = (command.args or "").strip().partition(" ")
    return name, " ".join(rule.split())


def mistake(rule: str, error: RuleError) -> str:
    """The rule with an arrow at the place, and what to write instead."""
    start = max(0, error.position - 30)
    place = " " * (error.position - start) + "↑"
    return (
        f"That rule can't be read:\n<pre>{render.safe(rule[start : start + 60])}\n{place}</pre>\n"
        f"{render.safe(str(error))}"
    )
