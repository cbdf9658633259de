"""The checks of this server. One more is one function in a file of this folder and one line in `checks`."""

from collections.abc import Callable, Sequence

from libraries_io_mcp.health.check import Check
from libraries_io_mcp.health.checks.alerts import AlertingFacts, alerting
from libraries_io_mcp.health.checks.keeping import cache_performance, storage_connectivity
from libraries_io_mcp.health.checks.leaving import log_destinations, telemetry_export
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
    probe_seconds: float,
) -> tuple[Check, ...]:
    """All checks. Only `api_connectivity` may cost requests: one each `probe_seconds` in which nobody else asked."""
    return (
        Check("api_connectivity", api_connectivity(vitals, probe_seconds), interval=10, critical=True, timeout=15),
        Check("rate_limit_status", rate_limit_status(vitals), interval=5),
        Check("upstream_breaker", upstream_breaker(vitals), interval=5),
        Check("cache_performance", cache_performance(vitals), interval=15),
        Check("storage_connectivity", storage_connectivity(vitals), interval=15),
        Check("telemetry_export", telemetry_export(deliveries), interval=10),
        Check("log_destinations", log_destinations(destinations), interval=5),
        Check("alerting", alerting(alerting_facts), interval=10),
    )
