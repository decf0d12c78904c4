"""Which stored posts tell the story of a post?

Posts with hits are placed into stories as they come. For any other the posts of 48 hours before and
after it that share its rarest words are compared with it when somebody asks.
"""

import asyncio
from collections.abc import Sequence

from storage import search, stories
from storage.db import Database
from storage.model import Entry, Place
from watchers.candidates import Has, expression
from watchers.search_keys import CHANNEL, SOUND, keys_of
from watchers.stories import Stories
from watchers.window import WINDOW

_RAREST = 8  # words
_SHORTEST = 4  # letters of such a word
_MOST = 2000  # posts compared


async def places(db: Database, entry: Entry) -> list[Place]:
    """Where the story of a stored post stands, oldest first, the post itself among them."""
    story = await stories.of(db.reader, entry.post.key)
    if story:
        return await stories.members(db.reader, story)
    keys = {
        key
        for key in keys_of(entry.post).split()
        if len(key) >= _SHORTEST and key[0] not in (SOUND, CHANNEL[0])
    }
    rare = await search.rarest(db.reader, keys, _RAREST)
    if not rare:
        return [_place(entry)]
    near = await search.candidates(
        db.reader,
        expression(Has(frozenset(rare))),
        below=search.first_number(entry.post.published_at + WINDOW),
        since=entry.post.published_at - WINDOW,
        limit=_MOST,
    )
    others = [one.entry for one in near if one.entry.post.key != entry.post.key]
    return await asyncio.to_thread(_of_one_story, entry, others)


def _of_one_story(entry: Entry, others: Sequence[Entry]) -> list[Place]:
    placed = Stories()
    every = sorted([entry, *others], key=lambda one: (one.post.published_at, one.post.key))
    told = {one.post.key: placed.place(one.post) for one in every}
    return [_place(one) for one in every if told[one.post.key] == told[entry.post.key]]


def _place(entry: Entry) -> Place:
    post = entry.post
    return Place(entry.channel, post.message_id, post.published_at, bool(entry.deleted_at))
