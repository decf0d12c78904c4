"""Do copies of a post join its story, and nothing else? Beside exact equality and rapidfuzz, in the same run.

`python -m tests.bench_stories`. Real posts (../shared/data/posts), each with one copy changed as
reposting channels change it, half-quotes inside longer posts, and template posts that differ in
numbers and regions, all in one stream in the order of publishing. Then a window of 100,000 posts.
"""

import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from storage.model import Post

DATA = Path(__file__).parents[2] / "shared" / "data"
POSTS = DATA / "posts" / "ru_news.jsonl"
KINDS = ("emoji", "header", "footer", "links", "shortened", "all")
WINDOW = timedelta(hours=48)
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
REGIONS = ["Брестской", "Витебской", "Гомельской", "Гродненской", "Минской", "Могилёвской", "Киевской", "Черниговской", "Сумской", "Харьковской", "Полтавской", "Одесской", "Николаевской", "Херсонской", "Запорожской", "Днепропетровской", "Винницкой", "Житомирской", "Ровенской", "Волынской", "Львовской", "Тернопольской", "Черкасской", "Кировоградской", "Смоленской", "Псковской", "Брянской", "Курской"]
CITIES = ["Минск", "Брест", "Гродно", "Гомель", "Витебск", "Могилёв", "Пинск", "Орша", "Лида", "Полоцк", "Борисов", "Бобруйск", "Мозырь", "Слуцк", "Барановичи", "Жлобин", "Речица", "Кобрин"]


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
        post = Post(200 + number % (3 * TEMPLATES), number + 1, at, text)
        told.append(Told(post, ("template", text), "template"))
    return sorted(told, key=lambda one: one.post.published_at)


def placed(told: Iterable[Told], place: Callable[[Post], object]) -> dict[int, object]:
    return {id(one.post): place(one.post) for one in told}
