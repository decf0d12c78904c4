"""Which command menus was Telegram given?"""

from aiosqlite import Connection

from storage.model import Role

EVERYBODY = 0  # in the place of a person: the menu of the whole chat


async def all(db: Connection) -> dict[tuple[int, int], Role]:
    """By chat and person."""
    rows = await db.execute_fetchall("SELECT chat_id, person_id, role FROM menus")
    return {(chat_id, person_id): Role.of(role) for chat_id, person_id, role in rows}


async def one(db: Connection, chat_id: int, person_id: int) -> Role | None:
    rows = await db.execute_fetchall(
        "SELECT role FROM menus WHERE chat_id = ? AND person_id = ?", (chat_id, person_id)
    )
    return next((Role.of(role) for (role,) in rows), None)


async def put(tx: Connection, chat_id: int, person_id: int, role: Role | None) -> None:
    """None: the menu is taken away."""
    if role is None:
        await tx.execute(
            "DELETE FROM menus WHERE chat_id = ? AND person_id = ?", (chat_id, person_id)
        )
    else:
        await tx.execute(
            "INSERT INTO menus VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET role = excluded.role",
            (chat_id, person_id, role.word),
        )
