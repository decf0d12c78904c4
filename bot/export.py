"""How do the stored posts of a period get into files? A page at a time, so that any number fits."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from bot.export_formats import Csv, Format, JsonLines
from bot.export_html import Html
from bot.new_file import NotWritten, new_file
from bot.periods import MEANT, Period, read_period
from bot.speech import ENGLISH, say, say_number, speaking
from storage import records, said, watchlists
from storage.db import Database, DatabaseUnusable, open_database
from storage.model import Record
from storage.records import Wanted
from storage.said import Said
from watchers.references import BadReference, read_reference

FORMATS = ("csv", "jsonl", "html")
_FOOT = 100  # bytes that a file's end may take


class NotExported(ValueError):
    """What was asked for can't be read; the message says what to write."""


class TooMuch(Exception):
    """It does not fit into the files it may have."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is wanted, as a person says it."""

    period: Period
    posts: bool = False  # all posts, not only those with hits
    watchlist: str = ""  # empty: all
    channel: str = ""  # @name, link or number; empty: all
    format: str = "csv"
    bom: bool = False


@dataclass(slots=True)
class Made:
    """What an export came to."""

    posts: int = 0
    versions: int = 0
    hits: int = 0
    bytes: int = 0

    def __str__(self) -> str:
        edited = self.versions - self.posts
        parts = [
            say_number("{n:,} post", "{n:,} posts", self.posts),
            say_number("{n:,} hit", "{n:,} hits", self.hits),
        ]
        if edited:
            parts.append(say_number("{n:,} earlier text", "{n:,} earlier texts", edited))
        return ", ".join(parts)


class Files:
    """As many as it takes: each is complete by itself, and none is larger than `limit` bytes."""

    def __init__(
        self,
        format: Format,
        open_file: Callable[[], BinaryIO],
        limit: float = float("inf"),
        most: float = float("inf"),
    ) -> None:
        self.made = Made()
        self.files: list[BinaryIO] = []
        self._format, self._open, self._limit, self._most = format, open_file, limit, most
        self._size = 0  # of the last file

    def add(self, page: list[Record]) -> None:
        """Raises TooMuch, OSError."""
        for record in page:
            piece = self._format.record(record).encode()
            if not self.files or self._size + len(piece) + _FOOT > self._limit:
                self._next()
            self._write(piece)
            self.made.posts += 1
            self.made.versions += len(record.versions)
            self.made.hits += len(record.hits)

    def end(self) -> None:
        if self.files:
            self._write(self._format.foot().encode())
            self.files[-1].flush()

    def _next(self) -> None:
        if len(self.files) >= self._most:
            raise TooMuch
        self.end()
        self.files.append(self._open())
        self._size = 0
        self._write(self._format.head().encode())

    def _write(self, data: bytes) -> None:
        self.files[-1].write(data)
        self._size += len(data)
        self.made.bytes += len(data)


async def fill(db: Database, wanted: Wanted, files: Files) -> None:
    """Write what is wanted as it stands at this moment. Raises DatabaseUnusable, TooMuch, OSError."""
    async with db.snapshot() as snapshot, aclosing(records.pages(snapshot, wanted)) as pages:
        async for page in pages:
            await asyncio.to_thread(files.add, page)
    await asyncio.to_thread(files.end)


async def find(db: Database, request: Request) -> Wanted:
    """What a request means here. Raises NotExported."""
    watchlist_id = channel_id = None
    if request.watchlist:
        if request.posts:
            raise NotExported(
                Said("a watchlist has hits: leave out either the watchlist or the word posts")
            )
        watchlist = await watchlists.named(db.reader, request.watchlist)
        if watchlist is None:
            raise NotExported(Said("there is no watchlist {name}", name=request.watchlist[:64]))
        watchlist_id = watchlist.id
    if request.channel:
        try:
            reference = read_reference(request.channel)
        except BadReference as error:
            raise NotExported(said.of(error)) from error
        channel = await records.channel(db.reader, reference.username, reference.id)
        if channel is None:
            raise NotExported(Said("no post of {channel} was ever stored", channel=str(reference)))
        channel_id = channel.id
    period = request.period
    return Wanted(period.since, period.until, not request.posts, watchlist_id, channel_id)


def describe(request: Request) -> str:
    """In a few words: what it is of."""
    what = say("Posts") if request.posts else say("Hits")
    if request.watchlist:
        what = say("Hits of {watchlist}", watchlist=request.watchlist)
    if request.channel:
        what = say("{what} in {channel}", what=what, channel=request.channel)
    return f"{what}, {request.period}"


def make_format(request: Request) -> Format:
    if request.format == "jsonl":
        return JsonLines()
    if request.format == "html":
        with speaking(ENGLISH):  # as is the rest of the page
            return Html(describe(request))
    return Csv(request.bom)


async def export_file(database: Path, file: str, request: Request) -> str:
    """Write a new file, or standard output for -; return what to say of it.

    Raises NotExported, NotWritten, DatabaseUnusable.
    """
    if not database.is_file():
        raise DatabaseUnusable(f"database {database}: there is none; set DATABASE to its path")
    async with open_database(database) as db:
        wanted = await find(db, request)
        if file == "-":
            files = Files(make_format(request), lambda: sys.stdout.buffer)
            try:
                await fill(db, wanted, files)
            except OSError as error:
                raise NotWritten(f"standard output: {error.strerror or error}") from error
        else:
            files = await _to_file(db, wanted, Path(file), make_format(request))
    if not files.made.posts:
        return f"{describe(request)}: there are none, so nothing was written"
    return f"{file}: {files.made}, {files.made.bytes:,} bytes"


async def _to_file(db: Database, wanted: Wanted, path: Path, format: Format) -> Files:
    """No file when there is nothing to write."""
    try:
        with new_file(path) as filling, filling.open("wb") as out:
            files = Files(format, lambda: out)
            await fill(db, wanted, files)
            if not files.made.posts:
                raise _Empty
    except _Empty:
        pass
    return files


class _Empty(Exception):
    """Nothing to write."""


def read_request(
    file: str, period: str, posts: bool, watchlist: str, channel: str, format: str, bom: bool
) -> Request:
    """Of the command line: days are UTC's. Raises NotExported."""
    format = format.casefold() or Path(file).suffix.removeprefix(".").casefold()
    if format not in FORMATS:
        raise NotExported(
            f"which format? Name the file {' or '.join(f'….{one}' for one in FORMATS)}, "
            "or say --format"
        )
    span = read_period(period, datetime.now(UTC), UTC)
    if span is None:
        raise NotExported(f"“{period[:64]}” is no period: write {MEANT}")
    return Request(span, posts, watchlist, channel, format, bom)
