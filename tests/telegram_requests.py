"""What does Telegram answer to whom? One function per request a reader of channels makes.

Each answer is a function of the data centre, the login it is asked by, and the request.
Where Telegram's behaviour is known the answer is Telegram's; errors carry Telegram's names.
"""

import copy
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from telethon import types
from telethon.functions import account, channels, contacts, help, messages, updates, upload, users
from telethon.tl import TLObject

from tests.mtproto import RpcError
from tests.telegram_login import LOGIN_ANSWERS, Login

if TYPE_CHECKING:
    from tests.telegram_dc import DataCentre
    from tests.telegram_state import Channel

LONGEST_PAGE = 100  # messages; Telegram gives no more, whatever the client asks for
USERNAME = re.compile(r"(?=.{4,32}$)[a-z](?:_?[a-z0-9])*", re.IGNORECASE)
THROUGH_A_MESSAGE = (types.InputPeerChannelFromMessage, types.InputChannelFromMessage)


def fill(kind: type[TLObject], **given: Any) -> TLObject:
    """Build a TL object, 0 for every required argument not given: survives a change of layer."""
    required = {
        name: 0
        for name, parameter in list(inspect.signature(kind.__init__).parameters.items())[1:]
        if parameter.default is parameter.empty
    }
    return kind(**{**required, **given})


# ---- the house itself


def get_config(dc: "DataCentre", login: Login, request: help.GetConfigRequest) -> TLObject:
    now = datetime.now(UTC)
    return fill(
        types.Config,
        date=now,
        expires=now + timedelta(hours=1),
        test_mode=False,
        this_dc=2,
        dc_txt_domain_name="",
        me_url_prefix="https://t.me/",
        dc_options=[types.DcOption(number, dc.host, dc.port) for number in range(1, 6)],
    )


def get_nearest_dc(dc: "DataCentre", login: Login, request: TLObject) -> TLObject:
    return types.NearestDc(country="BY", this_dc=2, nearest_dc=2)


def yes(dc: "DataCentre", login: Login, request: TLObject) -> bool:
    return True


# ---- who and what


def get_users(dc: "DataCentre", login: Login, request: users.GetUsersRequest) -> list[TLObject]:
    return [_user(dc, login, wanted) for wanted in request.id]


def _user(dc: "DataCentre", login: Login, wanted: TLObject) -> TLObject:
    number = login.user if isinstance(wanted, types.InputUserSelf) else wanted.user_id
    user = dc.users.get(number or 0)
    return user.seen_by(login.user) if user else types.UserEmpty(number)


def resolve_username(
    dc: "DataCentre", login: Login, request: contacts.ResolveUsernameRequest
) -> TLObject:
    if not USERNAME.fullmatch(request.username):
        raise RpcError(400, "USERNAME_INVALID")
    name = request.username.lower()
    for channel in dc.channels.values():
        if name in channel.names():
            peer = types.PeerChannel(channel.id)
            return types.contacts.ResolvedPeer(peer, [channel.seen_by(login.user)], [])
    for user in dc.users.values():
        if user.username and user.username.lower() == name:
            peer = types.PeerUser(user.id)
            return types.contacts.ResolvedPeer(peer, [], [user.seen_by(login.user)])
    raise RpcError(400, "USERNAME_NOT_OCCUPIED")


def find_channel(dc: "DataCentre", login: Login, peer: TLObject) -> "Channel":
    """The channel an InputChannel or InputPeerChannel means, if this login may look inside."""
    number = getattr(peer, "channel_id", None)
    if number is None:
        raise RpcError(400, "PEER_ID_INVALID")
    channel = dc.channels.get(number)
    if channel is None:
        raise RpcError(400, "CHANNEL_INVALID")
    if isinstance(peer, THROUGH_A_MESSAGE):
        find_channel(dc, login, peer.peer)
    elif peer.access_hash != channel.access_hash_for(login.user):
        raise RpcError(400, "CHANNEL_INVALID")
    if not channel.open_to(login.user):
        raise RpcError(400, "CHANNEL_PRIVATE")
    return channel


def get_channels(dc: "DataCentre", login: Login, request: channels.GetChannelsRequest) -> TLObject:
    found = [find_channel(dc, login, peer) for peer in request.id]
    return types.messages.Chats([channel.seen_by(login.user) for channel in found])


def get_full_channel(
    dc: "DataCentre", login: Login, request: channels.GetFullChannelRequest
) -> TLObject:
    channel = find_channel(dc, login, request.channel)
    full = fill(
        types.ChannelFull,
        id=channel.id,
        about=channel.about,
        chat_photo=types.PhotoEmpty(0),
        notify_settings=types.PeerNotifySettings(),
        bot_info=[],
        pts=channel.pts,
        participants_count=len(channel.members),
    )
    return types.messages.ChatFull(full, [channel.seen_by(login.user)], [])


# ---- coming and going


def join_channel(dc: "DataCentre", login: Login, request: channels.JoinChannelRequest) -> TLObject:
    return _join(dc, login, find_channel(dc, login, request.channel))


def _join(dc: "DataCentre", login: Login, channel: "Channel") -> TLObject:
    if len(dc.joined_by(login.user)) >= dc.join_limit:
        raise RpcError(400, "CHANNELS_TOO_MUCH")
    if channel.flags.get("join_request"):
        raise RpcError(400, "INVITE_REQUEST_SENT")
    channel.members.add(login.user)
    return types.messages.ChatInviteJoinResultOk(_membership_changed(login, channel))


def leave_channel(
    dc: "DataCentre", login: Login, request: channels.LeaveChannelRequest
) -> TLObject:
    channel = find_channel(dc, login, request.channel)
    if login.user not in channel.members:
        raise RpcError(400, "USER_NOT_PARTICIPANT")
    channel.members.discard(login.user)
    return _membership_changed(login, channel)


def _membership_changed(login: Login, channel: "Channel") -> TLObject:
    news = [types.UpdateChannel(channel.id)]
    return types.Updates(news, [], [channel.seen_by(login.user)], datetime.now(UTC), 0)


def _invited_to(dc: "DataCentre", invite: str) -> "Channel":
    found = next((c for c in dc.channels.values() if c.invite == invite), None)
    if found is None:
        raise RpcError(400, "INVITE_HASH_EXPIRED")
    return found


def check_chat_invite(
    dc: "DataCentre", login: Login, request: messages.CheckChatInviteRequest
) -> TLObject:
    channel = _invited_to(dc, request.hash)
    if login.user in channel.members:
        return types.ChatInviteAlready(channel.seen_by(login.user))
    return types.ChatInvite(
        title=channel.title,
        photo=types.PhotoEmpty(0),
        participants_count=len(channel.members),
        color=0,
        channel=True,
        broadcast=not channel.megagroup,
        public=channel.username is not None,
        megagroup=channel.megagroup,
        about=channel.about,
    )


def import_chat_invite(
    dc: "DataCentre", login: Login, request: messages.ImportChatInviteRequest
) -> TLObject:
    channel = _invited_to(dc, request.hash)
    if login.user in channel.members:
        raise RpcError(400, "USER_ALREADY_PARTICIPANT")
    return _join(dc, login, channel)


# ---- posts


def get_history(dc: "DataCentre", login: Login, request: messages.GetHistoryRequest) -> TLObject:
    return _page(dc, login, request, lambda message: True)


def search(dc: "DataCentre", login: Login, request: messages.SearchRequest) -> TLObject:
    wanted = request.q.lower()
    return _page(dc, login, request, lambda message: wanted in (message.message or "").lower())


def _page(
    dc: "DataCentre", login: Login, request: Any, keep: Callable[[types.Message], bool]
) -> TLObject:
    """One page, newest first, as https://core.telegram.org/api/offsets says."""
    channel = find_channel(dc, login, request.peer)
    newest_first = [m for _, m in sorted(channel.messages.items(), reverse=True) if keep(m)]
    limit = max(0, min(request.limit, dc.page_limit, LONGEST_PAGE))
    first = _offset(newest_first, request) + request.add_offset
    page = newest_first[max(0, first) : max(0, first + limit)]
    inside = [m for m in page if request.min_id < m.id and not 0 < request.max_id <= m.id]
    return _answer(dc, login, channel, inside, len(newest_first))


def _offset(newest_first: list[types.Message], request: Any) -> int:
    """How many messages are newer than the place the request names."""
    if request.offset_id:
        return sum(m.id >= request.offset_id for m in newest_first)
    date = getattr(request, "offset_date", None)
    if date and date.timestamp() > 0:
        return sum(m.date >= date for m in newest_first)
    return 0


def get_messages(dc: "DataCentre", login: Login, request: channels.GetMessagesRequest) -> TLObject:
    channel = find_channel(dc, login, request.channel)
    wanted = [item.id for item in request.id]
    found = [channel.messages.get(n) or types.MessageEmpty(n, None) for n in wanted]
    return _answer(dc, login, channel, found, len(found))


def _answer(
    dc: "DataCentre", login: Login, channel: "Channel", found: list[Any], count: int
) -> TLObject:
    chats, people = mentioned(dc, login.user, channel, found)
    return types.messages.ChannelMessages(channel.pts, count, found, [], chats, people)


def mentioned(
    dc: "DataCentre", viewer: int | None, channel: "Channel", posts: Iterable[Any]
) -> tuple[list[TLObject], list[TLObject]]:
    """The chats and users without which the posts can't be read: sent along with them."""
    peers = [getattr(post, "from_id", None) for post in posts]
    peers += [post.fwd_from.from_id for post in posts if getattr(post, "fwd_from", None)]
    chat_ids = {p.channel_id for p in peers if isinstance(p, types.PeerChannel)} | {channel.id}
    user_ids = {p.user_id for p in peers if isinstance(p, types.PeerUser)}
    chats = [dc.channels[n].seen_by(viewer) for n in sorted(chat_ids) if n in dc.channels]
    return chats, [dc.users[n].seen_by(viewer) for n in sorted(user_ids) if n in dc.users]


def get_dialogs(dc: "DataCentre", login: Login, request: messages.GetDialogsRequest) -> TLObject:
    return types.messages.Dialogs(**_dialogs(dc, login, dc.joined_by(login.user)))


def get_peer_dialogs(
    dc: "DataCentre", login: Login, request: messages.GetPeerDialogsRequest
) -> TLObject:
    wanted = [find_channel(dc, login, item.peer) for item in request.peers]
    state = get_state(dc, login, request)
    return types.messages.PeerDialogs(**_dialogs(dc, login, wanted), state=state)


def _dialogs(dc: "DataCentre", login: Login, wanted: list["Channel"]) -> dict[str, list[TLObject]]:
    newest = [(c, c.messages[max(c.messages)]) for c in wanted if c.messages]
    chats = {c.id: c.seen_by(login.user) for c in wanted}
    people: dict[int, TLObject] = {}
    for channel, post in newest:
        more_chats, more_people = mentioned(dc, login.user, channel, [post])
        chats |= {chat.id: chat for chat in more_chats}
        people |= {person.id: person for person in more_people}
    return {
        "dialogs": [dialog(channel) for channel in wanted],
        "messages": [post for _, post in newest],
        "chats": list(chats.values()),
        "users": list(people.values()),
    }


def dialog(channel: "Channel") -> TLObject:
    return fill(
        types.Dialog,
        peer=types.PeerChannel(channel.id),
        top_message=max(channel.messages, default=0),
        notify_settings=types.PeerNotifySettings(),
        pts=channel.pts,
    )


# ---- what was missed


def get_state(dc: "DataCentre", login: Login, request: TLObject) -> TLObject:
    # pts 0 would mean "never seen anything" to Telethon
    return types.updates.State(pts=1, qts=0, date=datetime.now(UTC), seq=0, unread_count=0)


def get_difference(
    dc: "DataCentre", login: Login, request: updates.GetDifferenceRequest
) -> TLObject:
    """Channels that moved since are only named; the client has to ask for each."""
    since = request.date.timestamp()
    moved = [c for c in dc.joined_by(login.user) if c.log and c.log[-1].at >= since]
    if not moved:
        return types.updates.DifferenceEmpty(datetime.now(UTC), 0)
    news = [types.UpdateChannelTooLong(channel.id, channel.pts) for channel in moved]
    chats = [channel.seen_by(login.user) for channel in moved]
    return types.updates.Difference([], [], news, chats, [], get_state(dc, login, request))


def get_channel_difference(
    dc: "DataCentre", login: Login, request: updates.GetChannelDifferenceRequest
) -> TLObject:
    channel = find_channel(dc, login, request.channel)
    if not 0 < request.pts <= channel.pts:
        raise RpcError(400, "PERSISTENT_TIMESTAMP_INVALID")
    missed = [entry for entry in channel.log if entry.pts > request.pts]
    if not missed:
        return types.updates.ChannelDifferenceEmpty(channel.pts, True, dc.diff_timeout)
    if len(missed) > dc.diff_limit:
        return _too_long(dc, login, channel)
    batch = missed[: request.limit]
    fresh = [e.update.message for e in batch if _is_new(e.update, channel)]
    other = [e.update for e in batch if not isinstance(e.update, types.UpdateNewChannelMessage)]
    chats, people = mentioned(dc, login.user, channel, fresh)
    return types.updates.ChannelDifference(
        pts=batch[-1].pts,
        new_messages=fresh,
        other_updates=other if dc.diff_pts else [_without_pts(update) for update in other],
        chats=chats,
        users=people,
        final=len(batch) == len(missed),
        timeout=dc.diff_timeout,
    )


def _is_new(update: TLObject, channel: "Channel") -> bool:
    new = isinstance(update, types.UpdateNewChannelMessage)
    return new and update.message.id in channel.messages


def _without_pts(update: TLObject) -> TLObject:
    bare = copy.copy(update)
    bare.pts = bare.pts_count = 0
    return bare


def _too_long(dc: "DataCentre", login: Login, channel: "Channel") -> TLObject:
    newest = [channel.messages[n] for n in sorted(channel.messages)[-1:]]
    chats, people = mentioned(dc, login.user, channel, newest)
    return types.updates.ChannelDifferenceTooLong(
        dialog=dialog(channel),
        messages=newest,
        chats=chats,
        users=people,
        final=True,
        timeout=dc.diff_timeout,
    )


# ---- files


def get_file(dc: "DataCentre", login: Login, request: upload.GetFileRequest) -> TLObject:
    data = dc.files.get(request.location.id)
    if data is None:
        raise RpcError(400, "FILE_REFERENCE_EXPIRED")
    part = data[request.offset : request.offset + request.limit]
    return types.upload.File(types.storage.FileJpeg(), 0, part)


ANSWERS: Mapping[type[TLObject], Any] = {
    **LOGIN_ANSWERS,
    account.UpdateStatusRequest: yes,
    channels.GetChannelsRequest: get_channels,
    channels.GetFullChannelRequest: get_full_channel,
    channels.GetMessagesRequest: get_messages,
    channels.JoinChannelRequest: join_channel,
    channels.LeaveChannelRequest: leave_channel,
    channels.ReadHistoryRequest: yes,
    contacts.ResolveUsernameRequest: resolve_username,
    help.GetConfigRequest: get_config,
    help.GetNearestDcRequest: get_nearest_dc,
    messages.CheckChatInviteRequest: check_chat_invite,
    messages.GetDialogsRequest: get_dialogs,
    messages.GetHistoryRequest: get_history,
    messages.GetPeerDialogsRequest: get_peer_dialogs,
    messages.ImportChatInviteRequest: import_chat_invite,
    messages.SearchRequest: search,
    updates.GetChannelDifferenceRequest: get_channel_difference,
    updates.GetDifferenceRequest: get_difference,
    updates.GetStateRequest: get_state,
    upload.GetFileRequest: get_file,
    users.GetUsersRequest: get_users,
}

# What may be asked before logging in; anything else is refused with 401.
OPEN_TO_ALL = frozenset({*LOGIN_ANSWERS, help.GetConfigRequest, help.GetNearestDcRequest})
