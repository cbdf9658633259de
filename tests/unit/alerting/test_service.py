"""The whole of alerting but for its thread: samples in, alerts and messages out, with the clock handed in."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.metrics import NoOpMeter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.trace import NoOpTracer
from tests.support.alert_receiver import AlertReceiver
from tests.support.alerts import NOON
from tests.support.polling import HANG_SECONDS

from libraries_io_mcp.alerting.alert import Alert
from libraries_io_mcp.alerting.channels.notification import Channels, Delivered, Notification, Result
from libraries_io_mcp.alerting.dispatcher import Dispatcher
from libraries_io_mcp.alerting.leader_election import LeaderElection
from libraries_io_mcp.alerting.prometheus import Prometheus
from libraries_io_mcp.alerting.rounds import Rounds, Samples
from libraries_io_mcp.alerting.rules import load_rules
from libraries_io_mcp.alerting.service import UNKNOWN_SECONDS, Service
from libraries_io_mcp.alerting.shared_samples import SharedSamples
from libraries_io_mcp.alerting.state_file import VERSION, StateFile
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.observe import Observer
from libraries_io_mcp.telemetry.semconv import AlertChannel

pytestmark = pytest.mark.anyio
EXPRESSION = "sum by (service_name) (queue_length) > 10"
ELSEWHERE = "collector_queue > 0"
RULES = f"""
groups:
  - name: queue
    interval: 15s
    rules:
      - alert: QueueLong
        expr: {EXPRESSION}
        for: 30s
        labels: {{severity: high}}
        annotations: {{summary: "{{{{ $value }}}} are waiting.", description: Long., cooldown: 0s}}
      - alert: CollectorQueue
        expr: {ELSEWHERE}
        labels: {{severity: low, service_name: otel-collector}}
        annotations: {{summary: The Collector waits., cooldown: 0s}}
"""
LABELS = {"alertname": "QueueLong", "service_name": "libraries-io-mcp", "severity": "high"}


@dataclass
class Inbox:
    """A channel that takes everything."""

    name: AlertChannel = "webhook"
    id: str = "webhook"
    label: str = "webhook"
    got: list[Notification] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def deliver(self, notification: Notification) -> Result:
        self.got.append(notification)
        self.came.set()
        return Delivered()

    async def aclose(self) -> None:
        """Nothing is open."""

    @property
    def told(self) -> list[tuple[str, str]]:
        return [(alert.name, alert.state) for each in self.got for alert in each.alerts]


@dataclass
class Manager:
    """An Alertmanager that takes everything."""

    sent: list[tuple[str, str]] = field(default_factory=list)

    async def push(self, alerts: Sequence[Alert]) -> Result:
        self.sent += [(alert.name, alert.state) for alert in alerts]
        return Delivered()

    async def ask(self) -> Result:
        return Delivered()

    async def aclose(self) -> None:
        """Nothing is open."""


@dataclass
class World:
    """A service with everything around it, and a clock. `queue` is what there is to measure; `None` is nothing."""

    folder: Path
    prometheus_url: str | None = None
    state_file: StateFile | None = None
    election: LeaderElection | None = None
    rules: str = RULES
    instruments: Instruments = field(default_factory=lambda: Instruments(NoOpMeter("test")))
    now: float = NOON
    queue: float | None = 0.0
    inbox: Inbox = field(default_factory=Inbox)
    manager: Manager | None = None
    sleeps: bool = False
    instance: str = "0"
    shared_samples: Callable[[Callable[[], Samples]], SharedSamples] | None = None

    def __post_init__(self) -> None:
        (self.folder / "rules.yml").write_text(self.rules, encoding="utf-8")
        loaded = load_rules(self.folder / "rules.yml")
        self.client = httpx.AsyncClient(trust_env=False, timeout=HANG_SECONDS)
        samples = self.shared_samples and self.shared_samples(self.collect)
        self.dispatcher = Dispatcher(
            Channels((self.inbox,), self.manager),
            observer=Observer(NoOpTracer(), self.instruments),
            instruments=self.instruments,
            now=lambda: self.now,
            monotonic=lambda: self.now,
            sleep=self.sleep if self.sleeps else asyncio.sleep,
        )
        self.service = Service(
            loaded,
            Rounds(loaded.groups, samples.collect if samples else self.collect, self.instruments),
            self.dispatcher,
            instruments=self.instruments,
            prometheus=Prometheus(self.prometheus_url, self.client) if self.prometheus_url else None,
            state_file=self.state_file,
            election=self.election,
            samples=samples,
            now=lambda: self.now,
            sleep=self.sleep if self.sleeps else asyncio.sleep,
        )

    async def sleep(self, seconds: float) -> None:
        """The clock goes on at once; whoever else wants to do something, may."""
        self.now += seconds
        await asyncio.sleep(0)

    def collect(self) -> list[tuple[Mapping[str, str], float]]:
        labels = {
            "__name__": "queue_length",
            "service_name": "libraries-io-mcp",
            "service_instance_id": self.instance,
        }
        return [] if self.queue is None else [(labels, self.queue)]

    async def step(self, seconds: float = 15.0) -> dict[str, Any]:
        """Time passes, and everything that is due is done."""
        self.now += seconds
        await self.service.poll_prometheus()
        await self.service.evaluate()
        await self.service.notify()
        await self.dispatcher.work()
        await self.service.save()
        return self.service.facts()

    async def steps(self, count: int) -> dict[str, Any]:
        for _ in range(count - 1):
            await self.step()
        return await self.step()


@asynccontextmanager
async def world(folder: Path, **given: Any) -> AsyncIterator[World]:
    built = World(folder, **given)
    async with built.client:
        yield built


def states(facts: Mapping[str, Any]) -> dict[str, str]:
    return {alert["name"]: alert["state"] for alert in facts["active"]}


def events(service: Service) -> list[tuple[str, str]]:
    """Oldest first."""
    return [(event["name"], event["event"]) for event in reversed(service.history_facts()["events"])]


class PrometheusStandIn:
    """Answers the rules API over HTTP with what the test says it evaluates."""

    def __init__(self, receiver: AlertReceiver) -> None:
        self._receiver = receiver
        self.url = receiver.url

    def says(self, at: float, **alerts: tuple[str, float]) -> None:
        """Evaluated at a time, with alerts by name: state and since when."""
        rules = [
            {"name": name, "query": query, "type": "alerting", "duration": seconds, "labels": labels}
            | {"alerts": [self._alert(name, *alerts[name])] if name in alerts else []}
            for name, query, seconds, labels in (
                ("QueueLong", EXPRESSION, 30, {"severity": "high"}),
                ("CollectorQueue", ELSEWHERE, 0, {"severity": "low", "service_name": "otel-collector"}),
            )
        ]
        group = {"name": "queue", "rules": rules, "interval": 15, "lastEvaluation": iso(at)}
        self._receiver.status = 200
        self._receiver.reply = json.dumps({"data": {"groups": [group]}}).encode()

    def is_gone(self) -> None:
        self._receiver.status = 503

    def _alert(self, name: str, state: str, since: float) -> dict[str, Any]:
        other = {"alertname": name, "service_name": "otel-collector", "severity": "low"}
        labels = LABELS if name == "QueueLong" else other
        return {"labels": labels, "annotations": {}, "state": state, "activeAt": iso(since), "value": "1e+00"}


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


@pytest.fixture
async def prometheus() -> AsyncIterator[PrometheusStandIn]:
    """Where Prometheus would be."""
    with AlertReceiver() as receiver:
        yield PrometheusStandIn(receiver)


async def test_an_alert_from_its_first_sign_to_its_end(tmp_path: Path):
    async with world(tmp_path) as here:
        facts = await here.step()
        assert (facts["evaluated_by"], facts["active"], facts["problems"]) == ("in_process", [], [])
        here.queue = 11.0
        assert states(await here.step()) == {"QueueLong": "pending"}
        assert here.inbox.told == []
        facts = await here.steps(2)
        (alert,) = facts["active"]
        assert facts["summary"] == {"critical": 0, "high": 1, "medium": 0, "low": 0, "none": 0}
        assert alert == {
            "fingerprint": alert["fingerprint"],
            "name": "QueueLong",
            "severity": "high",
            "state": "firing",
            "summary": "11 are waiting.",
            "description": "Long.",
            "runbook_url": None,
            "value": 11.0,
            "labels": LABELS,
            "active_since": "2026-09-21T14:13:50.000Z",
            "fired_at": "2026-09-21T14:14:20.000Z",
            "resolved_by_hand": False,
        }
        await here.steps(3)
        here.queue = 10.0
        assert states(await here.step()) == {}
        assert here.inbox.told == [("QueueLong", "firing"), ("QueueLong", "resolved")]
        assert events(here.service) == [("QueueLong", event) for event in ("pending", "firing", "resolved")]
        assert here.service.history_facts()["kept"] == 3


async def test_a_person_resolves_an_alert(tmp_path: Path):
    async with world(tmp_path, queue=11.0) as here:
        (alert,) = (await here.steps(3))["active"]
        assert not await here.service.resolve("0123456789abcdef")
        assert await here.service.resolve(alert["fingerprint"])
        facts = await here.step()
        assert [each["resolved_by_hand"] for each in facts["active"]] == [True]
        assert facts["summary"]["high"] == 0
        assert here.inbox.told == [("QueueLong", "firing"), ("QueueLong", "resolved")]
        here.queue = 0.0
        await here.step()
        here.queue = 11.0
        assert (await here.steps(3))["summary"]["high"] == 1
        assert here.inbox.told[2:] == [("QueueLong", "firing")]


async def test_a_restart_neither_resolves_nor_repeats(tmp_path: Path):
    path = tmp_path / "state.json"
    with closing(StateFile(path)) as file:
        async with world(tmp_path, queue=11.0, state_file=file) as before:
            await before.steps(3)
            assert before.inbox.told == [("QueueLong", "firing")]
    with closing(StateFile(path)) as file:
        async with world(tmp_path, queue=None, state_file=file, now=before.now + 60) as after:
            await after.service.restore()
            assert states(after.service.facts()) == {"QueueLong": "firing"}
            assert states(await after.steps(3)) == {"QueueLong": "firing"}
            after.queue = 11.0
            assert states(await after.steps(3)) == {"QueueLong": "firing"}
            assert after.inbox.told == []
            after.queue = 0.0
            # What does not hold could also not be known yet: it is held for as long as the rule looks back.
            assert states(await after.steps(5)) == {"QueueLong": "firing"}
            assert states(await after.steps(20)) == {}
            assert after.inbox.told == [("QueueLong", "resolved")]
            assert events(after.service) == [("QueueLong", event) for event in ("pending", "firing", "resolved")]


async def test_the_file_is_written_when_something_has_changed_and_not_at_every_tick(tmp_path: Path):
    path = tmp_path / "state.json"
    with closing(StateFile(path)) as file:
        async with world(tmp_path, queue=11.0, state_file=file) as here:
            await here.steps(3)
            written = path.stat().st_mtime_ns
            here.queue = 12.0
            await here.steps(3)
            assert path.stat().st_mtime_ns == written
            here.queue = 0.0
            await here.step()
            assert path.stat().st_mtime_ns != written


@pytest.mark.parametrize("content", ["{}", '{"groups": 1}', '{"groups": {}, "alerts": {}, "evaluated_by": 1}'])
async def test_a_file_that_makes_no_sense_is_said_and_begun_anew(
    tmp_path: Path, content: str, caplog: pytest.LogCaptureFixture
):
    path = tmp_path / "state.json"
    path.write_text(json.dumps({"version": VERSION, **json.loads(content)}), encoding="utf-8")
    with closing(StateFile(path)) as file:
        async with world(tmp_path, queue=11.0, state_file=file) as here:
            with caplog.at_level(logging.WARNING):
                await here.service.restore()
            assert "begins anew" in caplog.text
            assert states(await here.steps(3)) == {"QueueLong": "firing"}


async def test_while_prometheus_evaluates_this_server_stands_by_and_shows_its_alerts(
    tmp_path: Path, prometheus: PrometheusStandIn
):
    async with world(tmp_path, prometheus_url=prometheus.url, queue=0.0) as here:
        prometheus.says(NOON + 15, QueueLong=("firing", NOON - 100))
        facts = await here.step()
        assert (facts["evaluated_by"], states(facts)) == ("prometheus", {"QueueLong": "firing"})
        assert facts["active"][0]["fired_at"] == "2026-09-21T14:12:10.000Z"
        assert facts["active"][0]["labels"] == LABELS


async def test_what_ended_before_prometheus_came_back_is_sent_to_alertmanager_all_the_same(
    tmp_path: Path, prometheus: PrometheusStandIn
):
    async with world(tmp_path, prometheus_url=prometheus.url, manager=Manager(), queue=0.0) as here:
        prometheus.says(NOON + 15, QueueLong=("firing", NOON - 100))
        await here.step()
        assert here.manager is not None
        assert here.manager.sent == []
        # It was restarted and knows nothing of it.
        prometheus.says(here.now + 15)
        await here.step()
        assert here.manager.sent == [("QueueLong", "resolved")]


async def test_it_takes_over_what_fires_without_a_word_and_hands_back(tmp_path: Path, prometheus: PrometheusStandIn):
    async with world(tmp_path, prometheus_url=prometheus.url, queue=11.0) as here:
        since = NOON + 15
        for _ in range(4):
            prometheus.says(here.now + 15, QueueLong=("firing", since))
            facts = await here.step()
        told = list(here.inbox.told)
        prometheus.is_gone()
        assert (await here.steps(2))["evaluated_by"] == "prometheus"
        facts = await here.step()
        assert (facts["evaluated_by"], states(facts)) == ("in_process", {"QueueLong": "firing"})
        prometheus.says(here.now + 15, QueueLong=("pending", here.now))
        assert (await here.step())["evaluated_by"] == "in_process"
        prometheus.says(here.now + 15, QueueLong=("firing", here.now - 30))
        assert (await here.step())["evaluated_by"] == "prometheus"
        assert here.inbox.told == told
        assert [event for _name, event in events(here.service)] == ["firing"]


async def test_an_alert_that_was_pending_there_fires_here_on_time(tmp_path: Path, prometheus: PrometheusStandIn):
    async with world(tmp_path, prometheus_url=prometheus.url, queue=11.0) as here:
        # This server saw it later than Prometheus did.
        prometheus.says(NOON + 15, QueueLong=("pending", NOON - 10))
        assert states(await here.step()) == {"QueueLong": "pending"}
        prometheus.is_gone()
        await here.steps(3)
        assert here.service.facts()["evaluated_by"] == "in_process"
        (alert,) = here.service.facts()["active"]
        assert (alert["state"], alert["active_since"]) == ("firing", "2026-09-21T14:13:10.000Z")


async def test_what_this_server_cannot_judge_is_held_when_prometheus_goes(
    tmp_path: Path, prometheus: PrometheusStandIn
):
    async with world(tmp_path, prometheus_url=prometheus.url) as here:
        prometheus.says(NOON + 15, CollectorQueue=("firing", NOON), QueueLong=("firing", NOON - 100))
        await here.step()
        prometheus.is_gone()
        facts = await here.steps(3)
        assert (facts["evaluated_by"], set(states(facts))) == ("in_process", {"CollectorQueue", "QueueLong"})
        # The queue is known to be short, the Collector is not known at all.
        assert states(await here.steps(30)) == {"CollectorQueue": "firing"}
        assert states(await here.step(UNKNOWN_SECONDS)) == {}


async def test_a_change_of_the_evaluator_is_one_line(
    tmp_path: Path, prometheus: PrometheusStandIn, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.INFO, "libraries_io_mcp.alerting.service"):
        async with world(tmp_path, prometheus_url=prometheus.url) as here:
            for _ in range(3):
                prometheus.says(here.now + 15)
                await here.step()
            prometheus.is_gone()
            await here.steps(5)
    assert [record.getMessage() for record in caplog.records] == [
        "alert rules are evaluated by Prometheus: it evaluates the same rules",
        "alert rules are evaluated by this server: answered 503",
    ]


async def test_a_mistake_in_the_rules_is_said_and_the_others_go_on(tmp_path: Path):
    rules = RULES + "      - alert: Wrong\n        expr: sum(\n"
    async with world(tmp_path, rules=rules, queue=11.0) as here:
        facts = await here.steps(3)
        assert states(facts) == {"QueueLong": "firing"}
        (problem,) = facts["problems"]
        assert "group queue, rule Wrong, field expr" in problem
        assert here.service.health_facts()["problems"] == [problem]


async def test_failing_samples_are_counted_and_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    class Broken(World):
        def collect(self) -> list[tuple[Mapping[str, str], float]]:
            raise OSError("no samples")

    here = Broken(tmp_path)
    async with here.client:
        with caplog.at_level(logging.WARNING):
            await here.steps(3)
        assert [record.getMessage() for record in caplog.records] == ["alerting: samples: OSError"]
        assert here.service.health_facts()["problems"] == ["samples: OSError"]


async def test_what_is_measured_of_it(tmp_path: Path):
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader], shutdown_on_exit=False)
    async with world(tmp_path, instruments=Instruments(provider.get_meter("test")), queue=11.0) as here:
        await here.steps(3)
        await here.service.resolve("none")
        found = metrics(reader)
    assert found["alerting.alerts.active"]["high", "firing"] == 1
    assert sum(found["alerting.alerts.active"].values()) == 1
    assert len(found["alerting.alerts.active"]) == 10
    assert found["alerting.evaluations"] == {("ok",): 3}
    assert found["alerting.evaluator.in_charge"] == {(): 1}
    provider.shutdown()


def metrics(reader: InMemoryMetricReader) -> dict[str, dict[tuple[str, ...], float]]:
    data = reader.get_metrics_data()
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for metric in (each for group in data.resource_metrics for scope in group.scope_metrics for each in scope.metrics):
        for point in metric.data.data_points:
            if hasattr(point, "value"):
                found.setdefault(metric.name, {})[tuple(map(str, point.attributes.values()))] = point.value
    return found


async def test_the_loop_runs_by_the_clock_and_saves_at_its_end(tmp_path: Path):
    path = tmp_path / "state.json"
    with closing(StateFile(path)) as file:
        async with world(tmp_path, queue=11.0, state_file=file, sleeps=True) as here:
            ready = asyncio.Event()
            running = asyncio.create_task(here.service.run(ready.set))
            await ready.wait()
            assert states(here.service.facts()) == {"QueueLong": "pending"}
            await here.inbox.came.wait()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
    assert here.now >= NOON + 30
    assert json.loads(path.read_text("utf-8"))["alerts"]["active"]
