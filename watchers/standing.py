"""What does a source say of a channel besides its posts, and what of that is news? PURE."""

import unicodedata
from dataclasses import dataclass, replace

from storage.model import Channel, Ledger

NO_LONGER = " any more: the channel was renamed, made private or deleted"
TRIED_AGAIN = "It is tried again all the time."


@dataclass(frozen=True, slots=True)
class Standing:
    title: str
    names: tuple[str, ...]  # active @names, without @; none: it is private
    mark: str | None = None  # said against it; "": nothing is; None: this source can't know


def changed(channel: Channel, standing: Standing) -> Channel:
    """The channel as it is called now; a name that still leads there is kept."""
    known = (channel.username or "").casefold()
    if known not in map(str.casefold, standing.names):
        channel = replace(channel, username=next(iter(standing.names), None))
    if _looks(standing.title) != _looks(channel.title):
        channel = replace(channel, title=standing.title)
    return channel


def _looks(title: str) -> str:
    """Two sources write the same title with other blanks, or another emoji style."""
    return " ".join(unicodedata.normalize("NFC", title).replace("\ufe0f", "").split())


def renamed(before: Channel, now: Channel) -> str | None:
    """What owners are told; nothing of a lost @name, which makes the channel unreadable."""
    parts = []
    if now.title != before.title:
        parts.append(f"is called “{now.title}” now")
    if now.username != before.username and now.username:
        was = f" instead of @{before.username}" if before.username else ""
        parts.append(f"has the name @{now.username} now{was}")
    if not parts:
        return None
    return (
        f"{before.title} {' and '.join(parts)}. "
        "It is watched as before; links and watchlists go by the new name."
    )


def marked(channel: Channel, mark: str | None) -> str:
    if mark is None:
        return f"Telegram no longer marks or restricts {channel.title}."
    return (
        f"Telegram says of {channel.title}: {mark}. It is watched as before, for as long as "
        f"Telegram shows its posts. Look whether it is still the one you mean; if not: "
        f"/remove {handle(channel)}."
    )


def unreadable(channel: Channel, why: str) -> str:
    return (
        f"{channel.title} can't be read: {why}. {TRIED_AGAIN} If it has a new @name, say "
        f"/add @newname: the same channel goes on where it stopped. If it is gone for good, say "
        f"/remove {handle(channel)}; its posts are kept."
    )


def readable_again(ledger: Ledger) -> str:
    return f"{ledger.channel.title} can be read again; what it published meanwhile is caught up."


def handle(channel: Channel) -> str:
    """What a person can call it by in a command."""
    return f"@{channel.username}" if channel.username else str(channel.id)
