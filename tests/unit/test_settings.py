"""Settings at the level of the command: what is wrong is said in one line, and the program ends with exit code 2."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.command import Running, run_command

from libraries_io_mcp.errors import SettingsError
from libraries_io_mcp.settings import (
    GROUPS,
    OPENTELEMETRY_DEFAULTS,
    OPENTELEMETRY_NUMBERS,
    Allowed,
    LibrariesIOSettings,
    ServerSettings,
    TelemetrySettings,
    load_settings,
    variable,
)

KEY = "0123456789abcdef0123456789abcdef"
OTHERS_OF_THE_SDK = {
    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
    "OTEL_METRICS_EXEMPLAR_FILTER",
    "OTEL_TRACES_SAMPLER",
    "OTEL_TRACES_SAMPLER_ARG",
}


@pytest.fixture(autouse=True)
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder without `.env` and an environment without settings; put back afterwards."""
    monkeypatch.chdir(tmp_path)
    names = {variable(group, field) for group in GROUPS for field in group.model_fields}
    for name in names | {*OPENTELEMETRY_DEFAULTS, *OPENTELEMETRY_NUMBERS, *OTHERS_OF_THE_SDK}:
        # Set first, so that what the program itself puts there is taken away again.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    return tmp_path


def line_of(folder: Path, *arguments: str, **variables: str) -> str:
    """The one line that the command writes before it ends with 2."""
    done = run_command(*arguments, folder=folder, **variables)
    assert done.returncode == 2, done
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    return line


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("MCP_PORT", "eighty", "a whole number from 0 to 65535"),
        ("LIBRARIES_IO_BASE_URL", "libraries.io/api", "an http or https address"),
        ("LOG_SYSLOG_ADDRESS", "somewhere", "a socket file such as /dev/log, or host:port (UDP)"),
        ("LOG_INCLUDE_USER_ID", "always", "false, hashed (or true), or raw"),
        ("LOG_MAX_BYTES", "10MB", "a whole number from 1000 to 10000000000"),
        ("SLOW_OPERATION_SECONDS", "0", "a number above 0"),
    ],
)
def test_the_command_says_what_is_wrong_in_one_line(own_place: Path, name: str, value: str, allowed: str):
    line = line_of(own_place, **{name: value})
    assert line.startswith(f"libraries-io-mcp: {name}={value!r}: not allowed; allowed: {allowed}")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LIBRARIES_IO_TIMEOUT_SECONDS", "0"),
        ("LIBRARIES_IO_TIMEOUT_SECONDS", "301"),
        ("LIBRARIES_IO_TIMEOUT_SECONDS", "nan"),
        ("LIBRARIES_IO_RATE_LIMIT", "-1"),
        ("LIBRARIES_IO_RATE_LIMIT", "1.5"),
        ("LIBRARIES_IO_BASE_URL", "http://user:pass@host/api"),
        ("LIBRARIES_IO_BASE_URL", "http://host/api?key=1"),
        ("LIBRARIES_IO_BASE_URL", "ftp://host/api"),
        ("MCP_TRANSPORT", "sse"),
        ("MCP_PORT", "65536"),
        ("MCP_PORT", "-1"),
        ("MCP_ALLOW_ANONYMOUS", "perhaps"),
        ("LOG_LEVEL", "LOUD"),
        ("LOG_FORMAT", "xml"),
    ],
)
def test_a_bad_value(monkeypatch: pytest.MonkeyPatch, name: str, value: str):
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as error:
        load_settings()
    text = str(error.value)
    assert text.startswith(f"{name}={value!r}: not allowed; allowed: ")
    assert "\n" not in text


def test_a_bad_key_is_masked(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LIBRARIES_IO_API_KEY", f"{KEY} {KEY}")
    with pytest.raises(SettingsError) as error:
        load_settings()
    assert str(error.value).startswith("LIBRARIES_IO_API_KEY=***: not allowed; allowed: the key from https://")
    assert KEY not in str(error.value)


@given(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), min_size=12, max_size=60))
def test_any_key_is_taken_or_refused_without_showing_it(text: str):
    try:
        shown = repr(LibrariesIOSettings(api_key=text))
    except ValueError as error:
        shown = str(error)
    assert text.strip()[:12] not in shown or not text.strip()


def test_env_file_in_the_working_directory(own_place: Path, monkeypatch: pytest.MonkeyPatch):
    own_place.joinpath(".env").write_text("MCP_PORT=1234\nLOG_LEVEL=debug\nOTEL_SERVICE_NAME=mine\n")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "")
    monkeypatch.delenv("OTEL_SERVICE_NAME")
    monkeypatch.setenv("MCP_PORT", "4321")
    settings = load_settings()
    assert settings.server.port == 4321
    assert settings.log.level == "DEBUG"
    assert os.environ["OTEL_SERVICE_NAME"] == "mine"


def test_the_command_reads_env_file(own_place: Path):
    own_place.joinpath(".env").write_text("MCP_PORT=eighty\n")
    assert line_of(own_place).startswith("libraries-io-mcp: MCP_PORT='eighty': not allowed")


def test_an_env_file_that_is_a_directory(own_place: Path):
    own_place.joinpath(".env").mkdir()
    assert line_of(own_place).startswith("libraries-io-mcp: .env: can't be read: ")


def test_an_env_file_that_is_no_text(own_place: Path):
    own_place.joinpath(".env").write_bytes(b"MCP_PORT=\xff\xfe\n")
    assert "not UTF-8 text; allowed: a readable text file" in line_of(own_place)


def test_an_empty_value_counts_as_unset(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MCP_PORT", "")
    monkeypatch.setenv("LIBRARIES_IO_API_KEY", "")
    settings = load_settings()
    assert settings.server.port == 8000
    assert settings.libraries_io.api_key is None
    assert settings.secrets() == ()


def test_a_secret_from_a_file(own_place: Path, monkeypatch: pytest.MonkeyPatch):
    own_place.joinpath("key").write_text(f"{KEY}\n")
    monkeypatch.setenv("LIBRARIES_IO_API_KEY_FILE", str(own_place / "key"))
    assert load_settings().secrets() == (KEY,)


def test_the_variable_wins_over_the_file(own_place: Path, monkeypatch: pytest.MonkeyPatch):
    own_place.joinpath("key").write_text("another")
    own_place.joinpath(".env").write_text(f"LIBRARIES_IO_API_KEY_FILE={own_place / 'key'}\n")
    assert load_settings().secrets() == ("another",)
    monkeypatch.setenv("LIBRARIES_IO_API_KEY", KEY)
    assert load_settings().secrets() == (KEY,)


@pytest.mark.parametrize("content", ["", " \n"])
def test_an_empty_secret_file_is_no_absent_secret(own_place: Path, monkeypatch: pytest.MonkeyPatch, content: str):
    own_place.joinpath("key").write_text(content)
    monkeypatch.setenv("LIBRARIES_IO_API_KEY_FILE", "key")
    with pytest.raises(SettingsError, match=r"^LIBRARIES_IO_API_KEY_FILE: key is empty; allowed: "):
        load_settings()


@pytest.mark.parametrize("content", [None, b"\xff\xfe"], ids=["missing", "no text"])
def test_a_secret_file_that_can_not_be_read(own_place: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None):
    if content is not None:
        own_place.joinpath("key").write_bytes(content)
    monkeypatch.setenv("LIBRARIES_IO_API_KEY_FILE", str(own_place / "key"))
    with pytest.raises(SettingsError, match=r"LIBRARIES_IO_API_KEY_FILE: can't read .*; allowed: a readable text file"):
        load_settings()


def test_only_secrets_come_from_files(own_place: Path, monkeypatch: pytest.MonkeyPatch):
    own_place.joinpath("port").write_text("1234")
    monkeypatch.setenv("MCP_PORT_FILE", str(own_place / "port"))
    assert load_settings().server.port == 8000


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.1", "example.org", "::"])  # noqa: S104 - what is refused
def test_other_machines_can_not_call_a_server_without_login(monkeypatch: pytest.MonkeyPatch, host: str):
    with pytest.raises(SettingsError, match=r"--host='.*': other machines"):
        load_settings(transport="http", host=host)
    assert load_settings(transport="stdio", host=host).server.host == host
    monkeypatch.setenv("MCP_ALLOW_ANONYMOUS", "true")
    assert load_settings(transport="http", host=host).server.host == host


def test_arguments_win(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MCP_TRANSPORT", "stdio")
    monkeypatch.setenv("MCP_PORT", "1")
    settings = load_settings(transport="http", host="::1", port=2)
    assert (settings.server.transport, settings.server.host, settings.server.port) == ("http", "::1", 2)


def test_lists_are_split_at_commas(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("MCP_ALLOWED_HOSTS", " a.example, b.example ,,")
    assert load_settings().server.allowed_hosts == ("a.example", "b.example")


def test_names_that_look_like_settings_are_remarked_on(own_place: Path, monkeypatch: pytest.MonkeyPatch):
    own_place.joinpath(".env").write_text("log_levle=debug\nLIBRARIES_IO_COLOUR=red\nnot a line\nLOG_LEVEL=info\n='\n")
    monkeypatch.setenv("LIBRARIES_IO_APIKEY", KEY)
    monkeypatch.setenv("LIBRARIES_IO_API_KEY_FLIE", "x")
    for name in ("LOG_OF_SOMEBODY_ELSE", "MCP_CLIENT_NAME", "CACHE_DIR", "OTEL_SERVICE_NAME", "SMTP_HELO_NAME"):
        monkeypatch.setenv(name, "theirs")
    assert load_settings().remarks == (
        ".env: passed over line 3, 5: not NAME=value",
        "LIBRARIES_IO_APIKEY: there is no such setting; did you mean LIBRARIES_IO_API_KEY?",
        "LIBRARIES_IO_API_KEY_FLIE: there is no such setting; did you mean LIBRARIES_IO_API_KEY_FILE?",
        "LIBRARIES_IO_COLOUR: there is no such setting",
        "LOG_LEVLE: there is no such setting; did you mean LOG_LEVEL?",
    )


def test_nothing_is_remarked_on_when_all_is_well(monkeypatch: pytest.MonkeyPatch):
    for group in GROUPS:
        for field in group.model_fields:
            monkeypatch.setenv(variable(group, field), "")
    assert load_settings().remarks == ()


def test_the_command_warns_of_them_in_its_log(own_place: Path):
    own_place.joinpath(".env").write_text("LOG_LEVLE=debug\nnot a line\n")
    with Running(folder=own_place) as server:
        server.initialize()
        assert server.end("EOF") == 0
    assert [line["message"] for line in server.log_lines() if line["level"] == "WARNING"] == [
        ".env: passed over line 2: not NAME=value",
        "LOG_LEVLE: there is no such setting; did you mean LOG_LEVEL?",
    ]


@pytest.mark.parametrize(
    ("given_variables", "sent"),
    [
        ({}, ""),
        ({"ENDPOINT": "http://c:4318"}, "traces metrics logs"),
        ({"TRACES_ENDPOINT": "http://c:4318/v1/traces"}, "traces"),
    ],
)
def test_nothing_is_sent_without_an_endpoint(
    monkeypatch: pytest.MonkeyPatch, given_variables: dict[str, str], sent: str
):
    for name, value in given_variables.items():
        monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{name}", value)
    telemetry = load_settings().telemetry
    assert [signal for signal in ("traces", "metrics", "logs") if telemetry.otlp(signal)] == sent.split()
    assert not TelemetrySettings(sdk_disabled=True).otlp("traces")
    assert not TelemetrySettings(traces_exporter=("none",)).otlp("traces")


@pytest.mark.parametrize("group", GROUPS)
def test_every_setting_says_what_it_does_and_what_is_allowed(group: type[ServerSettings]):
    for field in group.model_fields.values():
        assert field.description
        assert any(isinstance(mark, Allowed) for mark in field.metadata)


@given(st.integers(), st.sampled_from(["port", "rate_limit"]))
def test_numbers_are_taken_within_their_bounds_only(number: int, name: str):
    group, upper = (ServerSettings, 65535) if name == "port" else (LibrariesIOSettings, 100_000)
    if 0 <= number <= upper:
        assert getattr(group(**{name: number}), name) == number
    else:
        with pytest.raises(ValueError, match=name):
            group(**{name: number})


@pytest.mark.parametrize(
    ("variables", "path"),
    [
        ({"ALERT_STATE_FILE": "/here.json", "XDG_STATE_HOME": "/state"}, Path("/here.json")),
        ({"XDG_STATE_HOME": "/state", "HOME": "/home/me"}, Path("/state/libraries-io-mcp/alerts.json")),
        (
            {"XDG_STATE_HOME": "relative", "HOME": "/home/me"},
            Path("/home/me/.local/state/libraries-io-mcp/alerts.json"),
        ),
        ({"HOME": "/home/me"}, Path("/home/me/.local/state/libraries-io-mcp/alerts.json")),
        ({}, None),
    ],
)
def test_where_alerts_survive_a_restart(variables: dict[str, str], path: Path | None, monkeypatch: pytest.MonkeyPatch):
    for name in ("XDG_STATE_HOME", "HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert load_settings().alerts.state_path == path


BROKEN = [
    *((name, value) for name in OPENTELEMETRY_NUMBERS for value in ("15s", "-5", "nan", "inf")),
    ("OTEL_TRACES_EXPORTER", "jaeger"),
    ("OTEL_LOGS_EXPORTER", "none,otlp"),
    ("OTEL_METRICS_EXPORTER", "otlp,graphite"),
    ("OTEL_METRICS_EXEMPLAR_FILTER", "all"),
    ("OTEL_TRACES_SAMPLER", "sometimes"),
    ("OTEL_SDK_DISABLED", "perhaps"),
    ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
    ("OTEL_EXPORTER_OTLP_COMPRESSION", "brotli"),
    *((f"OTEL_EXPORTER_OTLP_{signal}ENDPOINT", "127.0.0.1:4318") for signal in ("", "TRACES_", "METRICS_", "LOGS_")),
]


@pytest.mark.parametrize(("name", "value"), BROKEN)
def test_a_value_that_opentelemetry_can_not_use_is_said_and_the_default_used(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
):
    telemetry = load_settings().telemetry
    monkeypatch.setenv(name, value)
    settings = load_settings()
    (line,) = settings.broken
    assert line.startswith(f"{name}={value!r}: not allowed; allowed: ")
    assert "the default is used" in line
    assert os.environ.get(name) == OPENTELEMETRY_DEFAULTS.get(name)
    assert settings.telemetry == telemetry


@pytest.mark.parametrize(
    ("name", "value", "rest", "advice"),
    [
        ("OTEL_PROPAGATORS", "b3", None, "install opentelemetry-propagator-b3; until then the default is used"),
        ("OTEL_PROPAGATORS", "tracecontext,xray", "tracecontext", "the others are used (tracecontext)"),
        ("OTEL_EXPERIMENTAL_RESOURCE_DETECTORS", "otel,aws_ec2", "otel", "install what brings it"),
        ("OTEL_PYTHON_TRACER_PROVIDER", "somebody_elses", None, "install what brings it"),
    ],
)
def test_a_part_of_opentelemetry_that_is_not_installed_is_said(
    name: str, value: str, rest: str | None, advice: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv(name, value)
    (line,) = load_settings().broken
    assert line.startswith(f"{name}={value!r}: ")
    assert "is not installed" in line
    assert advice in line
    assert os.environ.get(name) == rest


@pytest.mark.parametrize(
    "variables",
    [
        {"OTEL_PROPAGATORS": "b3"},
        {"OTEL_PYTHON_TRACER_PROVIDER": "somebody_elses"},
        {"OTEL_TRACES_SAMPLER": "traceidratio", "OTEL_TRACES_SAMPLER_ARG": "half"},
        {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/json", "OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4318"},
    ],
    ids=lambda variables: next(iter(variables)),
)
def test_the_server_starts_whatever_a_fleet_is_told_of_opentelemetry(own_place: Path, variables: dict[str, str]):
    with Running(folder=own_place, **variables) as server:
        server.initialize()
        assert server.end("EOF") == 0
    assert "Traceback" not in server.stderr
    for name in variables:
        if name != "OTEL_TRACES_SAMPLER":
            assert server.stderr.count(f"{name}=") == 1


def test_the_share_of_sampled_traces_is_looked_at_where_it_is_one(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "often")
    assert load_settings().broken == ()
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
    (line,) = load_settings().broken
    assert line.startswith("OTEL_TRACES_SAMPLER_ARG='often': not allowed; allowed: a number from 0 to 1")


def test_no_limit_is_a_limit_too(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "unset")
    load_settings()
    assert os.environ["OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"] == "unset"


def test_an_empty_number_is_none(monkeypatch: pytest.MonkeyPatch):
    """The SDK would try to read one from it."""
    monkeypatch.setenv("OTEL_BSP_EXPORT_TIMEOUT", "")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "")
    load_settings()
    assert "OTEL_BSP_EXPORT_TIMEOUT" not in os.environ
    assert os.environ["OTEL_BSP_SCHEDULE_DELAY"] == OPENTELEMETRY_DEFAULTS["OTEL_BSP_SCHEDULE_DELAY"]


def test_a_smaller_queue_of_signals_has_smaller_batches(own_place: Path):
    """The SDK refuses batches that are larger than the queue."""
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_TIMEOUT": "1"}
    sizes = {"OTEL_BSP_MAX_QUEUE_SIZE": "1000", "OTEL_BLRP_MAX_QUEUE_SIZE": "512"}
    with Running(folder=own_place, **variables, **sizes) as server:
        server.initialize()
        assert server.end("EOF") == 0
    assert "Traceback" not in server.stderr


@pytest.mark.parametrize(("wanted", "remarked"), [("delta", True), ("lowmemory", True), ("Cumulative", False)])
def test_a_temporality_that_is_passed_over_is_said(wanted: str, remarked: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", wanted)
    said = f"OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE={wanted!r}: passed over; metrics are always cumulative"
    assert (load_settings().remarks == (said,)) is remarked


@pytest.mark.parametrize(
    ("name", "value", "secret"),
    [
        (
            "MCP_AUTH_TOKEN",
            "agents:read=use-a-long-random-text-here\nother:read=and-another-one-for-this",
            "use-a-long-random-text-here",
        ),
        ("REDIS_URL", "redis://host:6379/0?password=in-the-query", "in-the-query"),
        (
            "WEBHOOK_URL",
            "https://hooks.example.org/services/T0000/abcdefghijklmnopqrstuvwx",
            "abcdefghijklmnopqrstuvwx",
        ),
        ("HTTPS_PROXY", "http://me:proxy-password@proxy.example.org:3128", "me:proxy-password"),
    ],
)
def test_what_is_secret_inside_a_setting(
    own_place: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, secret: str
):
    monkeypatch.setenv(name, value)
    assert secret in load_settings().secrets()
