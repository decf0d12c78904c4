"""How do exports get into storage, whatever interrupts them?

Each batch is one transaction together with how far it got, so that a second run goes on there. What
is stored already is parsed once more, which is some twenty times quicker than storing it, and simpler
than to parse from the middle. The position is kept by what a file holds, not by its name, and only
until its end is reached: imported again it is read again, which changes nothing.
"""

import asyncio
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from aiosqlite import Connection

from storage import channels, imports, posts
from storage.model import Channel, Post
from watchers.export_file import BadExport, ExportFile
from watchers.exports import Exported, as_album, read_posts
from watchers.pipeline import Counts, Pipeline

BATCH = 200  # posts, or albums, in one transaction
REST = 0.25  # of the time that a batch took: then the daemon may write
IDENTITY = 1 << 20  # bytes at the beginning that tell a file from another of its size


@dataclass(slots=True)
class Imported:
    """What the import of one file came to."""

    read: int = 0  # posts
    counts: Counts = field(default_factory=Counts)
    left: int = 0  # posts that are left to catch-up
    channels: set[int] = field(default_factory=set)
    resumed: int = 0  # messages that an earlier run had stored
    ended: bool = False


async def import_file(
    pipeline: Pipeline,
    path: Path,
    imported: Imported,
    refuse: Callable[[str], None],
    moved: Callable[[int], None],
) -> None:
    """Store the posts of an export, telling `moved` the byte reached and `imported` the rest.

    Raises BadExport, DatabaseUnusable; what was stored until then stays.
    """
    file = identity(path)
    imported.resumed = await imports.position(pipeline.db.reader, file)
    export = ExportFile(path)
    for batch in _batches(read_posts(export, refuse, imported.resumed)):
        began = time.monotonic()
        if batch:
            await _store(pipeline, file, batch, imported)
        moved(export.position)
        await asyncio.sleep((time.monotonic() - began) * REST)
    moved(export.position)
    async with pipeline.db.transaction() as tx:
        await imports.forget(tx, file)
    imported.ended = True


def identity(path: Path) -> str:
    """What tells a file from others, wherever it lies: its size and a hash of its beginning."""
    try:
        with path.open("rb") as file:
            digest = hashlib.sha256(file.read(IDENTITY)).hexdigest()
        return f"{path.stat().st_size}-{digest}"
    except OSError as error:
        raise BadExport(f"{path} can't be read: {error.strerror}") from error


def _batches(found: Iterator[Exported | None]) -> Iterator[list[Exported]]:
    """Until the export ends or proves bad: what came before the mistake is given, too.

    An empty batch is a pause for breath: the bar moves, Ctrl-C is heard.
    """
    batch: list[Exported] = []
    try:
        for exported in found:
            if exported is not None:
                batch.append(exported)
            if exported is None or len(batch) == BATCH:
                yield batch
                batch = []
    except BadExport:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


async def _store(pipeline: Pipeline, file: str, batch: list[Exported], imported: Imported) -> None:
    await _know({exported.channel for exported in batch}, pipeline, imported)
    history = await _history(pipeline, batch, imported)

    async def note(tx: Connection, counts: Counts) -> None:
        await imports.note(tx, file, batch[-1].number)

    imported.counts += await pipeline.take(history, alert=False, note=note)
    imported.read += len(history)


async def _know(found: set[Channel], pipeline: Pipeline, imported: Imported) -> None:
    """Channels that nobody watches have their posts stored, too, and are not watched for that."""
    if new := [channel for channel in found if channel.id not in imported.channels]:
        async with pipeline.db.transaction() as tx:
            for channel in new:
                await channels.note(tx, channel, pipeline.clock())
        imported.channels.update(channel.id for channel in new)


async def _history(pipeline: Pipeline, batch: list[Exported], imported: Imported) -> list[Post]:
    """What is not news, with what looks like an album as one post, unless another source knew it
    as several."""
    db, history = pipeline.db.reader, []
    news = await channels.news(db)
    for exported in batch:
        first, *others = exported.posts or (None,)
        if first is None:
            continue
        if _is_news(first, news):
            imported.left += 1
        elif others and not await posts.any_of(
            db, first.channel_id, [post.message_id for post in others]
        ):
            history.append(as_album(exported.posts))
        else:
            history += exported.posts
    return history


def _is_news(post: Post, news: Mapping[int, tuple[int, datetime]]) -> bool:
    """Is it catch-up that has to find it, because chats are to be alerted of it?"""
    cursor, added_at = news.get(post.channel_id, (post.message_id, post.published_at))
    return post.message_id > cursor and post.published_at >= added_at
