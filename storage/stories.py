"""Which posts tell the same story, who was first, and what came since?"""

from collections.abc import AsyncIterator
from datetime import datetime

from aiosqlite import Connection

from storage.db import moment, stamp
from storage.model import Channel, ChannelKind, Place, Post, PostKey
from storage.posts import COLUMNS, from_row

_PAGE = 1000
_MOVABLE = """
    (story_posts.story_channel_id, story_posts.story_message_id) = (?1, ?2)
    AND NOT EXISTS (SELECT 1 FROM story_posts AS other
                    WHERE other.story_channel_id = ?1 AND other.story_message_id = ?2
                      AND (other.channel_id, other.message_id) <> (?1, ?2))
"""


async def place(tx: Connection, post: PostKey, story: PostKey) -> PostKey:
    """Remember a stored post's story; return it as it is remembered.

    What others joined, or what joined another one, stays there. A story that is not remembered
    (its transaction failed) begins with this post.
    """
    found = post if story == post else await of(tx, story) or post
    rows = await tx.execute_fetchall(
        f"""
        INSERT INTO story_posts VALUES (?1, ?2, ?3, ?4)
        ON CONFLICT DO UPDATE
        SET story_channel_id = iif({_MOVABLE}, ?3, story_channel_id),
            story_message_id = iif({_MOVABLE}, ?4, story_message_id)
        RETURNING story_channel_id, story_message_id
        """,
        (*post, *found),
    )
    return next(PostKey(*row) for row in rows)


async def of(db: Connection, post: PostKey) -> PostKey | None:
    """The story that a post tells. A message of an album will do for the post."""
    rows = await db.execute_fetchall(
        """
        SELECT story_channel_id, story_message_id FROM story_posts
        WHERE channel_id = ?1 AND message_id IN (
            SELECT ?2 UNION ALL
            SELECT post_id FROM album_messages WHERE channel_id = ?1 AND message_id = ?2)
        ORDER BY message_id <> ?2 LIMIT 1
        """,
        post,
    )
    return next((PostKey(*row) for row in rows), None)


async def members(db: Connection, story: PostKey) -> list[Place]:
    """Its posts in the order of publishing; the first one is the first publisher's."""
    rows = await db.execute_fetchall(
        """
        SELECT channel_id, message_id, username, title, kind, published_at, deleted_at IS NOT NULL
        FROM story_posts JOIN posts USING (channel_id, message_id)
        JOIN channels ON channels.id = channel_id
        WHERE story_channel_id = ? AND story_message_id = ?
        ORDER BY published_at, channel_id, message_id
        """,
        story,
    )
    return [
        Place(
            Channel(channel_id, username, title, ChannelKind(kind)),
            message_id,
            moment(published_at),
            bool(deleted),
        )
        for channel_id, message_id, username, title, kind, published_at, deleted in rows
    ]


async def reached(db: Connection, story: PostKey, post: PostKey) -> int:
    """How many channels have it by this post of it; 0 when its channel had it before."""
    ((number, before),) = await db.execute_fetchall(
        "SELECT count(DISTINCT channel_id), sum(channel_id = ? AND message_id <> ?) "
        "FROM story_posts WHERE story_channel_id = ? AND story_message_id = ?",
        (*post, *story),
    )
    return 0 if before else int(number)


async def terms(db: Connection, story: PostKey, *, but: PostKey | None = None) -> set[int]:
    """Terms that its posts touch; `but` one: what a post brings anew is its terms without these."""
    rows = await db.execute_fetchall(
        """
        SELECT DISTINCT term_id FROM story_posts JOIN hits USING (channel_id, message_id)
        WHERE story_channel_id = ? AND story_message_id = ?
          AND (channel_id IS NOT ? OR message_id IS NOT ?)
        """,
        (*story, *(but or (None, None))),
    )
    return {term_id for (term_id,) in rows}


async def growth(db: Connection, story: PostKey, now: datetime) -> list[int]:
    """How many of its posts were published in the last hour, the one before, and so on."""
    rows = await db.execute_fetchall(
        "SELECT published_at FROM story_posts JOIN posts USING (channel_id, message_id) "
        "WHERE story_channel_id = ? AND story_message_id = ?",
        story,
    )
    hours = [max(int((now - moment(at)).total_seconds() // 3600), 0) for (at,) in rows]
    return [hours.count(hour) for hour in range(max(hours, default=-1) + 1)]


async def placed_since(
    db: Connection, since: datetime, room: int
) -> AsyncIterator[list[tuple[Post, PostKey]]]:
    """The latest posts with their stories, oldest first, a page at a time."""
    query = f"""
        SELECT * FROM (
            SELECT story_channel_id, story_message_id, {COLUMNS}
            FROM posts JOIN story_posts USING (channel_id, message_id)
            WHERE published_at >= ?
            ORDER BY published_at DESC, channel_id DESC, message_id DESC LIMIT ?)
        ORDER BY published_at, channel_id, message_id
    """
    async with db.execute(query, (stamp(since), room)) as cursor:
        while rows := await cursor.fetchmany(_PAGE):
            yield [(from_row(*row[2:]), PostKey(*row[:2])) for row in rows]
