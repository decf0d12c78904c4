"""All sources together: who keeps them going, and who is asked for a channel by its name?"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from storage.model import Channel
from storage.said import Said
from watchers import second
from watchers.ingest import (
    Flooded,
    NotJoined,
    Page,
    Source,
    SourceLost,
    SourceState,
    Tell,
    supervise,
)
from watchers.pipeline import Pipeline
from watchers.preview import PreviewSource
from watchers.references import Reference
from watchers.share import GRACE, Share


@dataclass(frozen=True, slots=True)
class Member:
    source: Source
    rank: int = 0  # those of a higher rank read only when no source below them is well
    state: SourceState = field(default_factory=SourceState)


class Sources:
    """Each under a supervisor of its own: the death of one never stops another."""

    def __init__(self, members: Sequence[Member]) -> None:
        self.members = tuple(sorted(members, key=lambda member: member.rank))
        self._share = Share(GRACE if any(m.rank == 0 for m in self.members) else 0.0)

    def start(
        self, tasks: asyncio.TaskGroup, pipeline: Pipeline, tell: Tell
    ) -> list[asyncio.Task[None]]:
        work = [
            supervise(m.source, pipeline, tell, m.state, self._share, m.rank) for m in self.members
        ]
        work += [
            second.assist(m.source, pipeline, self._share)
            for m in self.members
            if m.rank > 0 and isinstance(m.source, PreviewSource)
        ]
        return [tasks.create_task(each) for each in work]

    async def resolve(self, reference: Reference) -> tuple[Channel, int]:
        """Ask the first source that can answer. Raises ChannelRefused, Flooded, SourceLost."""
        first: Flooded | SourceLost | None = None
        for member in sorted(self.members, key=lambda m: (m.rank, m.state.trouble is not None)):
            try:
                return await member.source.resolve(reference)
            except (Flooded, SourceLost) as error:
                first = first or error
        raise first or SourceLost(Said("there is no source to ask"))

    async def join(self, channel: Channel) -> None:
        """With whichever account reads it now. Raises as Source.join does."""
        reader = self._share.reader_of(channel.id)
        for member in self.members:
            if member.source.name == reader:
                return await member.source.join(channel)
        raise NotJoined(Said("no Telegram account is connected at present"))

    def joined(self) -> frozenset[int]:
        """The channels that any account is a member of."""
        return frozenset().union(*(member.source.joined() for member in self.members))

    async def page(self, channel: Channel, below: int | None, limit: int) -> Page:
        """From whichever source reads this channel now, unless it only stands in for another.

        Raises as Source.page does.
        """
        reader = self._share.reader_of(channel.id)
        for member in self.members:
            if member.source.name == reader and not self._share.stands_in(member.rank):
                return await member.source.page(channel, below, limit)
        raise SourceLost(Said("no source is connected at present"))
