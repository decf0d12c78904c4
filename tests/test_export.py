"""Does an export hold what is stored, all of it, in shapes that do no harm?"""

import asyncio
import csv
import gc
import hashlib
import io
import json
import re
import signal
import sys
from collections import Counter
from datetime import UTC, timedelta
from gettext import NullTranslations
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from bot import export_chat, periods, speech
from bot.export import (
    Files,
    NotExported,
    Request,
    TooMuch,
    fill,
    find,
    make_format,
    read_request,
)
from bot.export_formats import COLUMNS, Csv, JsonLines, as_object, guarded
from bot.export_html import Html
from bot.periods import Period
from storage import channels, hits, posts, records, watchlists
from storage.db import open_database
from storage.model import (
    Channel,
    Elsewhere,
    Extra,
    Forward,
    Hit,
    Record,
    RecordedHit,
    Span,
    Term,
    Version,
)
from storage.records import Wanted
from tests import make

ROOT = Path(__file__).parent.parent
DOC = (ROOT / "docs" / "export.md").read_text(encoding="utf-8")
HOSTILE = [
    '=HYPERLINK("http://evil.example";"эшелон")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    " =1",
    "＝1",
    "'already quoted",
    "'=1",
    'a "quoted", comma; semicolon\r\nnext\nline\rlone',
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "</div></article><style>*{display:none}</style>",
    "&lt;b&gt; & &amp;",
    "\u202eтекст наоборот\u202c \u2028 \u2029 \x85 end",
    "  leading and trailing  ",
    "",
    "эмодзи 🚂‍🔥 и ў",
]


@pytest.fixture
async def stored(db, clock):
    """Three posts in two channels: one edited twice and hit, a forwarded one, one deleted."""
    async with db.transaction() as tx:
        await channels.add(tx, make.channel(1, "news", "=News"), 0, clock())
        await channels.add(tx, make.channel(2, "wire"), 0, clock())
        for name in ("rail", "other"):
            id = await watchlists.create(tx, make.watchlist(), clock()) if name == "rail" else 0
            if not id:
                continue
            await watchlists.add_term(tx, id, Term(0, "эшелон"), clock())
            await watchlists.add_term(tx, id, make.entity("Гомель", "Homel"), clock())
    at = make.NOON

    async def save(post, *found):
        async with db.transaction() as tx:
            await posts.save(tx, post, clock())
            await hits.fade(tx, post.channel_id, post.message_id)
            await hits.save(tx, found, clock())

    first = "эшелон идёт"
    await save(make.post(first), make.hit(first, "эшелон"))
    clock.forward(minutes=10)
    second = "=эшелон стоит"
    await save(make.post(second, edited_at=at + timedelta(minutes=9)), make.hit(second, "эшелон"))
    clock.forward(minutes=10)
    third = "ничего, Гомель"
    extras = (Extra("link", "https://e.example/эшелон"),)
    where = Hit(1, 1, 1, 2, (Span(8, 14),), ("Гомель",), (Elsewhere("link", "эшелон"),), True)
    await save(
        make.post(third, edited_at=at + timedelta(minutes=19), extras=extras, views=7), where
    )
    origin = Forward(at - timedelta(hours=1), 77, 5, "@first_one")
    await save(make.post("переслано", channel_id=2, message_id=3, forward=origin, album=(3, 4)))
    day_later = at + timedelta(days=1)
    await save(make.post("поздно", channel_id=2, message_id=9, published_at=day_later))
    async with db.transaction() as tx:
        await posts.mark_deleted(tx, 2, [9], clock())


async def read(db, **wanted):
    async with db.snapshot() as snapshot:
        return [r async for page in records.pages(snapshot, Wanted(**wanted), 2) for r in page]


async def exported(db, format, **wanted):
    """The one file, decoded, and what it came to."""
    files = Files(format, io.BytesIO)
    await fill(db, Wanted(**wanted), files)
    return files.files[0].getvalue().decode("utf-8-sig"), files.made


def unguarded(cell):
    return cell.removeprefix("'")


def rows_of(text):
    return [
        {name: unguarded(cell) for name, cell in row.items()}
        for row in csv.DictReader(io.StringIO(text, newline=""), strict=True)
    ]


def record(text="", *, older=(), title="News", term="эшелон", spans=()):
    """A record with this text."""
    then = make.NOON
    kept = [Version(then, old, then) for old in older]
    hit = Hit(1, 1, 1, 1, tuple(Span(*s) for s in spans), tuple(text[a:b] for a, b in spans))
    found = (RecordedHit(hit, "rail", term, None, then, False),)
    versions = (*kept, Version(then, text))
    return Record(Channel(1, "news", title), make.post(text), then, None, versions, found)


async def test_records_are_the_posts_of_the_period_oldest_first(db, stored):
    all_posts = await read(db, only_hits=False)
    assert [r.post.key for r in all_posts] == [(1, 1), (2, 3), (2, 9)]
    assert [r.post.key for r in await read(db)] == [(1, 1)]
    noon = make.NOON
    assert await read(db, since=noon + timedelta(seconds=1)) == []
    until = await read(db, only_hits=False, until=noon + timedelta(days=1))
    assert [r.post.key for r in until] == [(1, 1), (2, 3)]
    of_channel = await read(db, only_hits=False, channel_id=2)
    assert [r.post.key for r in of_channel] == [(2, 3), (2, 9)]
    assert [r.post.key for r in await read(db, watchlist_id=1)] == [(1, 1)]
    assert await read(db, watchlist_id=2) == []


async def test_every_version_is_there_with_its_hash_and_its_times(db, stored):
    [edited, forwarded, deleted] = [as_object(r) for r in await read(db, only_hits=False)]
    assert [v["text"] for v in edited["versions"]] == [
        "эшелон идёт",
        "=эшелон стоит",
        "ничего, Гомель",
    ]
    for number, version in enumerate(edited["versions"], start=1):
        assert version["version"] == number
        assert version["text_sha256"] == hashlib.sha256(version["text"].encode()).hexdigest()
    assert [v["since"][11:16] for v in edited["versions"]] == ["12:00", "12:09", "12:19"]
    assert [v["replaced_at"] and v["replaced_at"][11:16] for v in edited["versions"]] == [
        "12:10",
        "12:20",
        None,
    ]
    assert edited["versions"][2]["extras"] == [{"kind": "link", "text": "https://e.example/эшелон"}]
    assert edited["edited_at"] == "2026-01-01T12:19:00.000Z"
    assert deleted["deleted_at"] == "2026-01-01T12:20:00.000Z"
    assert forwarded["album"] == (3, 4)
    assert forwarded["forward"] == {
        "channel_id": 77,
        "channel": "@first_one",
        "message_id": 5,
        "published_at": "2026-01-01T11:00:00.000Z",
        "link": "https://t.me/first_one/5",
    }


async def test_hits_say_what_they_hit_where(db, stored):
    [told] = [as_object(r) for r in await read(db)]
    homel, gone = sorted(told["hits"], key=lambda hit: hit["term"] == "эшелон")
    assert (homel["spans"], homel["matched"], homel["kind"]) == ([(8, 14)], ("Гомель",), "place")
    assert (homel["elsewhere"], homel["disguised"]) == (
        [{"kind": "link", "matched": "эшелон"}],
        True,
    )
    assert (gone["spans"], gone["matched"]) == ([], ())  # an edit took the word away


async def test_json_lines_give_back_all_that_was_stored(db, stored):
    text, made = await exported(db, JsonLines(), only_hits=False)
    expected = [as_object(r) for r in await read(db, only_hits=False)]
    assert [json.loads(line) for line in text.splitlines()] == json.loads(json.dumps(expected))
    assert (made.posts, made.versions, made.hits) == (3, 5, 2)
    assert made.bytes == len(text.encode())


@pytest.mark.parametrize("bom", [False, True])
async def test_csv_gives_back_all_that_was_stored(db, stored, bom):
    text, made = await exported(db, Csv(bom), only_hits=False)
    rows = rows_of(text)
    told = [as_object(r) for r in await read(db, only_hits=False)]
    assert len(rows) == made.versions
    expected = [(post, version) for post in told for version in post["versions"]]
    for row, (post, version) in zip(rows, expected, strict=True):
        assert tuple(row) == COLUMNS
        forward = post["forward"] or {}
        for name in row:
            if name in version and name != "extras":
                value = version[name]
            elif name.startswith("forward_"):
                value = forward.get(name.removeprefix("forward_"))
            elif name in post and name not in ("album", "hits", "versions"):
                value = post[name]
            else:
                continue
            assert row[name] == ("" if value is None else str(value)), name
        assert json.loads(row["extras"] or "[]") == version["extras"]
        assert row["album"].split() == [str(id) for id in post["album"]]
        assert row["versions"] == str(len(post["versions"]))
        is_present = version is post["versions"][-1]
        found = json.loads(json.dumps(post["hits"])) if is_present else []
        assert json.loads(row["hits"] or "[]") == found
    assert rows[0]["terms"] == "Гомель; эшелон"
    assert rows[2]["matched"] == "Гомель"


async def test_csv_keeps_to_its_rfc_and_to_what_excel_needs():
    made = Csv(bom=True)
    data = made.head() + made.record(record('two\nlines, "quoted"'))
    assert data.encode().startswith(b"\xef\xbb\xbfchannel_id,")
    assert Csv().head().encode().startswith(b"channel_id,")
    assert data.endswith("\r\n")
    assert '"two\nlines, ""quoted"""' in data


@pytest.mark.parametrize("text", HOSTILE)
def test_no_cell_is_a_formula_and_every_text_comes_back(text):
    made = Csv()
    [row] = csv.reader(io.StringIO(made.record(record(text, title=text, term=text)), newline=""))
    for cell in row:
        assert not re.match(r"\s*[=+\-@＝＋－＠\t\r]", cell)
    cells = dict(zip(COLUMNS, row, strict=True))
    for name in ("text", "channel_title", "terms"):
        assert unguarded(cells[name]) == text
    assert cells["text_sha256"] == hashlib.sha256(text.encode()).hexdigest()


@given(st.text(st.characters(exclude_categories=["Cs"])))
@example("'")
@example("''=")
def test_a_guard_is_taken_away_by_its_rule(text):
    assert guarded(text).removeprefix("'") == text
    assert not guarded(text).startswith(tuple("=+-@\t\r\n"))


@pytest.mark.parametrize("text", HOSTILE)
def test_a_line_of_json_is_one_line_whoever_splits_it(text):
    line = JsonLines().record(record(text))
    assert len(line.splitlines()) == 1
    assert json.loads(line)["versions"][0]["text"] == text


@pytest.mark.parametrize("text", HOSTILE)
def test_html_shows_texts_as_they_are_and_runs_nothing(text):
    made = Html(text)
    older = f"before {text}"
    shown = made.head() + made.record(record(text, older=[older], title=text, term=text))
    page = LexborHTMLParser(shown + made.foot())
    texts = [node.text(deep=True) for node in page.css("div.text")]
    assert texts == [text.replace("\x85", "�"), older.replace("\x85", "�")]
    hashes = [node.text() for node in page.css("code.sha256")]
    assert hashes == [hashlib.sha256(said.encode()).hexdigest() for said in (text, older)]
    tags = Counter(node.tag for node in page.css("*"))
    foreign = {"script", "img", "link", "iframe", "object", "form", "base", "svg", "video", "embed"}
    assert not foreign & set(tags)
    assert (tags["style"], tags["article"], tags["details"]) == (1, 1, 1)
    attributes = {name for node in page.css("*") for name in node.attributes}
    assert attributes <= {
        *("lang", "charset", "http-equiv", "content", "name", "class", "id", "dir"),
        *("href", "rel", "datetime"),
    }
    assert {node.attributes["href"] for node in page.css("a")} == {"https://t.me/news/1"}
    assert not re.search(r"url\(|@import", page.css_first("style").text())


def test_html_marks_what_hit_whatever_the_spans():
    text = "<эшелон> и ещё эшелон"
    spans = [(1, 7), (0, 8), (3, 5), (15, 21), (20, 99)]
    page = LexborHTMLParser(Html("x").record(record(text, spans=spans)))
    assert page.css_first("div.text").text(deep=True) == text
    assert [mark.text() for mark in page.css("mark")] == ["<эшелон>", "эшелон"]


async def test_html_tells_of_forwards_edits_and_deletions(db, stored):
    text, _ = await exported(db, Html("x"), only_hits=False)
    page = LexborHTMLParser(text)
    first, second, third = (article.text(deep=True) for article in page.css("article"))
    assert "Edited 2026-01-01 12:19:00" in first
    assert "From 2026-01-01 12:00:00 to 2026-01-01 12:10:00 it said" in first
    assert "Forwarded from @first_one · 2026-01-01 11:00:00" in second
    assert "Deleted, seen 2026-01-01 12:20:00" in third


def test_the_page_of_the_documentation_names_what_there_is():
    first_column = re.findall(r"^\| (`.*?) \|", DOC, re.MULTILINE)
    names = [re.findall(r"`(\w+)`", cell) for cell in first_column]
    columns = names[: len(COLUMNS)]
    assert [name for [name] in columns] == list(COLUMNS)
    made = as_object(record("эшелон", spans=[(0, 6)]))
    assert [n for cell in names[len(COLUMNS) :] for n in cell] == list(made)
    for key in ("versions", "hits"):
        described = re.search(rf"^\| `{key}` \| objects.*?: (`.*`) \|$", DOC, re.MULTILINE)
        assert re.findall(r"`(\w+)`", described[1]) == list(made[key][0])


async def test_files_are_cut_between_posts_and_each_is_complete(db, stored):
    whole, made = await exported(db, Csv(), only_hits=False)
    files = Files(Csv(), io.BytesIO, limit=len(whole.encode()) - 1)
    await fill(db, Wanted(only_hits=False), files)
    assert len(files.files) == 2
    parts = [rows_of(file.getvalue().decode()) for file in files.files]
    assert parts[0] + parts[1] == rows_of(whole)
    assert files.made.posts == made.posts
    with pytest.raises(TooMuch):
        await fill(db, Wanted(only_hits=False), Files(Csv(), io.BytesIO, limit=1, most=2))


async def test_what_is_exported_stands_still_and_holds_up_nobody(db, stored, clock):
    async with db.snapshot() as snapshot:
        reading = records.pages(snapshot, Wanted(only_hits=False), 1)
        [first] = await anext(reading)
        async with db.transaction() as tx:
            await posts.save(tx, make.post("новое", message_id=50), clock())
        assert await posts.count(db.reader) == 4
        rest = [r async for page in reading for r in page]
    assert [r.post.key for r in (first, *rest)] == [(1, 1), (2, 3), (2, 9)]


async def test_a_request_is_understood_or_says_why_not(db, stored):
    everything = Period()
    assert await find(db, Request(everything, watchlist="LIST1", channel="@NEWS")) == Wanted(
        watchlist_id=1, channel_id=1
    )
    assert (await find(db, Request(everything, posts=True, channel="-1002"))).channel_id == 2
    async with db.transaction() as tx:
        await channels.remove(tx, 2, make.NOON)  # its posts stay
    assert (await find(db, Request(everything, channel="t.me/wire"))).channel_id == 2
    for request, why in [
        (Request(everything, watchlist="nope"), "no watchlist nope"),
        (Request(everything, channel="@nobody_here"), "no post of @nobody_here"),
        (Request(everything, channel="@x"), "names no channel"),
        (Request(everything, posts=True, watchlist="list1"), "has hits"),
    ]:
        with pytest.raises(ValueError, match=why):
            await find(db, request)


WARSAW = ZoneInfo("Europe/Warsaw")
PERIODS = [
    ("all", "all times"),
    ("6h", "2026-01-01 06:00 to now UTC"),
    ("14D", "2025-12-18 12:00 to now UTC"),
    ("today", "2025-12-31 23:00 to 2026-01-01 23:00 UTC"),
    ("yesterday", "2025-12-30 23:00 to 2025-12-31 23:00 UTC"),
    ("2026-03-29", "2026-03-28 23:00 to 2026-03-29 22:00 UTC"),  # a day of 23 hours
    ("2026-10-25..2026-10-25", "2026-10-24 22:00 to 2026-10-25 23:00 UTC"),  # of 25
    ("2026-01-01..", "2025-12-31 23:00 to now UTC"),
]


@pytest.mark.parametrize(("word", "meant"), PERIODS, ids=[p[0] for p in PERIODS])
def test_a_period_is_read_in_its_zone(word, meant):
    assert str(periods.read_period(word, make.NOON, WARSAW)) == meant


@pytest.mark.parametrize(
    "word", ["", "7", "7w", "2026-02-30", "2026-02-02..2026-02-01", "0001-01-01", "9999-12-31", "x"]
)
def test_what_is_no_period_is_none(word):
    assert periods.read_period(word, make.NOON, WARSAW) is None


# -- on the command line


@pytest.fixture
def start(tmp_path):
    """`await start(…)` is a running `python -m bot …` without any setting but the database."""

    async def run(*arguments):
        return await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "bot", *map(str, arguments)),
            cwd=tmp_path,
            env={"PYTHONPATH": str(ROOT), "DATABASE": str(tmp_path / "watch.db")},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    return run


@pytest.fixture
def command(start):
    """The same to its end: exit code, output, messages."""

    async def run(*arguments):
        process = await start(*arguments)
        async with asyncio.timeout(60):
            out, err = await process.communicate()
        assert b"Traceback" not in err
        return process.returncode, out.decode(), err.decode()

    return run


def is_private(path):
    return path.stat().st_mode & 0o777 == 0o600


async def test_the_command_writes_a_new_file_for_this_user_alone(command, stored, tmp_path):
    path = tmp_path / "all.csv"
    code, out, err = await command("export", path, "--posts", "--bom")
    size = path.stat().st_size
    told = f"{path}: 3 posts, 2 hits, 2 earlier texts, {size:,} bytes\n"
    assert (code, out, err) == (0, told, "")
    assert is_private(path)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    assert len(rows_of(path.read_text(encoding="utf-8-sig"))) == 5
    code, out, err = await command("export", path)
    assert (code, out) == (2, "")
    assert err == f"{path} exists already: name another file, or remove it first\n"
    assert path.stat().st_size == size
    assert not list(tmp_path.glob(".new-*"))


async def test_the_command_writes_to_standard_output(command, stored):
    asked = ("export", "-", "--format", "jsonl", "--period", "2026-01-01", "--watchlist", "list1")
    code, out, err = await command(*asked)
    assert code == 0
    assert [json.loads(line)["message_id"] for line in out.splitlines()] == [1]
    assert err.startswith("-: 1 post, 2 hits, 2 earlier texts, ")


async def test_an_empty_period_makes_no_file(command, stored, tmp_path):
    code, out, err = await command("export", "x.html", "--period", "2020-01-01")
    assert (code, err) == (0, "")
    assert out == (
        "Hits, 2020-01-01 00:00 to 2020-01-02 00:00 UTC: there are none, so nothing was written\n"
    )
    assert not list(tmp_path.glob("*.html"))
    assert not list(tmp_path.glob(".new-*"))


async def test_a_mistake_is_one_line(command, stored):
    code, out, err = await command("export", "nowhere/x.csv")
    assert (code, out) == (2, "")
    assert err == "nowhere/x.csv can't be written: No such file or directory\n"


@pytest.mark.parametrize(
    ("file", "period", "format", "said"),
    [
        ("x.doc", "all", "", "which format?"),
        ("-", "all", "", "which format?"),
        ("x.csv", "all", "xls", "which format?"),
        ("x.csv", "7w", "", "“7w” is no period: write 6h"),
    ],
)
def test_what_can_not_be_read_is_said(file, period, format, said):
    with pytest.raises(NotExported, match=re.escape(said)):
        read_request(file, period, False, "", "", format, False)


async def test_a_backup_is_whole_while_others_write(command, stored, db, clock, tmp_path):
    path = tmp_path / "copy.db"
    writing = asyncio.create_task(write_on(db, clock))
    code, out, err = await command("backup", path)
    writing.cancel()
    await asyncio.wait([writing])
    assert (code, err) == (0, "")
    assert is_private(path)
    async with open_database(path) as copy:
        number = await posts.count(copy.reader)
        assert (
            out == f"{path}: {tmp_path / 'watch.db'} with {number:,} posts, {len_of(path)} bytes\n"
        )
        [[well]] = await copy.reader.execute_fetchall("PRAGMA integrity_check")
        found = [
            m
            for (m,) in await copy.reader.execute_fetchall(
                "SELECT message_id FROM posts WHERE channel_id = 1 ORDER BY 1"
            )
        ]
        assert await hits.count(copy.reader) == 2
    assert well == "ok"
    assert found == [
        1,
        *range(100, 100 + number - 3),
    ]  # a moment: no later post without the earlier
    code, out, err = await command("backup", path)
    assert (code, out) == (2, "")
    assert err == f"{path} exists already: name another file, or remove it first\n"


async def write_on(db, clock):
    for number in range(100, 100_000):
        async with db.transaction() as tx:
            await posts.save(tx, make.post("эшелон", message_id=number), clock())


def len_of(path):
    return f"{path.stat().st_size:,}"


@pytest.mark.parametrize("what", ["backup", "export"])
async def test_there_is_no_copy_of_nothing(command, tmp_path, what):
    code, out, err = await command(what, "x.csv")
    assert (code, out) == (2, "")
    assert "there is none; set DATABASE to its path" in err
    assert not list(tmp_path.iterdir())


async def test_there_is_no_backup_of_an_empty_file(command, tmp_path):
    (tmp_path / "watch.db").touch()
    code, out, err = await command("backup", "x.db")
    assert (code, out) == (2, "")
    assert "holds nothing of this program yet" in err
    assert not list(tmp_path.glob("*x*"))


@pytest.fixture
async def much(db, clock):
    """Far more than fits into a pipe."""
    async with db.transaction() as tx:
        await channels.add(tx, make.channel(1, "news"), 0, clock())
        text = "эшелон " * 500
        many = [make.post(text, message_id=number) for number in range(1, 5001)]
        await posts.save_new(tx, many, clock())


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
async def test_a_stopped_export_leaves_nothing(start, much, tmp_path, stop):
    process = await start("export", "x.jsonl", "--posts")
    async with asyncio.timeout(30):
        while not any(path.stat().st_size for path in tmp_path.glob(".new-*")):
            await asyncio.sleep(0.001)
        process.send_signal(stop)
        out, err = await process.communicate()
    assert (process.returncode, out) == (130, b"")
    assert err == b"Stopped: nothing was kept of it.\n"
    assert not list(tmp_path.glob("*x*"))


async def test_an_export_ends_when_nobody_reads_it(start, much):
    process = await start("export", "-", "--format", "csv", "--posts")
    async with asyncio.timeout(30):
        assert (await process.stdout.readline()).startswith(b"channel_id,")
        process.send_signal(signal.SIGTERM)  # it waits for its reader
        _, err = await process.communicate()
    assert (process.returncode, err) == (-signal.SIGTERM, b"")


async def test_a_cut_off_reading_is_closed_in_order(db, much):
    files = Files(Csv(), io.BytesIO, limit=1, most=1)
    with pytest.raises(TooMuch):
        await fill(db, Wanted(only_hits=False), files)
    gc.collect()  # a reading left open would complain now


# -- in a chat


def sent_file(api, message):
    return api.files[message["document"]["file_id"]].data.decode("utf-8-sig")


async def test_a_chat_gets_the_file_it_asks_for(talking, api, owner, stored, clock):
    async with talking():
        await owner.send("/export")
        message = await owner.expect("Hits, 2025-12-25 12:20 to now UTC: 1 post, 2 hits")
    assert message["document"]["file_name"] == "hits-2025-12-25.csv"
    assert [row["version"] for row in rows_of(sent_file(api, message))] == ["1", "2", "3"]
    actions = api.called("sendChatAction")
    assert actions[0]["action"] == "upload_document"


@pytest.mark.parametrize(
    ("said", "caption", "name"),
    [
        ("posts all jsonl", "Posts, all times: 3 posts", "posts-all.jsonl"),
        ("HTML list1 @news 1d", "Hits of list1 in @news, 2025-12-31", "hits-2025-12-31.html"),
        ("2026-01-01..2026-01-01", "2026-01-01 00:00 to", "hits-2026-01-01-2026-01-02.csv"),
    ],
)
async def test_a_chat_says_what_it_wants_in_any_order(
    talking, api, owner, stored, said, caption, name
):
    async with talking():
        await owner.send(f"/export {said}")
        message = await owner.expect(caption)
    assert message["document"]["file_name"] == name


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("2020-01-01", "Hits, 2020-01-01 00:00 to 2020-01-02 00:00 UTC: there are none."),
        ("nope", "there is no watchlist nope"),
        ("list1 list2", "of one watchlist at a time"),
        ("@nobody_here", "no post of @nobody_here was ever stored"),
        ("7days", "“7days” is no period"),
        ("<b>&", "there is no watchlist <b>&"),
    ],
)
async def test_what_can_not_be_is_answered(talking, owner, stored, said, answer):
    async with talking():
        await owner.send(f"/export {said}")
        await owner.expect(answer)


async def test_a_topic_gets_its_file(talking, api, owner, stored):
    group = api.supergroup("Desk", forum=True)
    topic = group.topic("Exports")
    async with talking():
        await owner.send("/export posts all", group, thread=topic)
        message = await group.expect("Posts, all times")
    assert message["message_thread_id"] == topic


class Marked(NullTranslations):
    """Says «be:…»."""

    def gettext(self, message):
        return f"be:{message}"

    def ngettext(self, one, many, n):
        return f"be:{one if n == 1 else many}"


async def test_an_export_is_told_in_the_language_of_its_chat_and_its_page_is_english(
    talking, api, owner, stored, monkeypatch
):
    translations = {"be": Marked()}
    monkeypatch.setattr(
        speech, "catalogue", lambda code: translations.get(code, NullTranslations())
    )
    async with talking():
        await owner.send("/language be")
        await owner.send("/export html all")
        message = await owner.expect("be:1 post, be:2 hits")
    assert message["caption"].startswith("be:Hits, ")
    assert "<h1>Hits, all times</h1>" in sent_file(api, message)


async def test_a_long_export_comes_in_files_of_their_own(talking, api, owner, stored, monkeypatch):
    monkeypatch.setattr(export_chat, "LIMIT", 1500)
    monkeypatch.setattr(export_chat, "PAUSE", 0)
    async with talking():
        await owner.send("/export posts all jsonl")
        await owner.expect("File 2 of 2")
        first, second = owner.messages[-2:]
    assert first["document"]["file_name"] == "posts-all-1of2.jsonl"
    lines = (sent_file(api, first) + sent_file(api, second)).splitlines()
    assert [json.loads(line)["message_id"] for line in lines] == [1, 3, 9]


async def test_what_is_too_long_is_not_sent(talking, api, owner, stored, monkeypatch):
    monkeypatch.setattr(export_chat, "LIMIT", 1)
    monkeypatch.setattr(export_chat, "MOST", 2)
    async with talking():
        await owner.send("/export posts all")
        await owner.expect("nothing is sent")
    assert not api.called("sendDocument")


FAULTS = [
    ((400, 1), export_chat.REFUSED),
    ((413, 1), export_chat.TOO_LARGE),
    ((500, 1), export_chat.NOT_SENT),
    (("drop", 1), export_chat.NOT_SENT),
]


@pytest.mark.parametrize(("fault", "answer"), FAULTS, ids=[str(f[0][0]) for f in FAULTS])
async def test_a_file_that_does_not_go_through_is_answered(
    talking, api, owner, stored, fault, answer
):
    api.fail("sendDocument", *fault)
    async with talking():
        await owner.send("/export")
        await owner.expect(answer)
        await owner.send("/export")  # and the next one goes
        await owner.expect("1 post, 2 hits")


async def test_a_file_waits_when_telegram_asks_to(talking, api, owner, stored, monkeypatch):
    waited = []

    async def sleep(seconds, real=asyncio.sleep):
        waited.append(seconds)
        await real(0)

    api.fail("sendDocument", 429, retry_after=7)
    async with talking():
        monkeypatch.setattr(export_chat, "LONGEST_WAIT", 7)
        monkeypatch.setattr(export_chat.asyncio, "sleep", sleep)
        await owner.send("/export")
        message = await owner.expect("1 post, 2 hits")
        monkeypatch.undo()
    assert 7 in waited
    assert len(rows_of(sent_file(api, message))) == 3  # from its beginning again


async def test_a_slow_upload_lets_nobody_wait_and_ends_with_the_program(
    talking, api, owner, stored, monkeypatch
):
    monkeypatch.setattr(export_chat, "WAITING", 1)
    api.fail("sendDocument", "hang")
    async with talking():
        await owner.send("/export")
        await api.wait_for(lambda: api.called("sendDocument"))
        await owner.send("/export")
        await owner.send("/export")
        await owner.expect("Several exports wait already")
        await owner.send("/help")
        await owner.expect("next to each other")


async def test_a_full_disk_is_answered_and_no_file_stays(
    talking, owner, stored, monkeypatch, tmp_path
):
    def full():
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export_chat.tempfile, "TemporaryFile", full)
    async with talking():
        await owner.send("/export")
        await owner.expect(export_chat.NO_ROOM)


async def test_files_for_chats_have_no_name_and_are_for_this_user_alone(
    talking, api, owner, stored, monkeypatch
):
    made = []

    def watched(real=export_chat.tempfile.TemporaryFile):
        made.append(real())
        return made[-1]

    monkeypatch.setattr(export_chat.tempfile, "TemporaryFile", watched)
    seen = []
    real_sent = export_chat.Exports._sent

    async def sent(self, order, files):
        seen.extend(Path(f"/proc/self/fd/{file.fileno()}").stat() for file in files.files)
        return await real_sent(self, order, files)

    monkeypatch.setattr(export_chat.Exports, "_sent", sent)
    async with talking():
        await owner.send("/export")
        await owner.expect("1 post, 2 hits")
        await owner.send("/help")
        await owner.expect("/export")
    assert [(about.st_nlink, about.st_mode & 0o777) for about in seen] == [(0, 0o600)]
    assert all(file.closed for file in made)


def test_the_formats_are_those_that_are_asked_for():
    for name in ("csv", "jsonl", "html"):
        assert make_format(Request(Period(), format=name)).suffix == name
    assert periods.read_period("1h", make.NOON, UTC) == Period(make.NOON - timedelta(hours=1))
