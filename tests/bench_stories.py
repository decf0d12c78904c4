"""Do copies of a post join its story, and nothing else? Beside exact equality and rapidfuzz, in the same run.

`python -m tests.bench_stories`. Real posts (../shared/data/posts), each with one copy changed as
reposting channels change it, half-quotes inside longer posts, and template posts that differ in
numbers and regions, all in one stream in the order of publishing. Then a window of 100,000 posts.
"""

import json
import random
import re
import resource
import statistics
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations
from pathlib import Path

from rapidfuzz import fuzz, process

from storage.model import Post
from watchers.stories import Stories
from watchers.window import WINDOW
from watchers.wording import wording

DATA = Path(__file__).parents[2] / "shared" / "data"
POSTS = DATA / "posts" / "ru_news.jsonl"
KINDS = ("emoji", "header", "footer", "links", "shortened", "all")


def _words(text: str) -> list[str]:
    return text.split()


HEADERS = """🔥 СРОЧНО | Новости региона 24 | ❗️ Главное за час: | По данным коллег: | 📌 Репост | БЕЗ ЦЕНЗУРЫ, новости
Читатели присылают: | ⚡️⚡️⚡️ | Молния! | Наш чат: вопросы и ответы""".replace("\n", " | ").split(
    " | "
)
FOOTERS = """Подписаться | Прислать новость
👉 Подписывайтесь на наш канал
Источник: коллеги. Больше новостей в канале по ссылке
🔗 Наш чат | Реклама | Обратная связь
Прислать новость, фото, видео: бот
Мы в других сетях: ВК, ОК, Дзен
Поддержать нас можно по ссылке ниже
Ставьте 👍, если читаете нас каждый день""".splitlines()
EMOJI = "⚡❗🔥📌🚨✅👀💥"
REGIONS = _words("""
Брестской Витебской Гомельской Гродненской Минской Могилёвской Киевской Черниговской Сумской Харьковской Полтавской
Одесской Николаевской Херсонской Запорожской Днепропетровской Винницкой Житомирской Ровенской Волынской Львовской
Тернопольской Черкасской Кировоградской Смоленской Псковской Брянской Курской
""")
CITIES = _words("""
Минск Брест Гродно Гомель Витебск Могилёв Пинск Орша Лида Полоцк Борисов Бобруйск Мозырь Слуцк Барановичи Жлобин
""")
# Of the real posts, pairs of message ids that are copies or quotes of each other, judged by eye; most
# others are known by their words (`Truth`).
COPIES = _words("""
125065-194584 125378-270590 125437-270688 125665-194958 125891-271262 125911-271289 125946-195101
194623-125173 194703-270605 194739-270590 194777-125413 194792-270688 194804-270708 195061-125835
195062-125841 195088-271289 195172-126027 195196-271480 195201-271494 195211-126093 195221-126097
195238-126109 270708-270779 270731-125475 270744-194837 270785-125501 270796-194909 270940-125604
271096-125712 271096-194991 271215-125835 271290-125927 271304-195093 271325-125942 271423-126047
271533-126101 271545-126109 271555-126118 271606-126153
""")


@dataclass(frozen=True)
class Told:
    """A post of the stream, and what it really tells."""

    post: Post
    story: object
    kind: str = "original"


def real_posts() -> list[Told]:
    channels: dict[str, int] = {}
    told = []
    for line in POSTS.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        number = channels.setdefault(row["channel"], len(channels) + 1)
        message = int(row["id"].split("/")[1])
        at = datetime.fromisoformat(row["date"])
        told.append(Told(Post(number, message, at, row["text"]), len(told)))
    return told


class Channels:
    """Reposting channels, each with its own ways."""

    def __init__(self, rng: random.Random, number: int = 120) -> None:
        self._rng = rng
        self._messages = Counter[int]()
        self._ways = {100 + n: (rng.choice(HEADERS), rng.choice(FOOTERS)) for n in range(number)}

    def publish(self, text: str, after: datetime, kind: str, story: object) -> Told:
        channel = self._rng.choice(list(self._ways))
        header, footer = self._ways[channel]
        if kind in ("header", "all"):
            text = f"{header}\n\n{text}"
        if kind in ("footer", "all"):
            text = f"{text}\n\n{footer}"
        self._messages[channel] += 1
        at = after + timedelta(seconds=self._rng.uniform(30, 40 * 3600))
        return Told(Post(channel, self._messages[channel], at, text), story, kind)


def changed(text: str, kind: str, rng: random.Random) -> str:
    """As a reposting channel changes it; header and footer come with the channel."""
    if kind in ("shortened", "all"):
        words = text.split(" ")
        keep = round(len(words) * 2 / 3)
        text = " ".join(words[:keep] if rng.random() < 0.7 else words[-keep:])
    if kind in ("links", "all"):
        text = re.sub(r"https?://[^\s)]+", lambda _: f"https://t.me/c/{rng.randrange(10**6)}", text)
        text += f"\nhttps://example.org/{rng.randrange(10**6)} @channel{rng.randrange(100)}"
    if kind in ("emoji", "all"):
        text = re.sub("[⚡❗🔥👉]\ufe0f?", lambda _: rng.choice(EMOJI), text.replace(" — ", " - "))
        text = f"{rng.choice(EMOJI)} {text.replace('. ', '! ', 1)}{rng.choice(EMOJI)}"
    return text


def fillers(rng: random.Random) -> Callable[[], str]:
    """Sentences for longer posts, none of them twice."""
    files = [
        (DATA / "lemmas" / f"{code}.jsonl").read_text(encoding="utf-8")
        for code in ("ru", "be", "uk")
    ]
    texts = {json.loads(line)["text"] for file in files for line in file.splitlines()}
    sentences = sorted(text for text in texts if len(text.split()) >= 8)
    rng.shuffle(sentences)
    return sentences.pop


_OWN_FOOTER = re.compile(r"\n\[👉.*$", re.DOTALL)  # nobody quotes it


def half_quoted(text: str, filler: Callable[[], str], rng: random.Random) -> str:
    words = _OWN_FOOTER.sub("", text).split()
    half = len(words) // 2
    start = rng.choice((0, len(words) - half))
    quote = " ".join(words[start : start + half])
    return f"{filler()} «{quote}» {filler()} {filler()}"


def template(rng: random.Random, kind: int) -> str:
    region, other = rng.sample(REGIONS, 2)
    city, town = rng.sample(CITIES, 2)
    n, m = rng.randint(2, 99), rng.randint(0, 99)
    return (
        f"🚨 Воздушная тревога в {region} области! Всем пройти в укрытие и оставаться там до отбоя.",
        f"Курс валют на сегодня: доллар {n}.{m:02} руб., евро {n + 6}.{m:02} руб., злотый {n // 3},{m} руб. "
        "Нацбанк напоминает, что курс обновляется каждый день",
        f"Погода в городе {city} на завтра: {n // 3} градусов тепла, ветер {m // 8} м/с, без осадков, "
        f"дороги сухие. В городе {town} немного теплее, до {n // 3 + 4}",
        f"Минувшей ночью дежурными средствами ПВО уничтожено {n} беспилотников: {m} над территорией {region} "
        f"области и {n - m // 2} над территорией {other} области",
        f"⚠️ {city}: на железнодорожном переезде задержка движения {n} минут. Причина: ремонт пути. Выбирайте объезд.",
        f"Розыгрыш номер {n * 100 + m}. Победил билет {m * 1000 + n}. Следующий розыгрыш состоится {n % 28 + 1} числа, "
        "билеты продаются во всех отделениях почты и в нашем приложении",
        f"Сводка ГАИ. За сутки на дорогах {region[:-2]}ой области произошло {n} аварий, пострадали {m} человек. "
        "Водители, соблюдайте скоростной режим и дистанцию!",
    )[kind]  # fmt: skip


TEMPLATES = 7


def stream(seed: int = 7) -> list[Told]:
    rng = random.Random(seed)
    originals = real_posts()
    channels, filler = Channels(rng), fillers(rng)
    told = list(originals)
    for number, original in enumerate(originals):
        text, at = original.post.text, original.post.published_at
        kind = KINDS[number % len(KINDS)]
        told.append(channels.publish(changed(text, kind, rng), at, kind, original.story))
        if number % 5 == 0 and len(text.split()) >= 8:
            quoting = half_quoted(text, filler, rng)
            told.append(channels.publish(quoting, at, "half-quote", original.story))
    start = min(one.post.published_at for one in originals)
    for number in range(1400):
        at = start + timedelta(minutes=13 * number)
        text = template(rng, number % TEMPLATES)
        post = Post(300 + number % (3 * TEMPLATES), number + 1, at, text)
        told.append(Told(post, ("template", text), "template"))
    return sorted(told, key=lambda one: one.post.published_at)


class Truth:
    """Do two stories tell the same? Real channels copy each other, too."""

    def __init__(self, told: Iterable[Told]) -> None:
        real = {one.story: one.post for one in told if one.kind == "original"}
        self._ids = {story: post.message_id for story, post in real.items()}
        self._texts = {
            story: b" ".join(
                wording(re.sub(r"\W*Топор .*Подписаться.*", "", post.text)).words
            ).decode("latin1")
            for story, post in real.items()
        }
        self._copies = {frozenset(map(int, pair.split("-"))) for pair in COPIES}
        self._known: dict[tuple[object, object], bool] = {}

    def same(self, one: object, other: object) -> bool:
        if one == other:
            return True
        if one not in self._ids or other not in self._ids:
            return False
        if (one, other) not in self._known:
            self._known[one, other] = self._same(one, other)
        return self._known[one, other]

    def _same(self, one: object, other: object) -> bool:
        if frozenset((self._ids[one], self._ids[other])) in self._copies:
            return True
        text, text2 = self._texts[one], self._texts[other]
        numbers, numbers2 = (set(re.findall(r"\d+", t)) for t in (text, text2))
        return fuzz.token_set_ratio(text, text2) >= 88 and (
            numbers <= numbers2 or numbers2 <= numbers
        )


Place = Callable[[Post], object]


def placed(told: Iterable[Told], place: Place) -> dict[int, object]:
    return {id(one.post): place(one.post) for one in told}


@dataclass
class Figures:
    recall: float
    precision: float
    quotes: float
    merged: float
    kinds: dict[str, float]

    def __str__(self) -> str:
        return (
            f"recall {self.recall:.3f}, precision {self.precision:.4f} of the pairs, "
            f"half-quotes {self.quotes:.2f}, templates merged {self.merged:.3f}"
        )


def figures(told: list[Told], truth: Truth, place: Place) -> Figures:
    where = placed(told, place)
    members = defaultdict(list)
    for one in told:
        members[where[id(one.post)]].append(one)
    right = wrong = 0
    for story in members.values():
        for one, other in combinations((m for m in story if m.kind != "half-quote"), 2):
            if "template" in (one.kind, other.kind):
                continue
            right, wrong = (
                (right + 1, wrong) if truth.same(one.story, other.story) else (right, wrong + 1)
            )
    first = {one.story: where[id(one.post)] for one in told if one.kind == "original"}
    joined = defaultdict(list)
    for one in told:
        if one.kind not in ("original", "template") and one.story in first:
            joined[one.kind].append(where[id(one.post)] == first[one.story])
    copies = [found for kind, all in joined.items() if kind != "half-quote" for found in all]
    merged = [
        any(m.story != one.story for m in members[where[id(one.post)]])
        for one in told
        if one.kind == "template"
    ]
    return Figures(
        statistics.mean(copies),
        right / max(right + wrong, 1),
        statistics.mean(joined["half-quote"]),
        statistics.mean(merged),
        {kind: statistics.mean(found) for kind, found in joined.items()},
    )


def by_equality() -> Place:
    stories: dict[bytes, Post] = {}
    return lambda post: stories.setdefault(b" ".join(wording(post.text).words), post).key


def by_ratio() -> Place:
    """The likest of all earlier posts: what one gets without a module of one's own."""
    texts: list[str] = []
    stories: list[object] = []

    def place(post: Post) -> object:
        text = b" ".join(wording(post.text).words).decode("latin1")
        found = process.extractOne(text, texts, scorer=fuzz.token_set_ratio, score_cutoff=80)
        story = stories[found[2]] if found else post.key
        texts.append(text)
        stories.append(story)
        return story

    return place


def many(number: int, seed: int = 1) -> Iterator[Post]:
    """Real posts with six of ten words replaced, so that no two share text, 48 hours of them."""
    rng = random.Random(seed)
    texts = [one.post.text.split() for one in real_posts()]
    words = sorted({word for text in texts for word in text})
    for n in range(number):
        text = " ".join(
            rng.choice(words) if rng.random() < 0.6 else word for word in rng.choice(texts)
        )
        at = datetime(2026, 1, 1, tzinfo=UTC) + n * WINDOW / number
        yield Post(rng.randrange(500), n, at, text)


def crowded(number: int = 100_000, measured: int = 2_000) -> Iterator[str]:
    before = _megabytes()
    stories, latest = Stories(number + measured), deque[Post](maxlen=measured)
    took = []
    for post in many(number + measured):
        start = time.perf_counter()
        if post.message_id < number:
            stories.restore(post, post.key)
            took.append(time.perf_counter() - start)
        else:
            latest.append(post)
    yield (
        f"{number} posts are taken up again in {sum(took):.1f} s, and take {_megabytes() - before:.0f} MB"
    )
    took = []
    for post in latest:
        start = time.perf_counter()
        stories.place(post)
        took.append((time.perf_counter() - start) * 1000)
    texts = [post.text for post in many(number)]
    start = time.perf_counter()
    for post in list(latest)[:3]:
        process.extractOne(post.text, texts, scorer=fuzz.token_set_ratio, score_cutoff=80)
    yield (
        f"a post placed among {number}: mean {statistics.mean(took):.2f} ms, 99th percentile "
        f"{sorted(took)[int(measured * 0.99)]:.2f} ms (wanted 2); by rapidfuzz over all of them "
        f"{(time.perf_counter() - start) / 3 * 1000:.0f} ms"
    )


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure() -> Iterator[str]:
    if not POSTS.exists():
        yield "stories: no real posts there to measure on"
        return
    told = stream()
    truth = Truth(told)
    ours = figures(told, truth, Stories().place)
    yield f"stories, {len(told)} posts: {ours} (wanted 0.98, 0.995, 0.85, at most 0.10)"
    yield "  by kind: " + ", ".join(
        f"{kind} {share:.3f}" for kind, share in sorted(ours.kinds.items())
    )
    yield f"  by equal words: {figures(told, truth, by_equality())}"
    some = told[3000:4500]
    yield f"  {len(some)} of them: {figures(some, truth, Stories().place)}"
    yield f"  by rapidfuzz token_set_ratio: {figures(some, truth, by_ratio())}"
    yield from crowded()


if __name__ == "__main__":
    for said in measure():
        print(said, flush=True)
