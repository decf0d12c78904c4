"""Which channels are quiet far beyond their own rhythm? Their owners are told once, and again after."""

from datetime import timedelta

from storage import channels
from storage.model import Ledger
from storage.said import Said
from watchers.ingest import Tell, rhythms
from watchers.pipeline import Pipeline
from watchers.rhythm import Rhythm, duration, silent

LOOKED = timedelta(minutes=30)  # a channel not looked at for longer is our silence, not its own


async def check(pipeline: Pipeline, tell: Tell) -> None:
    known = await rhythms(pipeline)
    for ledger in await channels.watched(pipeline.db.reader):
        if ledger.looked_at is None or pipeline.clock() - ledger.looked_at > LOOKED:
            continue
        rhythm = known[ledger.channel.id]
        async with pipeline.db.transaction() as tx:
            news = await channels.set_silent(tx, ledger.channel.id, silent(rhythm))
        if news:
            await tell(said(ledger, rhythm))


def said(ledger: Ledger, rhythm: Rhythm) -> Said:
    channel = ledger.channel.title
    if not silent(rhythm):
        return Said("{channel} publishes again.", channel=channel)
    return Said(
        "{channel} has been silent for {time}; usually it publishes every {usual}. "
        "Look whether it moved, was blocked, or is just quiet.",
        channel=channel,
        time=duration(rhythm.last),
        usual=duration(rhythm.usual or 0),
    )
