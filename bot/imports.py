"""What does a person see of an import: a bar while it goes on, and what it came to?"""

import asyncio
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from storage.db import Database, open_database
from watchers.export_file import BadExport
from watchers.imports import Imported, import_file
from watchers.pipeline import Pipeline

DONE, BAD, STOPPED = 0, 2, 130  # exit codes
REFUSALS_SHOWN = 5  # of one file; more are counted


async def import_files(database: Path, files: Sequence[Path], out: TextIO, err: TextIO) -> int:
    """Import one file after the other; return the exit code. Raises DatabaseUnusable.

    A bad file is named, and the rest goes on. Ctrl-C and SIGTERM end it between two transactions.
    """
    console = Console(file=err, soft_wrap=True, highlight=False, markup=False)
    async with open_database(database) as db:
        importing = asyncio.ensure_future(_import(db, files, out, console))
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, importing.cancel)
        try:
            return await importing
        except asyncio.CancelledError:
            console.print("Stopped. The same command goes on from here.")
            return STOPPED
        finally:
            for name in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(name)


async def _import(db: Database, files: Sequence[Path], out: TextIO, console: Console) -> int:
    pipeline = Pipeline(db, lambda: datetime.now(UTC))
    return max([await _import_one(pipeline, path, out, console) for path in files])


async def _import_one(pipeline: Pipeline, path: Path, out: TextIO, console: Console) -> int:
    refused: list[str] = []
    imported = Imported()
    try:
        with _bar(console, path) as moved:
            await import_file(pipeline, path, imported, refused.append, moved)
    except BadExport as error:
        refused.append(str(error))
    finally:  # what was stored until it was interrupted is told, too
        _show_refusals(refused, console)
        if imported.channels or imported.ended:
            print(_summary(path, imported), file=out, flush=True)
    return BAD if refused else DONE


def _show_refusals(refused: Sequence[str], console: Console) -> None:
    """The first ones and the last, which may be why the file was not read to its end."""
    hidden = refused[REFUSALS_SHOWN:-1]
    for refusal in refused[:REFUSALS_SHOWN]:
        console.print(refusal)
    if hidden:
        console.print(f"… and {_many(len(hidden), 'more message')} …")
    for refusal in refused[REFUSALS_SHOWN:][-1:]:
        console.print(refusal)


def _summary(path: Path, imported: Imported) -> str:
    counts = imported.counts
    parts = [
        f"{_many(imported.read, 'post')} of {_many(len(imported.channels), 'channel')}",
        f"{counts.posts:,} new",
        _many(counts.hits, "hit"),
    ]
    if imported.resumed:
        parts.append(f"gone on after message {imported.resumed:,}")
    if imported.left:
        parts.append(f"{imported.left:,} newest left to catch-up, which alerts of them")
    return f"{path}: {', '.join(parts)}" + ("" if imported.ended else " (not to its end)")


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'s' * (number != 1)}"


@contextmanager
def _bar(console: Console, path: Path) -> Iterator[Callable[[int], None]]:
    """A progress bar for a person who watches; it is told the byte that was reached."""
    size = path.stat().st_size if path.is_file() else 0
    if not console.is_terminal or not size:
        yield lambda position: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(escape(path.name), total=size)
        yield lambda position: progress.update(task, completed=position)
