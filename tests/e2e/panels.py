"""Every target of every dashboard, asked as Grafana asks it: how many points, rows or traces it gives."""

import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import httpx
from tests.servers.binaries import ROOT
from tests.servers.stack import Stack
from tests.support.polling import HANG_SECONDS

FILLED: Final = {
    "$__rate_interval": "1m",
    "$__range": "1h",
    "$environment": ".*",
    "$tool": "get_package_info",
    "$trace": "",
    "v.timeRangeStart": "-6h",
    "v.timeRangeStop": "now()",
    "v.windowPeriod": "1s",
}
NOTHING: Final = " or vector(0)"


@dataclass(frozen=True)
class Target:
    """One query of one panel."""

    board: str
    panel: str
    number: str
    asked: dict[str, Any]
    empty: str
    """What the panel says when there is nothing to draw."""

    @property
    def name(self) -> str:
        """For a person."""
        return f"{self.board} | {self.panel} | {self.number}"

    @property
    def may_be_nothing(self) -> bool:
        """Whether its query gives 0 where there is nothing."""
        return NOTHING in self.asked.get("expr", "")

    def rows(self, stack: Stack, *, bare: bool = False) -> int:
        """How many points that are numbers, rows or traces it gives; `bare`: without the 0 for nothing."""
        match self.asked["datasource"]["type"]:
            case "prometheus":
                expression = filled(self.asked["expr"])
                return _points(stack, expression.replace(NOTHING, "") if bare else expression)
            case "influxdb":
                return len(stack.influxdb.flux(filled(self.asked["query"])))
            case "jaeger":
                return len(stack.jaeger.search(self.asked["service"], self.asked["limit"]))
            case other:
                raise AssertionError(f"nobody asks {other}")


def targets() -> Iterator[Target]:
    """All of them."""
    for path in sorted((ROOT / "grafana" / "dashboards").glob("*.json")):
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
            for asked in panel.get("targets", []):
                empty = panel["fieldConfig"]["defaults"].get("noValue", "")
                yield Target(path.stem, panel["title"], asked["refId"], asked, empty)


def filled(text: str) -> str:
    """A query as Grafana sends it."""
    for name, value in FILLED.items():
        text = text.replace(name, value)
    return text


def _points(stack: Stack, expression: str) -> int:
    now = time.time()
    given = {"query": expression, "start": now - 7200, "end": now, "step": 5}
    answer = httpx.post(f"{stack.prometheus.url}/api/v1/query_range", data=given, timeout=HANG_SECONDS)
    assert answer.is_success, f"{expression}: {answer.text}"
    series = answer.json()["data"]["result"]
    return sum(not math.isnan(float(value)) for each in series for _at, value in each["values"])
