"""What did a Telegram message publish? Telethon's objects in, posts out; who wrote is left behind."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from telethon import types
from telethon.tl import TLObject

from storage.model import Extra, Forward, Post


def to_posts(messages: Iterable[Any]) -> list[Post]:
    """Oldest first. Service messages are no posts; the messages of an album are one."""
    posts: dict[tuple[str, int], Post] = {}
    for message in sorted(messages, key=lambda message: int(message.id)):
        if isinstance(message, types.Message):
            group = message.grouped_id
            key = ("album", group) if group else ("post", message.id)
            post = _to_post(message)
            posts[key] = _joined(posts[key], post) if key in posts else post
    return list(posts.values())


def _joined(album: Post, post: Post) -> Post:
    """An album goes by its lowest id and by the caption of whichever message has one."""
    return replace(
        album,
        text=album.text or post.text,
        edited_at=max(filter(None, (album.edited_at, post.edited_at)), default=None),
        extras=album.extras + post.extras,
        album=album.album + post.album,
        views=max(filter(None, (album.views, post.views)), default=None),
        forwards=max(filter(None, (album.forwards, post.forwards)), default=None),
    )


def _to_post(message: types.Message) -> Post:
    return Post(
        channel_id=message.peer_id.channel_id,
        message_id=message.id,
        published_at=message.date,
        text=message.message or _rich_text(getattr(message, "rich_message", None)),
        edited_at=None if message.edit_hide else message.edit_date,
        extras=tuple(_extras(message)),
        album=(message.id,) if message.grouped_id else (),
        forward=_forward(message.fwd_from),
        views=message.views,
        forwards=message.forwards,
        group_id=message.grouped_id,
    )


def _forward(header: types.MessageFwdHeader | None) -> Forward | None:
    """Of a forwarded person's message only that it was forwarded: no name, no id."""
    if header is None:
        return None
    if isinstance(header.from_id, types.PeerChannel):
        return Forward(header.date, header.from_id.channel_id, header.channel_post)
    return Forward(header.date)


def _rich_text(rich: Any) -> str:
    """Posts of the newer kind have blocks instead of a text: a line for each."""
    if rich is None:
        return ""
    return "\n".join(line for line in ("".join(_strings(block)) for block in rich.blocks) if line)


def _strings(value: Any) -> Iterator[str]:
    """Whatever plain text stands in a block, at any depth, in its order."""
    if isinstance(value, types.TextPlain):
        yield value.text
    elif isinstance(value, TLObject):
        for part in vars(value).values():
            yield from _strings(part)
    elif isinstance(value, list | tuple):
        for number, part in enumerate(value):
            if number and isinstance(part, TLObject) and type(part).__name__.startswith("Page"):
                yield "\n"
            yield from _strings(part)


def _extras(message: types.Message) -> Iterator[Extra]:
    """Words that hide outside of the text: behind links, in polls, files, previews, buttons."""
    for entity in message.entities or ():
        if isinstance(entity, types.MessageEntityTextUrl):
            yield Extra("link", entity.url)
    if quote := getattr(message.reply_to, "quote_text", None):
        yield Extra("quote", quote)
    yield from _media_extras(message.media)
    for row in getattr(message.reply_markup, "rows", ()):
        for button in row.buttons:
            url = getattr(getattr(button, "type", None), "url", "")
            yield from (Extra("button", text) for text in (button.text, url) if text)


def _media_extras(media: Any) -> Iterator[Extra]:
    if isinstance(media, types.MessageMediaPoll):
        yield Extra("poll", media.poll.question.text)
        yield from (Extra("poll", answer.text.text) for answer in media.poll.answers)
    elif isinstance(media, types.MessageMediaToDo):
        yield Extra("list", media.todo.title.text)
        yield from (Extra("list", item.title.text) for item in media.todo.list)
    elif isinstance(media, types.MessageMediaDocument):
        for attribute in getattr(media.document, "attributes", ()):
            if isinstance(attribute, types.DocumentAttributeFilename):
                yield Extra("file", attribute.file_name)
    elif isinstance(media, types.MessageMediaWebPage):
        page = media.webpage
        if isinstance(page, types.WebPage):
            yield from (Extra("preview", text) for text in (page.title, page.description) if text)
