"""Rounds: each group at its interval, over samples that are kept as long as a rule looks back."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from opentelemetry.metrics import NoOpMeter
from tests.support.alerts import NOON

from libraries_io_mcp.alerting.rounds import MOST_RECORDED_SERIES, MOST_SERIES, Rounds
from libraries_io_mcp.alerting.rules import load_rules
from libraries_io_mcp.telemetry.instruments import Instruments

RULES = """
groups:
  - name: fast
    interval: 10s
    rules:
      - record: service:queue:max
        expr: max by (service_name) (queue_length)
      - alert: QueueLong
        expr: service:queue:max > 10
        for: 20s
  - name: slow
    interval: 30s
    rules:
      - alert: AlwaysHere
        expr: vector(1)
      - alert: Rising
        expr: increase(service:queue:max[1m]) > 1
      - alert: Elsewhere
        expr: other:recorded > 0
      - record: other:recorded
        expr: sum(collector_queue)
"""


class Site:
    """Rounds over one metric."""

    def __init__(self, folder: Path) -> None:
        (folder / "rules.yml").write_text(RULES, encoding="utf-8")
        self.queue = 0.0
        self.gathered = 0
        groups = load_rules(folder / "rules.yml").groups
        self.rounds = Rounds(groups, self.collect, Instruments(NoOpMeter("test")))

    def collect(self) -> list[tuple[Mapping[str, str], float]]:
        self.gathered += 1
        labels = {"service_name": "libraries-io-mcp"}
        return [({**labels, "__name__": name}, self.queue) for name in ("queue_length", "unwanted")]

    def until(self, start: float, end: float) -> dict[str, str]:
        """Evaluate whatever is due from `start` to `end`."""
        for second in range(int(end - start) + 1):
            self.rounds.evaluate(start + second)
        return {alert.name: alert.state for alert in self.rounds.alerts}


def test_each_group_is_evaluated_at_its_interval_and_samples_are_gathered_once(tmp_path: Path):
    site = Site(tmp_path)
    assert site.until(NOON, NOON) == {"AlwaysHere": "firing"}
    assert site.rounds.next_due == NOON + 10
    site.until(NOON + 1, NOON + 30)
    assert site.gathered == 4
    assert site.rounds.next_due == NOON + 40


def test_what_was_missed_is_not_made_up_for_and_the_rhythm_stays(tmp_path: Path):
    site = Site(tmp_path)
    site.until(NOON, NOON)
    site.until(NOON + 3605, NOON + 3605)
    assert site.gathered == 2
    assert site.rounds.next_due == NOON + 3610


def test_recorded_series_serve_the_same_group_and_others(tmp_path: Path):
    site = Site(tmp_path)
    site.until(NOON, NOON + 20)
    site.queue = 11.0
    assert site.until(NOON + 21, NOON + 30)["QueueLong"] == "pending"
    found = site.until(NOON + 31, NOON + 60)
    assert (found["QueueLong"], found["Rising"]) == ("firing", "firing")


def test_only_what_rules_look_at_is_kept(tmp_path: Path):
    site = Site(tmp_path)
    site.until(NOON, NOON + 60)
    assert site.rounds.series == 2


def test_series_over_the_bound_are_said(tmp_path: Path):
    site = Site(tmp_path)
    many = [{"__name__": "queue_length", "service_name": str(number)} for number in range(MOST_SERIES + 7)]
    rounds = Rounds(
        load_rules(tmp_path / "rules.yml").groups,
        lambda: [(labels, 0.0) for labels in many],
        Instruments(NoOpMeter("test")),
    )
    rounds.evaluate(NOON)
    assert rounds.errors == (
        "samples: 7 series too many",
        f"group fast: {MOST_SERIES - MOST_RECORDED_SERIES} series too many",
    )
    assert site.rounds.errors == ()


def test_what_can_be_judged_here(tmp_path: Path):
    site = Site(tmp_path)
    site.until(NOON, NOON)
    for name, judged in (("QueueLong", True), ("AlwaysHere", True), ("Rising", True), ("Elsewhere", False)):
        assert site.rounds.can_judge(name, NOON) is judged, name


def test_somebody_saw_it_earlier(tmp_path: Path):
    site = Site(tmp_path)
    site.queue = 11.0
    site.until(NOON, NOON)
    (pending,) = (alert for alert in site.rounds.alerts if alert.name == "QueueLong")
    site.rounds.adopt({pending.fingerprint: NOON - 15, "0123456789abcdef": NOON - 100})
    assert site.until(NOON + 1, NOON + 10)["QueueLong"] == "firing"
    (firing,) = (alert for alert in site.rounds.alerts if alert.name == "QueueLong")
    assert replace(firing, active_at=0, fired_at=0).labels == pending.labels
    assert firing.active_at == NOON - 15


def test_a_clock_that_is_set_back_is_no_end(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    site = Site(tmp_path)
    site.queue = 11.0
    assert site.until(NOON, NOON + 60)["QueueLong"] == "firing"
    with caplog.at_level(logging.WARNING):
        assert site.until(NOON - 3600, NOON - 3600)["QueueLong"] == "firing"
    assert [record.getMessage() for record in caplog.records] == [
        "alerting: the clock was set back by 3660 s; samples are gathered anew"
    ]
    site.queue = 0.0
    gathered = site.gathered
    # Held for as long as its rule looks back, and then over.
    assert site.until(NOON - 3599, NOON - 3560)["QueueLong"] == "firing"
    assert site.gathered == gathered + 4
    assert "QueueLong" not in site.until(NOON - 3559, NOON - 3200)
    assert site.rounds.errors == ()
