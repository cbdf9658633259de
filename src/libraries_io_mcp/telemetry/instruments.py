"""Every instrument of the product, created once, behind typed record methods.

Handed in wherever something is measured; nothing is looked up globally. With a no-op meter the methods cost next to
nothing, so callers never ask whether telemetry is on.
"""

from opentelemetry.metrics import Counter, Histogram, Meter
from opentelemetry.metrics import _Gauge as Gauge
from opentelemetry.util.types import AttributeValue

from libraries_io_mcp.telemetry import semconv
from libraries_io_mcp.telemetry.semconv import Attribute, BreakerState, CacheResult, Metric

_BREAKER_VALUE: dict[BreakerState, float] = {"closed": 0.0, "half_open": 0.5, "open": 1.0}


class Instruments:
    """The instruments of one meter. Durations and waits are in seconds, sizes in bytes."""

    def __init__(self, meter: Meter) -> None:
        self._operation_duration = _histogram(meter, semconv.OPERATION_DURATION)
        self._call_duration = _histogram(meter, semconv.CALL_DURATION)
        self._retries = _counter(meter, semconv.RETRIES)
        self._quota_limit = _gauge(meter, semconv.QUOTA_LIMIT)
        self._quota_remaining = _gauge(meter, semconv.QUOTA_REMAINING)
        self._quota_wait = _histogram(meter, semconv.QUOTA_WAIT)
        self._cache_lookups = _counter(meter, semconv.CACHE_LOOKUPS)
        self._cache_entries = _gauge(meter, semconv.CACHE_ENTRIES)
        self._cache_size = _gauge(meter, semconv.CACHE_SIZE)
        self._breaker = _gauge(meter, semconv.BREAKER)
        self._log_drops = _counter(meter, semconv.LOG_DROPS)

    def operation(self, duration: float, attributes: dict[str, AttributeValue]) -> None:
        """One MCP request has ended. Call it inside its span, so that the span becomes the exemplar."""
        self._operation_duration.record(duration, attributes)

    def call(self, endpoint: str, duration: float, *, cache: CacheResult, error_type: str | None) -> None:
        """One question to Libraries.io has ended. `endpoint` is a path template of the client's closed list."""
        attributes: dict[str, AttributeValue] = {Attribute.ENDPOINT: endpoint, Attribute.CACHE_RESULT: cache}
        if error_type is not None:
            attributes[Attribute.ERROR_TYPE] = error_type
        self._call_duration.record(duration, attributes)

    def retry(self, endpoint: str, error_type: str) -> None:
        """An attempt failed with `error_type` (a class in `errors.py`) and another one follows."""
        self._retries.add(1, {Attribute.ENDPOINT: endpoint, Attribute.ERROR_TYPE: error_type})

    def quota(self, limit: int, remaining: int) -> None:
        """What the quota's current window allows, and what is left of it."""
        self._quota_limit.set(limit)
        self._quota_remaining.set(remaining)

    def quota_wait(self, endpoint: str, seconds: float) -> None:
        """One attempt waited this long for the quota, 0 included."""
        self._quota_wait.record(seconds, {Attribute.ENDPOINT: endpoint})

    def cache_lookup(self, endpoint: str, result: CacheResult) -> None:
        """One question was put to the cache."""
        self._cache_lookups.add(1, {Attribute.ENDPOINT: endpoint, Attribute.CACHE_RESULT: result})

    def cache_content(self, entries: int, size: int) -> None:
        """How many answers the cache holds in memory, and the bytes of their replies."""
        self._cache_entries.set(entries)
        self._cache_size.set(size)

    def breaker(self, group: str, state: BreakerState) -> None:
        """The circuit breaker of an endpoint group changed."""
        self._breaker.set(_BREAKER_VALUE[state], {Attribute.ENDPOINT: group})

    def log_dropped(self) -> None:
        """A log record was dropped because its destination was too slow."""
        self._log_drops.add(1)


def _counter(meter: Meter, metric: Metric) -> Counter:
    return meter.create_counter(metric.name, metric.unit, metric.description)


def _gauge(meter: Meter, metric: Metric) -> Gauge:
    return meter.create_gauge(metric.name, metric.unit, metric.description)


def _histogram(meter: Meter, metric: Metric) -> Histogram:
    return meter.create_histogram(
        metric.name, metric.unit, metric.description, explicit_bucket_boundaries_advisory=metric.buckets
    )
