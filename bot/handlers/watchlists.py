"""/watchlists /watchlist /watch /unwatch /severity: what is looked for?"""

import re
from collections.abc import Callable
from datetime import datetime

from aiogram import Router
from aiogram.filters import Command, CommandObject
from aiogram.types import Message

from bot import render
from bot.speech import say, say_number
from storage import audit, subscriptions, watchlists
from storage.db import Database
from storage.model import Author, Severity, Term, Watchlist
from storage.said import Said
from watchers.forms import forms_of
from watchers.lint import lint
from watchers.query import Node, Words, parse
from watchers.rule_tokens import RuleError

FORMS_SHOWN = 8
SEVERITIES = {
    Severity.LOW: Said("low severity, its alerts arrive without a sound"),
    Severity.NORMAL: Said("normal severity"),
    Severity.HIGH: Said("high severity, its alerts go first and come in quiet hours, too"),
}
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


def register(router: Router) -> None:
    router.message.register(list_watchlists, Command("watchlists"))
    router.message.register(show, Command("watchlist"))
    router.message.register(watch, Command("watch"))
    router.message.register(unwatch, Command("unwatch"))
    router.message.register(severity, Command("severity"))


async def list_watchlists(message: Message, db: Database) -> None:
    lists = await watchlists.all(db.reader)
    told = {s.watchlist_id for s in await subscriptions.of_chat(db.reader, message.chat.id)}
    if not lists:
        await message.answer(say("There is no watchlist yet: /watch NAME RULE"))
    for page in render.pages([_summary(watchlist, watchlist.id in told) for watchlist in lists]):
        await message.answer(page)


def _summary(watchlist: Watchlist, told: bool) -> str:
    parts = [say_number("{n} term", "{n} terms", len(watchlist.terms))]
    if watchlist.severity is not Severity.NORMAL:
        parts.append(say("{severity} severity", severity=watchlist.severity))
    if told:
        parts.append(say("this chat is told"))
    return f"<b>{watchlist.name}</b> – {' · '.join(parts)}"


async def show(message: Message, command: CommandObject, db: Database) -> None:
    name = (command.args or "").strip()
    watchlist = await watchlists.named(db.reader, name)
    if watchlist is None:
        await message.answer(_unknown(name))
        return
    lines = [f"<b>{watchlist.name}</b>", *map(_term, watchlist.terms)]
    for page in render.pages(lines if watchlist.terms else [*lines, say("no terms")]):
        await message.answer(page)


def _term(term: Term) -> str:
    kind = term.kind or say("entity")
    also = f" ({kind}): {', '.join(term.aliases)}" if term.is_entity else ""
    unless = say(", unless {rule}", rule=term.unless) if term.unless else ""
    return f"• <code>{render.safe(term.name)}</code>{render.safe(also + unless)}"


def _unknown(name: str) -> str:
    if not name:
        return say("Which watchlist? /watchlists names them.")
    shown = render.safe(name[:64])
    return say("There is no watchlist {name}: /watchlists names them.", name=shown)


async def watch(
    message: Message,
    command: CommandObject,
    db: Database,
    clock: Callable[[], datetime],
    by: Author,
) -> None:
    name, rule = _split(command)
    if not name or not rule:
        await message.answer(
            say("Write a watchlist's name and a rule: <code>/watch rail эшелон</code>")
        )
        return
    if not _NAME.fullmatch(name):
        await message.answer(say("A watchlist's name has up to 64 letters a-z, digits, - and _."))
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
    shown = render.safe(", ".join(others[:FORMS_SHOWN]))
    if (more := len(others) - FORMS_SHOWN) > 0:
        shown = say("{some} and {number} more", some=shown, number=more)
    return [say("It finds also {forms}.", forms=shown)]


def _warnings(rule: str) -> list[str]:
    return [f"⚠️ {render.safe(say(warning.message))}" for warning in lint(rule)]


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
    template = Said("<b>{watchlist}</b> looks already for <code>{rule}</code>")
    if new:
        template = Said("<b>{watchlist}</b> looks for <code>{rule}</code>")
    done = say(template, watchlist=shown, rule=render.safe(rule))
    if told:
        return done
    hint = say("To be told of its hits here: /subscribe {watchlist}", watchlist=shown)
    return f"{done}\n{hint}"


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
    name, shown = watchlist.name, f"<code>{render.safe(rule)}</code>"
    if was:
        await message.answer(
            say("<b>{watchlist}</b> no longer looks for {rule}.", watchlist=name, rule=shown)
        )
    else:
        await message.answer(
            say(
                "<b>{watchlist}</b> has no term {rule}: <code>/watchlist {watchlist}</code> shows "
                "them as they are written.",
                watchlist=name,
                rule=shown,
            )
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
            say(
                "<b>{watchlist}</b> has {severity} severity. To change that: "
                "<code>/severity {watchlist} low|normal|high</code>",
                watchlist=watchlist.name,
                severity=watchlist.severity,
            )
        )
    else:
        wanted = Severity(word.casefold())
        async with db.transaction() as tx:
            await watchlists.set_severity(tx, watchlist.id, wanted)
            await audit.note(tx, by, f"severity {watchlist.name} {wanted}", clock())
        await message.answer(f"<b>{watchlist.name}</b>: {say(SEVERITIES[wanted])}.")


def _split(command: CommandObject) -> tuple[str, str]:
    name, _, rule = (command.args or "").strip().partition(" ")
    return name, " ".join(rule.split())


def mistake(rule: str, error: RuleError) -> str:
    """The rule with an arrow at the place, and what to write instead."""
    start = max(0, error.position - 30)
    place = " " * (error.position - start) + "↑"
    lines = [
        say("That rule can't be read:"),
        f"<pre>{render.safe(rule[start : start + 60])}\n{place}</pre>",
        render.safe(say(error)),
    ]
    return "\n".join(lines)
