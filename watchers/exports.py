"""Which posts does a Telegram Desktop export (result.json) hold?"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from storage.model import Channel, ChannelKind, Extra, Post

# Telegram Desktop writes control characters as \xNN, which is not JSON.
_BAD_ESCAPE = re.compile(r"(?<!\\)((?:\\\\)*)\\x([0-9A-Fa-f]{2})")
_KINDS = {"public_channel": ChannelKind.CHANNEL, "public_supergroup": ChannelKind.GROUP}


class BadExport(Exception):
    """Not an export that can be read; the message names the file and the remedy."""


@dataclass(frozen=True, slots=True)
class ExportedChat:
    channel: Channel
    posts: tuple[Post, ...]  # oldest first


def read_export(path: Path) -> list[ExportedChat]:
    """The public channels and groups of an export, of one chat or of the whole account.

    Whoever wrote in a group is left out. An export does not know @usernames.
    """
    try:
        text = path.read_text(encoding="utf-8")
        export = json.loads(_BAD_ESCAPE.sub(r"\1\\u00\2", text))
    except OSError as error:
        raise BadExport(f"{path} can't be read: {error.strerror}") from error
    except ValueError as error:
        raise BadExport(
            f"{path} is no JSON: export again and choose “Machine-readable JSON” ({error})"
        ) from error
    chats = export.get("chats", {}).get("list", [export]) if isinstance(export, dict) else []
    found = [_chat(chat) for chat in chats if chat.get("type") in _KINDS]
    if not found:
        raise BadExport(f"{path} holds no public channel or group: export one of those")
    return found


def _chat(chat: dict[str, Any]) -> ExportedChat:
    channel = Channel(chat["id"], None, chat.get("name") or "", _KINDS[chat["type"]])
    return ExportedChat(channel, tuple(_posts(channel.id, chat["messages"])))


def _posts(channel_id: int, messages: list[dict[str, Any]]) -> Iterator[Post]:
    for message in sorted(messages, key=lambda message: message["id"]):
        if message["type"] != "message":
            continue  # pinned, renamed …
        edited = message.get("edited_unixtime")
        yield Post(
            channel_id,
            message["id"],
            _moment(message["date_unixtime"]),  # `date` is local time without its zone
            _text(message["text"]),
            _moment(edited) if edited else None,
            tuple(_extras(message)),
        )


def _moment(unixtime: str) -> datetime:
    return datetime.fromtimestamp(int(unixtime), UTC)


def _text(parts: str | list[Any]) -> str:
    """A string, or a list of strings and of objects that carry one."""
    if isinstance(parts, str):
        return parts
    return "".join(part if isinstance(part, str) else part.get("text", "") for part in parts)


def _extras(message: dict[str, Any]) -> Iterator[Extra]:
    for entity in message.get("text_entities", ()):
        if entity.get("href"):
            yield Extra("link", entity["href"])
    if poll := message.get("poll"):
        yield Extra("poll", poll["question"])
        for answer in poll["answers"]:
            yield Extra("poll", answer["text"])
    if message.get("file_name"):
        yield Extra("file", message["file_name"])
