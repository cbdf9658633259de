"""Every signal of every call, in every back end that keeps it: counted by the client, found in the real servers."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

import pytest
from tests.e2e import points
from tests.e2e.scenario import SOUGHT, Done, documented_metrics
from tests.servers.binaries import ROOT
from tests.servers.jaeger import tags
from tests.servers.stack import Stack
from tests.support.polling import poll_until

ARRIVAL_SECONDS = 240.0
DURATION = "mcp_server_operation_duration_seconds"
ENDINGS = {"s": "_seconds", "By": "_bytes", "1": "_ratio"}
DOCUMENTED = documented_metrics(ROOT / "docs" / "telemetry.md")


def spans_of(stack: Stack, done: Done) -> list[dict[str, Any]]:
    """All spans of one server."""
    traces = stack.jaeger.traces()
    processes = {(trace["traceID"], key): tags(value) for trace in traces for key, value in trace["processes"].items()}
    return [
        span
        for trace in traces
        for span in trace["spans"]
        if processes[trace["traceID"], span["processID"]].get("deployment.environment.name") == done.environment_name
    ]


def kind(spans: list[dict[str, Any]], wanted: str) -> list[dict[str, Any]]:
    return [span for span in spans if tags(span)["span.kind"] == wanted]


def called(spans: list[dict[str, Any]]) -> list[str]:
    """The tools of the SERVER spans."""
    return [name for span in kind(spans, "server") if (name := tags(span).get("gen_ai.tool.name"))]


def test_every_call_and_every_request_is_a_span_in_jaeger(stack: Stack, done: Done) -> None:
    def complete() -> list[dict[str, Any]] | None:
        spans = spans_of(stack, done)
        there = len(kind(spans, "client")) >= done.requests and len(called(spans)) >= done.calls.total()
        ids = {span["spanID"] for span in spans}
        # The span that another one refers to ends later, and may come in a later batch.
        led = all(reference["spanID"] in ids for span in spans for reference in span["references"])
        return spans if there and led else None

    wanted = f"{done.requests} CLIENT spans and {done.calls.total()} of tools in Jaeger, and what they refer to"
    spans = poll_until(complete, wanted, ARRIVAL_SECONDS)
    assert len(kind(spans, "client")) == done.requests
    assert Counter(called(spans)) == done.calls


def test_the_trace_of_a_package_is_found_by_its_name(stack: Stack, done: Done) -> None:
    _platform, name = SOUGHT[done.transport]

    def found() -> list[dict[str, Any]] | None:
        traces = stack.jaeger.traces({"libraries_io.package": name})
        # Spans of one trace may come in several batches.
        return traces if traces and all(len(trace["spans"]) >= 2 for trace in traces) else None

    (trace,) = poll_until(found, f"the trace about {name} in Jaeger", ARRIVAL_SECONDS)
    assert sorted(tags(span)["span.kind"] for span in trace["spans"]) == ["client", "server"]
    (server,) = kind(trace["spans"], "server")
    (client,) = kind(trace["spans"], "client")
    assert server["operationName"] == "tools/call get_package_info"
    assert client["references"][0]["spanID"] == server["spanID"]


def test_prometheus_counts_every_call(stack: Stack, done: Done) -> None:
    chosen = f'{DURATION}_count{{mcp_method_name="tools/call",deployment_environment_name="{done.environment_name}"}}'

    def counted() -> Counter[str]:
        series = stack.prometheus.query(f"sum by (gen_ai_tool_name) (last_over_time({chosen}[6h]))")
        return Counter({one.labels["gen_ai_tool_name"]: int(one.value) for one in series})

    poll_until(lambda: counted() == done.calls, f"{done.calls} in Prometheus", ARRIVAL_SECONDS)
    failed = chosen.replace("}", ',error_type!=""}')
    assert stack.prometheus.value(f"last_over_time({failed}[6h])") == done.failed.total()


def test_what_was_made_is_what_is_documented(done: Done) -> None:
    """With the unit at the end of the name: Prometheus keeps it nowhere else of what comes by OTLP."""
    assert len({point.name for point in done.points}) > 10
    for point in done.points:
        documented = DOCUMENTED[point.name]
        assert (point.name, point.unit) == (point.name, documented.unit)
        assert documented.name.removesuffix("_total").endswith(ENDINGS.get(point.unit, "")), documented.name
        assert {name.replace(".", "_") for name in point.attributes} <= documented.labels, point.name


@pytest.mark.parametrize("back_end", ["prometheus", "influxdb"])
def test_every_point_is_there_with_its_documented_name_and_exactly_its_labels(
    stack: Stack, done: Done, back_end: str
) -> None:
    expected = points.sent(done.points, DOCUMENTED)

    def found() -> points.Points:
        if back_end == "prometheus":
            return points.in_prometheus(stack.prometheus, done.environment_name)
        return points.in_influxdb(stack.influxdb, done.environment_name, DOCUMENTED)

    def complete() -> bool:
        there = found()
        return there.keys() == expected.keys() and not points.missing(expected, there)

    try:
        poll_until(complete, f"{len(expected)} series of {done.transport} in {back_end}", ARRIVAL_SECONDS)
    except AssertionError:
        there = found()
        assert there.keys() == expected.keys()
        assert points.missing(expected, there) == {}
        raise


def test_exemplars_lead_to_their_traces(stack: Stack, done: Done) -> None:
    made: dict[str, set[tuple[str, str]]] = defaultdict(set)
    for point in done.points:
        spans = {(each.trace_id, each.span_id) for each in point.exemplars if each.trace_id and each.span_id}
        made[point.name] |= spans
    measured_in_spans = {name for name, spans in made.items() if spans}
    assert measured_in_spans >= {
        "mcp.server.operation.duration",
        "libraries_io.call.duration",
        "http.client.request.duration",
    }
    for name in measured_in_spans:
        chosen = f'{DOCUMENTED[name].name}_bucket{{deployment_environment_name="{done.environment_name}"}}'
        exemplars = poll_until(
            lambda chosen=chosen: stack.prometheus.exemplars(chosen), f"exemplars of {chosen}", ARRIVAL_SECONDS
        )
        kept = {(exemplar["labels"]["trace_id"], exemplar["labels"]["span_id"]) for exemplar in exemplars}
        assert kept <= made[name]
        for trace_id, span_id in kept:

            def holds(trace_id: str = trace_id, span_id: str = span_id) -> bool:
                trace = stack.jaeger.trace(trace_id)
                return trace is not None and span_id in {span["spanID"] for span in trace["spans"]}

            poll_until(holds, f"span {span_id} of trace {trace_id} of {name} in Jaeger", ARRIVAL_SECONDS)


def test_influxdb_counts_the_same(stack: Stack, done: Done) -> None:
    query = f"""
        from(bucket: "metrics") |> range(start: -6h)
        |> filter(fn: (r) => r._measurement == "mcp.server.operation.duration" and r._field == "count")
        |> filter(fn: (r) => r["mcp.method.name"] == "tools/call")
        |> filter(fn: (r) => r["deployment.environment.name"] == "{done.environment_name}")
        |> last()
        |> group(columns: ["gen_ai.tool.name"])
        |> sum()
    """

    def counted() -> Counter[str]:
        return Counter({row["gen_ai.tool.name"]: int(float(row["_value"])) for row in stack.influxdb.flux(query)})

    poll_until(lambda: counted() == done.calls, f"{done.calls} in InfluxDB", ARRIVAL_SECONDS)


def test_influxdb_has_the_log_of_every_call_with_its_trace(stack: Stack, done: Done) -> None:
    query = f"""
        from(bucket: "logs") |> range(start: -6h)
        |> filter(fn: (r) => r._measurement == "logs" and r._field == "attributes")
        |> filter(fn: (r) => r._value =~ /"{done.environment_name}"/ and r._value =~ /"tools\\/call"/)
        |> filter(fn: (r) => r._value =~ /libraries_io.outcome/)
        |> group()
    """
    rows = poll_until(
        lambda: rows if len(rows := stack.influxdb.flux(query)) >= done.calls.total() else None,
        f"{done.calls.total()} log records of {done.transport} in InfluxDB",
        ARRIVAL_SECONDS,
    )
    assert len(rows) == done.calls.total()

    def all_traced() -> bool:
        traced = {span["traceID"] for span in spans_of(stack, done)}
        return all(any(f'"trace_id":"{trace_id}"' in row["_value"] for trace_id in traced) for row in rows)

    poll_until(all_traced, "the trace of every log record in Jaeger", ARRIVAL_SECONDS)


def test_influxdb_has_few_tags(stack: Stack, played: Mapping[str, Done]) -> None:
    def tag_keys(bucket: str) -> set[str]:
        """As soon as there are any but its own."""
        query = f'import "influxdata/influxdb/schema" schema.tagKeys(bucket: "{bucket}")'
        own = {"_start", "_stop", "_field", "_measurement"}
        found: set[str] = poll_until(
            lambda: {row["_value"] for row in stack.influxdb.flux(query)} - own, f"tags of {bucket}", ARRIVAL_SECONDS
        )
        return found

    assert tag_keys("logs") == {"service.name"}
    assert not tag_keys("metrics") & {
        "service.instance.id",
        "process.pid",
        "host.name",
        "trace_id",
        "span_id",
    }


def test_the_monitor_tab_has_the_span_metrics(stack: Stack, done: Done) -> None:
    def calls() -> float:
        return stack.prometheus.value('sum(traces_span_metrics_calls_total{span_kind="SPAN_KIND_SERVER"})')

    everything = len(kind(stack.jaeger.traces() and spans_of(stack, done), "server"))
    poll_until(lambda: calls() >= everything, f"{everything} calls in the span metrics", ARRIVAL_SECONDS)
    for measure in ("calls", "errors", "latencies"):
        parameters = {"quantile": "0.95"} if measure == "latencies" else {}

        def shown(measure: str = measure, parameters: Mapping[str, str] = parameters) -> bool:
            labels = [label for metric in stack.jaeger.monitor(measure, **parameters) for label in metric["labels"]]
            return {"name": "operation", "value": "tools/call get_package_info"} in labels

        poll_until(shown, f"{measure} in the monitor tab", ARRIVAL_SECONDS)


def test_the_watchdog_reaches_alertmanager(stack: Stack) -> None:
    def watchdog() -> bool:
        return any(alert["labels"]["alertname"] == "Watchdog" for alert in stack.alertmanager.alerts())

    poll_until(watchdog, "the Watchdog alert in Alertmanager", ARRIVAL_SECONDS)


def test_only_the_product_is_a_service_in_jaeger(stack: Stack, played: Mapping[str, Done]) -> None:
    def services() -> set[str]:
        return set(stack.jaeger.services()) - {"made-by-a-test"}

    assert poll_until(services, "services in Jaeger", ARRIVAL_SECONDS) == {"libraries-io-mcp"}


def test_nothing_was_lost_or_refused_on_the_way(stack: Stack, played: Mapping[str, Done]) -> None:
    scraped = 'up{job="otel-collector"}'
    poll_until(lambda: stack.prometheus.value(scraped) == 1, "the Collector's own metrics", ARRIVAL_SECONDS)
    lost = '{__name__=~"otelcol_(exporter_(send|enqueue)_failed|receiver_(refused|failed)).*"}'
    assert [one.labels for one in stack.prometheus.query(f"{lost} > 0")] == []
