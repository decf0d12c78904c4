"""What do monitors say of hits: useful, or noise?"""

from collections.abc import Iterable
from datetime import datetime

from aiosqlite import Connection

from storage.db import stamp
from storage.model import Hit, Verdict


async def give(tx: Connection, hits: Iterable[Hit], verdict: Verdict, now: datetime) -> bool:
    """One person's word on these hits; a later one replaces it. False when it changed nothing."""
    done = await tx.executemany(
        "INSERT INTO verdicts VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET "
        "person = excluded.person, useful = excluded.useful, given_at = excluded.given_at "
        "WHERE useful <> excluded.useful OR person <> excluded.person",
        [
            (
                hit.channel_id,
                hit.message_id,
                hit.term_id,
                verdict.person_id,
                verdict.person,
                int(verdict.useful),
                stamp(now),
            )
            for hit in hits
        ],
    )
    return done.rowcount > 0


async def of_delivery(db: Connection, delivery_id: int) -> dict[tuple[int, int], list[Verdict]]:
    """By post, the first given first; of each person one."""
    rows = await db.execute_fetchall(
        """
        SELECT channel_id, message_id, person_id, person, max(useful)
        FROM outbox_hits JOIN verdicts USING (channel_id, message_id, term_id)
        WHERE delivery_id = ?
        GROUP BY channel_id, message_id, person_id ORDER BY min(given_at), person_id
        """,
        (delivery_id,),
    )
    found: dict[tuple[int, int], list[Verdict]] = {}
    for channel_id, message_id, person_id, person, useful in rows:
        verdict = Verdict(person_id, person, bool(useful))
        found.setdefault((channel_id, message_id), []).append(verdict)
    return found
