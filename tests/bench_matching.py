"""How well and how fast does the matcher find what is written evasively, in other letters, or misspelt?

Run as `python -m tests.bench_matching`. Words and sentences are those of ../shared/data where that is there, otherwise
made up from the lists below. Every case is a sentence with one known mention, spelt in some other way; false is any
term that the sentence as it was does not mention. Baselines, in the same run: substring search for the mention as it
was, and the loop over one regular expression a term for speed.
"""

import json
import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import NamedTuple

from storage.model import Post, Term, Watchlist
from watchers.matching import Matcher

DATA = Path(__file__).parents[2] / "shared" / "data"
CASES = 1000
TERMS = 600
NEVER = datetime(1970, 1, 1, tzinfo=UTC)

_STATIONS = {
    "be": "Баранавічы Маладзечна Асіповічы Калінкавічы Лунінец Орша Віцебск Полацк Рэчыца Жлобін",
    "ru": "Барановичи Молодечно Осиповичи Калинковичи Лунинец Витебск Смоленск Брянск Клинцы",
    "uk": "Чернігів Коростень Овруч Ковель Сарни Житомир Шепетівка Козятин Фастів Ніжин",
}
STATIONS = {language: names.split() for language, names in _STATIONS.items()}
SAID = {
    "be": "Сёння раніцай з горада {} выехаў доўгі цягнік, кажуць чытачы",
    "ru": "Сегодня утром из города {} выехал длинный поезд, говорят читатели",
    "uk": "Сьогодні вранці з міста {} виїхав довгий потяг, кажуть читачі",
}


class Case(NamedTuple):
    term: str
    text: str
    start: int
    end: int

    def spelt(self, word: str) -> str:
        return self.text[: self.start] + word + self.text[self.end :]

    @property
    def word(self) -> str:
        return self.text[self.start : self.end]


def matcher(terms: list[Term]) -> Matcher:
    return Matcher([Watchlist(1, "bench", "Bench", tuple(terms))])


def hits(matching: Matcher, text: str) -> set[int]:
    return {hit.term_id for hit in matching.match(Post(1, 1, NEVER, text))}


def sentences(language: str) -> list[dict[str, object]]:
    path = DATA / "lemmas" / f"{language}.jsonl"
    if path.exists():
        return [json.loads(line) for line in path.open(encoding="utf8")]
    return [
        {"text": SAID[language].format(name), "words": [[name, name, "PROPN"]]}
        for name in STATIONS.get(language, [])
    ]


def mentions(
    language: str, *, names: bool = False, shortest: int = 5, mark: str = ""
) -> list[Case]:
    """Words of sentences, only letters, or with this apostrophe or hyphen inside."""
    found = []
    inside = {"": r"\w+", "'": f"\\w+[{APOSTROPHES}]\\w+", "-": r"\w+-\w+"}[mark]
    for sentence in sentences(language):
        text = str(sentence["text"])
        for form, lemma, part in sentence["words"]:  # type: ignore[attr-defined]
            if part not in (("PROPN",) if names else ("NOUN", "PROPN")):
                continue
            if len(lemma) < shortest or len(form) < shortest:
                continue
            if not (re.fullmatch(inside, form) and re.fullmatch(inside, lemma)):
                continue
            if re.search(r"[\d_]", form + lemma) or text.count(form) != 1:
                continue
            start = text.index(form)
            found.append(Case(lemma, text, start, start + len(form)))
    return found


def chosen(
    cases: list[Case], rng: random.Random, *, as_names: bool = False
) -> tuple[Matcher, list[Case]]:
    """A watchlist of TERMS words, and CASES mentions of them."""
    words = sorted({case.term for case in cases})
    rng.shuffle(words)
    kept = words[:TERMS]
    terms = [Term(n, word, "place" if as_names else None) for n, word in enumerate(kept)]
    number = {word: n for n, word in enumerate(kept)}
    matching = matcher(terms)
    able = [c._replace(term=str(number[c.term])) for c in cases if c.term in number]
    able = [c for c in able if int(c.term) in hits(matching, c.text)]
    return matching, [rng.choice(able) for _ in range(max(CASES, len(able)))]


class Score(NamedTuple):
    cases: int
    found: float
    false: int
    substring: float


def score(matching: Matcher, cases: list[Case], spell: Callable[[str], str]) -> Score:
    count: Counter[str] = Counter()
    for case in cases:
        other = spell(case.word)
        if other == case.word:
            continue
        text = case.spelt(other)
        got = hits(matching, text)
        count["cases"] += 1
        count["found"] += int(case.term) in got
        count["false"] += len(got - hits(matching, case.text))
        count["substring"] += case.word.lower() in text.lower()
    cases_ = max(count["cases"], 1)
    return Score(
        count["cases"], count["found"] / cases_, count["false"], count["substring"] / cases_
    )


# evasive spellings

TWINS = dict(zip("авсенікмортхуАВСЕНІКМОРТХУ", "abcehikmoptxyABCEHIKMOPTXY", strict=True))
BACK = {latin: cyrillic for cyrillic, latin in TWINS.items()}
LEET = {
    "о": "0",
    "з": "3",
    "ч": "4",
    "б": "6",
    "в": "8",
    "а": "4",
    "і": "1",
    "е": "3",
    "т": "7",
    "o": "0",
    "i": "1",
    "e": "3",
    "a": "4",
    "s": "5",
}


def some(word: str, table: dict[str, str], rng: random.Random, most: int) -> str:
    able = [i for i, c in enumerate(word) if c in table]
    for i in rng.sample(able, min(most, len(able))):
        word = word[:i] + table[word[i]] + word[i + 1 :]
    return word


def inside(word: str, what: str, rng: random.Random) -> str:
    place = rng.randrange(1, len(word))
    return word[:place] + what + word[place:]


def spellings(rng: random.Random) -> dict[str, tuple[float, Callable[[str], str]]]:
    twins = TWINS | BACK
    vowels = "аеёіоуыэюяиєїaeiouy"
    marks = [chr(c) for c in range(0x300, 0x370)]
    return {
        "one look-alike letter": (0.99, lambda w: some(w, twins, rng, 1)),
        "half of the look-alikes": (0.99, lambda w: some(w, twins, rng, len(w) // 2)),
        "zero-width character": (
            0.99,
            lambda w: inside(w, rng.choice("\u200b\u200c\u200d\u2060\ufeff"), rng),
        ),
        "soft hyphen": (0.99, lambda w: inside(w, "\u00ad", rng)),
        "stress mark": (0.99, lambda w: re.sub(f"(?i)([{vowels}])", "\\1\u0301", w, count=1)),
        "hyphenation": (0.99, lambda w: inside(w, rng.choice("-\u2010\u2011"), rng)),
        "stretched letter": (0.95, lambda w: stretched(w, rng)),
        "accented over": (
            0.95,
            lambda w: "".join(c + "".join(rng.choices(marks, k=rng.randint(1, 3))) for c in w),
        ),
        "struck through": (0.95, lambda w: "".join(c + "\u0336" for c in w)),
        "digits for letters": (0.90, lambda w: some(w, LEET, rng, 2)),
        "a dot inside": (0.90, lambda w: inside(w, rng.choice("._*|·"), rng)),
        "dots between": (0.90, lambda w: rng.choice("._*|-").join(w)),
        "blanks between": (0.90, lambda w: " ".join(w)),
    }


def stretched(word: str, rng: random.Random) -> str:
    place = rng.randrange(len(word))
    return word[:place] + word[place] * rng.randint(2, 4) + word[place:]


APOSTROPHES = "'’ʼ`´‘′"
HYPHENS = ["-", "‐", "‑", "–", "—", " - ", " "]


def marks() -> Iterator[str]:
    """Apostrophes and hyphens of words that have them."""
    for language in ("be", "ru", "uk"):
        for mark, others in (("'", [*APOSTROPHES, ""]), ("-", HYPHENS)):
            rng = random.Random(8)
            cases = mentions(language, mark=mark)
            if not cases:
                continue
            matching, able = chosen(cases, rng)
            able = [rng.choice(able) for _ in range(CASES * 3 // 2)]
            spell = partial(other_mark, mark=mark, others=others, rng=rng)
            yield line(f"{language} other marks for {mark}", score(matching, able, spell), 0.99)


def other_mark(word: str, mark: str, others: list[str], rng: random.Random) -> str:
    for written in APOSTROPHES if mark == "'" else "-":
        word = word.replace(written, rng.choice(others))
    return word


# romanised

LATIN = {
    "BGN/PCGN": "а a|б b|в v|г h|ґ g|д d|е ye|ё yo|ж zh|з z|и i|і i|й y|к k|л l|м m|н n|о o|п p|р r|с s|т t|у u|ў w|ф f|х kh|ц ts|ч ch|ш sh|щ shch|ъ |ы y|ь ’|э e|ю yu|я ya|є ye|ї yi|' ",
    "ISO 9": "а a|б b|в v|г g|ґ g̀|д d|е e|ё ë|ж ž|з z|и i|і ì|й j|к k|л l|м m|н n|о o|п p|р r|с s|т t|у u|ў ŭ|ф f|х h|ц c|ч č|ш š|щ ŝ|ъ ʺ|ы y|ь ʹ|э è|ю û|я â|є ê|ї ï|' ",
    "Łacinka": "а a|б b|в v|г h|ґ g|д d|е ie|ё io|ж ž|з z|и y|і i|й j|к k|л ł|м m|н n|о o|п p|р r|с s|т t|у u|ў ŭ|ф f|х ch|ц c|ч č|ш š|щ šč|ъ |ы y|ь |э e|ю iu|я ia|є ie|ї ji|' ",
    "passport": "а a|б b|в v|г g|ґ g|д d|е e|ё e|ж zh|з z|и i|і i|й i|к k|л l|м m|н n|о o|п p|р r|с s|т t|у u|ў u|ф f|х kh|ц ts|ч ch|ш sh|щ shch|ъ ie|ы y|ь |э e|ю iu|я ia|є ie|ї i|' ",
    "informal": "а a|б b|в v|г g|ґ g|д d|е e|ё yo|ж j|з z|и i|і i|й y|к k|л l|м m|н n|о o|п p|р r|с s|т t|у u|ў u|ф f|х h|ц c|ч ch|ш sh|щ sch|ъ |ы y|ь |э e|ю yu|я ya|є ye|ї yi|' ",
}


def romaniser(table: str) -> Callable[[str], str]:
    pairs = dict(pair.split(" ") for pair in table.split("|"))

    def romanise(text: str) -> str:
        return "".join(
            (pairs[c.lower()].capitalize() if c.isupper() else pairs[c.lower()])
            if c.lower() in pairs
            else c
            for c in text.replace("’", "'")
        )

    return romanise


def romanised() -> Iterator[str]:
    for language in ("be", "ru", "uk"):
        rng = random.Random(5)
        matching, cases = chosen(mentions(language, names=True), rng, as_names=True)
        for name, table in LATIN.items():
            if (name == "Łacinka") > (language == "be"):
                continue
            romanise = romaniser(table)
            found = [int(c.term) in hits(matching, romanise(c.text)) for c in cases]
            yield line(
                f"{language} romanised, {name}",
                Score(len(found), sum(found) / len(found), 0, 0),
                0.95,
            )
        for other in ("en", "pl"):
            texts = [str(s["text"]) for s in sentences(other)]
            if texts:
                said = Counter(t for text in texts for t in hits(matching, text))
                rate = sum(said.values()) / len(texts) * 1000
                yield f"{language} names in genuine {other}: {rate:.2f} hits a 1,000 sentences, {len(texts)} sentences"


# typos

ALPHABET = {
    "be": "абвгдежзйклмнопрстуўфхцчшыьэюяі",
    "ru": "абвгдежзийклмнопрстуфхцчшщыьэюя",
    "uk": "абвгдежзийклмнопрстуфхцчшщьюяіїє",
}


def misspelt(word: str, letters: str, rng: random.Random) -> str:
    place = rng.randrange(1, len(word) - 1)
    what = rng.randrange(4)
    if what == 0:
        return word[:place] + word[place + 1 :]
    if what == 1:
        return word[:place] + rng.choice(letters) + word[place:]
    if what == 2:
        return word[:place] + rng.choice(letters) + word[place + 1 :]
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


def typos() -> Iterator[str]:
    for language in ("be", "ru", "uk"):
        rng = random.Random(3)
        cases = [c for c in mentions(language, names=True, shortest=6)]
        words = sorted({c.term for c in cases})
        matching = matcher([Term(n, f"{word}~") for n, word in enumerate(words)])
        number = {word: n for n, word in enumerate(words)}
        able = [c._replace(term=str(number[c.term])) for c in cases]
        able = [c for c in able if int(c.term) in hits(matching, c.text)]
        able = [rng.choice(able) for _ in range(CASES * 11 // 10)]
        spell = partial(misspelt, letters=ALPHABET[language], rng=rng)
        yield line(f"{language} typo, {len(words)} names", score(matching, able, spell), 0.95)
    path = DATA / "posts" / "ru_news.jsonl"
    if path.exists():
        yield from false_typos([json.loads(s)["text"] for s in path.open(encoding="utf8")])


def false_typos(posts: list[str]) -> Iterator[str]:
    """1,000 surnames and places of the Russian dictionary, and real posts."""
    from pymorphy3 import MorphAnalyzer

    dictionary = MorphAnalyzer(lang="ru").dictionary
    names = {
        word
        for word, (paradigm, index) in dictionary.words.iteritems("")
        if index == 0 and len(word) >= 6 and word.isalpha()
        if re.search("Surn|Geox", str(dictionary.build_tag_info(paradigm, index)))
    }
    some_names = random.Random(2).sample(sorted(names), 1000)
    exact = matcher([Term(n, w) for n, w in enumerate(some_names)])
    loose = matcher([Term(n, f"{w}~") for n, w in enumerate(some_names)])
    false = sum(len(hits(loose, p) - hits(exact, p)) for p in posts)
    yield f"ru typo, 1000 names: {false / len(posts) * 1000:.1f} false hits a 1,000 of {len(posts)} real posts"


# designations

_DESIGNATIONS = """
    Су-30СМ Су-24М Су-25 Су-34 Су-27 МиГ-29 МиГ-31К Ил-76 Ил-76МД Ил-22 Ан-26 Ан-124 Ту-22М3 Ту-95 Ту-134 А-50 Ми-8 Ми-24
    Ми-26 Ка-52 С-300 С-400 Бук-М3 Тор-М2 Т-72Б3 Т-80 Т-62 Т-90М БМП-2 БМП-3 БТР-82А БТР-80 МТ-12 2С3 2С19 2С5 2С1 9К720
    9М723 БМ-21 РС-24 Х-101 Х-22 К-300
"""
DESIGNATIONS = _DESIGNATIONS.split()
IN_LATIN = dict(zip("абвгдеийклмнорстухпч", "abvgdeijklmnorstuxpč", strict=True))
AROUND = [
    "на аэродром сел {} утром",
    "{} заметили над городом",
    "видели ({}) вчера",
    "Tam był {} wczoraj",
    "We saw {} today",
]


def designations() -> Iterator[str]:
    rng = random.Random(4)
    matching = matcher([Term(n, d) for n, d in enumerate(DESIGNATIONS)])
    count: Counter[str] = Counter()
    for _ in range(CASES * 2):
        number = rng.randrange(len(DESIGNATIONS))
        written = DESIGNATIONS[number]
        text = rng.choice(AROUND).format(respelt(written, rng))
        count["found"] += number in hits(matching, text)
        wrong = re.sub(r"\d+", lambda d: d[0] + rng.choice("0123456789"), written, count=1)
        if wrong not in DESIGNATIONS:
            count["wrong"] += 1
            count["false"] += number in hits(
                matching, rng.choice(AROUND).format(respelt(wrong, rng))
            )
    yield line(
        "designations", Score(CASES * 2, count["found"] / CASES / 2, count["false"], 0), 0.99
    )


def respelt(written: str, rng: random.Random) -> str:
    groups = re.findall(r"[^\W\d_]+|\d+", written)
    between = rng.choice(["-", "‑", "–", ""] + [" "] * (len(groups[0]) > 1))
    made = groups[0] + "".join(
        rng.choice([between, ""] if i else [between]) + g for i, g in enumerate(groups[1:])
    )
    case = rng.choice([str.upper, str.lower, str])
    made = case(made)
    if rng.random() < 0.4:
        made = "".join(
            IN_LATIN.get(c, IN_LATIN.get(c.lower(), c).upper()) if c.isalpha() else c for c in made
        )
    return made


# speed


def speed() -> Iterator[str]:
    rng = random.Random(6)
    every = [
        str(s["text"]) for language in ("be", "ru", "uk", "pl", "en") for s in sentences(language)
    ]
    posts = [" ".join(rng.choices(every, k=4))[:400] for _ in range(8000)]
    syllables = [
        "ба",
        "ве",
        "го",
        "дзі",
        "жо",
        "зу",
        "ка",
        "лю",
        "ма",
        "не",
        "пры",
        "ра",
        "са",
        "ту",
        "хва",
        "цэ",
        "шы",
        "чу",
        "яр",
        "ольск",
    ]
    first = 0.0
    for size in (10, 10_000):
        words = {"".join(rng.choices(syllables, k=4)) for _ in range(size)}
        start = time.process_time()
        matching = matcher([Term(n, word) for n, word in enumerate(sorted(words))])
        compiled = time.process_time() - start
        made = [Post(1, 1, NEVER, text) for text in posts]
        for post in made[:1000]:
            matching.match(post)
        start = time.process_time()
        for post in made:
            matching.match(post)
        each = (time.process_time() - start) / len(made)
        loop = keyword_loop(words, posts)
        first = first or each
        yield (
            f"{size} terms: {1 / each:.0f} posts/s, {each / first:.2f} x the cost of 10 terms, compiled in {compiled:.1f} s, "
            f"{loop / each:.0f} times the keyword loop"
        )


def keyword_loop(words: set[str], posts: list[str]) -> float:
    patterns = [re.compile(rf"\b{re.escape(word)}\b", re.IGNORECASE) for word in words]
    sample = posts[: max(3, 20_000 // len(words))]
    start = time.process_time()
    for post in sample:
        for pattern in patterns:
            pattern.search(post)
    return (time.process_time() - start) / len(sample)


def line(name: str, scored: Score, wanted: float) -> str:
    mark = "" if scored.found >= wanted else "   <-- below"
    return (
        f"{name:34s} {scored.cases:5d} cases, found {scored.found:.3f} (wanted {wanted}), {scored.false} false hits, "
        f"substring {scored.substring:.3f}{mark}"
    )


def evasive() -> Iterator[str]:
    for language in ("be", "ru", "uk", "pl", "en"):
        cases = mentions(language)
        if not cases:
            continue
        rng = random.Random(1)
        matching, able = chosen(cases, rng)
        for name, (wanted, spell) in spellings(rng).items():
            yield line(f"{language} {name}", score(matching, able, spell), wanted)


MEASURES = (evasive, marks, romanised, typos, designations, speed)

if __name__ == "__main__":
    import sys

    for measure in MEASURES:
        if len(sys.argv) < 2 or measure.__name__ in sys.argv[1:]:
            for said in measure():
                print(said, flush=True)
