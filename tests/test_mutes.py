"""Can a chat say what it wants to hear nothing of, see that, and take it back?"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.handlers.mutes import ends_at, split
from storage import channels, chats, mutes, watchlists
from storage.model import Mutable, Mute, Term
from tests import make
from tests.conftest import OWNER

BOB = 2
WARSAW = ZoneInfo("Europe/Warsaw")


@pytest.fixture
async def known(db, clock):
    """A channel, two watchlists, and terms 1 and 3 (эшелон), 2 ("воинский эшелон")."""
    async with db.transaction() as tx:
        await channels.add(tx, make.channel(7, "news", "News"), 0, clock())
        for number in (1, 2):
            await watchlists.create(tx, make.watchlist(id=number), clock())
        await watchlists.add_term(tx, 1, Term(0, "эшелон"), clock())
        await watchlists.add_term(tx, 1, Term(0, '"воинский эшелон"'), clock())
        await watchlists.add_term(tx, 2, Term(0, "эшелон"), clock())


SAID = [
    ("/mute forever", "The whole chat: no alerts here for good", [(Mutable.CHAT, OWNER)], None),
    ("/mute 3d", "The whole chat: no alerts here until 4 Jan 12:00", [(Mutable.CHAT, OWNER)], 72),
    ("/mute list1 1h", "Watchlist list1: no alerts", [(Mutable.WATCHLIST, 1)], 1),
    ("/mute LIST2 tomorrow", "until 2 Jan 08:00 UTC", [(Mutable.WATCHLIST, 2)], 20),
    ("/mute list1", "until 1 Jan 20:00 UTC.\nAnother time", [(Mutable.WATCHLIST, 1)], 8),
    ("/mute @news forever", "Channel @news: no alerts", [(Mutable.CHANNEL, 7)], None),
    ("/mute https://t.me/news/5 1h", "Channel @news", [(Mutable.CHANNEL, 7)], 1),
    ('/mute "эшелон" 1h', "Term эшелон", [(Mutable.TERM, 1), (Mutable.TERM, 3)], 1),
    ("/mute эшелон 1h", "Term эшелон", [(Mutable.TERM, 1), (Mutable.TERM, 3)], 1),
    ('/mute "Воинский эшелон" 1h', 'Term "воинский эшелон"', [(Mutable.TERM, 2)], 1),
    ("/mute lisst1 1h", "Did you mean list1?", [], 0),
    ("/mute @nobody_here", "No watchlist, watched channel or term is called @nobody_here", [], 0),
    ("/mute 0h", "No watchlist, watched channel or term is called 0h", [], 0),
    ("/mute <b>x\u202e 1h", "is called <b>x.", [], 0),
    ("/mute", "Nothing is muted.", [], 0),
    ("/unmute", "Nothing is muted.", [], 0),
]


@pytest.mark.parametrize(("said", "answer", "targets", "hours"), SAID, ids=lambda v: str(v)[:30])
async def test_mute(talking, owner, db, clock, known, said, answer, targets, hours):
    async with talking():
        await owner.send(said)
        await owner.expect(answer)
    muted = await mutes.of_chat(db.reader, OWNER, clock())
    assert [(mute.what, mute.target) for mute in muted] == targets
    end = None if hours is None else clock() + timedelta(hours=hours)
    assert {mute.until for mute in muted} <= {end}


async def test_what_is_muted_is_listed_and_taken_back_by_number(talking, owner, db, clock, known):
    async with talking():
        for said in ("/mute list1 1h", "/mute @news forever", '/mute "эшелон" 8h', "/mute 1h"):
            await owner.send(said)
        await owner.send("/mute")
        shown = (await owner.expect("Muted:"))["text"].splitlines()
        assert shown[1:6] == [
            "1. Watchlist list1 until 1 Jan 13:00 UTC",
            "2. Channel @news for good",
            "3. Term эшелон until 1 Jan 20:00 UTC",
            "4. Term эшелон until 1 Jan 20:00 UTC",
            "5. The whole chat until 1 Jan 13:00 UTC",
        ]
        for said, answer in (
            ("/unmute", "Which one? /mute lists them."),
            ("/unmute 9", "Nothing that is muted has the number 9"),
            ("/unmute <9>", "has the number <9>:"),
            ("/unmute 2", "Its alerts come again. 4 more muted"),
        ):
            await owner.send(said)
            await owner.expect(answer)
        clock.forward(hours=2)  # the first and the last are over
        await owner.send("/unmute all")
        await owner.expect("Its alerts come again. /digest")
        last = await owner.send("/mute")
        await owner.expect("Nothing is muted", after=last)


async def test_a_channel_is_muted_from_elsewhere(talking, api, owner, db, clock, known):
    wire = api.channel("Wire", username="wire")
    async with talking():
        for said, answer in (
            ("/zone Europe/Kyiv in @wire", "Europe/Kyiv from now on"),
            ("/mute list1 tomorrow in @wire", "no alerts there until 2 Jan 08:00 EET"),
            ("/mute 1h in @wire", "The whole chat: no alerts there"),
            ("/mute in @wire", "1. Watchlist list1 until 2 Jan 08:00 EET"),
            ("/unmute 1 in @wire", "Its alerts come again. 1 more"),
            (f"/unmute all in {wire.id}", "Its alerts come again. /digest"),
            ("/mute 1h in @nobody_here", "I can't find @nobody_here"),
            ("/unmute 1 in @nobody_here", "I can't find @nobody_here"),
            ("/mute", "Nothing is muted."),
            ('/mute "made in china" 1h', "term is called"),
        ):
            at = await owner.send(said)
            await owner.expect(answer, after=at)
    assert await mutes.active(db.reader, clock()) == []


async def test_a_term_that_is_watched_no_longer_keeps_its_name(talking, owner, db, clock, known):
    async with db.transaction() as tx:
        await mutes.put(tx, Mute(OWNER, Mutable.TERM, 1))
        await watchlists.remove_term(tx, 1, "эшелон", clock())
    async with talking():
        await owner.send("/mute")
        await owner.expect("Term эшелон for good")


async def test_chats_mute_for_themselves(talking, api, owner, db, clock, known):
    bob, desk = api.user(BOB, "Bob"), api.supergroup("Desk", forum=True)
    thread = desk.topic("rail")
    async with talking(owners=(OWNER, BOB)):
        await owner.send("/mute list1 1h", chat=desk, thread=thread)
        await owner.expect("no alerts", chat=desk)
        await bob.send("/unmute 1")
        await bob.expect("Nothing is muted")
        await bob.send("/unmute 1", chat=desk)
        await bob.expect("come again", chat=desk)


async def test_a_chats_mute_moves_with_it(db):
    async with db.transaction() as tx:
        await mutes.put(tx, Mute(-5, Mutable.CHAT, -5))
        await mutes.put(tx, Mute(-5, Mutable.TERM, 1))
        await chats.migrate(tx, -5, -1005)
    moved = await mutes.of_chat(db.reader, -1005, make.NOON)
    assert [(mute.what, mute.target) for mute in moved] == [
        (Mutable.CHAT, -1005),
        (Mutable.TERM, 1),
    ]


TOMORROWS = [
    (datetime(2026, 1, 1, 12, tzinfo=UTC), WARSAW, datetime(2026, 1, 2, 7, tzinfo=UTC)),
    (datetime(2026, 1, 1, 23, 30, tzinfo=UTC), WARSAW, datetime(2026, 1, 3, 7, tzinfo=UTC)),
    (datetime(2026, 3, 28, 12, tzinfo=UTC), WARSAW, datetime(2026, 3, 29, 6, tzinfo=UTC)),  # summer
]


@pytest.mark.parametrize(("now", "zone", "end"), TOMORROWS)
def test_tomorrow_is_eight_in_the_morning_where_the_chat_is(now, zone, end):
    assert ends_at("tomorrow", now, zone) == end


def test_the_time_is_the_last_word():
    assert split("1h") == ("", "1h")
    assert split('"в 8h утра" 3D') == ('"в 8h утра"', "3d")
    assert split("rail") == ("rail", None)
    assert split(" rail  Tomorrow ") == ("rail", "tomorrow")
