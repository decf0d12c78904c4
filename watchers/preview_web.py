"""How is the web preview asked: one request at a time, at which pace, of which host?"""

import asyncio
import logging
import random
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

import aiohttp

from storage.said import Said
from watchers.ingest import SourceLost
from watchers.preview_page import PreviewPage, parse_page

log = logging.getLogger(__name__)

TELEGRAM = "https://t.me"
FALL_BACKS = {TELEGRAM: ("https://telegram.me",)}  # asked when the first can't be reached
DETOUR = 600.0  # seconds after which the first host is tried again
ANSWER_WITHIN = 20.0  # seconds for one request
CONNECT_WITHIN = 8.0  # seconds
LONGEST_PAGE = 8_000_000  # bytes; a real one has about 100,000
KEPT_PAGES = 400  # those that came with a validator, for conditional requests
SLOWEST = 16  # times the usual pace
HEADERS = {
    "User-Agent": "Mozilla/5.0 (compatible; telegram-channel-monitor)",
    "Accept-Language": "en",  # that a post was edited is read in English
}
_VALIDATORS = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds. A path is asked once in `every` on average; what it saved up, `burst` at once."""

    every: float = 20.0
    burst: int = 6  # one deep look
    least: float = 1.0  # between two requests, whatever the paths
    retry: float = 1.0  # before a failed connect is tried once more
    pauses: tuple[float, ...] = (30, 60, 120, 300, 600)  # after answers without posts, in a row


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    page: PreviewPage | None = None  # of a 200
    location: str = ""  # of a redirect
    retry_after: float | None = None


class PreviewWeb:
    def __init__(self, url: str, pace: Pace) -> None:
        self._hosts = [url, *FALL_BACKS.get(url, ())]
        self._host, self._since = url, 0.0  # which one answered last, and since when
        self._pace = pace
        self.turns = Turns(pace)
        self._session: aiohttp.ClientSession | None = None
        self._kept: OrderedDict[str, tuple[dict[str, str], Answer]] = OrderedDict()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        async with aiohttp.ClientSession(
            headers=HEADERS,
            cookie_jar=aiohttp.DummyCookieJar(),  # no need to be recognised
            timeout=aiohttp.ClientTimeout(ANSWER_WITHIN, sock_connect=CONNECT_WITHIN),
        ) as session:
            self._session = session
            try:
                yield
            finally:
                self._session = None

    async def get(self, path: str) -> Answer:
        """The answer to one request, when its turn comes; a redirect is not followed.

        Raises SourceLost when no host answers.
        """
        async with self.turns.turn(path.partition("?")[0]):
            answer = None
            for host in self._in_order():
                answer = await self._twice(host, path) or answer
                if answer is not None and answer.status < 500:
                    if host != self._host:
                        self._host, self._since = host, asyncio.get_running_loop().time()
                    return answer
        if answer is None:
            raise SourceLost(
                Said("the web preview can't be reached at {address}", address=self._hosts[0])
            )
        return answer

    def _in_order(self) -> list[str]:
        """What answered last comes first; after a while the first host has its chance again."""
        if asyncio.get_running_loop().time() - self._since > DETOUR:
            self._host = self._hosts[0]
        return sorted(self._hosts, key=lambda host: host != self._host)

    async def _twice(self, host: str, path: str) -> Answer | None:
        """About one connect in ten fails and works when it is tried again."""
        for wait in (0.0, self._pace.retry):
            await asyncio.sleep(wait)
            try:
                answer = await self._ask(host, path)
            except (aiohttp.ClientError, OSError) as error:  # TimeoutError is an OSError
                log.info("the web preview did not answer: %s", type(error).__name__)
            else:
                to = urlsplit(answer.location)
                signpost = to.netloc not in ("", urlsplit(host).netloc)
                return None if signpost and to.path == path.partition("?")[0] else answer
        return None

    async def _ask(self, host: str, path: str) -> Answer:
        if self._session is None:
            raise SourceLost(Said("the web preview is not being read at present"))
        validators, kept = self._kept.get(path, ({}, None))
        async with self._session.get(
            host + path, allow_redirects=False, headers=validators
        ) as response:
            if response.status == 304 and kept is not None:
                return kept
            answer = Answer(
                response.status,
                location=response.headers.get("Location", ""),
                retry_after=_seconds(response.headers.get("Retry-After", "")),
            )
            if response.status != 200:
                return answer
            answer = replace(answer, page=parse_page(await _body(response)))
            self._keep(path, response, answer)
            return answer

    def _keep(self, path: str, response: aiohttp.ClientResponse, answer: Answer) -> None:
        self._kept.pop(path, None)
        validators = {
            ask: response.headers[given]
            for given, ask in _VALIDATORS.items()
            if given in response.headers
        }
        if validators:
            self._kept[path] = validators, answer
            if len(self._kept) > KEPT_PAGES:
                self._kept.popitem(last=False)


class Turns:
    """Whose request is next, and when."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._one = asyncio.Lock()
        self._free_at = 0.0
        self._saved: dict[str, tuple[float, float]] = {}  # by path: requests it may make, as of
        self._slower: dict[str, float] = {}  # by path: times the usual pace

    @asynccontextmanager
    async def turn(self, path: str) -> AsyncIterator[None]:
        clock = asyncio.get_running_loop().time
        await asyncio.sleep(self.wait(path, clock()) * random.uniform(1, 1.1))  # noqa: S311
        async with self._one:
            await asyncio.sleep(max(0.0, self._free_at - clock()))
            try:
                yield
            finally:
                self._free_at = clock() + self._pace.least * random.uniform(1, 1.2)  # noqa: S311

    def wait(self, path: str, now: float) -> float:
        """Take the next turn of a path; how long until it comes, in seconds."""
        saved = self.saved(path, now) - 1
        self._saved[path] = saved, now
        return max(0.0, -saved * self._pace.every * self._slower.get(path, 1.0))

    def saved(self, path: str, now: float) -> float:
        """Requests that a path may make without waiting."""
        every = self._pace.every * self._slower.get(path, 1.0)
        saved, at = self._saved.get(path, (float(self._pace.burst), now))
        return min(self._pace.burst, saved + (now - at) / every)

    def slow_down(self, path: str) -> None:
        """It was asked too often: half as often from now on, and nothing saved up."""
        self._slower[path] = min(SLOWEST, self._slower.get(path, 1.0) * 2)
        saved, at = self._saved.get(path, (0.0, 0.0))
        self._saved[path] = min(saved, 0.0), at

    def relax(self, path: str) -> None:
        """It was answered well: back towards the usual pace, a little at a time."""
        if path in self._slower:
            self._slower[path] *= 0.7
            if self._slower[path] <= 1:
                del self._slower[path]


async def _body(response: aiohttp.ClientResponse) -> str:
    body = bytearray()
    async for chunk in response.content.iter_chunked(1 << 16):
        body += chunk
        if len(body) > LONGEST_PAGE:
            raise aiohttp.ClientPayloadError("longer than any page of the preview")
    return body.decode(errors="replace")


def _seconds(text: str) -> float | None:
    return float(text) if text.isdecimal() else None
