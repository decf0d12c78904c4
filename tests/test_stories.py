"""Does a copy join its story, and does everything else stay apart?"""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from storage import channels, hits, posts, stories, subscriptions, watchlists
from storage.model import Forward, PostKey, Subscription, Term
from tests import bench_stories, make
from watchers.pipeline import Pipeline
from watchers.stories import Stories
from watchers.window import WINDOW

TEXT = (
    "⚡️ На станции Барановичи-Полесские разгрузили эшелон с военной техникой, сообщают железнодорожники.\n\n"
    "По их словам, техника направилась в сторону полигона Обуз-Лесновский, движение по переезду закрывали на час."
)
HALF = (
    "техника направилась в сторону полигона Обуз-Лесновский, движение по переезду закрывали на час"
)

COPIES = [
    ("the same", TEXT),
    ("other emoji", TEXT.replace("⚡️", "🔥👀") + "❗️"),
    ("punctuation", TEXT.replace(".", "!").replace(",", " –")),
    ("a header", "❗️❗️ Срочно от подписчиков\n\n" + TEXT),
    ("a footer", TEXT + "\n\nПодписаться | Прислать новость"),
    ("links", TEXT + "\nhttps://example.org/1 @other t.me/abc"),
    ("shortened", TEXT[: len(TEXT) * 2 // 3]),
    ("its end", TEXT[len(TEXT) // 3 :]),
    ("look-alike letters", TEXT.replace("о", "o").replace("а", "a")),
    ("invisible characters", TEXT.replace("н", "н\u200b")),
    ("decomposed", TEXT.replace("й", "и\u0306")),
    ("capitals", TEXT.upper()),
    ("a hashtag", TEXT.replace("эшелон", "#эшелон")),
    ("half of it", f"Вот что пишут наши коллеги сегодня утром: «{HALF}». А что видели вы? Пишите нам в бот"),
]  # fmt: skip

APART = [
    ("another region",
     "🚨 Воздушная тревога в Сумской области! Всем пройти в укрытие",
     "🚨 Воздушная тревога в Харьковской области! Всем пройти в укрытие"),
    ("a region on top",
     "Брестская область: воздушная опасность, всем оставаться в укрытиях до отбоя",
     "Гродненская область: воздушная опасность, всем оставаться в укрытиях до отбоя"),
    ("another rate",
     "Курс доллара на сегодня 91,20 рубля, евро 98,10 рубля, обновляется каждый день",
     "Курс доллара на сегодня 91,40 рубля, евро 98,70 рубля, обновляется каждый день"),
    ("a number more",
     "Цех по производству полистирола горит в Екатеринбурге на площади 1 тысяча метров",
     "Цех по производству полистирола горит в Екатеринбурге на площади 1,5 тысячи метров"),
    ("the other way round",
     "ДТП на трассе Лида - Орша: столкнулись две машины, движение затруднено",
     "ДТП на трассе Орша - Лида: столкнулись две машины, движение затруднено"),
    ("more victims",
     "После взрыва на заводе в Дзержинске погибли 3 человека, сообщили в местном управлении",
     "После взрыва на заводе в Дзержинске погибли 5 человек, сообщили в местном управлении"),
    ("a few words", "Видео очевидца событий", "Видео очевидца событий"),
    ("no words", "⚡️🔥 https://t.me/a/1", "⚡️🔥 https://t.me/a/1"),
    ("nothing", "", ""),
    ("a caption that begins alike",
     "Фото от наших подписчиков с места событий в Минске",
     "Фото от наших подписчиков с места событий у вокзала в Бресте вчера вечером"),
    ("a shared name",
     "Министр обороны Республики Беларусь Виктор Хренин прибыл на полигон под Брестом, где начались учения",
     "О поставках новых самолётов в войска рассказал министр обороны Республики Беларусь Виктор Хренин, "
     "они пройдут испытания зимой"),
    ("the same footer",
     "Дождь и ветер завтра\n\nПрислать новость, фото и видео можно в нашем боте круглые сутки",
     "Открыли новый мост\n\nПрислать новость, фото и видео можно в нашем боте круглые сутки"),
    ("a translation",
     TEXT,
     "На станцыі Баранавічы-Палескія разгрузілі эшалон з вайсковай тэхнікай, паведамляюць чыгуначнікі"),
    ("foreign letters", "მატარებელი გავიდა სადგურიდან დილით ადრე", "ქართული ენა არის ძალიან ლამაზი ადამი"),
]  # fmt: skip


def at(hours=0.0):
    return make.NOON + timedelta(hours=hours)


class Channels:
    """`tell(channel, text)` publishes the channel's next post, a minute after the last one."""

    def __init__(self):
        self.stories, self.now, self.last = Stories(), make.NOON, 0

    def tell(self, channel, text, **fields):
        self.last += 1
        self.now = fields.pop("published_at", self.now + timedelta(minutes=1))
        post = make.post(
            text, channel_id=channel, message_id=self.last, published_at=self.now, **fields
        )
        return post.key, self.stories.place(post)


@pytest.fixture
def channel():
    return Channels()


@pytest.mark.parametrize("copy", [c[1] for c in COPIES], ids=[c[0] for c in COPIES])
@pytest.mark.parametrize("copy_first", [False, True])
def test_a_copy_joins(channel, copy, copy_first):
    texts = (copy, TEXT) if copy_first else (TEXT, copy)
    first, _ = channel.tell(1, texts[0])
    assert channel.tell(2, texts[1])[1] == first


@pytest.mark.parametrize(("one", "other"), [c[1:] for c in APART], ids=[c[0] for c in APART])
@pytest.mark.parametrize("same_channel", [False, True])
def test_what_is_no_copy_stays_apart(channel, one, other, same_channel):
    channel.tell(1, one)
    key, story = channel.tell(1 if same_channel else 2, other)
    assert story == key


def test_a_forward_joins_whatever_it_says(channel):
    first, _ = channel.tell(1, "Видео")
    origin = Forward(channel_id=first.channel_id, message_id=first.message_id)
    assert channel.tell(2, "Видео", forward=origin)[1] == first
    assert channel.tell(3, "", forward=origin)[1] == first


def test_a_post_seen_after_its_forwards_joins_them(channel):
    origin = Forward(channel_id=1, message_id=3)
    first, _ = channel.tell(2, "Видео", forward=origin)
    assert channel.tell(3, "", forward=origin)[1] == first
    assert channel.tell(1, "Видео")[1] == first


def test_the_preview_names_the_origin_by_title_and_number(channel):
    origin = Forward(channel="Новости", message_id=8)
    first, _ = channel.tell(2, "Видео", forward=origin)
    assert channel.tell(3, "", forward=origin)[1] == first
    key, story = channel.tell(4, "", forward=Forward(channel="Новости", message_id=9))
    assert key == story


def test_of_a_forward_that_hides_its_origin_the_words_count(channel):
    first, _ = channel.tell(1, TEXT)
    assert channel.tell(2, TEXT, forward=Forward(at()))[1] == first
    key, story = channel.tell(3, "Видео", forward=Forward(at()))
    assert key == story


def test_a_short_alert_said_again_is_the_next_event(channel):
    text = "Воздушная тревога объявлена на всей территории Украины"
    morning, _ = channel.tell(1, text)
    assert channel.tell(2, "⚡️" + text)[1] == morning
    evening, story = channel.tell(1, text)
    assert story == evening
    assert channel.tell(3, text)[1] == evening


def test_a_channel_that_repeats_half_of_a_story_has_news_of_it(channel):
    channel.tell(1, TEXT)
    key, story = channel.tell(1, TEXT.split("\n\n")[0] + " Позже на станцию прибыл второй состав, уже с топливом, "
                              "его охраняют люди в форме без знаков различия, проезд к вокзалу перекрыт")  # fmt: skip
    assert story == key


def test_a_channel_that_took_a_story_over_may_quote_it_once_more(channel):
    first, _ = channel.tell(1, TEXT)
    channel.tell(2, TEXT)
    assert channel.tell(2, dict(COPIES)["half of it"])[1] == first


def test_a_round_up_of_stories_joins_none(channel):
    told = [
        "Власти закрыли движение по мосту через Припять в Мозыре до конца недели из-за ремонта опор",
        "На заводе в Жодино начали выпуск нового самосвала грузоподъёмностью в полтысячи тонн для карьеров",
    ]
    for number, text in enumerate(told):
        channel.tell(number, text)
    key, story = channel.tell(5, "Главное за день:\n" + "\n".join(f"▪️ {text}" for text in told))
    assert story == key
    assert channel.tell(6, told[0])[1] == PostKey(0, 1)


def test_what_a_channel_says_every_time_is_no_likeness(channel):
    footer = "\n\nПодписывайтесь на наш канал и присылайте новости, фото, видео в бот или на почту\nМы ВКонтакте"
    told = [channel.tell(1, text + footer) for text in (
        "Дождь и ветер завтра днём", "Открыли новый мост вчера", "Рынок закроют на ремонт весной",
        "В школах карантин до марта", "Цены на хлеб не вырастут",
    )]  # fmt: skip
    assert all(key == story for key, story in told)


def test_after_two_days_it_is_told_anew(channel):
    first, _ = channel.tell(1, TEXT)
    assert channel.tell(2, TEXT, published_at=at(47))[1] == first
    key, story = channel.tell(3, TEXT, published_at=at(96))
    assert story == key


def test_a_story_lasts_while_it_is_told(channel):
    first, _ = channel.tell(1, TEXT)
    for day in range(1, 6):
        channel.stories.forget(at(24 * day) - WINDOW)
        assert channel.tell(day + 1, TEXT, published_at=at(24 * day))[1] == first


def test_an_edited_copy_stays_where_it_is(channel):
    first, _ = channel.tell(1, TEXT)
    channel.tell(2, TEXT)
    edited = make.post("Совсем другое", channel_id=2, message_id=2, published_at=at())
    assert channel.stories.place(edited) == first
    assert channel.stories.place(replace(edited, channel_id=1, message_id=1)) == first


def test_a_post_that_becomes_a_copy_by_an_edit_joins(channel):
    first, _ = channel.tell(1, TEXT)
    key, story = channel.tell(2, "⚡️ Подробности позже")
    assert story == key
    assert channel.stories.place(make.post(TEXT, channel_id=2, message_id=2)) == first


def test_the_newer_text_of_an_edited_post_is_found(channel):
    first, _ = channel.tell(1, "⚡️ Подробности позже")
    channel.stories.place(make.post(TEXT, channel_id=1, message_id=1))
    assert channel.tell(2, TEXT)[1] == first


def test_the_oldest_are_let_go_when_there_is_no_room():
    few = Stories(room=32)
    for number in range(200):
        text = " ".join(f"слово{number * 10 + word}" for word in range(10))
        few.place(make.post(text, channel_id=number, published_at=at(number / 100)))
    window = few._window
    assert len(window._told) <= 32
    assert len(window._sharers) <= 32 * 8
    assert len(window._named) <= 32
    few.forget(at(100))
    assert [*window._told, *window._sharers, *window._named, *window._tellers] == []


WORDS = ["Минск", "эшелон", "5", "7", "в", "на\n", "прибыл", "ушёл,", "#тег", "@имя", "⚡️"]
texts = st.text(max_size=60) | st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 3), texts, st.integers(0, 60)), max_size=12))
def test_a_story_is_known_by_one_of_its_posts_and_never_depends_on_chance(told):
    published = [
        make.post(text, channel_id=channel, message_id=number, published_at=at(hours))
        for number, (channel, text, hours) in enumerate(told)
    ]
    one, other, again = Stories(), Stories(), Stories()
    first = [one.place(post) for post in published]
    assert first == [other.place(post) for post in published]
    for number, (post, story) in enumerate(zip(published, first, strict=True)):
        again.restore(post, story)
        assert story in [earlier.key for earlier in published[: number + 1]]
    copy = make.post(TEXT, channel_id=9, message_id=99)
    assert one.place(copy) == again.place(copy)


@pytest.mark.skipif(not bench_stories.POSTS.exists(), reason="real posts are not there")
def test_real_posts():
    told = bench_stories.stream()
    truth = bench_stories.Truth(told)
    found = bench_stories.figures(told[3000:5500], truth, Stories().place)
    assert found.recall >= 0.98
    assert found.precision >= 0.995
    assert found.merged <= 0.1
    assert found.quotes >= 0.8  # of all lengths, down to 4 words


# in storage


@pytest.fixture
async def stored(db):
    """Channels 1 to 3 with three posts each, an hour apart; a watchlist with terms 1 and 2."""
    async with db.transaction() as tx:
        id = await watchlists.create(tx, make.watchlist(), make.NOON)
        for term in ("эшелон", "Барановичи"):
            await watchlists.add_term(tx, id, Term(0, term), make.NOON)
        for channel in (1, 2, 3):
            await channels.add(tx, make.channel(channel), 0, make.NOON)
            for number in (1, 2, 3):
                post = make.post("a", channel_id=channel, message_id=number,
                                 published_at=at(number + channel / 10))  # fmt: skip
                await posts.save(tx, post, make.NOON)
    return db


async def place(db, *keys_and_stories):
    async with db.transaction() as tx:
        return [
            await stories.place(tx, PostKey(*key), PostKey(*story))
            for key, story in keys_and_stories
        ]


async def test_members_come_in_the_order_of_publishing(stored):
    await place(stored, ((2, 2), (2, 2)), ((3, 3), (2, 2)), ((1, 1), (2, 2)), ((1, 2), (1, 2)))
    members = await stories.members(stored.reader, PostKey(2, 2))
    assert [member.key for member in members] == [(1, 1), (2, 2), (3, 3)]
    assert members[0].channel == make.channel(1)
    assert members[0].published_at == at(1.1)
    assert await stories.of(stored.reader, PostKey(3, 3)) == (2, 2)
    assert await stories.of(stored.reader, PostKey(3, 1)) is None


async def test_growth_is_counted_by_the_hour(stored):
    await place(stored, ((1, 1), (1, 1)), ((2, 1), (1, 1)), ((3, 3), (1, 1)))
    assert await stories.growth(stored.reader, PostKey(1, 1), at(3.5)) == [1, 0, 2]
    assert await stories.growth(stored.reader, PostKey(9, 9), at(3.5)) == []


async def test_a_new_term_is_one_that_no_other_post_of_the_story_touches(stored):
    await place(stored, ((1, 1), (1, 1)), ((2, 1), (1, 1)))
    async with stored.transaction() as tx:
        found = [make.hit(), make.hit(term_id=2), make.hit()]
        found[1:] = [replace(hit, channel_id=2) for hit in found[1:]]
        await hits.save(tx, found, make.NOON)
    story, second = PostKey(1, 1), PostKey(2, 1)
    assert await stories.terms(stored.reader, story) == {1, 2}
    assert {2, 1} - await stories.terms(stored.reader, story, but=second) == {2}


async def test_what_is_joined_or_has_joined_stays(stored):
    await place(stored, ((1, 1), (1, 1)), ((2, 1), (1, 1)), ((3, 1), (3, 1)))
    moved = await place(stored, ((1, 1), (3, 1)), ((2, 1), (3, 1)), ((3, 1), (1, 1)))
    assert moved == [(1, 1), (1, 1), (1, 1)]


async def test_a_story_that_was_never_stored_begins_with_the_post(stored):
    assert await place(stored, ((2, 2), (1, 1))) == [(2, 2)]


async def test_a_story_goes_with_an_album_whose_number_changes(stored):
    async with stored.transaction() as tx:
        late = make.post("эшелон", message_id=12, album=(12,), group_id=5)
        await posts.save(tx, late, make.NOON)
    await place(stored, ((1, 12), (1, 12)))
    async with stored.transaction() as tx:
        await posts.save(tx, replace(late, message_id=11, album=(11,)), make.NOON)
    assert await place(stored, ((2, 1), (1, 12))) == [(1, 11)]
    members = await stories.members(stored.reader, PostKey(1, 11))
    assert {member.key for member in members} == {(1, 11), (2, 1)}


# on the way of a post


@pytest.fixture
async def watched(db):
    async with db.transaction() as tx:
        for number in (1, 2, 3):
            await channels.add(tx, make.channel(number), 0, make.NOON)
        id = await watchlists.create(tx, make.watchlist(), make.NOON)
        await watchlists.add_term(tx, id, Term(0, "эшелон"), make.NOON)
        await subscriptions.put(tx, Subscription(id, 7), make.NOON)
    return db


def copies(text=TEXT, *, message_id=1):
    return [make.post(text, channel_id=n, message_id=message_id) for n in (1, 2)]


async def keys(db):
    return [member.key for member in await stories.members(db.reader, PostKey(1, 1))]


async def test_posts_with_hits_are_placed_with_them(watched, pipeline):
    await pipeline.take([*copies(), *copies("Ничего особенного", message_id=2)])
    assert await keys(watched) == [(1, 1), (2, 1)]
    ((number,),) = await watched.reader.execute_fetchall("SELECT count(*) FROM story_posts")
    assert number == 2


async def test_history_tells_no_story(watched, pipeline):
    await pipeline.take(copies(), alert=False)
    assert await keys(watched) == []


async def test_stories_go_on_after_a_restart(watched, clock):
    first, second = copies()
    await Pipeline(watched, clock).take([first])
    await Pipeline(watched, clock).take([second])
    assert await keys(watched) == [(1, 1), (2, 1)]


async def test_what_a_failed_transaction_placed_is_forgotten(watched, pipeline):
    async def fail(tx, counts):
        raise OSError

    first, second = copies()
    await pipeline.take([make.post("эшелон", channel_id=3)])
    with pytest.raises(OSError):  # noqa: PT011
        await pipeline.take([first], note=fail)
    await pipeline.take([second])
    assert await stories.of(watched.reader, second.key) == second.key
    await pipeline.take([first])
    assert await stories.of(watched.reader, first.key) == second.key
