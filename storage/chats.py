"""Where does the bot talk, may it at present, and how does the chat want it?"""

from datetime import datetime, time

from aiosqlite import Connection

from storage.db import stamp
from storage.model import Chat, Role

_COLUMNS = "id, zone, quiet_from, quiet_to, language, spoken"


async def ensure(tx: Connection, chat_id: int) -> None:
    await tx.execute("INSERT INTO chats (id) VALUES (?) ON CONFLICT DO NOTHING", (chat_id,))


async def pause(tx: Connection, chat_id: int, reason: str, now: datetime) -> bool:
    """Stop sending there; what is owed is kept. False when it was paused already."""
    news = await tx.execute_fetchall(
        "SELECT 1 FROM chats WHERE id = ? AND paused_at IS NULL", (chat_id,)
    )
    await tx.execute(
        "UPDATE chats SET paused_at = ?, paused_reason = ? WHERE id = ?",
        (stamp(now), reason, chat_id),
    )
    return bool(list(news))


async def all(db: Connection) -> dict[int, Chat]:
    rows = await db.execute_fetchall(f"SELECT {_COLUMNS} FROM chats")
    return {row[0]: _from_row(*row) for row in rows}


async def one(db: Connection, chat_id: int) -> Chat:
    rows = await db.execute_fetchall(f"SELECT {_COLUMNS} FROM chats WHERE id = ?", (chat_id,))
    return next((_from_row(*row) for row in rows), Chat(chat_id))


async def put(tx: Connection, chat: Chat) -> None:
    """Remember how a chat wants to be told."""
    await ensure(tx, chat.id)
    quiet = [f"{at:%H:%M}" for at in chat.quiet] if chat.quiet else [None, None]
    await tx.execute(
        "UPDATE chats SET zone = ?, quiet_from = ?, quiet_to = ?, language = ?, spoken = ? WHERE id = ?",
        (chat.zone, *quiet, chat.language, chat.spoken, chat.id),
    )


def _from_row(
    id: int,
    zone: str | None,
    start: str | None,
    end: str | None,
    language: str | None,
    spoken: str | None,
) -> Chat:
    quiet = (time.fromisoformat(start), time.fromisoformat(end)) if start and end else None
    return Chat(id, zone, quiet, language, spoken)


async def role_of(db: Connection, chat_id: int) -> Role | None:
    """What everybody in that group may do there at least."""
    rows = await db.execute_fetchall(
        "SELECT role FROM chats WHERE id = ? AND role IS NOT NULL", (chat_id,)
    )
    return next((Role.of(role) for (role,) in rows), None)


async def set_role(tx: Connection, chat_id: int, role: Role | None) -> None:
    await ensure(tx, chat_id)
    word = role.word if role else None
    await tx.execute("UPDATE chats SET role = ? WHERE id = ?", (word, chat_id))


async def roles(db: Connection) -> dict[int, Role]:
    """Of the groups that have one."""
    rows = await db.execute_fetchall("SELECT id, role FROM chats WHERE role IS NOT NULL")
    return {chat_id: Role.of(role) for chat_id, role in rows}


async def resume(tx: Connection, chat_id: int) -> bool:
    """The bot may write there again. False when it was not paused."""
    done = await tx.execute(
        "UPDATE chats SET paused_at = NULL, paused_reason = NULL "
        "WHERE id = ? AND paused_at IS NOT NULL",
        (chat_id,),
    )
    return done.rowcount > 0


async def migrate(tx: Connection, old_id: int, new_id: int) -> None:
    """A group became a supergroup: all that it has and is owed goes to the new id."""
    await tx.execute(
        "UPDATE mutes SET target = ? WHERE what = 'chat' AND chat_id = ?", (new_id, old_id)
    )
    rows = await tx.execute_fetchall("SELECT 1 FROM chats WHERE id = ?", (new_id,))
    if not list(rows):
        await tx.execute("UPDATE chats SET id = ? WHERE id = ?", (new_id, old_id))
        return
    # What the new id has already stays.
    await tx.execute(
        "UPDATE chats SET zone = coalesce(chats.zone, old.zone), "
        "quiet_from = iif(chats.quiet_from IS NULL, old.quiet_from, chats.quiet_from), "
        "quiet_to = iif(chats.quiet_from IS NULL, old.quiet_to, chats.quiet_to), "
        "role = coalesce(chats.role, old.role), "
        "language = coalesce(chats.language, old.language) "
        "FROM chats AS old WHERE chats.id = ? AND old.id = ?",
        (new_id, old_id),
    )
    for table in ("subscriptions", "outbox_hits", "outbox", "backfills", "mutes"):
        await tx.execute(
            f"UPDATE OR IGNORE {table} SET chat_id = ? WHERE chat_id = ?", (new_id, old_id)
        )


async def is_paused(db: Connection, chat_id: int) -> bool:
    rows = await db.execute_fetchall(
        "SELECT 1 FROM chats WHERE id = ? AND paused_at IS NOT NULL", (chat_id,)
    )
    return bool(list(rows))


async def paused(db: Connection) -> list[tuple[int, str]]:
    """(chat id, why) of each chat the bot may not write to."""
    rows = await db.execute_fetchall(
        "SELECT id, paused_reason FROM chats WHERE paused_at IS NOT NULL ORDER BY id"
    )
    return [(chat_id, reason) for chat_id, reason in rows]
