"""Does the bot notice where it may write, and say so?"""

import pytest

from storage import channels, chats, hits, outbox, posts, subscriptions, watchlists
from storage.model import Delivery, DeliveryKind, Subscription, Term
from tests import make
from tests.conftest import OWNER

ANN = 7


@pytest.fixture
async def list1(db, clock):
    async with db.transaction() as tx:
        await channels.add(tx, make.channel(1, "news"), 0, clock())
        await watchlists.create(tx, make.watchlist(), clock())
        await watchlists.add_term(tx, 1, Term(0, "эшелон"), clock())


@pytest.fixture
def owe(db, clock, pipeline, list1):
    """Owe a chat an alert for each text."""

    async def alerts(chat_id, *texts):
        async with db.transaction() as tx:
            for number, text in enumerate(texts, start=1):
                await posts.save(tx, make.post(text, message_id=number), clock())
                hit = make.hit(text, "эшелон", message_id=number)
                await hits.save(tx, [hit], clock())
                await outbox.add(
                    tx, Delivery(chat_id, DeliveryKind.ALERT, clock(), (hit,)), clock()
                )
        pipeline.owed.set()

    return alerts


@pytest.fixture
def places(api):
    """Chats by kind, each with what takes the bot's word there and what gives it back."""

    def set_to(chat, status, **rights):
        return lambda: api.set_bot(chat, status, **rights)

    ann = api.user(ANN, "Ann", started=True)
    group, channel = api.supergroup("Desk"), api.channel("Wire")
    muzzled = {"can_send_messages": False}
    return {
        "blocked": (ann.chat, set_to(ann, "kicked"), set_to(ann, "member"), "blocked"),
        "kicked": (group, set_to(group, "kicked"), set_to(group, "member"), "removed"),
        "left": (group, set_to(group, "left"), set_to(group, "administrator"), "no member"),
        "restricted": (
            group,
            set_to(group, "restricted", **muzzled),
            set_to(group, "restricted"),
            "restricted",
        ),
        "let in restricted": (
            group,
            set_to(group, "restricted", is_member=False),
            set_to(group, "member"),
            "restricted",
        ),
        "demoted": (
            channel,
            set_to(channel, "left"),
            set_to(channel, "administrator"),
            "no member",
        ),
        "may not post": (
            channel,
            set_to(channel, "administrator", can_post_messages=False),
            set_to(channel, "administrator"),
            "may not post messages",
        ),
    }


KINDS = [
    "blocked",
    "kicked",
    "left",
    "restricted",
    "let in restricted",
    "demoted",
    "may not post",
]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_chat_that_goes_away_gets_what_it_missed_when_it_is_back(
    talking, api, owner, db, clock, list1, owe, places, kind
):
    chat, takes, gives, why = places[kind]
    async with db.transaction() as tx:
        await subscriptions.put(tx, Subscription(1, chat.id), clock())
    await owner.send("/start")
    async with talking():
        await owner.expect("Three steps")
        takes()
        notice = await owner.expect("can't be written to")
        assert why in notice["text"]
        assert str(chat.id) in notice["text"]
        takes()  # once is enough
        await owe(chat.id, "первый эшелон", "второй эшелон")
        assert await chats.is_paused(db.reader, chat.id)
        gives()
        digest = await chat.expect("Digest")
    assert "первый" in digest["text"]
    assert "второй" in digest["text"]
    assert len(chat.messages) == 1
    assert sum("can't be written to" in m["text"] for m in owner.messages) == 1
    assert not await chats.is_paused(db.reader, chat.id)


async def test_a_chat_that_was_never_told_of_anything_is_nobodys_news(talking, api, owner, db):
    desk = api.supergroup("Desk")
    async with talking():
        api.kick(desk)
        await owner.send("/start")
        await owner.expect("Three steps")
        assert await chats.paused(db.reader) == []
    assert len(owner.messages) == 1


async def test_an_owner_who_comes_back_is_not_told_that_he_was_away(talking, api, owner, db, clock):
    bob = api.user(2, "Bob", started=True)
    async with talking(owners=(OWNER, 2)):
        await owner.send("/zone Europe/Warsaw")
        await owner.expect("from now on")
        api.block(owner)
        await bob.expect("Chat Ann (1) can't be written to: the bot was blocked")
        api.unblock(owner)
        at = await owner.send("/start")
        await owner.expect("Three steps", after=at)
    assert not any("can't be written" in m["text"] for m in owner.messages)


async def pause(db, clock, chat_id, why="Forbidden"):
    async with db.transaction() as tx:
        await chats.ensure(tx, chat_id)
        await chats.pause(tx, chat_id, why, clock())


async def test_a_message_from_a_paused_chat_resumes_it_whoever_writes(
    talking, api, db, clock, list1, owe
):
    eve = api.user(666, "Eve", started=True)
    desk = api.supergroup("Desk", bot="administrator")
    await owe(desk.id, "эшелон для всех")
    await pause(db, clock, desk.id)
    async with talking():
        await eve.send("доброе утро", chat=desk)
        await desk.expect("эшелон для всех")


@pytest.mark.parametrize("muzzle", ["the bot", "everybody"])
async def test_not_where_the_bot_still_may_not_write(talking, api, owner, db, clock, list1, muzzle):
    desk = api.supergroup("Desk")
    if muzzle == "the bot":
        desk.bot, desk.rights = "restricted", {"can_send_messages": False}
    else:
        desk.about["permissions"] = {"can_send_messages": False}
    await pause(db, clock, desk.id)
    async with talking():
        await owner.send("/start", chat=desk)
        await owner.send("/start")
        await owner.expect("Three steps")
        await api.wait_for(lambda: api.called("getChatMember"))
    assert await chats.is_paused(db.reader, desk.id)


async def test_a_group_moves_though_a_stranger_moved_it(talking, api, owner, db, clock):
    group = api.group("Desk")
    async with db.transaction() as tx:
        await chats.ensure(tx, group.id)
    async with talking():
        new = api.migrate(group)
        await owner.send("/start")
        await owner.expect("Three steps")
    assert set(await chats.all(db.reader)) >= {new.id}
    assert group.id not in await chats.all(db.reader)


# ---- /subscribe … in


async def test_a_channel_is_subscribed_from_elsewhere(talking, api, owner, db, clock, list1, owe):
    wire = api.channel("Wire <&>", username="wire")
    async with talking():
        await owner.send("/subscribe list1 in @wire")
        await owner.expect("Wire <&> is told of list1: every hit at once.")
        await owe(wire.id, "эшелон для канала")
        await wire.expect("эшелон для канала")
        await owner.send("/subscribe list1 daily 8:00 in https://t.me/wire")
        await owner.expect("a digest every day at 08:00 (UTC)")
        await owner.send("/subscriptions")
        await owner.expect("This chat is told of nothing yet")
        await owner.send("/subscriptions all")
        await owner.expect(f"list1 in {wire.id}: a digest every day at 08:00")
        await owner.send("/unsubscribe list1 in @wire")
        await owner.expect("That chat is no longer told of list1")


async def test_a_digest_elsewhere_comes_by_the_clock_of_that_place(
    talking, api, owner, db, clock, list1
):
    desk = api.supergroup("Desk", username="desk_group")
    async with talking():
        await owner.send("/zone Asia/Tokyo")
        await owner.expect("from now on")
        await owner.send("/subscribe list1 daily 8:00 in @desk_group")
        await owner.expect("Desk is told of list1: a digest every day at 08:00 (UTC)")
        await owner.send("/zone Europe/Warsaw", chat=desk)
        await desk.expect("from now on")
        await owner.send(f"/subscribe list1 daily 8:00 in {desk.id}")
        await owner.expect("Desk is told of list1: a digest every day at 08:00 (Europe/Warsaw)")


REFUSED = [
    ("@nobody_here", "the bot knows no such chat"),
    ("@gone_group", "the bot is no member"),
    ("@silent_channel", "the bot may not post messages there"),
    ("@muzzled_group", "the bot is restricted"),
    ("@quiet_group", "only administrators may send messages there"),
    ("-100999", "the bot knows no such chat"),
    ("@a", "names no channel"),
    ("https://t.me/+abcdef", "invite link"),
    ("over there", "is no schedule"),
]


@pytest.mark.parametrize(("place", "answer"), REFUSED)
async def test_a_place_where_the_bot_may_not_write_is_refused(
    talking, api, owner, db, list1, place, answer
):
    api.supergroup("Gone", username="gone_group", bot="kicked")
    silent = api.channel("Silent", username="silent_channel")
    silent.rights = {"can_post_messages": False}
    muzzled = api.supergroup("Muzzled", username="muzzled_group", bot="restricted")
    muzzled.rights = {"can_send_messages": False}
    quiet = api.supergroup("Quiet", username="quiet_group")
    quiet.about["permissions"] = {"can_send_messages": False}
    async with talking():
        await owner.send(f"/subscribe list1 in {place}")
        await owner.expect(answer)
    assert await subscriptions.all(db.reader) == []


async def test_a_chat_that_threw_the_bot_out_is_unsubscribed_by_its_number(
    talking, api, owner, db, clock, list1
):
    desk = api.supergroup("Desk", username="desk_group", bot="kicked")
    async with db.transaction() as tx:
        await subscriptions.put(tx, Subscription(1, desk.id), clock())
    async with talking():
        await owner.send("/unsubscribe list1 in @desk_group")
        await owner.expect("write its number, which /subscriptions all names")
        await owner.send(f"/unsubscribe list1 in {desk.id}")
        await owner.expect("That chat is no longer told of list1")
