"""Runs every check in the background at its interval, and reports what they found. A request never starts a check."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from libraries_io_mcp.health.check import Check, Outcome
from libraries_io_mcp.health.report import Finding, Report

JITTER: Final = 0.1
"""Part of an interval by which it is longer or shorter, so that checks, and replicas, do not march in step."""
MISSED: Final = 3
"""After so many intervals without a look, what a check found is no longer believed."""
NOT_YET: Final = Outcome("unknown", "Not looked at yet.")


class Registry:
    """The checks of one server, and what each found last. One loop runs it; any thread may ask for the report.

    Args:
        about: which server it is; part of every report.
        clean: masks secrets in a text.
        now: epoch seconds.
        monotonic: seconds on a clock that never jumps.
        random_part: a number from 0 to 1, for the jitter.
    """

    def __init__(
        self,
        checks: Sequence[Check],
        *,
        about: Callable[[], Mapping[str, Any]],
        clean: Callable[[str], str],
        now: Callable[[], float],
        monotonic: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random_part: Callable[[], float] = random.random,
    ) -> None:
        self._checks: dict[str, Check] = {check.name: check for check in checks}
        if len(self._checks) < len(checks):
            raise ValueError("two checks have the same name")
        self._about = about
        self._clean = clean
        self._now = now
        self._monotonic = monotonic
        self._sleep = sleep
        self._random_part = random_part
        self._found: dict[str, tuple[Finding, float]] = {}
        self._leaving = False

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all checks."""
        return tuple(self._checks)

    def report(self) -> Report:
        """What every check found last. Takes microseconds; asks nobody."""
        return Report(tuple(self._finding(check) for check in self._checks.values()), self._about(), self._leaving)

    def leave(self) -> None:
        """From now on the server is not ready: it is about to end."""
        self._leaving = True

    async def run(self) -> None:
        """Look at everything, each at its interval, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for check in self._checks.values():
                tasks.create_task(self._repeat(check), name=f"health-{check.name}")

    async def look(self, name: str) -> None:
        """Look at one thing now. Never raises for what the check finds."""
        check = self._checks[name]
        begun, at = self._monotonic(), self._now()
        try:
            async with asyncio.timeout(check.timeout):
                outcome = await check.ping()
        except TimeoutError:
            outcome = Outcome("unhealthy", f"The check did not end within {check.timeout:g} s.")
        except Exception as error:  # a check that breaks is a finding of its own
            outcome = Outcome("unhealthy", f"The check failed with {type(error).__name__}: {error}")
        ended = self._monotonic()
        finding = Finding(check.name, check.critical, self._cleaned(outcome), ended - begun, at)
        self._found[name] = (finding, ended)

    async def _repeat(self, check: Check) -> None:
        while True:
            await self.look(check.name)
            await self._sleep(check.interval * (1 + JITTER * (2 * self._random_part() - 1)))

    def _finding(self, check: Check) -> Finding:
        found = self._found.get(check.name)
        if found is None:
            return Finding(check.name, check.critical, NOT_YET)
        finding, ended = found
        age = max(self._monotonic() - ended, 0.0)
        if age > MISSED * check.interval + check.timeout:
            return replace(finding, age=age, outcome=_too_old(finding.outcome, age))
        return replace(finding, age=age)

    def _cleaned(self, outcome: Outcome) -> Outcome:
        return Outcome(
            outcome.status,
            outcome.error and self._clean(outcome.error),
            _cleaned(outcome.details, self._clean),
            outcome.what_to_do,
        )


def _too_old(outcome: Outcome, age: float) -> Outcome:
    said = f"The last look was {age:.0f} s ago and found: {outcome.status}"
    return Outcome("unknown", f"{said} ({outcome.error})." if outcome.error else f"{said}.", outcome.details)


def _cleaned(value: Any, clean: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {key: _cleaned(item, clean) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(item, clean) for item in value]
    return value
