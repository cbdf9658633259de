"""What a rule file says: alerting and recording rules in groups, and what was wrong with the rest."""

from collections.abc import Mapping
from dataclasses import dataclass

from libraries_io_mcp.alerting.promql import Expression
from libraries_io_mcp.alerting.templates import Template


@dataclass(frozen=True, slots=True)
class AlertingRule:
    """A rule that raises alerts. `labels` holds the group's labels, too."""

    name: str
    expression: Expression
    for_seconds: float
    keep_firing_seconds: float
    labels: Mapping[str, Template]
    annotations: Mapping[str, Template]


@dataclass(frozen=True, slots=True)
class RecordingRule:
    """A rule that makes a series. `labels` holds the group's labels, too."""

    record: str
    expression: Expression
    labels: Mapping[str, str]


Rule = AlertingRule | RecordingRule


@dataclass(frozen=True, slots=True)
class Group:
    """Rules that are evaluated in order, at the same moment.

    Attributes:
        limit: most alerts or series that one rule may give; 0 is no limit.
        query_offset_seconds: how far back its expressions look from the moment of evaluation.
    """

    file: str
    name: str
    interval: float
    rules: tuple[Rule, ...]
    limit: int = 0
    query_offset_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake in a rule file: where, and what. An empty part is not known, or does not apply."""

    file: str
    group: str
    rule: str
    field: str
    message: str

    def __str__(self) -> str:
        """One line."""
        named = (("group", self.group), ("rule", self.rule), ("field", self.field))
        places = ", ".join(f"{kind} {name}" for kind, name in named if name)
        return " ".join(f"{self.file}: {places}{': ' if places else ''}{self.message}".split())


@dataclass(frozen=True, slots=True)
class LoadedRules:
    """What was found: the groups that can be evaluated, and all that is wrong with the rest."""

    files: tuple[str, ...]
    groups: tuple[Group, ...]
    problems: tuple[Problem, ...]
