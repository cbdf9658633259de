"""The overview of two servers with known counts, by the real Prometheus: each panel shows the sum, or what is worse."""

import time
from collections.abc import Iterator, Mapping
from typing import Final

import httpx
import pytest
from tests.e2e.panels import filled, targets
from tests.servers.ports import free_ports
from tests.servers.prometheus import Prometheus, Series
from tests.support import remote_write
from tests.support.polling import HANG_SECONDS, poll_until

RULES_SECONDS: Final = 240.0
"""The slowest group of recording rules is evaluated once a minute, and needs what another one gave."""
HISTORY_SECONDS, STEP_SECONDS = 900, 15
FAILED: Final = {"error_type": "tool_error", "libraries_io_error_type": "upstream_error"}
CALLS, FAILURES, FAST = (0.4, 0.8), (0.1, 0.3), 0.1
"""Good and failed calls a second, of each instance. The first one's take 0.1 s at most, the second one's up to 1 s."""
HITS, REQUESTS, LEFT = (1.0, 2.0), (0.5, 0.25), (40.0, 38.0)
RATIO: Final = sum(FAILURES) / (sum(CALLS) + sum(FAILURES))
BUDGET: Final = 0.01


def tool(kind: str, **more: str) -> dict[str, str]:
    return {
        "__name__": f"mcp_server_operation_duration_seconds_{kind}",
        "mcp_method_name": "tools/call",
        "gen_ai_tool_name": "get_package_info",
        **more,
    }


def growing(number: int) -> Iterator[tuple[dict[str, str], float]]:
    """The counters of an instance, and by how much each grows in a second."""
    for outcome, rate in (({}, CALLS[number]), (FAILED, FAILURES[number])):
        yield tool("count", **outcome), rate
        for le in ("0.1", "1.0", "+Inf"):
            yield tool("bucket", le=le, **outcome), 0.0 if number == 1 and le == "0.1" else rate
    yield {"__name__": "libraries_io_cache_lookups_total", "libraries_io_cache_result": "hit"}, HITS[number]
    name = "http_client_request_duration_seconds_count"
    yield {"__name__": name, "http_response_status_code": "200"}, REQUESTS[number]


def slower_than(part: float) -> float:
    """The duration that such a part of all calls stays below, by the buckets of both."""
    fast, slow = (CALLS[number] + FAILURES[number] for number in (0, 1))
    return FAST + (1 - FAST) * (part * (fast + slow) - fast) / slow


SHOWN: Final[Mapping[str, Mapping[str, float]]] = {
    "Tool calls that fail | A": {"": RATIO},
    "Error budget used | A": {"": RATIO / BUDGET},
    "Slowest twentieth | A": {"": slower_than(0.95)},
    "Quota left | A": {"": min(LEFT)},
    "Tool calls | A": {"get_package_info": sum(CALLS) + sum(FAILURES)},
    "Failing tool calls | A": {"upstream_error": sum(FAILURES)},
    "Duration of tool calls | A": {"": slower_than(0.5)},
    "Duration of tool calls | B": {"": slower_than(0.95)},
    "Duration of tool calls | C": {"": slower_than(0.99)},
    "How fast the error budget burns | A": {"": RATIO / BUDGET},
    "How fast the error budget burns | B": {"": RATIO / BUDGET},
    "How fast the error budget burns | C": {"": RATIO / BUDGET},
    "Answers by where they came from | A": {"hit": sum(HITS)},
    "Requests to Libraries.io | A": {"200": sum(REQUESTS)},
}
"""What each query gives, by the one label that it keeps."""
ASKED: Final = {
    f"{each.panel} | {each.number}": each
    for each in targets()
    if each.board == "overview" and each.asked["datasource"]["type"] == "prometheus"
}
ALERTS: Final = "Alerts firing | A"


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """With the shipped configuration and rules, and nothing to scrape."""
    server = Prometheus(tmp_path_factory.mktemp("prometheus"), free_ports(1)[0], {})
    try:
        server.process.start()
        server.process.wait_until_ready()
        yield server
    finally:
        server.process.stop()


@pytest.fixture(scope="module")
def until(prometheus: Prometheus) -> float:
    """When the history of both instances ends, in seconds."""
    end = float(int(time.time()))
    times = [end - back for back in range(HISTORY_SECONDS, -1, -STEP_SECONDS)]
    series = []
    for number, instance in enumerate(("one", "two")):
        resource = {
            "service_name": "libraries-io-mcp",
            "service_instance_id": instance,
            "instance": instance,
            "job": "libraries-io-mcp",
            "deployment_environment_name": "test",
        }
        for labels, rate in growing(number):
            # From far above 0, where Prometheus takes the beginning of a counter to be.
            series.append(({**labels, **resource}, [(at, 1e6 + rate * (at - times[0])) for at in times]))
        left = {"__name__": "libraries_io_quota_remaining", **resource}
        series.append((left, [(at, LEFT[number]) for at in times]))
    answer = httpx.post(
        f"{prometheus.url}/api/v1/write",
        content=remote_write.body(series),
        headers=remote_write.HEADERS,
        timeout=HANG_SECONDS,
    )
    assert answer.is_success, answer.text
    return end


def shown(found: list[Series]) -> dict[str, float]:
    """By the value of the one label there is; without what stands for nothing."""
    values = {"".join(series.labels.values()): series.value for series in found}
    return {name: value for name, value in values.items() if name or value or len(values) == 1}


def test_every_query_is_held_to_a_figure() -> None:
    assert set(ASKED) == {*SHOWN, ALERTS}


@pytest.mark.parametrize("name", SHOWN)
def test_two_instances_are_shown_as_one_service(prometheus: Prometheus, until: float, name: str) -> None:
    expression = filled(ASKED[name].asked["expr"])
    # What rules record is there from the next evaluation on.
    moment = None if "service:" in expression else until
    expected = {label: pytest.approx(value, rel=0.01) for label, value in SHOWN[name].items()}
    found: list[dict[str, float]] = []

    def as_expected() -> bool:
        found.append(shown(prometheus.query(expression, moment)))
        return found[-1] == expected

    poll_until(as_expected, f"{name} to be {SHOWN[name]}", RULES_SECONDS)


def test_an_alert_of_both_counts_once(prometheus: Prometheus, until: float) -> None:
    assert until
    firing = 'ALERTS{alertstate="firing",alertname!="Watchdog"}'
    poll_until(
        lambda: prometheus.query(f'{firing[:-1]},alertname="HighErrorRate"}}'), "an alert to fire", RULES_SECONDS
    )
    panel = ASKED[ALERTS].asked["expr"]
    (doubled,) = prometheus.query(f"({panel}) - count(count by (alertname) ({firing}))")
    assert doubled.value == 0
