"""Is a Telegram Desktop export read as it was published?"""

import json
import re
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.demo import EXPORT
from storage.model import ChannelKind, Extra, Forward
from watchers import export_file
from watchers.export_file import BadExport, ExportFile
from watchers.exports import as_album, read_posts

CHANNEL = {"name": "News", "type": "public_channel", "id": 5}


def write(tmp_path, *messages, **chat):
    path = tmp_path / "result.json"
    path.write_text(json.dumps(CHANNEL | {"messages": messages} | chat), encoding="utf-8")
    return path


def message(id=1, text="", **fields):
    return {
        "id": id,
        "type": "message",
        "date": "2026-01-01T14:00:00",  # local time of whoever exported
        "date_unixtime": "1767268800",
        "from": "News",
        "from_id": "channel5",
        "text": text,
        "text_entities": [],
    } | fields


def photo(id, text="", **fields):
    return message(id, text, photo="(File not included.)", **fields)


def read(path, skip=0):
    refused = []
    found = list(read_posts(ExportFile(path), refused.append, skip))
    assert not refused
    return found


def posts(path):
    return [as_album(exported.posts) for exported in read(path) if exported.posts]


def test_the_bundled_export_holds_the_demo_posts():
    found = read(EXPORT)
    assert len([exported for exported in found if exported.posts]) > 200
    assert any(exported.channel.kind is ChannelKind.GROUP for exported in found)


def test_a_post_as_it_was_published(tmp_path):
    text = ["Эшелон ", {"type": "bold", "text": "два"}, {"type": "link", "text": " t.me"}]
    entities = [{"type": "text_link", "text": "x", "href": "https://example.org/эшелон"}]
    buttons = [[{"type": "url", "text": "Читать", "data": "https://e.org"}], [{"type": "game"}]]
    path = write(
        tmp_path,
        message(1, "first"),
        message(2, text, text_entities=entities, edited_unixtime="1767268860", file_name="a.pdf"),
        {"id": 3, "type": "service", "action": "pin_message"},
        {"id": 4, "type": "unsupported"},
        message(5, poll={"question": "Q?", "answers": [{"text": "A", "voters": 1}]}),
        message(6, inline_bot_buttons=buttons),
        message(7, file="files/план.pdf"),
        message(8, file="(File not included.)"),
        message(9, file="video_files/video_1.mp4", media_type="video_file"),
    )
    first, second, *others = posts(path)
    assert (first.text, second.text) == ("first", "Эшелон два t.me")
    assert second.published_at == datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert second.edited_at == datetime(2026, 1, 1, 12, 1, tzinfo=UTC)
    assert second.extras == (Extra("link", "https://example.org/эшелон"), Extra("file", "a.pdf"))
    assert [post.extras for post in others] == [
        (Extra("poll", "Q?"), Extra("poll", "A")),
        (Extra("button", "Читать"), Extra("button", "https://e.org")),
        (Extra("file", "план.pdf"),),
        (),
        (),
    ]


def test_of_a_whole_account_only_what_is_public_is_read(tmp_path):
    def chat(id, type, **fields):
        return {"name": "N", "type": type, "id": id, "messages": [message(1, f"in {id}")]} | fields

    path = tmp_path / "result.json"
    lists = {
        "about": "Here is the data you requested.",
        "personal_information": {"user_id": 1, "first_name": "Ann", "bio": "x"},
        "frequent_contacts": {"list": [{"id": 2, "type": "public_channel", "name": "F"}]},
        "chats": {
            "list": [
                {"type": "saved_messages", "id": 1, "messages": [message(1, "mine")]},
                chat(3, "public_channel"),
                chat(4, "personal_chat"),
                chat(5, "private_supergroup"),
                chat(6, "public_supergroup", name=None),
            ]
        },
        "left_chats": {"list": [chat(7, "public_channel"), chat(8, "bot_chat")]},
    }
    path.write_text(json.dumps(lists))
    found = read(path)
    assert [(e.channel.id, e.channel.title, e.posts[0].text) for e in found] == [
        (3, "N", "in 3"),
        (6, "", "in 6"),
        (7, "N", "in 7"),
    ]


def test_people_are_left_out(tmp_path):
    path = write(
        tmp_path,
        {"id": -999999999, "type": "message", "text": "from before the group was public"},
        message(1, "hi", **{"from": "Secret Name", "from_id": "user77", "author": "Secret Name"}),
        message(2, "fwd", forwarded_from="Secret Name", forwarded_from_id="user77"),
        message(3, "hidden", forwarded_from="Secret Name"),
        type="public_supergroup",
    )
    found = posts(path)
    assert [post.message_id for post in found] == [1, 2, 3]
    assert [post.forward for post in found] == [None, Forward(), Forward()]
    assert "Secret" not in repr(found)
    assert "77" not in repr(found)


def test_a_forward_keeps_the_channel_it_is_from(tmp_path):
    path = write(tmp_path, message(forwarded_from="Origin", forwarded_from_id="channel123"))
    assert posts(path)[0].forward == Forward(channel_id=123, channel="Origin")


def test_an_album_is_one_post(tmp_path):
    file = {"file": "(…)", "media_type": "video_file", "file_name": "clip.mp4"}
    path = write(
        tmp_path,
        photo(1),
        photo(2, "caption", edited_unixtime="1767268860"),
        message(3, **file),
        message(4, "no media"),
        photo(5),
    )
    album, plain, lone = posts(path)
    assert (album.message_id, album.text, album.album) == (1, "caption", (1, 2, 3))
    assert album.edited_at == datetime(2026, 1, 1, 12, 1, tzinfo=UTC)
    assert album.extras == (Extra("file", "clip.mp4"),)
    assert (plain.album, lone.album) == ((), ())


@pytest.mark.parametrize(
    "second",
    [
        photo(3),  # an id between them is gone
        photo(2, date_unixtime="1767268801"),
        photo(2, "text"),
        photo(2, from_id="user2"),
        photo(2, forwarded_from="Other"),
        photo(2, reply_to_message_id=7),
        message(2),
        message(2, file="a", media_type="voice_message"),
    ],
)
def test_what_may_be_no_album_is_none(tmp_path, second):
    assert len(posts(write(tmp_path, photo(1, "caption"), second))) == 2


def test_an_album_has_ten_messages_at_most(tmp_path):
    found = posts(write(tmp_path, *[photo(id) for id in range(1, 14)]))
    assert [len(post.album) for post in found] == [10, 3]


def test_reading_goes_on_after_what_was_read_before(tmp_path):
    path = write(tmp_path, message(1, "a"), {"id": 2, "type": "service"}, photo(3), photo(4))
    whole = read(path)
    assert [exported.number for exported in whole] == [1, 2, 4]
    for exported in whole:
        rest = read(path, skip=exported.number)
        assert rest == [later for later in whole if later.number > exported.number]


def test_control_characters_as_telegram_desktop_writes_them(tmp_path):
    path = write(tmp_path, message(text="MARK"))
    path.write_text(path.read_text().replace("MARK", r"a\x1bb \\x1b \\\x1F"))
    assert posts(path)[0].text == "a\x1bb \\x1b \\\x1f"


@given(
    st.lists(
        st.sampled_from([r"\\", r"\x1b", r"\n", "x", "1", r"\"", r"\u0041", "я"]), max_size=20
    ),
    st.integers(1, 12),
)
@example([r"\\", r"\\", r"\x1b", r"\x07"], 1)
def test_escapes_are_mended_wherever_reading_cuts_them(tmp_path_factory, parts, piece):
    path = write(tmp_path_factory.mktemp("cut"), message(text="MARK"))
    path.write_text(path.read_text().replace("MARK", "".join(parts)), encoding="utf-8")
    wanted = "".join(parts).replace("\\\\", "\0")
    wanted = re.sub(r"\\x(..)", lambda m: rf"\u00{m[1]}", wanted).replace("\0", "\\\\")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export_file, "PIECE", piece)
        assert posts(path)[0].text == json.loads(f'"{wanted}"')


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("<html>", r"line 1 \(byte 6\): this is no JSON: .* choose “Machine-readable JSON”"),
        ("", "this is no JSON"),
        ("[]", "holds no public channel or group"),
        ('{"name": "Ann", "type": "personal_chat", "id": 1, "messages": []}', "holds no public"),
        ('{"name": "N", "type": "public_channel",\n "id": 1, "mess', "line 2 .*: the file ends"),
    ],
)
def test_what_is_no_export_is_named(tmp_path, content, reason):
    path = tmp_path / "result.json"
    path.write_text(content)
    with pytest.raises(BadExport, match=reason) as error:
        read(path)
    assert str(path) in str(error.value)


def test_an_export_that_ends_too_early_gives_what_it_has(tmp_path):
    path = write(tmp_path, *[message(id, f"post {id}") for id in range(1, 100)])
    path.write_text(path.read_text()[:-300])
    found = []
    with pytest.raises(BadExport, match="its export was not finished: export again"):
        found.extend(read_posts(ExportFile(path), found.append))
    assert len(found) == 97


def test_an_empty_channel_is_an_export(tmp_path):
    assert posts(write(tmp_path)) == []


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(BadExport, match="can't be read: No such file"):
        read(tmp_path / "none.json")


def test_a_message_that_cannot_be_read_is_named_and_the_rest_goes_on(tmp_path):
    old = message(2, "from 2019")
    del old["date_unixtime"]
    path = write(
        tmp_path,
        message(1, "a"),
        old,
        message(3, text=7),
        message(4, date_unixtime="x"),
        message(5),
    )
    refused = []
    found = [e for e in read_posts(ExportFile(path), refused.append) if e.posts]
    assert [e.posts[0].message_id for e in found] == [1, 5]
    assert [re.split(": | can't", text)[1] for text in refused] == [
        "message 2",
        "message 3",
        "message 4",
    ]
    assert str(path) in refused[0]
    assert "a newer Telegram Desktop writes it" in refused[0]
    assert "text" in refused[1]
