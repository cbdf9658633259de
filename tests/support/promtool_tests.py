"""Runs the unit tests that promtool runs (`promtool test rules`), from the same YAML, on the in-process evaluator."""

import copy
import math
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import promql_parser
import yaml

from libraries_io_mcp.alerting.alert import Alert
from libraries_io_mcp.alerting.durations import parse_duration
from libraries_io_mcp.alerting.evaluator import evaluate
from libraries_io_mcp.alerting.group_state import GroupState
from libraries_io_mcp.alerting.promql import STALE, LabelSet, Matcher, PromQLError, Series, parse
from libraries_io_mcp.alerting.rules import Group, load_rules

Spoil = Literal["label", "annotation", "missing", "surplus", "value"]
SPOILS: Final[tuple[Spoil, ...]] = ("label", "annotation", "missing", "surplus", "value")
"""Ways to make expectations wrong."""

Labels = Mapping[str, str]
Shown = tuple[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]]
"""An alert as promtool compares it: labels and annotations."""

_NUMBER: Final = r"(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[iI][nN][fF]|[nN][aA][nN])"
_ITEM: Final = re.compile(
    rf"(?P<first>[-+]?{_NUMBER}|stale|_)(?:(?P<sign>[-+])(?P<step>{_NUMBER}))?(?:x(?P<times>[0-9]+))?"
)
_FILE_FIELDS: Final = {"rule_files", "evaluation_interval", "group_eval_order", "tests", "fuzzy_compare"}
_TEST_FIELDS: Final = {
    *("interval", "input_series", "alert_rule_test", "promql_expr_test"),
    *("external_labels", "external_url", "name", "start_timestamp"),
}
_ALERT_FIELDS: Final = {"eval_time", "alertname", "exp_alerts"}
_EXPECTED_FIELDS: Final = {"exp_labels", "exp_annotations"}
_EXPRESSION_FIELDS: Final = {"expr", "eval_time", "exp_samples"}


class Samples:
    """A storage for tests: everything, for ever."""

    def __init__(self) -> None:
        self._series: dict[frozenset[tuple[str, str]], Series] = {}
        self._by_name: dict[str, list[Series]] = {}

    def add(self, time: float, labels: Labels, value: float) -> None:
        """One sample, not before the ones that are there; the first one of a moment stays."""
        key = frozenset(labels.items())
        series = self._series.get(key)
        if series is None:
            series = self._series[key] = Series(LabelSet(labels), [], [])
            self._by_name.setdefault(labels.get("__name__", ""), []).append(series)
        moment = round(time, 3)
        if not series.times or series.times[-1] < moment:
            series.times.append(moment)
            series.values.append(value)

    def select(self, matchers: Sequence[Matcher], start: float, end: float) -> Sequence[Series]:
        """As `Storage` wants it."""
        name = next((each.value for each in matchers if each.name == "__name__" and each.op == "="), None)
        found = []
        for series in self._series.values() if name is None else self._by_name.get(name, ()):
            if all(each.matches(series.labels.get(each.name, "")) for each in matchers):
                first, last = bisect_right(series.times, start), bisect_right(series.times, end)
                if first < last:
                    found.append(Series(series.labels, series.times[first:last], series.values[first:last]))
        return found


def load_file(path: Path) -> dict[str, Any]:
    """The YAML of a file of tests; every scalar as the text that stands there."""
    data: dict[str, Any] = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506 - makes texts only
    return data


def run_file(path: Path) -> list[str]:
    """What fails in a file of tests, one text for each case, as promtool would find it."""
    return run_tests(load_file(path), path.parent)


def run_tests(data: Mapping[str, Any], folder: Path) -> list[str]:
    """The same for loaded YAML; `folder` is what its rule files are relative to."""
    return [f"{test.name}: {failure}" for test in _tests(dict(data), folder) for failure in test.run()]


def filled_in(data: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """The same tests, expecting the alerts that the in-process evaluator gives."""
    changed = copy.deepcopy(dict(data))
    for test in _tests(changed, folder):
        failures = list(test.run(fill_in=True))
        assert not failures, failures
    return changed


def write_file(data: Mapping[str, Any], path: Path, folder: Path) -> None:
    """The tests as YAML for promtool itself, wherever the file is."""
    changed = copy.deepcopy(dict(data))
    changed["rule_files"] = [str(folder.resolve() / glob) for glob in data["rule_files"]]
    for test in changed["tests"]:
        for sample in (each for case in test.get("promql_expr_test", ()) for each in case.get("exp_samples") or ()):
            # Texts are fine for all other fields.
            sample["value"] = float(sample["value"])
    path.write_text(yaml.safe_dump(changed, allow_unicode=True, width=1000), encoding="utf-8")


def _tests(data: dict[str, Any], folder: Path) -> Iterator["_Test"]:
    _only(data, _FILE_FIELDS)
    step = parse_duration(data.get("evaluation_interval", "1m"))
    files = [file for glob in data["rule_files"] for file in sorted(folder.glob(glob))]
    assert files, f"no rule files in {folder} for {data['rule_files']}"
    order = {name: index for index, name in enumerate(data.get("group_eval_order", ()))}
    fuzzy = data.get("fuzzy_compare") == "true"
    for number, test in enumerate(data.get("tests", ()), 1):
        _only(test, _TEST_FIELDS)
        groups = _groups(files, parse_duration(test.get("interval", "0")) or step, order)
        yield _Test(test.get("name", f"test {number}"), test, groups, step, fuzzy=fuzzy)


def spoiled(data: Mapping[str, Any], how: Spoil) -> tuple[dict[str, Any], int]:
    """The same tests with every case expecting something wrong, and how many cases that are.

    `label` and `annotation` change one of each expected alert, `missing` leaves out the first one, `surplus` expects
    one more, `value` is about samples: it adds one to each expected value, or expects a sample too many.
    """
    changed = copy.deepcopy(dict(data))
    count = 0
    for test in changed["tests"]:
        kept = []
        for case in test.get("alert_rule_test", ()) if how != "value" else ():
            alerts = case.get("exp_alerts") or []
            if alerts or how == "surplus":
                case["exp_alerts"] = _spoiled_alerts(alerts, how)
                kept.append(case)
        samples = test.get("promql_expr_test", ()) if how == "value" else ()
        for case in samples:
            case["exp_samples"] = [
                {**each, "value": str(float(each["value"]) + 1)} for each in case.get("exp_samples") or ()
            ] or [{"labels": '{made="up"}', "value": "1"}]
        test["alert_rule_test"], test["promql_expr_test"] = kept, list(samples)
        count += len(kept) + len(samples)
    return changed, count


def _spoiled_alerts(alerts: list[dict[str, Any]], how: Spoil) -> list[dict[str, Any]]:
    made_up = {"made": "up"}
    if how == "missing":
        return alerts[1:]
    if how == "surplus":
        return [*alerts, {"exp_labels": made_up}]
    field = "exp_labels" if how == "label" else "exp_annotations"
    return [{**each, field: {**(each.get(field) or {}), **made_up}} for each in alerts]


def parse_series(notation: str) -> list[float | None]:
    """promtool's `0+1x3 _ stale NaN`: a value for each interval, `None` for none."""
    values: list[float | None] = []
    for item in notation.split():
        match = _ITEM.fullmatch(item)
        assert match, f"{item!r} is not understood (native histograms are not)"
        times = int(match["times"] or 0)
        if match["first"] == "_":
            values += [None] * (times or 1)
        elif match["first"] == "stale":
            values += [STALE] * (times + 1)
        else:
            value = _number(match["first"])
            step = _number(match["sign"] + match["step"]) if match["step"] else 0.0
            for _ in range(times + 1):
                values.append(value)
                value += step
    return values


class _Test:
    """One entry of `tests`."""

    def __init__(
        self, name: str, test: Mapping[str, Any], groups: Sequence[Group], step: float, *, fuzzy: bool
    ) -> None:
        self.name = name
        self._groups = groups
        self._step = step
        self._fuzzy = fuzzy
        self._start = _start(test.get("start_timestamp"))
        self._alert_tests = [_only(each, _ALERT_FIELDS) for each in test.get("alert_rule_test", ())]
        self._expression_tests = [_only(each, _EXPRESSION_FIELDS) for each in test.get("promql_expr_test", ())]
        self._loaded = list(_load(test, self._start))
        self._storage = Samples()

    def run(self, *, fill_in: bool = False) -> Iterator[str]:
        """Evaluate from the start to the last `eval_time`, and compare on the way, or write down what is found."""
        times = [parse_duration(each["eval_time"]) for each in (*self._alert_tests, *self._expression_tests)]
        rounds = int(max(times, default=0) // self._step)
        states = [GroupState() for _ in self._groups]
        alerts: list[Alert] = []
        for number in range(rounds + 1):
            now = self._start + number * self._step
            self._load_until(now)
            alerts = []
            for index, group in enumerate(self._groups):
                evaluation = evaluate(group, self._storage, now, states[index])
                states[index] = evaluation.state
                alerts += evaluation.alerts
                for labels, value in evaluation.samples:
                    self._storage.add(evaluation.time, labels, value)
                if evaluation.errors:
                    yield from (f"{error.rule} at {now:g}: {error.message}" for error in evaluation.errors)
                    return
            yield from self._compare_alerts(number, alerts, fill_in=fill_in)
        for test in self._expression_tests:
            yield from self._compare_expression(test)

    def _load_until(self, now: float) -> None:
        while self._loaded and self._loaded[0][0] <= now:
            self._storage.add(*self._loaded.pop(0))

    def _compare_alerts(self, number: int, alerts: Iterable[Alert], *, fill_in: bool) -> Iterator[str]:
        for test in self._alert_tests:
            if int(parse_duration(test["eval_time"]) // self._step) != number:
                continue
            name = test["alertname"]
            firing = [each for each in alerts if each.name == name and each.state == "firing"]
            got = sorted(_shown(each.labels, each.annotations) for each in firing)
            if fill_in:
                test["exp_alerts"] = [{"exp_labels": dict(one), "exp_annotations": dict(two)} for one, two in got]
                continue
            expected = sorted(_expected(each, name) for each in test.get("exp_alerts") or ())
            if got != expected:
                yield f"{name} at {test['eval_time']}:\n  expected {expected}\n  got      {got}"

    def _compare_expression(self, test: Mapping[str, Any]) -> Iterator[str]:
        where = f"{test['expr']!r} at {test['eval_time']}"
        try:
            found = parse(test["expr"]).at(self._storage, self._start + parse_duration(test["eval_time"]))
        except PromQLError as error:
            yield f"{where}: {error}"
            return
        pairs = [({}, found)] if isinstance(found, float) else [(each.labels, each.value) for each in found]
        got = sorted((tuple(sorted(labels.items())), value) for labels, value in pairs)
        expected = sorted(
            (tuple(sorted(_metric(each.get("labels", "{}")).items())), _number(each.get("value", "0")))
            for each in test.get("exp_samples") or ()
        )
        same = [labels for labels, _ in got] == [labels for labels, _ in expected] and all(
            self._equal(value, other) for (_, value), (_, other) in zip(got, expected, strict=True)
        )
        if not same:
            yield f"{where}:\n  expected {expected}\n  got      {got}"

    def _equal(self, value: float, other: float) -> bool:
        if value == other or not self._fuzzy:
            return value == other
        return other in (math.nextafter(value, -math.inf), math.nextafter(value, math.inf))


def _groups(files: Iterable[Path], interval: float, order: Mapping[str, int]) -> list[Group]:
    groups: list[Group] = []
    for file in files:
        loaded = load_rules(file, default_interval=interval)
        assert not loaded.problems, [str(problem) for problem in loaded.problems]
        groups += loaded.groups
    return sorted(groups, key=lambda group: order.get(group.name, 0))


def _load(test: Mapping[str, Any], start: float) -> list[tuple[float, Labels, float]]:
    interval = parse_duration(test.get("interval", "0"))
    samples = [
        (start + index * interval, _metric(each["series"]), value)
        for each in test.get("input_series", ())
        for index, value in enumerate(parse_series(each["values"]))
        if value is not None
    ]
    return sorted(samples, key=lambda sample: sample[0])


def _metric(text: str) -> dict[str, str]:
    text = text.strip()
    if text in ("", "{}"):
        return {}
    selector = promql_parser.parse(text)
    assert isinstance(selector, promql_parser.VectorSelector), text
    labels = {each.name: each.value for each in selector.matchers.matchers}
    return {**labels, "__name__": selector.name} if selector.name else labels


def _shown(labels: Labels, annotations: Labels) -> Shown:
    def some(of: Labels) -> tuple[tuple[str, str], ...]:
        return tuple(sorted((name, value) for name, value in of.items()))

    return some(labels), some(annotations)


def _expected(test: Mapping[str, Any], name: str) -> Shown:
    _only(test, _EXPECTED_FIELDS)
    return _shown({**(test.get("exp_labels") or {}), "alertname": name}, test.get("exp_annotations") or {})


def _only(data: dict[str, Any], fields: set[str]) -> dict[str, Any]:
    assert set(data) <= fields, f"unknown fields: {set(data) - fields}"
    return data


def _number(text: str) -> float:
    return float(text)


def _start(text: str | None) -> float:
    if text is None:
        return 0.0
    try:
        return float(text)
    except ValueError:
        return datetime.fromisoformat(text).timestamp()
