"""Is everything that can be said or pressed heard from whom the table says, where it says, only?"""

from pathlib import Path

import pytest
from aiogram.filters import Command
from aiogram.filters.callback_data import CallbackQueryFilter

from bot import access, keyboards, refusals
from bot.access import BUTTONS, COMMANDS, Where
from bot.handlers import idle, make_commands
from bot.keyboards import Fate, Menu, Period, View
from storage import team
from storage.model import Mutable, Role
from tests.conftest import OWNER
from tests.test_buttons import forge

BOB = 2
PRESSED = {
    keyboards.Open: keyboards.Open(delivery=1, menu=Menu.MUTE),
    keyboards.Show: keyboards.Show(delivery=1, view=View.POST),
    keyboards.Turn: keyboards.Turn(search=1, page=0, best=False),
    keyboards.Speak: keyboards.Speak(code="en"),
    keyboards.Say: keyboards.Say(delivery=1, useful=True),
    keyboards.Pick: keyboards.Pick(delivery=1, what=Mutable.TERM, target=1),
    keyboards.Hush: keyboards.Hush(delivery=1, what=Mutable.TERM, target=1, period=Period.HOUR),
    keyboards.Teammate: keyboards.Teammate(number=99),
    keyboards.Change: keyboards.Change(number=99, fate=Fate.REMOVE),
    keyboards.Audit: keyboards.Audit(before=0),
    keyboards.Guide: keyboards.Guide(step=keyboards.Step.BEGIN),
}
PLACES = ("private", "group", "topic")
TEAM = (None, Role.VIEWER, Role.MEMBER, Role.OPERATOR)
# own role × the group's role
STANDINGS = [
    *((own, group) for own in TEAM for group in TEAM),
    (Role.OWNER, None),
    (Role.OWNER, Role.MEMBER),
]


def expected(role, needs, place):
    """What is answered instead of being heard; None: they are heard."""
    if role is None:
        return "closed team"
    least = needs.least(in_group=place != "private")
    if role < least:
        return f"That takes the role {least.word}; here you are {role.word}."
    if needs.where is Where.PRIVATE and place != "private":
        return access.PRIVATELY
    if needs.where is Where.GROUP and place == "private":
        return access.IN_GROUP
    return None


def agrees(said, wanted):
    """Whether this is the answer of somebody who is refused so; or heard, if that is wanted."""
    if wanted is not None:
        return wanted in said
    return not any(
        refusal in said
        for refusal in ("closed team", "That takes the role", access.PRIVATELY, access.IN_GROUP)
    )


@pytest.fixture
async def speaker(api, take_in, give_group):
    """Somebody of that standing, with the chat and the topic where they speak."""

    async def speak(own, group, place):
        person = api.user(OWNER if own is Role.OWNER else BOB, "Bob", started=True)
        if own not in (None, Role.OWNER):
            await take_in(person.id, own)
        desk = api.supergroup("Desk", forum=place == "topic")
        if group is not None:
            await give_group(desk, group)
        thread = desk.topic("rail") if place == "topic" else None
        return person, (person.chat if place == "private" else desk), thread

    return speak


async def everything(db):
    """All that the program knows, but for when and what was said of it."""
    tables = await db.reader.execute_fetchall(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('menus', 'chats') "
        "AND name NOT GLOB 'search_index*' AND name <> 'search_words'"  # no text of its own
    )
    return {
        name: [tuple(row) for row in await db.reader.execute_fetchall(f"SELECT * FROM {name}")]
        for (name,) in tables
    }


async def all_heard(api):
    """Until the bot has done with all that was said."""
    await api.wait_for(lambda: not api.updates)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("own", "group"), STANDINGS, ids=str)
async def test_commands_and_buttons_are_heard_as_the_table_says(
    talking, api, db, speaker, own, group, place
):
    person, chat, thread = await speaker(own, group, place)
    known = [role for role in (own, group if place != "private" else None) if role]
    role = max(known, default=None)
    wrong = []
    async with talking():
        if role is not None:
            for info in COMMANDS:
                at = await person.send(f"/{info.name}", chat=chat, thread=thread)
                said = (await chat.expect(after=at))["text"]
                if not agrees(said, expected(role, info.needs, place)):
                    wrong.append((info.name, said))
        for kind, needs in BUTTONS.items():
            said = await forge(api, person, PRESSED[kind].pack(), chat)
            if not agrees(said, expected(role, needs, place)):
                wrong.append((kind.__name__, said))
    assert wrong == []


@pytest.mark.parametrize("place", PLACES)
async def test_a_stranger_gets_one_sentence_and_reaches_nothing(talking, api, db, speaker, place):
    eve, chat, thread = await speaker(None, None, place)
    before = await everything(db)
    said = [f"/{info.name}" for info in COMMANDS]
    said += [f"/{info.name} rail эшелон 8h" for info in COMMANDS]
    said += [
        "/start " + "a" * 32,
        "/start@test_bot",
        "/nonsense",
        "good morning",
        "/team 1 operator",
    ]
    async with talking():
        for text in said:
            await eve.send(text, chat=chat, thread=thread)
        await all_heard(api)
    assert [message["text"] for message in chat.messages] == [refusals.REFUSAL.format(id=eve.id)]
    assert await everything(db) == before


@pytest.mark.parametrize("said", ["good morning", "/help@other_bot", "/weather", "/pinned x"])
async def test_in_a_group_what_is_not_for_the_bot_is_left_unanswered(talking, api, said):
    eve, desk = api.user(BOB, "Eve"), api.supergroup("Desk", bot="administrator")
    async with talking():
        await eve.send(said, chat=desk)
        await all_heard(api)
    assert desk.messages == []


def test_every_handler_stands_in_a_table():
    commands, pressed, idling = set(), set(), 0
    commanding = make_commands(access.Access(lambda: 0.0))
    routers = [commanding, *commanding.sub_routers]
    for router in routers:
        for handler in router.message.handlers:
            found = [f.callback for f in handler.filters if isinstance(f.callback, Command)]
            commands |= {name for one in found for name in one.commands}
            idling += not found
        for handler in router.callback_query.handlers:
            kinds = [f.callback for f in handler.filters]
            kinds = [f for f in kinds if isinstance(f, CallbackQueryFilter)]
            pressed |= {kind.callback_data for kind in kinds}
            idling += not kinds
    assert commands == {info.name for info in COMMANDS}
    assert pressed == set(BUTTONS) == set(PRESSED)
    assert idling == 2
    assert routers[-1].name == idle.__name__


def test_what_stands_in_no_table_is_for_owners():
    assert access.needed({}).role is Role.OWNER
    assert access.needed({"callback_data": object()}).role is Role.OWNER


# ---- in whose name


@pytest.mark.parametrize("role", [None, Role.VIEWER, Role.OPERATOR], ids=str)
@pytest.mark.parametrize("owner_hides", [True, False])
async def test_an_anonymous_administrator_has_the_groups_role_only(
    talking, api, owner, give_group, role, owner_hides
):
    desk = api.supergroup("Desk", bot="administrator")
    await give_group(desk, role)
    person = owner if owner_hides else api.user(BOB)
    async with talking():
        at = await person.send("/team", chat=desk, anonymous=True)
        refusal = expected(role, access.OWNER, "group")
        await desk.expect(refusal, after=at)
        if role is not None:
            at = await person.send("/status", chat=desk, anonymous=True)
            await desk.expect("Stored", after=at)
        else:
            assert str(1087968824) not in desk.messages[-1]["text"]


@pytest.mark.parametrize("kind", ["linked", "as a channel"])
async def test_a_channel_that_speaks_in_a_group_is_nobody(talking, api, owner, give_group, kind):
    desk, wire = api.supergroup("Desk", bot="administrator"), api.channel("Wire")
    await give_group(desk, Role.OPERATOR)
    disguise = {"sender_chat": wire.about}
    disguise |= {"is_automatic_forward": True} if kind == "linked" else {}
    async with talking(owners=(OWNER, 777000)):
        await api.user(777000, "Telegram").send("/status", chat=desk, **disguise)
        await all_heard(api)
    assert desk.messages == []


async def test_a_channel_post_is_no_command(talking, api, db, owner):
    wire = api.channel("Wire")
    async with talking(owners=(OWNER, wire.id)):
        await owner.send("/start")
        await owner.expect("Three steps")
        before = await everything(db)
        post = {"message_id": 5, "date": 0, "chat": wire.about, "sender_chat": wire.about}
        api.push_raw({"channel_post": post | {"text": "/watch rail эшелон"}})
        await all_heard(api)
    assert wire.messages == []
    assert await everything(db) == before


async def test_another_bot_is_not_talked_to(talking, api, give_group):
    desk = api.supergroup("Desk", bot="administrator")
    await give_group(desk, Role.OPERATOR)
    robot = api.user(50, "Robot")
    robot.about["is_bot"] = True
    async with talking():
        await robot.send("/status", chat=desk)
        await all_heard(api)
    assert desk.messages == []


async def test_the_role_of_a_group_counts_there_alone(talking, api, give_group):
    desk, other = api.supergroup("Desk"), api.supergroup("Other")
    await give_group(desk, Role.MEMBER)
    bob = api.user(BOB, "Bob", started=True)
    async with talking():
        await bob.send("/status", chat=desk)
        await desk.expect("Stored")
        await bob.send("/status", chat=other)
        await other.expect("closed team")
    assert len(other.messages) == 1


async def test_a_group_that_becomes_public_loses_its_role(talking, api, give_group):
    desk = api.supergroup("Desk")
    await give_group(desk, Role.MEMBER)
    bob = api.user(BOB, "Bob")
    async with talking():
        await bob.send("/status", chat=desk)
        await desk.expect("Stored")
        desk.about["username"] = "desk_group"
        await bob.send("/status", chat=desk)
        await desk.expect("closed team")


ELSEWHERE = [
    "/subscribe rail in {}",
    "/unsubscribe rail in {}",
    "/mute in {}",
    "/mute forever in {}",
    "/unmute all in {}",
    "/unmute ALL IN {}",
    "/quiet 22-7 in {}",
    "/zone Asia/Tokyo in {}",
    "/subscriptions all",
    "/subscriptions ALL",
]


@pytest.mark.parametrize("said", ELSEWHERE)
async def test_of_other_chats_only_operators_speak_and_not_by_a_groups_role(
    talking, api, db, take_in, give_group, said
):
    desk, wire = api.supergroup("Desk"), api.channel("Wire")
    await give_group(desk, Role.OPERATOR)
    bob, oda = api.user(BOB, "Bob", started=True), api.user(3, "Oda", started=True)
    await take_in(BOB, Role.MEMBER)
    await take_in(3, Role.OPERATOR, "Oda")
    before = await everything(db)
    async with talking():
        await bob.send(said.format(wire.id))
        await bob.expect("takes the role operator")
        await bob.send(said.format(wire.id), chat=desk)
        await desk.expect("takes the role operator; here you are member")
        await api.user(4, "Nobody").send(said.format(wire.id), chat=desk)
        await desk.expect("takes the role operator")
        assert await everything(db) == before
        await oda.send(said.format(wire.id))
        assert agrees((await oda.expect())["text"], None)


# ---- what is shown of it


@pytest.mark.parametrize("role", list(Role), ids=str)
@pytest.mark.parametrize("place", ["private", "group"])
async def test_help_names_what_one_may_say_there(talking, api, speaker, role, place):
    person, chat, _ = await speaker(role, None, place)
    async with talking():
        await person.send("/help", chat=chat)
        text = (await chat.expect("Rules"))["text"]
    named = {line[1:].split()[0] for line in text.split("Rules")[0].splitlines() if line[:1] == "/"}
    assert named == {i.name for i in COMMANDS if expected(role, i.needs, place) is None}


@pytest.mark.parametrize(
    ("role", "has", "has_not"),
    [
        (Role.VIEWER, "/digest tells", "/subscribe"),
        (Role.MEMBER, "/subscribe NAME", "/add"),
        (Role.OPERATOR, "Three steps", "/invite"),
    ],
    ids=str,
)
async def test_the_greeting_proposes_only_what_one_may(talking, api, take_in, role, has, has_not):
    bob = api.user(BOB, "Bob", started=True)
    await take_in(BOB, role)
    async with talking():
        await bob.send("/start")
        text = (await bob.expect(has))["text"]
    assert has_not not in text


def role_table():
    """For the README."""
    lines = ["| role | may say, besides what those above may | may press |", "|---|---|---|"]
    labels = {
        keyboards.Open: "",
        keyboards.Show: "⋯ More",
        keyboards.Turn: "pages of a search",
        keyboards.Speak: "those under `/language`",
        keyboards.Say: "👍 👎",
        keyboards.Pick: "",
        keyboards.Hush: "🔕 Mute",
        keyboards.Teammate: "",
        keyboards.Change: "those under `/team`",
        keyboards.Audit: "those under `/audit`",
        keyboards.Guide: "🚀 under `/start`",
    }
    for role in Role:
        said = [f"`/{info.name}`" for info in COMMANDS if info.needs.role is role]
        pressed = [labels[kind] for kind, needs in BUTTONS.items() if needs.role is role]
        shown = ", ".join(filter(None, pressed))
        lines.append(f"| {role.word} | {' '.join(said)} | {shown} |")
    return "\n".join(lines)


def test_the_readme_says_who_may_do_what():
    readme = Path(__file__).parent.parent / "README.md"
    assert role_table() in readme.read_text(encoding="utf-8"), f"it should say\n{role_table()}"


# ---- at once


async def test_who_is_removed_is_a_stranger_at_once(talking, api, db, take_in):
    bob = api.user(BOB, "Bob", started=True)
    await take_in(BOB, Role.OPERATOR)
    async with talking():
        at = await bob.send("/status")
        await bob.expect("Stored", after=at)
        async with db.transaction() as tx:
            await team.remove(tx, BOB)
        at = await bob.send("/status")
        await bob.expect("closed team", after=at)
        assert "closed team" in await forge(api, bob, PRESSED[keyboards.Say].pack())


def test_the_sentence_comes_again_after_a_while():
    seconds = iter([0.0, 59.0, 60.0])
    sentence = refusals.Refusals(lambda: next(seconds))
    assert [sentence.is_due(BOB) for _ in range(3)] == [True, False, True]
