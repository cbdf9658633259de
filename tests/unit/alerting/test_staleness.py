"""When a series ends, it does so as in Prometheus with metrics by OTLP: neither earlier nor later."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from opentelemetry.metrics import NoOpMeter
from tests.unit.alerting.rule_texts import group_of

from libraries_io_mcp.alerting.rounds import Rounds
from libraries_io_mcp.telemetry.instruments import Instruments

BEGAN = 1_750_000_000.0


class Process:
    """A process whose series the test sets, and its rules."""

    def __init__(self, folder: Path, rules: str) -> None:
        self.series: Mapping[str, float] = {}
        self.rounds = Rounds([group_of(folder, rules)], self.read, Instruments(NoOpMeter("test")))
        self.now = BEGAN

    def read(self) -> list[tuple[dict[str, str], float]]:
        return [({"__name__": name.rstrip("'"), "on": name}, value) for name, value in self.series.items()]

    def pass_seconds(self, seconds: float, **series: float) -> set[str]:
        """Time passes; the names of the alerts that fire then."""
        self.series = series
        end = self.now + seconds
        while self.now < end:
            self.now += 15
            self.rounds.evaluate(self.now)
        return {alert.name for alert in self.rounds.alerts}


@pytest.fixture
def process(tmp_path: Path) -> Callable[[str], Process]:
    return lambda rules: Process(tmp_path, rules)


def test_a_metric_that_is_not_measured_any_more_is_seen_for_five_minutes(process: Callable[[str], Process]) -> None:
    watched = process("- {alert: Open, expr: breaker == 1}")
    assert watched.pass_seconds(15, breaker=1) == {"Open"}
    assert watched.pass_seconds(285) == {"Open"}
    assert watched.pass_seconds(15) == set()


def test_what_a_rule_gives_no_more_ends_at_once(process: Callable[[str], Process]) -> None:
    watched = process("- {alert: Seen, expr: high > 0}\n- {record: high, expr: sum(t) > 5}")
    assert watched.pass_seconds(30, t=6) == {"Seen"}
    # The alert looks at what was recorded at the evaluation before.
    assert watched.pass_seconds(30, t=1) == set()


def test_what_a_failing_rule_gave_stays_for_five_minutes(process: Callable[[str], Process]) -> None:
    watched = process("- {alert: Seen, expr: 'sum:t > 0'}\n- {record: 'sum:t', expr: t + on () u}")
    assert watched.pass_seconds(30, t=1, u=1) == {"Seen"}
    watched.series = {"t": 1, "u": 1, "u'": 1}
    assert watched.pass_seconds(285, **watched.series) == {"Seen"}
    assert watched.rounds.errors
    assert watched.pass_seconds(30, **watched.series) == set()
