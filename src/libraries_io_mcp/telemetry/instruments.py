"""Every instrument of the product, created once, behind typed record methods.

Handed in wherever something is measured; nothing is looked up globally. With a no-op meter the methods cost next to
nothing, so callers never ask whether telemetry is on. Only durations are recorded one by one, since they need buckets
and exemplars. Counts are kept in a dictionary and states are asked for, both when metrics are collected: that is
cheap, and a state is never older than the collection. `docs/decisions/performance.md` has the figures.
"""

import threading
from collections.abc import Callable, Iterable, Mapping

from opentelemetry.metrics import CallbackOptions, Histogram, Meter, Observation
from opentelemetry.util.types import AttributeValue

from libraries_io_mcp.telemetry import semconv
from libraries_io_mcp.telemetry.semconv import (
    AlertChannel,
    AlertDelivery,
    Attribute,
    BreakerState,
    CacheResult,
    HealthCheck,
    HttpLimit,
    LogDestination,
    Metric,
    OperationName,
    Refusal,
    Signal,
)

_BREAKER_VALUE: dict[BreakerState, float] = {"closed": 0.0, "half_open": 0.5, "open": 1.0}

Attributes = dict[str, AttributeValue]


class Tally:
    """Counts by attribute values, in the order of the metric's attributes. Safe to use from any thread."""

    def __init__(self, metric: Metric) -> None:
        self._keys = metric.attributes
        self._lock = threading.Lock()
        # A count without attributes starts at 0, so that its first increase can be seen.
        self._counts: dict[tuple[str, ...], int] = {} if metric.attributes else {(): 0}

    def add(self, amount: int, *values: str) -> None:
        """Count."""
        with self._lock:
            self._counts[values] = self._counts.get(values, 0) + amount

    def observe(self, _options: CallbackOptions) -> Iterable[Observation]:
        """What is counted so far."""
        with self._lock:
            counts = list(self._counts.items())
        return [Observation(count, dict(zip(self._keys, values, strict=True))) for values, count in counts]


class Watch:
    """A state that somebody else keeps: asked for at each collection, silent until somebody says whom to ask."""

    def __init__(self, read: Callable[[], Iterable[Observation]] | None = None) -> None:
        self.read = read

    def observe(self, _options: CallbackOptions) -> Iterable[Observation]:
        """The state now."""
        return self.read() if self.read else ()


class Instruments:
    """The instruments of one meter. Durations and waits are in seconds, sizes in bytes."""

    def __init__(self, meter: Meter) -> None:
        self._operation_duration = _histogram(meter, semconv.OPERATION_DURATION)
        self._session_duration = _histogram(meter, semconv.SESSION_DURATION)
        self._http_duration = _histogram(meter, semconv.HTTP_SERVER_DURATION)
        self._call_duration = _histogram(meter, semconv.CALL_DURATION)
        self._quota_wait = _histogram(meter, semconv.QUOTA_WAIT)
        self._work_duration = _histogram(meter, semconv.WORK_DURATION)
        self._http_active = _tally(meter, semconv.HTTP_SERVER_ACTIVE)
        self._reply_deviations = _tally(meter, semconv.REPLY_DEVIATIONS)
        self._http_refusals = _tally(meter, semconv.HTTP_REFUSALS)
        self._http_limit_used = _watch(meter, semconv.HTTP_LIMIT_USED)
        self._http_limit_max = _watch(meter, semconv.HTTP_LIMIT_MAX)
        self._retries = _tally(meter, semconv.RETRIES)
        self._cache_lookups = _tally(meter, semconv.CACHE_LOOKUPS)
        self._log_drops = _tally(meter, semconv.LOG_DROPS)
        self._telemetry_drops = _tally(meter, semconv.TELEMETRY_DROPS)
        self._alert_deliveries = _tally(meter, semconv.ALERT_DELIVERIES)
        self._alert_evaluations = _tally(meter, semconv.ALERT_EVALUATIONS)
        self._alert_evaluation_duration = _histogram(meter, semconv.ALERT_EVALUATION_DURATION)
        self._alerts_active = _watch(meter, semconv.ALERTS_ACTIVE)
        self._alert_evaluator = _watch(meter, semconv.ALERT_EVALUATOR)
        self._health_status = _watch(meter, semconv.HEALTH_STATUS)
        self._health_score = _watch(meter, semconv.HEALTH_SCORE)
        self._operations_active = _watch(meter, semconv.OPERATIONS_ACTIVE)
        self._quota_limit = _watch(meter, semconv.QUOTA_LIMIT)
        self._quota_remaining = _watch(meter, semconv.QUOTA_REMAINING)
        self._quota_waiting = _watch(meter, semconv.QUOTA_WAITING)
        self._cache_entries = _watch(meter, semconv.CACHE_ENTRIES)
        self._cache_size = _watch(meter, semconv.CACHE_SIZE)
        self._breaker = _watch(meter, semconv.BREAKER)

    def operation(self, duration: float, attributes: Attributes) -> None:
        """One MCP request has ended. Call it inside its span, so that the span becomes the exemplar."""
        self._operation_duration.record(duration, attributes)

    def session(self, duration: float, attributes: Attributes) -> None:
        """One MCP session has ended."""
        self._session_duration.record(duration, attributes)

    def http_begins(self, method: str, scheme: str) -> None:
        """An HTTP request has come in."""
        self._http_active.add(1, method, scheme)

    def http_ended(self, duration: float, attributes: Attributes) -> None:
        """It has been answered. `attributes` are those of the metric, the method and the scheme among them."""
        self._http_active.add(-1, str(attributes[Attribute.HTTP_METHOD]), str(attributes[Attribute.URL_SCHEME]))
        self._http_duration.record(duration, attributes)

    def reply_deviation(self, endpoint: str, field: str, count: int) -> None:
        """Values of a field in a reply of Libraries.io could not be read."""
        self._reply_deviations.add(count, endpoint, field)

    def http_refused(self, reason: Refusal) -> None:
        """A limit refused or ended something that came over HTTP."""
        self._http_refusals.add(1, reason)

    def watch_http_limits(self, read: Callable[[], Mapping[HttpLimit, tuple[int, int]]]) -> None:
        """`read` tells of each limit for all callers over HTTP how much is in use and how much there is."""

        def observed(which: int) -> list[Observation]:
            return [Observation(each[which], {Attribute.HTTP_LIMIT: name}) for name, each in read().items()]

        self._http_limit_used.read = lambda: observed(0)
        self._http_limit_max.read = lambda: observed(1)

    def call(self, endpoint: str, duration: float, *, cache: CacheResult, error_type: str | None) -> None:
        """One question to Libraries.io has ended. `endpoint` is a path template of the client's closed list."""
        attributes: Attributes = {Attribute.ENDPOINT: endpoint, Attribute.CACHE_RESULT: cache}
        if error_type is not None:
            attributes[Attribute.ERROR_TYPE] = _known(error_type)
        self._call_duration.record(duration, attributes)

    def retry(self, endpoint: str, error_type: str) -> None:
        """An attempt failed with `error_type` (a class in `errors.py`) and another one follows."""
        self._retries.add(1, endpoint, _known(error_type))

    def quota_wait(self, endpoint: str, seconds: float) -> None:
        """One attempt waited this long for the quota, 0 included."""
        self._quota_wait.record(seconds, {Attribute.ENDPOINT: endpoint})

    def cache_lookup(self, endpoint: str, result: CacheResult) -> None:
        """One question was put to the cache."""
        self._cache_lookups.add(1, endpoint, result)

    def log_dropped(self, destination: LogDestination) -> None:
        """A log record was dropped because its destination was too slow or did not work."""
        self._log_drops.add(1, destination)

    def work(self, operation: OperationName, duration: float, error_type: str | None) -> None:
        """An operation of our own has ended. Call it inside its span, so that the span becomes the exemplar."""
        attributes: Attributes = {Attribute.OPERATION: operation}
        if error_type is not None:
            attributes[Attribute.ERROR_TYPE] = _known(error_type)
        self._work_duration.record(duration, attributes)

    def telemetry_dropped(self, signal: Signal, count: int = 1) -> None:
        """Spans, metric points or log records were made and could not be delivered."""
        self._telemetry_drops.add(count, signal)

    def watch_health(self, read: Callable[[], tuple[Mapping[HealthCheck, float], float | None]]) -> None:
        """`read` tells the value of each health check's status, and the score if there is one."""
        self._health_status.read = lambda: [
            Observation(value, {Attribute.HEALTH_CHECK: name}) for name, value in read()[0].items()
        ]
        self._health_score.read = lambda: [Observation(score) for score in (read()[1],) if score is not None]

    def alert_evaluation(self, duration: float, *, failed: bool) -> None:
        """A group of rules was evaluated in this process; `failed`: not all of its rules could be."""
        self._alert_evaluations.add(1, "failed" if failed else "ok")
        self._alert_evaluation_duration.record(duration)

    def watch_alerts(self, active: Callable[[], Mapping[tuple[str, str], int]], in_charge: Callable[[], bool]) -> None:
        """`active` tells how many alerts there are by severity and state; `in_charge` whether this process decides."""
        keys = semconv.ALERTS_ACTIVE.attributes
        self._alerts_active.read = lambda: [
            Observation(count, dict(zip(keys, values, strict=True))) for values, count in active().items()
        ]
        self._alert_evaluator.read = lambda: [Observation(int(in_charge()))]

    def alert_delivery(self, channel: AlertChannel, outcome: AlertDelivery) -> None:
        """Somebody was to be told of alerts by a channel, with this outcome."""
        self._alert_deliveries.add(1, channel, outcome)

    def watch_operations(self, active: Callable[[], int]) -> None:
        """`active` tells how many MCP requests are being served."""
        self._operations_active.read = lambda: [Observation(active())]

    def watch_quota(self, read: Callable[[], tuple[int, int, int]]) -> None:
        """`read` tells what the quota's window allows, what is left of it, and how many questions wait for it."""
        self._quota_limit.read = lambda: [Observation(read()[0])]
        self._quota_remaining.read = lambda: [Observation(read()[1])]
        self._quota_waiting.read = lambda: [Observation(read()[2])]

    def watch_cache(self, read: Callable[[], tuple[int, int]]) -> None:
        """`read` tells how many answers the cache holds in memory, and the bytes of their replies."""
        self._cache_entries.read = lambda: [Observation(read()[0])]
        self._cache_size.read = lambda: [Observation(read()[1])]

    def watch_breakers(self, read: Callable[[], Mapping[str, BreakerState]]) -> None:
        """`read` tells the state of the circuit breaker of each endpoint group."""
        self._breaker.read = lambda: [
            Observation(_BREAKER_VALUE[state], {Attribute.ENDPOINT: group}) for group, state in read().items()
        ]


def _known(error_type: str) -> str:
    return error_type if error_type in semconv.CALL_ERROR_TYPES else semconv.OTHER


def _histogram(meter: Meter, metric: Metric) -> Histogram:
    return meter.create_histogram(
        metric.name, metric.unit, metric.description, explicit_bucket_boundaries_advisory=metric.buckets
    )


def _tally(meter: Meter, metric: Metric) -> Tally:
    tally = Tally(metric)
    create = meter.create_observable_counter if metric.kind == "counter" else meter.create_observable_up_down_counter
    create(metric.name, [tally.observe], metric.unit, metric.description)
    return tally


def _watch(meter: Meter, metric: Metric) -> Watch:
    watch = Watch()
    create = meter.create_observable_gauge if metric.kind == "gauge" else meter.create_observable_up_down_counter
    create(metric.name, [watch.observe], metric.unit, metric.description)
    return watch
