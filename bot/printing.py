"""Of which messages does one digest consist?"""

import asyncio
import gc
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo

from aiosqlite import Connection

from bot import charts, digest_page, digest_text
from bot.speech import say
from storage.model import Delivery, Part, PostKey
from watchers import editions
from watchers.editions import Edition

CHARTED = 8  # hits: fewer are told without a picture


@dataclass(frozen=True, slots=True)
class Printed:
    """A digest, ready to be sent; what it does not need is None."""

    edition: Edition
    zone: tzinfo
    coverage: str
    text: digest_text.Text
    caption: str = ""
    chart: bytes | None = None  # PNG
    file: bytes | None = None  # HTML

    def next_part(self, part: Part) -> Part | None:
        """The first one that it needs, from this on."""
        needed = {
            Part.CHART: self.chart is not None,
            Part.STORIES: True,
            Part.FILE: self.file is not None,
        }
        return next((one for one in Part if one >= part and needed[one]), None)

    def after(self, part: Part) -> Part | None:
        return None if part is Part.FILE else self.next_part(Part(part + 1))

    def without_chart(self) -> "Printed":
        """What the caption would have said stands in the text."""
        text = digest_text.text(self.edition, self.zone, self.coverage)
        return replace(self, text=text, chart=None)

    @property
    def told(self) -> set[PostKey]:
        """The stories that stand in the text."""
        return {entry.story or entry.post.key for entry in self.text.told}

    @property
    def file_name(self) -> str:
        start, end = (at.astimezone(self.zone) for at in self.edition.period)
        return f"{say('digest')} {start:%Y-%m-%d %H.%M} – {end:%Y-%m-%d %H.%M}.html"


async def print_digest(
    db: Connection, delivery: Delivery, now: datetime, zone: tzinfo, coverage: str = ""
) -> Printed:
    """Compose a digest; what takes the processor a while is done beside the event loop."""
    with _keeping_all():
        edition = await editions.read(db, delivery, now, zone)
        return await asyncio.to_thread(_print, edition, zone, coverage)


@contextmanager
def _keeping_all() -> Iterator[None]:
    """Of the hundred thousands of objects that a large digest is made of, none is garbage before it is
    done: to look for some again and again takes a fifth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _print(edition: Edition, zone: tzinfo, coverage: str) -> Printed:
    chart = None
    if edition.series and edition.hits >= CHARTED:
        period = digest_text.period_shown(edition.period, zone, whole=edition.asked)
        title = say("Posts · {period}", period=period)
        chart = charts.chart(edition.series, title, zone)
    text = digest_text.text(edition, zone, coverage, charted=chart is not None)
    return Printed(
        edition,
        zone,
        coverage,
        text,
        digest_text.caption(edition, zone, coverage),
        chart,
        None if text.complete else digest_page.page(edition, zone, coverage, chart),
    )
