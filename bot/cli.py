"""Which commands does the program have? Each is a thin call.

What a command needs is imported inside it: aiogram alone takes a second to load, and `match` has
no use for it.
"""

import asyncio
import getpass
import logging
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer
from rich.console import Console

from storage.db import DatabaseUnusable

if TYPE_CHECKING:
    from bot.settings import Settings

T = TypeVar("T")

cli = typer.Typer(
    help="Watch public Telegram channels, find every post that touches a watchlist, tell the "
    "right chat. Settings come from the environment or .env; see .env.example.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # its tracebacks show the values of variables
    rich_markup_mode=None,
)
stderr = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)


@cli.command()
def demo() -> None:
    """Show alerts and a digest made from bundled posts; no credentials."""
    from bot.demo import show
    from bot.settings import read_language
    from bot.speech import speaking

    with speaking(read_language()):  # what chats would get; the demo's own lines are English
        _finish(show, DatabaseUnusable)


@cli.command()
def run() -> None:
    """The daemon: watch and tell until Ctrl-C."""
    settings = _settings()  # before the slow imports: a mistake is said at once
    _log(settings.secrets)
    from bot.lazy_types import import_aiogram

    import_aiogram()
    from bot.app import CannotRun, run

    _finish(lambda: run(settings), CannotRun, DatabaseUnusable)


@cli.command()
def login(
    qr: Annotated[bool, typer.Option("--qr", help="Show a QR code to scan.")] = False,
    number: Annotated[
        int, typer.Option("--account", help="Which of the files in TELEGRAM_SESSION.")
    ] = 1,
) -> None:
    """Sign in, once, to the account that reads channels."""
    from watchers.login import LoginFailed, login

    settings = _settings()
    _log(settings.secrets)
    accounts = settings.accounts
    if not accounts:
        _fail(
            "TELEGRAM_API_ID and TELEGRAM_API_HASH are not set: get both from "
            "https://my.telegram.org and put them into .env"
        )
    if isinstance(accounts[0].session, str):
        _fail(
            "TELEGRAM_SESSION_STRING is set and holds a login already: "
            "remove it to use a session file"
        )
    if not 1 <= number <= len(accounts):
        _fail(f"TELEGRAM_SESSION names {len(accounts)} files: --account is 1 to {len(accounts)}")
    draw = _draw_qr if qr else None
    account = accounts[number - 1]
    _finish(lambda: login(account, typer.echo, input, getpass.getpass, draw), LoginFailed)


def _draw_qr(link: str) -> None:
    import qrcode

    drawing = qrcode.QRCode(border=2)
    drawing.add_data(link)
    drawing.print_ascii(invert=True)


@cli.command()
def doctor() -> None:
    """Check settings, session, token, database and clock."""
    settings = _settings()
    _log(settings.secrets)
    from bot.lazy_types import import_aiogram

    import_aiogram()
    from bot.doctor import examine

    async def report() -> None:
        well = True
        async for finding in examine(settings):
            well &= finding.well
            typer.echo(f"{'✓' if finding.well else '✗'} {finding.text}")
        if not well:
            raise typer.Exit(2)

    _finish(report)


@cli.command()
def match(
    watchlists: Annotated[
        str, typer.Option(help="A watchlist file (YAML), or the name of a bundled pack.")
    ],
    posts: Annotated[
        str, typer.Option(help="A file of posts, one JSON object a line; - is standard input.")
    ] = "-",
) -> None:
    """Match posts against watchlists: JSON lines in and out."""
    from bot.match import match_stream

    raise typer.Exit(match_stream(watchlists, posts, sys.stdout.buffer, sys.stderr))


@cli.command()
def backtest(
    watchlists: Annotated[
        str, typer.Option(help="A watchlist file (YAML), or the name of a bundled pack.")
    ],
    since: Annotated[str, typer.Option(help="How far back: 36h, 14d.")] = "14d",
) -> None:
    """What these watchlists would have matched in the stored posts."""
    from bot.match import BadInput
    from bot.periods import read_length
    from bot.settings import read_database
    from bot.trying import backtest_file
    from watchers.watchlist_file import WatchlistFileError

    period = read_length(since)
    if period is None:
        _fail(f"--since {since}: write a number and h or d, such as 14d")

    async def work() -> None:
        await backtest_file(read_database(), watchlists, period, sys.stdout, sys.stderr)

    _finish(work, BadInput, WatchlistFileError, DatabaseUnusable)


@cli.command("import")
def import_(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="A result.json of Telegram Desktop.")
    ],
) -> None:
    """Store the posts of Telegram Desktop exports; nobody is alerted of them."""
    from bot.imports import import_files
    from bot.settings import read_database

    database = read_database()
    outcome = 0

    async def work() -> None:
        nonlocal outcome
        outcome = await import_files(database, files, sys.stdout, sys.stderr)

    _finish(work, DatabaseUnusable)
    raise typer.Exit(outcome)


@cli.command()
def export(
    file: Annotated[
        str,
        typer.Argument(help="The file to write: ….csv, ….jsonl or ….html; - is standard output."),
    ],
    period: Annotated[
        str,
        typer.Option(
            help="When it was published: 14d, yesterday, 2026-01-01..2026-01-31 (UTC), all."
        ),
    ] = "all",
    posts: Annotated[
        bool, typer.Option("--posts", help="All posts, not only those with hits.")
    ] = False,
    watchlist: Annotated[str, typer.Option(help="Hits of this watchlist only.")] = "",
    channel: Annotated[str, typer.Option(help="Of this channel only: @name, link, number.")] = "",
    format_: Annotated[
        str, typer.Option("--format", help="csv, jsonl or html; by default what FILE ends in.")
    ] = "",
    bom: Annotated[
        bool, typer.Option("--bom", help="CSV with a byte order mark, which Excel needs.")
    ] = False,
) -> None:
    """Write hits or posts of a period, with every version, into a new file. See docs/export.md."""
    from bot.export import NotExported, export_file, read_request
    from bot.new_file import NotWritten
    from bot.settings import read_database

    async def write() -> None:
        request = read_request(file, period, posts, watchlist, channel, format_, bom)
        work = export_file(read_database(), file, request)
        if file == "-":
            # Nothing is to be removed, and a thread that waits for a reader can't be told to end.
            for name in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE):
                signal.signal(name, signal.SIG_DFL)
            typer.echo(await work, err=True)
        else:
            typer.echo(await _until_stopped(work))

    _finish(write, NotExported, NotWritten, DatabaseUnusable)


@cli.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The file to write; it must not be there yet.")],
) -> None:
    """Copy the database, consistent, while the daemon may go on writing."""
    from bot.new_file import NotWritten, new_file
    from bot.settings import read_database
    from storage.backup import CopyFailed, copy

    database = read_database()

    async def write() -> None:
        try:
            with new_file(file) as filling:
                posts = await _until_stopped(copy(database, filling))
        except CopyFailed as error:
            _fail(f"{file} can't be written: {error}")
        typer.echo(f"{file}: {database} with {posts:,} posts, {file.stat().st_size:,} bytes")

    _finish(write, NotWritten, DatabaseUnusable)


watchlist_commands = typer.Typer(no_args_is_help=True, help="Watchlists as YAML files.")
cli.add_typer(watchlist_commands, name="watchlists")


@watchlist_commands.command("import")
def import_watchlists(
    file: Annotated[str, typer.Argument(help="A watchlist file, or the name of a bundled pack.")],
) -> None:
    """Add a file's watchlists and terms; what is there besides stays. The daemon notices."""
    from bot.match import BadInput, read_watchlists
    from bot.settings import read_database
    from storage import watchlists
    from storage.db import open_database
    from watchers.watchlist_file import WatchlistFileError

    try:
        given = read_watchlists(file)
    except (BadInput, WatchlistFileError) as error:
        _fail(str(error))

    async def store() -> None:
        async with open_database(read_database()) as db:
            for watchlist in given:
                async with db.transaction() as tx:
                    _, changed = await watchlists.put(tx, watchlist, datetime.now(UTC))
                typer.echo(f"{watchlist.name}: {changed} of {len(watchlist.terms)} terms are new")

    _finish(store, DatabaseUnusable)


@watchlist_commands.command("export")
def export_watchlists(
    file: Annotated[Path, typer.Argument(help="The YAML file to write.")],
) -> None:
    """Write the watchlists of the database into a file."""
    from bot.settings import read_database
    from storage import watchlists
    from storage.db import open_database
    from watchers.watchlist_file import dump

    async def write() -> None:
        async with open_database(read_database()) as db:
            stored = await watchlists.all(db.reader)
        try:
            file.write_text(dump(stored), encoding="utf-8")
        except OSError as error:
            _fail(f"{file} can't be written: {error.strerror}")
        typer.echo(f"{len(stored)} watchlists are in {file}")

    _finish(write, DatabaseUnusable)


def main() -> None:
    os.umask(0o077)  # what the program writes is for this user alone
    cli()


def _settings() -> "Settings":
    from bot.settings import BadSettings, read_settings

    try:
        return read_settings()
    except BadSettings as error:
        _fail(str(error))


def _finish(work: Callable[[], Coroutine[Any, Any, None]], *mendable: type[Exception]) -> None:
    """Run to the end; what a person can mend is one line and exit code 2, never a traceback."""
    try:
        asyncio.run(work())
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except mendable as error:
        _fail(str(error))


async def _until_stopped(work: Coroutine[Any, Any, T]) -> T:
    """Ctrl-C and SIGTERM end the work; what it began to write is removed."""
    task = asyncio.ensure_future(work)
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        stderr.print("Stopped: nothing was kept of it.")
        raise typer.Exit(130) from None


def _fail(message: str) -> NoReturn:
    stderr.print(message)
    raise typer.Exit(2)


class Redacted(logging.Formatter):
    """A line a record, with every secret blotted out wherever it came from, tracebacks too."""

    def __init__(self, secrets: Iterable[str]) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")
        self._secrets = [secret for secret in secrets if secret]

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        for secret in self._secrets:
            line = line.replace(secret, "[secret]")
        return line


def _log(secrets: Iterable[str]) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(Redacted(secrets))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for name in ("aiogram", "apscheduler", "aiosqlite", "asyncio"):
        logging.getLogger(name).setLevel(logging.ERROR)
    # Telethon's lines name channels, and the reading list is a secret. What they tell, the
    # source's supervisor tells too.
    logging.getLogger("telethon").setLevel(logging.CRITICAL)
    # A crash is a log record like any other: cleaned of secrets.
    sys.excepthook = lambda kind, error, trace: logging.critical(
        "the program has a fault and ends", exc_info=(kind, error, trace)
    )
