"""What can a post carry besides its text? Telegram's objects for `post` and `store`, in short."""

import struct
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from telethon import types
from telethon.tl import TLObject

if TYPE_CHECKING:
    from tests.telegram_state import Channel


class UnknownMedia(TLObject):
    """`media=UnknownMedia()`: a type no client knows. It poisons the page that its post is on."""

    CONSTRUCTOR_ID = 0xDEADBEEF

    def to_dict(self) -> dict[str, Any]:
        return {"_": "UnknownMedia"}

    def _bytes(self) -> bytes:
        return struct.pack("<I", self.CONSTRUCTOR_ID)


def forwarded(
    channel: "Channel | None" = None, message_id: int = 1, *, name: str | None = None
) -> types.MessageFwdHeader:
    """`fwd_from=…`: from a channel's post, or from somebody (`name`) who hides the account."""
    return types.MessageFwdHeader(
        datetime.now(UTC),
        from_id=types.PeerChannel(channel.id) if channel else None,
        from_name=name,
        channel_post=message_id if channel else None,
    )


def poll(question: str, *answers: str) -> types.MessageMediaPoll:
    options = [
        types.PollAnswer(plain(answer), bytes([number])) for number, answer in enumerate(answers)
    ]
    return types.MessageMediaPoll(types.Poll(1, plain(question), options, 0), types.PollResults())


def plain(text: str) -> types.TextWithEntities:
    return types.TextWithEntities(text, [])


def web_page(url: str, title: str, description: str = "") -> types.MessageMediaWebPage:
    """The preview of a link in the text."""
    page = types.WebPage(1, url, url, 0, title=title, description=description, site_name="Site")
    return types.MessageMediaWebPage(page)


def url_buttons(**urls: str) -> types.ReplyInlineMarkup:
    """`reply_markup=url_buttons(Map="https://…")`."""
    buttons = [
        types.KeyboardInlineButton(text, types.InlineButtonTypeUrl(url))
        for text, url in urls.items()
    ]
    return types.ReplyInlineMarkup([types.KeyboardInlineButtonRow(buttons)])


def rich(*paragraphs: str) -> types.RichMessage:
    """`rich_message=rich("…")`, for a post whose text is "" (layer 227 and later)."""
    blocks = [types.PageBlockParagraph(types.TextPlain(text)) for text in paragraphs]
    return types.RichMessage(blocks, photos=[], documents=[])


def text_link(text: str, words: str, url: str) -> types.MessageEntityTextUrl:
    """The entity that links `words` inside `text`; Telegram counts in UTF-16 units."""
    start = text.index(words)
    return types.MessageEntityTextUrl(utf16_length(text[:start]), utf16_length(words), url)


def utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
