"""Does what watchers/ say stay translatable, in the database and out of it?"""

import ast
import copy
import pickle
import re
from gettext import NullTranslations
from pathlib import Path

import pytest
from telethon import types

from bot import speech
from bot.speech import say, speaking
from storage import channels, outbox, said
from storage.model import Delivery, DeliveryKind, Ledger, Subscription, Told
from storage.said import Counted, Said, listed
from tests import make
from watchers import alerts, life, silence, surges
from watchers.expressions import compiled
from watchers.ingest import ChannelRefused, Flooded
from watchers.lint import lint
from watchers.query import parse
from watchers.references import BadReference, Reference, read_reference
from watchers.rhythm import Rhythm
from watchers.rule_tokens import RuleError
from watchers.schedules import shown
from watchers.search import BadQuery, prepare, read_query
from watchers.standing import Standing, nobody_has, renamed, unreadable
from watchers.telegram_channels import standing


class Marked(NullTranslations):
    """A language in which every sentence stands in brackets; what has no words is none."""

    def gettext(self, message):
        return f"[{message}]" if re.search(r"[^\W_]", re.sub(r"{\w+}", "", message)) else message

    def ngettext(self, one, many, n):
        return f"[{one if n == 1 else many}]"


@pytest.fixture
def marked(monkeypatch):
    monkeypatch.setattr(speech, "catalogue", lambda language: Marked())


def error_of(kind, call, *given):
    with pytest.raises(kind) as raised:
        call(*given)
    return raised.value


async def test_trouble_and_mark_of_a_channel_survive_the_database_and_are_no_news(db, marked):
    async with db.transaction() as tx:
        await channels.add(tx, make.channel(1, "news", "News"), 0, make.NOON)
    trouble = said.of(ChannelRefused(nobody_has(Reference("news"), any_more=True)))
    mark = standing(
        types.Channel(
            1,
            "News",
            types.ChatPhotoEmpty(),
            None,
            username="news",
            scam=True,
            restricted=True,
            restriction_reason=[types.RestrictionReason("all", "terms", "banned")],
        )
    ).mark
    seen = Standing("News", ("news",), mark)
    (before,) = await channels.watched(db.reader)

    told = await life.note(db, before, seen, trouble)
    (after,) = await channels.watched(db.reader)

    assert [text.partition(":")[0] for text in told] == [
        "Telegram says of News",
        "News can't be read",
    ]
    assert after.mark == "many people reported it as a scam; it is restricted: banned (everywhere)"
    assert say(after.mark) == say(mark)
    assert "[many people reported it as a scam]; [it is restricted: [banned (everywhere)]]" in say(
        told[0]
    )
    assert say(after.trouble) == f"[{trouble}]"
    assert await life.note(db, after, seen, trouble) == []


async def test_what_telegram_takes_back_leaves_no_mark(db):
    async with db.transaction() as tx:
        await channels.add(tx, make.channel(), 0, make.NOON)
        await channels.set_mark(tx, 1, Said("it is restricted: no reason is given"))
        await channels.set_mark(tx, 1, None)
    (ledger,) = await channels.watched(db.reader)
    assert ledger.mark is None


SILENT = Rhythm(9 * 86400.0, (3600.0,) * 6)
NOTICES = [
    (
        Said("Channels can't be read: {why}.", why=Said("Telegram does not answer")),
        "[Channels can't be read: [Telegram does not answer].]",
    ),
    (
        silence.said(Ledger(make.channel(1, "news", "News"), 0, 0), SILENT),
        "[News has been silent for [9 days]; usually it publishes every [1 h]. "
        "Look whether it moved, was blocked, or is just quiet.]",
    ),
    (
        renamed(make.channel(1, "old", "News"), make.channel(1, "new", "News")),
        "[[News has the name @new now instead of @old.] It is watched as before; links and "
        "watchlists go by the new name.]",
    ),
    (
        unreadable(make.channel(1, "news", "News"), said.of(Flooded(30.2))),
        "[News can't be read: [Telegram asks to wait 30 s]. It is tried again all the time. If it "
        "has a new @name, say /add @newname: the same channel goes on where it stopped. If it is "
        "gone for good, say /remove @news; its posts are kept.]",
    ),
]


@pytest.mark.parametrize(("notice", "heard"), NOTICES)
async def test_a_notice_survives_the_database(db, marked, notice, heard):
    async with db.transaction() as tx:
        id = await outbox.add(
            tx, Delivery(7, DeliveryKind.NOTICE, make.NOON, text=notice), make.NOON
        )
    kept = await outbox.one(db.reader, id)
    assert kept.text == str(notice) == heard.replace("[", "").replace("]", "")
    assert say(kept.text) == heard


def spreading():
    told = [Told(7, 1, frozenset({1}))]
    audience = alerts.Audience([Subscription(1, 7)])
    return alerts.owed_for([make.hit()], audience, make.NOON, told, reached=10).alerts[0].reason


def surging():
    terms = make.watchlist("Orsha", "Brest")
    counts = {1: (16, [3] * 42), 2: (20, [2, 3] * 21)}
    surge = surges._of_terms(terms, counts, {1: "Orsha", 2: "Brest"}, "normal")
    return surges._reason(surge, 7)


REASONS = [
    (lambda: alerts.NEW_TERM, "[new in a story told before]"),
    (spreading, "[10 channels have this story by now]"),
    (
        surging,
        "[list1: [Brest 20, usually 2.5]; [Orsha 16, usually 3] in an hour, "
        "from 7 channels independent of each other]",
    ),
]


@pytest.mark.parametrize(("reason", "heard"), REASONS)
async def test_a_reason_survives_the_database(db, marked, reason, heard):
    async with db.transaction() as tx:
        alert = Delivery(7, DeliveryKind.ALERT, make.NOON, reason=reason())
        id = await outbox.add(tx, alert, make.NOON)
    kept = await outbox.one(db.reader, id)
    assert kept.reason == heard.replace("[", "").replace("]", "")
    assert say(kept.reason) == heard


@pytest.mark.parametrize(
    ("rule", "heard"),
    [
        ("(a", "[at 1: [this ( is never closed]; write (a)]"),
        ("a |", "[at 3: [nothing stands after this |]; write a]"),
        ("слово AND", "[at 7: [two words with a blank between are both wanted: AND is not needed]"),
        ("/a*/", "[at 1: [this regular expression matches even an empty text]]"),
        ("/(?=a)b/", "[at 1: [this is no regular expression of RE2: invalid perl operator: (?="),
        ("я" * 101 + "1", "[at 1: [a word has at most 100 characters]]"),
    ],
)
def test_a_mistake_in_a_rule_is_said_as_a_whole(rule, heard, marked):
    error = error_of(RuleError, parse, rule)
    again = pickle.loads(pickle.dumps(error))
    assert say(error).startswith(heard)
    assert str(error) == say(error).replace("[", "").replace("]", "")
    assert say(error.message) in say(error)
    assert (str(again), vars(again)) == (str(error), vars(error))


async def test_a_refusal_that_is_passed_on_stays_what_it_was(db, marked):
    first = error_of(BadReference, read_reference, "@!")
    with pytest.raises(BadQuery) as second:
        await prepare(db, read_query("@!"), make.NOON)
    assert say(second.value) == say(first) == f"[{first}]"


def test_a_warning_is_said_with_what_was_meant(marked):
    (warning,) = lint("поезд ИЛИ")
    assert say(warning.message) == "[ИЛИ is looked for as a word: [either is written |]]"


def test_a_schedule_is_said_with_its_days_and_times(marked):
    assert say(shown("mon,thu 08:00,18:00")) == (
        "[a digest every [Monday], [Thursday] at [08:00 and 18:00]]"
    )


def test_a_decimal_is_written_as_the_language_does():
    usually = Said("usually {usual}", usual=2.5)
    with speaking("be"):
        assert say(usually) == say(said.read(str(usually), said.kept(usually))) == "usually 2,5"
        assert say(Said("{seconds:.1f} s", seconds=2.5)) == "2.5 s"


def test_a_list_stays_said_and_an_empty_one_is_empty():
    with speaking("be"):
        assert listed("; ", []) == say(listed("; ", [])) == say(ValueError()) == ""
    whole = listed("; ", [Said("a {x}", x="{y}"), "b"])
    assert said.read(str(whole), said.kept(whole)) == whole == "a {y}; b"


@pytest.mark.parametrize(
    "sentence",
    [Said("{x} is {y}", x=Said("{{"), y="{"), Counted("{n} gap in {x}", "{n} gaps in {x}", 3, x=1)],
)
def test_a_sentence_can_be_copied(sentence):
    for again in (copy.deepcopy(sentence), pickle.loads(pickle.dumps(sentence))):
        assert (again, again.kept()) == (sentence, sentence.kept())


def test_a_problem_of_an_expression_is_kept_with_it():
    assert isinstance(compiled("a*").problem, Said)


# Where a chat may read it, no sentence is a bare string.

SPOKEN = {
    "BadQuery": 0,
    "BadReference": 0,
    "BadSchedule": 0,
    "ChannelRefused": 0,
    "NoSuchZone": 0,
    "NotJoined": 0,
    "RuleError": 1,
    "SessionRefused": 0,
    "SourceLost": 0,
    "Warning": 1,
    "tell": 0,
}


def test_whatever_watchers_say_can_be_translated():
    bare = []
    for file in (Path(life.__file__).parent).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            name = getattr(getattr(node, "func", None), "id", None)
            if isinstance(node, ast.Call) and name in SPOKEN and len(node.args) > SPOKEN[name]:
                what = node.args[SPOKEN[name]]
                if isinstance(what, ast.Constant | ast.JoinedStr | ast.BinOp) or (
                    isinstance(what, ast.Call) and getattr(what.func, "id", None) == "str"
                ):
                    bare.append(f"{file.name}:{node.lineno}")
    assert bare == []
