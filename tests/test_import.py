"""Do exports get into storage whole, once, and without alerting anybody? With the real command."""

import asyncio
import json
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from storage import channels, imports, outbox, posts, subscriptions, watchlists
from storage import digests as stored
from storage.db import open_database
from storage.model import Period, Subscription, Term, Wanted
from tests import make
from tests.test_exports import CHANNEL, message, photo, write
from watchers import digests, export_file
from watchers.export_file import BadExport
from watchers.imports import Imported, identity, import_file

ROOT = Path(__file__).parent.parent
FLAT = 3  # MB that the memory may grow when a hundred times as much is read


@pytest.fixture
def command(tmp_path):
    """`await command(FILE…)` is `python -m bot import FILE…` without any setting but the database."""

    async def run(*files, stop=None, when=lambda: True):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "bot", "import", *map(str, files)),
            cwd=tmp_path,
            env={"PYTHONPATH": str(ROOT), "DATABASE": str(tmp_path / "watch.db")},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(60):
            if stop is not None:
                while not when():
                    await asyncio.sleep(0.01)
                process.send_signal(stop)
            out, err = await process.communicate()
        assert b"Traceback" not in err
        return process.returncode, out.decode(), err.decode()

    return run


@pytest.fixture
def rows(tmp_path):
    def query(sql):
        try:
            with closing(sqlite3.connect(tmp_path / "watch.db", timeout=10)) as db:
                return db.execute(sql).fetchall()
        except sqlite3.OperationalError:
            return [(0,)]  # not made yet

    return query


def many(path, number):
    """A big export, written quickly: pretty-printed as Telegram Desktop does it."""
    entry = json.dumps(message(0, "эшелон \\ \\x07 прошёл"), ensure_ascii=False, indent=1)
    head, tail = entry.replace("\\\\x07", "\\x07").split('"id": 0', 1)
    with path.open("w", encoding="utf-8") as file:
        file.write(json.dumps(CHANNEL)[:-1] + ', "messages": [')
        for id in range(1, number + 1):
            file.write(f'{"," * (id > 1)}{head}"id": {id}{tail}')
        file.write("]}")
    return path


async def test_posts_are_stored_and_their_channel_is_not_watched(command, rows, tmp_path):
    path = write(tmp_path, message(1, "a"), photo(2), photo(3, "caption"))
    assert await command(path) == (0, f"{path}: 2 posts of 1 channel, 2 new, 0 hits\n", "")
    assert await command(path) == (0, f"{path}: 2 posts of 1 channel, 0 new, 0 hits\n", "")
    assert rows("SELECT message_id, text FROM posts") == [(1, "a"), (2, "caption")]
    assert rows("SELECT id, title, removed_at IS NULL FROM channels") == [(5, "News", 0)]


async def test_bad_files_are_named_and_the_others_are_imported(command, tmp_path):
    html, cut = tmp_path / "messages.html", tmp_path / "cut.json"
    html.write_text("<html>")
    good = write(tmp_path, message(1, "a"), message(2, text=3))
    cut.write_text(json.dumps(CHANNEL | {"id": 6, "messages": [message(1), message(2)]})[:-100])
    code, out, err = await command(html, tmp_path / "none.json", cut, good)
    assert code == 2
    assert out.splitlines() == [
        f"{cut}: 1 post of 1 channel, 1 new, 0 hits (not to its end)",
        f"{good}: 1 post of 1 channel, 1 new, 0 hits",
    ]
    for text in (
        f"{html}, line 1 (byte 6): this is no JSON",
        "none.json can't be read: No such file",
        f"{cut}, line 1 (byte",
        f"{good}: message 2 can't be read",
    ):
        assert text in err


async def test_without_a_file_it_says_how_it_is_used(command):
    code, _, err = await command()
    assert code == 2
    assert "FILE" in err


@pytest.mark.parametrize(
    ("how", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130), (signal.SIGTERM, 130)]
)
async def test_interrupted_it_goes_on_where_it_stopped(command, rows, tmp_path, how, code):
    path = many(tmp_path / "result.json", 3000)

    def stored():
        return rows("SELECT count(*) FROM posts")[0][0]

    assert (await command(path, stop=how, when=lambda: stored() >= 400))[0] == code
    first = stored()
    assert 400 <= first < 3000
    renamed = path.rename(tmp_path / "other name.json")
    ended, out, _ = await command(renamed)
    assert ended == 0
    assert f": {3000 - first:,} posts of 1 channel, {3000 - first:,} new" in out
    assert f"gone on after message {first:,}" in out
    assert stored() == 3000
    assert rows("SELECT count(*) FROM imports") == [(0,)]


READER = """
import sys
from pathlib import Path
from watchers.export_file import ExportFile
from watchers.exports import read_posts
print(sum(len(e.posts) for e in read_posts(ExportFile(Path(sys.argv[1])), print) if e))
print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""


def test_memory_stays_flat_over_200_000_messages(tmp_path):
    def read(number):
        path = many(tmp_path / "result.json", number)
        command = [sys.executable, "-c", READER, str(path)]
        out = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout
        posts, peak = map(int, out.split())
        assert posts == number
        return peak / 1024

    assert read(200_000) - read(2_000) < FLAT


# ---- inside of one process


@pytest.fixture
async def rail(db):
    """A chat that is told at once, and one that gets digests, both since long ago."""
    since = make.NOON - timedelta(days=3650)
    async with db.transaction() as tx:
        await watchlists.create(tx, make.watchlist(), since)
        await watchlists.add_term(tx, 1, Term(0, "эшелон"), since)
        await subscriptions.put(tx, Subscription(1, 7), since)
        await subscriptions.put(tx, Subscription(1, 8, "daily 08:00"), since)


async def imported(pipeline, path):
    result = Imported()
    await import_file(pipeline, path, result, pytest.fail, lambda position: None)
    return result


async def test_hits_are_stored_and_nobody_is_told_until_a_period_is_asked_for(
    db, pipeline, rail, clock, tmp_path
):
    path = write(tmp_path, *[message(id, f"эшелон {id}") for id in range(1, 11)])
    assert (await imported(pipeline, path)).counts.hits == 10
    assert await outbox.waiting(db.reader) == 0
    clock.forward(days=1)
    await digests.make_due(db, clock(), make.NOON.tzinfo)
    (digest,) = await outbox.next_due(db.reader, clock())
    assert await outbox.entries(db.reader, digest.id) == []
    async with db.transaction() as tx:
        month = Period(clock() - timedelta(days=30), clock())
        assert await digests.owe_period(tx, 7, None, month, Wanted((1,)), clock())
    assert await stored.is_untold(db.reader, 8, {1: None})
    assert not await stored.is_untold(db.reader, 7, {1: None})


async def test_of_a_watched_channel_the_news_are_left_to_catch_up(db, pipeline, rail, tmp_path):
    """They have to be told, and would not be if catch-up found them stored."""
    async with db.transaction() as tx:
        added = make.NOON - timedelta(hours=1)
        await channels.add(tx, make.channel(5, "news", "As it is called"), 2, added)
    old, new = "1767200000", "1767268800"
    path = write(
        tmp_path,
        message(1, "эшелон", date_unixtime=old),
        message(2, "эшелон", date_unixtime=new),
        message(3, "эшелон", date_unixtime=old),
        message(4, "эшелон", date_unixtime=new),
    )
    result = await imported(pipeline, path)
    assert (result.read, result.left) == (3, 1)
    assert await posts.ids_between(db.reader, 5, 0, 9) == {1, 2, 3}
    (ledger,) = await channels.watched(db.reader)
    assert (ledger.channel.title, ledger.cursor) == ("As it is called", 2)


async def test_what_looks_like_an_album_and_was_seen_as_two_posts_stays_two(
    db, pipeline, rail, tmp_path
):
    async with db.transaction() as tx:
        await channels.add(tx, make.channel(5), 2, make.NOON)
    two = [make.post(t, channel_id=5, message_id=n) for n, t in enumerate(["", "one more"], 1)]
    await pipeline.take(two, alert=False)
    await imported(pipeline, write(tmp_path, photo(1), photo(2, "one more")))
    rows = await db.reader.execute_fetchall("SELECT message_id, text FROM posts")
    assert list(rows) == [(1, ""), (2, "one more")]


async def test_what_another_source_knew_as_an_album_stays_one(db, pipeline, rail, tmp_path):
    """Documents, which an export does not show to be an album."""
    async with db.transaction() as tx:
        await channels.add(tx, make.channel(5), 2, make.NOON)
    album = make.post("caption", channel_id=5, message_id=1, album=(1, 2))
    await pipeline.take([album], alert=False)
    files = [message(1, "", file_name="a.pdf"), message(2, "caption", file_name="b.pdf")]
    await imported(pipeline, write(tmp_path, *files))
    rows = await db.reader.execute_fetchall("SELECT message_id, text FROM posts")
    assert list(rows) == [(1, "caption")]


async def test_an_edit_that_the_export_knows_keeps_both_texts(db, pipeline, rail, tmp_path):
    await imported(pipeline, write(tmp_path, message(1, "прошёл поезд")))
    path = write(tmp_path, message(1, "прошёл эшелон", edited_unixtime="1767268860"))
    assert (await imported(pipeline, path)).counts.hits == 1
    rows = await db.reader.execute_fetchall(
        "SELECT posts.text, post_versions.text FROM posts JOIN post_versions USING (message_id)"
    )
    assert list(rows) == [("прошёл эшелон", "прошёл поезд")]


async def test_a_channel_known_from_an_export_can_be_watched_later(db, pipeline, tmp_path):
    await imported(pipeline, write(tmp_path, message(1, "a")))
    async with db.transaction() as tx:
        assert await channels.add(tx, make.channel(5, "news", "News"), 100, make.NOON)
    (ledger,) = await channels.watched(db.reader)
    assert (ledger.start, ledger.cursor, ledger.channel.username) == (100, 100, "news")


async def test_the_daemon_writes_while_an_import_goes_on(pipeline, tmp_path):
    path, waits = many(tmp_path / "result.json", 6000), []
    start = asyncio.get_running_loop().time()
    importing = asyncio.create_task(imported(pipeline, path))
    async with open_database(pipeline.db.path) as other:  # as another process would
        while not importing.done():
            began = asyncio.get_running_loop().time()
            async with other.transaction() as tx:
                await channels.note(tx, make.channel(len(waits) + 100), make.NOON)
            waits.append(asyncio.get_running_loop().time() - began)
            await asyncio.sleep(0.01)
    assert (await importing).counts.posts == 6000
    assert len(waits) > 3
    assert max(waits) < (asyncio.get_running_loop().time() - start) / 2  # not for its end


async def test_a_stretch_without_anything_wanted_is_read_with_pauses(
    pipeline, tmp_path, monkeypatch
):
    monkeypatch.setattr(export_file, "BREATH", 10_000)
    path, moves = many(tmp_path / "result.json", 1000), []
    file = identity(path)
    async with pipeline.db.transaction() as tx:
        await imports.note(tx, file, 1000)
    result = Imported()
    await import_file(pipeline, path, result, pytest.fail, moves.append)
    assert (result.read, result.resumed, result.ended) == (0, 1000, True)
    assert len(moves) > 5
    assert moves == sorted(moves)


def test_a_file_is_known_again_whatever_its_name(tmp_path):
    path = write(tmp_path, message(1, "a"))
    known = identity(path)
    assert identity(path.rename(tmp_path / "b.json")) == known
    assert identity(write(tmp_path, message(1, "b"))) != known
    with pytest.raises(BadExport, match="can't be read"):
        identity(tmp_path)
