"""Does the audit log tell who changed what, and does no change go without it?"""

import pytest

from storage import audit, mutes, subscriptions
from storage.model import Author, Mutable, Mute, Role, Subscription
from tests.conftest import OWNER
from tests.test_access import everything
from tests.test_buttons import labels, press

BOB = 2


async def noted(db):
    """Oldest first."""
    return [(one.by.name, one.what) for one in reversed(await audit.latest(db.reader, 1000))]


CHANGES = [
    ("/watch list1 вагон", "watch list1 вагон"),
    ("/watch new  вагон   танк", "watch new вагон танк"),
    ("/unwatch list1 эшелон", "unwatch list1 эшелон"),
    ("/severity list1 HIGH", "severity list1 high"),
    ("/remove @news", "remove @news"),
    ("/backfill @news 30d", "backfill @news back to 2025-12-02"),
    ("/subscribe list1", "subscribe list1 now"),
    ("/subscribe list1 daily 8:05", "subscribe list1 daily 08:05"),
    ("/subscribe list1 in -100777", None),
    ("/unsubscribe list2", "unsubscribe list2"),
    ("/mute list1 8h", "mute list1 8h"),
    ("/mute", None),
    ("/mute nonsense", None),
    ("/unmute all", "unmute watchlist list2"),
    ("/unmute 77", None),
    ("/quiet 22-7", "quiet 22-7"),
    ("/quiet", None),
    ("/zone Europe/Warsaw", "zone Europe/Warsaw"),
    ("/zone", None),
    ("/invite member", "invite member"),
    ("/invite off", None),
    ("/team 1 operator", "team Bob (2) operator"),
    ("/team 1 remove", "team Bob (2) remove"),
    ("/team 1 member", None),
    ("/watch list1 эшелон", None),
    ("/unwatch list1 nothing", None),
    ("/unsubscribe list1", None),
    ("/remove @nothing", None),
    ("/digest", None),
    ("/status", None),
]


@pytest.mark.parametrize(("said", "what"), CHANGES)
async def test_a_change_is_noted_and_nothing_else(
    talking,
    db,
    api,
    clock,
    owner,
    owe,
    take_in,
    said,
    what,
):
    await take_in(BOB, Role.MEMBER)
    async with db.transaction() as tx:
        await subscriptions.put(tx, Subscription(2, OWNER), clock())
        await mutes.put(tx, Mute(OWNER, Mutable.WATCHLIST, 2, None))
    async with talking():
        before = await changeable(db)
        await owner.send(said)
        await owner.expect()
        await api.wait_for(lambda: not api.updates)
        changed = await changeable(db) != before
    assert await noted(db) == ([("Ann", what)] if what else [])
    assert changed is (what is not None)


async def changeable(db):
    """What commands change, without what deliveries do by themselves."""
    known = await everything(db)
    for name in ("audit", "sqlite_sequence", "outbox", "outbox_hits", "revision"):
        known.pop(name, None)
    chats_ = await db.reader.execute_fetchall("SELECT id, zone, quiet_from, role FROM chats")
    return known | {"chats": [tuple(r) for r in chats_ if any(r[1:])]}


async def test_buttons_and_joining_are_noted(talking, db, api, owner, owe, clock):
    bob = api.user(BOB, "Bob", started=True)
    api.user(OWNER, "Ann", started=True)
    async with talking():
        await owe()
        await owner.expect("эшелон")
        await press(api, owner, "👍 Useful")
        await owner.expect("👍 Ann")
        await press(api, owner, "👍 Useful 1")  # changes nothing
        await press(api, owner, "🔕 Mute")
        await press(api, owner, "channel News")
        await press(api, owner, "8 h")
        at = await owner.send("/invite viewer")
        link = (await owner.expect("start=", after=at))["text"]
        await bob.send("/start " + link.rsplit("start=", 1)[1])
        await bob.expect("Welcome")
        at = await owner.send("/team")
        await owner.expect("1. Bob", after=at)
        await press(api, owner, "Bob · viewer")
        await press(api, owner, "Member")
    assert await noted(db) == [
        ("Ann", "verdict useful https://t.me/news/1"),
        ("Ann", "mute channel News 8h"),
        ("Ann", "invite viewer"),
        ("Bob", "start: joins as viewer"),
        ("Ann", "team Bob (2) member"),
    ]


async def test_in_a_group_it_is_noted_where_and_only_the_team_by_name(
    talking,
    db,
    api,
    owner,
    take_in,
    give_group,
):
    desk = api.supergroup("Desk", bot="administrator")
    await give_group(desk, Role.MEMBER)
    await take_in(BOB, Role.VIEWER)
    bob, zoe = api.user(BOB, "Bob"), api.user(7, "Zoe")
    async with talking():
        await bob.send("/zone Asia/Tokyo", chat=desk)
        await zoe.send("/zone Europe/Kyiv", chat=desk)
        await zoe.send("/zone Europe/Minsk", chat=desk, anonymous=True)
        await desk.expect("Europe/Minsk")
        await owner.send("/audit")
        text = (await owner.expect("zone"))["text"]
    lines = [line.split(" · ")[1] for line in text.splitlines()]
    assert lines == [
        f"an administrator in {desk.id}: zone Europe/Minsk",
        f"somebody (7) in {desk.id}: zone Europe/Kyiv",
        f"Bob in {desk.id}: zone Asia/Tokyo",
    ]


async def test_a_change_that_fails_leaves_no_note(db, clock):
    async def change():
        async with db.transaction() as tx:
            await audit.note(tx, Author(1, "Ann", 1), "watch rail x", clock())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await change()
    assert await noted(db) == []


@pytest.mark.parametrize("number", [0, 1, 20, 21, 40, 45])
async def test_it_is_shown_twenty_at_a_time(talking, db, api, clock, owner, number):
    async with db.transaction() as tx:
        for n in range(1, number + 1):
            await audit.note(tx, Author(1, "Ann", 1), f"watch rail w{n}.", clock())
    seen = []
    async with talking():
        await owner.send("/audit")
        shown = await owner.expect()
        for _ in range(4):
            seen += [line.rsplit("w", 1)[1] for line in shown["text"].splitlines() if "·" in line]
            if "Older ›" not in labels(shown):
                break
            await press(api, owner, "Older ›")
            shown = owner.messages[-1]
        if number > 20:
            await press(api, owner, "‹ Latest")
            assert f"w{number}." in owner.messages[-1]["text"]
            assert labels(owner.messages[-1]) == ["Older ›"]
        elif not number:
            assert "Nothing was changed yet" in shown["text"]
    assert seen == [f"{n}." for n in range(number, 0, -1)]
    assert len(owner.messages) == 1


async def test_the_longest_page_fits_and_hostile_text_is_tame(talking, db, api, clock, owner):
    by = Author(10**15, "<b>" + "W" * 29, -(10**15))
    async with db.transaction() as tx:
        for _ in range(20):
            await audit.note(tx, by, "<i>&\u202e" + "😀" * 1000, clock())
    async with talking():
        await owner.send("/audit")
        shown = (await owner.expect("<b>WWW"))["text"]
    assert "\u202e" not in shown
    assert shown.count("<i>&") == 20
