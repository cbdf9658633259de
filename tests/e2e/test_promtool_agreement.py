"""The real promtool and the in-process evaluator judge alike: tests right and wrong, made-up alerts, mistakes."""

import random
import re
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from tests.servers.binaries import OTEL, binaries
from tests.support.promtool_tests import SPOILS, Spoil, filled_in, load_file, run_tests, spoiled, write_file
from tests.unit.alerting.test_rules import GOOD, GROUP_MISTAKES, RULE_MISTAKES

OWN: Final = Path(__file__).parents[1] / "unit" / "alerting" / "promtool" / "tests.yml"
FILES: Final = [*sorted((OTEL / "rules" / "tests").glob("*.yml")), OWN]
SPOILED: Final = [(path, how) for path in FILES for how in SPOILS if spoiled(load_file(path), how)[1]]
SEEDS: Final = range(20)
MINUTES: Final = 90
OURS_ALONE: Final = {
    "unsupported PromQL",  # what this evaluator does not know, it refuses
    "bad label name",  # Prometheus 3 takes any text as a name; templates and Alertmanager's matchers are simpler so
    "bad annotation name",
    "bad metric name",
    "bad template of a group",  # `now` is one of the functions that this evaluator does not know
    "a long range",  # Prometheus keeps samples for as long as it likes
    "short interval",
    "a range",  # found by Prometheus when it evaluates the rule
}
TEMPLATES: Final = {
    "plain": "{{ $value }}",
    "humanize": "{{ humanize $value }}",
    "humanize1024": "{{ humanize1024 $value }}",
    "duration": "{{ humanizeDuration $value }}",
    "percentage": "{{ humanizePercentage $value }}",
    "timestamp": "{{ humanizeTimestamp $value }}",
    "printf": '{{ printf "%.2f %e %g %9.3f|%-9.1f|%+.3g %v %.3v %f" '
    + "$value " * 9
    + "}} {{- $labels.room | toUpper | printf ` %5s|%-5s|%.2s` `x` $labels.room -}} .",
}


def promtool(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [str(part) for part in (binaries("prometheus")["promtool"], *arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def failing_cases(path: Path) -> int:
    """How many cases of a file fail by promtool's word."""
    done = promtool("test", "rules", path)
    said = done.stdout + done.stderr
    assert ("SUCCESS" in said) is (done.returncode == 0), said
    cases = len(re.findall(r"^ {4}(?:alertname|expr): ", said, re.MULTILINE))
    assert bool(cases) is (done.returncode != 0), said
    return cases


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_promtool_passes_every_test(path: Path) -> None:
    assert failing_cases(path) == 0


@pytest.mark.parametrize(("path", "how"), SPOILED, ids=lambda part: getattr(part, "stem", part))
def test_both_notice_every_wrong_expectation(path: Path, how: Spoil, tmp_path: Path) -> None:
    data, cases = spoiled(load_file(path), how)
    write_file(data, tmp_path / "tests.yml", path.parent)
    assert (failing_cases(tmp_path / "tests.yml"), len(run_tests(data, path.parent))) == (cases, cases)


def series_of(chance: random.Random) -> str:
    """A temperature that crosses 30 now and then, with gaps and ends."""
    values = []
    while len(values) < MINUTES:
        length = chance.randint(1, 8)
        values += [chance.choice(["20", "31", "31.5", "40", "_", "_", "stale", "NaN"])] * length
    return " ".join(values[:MINUTES])


def made_up_rules(chance: random.Random) -> dict[str, Any]:
    def duration() -> str:
        return f"{chance.choice([0, 0, 1, 2, 5])}m"

    rules: list[dict[str, Any]] = [
        {
            "alert": f"Alert{number}",
            "expr": chance.choice(["t > 30", "max by (room) (t) > 30", "t > 30 and t < 40", "rec > 30", "t == t"]),
            "for": duration(),
            "keep_firing_for": duration(),
            "annotations": {"value": "{{ $value }} in {{ $labels.room }}"},
        }
        for number in range(6)
    ]
    rules.insert(chance.randint(0, 6), {"record": "rec", "expr": "avg by (room) (t)"})
    meta = {"alert": "Meta", "expr": 'count by (alertstate) (ALERTS{alertname=~"Alert.*"})', "for": "1m"}
    return {"groups": [{"name": "g", "rules": [*rules, meta]}]}


@pytest.mark.parametrize("seed", SEEDS)
def test_promtool_finds_the_alerts_that_the_evaluator_finds(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)  # noqa: S311 - made-up alerts are no secrets
    rules = made_up_rules(chance)
    names = [rule["alert"] for rule in rules["groups"][0]["rules"] if "alert" in rule]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(rules), encoding="utf-8")
    test = {
        "interval": "1m",
        "input_series": [{"series": f't{{room="{room}"}}', "values": series_of(chance)} for room in "abc"],
        "alert_rule_test": [
            {"eval_time": f"{minute}m", "alertname": name} for minute in range(MINUTES) for name in names
        ],
    }
    data = filled_in({"rule_files": ["rules.yml"], "tests": [test]}, tmp_path)
    assert sum(len(case["exp_alerts"]) for case in data["tests"][0]["alert_rule_test"]) > MINUTES
    write_file(data, tmp_path / "tests.yml", tmp_path)
    assert failing_cases(tmp_path / "tests.yml") == 0, f"seed {seed}"


def test_templates_of_many_values(tmp_path: Path) -> None:
    chance = random.Random(4)  # noqa: S311 - nor are numbers
    values = [0.0, -0.0, float("inf"), float("-inf"), 1e-9, 59.999, 60.0, 999.95, 999999.5, 1023.99, 86400.0]
    values += [chance.choice([-1, 1]) * 10 ** chance.uniform(-12, 9) for _ in range(300)]
    values += [round(chance.uniform(0, 5000), 3) for _ in range(200)] + [
        float(chance.randint(0, 10**9)) for _ in range(99)
    ]
    rule = {"alert": "Templates", "expr": "t", "annotations": TEMPLATES}
    (tmp_path / "rules.yml").write_text(yaml.safe_dump({"groups": [{"name": "g", "rules": [rule]}]}), encoding="utf-8")
    test = {
        "interval": "1m",
        "input_series": [{"series": 't{room="bath"}', "values": " ".join(map(repr, values))}],
        "alert_rule_test": [{"eval_time": f"{minute}m", "alertname": "Templates"} for minute in range(len(values))],
    }
    data = filled_in({"rule_files": ["rules.yml"], "tests": [test]}, tmp_path)
    write_file(data, tmp_path / "tests.yml", tmp_path)
    assert failing_cases(tmp_path / "tests.yml") == 0


MISTAKES: Final = {
    **{f"rule: {name}": f"- name: g\n    rules:\n      - {rule}\n" for name, (rule, _) in RULE_MISTAKES.items()},
    **{f"group: {name}": f"- {group}\n" for name, (group, _) in GROUP_MISTAKES.items()},
}


@pytest.mark.parametrize("name", MISTAKES)
def test_what_is_a_mistake_here_is_one_for_prometheus(name: str, tmp_path: Path) -> None:
    good = f"  - name: good\n    rules:\n{GOOD}"
    (tmp_path / "rules.yml").write_text(f"groups:\n{good}  {MISTAKES[name]}", encoding="utf-8")
    done = promtool("check", "rules", "--lint=none", tmp_path / "rules.yml")
    assert (done.returncode == 0) is (name.partition(": ")[2] in OURS_ALONE), done.stdout + done.stderr
