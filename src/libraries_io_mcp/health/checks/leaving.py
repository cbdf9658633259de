"""What leaves the process: telemetry by its ways out, and log lines by their destinations."""

from collections.abc import Callable, Sequence

from libraries_io_mcp.health.check import Outcome, Ping
from libraries_io_mcp.telemetry.deliveries import Delivery
from libraries_io_mcp.telemetry.logs.destinations import DestinationFacts


def telemetry_export(deliveries: Callable[[], Sequence[Delivery]]) -> Ping:
    """Whether spans, metrics and log records arrive. A way fails from the first not taken until one is taken again."""
    before: dict[tuple[str, str], Delivery] = {}
    failing: set[tuple[str, str]] = set()

    def look(each: Delivery) -> None:
        key = (each.signal, each.way)
        last = before.get(key)
        before[key] = each
        lost = each.refusals + each.dropped - (last.refusals + last.dropped if last else 0)
        arrived = each.delivered - (last.delivered if last else 0)
        if lost > 0:
            failing.add(key)
        elif arrived > 0:
            failing.discard(key)

    async def ping() -> Outcome:
        found = deliveries()
        for each in found:
            look(each)
        details = {f"{each.signal} by {each.way}": _counts(each) for each in found}
        if not found:
            return Outcome("healthy", None, {"note": "No exporter is set: nothing is sent."})
        if failing:
            wrong = [each for each in found if (each.signal, each.way) in failing]
            error = "Not delivered: " + "; ".join(_loss(each) for each in wrong)
            advice = "Run `libraries-io-mcp doctor`: it sends an empty export to each OTEL_EXPORTER_OTLP_* endpoint."
            return Outcome("degraded", error, details, advice)
        if not any(each.delivered for each in found):
            return Outcome("unknown", "Nothing was delivered yet.", details)
        return Outcome("healthy", None, details)

    return ping


def _counts(each: Delivery) -> dict[str, int | float | str | None]:
    return {
        "offered": each.offered,
        "delivered": each.delivered,
        "waiting": each.waiting,
        "failed": each.failed,
        "dropped": each.dropped,
        "last_error": each.last_error,
        "last_success_at": each.last_success,
    }


def _loss(each: Delivery) -> str:
    return f"{each.signal} by {each.way}: {each.failed + each.dropped} lost, last error {each.last_error or 'none'}"


def log_destinations(destinations: Callable[[], Sequence[DestinationFacts]]) -> Ping:
    """Whether log lines arrive where they should, and how many were lost."""
    dropped_before: dict[str, int] = {}

    async def ping() -> Outcome:
        found = destinations()
        lost = {each.name: each.dropped - dropped_before.get(each.name, 0) for each in found}
        dropped_before.update({each.name: each.dropped for each in found})
        details = {each.name: {"dropped": each.dropped, "queued": each.queued, "error": each.error} for each in found}
        # The shared queue is no place where lines arrive.
        places = [each for each in found if each.name != "queue"]
        wrong = [each for each in places if each.error]
        losing = [name for name, count in lost.items() if count > 0]
        if not wrong and not losing:
            return Outcome("healthy", None, details)
        parts = [f"{each.name}: {each.error}" for each in wrong]
        parts += [f"{name}: {lost[name]} lines lost since the last look" for name in losing]
        advice = "Make room or give the right to write where LOG_FILE points; each is tried again every 5 s."
        whole = bool(wrong) and len(wrong) == len(places)
        return Outcome("unhealthy" if whole else "degraded", "; ".join(parts), details, advice)

    return ping
