"""Which messages does a result.json of any size hold, and in which chats?

Telegram Desktop exports of years are several GB, so the file is never held: bytes are cleaned and
parsed as they are read, and one message at a time is made of them.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import ijson  # its wheels bring yajl, a parser in C

from storage.model import Channel, ChannelKind

PIECE = 1 << 13  # bytes parsed at once: what stands before a mistake in the same piece is lost
BREATH = 1 << 22  # bytes between two pauses, about 0.05 s

# Telegram Desktop writes control characters as \xNN, which is not JSON.
_ESCAPE = re.compile(rb"\\(?:x([0-9A-Fa-f]{2})|.)", re.DOTALL)
_LONGEST_CUT = 3  # bytes of such an escape without its last one
_KINDS = {"public_channel": ChannelKind.CHANNEL, "public_supergroup": ChannelKind.GROUP}
_ROOTS = ("", "chats.list.item.", "left_chats.list.item.")  # an export of one chat, or of all
_HEADS = {root + key: key for root in _ROOTS for key in ("name", "type", "id")}
_MESSAGES = frozenset(root + "messages.item" for root in _ROOTS)


class BadExport(Exception):
    """Not an export that can be read; the message names file, place and remedy."""


@dataclass(frozen=True, slots=True)
class ExportedMessage:
    channel: Channel
    written: dict[str, Any]  # as the file has it
    number: int  # in the file, from 1, of those in public chats


class ExportFile:
    """A result.json, read once from its beginning. `position` tells how far, in bytes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.position = 0

    def messages(self, skip: int = 0) -> Iterator[ExportedMessage | None]:
        """Those of public channels and groups, in the order of the file, without the first ones.

        None is a pause for breath: a long stretch of the file may hold nothing that is wanted.
        Raises BadExport; what was read until then holds.
        """
        try:
            with self.path.open("rb") as file:
                yield from self._messages(_Cleaned(file, self), skip)
        except OSError as error:
            raise BadExport(f"{self.path} can't be read: {error.strerror}") from error

    def _messages(self, cleaned: "_Cleaned", skip: int) -> Iterator[ExportedMessage | None]:
        found, number, breath = False, 0, BREATH
        head: dict[str, Any] = {}
        builder: ijson.ObjectBuilder | None = None
        try:
            for prefix, event, value in ijson.parse(cleaned, buf_size=PIECE, use_float=True):
                if prefix in _MESSAGES:
                    if event == "start_map" and head.get("type") in _KINDS:
                        channel = _channel(head)
                        found, number = True, number + 1
                        builder = ijson.ObjectBuilder() if number > skip else None
                    elif event == "end_map" and builder is not None:
                        builder.event(event, value)
                        yield ExportedMessage(channel, builder.value, number)
                        builder = None
                    elif self.position > breath:
                        breath = self.position + BREATH
                        yield None
                if builder is not None:
                    builder.event(event, value)
                elif prefix in _HEADS:
                    head[_HEADS[prefix]] = value
                    found = found or head.get("type") in _KINDS
        except ijson.JSONError as error:
            raise BadExport(self._mistake(cleaned)) from error
        if not found:
            raise BadExport(
                f"{self.path} holds no public channel or group: export one of those "
                "(as “Machine-readable JSON”)"
            )

    def _mistake(self, cleaned: "_Cleaned") -> str:
        place = f"{self.path}, line {cleaned.lines + 1} (byte {self.position:,})"
        if cleaned.ended and self.position:
            return f"{place}: the file ends too early, its export was not finished: export again"
        return f"{place}: this is no JSON: export again and choose “Machine-readable JSON”"


def _channel(head: dict[str, Any]) -> Channel:
    """An export does not know @usernames."""
    return Channel(int(head["id"]), None, head.get("name") or "", _KINDS[head["type"]])


class _Cleaned:
    """The bytes of a file with its bad escapes mended, whichever way reading cuts them."""

    def __init__(self, file: BinaryIO, reader: ExportFile) -> None:
        self._file = file
        self._reader = reader
        self._cut = b""  # the beginning of an escape; so a piece never begins inside of one
        self.lines = 0
        self.ended = False

    def read(self, size: int) -> bytes:
        while True:
            piece = self._file.read(size)
            self.ended = not piece and size > 0
            self._reader.position += len(piece)
            self.lines += piece.count(b"\n")
            raw, self._cut = _uncut(self._cut + piece) if piece else (self._cut, b"")
            if raw or not piece:
                return _ESCAPE.sub(_mended, raw) if b"\\x" in raw else raw


def _mended(escape: re.Match[bytes]) -> bytes:
    return b"\\u00" + escape[1] if escape[1] else escape[0]


def _uncut(piece: bytes) -> tuple[bytes, bytes]:
    """The piece without the escape that its end may cut in two, and that escape's beginning."""
    last = piece.rfind(b"\\", max(0, len(piece) - _LONGEST_CUT))
    if last < 0:
        return piece, b""
    run = last + 1 - len(piece[: last + 1].rstrip(b"\\"))
    begins = run % 2 == 1  # else it is the second half of an escaped backslash
    return (piece[:last], piece[last:]) if begins else (piece, b"")
