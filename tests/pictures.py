"""The README's pictures: an alert and a digest of the demo data, as SVG; the digest as a phone shows
it, light and dark.

python -m tests.pictures docs
python -m tests.pictures docs --language be   # the digest alone, as digest-be-light.svg and -dark
"""

import argparse
import asyncio
import io
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from aiosqlite import Connection
from rich.console import Console
from rich.terminal_theme import MONOKAI

from bot import demo, render
from bot.printing import print_digest
from bot.speech import ENGLISH, LANGUAGE, LANGUAGES, speaking
from storage import outbox
from storage.db import open_database
from storage.model import Channel, Delivery, DeliveryKind, Entry, Place, Verdict
from tests import phone

ALERT = "two independent readers"  # words of the post that the picture of an alert shows


async def draw(folder: Path) -> None:
    silent = Console(file=io.StringIO())
    await demo.show(demo.DATABASE, silent)
    async with open_database(demo.DATABASE) as db:
        alerts = []
        rows = await db.reader.execute_fetchall("SELECT id, kind FROM outbox ORDER BY id")
        for id, kind in rows:
            entries = await outbox.entries(db.reader, id)
            if kind == DeliveryKind.DIGEST:
                await draw_digest(folder, db.reader, await outbox.one(db.reader, id))
            if LANGUAGE.get() != ENGLISH:
                continue
            if kind == DeliveryKind.ALERT:
                alerts += entries
            if kind == DeliveryKind.ALERT and ALERT in entries[0].post.text:
                write(folder / "alert.svg", render.alert(entries[:1], UTC))
                write(folder / "edited.svg", render.alert([later(entries[0])], UTC))
        if alerts:
            write(folder / "merged.svg", render.merged(alerts[:14], UTC).html)


async def draw_digest(folder: Path, db: Connection, delivery: Delivery) -> None:
    """Its chart with the caption, and the first stories."""
    now = datetime(2026, 3, 12, 6, tzinfo=UTC)
    printed = await print_digest(db, delivery, now, ZoneInfo("Europe/Warsaw"))
    stories = "\n\n".join(printed.text.html.split("\n\n")[:4])
    language = LANGUAGE.get()
    name = "digest" if language == ENGLISH else f"digest-{language}"
    for theme, colours in phone.THEMES.items():
        svg = phone.screen([(printed.chart, printed.caption), (None, stories)], colours)
        (folder / f"{name}-{theme}.svg").write_text(svg, encoding="utf-8")


def later(entry: Entry) -> Entry:
    """The same post a while later: its author has added to it, others have copied it."""
    text, minutes = entry.post.text, timedelta(minutes=17)
    cut = text.rfind(" ", 0, len(text) - 20)
    edited = replace(entry.post, edited_at=entry.post.published_at + minutes)
    copies = [
        Place(Channel(n, name, name), n, entry.post.published_at + timedelta(minutes=4 * n))
        for n, name in enumerate(("vestki_region", "rail_watch_demo", "polesse_live", "x", "y"), 1)
    ]
    said = (Verdict(1, "Ann", True), Verdict(2, "Bob", True))
    return replace(entry, post=edited, before=text[:cut], also=tuple(copies), verdicts=said)


def write(path: Path, html: str) -> None:
    console = Console(record=True, width=72, file=io.StringIO(), force_terminal=True)
    console.print(demo.as_text(html))
    svg = console.export_svg(title=path.stem, theme=MONOKAI)
    path.write_text(re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL), encoding="utf-8")


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--language", choices=LANGUAGES, default=ENGLISH)
    given = arguments.parse_args()
    with speaking(given.language):
        asyncio.run(draw(given.folder))


if __name__ == "__main__":
    main()
