"""What would Telegram's Bot API answer, and what would a person see in the chat?

A Bot API server on a free local port, for tests: real HTTP, long polling, chats that remember,
faults on demand.

    async with BotApi() as api:
        bot = Bot(api.token, session=AiohttpSession(api=TelegramAPIServer.from_base(api.url)))
        ann = api.user(1, "Ann")
        await ann.send("/start")
        menu = await ann.expect("hello")
        await ann.press("Yes")

A bot in another process needs `BOT_TOKEN=api.token` and `BOT_API_URL=api.url`, nothing else.
Messages are in the Bot API's own JSON; those of the bot carry one field Telegram does not show,
`disable_notification`.

Where the rules come from: the Bot API's documentation, and the published sources of TDLib (text
and entities) and of telegram-bot-api (long polling, error texts). What Telegram does not publish
is called a guess where it stands.
Not modelled: webhooks, Markdown, inline mode, payments, links found in the bot's own texts.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import math
import random
import re
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from inspect import isawaitable
from typing import Any, Literal, NamedTuple, Self, TypeVar
from urllib.parse import parse_qs, urlsplit, urlunsplit

from aiohttp import web

Json = dict[str, Any]
T = TypeVar("T")

TEXT_LIMIT = 4096  # UTF-16 units, after entities
CAPTION_LIMIT = 1024
ENTITIES_LIMIT = 100
CALLBACK_DATA_LIMIT = 64  # bytes
BUTTONS_LIMIT = 100
DOWNLOAD_LIMIT = 20 << 20  # bytes a bot may fetch with getFile
ANONYMOUS_ADMIN = {
    "id": 1087968824,
    "is_bot": True,
    "first_name": "Group",
    "username": "GroupAnonymousBot",
}
ONLY_WHEN_ASKED_FOR = {"chat_member", "message_reaction", "message_reaction_count"}
CONFLICT = (
    "Conflict: terminated by other getUpdates request; "
    "make sure that only one bot instance is running"
)
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)


class ApiError(Exception):
    """What Telegram answers instead of a result."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def response(self) -> web.Response:
        answer: Json = {"ok": False, "error_code": self.code, "description": self.description}
        answer |= {"parameters": self.parameters} if self.parameters else {}
        return web.json_response(answer, status=self.code)


def bad_request(why: str) -> ApiError:
    return ApiError(400, f"Bad Request: {why}")


def forbidden(why: str) -> ApiError:
    return ApiError(403, f"Forbidden: {why}")


def too_many_requests(retry_after: int) -> ApiError:
    why = f"Too Many Requests: retry after {retry_after}"
    return ApiError(429, why, retry_after=retry_after)


# ---- text and entities


STYLES = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "span": "spoiler",
    "tg-spoiler": "spoiler",
}
TAGS = {*STYLES, "a", "tg-emoji", "code", "pre", "blockquote"}
SPLITTABLE = set(STYLES.values())
QUOTES = {"blockquote", "expandable_blockquote"}
VERBATIM = {"code", "pre"}
KEEPS_BLANKS = VERBATIM | {"text_link", "text_mention"}
CHARACTERS = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
REFERENCE = re.compile(r"&(?:#x([0-9a-fA-F]+)|#([0-9]+)|([A-Za-z]+));?")
ATTRIBUTE_NAME = re.compile(r"[^\s=>/\"']*")
BARE_VALUE = re.compile(r"[A-Za-z0-9.-]*")
INVISIBLE = re.compile(r"[\s\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]*")
DETECTED = re.compile(
    r"(?P<url>(?:https?://|\bt\.me/)[^\s<>\"]*[^\s<>\".,:;!?)\]'])"
    r"|(?<![\w/@])(?P<mention>@[A-Za-z]\w{3,31})\b"
    r"|(?<![\w/#&])(?P<hashtag>#\w*[^\W\d]\w*)"
    r"|(?<![\w/@<>])(?P<bot_command>/[A-Za-z0-9_]{1,64}(?:@[A-Za-z0-9_]{3,32})?)(?![\w/@])",
)


def units(text: str) -> int:
    """Length as Telegram counts it, in UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, begin: int, end: int | None = None) -> str:
    """A part of the text between two UTF-16 offsets."""
    stop = None if end is None else end * 2
    return text.encode("utf-16-le", "surrogatepass")[begin * 2 : stop].decode(
        "utf-16-le", "replace"
    )


def in_order(entities: Iterable[Json]) -> list[Json]:
    return sorted(entities, key=lambda e: (e["offset"], -e["length"]))


def end_of(entity: Json) -> int:
    return int(entity["offset"] + entity["length"])


@dataclass
class OpenTag:
    name: str
    argument: str
    offset: int  # UTF-16 units
    begin: int  # index in the pieces of text


class Html:
    """Reads Telegram's HTML the way its own parser does, refusing what it refuses."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.at = 0
        self.pieces: list[str] = []
        self.offset = 0
        self.open: list[OpenTag] = []
        self.entities: list[Json] = []

    def parse(self) -> tuple[str, list[Json]]:
        while self.at < len(self.source):
            if self.source.startswith("</", self.at):
                self.end_tag()
            elif self.source[self.at] == "<":
                self.start_tag()
            else:
                self.character()
        if self.open:
            name = self.open[-1].name
            raise self.error(f'Can\'t find end tag corresponding to start tag "{name}"')
        return "".join(self.pieces), in_order(self.entities)

    def error(self, why: str, begin: int | None = None) -> ApiError:
        where = "" if begin is None else f" at byte offset {len(self.source[:begin].encode())}"
        return bad_request(f"can't parse entities: {why}{where}")

    def peek(self) -> str:
        return self.source[self.at : self.at + 1]

    def skip_spaces(self) -> None:
        while self.peek().isspace():
            self.at += 1

    def character(self) -> None:
        piece, self.at = read_character(self.source, self.at)
        self.pieces.append(piece)
        self.offset += units(piece)

    def start_tag(self) -> None:
        begin = self.at
        name = self.read(re.compile(r"[^\s>]*"), begin + 1).lower()
        if not self.peek():
            raise self.error("Unclosed start tag", begin)
        if name not in TAGS:
            raise self.error(f'Unsupported start tag "{name}"', begin)
        argument = self.attributes(name, begin)
        if name == "span" and argument != "spoiler":
            raise self.error('Tag "span" must have class "tg-spoiler"', begin)
        self.at += 1
        self.open.append(OpenTag(name, argument, self.offset, len(self.pieces)))

    def read(self, pattern: re.Pattern[str], begin: int) -> str:
        found = pattern.match(self.source, begin)
        assert found is not None
        self.at = found.end()
        return found.group()

    def attributes(self, tag: str, begin: int) -> str:
        argument = ""
        while True:
            self.skip_spaces()
            if self.peek() == ">":
                return argument
            name = self.read(ATTRIBUTE_NAME, self.at)
            if not self.peek():
                raise self.error(f'Unclosed start tag "{tag}"', begin)
            if not name:
                raise self.error(f'Empty attribute name in the tag "{tag}"', begin)
            argument = argument_of(tag, name.lower(), self.value(tag, begin)) or argument

    def value(self, tag: str, begin: int) -> str:
        self.skip_spaces()
        if self.peek() != "=":
            return ""
        self.at += 1
        self.skip_spaces()
        if self.peek() not in {'"', "'"}:
            return self.bare_value(begin)
        quote, start = self.peek(), self.at + 1
        stop = self.source.find(quote, start)
        if stop < 0:
            raise self.error("Unclosed start tag", begin)
        self.at = stop + 1
        return decoded(self.source[start:stop])

    def bare_value(self, begin: int) -> str:
        start = self.at
        value = self.read(BARE_VALUE, start).lower()
        if not self.peek():
            raise self.error("Unclosed start tag", begin)
        if self.peek() != ">" and not self.peek().isspace():
            raise self.error("Unexpected end of name token", start)
        return value

    def end_tag(self) -> None:
        begin = self.at
        if not self.open:
            raise self.error("Unexpected end tag", begin)
        name = self.read(re.compile(r"[^\s>]*"), begin + 2).lower()
        self.skip_spaces()
        if self.peek() != ">":
            raise self.error("Unclosed end tag", begin)
        tag = self.open[-1]
        if name and name != tag.name:
            where = len(self.source[:begin].encode())
            wrong = f'expected "</{tag.name}>", found "</{name}>"'
            raise self.error(f"Unmatched end tag at byte offset {where}, {wrong}")
        self.at += 1
        self.close(self.open.pop())

    def close(self, tag: OpenTag) -> None:
        length = self.offset - tag.offset
        if not length:
            return
        span = {"offset": tag.offset, "length": length}
        if tag.name in VERBATIM:
            self.close_verbatim(tag, span)
        elif what := self.entity(tag):
            self.entities.append(what | span)

    def entity(self, tag: OpenTag) -> Json | None:
        if tag.name in STYLES:
            return {"type": STYLES[tag.name]}
        if tag.name == "blockquote":
            return {"type": "expandable_blockquote" if tag.argument else "blockquote"}
        if tag.name == "tg-emoji":
            if not tag.argument.isdecimal() or not int(tag.argument):
                raise self.error("Invalid custom emoji identifier specified")
            return {"type": "custom_emoji", "custom_emoji_id": tag.argument}
        return link(tag.argument or "".join(self.pieces[tag.begin :]))

    def close_verbatim(self, tag: OpenTag, span: Json) -> None:
        """`<pre><code class="language-x">`, in either order, is one entity."""
        last = self.entities[-1] if self.entities else {}
        inner = last.get("type") if all(last.get(k) == v for k, v in span.items()) else None
        if tag.name == "pre" and inner == "code" and last.get("language"):
            last["type"] = "pre"
        elif tag.name == "code" and inner == "pre" and tag.argument:
            last["language"] = tag.argument
        else:
            language = {"language": tag.argument} if tag.argument else {}
            self.entities.append({"type": tag.name} | span | language)


def argument_of(tag: str, name: str, value: str) -> str:
    match tag, name:
        case ("a", "href") | ("tg-emoji", "emoji-id"):
            return value
        case ("code", "class") if value.startswith("language-"):
            return value.removeprefix("language-")
        case ("span", "class") if value.startswith("tg-"):
            return value.removeprefix("tg-")
        case ("blockquote", "expandable"):
            return "1"
    return ""


def read_character(source: str, at: int) -> tuple[str, int]:
    """One character or character reference, and where the next begins."""
    found = REFERENCE.match(source, at) if source[at] == "&" else None
    if found is None:
        return source[at], at + 1
    hexadecimal, decimal, name = found.groups()
    if name is not None:
        known = CHARACTERS.get(name)
        return (known, found.end()) if known else ("&", at + 1)
    code = int(hexadecimal, 16) if hexadecimal else int(decimal)
    if not 0 < code < 0x10FFFF:
        return "&", at + 1
    if 0xD800 <= code <= 0xDFFF:
        raise bad_request(
            "can't parse entities: Text contains invalid Unicode characters after decoding "
            "HTML entities, check for unmatched surrogate code units"
        )
    return chr(code), found.end()


def decoded(source: str) -> str:
    pieces, at = [], 0
    while at < len(source):
        piece, at = read_character(source, at)
        pieces.append(piece)
    return "".join(pieces)


def link(url: str) -> Json | None:
    """A link as Telegram keeps it; None for one that it silently drops."""
    parts = urlsplit(url if re.match(r"[A-Za-z]+:", url) else f"http://{url}")
    if parts.scheme == "tg" and parts.netloc == "user":
        person = parse_qs(parts.query).get("id", [""])[0]
        if person.isdecimal():
            return {"type": "text_mention", "user": {"id": int(person)}}
    if parts.scheme in {"tg", "ton", "tonsite"}:
        return {"type": "text_link", "url": url}
    host = parts.netloc.lower()
    if parts.scheme not in {"http", "https"} or "." not in host or re.search(r"\s", url):
        return None
    whole = parts._replace(netloc=host, path=parts.path or "/")
    return {"type": "text_link", "url": urlunsplit(whole)}


def tidy(text: str, entities: list[Json]) -> tuple[str, list[Json]]:
    """What reaches the chat: styles split where others begin, no overlaps, no blanks around."""
    entities = without_blanks(text, nested(in_order(entities)))
    kept = text.rstrip(" \n")
    length = units(kept)
    entities = [
        e | {"length": min(e["length"], length - e["offset"])}
        for e in entities
        if e["offset"] < length
    ]
    first = min((e["offset"] for e in entities), default=length)
    blank = min(first, len(kept) - len(kept.lstrip(" \n")))
    entities = [e | {"offset": e["offset"] - blank} for e in entities]
    return cut(kept, blank), in_order(entities)[:ENTITIES_LIMIT]


def nested(entities: list[Json]) -> list[Json]:
    styles = [e for e in entities if e["type"] in SPLITTABLE]
    quotes = apart(e for e in entities if e["type"] in QUOTES)
    solid = apart(e for e in entities if e["type"] not in SPLITTABLE | QUOTES)
    solid = [e for e in solid if not any(crosses(e, quote) for quote in quotes)]
    others = in_order(solid + quotes)
    return in_order(others + split_styles(styles, others))


def apart(entities: Iterable[Json]) -> list[Json]:
    """Those that do not overlap an earlier one."""
    kept: list[Json] = []
    for entity in entities:
        if not kept or entity["offset"] >= end_of(kept[-1]):
            kept.append(entity)
    return kept


def crosses(entity: Json, quote: Json) -> bool:
    overlap = entity["offset"] < end_of(quote) and quote["offset"] < end_of(entity)
    inside = quote["offset"] <= entity["offset"] and end_of(entity) <= end_of(quote)
    return overlap and not inside


def split_styles(styles: list[Json], others: list[Json]) -> list[Json]:
    runs = [run for style in sorted(SPLITTABLE) for run in merged(styles, style)]
    borders = {run["offset"] for run in runs} | {e["offset"] for e in others}
    borders |= {end_of(e) for e in others}
    verbatim = [e for e in others if e["type"] in VERBATIM]
    pieces = (piece for run in runs for piece in split_at(run, borders))
    return [p for p in pieces if not any(v["offset"] <= p["offset"] < end_of(v) for v in verbatim)]


def merged(styles: list[Json], style: str) -> list[Json]:
    runs: list[Json] = []
    for entity in styles:
        if entity["type"] != style:
            continue
        if runs and entity["offset"] <= end_of(runs[-1]):
            runs[-1]["length"] = max(end_of(runs[-1]), end_of(entity)) - runs[-1]["offset"]
        else:
            runs.append(dict(entity))
    return runs


def split_at(run: Json, borders: set[int]) -> Iterator[Json]:
    begin, end = run["offset"], end_of(run)
    inside = sorted(border for border in borders if begin < border < end)
    for stop in [*inside, end]:
        yield run | {"offset": begin, "length": stop - begin}
        begin = stop


def without_blanks(text: str, entities: list[Json]) -> list[Json]:
    """A style neither begins with blanks nor covers nothing else."""
    kept = []
    for entity in entities:
        if entity["type"] in KEEPS_BLANKS:
            kept.append(entity)
            continue
        covered = cut(text, entity["offset"], end_of(entity))
        blank = len(covered) - len(covered.lstrip(" \n"))
        if blank < len(covered):
            shift = {"offset": entity["offset"] + blank, "length": entity["length"] - blank}
            kept.append(entity | shift)
    return kept


def clean(text: str) -> str:
    text = text.replace("\r", "")
    return re.sub(r"[\x00-\x09\x0b-\x1f]", " ", text)


def formatted(text: str, mode: str, given: list[Json] | None) -> tuple[str, list[Json]]:
    """The text and the entities a chat would show; raises ApiError where Telegram would."""
    if not mode:
        return tidy(clean(text), given or [])
    if mode.lower() != "html":
        raise bad_request("unsupported parse_mode")
    return tidy(*Html(clean(text)).parse())


def detected(text: str) -> list[Json]:
    """Commands, mentions, hashtags and links in what a person writes, roughly as Telegram does."""
    return [
        {
            "type": found.lastgroup,
            "offset": units(text[: found.start()]),
            "length": units(found.group()),
        }
        for found in DETECTED.finditer(text)
    ]


# ---- faults and limits


Kind = int | Literal["hang", "drop", "lost"]


@dataclass(frozen=True)
class Fault:
    """What goes wrong with a call.

    An HTTP status is an answer without the effect. "drop" cuts the connection before the effect,
    "lost" after it. "hang" holds the call for `seconds` (None: until the client leaves), then goes
    on as usual.
    """

    kind: Kind
    retry_after: int | None = None  # seconds
    html: bool = False  # the body of a proxy on the way, not of the API
    description: str = ""
    parameters: Json = field(default_factory=dict)
    seconds: float | None = None

    def response(self, status: int) -> web.Response:
        if self.html:
            page = f"<html><body><h1>{status} Bad Gateway</h1></body></html>"
            return web.Response(status=status, text=page, content_type="text/html")
        retry = {} if self.retry_after is None else {"retry_after": self.retry_after}
        why = self.description or self.usual(status)
        return ApiError(status, why, **self.parameters | retry).response()

    def usual(self, status: int) -> str:
        known = {
            400: "Bad Request",
            401: "Unauthorized",
            403: "Forbidden: bot was blocked by the user",
            409: CONFLICT,
            429: "Too Many Requests: retry after {}",
            502: "Bad Gateway",
        }
        return known.get(status, "Internal Server Error").format(self.retry_after)


@dataclass
class Plan:
    """A fault that waits for its call."""

    method: str  # a pattern: "send*"
    fault: Fault
    left: float  # calls
    chat_id: int | None = None

    def meets(self, method: str, params: Json) -> bool:
        if method == "getUpdates" and self.method == "*":
            return False  # "everything" means what the bot says; polling must be named
        if self.chat_id is not None and params.get("chat_id") != self.chat_id:
            return False
        return fnmatchcase(method, self.method)


@dataclass(frozen=True)
class Chaos:
    """Faults by chance: one draw a call, so that a seed repeats them for the same calls."""

    rng: random.Random
    chances: tuple[tuple[float, Fault], ...]
    methods: str

    def draw(self, method: str) -> Fault | None:
        if not fnmatchcase(method, self.methods) or (method, self.methods) == ("getUpdates", "*"):
            return None
        luck = self.rng.random()
        for chance, fault in self.chances:
            if luck < chance:
                return fault
            luck -= chance
        return None


@dataclass
class Pace:
    """How fast a bot may send: 30/s overall, 1/s a chat, 20/min a group (the Bot API's FAQ).

    Guesses: a chat forgives a burst of three, then takes one a second; each message of an album
    counts; edits do not; and once refused a chat stays shut for the whole retry_after, so that a
    bot which does not wait gains nothing.
    """

    overall: int = 30  # messages a second
    burst: int = 3  # messages at once to a chat that was left in peace
    group: int = 20  # messages a minute
    clock: Callable[[], float] = time.monotonic
    recent: deque[float] = field(default_factory=deque)
    free_at: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))
    in_group: defaultdict[int, deque[float]] = field(default_factory=lambda: defaultdict(deque))
    shut: defaultdict[int, float] = field(default_factory=lambda: defaultdict(float))

    def check(self, chat_id: int, group: bool, messages: int = 1) -> None:
        now = self.clock()
        waits = {0: self.wait_overall(now), chat_id: self.wait_chat(chat_id, group, now)}
        for key, wait in waits.items():
            if self.shut[key] <= now < now + wait:
                self.shut[key] = now + math.ceil(wait)
            if self.shut[key] > now:
                raise too_many_requests(math.ceil(self.shut[key] - now))
        self.free_at[chat_id] = max(self.free_at[chat_id], now) + messages
        self.recent.extend([now] * messages)
        self.in_group[chat_id].extend([now] * messages)

    def wait_overall(self, now: float) -> float:
        return window_wait(self.recent, self.overall, 1.0, now)

    def wait_chat(self, chat_id: int, group: bool, now: float) -> float:
        wait = self.free_at[chat_id] - (self.burst - 1) - now
        if group:
            wait = max(wait, window_wait(self.in_group[chat_id], self.group, 60.0, now))
        return wait


def window_wait(times: deque[float], most: int, window: float, now: float) -> float:
    """Seconds until fewer than `most` of the times lie in the window that ends now."""
    while times and times[0] <= now - window:
        times.popleft()
    return times[len(times) - most] + window - now if len(times) >= most else 0.0


class Bell:
    """Wakes everyone who waits for something to change."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        rung, self._rung = self._rung, asyncio.Event()
        rung.set()

    async def until(self, check: Callable[[], T], seconds: float | None) -> T:
        """The first true answer; what it says at the end of the time if there was none."""
        try:
            async with asyncio.timeout(seconds):
                while not (found := check()):
                    await self._rung.wait()
                return found
        except TimeoutError:
            return check()


# ---- who is there


class Call(NamedTuple):
    at: float  # time.monotonic()
    method: str
    params: Json


class Sent(NamedTuple):
    at: float  # time.monotonic()
    chat_id: int
    message: Json  # as it was when sent


class Upload(NamedTuple):
    name: str
    data: bytes


class Topic(NamedTuple):
    name: str
    closed: bool = False


class Chat:
    """A chat as the server knows it: who is in it, what was said."""

    def __init__(self, api: BotApi, about: Json, bot: str = "member") -> None:
        self.api = api
        self.about = about  # the Bot API's Chat
        self.bot = bot  # the bot's status: member, administrator, left …; "" = not yet met
        self.rights: Json = {}  # what the bot may or may not do there, beside what is usual
        self.members: dict[int, str] = {}  # user id → status
        self.topics: dict[int, Topic] = {}
        self.moved_to: int | None = None
        self.history: dict[int, Json] = {}  # message id → message, of everyone

    @property
    def id(self) -> int:
        return int(self.about["id"])

    @property
    def type(self) -> str:
        return str(self.about["type"])

    @property
    def is_group(self) -> bool:
        return self.type in {"group", "supergroup"}

    @property
    def messages(self) -> list[Json]:
        """The bot's messages as they stand now, oldest first."""
        return [self.history[i] for i in sorted(self.history) if (self.id, i) in self.api.by_bot]

    def topic(self, name: str) -> int:
        """Opens a topic; gives its message_thread_id."""
        assert self.about.get("is_forum"), "only a forum has topics"
        opened = self.api.record(self, self.api.someone, forum_topic_created=topic_about(name))
        thread = int(opened["message_id"])
        opened |= {"message_thread_id": thread, "is_topic_message": True}
        self.topics[thread] = Topic(name)
        self.api.push(message=opened)
        return thread

    def close_topic(self, thread: int) -> None:
        self.topics[thread] = self.topics[thread]._replace(closed=True)

    def delete_topic(self, thread: int) -> None:
        del self.topics[thread]

    async def expect(
        self,
        text: str = "",
        *,
        timeout: float = 10,
        after: int = 0,
        **fields: Any,
    ) -> Json:
        """The newest message of the bot, newer than id `after`, that says so.

        `text` is a part of its text or caption; of the fields, strings are parts too, True and
        False ask whether the field is there, anything else is compared.
        """
        found = await self.api.bell.until(lambda: self._newest(text, after, fields), timeout)
        if found is None:
            said = [m.get("text") or m.get("caption") or sorted(m) for m in self.messages]
            raise AssertionError(f"no {text!r} {fields or ''} in {self.about}; the bot said {said}")
        return found

    def _newest(self, text: str, after: int, fields: Json) -> Json | None:
        for message in reversed(self.messages):
            said = message.get("text") or message.get("caption") or ""
            if message["message_id"] > after and text in said and agrees(message, fields):
                return message
        return None


def topic_about(name: str) -> Json:
    return {"name": name, "icon_color": 7322096}


def agrees(message: Json, fields: Json) -> bool:
    def one(name: str, want: Any) -> bool:
        if isinstance(want, bool) and not isinstance(message.get(name), bool):
            return (name in message) is want
        if isinstance(want, str) and isinstance(message.get(name), str):
            return want in message[name]
        return bool(message.get(name) == want)

    return all(one(name, want) for name, want in fields.items())


class User:
    """A person with Telegram on their phone."""

    def __init__(self, api: BotApi, about: Json) -> None:
        self.api = api
        self.about = about  # the Bot API's User
        private = {k: about[k] for k in ("id", "first_name", "username") if k in about}
        self.chat = Chat(api, private | {"type": "private"}, bot="")

    @property
    def id(self) -> int:
        return int(self.about["id"])

    @property
    def messages(self) -> list[Json]:
        return self.chat.messages

    async def send(
        self,
        text: str,
        chat: Chat | None = None,
        *,
        thread: int | None = None,
        reply_to: Json | None = None,
        anonymous: bool = False,
        **extra: Any,
    ) -> int:
        """Writes to the bot or in a group, there also as the group itself; gives the message id."""
        said: Json = {"text": text} if text else {}
        if entities := detected(text):
            said["entities"] = entities
        if thread is not None:
            said |= {"message_thread_id": thread, "is_topic_message": True}
        if reply_to is not None:
            said |= {"reply_to_message": {**reply_to}}
        return self._say(chat or self.chat, said | extra, anonymous)

    async def upload(
        self, name: str, data: bytes, chat: Chat | None = None, caption: str = ""
    ) -> int:
        """Sends a document."""
        said: Json = {"document": self.api.keep(name, data)}
        if caption:
            said |= {"caption": caption, "caption_entities": detected(caption)}
        return self._say(chat or self.chat, said)

    def _say(self, chat: Chat, said: Json, anonymous: bool = False) -> int:
        self._check_allowed(chat, said.get("message_thread_id"))
        chat.bot = chat.bot or "member"
        chat.members.setdefault(self.id, "member")
        if anonymous:
            said |= {"sender_chat": chat.about}
        message = self.api.record(chat, ANONYMOUS_ADMIN if anonymous else self.about, **said)
        if self.api.shows(message, chat):
            self.api.push(message=message)
        return int(message["message_id"])

    def _check_allowed(self, chat: Chat, thread: int | None) -> None:
        blocked = chat is self.chat and chat.bot == "kicked"
        assert not blocked, "they blocked the bot: api.unblock(user) first"
        assert chat.moved_to is None, "the group has become a supergroup"
        assert chat.type != "channel", "a channel speaks itself: api.post(channel, text)"
        assert thread is None or thread in chat.topics, f"no topic {thread} in {chat.about}"

    async def press(self, label: str, message: Json | None = None, chat: Chat | None = None) -> str:
        """Presses the newest button with this label or data; gives the id for `api.answer`."""
        chat = chat or (self.api.chats[message["chat"]["id"]] if message else self.chat)
        for candidate in [message] if message else reversed(chat.messages):
            for button in buttons(candidate):
                if label in (button["text"], button.get("callback_data")):
                    return self._press(button, candidate)
        shown = [b["text"] for m in chat.messages for b in buttons(m)]
        raise AssertionError(f"no button {label!r}; there are {shown}")

    def _press(self, button: Json, message: Json) -> str:
        assert "callback_data" in button, f"{button} does not call the bot"
        query = str(len(self.api.callbacks) + 1)
        self.api.callbacks[query] = None
        about = {"id": query, "from": self.about, "chat_instance": str(message["chat"]["id"])}
        self.api.push(
            callback_query=about | {"message": dict(message), "data": button["callback_data"]}
        )
        return query

    async def expect(
        self,
        text: str = "",
        *,
        chat: Chat | None = None,
        timeout: float = 10,
        after: int = 0,
        **fields: Any,
    ) -> Json:
        """As `Chat.expect`, in the private chat unless another is named."""
        return await (chat or self.chat).expect(text, timeout=timeout, after=after, **fields)


def buttons(message: Json) -> Iterator[Json]:
    for row in message.get("reply_markup", {}).get("inline_keyboard", []):
        yield from row


# ---- the server


class BotApi:
    """The server, the chats behind it, and what a test may do to both."""

    def __init__(
        self,
        token: str = "123456:TEST-TOKEN-abcdefghijklmnopqrstuvwxyz",
        username: str = "test_bot",
    ) -> None:
        self.token = token
        self.bot: Json = {
            "id": int(token.split(":")[0]),
            "is_bot": True,
            "first_name": "Bot",
            "username": username,
        }
        self.limits = False  # True: answer 429 as `pace` says
        self.pace = Pace()
        self.privacy = True  # in groups a mere member sees only what is meant for the bot
        self.calls: list[Call] = []
        self.sent: list[Sent] = []
        self.callbacks: dict[str, Json | None] = {}  # callback query id → how the bot answered it
        self.commands: dict[tuple[str, str], list[Json]] = {}  # (scope, language) → menu
        self.files: dict[str, Upload] = {}
        self.chats: dict[int, Chat] = {}
        self.users: dict[int, User] = {}
        self.by_bot: set[tuple[int, int]] = set()  # (chat id, message id)
        self.updates: list[Json] = []  # not yet acknowledged
        self.polling = 0  # long polls that wait now
        self.url = ""
        self.bell = Bell()
        self._allowed: list[str] = []
        self._poll = 0  # number of the newest getUpdates
        self._ended = 0  # how often a long poll was ended early
        self._update_id = 0
        self._message_id = 0
        self._plans: list[Plan] = []
        self._chaos: list[Chaos] = []
        self._runner: web.AppRunner | None = None
        self._stopping = asyncio.Event()
        self._port = 0
        self._numbers = itertools.count(1)
        self.someone = self.user(777, "Someone").about  # who kicks, blocks and opens topics

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listens; after a stop, at the same address and with all it knew."""
        self._stopping = asyncio.Event()
        app = web.Application(client_max_size=60 << 20)
        app.router.add_route("*", "/bot{token}/{method}", self._handle)
        app.router.add_get("/file/bot{token}/{path:.+}", self._download)
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.2, handler_cancellation=True
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port).start()
        self._port = int(self._runner.addresses[0][1])
        self.url = f"http://127.0.0.1:{self._port}"

    async def stop(self) -> None:
        """Cuts every connection and stops listening."""
        self._stopping.set()
        self.bell.ring()
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()

    # -- people and chats

    def user(
        self,
        id: int,
        name: str = "User",
        *,
        started: bool = False,
        language: str = "en",
        username: str = "",
    ) -> User:
        """The person with this id; `started` if they have already spoken to the bot."""
        if id not in self.users:
            about = {"id": id, "is_bot": False, "first_name": name, "language_code": language}
            self.users[id] = User(self, about | ({"username": username} if username else {}))
            self.chats[id] = self.users[id].chat
        if started:
            self.users[id].chat.bot = "member"
        return self.users[id]

    def group(self, title: str = "Group", id: int | None = None, bot: str = "member") -> Chat:
        """A basic group; `bot` is the bot's status there."""
        id = id or -4_000_000 - next(self._numbers)
        return self._chat({"id": id, "type": "group", "title": title}, bot)

    def supergroup(
        self,
        title: str = "Group",
        id: int | None = None,
        bot: str = "member",
        *,
        forum: bool = False,
        username: str = "",
    ) -> Chat:
        about: Json = {"id": id or self._channel_id(), "type": "supergroup", "title": title}
        about |= {"is_forum": True} if forum else {}
        return self._chat(about | ({"username": username} if username else {}), bot)

    def channel(
        self,
        title: str = "Channel",
        id: int | None = None,
        bot: str = "administrator",
        username: str = "",
    ) -> Chat:
        about: Json = {"id": id or self._channel_id(), "type": "channel", "title": title}
        return self._chat(about | ({"username": username} if username else {}), bot)

    def _channel_id(self) -> int:
        return -1_002_000_000_000 - next(self._numbers)

    def _chat(self, about: Json, bot: str) -> Chat:
        chat = self.chats[about["id"]] = Chat(self, about, bot)
        return chat

    def block(self, chat: Chat | User | int) -> None:
        """A person blocks the bot."""
        self.set_bot(chat, "kicked")

    def kick(self, chat: Chat | User | int) -> None:
        """A group or channel throws the bot out."""
        self.set_bot(chat, "kicked")

    def unblock(self, chat: Chat | User | int) -> None:
        """A person or a group lets the bot back in."""
        chat = self._known(chat)
        self.set_bot(chat, "administrator" if chat.type == "channel" else "member")
        if chat.is_group:
            self.push(message=self.record(chat, self.someone, new_chat_members=[self.bot]))

    def set_bot(self, chat: Chat | User | int, status: str, **rights: bool) -> None:
        """The bot becomes member, administrator, restricted, left or kicked, and is told so.

        `rights` that differ from the usual: can_send_messages=False, can_post_messages=False …
        """
        chat = self._known(chat)
        before = self.about_bot(chat, chat.bot or "left")
        chat.bot, chat.rights = status, rights
        private = chat.type == "private"
        self.push(
            my_chat_member={
                "chat": chat.about,
                "from": self.users[chat.id].about if private else self.someone,
                "date": int(time.time()),
                "old_chat_member": before,
                "new_chat_member": self.about_bot(chat, status),
            }
        )

    def about_bot(self, chat: Chat, status: str) -> Json:
        return member(self.bot, status, channel=chat.type == "channel") | chat.rights

    def migrate(self, chat: Chat | int) -> Chat:
        """The group becomes a supergroup with a new id."""
        old = self._known(chat)
        assert old.type == "group", "only a basic group is upgraded"
        new = self.supergroup(old.about["title"], bot=old.bot)
        new.members = dict(old.members)
        old.moved_to = new.id
        self.push(message=self.record(old, self.someone, migrate_to_chat_id=new.id))
        came = self.record(new, ANONYMOUS_ADMIN, sender_chat=new.about, migrate_from_chat_id=old.id)
        self.push(message=came)
        return new

    def post(self, channel: Chat, text: str) -> int:
        """The channel publishes something; gives the message id."""
        assert channel.type == "channel"
        message = self.record(channel, None, sender_chat=channel.about, text=text)
        self.push(channel_post=message)
        return int(message["message_id"])

    def _known(self, chat: Chat | User | int) -> Chat:
        if isinstance(chat, int):
            return self.chats[chat]
        return chat.chat if isinstance(chat, User) else chat

    def menu(self, user: User, chat: Chat | None = None) -> list[str]:
        """The commands this person is offered in this chat."""
        scopes = menu_scopes(user, chat or user.chat)
        languages = (user.about["language_code"], "")
        for key in ((scope_key(s), language) for s in scopes for language in languages):
            if self.commands.get(key):
                return [str(command["command"]) for command in self.commands[key]]
        return []

    # -- updates

    def push(self, **update: Any) -> int:
        """Queues an update if the bot wants this kind; gives its id, or 0."""
        kind = next(iter(update))
        if self._allowed and kind not in self._allowed:
            return 0
        if not self._allowed and kind in ONLY_WHEN_ASKED_FOR:
            return 0
        return self.push_raw({kind: json.loads(json.dumps(update[kind]))})

    def push_raw(self, update: Json) -> int:
        """Queues any JSON object as an update, wanted or not, well-formed or not."""
        self._update_id += 1
        self.updates.append({"update_id": self._update_id} | update)
        self.bell.ring()
        return self._update_id

    async def poll(
        self, offset: int, limit: int, seconds: float, allowed: list[str] | None
    ) -> list[Json]:
        """getUpdates: an offset acknowledges; a newer poll ends this one with 409."""
        if allowed is not None:
            self._allowed = allowed
        self._poll += 1
        mine, ended = self._poll, self._ended
        self.bell.ring()
        if offset < 0:
            self.updates = self.updates[offset:]
        else:
            self.updates = [u for u in self.updates if u["update_id"] >= offset]
        self.polling += 1
        try:
            await self.bell.until(
                lambda: (
                    self.updates
                    or self._poll != mine
                    or self._ended != ended
                    or self._stopping.is_set()
                ),
                seconds,
            )
        finally:
            self.polling -= 1
        if self._poll != mine:
            raise ApiError(409, CONFLICT)
        return self.updates[:limit]

    def end_poll(self) -> None:
        """A long poll that waits is answered with nothing, as if its time were over."""
        self._ended += 1
        self.bell.ring()

    def shows(self, message: Json, chat: Chat) -> bool:
        """Whether the bot gets to see what a person said."""
        if not chat.is_group:
            return True
        if chat.bot not in {"member", "administrator", "restricted"}:
            return False
        text, me = (
            message.get("text") or message.get("caption") or "",
            "@" + self.bot["username"].lower(),
        )
        command = text.split()[0].lower() if text.startswith("/") else ""
        if "@" in command:
            return command.endswith(me)
        reply = message.get("reply_to_message", {}).get("message_id")
        addressed = command or me in text.lower() or (chat.id, reply) in self.by_bot
        return bool(addressed or not self.privacy or chat.bot == "administrator")

    # -- messages and files

    def record(self, chat: Chat, author: Json | None, **content: Any) -> Json:
        self._message_id += 1
        message: Json = {
            "message_id": self._message_id,
            "date": int(time.time()),
            "chat": chat.about,
        }
        message |= ({} if author is None else {"from": author}) | content
        chat.history[self._message_id] = message
        return message

    def keep(self, name: str, data: bytes) -> Json:
        """Stores a file; gives the Bot API's Document."""
        file_id = f"file{len(self.files) + 1}"
        self.files[file_id] = Upload(name, data)
        about = {"file_id": file_id, "file_unique_id": f"unique-{file_id}", "file_size": len(data)}
        return about | {"file_name": name}

    # -- faults

    def fail(
        self,
        method: str,
        kind: Kind,
        times: int | None = 1,
        *,
        chat_id: int | None = None,
        **details: Any,
    ) -> None:
        """The next `times` (None: all) calls that match fail so; see Fault for kinds and details.

        `method` is a pattern; "*" is every method but getUpdates, which has to be named.
        """
        left = math.inf if times is None else times
        self._plans.append(Plan(method, Fault(kind, **details), left, chat_id))

    def chaos(
        self,
        rng: random.Random,
        *,
        methods: str = "*",
        rate429: float = 0,
        rate5xx: float = 0,
        html502: float = 0,
        drop: float = 0,
        lost: float = 0,
        hang: float = 0,
        retry_after: int = 1,
        seconds: float = 0.1,
    ) -> None:
        """From now on each matching call fails with these probabilities."""
        chances = (
            (rate429, Fault(429, retry_after=retry_after)),
            (rate5xx, Fault(500)),
            (html502, Fault(502, html=True)),
            (drop, Fault("drop")),
            (lost, Fault("lost")),
            (hang, Fault("hang", seconds=seconds)),
        )
        self._chaos.append(Chaos(rng, chances, methods))

    def heal(self) -> None:
        """No more faults."""
        self._plans.clear()
        self._chaos.clear()

    def _fault(self, method: str, params: Json) -> Fault | None:
        for plan in self._plans:
            if plan.left > 0 and plan.meets(method, params):
                plan.left -= 1
                return plan.fault
        return next(filter(None, (chaos.draw(method) for chaos in self._chaos)), None)

    # -- waiting

    async def wait_for(
        self,
        check: Callable[[], T],
        timeout: float = 10,
    ) -> T:
        """The first true answer of `check`.

        It is asked again whenever a call comes or ends and whenever an update is queued.
        """
        found = await self.bell.until(check, timeout)
        if not found:
            last = [(call.method, call.params) for call in self.calls[-5:]]
            raise AssertionError(f"did not come true in {timeout} s; the last calls: {last}")
        return found

    async def answer(self, query: str) -> Json:
        """How the bot answered the callback query that `press` gave."""
        answered = await self.wait_for(lambda: self.callbacks[query])
        assert answered is not None
        return answered

    def called(self, method: str) -> list[Json]:
        """The parameters of every call of this method."""
        return [call.params for call in self.calls if call.method == method]

    # -- HTTP

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"]
        if refusal := self._wrong_token(request):
            return refusal
        try:
            params = await read_params(request, self)
        except ApiError as error:
            return error.response()
        self.calls.append(Call(time.monotonic(), method, params))
        self.bell.ring()
        fault = self._fault(method, params)
        if fault is not None and isinstance(fault.kind, int):
            return fault.response(fault.kind)
        if fault is not None and fault.kind == "hang":
            await self._hang(fault.seconds)
        if self._stopping.is_set() or (fault is not None and fault.kind == "drop"):
            return cut_off(request)
        response = await self._call(method, params)
        self.bell.ring()
        if self._stopping.is_set() or (fault is not None and fault.kind == "lost"):
            return cut_off(request)
        return response

    def _wrong_token(self, request: web.Request) -> web.Response | None:
        token = request.match_info["token"]
        if token == self.token:
            return None
        shaped = re.fullmatch(r"\d+:[\w-]+", token)
        error = ApiError(401, "Unauthorized") if shaped else ApiError(404, "Not Found")
        return error.response()

    async def _hang(self, seconds: float | None) -> None:
        await self.bell.until(self._stopping.is_set, seconds)

    async def _call(self, method: str, params: Json) -> web.Response:
        try:
            call = None if method.startswith("_") else getattr(Methods(self), method, None)
            if call is None:
                raise ApiError(404, "Not Found: method not found")
            result = call(params)
            if isawaitable(result):
                result = await result
        except ApiError as error:
            return error.response()
        return web.json_response({"ok": True, "result": result})

    async def _download(self, request: web.Request) -> web.Response:
        if refusal := self._wrong_token(request):
            return refusal
        for file_id, upload in self.files.items():
            if file_path(file_id, upload) == request.match_info["path"]:
                return web.Response(body=upload.data)
        return ApiError(404, "Not Found").response()


def cut_off(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


# ---- parameters


AS_JSON = {
    "allowed_updates",
    "caption_entities",
    "commands",
    "entities",
    "link_preview_options",
    "media",
    "menu_button",
    "message_ids",
    "reaction",
    "reply_markup",
    "reply_parameters",
    "scope",
}
AS_NUMBER = {"limit", "message_id", "message_thread_id", "offset", "timeout", "user_id"}
AS_FLAG = {
    "disable_notification",
    "drop_pending_updates",
    "protect_content",
    "show_alert",
}


async def read_params(request: web.Request, api: BotApi) -> Json:
    raw: Json = dict(request.query)
    if request.content_type == "application/json":
        raw |= from_json("the body's", await request.text())
    else:
        raw |= await request.post()
    uploads = {
        name: kept(value, api) for name, value in raw.items() if isinstance(value, web.FileField)
    }
    return {
        name: uploads.get(name) or param(name, value, uploads, api) for name, value in raw.items()
    }


def kept(field: web.FileField, api: BotApi) -> str:
    """The id of an uploaded file. aiohttp leaves it open when the client goes away."""
    with field.file:
        return str(api.keep(field.filename, field.file.read())["file_id"])


def param(name: str, value: Any, uploads: dict[str, str], api: BotApi) -> Any:
    if name == "chat_id":
        return chat_id(value, api)
    if not isinstance(value, str):
        return value
    if name == "media":
        items = from_json(name, value)
        return [item | {"media": attached(item.get("media", ""), uploads)} for item in items]
    if name in AS_JSON:
        return from_json(name, value)
    if name in AS_NUMBER:
        return int(value) if re.fullmatch(r"-?\d+", value) else 0
    if name in AS_FLAG:
        return value.lower() in {"true", "yes", "1"}
    return attached(value, uploads)


def from_json(name: str, value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        raise bad_request(f"can't parse {name} JSON object") from None


def attached(value: str, uploads: dict[str, str]) -> str:
    name = value.removeprefix("attach://")
    return value if name == value else uploads.get(name, value)


def chat_id(value: Any, api: BotApi) -> int:
    """A chat's number; 0 for a name nobody has."""
    text = str(value)
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    named = (
        c.id
        for c in api.chats.values()
        if f"@{c.about.get('username', '')}".lower() == text.lower()
    )
    return next(named, 0)


def file_path(file_id: str, upload: Upload) -> str:
    return f"documents/{file_id}/{upload.name}"


# ---- members and menus


ADMIN_RIGHTS = (
    "can_manage_chat",
    "can_delete_messages",
    "can_manage_video_chats",
    "can_restrict_members",
    "can_promote_members",
    "can_change_info",
    "can_invite_users",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_send_welcome_messages",
)


MEMBER_RIGHTS = (
    "can_send_messages",
    "can_send_audios",
    "can_send_documents",
    "can_send_photos",
    "can_send_videos",
    "can_send_video_notes",
    "can_send_voice_notes",
    "can_send_polls",
    "can_send_other_messages",
    "can_add_web_page_previews",
    "can_react_to_messages",
    "can_edit_tag",
    "can_change_info",
    "can_invite_users",
    "can_pin_messages",
    "can_manage_topics",
)


def member(user: Json, status: str, *, channel: bool = False) -> Json:
    about: Json = {"user": user, "status": status}
    if status == "restricted":
        about |= {"is_member": True, "until_date": 0} | dict.fromkeys(MEMBER_RIGHTS, True)
    if status == "kicked":
        about["until_date"] = 0
    if status in {"administrator", "creator"}:
        about["is_anonymous"] = False
    if status == "administrator":
        about |= {"can_be_edited": False} | dict.fromkeys(ADMIN_RIGHTS, True)
        about |= {"can_post_messages": True, "can_edit_messages": True} if channel else {}
    return about


def scope_key(scope: Json | None) -> str:
    return json.dumps(scope or {"type": "default"}, sort_keys=True)


def menu_scopes(user: User, chat: Chat) -> list[Json]:
    """Which menus a person may get in a chat, the most particular first."""
    default = {"type": "default"}
    this: Json = {"type": "chat", "chat_id": chat.id}
    if not chat.is_group:
        return [this, {"type": "all_private_chats"}, default]
    scopes = [this | {"type": "chat_member", "user_id": user.id}]
    admin = chat.members.get(user.id) in {"administrator", "creator"}
    scopes += [this | {"type": "chat_administrators"}] if admin else []
    scopes += [this]
    scopes += [{"type": "all_chat_administrators"}] if admin else []
    return [*scopes, {"type": "all_group_chats"}, default]


# ---- the methods of the Bot API


class Methods:
    """One method here per method there: parameters in, result out, ApiError otherwise."""

    def __init__(self, api: BotApi) -> None:
        self._api = api

    # -- the bot itself

    def getMe(self, p: Json) -> Json:
        return self._api.bot | {
            "can_join_groups": True,
            "can_read_all_group_messages": not self._api.privacy,
            "supports_inline_queries": False,
        }

    async def getUpdates(self, p: Json) -> list[Json]:
        limit = min(max(p.get("limit", 100), 1), 100)
        return await self._api.poll(
            p.get("offset", 0), limit, p.get("timeout", 0), p.get("allowed_updates")
        )

    def deleteWebhook(self, p: Json) -> bool:
        if p.get("drop_pending_updates"):
            self._api.updates.clear()
        return True

    def getWebhookInfo(self, p: Json) -> Json:
        pending = len(self._api.updates)
        return {"url": "", "has_custom_certificate": False, "pending_update_count": pending}

    def setMyCommands(self, p: Json) -> bool:
        commands = p.get("commands", [])
        if len(commands) > 100:
            raise bad_request("BOT_COMMANDS_TOO_MUCH")
        for command in commands:
            if not re.fullmatch(r"[a-z0-9_]{1,32}", command.get("command", "")):
                raise bad_request("BOT_COMMAND_INVALID")
            if not 1 <= len(command.get("description", "")) <= 256:
                raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
        self._api.commands[self._menu_key(p)] = commands
        return True

    def getMyCommands(self, p: Json) -> list[Json]:
        return self._api.commands.get(self._menu_key(p), [])

    def deleteMyCommands(self, p: Json) -> bool:
        self._api.commands.pop(self._menu_key(p), None)
        return True

    def _menu_key(self, p: Json) -> tuple[str, str]:
        scope = p.get("scope") or {}
        if "chat_id" in scope:
            scope = scope | {"chat_id": chat_id(scope["chat_id"], self._api)}
            self._chat(scope)
        return scope_key(scope), p.get("language_code", "")

    def setMyDescription(self, p: Json) -> bool:
        return True

    def setMyShortDescription(self, p: Json) -> bool:
        return True

    def setMyName(self, p: Json) -> bool:
        return True

    def setChatMenuButton(self, p: Json) -> bool:
        return True

    # -- chats

    def _chat(self, p: Json) -> Chat:
        chat = self._api.chats.get(p.get("chat_id", 0))
        if chat is None:
            raise bad_request("chat not found")
        if chat.moved_to is not None:
            why = "Bad Request: group chat was upgraded to a supergroup chat"
            raise ApiError(400, why, migrate_to_chat_id=chat.moved_to)
        if chat.bot == "kicked":
            private = chat.type == "private"
            raise forbidden(
                "bot was blocked by the user"
                if private
                else f"bot was kicked from the {chat.type} chat"
            )
        if chat.bot == "left":
            raise forbidden(f"bot is not a member of the {chat.type} chat")
        if not chat.bot:
            raise self._stranger(chat)
        return chat

    def _stranger(self, person: Chat) -> ApiError:
        met = any(person.id in chat.members for chat in self._api.chats.values())
        if met:
            return forbidden("bot can't initiate conversation with a user")
        return bad_request("chat not found")

    def _target(self, p: Json, messages: int = 1) -> Chat:
        """The chat to send to, if the bot may send there now."""
        chat = self._chat(p)
        if chat.type == "channel" and chat.bot != "administrator":
            raise bad_request("need administrator rights in the channel chat")
        everybody = chat.about.get("permissions", {}) if chat.bot == "member" else {}
        for right in ("can_send_messages", "can_post_messages"):
            if (everybody | chat.rights).get(right) is False:
                raise bad_request("not enough rights to send text messages to the chat")
        if thread := p.get("message_thread_id"):
            if thread not in chat.topics:
                raise bad_request("message thread not found")
            if chat.topics[thread].closed and chat.bot != "administrator":
                raise bad_request("TOPIC_CLOSED")
        if self._api.limits:
            self._api.pace.check(chat.id, chat.is_group, messages)
        return chat

    def getChat(self, p: Json) -> Json:
        gifts = (
            "unlimited_gifts",
            "limited_gifts",
            "unique_gifts",
            "premium_subscription",
            "gifts_from_channels",
        )
        return self._chat(p).about | {
            "accent_color_id": 0,
            "max_reaction_count": 11,
            "accepted_gift_types": dict.fromkeys(gifts, False),
        }

    def getChatMember(self, p: Json) -> Json:
        chat = self._chat(p)
        user_id = p.get("user_id", 0)
        if user_id == self._api.bot["id"]:
            return self._api.about_bot(chat, chat.bot)
        user = self._api.users.get(user_id)
        if user is None:
            raise bad_request("member not found")
        default = "member" if user.chat is chat else "left"
        return member(user.about, chat.members.get(user.id, default))

    def getChatAdministrators(self, p: Json) -> list[Json]:
        chat = self._chat(p)
        if chat.type == "private":
            raise bad_request("there are no administrators in the private chat")
        return [
            member(self._api.users[user].about, status)
            for user, status in chat.members.items()
            if status in {"creator", "administrator"}
        ]

    def sendChatAction(self, p: Json) -> bool:
        return bool(self._chat(p))

    def pinChatMessage(self, p: Json) -> bool:
        return bool(self._chat(p))

    def unpinChatMessage(self, p: Json) -> bool:
        return bool(self._chat(p))

    def setMessageReaction(self, p: Json) -> bool:
        return bool(self._chat(p))

    def leaveChat(self, p: Json) -> bool:
        self._api.set_bot(self._chat(p), "left")
        return True

    # -- sending

    def sendMessage(self, p: Json) -> Json:
        content = self._text(p) | self._markup(p)
        return self._send(self._target(p), p, content)

    def sendPhoto(self, p: Json) -> Json:
        return self._send_media("photo", p)

    def sendDocument(self, p: Json) -> Json:
        return self._send_media("document", p)

    def _send_media(self, kind: str, p: Json) -> Json:
        content = self._media(kind, p.get(kind, "")) | self._caption(p) | self._markup(p)
        return self._send(self._target(p), p, content)

    def sendMediaGroup(self, p: Json) -> list[Json]:
        items = p.get("media") or []
        if not 2 <= len(items) <= 10:
            raise bad_request("media group must include 2-10 items")
        contents = [
            self._media(item.get("type", ""), item.get("media", "")) | self._caption(item)
            for item in items
        ]
        chat = self._target(p, len(items))
        album = {"media_group_id": str(len(self._api.sent) + 1)}
        return [self._send(chat, p, content | album) for content in contents]

    def _send(self, chat: Chat, p: Json, content: Json) -> Json:
        content = content | self._reply(chat, p)
        answered = content.get("reply_to_message", {})
        if thread := p.get("message_thread_id") or answered.get("message_thread_id"):
            content |= {"message_thread_id": thread, "is_topic_message": True}
        if p.get("protect_content"):
            content["has_protected_content"] = True
        if p.get("disable_notification"):
            content["disable_notification"] = True
        channel = chat.type == "channel"
        if channel:
            content["sender_chat"] = chat.about
        message = self._api.record(chat, None if channel else self._api.bot, **content)
        self._api.by_bot.add((chat.id, message["message_id"]))
        self._api.sent.append(Sent(time.monotonic(), chat.id, dict(message)))
        return message

    def _text(self, p: Json) -> Json:
        if not p.get("text"):
            raise bad_request("message text is empty")
        text, entities = formatted(p["text"], p.get("parse_mode", ""), p.get("entities"))
        if INVISIBLE.fullmatch(text):
            raise bad_request("text must be non-empty")
        if units(text) > TEXT_LIMIT:
            raise bad_request("message is too long")
        preview = p.get("link_preview_options")
        content = {"text": text} | ({"entities": entities} if entities else {})
        return content | ({"link_preview_options": preview} if preview else {})

    def _caption(self, p: Json) -> Json:
        given = p.get("caption_entities")
        text, entities = formatted(p.get("caption", ""), p.get("parse_mode", ""), given)
        if units(text) > CAPTION_LIMIT:
            raise bad_request("message caption is too long")
        content = {"caption": text} if text else {}
        return content | ({"caption_entities": entities} if entities else {})

    def _media(self, kind: str, value: str) -> Json:
        if kind not in {"photo", "document"}:
            raise bad_request(f"this server knows no media of type {kind!r}")
        upload = self._api.files.get(value)
        if upload is None:
            raise bad_request("wrong file identifier/HTTP URL specified")
        if not upload.data:
            raise bad_request("file must be non-empty")
        about = {
            "file_id": value,
            "file_unique_id": f"unique-{value}",
            "file_size": len(upload.data),
        }
        if kind == "photo":
            return {"photo": [about | {"width": 64, "height": 64}]}
        return {"document": about | {"file_name": upload.name}}

    def _markup(self, p: Json) -> Json:
        markup = p.get("reply_markup") or {}
        if "inline_keyboard" not in markup:
            return {}
        pressed = [button for row in markup["inline_keyboard"] for button in row]
        if len(pressed) > BUTTONS_LIMIT:
            raise bad_request("reply markup is too long")
        for button in pressed:
            self._check_button(button)
        return {"reply_markup": markup} if pressed else {}

    def _check_button(self, button: Json) -> None:
        if not button.get("text") or not set(button) - {"text", "style", "icon_custom_emoji_id"}:
            why = "Text buttons are unallowed in the inline keyboard"
            raise bad_request(f"can't parse inline keyboard button: {why}")
        data = button.get("callback_data")
        if data is not None and not 1 <= len(data.encode()) <= CALLBACK_DATA_LIMIT:
            raise bad_request("BUTTON_DATA_INVALID")

    def _reply(self, chat: Chat, p: Json) -> Json:
        asked = p.get("reply_parameters")
        if not asked:
            return {}
        original = chat.history.get(asked["message_id"])
        if original is not None:
            shown = {k: v for k, v in original.items() if k != "reply_to_message"}
            return {"reply_to_message": shown}
        if asked.get("allow_sending_without_reply"):
            return {}
        raise bad_request("message to be replied not found")

    # -- after sending

    def editMessageText(self, p: Json) -> Json:
        return self._edit(p, "text", self._text)

    def editMessageCaption(self, p: Json) -> Json:
        return self._edit(p, "caption", self._caption)

    def editMessageReplyMarkup(self, p: Json) -> Json:
        return self._edit(p, "", lambda _: {})

    def _edit(self, p: Json, what: str, read: Callable[[Json], Json]) -> Json:
        chat = self._chat(p)
        message = chat.history.get(p.get("message_id", 0))
        if message is None:
            raise bad_request("message to edit not found")
        if (chat.id, message["message_id"]) not in self._api.by_bot:
            raise bad_request("message can't be edited")
        if what == "text" and "text" not in message:
            raise bad_request("there is no text in the message to edit")
        if what == "caption" and "text" in message:
            raise bad_request("there is no caption in the message to edit")
        replaced = {"reply_markup", *((what, entities_of(what)) if what else ())}
        fresh = read(p) | self._markup(p)
        if fresh == {k: v for k, v in message.items() if k in replaced | set(fresh)}:
            raise bad_request(NOT_MODIFIED)
        for name in replaced:
            message.pop(name, None)
        message |= fresh | {"edit_date": int(time.time())}
        return message

    def deleteMessage(self, p: Json) -> bool:
        if self._chat(p).history.pop(p.get("message_id", 0), None) is None:
            raise bad_request("message to delete not found")
        return True

    def deleteMessages(self, p: Json) -> bool:
        chat = self._chat(p)
        for message_id in p.get("message_ids", []):
            chat.history.pop(message_id, None)
        return True

    def answerCallbackQuery(self, p: Json) -> bool:
        query = p.get("callback_query_id", "")
        if self._api.callbacks.get(query, p) is not None:
            raise bad_request(
                "query is too old and response timeout expired or query ID is invalid"
            )
        if len(p.get("text", "")) > 200:
            raise bad_request("MESSAGE_TOO_LONG")
        self._api.callbacks[query] = p
        return True

    def getFile(self, p: Json) -> Json:
        upload = self._api.files.get(p.get("file_id", ""))
        if upload is None:
            raise bad_request("invalid file_id")
        if len(upload.data) > DOWNLOAD_LIMIT:
            raise bad_request("file is too big")
        return {
            "file_id": p["file_id"],
            "file_unique_id": f"unique-{p['file_id']}",
            "file_size": len(upload.data),
            "file_path": file_path(p["file_id"], upload),
        }


def entities_of(what: str) -> str:
    return "entities" if what == "text" else f"{what}_entities"
