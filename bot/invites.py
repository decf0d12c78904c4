"""How does somebody get into the team? With a link that is good once, for a day.

Of its token only a hash is kept: who reads the database can't use it.
"""

import hashlib
import re
import secrets
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import datetime, timedelta

from aiosqlite import Connection

from bot import notices
from storage import audit, team
from storage.db import Database
from storage.model import Author, Invite, Role
from storage.said import Said

GOOD_FOR = timedelta(hours=24)
GUESSES = 5  # wrong tokens of one person …
GUESS_WINDOW = 3600.0  # … in so many seconds; then none of theirs is looked at
REMEMBERED = 1000  # persons who guess
_TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")


class Guesses:
    """How often did somebody come with a token that is worth nothing?"""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self._failed: OrderedDict[int, deque[float]] = OrderedDict()

    def may(self, person_id: int) -> bool:
        times = self._failed.get(person_id, deque())
        while times and self._seconds() - times[0] >= GUESS_WINDOW:
            times.popleft()
        return len(times) < GUESSES

    def failed(self, person_id: int) -> None:
        self._failed.setdefault(person_id, deque()).append(self._seconds())
        self._failed.move_to_end(person_id)
        while len(self._failed) > REMEMBERED:
            self._failed.popitem(last=False)


async def make(tx: Connection, role: Role, by: Author, now: datetime) -> str:
    """The token of a new invite."""
    assert by.person_id is not None
    token = secrets.token_urlsafe(24)
    await team.invite(tx, Invite(_hash(token), role, by.person_id, now + GOOD_FOR), now)
    await audit.note(tx, by, f"invite {role.word}", now)
    return token


async def find(db: Connection, owners: frozenset[int], token: str, now: datetime) -> Invite | None:
    """The invite that a token stands for; it dies with the ownership of whoever made it."""
    if not _TOKEN.fullmatch(token):
        return None
    invite = await team.invited(db, _hash(token), now)
    return invite if invite and invite.made_by in owners else None


async def accept(
    db: Database, owners: frozenset[int], token: str, person_id: int, name: str, now: datetime
) -> Role | None:
    """Use an invite up: its bearer gets the role. None when the token is worth nothing, or its
    role is not above the one they have."""
    if await find(db.reader, owners, token, now) is None:
        return None
    async with db.transaction() as tx:
        invite = await find(tx, owners, token, now)
        person = await team.one(tx, person_id)
        if invite is None or (person and person.role >= invite.role):
            return None
        await team.use_up(tx, invite.hash)
        await team.put(tx, person_id, name, invite.role, now)
        by = Author(person_id, name, person_id)
        await audit.note(tx, by, f"start: joins as {invite.role.word}", now)
        joined = Said(
            "{name} ({number}) used an invite and is {role} now. /team",
            name=name,
            number=person_id,
            role=invite.role.word,
        )
        await notices.owe(tx, owners, joined, now)
    return invite.role


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
