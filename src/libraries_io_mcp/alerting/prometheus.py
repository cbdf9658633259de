"""What Prometheus evaluates at this moment, by its rules API; its answers are bounded in size and time."""

import asyncio
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import httpx

from libraries_io_mcp.alerting.alert import Alert
from libraries_io_mcp.alerting.canonical import canonical
from libraries_io_mcp.alerting.rule import AlertingRule, Group, Rule

ANSWER_SECONDS: Final = 3.0
"""An answer that takes longer is none."""
ANSWER_BYTES: Final = 16_000_000
"""A thousand firing alerts with long texts are 2 MB."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What makes two rules the same: all that decides when which alert fires, and under which labels."""

    name: str
    expression: str
    for_seconds: float = 0.0
    keep_firing_seconds: float = 0.0
    labels: frozenset[tuple[str, str]] = frozenset()


Rules = frozenset[Shape]


class NoAnswerError(Exception):
    """Prometheus did not give a usable answer; the text says why, and holds no address."""


@dataclass(frozen=True, slots=True)
class SeenGroup:
    """A group of rules as Prometheus shows it.

    Attributes:
        interval: seconds between evaluations.
        evaluated_at: when it was evaluated last, by the clock of Prometheus; seconds since 1970, negative for never.
        alerts: pending and firing.
    """

    name: str
    rules: Rules
    interval: float
    evaluated_at: float
    alerts: tuple[Alert, ...]


class Prometheus:
    """Asks one Prometheus."""

    def __init__(self, url: str, client: httpx.AsyncClient, *, seconds: float = ANSWER_SECONDS) -> None:
        self._url = url
        self._client = client
        self._seconds = seconds

    async def look(self) -> tuple[SeenGroup, ...]:
        """Its groups of rules and their alerts.

        Raises:
            NoAnswerError: refused, too slow, too long, or not what Prometheus answers.
        """
        try:
            async with asyncio.timeout(self._seconds):
                body = await self._body()
            return tuple(_group(group) for group in json.loads(body)["data"]["groups"])
        except TimeoutError:
            raise NoAnswerError(f"no answer within {self._seconds:g} s") from None
        except httpx.HTTPError as error:
            raise NoAnswerError(type(error).__name__) from None
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
            raise NoAnswerError("not an answer of Prometheus' rules API") from None

    async def _body(self) -> bytes:
        async with self._client.stream("GET", f"{self._url}/api/v1/rules") as answer:
            if answer.status_code != 200:
                raise NoAnswerError(f"answered {answer.status_code}")
            body = bytearray()
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > ANSWER_BYTES:
                    raise NoAnswerError(f"answered more than {ANSWER_BYTES} bytes")
        return bytes(body)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A group of rules of ours; `interval` in seconds."""

    name: str
    rules: Rules
    interval: float


class Watch:
    """Whether Prometheus evaluates these groups of rules, judged by our own clock: its clock may be wrong."""

    def __init__(self, groups: Sequence[Wanted]) -> None:
        self._groups = tuple(groups)
        self._evaluated_at: dict[Wanted, float] = {}
        self._advanced_at: dict[Wanted, float] = {}
        self._fresh_since: float | None = None
        self.alerts: tuple[Alert, ...] = ()
        """Those of our groups, when all of them were there last."""
        self.missing: str | None = "it was not asked yet"
        """Why the last look did not show it evaluating the same rules, in words; `None` when it did."""

    def saw(self, groups: Sequence[SeenGroup], now: float) -> None:
        """Take note of a look at Prometheus."""
        found = [(wanted, _match(wanted, groups)) for wanted in self._groups]
        unmatched = (_difference(wanted, groups) for wanted, group in found if group is None)
        self.missing = next(unmatched, None) if self._groups else "there are no rules here"
        for wanted, group in found:
            if group is not None:
                self._advance(wanted, group, now)
        if self.missing is None:
            self.alerts = tuple(alert for _, group in found if group is not None for alert in group.alerts)

    def missed(self, reason: str) -> None:
        """It did not answer. What was seen before counts until it is too old."""
        self.missing = reason

    def fresh(self, now: float) -> bool:
        """Whether all groups are there, each evaluated within its last two intervals."""
        # A clock that is set back must not prolong what was seen.
        self._advanced_at = {wanted: min(at, now) for wanted, at in self._advanced_at.items()}
        ages = [(wanted, now - self._advanced_at.get(wanted, -math.inf)) for wanted in self._groups]
        fresh = bool(ages) and all(age <= 2 * wanted.interval for wanted, age in ages)
        if not fresh:
            self._fresh_since = None
        elif self._fresh_since is None:
            self._fresh_since = now
        return fresh

    def fresh_for(self, now: float) -> float:
        """Seconds since which it is fresh; 0 when it is not."""
        return now - self._fresh_since if self.fresh(now) and self._fresh_since is not None else 0.0

    def _advance(self, wanted: Wanted, group: SeenGroup, now: float) -> None:
        before = self._evaluated_at.get(wanted)
        self._evaluated_at[wanted] = group.evaluated_at
        # At the first look there is nothing to compare with, so the clocks have to agree.
        recent = abs(now - group.evaluated_at) <= 2 * wanted.interval
        if recent if before is None else group.evaluated_at != before:
            self._advanced_at[wanted] = now


def wanted(groups: Iterable[Group]) -> list[Wanted]:
    """What Prometheus is expected to evaluate."""
    return [Wanted(group.name, frozenset(map(_ours, group.rules)), group.interval) for group in groups]


def _ours(rule: Rule) -> Shape:
    expression = canonical(rule.expression.text)
    if not isinstance(rule, AlertingRule):
        return Shape(rule.record, expression, labels=frozenset(rule.labels.items()))
    labels = frozenset((name, template.text) for name, template in rule.labels.items())
    return Shape(rule.name, expression, rule.for_seconds, rule.keep_firing_seconds, labels)


def _theirs(rule: Mapping[str, Any]) -> Shape:
    return Shape(
        rule["name"],
        canonical(rule["query"]),
        float(rule.get("duration", 0)),
        float(rule.get("keepFiringFor", 0)),
        frozenset((rule.get("labels") or {}).items()),
    )


def _match(wanted: Wanted, groups: Sequence[SeenGroup]) -> SeenGroup | None:
    # Prometheus may evaluate more: a rule that this server refused is none of ours.
    return next((group for group in groups if group.name == wanted.name and wanted.rules <= group.rules), None)


def _difference(wanted: Wanted, groups: Sequence[SeenGroup]) -> str:
    named = [group for group in groups if group.name == wanted.name]
    if not named:
        return f"it has no group {wanted.name}"
    other = sorted({rule.name for rule in wanted.rules - named[0].rules})
    return f"its group {wanted.name} has other rules than here: {', '.join(other[:3])}{', ...' if other[3:] else ''}"


def _group(group: Mapping[str, Any]) -> SeenGroup:
    rules = group["rules"]
    return SeenGroup(
        group["name"],
        frozenset(map(_theirs, rules)),
        float(group["interval"]),
        _seconds(group["lastEvaluation"]),
        tuple(
            _alert(alert, float(rule.get("duration", 0)))
            for rule in rules
            if rule["type"] == "alerting"
            for alert in rule["alerts"]
        ),
    )


def _alert(alert: Mapping[str, Any], for_seconds: float) -> Alert:
    active_at = _seconds(alert["activeAt"])
    firing = alert["state"] == "firing"
    kept = alert.get("keepFiringSince")
    return Alert(
        {str(name): str(value) for name, value in alert["labels"].items()},
        {str(name): str(value) for name, value in alert["annotations"].items()},
        float(alert["value"]),
        "firing" if firing else "pending",
        active_at,
        # It does not say since when; it fires from the first evaluation after `for`.
        active_at + for_seconds if firing else None,
        None,
        _seconds(kept) if kept else None,
    )


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
