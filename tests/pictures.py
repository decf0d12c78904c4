"""The README's pictures: an alert and a digest of the demo data, as SVG.

python -m tests.pictures docs
"""

import asyncio
import io
import re
import sys
from datetime import UTC
from pathlib import Path

from rich.console import Console
from rich.terminal_theme import MONOKAI

from bot import demo, render
from storage import outbox
from storage.db import open_database
from storage.model import DeliveryKind

ALERT = "two independent readers"  # words of the post that the picture of an alert shows


async def draw(folder: Path) -> None:
    silent = Console(file=io.StringIO())
    await demo.show(demo.DATABASE, silent)
    async with open_database(demo.DATABASE) as db:
        rows = await db.reader.execute_fetchall("SELECT id, kind FROM outbox ORDER BY id")
        for id, kind in rows:
            entries = await outbox.entries(db.reader, id)
            if kind == DeliveryKind.ALERT and ALERT in entries[0].post.text:
                write(folder / "alert.svg", render.alert(entries[:1], UTC))
            elif kind == DeliveryKind.DIGEST:
                digest = render.digest(entries[:8], UTC, entries[0].post.published_at)
                write(folder / "digest.svg", digest.html)


def write(path: Path, html: str) -> None:
    console = Console(record=True, width=72, file=io.StringIO(), force_terminal=True)
    console.print(demo.as_text(html))
    svg = console.export_svg(title=path.stem, theme=MONOKAI)
    path.write_text(re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    asyncio.run(draw(Path(sys.argv[1])))
