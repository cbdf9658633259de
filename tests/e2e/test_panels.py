"""Every query of every panel, variables filled in, asked of the real servers after the scenario: each gives data."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.e2e.scenario import Done
from tests.servers.binaries import ROOT
from tests.servers.stack import Stack
from tests.support.polling import HANG_SECONDS, poll_until

ARRIVAL_SECONDS = 240.0
TARGETS = [
    pytest.param(panel, target, id=f"{path.stem}-{panel['title']}-{target['refId']}".replace(" ", "_"))
    for path in sorted((ROOT / "grafana" / "dashboards").glob("*.json"))
    for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]
    for target in panel.get("targets", [])
]
FILLED = {
    "$__rate_interval": "1m",
    "$__range": "1h",
    "$environment": ".*",
    "$tool": "get_package_info",
    "v.timeRangeStart": "-6h",
    "v.timeRangeStop": "now()",
    "v.windowPeriod": "1s",
}


def filled(text: str) -> str:
    """A query as Grafana sends it."""
    for name, value in FILLED.items():
        text = text.replace(name, value)
    return text


def rows(stack: Stack, target: Mapping[str, Any]) -> int:
    """How many points, rows or traces a target gives."""
    match target["datasource"]["type"]:
        case "prometheus":
            now = time.time()
            given = {"query": filled(target["expr"]), "start": now - 7200, "end": now, "step": 5}
            answer = httpx.post(f"{stack.prometheus.url}/api/v1/query_range", data=given, timeout=HANG_SECONDS)
            assert answer.is_success, f"{given['query']}: {answer.text}"
            return sum(len(series["values"]) for series in answer.json()["data"]["result"])
        case "influxdb":
            return len(stack.influxdb.flux(filled(target["query"])))
        case "jaeger":
            return len(stack.jaeger.traces())
        case other:
            raise AssertionError(f"nobody asks {other}")


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of panels and row counts, for a person."""
    return tmp_path_factory.mktemp("panels") / "rows.tsv"


@pytest.mark.parametrize(("panel", "target"), TARGETS)
def test_every_panel_draws(
    stack: Stack, played: Mapping[str, Done], counted: Path, panel: Mapping[str, Any], target: Mapping[str, Any]
) -> None:
    found = poll_until(lambda: rows(stack, target), f"rows for {panel['title']}", ARRIVAL_SECONDS)
    with counted.open("a", encoding="utf-8") as table:
        table.write(f"{panel['title']}\t{target['refId']}\t{found}\n")
