"""Does /search find in the stored posts what a watchlist would, page by page, for this chat alone?"""

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.keyboards import Turn
from bot.pressed import FOREIGN
from storage import channels, hits, posts, search, watchlists
from storage import db as database
from storage.model import Extra, Term
from tests import make
from tests.bot_api import buttons
from tests.test_buttons import forge, labels, press
from watchers import indexing
from watchers import search as searching
from watchers.matching import Matcher
from watchers.query import parse
from watchers.rule_tokens import RuleError


async def found(db, clock, said, **more):
    scope = await searching.prepare(db, searching.read_query(said), clock())
    return await searching.newest(db, scope, **more)


async def texts(db, clock, said):
    return [entry.post.text for entry in (await found(db, clock, said)).entries]


# ---- what is found


TEXTS = (
    "Прибыл воинский эшелон с техникой",
    "Эшелоны уходят на запад",
    "Футбол: эшелон против состава",
    "Су-30СМ над Барановичами",
    "Поезд опоздал в Минске",
    "Сёння ў Мінску прайшоў эшалон",
    "A train in Baranovichi",
)
FOUND = {
    "эшелон": [2, 1, 0],
    "эшелон -футбол": [1, 0],
    "эшелон | поезд": [4, 2, 1, 0],
    '"воинский эшелон"': [0],
    "эшелон NEAR/1 техника": [0],
    "эшел*": [2, 1, 0],
    "=эшелоны": [1],
    "су 30": [],
    "Су-30": [3],
    "Барановичи": [6, 3],
    "эшилон~": [5],
    "/эш[еа]лон/": [5, 2, 1, 0],
    "/эш[еа]лон/ запад": [1],
    "эш*": [5, 2, 1, 0],
    "lang:be": [5],
    "эшелон 1h": [],
    "5h эшелон": [2, 1],
    "@channel1 lang:en": [6],
    "эшелон @channel2": [],
    "нетакогослова": [],
}


@pytest.mark.parametrize("said", FOUND)
async def test_a_search_finds(db, clock, keep, said):
    await keep(*TEXTS)
    assert await texts(db, clock, said) == [TEXTS[n] for n in FOUND[said]]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.one_of(
        st.text(max_size=30),
        st.sampled_from(
            ["a'\"b", '"*"', "a*", "NEAR", "AND", "+c1", "~x", "(a) OR b", "{a}: b", "^a"]
        ),
    )
)
async def test_whatever_is_written_is_a_search_or_a_clear_error(db, clock, said):
    try:
        asked = searching.read_query(said)
        await searching.newest(db, await searching.prepare(db, asked, clock()))
    except (RuleError, searching.BadQuery):
        pass


async def test_a_search_finds_just_what_a_watchlist_would(db, clock, keep):
    stored = await keep(*TEXTS)
    for said in ("эшелон", "техника | Минск", "Baranavichy", '"в Минск"', "эшелон -запад"):
        matcher = Matcher([make.watchlist(said)])
        wanted = [post.text for post in reversed(stored) if matcher.match(post)]
        assert await texts(db, clock, said) == wanted


async def test_filters_stand_anywhere_but_not_inside_of_quotes_and_expressions():
    asked = searching.read_query('@news эшелон lang:be "a 7d @b" /x 7d y/ list:rail 3d')
    assert (asked.channel, asked.language, asked.watchlist) == ("@news", "be", "rail")
    assert asked.period == timedelta(days=3)
    assert asked.tree == parse('эшелон "a 7d @b" /x 7d y/')


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("lang:xx", "is no language"),
        ("list:nope a", "there is no watchlist nope"),
        ("@nobody a", "nothing is stored of @nobody"),
        ("@- a", "names no channel"),
    ],
)
async def test_a_filter_that_names_nothing_says_so(db, clock, said, why):
    with pytest.raises(searching.BadQuery, match=why):
        await found(db, clock, said)


@pytest.mark.parametrize("few", [0, 1000])
async def test_a_watchlist_as_a_filter(db, clock, keep, monkeypatch, few):
    monkeypatch.setattr(search, "FEW_HITS", few)
    _, second = await keep("эшелон один", "эшелон два")
    async with db.transaction() as tx:
        id = await watchlists.create(tx, make.watchlist(id=0), clock())
        await watchlists.add_term(tx, id, Term(0, "два"), clock())
        await hits.save(tx, [make.hit(second.text, "два", message_id=2)], clock())
    assert await texts(db, clock, "list:list0") == ["эшелон два"]
    assert await texts(db, clock, "поезд list:list0") == []
    assert await texts(db, clock, "эшелон list:list0") == ["эшелон два"]


async def test_pages_go_on_where_the_last_one_ended(db, clock, keep):
    await keep(*(f"эшелон {n}" for n in range(20)))
    seen, below = [], 1 << 62
    while below:
        page = await found(db, clock, "эшелон", below=below)
        seen += [entry.post.text for entry in page.entries]
        below = page.below
    assert seen == [f"эшелон {n}" for n in range(19, -1, -1)]


async def test_an_expression_alone_says_how_far_it_looked(db, clock, keep, monkeypatch):
    monkeypatch.setattr(searching, "MOST_SCANNED", 30)
    await keep(*(f"пост {n}" for n in range(50)))
    page = await found(db, clock, "/эшелон/")
    assert (page.entries, page.looked_at, page.cut) == ((), 30, True)
    rest = await found(db, clock, "/эшелон/", below=page.below)
    assert (rest.looked_at, rest.cut) == (20, False)


# ---- the index keeps in step


async def test_the_words_of_the_index_are_those_that_it_has(db, keep):
    await keep(*TEXTS, "о'к об’ект a@b.c Ил-76 ЁЖ米 ж~")
    await keep("эшелон")
    rows = await db.reader.execute_fetchall("SELECT term FROM search_words ORDER BY term")
    words = await search.words_between(db.reader, [("", "\U0010ffff")])
    assert words == [term for (term,) in rows]
    assert await search.words_between(db.reader, [("пое", "поеа"), ("эшел", "эшело")]) == []
    assert "эшелон" in await search.words_between(db.reader, [("пое", "поеа"), ("эшел", "эшем")])


async def test_an_edit_is_found_and_what_it_replaced_is_not(db, clock, keep):
    await keep("эшелон")
    await keep("поезд", edited_at=clock() + timedelta(minutes=5))
    assert await texts(db, clock, "эшелон") == []
    assert await texts(db, clock, "поезд") == ["поезд"]


async def test_an_album_that_goes_by_a_lower_number_is_found_once(db, clock, keep):
    await keep("эшелон", first=7, album=(7,), group_id=5)
    await keep("", first=6, album=(6,), group_id=5)
    page = await found(db, clock, "эшелон")
    assert [entry.post.message_id for entry in page.entries] == [6]


async def test_what_stands_beside_the_text_is_found(db, clock, keep):
    await keep("фото", extras=(Extra("file", "эшелон.pdf"),))
    assert await texts(db, clock, "эшелон") == ["фото"]


async def test_posts_of_one_second_keep_apart(db, clock, keep):
    for n in range(30):
        await keep(f"эшелон {n}", first=n + 1)
    page = await found(db, clock, "эшелон", size=40)
    assert len({entry.post.message_id for entry in page.entries}) == 30
    assert await texts(db, clock, "эшелон 1h")


async def test_a_burst_longer_than_a_thousand_finds_its_numbers(db, clock, keep):
    async with db.transaction() as tx:
        await posts.save_new(tx, [make.post("x", message_id=n) for n in range(1, 2501)], clock())
    await indexing.index_all(db)
    await keep("эшелон", first=5000)
    ((number, different),) = await db.reader.execute_fetchall(
        "SELECT count(*), count(DISTINCT message_id) FROM search_posts"
    )
    assert number == different == 2501
    assert await texts(db, clock, "эшелон") == ["эшелон"]


async def test_what_waits_is_durable_and_newest_goes_first(db, clock, keep):
    await keep("старый эшелон", index=False)
    await keep("новый эшелон", first=2, index=False)
    assert await search.waiting(db.reader) == 2
    await indexing.index_some(db, 1)
    assert await texts(db, clock, "эшелон") == ["новый эшелон"]
    await indexing.index_all(db)
    assert await search.waiting(db.reader) == 0


# ---- in the chat


async def test_a_search_is_answered_with_marked_words(talking, ann, keep):
    await keep(*TEXTS)
    async with talking():
        await ann.send("/search эшелон -футбол")
        said = await ann.expect("Эшелоны уходят")
    assert "1–2" in said["text"]
    assert said["text"].index("Эшелоны") < said["text"].index("Прибыл")
    marked = {
        said["text"]
        .encode("utf-16-le")[2 * e["offset"] : 2 * (e["offset"] + e["length"])]
        .decode("utf-16-le")
        for e in said["entities"]
        if e["type"] == "bold"
    }
    assert {"Эшелоны", "эшелон"} <= marked


async def test_pages_are_turned_and_turned_back_after_a_restart(talking, api, ann, keep):
    await keep(*(f"эшелон номер{n:02}" for n in range(20)))
    async with talking():
        await ann.send("/search эшелон")
        sent = await ann.expect("номер19")
        assert labels(sent) == ["More ›", "⭐ Best first"]
        await api.wait_for(lambda: not api.updates)  # else it is given again after the restart
    await keep("эшелон новый", first=30)  # does not shift the pages
    async with talking():
        await press(api, ann, "More ›")
        assert "номер11" in (await ann.expect("9–16"))["text"]
        await press(api, ann, "More ›")
        last = await ann.expect("17–20")
        assert labels(last) == ["‹ Back", "⭐ Best first"]
        await press(api, ann, "‹ Back")
        await ann.expect("9–16")
        await press(api, ann, "⭐ Best first")
        await ann.expect("The best of the newest")
        await press(api, ann, "🕘 Newest first")
        first = await ann.expect("1–8")
    assert "новый" not in first["text"]
    assert len(ann.messages) == 1


async def test_best_first(talking, api, ann, keep):
    await keep("эшелон эшелон эшелон", "x " * 100 + "эшелон")
    await keep("эшелон", first=9, channel_id=2, views=100_000)
    async with talking():
        await ann.send("/search эшелон")
        await ann.expect("1–3")
        await press(api, ann, "⭐ Best first")
        said = (await ann.expect("The best"))["text"]
    assert said.index("эшелон эшелон эшелон") < said.index("x x")
    assert said.index("Channel 2") < said.index("x x")


async def test_buttons_of_another_chat_do_nothing(talking, api, ann, keep):
    await keep(*(f"эшелон {n}" for n in range(20)))
    desk = api.supergroup("Desk")
    async with talking():
        await ann.send("/search эшелон")
        await ann.expect("1–8")
        await ann.send("/search поезд", chat=desk)
        await desk.expect("Nothing is found")
        for turn in (
            Turn(search=1, page=1, best=False),
            Turn(search=99, page=0, best=False),
        ):
            assert await forge(api, ann, turn.pack(), chat=desk) == FOREIGN
        assert await forge(api, ann, Turn(search=1, page=999, best=False).pack()) == FOREIGN
        for data in ("q:1", "q:1:-1:0", "q:x:0:0", "q:1:0:7"):
            assert await forge(api, ann, data) == FOREIGN
    assert "Nothing is found" in desk.messages[-1]["text"]


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("", "What is searched for?"),
        ("x" * 2000, "What is searched for?"),
        ("(эшелон", "is never closed"),
        ("-эшелон", "say what to look for"),
        ("lang:xx <b>", "Not searched: “xx” is no language"),
        ("list:<i>", "there is no watchlist <i>"),
        ("<b>&", "Nothing is found"),
        ("NOT (OR", "write -(OR"),
        ('a"b', "quot"),
    ],
)
async def test_what_can_not_be_searched_for_is_said(talking, ann, keep, said, answer):
    await keep("эшелон")
    async with talking():
        await ann.send(f"/search {said}")
        await ann.expect(answer)


async def test_hostile_posts_do_not_spoil_the_page(talking, ann, keep):
    await keep(*(f"<b>эшелон</b> \u202e&amp; {'😀' * 600} \x00 </blockquote>" for _ in range(8)))
    async with talking():
        await ann.send("/search эшелон")
        said = await ann.expect("1–8")
    assert "\u202e" not in said["text"]
    assert buttons(said)


async def test_what_is_not_indexed_yet_is_said(talking, ann, keep):
    await keep(*(f"эшелон {n}" for n in range(20)), index=False)
    async with talking():
        await ann.send("/search эшелон")
        await ann.expect("20 stored posts are still being indexed")


async def test_posts_of_an_older_release_wait_to_be_indexed(tmp_path, monkeypatch, clock):
    before = tmp_path / "migrations"
    before.mkdir()
    for file in database.MIGRATIONS.glob("*.sql"):
        if file.name < "0007":
            (before / file.name).write_bytes(file.read_bytes())
    with monkeypatch.context() as patch:
        patch.setattr(database, "MIGRATIONS", before)
        async with database.open_database(tmp_path / "old.db") as old, old.transaction() as tx:
            await channels.add(tx, make.channel(1), 0, clock())
            await posts.save(tx, make.post("эшелоны"), clock())
    async with database.open_database(tmp_path / "old.db") as new:
        assert await search.waiting(new.reader) == 1
        await indexing.index_all(new)
        assert await texts(new, clock, "эшелон") == ["эшелоны"]


async def test_the_program_indexes_what_comes_in(program, dc, api, ann, reader):
    news = dc.add_channel("News", username="news", members=[reader])
    async with program():
        await ann.send("/add @news")
        await ann.expect("is watched")
        await dc.post(news, "Прибыли эшелоны")
        while True:
            said = await ann.send("/search эшелон")
            if "Прибыли" in (await ann.expect("эшелон", after=said))["text"]:
                break
