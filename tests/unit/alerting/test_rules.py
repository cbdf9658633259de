"""Rule files: what is loaded, and one line for each kind of mistake, with the other rules loaded."""

import textwrap
from pathlib import Path

import pytest

from libraries_io_mcp.alerting.rules import AlertingRule, RecordingRule, default_rules, load_rules

GOOD = """\
      - alert: Good
        expr: up == 0
"""


def load_text(folder: Path, text: str, name: str = "rules.yml"):
    path = folder / name
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return load_rules(path)


def test_the_default_rules_are_loaded_without_a_problem() -> None:
    loaded = load_rules(default_rules())
    assert not [str(problem) for problem in loaded.problems]
    names = {rule.name for group in loaded.groups for rule in group.rules if isinstance(rule, AlertingRule)}
    assert {"HighErrorRate", "HighResponseTime", "LowSuccessRate", "Watchdog"} <= names


def test_everything_that_a_file_can_say(tmp_path: Path) -> None:
    loaded = load_text(
        tmp_path,
        """\
        groups:
          - name: first
            interval: 1m30s
            query_offset: 10s
            limit: 5
            labels: {team: packages, severity: low}
            rules:
              - record: job:up:sum
                expr: sum by (job) (up)
                labels: {source: rule}
              - alert: Down
                expr: |
                  up == 0
                for: 5m
                keep_firing_for: 1h
                labels: {severity: high, on: 1.0}
                annotations: {summary: "{{ $labels.job }} is down"}
          - name: second
            rules:
        """,
    )
    assert loaded.problems == ()
    first, second = loaded.groups
    assert (first.name, first.interval, first.query_offset_seconds, first.limit) == ("first", 90, 10, 5)
    assert (second.name, second.interval, second.rules) == ("second", 15, ())
    recording, alerting = first.rules
    assert isinstance(recording, RecordingRule)
    assert (recording.record, recording.labels) == (
        "job:up:sum",
        {"team": "packages", "severity": "low", "source": "rule"},
    )
    assert isinstance(alerting, AlertingRule)
    assert (alerting.name, alerting.for_seconds, alerting.keep_firing_seconds) == ("Down", 300, 3600)
    assert {name: label.text for name, label in alerting.labels.items()} == {
        "team": "packages",
        "severity": "high",
        "on": "1.0",
    }
    assert alerting.annotations["summary"].expand({"job": "api"}, 0) == "api is down"
    assert alerting.expression.text.strip() == "up == 0"


def test_anchors_and_merges_are_read_as_prometheus_reads_them(tmp_path: Path) -> None:
    loaded = load_text(
        tmp_path,
        """\
        groups:
          - name: g
            rules:
              - &first {alert: First, expr: up == 0, labels: &labels {severity: high}}
              - {alert: Second, expr: up == 1, labels: {<<: *labels, team: x}}
              - {<<: *first, alert: Third}
        """,
    )
    assert loaded.problems == ()
    _first, second, third = loaded.groups[0].rules
    assert set(second.labels) == {"severity", "team"}
    assert (third.name, third.expression.text) == ("Third", "up == 0")


RULE_MISTAKES = {
    "unknown field": ("{alert: Bad, exprr: up}", "Bad, field exprr: unknown field; did you mean expr?"),
    "missing expression": ("{alert: Bad}", "Bad, field expr: missing"),
    "empty expression": ("{alert: Bad, expr: ' '}", "Bad, field expr: missing"),
    "neither": ("{expr: up}", "#1, field alert: missing: a rule needs record or alert"),
    "both": ("{alert: Bad, record: bad, expr: up}", "Bad, field record: a rule has record or alert, not both"),
    "bad duration": ("{alert: Bad, expr: up, for: 5 minutes}", "Bad, field for: '5 minutes' is no duration"),
    "bad second duration": ("{alert: Bad, expr: up, keep_firing_for: 5}", "Bad, field keep_firing_for: '5' is no"),
    "bad PromQL": ("{alert: Bad, expr: 'sum(up'}", "Bad, field expr: "),
    "unsupported PromQL": ("{alert: Bad, expr: 'up @ 1700000000'}", "Bad, field expr: "),
    "a range": ("{alert: Bad, expr: 'up[5m]'}", "Bad, field expr: "),
    "a long range": ("{alert: Bad, expr: 'rate(up[10y]) > 0'}", "Bad, field expr: looks back further than a day"),
    "bad template": (
        "{alert: Bad, expr: up, annotations: {summary: '{{ if $value }}'}}",
        "Bad, field annotations.summary: bad template: {{ if $value }}: keyword 'if'",
    ),
    "bad template of a label": (
        "{alert: Bad, expr: up, labels: {severity: '{{ $value'}}",
        "Bad, field labels.severity: bad template: {{ without }}",
    ),
    "bad label name": ("{alert: Bad, expr: up, labels: {a-b: x}}", "Bad, field labels.a-b: 'a-b' can't be"),
    "reserved label name": ("{alert: Bad, expr: up, labels: {__name__: x}}", "Bad, field labels.__name__: "),
    "bad annotation name": ("{alert: Bad, expr: up, annotations: {'a b': x}}", "Bad, field annotations.a b: "),
    "bad metric name": ("{record: 'a b', expr: up}", "a b, field record: 'a b' is no metric name"),
    "for in a recording rule": ("{record: bad, expr: up, for: 5m}", "bad, field for: a recording rule can't have it"),
    "annotations in a recording rule": ("{record: bad, expr: up, annotations: {a: b}}", "bad, field annotations: a"),
    "labels as a list": ("{alert: Bad, expr: up, labels: [a]}", "Bad, field labels: line 4: expected names with"),
    "an expression as a list": ("{alert: Bad, expr: [up]}", "Bad, field expr: expected a text, found a list"),
    "a label as a list": ("{alert: Bad, expr: up, labels: {a: [b]}}", "Bad, field a: expected a text, found a list"),
    "a text as a rule": ("up", "#1: line 4: expected names with values, found the text 'up'"),
    "a field twice": ("{alert: Bad, expr: up, expr: up}", "Bad, field expr: stands twice"),
    "a label twice": ("{alert: Bad, expr: up, labels: {a: b, a: c}}", "Bad, field labels.a: stands twice"),
}


@pytest.mark.parametrize(("rule", "expected"), RULE_MISTAKES.values(), ids=RULE_MISTAKES)
def test_a_mistake_in_a_rule_is_one_line(tmp_path: Path, rule: str, expected: str) -> None:
    loaded = load_text(tmp_path, f"groups:\n  - name: g\n    rules:\n      - {rule}\n{GOOD}")
    (problem,) = loaded.problems
    assert str(problem).startswith(f"{tmp_path / 'rules.yml'}: group g, rule {expected}")
    assert "\n" not in str(problem)
    assert [rule.name for group in loaded.groups for rule in group.rules] == ["Good"]


GROUP_MISTAKES = {
    "unknown field": ("{name: bad, intervall: 1m}", "#1, field intervall: unknown field; did you mean interval?"),
    "no name": ("{rules: []}", "#1, field name: missing: a group needs a name"),
    "the same name": ("{name: good}", "good, field name: this group name stands twice"),
    "bad interval": ("{name: bad, interval: often}", "bad, field interval: 'often' is no duration"),
    "short interval": ("{name: bad, interval: 1ms}", "bad, field interval: shorter than 0.1 s"),
    "bad limit": ("{name: bad, limit: many}", "bad, field limit: 'many' is no whole number"),
    "rules as a text": ("{name: bad, rules: none}", "bad, field rules: expected a list, found the text 'none'"),
    "bad label name": ("{name: bad, labels: {1a: x}}", "bad, field labels.1a: '1a' can't be the name of a label"),
    "bad template of a group": (
        "{name: bad, labels: {a: '{{ now }}'}, rules: [{alert: A, expr: up}, {alert: B, expr: up}]}",
        "bad, field labels.a: bad template: {{ now }}: function 'now' is not supported",
    ),
    "a list as a group": ("[a]", "#1: line 2: expected names with values, found a list"),
}


@pytest.mark.parametrize(("group", "expected"), GROUP_MISTAKES.values(), ids=GROUP_MISTAKES)
def test_a_mistake_in_a_group_is_one_line(tmp_path: Path, group: str, expected: str) -> None:
    good = f"  - name: good\n    rules:\n{GOOD}"
    text = f"groups:\n{good}  - {group}\n" if "good" in group else f"groups:\n  - {group}\n{good}"
    loaded = load_text(tmp_path, text)
    (problem,) = loaded.problems
    assert str(problem).startswith(f"{tmp_path / 'rules.yml'}: group {expected}")
    assert [rule.name for group in loaded.groups for rule in group.rules] == ["Good"]


FILE_MISTAKES = {
    "not YAML": ("groups:\n  - name: [", "not YAML: line "),
    "a tab": ("groups:\n\t- name: g", "not YAML: line 2: "),
    "two documents": ("groups: []\n---\ngroups: []\n", "not YAML: line 2: "),
    "unknown field": ("rules: []", "field rules: unknown field"),
    "a list": ("- groups", "line 1: expected names with values, found a list"),
    "groups as a text": ("groups: many", "field groups: expected a list, found the text 'many'"),
    "no text": (b"\xff\xfe", "can't be read: not UTF-8 text"),
    "long": ("# " + "x" * 2_000_000, "longer than 1048576 bytes: not a rule file"),
    "deep": ("groups: " + "[" * 20_000, "not a rule file: nested too deeply"),
}


@pytest.mark.parametrize(("content", "expected"), FILE_MISTAKES.values(), ids=FILE_MISTAKES)
def test_a_mistake_in_a_file_is_one_line_and_the_other_files_are_loaded(
    tmp_path: Path, content: str | bytes, expected: str
) -> None:
    (tmp_path / "a.yml").write_bytes(content if isinstance(content, bytes) else content.encode())
    (tmp_path / "b.yaml").write_text(f"groups:\n  - name: g\n    rules:\n{GOOD}", encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not a rule file", encoding="utf-8")
    loaded = load_rules(tmp_path)
    (problem,) = loaded.problems
    assert str(problem).startswith(f"{tmp_path / 'a.yml'}: {expected}")
    assert "\n" not in str(problem)
    assert [Path(file).name for file in loaded.files] == ["a.yml", "b.yaml"]
    assert [group.name for group in loaded.groups] == ["g"]


def test_a_cooldown_that_can_not_be_read_is_said_and_the_rule_is_evaluated(tmp_path: Path) -> None:
    rule = "{alert: Down, expr: up == 0, annotations: {cooldown: soon}}"
    loaded = load_text(tmp_path, f"groups: [{{name: one, rules: [{rule}]}}]")
    (line,) = map(str, loaded.problems)
    assert line.endswith(
        "rule Down, field annotations.cooldown: 'soon' is no duration such as 30s, 5m or 1h30m; the default is used"
    )
    assert [len(group.rules) for group in loaded.groups] == [1]


def test_every_mistake_of_a_file_is_said(tmp_path: Path) -> None:
    loaded = load_text(
        tmp_path,
        """\
        groups:
          - name: g
            rules:
              - {alert: A, expr: up, for: soon, keep_firing_for: late, labels: {x-y: z}}
              - {record: "a b", expr: "sum("}
        """,
    )
    assert [(problem.rule, problem.field) for problem in loaded.problems] == [
        ("A", "for"),
        ("A", "keep_firing_for"),
        ("A", "labels.x-y"),
        ("a b", "record"),
        ("a b", "expr"),
    ]


@pytest.mark.parametrize("text", ["", "# nothing\n", "groups:\n", "groups: []\n"])
def test_a_file_without_groups_is_no_mistake(tmp_path: Path, text: str) -> None:
    loaded = load_text(tmp_path, text)
    assert (loaded.groups, loaded.problems) == ((), ())


def test_what_has_no_end_is_no_rule_file() -> None:
    (problem,) = load_rules(Path("/dev/zero")).problems
    assert str(problem) == "/dev/zero: not a file"


def test_a_path_without_rules_is_said(tmp_path: Path) -> None:
    (missing,) = load_rules(tmp_path / "missing.yml").problems
    assert str(missing) == f"{tmp_path / 'missing.yml'}: can't be read: No such file or directory"
    (empty,) = load_rules(tmp_path).problems
    assert str(empty) == f"{tmp_path}: no rule files (*.yml, *.yaml) in this folder"
