"""Which buttons stand under a message?"""

from aiogram.types import InlineKeyboardMarkup


def under_alert(delivery_id: int, useful: int, noise: int) -> InlineKeyboardMarkup | None:
    return None


def under_merged(delivery_id: int) -> InlineKeyboardMarkup | None:
    return None
