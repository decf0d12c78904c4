"""How are channels read without an account? From the public web preview, t.me/s/<channel>.

The preview shows a window of 20 ids. It pushes nothing, and shows no groups and no channel whose
owner switched it off. Who asks too often is shown pages without posts, so such a page proves
nothing. Therefore every page below the first is asked for together with a post that is known to be
there: where that one is shown, what is missing beside it is not there.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from storage.model import Channel, ChannelKind, Post
from storage.said import Said
from watchers.ingest import ChannelRefused, Deletion, Flooded, NotJoined, Page, SourceLost, Tell
from watchers.preview_page import PageKind, PreviewPage
from watchers.preview_web import TELEGRAM, Answer, Pace, PreviewWeb
from watchers.references import Reference
from watchers.standing import Standing, moved_on, nobody_has

log = logging.getLogger(__name__)

WINDOW = 20  # ids a page shows
GAP_LOOKS = 4  # empty answers, each beside a full one, that prove a gap longer than a window
EDGES = 10_000  # remembered
STRANGE = 3  # pages of an unknown shape in a row: it is the preview, not a channel
_EMPTY = Said("Telegram's web preview shows no posts at present; it does so to who asks too often")
_UNKNOWN = Said(
    "Telegram's web preview has a shape that this release does not know: update the program, "
    "or set an account up"
)
_ACCOUNT = Said("only a Telegram account can read it (TELEGRAM_API_ID and TELEGRAM_API_HASH)")


class PreviewSource:
    """A Source (see ingest) that needs no account."""

    name = "web preview"

    def __init__(self, url: str = TELEGRAM, pace: Pace | None = None) -> None:
        self._pace = pace or Pace()
        self._web = PreviewWeb(url, self._pace)
        self._bad: Counter[str] = Counter()  # useless answers in a row, by address
        self._bad_together = 0  # … and of all addresses together
        self._strange = 0
        self._links_down = False  # older posts are linked to on pages that have some below
        self._lowest: dict[int, int] = {}  # by channel: the last post read on the way down
        self._edges: set[tuple[int, int]] = set()  # channels and ids above which nothing is, so far
        self._standings: dict[int, Standing] = {}  # what the latest page said of each channel
        self._good: str | None = None  # what was read last
        self._lost: str | None = None  # what has to be read again before it counts as connected

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        async with self._web.open():
            if self._lost is not None:
                await self._try(self._good or self._lost)
            yield

    async def _try(self, path: str) -> None:
        """Raises SourceLost when there is no use in going on yet."""
        answer = await self._web.get(path)
        kind = answer.page.kind if answer.page else None
        if kind is PageKind.UNKNOWN:
            raise SourceLost(_UNKNOWN)
        if kind is PageKind.EMPTY or answer.status == 429 or answer.status >= 500:
            self._web.turns.slow_down(path)
            raise SourceLost(_EMPTY)
        self._lost, self._bad_together, self._strange = None, 0, 0

    async def until_lost(self) -> None:
        """There is no connection to lose; what a request meets, it raises."""
        await asyncio.Event().wait()

    async def live(self) -> AsyncIterator[list[Post | Deletion]]:
        """Nothing is pushed."""
        await asyncio.Event().wait()
        yield []  # pragma: no cover

    def hinted(self) -> int | None:
        return None

    def ready(self, channel: Channel) -> bool:
        return True  # nothing has to be looked up

    def standing(self, channel_id: int) -> Standing | None:
        return self._standings.get(channel_id)

    def joined(self) -> frozenset[int]:
        return frozenset()

    def pushed(self) -> frozenset[int]:
        return frozenset()

    def doubt_push(self, channel_id: int) -> None: ...

    async def tend(self, strangers: Callable[[bool], Awaitable[list[Channel]]], tell: Tell) -> None:
        """There is nothing else to do."""

    async def join(self, channel: Channel) -> None:
        raise NotJoined(Said("only a Telegram account can join, and none is connected at present"))

    def has_turn(self, channel: Channel, pages: int = 1) -> bool:
        now = asyncio.get_running_loop().time()
        return self._web.turns.saved(f"/s/{channel.username}", now) >= pages

    async def resolve(self, reference: Reference) -> tuple[Channel, int]:
        if reference.username is None:
            raise ChannelRefused(
                Said(
                    "without a Telegram account a channel is found by its @name only, "
                    "not by a number"
                )
            )
        path = f"/s/{reference.username}"
        page = await self._meaning(path, await self._ask(path))
        if page.kind is PageKind.EMPTY:
            raise ChannelRefused(
                Said(
                    "the web preview shows no posts of {name}: either there are none yet, or "
                    "Telegram asks for a pause; try again in some minutes",
                    name=reference,
                )
            )
        if page.kind is not PageKind.FEED or page.channel_id is None:
            raise ChannelRefused(_refusal(page, reference))
        name = page.username or reference.username
        return Channel(page.channel_id, name, page.title or name), max(page.ids)

    async def page(self, channel: Channel, below: int | None, limit: int) -> Page:
        """One window, however many are asked for. See Source."""
        if channel.username is None or channel.kind is ChannelKind.GROUP:
            raise ChannelRefused(
                Said("the web preview shows public channels only: {account}", account=_ACCOUNT)
            )
        if below is not None and below <= 1:
            return Page((), None, 0)
        return await self._read(channel, below)

    async def glance(self, channel: Channel, below: int | None = None) -> Page:
        """One window, asked for beside what an account reads.

        Whatever comes of it, it counts neither against the channel nor against the preview.
        Raises ChannelRefused, Flooded, SourceLost.
        """
        path = f"/s/{channel.username}"
        answer = await self._web.get(f"{path}?before={below}" if below else path)
        landing = answer.location.rstrip("/").rpartition("/")[2]
        if answer.status == 404 or landing.casefold() == (channel.username or "").casefold():
            raise ChannelRefused(Said("it has no web preview"))
        found = answer.page or PreviewPage(PageKind.UNKNOWN)
        as_asked = below is None or min(found.ids, default=0) < below
        if found.kind is not PageKind.FEED or found.channel_id is None or not as_asked:
            self._web.turns.slow_down(path)
            raise Flooded(answer.retry_after or self._pace.pauses[0])
        if found.channel_id != channel.id:
            raise ChannelRefused(Said("its name belongs to somebody else now"))
        oldest = min(found.ids)
        whole = [post for post in found.posts if not found.more or oldest not in post.album]
        seen = frozenset() if found.unread else found.ids
        return Page(tuple(post.to_post(channel.id) for post in whole), oldest, max(found.ids), seen)

    async def _read(self, channel: Channel, below: int | None) -> Page:
        path = f"/s/{channel.username}"
        address = f"{path}?before={below + 1}" if below else path
        found = await self._meaning(path, await self._ask(address))
        as_asked = below is None or min(found.ids, default=0) <= below
        if found.kind is PageKind.FEED and found.channel_id is not None and as_asked:
            if found.channel_id != channel.id:
                raise ChannelRefused(moved_on(channel))
            self._note_good(path, address, found)
            if found.title and channel.username:
                self._standings[channel.id] = Standing(found.title, (channel.username,))
            return self._window(channel, found, below)
        if below and found.kind is PageKind.EMPTY and await self._is_gap(channel, below, address):
            return self._gap(channel, below, frozenset({self._lowest[channel.id]}))
        if found.kind in (PageKind.NO_PREVIEW, PageKind.NOT_FOUND):
            raise ChannelRefused(_refusal(found, Reference(channel.username), known=True))
        raise self._note_bad(path, address, found.kind)

    def _window(self, channel: Channel, found: PreviewPage, below: int | None) -> Page:
        """What of a page lies below; an album that its lower edge may cut is left to the next."""
        posts = [post for post in found.posts if below is None or post.message_id < below]
        ids = sorted(id for id in found.ids if below is None or id < below)
        seen = frozenset() if found.unread else found.ids  # else it would pass for deleted
        if not ids:
            assert below is not None
            if below < WINDOW:
                return Page((), None, 0, seen)
            if self._links_down and not found.more:
                return Page((), None, 0)
            return self._gap(channel, below, seen)
        oldest = ids[0]
        if found.more and posts and posts[0].album[:1] == (oldest,):
            above = [id for id in ids if id > posts[0].album[-1]]
            edge = above[0] if above else posts[0].album[-1] + 1
            if below is None or edge < below:
                posts, oldest = posts[1:], edge
        self._lowest[channel.id] = oldest
        return Page(tuple(post.to_post(channel.id) for post in posts), oldest, max(found.ids), seen)

    def _gap(self, channel: Channel, below: int, seen: frozenset[int]) -> Page:
        edge = max(1, below - WINDOW + 1)
        if len(self._edges) >= EDGES:
            self._edges.clear()
        self._edges.add((channel.id, edge))
        return Page((), edge, 0, seen)

    async def _is_gap(self, channel: Channel, below: int, address: str) -> bool:
        """Only inside of a gap: empty again and again, while a known post is shown."""
        lowest = self._lowest.get(channel.id)
        if lowest is None or (channel.id, below) not in self._edges:
            return False
        for _ in range(GAP_LOOKS):
            known = await self._ask(f"/s/{channel.username}?before={lowest + 1}")
            if known.page is None or known.page.kind is not PageKind.FEED:
                return False
            again = await self._ask(address)
            if again.page is None or again.page.kind is not PageKind.EMPTY:
                return False
        return True

    async def _ask(self, address: str) -> Answer:
        """Raises SourceLost; Flooded when a pause is asked for in so many words."""
        try:
            answer = await self._web.get(address)
        except SourceLost:
            self._lost = address.partition("?")[0]
            raise
        if answer.status == 429:
            self._bad_together += 1
            raise Flooded(answer.retry_after or self._pause(address))
        return answer

    async def _meaning(self, path: str, answer: Answer) -> PreviewPage:
        """What a redirect or an error stands for."""
        if answer.page is not None:
            return answer.page
        if answer.status == 404:
            return PreviewPage(PageKind.NOT_FOUND)
        if answer.status >= 500:
            return PreviewPage(PageKind.EMPTY)  # that passes, too
        name = path.removeprefix("/s/")
        if answer.location.rstrip("/").rpartition("/")[2].casefold() != name.casefold():
            return PreviewPage(PageKind.UNKNOWN)
        landing = (await self._ask(f"/{name}")).page
        return landing or PreviewPage(PageKind.NO_PREVIEW)

    def _note_good(self, path: str, address: str, page: PreviewPage) -> None:
        self._links_down = self._links_down or page.more
        self._good = path
        self._bad_together = self._strange = 0
        self._bad.pop(address, None)
        self._web.turns.relax(path)
        if page.unread:
            log.warning("%s posts of a preview page could not be understood", page.unread)

    def _note_bad(self, path: str, address: str, kind: PageKind) -> Exception:
        """What to raise: it is this channel alone, or the preview as a whole, or it passes."""
        self._bad[address] += 1
        self._bad_together += 1
        if kind is not PageKind.EMPTY:
            log.warning("a page of the web preview has a shape that this release does not know")
            self._strange += 1
            self._lost = path
            return SourceLost(_UNKNOWN) if self._strange >= STRANGE else ChannelRefused(_UNKNOWN)
        self._web.turns.slow_down(path)
        patience = len(self._pace.pauses)
        if self._bad[address] > patience and self._bad[address] > self._bad_together:
            return ChannelRefused(
                Said("the web preview shows no posts of it, while it shows others")
            )
        if self._bad_together > patience:
            self._lost = path
            return SourceLost(_EMPTY)
        return Flooded(self._pause(address))

    def _pause(self, address: str) -> float:
        times = max(self._bad_together, self._bad[address], 1)
        return self._pace.pauses[min(times, len(self._pace.pauses)) - 1]


def _refusal(page: PreviewPage, reference: Reference, *, known: bool = False) -> Said:
    """`known`: its name led to a channel once."""
    if page.kind is PageKind.NOT_FOUND:
        return nobody_has(reference, any_more=known)
    if page.kind is not PageKind.NO_PREVIEW:
        return _UNKNOWN
    if "member" in page.counted:
        return Said(
            "{name} is a group, and the web preview shows none: {account}",
            name=reference,
            account=_ACCOUNT,
        )
    if "subscriber" in page.counted:
        return Said(
            "{name} has no web preview, its owner or Telegram switched it off: {account}",
            name=reference,
            account=_ACCOUNT,
        )
    return Said(
        "{name} is a person or a bot, or has no web preview: {account}",
        name=reference,
        account=_ACCOUNT,
    )
