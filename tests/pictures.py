"""The README's pictures: an alert and a digest of the demo data, as SVG.

python -m tests.pictures docs
"""

import asyncio
import io
import re
import sys
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI

from bot import demo, render
from storage import outbox
from storage.db import open_database
from storage.model import Channel, DeliveryKind, Entry, Place, Verdict

ALERT = "two independent readers"  # words of the post that the picture of an alert shows


async def draw(folder: Path) -> None:
    silent = Console(file=io.StringIO())
    await demo.show(demo.DATABASE, silent)
    async with open_database(demo.DATABASE) as db:
        alerts = []
        rows = await db.reader.execute_fetchall("SELECT id, kind FROM outbox ORDER BY id")
        for id, kind in rows:
            entries = await outbox.entries(db.reader, id)
            if kind == DeliveryKind.ALERT:
                alerts += entries
            if kind == DeliveryKind.ALERT and ALERT in entries[0].post.text:
                write(folder / "alert.svg", render.alert(entries[:1], UTC))
                write(folder / "edited.svg", render.alert([later(entries[0])], UTC))
            elif kind == DeliveryKind.DIGEST:
                digest = render.digest(entries[:8], UTC, entries[0].post.published_at)
                write(folder / "digest.svg", digest.html)
        write(folder / "merged.svg", render.merged(alerts[:14], UTC).html)


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


if __name__ == "__main__":
    asyncio.run(draw(Path(sys.argv[1])))
