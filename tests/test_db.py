"""Is there one writer, and is the file opened, migrated and refused as it should be?"""

import asyncio
import sqlite3

import aiosqlite
import pytest

from storage import channels
from storage import db as database
from storage.db import DatabaseUnusable, SchemaTooNew, open_database, stamp
from tests import make

IDS = "SELECT id FROM channels ORDER BY id"


async def ids(db):
    return [row[0] for row in await db.reader.execute_fetchall(IDS)]


async def test_two_tasks_cannot_mix_transactions(db):
    started = asyncio.Event()

    async def fails():
        async with db.transaction() as tx:
            await channels.add(tx, make.channel(1), 0, make.NOON)
            started.set()
            await asyncio.sleep(0)
            raise RuntimeError

    async def succeeds():
        await started.wait()
        async with db.transaction() as tx:
            await channels.add(tx, make.channel(2), 0, make.NOON)

    results = await asyncio.gather(fails(), succeeds(), return_exceptions=True)

    assert isinstance(results[0], RuntimeError)
    assert await ids(db) == [2]


async def test_a_cancelled_transaction_is_rolled_back_before_the_next_begins(db):
    inside = asyncio.Event()

    async def slow():
        async with db.transaction() as tx:
            await channels.add(tx, make.channel(1), 0, make.NOON)
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(slow())
    await inside.wait()
    task.cancel()
    async with db.transaction() as tx:
        await channels.add(tx, make.channel(2), 0, make.NOON)

    assert task.cancelled()
    assert await ids(db) == [2]


@pytest.mark.parametrize("steps", range(12))
async def test_cancelled_at_any_moment_it_is_all_or_nothing(db, steps):
    async def both():
        async with db.transaction() as tx:
            await channels.add(tx, make.channel(1), 0, make.NOON)
            await channels.add(tx, make.channel(2), 0, make.NOON)

    task = asyncio.create_task(both())
    for _ in range(steps):
        await asyncio.sleep(0.0005)
    task.cancel()
    await asyncio.wait([task])
    async with db.transaction() as tx:
        await channels.add(tx, make.channel(3), 0, make.NOON)

    assert await ids(db) in ([3], [1, 2, 3])


async def test_the_reader_cannot_write(db):
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await db.reader.execute("DELETE FROM channels")


async def test_it_is_durable_and_readable_by_others_at_work(db, tmp_path):
    async with db.transaction() as tx:
        await channels.add(tx, make.channel(1), 0, make.NOON)
        other = sqlite3.connect(tmp_path / "watch.db")
        assert other.execute(IDS).fetchall() == []  # a reader is not blocked by the writer
    assert other.execute(IDS).fetchall() == [(1,)]
    other.close()
    modes = [
        (await tx.execute_fetchall(f"PRAGMA {name}"))[0][0]
        for name in ("journal_mode", "synchronous", "foreign_keys")
    ]
    assert modes == ["wal", 2, 1]


async def test_every_table_is_strict(db):
    rows = await db.reader.execute_fetchall(
        "SELECT name, strict FROM pragma_table_list "
        "WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'"
    )
    assert len(rows) >= 10
    assert all(strict for _, strict in rows)


async def test_a_newer_database_is_refused(tmp_path):
    path = tmp_path / "watch.db"
    async with open_database(path):
        pass
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 999")
    db.close()

    with pytest.raises(SchemaTooNew, match="newer release"):
        async with open_database(path):
            pass


async def test_a_migration_that_fails_leaves_the_database_as_it_was(tmp_path, monkeypatch):
    path, migrations = tmp_path / "watch.db", tmp_path / "migrations"
    migrations.mkdir()
    (migrations / "0001_a.sql").write_text("CREATE TABLE a (x INTEGER) STRICT;")
    monkeypatch.setattr(database, "MIGRATIONS", migrations)
    async with open_database(path):
        pass
    (migrations / "0002_b.sql").write_text(
        "CREATE TABLE b (x INTEGER) STRICT;\nCREATE TABLE a (x);"
    )

    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        async with open_database(path):
            pass

    async with aiosqlite.connect(path) as db:
        assert list(await db.execute_fetchall("PRAGMA user_version")) == [(1,)]
        assert list(await db.execute_fetchall("SELECT name FROM sqlite_master")) == [("a",)]
    assert (tmp_path / "watch.db.before-2").exists()

    (migrations / "0002_b.sql").write_text("CREATE TABLE b (x INTEGER) STRICT;")
    async with open_database(path) as db:  # the copy that is there already is no hindrance
        assert list(await db.reader.execute_fetchall("PRAGMA user_version")) == [(2,)]


async def test_triggers_and_many_statements_migrate(tmp_path, monkeypatch):
    migrations = tmp_path / "migrations"
    migrations.mkdir()
    (migrations / "0001_a.sql").write_text(
        "CREATE TABLE a (x INTEGER) STRICT; -- with a ; in it\n"
        "CREATE TRIGGER t AFTER INSERT ON a BEGIN\n  DELETE FROM a;\nEND;\n"
    )
    monkeypatch.setattr(database, "MIGRATIONS", migrations)

    async with open_database(tmp_path / "watch.db") as db:
        rows = await db.reader.execute_fetchall("SELECT name FROM sqlite_master ORDER BY name")
    assert [row[0] for row in rows] == ["a", "t"]


async def test_a_full_disk_says_what_to_do(db):
    async with db.transaction() as tx:
        await tx.execute("PRAGMA max_page_count = 60")

    with pytest.raises(DatabaseUnusable, match="the disk is full: free some space"):  # noqa: PT012
        async with db.transaction() as tx:
            await tx.execute("CREATE TABLE filler (x BLOB)")
            await tx.execute("INSERT INTO filler VALUES (zeroblob(1000000))")

    assert await ids(db) == []


async def test_an_error_that_is_ours_is_not_dressed_up(db):
    with pytest.raises(sqlite3.IntegrityError):
        async with db.transaction() as tx:
            await tx.execute("INSERT INTO outbox_hits VALUES (1, 2, 3, 4, 5)")


def test_stamps_sort_as_time():
    later = make.NOON.replace(microsecond=1000)
    assert len(stamp(later)) == len(stamp(make.NOON))
    assert stamp(make.NOON) < stamp(later)


async def test_a_transaction_at_once_commits_or_leaves_nothing(db):
    async def add(tx, id):
        await channels.add(tx, make.channel(id), 0, make.NOON)
        return id

    async def fails(tx):
        await add(tx, 2)
        raise RuntimeError("in the middle")

    class Elsewhere:
        def __await__(self):
            yield

    async def waits(tx):
        await add(tx, 3)
        await Elsewhere()

    assert await db.at_once(lambda tx: add(tx, 1)) == 1
    with pytest.raises(RuntimeError, match="in the middle"):
        await db.at_once(fails)
    with pytest.raises(RuntimeError, match="only tx may be awaited"):
        await db.at_once(waits)
    async with db.transaction() as tx:
        await add(tx, 4)
    assert await ids(db) == [1, 4]
