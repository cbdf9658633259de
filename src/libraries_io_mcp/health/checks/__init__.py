"""The checks of this server. One more is one function in a file of this folder and one line in `checks`."""

from collections.abc import Callable, Sequence

from libraries_io_mcp.health.check import Check
from libraries_io_mcp.health.checks.alerts import AlertingFacts, alerting
from libraries_io_mcp.health.checks.keeping import cache_performance, storage_connectivity
from libraries_io_mcp.health.checks.leaving import log_destinations, telemetry_export
from libraries_io_mcp.health.checks.parts import background_tasks
from libraries_io_mcp.health.checks.sign_in import Keys, sign_in
from libraries_io_mcp.health.checks.upstream import api_connectivity, rate_limit_status, upstream_breaker
from libraries_io_mcp.librariesio.vitals import Vitals
from libraries_io_mcp.telemetry.deliveries import Delivery
from libraries_io_mcp.telemetry.logs.destinations import DestinationFacts

__all__ = ["AlertingFacts", "checks"]


def checks(
    vitals: Vitals,
    *,
    deliveries: Callable[[], Sequence[Delivery]],
    destinations: Callable[[], Sequence[DestinationFacts]],
    alerting_facts: Callable[[], AlertingFacts],
    problems: Callable[[], Sequence[str]],
    keys: Keys | None = None,
    seconds: float,
    probe_seconds: float,
) -> tuple[Check, ...]:
    """All checks, each made about every `seconds`.

    `keys` are those of JSON Web Tokens, if callers may bring any.

    Only `api_connectivity` may cost requests: one each `probe_seconds` in which nobody else asked.
    """
    return (
        Check("api_connectivity", api_connectivity(vitals, probe_seconds), interval=seconds, critical=True, timeout=15),
        Check("rate_limit_status", rate_limit_status(vitals), interval=seconds),
        Check("upstream_breaker", upstream_breaker(vitals), interval=seconds),
        Check("cache_performance", cache_performance(vitals), interval=seconds),
        Check("storage_connectivity", storage_connectivity(vitals), interval=seconds),
        Check("telemetry_export", telemetry_export(deliveries), interval=seconds),
        Check("log_destinations", log_destinations(destinations), interval=seconds),
        Check("alerting", alerting(alerting_facts), interval=seconds),
        Check("background_tasks", background_tasks(problems), interval=seconds),
        *((Check("sign_in", sign_in(keys), interval=seconds, timeout=15),) if keys is not None else ()),
    )
