"""Jaeger: started with `otel/jaeger.yml` on Badger, asked by its HTTP API."""

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from tests.servers.binaries import OTEL, binaries
from tests.servers.process import ServerProcess
from tests.support.polling import HANG_SECONDS

SERVICE = "libraries-io-mcp"


@dataclass(frozen=True)
class JaegerPorts:
    """Where it listens."""

    ui: int
    grpc: int
    otlp: int
    health: int
    metrics: int


class Jaeger:
    """The server and its questions."""

    def __init__(self, folder: Path, ports: JaegerPorts, prometheus_url: str) -> None:
        self.url = f"http://127.0.0.1:{ports.ui}"
        self.otlp_endpoint = f"127.0.0.1:{ports.otlp}"
        self.metrics_address = f"127.0.0.1:{ports.metrics}"
        environment = {
            "JAEGER_UI_LISTEN": f"127.0.0.1:{ports.ui}",
            "JAEGER_QUERY_GRPC_LISTEN": f"127.0.0.1:{ports.grpc}",
            "JAEGER_OTLP_LISTEN": self.otlp_endpoint,
            "JAEGER_HEALTH_LISTEN": f"127.0.0.1:{ports.health}",
            "JAEGER_METRICS_PORT": str(ports.metrics),
            "JAEGER_DIRECTORY": str(folder / "badger"),
            "JAEGER_UI_FILE": str(OTEL / "jaeger-ui.json"),
            "PROMETHEUS_URL": prometheus_url,
        }
        command = [binaries("jaeger")["jaeger"], f"--config={OTEL / 'jaeger.yml'}"]
        ready = f"http://127.0.0.1:{ports.health}/status"
        self.process = ServerProcess("jaeger", command, folder, ready, environment)

    def services(self) -> list[str]:
        """The services it knows."""
        return self._get("services") or []

    def traces(self, tags: Mapping[str, str] | None = None, limit: int = 10_000) -> list[dict[str, Any]]:
        """The traces of the last hour with a span that has these tags."""
        given = {"service": SERVICE, "limit": limit, "lookback": "6h", "tags": json.dumps(tags or {})}
        return self._get("traces", **given)

    def search(self, service: str, limit: int) -> list[dict[str, Any]]:
        """The newest traces of a service, as a panel asks for them."""
        return self._get("traces", service=service, limit=limit, lookback="1h") or []

    def trace(self, trace_id: str) -> dict[str, Any] | None:
        """One trace, or nothing."""
        answer = httpx.get(f"{self.url}/api/traces/{trace_id}", timeout=HANG_SECONDS)
        return None if answer.status_code == 404 else answer.raise_for_status().json()["data"][0]

    def monitor(self, measure: str, **parameters: str) -> list[dict[str, Any]]:
        """What the monitor tab shows of `calls`, `errors` or `latencies` over the last hour."""
        given = {
            "service": SERVICE,
            "endTs": str(int(time.time() * 1000)),
            "lookback": "3600000",
            "step": "15000",
            "ratePer": "600000",
            "groupByOperation": "true",
            "spanKind": "server",
            **parameters,
        }
        answer = httpx.get(f"{self.url}/api/metrics/{measure}", params=given, timeout=HANG_SECONDS)
        assert answer.is_success, answer.text
        return answer.json()["metrics"]

    def _get(self, path: str, **parameters: Any) -> Any:
        answer = httpx.get(f"{self.url}/api/{path}", params=parameters, timeout=HANG_SECONDS)
        assert answer.is_success, answer.text
        return answer.json()["data"]


def tags(span: Mapping[str, Any]) -> dict[str, Any]:
    """A span's attributes."""
    return {tag["key"]: tag["value"] for tag in span["tags"]}


def span_ids(traces: list[dict[str, Any]]) -> Iterator[str]:
    """The ids of all spans of some traces."""
    return (span["spanID"] for trace in traces for span in trace["spans"])
