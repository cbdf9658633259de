"""The stack of the hand-over: a real Prometheus and Alertmanager with short intervals, the server, a receiver."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import httpx
import yaml
from tests.servers.binaries import binaries
from tests.servers.ports import free_ports
from tests.servers.process import ServerProcess
from tests.support import wire
from tests.support.alert_receiver import AlertReceiver
from tests.support.command import HTTP, Running
from tests.support.polling import poll_until

INTERVAL: Final = 2.0
FOR_SECONDS: Final = 4.0
RANGE_SECONDS: Final = 12.0
"""Of the alerts' expressions: so long the server may be held up, on a busy machine, and its condition still holds."""
GROUP_WAIT: Final = 1.0
START_DELAY: Final = 6.0
"""A restarted Alertmanager tells nobody for so long (`--dispatch.start-delay`): it hears first what fires."""
SETTLED_SECONDS: Final = 4.0
"""After so long without a notice Alertmanager has told all it had to."""
LONG: Final = 240.0
"""Nothing is about so long a time; a busy machine may need it."""
PACKAGE: Final = {"platform": "npm", "name": "x"}
PROMPTS: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "PrometheusFiring": ("evaluate_package", PACKAGE),
    "PrometheusPending": ("security_assessment", PACKAGE),
    "PrometheusQuiet": ("ecosystem_exploration", {"platform": "npm"}),
    "AlertmanagerFiring": ("audit_dependencies", {}),
    "AlertmanagerPending": ("analyze_project_health", {}),
    "AlertmanagerQuiet": ("license_compliance_check", {}),
    "BothFiring": ("compare_packages", {"packages": "npm/a,npm/b"}),
    "BothPending": ("maintenance_status_report", {"packages": "npm/a,npm/b"}),
    "BothQuiet": ("recommend_packages", {"task": "x"}),
}
"""Each alert holds for as long as its prompt is asked for again and again: conditions that do not touch each other."""


@dataclass(frozen=True)
class Told:
    """One notice of one alert at the receiver."""

    at: float
    alert: str
    status: str
    by: str


class Conditions:
    """Asks the server the same again and again for every alert whose condition is to hold."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._held: dict[str, httpx.Request] = {}
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._ask, daemon=True)

    def __enter__(self) -> "Conditions":
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._ending.set()
        self._thread.join()

    def hold(self, alert: str) -> None:
        """Its condition holds from now on."""
        self._held = {**self._held, alert: _request(self._url, *PROMPTS[alert])}

    def release(self, alert: str) -> None:
        """It does not any more."""
        self._held = {name: each for name, each in self._held.items() if name != alert}

    def _ask(self) -> None:
        with httpx.Client(timeout=LONG) as client:
            while not self._ending.wait(0.2):
                for each in list(self._held.values()):
                    client.send(each).raise_for_status()


@dataclass(frozen=True)
class Site:
    """Everything that runs."""

    prometheus: ServerProcess
    alertmanager: ServerProcess
    product: Running
    conditions: Conditions
    receiver: AlertReceiver
    times: list[float]

    @property
    def alerts(self) -> dict[str, Any]:
        """What the server says."""
        return httpx.get(f"{self.product.url.removesuffix('mcp')}alerts", timeout=LONG).raise_for_status().json()

    def state(self, alert: str) -> str | None:
        """`pending`, `firing` or nothing, by the server."""
        return next((each["state"] for each in self.alerts["active"] if each["name"] == alert), None)

    def since(self, alert: str) -> float:
        """Since when its expression holds, by the server; seconds since 1970."""
        text = next(each["active_since"] for each in self.alerts["active"] if each["name"] == alert)
        return datetime.fromisoformat(text).timestamp()

    @property
    def last_told(self) -> float:
        """When anybody was told of anything last."""
        return self.times[-1]

    def told(self) -> list[Told]:
        """Every notice of an alert, oldest first. Each alert is a group of its own."""
        return [
            Told(at, alert["labels"]["alertname"], alert["status"], request.path.removeprefix("/"))
            for at, request in zip(list(self.times), list(self.receiver.requests), strict=False)
            for alert in request.data["alerts"]
        ]

    def notice(self, alert: str, status: str, after: int) -> Told:
        """The first notice of an alert with this status after so many notices; waits for it."""

        def found() -> Told | None:
            return next((each for each in self.told()[after:] if (each.alert, each.status) == (alert, status)), None)

        return poll_until(
            found, f"people to be told that {alert} is {status}; log: {self.product.stderr[-3000:]}", LONG
        )

    def wait_for_evaluator(self, name: str) -> float:
        """Since when that is who evaluates, as soon as it is; seconds since 1970."""

        def since() -> float | None:
            found = self.alerts
            return datetime.fromisoformat(found["since"]).timestamp() if found["evaluated_by"] == name else None

        return poll_until(since, f"{name} to evaluate; log: {self.product.stderr[-3000:]}", LONG)


@contextmanager
def running_site(folder: Path) -> Iterator[Site]:
    """Start everything, wait until Prometheus evaluates and the server stands by, stop everything at the end."""
    prometheus_port, alertmanager_port = free_ports(2)
    times: list[float] = []

    class TimedReceiver(AlertReceiver):
        def take(self, handler: Any) -> None:
            super().take(handler)
            times.append(time.time())

    with TimedReceiver() as receiver:
        prometheus = _prometheus(folder, prometheus_port, alertmanager_port)
        alertmanager = _alertmanager(folder, alertmanager_port, receiver.url)
        try:
            for each in (prometheus, alertmanager):
                each.start()
            for each in (prometheus, alertmanager):
                each.wait_until_ready()
            variables = _variables(folder, prometheus_port, alertmanager_port, receiver.url)
            with (
                Running(*HTTP, folder=folder / "product", **variables) as product,
                Conditions(product.url) as conditions,
            ):
                site = Site(prometheus, alertmanager, product, conditions, receiver, times)
                site.wait_for_evaluator("prometheus")
                yield site
        finally:
            prometheus.stop()
            alertmanager.stop()


def _prometheus(folder: Path, port: int, alertmanager_port: int) -> ServerProcess:
    home = folder / "prometheus"
    (home / "rules").mkdir(parents=True)
    (home / "rules" / "alerts.yml").write_text(yaml.safe_dump({"groups": [_rules()]}), encoding="utf-8")
    configuration = {
        "global": {"evaluation_interval": "15s"},
        "otlp": {"promote_resource_attributes": ["service.name", "service.instance.id"]},
        "rule_files": ["rules/*.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [f"127.0.0.1:{alertmanager_port}"]}]}]},
    }
    (home / "prometheus.yml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
    command = [
        binaries("prometheus")["prometheus"],
        f"--config.file={home / 'prometheus.yml'}",
        f"--storage.tsdb.path={home / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-otlp-receiver",
        f"--rules.alert.resend-delay={2 * INTERVAL:g}s",
    ]
    return ServerProcess("prometheus", command, home, f"http://127.0.0.1:{port}/-/ready", {})


def _rules() -> Mapping[str, Any]:
    rules = [
        {
            "alert": alert,
            "expr": "sum by (service_name) (increase(mcp_server_operation_duration_seconds_count"
            f'{{gen_ai_prompt_name="{prompt}"}}[{RANGE_SECONDS:g}s])) > 0',
            "for": f"{FOR_SECONDS:g}s",
            "labels": {"severity": "high", "slo": "none"},
            "annotations": {"summary": f"{prompt} is asked for.", "cooldown": "0s"},
        }
        for alert, (prompt, _arguments) in PROMPTS.items()
    ]
    return {"name": "hand-over", "interval": f"{INTERVAL:g}s", "rules": rules}


def _alertmanager(folder: Path, port: int, receiver_url: str) -> ServerProcess:
    home = folder / "alertmanager"
    home.mkdir(parents=True)
    webhook = {"url": f"{receiver_url}/alertmanager", "send_resolved": True}
    route = {
        "receiver": "people",
        "group_by": ["alertname", "service_name"],
        "group_wait": f"{GROUP_WAIT:g}s",
        "group_interval": f"{GROUP_WAIT:g}s",
        "repeat_interval": "4h",
    }
    configuration = {"route": route, "receivers": [{"name": "people", "webhook_configs": [webhook]}]}
    (home / "alertmanager.yml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
    command = [
        binaries("alertmanager")["alertmanager"],
        f"--config.file={home / 'alertmanager.yml'}",
        f"--storage.path={home / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        "--data.maintenance-interval=1s",
        f"--dispatch.start-delay={START_DELAY:g}s",
    ]
    return ServerProcess("alertmanager", command, home, f"http://127.0.0.1:{port}/-/ready", {})


def _variables(folder: Path, prometheus_port: int, alertmanager_port: int, receiver_url: str) -> dict[str, str]:
    return {
        "ALERT_RULES_PATH": str(folder / "prometheus" / "rules"),
        "PROMETHEUS_URL": f"http://127.0.0.1:{prometheus_port}",
        "ALERTMANAGER_URL": f"http://127.0.0.1:{alertmanager_port}",
        "WEBHOOK_URL": f"{receiver_url}/direct",
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"http://127.0.0.1:{prometheus_port}/api/v1/otlp/v1/metrics",
        "OTEL_METRIC_EXPORT_INTERVAL": "500",
    }


def _request(url: str, prompt: str, arguments: Mapping[str, str]) -> httpx.Request:
    meta = {
        "io.modelcontextprotocol/protocolVersion": wire.MODERN,
        "io.modelcontextprotocol/clientInfo": wire.CLIENT,
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    headers = {
        **wire.HEADERS,
        "mcp-protocol-version": wire.MODERN,
        "mcp-method": "prompts/get",
        "mcp-name": prompt,
    }
    body = wire.message("prompts/get", name=prompt, arguments=dict(arguments), _meta=meta)
    return httpx.Request("POST", url, json=body, headers=headers)
