"""What does a source say of a channel besides its posts, and what of that is news? PURE."""

import unicodedata
from dataclasses import dataclass, replace

from storage.model import Channel, Ledger
from storage.said import Said
from watchers.references import Reference


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
    news = _news(before, now)
    if news is None:
        return None
    return Said(
        "{news} It is watched as before; links and watchlists go by the new name.", news=news
    )


def _news(before: Channel, now: Channel) -> str | None:
    title = now.title != before.title
    name = now.username != before.username and now.username is not None
    old, new = before.username, now.username
    if title and name and old:
        return Said(
            "{channel} is called “{title}” now and has the name @{new} now instead of @{old}.",
            channel=before.title,
            title=now.title,
            new=new,
            old=old,
        )
    if title and name:
        return Said(
            "{channel} is called “{title}” now and has the name @{new} now.",
            channel=before.title,
            title=now.title,
            new=new,
        )
    if title:
        return Said("{channel} is called “{title}” now.", channel=before.title, title=now.title)
    if name and old:
        return Said(
            "{channel} has the name @{new} now instead of @{old}.",
            channel=before.title,
            new=new,
            old=old,
        )
    return (
        Said("{channel} has the name @{new} now.", channel=before.title, new=new) if name else None
    )


def marked(channel: Channel, mark: str | None) -> Said:
    if mark is None:
        return Said("Telegram no longer marks or restricts {channel}.", channel=channel.title)
    return Said(
        "Telegram says of {channel}: {mark}. It is watched as before, for as long as Telegram "
        "shows its posts. Look whether it is still the one you mean; if not: /remove {handle}.",
        channel=channel.title,
        mark=mark,
        handle=handle(channel),
    )


def unreadable(channel: Channel, why: str) -> Said:
    return Said(
        "{channel} can't be read: {why}. It is tried again all the time. If it has a new @name, "
        "say /add @newname: the same channel goes on where it stopped. If it is gone for good, say "
        "/remove {handle}; its posts are kept.",
        channel=channel.title,
        why=why,
        handle=handle(channel),
    )


def readable_again(ledger: Ledger) -> Said:
    return Said(
        "{channel} can be read again; what it published meanwhile is caught up.",
        channel=ledger.channel.title,
    )


def nobody_has(name: Reference, *, any_more: bool = False) -> Said:
    """`any_more`: it led to a channel once."""
    if any_more:
        return Said(
            "nobody has the name {name} any more: the channel was renamed, made private or deleted",
            name=name,
        )
    return Said("nobody has the name {name}; check its spelling", name=name)


def moved_on(channel: Channel) -> Said:
    return Said("{name} belongs to somebody else now", name=handle(channel))


def handle(channel: Channel) -> str:
    """What a person can call it by in a command."""
    return f"@{channel.username}" if channel.username else str(channel.id)
