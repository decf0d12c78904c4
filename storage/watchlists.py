"""What is watched for?"""

import json
from collections import defaultdict
from dataclasses import replace
from datetime import datetime

from aiosqlite import Connection

from storage.db import stamp
from storage.model import Channel, Severity, Term, Watchlist


async def create(tx: Connection, watchlist: Watchlist, now: datetime) -> int:
    """Make a watchlist without its terms; return its id. The name must be free."""
    done = await tx.execute(
        "INSERT INTO watchlists (name, title, severity, languages, channels, created_at) "
        "VALUES (?, ?, ?, ?, ?, ?)",
        (
            watchlist.name,
            watchlist.title,
            watchlist.severity,
            json.dumps(watchlist.languages),
            json.dumps(watchlist.channels, ensure_ascii=False),
            stamp(now),
        ),
    )
    assert done.lastrowid is not None
    return done.lastrowid


async def add_term(tx: Connection, watchlist_id: int, term: Term, now: datetime) -> bool:
    """False when the watchlist has a term of that name already."""
    done = await tx.execute(
        "INSERT INTO terms (watchlist_id, name, kind, aliases, unless, created_at) "
        "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            watchlist_id,
            term.name,
            term.kind,
            json.dumps(term.aliases, ensure_ascii=False),
            term.unless,
            stamp(now),
        ),
    )
    return done.rowcount > 0


async def follow(tx: Connection, old: str, channel: Channel) -> None:
    """A channel that was @old has another name, or none: those limited to it stay so."""
    new = f"@{channel.username}" if channel.username else str(channel.id)
    for id, written in await tx.execute_fetchall("SELECT id, channels FROM watchlists"):
        names = json.loads(written)
        renamed = [new if n.strip().lstrip("@").lower() == old.lower() else n for n in names]
        if renamed != names:
            await tx.execute(
                "UPDATE watchlists SET channels = ? WHERE id = ?",
                (json.dumps(renamed, ensure_ascii=False), id),
            )


async def put(tx: Connection, watchlist: Watchlist, now: datetime) -> tuple[int, int]:
    """Make a watchlist what it is given as, but keep the terms it has besides.

    Returns its id and how many terms are new or have changed.
    """
    known = await named(tx, watchlist.name)
    id = known.id if known else await create(tx, watchlist, now)
    await tx.execute(
        "UPDATE watchlists SET title = ?, severity = ?, languages = ?, channels = ? WHERE id = ?",
        (
            watchlist.title,
            watchlist.severity,
            json.dumps(watchlist.languages),
            json.dumps(watchlist.channels, ensure_ascii=False),
            id,
        ),
    )
    has = {term.name: replace(term, id=0) for term in known.terms} if known else {}
    changed = 0
    for term in watchlist.terms:
        if has.get(term.name) != replace(term, id=0):
            if term.name in has:
                await remove_term(tx, id, term.name, now)
            changed += await add_term(tx, id, term, now)
    return id, changed


async def set_severity(tx: Connection, watchlist_id: int, severity: Severity) -> None:
    await tx.execute("UPDATE watchlists SET severity = ? WHERE id = ?", (severity, watchlist_id))


async def remove_term(tx: Connection, watchlist_id: int, name: str, now: datetime) -> bool:
    """False when there is no such term. Its hits stay, and what is owed for them is still told."""
    done = await tx.execute(
        "UPDATE terms SET removed_at = ? WHERE watchlist_id = ? AND name = ? AND removed_at IS NULL",
        (stamp(now), watchlist_id, name),
    )
    return done.rowcount > 0


async def named(db: Connection, name: str) -> Watchlist | None:
    """The watchlist of that name, whatever its case."""
    return next((w for w in await all(db) if w.name.casefold() == name.casefold()), None)


async def all(db: Connection) -> list[Watchlist]:
    terms: dict[int, list[Term]] = defaultdict(list)
    for watchlist_id, id, name, kind, aliases, unless in await db.execute_fetchall(
        "SELECT watchlist_id, id, name, kind, aliases, unless FROM terms "
        "WHERE removed_at IS NULL ORDER BY id"
    ):
        terms[watchlist_id].append(Term(id, name, kind, tuple(json.loads(aliases)), unless))
    return [
        Watchlist(
            id,
            name,
            title,
            tuple(terms[id]),
            Severity(severity),
            tuple(json.loads(languages)),
            tuple(json.loads(channels)),
        )
        for id, name, title, severity, languages, channels in await db.execute_fetchall(
            "SELECT id, name, title, severity, languages, channels FROM watchlists ORDER BY name"
        )
    ]


async def revision(db: Connection) -> int:
    """Grows whenever terms, watchlists or the watched channels change."""
    ((number,),) = await db.execute_fetchall("SELECT number FROM revision")
    return int(number)
