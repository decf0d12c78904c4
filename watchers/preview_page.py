"""What does a page of the web preview, t.me/s/<channel>, say? PURE.

The page is made for people, and may change any day. What is not understood is named: a page as
UNKNOWN, never as empty; a single post as unread.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum

from selectolax.lexbor import LexborHTMLParser, LexborNode

from storage.model import Extra, Forward, Post
from watchers.preview_text import hidden_address, shown_text

_POST_ID = re.compile(r"/(\d+)(?:\?.*)?$")
_POST_LINK = re.compile(r"https?://[^/]+/[A-Za-z]\w+/(\d+)(?:\?.*)?$")
_COUNT = re.compile(r"([\d.]+)\s*([KMB]?)", re.IGNORECASE)
_TIMES = {"": 1, "K": 1_000, "M": 1_000_000, "B": 1_000_000_000}
# What a post's bubble is made of. Words in any other part mean that the page has changed.
_PARTS = ("tgme_widget_message_", "message_media_", "media_supported_cont")


class PageKind(Enum):
    FEED = "posts are shown"
    EMPTY = "no posts are shown"  # proves nothing: throttling looks the same
    NO_PREVIEW = "somebody has the name, but there is no preview"
    NOT_FOUND = "nobody has the name"
    UNKNOWN = "not a page this release knows"


@dataclass(frozen=True, slots=True)
class PreviewPost:
    message_id: int  # of an album: the lowest of its messages on this page
    published_at: datetime  # aware, UTC
    text: str
    edited: bool = False  # when is not said
    extras: tuple[Extra, ...] = ()
    album: tuple[int, ...] = ()
    forward: Forward | None = None
    views: int | None = None  # rounded: 1.2K is 1200
    unsupported: bool = False  # holds something that the preview does not show

    def to_post(self, channel_id: int) -> Post:
        """Edited at a time unknown is written as edited when published (see storage/posts.py)."""
        return Post(
            channel_id,
            self.message_id,
            self.published_at,
            self.text,
            self.published_at if self.edited else None,
            self.extras,
            self.album,
            self.forward,
            self.views,
        )


@dataclass(frozen=True, slots=True)
class PreviewPage:
    kind: PageKind
    channel_id: int | None = None  # bare; None when no post says it
    username: str | None = None
    title: str | None = None
    posts: tuple[PreviewPost, ...] = ()  # oldest first
    ids: frozenset[int] = field(default=frozenset())  # of all messages shown, service ones too
    more: bool = False  # it has a link to older ones
    unread: int = 0  # posts that were not understood and are left out
    counted: str = ""  # of a page without preview: "1 234 subscribers", "56 members"


def parse_page(html: str) -> PreviewPage:
    tree = LexborHTMLParser(html)
    messages = [node for node in tree.css("[data-post]") if _has(node, "tgme_widget_message")]
    if not messages:
        return _without_posts(tree)
    posts, unread, hollow = [], 0, 0
    for message in messages:
        if _has(message, "service_message"):
            continue
        post = _post(message)
        if post is None:
            unread += 1
            continue
        posts.append(post)
        hollow += _hollow(message, post)
    ids = frozenset(id for message in messages for id in _ids(message))
    mute = hollow and not any(post.text for post in posts)
    if not ids or mute or (unread + hollow) * 2 > len(posts) + unread > 0:
        return PreviewPage(PageKind.UNKNOWN)
    return PreviewPage(
        PageKind.FEED,
        next((id for message in messages if (id := _channel_id(message))), None),
        _username(tree, messages[0]),
        _title(tree),
        tuple(sorted(posts, key=lambda post: post.message_id)),
        ids,
        tree.css_first(".js-messages_more[data-before], link[rel=prev]") is not None,
        unread,
    )


def _without_posts(tree: LexborHTMLParser) -> PreviewPage:
    history = tree.css_first(".js-message_history")
    if tree.css_first(".tme_no_messages_found") or (history and not _words(history)):
        return PreviewPage(PageKind.EMPTY, title=_title(tree))
    if history is None and tree.css_first(".tgme_page"):
        if tree.css_first(".tgme_page_title"):
            counted = _words(tree.css_first(".tgme_page_extra"))
            return PreviewPage(PageKind.NO_PREVIEW, title=_title(tree), counted=counted)
        return PreviewPage(PageKind.NOT_FOUND)
    return PreviewPage(PageKind.UNKNOWN)


def _post(message: LexborNode) -> PreviewPost | None:
    """None: it has no id or no time that can be read."""
    ids, published_at = _ids(message), _time(message)
    if not ids or published_at is None:
        return None
    text = _text_node(message)
    shown = shown_text(text) if text else ""
    extras = tuple(_extras(message, text))
    missing = message.css_first(".message_media_not_supported") is not None
    return PreviewPost(
        min(ids),
        published_at,
        shown,
        _edited(message),
        extras,
        tuple(ids) if message.css_first(".tgme_widget_message_grouped_wrap") else (),
        _forward(message),
        _views(message),
        unsupported=missing and not shown and not extras,
    )


def _ids(message: LexborNode) -> list[int]:
    """The message's id, or of an album all of its messages'."""
    links = [message.attributes.get("data-post")]
    links += [
        item.attributes.get("href")
        for item in message.css(".tgme_widget_message_grouped_wrap .grouped_media_wrap")
    ]
    links += [
        item.attributes.get("href")
        for item in message.css(
            ".tgme_widget_message_grouped_wrap .tgme_widget_message_document_wrap"
        )
    ]
    return sorted({int(found[1]) for link in links if (found := _POST_ID.search(link or ""))})


def _time(message: LexborNode) -> datetime | None:
    time = message.css_first(".tgme_widget_message_date time[datetime]")
    try:
        moment = datetime.fromisoformat((time and time.attributes["datetime"]) or "")
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else None


def _text_node(message: LexborNode) -> LexborNode | None:
    """The outermost one; an album's holds another of the same class. Not a reply's preview."""
    for node in message.css(".tgme_widget_message_text"):
        if not _has(node, "js-message_reply_text") and not _inside(node, "message_reply"):
            return node
    return None


def _edited(message: LexborNode) -> bool:
    """Its own words only: beside them stands the name of who signed the post."""
    meta = message.css_first(".tgme_widget_message_meta")
    return meta is not None and "edited" in meta.text(deep=False)


def _forward(message: LexborNode) -> Forward | None:
    """A name without a link to a post may be a person's, and is left behind."""
    if not message.css_first(".tgme_widget_message_forwarded_from"):
        return None
    name = message.css_first(".tgme_widget_message_forwarded_from_name")
    link = _POST_LINK.match((name and name.attributes.get("href")) or "")
    if link is None:
        return Forward(None)
    return Forward(None, message_id=int(link[1]), channel=_words(name))


def _views(message: LexborNode) -> int | None:
    shown = _COUNT.fullmatch(_words(message.css_first(".tgme_widget_message_views")))
    if shown is None:
        return None
    try:
        return round(float(shown[1]) * _TIMES[shown[2].upper()])
    except ValueError:
        return None


def _extras(message: LexborNode, text: LexborNode | None) -> Iterator[Extra]:
    """In the order in which the Telegram source gives them."""
    for anchor in text.css("a[href]") if text else ():
        address = hidden_address(shown_text(anchor), anchor.attributes["href"] or "")
        if address:
            yield Extra("link", address)
    for kind, selector in (
        ("poll", ".tgme_widget_message_poll_question, .tgme_widget_message_poll_option_text"),
        ("file", ".tgme_widget_message_document_title"),
        ("preview", ".link_preview_title"),
        ("preview", ".link_preview_description"),
    ):
        for node in message.css(selector):
            if words := shown_text(node):
                yield Extra(kind, words)
    for button in message.css("a.tgme_widget_message_inline_button"):
        address = button.attributes.get("href") or ""
        yield from (Extra("button", part) for part in (shown_text(button), address) if part)


def _hollow(message: LexborNode, post: PreviewPost) -> bool:
    """Has it nothing that is understood, or words in a part that is not?"""
    bubble = message.css_first(".tgme_widget_message_bubble")
    if post.text or bubble is None:
        return not post.text and not post.extras
    parts = [(node.attributes.get("class") or "", _words(node)) for node in bubble.iter()]
    strange = any(words for classes, words in parts if not classes.startswith(_PARTS))
    frame = ("author", "footer", "bubble_tail", "forwarded_from", "reply")
    content = [c for c, _ in parts if c.startswith(_PARTS) and not any(f in c for f in frame)]
    return strange or not content


def _channel_id(message: LexborNode) -> int | None:
    """`data-view` is base64 of JSON; its `c` is minus the bare id."""
    view = message.attributes.get("data-view") or ""
    try:
        number = json.loads(base64.urlsafe_b64decode(view + "=" * (-len(view) % 4)))["c"]
    except (binascii.Error, ValueError, KeyError, TypeError):
        return None
    return -number if isinstance(number, int) and number < 0 else None


def _username(tree: LexborHTMLParser, message: LexborNode) -> str:
    shown = _words(tree.css_first(".tgme_channel_info_header_username")).removeprefix("@")
    return shown or (message.attributes.get("data-post") or "").partition("/")[0]


def _title(tree: LexborHTMLParser) -> str | None:
    for selector in (
        ".tgme_channel_info_header_title",
        ".tgme_header_title",
        ".tgme_page_title",
        ".tgme_widget_message_owner_name",
    ):
        if words := _words(tree.css_first(selector)):
            return words
    return None


def _words(node: LexborNode | None) -> str:
    return " ".join(node.text().split()) if node else ""


def _has(node: LexborNode, name: str) -> bool:
    return name in (node.attributes.get("class") or "").split()


def _inside(node: LexborNode, part: str) -> bool:
    above = node.parent
    while above is not None:
        if part in (above.attributes.get("class") or ""):
            return True
        above = above.parent
    return False
