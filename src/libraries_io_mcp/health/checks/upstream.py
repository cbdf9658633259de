"""Libraries.io: whether it answers, what is left of the quota, and which circuit breakers are open."""

from typing import Any, Final

from libraries_io_mcp.errors import CallError
from libraries_io_mcp.health.check import Outcome, Ping
from libraries_io_mcp.librariesio.quota import QuotaStatus
from libraries_io_mcp.librariesio.vitals import Contact, Vitals

RECENT_SECONDS: Final = 300.0
"""Failures older than this no longer count."""
DOWN: Final = 3
"""So many failures in a row, and nothing between them, are an outage."""
MANY: Final = 0.25
"""A share of recent failures above this is more than bad luck."""
FEW: Final = 0.1
"""Less than this part of the quota is little."""
RESERVE: Final = 0.5
"""The check's own request goes out only while more than this part of the quota is left."""
_KEY: Final = frozenset({"api_key_rejected"})


def api_connectivity(vitals: Vitals, probe_seconds: float) -> Ping:
    """Judges by what the last questions met. Asks one of its own when nobody else asked for `probe_seconds`."""
    started = vitals.contacts.seconds()

    async def ping() -> Outcome:
        silence = vitals.contacts.last_age
        if silence is None:
            silence = vitals.contacts.seconds() - started
        if 0 < probe_seconds <= silence and _affordable(vitals.quota()):
            try:
                await vitals.probe()
            except CallError:
                # Like any other question, it is among the contacts.
                return _judged(vitals, probe_seconds)
        return _judged(vitals, probe_seconds)

    return ping


def _affordable(quota: QuotaStatus) -> bool:
    return not quota.waiting and quota.remaining > quota.limit * RESERVE


def _judged(vitals: Vitals, probe_seconds: float) -> Outcome:
    age = vitals.contacts.last_age
    # Two probes may fail to take place, for want of quota; then nothing is known any more.
    believed = 2 * max(probe_seconds, RECENT_SECONDS)
    contacts = vitals.contacts.since(believed)
    details: dict[str, Any] = {
        "seconds_since_last_contact": None if age is None else round(age, 1),
        "contacts": len(contacts),
        "failures": sum(each.error_type is not None for each in contacts),
    }
    if deviations := vitals.deviations():
        details["unreadable_in_replies"] = dict(deviations)
    if not contacts:
        return Outcome("unknown", "Libraries.io was not asked lately.", details)
    *_, last = contacts
    in_a_row = _failures_at_the_end(contacts)
    details |= {"failures_in_a_row": in_a_row, "last_error": last.error_type}
    if last.error_type in _KEY:
        return Outcome("unhealthy", "Libraries.io rejects the API key.", details, KEY_ADVICE)
    if in_a_row >= DOWN:
        error = f"The last {in_a_row} questions failed, the newest with {last.error_type}."
        return Outcome("unhealthy", error, details, OUTAGE_ADVICE)
    if in_a_row:
        return Outcome("degraded", f"The last question failed with {last.error_type}.", details, OUTAGE_ADVICE)
    recent = vitals.contacts.since(RECENT_SECONDS)
    failed = sum(each.error_type is not None for each in recent)
    if failed > len(recent) * MANY:
        error = f"{failed} of the last {len(recent)} questions failed."
        return Outcome("degraded", error, details, OUTAGE_ADVICE)
    return Outcome("healthy", None, details)


KEY_ADVICE: Final = "Compare LIBRARIES_IO_API_KEY with the key shown at https://libraries.io/account, then restart."
OUTAGE_ADVICE: Final = (
    "Run `libraries-io-mcp doctor` on this machine: it tells a wrong address or a closed way out from a service that "
    "is down. Known answers are still given from the cache."
)


def _failures_at_the_end(contacts: tuple[Contact, ...]) -> int:
    count = 0
    for contact in reversed(contacts):
        if contact.error_type is None:
            break
        count += 1
    return count


def rate_limit_status(vitals: Vitals) -> Ping:
    """What is left of the quota. Asks nobody."""

    async def ping() -> Outcome:
        quota = vitals.quota()
        details = {
            "limit": quota.limit,
            "remaining": quota.remaining,
            "window_seconds": quota.window_seconds,
            "resets_in_seconds": round(quota.resets_in_seconds, 1),
            "waiting": quota.waiting,
            "key_present": quota.key_present,
            "known_from": quota.known_from,
        }
        advice = f"New questions go on in {quota.resets_in_seconds:.0f} s; known ones are answered from the cache."
        if not quota.key_present:
            advice += " Set LIBRARIES_IO_API_KEY: a key allows 60 requests a minute instead of 10 an hour."
        if quota.remaining <= 0:
            return Outcome("unhealthy", "The quota of this window is used up.", details, advice)
        if quota.waiting or quota.remaining < quota.limit * FEW:
            error = f"{quota.remaining} of {quota.limit} requests are left and {quota.waiting} questions wait."
            return Outcome("degraded", error, details, advice)
        return Outcome("healthy", None, details)

    return ping


def upstream_breaker(vitals: Vitals) -> Ping:
    """The circuit breaker of each group of endpoints that was asked."""

    async def ping() -> Outcome:
        breakers = vitals.breakers()
        details = {
            group: {"state": each.state, "failures": each.failures, "retry_in_seconds": each.retry_in_seconds}
            for group, each in sorted(breakers.items())
        }
        tripped = sorted(group for group, each in breakers.items() if each.state != "closed")
        if not tripped:
            return Outcome("healthy", None, details)
        error = f"Libraries.io is left alone for a while after failures on: {', '.join(tripped)}."
        advice = "Each is tried again by itself, after 30 s at most. If it stays so, see api_connectivity."
        return Outcome("unhealthy" if len(tripped) == len(breakers) else "degraded", error, details, advice)

    return ping
