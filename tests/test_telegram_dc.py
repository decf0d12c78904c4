"""Does the local data centre do to a real Telethon client what Telegram would?"""

import asyncio
import math
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from telethon import TelegramClient, errors, events, functions, types
from telethon.sessions import StringSession

from tests import telegram_media
from tests.telegram_dc import DataCentre
from tests.telegram_state import Channel

ROOT = Path(__file__).parent.parent
PHONE = "+375291112233"

Connect = Callable[..., Awaitable[TelegramClient]]


@pytest_asyncio.fixture
async def dc() -> AsyncIterator[DataCentre]:
    async with DataCentre() as dc:
        yield dc
    assert not dc.errors


@pytest.fixture
def me(dc: DataCentre) -> int:
    return dc.add_user("Alice", PHONE)


@pytest.fixture
def news(dc: DataCentre, me: int) -> Channel:
    """A channel that Alice has joined."""
    return dc.add_channel("News", "news_by", members=[me])


@pytest.fixture
def public(dc: DataCentre) -> Channel:
    """A channel that Alice has not joined."""
    return dc.add_channel("Public", "public_by", about="about us")


@pytest_asyncio.fixture
async def connect(dc: DataCentre) -> AsyncIterator[Connect]:
    async with AsyncExitStack() as stack:

        async def connect(session: str, **options: Any) -> TelegramClient:
            return await stack.enter_async_context(connected(session, **options))

        yield connect


@asynccontextmanager
async def connected(session: str, **options: Any) -> AsyncIterator[TelegramClient]:
    defaults = {"flood_sleep_threshold": 0, "request_retries": 1, "retry_delay": 0.05}
    options = {**defaults, "raise_last_call_error": True, "connection_retries": 50, **options}
    client = TelegramClient(StringSession(session), 1, "x" * 32, **options)
    try:
        await client.connect()
        yield client
    finally:
        await client.disconnect()
        with suppress(OSError, errors.AuthKeyNotFound, errors.InvalidBufferError):
            await client.disconnected  # an error nobody looked at would be logged at some later GC


@pytest_asyncio.fixture
async def client(dc: DataCentre, me: int, connect: Connect) -> TelegramClient:
    client = await connect(dc.session(me))
    await client.get_me()
    return client


def heard(client: TelegramClient, kind: Any = events.NewMessage) -> list[Any]:
    """The list to which everything of this kind will be added as the client hears of it."""
    received: list[Any] = []

    async def handle(event: Any) -> None:
        received.append(event)

    client.add_event_handler(handle, kind())
    return received


async def heard_after_a_post(dc: DataCentre, client: TelegramClient, channel: Channel) -> list[Any]:
    """As `heard`; and the client knows by now where in the channel it is, so it sees gaps."""
    received = heard(client)
    await dc.post(channel, "first")
    await dc.wait_for(lambda: received)
    return received


def texts(received: list[Any]) -> list[str]:
    return [event.raw_text for event in received]


def peer(channel: Channel, user: int) -> types.InputPeerChannel:
    return types.InputPeerChannel(channel.id, channel.access_hash_for(user))


async def history(client: TelegramClient, channel: types.InputPeerChannel, **options: int) -> Any:
    asked = {"offset_id": 0, "add_offset": 0, "limit": 100, "max_id": 0, "min_id": 0, **options}
    request = functions.messages.GetHistoryRequest(channel, offset_date=None, hash=0, **asked)
    return await client(request)


# ---- logging in


async def test_a_session_string_needs_no_handshake(client, me):
    myself = await client.get_me()

    assert (myself.id, myself.first_name) == (me, "Alice")
    assert await client.is_user_authorized()


async def test_a_client_without_a_key_makes_one_and_logs_in_by_code(dc, me):
    dc.trust()
    session = StringSession()
    session.set_dc(2, dc.host, dc.port)
    client = TelegramClient(session, 1, "x" * 32)
    await client.connect()

    assert not await client.is_user_authorized()
    await client.send_code_request(PHONE)
    with pytest.raises(errors.PhoneCodeInvalidError):
        await client.sign_in(PHONE, "00000")
    user = await client.sign_in(PHONE, dc.code)

    assert user.id == me
    await client.disconnect()


async def test_a_password_is_checked_by_srp(dc, connect):
    bob = dc.add_user("Bob", "+48123123123", password="пароль 1", hint="the usual")
    client = await connect(dc.session())

    await client.send_code_request("+48123123123")
    with pytest.raises(errors.SessionPasswordNeededError):
        await client.sign_in("+48123123123", dc.code)
    with pytest.raises(errors.PasswordHashInvalidError):
        await client.sign_in(password="пароль 2")
    assert not await client.is_user_authorized()
    user = await client.sign_in(password="пароль 1")

    assert user.id == bob
    assert (await client(functions.account.GetPasswordRequest())).hint == "the usual"


async def test_a_qr_code_is_scanned(dc, me, connect):
    client = await connect(dc.session())
    qr = await client.qr_login()
    assert qr.url.startswith("tg://login?token=")

    waiting = asyncio.create_task(qr.wait(5))
    await asyncio.sleep(0)  # Telethon: "must be executing while the QR code is being scanned"
    dc.approve_qr(me)

    assert (await waiting).id == me
    assert await client.is_user_authorized()


async def test_a_qr_code_of_a_user_with_a_password_needs_it_too(dc, connect):
    bob = dc.add_user("Bob", password="secret")
    client = await connect(dc.session())
    qr = await client.qr_login()

    waiting = asyncio.create_task(qr.wait(5))
    await asyncio.sleep(0)
    dc.approve_qr(bob)
    with pytest.raises(errors.SessionPasswordNeededError):
        await waiting

    assert (await client.sign_in(password="secret")).id == bob


async def test_a_phone_without_an_account_is_told_so(dc, connect):
    client = await connect(dc.session())

    await client.send_code_request("+48999")

    with pytest.raises(errors.PhoneNumberUnoccupiedError):
        await client.sign_in("+48999", dc.code)


async def test_a_session_file_works_as_well_as_a_string(dc, me, tmp_path):
    path = dc.session_file(tmp_path / "alice.session", me)
    client = TelegramClient(str(path), 1, "x" * 32)
    await client.connect()

    assert (await client.get_me()).id == me
    await client.disconnect()


async def test_logging_out_ends_one_session_and_leaves_the_others(dc, me, client, connect):
    other = await connect(dc.session(me))

    await other.log_out()

    assert await client.get_me()
    assert sum(login.user == me for login in dc.keys.values()) == 1


async def test_a_revoked_user_is_refused(dc, me, client):
    dc.revoke(me, 401, "SESSION_REVOKED")

    with pytest.raises(errors.SessionRevokedError):
        await client(functions.updates.GetStateRequest())


async def test_a_forgotten_key_is_refused_at_the_transport(dc, me, connect):
    session = dc.session(me)
    dc.forget_keys()

    with pytest.raises(errors.AuthKeyNotFound):
        await connect(session)


# ---- who and what


async def test_a_name_leads_to_a_channel_or_a_user(dc, client, public):
    dc.add_user("Someone", username="some_one")

    channel = await client.get_entity("@PUBLIC_BY")
    assert (channel.id, channel.broadcast, channel.left) == (public.id, True, True)
    full = await client(functions.channels.GetFullChannelRequest(channel))
    assert full.full_chat.about == "about us"
    assert isinstance(await client.get_entity("some_one"), types.User)
    for unknown, error in (("nobody_here", errors.UsernameNotOccupiedError), ("a", None)):
        with pytest.raises(error or errors.UsernameInvalidError):
            await client(functions.contacts.ResolveUsernameRequest(unknown))


async def test_a_name_changes_hands_and_the_id_stays(dc, client, public, news):
    await dc.rename(public, "moved_by")
    await dc.rename(news, "public_by")

    assert (await client.get_entity("public_by")).id == news.id
    assert (await client.get_entity("moved_by")).id == public.id


async def test_collectible_names_lead_there_too(dc, client):
    channel = dc.add_channel("Two names", "ordinary", aliases=["collected"])

    found = await client.get_entity("collected")

    assert (found.id, found.username) == (channel.id, None)
    assert [name.username for name in found.usernames] == ["ordinary", "collected"]


async def test_restrictions_are_said(dc, client):
    dc.add_channel("Banned", "banned_by", restricted="This channel can't be displayed")

    found = await client.get_entity("banned_by")

    assert found.restricted
    assert found.restriction_reason[0].platform == "all"


async def test_a_private_channel_is_closed_to_strangers(dc, me, client, public):
    secret = dc.add_channel("Secret", private=True)
    joined = dc.add_channel("Joined", private=True, members=[me])
    dc.store(joined, "hello")

    for closed in (secret, public):
        if closed is public:
            await dc.make_private(public)
        with pytest.raises(errors.ChannelPrivateError):
            await history(client, peer(closed, me))
    assert (await history(client, peer(joined, me))).messages


async def test_an_access_hash_is_good_for_one_account(dc, me, client, public):
    bob = dc.add_user("Bob")

    with pytest.raises(errors.ChannelInvalidError):
        await history(client, peer(public, bob))


async def test_an_invite_shows_the_channel_and_lets_in(dc, me, client):
    secret = dc.add_channel("Secret", about="hush", private=True, invite="AbCdEf")
    check = functions.messages.CheckChatInviteRequest("AbCdEf")

    seen = await client(check)
    assert isinstance(seen, types.ChatInvite)
    assert (seen.title, seen.about, seen.broadcast) == ("Secret", "hush", True)
    await client(functions.messages.ImportChatInviteRequest("AbCdEf"))
    assert isinstance(await client(check), types.ChatInviteAlready)
    assert me in secret.members
    with pytest.raises(errors.InviteHashExpiredError):
        await client(functions.messages.CheckChatInviteRequest("gone"))


async def test_dialogs_are_the_joined_channels(dc, me, client, news, public):
    dc.store(news, "newest")

    assert [dialog.name for dialog in await client.get_dialogs()] == ["News"]
    wanted = [types.InputDialogPeer(peer(channel, me)) for channel in (news, public)]
    told = await client(functions.messages.GetPeerDialogsRequest(wanted))
    assert [dialog.top_message for dialog in told.dialogs] == [1, 0]


async def test_the_banned_may_not_look_even_into_a_public_channel(dc, me, client, public):
    public.banned.add(me)

    with pytest.raises(errors.ChannelPrivateError):
        await history(client, peer(public, me))
    assert isinstance(public.seen_by(me), types.ChannelForbidden)


async def test_joining_is_capped(dc, client, news, public):
    dc.join_limit = 1

    with pytest.raises(errors.ChannelsTooMuchError):
        await client(functions.channels.JoinChannelRequest("public_by"))


# ---- history


async def test_a_page_never_holds_more_than_a_hundred(dc, me, client, public):
    for number in range(250):
        dc.store(public, f"post {number + 1}")
    at = peer(public, me)

    def ids(page):
        return [message.id for message in page.messages]

    assert ids(await history(client, at, limit=1000)) == list(range(250, 150, -1))
    assert ids(await history(client, at, offset_id=151, limit=3)) == [150, 149, 148]
    assert ids(await history(client, at, min_id=245)) == [250, 249, 248, 247, 246]
    assert ids(await history(client, at, offset_id=241, add_offset=-5, limit=5)) == [
        *range(245, 240, -1)
    ]
    assert (await history(client, at, limit=1)).count == 250
    dc.page_limit = 7
    assert len((await history(client, at)).messages) == 7


async def test_posts_can_be_asked_for_by_id_and_searched(dc, client, public):
    for number in range(30):
        dc.store(public, f"post {number + 1}")

    fifth, none = await client.get_messages("public_by", ids=[5, 9999])
    found = await client.get_messages("public_by", search="POST 2", limit=50)

    assert (fifth.text, none) == ("post 5", None)
    assert len(found) == 11


async def test_megagroup_posts_have_a_sender(dc, me, client):
    bob = dc.add_user("Bob", username="bob_bob")
    group = dc.add_channel("Group", "group_by", megagroup=True, members=[me])
    received = heard(client)

    await dc.post(group, "from Bob", sender=bob)
    await dc.post(group, "from an admin")
    await dc.wait_for(lambda: len(received) == 2)

    first, second = received
    assert (first.is_group, first.sender_id, first.message.post) == (True, bob, False)
    assert first.sender.first_name == "Bob"
    assert second.message.from_id == types.PeerChannel(group.id)


async def test_a_post_carries_whatever_telegram_lets_it(dc, me, client, news, public):
    text = "😀 Эшелон, see map"
    await dc.post(
        news,
        text,
        fwd_from=telegram_media.forwarded(public, 17),
        entities=[telegram_media.text_link(text, "map", "https://map.example/x")],
        media=telegram_media.web_page("https://a.example", "Title of the page"),
        reply_markup=telegram_media.url_buttons(More="https://b.example"),
    )
    await dc.post(news, "", media=telegram_media.poll("Видели?", "Да", "Нет"))
    await dc.post(news, "", rich_message=telegram_media.rich("long", "read"))
    await dc.post(news, "", media=dc.document("list.pdf"))

    document, rich, poll, full = await client.get_messages("news_by", limit=4)
    page = await history(client, peer(news, me))

    assert full.get_entities_text()[0][1] == "map"
    assert full.forward.from_id == types.PeerChannel(public.id)
    assert {chat.id for chat in page.chats} == {news.id, public.id}
    assert full.web_preview.title == "Title of the page"
    assert full.buttons[0][0].url == "https://b.example"
    assert [answer.text.text for answer in poll.poll.poll.answers] == ["Да", "Нет"]
    assert [block.text.text for block in rich.rich_message.blocks] == ["long", "read"]
    assert document.file.name == "list.pdf"


async def test_a_photo_can_be_downloaded(dc, client, news):
    await dc.post(news, "pic", media=dc.photo(b"\xff\xd8" + b"j" * 5000))

    (message,) = await client.get_messages("news_by")

    assert len(await client.download_media(message, bytes)) == 5002


async def test_a_post_of_an_unknown_type_poisons_its_page(dc, me, client, public):
    dc.store(public, "before")
    dc.store(public, "from the future", media=telegram_media.UnknownMedia())

    with pytest.raises(errors.TypeNotFoundError):
        await history(client, peer(public, me))
    assert (await history(client, peer(public, me), offset_id=2)).messages[0].message == "before"


async def test_everything_published_is_remembered(dc, news):
    for text in ("first", "second"):
        await dc.post(news, text)
    await dc.service(news, types.MessageActionChatEditTitle("New"))
    await dc.edit(news, 1, "corrected")
    await dc.delete(news, [2])

    assert [(p.message_id, p.text) for p in dc.published[news.id]] == [(1, "first"), (2, "second")]
    assert sorted(news.messages) == [1, 3]


# ---- live


async def test_members_hear_of_posts_edits_and_deletions(dc, client, news):
    received, edited, deleted = (
        heard(client, kind)
        for kind in (events.NewMessage, events.MessageEdited, events.MessageDeleted)
    )

    message = await dc.post(news, "hello **x**")
    await dc.edit(news, message.id, "edited")
    await dc.edit(news, message.id, silent=True, views=99)
    await dc.delete(news, [message.id])
    await dc.wait_for(lambda: received and len(edited) == 2 and deleted)

    assert received[0].chat_id == -1_000_000_000_000 - news.id
    assert texts(received + edited) == ["hello **x**", "edited", "edited"]
    assert edited[0].message.edit_date == edited[1].message.edit_date is not None
    assert deleted[0].deleted_ids == [message.id]


async def test_only_members_hear_of_posts(dc, client, news, public):
    received = heard(client)

    await dc.post(public, "before joining")
    await client(functions.channels.JoinChannelRequest("public_by"))
    await dc.post(public, "while a member")
    await dc.wait_for(lambda: received)
    await client(functions.channels.LeaveChannelRequest("public_by"))
    await dc.post(public, "after leaving")
    await dc.post(news, "the end")
    await dc.wait_for(lambda: "the end" in texts(received))

    assert texts(received) == ["while a member", "the end"]


async def test_a_client_that_wants_no_updates_gets_none(dc, me, news, connect):
    silent = await connect(dc.session(me), receive_updates=False)
    await silent.get_me()

    assert [connection.wants_updates for connection in dc.online] == [False]


async def test_an_album_is_several_messages(dc, client, news):
    received = heard(client)

    messages = await dc.album(news, "", "caption", "")
    await dc.wait_for(lambda: len(received) == 3)

    assert {event.message.grouped_id for event in received} == {messages[0].grouped_id}
    assert texts(received) == ["", "caption", ""]


async def test_dropped_updates_are_found_by_the_difference_in_order(dc, client, news):
    received = await heard_after_a_post(dc, client, news)

    dc.drop_updates = 2
    for text in ("lost", "lost too", "seen"):
        await dc.post(news, text)
    await dc.wait_for(lambda: len(received) == 4)

    assert texts(received) == ["first", "lost", "lost too", "seen"]
    assert dc.calls_of("GetChannelDifference")


async def test_a_difference_too_long_loses_posts_that_history_has(dc, me, client, news):
    received = await heard_after_a_post(dc, client, news)

    dc.diff_limit, dc.drop_updates = 3, 10
    for number in range(11):
        await dc.post(news, f"bulk {number}")
    await dc.wait_for(lambda: dc.calls_of("GetChannelDifference"))
    await client.get_me()  # by now the answer has come
    await dc.post(news, "after")
    await dc.wait_for(lambda: "after" in texts(received))

    assert texts(received) == ["first", "after"]
    page = await history(client, peer(news, me), min_id=1)
    assert len(page.messages) == 12


async def test_a_difference_says_when_to_ask_again(dc, me, client, public):
    await dc.post(public, "one")
    at, everything = peer(public, me), types.ChannelMessagesFilterEmpty()

    def difference(pts):
        return client(functions.updates.GetChannelDifferenceRequest(at, everything, pts, 100))

    some, none = await difference(1), await difference(2)

    assert ([post.message for post in some.new_messages], some.pts) == (["one"], 2)
    assert isinstance(none, types.updates.ChannelDifferenceEmpty)
    assert (some.timeout, none.timeout) == (30, 30)
    with pytest.raises(errors.PersistentTimestampInvalidError):
        await difference(3)


async def test_what_was_posted_while_a_client_was_off_is_caught_up(dc, me, news, tmp_path):
    path = str(dc.session_file(tmp_path / "alice.session", me))
    before = TelegramClient(path, 1, "x" * 32)
    async with before:
        await heard_after_a_post(dc, before, news)
        await before.get_dialogs()

    for text in ("offline", "offline too"):
        await dc.post(news, text)
    after = TelegramClient(path, 1, "x" * 32, catch_up=True)
    received = heard(after)
    async with after:
        await dc.wait_for(lambda: len(received) == 2)

    assert texts(received) == ["offline", "offline too"]


@pytest.mark.parametrize(("with_pts", "heard_of"), [(True, 0), (False, 1)])
async def test_edits_inside_a_difference_are_lost_when_they_carry_pts(
    dc, client, news, with_pts, heard_of
):
    dc.diff_pts = with_pts
    edited = heard(client, events.MessageEdited)
    received = await heard_after_a_post(dc, client, news)

    dc.drop_updates = 1
    await dc.edit(news, 1, "changed unheard")
    await dc.post(news, "two")
    await dc.wait_for(lambda: len(received) == 2)

    assert len(edited) == heard_of


# ---- misfortunes


async def test_any_error_can_be_had(dc, me, client, public):
    at = peer(public, me)
    for code, message, error in (
        (400, "CHANNEL_PRIVATE", errors.ChannelPrivateError),
        (400, "SOME_NEW_ERROR_X", errors.BadRequestError),
        (406, "AUTH_KEY_DUPLICATED", errors.AuthKeyDuplicatedError),
        (401, "USER_DEACTIVATED_BAN", errors.UserDeactivatedBanError),
    ):
        dc.fail("GetHistory", code, message)
        with pytest.raises(error):
            await history(client, at)
    await history(client, at)


async def test_an_error_can_be_meant_for_one_channel(dc, me, client, public, news):
    def is_public(request):
        return request.peer.channel_id == public.id

    dc.fail("GetHistory", 400, "CHANNEL_PRIVATE", times=math.inf, when=is_public)

    await history(client, peer(news, me))
    for _ in range(2):
        with pytest.raises(errors.ChannelPrivateError):
            await history(client, peer(public, me))
    dc.heal()
    await history(client, peer(public, me))


async def test_a_flood_wait_says_how_long(dc, client, public):
    dc.fail("ResolveUsername", 420, "FLOOD_WAIT_7")

    for _ in range(2):  # the second time Telethon remembers, and does not ask
        with pytest.raises(errors.FloodWaitError) as caught:
            await client(functions.contacts.ResolveUsernameRequest("public_by"))
        assert caught.value.seconds == 7
    assert len(dc.calls_of("ResolveUsername")) == 1


async def test_more_requests_than_allowed_meet_a_flood_wait(dc, me, client, public):
    dc.limit("GetHistory", times=2, seconds=60)

    for _ in range(2):
        await history(client, peer(public, me))
    with pytest.raises(errors.FloodWaitError) as caught:
        await history(client, peer(public, me))

    assert 58 <= caught.value.seconds <= 60


async def test_answers_hang_come_late_or_are_cut_off(dc, me, client, public):
    at = peer(public, me)

    dc.fault("GetHistory", "hang")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(history(client, at), 0.05)
    dc.fault("GetHistory", 0.1)
    start = time.monotonic()
    await history(client, at)
    assert time.monotonic() - start >= 0.1
    dc.fault("GetHistory", "disconnect")
    await history(client, at)  # Telethon reconnects and asks again, what hangs included

    await dc.wait_for(lambda: len(dc.calls_of("GetHistory")) == 5)


async def test_a_transport_flood_makes_the_client_give_up(dc, me, client, public):
    dc.fault("GetHistory", "throttle")

    with pytest.raises(errors.InvalidBufferError):
        await history(client, peer(public, me))

    with pytest.raises(errors.InvalidBufferError):
        await client.disconnected


async def test_after_a_reset_a_client_hears_again(dc, client, news):
    received = await heard_after_a_post(dc, client, news)

    dc.kick()
    await dc.post(news, "while it was away")
    await dc.wait_for(lambda: any(connection.wants_updates for connection in dc.online))
    await dc.post(news, "back")
    await dc.wait_for(lambda: len(received) == 3)

    assert texts(received) == ["first", "while it was away", "back"]


async def test_connections_can_be_refused_for_a_while(dc, client):
    dc.refuse_connections = True
    dc.kick()
    await dc.wait_for(lambda: not dc.online)

    dc.refuse_connections = False

    assert await client.get_me()


async def test_it_can_go_away_and_come_back(dc, client, news):
    received = heard(client)

    await dc.stop()
    await dc.start(dc.port)
    await dc.wait_for(lambda: any(connection.wants_updates for connection in dc.online))
    await dc.post(news, "back")
    await dc.wait_for(lambda: received)

    assert texts(received) == ["back"]


async def test_requests_at_once_are_counted(dc, me, client, public):
    dc.latency = 0.02

    await asyncio.gather(*(history(client, peer(public, me)) for _ in range(3)))

    assert dc.most_at_once["GetHistory"] == 3


async def test_waiting_in_vain_says_what_for(dc):
    with pytest.raises(TimeoutError, match=r"still not logged in after 0\.02 s; 0 online"):
        await dc.wait_for(lambda: False, within=0.02, what="logged in")


# ---- many, and killed

READER = """
import asyncio, os
from telethon import TelegramClient, functions
from telethon.sessions import StringSession

async def main():
    session = StringSession(os.environ["TELEGRAM_SESSION_STRING"])
    api = int(os.environ["TELEGRAM_API_ID"]), os.environ["TELEGRAM_API_HASH"]
    async with TelegramClient(session, *api) as client:
        channel = await client.get_input_entity("news_by")
        while True:
            page = await client(functions.messages.GetHistoryRequest(
                channel, 0, None, 0, 100, 0, 0, 0))
            print(len(page.messages), flush=True)

asyncio.run(main())
"""


@asynccontextmanager
async def reader(environment: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """A client in a process of its own; killed -9 in the end."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", READER),
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGKILL)
        await process.communicate()


async def test_it_bears_readers_killed_and_clients_cut_off_while_posts_go_on(dc, me, news, connect):
    clients = [await connect(dc.session(me)) for _ in range(3)]
    stop = asyncio.Event()

    async def publish() -> None:
        while not stop.is_set():
            await dc.post(news, f"post {news.last_id + 1}")
            await asyncio.sleep(0.02)  # 50 a second

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(publish())
        environment = dc.environment(me)
        for _ in range(2):
            async with reader(environment) as process:
                assert process.stdout
                for _ in range(5):
                    assert int(await process.stdout.readline()) > 0
                dc.kick()
                assert int(await process.stdout.readline()) > 0
        stop.set()

    published = {record.message_id: record.text for record in dc.published[news.id]}
    for client in clients:
        newest = await history(client, peer(news, me))
        assert all(published[message.id] == message.message for message in newest.messages)
    await dc.wait_for(lambda: len(dc.online) == len(clients))


async def test_a_thousand_posts_arrive_in_order_at_every_client(dc, me, news, connect):
    heard_by_each = []
    for _ in range(2):
        client = await connect(dc.session(me))
        await client.get_me()
        heard_by_each.append(heard(client))

    for number in range(1000):
        await dc.post(news, f"load {number}")
    await dc.wait_for(lambda: all(len(received) == 1000 for received in heard_by_each), within=30)

    for received in heard_by_each:
        assert texts(received) == [f"load {number}" for number in range(1000)]


async def test_nothing_is_left_when_it_stops(me, news, dc, caplog):
    client = TelegramClient(StringSession(dc.session(me)), 1, "x" * 32, auto_reconnect=False)
    await client.connect()
    dc.fault("GetHistory", 60.0)
    asking = asyncio.create_task(history(client, peer(news, me)))
    await dc.wait_for(lambda: dc.calls_of("GetHistory"))

    await dc.stop()
    with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
        await asking
    await client.disconnect()

    leftovers = {task.get_coro().__qualname__ for task in asyncio.all_tasks()}
    assert not {name for name in leftovers if "DataCentre" in name or "Connection" in name}
    assert not dc.online
    assert not [record for record in caplog.records if record.name == "asyncio"]
