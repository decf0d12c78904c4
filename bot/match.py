"""Which of these posts touch the watchlists? JSON lines in, JSON lines out.

Whatever has arrived is answered before more is waited for, so a slow input is answered line by line and a quick one
in large pieces.
"""

import gc
import os
import stat
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, TextIO

import msgspec
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from storage.model import Channel, Hit, Post, Watchlist
from watchers import watchlist_file
from watchers.matching import Matcher

DONE, BAD = 0, 2  # exit codes
_PIECE = 1 << 17  # bytes read at once
_LONGEST_LINE = 1 << 24  # bytes; a longer line is no post
_TOO_LONG = (
    b"longer than 16 MB: "  # stands for the beginning of such a line; no JSON, so it will be named
)
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class _Line(msgspec.Struct):
    id: msgspec.Raw  # any JSON value, given back as it came
    text: str
    channel: str | int | None = None


class _Answer(msgspec.Struct):
    id: msgspec.Raw
    watchlist: str
    term: str
    kind: str | None
    spans: list[tuple[int, int]]
    matched: Sequence[str]


class _Disguised(_Answer):
    disguised: bool = True


class BadInput(Exception):
    """Names the file and what to do about it."""


def match_stream(watchlists: str, posts: str, out: BinaryIO, err: TextIO) -> int:
    """`watchlists` is a file or the name of a pack, `posts` a file or - for standard input. The exit code."""
    try:
        answering = _Answering(read_watchlists(watchlists), err)
        gc.freeze()  # what is compiled stays: the collector need not walk through it again and again
        with _opened(posts) as (source, size), _progress(err, size) as progress:
            for lines, length in _pieces(source):
                if answer := answering.answer(lines):
                    out.write(answer)
                    out.flush()
                progress(length)
    except (BadInput, watchlist_file.WatchlistFileError) as error:
        print(error, file=err)
        return BAD
    except BrokenPipeError:  # whoever read the answers has had enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print(f"stopped after line {answering.line}", file=err)
    return BAD if answering.bad else DONE


def read_watchlists(name: str) -> tuple[Watchlist, ...]:
    """Of a file, or of the pack of that name. Raises BadInput, WatchlistFileError."""
    path = Path(name)
    if not path.exists():
        pack = watchlist_file.PACKS / f"{name}.yaml"
        if not pack.is_file():
            packs = ", ".join(sorted(p.stem for p in watchlist_file.PACKS.glob("*.yaml"))) or "none"
            raise BadInput(f"{name}: there is no such file and no such pack (packs: {packs})")
        path = pack
    try:
        return watchlist_file.load(path.read_text(encoding="utf-8-sig"), name)
    except OSError as error:
        raise BadInput(f"{name}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadInput(f"{name}: is not UTF-8: save it as UTF-8") from None


@contextmanager
def _opened(name: str) -> Iterator[tuple[BinaryIO, int | None]]:
    """The source of posts, and its size where it has one."""
    if name == "-":
        yield sys.stdin.buffer, None
        return
    with ExitStack() as stack:
        try:
            file = stack.enter_context(Path(name).open("rb"))
        except OSError as error:
            raise BadInput(f"{name}: cannot be read: {error.strerror}") from None
        status = os.fstat(file.fileno())
        yield file, status.st_size if stat.S_ISREG(status.st_mode) else None


def _pieces(source: BinaryIO) -> Iterator[tuple[list[bytes], int]]:
    """Whole lines, as many as have arrived, and how many bytes were read."""
    rest = b""
    while piece := source.read1(_PIECE):  # type: ignore[attr-defined]
        *lines, rest = (rest + piece).split(b"\n")
        if len(rest) > _LONGEST_LINE:
            rest = _TOO_LONG
        yield lines, len(piece)
    if rest:
        yield [rest], 0


@contextmanager
def _progress(err: TextIO, size: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, nothing elsewhere. Called with the bytes that were dealt with."""
    console = Console(file=err)
    if not console.is_terminal:
        yield lambda length: None
        return
    columns = TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("posts", total=size)
        yield lambda length: bar.advance(task, length)


class _Answering:
    """Lines in, answers out; remembers how many lines there were and whether one was bad."""

    def __init__(self, watchlists: tuple[Watchlist, ...], err: TextIO) -> None:
        names = {c.strip().lstrip("@").lower() for w in watchlists for c in w.channels}
        self._ids = {name: n for n, name in enumerate(sorted(names), start=1)}
        self._channels = [Channel(n, name, name) for name, n in self._ids.items()]
        self._matcher = Matcher(map(self._by_name, watchlists), self._channels)
        self._terms = {(w.id, t.id): (w.name, t) for w in watchlists for t in w.terms}
        self._decode = msgspec.json.Decoder(_Line).decode
        self._encode = msgspec.json.Encoder().encode_into
        self.line = 0
        self._err = err
        self.bad = False

    @staticmethod
    def _by_name(watchlist: Watchlist) -> Watchlist:
        """Here a number is a name like any other."""
        return replace(watchlist, channels=tuple("@" + c.lstrip("@") for c in watchlist.channels))

    def answer(self, lines: list[bytes]) -> bytearray:
        answers = bytearray()
        match, decode = self._matcher.match, self._decode
        for line in lines:
            self.line += 1
            try:
                read = decode(line)
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                self._refuse(line, error)
                continue
            for hit in match(Post(self._channel(read), 0, _NEVER, read.text)):
                self._encode(self._answer(read, hit), answers, -1)
                answers += b"\n"
        return answers

    def _channel(self, line: _Line) -> int:
        if line.channel is None or not self._ids:
            return 0
        return self._ids.get(str(line.channel).strip().lstrip("@").lower(), 0)

    def _answer(self, line: _Line, hit: Hit) -> _Answer:
        watchlist, term = self._terms[hit.watchlist_id, hit.term_id]
        spans = [(span.start, span.end) for span in hit.spans]
        made = _Disguised if hit.disguised else _Answer
        return made(line.id, watchlist, term.name, term.kind, spans, hit.matched)

    def _refuse(self, line: bytes, error: Exception) -> None:
        if line.isspace() or not line:
            return
        self.bad = True
        wish = 'write one object a line: {"id": …, "text": "…"}'
        print(f"line {self.line}: {error}; {wish}", file=self._err, flush=True)
