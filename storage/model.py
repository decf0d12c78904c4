"""What are the words of this project, as types? Imports nothing of ours, does no I/O."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import IntEnum, StrEnum
from typing import NamedTuple


class Role(IntEnum):
    """What somebody may do: each what those below it may, and more."""

    VIEWER = 1
    MEMBER = 2
    OPERATOR = 3
    OWNER = 4

    @property
    def word(self) -> str:
        return self.name.lower()

    @classmethod
    def of(cls, word: str) -> "Role":
        """Raises KeyError when there is no such role."""
        return cls[word.upper()]


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of the team."""

    number: int  # in /team; never given to somebody else
    id: int  # Telegram user id
    name: str  # one line
    role: Role
    since: datetime


@dataclass(frozen=True, slots=True)
class Invite:
    hash: str  # SHA-256 of the token
    role: Role
    made_by: int  # Telegram user id of an owner
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Author:
    """Of a change."""

    person_id: int | None  # None: an administrator who hides behind the group
    name: str | None  # None: not of the team, has a say as one of the group
    chat_id: int | None  # where it was said


@dataclass(frozen=True, slots=True)
class Change:
    id: int
    at: datetime
    by: Author
    what: str  # as a command would say it


class ChannelKind(StrEnum):
    CHANNEL = "channel"
    GROUP = "group"  # a public group (megagroup): many people write, none of them is stored


@dataclass(frozen=True, slots=True)
class Channel:
    id: int  # bare MTProto id; the -100… form exists only inside bot/
    username: str | None  # without @; changes hands, so never a key
    title: str
    kind: ChannelKind = ChannelKind.CHANNEL


@dataclass(frozen=True, slots=True)
class Extra:
    """Searchable text of a post that is not shown as its text: it has no span there."""

    kind: str  # link | quote | poll | file | button | preview
    text: str


@dataclass(frozen=True, slots=True)
class Forward:
    """Where a forwarded post was published first. Of a person's message only the time is kept."""

    published_at: datetime | None = None  # aware, UTC; None: the source does not say
    channel_id: int | None = None
    message_id: int | None = None
    channel: str | None = None  # its title or @username, where the source gives it


class PostKey(NamedTuple):
    """Which post; of a story: its first one."""

    channel_id: int
    message_id: int


class Period(NamedTuple):
    """Half-open stretch of time; aware, UTC."""

    start: datetime
    end: datetime


class Sighting(NamedTuple):
    """A hit in short: what a digest of very many needs of each."""

    post: PostKey
    watchlist_id: int
    term_id: int
    published_at: datetime
    views: int
    story: PostKey

    @property
    def channel_id(self) -> int:
        return self.post.channel_id

    @property
    def message_id(self) -> int:
        return self.post.message_id


@dataclass(frozen=True, slots=True)
class Post:
    channel_id: int
    message_id: int  # of an album: the lowest of its messages
    published_at: datetime  # aware, UTC
    text: str  # what a reader sees, without markup; of an album: wherever its caption stands
    edited_at: datetime | None = None  # `published_at`: edited since, nobody says when
    extras: tuple[Extra, ...] = ()
    album: tuple[int, ...] = ()  # ids of all its messages that this source saw; empty: no album
    forward: Forward | None = None
    views: int | None = None  # as of when it was read
    forwards: int | None = None
    group_id: int | None = None  # Telegram's own mark of an album, where the source gives it

    @property
    def key(self) -> PostKey:
        return PostKey(self.channel_id, self.message_id)


class Severity(StrEnum):
    LOW = "low"  # arrives silently
    NORMAL = "normal"
    HIGH = "high"  # overtakes the others, and breaks quiet hours

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Term:
    """A rule, or, with a kind or aliases, an entity."""

    id: int
    name: str  # an entity's name, or the rule as it was written
    kind: str | None = None  # place, unit, person, organisation, equipment …
    aliases: tuple[str, ...] = ()  # always read as phrases, and so is an entity's name
    unless: str | None = None  # a rule; no hit where it matches

    @property
    def is_entity(self) -> bool:
        return self.kind is not None or bool(self.aliases)


@dataclass(frozen=True, slots=True)
class Watchlist:
    id: int
    name: str  # letters, digits, - and _; unique whatever the case
    title: str
    terms: tuple[Term, ...] = ()
    severity: Severity = Severity.NORMAL
    languages: tuple[str, ...] = ()  # be ru uk pl en; empty: worked out from the letters
    channels: tuple[str, ...] = ()  # "@username" or bare id, as written; empty: all


@dataclass(frozen=True, slots=True)
class Span:
    """Half-open range of `Post.text`, in Python characters (not UTF-16 units)."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """An occurrence outside the shown text, in one of the post's extras."""

    kind: str  # the extra's kind
    matched: str


@dataclass(frozen=True, slots=True)
class Hit:
    channel_id: int
    message_id: int
    watchlist_id: int
    term_id: int
    spans: tuple[Span, ...]  # ascending; empty when the term stands only elsewhere
    matched: tuple[str, ...]  # the text of each span, in the same order
    elsewhere: tuple[Elsewhere, ...] = ()
    disguised: bool = False  # found only by undoing an evasive spelling: less certain


@dataclass(frozen=True, slots=True)
class Ledger:
    """How complete a watched channel is."""

    channel: Channel
    start: int  # newest message id when it was added; what is older was not asked for
    cursor: int  # newest message id below which nothing is missing
    looked_at: datetime | None = None  # last successful look at its history
    trouble: str | None = None  # why it can't be read; None when it can
    repaired: int = 0  # posts that catch-up found below newer ones: gaps, repaired
    silent: bool = False  # quiet far beyond its rhythm, and the owners were told
    mark: str | None = None  # what Telegram says against it: restricted, scam, fake


@dataclass(frozen=True, slots=True)
class Backfill:
    """A wish for a watched channel's history from before it was watched, and how far it got."""

    channel: Channel
    until: datetime  # posts older than this are not wanted
    below: int  # ids from here on are read already
    chat_id: int  # where it was asked for, and is answered
    thread_id: int | None = None
    posts: int = 0  # that came of it and were not stored before
    hits: int = 0
    done: bool = False


@dataclass(frozen=True, slots=True)
class Subscription:
    watchlist_id: int
    chat_id: int  # as the Bot API writes it
    schedule: str = "now"  # now | hourly | daily 08:00,18:00 | weekdays 08:00 | mon,thu 08:00
    thread_id: int | None = None  # forum topic
    since: datetime | None = None  # hits found before this are not owed
    id: int = 0
    severity: Severity = Severity.NORMAL  # of the watchlist
    told_to: datetime | None = None  # all hits found before this are told

    @property
    def owed_since(self) -> datetime | None:
        """Where to begin to look for what is untold; a clock may have been set back a little."""
        if self.told_to is None or self.since is None:
            return self.since
        return max(self.since, self.told_to - timedelta(days=1))


@dataclass(frozen=True, slots=True)
class Chat:
    """How a chat wants to be told."""

    id: int  # as the Bot API writes it
    zone: str | None = None  # None: that of the settings
    quiet: tuple[time, time] | None = None  # from … to, in its zone; may span midnight
    language: str | None = None  # chosen; None: none was
    spoken: str | None = None  # of a private chat: the language of the person's Telegram


class Mutable(StrEnum):
    """What can be muted."""

    CHAT = "chat"
    WATCHLIST = "watchlist"
    TERM = "term"
    CHANNEL = "channel"


@dataclass(frozen=True, slots=True)
class Mute:
    chat_id: int
    what: Mutable
    target: int  # its id
    until: datetime | None = None  # None: for good
    id: int = 0


class DeliveryKind(StrEnum):
    ALERT = "alert"
    DIGEST = "digest"
    NOTICE = "notice"  # about the program itself, to its owners


class Part(IntEnum):
    """The messages that one digest may need, in the order of sending."""

    CHART = 0
    STORIES = 1
    FILE = 2


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which hits a digest is asked for; what is empty excludes nothing."""

    watchlists: tuple[int, ...] = ()
    channels: tuple[int, ...] = ()
    terms: tuple[int, ...] = ()
    languages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message owed to one chat: hits to be told together, or a notice's text.

    A digest with a period tells all that was found in it until the digest was asked for, told or
    not; one without tells its hits.
    """

    chat_id: int
    kind: DeliveryKind
    due_at: datetime
    hits: tuple[Hit | Sighting, ...] = ()
    text: str | None = None
    thread_id: int | None = None
    attempts: int = 0
    id: int = 0
    severity: Severity = Severity.NORMAL
    reason: str | None = None  # why it is told again
    tried: bool = False  # it may have been sent already
    message_id: int | None = None  # in the chat: what is owed is an edit of this message
    changes: int = 0  # how often what it tells had changed when it was read
    waiting: int = 1  # messages due to its chat, this one included
    period: Period | None = None
    wanted: Wanted = Wanted()  # of that period
    part: Part = Part.CHART  # what of a digest is to be sent next


@dataclass(frozen=True, slots=True)
class Told:
    """What a chat was told, or is owed, of a story."""

    chat_id: int
    delivery_id: int  # the first that told of it
    term_ids: frozenset[int]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A monitor's word on a hit."""

    person_id: int
    person: str
    useful: bool


@dataclass(frozen=True, slots=True)
class Version:
    """What a post said for a while."""

    since: datetime  # when it was published, or edited to this
    text: str
    replaced_at: datetime | None = None  # when we saw that it had changed; None: it has not
    extras: tuple[Extra, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordedHit:
    """A hit as an export tells it."""

    hit: Hit
    watchlist: str
    term: str
    kind: str | None  # of the term
    found_at: datetime
    history: bool  # found by an import or a backfill


@dataclass(frozen=True, slots=True)
class Record:
    """All that is stored of a post: what an export holds."""

    channel: Channel
    post: Post
    seen_at: datetime
    deleted_at: datetime | None
    versions: tuple[Version, ...]  # the present one last
    hits: tuple[RecordedHit, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """A hit with the names a reader knows it by."""

    hit: Hit
    watchlist: str
    term: str


@dataclass(frozen=True, slots=True)
class Place:
    """Where and when a post of a story stands."""

    channel: Channel
    message_id: int
    published_at: datetime
    deleted: bool = False

    @property
    def key(self) -> PostKey:
        return PostKey(self.channel.id, self.message_id)


@dataclass(frozen=True, slots=True)
class Entry:
    """A post as a message shows it, with all that hit it."""

    channel: Channel
    post: Post
    findings: tuple[Finding, ...]
    deleted_at: datetime | None = None
    before: str | None = None  # the text that the last edit replaced
    verdicts: tuple[Verdict, ...] = ()
    story: PostKey | None = None  # entries of one story tell the same
    also: tuple[Place, ...] = ()  # where else its story stands, oldest first
