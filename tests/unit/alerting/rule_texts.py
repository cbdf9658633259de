"""Groups of rules from texts, and a clock to evaluate them by."""

from collections.abc import Mapping
from pathlib import Path

from tests.support.promtool_tests import Samples

from libraries_io_mcp.alerting.alert import Alert
from libraries_io_mcp.alerting.evaluator import Evaluation, evaluate
from libraries_io_mcp.alerting.group_state import GroupState
from libraries_io_mcp.alerting.rules import Group, load_rules

STEP = 15.0


def group_of(folder: Path, rules: str, head: str = "") -> Group:
    """A group of the rules, which are YAML list items in one line each."""
    path = folder / "rules.yml"
    lines = "".join(f"      {line.strip()}\n" for line in rules.strip().splitlines())
    path.write_text(f"groups:\n  - name: g\n    {head}\n    rules:\n{lines}", encoding="utf-8")
    loaded = load_rules(path)
    assert not loaded.problems, [str(problem) for problem in loaded.problems]
    return loaded.groups[0]


class Evaluations:
    """Evaluates a group again and again over samples that the test gives."""

    def __init__(self, group: Group, state: GroupState | None = None, now: float = 0.0) -> None:
        self.group = group
        self.state = state or GroupState()
        self.now = now
        self.storage = Samples()

    def step(self, samples: Mapping[str, float] | None = None, seconds: float = STEP) -> Evaluation:
        """Time passes, samples come in (metric -> value, or `metric{label}`), and the group is evaluated."""
        self.now += seconds
        for series, value in (samples or {}).items():
            name, _, label = series.rstrip("}").partition("{")
            self.storage.add(self.now, {"__name__": name, **({"on": label} if label else {})}, value)
        evaluation = evaluate(self.group, self.storage, self.now, self.state)
        self.state = evaluation.state
        for labels, sample in evaluation.samples:
            self.storage.add(evaluation.time, labels, sample)
        return evaluation

    def alert(self, samples: Mapping[str, float] | None = None, seconds: float = STEP) -> Alert | None:
        """The same for a group that has one alert at most."""
        alerts = self.step(samples, seconds).alerts
        assert len(alerts) <= 1, alerts
        return alerts[0] if alerts else None
