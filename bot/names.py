"""How does a name from outside stand where no markup is understood: on a button, in a toast? PURE."""

from bot import render

TOAST_LIMIT = 200  # characters


def plain_name(text: str, limit: int) -> str:
    """One line of at most `limit` characters, without anything that acts on its surroundings."""
    flat = " ".join(render.plain(render.safe(" ".join(text.split()))).split())
    return flat if len(flat) <= limit else f"{flat[: limit - 1].rstrip()}…"


def toast(text: str) -> str:
    return text if len(text) <= TOAST_LIMIT else f"{text[: TOAST_LIMIT - 1]}…"
