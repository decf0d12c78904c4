"""How does a real Telegram client fare? A local data centre for it to talk to, over real TCP.

Real MTProto (`mtproto.py`), Telethon's own TL classes, Telegram's answers (`telegram_requests.py`,
`telegram_login.py`), misfortunes on demand (`telegram_faults.py`).

    async with DataCentre() as dc:
        me = dc.add_user("Alice")
        news = dc.add_channel("News", username="news_by", members=[me])
        client = TelegramClient(StringSession(dc.session(me)), 1, "x" * 32)   # no handshake needed
        await dc.post(news, "hello")                    # pushed to the clients of every member
        dc.fail("GetHistory", 420, "FLOOD_WAIT_3")      # the next one is refused
        await dc.wait_for(lambda: dc.calls_of("GetHistory"))

`dc.environment(me)` is what a `python -m bot` of its own process needs to come here.
A test should end with `assert not dc.errors`: what the server could not answer is in there.
"""

import asyncio
import base64
import socket
import struct
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from os import urandom
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from telethon import types
from telethon.crypto import AuthKey
from telethon.sessions import SQLiteSession
from telethon.tl import TLObject

from tests.mtproto import Connection, RpcError, trust_test_key
from tests.telegram_faults import Faults
from tests.telegram_login import Login
from tests.telegram_requests import ANSWERS, OPEN_TO_ALL, mentioned
from tests.telegram_state import Call, Channel, Published, User

# Larger than 2**31, as Telegram's have long been: what keeps them in 32 bits breaks here.
FIRST_USER_ID = 5_000_000_000
FIRST_CHANNEL_ID = 2_200_000_000


class DataCentre(Faults):
    """One Telegram data centre on 127.0.0.1. State survives `stop` and another `start`."""

    def __init__(self) -> None:
        super().__init__()
        self.host, self.port = "127.0.0.1", 0
        self.salt = 42
        self.users: dict[int, User] = {}
        self.channels: dict[int, Channel] = {}
        self.keys: dict[int, Login] = {}
        self.online: set[Connection] = set()
        self.files: dict[int, bytes] = {}

        self.calls: list[Call] = []
        self.most_at_once: Counter[str] = Counter()  # per method: requests open at one moment
        self.published: defaultdict[int, list[Published]] = defaultdict(list)  # by channel id
        self.errors: list[Exception] = []  # bugs and requests that nobody answers: must stay empty

        self.code = "12345"
        self.code_hashes: dict[str, str] = {}
        self.qr_lifetime = 30.0  # seconds
        self.diff_timeout = 30  # seconds, the server's word on when to ask again

        self._at_once: Counter[str] = Counter()
        self._server: asyncio.Server | None = None
        self._serving: dict[asyncio.Task[Any], Connection] = {}
        self._news = asyncio.Event()
        self._last_album = 0

    # ---- opening and closing

    async def start(self, port: int = 0) -> None:
        """Listen; on a free port unless told which. `await dc.start(dc.port)` after an outage."""
        listener = socket.create_server((self.host, port))
        self._server = await asyncio.start_server(self._accept, sock=listener)
        self.host, self.port = listener.getsockname()

    async def stop(self) -> None:
        """Cut every connection and wait until nothing of them is left."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        await asyncio.sleep(0)  # those just accepted get to know that it is over
        for connection in self._serving.values():
            connection.abort()  # not a cancelled task: asyncio's streams log those as errors
        await asyncio.gather(*self._serving)
        await server.wait_closed()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    def kick(self) -> None:
        """Reset every connection."""
        for connection in self.online:
            connection.abort()
        self.online.clear()  # whoever is online from now on has come back
        self._news.set()

    # ---- people and channels

    def add_user(
        self,
        name: str,
        phone: str | None = None,
        *,
        username: str | None = None,
        password: str | None = None,
        hint: str | None = None,
        **flags: Any,
    ) -> int:
        """The new user's id. A `password` turns two-step verification on."""
        number = FIRST_USER_ID + len(self.users)
        digits = phone.lstrip("+") if phone else None
        self.users[number] = User(number, name, username, digits, password, hint, flags)
        return number

    def add_channel(
        self,
        title: str,
        username: str | None = None,
        about: str = "",
        members: Iterable[int] = (),
        *,
        megagroup: bool = False,
        private: bool = False,
        aliases: Iterable[str] = (),
        invite: str | None = None,
        restricted: str | None = None,
        **flags: Any,
    ) -> Channel:
        channel = Channel(
            FIRST_CHANNEL_ID + len(self.channels),
            title,
            username,
            about,
            set(members),
            megagroup,
            private,
            aliases=tuple(aliases),
            invite=invite,
            restricted=restricted,
            flags=flags,
        )
        self.channels[channel.id] = channel
        return channel

    def joined_by(self, user: int | None) -> list[Channel]:
        return [channel for channel in self.channels.values() if user in channel.members]

    async def rename(self, channel: Channel, username: str | None) -> None:
        """A new @username, or none. Whoever had that name before has lost it."""
        for other in self.channels.values():
            if username and other.username and other.username.lower() == username.lower():
                other.username = None
                await self._tell_members(other, types.UpdateChannel(other.id))
        channel.username = username
        await self._tell_members(channel, types.UpdateChannel(channel.id))

    async def make_private(self, channel: Channel) -> None:
        """No name any more, and only members may look inside."""
        channel.private, channel.aliases = True, ()
        await self.rename(channel, None)

    async def retitle(self, channel: Channel, title: str) -> None:
        channel.title = title
        await self._tell_members(channel, types.UpdateChannel(channel.id))

    async def restrict(self, channel: Channel, why: str | None) -> None:
        """Apps no longer show it, for this reason; its history is still given. None: they do."""
        channel.restricted = why
        await self._tell_members(channel, types.UpdateChannel(channel.id))

    async def mark(self, channel: Channel, **flags: bool) -> None:
        """scam=True, fake=True; or False, when it was a mistake."""
        channel.flags.update(flags)
        await self._tell_members(channel, types.UpdateChannel(channel.id))

    async def delete_channel(self, channel: Channel) -> None:
        """Its name is free; who asks for it is told what is told of private ones."""
        channel.private, channel.aliases = True, ()
        channel.members.clear()
        await self.rename(channel, None)

    # ---- logins

    def new_key(self, user: int | None = None) -> AuthKey:
        key = AuthKey(urandom(256))
        self.keys[key.key_id] = Login(key, user)
        return key

    def session(self, user: int | None = None, dc_id: int = 2) -> str:
        """A Telethon StringSession that leads here. Without a user: known, but not logged in."""
        address = socket.inet_aton(self.host)
        packed = struct.pack(">B4sH256s", dc_id, address, self.port, self.new_key(user).key)
        return "1" + base64.urlsafe_b64encode(packed).decode()

    def session_file(self, path: Path, user: int | None = None, dc_id: int = 2) -> Path:
        """The same as a Telethon session file; `path` ends in .session."""
        session = SQLiteSession(str(path))
        session.set_dc(dc_id, self.host, self.port)
        session.auth_key = self.new_key(user)
        session.save()
        session.close()
        return path

    def environment(self, user: int | None = None) -> dict[str, str]:
        """The settings that bring a program of its own process here as this user."""
        return {
            "TELEGRAM_API_ID": "1",
            "TELEGRAM_API_HASH": "0123456789abcdef0123456789abcdef",
            "TELEGRAM_SESSION_STRING": self.session(user),
        }

    def trust(self) -> None:
        """Only for tests of the handshake itself: a `session` has its auth key already."""
        trust_test_key()

    def revoke(self, user: int, code: int = 401, message: str = "AUTH_KEY_UNREGISTERED") -> None:
        """Throw out all sessions of a user: SESSION_REVOKED, USER_DEACTIVATED_BAN, …"""
        for login in self.keys.values():
            if login.user == user:
                login.user, login.refusal = None, RpcError(code, message)

    def forget_keys(self) -> None:
        """Every auth key becomes unknown: clients get the transport error -404."""
        self.keys.clear()

    def approve_qr(self, user: int) -> None:
        """Somebody scans the QR codes on show with this user's phone, and says yes."""
        showing = [login for login in self.keys.values() if login.shows_qr()]
        if not showing:
            raise LookupError("no client shows a QR code: wait for its ExportLoginToken first")
        for login in showing:
            login.halfway, login.qr_expires = user, None
        news = types.UpdateShort(types.UpdateLoginToken(), datetime.now(UTC))
        for connection in self.online:
            if self._login(connection) in showing:
                connection.push(news)

    # ---- publishing

    def store(
        self,
        channel: Channel,
        text: str,
        *,
        sender: int | None = None,
        date: datetime | None = None,
        **fields: Any,
    ) -> types.Message:
        """Put a post into the history without telling anyone: what was there before.

        `sender`: who wrote it, in a megagroup (else an anonymous admin). `fields` are those of
        types.Message: media, entities, fwd_from, grouped_id, post_author, rich_message, …
        """
        message = channel.store(text, sender, date, fields)
        record = Published(channel.id, message.id, text, time.monotonic())
        self.published[channel.id].append(record)
        return message

    async def post(self, channel: Channel, text: str, **fields: Any) -> types.Message:
        """Publish: `store`, and push to the clients of the members."""
        message = self.store(channel, text, **fields)
        await self.push(channel, channel.announced(message))
        return message

    async def album(self, channel: Channel, *captions: str, **fields: Any) -> list[types.Message]:
        """One message per caption, shown as one post; usually all captions but one are ""."""
        self._last_album += 1
        media = fields.pop("media", None) or self.photo(b"album")
        fields = {"grouped_id": self._last_album, "media": media, **fields}
        messages = [self.store(channel, caption, **fields) for caption in captions]
        await self.push(channel, *[channel.announced(message) for message in messages])
        return messages

    async def service(self, channel: Channel, action: TLObject) -> types.MessageService:
        """A message that is no post, but takes an id: a new title, a pinned post, …"""
        message = channel.store_service(action)
        await self.push(channel, channel.announced(message))
        return message

    async def edit(
        self,
        channel: Channel,
        id: int,
        text: str | None = None,
        *,
        silent: bool = False,
        **changes: Any,
    ) -> types.Message:
        """Change a post. `silent`: as reactions and views do it, without an edit date."""
        changes = changes if text is None else {"message": text, **changes}
        changes = changes if silent else {"edit_date": datetime.now(UTC), **changes}
        await self.push(channel, channel.changed(id, changes))
        return channel.messages[id]

    async def delete(self, channel: Channel, ids: Iterable[int]) -> None:
        await self.push(channel, channel.deleted(ids))

    async def push(self, channel: Channel, *updates: TLObject) -> None:
        """Send updates to the clients of the members, unless the test wants them dropped."""
        if self.drop_updates > 0:
            self.drop_updates -= 1
        else:
            await self._tell_members(channel, *updates)
        self._news.set()

    async def _tell_members(self, channel: Channel, *updates: TLObject) -> None:
        posts = [update.message for update in updates if hasattr(update, "message")]
        for connection in list(self.online):
            login = self._login(connection)
            if connection.wants_updates and login and login.user in channel.members:
                chats, people = mentioned(self, login.user, channel, posts)
                # seq 0: channels have an order of their own, by pts
                connection.push(types.Updates(updates, people, chats, datetime.now(UTC), 0))
        await asyncio.sleep(0)

    # ---- files

    def photo(self, data: bytes) -> types.MessageMediaPhoto:
        """Media for a post; the client can download it."""
        sizes = [types.PhotoSize("x", 64, 64, len(data))]
        photo = types.Photo(self._keep(data), 1, b"reference", datetime.now(UTC), sizes, 2)
        return types.MessageMediaPhoto(photo=photo)

    def document(
        self, name: str, data: bytes = b"", mime_type: str = "application/pdf"
    ) -> types.MessageMediaDocument:
        document = types.Document(
            self._keep(data),
            access_hash=1,
            file_reference=b"reference",
            date=datetime.now(UTC),
            mime_type=mime_type,
            size=len(data),
            dc_id=2,
            attributes=[types.DocumentAttributeFilename(name)],
        )
        return types.MessageMediaDocument(document=document)

    def _keep(self, data: bytes) -> int:
        number = len(self.files) + 1
        self.files[number] = data
        return number

    # ---- watching

    def calls_of(self, *methods: str) -> list[Call]:
        return [call for call in self.calls if call.method in methods]

    async def wait_for(
        self, predicate: Callable[[], object], within: float = 10.0, what: str = "true"
    ) -> None:
        """Until the predicate is true; TimeoutError after `within` seconds.

        It is asked whenever something happens here, and every 10 ms besides: it may speak of a
        client or of a database as well.
        """
        deadline = time.monotonic() + within
        while not predicate():
            if time.monotonic() > deadline:
                raise TimeoutError(f"still not {what} after {within} s; {self._situation()}")
            self._news.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(0.01):
                    await self._news.wait()

    def _situation(self) -> str:
        latest = [call.method for call in self.calls[-10:]]
        return f"{len(self.online)} online, latest calls {latest}, errors {self.errors}"

    # ---- what connections ask of their host

    def knows(self, key_id: int) -> AuthKey | None:
        login = self.keys.get(key_id)
        return login.key if login else None

    def welcome(self, key: AuthKey) -> None:
        self.keys.setdefault(key.key_id, Login(key))

    def opened(self, connection: Connection) -> None:
        self.online.add(connection)
        self._news.set()

    def closed(self, connection: Connection) -> None:
        self.online.discard(connection)
        self._news.set()

    def broke(self, error: Exception) -> None:
        self.errors.append(error)
        self._news.set()

    async def serve(self, connection: Connection, message_id: int, request: TLObject) -> None:
        login = self._login(connection)
        if login is None:
            return  # its key was forgotten in this very moment
        method = type(request).__name__.removesuffix("Request")
        self._begin(Call(method, request, time.monotonic(), login.user))
        try:
            if await self.survives(connection, method, request):
                connection.result(message_id, self._answer(login, request))
        except RpcError as error:
            connection.error(message_id, error)
        except Exception as error:  # a bug of ours; the test finds it in `errors`
            self.broke(error)
            connection.error(message_id, RpcError(400, f"TEST_SERVER_BROKE_{method}"))
        finally:
            self._at_once[method] -= 1
            self._news.set()

    def _begin(self, call: Call) -> None:
        self.calls.append(call)
        self._at_once[call.method] += 1
        now = self._at_once[call.method]
        self.most_at_once[call.method] = max(self.most_at_once[call.method], now)
        self._news.set()

    def _answer(self, login: Login, request: TLObject) -> Any:
        if login.user is None and type(request) not in OPEN_TO_ALL:
            raise login.refusal
        answer = ANSWERS.get(type(request))
        if answer is None:
            raise NotImplementedError(f"the test server has no answer to {type(request)}")
        return answer(self, login, request)

    def _login(self, connection: Connection) -> Login | None:
        return self.keys.get(connection.key.key_id) if connection.key else None

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuse_connections or self._server is None:
            writer.transport.abort()
            return
        task = asyncio.current_task()
        assert task is not None
        self._serving[task] = Connection(self, reader, writer)
        try:
            await self._serving[task].run()
        finally:
            del self._serving[task]
