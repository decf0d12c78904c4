"""Which channel does a person mean by @name, a link or a number?"""

import re
from dataclasses import dataclass

from storage.said import Said

_HOSTS = r"(?:https?://)?(?:www\.)?(?:t\.me|telegram\.me|telegram\.dog)/"
_USERNAME = r"[A-Za-z][A-Za-z0-9_]{3,31}"
_NAME = re.compile(rf"@?({_USERNAME})")
_LINK = re.compile(rf"{_HOSTS}(?:s/)?@?({_USERNAME})(?:[/?#].*)?", re.IGNORECASE)
_SUBDOMAIN = re.compile(rf"(?:https?://)?({_USERNAME})\.t\.me/?.*", re.IGNORECASE)
_APP = re.compile(rf"tg://resolve/?\?(?:.*&)?domain=({_USERNAME}).*", re.IGNORECASE)
_NUMBER = re.compile(r"(?:-100)?(\d{1,15})")
_MEMBERS_LINK = re.compile(rf"{_HOSTS}c/(\d+)(?:[/?#].*)?", re.IGNORECASE)
_POST = re.compile(
    rf"(?:{_HOSTS}(?:s/)?(?:({_USERNAME})|c/(\d{{1,15}}))|(?:https?://)?({_USERNAME})\.t\.me)"
    r"(?:/\d{1,12})?/(\d{1,12})/?(?:[?#].*)?",
    re.IGNORECASE,
)
_INVITE = re.compile(rf"{_HOSTS}(?:\+|joinchat/).*|tg://join.*", re.IGNORECASE)


class BadReference(ValueError):
    """Names no channel; the message says what would."""


@dataclass(frozen=True, slots=True)
class Reference:
    """Exactly one of the two is given."""

    username: str | None = None
    id: int | None = None  # bare

    def __str__(self) -> str:
        return f"@{self.username}" if self.username else str(self.id)


def read_reference(text: str) -> Reference:
    """Read `@name`, a t.me link (of a post too), or a numeric id, -100… or bare."""
    text = text.strip()
    if _INVITE.fullmatch(text):
        raise BadReference(
            Said(
                "that is an invite link, so the channel is private; only public channels and "
                "groups, those with an @name, are watched"
            )
        )
    for pattern in (_LINK, _SUBDOMAIN, _APP, _NAME):
        if match := pattern.fullmatch(text):
            return Reference(username=match[1])
    for pattern in (_MEMBERS_LINK, _NUMBER):
        if match := pattern.fullmatch(text):
            return Reference(id=int(match[1]))
    raise BadReference(
        Said(
            "“{text}” names no channel: write @name, https://t.me/name or the channel's number",
            text=text[:64],
        )
    )


def read_post_link(text: str) -> tuple[Reference, int]:
    """Read the link of a post, `https://t.me/name/123`: its channel and its number there."""
    if match := _POST.fullmatch(text.strip()):
        username, id, subdomain, message_id = match.groups()
        name = username or subdomain
        reference = Reference(username=name) if name else Reference(id=int(id))
        return reference, int(message_id)
    raise BadReference(
        Said("“{text}” is no link of a post: write https://t.me/name/123", text=text[:64])
    )
