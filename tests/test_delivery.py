"""Does every message that is owed arrive, within Telegram's limits, whatever the server does?"""

import asyncio
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from aiogram.exceptions import TelegramUnauthorizedError

from bot import delivery
from bot.app import open_bot
from bot.delivery import GROUP_A_MINUTE, OVERALL, Pace, Sender, back_off
from bot.settings import Settings
from storage import channels, chats, hits, outbox, posts, subscriptions, watchlists
from storage.model import Chat, Delivery, DeliveryKind, Severity, Subscription, Term
from tests import make
from watchers.pipeline import Pipeline


def now():
    return datetime.now(UTC)


@pytest.fixture
def pipeline(db):
    return Pipeline(db, now)


@pytest.fixture
def wake(pipeline):
    return pipeline.owed


@pytest.fixture
def told():
    """What the owners were told."""
    return []


@pytest.fixture
def sending(pipeline, api, told):
    @asynccontextmanager
    async def running(options=None, **settings):
        async def tell(text):
            told.append(text)

        async with open_bot(
            Settings(_env_file=None, bot_token=api.token, bot_api_url=api.url, **settings)
        ) as bot:
            sender = Sender(bot, pipeline, UTC, tell, **(options or {}))
            task = asyncio.create_task(sender.run())
            try:
                yield sender
            finally:
                sender.stop()
                await task

    return running


@pytest.fixture
def quick(monkeypatch):
    """Where the pace is not what is looked at."""
    monkeypatch.setattr(delivery, "CHAT_PAUSE", 0.05)


@pytest.fixture
def ann(api):
    return api.user(7, "Ann", started=True)


@pytest.fixture
def owe(db, wake):
    async def notice(text, chat_id=7, **fields):
        async with db.transaction() as tx:
            owed = Delivery(chat_id, DeliveryKind.NOTICE, now(), text=text, **fields)
            id = await outbox.add(tx, owed, now())
        wake.set()
        return id

    return notice


async def state(db, id):
    ((*row,),) = await db.reader.execute_fetchall(
        "SELECT sent_at IS NOT NULL, attempts, failed FROM outbox WHERE id = ?", (id,)
    )
    return row


async def until(db, id, column="sent_at"):
    async with asyncio.timeout(10):
        while True:
            rows = await db.reader.execute_fetchall(
                f"SELECT 1 FROM outbox WHERE id = ? AND {column} IS NOT NULL", (id,)
            )
            if list(rows):
                return
            await asyncio.sleep(0.01)


async def test_what_is_owed_is_sent_once_and_marked(db, sending, ann, owe):
    async with sending():
        id = await owe("hello")
        await until(db, id)
    assert [m["text"] for m in ann.messages] == ["⚠️ hello"]
    assert await state(db, id) == [1, 0, None]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    "fault",
    [
        {"what": 500},
        {"what": 502, "html": True},
        {"what": "drop"},
        {"what": 429, "retry_after": 1},
        {"what": 418, "description": "I'm a teapot"},
    ],
    ids=str,
)
async def test_trouble_that_passes_is_waited_for(db, api, sending, ann, owe, monkeypatch, fault):
    monkeypatch.setattr(delivery, "back_off", lambda attempts: 0.05)
    api.fail("sendMessage", fault.pop("what"), **fault)
    async with sending():
        id = await owe("hello")
        await until(db, id)
    assert len(ann.messages) == 1
    assert (await state(db, id))[:2] == [1, 1]


@pytest.mark.usefixtures("quick")
async def test_a_lost_answer_repeats_the_message_and_loses_none(
    db, api, sending, ann, owe, monkeypatch
):
    monkeypatch.setattr(delivery, "back_off", lambda attempts: 0.05)
    api.fail("sendMessage", "lost")
    async with sending():
        await until(db, await owe("hello"))
    assert len(ann.messages) == 2


async def test_a_hanging_chat_does_not_hold_up_another(db, api, sending, ann, owe):
    bob = api.user(8, "Bob", started=True)
    api.fail("sendMessage", "hang", seconds=2, chat_id=7)
    async with sending():
        slow = await owe("slow")
        await until(db, await owe("quick", chat_id=8))
        assert (await state(db, slow))[0] == 0
        assert [m["text"] for m in bob.messages] == ["⚠️ quick"]


@pytest.mark.usefixtures("quick")
async def test_a_chat_that_blocks_the_bot_is_paused_and_kept_for(
    db, api, wake, sending, ann, owe, told
):
    api.block(ann)
    async with sending():
        id = await owe("hello")
        async with asyncio.timeout(5):
            while not told:
                await asyncio.sleep(0.01)
        assert "Chat 7 can't be written to (Forbidden: bot was blocked by the user)" in told[0]
        assert await state(db, id) == [0, 0, None]

        api.unblock(ann)
        async with db.transaction() as tx:
            await chats.resume(tx, 7)
        wake.set()
        await until(db, id)
    assert len(told) == 1


async def test_a_chat_that_is_gone_is_paused(db, sending, owe, told):
    async with sending():
        await owe("hello", chat_id=999)
        async with asyncio.timeout(5):
            while not told:
                await asyncio.sleep(0.01)
    assert await chats.paused(db.reader) == [(999, "Bad Request: chat not found")]


async def test_a_group_that_became_a_supergroup_gets_it_there(db, api, sending, owe):
    group = api.group("Desk")
    new = api.migrate(group)
    async with sending():
        await until(db, await owe("hello", chat_id=group.id))
    assert [m["text"] for m in new.messages if "text" in m] == ["⚠️ hello"]


@pytest.mark.usefixtures("quick")
async def test_a_topic_that_is_gone_sends_it_to_the_group(db, api, sending, owe):
    forum = api.supergroup("Desk", forum=True)
    thread = forum.topic("rail")
    async with sending():
        await until(db, await owe("in its topic", chat_id=forum.id, thread_id=thread))
        forum.delete_topic(thread)
        await until(db, await owe("without it", chat_id=forum.id, thread_id=thread))
    threads = [m.get("message_thread_id") for m in forum.messages if "text" in m]
    assert threads == [thread, None]


async def test_markup_that_is_refused_is_sent_plain(db, api, sending, ann, owe, monkeypatch):
    monkeypatch.setattr(delivery.render, "safe", lambda text: text)
    async with sending():
        id = await owe("<b>5 < 6</b>")
        await until(db, id)
    assert len(ann.messages) == 1
    assert not ann.messages[0].get("entities")


@pytest.mark.parametrize("kind", [DeliveryKind.NOTICE, DeliveryKind.ALERT])
async def test_a_message_refused_for_good_is_given_up_aloud(
    db, api, sending, ann, told, wake, kind
):
    api.fail("sendMessage", 400, description="Bad Request: message is strange", times=None)
    id = await (owe_alert(db, "эшелон") if kind is DeliveryKind.ALERT else owe_notice(db))
    async with sending():
        await until(db, id, "failed")
    assert (await state(db, id))[2] == "Bad Request: message is strange"
    assert len(told) == (kind is DeliveryKind.ALERT)  # a notice about a notice would never end


async def owe_notice(db):
    async with db.transaction() as tx:
        owed = Delivery(7, DeliveryKind.NOTICE, now(), text="hello")
        return await outbox.add(tx, owed, now())


async def owe_alert(db, *texts, kind=DeliveryKind.ALERT):
    found = []
    async with db.transaction() as tx:
        await channels.add(tx, make.channel(1, "news"), 0, now())
        await watchlists.create(tx, make.watchlist(), now())
        await watchlists.add_term(tx, 1, Term(0, "эшелон"), now())
        for number, text in enumerate(texts, start=1):
            await posts.save(tx, make.post(text, message_id=number), now())
            found += await hits.save(tx, [make.hit(text, "эшелон", message_id=number)], now())
        return await outbox.add(tx, Delivery(7, kind, now(), tuple(found)), now())


async def owe_many(db, number=40):
    texts = [f"эшелон {n} " + "слово " * 40 for n in range(number)]
    return await owe_alert(db, *texts, kind=DeliveryKind.DIGEST)


async def all_sent(db):
    async with asyncio.timeout(20):
        while await outbox.waiting(db.reader):
            await asyncio.sleep(0.05)


def kinds(chat):
    return [next(k for k in ("photo", "document", "text") if k in m) for m in chat.messages]


@pytest.mark.usefixtures("quick")
async def test_a_long_digest_is_a_picture_a_message_and_a_file_with_nothing_left_out(
    db, api, sending, ann
):
    await owe_many(db)
    async with sending():
        await all_sent(db)
    assert kinds(ann) == ["photo", "text", "document"]
    picture, stories, file = ann.messages
    assert "Digest · 40 stories in 40 posts of 1 channel" in picture["caption"]
    assert "more stories in the file below" in stories["text"]
    assert [bool(m.get("disable_notification")) for m in ann.messages] == [False, True, True]
    assert file["document"]["file_name"].endswith(".html")
    page = api.files[file["document"]["file_id"]].data.decode()
    assert all(f"<b>эшелон</b> {n} " in page for n in range(40))


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("method", ["sendPhoto", "sendMessage", "sendDocument"])
async def test_of_a_digest_only_the_message_that_failed_is_repeated(
    db, api, sending, ann, method, monkeypatch
):
    monkeypatch.setattr(delivery, "back_off", lambda attempts: 0.01)
    await owe_many(db)
    api.fail(method, 502)
    async with sending():
        await all_sent(db)
    assert kinds(ann) == ["photo", "text", "document"]


@pytest.mark.usefixtures("quick")
async def test_a_digest_goes_on_after_a_restart_where_it_was(db, api, sending, ann):
    await owe_many(db)
    async with sending():
        async with asyncio.timeout(20):
            while len(ann.messages) < 1:
                await asyncio.sleep(0.01)
    assert await outbox.waiting(db.reader) == 1
    async with sending():
        await all_sent(db)
    assert kinds(ann) == ["photo", "text", "document"]


@pytest.mark.usefixtures("quick")
async def test_a_chat_that_takes_no_pictures_or_files_gets_it_in_words(db, api, sending, ann):
    api.fail(
        "sendPhoto", 400, description="Bad Request: not enough rights to send photos to the chat"
    )
    for _ in range(9):
        refused = "Bad Request: not enough rights to send documents to the chat"
        api.fail("sendDocument", 400, description=refused)
    await owe_many(db)
    async with sending():
        await all_sent(db)
    text = "\n".join(m.get("text", "") for m in ann.messages)
    assert all(f"эшелон {n} " in text for n in range(40))
    assert not await chats.is_paused(db.reader, 7)
    assert "Digest · 40 stories" in ann.messages[0]["text"]


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("refused", [False, True], ids=["with its picture", "without"])
async def test_a_digest_speaks_the_language_of_its_chat(db, api, sending, ann, refused):
    if refused:
        api.fail("sendPhoto", 400, description="Bad Request: not enough rights to send photos")
    await owe_many(db)
    async with db.transaction() as tx:
        await chats.put(tx, Chat(7, language="be"))
    async with sending():
        await all_sent(db)
    *heads, file = ann.messages
    assert all("1 сту 12:00" in m.get("caption", m.get("text")) for m in heads)
    page = api.files[file["document"]["file_id"]].data.decode()
    assert '<html lang="be">' in page
    assert "1 сту 12:00" in page


@pytest.mark.usefixtures("quick")
async def test_a_digest_that_is_owed_to_a_chat_that_left_is_told_as_a_whole_later(
    db, api, sending, ann
):
    await owe_many(db)
    api.fail("sendMessage", 403, description="Forbidden: bot was blocked by the user")
    async with sending(), asyncio.timeout(20):
        while not await chats.is_paused(db.reader, 7):
            await asyncio.sleep(0.01)
    assert kinds(ann) == ["photo"]
    async with db.transaction() as tx:
        await outbox.resume(tx, 7, now())
    async with sending():
        await all_sent(db)
    assert kinds(ann) == ["photo", "photo", "text", "document"]


async def test_a_revoked_token_ends_it(db, api, sending, owe):
    api.fail("sendMessage", 401, description="Unauthorized")
    with pytest.raises(ExceptionGroup) as group:  # noqa: PT012
        async with sending():
            await owe("hello")
            await asyncio.sleep(0.3)
    assert group.group_contains(TelegramUnauthorizedError)


async def test_at_the_end_what_is_under_way_is_finished(db, api, sending, ann, owe):
    api.fail("sendMessage", "hang", seconds=0.5)
    async with sending():
        id = await owe("hello")
        await api.wait_for(lambda: api.called("sendMessage"))
    assert (await state(db, id))[0] == 1


async def test_at_the_end_what_hangs_is_cut_off(db, api, sending, ann, owe, monkeypatch):
    monkeypatch.setattr(delivery, "DRAIN_WITHIN", 0.2)
    api.fail("sendMessage", "hang")
    async with sending():
        id = await owe("hello")
        await api.wait_for(lambda: api.called("sendMessage"))
    assert (await state(db, id))[0] == 0


def test_a_chat_gets_one_a_second_and_a_group_twenty_a_minute():
    group, ann = -5, 7
    sent = {group: [], ann: []}
    for chat in sent:
        pace, at = Pace(), 0.0
        for _ in range(50):
            at = max(at, pace.free_at(chat))
            pace.spend(chat, at)
            sent[chat].append(at)
    for times in sent.values():
        assert all(b - a >= 1 for a, b in pairwise(times))
    windows = zip(sent[group], sent[group][GROUP_A_MINUTE:], strict=False)
    assert all(later - at >= 60 for at, later in windows)
    assert sent[ann][-1] == 49


def test_all_chats_together_get_thirty_a_second():
    pace, at, sent = Pace(), 0.0, []
    for chat in range(1, 201):
        at = max(at, pace.free_at(chat))
        pace.spend(chat, at)
        sent.append(at)
    assert all(b - a >= 1 for a, b in zip(sent, sent[OVERALL:], strict=False))
    assert sent[-1] == 6


def test_told_to_wait_a_chat_waits():
    pace = Pace()
    pace.wait(7, until=30.0)
    assert (pace.free_at(7), pace.free_at(8)) == (30.0, 0.0)


def test_back_off_grows_to_a_bound():
    assert [back_off(n) for n in (0, 1, 5, 50)] == [1, 2, 32, 300]


async def test_a_subscription_in_a_topic_keeps_its_topic(db):
    async with db.transaction() as tx:
        await watchlists.create(tx, make.watchlist(), now())
        await subscriptions.put(tx, Subscription(1, -5, thread_id=3), now())
        await outbox.drop_thread(tx, Delivery(-5, DeliveryKind.NOTICE, now(), thread_id=3))
    assert (await subscriptions.of_chat(db.reader, -5))[0].thread_id is None


async def test_alerts_that_wait_are_merged_and_none_is_left_out(db, api, sending, ann, wake):
    api.limits = True
    ids = await owe_alerts(db, 150)
    async with sending():
        async with asyncio.timeout(20):
            while await outbox.waiting(db.reader):
                await asyncio.sleep(0.05)
    links = [e["url"] for m in ann.messages for e in m["entities"] if e["type"] == "text_link"]
    assert sorted(links) == sorted(f"https://t.me/news/{n}" for n in range(1, len(ids) + 1))
    assert len(ann.messages) <= 4
    assert "hits in list1" in ann.messages[0]["text"]


async def owe_alerts(db, number, chat_id=7):
    """One alert a post, as when they come one by one."""
    await owe_alert(db, *(f"эшелон {n}" for n in range(1, number + 1)))
    ids = []
    async with db.transaction() as tx:
        await tx.execute("DELETE FROM outbox_hits")
        await tx.execute("DELETE FROM outbox")
        for n in range(1, number + 1):
            hit = make.hit(f"эшелон {n}", "эшелон", message_id=n)
            ids.append(await outbox.add(tx, Delivery(7, DeliveryKind.ALERT, now(), (hit,)), now()))
    return ids


@pytest.mark.usefixtures("quick")
async def test_low_severity_arrives_silently(db, api, sending, owe, ann):
    async with sending():
        await until(db, await owe("quietly", severity=Severity.LOW))
        await until(db, await owe("aloud"))
    assert [bool(call.get("disable_notification")) for call in api.called("sendMessage")] == [
        True,
        False,
    ]


@pytest.mark.usefixtures("quick")
async def test_edits_and_deletions_show_in_the_alert(db, api, sending, ann, pipeline):
    async with db.transaction() as tx:
        await channels.add(tx, make.channel(1, "news"), 0, now())
        await watchlists.create(tx, make.watchlist(), now())
        await watchlists.add_term(tx, 1, Term(0, "эшелон"), now())
        await subscriptions.put(tx, Subscription(1, 7), now())
    at = now().replace(microsecond=0)
    async with sending():
        await pipeline.take([make.post("прошёл эшелон", published_at=at)])
        await ann.expect(text="прошёл эшелон")
        edited = at + timedelta(minutes=5)
        await pipeline.take(
            [make.post("прошёл эшелон, 40 вагонов", published_at=at, edited_at=edited)]
        )
        await api.wait_for(lambda: "added «эшелон, 40 вагонов»" in ann.messages[0]["text"])
        async with db.transaction() as tx:
            await posts.mark_deleted(tx, 1, [1], now())
        pipeline.owed.set()
        await api.wait_for(lambda: "🗑 deleted" in ann.messages[0]["text"])
    assert len(ann.messages) == 1
    assert "прошёл эшелон, 40 вагонов" in ann.messages[0]["text"]


@pytest.mark.usefixtures("quick")
async def test_what_can_no_longer_be_edited_is_left_alone(db, api, sending, ann, pipeline):
    id = await owe_alert(db, "эшелон")
    api.fail("editMessageText", 400, description="Bad Request: message can't be edited")
    async with sending():
        await until(db, id)
        async with db.transaction() as tx:
            await posts.mark_deleted(tx, 1, [1], now())
        pipeline.owed.set()
        await api.wait_for(lambda: api.called("editMessageText"))
        async with asyncio.timeout(5):
            while await outbox.next_changed(db.reader):
                await asyncio.sleep(0.01)
    assert "deleted" not in ann.messages[0]["text"]


@pytest.mark.usefixtures("quick")
async def test_a_repeat_says_that_it_may_be_one(db, api, sending, ann, owe, monkeypatch):
    monkeypatch.setattr(delivery, "back_off", lambda attempts: 0.05)
    api.fail("sendMessage", "lost")
    async with sending():
        await until(db, await owe("hello"))
    assert [m["text"] for m in ann.messages] == ["⚠️ hello", "🔁 may be a repeat\n⚠️ hello"]


async def test_a_refusal_is_no_try(db, api, sending, ann, owe):
    api.fail("sendMessage", 429, retry_after=1)
    async with sending():
        await until(db, await owe("hello"))
    assert [m["text"] for m in ann.messages] == ["⚠️ hello"]


def test_a_refused_chat_is_written_to_more_slowly_for_a_while():
    pace = Pace()
    pace.wait(7, until=0.0)
    pace.spend(7, 10.0)(10.0)
    assert pace.free_at(7) > 11.3
    for at in range(20, 40):
        pace.spend(7, at)(at)
    assert pace.free_at(7) == 40


def test_a_message_counts_from_its_answer():
    pace = Pace()
    answered = pace.spend(7, 10.0)
    answered(10.4)
    assert pace.free_at(7) == 11.4


STORY = (
    "Сегодня утром на станцию прибыл эшелон: 34 платформы, из них на двадцати одной стоит техника "
    "под брезентом, плюс два пассажирских вагона с охраной и полевой кухней"
)


@pytest.fixture
async def three_channels(db):
    async with db.transaction() as tx:
        for number in range(1, 12):
            await channels.add(tx, make.channel(number, f"news{number}"), 0, now())
        await watchlists.create(tx, make.watchlist(), now())
        for term in ("эшелон", "танк"):
            await watchlists.add_term(tx, 1, Term(0, term), now())
        await subscriptions.put(tx, Subscription(1, 7), now())


@pytest.mark.usefixtures("quick")
async def test_copies_of_a_story_show_in_its_alert_until_it_brings_a_new_term(
    api, sending, ann, pipeline, three_channels
):
    at = now().replace(microsecond=0)
    async with sending():
        await pipeline.take([make.post(STORY, published_at=at)])
        await ann.expect(text="на станцию прибыл")
        await pipeline.take([make.post(f"🚂 {STORY}!", channel_id=2, published_at=at)])
        await pipeline.take([make.post(f"Пишут: {STORY}", channel_id=3, published_at=at)])
        await api.wait_for(lambda: "also in: @news2" in ann.messages[0]["text"])
        await api.wait_for(lambda: "@news3" in ann.messages[0]["text"])
        assert len(ann.messages) == 1

        more = f"{STORY}. Там же разгружают танк"
        await pipeline.take([make.post(more, channel_id=4, published_at=at)])
        await ann.expect(text="new in a story told before")
        await api.wait_for(lambda: "+" not in ann.messages[0]["text"])
    assert len(ann.messages) == 2


@pytest.mark.usefixtures("quick")
async def test_a_story_that_spreads_is_told_again(api, sending, ann, pipeline, three_channels):
    async with sending():
        await pipeline.take([make.post(STORY)])
        await ann.expect(text="на станцию прибыл")
        for channel in range(2, 11):
            await pipeline.take([make.post(STORY, channel_id=channel)])
        again = await ann.expect(text="10 channels have this story by now")
        assert "+6" in again["text"]  # 3 named, and itself
    assert len(ann.messages) == 2


@pytest.mark.parametrize("previews", [True, False])
async def test_an_alert_shows_the_posts_card_where_that_is_wanted(
    db, api, pipeline, ann, sending, previews
):
    id = await owe_alert(db, "эшелон")
    async with sending(options={"previews": previews, "protect": True}):
        await until(db, id)
    (call,) = api.called("sendMessage")
    options = call["link_preview_options"]
    assert (options.get("url"), bool(options.get("is_disabled"))) == (
        ("https://t.me/news/1", False) if previews else (None, True)
    )
    assert call["protect_content"] in (True, "true")


@pytest.mark.usefixtures("quick")
async def test_a_second_post_of_the_tenth_channel_is_no_spread(
    api, sending, ann, pipeline, three_channels
):
    async with sending():
        await pipeline.take([make.post(STORY)])
        await ann.expect(text="на станцию прибыл")
        for channel in range(2, 11):
            await pipeline.take([make.post(STORY, channel_id=channel)])
        await ann.expect(text="10 channels have this story by now")
        await pipeline.take([make.post(f"Ещё раз: {STORY}", channel_id=10, message_id=2)])
        await api.wait_for(lambda: "+7" in ann.messages[0]["text"])
    assert len(ann.messages) == 2


@pytest.mark.usefixtures("quick")
async def test_a_copy_of_what_was_refused_for_good_is_told(
    db, api, sending, ann, told, pipeline, three_channels
):
    api.fail("sendMessage", 400, times=2, description="Bad Request: message is strange")
    async with sending():
        await pipeline.take([make.post(STORY)])
        async with asyncio.timeout(10):
            while not told:
                await asyncio.sleep(0.01)
        await pipeline.take([make.post(STORY, channel_id=2)])
        await ann.expect(text="на станцию прибыл")


async def test_a_merged_message_that_changes_sends_nothing_again(db, api, sending, ann, pipeline):
    await owe_alerts(db, 90)
    async with sending():
        async with asyncio.timeout(20):
            while await outbox.waiting(db.reader):
                await asyncio.sleep(0.05)
        sent = len(ann.messages)
        async with db.transaction() as tx:  # every line longer than before, so that they don't fit
            await tx.execute("UPDATE channels SET title = ?", ("Ж" * 60,))
            await tx.execute("UPDATE terms SET name = ?", ("ы" * 60,))
            await tx.execute("UPDATE hits SET matched = ?", ('["' + "щ" * 60 + '"]',))
            await posts.mark_deleted(tx, 1, [1], now())
        pipeline.owed.set()
        async with asyncio.timeout(10):
            while await outbox.next_changed(db.reader):
                await asyncio.sleep(0.01)
        assert await outbox.waiting(db.reader) == 0
    assert len(ann.messages) == sent


async def test_sent_plain_a_message_is_sent_whole(db, api, sending, ann):
    await owe_alerts(db, 60)
    api.fail("sendMessage", 400, description="Bad Request: can't parse entities")
    async with sending():
        async with asyncio.timeout(20):
            while await outbox.waiting(db.reader):
                await asyncio.sleep(0.05)
    assert sum(message["text"].count("•") for message in ann.messages) == 60
