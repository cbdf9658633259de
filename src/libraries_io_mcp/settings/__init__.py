"""What the program can be told from outside. The only reader of the environment.

Sources, first one wins: environment variables, `.env` in the working directory, defaults. A secret may also come from
a file: `NAME_FILE` names it. A value that can't be used ends in one `SettingsError` line that names the variable.
"""

import logging
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypeVar, get_args
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import NoDecode, SettingsConfigDict

from libraries_io_mcp.errors import SettingsError
from libraries_io_mcp.settings.alerts import (
    AlertmanagerSettings,
    AlertSettings,
    PrometheusSettings,
    SmtpSettings,
    WebhookSettings,
    check_logins,
)
from libraries_io_mcp.settings.group import Allowed, Group, env_file, http_url, split_words, variable
from libraries_io_mcp.settings.limits import LimitSettings, check_limits
from libraries_io_mcp.settings.observability import (
    HealthSettings,
    LogSettings,
    ObservationSettings,
    TelemetrySettings,
)
from libraries_io_mcp.settings.opentelemetry import (
    OPENTELEMETRY_DEFAULTS,
    OPENTELEMETRY_NUMBERS,
    forget,
    opentelemetry_remarks,
    prepare_opentelemetry,
    queue_size,
)
from libraries_io_mcp.settings.proxy import ProxySettings
from libraries_io_mcp.settings.remarks import remarks
from libraries_io_mcp.settings.server import (
    SCOPES,
    NamedToken,
    Scope,
    ServerSettings,
    check_server,
    named_tokens,
    server_remarks,
    token_entries,
)

__all__ = [
    "GROUPS",
    "OPENTELEMETRY_DEFAULTS",
    "OPENTELEMETRY_NUMBERS",
    "SCOPES",
    "AlertSettings",
    "AlertmanagerSettings",
    "Allowed",
    "CacheSettings",
    "Group",
    "HealthSettings",
    "LibrariesIOSettings",
    "LimitSettings",
    "LogSettings",
    "NamedToken",
    "ObservationSettings",
    "PrometheusSettings",
    "ProxySettings",
    "RedisSettings",
    "Scope",
    "ServerSettings",
    "Settings",
    "SmtpSettings",
    "TelemetrySettings",
    "ToolSettings",
    "WebhookSettings",
    "load_settings",
    "named_tokens",
    "queue_size",
    "token_entries",
    "variable",
]

GroupT = TypeVar("GroupT", bound="Group")


def _key(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("not a key")
    return SecretStr(text)


def _redis_url(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith(("redis://", "rediss://", "valkey://", "unix://")):
        raise ValueError("not an address of Redis")
    return value


class LibrariesIOSettings(Group):
    """The service that is asked."""

    model_config = SettingsConfigDict(env_prefix="LIBRARIES_IO_")

    api_key: Annotated[
        SecretStr | None,
        AfterValidator(lambda value: value and _key(value)),
        Allowed("the key from https://libraries.io/account"),
        Field(description="Your API key. Without it only some questions can be asked, 10 an hour."),
    ] = None
    base_url: Annotated[
        str,
        AfterValidator(http_url),
        Allowed("an http or https address without a query"),
        Field(description="Where the API is. Change it to ask the sandbox."),
    ] = "https://libraries.io/api"
    timeout_seconds: Annotated[
        float,
        Allowed("a number from 0.1 to 300"),
        Field(
            ge=0.1,
            le=300,
            description="Time limit of one question, its waits and retries included; a tree has three times that.",
        ),
    ] = 20.0
    rate_limit: Annotated[
        int,
        Allowed("a whole number from 0 to 100000"),
        Field(ge=0, le=100_000, description="Requests a minute that the key allows; the replies' headers correct it."),
    ] = 60


class CacheSettings(Group):
    """Answers that are kept, so that asking again costs no request."""

    model_config = SettingsConfigDict(env_prefix="CACHE_")

    max_entries: Annotated[
        int,
        Allowed("a whole number from 1 to 1000000"),
        Field(ge=1, le=1_000_000, description="Most answers kept in memory."),
    ] = 5000
    max_bytes: Annotated[
        int,
        Allowed("a whole number from 1000000 to 10000000000"),
        Field(
            ge=1_000_000,
            le=10_000_000_000,
            description="Most bytes of memory for kept answers. They take 4 to 12 times the bytes of their replies.",
        ),
    ] = 64_000_000
    ttl_seconds: Annotated[
        float | None,
        Allowed("a number, 0 or more; 0 keeps nothing"),
        Field(ge=0, description="Longest time an answer is kept. Unset: each endpoint's own, from minutes to a day."),
    ] = None


class RedisSettings(Group):
    """State that several processes share."""

    model_config = SettingsConfigDict(env_prefix="REDIS_")

    url: Annotated[
        SecretStr | None,
        AfterValidator(lambda value: value and _redis_url(value)),
        Allowed("redis://, rediss://, valkey:// or unix:// and an address"),
        Field(description="Redis or Valkey that shares the quota and the kept answers. Needs the extra `redis`."),
    ] = None


Toolset = Literal["discover", "package", "judge", "project", "repositories", "server", "subscriptions"]


class ToolSettings(Group):
    """Which tools there are."""

    toolsets: Annotated[
        tuple[Toolset, ...],
        NoDecode,
        BeforeValidator(split_words),
        Allowed(f"{', '.join(get_args(Toolset))}, several by comma"),
        Field(
            min_length=1,
            description="The tools that are offered, by group; fewer cost an agent less. `subscriptions` writes.",
        ),
    ] = ("discover", "package", "judge", "project", "server")


GROUPS: tuple[type[Group], ...] = (
    LibrariesIOSettings,
    ProxySettings,
    CacheSettings,
    RedisSettings,
    ToolSettings,
    ServerSettings,
    LimitSettings,
    LogSettings,
    ObservationSettings,
    TelemetrySettings,
    HealthSettings,
    AlertSettings,
    PrometheusSettings,
    AlertmanagerSettings,
    SmtpSettings,
    WebhookSettings,
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything, by group."""

    libraries_io: LibrariesIOSettings
    cache: CacheSettings
    redis: RedisSettings
    tools: ToolSettings
    server: ServerSettings
    limits: LimitSettings
    log: LogSettings
    observation: ObservationSettings
    telemetry: TelemetrySettings
    health: HealthSettings
    alerts: AlertSettings
    prometheus: PrometheusSettings
    alertmanager: AlertmanagerSettings
    smtp: SmtpSettings
    webhook: WebhookSettings
    proxy: ProxySettings
    remarks: tuple[str, ...] = ()
    """What is odd about where they come from, a line each."""
    broken: tuple[str, ...] = ()
    """Variables of OpenTelemetry whose values can't be used, a line each; their defaults are used instead."""

    def secrets(self) -> tuple[str, ...]:
        """Every secret in force, in clear: for the redaction of what leaves the process, and nothing else."""
        parts = (getattr(self, name) for name in self.__slots__)
        groups = (part for part in parts if isinstance(part, Group))
        values = (getattr(group, name) for group in groups for name in type(group).model_fields)
        texts = [value.get_secret_value() for value in values if isinstance(value, SecretStr)]
        return tuple(dict.fromkeys(part for text in texts for part in (text, *_secrets_inside(text))))


def load_settings(
    *, transport: Literal["stdio", "http"] | None = None, host: str | None = None, port: int | None = None
) -> Settings:
    """Read every source; arguments that are not `None` win.

    Raises:
        SettingsError: one line that names the first variable with a bad value and what is allowed.
    """
    # Each group reads `.env` anew, and each time the library would warn of its bad lines; `remarks` does it once.
    logging.getLogger("dotenv").setLevel(logging.ERROR)
    broken = prepare_opentelemetry()
    telemetry, more = _telemetry_settings()
    given = {"transport": transport, "host": host, "port": port}
    server = _load(ServerSettings, **{name: value for name, value in given.items() if value is not None})
    check_server(server, given_host=host)
    limits = _load(LimitSettings)
    check_limits(limits)
    alertmanager, webhook = _load(AlertmanagerSettings), _load(WebhookSettings)
    check_logins(alertmanager, webhook)
    return Settings(
        _load(LibrariesIOSettings),
        _load(CacheSettings),
        _load(RedisSettings),
        _load(ToolSettings),
        server,
        limits,
        _log_settings(),
        _load(ObservationSettings),
        telemetry,
        _load(HealthSettings),
        _load(AlertSettings),
        _load(PrometheusSettings),
        alertmanager,
        _smtp_settings(),
        webhook,
        _load(ProxySettings),
        remarks=(*remarks(GROUPS), *opentelemetry_remarks(), *server_remarks(server)),
        broken=(*broken, *more),
    )


def _smtp_settings() -> SmtpSettings:
    smtp = _load(SmtpSettings)
    if smtp.server is not None and not smtp.to_emails:
        raise SettingsError("SMTP_TO_EMAILS='': nobody to write to; allowed: e-mail addresses, separated by commas")
    return smtp


def _log_settings() -> LogSettings:
    log = _load(LogSettings)
    if log.enable_file and log.file is None:
        raise SettingsError("LOG_ENABLE_FILE='true': needs LOG_FILE; allowed: true together with a path in LOG_FILE")
    return log


def _telemetry_settings() -> tuple[TelemetrySettings, tuple[str, ...]]:
    """OpenTelemetry's variables that we read, and a line for each value that can't be used."""
    broken: tuple[str, ...] = ()
    try:
        telemetry = TelemetrySettings()
    except ValidationError as error:
        faults = {str(fault["loc"][0]): _line(TelemetrySettings, fault, {}) for fault in error.errors()}
        defaults = {field: TelemetrySettings.model_fields[field].default for field in faults}
        telemetry = TelemetrySettings(**defaults)
        broken = tuple(f"{line}; {forget(variable(TelemetrySettings, field))}" for field, line in faults.items())
    # Headers may have come from a file that `..._HEADERS_FILE` names; the SDK reads the environment alone.
    for field in type(telemetry).model_fields:
        value = getattr(telemetry, field)
        if isinstance(value, SecretStr):
            os.environ.setdefault(variable(TelemetrySettings, field), value.get_secret_value())
    return telemetry, broken


def _secrets_inside(text: str) -> Iterator[str]:
    """What is secret inside a setting: parts of an address, the values of headers, the token in a value."""
    if "://" in text:
        yield from _secrets_of_address(text)
        return
    for pair in text.replace("\n", ",").split(","):
        name, sign, value = pair.partition("=")
        # A short value says little and would black out much.
        if sign and len(value.strip()) >= _SHORTEST_PART and _NAME.fullmatch(name.strip()):
            yield value.strip()
            yield unquote(value.strip())
            yield unquote(value.strip()).rpartition(" ")[2]


def _secrets_of_address(text: str) -> Iterator[str]:
    """The password, with its user as `user:password` too (so it goes by base64); values of the query; long path parts.

    Webhooks have their token in the path: a part of it that no person would choose as a name is one.
    """
    address = urlsplit(text)
    if address.password:
        yield from (address.password, unquote(address.password))
        yield f"{unquote(address.username or '')}:{unquote(address.password)}"
    for _, value in parse_qsl(address.query):
        if len(value) >= _SHORTEST_PART:
            yield from (value, quote(value, safe=""))
    yield from (part for part in address.path.split("/") if len(part) >= _SHORTEST_PATH_TOKEN)


_SHORTEST_PART: Final = 6
_SHORTEST_PATH_TOKEN: Final = 16
_NAME: Final = re.compile(r"[A-Za-z0-9._-]+(:[A-Za-z+]*)?")
"""A header's name, or a caller's with what it may do."""


def _load(group: type[GroupT], **given: Any) -> GroupT:
    try:
        return group(**given)
    except ValidationError as error:
        raise SettingsError(_line(group, error.errors()[0], given)) from None


def _line(group: type[Group], error: ErrorDetails, given: dict[str, Any]) -> str:
    field = str(error["loc"][0])
    info = group.model_fields[field]
    name = f"--{field}" if field in given else variable(group, field)
    allowed = next((mark.text for mark in info.metadata if isinstance(mark, Allowed)), error["msg"])
    secret = SecretStr in (info.annotation, *get_args(info.annotation))
    value = given.get(field) or os.environ.get(name) or env_file().get(name)
    return f"{name}={'***' if secret else repr(value)}: not allowed; allowed: {allowed}"
