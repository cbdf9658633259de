"""The alert rules on the real Prometheus: all evaluated, about series that exist, heard of when calls really fail."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
import yaml
from tests.e2e.load import Load
from tests.e2e.scenario import Done, product_environment
from tests.servers.binaries import OTEL
from tests.servers.stack import Stack
from tests.support.collectors import unused_port
from tests.support.command import HTTP, Running
from tests.support.polling import HANG_SECONDS, poll_until

EVALUATION_SECONDS = 600.0
"""Two groups of half a minute after each other, on a busy machine."""
RULES = [
    rule
    for path in (OTEL / "rules").glob("*.yml")
    for group in yaml.safe_load(path.read_text("utf-8"))["groups"]
    for rule in group["rules"]
]
MADE_ON_BAD_DAYS = re.compile(
    r"otelcol_exporter_(send|enqueue)_failed_\w+|libraries_io_(telemetry|log)_dropped_total|alerting_deliveries_total"
)
"""Series that begin with the first loss."""


@pytest.fixture(scope="module")
def failing(stack: Stack, played: Mapping[str, Done], tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A server without a Libraries.io, asked again and again."""
    folder = tmp_path_factory.mktemp("failing")
    with unused_port() as nobody:
        given = product_environment(stack.collector.endpoint, f"http://127.0.0.1:{nobody}/api", "e2e-rules")
        with Running(*HTTP, folder=folder, **given) as server, Load(server.url):
            yield


def evaluated(stack: Stack) -> list[Mapping[str, Any]]:
    """The rules as Prometheus shows them."""
    answer = httpx.get(f"{stack.prometheus.url}/api/v1/rules", timeout=HANG_SECONDS).raise_for_status().json()
    return [rule for group in answer["data"]["groups"] for rule in group["rules"]]


def metrics_read() -> set[str]:
    """Every metric that a rule reads and no rule records."""
    expressions = "\n".join(rule["expr"] for rule in RULES)
    found = set(
        re.findall(r"\b(?:mcp|http|libraries_io|health|alerting|otelcol|prometheus|alertmanager)_\w+", expressions)
    )
    labels = set(re.findall(r"\b(\w+)\s*(?:=~|!~|!=|=)\s*\"", expressions))
    grouped = {label for group in re.findall(r"(?:by|on) \(([^)]*)\)", expressions) for label in group.split(", ")}
    return {name for name in found - labels - grouped if f":{name}" not in expressions}


def test_prometheus_evaluates_every_rule(stack: Stack) -> None:
    def healthy() -> bool:
        return {rule["health"] for rule in evaluated(stack)} == {"ok"}

    poll_until(healthy, "all rules to be evaluated without a failure", EVALUATION_SECONDS)
    assert len(evaluated(stack)) == len(RULES)


def test_rules_read_what_is_there(stack: Stack, played: Mapping[str, Done], failing: None) -> None:
    names = sorted(name for name in metrics_read() if not MADE_ON_BAD_DAYS.fullmatch(name))
    assert len(names) > 15
    for name in names:
        poll_until(lambda name=name: stack.prometheus.query(f"last_over_time({name}[6h])"), name, EVALUATION_SECONDS)


def test_calls_that_fail_are_heard_of(stack: Stack, failing: None) -> None:
    wanted = {
        "alertname": "HighErrorRate",
        "severity": "high",
        "slo": "availability",
        "service_name": "libraries-io-mcp",
    }

    def told() -> list[Mapping[str, Any]]:
        return [alert for alert in stack.alertmanager.alerts() if alert["labels"]["alertname"] == "HighErrorRate"]

    (alert,) = poll_until(told, "HighErrorRate in Alertmanager", EVALUATION_SECONDS)
    assert alert["labels"] == wanted
    assert alert["annotations"]["runbook_url"] == "docs/runbooks.md#higherrorrate"


def test_what_is_well_is_not_complained_of(stack: Stack, failing: None) -> None:
    """Prometheus itself and the Collector: nothing fires about them on a day on which only Libraries.io is away."""
    about = {alert["labels"].get("service_name") for alert in stack.alertmanager.alerts()}
    assert about <= {"libraries-io-mcp"}
