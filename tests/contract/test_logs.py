"""Logs as they leave the process: lines on stderr, in files, in syslog, and what each setting does to them."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.command import Running, run_command
from tests.support.polling import HANG_SECONDS, poll_until
from tests.support.stand_in import CANARY
from tests.support.upstream import Upstream

from libraries_io_mcp.demo.otlp_receiver import OtlpReceiver

CANARY_ARGUMENT = "canary-argument-of-the-user"
CANARY_E_MAIL = "canary.person@example.org"
OPERATION = "libraries_io.operation.completed"


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as upstream:
        yield upstream


def session(folder: Path, upstream: Upstream | None = None, **variables: str) -> Running:
    """A session with a call that asks upstream, if there is one, or one that does not."""
    if upstream is not None:
        variables |= {"LIBRARIES_IO_BASE_URL": upstream.base_url, "LIBRARIES_IO_API_KEY": CANARY}
    with Running(folder=folder, **variables) as server:
        server.initialize()
        if upstream is None:
            assert not server.call("get_quota_status")["isError"]
        else:
            assert not server.call("get_package_info", platform="NPM", name="good")["isError"]
        assert server.end("EOF") == 0
    return server


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def events(lines: list[dict[str, Any]]) -> set[str]:
    return {line["event"] for line in lines if "event" in line}


def test_one_request_has_one_id_on_all_its_records_and_spans(tmp_path: Path, upstream: Upstream):
    with OtlpReceiver() as receiver:
        server = session(tmp_path, upstream, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint, LOG_LEVEL="DEBUG")
        lines = server.log_lines()
        (done,) = [line for line in lines if line["message"].startswith("tools/call") and line["event"] == OPERATION]
        number = done["request_id"]
        assert {"libraries_io.call.completed", OPERATION} <= events([x for x in lines if x.get("request_id") == number])
        spans = [span for span in receiver.spans if span.trace_id == done["trace_id"]]
        assert len(spans) >= 2
        assert {span.attributes["libraries_io.request.id"] for span in spans} == {number}
        logs = [log for log in receiver.logs if log.attributes.get("libraries_io.request.id") == number]
        assert {log.trace_id for log in logs} == {done["trace_id"]}
        others = {line["request_id"] for line in lines if "request_id" in line} - {number}
        assert others
        assert number.endswith("-2")


@pytest.mark.parametrize(
    ("off", "left"),
    [
        ("HTTP", {OPERATION, "libraries_io.operation.slow"}),
        ("MCP PERFORMANCE", {"libraries_io.call.completed"}),
    ],
)
def test_categories_can_be_switched_off(off: str, left: set[str], tmp_path: Path, upstream: Upstream):
    """With a threshold that everything exceeds, all three are there unless switched off."""
    switches = {f"LOG_ENABLE_{name}": "false" for name in off.split()}
    lines = session(tmp_path, upstream, SLOW_OPERATION_SECONDS="0.000001", **switches).log_lines()
    assert events(lines) == left


def test_slow_operations_are_warned_of_also_when_the_level_hides_what_went_well(tmp_path: Path, upstream: Upstream):
    lines = session(tmp_path, upstream, SLOW_OPERATION_SECONDS="0.000001", LOG_LEVEL="WARNING").log_lines()
    assert {line["level"] for line in lines} == {"WARNING"}
    (call,) = [line for line in lines if line.get("gen_ai.tool.name")]
    assert (call["event"], call["libraries_io.threshold"]) == ("libraries_io.operation.slow", 0.000001)
    assert call["libraries_io.duration"] > 0
    assert call["trace_id"]
    assert [line for line in lines if "libraries_io.endpoint" in line]


def test_text_without_attributes_and_request_ids_as_an_env_file_says(tmp_path: Path):
    """And a file that is named but switched off is not made."""
    (tmp_path / ".env").write_text("LOG_FORMAT=text\nLOG_LEVEL=debug\nSLOW_OPERATION_SECONDS=0.000001\n")
    server = session(
        tmp_path,
        LOG_ENABLE_STRUCTURED="false",
        LOG_INCLUDE_REQUEST_ID="false",
        LOG_FILE=str(tmp_path / "log.jsonl"),
        LOG_ENABLE_FILE="false",
    )
    lines = server.stderr.splitlines()
    (line,) = [line for line in lines if "get_quota_status completed" in line]
    assert " INFO     libraries_io_mcp.telemetry.middleware: tools/call get_quota_status completed in " in line
    assert "request_id" not in server.stderr
    assert "mcp.method.name" not in server.stderr
    assert [line for line in lines if " DEBUG " in line]
    assert [line for line in lines if "get_quota_status was slow" in line]
    assert not (tmp_path / "log.jsonl").exists()


def test_the_console_a_file_and_syslog_get_the_same_lines(tmp_path: Path):
    path = tmp_path / "deep" / "log.jsonl"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(HANG_SECONDS)
        address = f"127.0.0.1:{receiver.getsockname()[1]}"
        variables = {"LOG_ENABLE_SYSLOG": "true", "LOG_SYSLOG_ADDRESS": address, "SLOW_OPERATION_SECONDS": "600"}
        server = session(tmp_path, LOG_FILE=str(path), **variables)
        lines = server.log_lines()
        datagrams = [receiver.recv(65536).decode() for _ in lines]
    assert OPERATION in events(lines)
    assert lines_of(path) == lines
    assert all(datagram.startswith("<14>libraries-io-mcp: {") for datagram in datagrams)
    assert [json.loads(datagram.partition(": ")[2].rstrip("\0")) for datagram in datagrams] == lines


def test_a_file_alone_is_rotated(tmp_path: Path):
    path = tmp_path / "log.jsonl"
    variables = {"LOG_FILE": str(path), "LOG_ENABLE_CONSOLE": "false"}
    with Running(folder=tmp_path, LOG_MAX_BYTES="4000", LOG_BACKUP_COUNT="2", **variables) as server:
        server.initialize()
        for _ in range(40):
            server.call("get_quota_status")
        assert server.end("EOF") == 0
    assert server.stderr == ""
    files = sorted(tmp_path.glob("log.jsonl*"))
    assert [file.name for file in files] == ["log.jsonl", "log.jsonl.1", "log.jsonl.2"]
    assert all(file.stat().st_size <= 4000 for file in files)
    assert all(OPERATION in events(lines_of(file)) for file in files)


def test_destinations_that_do_not_work_are_one_warning_each(tmp_path: Path):
    """Every call is answered, and stderr has every line."""
    nobody = tmp_path / "nobody"
    variables = {"LOG_FILE": "/dev/full", "LOG_ENABLE_SYSLOG": "true", "LOG_SYSLOG_ADDRESS": str(nobody)}
    with Running(folder=tmp_path, **variables) as server:
        server.initialize()
        assert not server.call("get_quota_status")["isError"]
        # Each finds out in a thread of its own.
        poll_until(lambda: server.stderr.count("log destination") >= 2, "both to be warned of")
        assert server.end("EOF") == 0
    lines = server.log_lines()
    said = {line["message"] for line in lines if "log destination" in line["message"]}
    assert said == {
        "log destination file (LOG_FILE=/dev/full) does not work: No space left on device; it is tried again every 5 s",
        f"log destination syslog (LOG_SYSLOG_ADDRESS={nobody}) does not work: No such file or directory; it is tried "
        "again every 5 s",
    }
    assert len([line for line in lines if "log destination" in line["message"]]) == 2
    assert OPERATION in events(lines)


def test_the_only_destination_that_does_not_work_is_said_on_stderr(tmp_path: Path):
    server = session(tmp_path, LOG_FILE="/proc/log.jsonl", LOG_ENABLE_CONSOLE="false")
    assert server.stderr.startswith(
        "libraries-io-mcp: log destination file (LOG_FILE=/proc/log.jsonl) does not work: No such file or directory"
    )
    assert len(server.stderr.splitlines()) == 1


def test_a_file_that_is_asked_for_needs_a_path(tmp_path: Path):
    done = run_command(folder=tmp_path, LOG_ENABLE_FILE="true")
    assert (done.returncode, done.stderr.startswith("libraries-io-mcp: LOG_ENABLE_FILE='true': needs LOG_FILE")) == (
        2,
        True,
    )


def test_canaries_are_in_no_way_out_at_debug_level(tmp_path: Path, upstream: Upstream):
    """The key, an e-mail address and what a user typed, in calls that go well and calls that fail."""
    folder = tmp_path / "signals"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver, OtlpReceiver() as otlp:
        receiver.bind(("127.0.0.1", 0))
        receiver.setblocking(False)
        variables = {f"OTEL_{signal}_EXPORTER": "otlp,file,console" for signal in ("TRACES", "METRICS", "LOGS")}
        variables |= {
            "LIBRARIES_IO_BASE_URL": upstream.base_url,
            "LIBRARIES_IO_API_KEY": CANARY,
            "LOG_LEVEL": "DEBUG",
            "LOG_FILE": str(tmp_path / "log.jsonl"),
            "LOG_ENABLE_SYSLOG": "true",
            "LOG_SYSLOG_ADDRESS": f"127.0.0.1:{receiver.getsockname()[1]}",
            "TELEMETRY_FILE_DIRECTORY": str(folder),
            "OTEL_EXPORTER_OTLP_ENDPOINT": otlp.endpoint,
        }
        with Running(folder=tmp_path, **variables) as server:
            server.initialize()
            server.call("search_packages", query=f"{CANARY_ARGUMENT} {CANARY_E_MAIL}")
            server.call("get_package_info", platform="NPM", name=CANARY_E_MAIL)
            server.call("no_such_tool", argument=CANARY_ARGUMENT)
            server.call("get_package_info", nonsense=CANARY_ARGUMENT)
            assert server.end("EOF") == 0
        datagrams = b""
        try:
            while True:
                datagrams += receiver.recv(65536)
        except BlockingIOError:
            pass
        sent = repr((otlp.spans, otlp.points, otlp.logs))
    out = {
        "stderr": server.stderr,
        "syslog": datagrams.decode(),
        "log file": (tmp_path / "log.jsonl").read_text(),
        "OTLP": sent,
        **{path.name: path.read_text() for path in folder.iterdir()},
    }
    assert all(len(text) > 500 for text in out.values())
    leaks = [
        (way, canary)
        for way, text in out.items()
        for canary in (CANARY, CANARY_ARGUMENT, CANARY_E_MAIL)
        if canary in text
    ]
    assert leaks == []
