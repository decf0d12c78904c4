"""What does the program do? The whole way of a post, on bundled posts, shown in a terminal."""

import os
import shlex
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

from rich.console import Console
from rich.panel import Panel
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from bot import render
from bot.match import read_watchlists
from bot.printing import print_digest
from storage import channels, hits, outbox, posts, subscriptions, watchlists
from storage.db import Database, open_database
from storage.model import DeliveryKind, Subscription
from watchers import digests
from watchers.export_file import ExportFile
from watchers.exports import as_album, read_posts
from watchers.pipeline import Pipeline

EXPORT = Path(__file__).parent / "sample" / "result.json"
DATABASE = Path("data/demo.db")
PACK = "belarus"
ALERTED, DIGESTED = 1, 2  # chat ids: one wants alerts, the other a digest
ALERTS_SHOWN = 5
BATCH = 100
WIDTH = 88
STYLES = {"b": "bold yellow", "a": "cyan underline", "code": "green", "pre": "green"}


async def show(database: Path = DATABASE, console: Console | None = None) -> None:
    console = console or Console(width=min(WIDTH, Console().width))
    for old in database.parent.glob(f"{database.name}*"):
        old.unlink()
    async with open_database(database) as db:
        await _set_up(db)
        await _import(db, console)
        await _show_alerts(db, console)
        await _show_digest(db, console)
        await _show_next_steps(db, console)


def _now() -> datetime:
    return datetime.now(UTC)


async def _set_up(db: Database) -> None:
    """A starter pack, and two chats that are told of it: one at once, one by digest."""
    async with db.transaction() as tx:
        for watchlist in read_watchlists(PACK):
            id, _ = await watchlists.put(tx, watchlist, _now())
            await subscriptions.put(tx, Subscription(id, ALERTED), _now())
            await subscriptions.put(tx, Subscription(id, DIGESTED, "daily 08:00"), _now())


async def _import(db: Database, console: Console) -> None:
    found = [e for e in read_posts(ExportFile(EXPORT), console.print) if e and e.posts]
    chats = {exported.channel for exported in found}
    async with db.transaction() as tx:
        for channel in chats:
            await channels.add(tx, channel, 0, _now())
    every = sorted((as_album(e.posts) for e in found), key=lambda p: p.published_at)
    pipeline = Pipeline(db, _now)
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("matching posts", total=len(every))
        for start in range(0, len(every), BATCH):
            await pipeline.take(every[start : start + BATCH])
            progress.advance(task, BATCH)
    console.print(
        f"Read {len(every)} posts of {len(chats)} channels (an invented Telegram Desktop export), "
        f"matched them against the pack “{PACK}”."
    )


async def _show_alerts(db: Database, console: Console) -> None:
    """What the first chat gets, sent as the daemon sends it, but for the network."""
    sent = 0
    while due := [d for d in await outbox.next_due(db.reader, _now()) if d.chat_id == ALERTED]:
        (delivery,) = due
        if sent < ALERTS_SHOWN:
            first, *copies = await outbox.entries(db.reader, delivery.id, as_found=True)
            first = replace(first, also=await outbox.elsewhere(db.reader, first))
            console.print(_message(render.alert([first, *copies], UTC, delivery.reason), "alert"))
        sent += 1
        async with db.transaction() as tx:
            await outbox.mark_sent(tx, delivery, sent, _now())
    if sent > ALERTS_SHOWN:
        console.print(f"… and {sent - ALERTS_SHOWN} more alerts like these.\n", style="dim")


async def _show_digest(db: Database, console: Console) -> None:
    wanted = {s.watchlist_id: None for s in await subscriptions.of_chat(db.reader, DIGESTED)}
    async with db.transaction() as tx:
        await digests.owe(tx, DIGESTED, None, wanted, _now())
    (delivery,) = [
        d for d in await outbox.next_due(db.reader, _now()) if d.kind is DeliveryKind.DIGEST
    ]
    printed = await print_digest(db.reader, delivery, _now(), UTC)
    console.print(_message(f"{printed.caption}\n\n{printed.text.html}", "digest"))


async def _show_next_steps(db: Database, console: Console) -> None:
    summary = Table.grid(padding=(0, 2))
    summary.add_row("posts stored", str(await posts.count(db.reader)))
    summary.add_row("hits stored", str(await hits.count(db.reader)))
    summary.add_row(
        "database", f"{os.path.relpath(db.path)} (SQLite; tables channels, posts, hits, outbox)"
    )
    console.print(Panel(summary, title="what was kept", title_align="left"))
    query = "SELECT name, count(*) FROM hits JOIN terms ON terms.id = term_id GROUP BY 1 ORDER BY 2 DESC"
    console.print(
        f"Look inside:    sqlite3 {shlex.quote(os.path.relpath(db.path))} {shlex.quote(query)}",
        soft_wrap=True,
    )
    console.print("Your own rules: python -m bot match --watchlists FILE.yaml --posts posts.jsonl")
    console.print(
        "For real:       cp .env.example .env, fill it in, then make run (README: Set-up)"
    )


def _message(html: str, title: str) -> Panel:
    return Panel(as_text(html), title=title, title_align="left", border_style="dim", width=WIDTH)


def as_text(html: str) -> Text:
    """A Telegram message as a terminal can show it."""
    terminal = _Terminal()
    terminal.feed(html)
    terminal.close()
    return terminal.text


class _Terminal(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text = Text()
        self._styles: list[str] = []

    def handle_starttag(self, tag: str, attributes: object) -> None:
        self._styles.append(STYLES.get(tag, ""))
        if tag == "blockquote":
            self.text.append("▎ ", "dim")

    def handle_endtag(self, tag: str) -> None:
        self._styles.pop()

    def handle_data(self, data: str) -> None:
        self.text.append(data, " ".join(style for style in self._styles if style))
