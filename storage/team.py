"""Who belongs to the team, with which role, and who is invited?"""

from datetime import datetime

from aiosqlite import Connection

from storage import outbox, subscriptions
from storage.db import moment, stamp
from storage.model import Invite, Person, Role

_COLUMNS = "number, person_id, name, role, since"


async def all(db: Connection) -> list[Person]:
    rows = await db.execute_fetchall(f"SELECT {_COLUMNS} FROM team ORDER BY number")
    return [_from_row(*row) for row in rows]


async def one(db: Connection, person_id: int) -> Person | None:
    rows = await db.execute_fetchall(
        f"SELECT {_COLUMNS} FROM team WHERE person_id = ?", (person_id,)
    )
    return next((_from_row(*row) for row in rows), None)


async def numbered(db: Connection, number: int) -> Person | None:
    rows = await db.execute_fetchall(f"SELECT {_COLUMNS} FROM team WHERE number = ?", (number,))
    return next((_from_row(*row) for row in rows), None)


async def put(tx: Connection, person_id: int, name: str, role: Role, now: datetime) -> None:
    """Take somebody into the team, or change the role of one who is in it."""
    await tx.execute(
        "INSERT INTO team (person_id, name, role, since) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (person_id) DO UPDATE SET name = excluded.name, role = excluded.role",
        (person_id, name, role.word, stamp(now)),
    )


async def remove(tx: Connection, person_id: int) -> bool:
    """Put somebody out of the team. False when they were not in it."""
    done = await tx.execute("DELETE FROM team WHERE person_id = ?", (person_id,))
    return done.rowcount > 0


async def dismiss(tx: Connection, person_id: int) -> None:
    """Who has no role any more is told nothing more in private."""
    await subscriptions.remove_all(tx, person_id)
    await outbox.abandon(tx, person_id, "not of the team any more")


async def invite(tx: Connection, invite: Invite, now: datetime) -> None:
    await tx.execute("DELETE FROM invites WHERE expires_at <= ?", (stamp(now),))
    await tx.execute(
        "INSERT INTO invites (hash, role, made_by, expires_at) VALUES (?, ?, ?, ?)",
        (invite.hash, invite.role.word, invite.made_by, stamp(invite.expires_at)),
    )


async def invited(db: Connection, hash: str, now: datetime) -> Invite | None:
    """The invite with that hash, if it is still good."""
    return next((one for one in await invites(db, now) if one.hash == hash), None)


async def use_up(tx: Connection, hash: str) -> bool:
    """An invite is good once. False when it was used before."""
    done = await tx.execute("DELETE FROM invites WHERE hash = ?", (hash,))
    return done.rowcount > 0


async def invites(db: Connection, now: datetime) -> list[Invite]:
    """Those that are still good."""
    rows = await db.execute_fetchall(
        "SELECT hash, role, made_by, expires_at FROM invites WHERE expires_at > ? "
        "ORDER BY expires_at",
        (stamp(now),),
    )
    return [Invite(hash, Role.of(role), by, moment(end)) for hash, role, by, end in rows]


async def withdraw(tx: Connection) -> int:
    """Make every invite worthless; return how many there were."""
    return (await tx.execute("DELETE FROM invites")).rowcount


def _from_row(number: int, person_id: int, name: str, role: str, since: str) -> Person:
    return Person(number, person_id, name, Role.of(role), moment(since))
