"""What became of a watched channel? Its owners are told once, and again when it recovers.

Nothing is asked for this: what Telegram says of a channel comes along with every page of its
history, and a push that it changed makes it the next one to be looked at.
"""

from storage import channels
from storage.db import Database
from storage.model import Ledger
from watchers.standing import (
    Standing,
    changed,
    marked,
    readable_again,
    renamed,
    unreadable,
)


async def note(
    db: Database, ledger: Ledger, standing: Standing | None, trouble: str | None
) -> list[str]:
    """Keep what a look showed, `trouble` being why it failed; return what owners are to be told."""
    now = changed(ledger.channel, standing) if standing else ledger.channel
    mark = ledger.mark if standing is None or standing.mark is None else standing.mark or None
    told: list[str | None] = []
    if (now, mark, trouble) == (ledger.channel, ledger.mark, ledger.trouble):
        return []
    async with db.transaction() as tx:
        if now != ledger.channel and await channels.rename(tx, now):
            told.append(renamed(ledger.channel, now))
        if await channels.set_mark(tx, now.id, mark):
            told.append(marked(now, mark))
        if await channels.set_trouble(tx, now.id, trouble) and trouble is not None:
            told.append(unreadable(now, trouble))
    if trouble is None and ledger.trouble is not None:
        told.append(readable_again(ledger))
    return [text for text in told if text]
