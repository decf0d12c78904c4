"""Which posts does a Telegram Desktop export (result.json) hold?

The same as live would have given, as far as the file tells: whoever wrote in a group or was
forwarded from is left out, posts have no views, and albums are guessed, for an export does not name
them. Taken for an album are 2 to 10 messages with a photo or a video, with consecutive ids, sent in
the same second by the same author in the same way, at most one of them with a text. A guess yields
to what another source knew: see imports.py.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Any

import msgspec

from storage.model import Channel, Extra, Forward, Post
from watchers.export_file import BadExport, ExportedMessage, ExportFile

ALBUM_LIMIT = 10  # messages; Telegram's
_NOT_SAVED = "("  # begins what stands for the path of a file that was not exported
_VIDEO = "video_file"


class _Part(msgspec.Struct):
    """Of a text: a string, or a list of strings and of these."""

    text: str = ""
    type: str = ""
    href: str = ""


_Text = str | list[str | _Part]


class _Answer(msgspec.Struct):
    text: _Text = ""


class _Poll(msgspec.Struct):
    question: _Text = ""
    answers: list[_Answer] = []


class _Button(msgspec.Struct):
    type: str = ""
    text: str = ""
    data: str = ""


class _Message(msgspec.Struct):
    id: int
    date_unixtime: str  # `date` is local time without its zone
    text: _Text = ""
    text_entities: list[_Part] = []
    edited_unixtime: str | None = None
    photo: str | None = None
    media_type: str | None = None
    file: str | None = None
    file_name: str | None = None
    poll: _Poll | None = None
    inline_bot_buttons: list[list[_Button]] = []
    forwarded_from: str | None = None
    forwarded_from_id: str | None = None
    from_id: str | None = None  # compared, never kept
    reply_to_message_id: int | None = None


@dataclass(frozen=True, slots=True)
class Exported:
    """A post; or several that look like one album: `as_album` makes one of them."""

    channel: Channel
    posts: tuple[Post, ...]
    number: int  # of the last message, as the file counts


def read_posts(
    export: ExportFile, refuse: Callable[[str], None], skip: int = 0
) -> Iterator[Exported | None]:
    """The posts of an export, but for its first `skip` messages; `refuse` is told of unreadable ones.

    None is a pause for breath, as in ExportFile.messages. Raises BadExport.
    """
    waiting: list[_Message] = []  # perhaps an album
    before: ExportedMessage | None = None
    try:
        for exported in export.messages(skip):
            if exported is None:
                yield None
                continue
            message = _read(exported, lambda why: refuse(f"{export.path}: {why}"))
            if before and not _continues(waiting, message, before.channel, exported.channel):
                yield _exported(before, waiting)
                waiting = []
            if message is not None:
                waiting.append(message)
            before = exported
    except BadExport:
        if before:
            yield _exported(before, waiting)
        raise
    if before:
        yield _exported(before, waiting)


def as_album(posts: Sequence[Post]) -> Post:
    """One post of all: it goes by the lowest id and has the caption of the one that has it."""
    if len(posts) == 1:
        return posts[0]
    shown = next((post for post in posts if post.text), posts[0])
    edits = [post.edited_at for post in posts if post.edited_at]
    return replace(
        posts[0],
        text=shown.text,
        edited_at=max(edits, default=None),
        extras=tuple(dict.fromkeys(extra for post in posts for extra in post.extras)),
        album=tuple(post.message_id for post in posts),
    )


def _read(exported: ExportedMessage, refuse: Callable[[str], None]) -> _Message | None:
    """None for what is no post: pins, new titles, and what was said before a group was public."""
    written = exported.written
    if written.get("type") != "message" or not _is_own(written.get("id")):
        return None
    try:
        message = msgspec.convert(written, _Message)
        _moment(message.date_unixtime)
        _moment(message.edited_unixtime or "0")
    except (msgspec.ValidationError, ValueError, OverflowError) as error:
        old = "date_unixtime" not in written
        remedy = "a newer Telegram Desktop writes it: export again" if old else "it is left out"
        refuse(f"message {written.get('id')} can't be read ({error}): {remedy}")
        return None
    return message


def _is_own(id: Any) -> bool:
    """A group's messages from before it became a supergroup have negative ids."""
    return not isinstance(id, int) or id > 0


def _continues(
    waiting: Sequence[_Message], message: _Message | None, before: Channel, channel: Channel
) -> bool:
    """Does the message belong to the same album as those that wait?"""
    if not waiting or message is None or before != channel or len(waiting) == ALBUM_LIMIT:
        return False
    last = waiting[-1]
    return (
        message.id == last.id + 1
        and _album_key(message) == _album_key(last)
        and all(m.photo or m.media_type == _VIDEO for m in (last, message))
        and sum(bool(_text(m.text)) for m in (*waiting, message)) <= 1
    )


def _album_key(message: _Message) -> tuple[object, ...]:
    return (
        message.date_unixtime,
        message.from_id,
        message.forwarded_from,
        message.forwarded_from_id,
        message.reply_to_message_id,
    )


def _exported(last: ExportedMessage, messages: Sequence[_Message]) -> Exported:
    posts = tuple(_post(last.channel.id, message) for message in messages)
    return Exported(last.channel, posts, last.number)


def _post(channel_id: int, message: _Message) -> Post:
    return Post(
        channel_id,
        message.id,
        _moment(message.date_unixtime),
        _text(message.text),
        _moment(message.edited_unixtime) if message.edited_unixtime else None,
        tuple(_extras(message)),
        forward=_forward(message),
    )


def _moment(unixtime: str) -> datetime:
    return datetime.fromtimestamp(int(unixtime), UTC)


def _text(parts: _Text) -> str:
    if isinstance(parts, str):
        return parts
    return "".join(part if isinstance(part, str) else part.text for part in parts)


def _extras(message: _Message) -> Iterator[Extra]:
    for entity in message.text_entities:
        if entity.href:
            yield Extra("link", entity.href)
    if message.poll:
        yield Extra("poll", _text(message.poll.question))
        for answer in message.poll.answers:
            yield Extra("poll", _text(answer.text))
    if name := _file_name(message):
        yield Extra("file", name)
    for button in (button for row in message.inline_bot_buttons for button in row):
        for text in (button.text, button.data):
            if text:
                yield Extra("button", text)


def _file_name(message: _Message) -> str | None:
    """Older exports tell it only as the path under which a document was saved."""
    if message.file_name or message.media_type or not message.file:
        return message.file_name
    return None if message.file.startswith(_NOT_SAVED) else PurePosixPath(message.file).name


def _forward(message: _Message) -> Forward | None:
    """A name without an id may be a person's, and is left behind as one that is."""
    if message.forwarded_from is None and message.forwarded_from_id is None:
        return None
    kind, _, id = (message.forwarded_from_id or "").partition("channel")
    if kind or not id.isdecimal():
        return Forward()
    return Forward(channel_id=int(id), channel=message.forwarded_from)
