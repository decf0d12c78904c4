"""Does the story that matters most stand first? And in which language is a post?"""

from datetime import timedelta

import pytest

from storage.model import PostKey, Severity, Sighting
from tests import make
from watchers.languages import likely_language
from watchers.weighing import weigh


def told(story, *, channels=1, every=timedelta(minutes=5), watchlist_id=1, views=0, term_id=1):
    """A story in so many channels, one after the other."""
    return [
        Sighting(
            PostKey(channel, story),
            watchlist_id,
            term_id,
            make.NOON + channel * every,
            views,
            PostKey(1, story),
        )
        for channel in range(1, channels + 1)
    ]


def order(*stories, severities=None):
    sightings = sorted((s for story in stories for s in story), key=lambda s: s.published_at)
    return [one.story.message_id for one in weigh(sightings, severities or {})]


def test_more_channels_weigh_more():
    assert order(told(1), told(2, channels=9), told(3, channels=3)) == [2, 3, 1]


def test_a_fast_story_weighs_more_than_a_slow_one():
    slow = told(1, channels=6, every=timedelta(hours=3))
    assert order(slow, told(2, channels=5)) == [2, 1]


def test_a_severe_watchlist_weighs_as_much_as_eight_times_the_channels():
    severe = {2: Severity.HIGH, 3: Severity.LOW}
    stories = told(1, channels=2), told(2, watchlist_id=2), told(3, watchlist_id=3, channels=2)
    assert order(*stories, severities=severe) == [2, 1, 3]


def test_views_decide_between_equals_and_then_the_newest_is_first():
    assert order(told(1, views=10), told(2, views=100_000)) == [2, 1]
    assert order(told(1), told(2, every=timedelta(minutes=9))) == [2, 1]


def test_a_story_stands_once_under_its_most_severe_or_most_touched_watchlist():
    both = [*told(1, watchlist_id=2), *told(1, channels=3, watchlist_id=1, term_id=2)]
    (one,) = weigh(both, {})
    assert (one.watchlist_id, len(one.posts)) == (1, 3)
    (one,) = weigh(both, {2: Severity.HIGH})
    assert one.watchlist_id == 2
    assert one.lead == PostKey(1, 1)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("be", "На станцыю прыбыў эшалон з тэхнікай, вайскоўцы выйшлі на перон"),
        ("ru", "На станцию прибыл эшелон с техникой, военные вышли на перрон"),
        ("ru", "Сообщает канал «Чыгунка»: " + "на станцию прибыл эшелон с техникой " * 20),
        ("uk", "На станцію прибув ешелон з технікою, військові вийшли на перон"),
        ("pl", "Na stację przyjechał pociąg wojskowy, żołnierze wyszli na peron"),
        ("pl", "Pociag nie dojechal do Brzescia"),
        ("en", "A train with military equipment arrived at the station"),
        ("en", ""),
    ],
)
def test_a_language_is_known_by_its_letters(language, text):
    assert likely_language(text) == language
