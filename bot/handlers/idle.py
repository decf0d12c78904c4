"""What happens when something is said or pressed that no other handler is for?"""

from aiogram import Router
from aiogram.types import CallbackQuery, Message

from bot.pressed import foreign


def make_router() -> Router:
    """To be asked last. Also what is not meant for the bot has to pass Access: a stranger who
    writes to it gets an answer."""
    router = Router(name=__name__)
    router.message.register(nothing, flags={"idle": True})
    router.callback_query.register(unknown, flags={"idle": True})
    return router


async def nothing(message: Message) -> None:
    """People talk among themselves."""


async def unknown(callback: CallbackQuery) -> None:
    await foreign(callback)
