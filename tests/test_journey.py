"""Does what is published in a channel reach the chats? The whole program, against both servers."""

import pytest

from bot import app
from storage.db import open_database
from tests.bot_api import cut

EVERY = "SELECT message_id, text FROM posts ORDER BY message_id"


@pytest.fixture
def news(dc, reader):
    return dc.add_channel("News", username="news", members=[reader])


async def set_up(owner, *commands):
    for command in commands:
        await owner.send(command)
    names = {"/add": "is watched", "/watch": "looks for", "/subscribe": "is told"}
    for command in commands:
        await owner.expect(text=names[command.split()[0]])


RAIL = ("/add @news", "/watch rail эшелон", "/subscribe rail")


async def test_a_post_becomes_an_alert(program, dc, owner, news):
    async with program():
        await set_up(owner, *RAIL)
        await dc.post(news, "На станцию прибыли два эшелона с техникой")
        alert = await owner.expect(text="прибыли")

    bold = [
        cut(alert["text"], e["offset"], e["offset"] + e["length"])
        for e in alert["entities"]
        if e["type"] == "bold"
    ]
    assert bold == ["rail", "News", "эшелона"]
    assert "https://t.me/news/1" in [e.get("url") for e in alert["entities"]]
    assert "rail: эшелон" in alert["text"]


async def test_a_post_missed_live_is_found_by_catch_up(program, dc, owner, news):
    async with program():
        await set_up(owner, *RAIL)
        dc.drop_updates = 1
        await dc.post(news, "эшелон, о котором никто не сказал")
        await owner.expect(text="никто не сказал")


async def test_what_was_published_while_it_was_down_is_told_once(program, dc, api, owner, news):
    async with program():
        await set_up(owner, *RAIL)
    for number in range(150):
        dc.store(news, f"эшелон номер {number} прошёл" if number % 50 == 0 else "погода")
    for _ in range(2):
        async with program():
            await owner.expect(text="номер 0 ")

    alerts = [m["text"] for m in owner.messages if "прошёл" in m["text"]]
    assert sorted(text.count("номер") for text in alerts) == [1, 1, 1]


async def test_a_digest_that_was_due_while_it_was_down_tells_what_was_published_then(
    program, dc, api, owner, news, clock, monkeypatch
):
    monkeypatch.setattr(app, "now", clock)
    async with program():
        await set_up(owner, "/add @news", "/watch rail эшелон", "/subscribe rail daily 18:00")
        await api.wait_for(lambda: not api.updates)  # else they are said again
    clock.forward(hours=5)
    dc.store(news, "эшелон прошёл", date=clock())
    clock.forward(hours=2)
    async with program():
        digest = await owner.expect(text="📋")

    assert "эшелон прошёл" in digest["text"]


async def test_an_edit_that_adds_a_watched_word_alerts_once(program, dc, owner, news):
    async with program():
        await set_up(owner, *RAIL)
        post = await dc.post(news, "Тихо")
        await dc.post(news, "первый эшелон")
        await owner.expect(text="первый")
        await dc.edit(news, post.id, "Тихо, эшелон добавлен")
        await owner.expect(text="добавлен")
        await dc.edit(news, post.id, "Тихо, эшелон добавлен дважды")
        await dc.post(news, "последний эшелон")
        await owner.expect(text="последний")

    assert sum("добавлен" in m["text"] for m in owner.messages) == 1


async def test_an_alert_is_answered_and_its_term_muted_in_taps(program, dc, api, owner, news):
    async with program():
        await set_up(owner, *RAIL)
        await dc.post(news, "первый эшелон")
        await owner.expect("первый")
    async with program():
        await owner.press("👍 Useful")
        await owner.expect("👍 Ann")
        for label in ("🔕 Mute", "term эшелон", "1 h"):
            toast = await api.answer(await owner.press(label))
        assert "no alerts here until" in toast["text"]
        await dc.post(news, "второй эшелон")
        await owner.send("/watch other поезд")
        await owner.expect(text="looks for поезд")
        await owner.send("/subscribe other")
        await owner.expect(text="is told of other")
        await dc.post(news, "поезд ушёл")
        await owner.expect("поезд ушёл")
    assert not any("второй" in message["text"] for message in owner.messages)


async def test_an_unjoined_channel_is_read_too(program, dc, owner):
    quiet = dc.add_channel("Quiet", username="quiet")
    async with program():
        await set_up(owner, "/add @quiet", *RAIL[1:])
        await dc.post(quiet, "эшелоны видны из окна")
        await owner.expect(text="из окна")


async def test_a_reset_connection_is_made_again_and_caught_up(program, dc, owner, news):
    async with program():
        await set_up(owner, *RAIL)
        dc.kick()
        dc.store(news, "эшелон во время обрыва")
        await owner.expect(text="во время обрыва", timeout=10)


@pytest.mark.parametrize(
    ("reference", "answer"),
    [
        ("@news", "News (@news) is watched from now on"),
        ("https://t.me/news/5", "is watched from now on"),
        ("t.me/s/news", "is watched from now on"),
        ("@nobody_here", "nobody has the name @nobody_here"),
        ("@alice", "is a person, a bot or a private group"),
        ("https://t.me/+AbCdEf", "invite link, so the channel is private"),
        ("!!", "names no channel"),
        ("-1009999", "has never met a channel numbered 9999"),
    ],
)
async def test_add_answers(program, dc, owner, news, reference, answer):
    dc.add_user("Alice", username="alice")
    async with program():
        await owner.send(f"/add {reference}")
        await owner.expect(text=answer)


async def test_a_channel_is_added_by_its_number(program, dc, owner, news):
    async with program():
        await owner.send(f"/add -100{news.id}")
        await owner.expect(text="News (@news) is watched")


async def test_a_removed_channel_is_forgotten(program, dc, owner, news, tmp_path):
    async with program():
        await set_up(owner, *RAIL)
        await owner.send("/remove @news")
        await owner.expect(text="no longer watched")
        await dc.post(news, "эшелон")
        said = await owner.send("/add @news")
        await owner.expect(text="is watched from now on", after=said)
        await dc.post(news, "другой эшелон")
        await owner.expect(text="другой")

    async with open_database(tmp_path / "watch.db") as db:
        assert [r[1] for r in await db.reader.execute_fetchall(EVERY)] == ["другой эшелон"]


async def test_a_stranger_reaches_nothing(program, api, owner):
    stranger = api.user(666, "Eve")
    async with program():
        for command in ("/start", "/add @news", "/watch rail эшелон", "/status"):
            await stranger.send(command)
        await stranger.expect(text="closed team")
        await owner.send("/watchlists")
        await owner.expect(text="no watchlist yet")

    assert len(stranger.messages) == 1
