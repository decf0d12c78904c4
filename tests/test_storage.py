"""Does what is stored keep the promises of the design?"""

from contextlib import suppress
from datetime import timedelta

import pytest

from storage import channels, chats, digests, hits, mutes, outbox, posts, subscriptions, watchlists
from storage.db import stamp
from storage.model import (
    Delivery,
    DeliveryKind,
    Extra,
    Forward,
    Mutable,
    Mute,
    Period,
    Subscription,
    Term,
    Wanted,
)
from storage.posts import Saved
from tests import make


@pytest.fixture
async def hit(db):
    """A stored hit of term 1 in post 1 of channel 1."""
    async with db.transaction() as tx:
        await channels.add(tx, make.channel(1, "news"), 0, make.NOON)
        id = await watchlists.create(tx, make.watchlist(), make.NOON)
        await watchlists.add_term(tx, id, Term(0, "эшелон"), make.NOON)
        await posts.save(tx, make.post("эшелон"), make.NOON)
        (hit,) = await hits.save(tx, [make.hit("эшелон", "эшелон")], make.NOON)
    return hit


def alert(*owed, chat_id=7, **fields):
    return Delivery(chat_id, DeliveryKind.ALERT, make.NOON, owed, **fields)


class Undone(Exception):
    pass


async def untold(db, chat_id, watchlists, muted_at=None):
    """The posts that a digest would tell the chat."""
    with suppress(Undone):  # nothing is told by asking
        async with db.transaction() as tx:
            id = await outbox.add(tx, Delivery(chat_id, DeliveryKind.DIGEST, make.NOON), make.NOON)
            await digests.tell_untold(tx, id, chat_id, watchlists, muted_at)
            told = await digests.told_by(tx, id)
            raise Undone
    return [one.message_id for one in told]


async def test_a_post_seen_twice_is_stored_once(db):
    async with db.transaction() as tx:
        await channels.add(tx, make.channel(1), 0, make.NOON)
        seen = [(await posts.save(tx, make.post("a"), make.NOON))[1] for _ in range(2)]
    assert seen == [Saved.NEW, Saved.KNOWN]


async def test_an_older_edit_does_not_replace_a_newer_one(db):
    later, earlier = make.NOON + timedelta(minutes=2), make.NOON + timedelta(minutes=1)
    async with db.transaction() as tx:
        await channels.add(tx, make.channel(1), 0, make.NOON)
        seen = [
            (await posts.save(tx, make.post(text, edited_at=edited), make.NOON))[1]
            for text, edited in (("a", None), ("c", later), ("b", earlier), ("a", None))
        ]
        ((text,),) = await tx.execute_fetchall("SELECT text FROM posts")
    assert seen == [Saved.NEW, Saved.EDITED, Saved.KNOWN, Saved.KNOWN]
    assert text == "c"


async def test_a_chat_is_told_of_a_hit_once(db, hit):
    async with db.transaction() as tx:
        await outbox.add(tx, alert(hit), make.NOON)
    with pytest.raises(Exception, match="UNIQUE"):
        async with db.transaction() as tx:
            await outbox.add(tx, alert(hit), make.NOON)
    assert await outbox.waiting(db.reader) == 1


async def test_a_digest_is_what_was_never_told(db, hit):
    assert await untold(db, 7, {1: None}) == [1]
    async with db.transaction() as tx:
        await outbox.add(tx, alert(hit), make.NOON)
    assert await untold(db, 7, {1: None}) == []
    assert await untold(db, 8, {1: None}) == [1]


async def test_hits_from_before_the_subscription_or_the_period_are_not_owed(db, hit):
    later = make.NOON + timedelta(seconds=1)
    assert await untold(db, 7, {1: later}) == []
    assert await digests.of_period(db.reader, Period(later, later), Wanted()) == []
    assert not await digests.is_any(db.reader, Period(later, later), Wanted())
    assert await untold(db, 7, {2: None}) == []


async def test_a_digest_of_a_period_takes_what_was_never_told_of_it(db, hit):
    day, other = Period(make.NOON, make.NOON + timedelta(days=1)), Wanted((2,))
    assert await digests.is_any(db.reader, day, Wanted((1,), (1,), (hit.term_id,)))
    assert not await digests.is_any(db.reader, day, other)
    async with db.transaction() as tx:
        empty = await outbox.add(tx, Delivery(7, DeliveryKind.DIGEST, make.NOON), make.NOON)
        await digests.tell_of_period(tx, empty, 7, day, other)
        first = await outbox.add(tx, Delivery(7, DeliveryKind.DIGEST, make.NOON), make.NOON)
        for _ in range(2):
            await digests.tell_of_period(tx, first, 7, day, Wanted((1,)))
    assert await digests.told_by(db.reader, empty) == []
    assert [one.post for one in await digests.told_by(db.reader, first)] == [(1, 1)]


MUTES = [
    (Mutable.CHAT, 7, []),
    (Mutable.WATCHLIST, 1, []),
    (Mutable.CHANNEL, 1, []),
    (Mutable.TERM, 1, []),
    (Mutable.WATCHLIST, 2, [1]),
    (Mutable.CHANNEL, 2, [1]),
    (Mutable.TERM, 2, [1]),
]


@pytest.mark.parametrize(("what", "target", "told"), MUTES)
async def test_what_is_muted_stays_untold_unless_it_is_asked_for(db, hit, what, target, told):
    later = make.NOON + timedelta(hours=1)
    async with db.transaction() as tx:
        await mutes.put(tx, Mute(7, what, target, later))
    assert await untold(db, 7, {1: None}, make.NOON) == told
    assert await digests.is_untold(db.reader, 7, {1: None}, make.NOON) == bool(told)
    assert await untold(db, 7, {1: None}) == [1]
    assert await untold(db, 8, {1: None}, make.NOON) == [1]
    assert await untold(db, 7, {1: None}, later) == [1]


async def test_the_cursor_never_goes_back(db, hit):
    async with db.transaction() as tx:
        for message_id in (5, 3):
            await channels.advance(tx, 1, message_id, make.NOON)
    assert await channels.cursor(db.reader, 1) == 5


async def test_a_channel_added_again_starts_anew(db, hit):
    async with db.transaction() as tx:
        assert not await channels.add(tx, make.channel(1, "renamed"), 9, make.NOON)
        await channels.remove(tx, 1, make.NOON)
        assert await channels.watched(tx) == []
        assert await channels.add(tx, make.channel(1, "renamed"), 9, make.NOON)
    (ledger,) = await channels.watched(db.reader)
    assert (ledger.channel.username, ledger.start, ledger.cursor) == ("renamed", 9, 9)


async def test_trouble_is_news_once_and_gone_after_a_look(db, hit):
    async with db.transaction() as tx:
        told = [await channels.set_trouble(tx, 1, "private") for _ in range(2)]
        await channels.advance(tx, 1, 1, make.NOON)
    assert told == [True, False]
    assert (await channels.watched(db.reader))[0].trouble is None


async def test_a_removed_term_keeps_its_hits_and_what_is_owed_for_them(db, hit):
    async with db.transaction() as tx:
        id = await outbox.add(tx, alert(hit), make.NOON)
        assert await watchlists.remove_term(tx, 1, "эшелон", make.NOON)
        assert not await watchlists.remove_term(tx, 1, "эшелон", make.NOON)
        assert await watchlists.add_term(tx, 1, Term(0, "эшелон"), make.NOON)
        assert not await watchlists.add_term(tx, 1, Term(0, "эшелон"), make.NOON)
    (entry,) = await outbox.entries(db.reader, id)
    assert entry.findings[0].term == "эшелон"


async def test_every_change_of_what_is_watched_for_shows_in_the_revision(db, hit):
    seen = [await watchlists.revision(db.reader)]
    changes = [
        lambda tx: watchlists.add_term(tx, 1, Term(0, "состав"), make.NOON),
        lambda tx: watchlists.remove_term(tx, 1, "состав", make.NOON),
        lambda tx: channels.add(tx, make.channel(2), 0, make.NOON),
        lambda tx: channels.remove(tx, 2, make.NOON),
        lambda tx: tx.execute("UPDATE watchlists SET languages = '[\"ru\"]'"),
    ]
    for change in changes:
        async with db.transaction() as tx:
            await change(tx)
        seen.append(await watchlists.revision(db.reader))
    assert seen == sorted(set(seen))


async def test_only_the_oldest_due_message_of_each_chat_that_may_be_written_to(db, hit):
    async with db.transaction() as tx:
        first = await outbox.add(tx, alert(hit, chat_id=7), make.NOON)
        for chat_id in (7, 8, 9):
            notice = Delivery(chat_id, DeliveryKind.NOTICE, make.NOON, text="hello")
            await outbox.add(tx, notice, make.NOON)
        await chats.pause(tx, 9, "blocked", make.NOON)
    due = await outbox.next_due(db.reader, make.NOON)
    assert [(d.chat_id, d.kind) for d in due] == [
        (7, DeliveryKind.ALERT),
        (8, DeliveryKind.NOTICE),
    ]

    async with db.transaction() as tx:
        await outbox.postpone(tx, first, make.NOON + timedelta(seconds=5))
    later = await outbox.next_due_at(db.reader, make.NOON)
    assert later == make.NOON + timedelta(seconds=5)
    assert await outbox.next_due_at(db.reader, later) is None


async def test_a_group_takes_everything_along_to_its_new_id(db, hit):
    async with db.transaction() as tx:
        await subscriptions.put(tx, Subscription(1, 7), make.NOON)
        await outbox.add(tx, alert(hit), make.NOON)
        await chats.migrate(tx, 7, -100)
    assert [d.chat_id for d in await outbox.next_due(db.reader, make.NOON)] == [-100]
    assert [s.chat_id for s in await subscriptions.of_chat(db.reader, -100)] == [-100]
    assert await untold(db, -100, {1: None}) == []


async def test_a_group_whose_new_id_is_known_already_is_merged_into_it(db, hit):
    async with db.transaction() as tx:
        for chat_id in (7, -100):
            await subscriptions.put(tx, Subscription(1, chat_id), make.NOON)
            await outbox.add(tx, alert(hit, chat_id=chat_id), make.NOON)
        await chats.migrate(tx, 7, -100)
    assert {d.chat_id for d in await outbox.next_due(db.reader, make.NOON)} == {-100}
    assert len(await subscriptions.instant(db.reader)) == 2  # the old one stays where it was


async def test_what_does_not_fit_becomes_the_next_message(db, hit):
    async with db.transaction() as tx:
        delivery = Delivery(7, DeliveryKind.DIGEST, make.NOON, (hit,))
        first = await outbox.add(tx, delivery, make.NOON)
        await outbox.move(tx, delivery, [hit], make.NOON)
    assert await outbox.entries(db.reader, first) == []
    assert len(await outbox.entries(db.reader, first + 1)) == 1


async def test_a_paused_chat_is_news_once(db):
    async with db.transaction() as tx:
        await chats.ensure(tx, 7)
        told = [await chats.pause(tx, 7, "blocked", make.NOON) for _ in range(2)]
        assert await chats.paused(tx) == [(7, "blocked")]
        back = [await chats.resume(tx, 7) for _ in range(2)]
    assert (told, back) == ([True, False], [True, False])


async def versions(tx):
    rows = await tx.execute_fetchall(
        "SELECT message_id, text FROM post_versions ORDER BY replaced_at"
    )
    return [tuple(row) for row in rows]


async def test_what_an_edit_replaces_is_kept(db):
    async with db.transaction() as tx:
        await channels.add(tx, make.channel(1), 0, make.NOON)
        for minute, text in enumerate("abc"):
            edited = make.NOON + timedelta(minutes=minute) if minute else None
            await posts.save(
                tx, make.post(text, edited_at=edited), make.NOON + timedelta(minutes=minute)
            )
        assert await versions(tx) == [(1, "a"), (1, "b")]


@pytest.mark.parametrize("order", ["123", "321", "231", "312"])
async def test_an_album_is_one_post_whichever_message_comes_first(db, order):
    captions = {1: "", 2: "эшелон", 3: ""}
    async with db.transaction() as tx:
        await channels.add(tx, make.channel(1), 0, make.NOON)
        for id in map(int, order):
            album = tuple(range(1, 4)) if order[0] == str(id) else (id, int(order[0]))
            message = make.post(captions[id], message_id=id, album=album)
            await posts.save(tx, message, make.NOON)
        rows = await tx.execute_fetchall("SELECT message_id, text FROM posts")
        assert [tuple(row) for row in rows] == [(1, "эшелон")]
        assert await posts.ids_between(tx, 1, 0, 9) == {1, 2, 3}
        assert await posts.mark_deleted(tx, 1, [1, 2], make.NOON) == 0
        assert await posts.mark_deleted(tx, 1, [1, 2, 3], make.NOON) == 1
        assert await posts.ids_between(tx, 1, 0, 9) == set()


async def test_an_album_that_is_renumbered_takes_its_hits_along(db, hit):
    async with db.transaction() as tx:
        await posts.save(tx, make.post("", message_id=5, album=(5, 6)), make.NOON)
        (other,) = await hits.save(tx, [make.hit("", message_id=5)], make.NOON)
        await outbox.add(tx, alert(other), make.NOON)
        await posts.save(tx, make.post("", message_id=4, album=(4, 5)), make.NOON)
    assert await untold(db, 8, {1: None}) == [1, 4]
    assert await untold(db, 7, {1: None}) == [1]


async def test_a_forward_keeps_its_origin_and_the_counts_are_the_newest(db, hit):
    origin = Forward(make.NOON, 7, 8, "Origin")
    async with db.transaction() as tx:
        for views in (10, 25, None):
            post = make.post("x", message_id=9, forward=origin, views=views, forwards=2)
            await posts.save(tx, post, make.NOON)
        stored, _ = await posts.save(tx, make.post("x", message_id=9), make.NOON)
    assert (stored.forward, stored.views, stored.forwards) == (origin, 25, 2)


async def test_a_deleted_post_keeps_its_text_and_can_come_back(db, hit):
    async with db.transaction() as tx:
        assert await posts.mark_deleted(tx, 1, [1, 77], make.NOON) == 1
        assert await posts.mark_deleted(tx, 1, [1], make.NOON) == 0
        ((text, gone),) = await tx.execute_fetchall("SELECT text, deleted_at FROM posts")
        assert (text, gone) == ("эшелон", stamp(make.NOON))
        await posts.save(tx, make.post("эшелон"), make.NOON)
        ((gone,),) = await tx.execute_fetchall("SELECT deleted_at FROM posts")
        assert gone is None


@pytest.fixture
def exact():
    """A post as the Telegram source gives it: edits have their time."""
    return lambda text, minute=None, **fields: make.post(
        text, edited_at=minute and make.NOON + timedelta(minutes=minute), **fields
    )


@pytest.fixture
def shown():
    """A post as the web preview gives it: an edit has no time of its own."""
    return lambda text, edited=False, **fields: make.post(
        text, edited_at=make.NOON if edited else None, **fields
    )


async def saved(db, *given):
    async with db.transaction() as tx:
        await channels.add(tx, make.channel(1), 0, make.NOON)
        for minute, post in enumerate(given):
            stored, _ = await posts.save(tx, post, make.NOON + timedelta(minutes=minute))
        rows = await tx.execute_fetchall("SELECT text FROM post_versions")
    return stored, sorted(text for (text,) in rows)


async def test_an_edit_without_a_time_replaces_what_was_never_edited(db, shown):
    stored, versions = await saved(db, shown("a"), shown("b", True), shown("c", True), shown("a"))
    assert (stored.text, versions) == ("c", ["a", "b"])


async def test_an_edit_with_a_time_replaces_one_without(db, shown, exact):
    stored, versions = await saved(
        db, exact("a"), shown("b", True), exact("c", 5), shown("b", True)
    )
    assert (stored.text, versions) == ("c", ["a", "b"])


async def test_an_edit_without_a_time_replaces_one_with_only_if_it_is_news(db, shown, exact):
    given = exact("a"), exact("b", 5), shown("a", True), shown("", True), shown("c", True)
    stored, versions = await saved(db, *given)
    assert (stored.text, versions) == ("c", ["a", "b"])
    assert stored.edited_at == make.NOON + timedelta(minutes=5)  # so that the exact one is newer
    again, versions = await saved(db, exact("c", 7), shown("c", True), exact("d", 8))
    assert (again.text, versions) == ("d", ["a", "b", "c"])


async def test_sources_that_take_turns_come_to_rest(db, shown, exact):
    one = exact("a b", extras=(Extra("file", "plan.pdf"),))
    other = shown("a  b", extras=(Extra("preview", "Title"),))
    stored, versions = await saved(db, one, other, one, other, one)
    assert stored.text == "a b"
    assert stored.extras == (Extra("file", "plan.pdf"), Extra("preview", "Title"))
    assert versions == []
    stored, versions = await saved(db, one, shown("x"), one, shown("x"), shown(""))
    assert (stored.text, versions) == ("x", ["a b"])


async def test_a_forward_may_have_no_time(db):
    origin = Forward(None, None, 8, "Origin")
    await saved(db, make.post("a", forward=origin))
    stored, _ = await saved(db, make.post("a"))
    assert stored.forward == origin
