"""Does a team get what it asked for, in four time zones, over both changes of Warsaw's clock?

The program is a process and a black box: people write to the bot, channels publish, the clock is
moved, and the process is killed; what the chats were told is counted.
"""

import re
import signal
from collections import Counter
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests import test_black_box
from tests.conftest import OWNER
from tests.moved_clock import MovedClock
from tests.test_black_box import rows

process, settings = test_black_box.process, test_black_box.settings  # its fixtures

PEOPLE = {OWNER: "Ann", 2: "Olga", 3: "Max", 4: "Mia", 5: "Vic", 6: "Gus", 666: "Eve", 667: "Zoe"}
ROLES = {"Olga": "operator", "Max": "member", "Mia": "member", "Vic": "viewer"}
PAUSE = 1.1  # seconds: more than between two messages to one chat
BELL = 11.0  # seconds: more than the bell for digests sleeps, less than an answer is waited for
MINUTE = timedelta(minutes=1)
UNSENT = "SELECT count(*) FROM outbox WHERE sent_at IS NULL"
CLOSED = "This bot serves a closed team."

LISTS = {"rail": "эшелон", "air": "беспилотник", "sea": "крейсер"}
# Posts, by number. A hit is a post and a word: post 3 is one of rail and one of sea.
POSTS = {
    1: "Утром станцию прошёл эшелон с углём",
    2: "Над лесом у границы кружил беспилотник",
    3: "В порт вошёл крейсер, навстречу ему отправлен эшелон боеприпасов",
    4: "Разгрузка закончена: эшелон ушёл пустым, беспилотник провожал его до моста",
    5: "Жители слышали двигатель: это был беспилотник, летел низко",
    6: "Учения на рейде: беспилотник садится на крейсер",
    7: "Ночью прибыл эшелон морской пехоты, крейсер ждёт её у причала",
    8: "Парад отменён. Крейсер, эшелон и беспилотник покажут в музее",
    9: "На сортировочной горке третий день стоит эшелон цистерн",
    10: "Платформы накрыты брезентом, эшелон сопровождает беспилотник",
    11: "Обломки нашли в огороде: беспилотник был учебный",
}
# Who is told of what, and when, by which clock: people in private, and topics of the group.
ZONES = {
    "Ann": "Europe/London",
    "Olga": "Europe/Warsaw",
    "Max": "America/New_York",
    "Mia": "Asia/Tokyo",
    "Alerts": "Europe/Minsk",
    "Air": "Europe/Minsk",
    "Sea": "Europe/Minsk",
}
WISHES = {
    "Ann": ("rail now", "air now", "sea now"),
    "Olga": ("rail daily 02:30", "air weekly mon 08:00"),
    "Max": ("rail weekdays 08:00",),
    "Mia": ("sea daily 10:30",),
    "Alerts": ("rail now",),
    "Air": ("air hourly",),
    "Sea": ("sea daily 08:00,18:00",),
}

# What happens when, by UTC: a post is published, or digests come.
BEGIN = "2026-03-28 10:00"
SPRING = [
    ("2026-03-28 10:10", 1),
    ("2026-03-28 10:20", 2),
    ("2026-03-28 11:00", {"Air": {2}}),
    ("2026-03-28 11:30", 3),
    ("2026-03-28 15:00", {"Sea": {3}}),
    ("2026-03-28 23:40", 4),
    ("2026-03-29 00:00", {"Air": {4}}),
    ("2026-03-29 00:50", 5),
    ("2026-03-29 01:00", {"Air": {5}}),  # it is 03:00 in Warsaw, 02:30 never was
    ("2026-03-29 01:30", {"Olga": {1, 3, 4}, "Mia": {3}}),
    ("2026-03-29 01:40", 6),
    ("2026-03-29 02:00", {"Air": {6}}),
]
WHILE_DOWN = ("2026-03-29 04:00", 7)
BACK = ("2026-03-29 06:20", {"Sea": {6, 7}})  # due at 05:00
EXPIRED = "2026-03-29 10:01"
MONDAY = [
    ("2026-03-29 15:00", {"Sea": set()}),
    ("2026-03-30 00:30", {"Olga": {7}}),
    ("2026-03-30 01:30", {"Mia": {6, 7}}),
    ("2026-03-30 05:00", {"Sea": set()}),
    ("2026-03-30 06:00", {"Olga": {2, 4, 5, 6}}),
    ("2026-03-30 12:00", {"Max": {1, 3, 4, 7}}),
    ("2026-03-30 13:10", 8),
]
AUTUMN = [
    # The clock jumps over seven months: one digest each.
    ("2026-10-24 10:00", {"Olga": {8}, "Max": {8}, "Mia": {8}, "Air": {8}, "Sea": {8}}),
    ("2026-10-24 11:10", 9),
    ("2026-10-24 15:00", {"Sea": set()}),
    ("2026-10-25 00:30", {"Olga": {9}}),
    ("2026-10-25 00:40", 10),
    ("2026-10-25 01:00", {"Air": {10}}),
    ("2026-10-25 01:10", 11),
    ("2026-10-25 01:30", {"Mia": set()}),  # it is 02:30 in Warsaw once more
    ("2026-10-25 02:00", {"Air": {11}}),
    ("2026-10-25 05:00", {"Sea": set()}),
    ("2026-10-25 15:00", {"Sea": set()}),
    ("2026-10-26 01:30", {"Olga": {10}, "Mia": set()}),
    ("2026-10-26 05:00", {"Sea": set()}),
    ("2026-10-26 07:00", {"Olga": {10, 11}}),
    ("2026-10-26 12:00", {"Max": {9, 10}}),
]


def moment(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def there(place, at):
    """What a clock on the wall shows there, to ten minutes."""
    local = at.astimezone(ZoneInfo(ZONES[place]))
    return f"{local:%a %d %b %H}:{local.minute // 10}0 {local:%Z}"


def alerts_owed():
    return [
        (place, number)
        for number, text in POSTS.items()
        for place, wishes in WISHES.items()
        if any(f"{name} now" in wishes and word in text.casefold() for name, word in LISTS.items())
    ]


def numbers_in(text):
    return tuple(sorted(int(number) for number in re.findall(r"№(\d+)", text)))


class Team:
    """The people, their group with its topics, and the channels; and what the bot said to whom."""

    def __init__(self, api, dc, reader, clock):
        self.api, self.dc, self.clock = api, dc, clock
        self.people = {name: api.user(id, name) for id, name in PEOPLE.items()}
        self.desk = api.supergroup("Desk", forum=True)
        self.topics = {name: self.desk.topic(name) for name in ("Alerts", "Air", "Sea")}
        self.channels = [
            dc.add_channel(f"Vestki {n}", username=f"vestki_{n}", members=[reader])
            for n in range(3)
        ]
        self.answers = set()  # ids of messages
        self.owed = Counter()  # digests: place, local time, numbers of posts
        self.running = None

    # ---- what people do

    async def say(self, name, text, answer, topic=None):
        """In private, or in a topic of the group."""
        who, chat, thread = self.people[name], self.desk if topic else None, self.topics.get(topic)
        at = await who.send(text, chat, thread=thread)
        there = {"message_thread_id": thread} if thread else {}
        said = await who.expect(answer, chat=chat, after=at, timeout=30, **there)
        self.answers.add(said["message_id"])
        return said["text"]

    async def link(self, role):
        said = await self.say("Ann", f"/invite {role}", "Whoever opens it first")
        return "/start " + re.search(r"https://t\.me/test_bot\?start=(\S+)$", said)[1]

    async def wish(self, place):
        """Of a topic a guest speaks, who is in the group and not in the team."""
        who, topic = ("Gus", place) if place in self.topics else (place, None)
        await self.say(who, f"/zone {ZONES[place]}", "from now on", topic)
        for wish in WISHES[place]:
            await self.say(who, f"/subscribe {wish}", "is told of", topic)

    # ---- what happens

    async def live(self, script):
        for at, what in script:
            if isinstance(what, int):
                self.clock.move(moment(at))
                await self.publish(what)
            else:
                self.clock.move(moment(at), BELL)
                self.wake()
                await self.told(at, what)

    def store(self, number):
        """A post that is there and was not pushed."""
        channel = self.channels[number % len(self.channels)]
        text = f"{POSTS[number]} (№{number})"
        return channel, self.dc.store(channel, text, date=self.clock.now())

    async def publish(self, number):
        channel, message = self.store(number)
        await self.dc.push(channel, channel.announced(message))
        await self.alerted(number)

    async def alerted(self, number):
        owed = {one for one in alerts_owed() if one[1] == number}
        await self.until(lambda: owed <= set(self.alerts()))

    async def told(self, at, digests):
        for place, numbers in digests.items():
            self.owed[place, there(place, moment(at)), tuple(sorted(numbers))] += 1
        await self.until(lambda: self.owed <= Counter(self.digests()))

    async def until(self, check):
        """Time goes on: there are pauses between messages to a chat, and a bell may be missed."""
        for patience in (0.1, 0.1, 0.1, 0.2, 0.3, 0.5):
            if await self.api.bell.until(check, patience):
                return
            self.clock.move(self.clock.now(), PAUSE)
            self.wake()
        for patience in (3, 10, 30):
            if await self.api.bell.until(check, patience):
                return
            self.clock.move(self.clock.now() + MINUTE, BELL)
            self.wake()
        raise AssertionError(f"owed {self.owed}, came {self.digests()}")

    def wake(self):
        self.api.end_poll()
        self.running.send(signal.SIGUSR1)

    # ---- what the bot said

    def unasked(self):
        """Place, local time and text of all that answers nobody."""
        topics = {thread: name for name, thread in self.topics.items()}
        for at, chat_id, message in self.api.sent:
            if message["message_id"] not in self.answers:
                place = topics.get(message.get("message_thread_id")) or PEOPLE[chat_id]
                yield place, there(place, self.clock.showed(at)), message["text"]

    def digests(self):
        return [
            (place, at, numbers_in(text))
            for place, at, text in self.unasked()
            if text.startswith("📋")
        ]

    def alerts(self):
        return [
            (place, number)
            for place, _, text in self.unasked()
            if not text.startswith("📋")
            for number in numbers_in(text)
        ]

    def notices(self):
        return [
            (place, text)
            for place, _, text in self.unasked()
            if not text.startswith("📋") and not numbers_in(text)
        ]


@pytest.fixture
def team(api, dc, reader, tmp_path):
    return Team(api, dc, reader, MovedClock(tmp_path / "clock", moment(BEGIN)))


async def gather(team):
    """Each comes with a link of their own; who is not meant by one gets nothing."""
    for name, role in ROLES.items():
        link = await team.link(role)
        await team.say(name, link, f"you are {role} in the team now")
    await team.until(lambda: len(team.notices()) == len(ROLES))
    await team.say("Eve", link, CLOSED)  # used already
    await team.say("Gus", "/start " + "a" * 32, CLOSED)  # guessed
    await team.say("Ann", "/grouprole member", "at least member here", "Alerts")


async def set_up(team):
    """The operator does; others may not."""
    await team.say("Vic", "/add @vestki_0", "takes the role operator; here you are viewer")
    await team.say("Max", "/watch rail эшелон", "takes the role operator; here you are member")
    for channel in team.channels:
        await team.say("Olga", f"/add @{channel.username}", "is watched")
    for name, word in LISTS.items():
        await team.say("Olga", f"/watch {name} {word}", "looks for")
    await team.say("Vic", "/subscribe rail", "takes the role member; here you are viewer")
    for place in WISHES:
        await team.wish(place)


async def test_each_is_told_each_thing_once_and_on_time(process, settings, team):
    async with process(prepare=team.clock.prepare) as team.running:
        await gather(team)
        await set_up(team)
        unused = await team.link("operator")
        await team.live(SPRING)
        await team.until(lambda: rows(settings, UNSENT) == [(0,)])  # nothing is repeated
        await team.running.kill()
    at, number = WHILE_DOWN
    team.clock.move(moment(at))
    team.store(number)
    team.clock.move(moment(BACK[0]))
    async with process(prepare=team.clock.prepare) as team.running:
        await team.running.says("running")
        await team.told(*BACK)
        await team.alerted(number)
        team.clock.move(moment(EXPIRED))
        await team.say("Zoe", unused, CLOSED)
        await team.live(MONDAY + AUTUMN)
        team.running.send(signal.SIGTERM)
        assert await team.running.ended() == 0

    assert Counter(team.digests()) == team.owed
    assert sorted(team.alerts()) == sorted(alerts_owed())
    assert team.notices() == [
        ("Ann", f"⚠️ {name} ({team.people[name].id}) used an invite and is {role} now. /team")
        for name, role in ROLES.items()
    ]
