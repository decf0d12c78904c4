"""How are the owners told something? As notices, in the transaction that makes them true."""

from collections.abc import Iterable
from datetime import datetime

from aiosqlite import Connection

from storage import outbox
from storage.model import Delivery, DeliveryKind


async def owe(tx: Connection, owners: Iterable[int], text: str, now: datetime) -> None:
    for owner in owners:
        await outbox.add(tx, Delivery(owner, DeliveryKind.NOTICE, now, text=text), now)
