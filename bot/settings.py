"""What may an operator set? `.env.example` lists the same names, and a test keeps it so."""

from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict
from rapidfuzz import process

from bot.speech import ENGLISH, Language, known
from watchers.preview_web import TELEGRAM
from watchers.telegram import Account


class BadSettings(Exception):
    """One line a mistake: which setting, what is wrong, what to do. Never a value."""


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_file=".env", env_ignore_empty=True, extra="forbid", frozen=True
    )

    bot_token: SecretStr = Field(
        description="The alert bot's token, from @BotFather. The one setting that must be there."
    )
    owner_ids: Annotated[frozenset[int], NoDecode] = Field(
        default=frozenset(),
        description="Telegram user ids of the owners, comma-separated: they may say everything to the "
        "bot, and invite the others. Write /start to the bot: it tells you yours.",
    )
    telegram_api_id: int | None = Field(
        default=None,
        description="With TELEGRAM_API_HASH, from https://my.telegram.org: "
        "the account that reads channels. Without one they are read through the web preview.",
    )
    telegram_api_hash: SecretStr | None = Field(
        default=None, description="Goes with TELEGRAM_API_ID. Secret."
    )
    telegram_session: str = Field(
        default="data/telegram.session",
        description="Where `python -m bot login` keeps the login. The file is the whole account: "
        "never share it. Several accounts share the channels: one file each, comma-separated.",
    )
    telegram_session_string: SecretStr | None = Field(
        default=None,
        description="A Telethon session string instead of the file, or several, comma-separated. "
        "Secret.",
    )
    preview_url: str = Field(
        default=TELEGRAM,
        description="Telegram's web preview, which is read when no account is set.",
    )
    bot_api_url: str = Field(
        default="https://api.telegram.org",
        description="Bot API server; a self-hosted one works.",
    )
    database: Path = Field(
        default=Path("data/watch.db"), description="The SQLite file; made when it is not there."
    )
    timezone: str = Field(
        default="UTC",
        description="Time zone of the times shown and of digests, such as Europe/Warsaw.",
    )
    language: Language = Field(
        default="en",
        description="Language of the bot where a chat has chosen none and Telegram names none: "
        "en, be, ru, uk or pl.",
    )
    protect_content: bool = Field(
        default=False,
        description="Forbid that what the bot sends is forwarded or saved.",
    )
    link_previews: bool = Field(
        default=True,
        description="Show the post's own card, with its photo, under an alert where Telegram has "
        "one.",
    )

    unusual: Literal["off", "low", "normal", "high"] = Field(
        default="normal",
        description="How readily a chat is told that a watchlist is touched far more than usual: "
        "off, low, normal or high.",
    )

    @field_validator("owner_ids", mode="before")
    @classmethod
    def _split(cls, value: Any) -> Any:
        return value.replace(",", " ").split() if isinstance(value, str) else value

    @field_validator("language", mode="before")
    @classmethod
    def _as_gettext_writes_it(cls, value: Any) -> Any:
        """Many systems set LANGUAGE themselves, such as en_US:en or de_DE."""
        if not isinstance(value, str):
            return value
        locale = any(mark in value for mark in "_:.")
        return known(value.partition(":")[0]) or (ENGLISH if locale else value)

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("no such time zone; write one like Europe/Warsaw") from None
        return value

    @field_validator("bot_api_url", "preview_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("has to begin with https:// or http://")
        return value.rstrip("/")

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.timezone)

    @property
    def accounts(self) -> list[Account]:
        """The accounts that read channels; none when no credentials are set."""
        if self.telegram_api_id is None or self.telegram_api_hash is None:
            return []
        id, hash = self.telegram_api_id, self.telegram_api_hash.get_secret_value()
        text = self.telegram_session_string
        sessions: list[str | Path] = [*_parts(text.get_secret_value())] if text else []
        sessions = sessions or [Path(path) for path in _parts(self.telegram_session)]
        return [Account(id, hash, one, f"account {n}") for n, one in enumerate(sessions, start=1)]

    @property
    def secrets(self) -> list[str]:
        """What must never be shown; logs are cleaned of these."""
        values = (self.bot_token, self.telegram_api_hash, self.telegram_session_string)
        return [part for value in values if value for part in _parts(value.get_secret_value())]


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def read_settings() -> Settings:
    """From the environment, then `.env`. Raises BadSettings."""
    try:
        return Settings()
    except ValidationError as error:
        raise BadSettings("\n".join(_explain(problem) for problem in error.errors())) from None


class _OnlyDatabase(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore")

    database: Path = Settings.model_fields["database"].default


def read_database() -> Path:
    """The one setting of commands that talk to nobody: they need no token."""
    return _OnlyDatabase().database


class _OnlyLanguage(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore")

    language: str = ENGLISH


def read_language() -> str:
    """That of the demo, which needs no settings: one that is not ours is none."""
    return known(_OnlyLanguage().language) or ENGLISH


def _explain(problem: Any) -> str:
    name = str(problem["loc"][0]).upper()
    if problem["type"] == "missing":
        return f"{name} is not set: {Settings.model_fields[name.lower()].description}"
    if problem["type"] == "extra_forbidden":
        known = [field.upper() for field in Settings.model_fields]
        near = process.extractOne(name, known, score_cutoff=70)
        return f".env: {name} is no setting" + (f"; did you mean {near[0]}?" if near else "")
    return f"{name}: {problem['msg'].removeprefix('Value error, ')}"
