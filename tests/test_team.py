"""How does one come into the team, rise, and leave it?"""

import asyncio
import re
from datetime import timedelta

import pytest

from bot import invites, keyboards
from bot.access import Where
from bot.access import offered as offered_to
from bot.pressed import FOREIGN
from storage import chats, menus, outbox, subscriptions, team, watchlists
from storage.db import open_database
from storage.menus import Menu
from storage.model import Delivery, DeliveryKind, Role, Subscription
from tests import make
from tests.conftest import OWNER
from tests.test_buttons import forge, labels, press

BOB, EVE, OTHER_OWNER = 2, 666, 3
SENTENCE = "This bot serves a closed team."


@pytest.fixture
def bob(api):
    return api.user(BOB, "Bob", started=True)


@pytest.fixture
def eve(api):
    return api.user(EVE, "Eve", started=True)


async def invited(owner, role="member"):
    """A fresh token."""
    at = await owner.send(f"/invite {role}")
    said = (await owner.expect("Whoever opens it first", after=at))["text"]
    link = re.search(r"https://t\.me/test_bot\?start=([A-Za-z0-9_-]{1,64})$", said)
    assert link, said
    return link[1]


async def roles(db):
    return {person.id: person.role for person in await team.all(db.reader)}


# ---- invites


@pytest.mark.parametrize("role", ["viewer", "member", "operator"])
async def test_an_invite_takes_one_person_in(talking, db, owner, bob, eve, role):
    async with talking():
        token = await invited(owner, role)
        await bob.send(f"/start {token}")
        await bob.expect(f"Welcome: you are {role} in the team now.")
        await owner.expect(f"Bob ({BOB}) used an invite and is {role} now.")
        await eve.send(f"/start {token}")
        await eve.expect(SENTENCE)
        await bob.send(f"/start {token}")  # pressed again
        await bob.expect("I watch public Telegram channels")
    assert await roles(db) == {BOB: Role.of(role)}
    assert len(eve.messages) == 1


async def test_of_a_token_nothing_is_stored_but_a_hash(talking, db, owner, bob):
    async with talking():
        token = await invited(owner)
    for file in db.path.parent.glob(f"{db.path.name}*"):
        assert token.encode() not in file.read_bytes()


async def test_an_expired_invite_gives_nothing(talking, db, clock, owner, bob, eve):
    async with talking():
        late, early = await invited(owner), await invited(owner)
        clock.forward(hours=23, minutes=59)
        await bob.send(f"/start {early}")
        await bob.expect("Welcome")
        clock.forward(minutes=1)
        await eve.send(f"/start {late}")
        await eve.expect(SENTENCE)
    assert set(await roles(db)) == {BOB}


@pytest.mark.parametrize(
    "guess", ["a" * 32, "a", "member", "a" * 64, "' OR 1=1 --", "🔑", "{hash}"]
)
async def test_a_guessed_invite_gives_nothing(talking, db, clock, owner, eve, guess):
    async with talking():
        await invited(owner)
        [invite] = await team.invites(db.reader, clock())
        await eve.send("/start " + guess.format(hash=invite.hash))
        await eve.expect(SENTENCE)
    assert await roles(db) == {}


async def test_who_guesses_too_often_is_not_looked_at_for_an_hour(talking, db, api, owner, eve):
    seconds = [0.0]
    async with talking(seconds=lambda: seconds[0]):
        token = await invited(owner)
        for _ in range(invites.GUESSES):
            await eve.send("/start " + "a" * 32)
        await eve.send(f"/start {token}")
        await api.wait_for(lambda: not api.updates)
        assert await roles(db) == {}
        seconds[0] += invites.GUESS_WINDOW
        await eve.send(f"/start {token}")
        await eve.expect("Welcome")


async def test_guesses_of_many_are_forgotten_in_time():
    guesses = invites.Guesses(lambda: 0.0)
    for person in range(2 * invites.REMEMBERED):
        guesses.failed(person)
    assert len(guesses._failed) == invites.REMEMBERED


async def test_an_invite_is_no_good_in_a_group(talking, db, api, owner, bob):
    desk = api.supergroup("Desk")
    async with talking():
        token = await invited(owner)
        await bob.send(f"/start@test_bot {token}", chat=desk)
        await desk.expect(SENTENCE)
    assert await roles(db) == {}


async def test_it_dies_with_the_ownership_of_who_made_it(talking, db, api, eve):
    other = api.user(OTHER_OWNER, "Oda", started=True)
    async with talking(owners=(OWNER, OTHER_OWNER)):
        token = await invited(other)
    async with talking():
        await eve.send(f"/start {token}")
        await eve.expect(SENTENCE)
    assert await roles(db) == {}


async def test_open_invites_can_be_withdrawn(talking, db, owner, eve):
    async with talking():
        token = await invited(owner)
        await owner.send("/team")
        await owner.expect("an open invite – member, until")
        await owner.send("/invite off")
        await owner.expect("worth nothing from now on: 1")
        await eve.send(f"/start {token}")
        await eve.expect(SENTENCE)
    assert await roles(db) == {}


async def test_who_removes_somebody_is_reminded_of_open_invites(talking, owner, take_in):
    await take_in(BOB, Role.VIEWER)
    async with talking():
        await invited(owner)
        await owner.send("/team 1 remove")
        await owner.expect("Open invites are still good")


async def test_an_owner_does_not_use_up_their_own_link(talking, db, owner, bob):
    async with talking():
        token = await invited(owner)
        await owner.send(f"/start {token}")
        await owner.expect("It is still good")
        await bob.send(f"/start {token}")
        await bob.expect("Welcome")


async def test_an_invite_raises_but_never_lowers(talking, db, owner, bob, take_in):
    await take_in(BOB, Role.MEMBER)
    async with talking():
        low, high = await invited(owner, "viewer"), await invited(owner, "operator")
        await bob.send(f"/start {low}")
        await bob.expect("I watch")
        assert await roles(db) == {BOB: Role.MEMBER}
        await bob.send(f"/start {high}")
        await bob.expect("you are operator in the team now")
    assert await roles(db) == {BOB: Role.OPERATOR}


@pytest.mark.parametrize(
    ("said", "answer"),
    [("", "With which role?"), ("king", "With which role?"), ("owner", "setting OWNER_IDS")],
)
async def test_what_is_no_role_is_explained(talking, db, clock, owner, said, answer):
    async with talking():
        await owner.send(f"/invite {said}")
        await owner.expect(answer)
    assert await team.invites(db.reader, clock()) == []


async def test_a_hostile_name_is_shown_tame(talking, api, db, owner):
    bob = api.user(BOB, "<b>\u202eBob\n&" + "x" * 99, started=True)
    async with talking():
        await bob.send(f"/start {await invited(owner)}")
        await bob.expect("Welcome")
        await owner.send("/team")
        text = (await owner.expect("1. <b>Bob &x"))["text"]
    assert "\u202e" not in text


async def test_two_at_once_and_one_is_in(talking, db, clock, owner):
    owners = frozenset([OWNER])
    async with talking():
        token = await invited(owner)
    came = await asyncio.gather(
        *(invites.accept(db, owners, token, id, "X", clock()) for id in (BOB, EVE))
    )
    assert sorted(map(bool, came)) == [False, True]
    assert len(await roles(db)) == 1


# ---- /team


@pytest.fixture
async def staff(take_in):
    await take_in(BOB, Role.MEMBER, "Bob")
    await take_in(EVE, Role.VIEWER, "Eve")


async def test_the_team_is_listed(talking, db, api, owner, staff):
    async with db.transaction() as tx:
        await chats.set_role(tx, -100777, Role.MEMBER)
    async with talking():
        await owner.send("/team")
        listed = await owner.expect("👑 Ann (1) – owner")
    assert f"1. Bob ({BOB}) – member, since" in listed["text"]
    assert f"2. Eve ({EVE}) – viewer, since" in listed["text"]
    assert "Group -100777 – everybody there is at least member" in listed["text"]
    assert labels(listed) == ["Bob · member", "Eve · viewer"]


@pytest.mark.parametrize(
    ("said", "answer", "left"),
    [
        ("1 operator", "Bob is operator from now on", {BOB: Role.OPERATOR, EVE: Role.VIEWER}),
        ("1 OPERATOR", "Bob is operator from now on", {BOB: Role.OPERATOR, EVE: Role.VIEWER}),
        ("1 member", "Bob is member already", {BOB: Role.MEMBER, EVE: Role.VIEWER}),
        ("1 remove", "Bob is not in the team any more", {EVE: Role.VIEWER}),
        ("9 remove", "Nobody of the team has the number 9", {BOB: Role.MEMBER, EVE: Role.VIEWER}),
        ("1 owner", "/team NUMBER", {BOB: Role.MEMBER, EVE: Role.VIEWER}),
        ("1 2 remove", "/team NUMBER", {BOB: Role.MEMBER, EVE: Role.VIEWER}),
        ("x remove", "/team NUMBER", {BOB: Role.MEMBER, EVE: Role.VIEWER}),
        ("² remove", "/team NUMBER", {BOB: Role.MEMBER, EVE: Role.VIEWER}),
        ("remove", "Of whom?", {BOB: Role.MEMBER, EVE: Role.VIEWER}),
    ],
)
async def test_a_role_is_changed_by_number(talking, db, owner, staff, said, answer, left):
    async with talking():
        await owner.send(f"/team {said}")
        await owner.expect(answer)
    assert await roles(db) == left


async def test_a_number_is_never_given_to_somebody_else(db, clock, staff, take_in):
    async with db.transaction() as tx:
        await team.remove(tx, EVE)
    await take_in(7, Role.VIEWER, "Zoe")
    assert [person.number for person in await team.all(db.reader)] == [1, 3]


async def test_a_role_is_changed_by_an_answer(talking, db, api, owner, bob, staff):
    desk = api.supergroup("Desk", bot="administrator")
    async with talking():
        await bob.send("hello", chat=desk)
        said = desk.history[max(desk.history)]
        await owner.send("/team operator", chat=desk, reply_to=said)
        await desk.expect("Bob is operator from now on")
        zoe = api.user(7, "Zoe")
        await zoe.send("hello", chat=desk)
        said = desk.history[max(desk.history)]
        await owner.send("/team operator", chat=desk, reply_to=said)
        await desk.expect("Zoe is not in the team: send them a link")
        await owner.send("hello", chat=desk)
        said = desk.history[max(desk.history)]
        await owner.send("/team remove", chat=desk, reply_to=said)
        await desk.expect("Owners are named in the setting OWNER_IDS")
        await bob.send("hello", chat=desk, anonymous=True)
        said = desk.history[max(desk.history)]
        await owner.send("/team remove", chat=desk, reply_to=said)
        await desk.expect("Of whom?")
        await owner.send("/team", chat=desk)
        await desk.expect("In our private chat /team lists them")
    assert await roles(db) == {BOB: Role.OPERATOR, EVE: Role.VIEWER}


async def test_in_a_topic_its_opening_is_no_answer_to_who_opened_it(talking, db, api, owner, staff):
    forum = api.supergroup("Desk", forum=True)
    thread = forum.topic("rail")
    opening = {**forum.history[thread], "from": api.user(BOB).about}
    async with talking():
        await owner.send("/team remove", chat=forum, thread=thread, reply_to=opening)
        await forum.expect("Of whom?")
    assert set(await roles(db)) == {BOB, EVE}


async def test_buttons_change_a_role_and_remove(talking, db, api, owner, staff):
    async with talking():
        await owner.send("/team")
        await owner.expect("1. Bob")
        await press(api, owner, "Bob · member")
        assert labels(owner.messages[-1]) == ["Viewer", "Operator", "Remove", "‹ Back"]
        await press(api, owner, "‹ Back")
        await press(api, owner, "Bob · member")
        assert "Bob is operator" in await press(api, owner, "Operator")
        assert labels(owner.messages[-1]) == ["Bob · operator", "Eve · viewer"]
        assert "Bob (2) – operator" in owner.messages[-1]["text"]
        await press(api, owner, "Eve · viewer")
        assert "Eve is not in the team" in await press(api, owner, "Remove")
        gone = keyboards.Change(number=2, fate=keyboards.Fate.OPERATOR).pack()
        assert "not in the team any more" in await forge(api, owner, gone)
    assert await roles(db) == {BOB: Role.OPERATOR}


@pytest.mark.parametrize(
    "data", ["c:1:owner", "c:1:king", "c:x:remove", "c:1", "t:x", "a:-", "z:1"]
)
async def test_made_up_buttons_do_nothing(talking, db, api, owner, staff, data):
    async with talking():
        assert await forge(api, owner, data) == FOREIGN
    assert await roles(db) == {BOB: Role.MEMBER, EVE: Role.VIEWER}


async def test_who_is_removed_hears_nothing_more(
    talking,
    db,
    api,
    clock,
    owner,
    bob,
    take_in,
    owe,
):
    await take_in(BOB, Role.MEMBER)
    async with db.transaction() as tx:
        await subscriptions.put(tx, Subscription(1, BOB), clock())
    async with talking():
        sent = await owe(chat=BOB)
        await bob.expect("эшелон")
        later = await owe(chat=BOB, text=None)
        await bob.expect("эшелон", after=bob.messages[-1]["message_id"] - 1)
        async with db.transaction() as tx:
            await outbox.add(
                tx,
                Delivery(BOB, DeliveryKind.NOTICE, clock() + timedelta(hours=1), text="later"),
                clock(),
            )
        await owner.send("/team 1 remove")
        await owner.expect("Bob is not in the team any more")
        heard = [message["text"] for message in bob.messages]
        assert "closed team" in await press(api, bob, "👍 Useful")
        clock.forward(hours=2)
        async with db.transaction() as tx:  # what he was told of changes
            await tx.execute("UPDATE posts SET text = 'Прибыл другой эшелон'")
        await owner.send("/status")
        await owner.expect("Messages waiting to be sent: 0")
    assert [message["text"] for message in bob.messages] == heard
    assert await subscriptions.of_chat(db.reader, BOB) == []
    assert sent != later


async def test_the_private_chat_of_a_stranger_is_not_subscribed(talking, api, owner, owe):
    zoe = api.user(77, "Zoe", started=True)
    async with talking():
        await owner.send("/subscribe list1 in 77")
        await owner.expect("somebody who is not of the team")
        await zoe.send(f"/start {await invited(owner)}")
        await zoe.expect("Welcome")
        await owner.send("/subscribe list1 in 77")
        await owner.expect("Zoe is told of list1")


async def test_a_former_owner_is_told_nothing_more(program, api, clock, owner, bob, tmp_path):
    async with open_database(tmp_path / "watch.db") as db, db.transaction() as tx:
        await watchlists.create(tx, make.watchlist(), clock())
        for id in (OWNER, BOB, 5):
            await subscriptions.put(tx, Subscription(1, id), clock())
    await bob.send("/start")
    async with program(owner_ids=f"{OWNER},{BOB}"):
        await menu_is(api, bob, Role.OWNER)
    await owner.send("/start")
    async with program():
        await owner.expect("Three steps")
        await menu_is(api, bob, None)
    async with open_database(tmp_path / "watch.db") as db:
        assert {one.chat_id for one in await subscriptions.all(db.reader)} == {OWNER, 5}


# ---- /grouprole


async def test_a_group_is_given_a_role_and_loses_it(talking, db, api, owner, bob):
    desk = api.supergroup("Desk")
    async with talking():
        for said, answer in [
            ("", "This group has no role"),
            ("owner", "This group has no role"),
            ("member", "Everybody in this group is at least member here."),
            ("", "Everybody in this group is at least member here. To change that"),
        ]:
            at = await owner.send(f"/grouprole {said}", chat=desk)
            await desk.expect(answer, after=at)
        await bob.send("/subscriptions", chat=desk)
        await desk.expect("told of nothing yet")
        assert api.menu(bob, desk) == [c.name for c in offered("member")]
        at = await owner.send("/grouprole none", chat=desk)
        await desk.expect("This group has no role", after=at)
        await bob.send("/subscriptions", chat=desk)
        await desk.expect(SENTENCE)
        assert api.menu(bob, desk) == []


def offered(role):
    return offered_to(Role.of(role), Where.GROUP)


@pytest.mark.parametrize("open_by", [{"username": "desk"}, {"linked_chat_id": -100123}])
async def test_a_group_where_anybody_can_speak_gets_no_role(talking, db, api, owner, open_by):
    desk = api.supergroup("Desk")
    desk.about |= open_by
    async with talking():
        await owner.send("/grouprole member", chat=desk)
        await desk.expect("it can have no role")
    assert await chats.roles(db.reader) == {}


async def test_the_role_follows_a_group_that_becomes_a_supergroup(talking, db, api, owner, bob):
    group = api.group("Desk")
    async with talking():
        await owner.send("/grouprole viewer", chat=group)
        await group.expect("at least viewer")
        new = api.migrate(group)
        await api.wait_for(lambda: not api.updates)
        await bob.send("/status", chat=new)
        await new.expect("Stored")


async def test_also_onto_one_that_is_known_already(db):
    async with db.transaction() as tx:
        await chats.set_role(tx, -1, Role.VIEWER)
        await chats.ensure(tx, -100)
        await chats.migrate(tx, -1, -100)
    assert await chats.role_of(db.reader, -100) is Role.VIEWER


# ---- menus


async def menu_is(api, person, role, chat=None):
    where = Where.GROUP if chat else Where.PRIVATE
    wanted = [info.name for info in offered_to(role, where)] if role else []
    await api.wait_for(lambda: api.menu(person, chat) == wanted)


async def test_the_menu_follows_the_role(talking, db, api, owner, bob):
    desk = api.supergroup("Desk")
    async with talking():
        await bob.send(f"/start {await invited(owner, 'viewer')}")
        await menu_is(api, bob, Role.VIEWER)
        await bob.send("/status", chat=desk)
        await menu_is(api, bob, Role.VIEWER, desk)
        await owner.send("/team 1 operator")
        await menu_is(api, bob, Role.OPERATOR)
        await menu_is(api, bob, Role.OPERATOR, desk)
        await owner.send("/grouprole member", chat=desk)
        await menu_is(api, api.user(7), Role.MEMBER, desk)
        await menu_is(api, bob, Role.OPERATOR, desk)
        await owner.send("/team 1 remove")
        await menu_is(api, bob, None)
        await menu_is(api, bob, Role.MEMBER, desk)
        await menu_is(api, owner, Role.OWNER)
        await menu_is(api, owner, Role.OWNER, desk)
    assert await menus.one(db.reader, desk.id, BOB) is None


async def test_menus_are_renewed_when_the_program_starts(program, api, owner, bob, tmp_path):
    async with open_database(tmp_path / "watch.db") as db, db.transaction() as tx:
        await team.put(tx, BOB, "Bob", Role.MEMBER, make.NOON)
        await menus.put(tx, EVE, menus.EVERYBODY, Menu(Role.OWNER, "en"))  # an owner once
    eve = api.user(EVE, started=True)
    api.commands['{"chat_id": 666, "type": "chat"}', ""] = [{"command": "add", "description": "x"}]
    assert api.menu(eve) == ["add"]
    owner.chat.bot = "member"
    async with program():
        await menu_is(api, owner, Role.OWNER)
        await menu_is(api, bob, Role.MEMBER)
        await menu_is(api, eve, None)


async def test_a_menu_that_telegram_refuses_is_given_at_the_next_occasion(
    talking,
    api,
    bob,
    take_in,
):
    await take_in(BOB, Role.VIEWER)
    async with talking():
        api.fail("setMyCommands", 429, retry_after=1)
        at = await bob.send("/start")
        await bob.expect("I watch", after=at)
        assert api.menu(bob) == []
        await bob.send("/start")
        await menu_is(api, bob, Role.VIEWER)
