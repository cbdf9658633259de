"""Alerting: whether somebody evaluates the rules, and whether what they found is told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from libraries_io_mcp.health.check import Outcome, Ping

LATE: Final = 4
"""After so many intervals without an evaluation, it has stopped."""
_MOST_PROBLEMS: Final = 10
DOCTOR: Final = "Run `libraries-io-mcp doctor`: it tries Alertmanager, the mail server and the webhook."


@dataclass(frozen=True, slots=True)
class AlertingFacts:
    """What the alerting service says of itself.

    Attributes:
        evaluated_by: who evaluates the rules now.
        last_evaluation_age: seconds since this process last evaluated them; `None`: it never did.
        interval: seconds between two evaluations.
        problems: what is wrong with rule files, one line each.
        failed_parts: parts of alerting that ended of late and were started again, one line each.
        undelivered: messages about firing alerts that a receiver has not taken.
        delivery_error: what went wrong with them; `None` while none fails.
        nobody_told: no way to people works.
    """

    evaluated_by: Literal["prometheus", "in_process", "off"]
    last_evaluation_age: float | None = None
    interval: float = 15.0
    problems: Sequence[str] = ()
    failed_parts: Sequence[str] = ()
    undelivered: int = 0
    delivery_error: str | None = None
    nobody_told: bool = False


def alerting(facts_of: Callable[[], AlertingFacts]) -> Ping:
    """Judges what the service says."""

    async def ping() -> Outcome:
        facts = facts_of()
        details = {
            "evaluated_by": facts.evaluated_by,
            "last_evaluation_age_seconds": facts.last_evaluation_age,
            "problems": list(facts.problems[:_MOST_PROBLEMS]),
            "problem_count": len(facts.problems),
            "failed_parts": list(facts.failed_parts),
            "undelivered": facts.undelivered,
            "delivery_error": facts.delivery_error,
        }
        if facts.failed_parts:
            error = f"A part of alerting ended: {facts.failed_parts[0]}."
            return Outcome("unhealthy", error, details, "It was started again. Look for its error in the log.")
        age = facts.last_evaluation_age
        if facts.evaluated_by == "in_process" and age is None:
            return Outcome("unknown", "The rules were not evaluated yet.", details)
        if facts.evaluated_by == "in_process" and age is not None and age > LATE * facts.interval:
            error = f"The rules were last evaluated {age:.0f} s ago."
            return Outcome("unhealthy", error, details, "Look for errors of libraries_io_mcp.alerting in the log.")
        if facts.nobody_told:
            error = f"Nobody is told of alerts, since no way works: {facts.delivery_error}."
            return Outcome("unhealthy", error, details, DOCTOR)
        errors, advice = _troubles(facts)
        if errors:
            return Outcome("degraded", " ".join(errors), details, " ".join(advice))
        return Outcome("healthy", None, details)

    return ping


def _troubles(facts: AlertingFacts) -> tuple[list[str], list[str]]:
    """What is wrong although the rules are evaluated, and what to do about each."""
    errors, advice = [], []
    if facts.problems:
        errors.append(f"{len(facts.problems)} problems with the rules; the first: {facts.problems[0]}.")
        advice.append("Correct the files and look with `libraries-io-mcp alerts check PATH`, or run `doctor`.")
    if facts.delivery_error:
        errors.append(f"{facts.undelivered} messages about alerts are not delivered: {facts.delivery_error}.")
        advice.append(DOCTOR)
    return errors, advice
