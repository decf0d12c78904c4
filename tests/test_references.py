"""Is a channel's name, link or number read, and everything else refused with a reason?"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchers.references import BadReference, Reference, read_reference

NAME, NUMBER = Reference(username="belzhd_live"), Reference(id=1234567890)
CASES = [
    ("@belzhd_live", NAME),
    ("belzhd_live", NAME),
    (" https://t.me/belzhd_live ", NAME),
    ("http://t.me/belzhd_live/15?single", NAME),
    ("t.me/s/belzhd_live", NAME),
    ("telegram.me/belzhd_live#x", NAME),
    ("HTTPS://T.ME/belzhd_live", NAME),
    ("belzhd_live.t.me", NAME),
    ("https://belzhd_live.t.me/15", NAME),
    ("tg://resolve?domain=belzhd_live&post=15", NAME),
    ("-1001234567890", NUMBER),
    ("1234567890", NUMBER),
    ("https://t.me/c/1234567890/77", NUMBER),
]


@pytest.mark.parametrize(("text", "reference"), CASES)
def test_what_names_a_channel(text, reference):
    assert read_reference(text) == reference


@pytest.mark.parametrize(
    "text", ["https://t.me/+AbCdEf12", "t.me/joinchat/AbC", "tg://join?invite=x"]
)
def test_invite_links_are_private(text):
    with pytest.raises(BadReference, match="invite link, so the channel is private"):
        read_reference(text)


@pytest.mark.parametrize(
    "text", ["", "@x", "два слова", "https://example.org/news", "@" + "a" * 40]
)
def test_what_names_none(text):
    with pytest.raises(BadReference, match="names no channel: write @name"):
        read_reference(text)


@given(st.text())
def test_any_text_is_a_reference_or_a_clear_error(text):
    try:
        said = str(read_reference(text))
    except BadReference as error:
        said = str(error)
    assert 0 < len(said) < 300
