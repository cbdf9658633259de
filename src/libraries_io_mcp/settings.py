"""What the program can be told from outside. The only reader of the environment.

Sources, first one wins: environment variables, `.env` in the working directory, defaults. A secret may also come from
a file: `NAME_FILE` names it. A value that can't be used ends in one `SettingsError` line that names the variable.
"""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args

from dotenv import dotenv_values
from pydantic import AfterValidator, BeforeValidator, Field, HttpUrl, SecretStr, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from libraries_io_mcp.errors import SettingsError

GroupT = TypeVar("GroupT", bound="Group")

ENV_FILE = Path(".env")
OPENTELEMETRY_DEFAULTS = {
    # The stable HTTP conventions; the instrumentation reads this once, when it is first imported.
    "OTEL_SEMCONV_STABILITY_OPT_IN": "http",
    # Measured: no span is lost at 3,000 a second with 0.2 s export latency (the SDK's own defaults lose 23 %).
    "OTEL_BSP_SCHEDULE_DELAY": "1000",
    "OTEL_BSP_MAX_QUEUE_SIZE": "8192",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "2048",
    "OTEL_BLRP_SCHEDULE_DELAY": "1000",
    "OTEL_BLRP_MAX_QUEUE_SIZE": "8192",
    "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE": "2048",
    "OTEL_METRIC_EXPORT_INTERVAL": "15000",
}
"""What the SDK is told unless the environment says otherwise."""
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a setting accepts, in words: for error lines and `docs/configuration.md`."""

    text: str


def _split(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _base_url(value: str) -> str:
    url = TypeAdapter(HttpUrl).validate_python(value)
    if url.query or url.fragment or url.username or url.password:
        raise ValueError("no query, fragment or user in the address")
    return str(url).rstrip("/")


def _key(value: SecretStr) -> SecretStr:
    text = value.get_secret_value().strip()
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("not a key")
    return SecretStr(text)


def _redis_url(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith(("redis://", "rediss://", "valkey://", "unix://")):
        raise ValueError("not an address of Redis")
    return value


Words = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


class NamedFileSource(PydanticBaseSettingsSource):
    """Reads a secret `NAME` from the file that `NAME_FILE` names (environment first, then `.env`)."""

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        """The content of the file without surrounding white space, or `None` when no file is named."""
        name = f"{variable(self.settings_cls, field_name)}_FILE"
        path = os.environ.get(name) or _env_file().get(name)
        if not path or SecretStr not in (field.annotation, *get_args(field.annotation)):
            return None, field_name, False
        try:
            return Path(path).read_text(encoding="utf-8").strip(), field_name, False
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{name}: can't read {path}: {_reason(error)}; allowed: a readable text file") from None

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
        AfterValidator(_base_url),
        Allowed("an http or https address without a query"),
        Field(description="Where the API is. Change it to ask the sandbox."),
    ] = "https://libraries.io/api"
    timeout_seconds: Annotated[
        float,
        Allowed("a number from 0.1 to 300"),
        Field(ge=0.1, le=300, description="Time limit of one question, its waits and retries included."),
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
        Field(ge=1_000_000, le=10_000_000_000, description="Most bytes of replies kept in memory."),
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


Toolset = Literal["discover", "package", "repositories", "server", "subscriptions"]


class ToolSettings(Group):
    """Which tools there are."""

    toolsets: Annotated[
        tuple[Toolset, ...],
        NoDecode,
        BeforeValidator(_split),
        Allowed(f"{', '.join(get_args(Toolset))}, several by comma"),
        Field(
            min_length=1,
            description="The tools that are offered, by group; fewer cost an agent less. `subscriptions` writes.",
        ),
    ] = ("discover", "package", "server")


class ServerSettings(Group):
    """How clients reach the server."""

    model_config = SettingsConfigDict(env_prefix="MCP_")

    transport: Annotated[
        Literal["stdio", "http"],
        Allowed("stdio or http"),
        Field(description="stdio for one client that starts the server, http for many."),
    ] = "stdio"
    host: Annotated[
        str, Allowed("a host name or an IP address"), Field(min_length=1, description="Address to listen on (http).")
    ] = "127.0.0.1"
    port: Annotated[
        int,
        Allowed("a whole number from 0 to 65535; 0 takes a free port"),
        Field(ge=0, le=65535, description="Port to listen on (http)."),
    ] = 8000
    allow_anonymous: Annotated[
        bool,
        Allowed("true or false"),
        Field(description="Listen on an address that other machines reach although nobody has to log in."),
    ] = False
    allowed_hosts: Annotated[
        Words,
        Allowed("host names, separated by commas"),
        Field(description="Further names that the Host header may carry (http)."),
    ] = ()
    allowed_origins: Annotated[
        Words,
        Allowed("origins such as https://example.org, separated by commas"),
        Field(description="Origins of web pages that may call the server (http)."),
    ] = ()


class LogSettings(Group):
    """What is logged, and in which form."""

    model_config = SettingsConfigDict(env_prefix="LOG_")

    level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
        BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value),
        Allowed("DEBUG, INFO, WARNING, ERROR or CRITICAL"),
        Field(description="Records below this level are not made."),
    ] = "INFO"
    format: Annotated[
        Literal["json", "text"], Allowed("json or text"), Field(description="Form of the lines on stderr.")
    ] = "json"


class TelemetrySettings(Group):
    """Which signals are exported. OpenTelemetry's other variables are read by its SDK."""

    model_config = SettingsConfigDict(env_prefix="OTEL_")

    sdk_disabled: Annotated[
        bool, Allowed("true or false"), Field(description="Switch all telemetry but the log lines on stderr off.")
    ] = False
    traces_exporter: Annotated[
        tuple[Literal["otlp", "none"], ...],
        NoDecode,
        BeforeValidator(_split),
        Allowed("otlp or none"),
        Field(description="Where spans go. `otlp` sends only when an endpoint is set."),
    ] = ("otlp",)
    metrics_exporter: Annotated[
        tuple[Literal["otlp", "prometheus", "none"], ...],
        NoDecode,
        BeforeValidator(_split),
        Allowed("otlp, prometheus or none, several by comma"),
        Field(description="Where metrics go. `prometheus` is the `/metrics` route."),
    ] = ("otlp", "prometheus")
    logs_exporter: Annotated[
        tuple[Literal["otlp", "none"], ...],
        NoDecode,
        BeforeValidator(_split),
        Allowed("otlp or none"),
        Field(description="Where log records go besides stderr. `otlp` sends only when an endpoint is set."),
    ] = ("otlp",)
    exporter_otlp_protocol: Annotated[
        Literal["http/protobuf"], Allowed("http/protobuf"), Field(description="How OTLP is spoken.")
    ] = "http/protobuf"
    exporter_otlp_endpoint: Annotated[
        str | None,
        Allowed("an http or https address"),
        AfterValidator(lambda value: value and _base_url(value)),
        Field(description="Base address of the Collector, such as http://127.0.0.1:4318. Unset: nothing is sent."),
    ] = None
    exporter_otlp_traces_endpoint: Annotated[
        str | None, Allowed("an http or https address"), Field(description="Full address for spans alone.")
    ] = None
    exporter_otlp_metrics_endpoint: Annotated[
        str | None, Allowed("an http or https address"), Field(description="Full address for metrics alone.")
    ] = None
    exporter_otlp_logs_endpoint: Annotated[
        str | None, Allowed("an http or https address"), Field(description="Full address for log records alone.")
    ] = None

    def otlp(self, signal: Literal["traces", "metrics", "logs"]) -> bool:
        """Whether the signal is sent by OTLP: asked for, and an endpoint is known."""
        wanted = {"traces": self.traces_exporter, "metrics": self.metrics_exporter, "logs": self.logs_exporter}[signal]
        endpoint = {
            "traces": self.exporter_otlp_traces_endpoint,
            "metrics": self.exporter_otlp_metrics_endpoint,
            "logs": self.exporter_otlp_logs_endpoint,
        }[signal]
        return not self.sdk_disabled and "otlp" in wanted and bool(endpoint or self.exporter_otlp_endpoint)


GROUPS: tuple[type[Group], ...] = (
    LibrariesIOSettings,
    CacheSettings,
    RedisSettings,
    ToolSettings,
    ServerSettings,
    LogSettings,
    TelemetrySettings,
)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything, by group."""

    libraries_io: LibrariesIOSettings
    cache: CacheSettings
    redis: RedisSettings
    tools: ToolSettings
    server: ServerSettings
    log: LogSettings
    telemetry: TelemetrySettings

    def secrets(self) -> tuple[str, ...]:
        """Every secret in force, in clear: for the redaction of what leaves the process, and nothing else."""
        groups = (self.libraries_io, self.cache, self.redis, self.tools, self.server, self.log, self.telemetry)
        values = (getattr(group, name) for group in groups for name in type(group).model_fields)
        return tuple(value.get_secret_value() for value in values if isinstance(value, SecretStr))


def load_settings(
    *, transport: Literal["stdio", "http"] | None = None, host: str | None = None, port: int | None = None
) -> Settings:
    """Read every source; arguments that are not `None` win.

    Raises:
        SettingsError: one line that names the first variable with a bad value and what is allowed.
    """
    # OpenTelemetry's SDK reads the process environment only, so its names in `.env`, and our defaults, are put there.
    for name, value in {**OPENTELEMETRY_DEFAULTS, **_env_file()}.items():
        if name.startswith("OTEL_") and value:
            os.environ.setdefault(name, value)
    given = {"transport": transport, "host": host, "port": port}
    server = _load(ServerSettings, **{name: value for name, value in given.items() if value is not None})
    if server.transport == "http" and server.host not in LOOPBACK and not server.allow_anonymous:
        raise SettingsError(
            f"MCP_HOST={server.host!r}: other machines could call this server without logging in; allowed: "
            "a loopback address, or any address together with MCP_ALLOW_ANONYMOUS=true"
        )
    return Settings(
        _load(LibrariesIOSettings),
        _load(CacheSettings),
        _load(RedisSettings),
        _load(ToolSettings),
        server,
        _load(LogSettings),
        _load(TelemetrySettings),
    )


def variable(group: type[BaseSettings], field: str) -> str:
    """The environment variable of a field."""
    return f"{group.model_config.get('env_prefix', '')}{field}".upper()


def _load(group: type[GroupT], **given: Any) -> GroupT:
    try:
        return group(**given)
    except ValidationError as error:
        raise SettingsError(_line(group, error.errors()[0], given)) from None


def _line(group: type[Group], error: ErrorDetails, given: dict[str, Any]) -> str:
    field = str(error["loc"][0])
    info = group.model_fields[field]
    name = variable(group, field)
    allowed = next((mark.text for mark in info.metadata if isinstance(mark, Allowed)), error["msg"])
    secret = SecretStr in (info.annotation, *get_args(info.annotation))
    value = given.get(field) or os.environ.get(name) or _env_file().get(name)
    return f"{name}={'***' if secret else repr(value)}: not allowed; allowed: {allowed}"


def _env_file() -> dict[str, str | None]:
    if not ENV_FILE.exists():
        return {}
    try:
        return dotenv_values(ENV_FILE)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f".env: can't be read: {_reason(error)}; allowed: a readable text file") from None


def _reason(error: OSError | UnicodeDecodeError) -> str:
    return (error.strerror or type(error).__name__) if isinstance(error, OSError) else "not UTF-8 text"
