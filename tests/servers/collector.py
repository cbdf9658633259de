"""The Collector: started with `otel/collector-config.yaml`."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.servers.binaries import OTEL, binaries
from tests.servers.process import ServerProcess


@dataclass(frozen=True)
class CollectorPorts:
    """Where it listens."""

    grpc: int
    http: int
    health: int
    metrics: int
    zpages: int


@dataclass(frozen=True)
class BackEnds:
    """Where it sends."""

    jaeger_otlp_endpoint: str
    prometheus_url: str
    influxdb_url: str
    influxdb_token_file: Path


class Collector:
    """The server."""

    def __init__(self, folder: Path, ports: CollectorPorts, back_ends: BackEnds, **variables: str) -> None:
        self.endpoint = f"http://127.0.0.1:{ports.http}"
        self.grpc_endpoint = f"127.0.0.1:{ports.grpc}"
        self.metrics_address = f"127.0.0.1:{ports.metrics}"
        self.log_file = folder / "logs.jsonl"
        environment = collector_environment(folder, ports, back_ends) | variables
        command = [binaries("collector")["otelcol-contrib"], f"--config={OTEL / 'collector-config.yaml'}"]
        ready = f"http://127.0.0.1:{ports.health}/"
        self.process = ServerProcess("collector", command, folder, ready, environment)


def collector_environment(folder: Path, ports: CollectorPorts, back_ends: BackEnds) -> Mapping[str, str]:
    """Every variable of the configuration that is an address or a path."""
    return {
        "OTLP_GRPC_LISTEN": f"127.0.0.1:{ports.grpc}",
        "OTLP_HTTP_LISTEN": f"127.0.0.1:{ports.http}",
        "COLLECTOR_HEALTH_LISTEN": f"127.0.0.1:{ports.health}",
        "COLLECTOR_ZPAGES_LISTEN": f"127.0.0.1:{ports.zpages}",
        "COLLECTOR_METRICS_PORT": str(ports.metrics),
        "COLLECTOR_QUEUE_DIRECTORY": str(folder / "queues"),
        "COLLECTOR_LOG_FILE": str(folder / "logs.jsonl"),
        "JAEGER_OTLP_ENDPOINT": back_ends.jaeger_otlp_endpoint,
        "PROMETHEUS_URL": back_ends.prometheus_url,
        "INFLUXDB_URL": back_ends.influxdb_url,
        "INFLUXDB_TOKEN_FILE": str(back_ends.influxdb_token_file),
        "SPAN_METRICS_INTERVAL": "2s",
    }
