"""Is a Telegram Desktop export read as it was published?"""

import json
from datetime import UTC, datetime

import pytest

from bot.demo import EXPORT
from storage.model import ChannelKind, Extra
from watchers.exports import BadExport, read_export


def write(tmp_path, *messages, **chat):
    path = tmp_path / "result.json"
    about = {"name": "News", "type": "public_channel", "id": 5, "messages": messages} | chat
    path.write_text(json.dumps(about), encoding="utf-8")
    return path


def message(id=1, text="", **fields):
    return {
        "id": id,
        "type": "message",
        "date": "2026-01-01T14:00:00",  # local time of whoever exported
        "date_unixtime": "1767268800",
        "text": text,
        "text_entities": [],
    } | fields


def test_the_bundled_export_holds_the_demo_posts():
    chats = read_export(EXPORT)
    assert sum(len(chat.posts) for chat in chats) > 200
    assert any(chat.channel.kind is ChannelKind.GROUP for chat in chats)


def test_a_post_as_it_was_published(tmp_path):
    text = ["Эшелон ", {"type": "bold", "text": "два"}, {"type": "link", "text": " t.me"}]
    entities = [{"type": "text_link", "text": "x", "href": "https://example.org/эшелон"}]
    path = write(
        tmp_path,
        message(2, text, text_entities=entities, edited_unixtime="1767268860", file_name="a.pdf"),
        message(1, "first"),
        {"id": 3, "type": "service", "action": "pin_message"},
        message(4, poll={"question": "Q?", "answers": [{"text": "A", "voters": 1}]}),
    )
    (chat,) = read_export(path)
    first, second, poll = chat.posts
    assert (first.text, second.text) == ("first", "Эшелон два t.me")
    assert second.published_at == datetime(2026, 1, 1, 12, tzinfo=UTC)
    assert second.edited_at == datetime(2026, 1, 1, 12, 1, tzinfo=UTC)
    assert second.extras == (Extra("link", "https://example.org/эшелон"), Extra("file", "a.pdf"))
    assert poll.extras == (Extra("poll", "Q?"), Extra("poll", "A"))


def test_control_characters_as_telegram_desktop_writes_them(tmp_path):
    path = write(tmp_path, message(text="MARK"))
    path.write_text(path.read_text().replace("MARK", r"a\x1bb \\x1b"))
    assert read_export(path)[0].posts[0].text == "a\x1bb \\x1b"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("<html>", "choose “Machine-readable JSON”"),
        ("[]", "holds no public channel or group"),
        ('{"name": "Ann", "type": "personal_chat", "id": 1, "messages": []}', "holds no public"),
    ],
)
def test_what_is_no_export_is_named(tmp_path, content, reason):
    path = tmp_path / "result.json"
    path.write_text(content)
    with pytest.raises(BadExport, match=reason) as error:
        read_export(path)
    assert str(path) in str(error.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(BadExport, match="can't be read: No such file"):
        read_export(tmp_path / "none.json")
