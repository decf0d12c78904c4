"""Do /why and /story say about a post what is so, and do /test and /backtest count what would match?"""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from bot import cli
from bot.handlers import trials
from storage import channels, hits, posts, stories, watchlists
from storage.db import open_database
from storage.model import Extra, Hit, Span, Term
from tests import make
from watchers import indexing
from watchers.matching import Matcher
from watchers.references import BadReference, read_post_link
from watchers.why import reasons


def against(rule, text, **watchlist):
    term = rule if isinstance(rule, Term) else Term(1, rule)
    lists, known = [make.watchlist(term, **watchlist)], [make.channel(1), make.channel(2)]
    found = reasons(make.post(text), lists, known, Matcher(lists, known))
    return [(one.matched, one.words, one.against) for one in found]


# ---- why


@pytest.mark.parametrize(
    ("rule", "text", "words", "why"),
    [
        ("эшелон техника", "эшелоны", ("эшелоны",), ("техника does not stand in it",)),
        ("эшелон -футбол", "футбол и эшелон", ("эшелон",), ("футбол stands in it",)),
        ("эшелон (состав | поезд)", "эшелон", ("эшелон",), ("none of состав, поезд stands in it",)),
        (
            "эшелон NEAR/1 техника",
            "эшелон раз два три техника",
            ("эшелон", "техника"),
            ("more than 1 word between эшелон and техника",),
        ),
        ("эшелон NEAR/1 техника", "эшелон", ("эшелон",), ("техника does not stand in it",)),
        (
            make.entity("Барановичи", unless='"Барановичи Арена"'),
            "у Барановичи Арены",
            ("Барановичи",),
            ('its unless "Барановичи Арена" holds: “Барановичи Арены” stands in it',),
        ),
    ],
)
def test_what_nearly_matched(rule, text, words, why):
    assert against(rule, text) == [(False, words, why)]


def test_a_match_names_its_words():
    assert against("эшелон | состав", "эшелонов нет") == [(True, ("эшелонов",), ())]


def test_a_channel_or_language_that_the_watchlist_leaves_out():
    ((hit, _, why),) = against("эшелон", "эшелон", channels=("@channel2",))
    assert (hit, why) == (False, ("the watchlist looks only at @channel2",))
    ((hit, words, why),) = against("дарога", "на дарозе", languages=("ru",))
    assert (hit, words) == (False, ("дарозе",))
    assert why == ("it is a form in another language than ru",)


def test_nothing_of_it():
    assert against("эшелон", "поезд") == []


LINKS = {
    "https://t.me/news/12": ("@news", 12),
    "t.me/s/news/12?single": ("@news", 12),
    "https://t.me/c/123/45": ("123", 45),
    "https://t.me/news/7/12": ("@news", 12),
    "news.t.me/12": ("@news", 12),
}


@pytest.mark.parametrize("link", LINKS)
def test_a_link_of_a_post_is_read(link):
    reference, message_id = read_post_link(link)
    assert (str(reference), message_id) == LINKS[link]


@pytest.mark.parametrize(
    "link",
    ["", "@news", "https://t.me/news", "t.me/+abc/1", "t.me/news/x", "t.me/news/1" + "0" * 40],
)
def test_anything_else_is_no_link_of_a_post(link):
    with pytest.raises(BadReference):
        read_post_link(link)


@pytest.fixture
async def rail(db, clock):
    async with db.transaction() as tx:
        id = await watchlists.create(tx, make.watchlist(id=0), clock())
        await watchlists.add_term(tx, id, Term(0, "эшелон"), clock())
        await watchlists.add_term(tx, id, Term(0, "эшелон техника"), clock())
        await watchlists.add_term(tx, id, Term(0, "мост"), clock())
    return id


async def test_why_in_the_chat(talking, ann, db, clock, keep, rail):
    await keep("Прибыл <b>эшелон</b>", "мосты", "дождь", extras=(Extra("file", "эшелон.pdf"),))
    async with db.transaction() as tx:
        await hits.save(tx, [Hit(1, 1, rail, 1, (Span(10, 16),), ("эшелон",))], clock())
    async with talking():
        await ann.send("/why https://t.me/channel1/1")
        said = (await ann.expect("Channel 1"))["text"]
        assert "✅ list0: эшелон – found “эшелон”\n" in said + "\n"
        assert "➖ list0: эшелон техника – found “эшелон”, but техника does not stand in it" in said
        await ann.send("/why t.me/c/1/2")
        said = (await ann.expect("мост"))["text"]
        assert "мост – found “мосты” (the rule is newer than the post: no alert)" in said
        assert "in its file (the rule" in said


@pytest.mark.parametrize("command", ["why", "story"])
@pytest.mark.parametrize(
    ("link", "answer"),
    [
        ("", "Of which post?"),
        ("<b>", "“<b>” is no link of a post"),
        ("t.me/nobody/1", "Nothing of @nobody is stored"),
        ("t.me/channel1/1", "older than the watch of @channel1"),
        ("t.me/channel1/15", "There is no such post"),
        ("t.me/channel1/99", "catch-up has not reached it"),
        ("t.me/channel2/1", "is not watched any more"),
    ],
)
async def test_a_post_that_is_not_stored(talking, ann, db, clock, command, link, answer):
    async with db.transaction() as tx:
        await channels.add(tx, make.channel(1), 10, clock())
        await channels.advance(tx, 1, 20, clock())
        await channels.note(tx, make.channel(2), clock())
    async with talking():
        await ann.send(f"/{command} {link}")
        await ann.expect(answer)


# ---- stories

STORY = "Сегодня утром на станции Барановичи разгрузили воинский эшелон с танками и машинами связи"


async def test_who_published_a_story_first_of_posts_without_hits(talking, ann, keep):
    await keep(STORY, "Совсем другая новость о погоде на выходные дни в Минске", channel_id=1)
    await keep(f"❗️ {STORY} Подписаться", channel_id=2)
    async with talking():
        await ann.send("/story t.me/channel2/1")
        said = (await ann.expect("2 posts in 2 channels"))["text"]
        assert said.index("Channel 1") < said.index("Channel 2")
        assert "first" in said.splitlines()[1]
        await ann.send("/story t.me/channel1/2")
        await ann.expect("No other watched channel has it")


async def test_a_story_that_is_known(talking, ann, db, keep):
    (first,) = await keep("раз")
    (second,) = await keep("два", channel_id=2)
    async with db.transaction() as tx:
        await stories.place(tx, first.key, first.key)
        await stories.place(tx, second.key, first.key)
    async with talking():
        await ann.send("/story t.me/channel2/1")
        await ann.expect("2 posts in 2 channels")


# ---- trials


async def test_a_rule_is_tried_on_the_last_week(talking, ann, db, keep):
    await keep(*["эшелон"] * 3, *["поезд"] * 30)
    await keep("эшелоны", "поезд", channel_id=2)
    async with talking():
        await ann.send("/test эшелон")
        said = (await ann.expect("4 posts in the last 7 days"))["text"]
        assert "31 Dec" in said
        assert "Channel 2: эшелоны" in said
        await ann.send("/test и")
        await ann.expect("almost every post")
        await ann.send("/test (эшелон")
        await ann.expect("never closed")
        await ann.send("/test")
        await ann.expect("Which rule?")
    assert await watchlists.all(db.reader) == []


async def test_a_watchlist_is_tried_term_by_term(talking, ann, keep, rail):
    await keep("эшелон", "эшелон с техникой", "мосты")
    async with talking():
        await ann.send("/backtest list0 1d")
        said = (await ann.expect("3 posts in the last 1 day"))["text"]
        assert "2 × эшелон\n" in said
        assert "1 × эшелон техника" in said
        await ann.send("/backtest поезд | мост 2h")
        await ann.expect("1 post in the last 2 hours")
        await ann.send("/backtest")
        await ann.expect("What is to be tried?")


async def test_a_trial_that_takes_long_says_how_far_it_got(talking, ann, keep, monkeypatch):
    monkeypatch.setattr(trials, "LONGEST", 0.0)
    monkeypatch.setattr(trials, "SAY_EVERY", 0.0)
    await keep(*["эшелон <b>&"] * 3)
    async with talking():
        await ann.send("/test /эшелон/")
        await ann.expect("That took too long: only posts since")
    assert not any("⏳" in message.get("text", "") for message in ann.messages)


@pytest.fixture
def stored(tmp_path, monkeypatch):
    """Three posts of the last days, one of them indexed already."""

    async def store():
        now = datetime.now(UTC)
        async with open_database(tmp_path / "watch.db") as db:
            async with db.transaction() as tx:
                await channels.add(tx, make.channel(1), 0, now)
                for n, text in enumerate(("эшелон", "эшелоны", "поезд"), start=1):
                    at = now - timedelta(days=n)
                    await posts.save(tx, make.post(text, message_id=n, published_at=at), now)
            await indexing.index_some(db, 1)

    asyncio.run(store())
    monkeypatch.setenv("DATABASE", str(tmp_path / "watch.db"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w.yaml").write_text("watchlists: [{name: rail, terms: [эшелон, мост]}]")


def test_a_backtest_on_the_command_line(stored):
    done = CliRunner().invoke(cli.cli, ["backtest", "--watchlists", "w.yaml"])
    assert done.exit_code == 0, done.output
    assert "2 of 3 stored posts of the last 14 days match." in done.output
    assert "      2  эшелон" in done.output
    assert "1 terms matched nothing" in done.output
    short = CliRunner().invoke(cli.cli, ["backtest", "--watchlists", "w.yaml", "--since", "36h"])
    assert "1 of 1 stored posts" in short.output


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--watchlists", "nope.yaml"], "no such file"),
        (["--watchlists", "w.yaml", "--since", "soon"], "write a number and h or d"),
    ],
)
def test_a_backtest_that_can_not_be_made(stored, arguments, why):
    done = CliRunner().invoke(cli.cli, ["backtest", *arguments])
    assert done.exit_code == 2
    assert why in done.output
