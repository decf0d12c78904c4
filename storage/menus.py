"""Which command menus was Telegram given?"""

from typing import NamedTuple

from aiosqlite import Connection

from storage.model import Role

EVERYBODY = 0  # in the place of a person: the menu of the whole chat


class Menu(NamedTuple):
    role: Role
    language: str


async def all(db: Connection) -> dict[tuple[int, int], Menu]:
    """By chat and person."""
    rows = await db.execute_fetchall("SELECT chat_id, person_id, role, language FROM menus")
    return {
        (chat_id, person_id): Menu(Role.of(role), said) for chat_id, person_id, role, said in rows
    }


async def one(db: Connection, chat_id: int, person_id: int) -> Menu | None:
    rows = await db.execute_fetchall(
        "SELECT role, language FROM menus WHERE chat_id = ? AND person_id = ?", (chat_id, person_id)
    )
    return next((Menu(Role.of(role), language) for role, language in rows), None)


async def put(tx: Connection, chat_id: int, person_id: int, menu: Menu | None) -> None:
    """None: the menu is taken away."""
    if menu is None:
        await tx.execute(
            "DELETE FROM menus WHERE chat_id = ? AND person_id = ?", (chat_id, person_id)
        )
    else:
        await tx.execute(
            "INSERT INTO menus VALUES (?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET role = excluded.role, language = excluded.language",
            (chat_id, person_id, menu.role.word, menu.language),
        )
