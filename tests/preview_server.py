"""What would t.me answer? A local server of preview pages, made from the state of its channels.

Its pages have the shape of real ones (shared/data/preview/): a window of 20 ids, `?before=`, an
album cut where the window ends. Faults come when a test orders them and in no other way.
"""

import asyncio
import base64
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import escape
from urllib.parse import urlencode

from aiohttp import web

WINDOW = 20
START = datetime(2026, 1, 1, tzinfo=UTC)
_EMOJI = re.compile("[\U0001f300-\U0001faff]")


@dataclass
class Message:
    id: int
    text: str = ""
    html: str | None = None  # instead of the text
    edited: bool = False
    album: int | None = None
    views: str = "1.2K"
    forward: tuple[str, str | None] | None = None  # name, link
    poll: tuple[str, ...] = ()  # question, options
    file: str | None = None
    link_preview: tuple[str, str] | None = None  # title, description
    button: tuple[str, str] | None = None  # words, address
    reply: str | None = None
    signature: str | None = None
    media: str = ""  # HTML
    service: bool = False
    no_time: bool = False
    at: datetime | None = None  # None: minutes after the start, as many as its id

    @property
    def published_at(self) -> datetime:
        return self.at or START + timedelta(minutes=self.id)


@dataclass
class Channel:
    name: str
    id: int
    title: str
    extra: str = "1 234 subscribers"
    preview: bool = True
    messages: dict[int, Message] = field(default_factory=dict)
    last_id: int = 0

    def post(self, text: str = "", **fields) -> Message:
        self.last_id += 1
        self.messages[self.last_id] = Message(self.last_id, text, **fields)
        return self.messages[self.last_id]

    def album(self, *texts: str, **fields) -> list[Message]:
        group = self.last_id + 1
        return [self.post(text, album=group, **fields) for text in texts]

    def edit(self, id: int, text: str) -> None:
        self.messages[id].text, self.messages[id].edited = text, True

    def delete(self, *ids: int) -> None:
        for id in ids:
            del self.messages[id]


@dataclass
class Fault:
    kind: str  # throttle | status | drop | slow | shape | text_shape | elsewhere | ignore_before
    times: int | None  # None: until healed
    when: Callable[[web.Request], bool]
    value: str | float = 0


class PreviewServer:
    def __init__(self, *, etags: bool = False) -> None:
        self.channels: dict[str, Channel] = {}
        self.asked: list[str] = []  # paths with their query
        self.connections: set[object] = set()
        self.not_modified = 0
        self.etags = etags
        self.retry_after = "7"  # seconds, of a 429; empty: it does not say
        self._faults: list[Fault] = []

    async def __aenter__(self) -> "PreviewServer":
        app = web.Application()
        app.router.add_get("/s/{name}", self._feed)
        app.router.add_get("/{name}", self._landing)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1)
        await self._runner.setup()
        await self.listen()
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._runner.cleanup()

    async def listen(self, port: int = 0) -> None:
        self._site = web.TCPSite(self._runner, "127.0.0.1", port)
        await self._site.start()
        self.port = self._runner.addresses[-1][1]
        self.url = f"http://127.0.0.1:{self.port}"

    async def close(self) -> None:
        await self._runner.cleanup()

    def channel(self, name: str, title: str = "News", **fields) -> Channel:
        made = Channel(name, fields.pop("id", 1_000_000 + len(self.channels)), title, **fields)
        self.channels[name.casefold()] = made
        return made

    def fail(
        self,
        kind: str,
        times: int | None = None,
        when: Callable[[web.Request], bool] = lambda request: True,
        value: str | float = 0,
    ) -> None:
        self._faults.append(Fault(kind, times, when, value))

    def heal(self) -> None:
        self._faults.clear()

    def _fault(self, request: web.Request) -> Fault | None:
        for fault in self._faults:
            if fault.times != 0 and fault.when(request):
                fault.times = fault.times and fault.times - 1
                return fault
        return None

    async def _feed(self, request: web.Request) -> web.StreamResponse:
        self._note(request)
        channel = self.channels.get(request.match_info["name"].casefold())
        fault = self._fault(request)
        kind = fault.kind if fault else ""
        if kind == "drop":
            request.transport.abort()
        if kind == "slow":
            await asyncio.sleep(float(fault.value))
        if kind == "status":
            asked = fault.value == 429 and self.retry_after
            retry = {"Retry-After": self.retry_after} if asked else {}
            return web.Response(status=int(fault.value), text="Bad Gateway", headers=retry)
        if kind == "elsewhere":
            return web.Response(status=302, headers={"Location": str(fault.value)})
        if channel is None or not channel.preview:
            # The real one redirects for names nobody has, too.
            return web.Response(
                status=302, headers={"Location": f"{self.url}/{request.match_info['name']}"}
            )
        before = None if kind == "ignore_before" else request.query.get("before")
        html = feed(channel, int(before) if before else None, empty=kind == "throttle")
        if kind == "shape":
            html = html.replace("tgme_widget_message", "tgw_post")
        if kind == "text_shape":
            html = html.replace("tgme_widget_message_text js-message_text", "tgme_words")
        return self._answer(request, html)

    def _answer(self, request: web.Request, html: str) -> web.Response:
        etag = f'"{hashlib.sha256(html.encode()).hexdigest()[:16]}"'
        if self.etags and request.headers.get("If-None-Match") == etag:
            self.not_modified += 1
            return web.Response(status=304)
        headers = {"ETag": etag} if self.etags else {}
        return web.Response(text=html, content_type="text/html", headers=headers)

    async def _landing(self, request: web.Request) -> web.Response:
        self._note(request)
        channel = self.channels.get(request.match_info["name"].casefold())
        shown = ""
        if channel is not None:
            shown = (
                f'<div class="tgme_page_title"><span dir="auto">{escape(channel.title)}</span></div>'
                f'<div class="tgme_page_extra">{channel.extra}</div>'
            )
        html = f'<html><body><div class="tgme_page_wrap"><div class="tgme_page">{shown}</div></div>'
        return web.Response(text=html, content_type="text/html")

    def _note(self, request: web.Request) -> None:
        self.asked.append(request.path_qs)
        self.connections.add(request.transport)


def feed(channel: Channel, before: int | None = None, *, empty: bool = False) -> str:
    """The page t.me/s/<name>?before=…"""
    top = max(channel.messages, default=0) + 1 if before is None else before
    ids = [id for id in range(max(1, top - WINDOW), top) if id in channel.messages]
    posts, done = [], set()
    for id in ids if not empty else ():
        message = channel.messages[id]
        if message.album is None or message.album not in done:
            done.add(message.album)
            items = [channel.messages[i] for i in ids if channel.messages[i].album == message.album]
            posts.append(_wrap(channel, items if message.album else [message]))
    more = bool(posts) and min(channel.messages) < ids[0]
    link = {"before": ids[0]} if more else {}
    return f"""<!DOCTYPE html>
<html><head><title>{escape(channel.title)} – Telegram</title>
{f'<link rel="prev" href="/s/{channel.name}?{urlencode(link)}">' if more else ""}</head>
<body class="widget_frame_base tgme_webpreview"><header class="tgme_header">
<div class="tgme_channel_info_header_title"><span dir="auto">{escape(channel.title)}</span></div>
<div class="tgme_channel_info_header_username"><a href="/{channel.name}">@{channel.name}</a></div>
</header><main class="tgme_main" data-url="/{channel.name}"><div class="tgme_container">
<section class="tgme_channel_history js-message_history">{_more(channel, ids[0]) if more else ""}
{"".join(posts) or _NOTHING}</section></div></main></body></html>"""


_NOTHING = (
    '<div class="tgme_widget_message_wrap js-widget_message_wrap">'
    '<div class="tgme_widget_message_centered"><div class="tme_no_messages_found">No posts found'
    "</div></div></div>"
)


def _more(channel: Channel, lowest: int) -> str:
    return (
        '<div class="tgme_widget_message_centered js-messages_more_wrap">'
        f'<a href="/s/{channel.name}?before={lowest}" class="tme_messages_more js-messages_more" '
        f'data-before="{lowest}"></a></div>'
    )


def _wrap(channel: Channel, items: list[Message]) -> str:
    first = items[0]
    post = f"{channel.name}/{first.id}"
    view = {"c": -channel.id, "p": f"{first.id}g" if first.album else first.id, "h": "x"}
    coded = base64.b64encode(json.dumps(view).encode()).decode().rstrip("=")
    service = " service_message" if first.service else ""
    return (
        '<div class="tgme_widget_message_wrap js-widget_message_wrap">'
        f'<div class="tgme_widget_message text_not_supported_wrap{service} js-widget_message" '
        f'data-post="{post}" data-view="{coded}"><div class="tgme_widget_message_bubble">'
        f"{''.join(_parts(channel, items, post))}</div></div></div>"
    )


def _parts(channel: Channel, items: list[Message], post: str) -> list[str]:
    first = items[0]
    parts = [_author(channel), _forward(first), _reply(first), first.media]
    if first.album:
        parts.append(_album(channel, items))
    if first.file:
        parts.append(
            '<a class="tgme_widget_message_document_wrap"><div class="tgme_widget_message_document">'
            f'<div class="tgme_widget_message_document_title accent_color">{escape(first.file)}</div>'
            '<div class="tgme_widget_message_document_extra">2.1 MB</div></div></a>'
        )
    if first.poll:
        parts.append(_poll(first.poll))
    caption = next((item for item in items if item.text or item.html), None)
    if caption:
        words = _text(caption)
        parts.append(_text_of(words) if first.album is None else _text_of(_text_of(words)))
    if first.link_preview:
        title, description = first.link_preview
        parts.append(
            '<a class="tgme_widget_message_link_preview" href="https://example.org/">'
            f'<div class="link_preview_title">{escape(title)}</div>'
            f'<div class="link_preview_description">{escape(description)}</div></a>'
        )
    parts.append(_footer(first, post, edited=any(item.edited for item in items)))
    if first.button:
        words, address = first.button
        parts.append(
            '<div class="tgme_widget_message_inline_keyboard"><a class="tgme_widget_message_inline_'
            f'button url_button" href="{escape(address)}"><span class="tgme_widget_message_inline_'
            f'button_text">{escape(words)}</span></a></div>'
        )
    return parts


def _author(channel: Channel) -> str:
    return (
        '<div class="tgme_widget_message_author accent_color"><a class='
        f'"tgme_widget_message_owner_name"><span dir="auto">{escape(channel.title)}</span></a></div>'
    )


def _forward(message: Message) -> str:
    if message.forward is None:
        return ""
    name, link = message.forward
    tag, href = ("a", f' href="{link}"') if link else ("span", "")
    return (
        '<div class="tgme_widget_message_forwarded_from accent_color">Forwarded from&nbsp;'
        f'<{tag} class="tgme_widget_message_forwarded_from_name"{href}>'
        f'<span dir="auto">{escape(name)}</span></{tag}></div>'
    )


def _reply(message: Message) -> str:
    if message.reply is None:
        return ""
    return (
        '<a class="tgme_widget_message_reply" href="#"><div class="tgme_widget_message_author">Ann'
        '</div><div class="tgme_widget_message_text js-message_reply_text" dir="auto">'
        f"{escape(message.reply)}</div></a>"
    )


def _album(channel: Channel, items: list[Message]) -> str:
    links = "".join(
        '<a class="tgme_widget_message_photo_wrap grouped_media_wrap blured js-message_photo" '
        f'href="https://t.me/{channel.name}/{item.id}?single"></a>'
        for item in items
    )
    return f'<div class="tgme_widget_message_grouped_wrap js-message_grouped_wrap">{links}</div>'


def _poll(poll: tuple[str, ...]) -> str:
    options = "".join(
        '<div class="tgme_widget_message_poll_option"><div class="tgme_widget_message_poll_option_'
        'percent">50%</div><div class="tgme_widget_message_poll_option_value"><div class='
        f'"tgme_widget_message_poll_option_text">{escape(option)}</div></div></div>'
        for option in poll[1:]
    )
    return (
        '<div class="tgme_widget_message_poll js-poll"><div class="tgme_widget_message_poll_question">'
        f'{escape(poll[0])}</div><div class="tgme_widget_message_poll_type">Anonymous Poll</div>'
        f"{options}</div>"
    )


def _text(message: Message) -> str:
    if message.html is not None:
        return message.html
    shown = escape(message.text).replace("\n", "<br/>")
    return _EMOJI.sub(lambda found: f'<i class="emoji"><b>{found[0]}</b></i>', shown)


def _text_of(words: str) -> str:
    return f'<div class="tgme_widget_message_text js-message_text" dir="auto">{words}</div>'


def _footer(message: Message, post: str, *, edited: bool) -> str:
    time = f'<time datetime="{message.published_at.isoformat()}" class="time">12:00</time>'
    signed = message.signature and (
        f'<span class="tgme_widget_message_from_author">{escape(message.signature)}</span>,&nbsp;'
    )
    return (
        '<div class="tgme_widget_message_footer compact js-message_footer"><div class='
        '"tgme_widget_message_info short js-message_info"><span class="tgme_widget_message_views">'
        f'{message.views}</span><span class="copyonly"> views</span><span class='
        f'"tgme_widget_message_meta">{"edited &nbsp;" if edited else ""}{signed or ""}<a class='
        f'"tgme_widget_message_date" href="https://t.me/{post}">{"" if message.no_time else time}'
        "</a></span></div></div>"
    )
