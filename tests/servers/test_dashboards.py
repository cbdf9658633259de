"""What every dashboard must be: committed as generated, readable on call, and about metrics that the documents name."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import promql_parser
import pytest
import yaml
from grafana.boards import BOARDS
from grafana.build import texts
from tests.e2e.scenario import documented_metrics
from tests.servers.binaries import OTEL, ROOT

GRAFANA = ROOT / "grafana"
FILES = sorted((GRAFANA / "dashboards").glob("*.json"))
SOURCES = {
    source["uid"]: source["type"]
    for source in yaml.safe_load((GRAFANA / "provisioning/datasources/stack.yml").read_text("utf-8"))["datasources"]
}
RECORDED = {
    rule["record"]
    for path in (OTEL / "rules").glob("*.yml")
    for group in yaml.safe_load(path.read_text("utf-8"))["groups"]
    for rule in group["rules"]
    if "record" in rule
}
DOCUMENTED = {metric.name: metric.labels for metric in documented_metrics(ROOT / "docs" / "telemetry.md").values()}
FOREIGN = re.compile(r"(otelcol|traces_span_metrics|prometheus|ALERTS|up$)")
"""Metrics of the servers themselves; the end-to-end tests ask the real Prometheus for them."""
EVERYWHERE = {"le", "job", "service_name", "service_version", "service_instance_id", "deployment_environment_name"}


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def board(request: pytest.FixtureRequest) -> Mapping[str, Any]:
    """Each committed dashboard."""
    return json.loads(request.param.read_text(encoding="utf-8"))


def panels(board: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def expressions(board: Mapping[str, Any]) -> Iterator[str]:
    """All PromQL of a dashboard."""
    return (target["expr"] for panel in panels(board) for target in panel["targets"] if "expr" in target)


def selectors(expression: str) -> Iterator[tuple[str, set[str]]]:
    """Each metric of an expression with the labels it is chosen by."""
    for name, choice in re.findall(r"([a-zA-Z_:][\w:]*)?\{([^}]*)\}", expression):
        labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", choice))
        if name:
            yield name, labels


def family(name: str) -> str:
    """The documented name that a series belongs to."""
    return re.sub(r"_(bucket|count|sum)$", "", name) if name not in DOCUMENTED else name


def test_the_files_are_what_the_generator_writes() -> None:
    assert {path.name: path.read_text(encoding="utf-8") for path in FILES} == texts()
    assert {path.stem for path in FILES} == set(BOARDS)


def test_every_dashboard_has_a_name_and_a_number(board: Mapping[str, Any]) -> None:
    assert re.fullmatch(r"lio-[a-z]+", board["uid"])
    assert board["title"]
    assert board["description"]
    assert board["schemaVersion"] == 41
    assert not board["editable"]
    numbers = [panel["id"] for panel in board["panels"]]
    assert len(numbers) == len(set(numbers))
    assert len(panels(board)) <= 12


def test_every_panel_says_what_it_shows(board: Mapping[str, Any]) -> None:
    for panel in panels(board):
        assert panel["title"]
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["targets"] or panel["type"] == "text", panel["title"]
        for target in panel["targets"]:
            assert SOURCES[target["datasource"]["uid"]] == target["datasource"]["type"]


def test_panels_do_not_overlap(board: Mapping[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not taken & cells, panel["title"]
        taken |= cells


def test_every_query_parses(board: Mapping[str, Any]) -> None:
    for expression in expressions(board):
        promql_parser.parse(expression.replace("$__rate_interval", "1m").replace("$__range", "1h"))


def test_rates_take_grafanas_interval(board: Mapping[str, Any]) -> None:
    for expression in expressions(board):
        assert set(re.findall(r"rate\([^\[]+\[([^\]]+)\]", expression)) <= {"$__rate_interval"}
        assert set(re.findall(r"increase\([^\[]+\[([^\]]+)\]", expression)) <= {"$__range"}


def test_every_metric_and_label_is_documented(board: Mapping[str, Any]) -> None:
    for expression in expressions(board):
        for name, labels in selectors(expression):
            if FOREIGN.match(name) or name in RECORDED:
                continue
            known = DOCUMENTED.get(family(name))
            assert known is not None, name
            assert labels <= known | EVERYWHERE, expression
        grouped = {label.strip() for group in re.findall(r"by \(([^)]*)\)", expression) for label in group.split(",")}
        names = {family(name) for name, _labels in selectors(expression) if not FOREIGN.match(name)}
        if names and not names & RECORDED:
            known_to_all = set().union(*(DOCUMENTED[name] for name in names))
            assert grouped - {"__name__"} <= known_to_all | EVERYWHERE, expression


def test_every_link_to_a_runbook_names_one(board: Mapping[str, Any]) -> None:
    sections = set(re.findall(r"^## (.+)$", (ROOT / "docs" / "runbooks.md").read_text("utf-8"), re.MULTILINE))
    links = [link for panel in panels(board) for link in panel.get("links", [])]
    assert {link["title"].removeprefix("Runbook: ") for link in links} <= sections
    assert {link["url"] for link in links} <= {f"/d/{BOARDS['alerts'].uid}"}


def test_variables_are_used(board: Mapping[str, Any]) -> None:
    text = json.dumps(board["panels"])
    assert all(f"${variable['name']}" in text for variable in board["templating"]["list"])
