"""What does a person see of a backtest in a terminal: a bar while it goes on, then the counts."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TextIO

from rich.bar import Bar
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from bot import found, render
from bot.match import read_watchlists
from storage import search
from storage.db import open_database
from storage.model import Entry, Watchlist
from watchers import backtest, indexing
from watchers.tally import Tally

EXAMPLE_WIDTH = 100


async def backtest_file(
    database: Path, watchlists: str, period: timedelta, out: TextIO, err: TextIO
) -> None:
    """`watchlists` is a file or the name of a pack. Raises BadInput, WatchlistFileError, DatabaseUnusable."""
    lists = read_watchlists(watchlists)
    now = datetime.now(UTC)
    async with open_database(database) as db:
        with _bar(Console(file=err)) as bar:
            waiting = bar.add_task("indexing", total=await search.waiting(db.reader) or None)
            while done := await indexing.index_some(db):
                bar.advance(waiting, done)
            bar.remove_task(waiting)
            posts = await search.count_since(db.reader, now - period)
            task = bar.add_task("posts", total=posts)

            async def moved(number: int) -> bool:
                bar.advance(task, number)
                return True

            tally = await backtest.tried(db, lists, now - period, UTC, moved)
    _show(Console(file=out, highlight=False, markup=False, soft_wrap=True), lists, tally, period)


def _bar(console: Console) -> Progress:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _show(console: Console, lists: Sequence[Watchlist], tally: Tally, period: timedelta) -> None:
    console.print(
        f"{tally.matched:,} of {tally.posts:,} stored posts of the last {found.span(period)} match."
    )
    if not tally.posts:
        console.print("Nothing is stored of that time: import posts, or watch for a while.")
    if tally.matched:
        console.print(_days(tally))
    for watchlist in lists:
        console.print(f"\n{watchlist.name}", style="bold")
        silent = 0
        for term in watchlist.terms:
            key = watchlist.name, term.name
            if number := tally.terms[key]:
                console.print(f"{number:7,}  {term.name}")
                for line in _examples(tally.examples[key]):
                    console.print(Text(line, style="dim"))
            silent += not number
        if silent:
            console.print(f"{0:7}  {silent} terms matched nothing", style="dim")


def _days(tally: Tally) -> Table:
    table = Table.grid(padding=(0, 1))
    most = max(tally.days.values())
    for day in sorted(tally.days):
        number = tally.days[day]
        table.add_row(f"{day}", f"{number:7,}", Bar(most, 0, number, width=40))
    return table


def _examples(entries: Sequence[Entry]) -> Iterator[str]:
    """The newest one."""
    for entry in entries[:1]:
        text = render.plain(render.post_line(entry, UTC)).removeprefix("• ")
        yield " " * 9 + (text if len(text) <= EXAMPLE_WIDTH else text[: EXAMPLE_WIDTH - 1] + "…")
