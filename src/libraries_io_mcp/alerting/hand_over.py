"""Who evaluates the rules: Prometheus while it is seen to do so, otherwise this server."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from libraries_io_mcp.alerting.alert import Alert
from libraries_io_mcp.alerting.prometheus import Watch
from libraries_io_mcp.alerting.rule import AlertingRule, Group

Evaluator = Literal["prometheus", "in_process"]
LONGEST_WAIT_SECONDS: Final = 3600.0
"""A Prometheus that came back gets no longer than this to see what this server sees."""


@dataclass(frozen=True, slots=True)
class Change:
    """Somebody else evaluates from now on; `reason` in words."""

    to: Evaluator
    reason: str


class HandOver:
    """Decides after every look and every evaluation. Without a watch this server always evaluates."""

    def __init__(self, watch: Watch | None, patience: Mapping[str, float], *, interval: float, now: float) -> None:
        """`patience`: see the function of that name; `interval`: the longest of the groups."""
        self._watch = watch
        self._patience = patience
        self._interval = interval
        self.by: Evaluator = "in_process"
        self.since = now

    def restore(self, by: Evaluator, since: float) -> None:
        """Who evaluated before a restart."""
        if self._watch is not None:
            self.by, self.since = by, since

    def decide(self, ours: Sequence[Alert], now: float) -> Change | None:
        """The change that is due now, if any. `ours` are the pending and firing alerts by this server's evaluation."""
        if self._watch is None:
            return None
        fresh = self._watch.fresh(now)
        if self.by == "prometheus" and not fresh:
            reason = self._watch.missing or "it has not evaluated them for two intervals"
            return self._change(Change("in_process", reason), now)
        if self.by == "in_process" and fresh and self._caught_up(self._watch, ours, now):
            return self._change(Change("prometheus", "it evaluates the same rules"), now)
        return None

    def _change(self, change: Change, now: float) -> Change:
        self.by, self.since = change.to, now
        return change

    def _caught_up(self, watch: Watch, ours: Sequence[Alert], now: float) -> bool:
        """Whether Prometheus knows what this server knows, or has had the time to.

        After a restart of Prometheus the `for` of its rules begins anew, and its samples come again only when those
        who send them try again: handing back at once would hold an alert up, or end it.
        """
        theirs = {alert.fingerprint: alert for alert in watch.alerts}
        behind = [alert for alert in ours if not self._as_far(theirs.get(alert.fingerprint), alert)]
        longest = max((self._patience.get(alert.name, 0.0) for alert in behind), default=0.0)
        return not behind or watch.fresh_for(now) > min(longest + 2 * self._interval, LONGEST_WAIT_SECONDS)

    def _as_far(self, theirs: Alert | None, ours: Alert) -> bool:
        if theirs is None:
            return False
        return theirs.state == "firing" or (
            ours.state == "pending" and theirs.active_at <= ours.active_at + self._interval
        )


def patience(groups: Iterable[Group]) -> dict[str, float]:
    """How long, in seconds, an alert of each name takes from the first sample at most: how far it looks back, `for`."""
    found: dict[str, float] = {}
    for rule in (rule for group in groups for rule in group.rules):
        if isinstance(rule, AlertingRule):
            longest = rule.for_seconds + rule.expression.range_seconds
            found[rule.name] = max(found.get(rule.name, 0.0), longest)
    return found
