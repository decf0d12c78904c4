"""Does `python -m bot run` keep its promises as a process that is killed, cut off and starved?

Only environment variables go in; what the two servers saw and the database comes out.
"""

import asyncio
import random
import re
import signal
import sqlite3
import time
from collections import Counter
from contextlib import asynccontextmanager, closing

import pytest

from tests.conftest import NOWHERE, OWNER
from tests.preview_server import PreviewServer
from tests.processes import Process

KILLS = 20
POSTS = 500
RATE = 50  # posts a second
HITS_EVERY = 20  # one alert a second goes to a chat: more would make the test long, not better
SECRET_HASH = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def settings(dc, api, reader, tmp_path):
    return {
        "BOT_TOKEN": api.token,
        "BOT_API_URL": api.url,
        "TELEGRAM_API_ID": 1,
        "TELEGRAM_API_HASH": SECRET_HASH,
        "TELEGRAM_SESSION_STRING": dc.session(reader),
        "OWNER_IDS": OWNER,
        "PREVIEW_URL": NOWHERE,
        "DATABASE": tmp_path / "data" / "watch.db",
    }


@pytest.fixture
def process(dc, settings, tmp_path):
    """`async with process(BOT_TOKEN=…) as p:`; None takes a setting away."""

    @asynccontextmanager
    async def started(*arguments, cold=False, prepare=None, **changed):
        given = {k: v for k, v in (settings | changed).items() if v is not None}
        process = Process(arguments or ("run",), given, tmp_path, cold, prepare)
        await process.start()
        try:
            yield process
        finally:
            await process.kill()
            assert "Traceback" not in process.output
            for secret in ("BOT_TOKEN", "TELEGRAM_API_HASH", "TELEGRAM_SESSION_STRING"):
                assert str(settings[secret]) not in process.output
            for channel in dc.channels.values():  # nor what is read
                for name in (channel.title, channel.username, str(channel.id)):
                    assert name not in process.output

    return started


async def set_up(owner):
    for command, answer in (
        ("/add @vestki_rail", "is watched"),
        ("/watch rail эшелон", "looks for"),
        ("/subscribe rail", "is told"),
    ):
        await owner.send(command)
        await owner.expect(text=answer, timeout=30)


def rows(settings, query):
    with closing(sqlite3.connect(settings["DATABASE"])) as db:
        return db.execute(query).fetchall()


async def test_the_alert_of_the_readme(process, dc, owner, reader):
    news = dc.add_channel("Vestki Rail", username="vestki_rail", members=[reader])
    async with process(cold=True):
        await set_up(owner)
        published = time.monotonic()
        await dc.post(news, "На станцию прибыли два эшелона с техникой")
        alert = await owner.expect(text="прибыли", timeout=5)
        took = time.monotonic() - published

    print(f"from publishing to the alert: {took:.3f} s")  # shown by pytest -rP
    assert took < 2
    assert "https://t.me/vestki_rail/1" in [e.get("url") for e in alert["entities"]]


async def test_killed_twenty_times_it_loses_nothing(process, settings, dc, api, owner, reader):
    rng = random.Random(7)
    news = dc.add_channel("Vestki Rail", username="vestki_rail", members=[reader])
    async with process():
        await set_up(owner)

    async def publish():
        for number in range(POSTS):
            topic = "прошёл эшелон" if number % HITS_EVERY == 0 else "ничего нового"
            await dc.post(news, f"{topic}, номер {number}.")
            await asyncio.sleep(1 / RATE)

    publishing = asyncio.create_task(publish())
    for _ in range(KILLS):
        async with process() as running:
            await running.says("connected to Telegram")
            await asyncio.sleep(rng.random() * 0.8)
            await running.kill()
    await publishing

    wanted = set(range(0, POSTS, HITS_EVERY))

    def told():
        found = (re.findall(r"эшелон, номер (\d+)", m["text"]) for m in owner.messages)
        return Counter(int(number) for numbers in found for number in numbers)

    async with process() as running:
        await api.wait_for(lambda: set(told()) >= wanted, timeout=60)
        running.send(signal.SIGTERM)
        await running.ended()

    stored = rows(settings, "SELECT message_id FROM posts ORDER BY message_id")
    assert [id for (id,) in stored] == list(range(1, POSTS + 1))
    repeats = sum(told().values()) - len(wanted)
    print(f"{KILLS} kills: {len(stored)} stored, {len(wanted)} alerts owed, {repeats} repeats")
    assert set(told()) == wanted
    assert repeats <= KILLS
    assert rows(settings, "SELECT count(*) FROM outbox WHERE sent_at IS NULL") == [(0,)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_quickly_and_cleanly(
    process, settings, dc, api, owner, reader, number
):
    news = dc.add_channel("Vestki Rail", username="vestki_rail", members=[reader])
    async with process(cold=True) as running:
        await set_up(owner)
        api.fail("sendMessage", "hang", seconds=1)
        await dc.post(news, "эшелон перед концом")
        await api.wait_for(lambda: "перед концом" in str(api.called("sendMessage")), timeout=10)
        asked = time.monotonic()
        running.send(number)
        assert await running.ended() == 0
        assert time.monotonic() - asked < 5
    async with process() as running:
        dc.store(news, "эшелон после перерыва")
        await owner.expect(text="после перерыва", timeout=30)

    assert sum("перед концом" in m["text"] for m in owner.messages) == 1


async def ends_with(process, *texts, code=2, **settings):
    async with process(**settings) as running:
        assert await running.ended() == code
        for text in texts:
            assert text in running.output
        return running.output


async def test_without_a_token_it_says_which_setting_is_missing(process):
    output = await ends_with(process, "BOT_TOKEN is not set", "@BotFather", BOT_TOKEN=None)
    assert len(output.splitlines()) == 1


async def test_a_wrong_token(process):
    token = "123456:" + "A" * 35
    await ends_with(process, "BOT_TOKEN was refused", "@BotFather", BOT_TOKEN=token)


async def test_a_token_that_is_none(process):
    output = await ends_with(process, "has not the shape of a bot token", BOT_TOKEN="hello")
    assert "hello" not in output


async def test_a_misspelt_setting(process, tmp_path):
    (tmp_path / ".env").write_text("OWNER_ID=1\n")
    await ends_with(process, "OWNER_ID is no setting; did you mean OWNER_IDS?")


async def test_without_an_account_channels_are_read_through_the_web_preview(process, owner):
    async with PreviewServer() as preview:
        news = preview.channel("vestki_news", "Весткі")
        news.post("before it was watched")
        async with process(TELEGRAM_API_ID=None, PREVIEW_URL=preview.url) as running:
            await running.says("channels are read through Telegram's web preview")
            await owner.send("/add @vestki_news")
            await owner.expect(text="is watched from now on", timeout=30)
            await owner.send("/add @nobody_here")
            await owner.expect(text="nobody has the name @nobody_here", timeout=30)
            for command, answer in (
                ("/watch rail эшелон", "looks for"),
                ("/subscribe rail", "is told"),
                ("/status", "Web preview: connected"),
            ):
                await owner.send(command)
                await owner.expect(text=answer, timeout=30)
            news.post("На станцию прибыли два эшелона")
            await owner.expect(text="два эшелона", timeout=60)
        assert news.title not in running.output
        assert news.name not in running.output


async def test_a_revoked_session_waits_and_tells_the_owner(process, dc, owner, reader):
    async with process() as running:
        await owner.send("/start")
        await owner.expect(text="Three steps", timeout=30)
        await running.says("connected to Telegram")
        dc.revoke(reader)
        dc.kick()
        await running.says("revoked this session: run `python -m bot login` again")
        await owner.expect(text="Channels can't be read", timeout=30)
        await owner.send("/status")
        await owner.expect(text="revoked this session", timeout=30)


async def test_an_unreachable_bot_api_waits(process, api, owner):
    async with process(BOT_API_URL="http://127.0.0.1:9") as running:
        await running.says("Bot API server can't be reached: check the network and BOT_API_URL")
        running.send(signal.SIGTERM)
        assert await running.ended(timeout=5) == 0


async def test_an_unreachable_telegram_waits(process, dc, owner):
    await dc.stop()
    async with process() as running:
        await running.says("the connection to Telegram failed .*; next try in")
        await owner.send("/status")
        await owner.expect(text="connection to Telegram failed", timeout=30)


async def test_a_folder_that_cannot_be_written(process, tmp_path):
    (tmp_path / "file").touch()
    database = tmp_path / "file" / "watch.db"
    await ends_with(process, "can't be written", "set DATABASE to a path", DATABASE=database)


async def test_a_folder_that_is_read_only_even_for_root(process):
    await ends_with(process, "can't be written", DATABASE="/sys/watch.db")


def small_disk():
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))


async def test_a_full_disk_ends_it_with_one_line_and_loses_nothing(
    process, settings, dc, owner, reader
):
    news = dc.add_channel("Vestki Rail", username="vestki_rail", members=[reader])
    async with process():
        await set_up(owner)
    for number in range(200):
        dc.store(news, "х" * 2000 + (" эшелон" if number == 199 else ""))
    output = await ends_with(process, "disk", prepare=small_disk)
    assert "nothing is lost" in output or "is it full" in output

    async with process():
        await owner.expect(text="х эшелон", timeout=40)
        await dc.wait_for(lambda: rows(settings, "SELECT count(*) FROM posts") == [(200,)], 20)


async def test_two_daemons_do_not_share_a_database(process):
    async with process() as first:
        await first.says("running")
        await ends_with(process, "another `python -m bot run` is using it")


async def test_a_file_that_is_no_database(process, tmp_path):
    (tmp_path / "notes.db").write_text("Dear diary, " * 100)
    await ends_with(process, "no SQLite database", DATABASE=tmp_path / "notes.db")


async def test_doctor_says_what_is_well_and_what_to_do(process, dc, reader):
    async with process("doctor") as running:
        assert await running.ended() == 0
        for text in (
            "✓ database",
            "✓ the Telegram session of account 1 is good",
            "✓ the bot is @",
            "✓ the clock",
        ):
            assert text in running.output
    dc.revoke(reader)
    broken = {"BOT_TOKEN": "123456:" + "A" * 35, "OWNER_IDS": None}
    async with process("doctor", **broken) as running:
        assert await running.ended() == 2
        for text in ("✗ OWNER_IDS is empty", "✗ the Telegram session", "✗ BOT_TOKEN was refused"):
            assert text in running.output
