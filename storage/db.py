"""How is the database file opened, brought up to date, and kept to one writer?"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar, cast

import aiosqlite

T = TypeVar("T")

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_MS = 10_000  # how long to wait for another process (an import, a backup) to commit

_REMEDIES = {
    sqlite3.SQLITE_FULL: "the disk is full: free some space, then start again; nothing is lost",
    sqlite3.SQLITE_IOERR: "reading or writing failed: check the disk (is it full?) and its mount",
    sqlite3.SQLITE_READONLY: "it can't be written: give this user write permission to file and folder",
    sqlite3.SQLITE_CANTOPEN: "it can't be opened: check that the folder exists and can be written",
    sqlite3.SQLITE_NOTADB: "it is no SQLite database: point DATABASE at another file",
    sqlite3.SQLITE_CORRUPT: "it is damaged: restore the last backup",
    sqlite3.SQLITE_BUSY: "another program holds its lock: close it and try again",
}


class DatabaseUnusable(Exception):
    """The file can't be opened or written; the message says why and what to do."""


class SchemaTooNew(DatabaseUnusable):
    """The file was written by a newer release; refuse rather than guess."""


class Database:
    """One connection writes, another reads.

    aiosqlite runs every task's statements on the connection's single thread, so two tasks that
    share it also share a transaction: one's rollback would undo the other's insert. Hence the
    lock, and a reader that cannot write.
    """

    def __init__(
        self, path: Path, writer: aiosqlite.Connection, reader: aiosqlite.Connection
    ) -> None:
        self.path = path
        self.reader = reader
        self._writer = writer
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[aiosqlite.Connection]:
        """BEGIN IMMEDIATE … COMMIT; anything raised inside rolls back.

        A cancelled task still waits for its COMMIT or ROLLBACK, so the lock is never handed on
        with a transaction open. Raises DatabaseUnusable when the file can't be written.
        """
        async with self._lock:
            with remedies(self.path):
                try:
                    await self._writer.execute("BEGIN IMMEDIATE")
                    yield self._writer
                    await _uninterrupted(self._writer.commit())
                except BaseException:
                    await _uninterrupted(self._writer.rollback())  # no-op if nothing began
                    raise

    async def at_once(self, work: Callable[[aiosqlite.Connection], Coroutine[Any, Any, T]]) -> T:
        """A whole transaction in one visit to the writer's thread; return what `work` returns.

        For batches: a hop between threads costs more than the statement that it is made for.
        `work(tx)` may await nothing but `tx`. Raises DatabaseUnusable when the file can't be
        written.
        """
        async with self._lock:
            with remedies(self.path):
                # aiosqlite offers no public way to run a function of ours on its thread.
                visit = self._writer._execute(self._visit, work)  # type: ignore[no-untyped-call]
                return await _uninterrupted(visit)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[aiosqlite.Connection]:
        """A connection of its own that sees the database as it is now, however long it reads.

        For what reads much: on `reader` it would hold everybody else to that moment.
        """
        with remedies(self.path):
            async with aiosqlite.connect(self.path, isolation_level=None) as connection:
                await connection.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
                await connection.execute("PRAGMA query_only = ON")
                await connection.execute("BEGIN")
                yield connection

    def _visit(self, work: Callable[[aiosqlite.Connection], Coroutine[Any, Any, T]]) -> T:
        connection = self._writer._conn
        connection.execute("BEGIN IMMEDIATE")
        try:
            result = _drive(work(cast(aiosqlite.Connection, _Direct(connection))))
            connection.execute("COMMIT")
        except BaseException:
            connection.rollback()
            raise
        return result


class _Direct:
    """The part of aiosqlite's connection that storage uses, already on the right thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
        return self._connection.execute(sql, parameters)

    async def executemany(self, sql: str, parameters: Any) -> sqlite3.Cursor:
        return self._connection.executemany(sql, parameters)

    async def execute_fetchall(self, sql: str, parameters: Any = ()) -> list[Any]:
        return self._connection.execute(sql, parameters).fetchall()


def _drive(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never has to wait."""
    try:
        work.send(None)
    except StopIteration as done:
        return cast(T, done.value)
    work.close()
    raise RuntimeError("only tx may be awaited in here")


class remedies:  # noqa: N801 - reads as a statement: `with remedies(path):`
    """Turn SQLite's trouble with the file into a sentence that says what to do."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None: ...

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, sqlite3.DatabaseError):
            code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # the primary code
            if code in _REMEDIES:
                raise DatabaseUnusable(f"database {self._path}: {_REMEDIES[code]}") from error


async def _uninterrupted(work: Coroutine[Any, Any, T]) -> T:
    """Finish `work` whatever happens to the waiter; the waiter's cancellation comes after."""
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise


@asynccontextmanager
async def open_database(path: Path) -> AsyncIterator[Database]:
    """Open, creating it and its folder if need be, and migrate. Raises DatabaseUnusable."""
    with remedies(path):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise DatabaseUnusable(
                f"database {path}: its folder can't be made ({error.strerror}): "
                "set DATABASE to a path this user may write"
            ) from error
        async with aiosqlite.connect(path, isolation_level=None) as writer:
            await _prepare_writer(writer)
            await migrate(writer, path)
            async with aiosqlite.connect(path, isolation_level=None) as reader:
                await reader.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
                await reader.execute("PRAGMA query_only = ON")
                yield Database(path, writer, reader)


async def _prepare_writer(writer: aiosqlite.Connection) -> None:
    await writer.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
    await writer.execute("PRAGMA journal_mode = WAL")
    await writer.execute("PRAGMA synchronous = FULL")  # a committed post survives a power cut
    await writer.execute("PRAGMA foreign_keys = ON")


async def migrate(writer: aiosqlite.Connection, path: Path) -> None:
    """Apply the numbered files above PRAGMA user_version, each in its own transaction.

    A database that already holds something is copied beside itself first. Not executescript:
    it would commit before it begins.
    """
    files = sorted(MIGRATIONS.glob("*.sql"))
    ((version,),) = await writer.execute_fetchall("PRAGMA user_version")
    if version > len(files):
        raise SchemaTooNew(
            f"database {path}: written by a newer release (version {version}, this one knows "
            f"{len(files)}): update the program, or point DATABASE at another file"
        )
    if 0 < version < len(files):
        copy = Path(f"{path}.before-{version + 1}")
        copy.unlink(missing_ok=True)  # of a start that was killed before the database was migrated
        await writer.execute("VACUUM INTO ?", (str(copy),))
    for number, file in enumerate(files[version:], start=version + 1):
        await _apply(writer, file.read_text(encoding="utf-8"), number)


async def _apply(writer: aiosqlite.Connection, script: str, number: int) -> None:
    await writer.execute("BEGIN IMMEDIATE")
    try:
        for statement in _statements(script):
            await writer.execute(statement)
        await writer.execute(f"PRAGMA user_version = {number}")
        await writer.commit()
    except BaseException:
        await writer.rollback()
        raise


def _statements(script: str) -> list[str]:
    found, statement = [], ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            found.append(statement)
            statement = ""
    return found


def stamp(moment: datetime) -> str:
    """A moment as stored: UTC, milliseconds, always the same length, so that text sorts as time."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def moment(stamp: str) -> datetime:
    return datetime.fromisoformat(stamp)
