"""Reads one rule file: YAML to rules, and every mistake to a `Problem`.

The YAML is read as nodes, not as Python objects, so that texts stay as they are written (`on`, `1.0`), as in
Prometheus, and repeated keys are noticed.
"""

import difflib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import yaml
from yaml.constructor import SafeConstructor

from libraries_io_mcp.alerting.durations import parse_duration
from libraries_io_mcp.alerting.promql import Expression, PromQLError, parse
from libraries_io_mcp.alerting.rule import AlertingRule, Group, Problem, RecordingRule, Rule
from libraries_io_mcp.alerting.templates import Template, TemplateError, parse_template

T = TypeVar("T")

FILE_FIELDS: Final = ("groups",)
GROUP_FIELDS: Final = ("name", "interval", "query_offset", "limit", "rules", "labels")
RULE_FIELDS: Final = ("record", "alert", "expr", "for", "keep_firing_for", "labels", "annotations")
ALERT_ONLY: Final = ("for", "keep_firing_for", "annotations")

FILE_BYTES: Final = 1_048_576
"""A longer file is no rule file."""
SHORTEST_INTERVAL_SECONDS: Final = 0.1
LONGEST_RANGE_SECONDS: Final = 86_400.0
"""Samples are kept in memory for as long as a rule looks back. Prometheus evaluates such a rule all the same."""

_LABEL_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_METRIC_NAME: Final = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*")
Fields = Mapping[str, yaml.Node]


class _Wrong(Exception):  # noqa: N818 - says what is wrong, and with which field
    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def read_rule_file(path: Path, default_interval: float) -> tuple[tuple[Group, ...], tuple[Problem, ...]]:
    """The groups of a file that can be evaluated, and what is wrong with the rest. Never raises."""
    reader = _Reader(str(path), default_interval)
    try:
        text = _read(path).decode()
        # Not the loader in C, which is faster and ends the process when a text is nested too deeply.
        reader.read(yaml.compose(text, Loader=yaml.SafeLoader))
    except OSError as error:
        reader.report("", "", "", f"can't be read: {error.strerror or type(error).__name__}")
    except UnicodeDecodeError:
        reader.report("", "", "", "can't be read: not UTF-8 text")
    except _Wrong as wrong:
        reader.report("", "", "", str(wrong))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark or error.context_mark
        reader.report("", "", "", f"not YAML: {f'line {line.line + 1}: ' if line else ''}{error.problem}")
    except yaml.YAMLError as error:
        reader.report("", "", "", f"not YAML: {error}")
    except RecursionError:
        reader.report("", "", "", "not a rule file: nested too deeply")
    return tuple(reader.groups), tuple(reader.problems)


def _read(path: Path) -> bytes:
    if not path.is_file():
        # A missing one says so by itself; devices and pipes may have no end.
        path.stat()
        raise _Wrong("", "not a file")
    with path.open("rb") as file:
        data = file.read(FILE_BYTES + 1)
    if len(data) > FILE_BYTES:
        raise _Wrong("", f"longer than {FILE_BYTES} bytes: not a rule file")
    return data


class _Reader:
    """Walks one file and gathers what is good and what is not."""

    def __init__(self, file: str, default_interval: float) -> None:
        self._file = file
        self._default_interval = default_interval
        self._group = ""
        self._rule = ""
        self.groups: list[Group] = []
        self.problems: list[Problem] = []

    def report(self, group: str, rule: str, field: str, message: str) -> None:
        """Add a problem; a message of several lines, as parsers give them, becomes one."""
        self.problems.append(Problem(self._file, group, rule, field, " ".join(message.split())))

    def read(self, root: yaml.Node | None) -> None:
        """Read the whole document; an empty one has no groups."""
        if root is None or _is_null(root):
            return
        try:
            groups = _items(_fields(root, FILE_FIELDS).get("groups"), "groups")
        except _Wrong as wrong:
            self.report("", "", wrong.field, str(wrong))
            return
        for number, node in enumerate(groups, 1):
            self._group, self._rule = f"#{number}", ""
            try:
                self._read_group(node)
            except _Wrong as wrong:
                self._say(wrong)

    def _read_group(self, node: yaml.Node) -> None:
        fields = _fields(node, GROUP_FIELDS)
        name = _text(fields, "name")
        if not name:
            raise _Wrong("name", "missing: a group needs a name")
        self._group = name
        if any(group.name == name for group in self.groups):
            raise _Wrong("name", "this group name stands twice in the file; the second group is not evaluated")
        interval = _interval(fields) or self._default_interval
        offset = _duration(fields, "query_offset")
        limit = _limit(fields)
        labels = _labels(fields, "labels")
        if len(self._templates(labels, "labels")) < len(labels):
            return
        rules = []
        for number, each in enumerate(_items(fields.get("rules"), "rules"), 1):
            self._rule = f"#{number}"
            rule = self._read_rule(each, labels)
            rules += [rule] if rule is not None else []
        self.groups.append(Group(self._file, name, interval, tuple(rules), limit, offset))

    def _read_rule(self, node: yaml.Node, group_labels: Mapping[str, str]) -> Rule | None:
        self._rule = _name(node) or self._rule
        try:
            fields = _fields(node, RULE_FIELDS)
            record, alert = _text(fields, "record"), _text(fields, "alert")
        except _Wrong as wrong:
            self._say(wrong)
            return None
        if bool(record) is bool(alert):
            given = "a rule has record or alert, not both" if record else "missing: a rule needs record or alert"
            self._say(_Wrong("record" if record else "alert", given))
            return None
        return self._alerting(fields, alert, group_labels) if alert else self._recording(fields, record, group_labels)

    def _alerting(self, fields: Fields, name: str, group_labels: Mapping[str, str]) -> Rule | None:
        before = len(self.problems)
        expression = self._try(_expression, fields)
        hold = self._try(_duration, fields, "for")
        keep = self._try(_duration, fields, "keep_firing_for")
        labels = self._templates({**group_labels, **(self._try(_labels, fields, "labels") or {})}, "labels")
        texts = self._try(_labels, fields, "annotations") or {}
        annotations = self._templates(texts, "annotations")
        if expression is None or hold is None or keep is None or len(self.problems) > before:
            return None
        cooldown = texts.get("cooldown", "0").strip()
        try:
            # What a template gives is known only when the alert fires.
            parse_duration("0" if "{{" in cooldown else cooldown)
        except ValueError as error:
            # Prometheus takes the rule as it is, and so do we.
            self._say(_Wrong("annotations.cooldown", f"{error}; the default is used"))
        return AlertingRule(name, expression, hold, keep, labels, annotations)

    def _recording(self, fields: Fields, record: str, group_labels: Mapping[str, str]) -> Rule | None:
        before = len(self.problems)
        if not _METRIC_NAME.fullmatch(record):
            self._say(_Wrong("record", f"{record!r} is no metric name: letters, digits, _ and : only"))
        for field in ALERT_ONLY:
            if _given(fields, field):
                self._say(_Wrong(field, "a recording rule can't have it"))
        expression = self._try(_expression, fields)
        labels = self._try(_labels, fields, "labels")
        if expression is None or labels is None or len(self.problems) > before:
            return None
        return RecordingRule(record, expression, {**group_labels, **labels})

    def _templates(self, texts: Mapping[str, str], field: str) -> dict[str, Template]:
        found = {}
        for name, text in texts.items():
            try:
                found[name] = parse_template(text)
            except TemplateError as error:
                self._say(_Wrong(f"{field}.{name}", f"bad template: {error}"))
        return found

    def _try(self, read: Callable[..., T], *arguments: Any) -> T | None:
        try:
            return read(*arguments)
        except _Wrong as wrong:
            self._say(wrong)
            return None

    def _say(self, wrong: _Wrong) -> None:
        self.report(self._group, self._rule, wrong.field, str(wrong))


def _fields(node: yaml.Node, known: tuple[str, ...]) -> dict[str, yaml.Node]:
    """A mapping's values by name."""
    found = _pairs(node, "")
    for name in found:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1)
            raise _Wrong(name, f"unknown field{f'; did you mean {close[0]}?' if close else ''}")
    return found


def _name(node: yaml.Node) -> str:
    """What a rule is called, even if it can't be read as one."""
    pairs = node.value if isinstance(node, yaml.MappingNode) else []
    names = {str(key.value): value.value for key, value in pairs if isinstance(value, yaml.ScalarNode)}
    return str(names.get("alert") or names.get("record") or "")


def _pairs(node: yaml.Node, field: str) -> dict[str, yaml.Node]:
    if not isinstance(node, yaml.MappingNode):
        raise _Wrong(field, f"line {node.start_mark.line + 1}: expected names with values, found {_kind(node)}")
    names = [key.value if isinstance(key, yaml.ScalarNode) else None for key, _value in node.value]
    if None in names:
        raise _Wrong(field, f"line {node.start_mark.line + 1}: a name must be a text")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise _Wrong(f"{field}.{twice}" if field else twice, "stands twice")
    # Merges `<<`, as Prometheus' reader does.
    SafeConstructor().flatten_mapping(node)
    return {str(key.value): value for key, value in node.value}


def _items(node: yaml.Node | None, field: str) -> list[yaml.Node]:
    if node is None or _is_null(node):
        return []
    if not isinstance(node, yaml.SequenceNode):
        raise _Wrong(field, f"expected a list, found {_kind(node)}")
    return list(node.value)


def _text(fields: Fields, field: str) -> str:
    """A scalar as it is written; empty when it is not there."""
    node = fields.get(field)
    if node is None or _is_null(node):
        return ""
    if not isinstance(node, yaml.ScalarNode):
        raise _Wrong(field, f"expected a text, found {_kind(node)}")
    return str(node.value)


def _given(fields: Fields, field: str) -> bool:
    node = fields.get(field)
    return node is not None and not _is_null(node) and node.value not in ("0", "0s", [])


def _duration(fields: Fields, field: str) -> float:
    node = fields.get(field)
    if node is None or _is_null(node):
        return 0.0
    try:
        return parse_duration(_text(fields, field))
    except ValueError as error:
        raise _Wrong(field, str(error)) from None


def _interval(fields: Fields) -> float:
    seconds = _duration(fields, "interval")
    if 0 < seconds < SHORTEST_INTERVAL_SECONDS:
        raise _Wrong(
            "interval", f"shorter than {SHORTEST_INTERVAL_SECONDS:g} s: this server does not evaluate so often"
        )
    return seconds


def _limit(fields: Fields) -> int:
    text = _text(fields, "limit")
    try:
        return int(text or 0)
    except ValueError:
        raise _Wrong("limit", f"{text!r} is no whole number") from None


def _expression(fields: Fields) -> Expression:
    text = _text(fields, "expr")
    if not text.strip():
        raise _Wrong("expr", "missing: a rule needs an expression")
    try:
        expression = parse(text)
    except PromQLError as error:
        raise _Wrong("expr", str(error)) from None
    if max(expression.needs.values(), default=0.0) > LONGEST_RANGE_SECONDS:
        raise _Wrong("expr", "looks back further than a day: this server keeps no samples for longer")
    return expression


def _labels(fields: Fields, field: str) -> dict[str, str]:
    node = fields.get(field)
    if node is None or _is_null(node):
        return {}
    pairs = _pairs(node, field)
    for name in pairs:
        if not _LABEL_NAME.fullmatch(name) or (name == "__name__" and field == "labels"):
            what = "annotation" if field == "annotations" else "label"
            raise _Wrong(
                f"{field}.{name}", f"{name!r} can't be the name of {_article(what)}: letters, digits and _ only"
            )
    return {name: _text(pairs, name) for name in pairs}


def _article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def _is_null(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def _kind(node: yaml.Node) -> str:
    if isinstance(node, yaml.ScalarNode):
        return f"the text {node.value!r}"
    return "a list" if isinstance(node, yaml.SequenceNode) else "names with values"
