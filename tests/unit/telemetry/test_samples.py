"""The process's metrics as samples: names, labels, histograms, what is hidden."""

from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.resources import Resource

from libraries_io_mcp.telemetry import semconv
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.redaction import Redactor
from libraries_io_mcp.telemetry.samples import PROMOTED, ProcessSamples

RESOURCE = {
    "service.name": "libraries-io-mcp",
    "service.version": "1.2.3",
    "service.instance.id": "one",
    "telemetry.sdk.name": "opentelemetry",
}
SHARED = {
    "service_name": "libraries-io-mcp",
    "service_version": "1.2.3",
    "service_instance_id": "one",
    "job": "libraries-io-mcp",
    "instance": "one",
}


def provider(**more: str) -> MeterProvider:
    resource = {**RESOURCE, **{name.replace("_", "."): value for name, value in more.items()}}
    return MeterProvider([], Resource(resource), shutdown_on_exit=False)


def read(samples: ProcessSamples, name: str) -> list[tuple[dict[str, str], float]]:
    """What a metric's series have beside the labels of the process."""
    shared = {*SHARED, "__name__"}
    return [
        ({key: value for key, value in labels.items() if key not in shared}, value)
        for labels, value in samples.read()
        if labels["__name__"] == name
    ]


def test_a_counter_a_gauge_and_an_up_down_counter() -> None:
    meters = provider()
    meter = meters.get_meter("test")
    counter, gauge = meter.create_counter("calls", "{call}"), meter.create_gauge("share", "1")
    active = meter.create_up_down_counter("active")
    counter.add(3, {"error.type": "timeout", "http.response.status_code": 504})
    samples = ProcessSamples(meters, Redactor())
    counter.add(4, {"error.type": "timeout", "http.response.status_code": 504})
    gauge.set(0.5)
    active.add(2)
    counted = ({"error_type": "timeout", "http_response_status_code": "504"}, 4.0)
    assert read(samples, "calls_total") == [counted]
    assert read(samples, "share_ratio") == [({}, 0.5)]
    assert read(samples, "active") == [({}, 2.0)]
    counter.add(1, {"error.type": "timeout", "http.response.status_code": 504})
    assert read(samples, "calls_total") == [(counted[0], 5.0)]


def test_counts_that_were_there_before_the_reader_are_seen_when_they_are_asked_for() -> None:
    """Our own counts are kept by us, so a reader that comes late has them whole."""
    meters = provider()
    instruments = Instruments(meters.get_meter(semconv.SCOPE_NAME))
    instruments.telemetry_dropped("logs", 3)
    samples = ProcessSamples(meters, Redactor())
    assert read(samples, "libraries_io_telemetry_dropped_total") == [({"libraries_io_signal": "logs"}, 3.0)]


def test_a_histogram_is_buckets_count_and_sum() -> None:
    meters = provider()
    samples = ProcessSamples(meters, Redactor())
    histogram = meters.get_meter("test").create_histogram("took", "s", explicit_bucket_boundaries_advisory=[0.5, 1, 10])
    for seconds in (0.1, 0.7, 0.8, 100):
        histogram.record(seconds, {"tool": "a"})
    assert read(samples, "took_seconds_bucket") == [
        ({"tool": "a", "le": "0.5"}, 1.0),
        ({"tool": "a", "le": "1"}, 3.0),
        ({"tool": "a", "le": "10"}, 3.0),
        ({"tool": "a", "le": "+Inf"}, 4.0),
    ]
    assert read(samples, "took_seconds_count") == [({"tool": "a"}, 4.0)]
    assert read(samples, "took_seconds_sum") == [({"tool": "a"}, 101.6)]


def test_the_labels_of_the_process() -> None:
    meters = provider(service_namespace="packages", deployment_environment_name="staging", host_name="here")
    samples = ProcessSamples(meters, Redactor())
    meters.get_meter("test").create_counter("calls").add(1, {"job": "mine", "service.version": "own", "empty": ""})
    ((labels, _value),) = samples.read()
    assert labels == {
        **SHARED,
        "__name__": "calls_total",
        "service_namespace": "packages",
        "deployment_environment_name": "staging",
        "job": "packages/libraries-io-mcp",
        "service_version": "own",
    }


def test_the_promoted_attributes_are_those_of_the_configuration(pytestconfig) -> None:
    configuration = (pytestconfig.rootpath / "otel" / "prometheus.yml").read_text(encoding="utf-8")
    listed = configuration.partition("promote_resource_attributes:\n")[2].partition("\n\n")[0]
    assert [line.strip(" -") for line in listed.splitlines()] == list(PROMOTED)


def test_attributes_that_meet_under_one_name() -> None:
    meters = provider()
    samples = ProcessSamples(meters, Redactor())
    meters.get_meter("test").create_counter("calls").add(1, {"a.b": "1", "a-b": "2"})
    assert read(samples, "calls_total") == [({"a_b": "2;1"}, 1.0)]


def test_secrets_do_not_get_into_labels() -> None:
    meters = provider()
    samples = ProcessSamples(meters, Redactor(["a-very-secret-key"]))
    meters.get_meter("test").create_counter("calls").add(1, {"tool": "x a-very-secret-key y"})
    assert read(samples, "calls_total") == [({"tool": "x *** y"}, 1.0)]


def test_the_same_labels_are_the_same_object() -> None:
    meters = provider()
    samples = ProcessSamples(meters, Redactor())
    counter = meters.get_meter("test").create_counter("calls")
    counter.add(1)
    ((first, _),) = samples.read()
    counter.add(1)
    ((second, value),) = samples.read()
    assert first is second
    assert value == 2


def test_without_the_sdk_there_is_nothing() -> None:
    assert ProcessSamples(NoOpMeterProvider(), Redactor()).read() == []
