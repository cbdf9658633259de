"""Every way out, seen from where it leads to: OTLP, files, stderr, /metrics. TLS and gRPC are in tests/e2e."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.support.collectors import unused_port
from tests.support.command import HTTP, Running, run_command
from tests.support.polling import HANG_SECONDS, poll_until

from libraries_io_mcp.demo.otlp_receiver import OtlpReceiver

CALL = "tools/call get_quota_status"
ALL = ("TRACES", "METRICS", "LOGS")


def exporters(way: str) -> dict[str, str]:
    return {f"OTEL_{signal}_EXPORTER": way for signal in ALL}


def session(folder: Path, **variables: str) -> Running:
    """One session with one call, from start to end; the server has ended when this returns."""
    with Running(folder=folder, **variables) as server:
        server.initialize()
        assert not server.call("get_quota_status")["isError"]
        assert server.end("EOF") == 0
    return server


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def with_bytes(value: Any) -> Any:
    """OTLP/JSON as protobuf's own JSON form: ids in base64, which is how this test decodes them."""
    if isinstance(value, dict):
        ids = {"traceId", "spanId", "parentSpanId"}
        import base64

        return {
            key: base64.b64encode(bytes.fromhex(item)).decode() if key in ids else with_bytes(item)
            for key, item in value.items()
        }
    return [with_bytes(item) for item in value] if isinstance(value, list) else value


def test_files_hold_what_a_collector_reads(tmp_path: Path):
    """One export request a line in OTLP/JSON: ids in hex, enums as numbers, 64-bit numbers as text."""
    folder = tmp_path / "signals"
    server = session(tmp_path, TELEMETRY_FILE_DIRECTORY=str(folder), **exporters("file"))
    assert sorted(path.name for path in folder.iterdir()) == ["logs.jsonl", "metrics.jsonl", "traces.jsonl"]
    (line, *_) = [each for each in lines_of(folder / "traces.jsonl") if CALL in json.dumps(each)]
    span = next(
        span for scope in line["resourceSpans"][0]["scopeSpans"] for span in scope["spans"] if span["name"] == CALL
    )
    assert len(span["traceId"]) == 32
    assert len(span["spanId"]) == 16
    assert (span["kind"], span["startTimeUnixNano"].isdecimal()) == (2, True)
    (logged,) = [each for each in server.log_lines() if each["message"].startswith(CALL)]
    assert (logged["trace_id"], logged["span_id"]) == (span["traceId"], span["spanId"])
    for name, kind in (
        ("traces", ExportTraceServiceRequest),
        ("metrics", ExportMetricsServiceRequest),
        ("logs", ExportLogsServiceRequest),
    ):
        for each in lines_of(folder / f"{name}.jsonl"):
            assert ParseDict(with_bytes(each), kind()).ByteSize()


def test_none_leaves_by_no_way(tmp_path: Path):
    with OtlpReceiver() as receiver:
        session(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint, **exporters("none"))
        assert receiver.requests == ()


def test_a_way_that_fails_does_not_disturb_the_others(tmp_path: Path):
    """The Collector refuses connections; files can't be written for a file is in their way; the console works.

    That is stderr, one JSON object a line: stdout belongs to the protocol; that the session went well shows that.
    """
    folder = tmp_path / "taken"
    folder.write_text("")
    with unused_port() as port:
        server = session(
            tmp_path,
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}",
            TELEMETRY_FILE_DIRECTORY=str(folder),
            **exporters("file,otlp,console"),
        )
    lines = server.log_lines()
    assert [line for line in lines if line.get("name") == CALL and "context" in line]
    assert [line for line in lines if "resource_metrics" in line]
    assert [line for line in lines if str(line.get("body", "")).startswith(CALL)]
    said = [line["message"] for line in lines if "message" in line]
    where = f"TELEMETRY_FILE_DIRECTORY={folder}, traces.jsonl"
    assert f"traces can't be written by file: {where}: File exists" in said
    assert [line for line in said if line.startswith("traces by otlp: ") and "not delivered" in line]
    assert [line for line in said if line.startswith("traces by file: ") and "FileExistsError" in line]


def test_several_ways_get_the_same(tmp_path: Path):
    folder = tmp_path / "signals"
    with OtlpReceiver() as receiver:
        session(
            tmp_path,
            OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
            TELEMETRY_FILE_DIRECTORY=str(folder),
            **exporters("otlp,file"),
        )
        sent = {span.span_id for span in receiver.spans}
    kept = {
        span["spanId"]
        for line in lines_of(folder / "traces.jsonl")
        for scope in line["resourceSpans"][0]["scopeSpans"]
        for span in scope["spans"]
    }
    assert sent == kept
    assert sent


WITHOUT_GRPC = """
import sys


class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "grpc" or name.startswith("opentelemetry.exporter.otlp.proto.grpc"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


sys.meta_path.insert(0, Hide())
"""


@pytest.mark.parametrize("variable", ["OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_LOGS_PROTOCOL"])
def test_grpc_that_is_not_installed_is_said_in_one_line(variable: str, tmp_path: Path):
    (tmp_path / "sitecustomize.py").write_text(WITHOUT_GRPC)
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4317", variable: "grpc"}
    done = run_command(folder=tmp_path, PYTHONPATH=str(tmp_path), **variables)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"libraries-io-mcp: {variable}='grpc': needs the extra `grpc`; install libraries-io-mcp[grpc], or use "
        "http/protobuf\n"
    )


def dropped(receiver: OtlpReceiver, signal: str) -> float:
    """How many spans, points or records are lost, as the newest metrics say."""
    points = [point for point in receiver.points if point.name == "libraries_io.telemetry.dropped"]
    return max((point.value for point in points if point.attributes == {"libraries_io.signal": signal}), default=0)


@pytest.mark.parametrize("trouble", ["refused", "full"])
def test_what_is_lost_is_seen_in_the_metrics(trouble: str, tmp_path: Path):
    """`refused`: the other side takes no spans and records; `full`: it never answers, and the queues hold two each."""
    calls = 10
    with OtlpReceiver() as metrics, OtlpReceiver() as others:
        others.answer(400) if trouble == "refused" else others.hang()
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": others.endpoint,
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"{metrics.endpoint}/v1/metrics",
            "OTEL_METRIC_EXPORT_INTERVAL": "100",
        }
        for queue in ("OTEL_BSP", "OTEL_BLRP"):
            variables |= {f"{queue}_SCHEDULE_DELAY": "50"}
            if trouble == "full":
                variables |= {f"{queue}_MAX_QUEUE_SIZE": "2", f"{queue}_MAX_EXPORT_BATCH_SIZE": "1"}
        with Running(folder=tmp_path, **variables) as server:
            server.initialize()
            for _ in range(calls):
                assert not server.call("get_quota_status")["isError"]
            # Of what is made, two wait in a full queue and one is being sent.
            least = calls if trouble == "refused" else calls - 3
            metrics.wait_for(lambda r: dropped(r, "traces") >= least, "lost spans")
            metrics.wait_for(lambda r: dropped(r, "logs") >= least, "lost records")
            assert server.end("EOF") == 0
        assert dropped(metrics, "metrics") == 0
        assert others.spans == others.logs == ()


def test_health_says_why_and_what_comes_again_is_not_lost(tmp_path: Path):
    variables = {"OTEL_METRIC_EXPORT_INTERVAL": "50", "OTEL_BSP_SCHEDULE_DELAY": "50", "HEALTH_CHECK_SECONDS": "0.1"}
    with OtlpReceiver() as receiver:
        receiver.answer(400)
        with Running(*HTTP, folder=tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint, **variables) as server:
            health = f"{server.url.removesuffix('/mcp')}/health/telemetry_export"

            def said() -> str | None:
                text = str(httpx.get(health, timeout=HANG_SECONDS).json())
                return text if "traces by otlp: " in text and "metrics by otlp: " in text else None

            text = poll_until(said, "both to fail")
            assert "metrics by otlp: 0 lost, last error code: 400, reason: Bad Request" in text
            assert "traces by otlp: 0 lost" not in text


@pytest.mark.parametrize("signal", ALL)
def test_files_need_a_folder(signal: str, tmp_path: Path):
    done = run_command(folder=tmp_path, **{f"OTEL_{signal}_EXPORTER": "file"})
    assert done.returncode == 2
    assert done.stderr == (
        f"libraries-io-mcp: OTEL_{signal}_EXPORTER='file': needs TELEMETRY_FILE_DIRECTORY; allowed: a folder that can "
        "be written\n"
    )


def test_metrics_are_scraped_and_sent_side_by_side(tmp_path: Path):
    with (
        OtlpReceiver() as receiver,
        Running(
            *HTTP, folder=tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint, OTEL_METRIC_EXPORT_INTERVAL="50"
        ) as server,
    ):
        address = server.url.removesuffix("/mcp")
        receiver.wait_for(lambda r: r.points, "metric points")
        assert "libraries_io_" in httpx.get(f"{address}/metrics", timeout=HANG_SECONDS).text
