"""Do settings, .env.example and mistakes in them say the same thing?"""

import re
from pathlib import Path

import pytest

from bot.settings import BadSettings, Settings, read_language, read_settings

EXAMPLE = Path(__file__).parent.parent / ".env.example"


def test_the_example_lists_every_setting_with_its_help_and_default():
    text = EXAMPLE.read_text()
    blocks = [block for block in text.split("\n\n") if re.search(r"^(# )?[A-Z_]+=", block, re.M)]
    listed = {}
    for block in blocks:
        *comment, line = block.splitlines()
        name, _, default = line.removeprefix("# ").partition("=")
        listed[name] = (" ".join(part.removeprefix("# ") for part in comment), default)

    fields = Settings.model_fields
    assert set(listed) == {name.upper() for name in fields}
    for name, field in fields.items():
        said, default = listed[name.upper()]
        assert said == field.description
        if default:
            assert default == str(field.default)


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("BOT_TOKEN", "123456:" + "A" * 35)


@pytest.mark.parametrize(
    ("set_to", "spoken"), [("be", "be"), ("pl_PL", "pl"), ("en_US:en", "en"), ("klingon", "en")]
)
def test_the_demo_speaks_the_language_that_is_set_where_it_is_ours(monkeypatch, set_to, spoken):
    assert read_language() == "en"
    monkeypatch.setenv("LANGUAGE", set_to)
    assert read_language() == spoken


MISTAKES = [
    ("TIMEZONE", "Minsk", "TIMEZONE: no such time zone; write one like Europe/Warsaw"),
    ("TIMEZONE", "../../etc/passwd", "TIMEZONE: no such time zone"),
    ("BOT_API_URL", "api.telegram.org", "BOT_API_URL: has to begin with https://"),
    ("OWNER_IDS", "1,ann", "OWNER_IDS: "),
    ("TELEGRAM_API_ID", "abc", "TELEGRAM_API_ID: "),
]


@pytest.mark.parametrize(("name", "value", "message"), MISTAKES)
def test_a_mistake_names_the_setting_and_never_its_value(monkeypatch, name, value, message):
    monkeypatch.setenv(name, value)

    with pytest.raises(BadSettings) as mistake:
        read_settings()

    assert message in str(mistake.value)
    assert value not in str(mistake.value)
    assert len(str(mistake.value).splitlines()) == 1


def test_owners_are_written_with_commas_or_spaces(monkeypatch):
    monkeypatch.setenv("OWNER_IDS", "1, 2 3")

    assert read_settings().owner_ids == {1, 2, 3}


def test_a_line_of_env_that_is_no_setting_is_refused_with_the_nearest(tmp_path):
    (tmp_path / ".env").write_text("TELEGRAM_APIID=1\n")

    with pytest.raises(
        BadSettings, match="TELEGRAM_APIID is no setting; did you mean TELEGRAM_API_ID"
    ):
        read_settings()


def test_secrets_do_not_show(monkeypatch):
    monkeypatch.setenv("TELEGRAM_API_ID", "1")
    monkeypatch.setenv("TELEGRAM_API_HASH", "very-secret-hash")
    monkeypatch.setenv("TELEGRAM_SESSION_STRING", "very-secret-session")
    settings = read_settings()

    assert "secret-" not in repr(settings) + repr(settings.accounts)
    assert settings.secrets == ["123456:" + "A" * 35, "very-secret-hash", "very-secret-session"]


def test_several_accounts_share_the_channels(monkeypatch):
    monkeypatch.setenv("TELEGRAM_API_ID", "1")
    monkeypatch.setenv("TELEGRAM_API_HASH", "hash")
    monkeypatch.setenv("TELEGRAM_SESSION", "data/a.session, data/b.session")
    assert [a.session for a in read_settings().accounts] == [
        Path("data/a.session"),
        Path("data/b.session"),
    ]
    monkeypatch.setenv("TELEGRAM_SESSION_STRING", "one,two")
    settings = read_settings()
    assert [account.session for account in settings.accounts] == ["one", "two"]
    assert {"one", "two"} <= set(settings.secrets)


@pytest.mark.parametrize(
    ("set_to", "spoken"), [("be", "be"), ("be_BY.UTF-8", "be"), ("pl:en", "pl"), ("de_DE:de", "en")]
)
def test_what_a_system_sets_for_gettext_is_no_mistake(monkeypatch, set_to, spoken):
    monkeypatch.setenv("LANGUAGE", set_to)
    assert read_settings().language == spoken


def test_a_language_that_is_not_spoken_is_refused(monkeypatch):
    monkeypatch.setenv("LANGUAGE", "de")
    with pytest.raises(BadSettings, match="LANGUAGE"):
        read_settings()
