"""What every group of settings is made of: where values come from, and what is allowed, in words."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, get_args

from dotenv import dotenv_values
from pydantic import BeforeValidator, HttpUrl, SecretStr, TypeAdapter
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from libraries_io_mcp.errors import SettingsError

ENV_FILE = Path(".env")


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a setting accepts, in words: for error lines and `docs/configuration.md`."""

    text: str


def split_words(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def http_url(value: str) -> str:
    url = TypeAdapter(HttpUrl).validate_python(value)
    if url.query or url.fragment or url.username or url.password:
        raise ValueError("no query, fragment or user in the address")
    return str(url).rstrip("/")


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(split_words)]


class NamedFileSource(PydanticBaseSettingsSource):
    """Reads a secret `NAME` from the file that `NAME_FILE` names (environment first, then `.env`)."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The content of the file without surrounding white space, or `None` when no file is named."""
        name = f"{variable(self.settings_cls, field_name)}_FILE"
        path = os.environ.get(name) or env_file().get(name)
        if not path or SecretStr not in (field.annotation, *get_args(field.annotation)):
            return None, field_name, False
        try:
            text = Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{name}: can't read {path}: {reason(error)}; allowed: a readable text file") from None
        if not text:
            raise SettingsError(f"{name}: {path} is empty; allowed: a text file that is not empty")
        return text, field_name, False

    def __call__(self) -> dict[str, Any]:
        """All secrets of the group that come from files."""
        values = {name: self.get_field_value(field, name)[0] for name, field in self.settings_cls.model_fields.items()}
        return {name: value for name, value in values.items() if value}


class Group(BaseSettings):
    """A group of settings that share a prefix. Frozen; never prints its input."""

    model_config = SettingsConfigDict(
        env_file=ENV_FILE, env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - part of the library's signature
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Explicit values, environment, `.env`, then files named by `NAME_FILE`."""
        return init_settings, env_settings, dotenv_settings, NamedFileSource(settings_cls)


def variable(group: type[BaseSettings], field: str) -> str:
    """The environment variable of a field."""
    return f"{group.model_config.get('env_prefix', '')}{field}".upper()


def env_file() -> dict[str, str | None]:
    if not ENV_FILE.exists():
        return {}
    if ENV_FILE.is_dir():
        # The library passes a folder by in silence.
        raise SettingsError(".env: can't be read: it is a directory; allowed: a readable text file")
    try:
        return dotenv_values(ENV_FILE)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f".env: can't be read: {reason(error)}; allowed: a readable text file") from None


def reason(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else "not UTF-8 text"
