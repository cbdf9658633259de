"""Each server's own word on its configuration, and what the Collector and InfluxDB refuse and keep, for real."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.servers.binaries import OTEL, binaries
from tests.servers.collector import BackEnds, CollectorPorts, collector_environment
from tests.servers.ports import free_ports
from tests.servers.process import ServerProcess
from tests.servers.prometheus import lay_out
from tests.servers.stack import Stack
from tests.support.polling import HANG_SECONDS, poll_until

CONFIGURATION = f"--config={OTEL / 'collector-config.yaml'}"
AUTH = f"--config={OTEL / 'collector-auth.yaml'}"
REMOTE_WRITE = f"--config={OTEL / 'collector-remote-write.yaml'}"
KAFKA_GATEWAY = f"--config={OTEL / 'collector-kafka-gateway.yaml'}"
AGENT = f"--config={OTEL / 'collector-agent.yaml'}"
LOAD_BALANCING = f"--config={OTEL / 'collector-agent-loadbalancing.yaml'}"
KAFKA_AGENT = f"--config={OTEL / 'collector-kafka-agent.yaml'}"
COLLECTORS = [
    [CONFIGURATION],
    [CONFIGURATION, AUTH],
    [CONFIGURATION, REMOTE_WRITE],
    [CONFIGURATION, KAFKA_GATEWAY],
    [AGENT],
    [AGENT, LOAD_BALANCING],
    [AGENT, KAFKA_AGENT],
]
SECRET = "0123456789abcdef0123456789abcdef"
TOKEN = "a-token-of-the-tests"
FAST_ID, FAILED_ID = "0af7651916cd43dd8448eb211c80319c", "1bf7651916cd43dd8448eb211c80319d"


def check(*command: str | Path, **environment: str) -> None:
    """Run a server's own checker; fails with what it says."""
    arguments = [str(part) for part in command]
    ended = subprocess.run(
        arguments, env={"PATH": os.defpath, **environment}, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def trace(trace_id: str, *, status: int = 1, **attributes: str) -> Mapping[str, Any]:
    """A trace of one short span as OTLP/JSON."""
    span = {
        "traceId": trace_id,
        "spanId": trace_id[:16],
        "name": "made by a test",
        "kind": 2,
        "startTimeUnixNano": "1700000000000000000",
        "endTimeUnixNano": "1700000000001000000",
        "status": {"code": status},
        "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in attributes.items()],
    }
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "made-by-a-test"}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]}


@pytest.fixture
def collector(request: pytest.FixtureRequest, stack: Stack, tmp_path: Path) -> Iterator[tuple[str, ServerProcess]]:
    """A Collector of its own with variables and overlays of the test, sending to the stack's back ends."""
    overlays, variables = request.param
    ports = CollectorPorts(*free_ports(5))
    back_ends = BackEnds(
        stack.jaeger.otlp_endpoint, stack.prometheus.url, stack.influxdb.url, stack.influxdb.collector_token_file
    )
    token_file = tmp_path / "token"
    token_file.write_text(TOKEN, encoding="utf-8")
    given = {**collector_environment(tmp_path, ports, back_ends), "OTLP_TOKEN_FILE": str(token_file), **variables}
    command = [binaries("collector")["otelcol-contrib"], CONFIGURATION, *overlays]
    process = ServerProcess("own-collector", command, tmp_path / "own", f"http://127.0.0.1:{ports.health}/", given)
    process.start()
    process.wait_until_ready()
    yield f"http://127.0.0.1:{ports.http}/v1/traces", process
    process.stop()


@pytest.mark.parametrize("files", COLLECTORS)
def test_the_collector_accepts_its_configuration(files: list[str], tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN, encoding="utf-8")
    tokens = {"INFLUXDB_TOKEN_FILE": str(tmp_path / "token"), "OTLP_TOKEN_FILE": str(tmp_path / "token")}
    folders = {"COLLECTOR_QUEUE_DIRECTORY": str(tmp_path), "COLLECTOR_LOG_FILE": str(tmp_path / "logs.jsonl")}
    check(binaries("collector")["otelcol-contrib"], "validate", *files, **tokens, **folders)


@pytest.mark.parametrize("overlay", [[], ["jaeger-opensearch.yml"], ["jaeger-cassandra.yml"]])
def test_jaeger_accepts_its_configuration(overlay: list[str]) -> None:
    files = [f"--config={OTEL / name}" for name in ("jaeger.yml", *overlay)]
    check(binaries("jaeger")["jaeger"], "validate", *files)


def test_every_configuration_is_looked_at() -> None:
    looked_at = {Path(file.removeprefix("--config=")) for files in COLLECTORS for file in files}
    assert looked_at == set(OTEL.glob("collector-*.yaml"))


def test_promtool_accepts_configuration_and_rules(tmp_path: Path) -> None:
    check(binaries("prometheus")["promtool"], "check", "config", "--lint=all", lay_out(tmp_path, {}))
    shutil.copytree(OTEL, tmp_path / "as-shipped")
    check(binaries("prometheus")["promtool"], "check", "config", tmp_path / "as-shipped" / "prometheus.yml")
    rules = sorted((OTEL / "rules").glob("*.yml"))
    check(binaries("prometheus")["promtool"], "check", "rules", "--lint=all", "--lint-fatal", *rules)


def test_amtool_accepts_configuration() -> None:
    check(binaries("alertmanager")["amtool"], "check-config", OTEL / "alertmanager.yml")


def test_the_tokens_of_influxdb_allow_no_more_than_needed(stack: Stack) -> None:
    collector, grafana = stack.influxdb.collector_token_file, stack.influxdb.grafana_token_file
    assert stack.influxdb.write("metrics", "from_a_test value=1", collector).status_code == 204
    assert stack.influxdb.write("metrics", "from_a_test value=1", grafana).status_code == 403
    assert stack.influxdb.ask('from(bucket:"metrics") |> range(start:-1m)', grafana).is_success
    refused = stack.influxdb.ask('from(bucket:"metrics") |> range(start:-1m)', collector)
    assert refused.status_code in {401, 403, 404}, refused.text


def test_setting_influxdb_up_again_changes_nothing(stack: Stack) -> None:
    tokens = [
        path.read_text("utf-8") for path in (stack.influxdb.collector_token_file, stack.influxdb.grafana_token_file)
    ]
    assert "is set up" in stack.influxdb.set_up()
    again = [
        path.read_text("utf-8") for path in (stack.influxdb.collector_token_file, stack.influxdb.grafana_token_file)
    ]
    assert again == tokens


@pytest.mark.parametrize("collector", [((AUTH,), {})], indirect=True)
def test_a_token_can_be_asked_for(collector: tuple[str, ServerProcess]) -> None:
    url, _process = collector
    assert httpx.post(url, json=trace(FAST_ID), timeout=HANG_SECONDS).status_code == 401
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert httpx.post(url, json=trace(FAST_ID), headers=headers, timeout=HANG_SECONDS).status_code == 200


@pytest.mark.parametrize("collector", [((), {})], indirect=True)
def test_a_request_that_is_too_large_is_refused(collector: tuple[str, ServerProcess]) -> None:
    url, _process = collector

    def status() -> int | None:
        try:
            return httpx.post(url, json=trace(FAST_ID, text="x" * 9_000_000), timeout=HANG_SECONDS).status_code
        except httpx.TransportError:
            return None  # it closes the connection half a second after its answer, read or not

    assert poll_until(status, "an answer to a large request") in {400, 413}


@pytest.mark.parametrize("collector", [((), {})], indirect=True)
def test_secrets_are_masked_on_the_way(collector: tuple[str, ServerProcess], stack: Stack) -> None:
    url, _process = collector
    trace_id = "2cf7651916cd43dd8448eb211c80319e"
    attributes = {"url.full": f"http://127.0.0.1/?api_key={SECRET}", "http.request.header.authorization": SECRET}
    httpx.post(url, json=trace(trace_id, **attributes), timeout=HANG_SECONDS).raise_for_status()
    found = poll_until(lambda: stack.jaeger.trace(trace_id), "the trace in Jaeger", 240)
    assert SECRET not in str(found)
    assert "****" in str(found)


@pytest.mark.parametrize("collector", [((), {"TRACE_SAMPLING_PERCENTAGE": "0"})], indirect=True)
def test_errors_are_kept_however_little_is_sampled(collector: tuple[str, ServerProcess], stack: Stack) -> None:
    url, process = collector
    fast, failed = FAST_ID.replace("0af", "3af"), FAILED_ID.replace("1bf", "4bf")
    httpx.post(url, json=trace(fast), timeout=HANG_SECONDS).raise_for_status()
    httpx.post(url, json=trace(failed, status=2), timeout=HANG_SECONDS).raise_for_status()
    poll_until(lambda: stack.jaeger.trace(failed), f"the failed trace in Jaeger; {process.log}", 240)
    assert stack.jaeger.trace(fast) is None


@pytest.mark.parametrize("overlay", [[], [LOAD_BALANCING]])
def test_an_agent_hands_on_to_a_gateway(stack: Stack, tmp_path: Path, overlay: list[str]) -> None:
    grpc, http, health = free_ports(3)
    given = {
        "OTLP_GRPC_LISTEN": f"127.0.0.1:{grpc}",
        "OTLP_HTTP_LISTEN": f"127.0.0.1:{http}",
        "COLLECTOR_HEALTH_LISTEN": f"127.0.0.1:{health}",
        "COLLECTOR_QUEUE_DIRECTORY": str(tmp_path / "queues"),
        "GATEWAY_OTLP_ENDPOINT": stack.collector.grpc_endpoint,
        "GATEWAY_NAME": stack.collector.grpc_endpoint.partition(":")[0],
        "GATEWAY_PORT": stack.collector.grpc_endpoint.partition(":")[2],
        "GATEWAY_INSECURE": "true",
    }
    command = [binaries("collector")["otelcol-contrib"], AGENT, *overlay]
    agent = ServerProcess("agent", command, tmp_path / "agent", f"http://127.0.0.1:{health}/", given)
    trace_id = f"{5 + len(overlay)}cf7651916cd43dd8448eb211c80319e"
    agent.start()
    try:
        agent.wait_until_ready()
        httpx.post(f"http://127.0.0.1:{http}/v1/traces", json=trace(trace_id), timeout=HANG_SECONDS).raise_for_status()
        poll_until(lambda: stack.jaeger.trace(trace_id), "the trace in Jaeger", 240)
    finally:
        agent.stop()
