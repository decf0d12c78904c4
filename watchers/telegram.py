"""How are channels read with a Telegram account? The only module that speaks Telethon."""

import asyncio
import logging
import os
import sqlite3
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from telethon import TelegramClient, errors, events, functions, types
from telethon.errors.common import AuthKeyNotFound
from telethon.sessions import SQLiteSession, StringSession

from storage import channels, gaps, lookups, memberships
from storage.db import Database
from storage.model import Channel, Post
from storage.said import Said
from watchers import errands
from watchers.ingest import (
    ChannelRefused,
    Deletion,
    Flooded,
    NotJoined,
    Page,
    SessionRefused,
    SourceLost,
    Tell,
)
from watchers.lookups import AGAIN, wait
from watchers.references import Reference
from watchers.standing import Standing, moved_on, nobody_has
from watchers.telegram_channels import NOT_JOINED, migrated, public, standing
from watchers.telegram_posts import to_posts

log = logging.getLogger(__name__)

ANSWER_WITHIN = 20.0  # seconds for one request; past that the connection counts as lost
UP_WITHIN = 8.0  # seconds a command waits for the connection
LIVE_WAITING = 10_000  # pushed posts held at most; more are left to catch-up
LIVE_BATCH = 100  # posts stored in one transaction
LOOKUP_PAUSE = 60.0  # seconds that who reads waits at most because of the budget of lookups
DOUBT = 3600.0  # seconds for which a push that left posts out is not relied on

_REFUSED = (
    errors.UnauthorizedError,  # revoked, deactivated, logged out elsewhere
    errors.AuthKeyDuplicatedError,
    errors.UserDeactivatedBanError,
    AuthKeyNotFound,
)
_BROKEN = (
    OSError,  # ConnectionError above all
    EOFError,  # the stream ended in the middle of a message
    BufferError,  # Telethon's InvalidBufferError: the server said something short and rude
    errors.SecurityError,
    errors.ServerError,
    errors.RpcCallFailError,
)
_UNREADABLE = {
    errors.ChannelPrivateError: Said(
        "it is private now, was deleted, or this account is banned from it"
    ),
    errors.ChannelInvalidError: Said("Telegram does not know it any more"),
    errors.ChatAdminRequiredError: Said("only its administrators may read it"),
}
_NO_ANSWER = Said("Telegram does not answer")
_NOT_CONNECTED = Said("not connected to Telegram at present")


@dataclass(frozen=True, slots=True)
class Account:
    """How to sign in. Holds secrets: never shown, not even by repr."""

    api_id: int
    api_hash: str = field(repr=False)
    session: str | Path = field(repr=False)  # a session string, or the path of a session file
    name: str = "account"  # to tell it from others; says nothing about whose it is


def make_client(account: Account) -> TelegramClient:
    return TelegramClient(
        _open_session(account.session),
        account.api_id,
        account.api_hash,
        # On a lost connection we want to know, for a catch-up; Telethon's own reconnect is silent.
        auto_reconnect=False,
        connection_retries=1,
        request_retries=2,
        flood_sleep_threshold=0,
        raise_last_call_error=True,
        # Telethon's defaults tell Telegram this machine's name and kernel.
        device_model="Desktop",
        system_version="1.0",
        app_version="1.0",
    )


def _open_session(session: str | Path) -> StringSession | SQLiteSession:
    if isinstance(session, str):
        return StringSession(session)
    secure(session)
    opened = SQLiteSession(str(session))
    opened.save_entities = False  # names and numbers of people: not ours to keep
    return opened


def secure(session: Path) -> None:
    """Make the session file readable by this user alone: it is the whole account."""
    session.parent.mkdir(parents=True, exist_ok=True)
    session.touch(mode=0o600, exist_ok=True)
    session.chmod(0o600)


class TelegramSource:
    """A Source (see ingest) over one account; joined channels are pushed, all can be read."""

    def __init__(
        self,
        account: Account,
        db: Database,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.name = account.name
        self._account = account
        self._db = db
        self._clock = clock
        self._client: TelegramClient | None = None
        self._up = asyncio.Event()
        self._account_id = 0
        self._access_hashes: dict[int, int] = {}
        self._standings: dict[int, Standing] = {}  # what the last answer said of each channel
        self._member: set[int] = set()  # channels the account is in, whoever joined them
        self._ours: set[int] = set()  # those that the program joined
        self._pushed_up_to: dict[int, int] = {}  # the newest id pushed, by channel
        self._doubted: dict[int, float] = {}  # channels whose push left posts out, since when
        # Lookups that led nowhere: the name, why, and when; and hashes that were found wrong.
        self._dead_ends: dict[int, tuple[str, ChannelRefused, datetime]] = {}
        self._mistrusted: dict[int, datetime] = {}
        self._live: asyncio.Queue[Post | Deletion] = asyncio.Queue(LIVE_WAITING)
        self._hints: dict[int, None] = {}  # an ordered set
        self._poison: defaultdict[int, set[int]] = defaultdict(set)  # unreadable ids, by channel
        self._one_request = asyncio.Lock()  # concurrent history reading can bring a ban

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        if isinstance(self._account.session, Path) and not _holds_login(self._account.session):
            raise SessionRefused(
                Said(
                    "there is no login in {file}: run `python -m bot login`",
                    file=self._account.session,
                )
            )
        try:
            client = make_client(self._account)
        except sqlite3.DatabaseError as error:
            raise SourceLost(
                Said(
                    "the session file {file} can't be used ({error}): is another program using it?",
                    file=self._account.session,
                    error=error,
                )
            ) from error
        client.add_event_handler(
            self._on_push,
            events.Raw(
                (
                    types.UpdateNewChannelMessage,
                    types.UpdateEditChannelMessage,
                    types.UpdateDeleteChannelMessages,
                    types.UpdateChannelTooLong,
                    types.UpdateChannel,
                )
            ),
        )
        try:
            async with asyncio.timeout(ANSWER_WITHIN):
                await _or_lost(client.connect)
            self._client = client
            (me,) = await self._call(functions.users.GetUsersRequest([types.InputUserSelf()]))
            self._account_id = me.id
            self._access_hashes = await channels.access_hashes(self._db.reader, me.id)
            self._ours = await memberships.of_account(self._db.reader, me.id)
            self._member = set(self._ours)
            self._pushed_up_to.clear()
            self._up.set()
            yield
        except TimeoutError as error:
            raise SourceLost(_NO_ANSWER) from error
        finally:
            self._up.clear()
            self._client = None
            await _close(client)

    async def until_lost(self) -> None:
        client = self._client
        assert client is not None, "only inside of connected()"
        try:
            await _or_lost(lambda: client.disconnected)
        except (SourceLost, asyncio.CancelledError):
            raise
        except Exception as error:  # whatever it was that made Telethon give up, we try again
            why = Said("Telethon gave up ({error})", error=type(error).__name__)
            raise SourceLost(why) from error
        raise SourceLost(Said("Telegram closed the connection"))

    async def live(self) -> AsyncIterator[list[Post | Deletion]]:
        while True:
            batch = [await self._live.get()]
            while len(batch) < LIVE_BATCH and not self._live.empty():
                batch.append(self._live.get_nowait())
            yield batch

    def hinted(self) -> int | None:
        return self._hints.popitem()[0] if self._hints else None

    def has_turn(self, channel: Channel, pages: int = 1) -> bool:
        return True

    async def _on_push(self, update: Any) -> None:
        """Note and return: a handler is called at most once, whether it succeeds or not."""
        if isinstance(update, types.UpdateChannelTooLong | types.UpdateChannel):
            self._hints[update.channel_id] = None  # news, or a new name: the next page says it
        elif isinstance(update, types.UpdateDeleteChannelMessages):
            self._push(update.channel_id, [Deletion(update.channel_id, tuple(update.messages))])
        else:
            if isinstance(update, types.UpdateNewChannelMessage):
                self._count(update.message)
            for post in to_posts([update.message]):
                if not self._is_private(post.channel_id):
                    self._push(post.channel_id, [post])

    def _count(self, message: Any) -> None:
        """Ids follow each other: where one is left out, a post was perhaps not pushed."""
        channel_id = getattr(message.peer_id, "channel_id", 0)
        before = self._pushed_up_to.get(channel_id, message.id - 1)
        if message.id > before + 1:
            self._hints[channel_id] = None
        self._pushed_up_to[channel_id] = max(before, message.id)

    def _is_private(self, channel_id: int) -> bool:
        """A member sees it still; but only public ones are watched."""
        known = self._standings.get(channel_id)
        return known is not None and not known.names

    def _push(self, channel_id: int, news: list[Post | Deletion]) -> None:
        for item in news:
            try:
                self._live.put_nowait(item)
            except asyncio.QueueFull:
                self._hints[channel_id] = None

    async def resolve(self, reference: Reference) -> tuple[Channel, int]:
        await self._wait_until_up()
        entity = await self._entity(reference)
        channel = public(entity, reference)
        await self._keep_hash(channel.id, entity.access_hash)
        return channel, (await self.page(channel, None, 1)).newest

    async def _wait_until_up(self) -> None:
        """A command in the moment of a start or a reconnect waits a little rather than fails."""
        try:
            async with asyncio.timeout(UP_WITHIN):
                await self._up.wait()
        except TimeoutError as error:
            raise SourceLost(_NOT_CONNECTED) from error

    async def _entity(self, reference: Reference, *, known: bool = False) -> Any:
        """`known`: its name led to a channel once."""
        if reference.username is None:
            return await self._known(reference)
        async with self._db.transaction() as tx:
            await lookups.note(tx, self._account_id, self._clock())
        try:
            found = await self._call(functions.contacts.ResolveUsernameRequest(reference.username))
        except (errors.UsernameNotOccupiedError, errors.UsernameInvalidError) as error:
            raise ChannelRefused(nobody_has(reference, any_more=known)) from error
        except errors.RPCError as error:
            raise ChannelRefused(_answer(error)) from error
        return next(iter(found.chats), None)

    async def _known(self, reference: Reference) -> Any:
        """A number tells Telegram nothing by itself: the account must have met the channel."""
        assert reference.id is not None
        if reference.id in self._access_hashes:
            peer = types.InputChannel(reference.id, self._access_hashes[reference.id])
            try:
                found = await self._call(functions.channels.GetChannelsRequest([peer]))
            except tuple(_UNREADABLE) as error:
                raise ChannelRefused(_UNREADABLE[type(error)]) from error
            return next(iter(found.chats), None)
        page = await self._call(
            functions.messages.GetDialogsRequest(None, 0, types.InputPeerEmpty(), 100, 0)
        )
        for chat in page.chats:
            if chat.id == reference.id:
                return migrated(chat, page.chats)
        raise ChannelRefused(
            Said(
                "this account has never met a channel numbered {number}: give its @name instead",
                number=reference,
            )
        )

    async def page(self, channel: Channel, below: int | None, limit: int) -> Page:
        """See Source. A post of a type that Telethon does not know is set aside, not its page."""
        poison = max(
            (id for id in self._poison[channel.id] if below is None or id < below), default=0
        )
        try:
            found = await self._history(channel, below, limit, above=poison)
        except errors.TypeNotFoundError:
            if limit > 1:
                return await self.page(channel, below, limit // 2)  # a short page is no end
            await self._set_aside(channel, below)
            return await self.page(channel, below, 1)
        if poison and not found:
            page = await self.page(channel, poison, limit)
            newest = max(page.newest, poison)
            return replace(page, newest=newest, ids=page.ids | {poison})
        ids = [message.id for message in found]
        return Page(
            tuple(to_posts(found)),
            min(ids, default=None),
            max(ids, default=0),
            frozenset(ids),
        )

    async def _history(
        self, channel: Channel, below: int | None, limit: int, above: int = 0, skip: int = 0
    ) -> list[Any]:
        request = functions.messages.GetHistoryRequest(
            types.InputPeerChannel(channel.id, await self._access_hash(channel)),
            offset_id=below or 0,
            offset_date=None,
            add_offset=skip,
            limit=limit,
            max_id=0,
            min_id=above,
            hash=0,
        )
        try:
            found = await self._call(request)
        except tuple(_UNREADABLE) as error:
            if isinstance(error, errors.ChannelInvalidError):
                self._mistrust(channel)
            raise ChannelRefused(_UNREADABLE[type(error)]) from error
        except errors.RPCError as error:
            raise ChannelRefused(_answer(error)) from error
        await self._learn(channel.id, found.chats)
        if self._is_private(channel.id):
            raise ChannelRefused(Said("it is private now: it has no public @name any more"))
        return list(found.messages)

    def _mistrust(self, channel: Channel) -> None:
        """Perhaps the name leads there still, with another hash: looked up, but not each time."""
        now = self._clock()
        if channel.id not in self._mistrusted or now - self._mistrusted[channel.id] >= AGAIN:
            self._mistrusted[channel.id] = now
            self._access_hashes.pop(channel.id, None)

    async def _learn(self, channel_id: int, chats: list[Any]) -> None:
        """What comes along with every page: names, marks, membership, hashes of other channels."""
        strangers = {}
        for chat in chats:
            if not isinstance(chat, types.Channel) or chat.min:
                continue
            if chat.id == channel_id:
                self._standings[chat.id] = standing(chat)
                (self._member.add, self._member.discard)[bool(chat.left)](chat.id)
            elif chat.id not in self._access_hashes and chat.access_hash is not None:
                strangers[chat.id] = chat.access_hash
        if strangers:
            for ledger in await channels.watched(self._db.reader):
                if ledger.channel.id in strangers:
                    await self._keep_hash(ledger.channel.id, strangers[ledger.channel.id])

    async def _keep_hash(self, channel_id: int, access_hash: int) -> None:
        self._access_hashes[channel_id] = access_hash
        self._dead_ends.pop(channel_id, None)
        async with self._db.transaction() as tx:
            await channels.keep_access_hash(tx, self._account_id, channel_id, access_hash)

    async def _set_aside(self, channel: Channel, below: int | None) -> None:
        """Find the id of the one message below `below` that can't be read."""
        skip, under = 1, 0
        while True:
            try:
                next_one = await self._history(channel, below, 1, skip=skip)
            except errors.TypeNotFoundError:
                skip += 1
                continue
            under = next_one[0].id if next_one else 0
            break
        poison = under + 1
        while await self._is_poisoned(channel, below, poison):
            poison += 1
        if not await self._is_poisoned(channel, poison + 1, poison - 1):
            return  # something was published or deleted meanwhile: whoever asks begins anew
        self._poison[channel.id].add(poison)
        async with self._db.transaction() as tx:  # before a cursor passes it
            await gaps.note(tx, channel.id, [poison])
        log.warning("a post of an unknown type is set aside: a newer Telethon may know it")

    async def _is_poisoned(self, channel: Channel, below: int | None, above: int) -> bool:
        """Is there still something unreadable between the two?"""
        try:
            await self._history(channel, below, 1, above=above)
        except errors.TypeNotFoundError:
            return True
        return False

    async def _access_hash(self, channel: Channel) -> int:
        """Kept from when it was added; another account has to look the name up again, once.

        Raises ChannelRefused, SourceLost; Flooded when the budget is used up (see lookups).
        """
        if channel.id not in self._access_hashes:
            if (why := self._dead_end(channel)) is not None:
                raise why
            if seconds := await self.lookup_wait():
                raise Flooded(min(seconds, LOOKUP_PAUSE))
            await self._look_up(channel)
        return self._access_hashes[channel.id]

    def _dead_end(self, channel: Channel) -> ChannelRefused | None:
        """Why it can't be found by its name, as far as that is known."""
        if channel.username is None:
            return ChannelRefused(Said("this account has never met it: /add it again by its @name"))
        name, why, at = self._dead_ends.get(channel.id, ("", None, self._clock()))
        return why if name == channel.username and self._clock() - at < AGAIN else None

    async def lookup_wait(self, ahead: bool = False) -> float:
        now = self._clock()
        return wait(await lookups.within_a_day(self._db.reader, self._account_id, now), now, ahead)

    async def _look_up(self, channel: Channel) -> None:
        assert channel.username is not None
        try:
            entity = await self._entity(Reference(channel.username), known=True)
            if entity is None or entity.id != channel.id:
                raise ChannelRefused(moved_on(channel))
        except ChannelRefused as why:
            self._dead_ends[channel.id] = channel.username, why, self._clock()
            raise
        await self._keep_hash(channel.id, entity.access_hash)

    # ---- what is known of channels, and done with them besides reading

    def ready(self, channel: Channel) -> bool:
        return channel.id in self._access_hashes or self._dead_end(channel) is not None

    def standing(self, channel_id: int) -> Standing | None:
        return self._standings.get(channel_id)

    def joined(self) -> frozenset[int]:
        return frozenset(self._member)

    def pushed(self) -> frozenset[int]:
        now = asyncio.get_running_loop().time()
        self._doubted = {id: at for id, at in self._doubted.items() if now - at < DOUBT}
        return frozenset(self._member - self._doubted.keys())

    def doubt_push(self, channel_id: int) -> None:
        self._doubted[channel_id] = asyncio.get_running_loop().time()

    async def tend(self, strangers: errands.Strangers, tell: Tell) -> None:
        await errands.run(self, strangers, tell)

    async def meet(self, channel: Channel) -> None:
        with suppress(ChannelRefused):  # whoever looks at the channel is told
            await self._look_up(channel)

    async def join(self, channel: Channel) -> None:
        """See Source. What a person joined before stays a person's to leave."""
        await self._wait_until_up()
        peer = types.InputChannel(channel.id, await self._access_hash(channel))
        await self._ask_to_join(functions.channels.GetChannelsRequest([peer]), channel)
        if channel.id in self._member:
            return
        async with self._db.transaction() as tx:  # before: what is joined is never forgotten
            await memberships.keep(tx, self._account_id, channel.id, self._clock())
        self._ours.add(channel.id)
        self._member.add(channel.id)
        try:
            await self._ask_to_join(functions.channels.JoinChannelRequest(peer), channel)
        except (NotJoined, Flooded):
            await self._forget_membership(channel.id)
            raise
        self._hints[channel.id] = None  # what was published before the push began

    async def _ask_to_join(self, request: Any, channel: Channel) -> None:
        try:
            answer = await self._call(request)
        except errors.UserAlreadyParticipantError:
            return
        except tuple(NOT_JOINED) as error:
            raise NotJoined(NOT_JOINED[type(error)]) from error
        except errors.RPCError as error:
            raise NotJoined(_answer(error)) from error
        await self._learn(channel.id, getattr(answer, "chats", []))

    async def leave_removed(self) -> None:
        """See Errands. Whoever was thrown out, or left by hand, has nothing to leave."""
        for id in self._ours - self._member:
            await self._forget_membership(id)
        for id in await memberships.to_leave(self._db.reader, self._account_id):
            peer = types.InputChannel(id, self._access_hashes.get(id, 0))
            try:
                await self._call(functions.channels.LeaveChannelRequest(peer))
            except errors.RPCError as error:
                log.warning("a channel that is no longer watched is not left: %s", error.message)
            await self._forget_membership(id)

    async def _forget_membership(self, channel_id: int) -> None:
        self._ours.discard(channel_id)
        self._member.discard(channel_id)
        async with self._db.transaction() as tx:
            await memberships.forget(tx, self._account_id, channel_id)

    async def _call(self, request: Any) -> Any:
        """One request at a time, each with an end. Raises SourceLost, Flooded, RPC errors."""
        async with self._one_request:
            client = self._client
            if client is None:
                raise SourceLost(_NOT_CONNECTED)
            try:
                async with asyncio.timeout(ANSWER_WITHIN):
                    return await _or_lost(lambda: client(request))
            except TimeoutError as error:
                await _close(client)  # ends until_lost, hence a new connection and a catch-up
                raise SourceLost(_NO_ANSWER) from error
            except errors.FloodWaitError as error:
                raise Flooded(error.seconds) from error


def _answer(error: errors.RPCError) -> Said:
    return Said("Telegram answers {error}", error=error.message)


async def _or_lost(call: Callable[[], Any]) -> Any:
    """Await Telethon, with what it does to a lost connection turned into SourceLost."""
    try:
        return await call()
    except _REFUSED as error:
        raise SessionRefused(
            Said("Telegram has revoked this session: run `python -m bot login` again")
        ) from error
    except _BROKEN as error:
        why = Said("the connection to Telegram failed ({error})", error=type(error).__name__)
        raise SourceLost(why) from error
    except asyncio.CancelledError as error:
        # Telethon cancels what was waiting for an answer when a connection ends.
        task = asyncio.current_task()
        if task is not None and task.cancelling():
            raise
        raise SourceLost(Said("the connection to Telegram was closed")) from error


async def _close(client: TelegramClient) -> None:
    try:
        async with asyncio.timeout(3):
            await client.disconnect()
    except (OSError, TimeoutError, AuthKeyNotFound):
        log.debug("the connection was gone before it was closed")
    lost = client.disconnected
    if lost.done() and not lost.cancelled():
        lost.exception()  # whoever was to hear of it has heard; else asyncio logs it as an error


def _holds_login(session: Path) -> bool:
    return session.exists() and os.path.getsize(session) > 0
