"""What every alert brings along: labels that others rely on, words for a person, a runbook section, promtool tests."""

import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.promtool_tests import parse_series

from libraries_io_mcp.alerting.alert import SEVERITIES
from libraries_io_mcp.alerting.durations import parse_duration
from libraries_io_mcp.alerting.rules import load_rules

ROOT = Path(__file__).parents[3]
RULES = ROOT / "otel" / "rules"
RUNBOOKS = (ROOT / "docs" / "runbooks.md").read_text(encoding="utf-8")
SLOS = {"alerting", "availability", "cache", "health", "latency", "none", "quota", "telemetry", "upstream"}
PARTS = ("Meaning", "Impact", "How to see it", "What to do")
DEFAULTS = {
    "HighErrorRate": ("high", "10m", "service:mcp_requests_failed:increase5m > 10"),
    "HighResponseTime": ("medium", "5m", "service:mcp_tool_calls_duration_seconds:mean5m > 2"),
    "LowSuccessRate": ("high", "5m", "1 - service:mcp_tool_calls:error_ratio_rate5m < 0.95"),
}
"""Severity, cooldown and condition of the alerts that were promised by name."""

Rule = Mapping[str, Any]


def loaded(folder: Path) -> dict[str, Any]:
    return {path.name: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.yml"))}


ALL = [rule for file in loaded(RULES).values() for group in file["groups"] for rule in group["rules"]]
ALERTS = {rule["alert"]: rule for rule in ALL if "alert" in rule}
RECORDED = {rule["record"]: rule["expr"] for rule in ALL if "record" in rule}
TESTS = [test for file in loaded(RULES / "tests").values() for test in file["tests"]]
SECTIONS = dict(zip(*[iter(re.split(r"^## (.+)$", RUNBOOKS, flags=re.MULTILINE)[1:])] * 2, strict=True))


@pytest.fixture(params=ALERTS)
def alert(request: pytest.FixtureRequest) -> Rule:
    """Each alert."""
    return ALERTS[request.param]


def cases(alert: Rule) -> Iterator[tuple[Mapping[str, Any], Sequence[tuple[float, Sequence[Any]]]]]:
    """Each promtool test that asks for an alert, with (seconds, expected alerts) in the order of time."""
    for test in TESTS:
        asked = [each for each in test["alert_rule_test"] if each["alertname"] == alert["alert"]]
        if asked:
            yield test, sorted((parse_duration(each["eval_time"]), each["exp_alerts"]) for each in asked)


def everything_read(expression: str) -> str:
    """An expression together with those of the recorded series in it."""
    inner = [everything_read(RECORDED[name]) for name in set(re.findall(r"\w+:\w+:\w+", expression))]
    return "\n".join([expression, *inner])


def test_no_two_alerts_have_one_name() -> None:
    assert len(ALERTS) == sum("alert" in rule for rule in ALL)


@pytest.mark.parametrize("name", DEFAULTS)
def test_the_defaults_are_as_promised(name: str) -> None:
    severity, cooldown, condition = DEFAULTS[name]
    assert ALERTS[name]["labels"]["severity"] == severity
    assert ALERTS[name]["annotations"]["cooldown"] == cooldown
    assert ALERTS[name]["expr"].splitlines()[0] == condition


def test_it_has_the_labels_that_routes_and_inhibition_read(alert: Rule) -> None:
    assert alert["labels"]["severity"] in SEVERITIES
    assert alert["labels"]["slo"] in SLOS
    expected = [each for _, asked in cases(alert) for _, alerts in asked for each in alerts]
    assert expected
    assert all(each["exp_labels"]["service_name"] for each in expected)
    assert not {"instance", "service_instance_id"} & {label for each in expected for label in each["exp_labels"]}


def test_it_says_what_it_means_to_a_person(alert: Rule) -> None:
    annotations = alert["annotations"]
    for name in ("summary", "description"):
        assert annotations[name].endswith("."), name
        assert set(re.findall(r"\$\w+", annotations[name])) <= {"$labels", "$value"}
        assert set(re.findall(r"\| (\w+)", annotations[name])) <= {
            *("humanize", "humanize1024", "humanizeDuration", "humanizePercentage", "humanizeTimestamp", "printf"),
        }
    assert annotations["runbook_url"] == f"docs/runbooks.md#{alert['alert'].lower()}"
    assert alert["labels"]["severity"] == "none" or parse_duration(annotations["cooldown"]) >= 300


def test_it_has_a_runbook_section(alert: Rule) -> None:
    section = SECTIONS[alert["alert"]]
    assert re.findall(r"^\*\*(.+)\.\*\* \S", section, re.MULTILINE) == list(PARTS)


def test_every_runbook_section_has_an_alert() -> None:
    assert list(SECTIONS) == list(dict.fromkeys(SECTIONS))
    assert set(SECTIONS) == set(ALERTS)
    assert set(re.findall(r"\b(?:[Ss]ee|[Aa]s) ([A-Z][a-z]+[A-Z]\w+)", RUNBOOKS)) <= set(ALERTS)


def test_every_recorded_series_is_read_or_named_for_people() -> None:
    read = {name for rule in ALL for name in re.findall(r"\w+:\w+:\w+", rule["expr"])}
    assert set(RECORDED) - read <= {"service:mcp_tool_calls:rate5m"}
    assert read <= set(RECORDED)


def test_a_test_makes_it_fire_and_resolve(alert: Rule) -> None:
    if alert["alert"] == "Watchdog":
        assert all(alerts for _, asked in cases(alert) for _, alerts in asked)
        return
    quiet_fires_quiet = False
    for _, asked in cases(alert):
        firing = [bool(alerts) for _, alerts in asked]
        quiet_fires_quiet |= True in firing and not firing[0] and not firing[-1]
    assert quiet_fires_quiet


def test_a_test_keeps_it_quiet_just_below(alert: Rule) -> None:
    quiet = [test["name"] for test, asked in cases(alert) if not any(alerts for _, alerts in asked)]
    assert bool(quiet) != (alert["alert"] == "Watchdog")


def test_its_tests_know_missing_samples_and_counter_resets(alert: Rule) -> None:
    if alert["alert"] == "Watchdog":
        return
    columns = [parse_series(each["values"]) for test, _ in cases(alert) for each in test["input_series"]]
    gaps = [column for column in columns if None in _without_margins(column)]
    assert gaps
    if re.search(r"\b(increase|rate)\(", everything_read(alert["expr"])):
        counted = [[value for value in column if value is not None] for column in columns]
        assert any(later < sooner for column in counted for sooner, later in pairwise(column))


def _without_margins(column: list[float | None]) -> list[float | None]:
    """From the first sample to the last."""
    there = [index for index, value in enumerate(column) if value is not None]
    return column[there[0] : there[-1] + 1]


def test_what_other_servers_may_lack_is_never_taken_for_absent() -> None:
    """The in-process evaluator has no series of Collector and Prometheus: `absent` of them would always fire."""
    assert not [rule for rule in ALL if re.search(r"\babsent", rule["expr"])]


def test_prometheus_loads_the_rules_and_not_their_tests() -> None:
    configuration = yaml.safe_load((ROOT / "otel" / "prometheus.yml").read_text(encoding="utf-8"))
    assert configuration["rule_files"] == ["rules/*.yml"]
    compose = yaml.safe_load((ROOT / "docker-compose.observability.yml").read_text(encoding="utf-8"))
    assert "./otel/rules:/etc/prometheus/rules:ro" in compose["services"]["prometheus"]["volumes"]
    for name, file in loaded(RULES / "tests").items():
        rules = {(RULES / "tests" / path).resolve() for path in file["rule_files"]}
        assert rules <= set(RULES.glob("*.yml")), name


def test_the_rule_that_the_documents_show_is_one(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "alerting.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"^   ```yaml\n(.+?)^   ```", page, re.MULTILINE | re.DOTALL)
    groups = [{"name": "shown", "rules": yaml.safe_load(textwrap.dedent(shown))}]
    path = tmp_path / "shown.yml"
    path.write_text(yaml.safe_dump({"groups": groups}), encoding="utf-8")
    assert load_rules(path).problems == ()
    assert set(ALERTS) <= set(re.findall(r"\w+", page))


def test_what_is_scraped_says_which_service_it_is() -> None:
    for path in (ROOT / "otel" / "targets").glob("*.yml"):
        (target,) = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert target["labels"] == {"service_name": path.stem}
