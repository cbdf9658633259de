"""What is logged, which signals leave the process, and how."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import NoDecode, SettingsConfigDict

from libraries_io_mcp.settings.group import Allowed, Group, http_url, split_words

Signal = Literal["traces", "metrics", "logs"]
Protocol = Literal["http/protobuf", "grpc"]
ShowCaller = Literal["false", "hashed", "raw"]

_TRUE_OR_FALSE = Allowed("true or false")
_ONE_OF_BOTH = Allowed("http/protobuf or grpc")
_ADDRESS = Allowed("an http or https address")
_HEADERS = Allowed("name=value, several by comma, values URL-encoded")


def _signal_url(value: str) -> str:
    # Only looked at: the SDK reads the variable itself, and a query is allowed here.
    http_url(value.partition("?")[0])
    return value


def _upper(value: Any) -> Any:
    return value.upper() if isinstance(value, str) else value


def _show_caller(value: Any) -> Any:
    text = str(value).lower()
    return {"true": "hashed", "1": "hashed", "yes": "hashed", "on": "hashed", "0": "false", "no": "false"}.get(
        text, text
    )


def _none_alone(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value or ("none" in value and len(value) > 1):
        raise ValueError("none stands alone")
    return value


def _zero_or_ten(value: float) -> float:
    if 0 < value < 10:
        raise ValueError("so often that it would eat the quota")
    return value


def _syslog_address(value: str) -> str:
    host, colon, port = value.rpartition(":")
    if not value.startswith("/") and not (colon and host and port.isdecimal() and 0 < int(port) < 65536):
        raise ValueError("neither a socket file nor host:port")
    return value


class LogSettings(Group):
    """What is logged, in which form, and where to."""

    model_config = SettingsConfigDict(env_prefix="LOG_")

    level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
        BeforeValidator(_upper),
        Allowed("DEBUG, INFO, WARNING, ERROR or CRITICAL"),
        Field(description="Records below this level are not made."),
    ] = "INFO"
    format: Annotated[
        Literal["json", "text"],
        Allowed("json or text"),
        Field(description="Form of the lines on stderr, in the file and in syslog."),
    ] = "json"
    file: Annotated[
        Path | None,
        Allowed("a path; folders are made"),
        Field(description="File that lines are written to as well, rotated by size. Unset: none."),
    ] = None
    max_bytes: Annotated[
        int,
        Allowed("a whole number from 1000 to 10000000000"),
        Field(ge=1000, le=10_000_000_000, description="Size at which the file is rotated."),
    ] = 10_485_760
    backup_count: Annotated[
        int,
        Allowed("a whole number from 1 to 1000"),
        Field(ge=1, le=1000, description="Rotated files that are kept."),
    ] = 5
    enable_console: Annotated[
        bool, _TRUE_OR_FALSE, Field(description="Write lines to stderr (stdout belongs to the protocol).")
    ] = True
    enable_file: Annotated[
        bool | None, _TRUE_OR_FALSE, Field(description="Write lines to LOG_FILE. Unset: when LOG_FILE is set.")
    ] = None
    enable_syslog: Annotated[bool, _TRUE_OR_FALSE, Field(description="Write lines to syslog.")] = False
    syslog_address: Annotated[
        str,
        AfterValidator(_syslog_address),
        Allowed("a socket file such as /dev/log, or host:port (UDP)"),
        Field(description="Where syslog listens."),
    ] = "/dev/log"
    enable_structured: Annotated[
        bool, _TRUE_OR_FALSE, Field(description="Put a record's attributes on its line and its OTLP record.")
    ] = True
    include_request_id: Annotated[
        bool, _TRUE_OR_FALSE, Field(description="Put the id of the request on its records.")
    ] = True
    include_user_id: Annotated[
        ShowCaller,
        BeforeValidator(_show_caller),
        Allowed("false, hashed (or true), or raw"),
        Field(description="Put the logged-in caller on records and spans: as a keyed hash, or with `raw` in clear."),
    ] = "false"
    enable_http: Annotated[
        bool, _TRUE_OR_FALSE, Field(description="Records of questions to Libraries.io (`libraries_io.call.*`).")
    ] = True
    enable_mcp: Annotated[
        bool, _TRUE_OR_FALSE, Field(description="Records of MCP requests (`libraries_io.operation.*`).")
    ] = True
    enable_performance: Annotated[
        bool,
        _TRUE_OR_FALSE,
        Field(
            description="Warnings of slow operations, and records of the server's own that begin or end well "
            "(`libraries_io.work.*`)."
        ),
    ] = True

    @property
    def writes_file(self) -> bool:
        """Whether lines go to a file."""
        return self.file is not None and self.enable_file is not False

    @property
    def syslog_target(self) -> str | tuple[str, int]:
        """The address as the standard library takes it."""
        if self.syslog_address.startswith("/"):
            return self.syslog_address
        host, _, port = self.syslog_address.rpartition(":")
        return host.strip("[]"), int(port)


class ObservationSettings(Group):
    """What else is observed, and where files of signals go."""

    slow_operation_seconds: Annotated[
        float,
        Allowed("a number above 0"),
        Field(
            gt=0,
            description="What takes longer is a warning: a request, a question to Libraries.io, the server's own work.",
        ),
    ] = 1.0
    telemetry_file_directory: Annotated[
        Path | None,
        Allowed("a folder that can be written; it is made"),
        Field(description="Where the exporter `file` writes traces.jsonl, metrics.jsonl and logs.jsonl (OTLP/JSON)."),
    ] = None
    telemetry_file_max_bytes: Annotated[
        int,
        Allowed("a whole number from 10000 to 10000000000"),
        Field(ge=10_000, le=10_000_000_000, description="Size at which each of these files is rotated."),
    ] = 10_485_760
    telemetry_file_backup_count: Annotated[
        int,
        Allowed("a whole number from 1 to 1000"),
        Field(ge=1, le=1000, description="Rotated files that are kept of each."),
    ] = 5


class HealthSettings(Group):
    """How the server looks after itself."""

    model_config = SettingsConfigDict(env_prefix="HEALTH_")

    check_seconds: Annotated[
        float,
        Allowed("a number from 0.1 to 3600"),
        Field(ge=0.1, le=3600, description="Each health check is made about so often, in the background."),
    ] = 10.0
    probe_seconds: Annotated[
        float,
        Allowed("0, or a number from 10 to 86400"),
        AfterValidator(_zero_or_ten),
        Field(
            ge=0,
            le=86_400,
            description="When nobody asked Libraries.io for so long, the check `api_connectivity` spends one request, "
            "if more than half of the quota is left. 0: it never does.",
        ),
    ] = 300.0


class TelemetrySettings(Group):
    """Which signals are exported, and how. OpenTelemetry's other variables are read by its SDK."""

    model_config = SettingsConfigDict(env_prefix="OTEL_")

    sdk_disabled: Annotated[bool, _TRUE_OR_FALSE, Field(description="Switch all telemetry but the log lines off.")] = (
        False
    )
    traces_exporter: Annotated[
        tuple[Literal["otlp", "console", "file", "none"], ...],
        NoDecode,
        BeforeValidator(split_words),
        AfterValidator(_none_alone),
        Allowed("otlp, console, file, several by comma, or none"),
        Field(
            description="Where spans go. `otlp` sends only when an endpoint is set, `console` is stderr, `file` is "
            "TELEMETRY_FILE_DIRECTORY."
        ),
    ] = ("otlp",)
    metrics_exporter: Annotated[
        tuple[Literal["otlp", "prometheus", "console", "file", "none"], ...],
        NoDecode,
        BeforeValidator(split_words),
        AfterValidator(_none_alone),
        Allowed("otlp, prometheus, console, file, several by comma, or none"),
        Field(description="Where metrics go. `prometheus` is the `/metrics` route; the others are as for spans."),
    ] = ("otlp", "prometheus")
    logs_exporter: Annotated[
        tuple[Literal["otlp", "console", "file", "none"], ...],
        NoDecode,
        BeforeValidator(split_words),
        AfterValidator(_none_alone),
        Allowed("otlp, console, file, several by comma, or none"),
        Field(description="Where log records go besides the lines of LOG_*; as for spans."),
    ] = ("otlp",)
    exporter_otlp_protocol: Annotated[
        Protocol, _ONE_OF_BOTH, Field(description="How OTLP is spoken. `grpc` needs the extra `grpc`.")
    ] = "http/protobuf"
    exporter_otlp_traces_protocol: Annotated[
        Protocol | None, _ONE_OF_BOTH, Field(description="The same for spans alone.")
    ] = None
    exporter_otlp_metrics_protocol: Annotated[
        Protocol | None, _ONE_OF_BOTH, Field(description="The same for metrics alone.")
    ] = None
    exporter_otlp_logs_protocol: Annotated[
        Protocol | None, _ONE_OF_BOTH, Field(description="The same for log records alone.")
    ] = None
    exporter_otlp_endpoint: Annotated[
        str | None,
        _ADDRESS,
        AfterValidator(lambda value: value and http_url(value)),
        Field(description="Base address of the Collector, such as http://127.0.0.1:4318. Unset: nothing is sent."),
    ] = None
    exporter_otlp_traces_endpoint: Annotated[
        str | None,
        _ADDRESS,
        AfterValidator(lambda value: value and _signal_url(value)),
        Field(description="Full address for spans alone."),
    ] = None
    exporter_otlp_metrics_endpoint: Annotated[
        str | None,
        _ADDRESS,
        AfterValidator(lambda value: value and _signal_url(value)),
        Field(description="Full address for metrics alone."),
    ] = None
    exporter_otlp_logs_endpoint: Annotated[
        str | None,
        _ADDRESS,
        AfterValidator(lambda value: value and _signal_url(value)),
        Field(description="Full address for log records alone."),
    ] = None
    exporter_otlp_headers: Annotated[
        SecretStr | None, _HEADERS, Field(description="Headers sent with each export, such as a token.")
    ] = None
    exporter_otlp_traces_headers: Annotated[
        SecretStr | None, _HEADERS, Field(description="The same for spans alone.")
    ] = None
    exporter_otlp_metrics_headers: Annotated[
        SecretStr | None, _HEADERS, Field(description="The same for metrics alone.")
    ] = None
    exporter_otlp_logs_headers: Annotated[
        SecretStr | None, _HEADERS, Field(description="The same for log records alone.")
    ] = None

    def wanted(self, signal: Signal) -> tuple[str, ...]:
        """The exporters that are asked for."""
        exporters: tuple[str, ...] = getattr(self, f"{signal}_exporter")
        return exporters

    def otlp(self, signal: Signal) -> bool:
        """Whether the signal is sent by OTLP: asked for, and an endpoint is known."""
        endpoint = getattr(self, f"exporter_otlp_{signal}_endpoint") or self.exporter_otlp_endpoint
        return not self.sdk_disabled and "otlp" in self.wanted(signal) and bool(endpoint)

    def protocol(self, signal: Signal) -> Protocol:
        """How the signal is sent by OTLP."""
        own: Protocol | None = getattr(self, f"exporter_otlp_{signal}_protocol")
        return own or self.exporter_otlp_protocol

    def protocol_variable(self, signal: Signal) -> str:
        """The variable that says so."""
        own = getattr(self, f"exporter_otlp_{signal}_protocol")
        return f"OTEL_EXPORTER_OTLP_{signal.upper()}_PROTOCOL" if own else "OTEL_EXPORTER_OTLP_PROTOCOL"

    @property
    def wants_prometheus(self) -> bool:
        """Whether `/metrics` is asked for."""
        return "prometheus" in self.metrics_exporter
