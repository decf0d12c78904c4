"""Who must be told about these hits right now?"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime

from storage.model import Delivery, DeliveryKind, Hit, Subscription


def alerts_for(
    fresh: Iterable[Hit], subscriptions: Iterable[Subscription], now: datetime
) -> list[Delivery]:
    """One alert a chat (and topic) for one post, however many terms and watchlists it touches."""
    wanted: dict[int, list[Subscription]] = defaultdict(list)
    for subscription in subscriptions:
        wanted[subscription.watchlist_id].append(subscription)
    owed: dict[tuple[int, int | None], list[Hit]] = defaultdict(list)
    for hit in fresh:
        for subscription in wanted[hit.watchlist_id]:
            owed[subscription.chat_id, subscription.thread_id].append(hit)
    return [
        Delivery(chat_id, DeliveryKind.ALERT, now, tuple(hits), thread_id=thread_id)
        for (chat_id, thread_id), hits in owed.items()
    ]
