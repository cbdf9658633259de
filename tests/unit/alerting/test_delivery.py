"""Delivery: each alert once when it fires and once when it is over, by whoever is there. The clock is handed in."""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.support.alerts import NOON, an_alert

from libraries_io_mcp.alerting.alert import Alert
from libraries_io_mcp.alerting.channels.notification import Channels, Done, GiveUp, Notification, Result, Retry
from libraries_io_mcp.alerting.delivery import Delivery
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.observe import Observer
from libraries_io_mcp.telemetry.semconv import AlertChannel

pytestmark = pytest.mark.anyio
INTERVAL = 15.0


@dataclass
class Mailbox:
    """A channel that answers as it is told to."""

    name: AlertChannel = "email"
    result: Result | Exception = field(default_factory=Done)
    got: list[Notification] = field(default_factory=list)
    tried: int = 0
    came: asyncio.Event = field(default_factory=asyncio.Event)

    async def deliver(self, notification: Notification) -> Result:
        self.tried += 1
        if isinstance(self.result, Exception):
            raise self.result
        if isinstance(self.result, Done):
            self.got.append(notification)
            self.came.set()
        return self.result

    async def aclose(self) -> None:
        """Nothing is open."""

    @property
    def told(self) -> list[str]:
        """Each message as `status: state of each alert`."""
        return [f"{each.status}: {' '.join(alert.state for alert in each.alerts)}" for each in self.got]


@dataclass
class Manager:
    """An Alertmanager that is there or not."""

    there: bool = True
    begun: str = "first"
    pushed: list[list[Alert]] = field(default_factory=list)
    silenced: list[tuple[Mapping[str, str], float, str | None]] = field(default_factory=list)

    async def push(self, alerts: Sequence[Alert], interval_seconds: float) -> Result:
        assert interval_seconds == INTERVAL
        if not self.there:
            return Retry("away")
        self.pushed.append(list(alerts))
        return Done()

    async def started(self) -> str | Result:
        return self.begun if self.there else Retry("away")

    async def silence(self, labels: Mapping[str, str], until: float, known: str | None) -> str | Result:
        self.silenced.append((labels, until, known))
        return known or f"silence-{len(self.silenced)}"

    async def aclose(self) -> None:
        """Nothing is open."""


class Stage:
    """A delivery on a clock that is told to move."""

    def __init__(self, *direct: Mailbox, manager: Manager | None = None, capacity: int = 100) -> None:
        self.now = NOON
        self.direct = direct
        self.manager = manager
        self.reader = InMemoryMetricReader()
        self.spans = InMemorySpanExporter()
        tracers = TracerProvider(shutdown_on_exit=False)
        tracers.add_span_processor(SimpleSpanProcessor(self.spans))
        instruments = Instruments(MeterProvider([self.reader], shutdown_on_exit=False).get_meter("t"))
        self.make: Callable[[], Delivery] = lambda: Delivery(
            Channels(direct, manager),
            observer=Observer(tracers.get_tracer("t"), instruments),
            instruments=instruments,
            interval_seconds=INTERVAL,
            now=lambda: self.now,
            jitter=lambda: 0.5,
            capacity=capacity,
        )
        self.delivery = self.make()

    async def rounds(self, alerts: Sequence[Alert] = (), count: int = 1, *, by_prometheus: bool = False) -> list[Alert]:
        """So many intervals with these alerts; what was held back."""
        held: list[Alert] = []
        for _ in range(count):
            held += await self.delivery.notify(alerts, by_prometheus=by_prometheus)
            await self.delivery.work()
            self.now += INTERVAL
        return held

    def restart(self) -> None:
        """The process ends and begins again, with its state file."""
        state = json.loads(json.dumps(self.delivery.state()))
        self.delivery = self.make()
        self.delivery.restore(state)

    def counted(self) -> dict[tuple[str, str], int]:
        data = self.reader.get_metrics_data()
        metrics = [each for one in data.resource_metrics for scope in one.scope_metrics for each in scope.metrics]
        (metric,) = [metric for metric in metrics if metric.name == "alerting.deliveries"]
        return {
            (point.attributes["alerting.channel"], point.attributes["alerting.outcome"]): point.value
            for point in metric.data.data_points
        }


FIRING = an_alert()
OVER = an_alert(resolved=NOON + 100)


async def test_once_firing_and_once_resolved_whatever_the_value_does():
    mail, hook = Mailbox(), Mailbox("webhook")
    stage = Stage(mail, hook)
    await stage.rounds([FIRING], 40)
    await stage.rounds([OVER], 40)
    await stage.rounds([])
    assert mail.told == hook.told == ["firing: firing", "resolved: resolved"]
    first, second = mail.got
    assert (first.sequence, second.sequence) == (0, 1)
    assert first.started == second.started == NOON
    assert first.group_key == second.group_key
    assert stage.counted()["email", "done"] == 2


async def test_pending_alerts_and_watchdogs_are_nobodys_business():
    mail = Mailbox()
    pending = Alert(FIRING.labels, {}, 1.0, "pending", NOON)
    await Stage(mail).rounds([pending, an_alert("Watchdog", severity="none")], 3)
    assert mail.got == []


async def test_alerts_of_a_rule_come_together():
    mail = Mailbox()
    stage = Stage(mail)
    a, b, other = an_alert(tool="a"), an_alert(tool="b", at=NOON + 1), an_alert("Other")
    await stage.rounds([a, b, other])
    await stage.rounds([a, an_alert(tool="b", at=NOON + 1, resolved=NOON + 20), other])
    await stage.rounds([an_alert(tool="a", resolved=NOON + 40), other])
    assert mail.told == ["firing: firing firing", "firing: firing", "firing: firing resolved", "resolved: resolved"]
    assert [each.sequence for each in mail.got if each.group["alertname"] == "HighErrorRate"] == [0, 1, 2]


async def test_an_alert_that_flaps_is_held_back_and_not_lost():
    mail = Mailbox()
    stage = Stage(mail)
    slow = {"cooldown": "10m"}
    await stage.rounds([an_alert(annotations=slow)])
    await stage.rounds([an_alert(annotations=slow, resolved=NOON + 15)])
    again = an_alert(annotations=slow, at=NOON + 30)
    held = await stage.rounds([again], 30)
    assert held == [again]  # said once
    assert mail.told == ["firing: firing", "resolved: resolved"]
    assert stage.counted()["email", "held"] == 1
    await stage.rounds([again], 20)
    assert mail.told == ["firing: firing", "resolved: resolved", "firing: firing"]
    assert mail.got[2].created == NOON + 600


async def test_what_is_over_while_held_back_is_not_told():
    mail = Mailbox()
    stage = Stage(mail)
    await stage.rounds([FIRING])
    await stage.rounds([an_alert(resolved=NOON + 15)])
    await stage.rounds([an_alert(at=NOON + 30)], 2)
    await stage.rounds([an_alert(at=NOON + 30, resolved=NOON + 60)], 40)
    assert mail.told == ["firing: firing", "resolved: resolved"]


async def test_a_failing_channel_is_tried_again_and_blocks_nobody():
    mail, hook = Mailbox(result=Retry("full")), Mailbox("webhook")
    stage = Stage(mail, hook)
    await stage.rounds([FIRING], 4)
    assert hook.told == ["firing: firing"]
    assert mail.tried == 3  # after 0, 5 and 10 more seconds, as the rounds allow
    mail.result = Done()
    await stage.rounds([OVER], 10)
    assert mail.told == hook.told == ["firing: firing", "resolved: resolved"]
    assert stage.counted()["email", "retry"] == 3


async def test_what_the_other_side_asks_for_is_kept_to():
    mail = Mailbox(result=Retry("too many", 100.0))
    stage = Stage(mail)
    await stage.rounds([FIRING], 7)
    assert mail.tried == 1
    await stage.rounds([FIRING])
    assert mail.tried == 2


async def test_it_gives_up_after_six_hours_and_says_so(caplog: pytest.LogCaptureFixture):
    mail = Mailbox(result=Retry("it answered 500"))
    stage = Stage(mail)
    await stage.rounds([FIRING], 6 * 240 + 25)
    assert stage.counted()["email", "give_up"] == 1
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.getMessage().endswith("give_up (tried for 6 hours, at last: it answered 500)")
    assert stage.delivery.facts()["channels"]["email"]["queued"] == 0


async def test_a_refusal_is_not_tried_again():
    mail = Mailbox(result=GiveUp("it answered 401"))
    stage = Stage(mail)
    await stage.rounds([FIRING], 20)
    assert mail.tried == 1
    assert stage.delivery.facts()["channels"]["email"]["last_reason"] == "it answered 401"


async def test_a_mistake_in_a_channel_ends_nothing():
    mail = Mailbox(result=RuntimeError("ca9a-secret"))
    stage = Stage(mail)
    await stage.rounds([FIRING])
    mail.result = Done()
    await stage.rounds([FIRING], 2)
    assert mail.told == ["firing: firing"]


async def test_the_queue_is_bounded_and_says_what_it_drops(caplog: pytest.LogCaptureFixture):
    mail = Mailbox(result=Retry("down"))
    stage = Stage(mail, capacity=3)
    await stage.rounds([an_alert(f"Rule{number}") for number in range(5)])
    assert stage.delivery.facts()["channels"]["email"]["queued"] == 3
    assert stage.counted()["email", "dropped"] == 2
    assert "email: Rule0 is firing, 1 alert: dropped (the queue is full)" in caplog.messages


async def test_spans_say_channel_and_outcome():
    mail = Mailbox(result=Retry("down"))
    stage = Stage(mail)
    await stage.rounds([FIRING], 2)
    mail.result = Done()
    await stage.rounds([FIRING], 2)
    spans = stage.spans.get_finished_spans()
    assert {span.name for span in spans} == {"alerting.deliver"}
    assert [span.status.description for span in spans] == ["RetriedError", "RetriedError", None]
    assert {span.attributes["alerting.channel"] for span in spans} == {"email"}


async def test_a_restart_neither_repeats_nor_loses():
    mail, hook = Mailbox(), Mailbox("webhook", Retry("down"))
    stage = Stage(mail, hook)
    await stage.rounds([FIRING], 2)
    stage.restart()
    hook.result = Done()
    await stage.rounds([FIRING], 2)
    stage.restart()
    await stage.rounds([OVER], 2)
    assert mail.told == hook.told == ["firing: firing", "resolved: resolved"]
    assert mail.got[1].sequence == 1


@pytest.mark.parametrize("state", [{"ledger": 1}, {"queues": {"email": [{}]}}, {"ledger": {}, "queues": 3}])
async def test_a_broken_state_is_said(state: dict[str, object], caplog: pytest.LogCaptureFixture):
    mail = Mailbox()
    stage = Stage(mail)
    stage.delivery.restore(state)
    await stage.rounds([FIRING])
    assert mail.told == ["firing: firing"]
    assert "can't be read" in caplog.text


async def test_alertmanager_first():
    mail, manager = Mailbox(), Manager()
    stage = Stage(mail, manager=manager)
    watchdog = an_alert("Watchdog", severity="none")
    await stage.rounds([FIRING, watchdog], 10)
    await stage.rounds([OVER, watchdog], 10)
    assert mail.got == []
    assert manager.pushed == [[FIRING, watchdog]] * 10 + [[OVER, watchdog]] * 10
    assert stage.counted() == {("alertmanager", "done"): 20}


async def test_what_prometheus_sends_is_not_sent_twice():
    mail, manager = Mailbox(), Manager()
    await Stage(mail, manager=manager).rounds([FIRING], 10, by_prometheus=True)
    assert (mail.got, manager.pushed) == ([], [])


@pytest.mark.parametrize("by_prometheus", [True, False])
async def test_an_alertmanager_that_dies_while_it_fires_and_comes_back(by_prometheus: bool):
    mail, manager = Mailbox(), Manager()
    stage = Stage(mail, manager=manager)
    await stage.rounds([FIRING], 10, by_prometheus=by_prometheus)  # told by Alertmanager
    manager.there = False
    await stage.rounds([FIRING], 10, by_prometheus=by_prometheus)
    assert mail.got == []  # people know already
    manager.there = True
    await stage.rounds([FIRING], 10, by_prometheus=by_prometheus)
    await stage.rounds([OVER], 10, by_prometheus=by_prometheus)
    # It may have forgotten what it told, so it is kept quiet, and the end is told by whom it was taken over.
    assert mail.told == ["resolved: resolved"]
    labels, until, _known = manager.silenced[0]
    assert labels == FIRING.labels
    assert until > NOON + 20 * INTERVAL + 150
    assert manager.silenced[-1][1] >= NOON + 30 * INTERVAL + 900


@pytest.mark.parametrize("by_prometheus", [True, False])
async def test_an_alert_of_an_outage_is_told_directly_from_first_to_last(by_prometheus: bool):
    mail, manager = Mailbox(), Manager()
    stage = Stage(mail, manager=manager)
    await stage.rounds([], 2, by_prometheus=by_prometheus)
    manager.there = False
    await stage.rounds([], 3, by_prometheus=by_prometheus)
    await stage.rounds([FIRING], 3, by_prometheus=by_prometheus)
    manager.there = True
    await stage.rounds([FIRING], 3, by_prometheus=by_prometheus)
    await stage.rounds([OVER], 3, by_prometheus=by_prometheus)
    assert mail.told == ["firing: firing", "resolved: resolved"]
    assert all(labels == FIRING.labels for labels, _until, _known in manager.silenced)


async def test_it_fires_as_alertmanager_dies():
    mail, manager = Mailbox(), Manager()
    stage = Stage(mail, manager=manager)
    await stage.rounds([], 2)
    await stage.rounds([FIRING])  # taken, but there was no time to tell
    manager.there = False
    await stage.rounds([FIRING], 2)
    assert mail.told == ["firing: firing"]
    assert mail.got[0].created <= NOON + 5 * INTERVAL
    counted = {("alertmanager", "done"): 1, ("alertmanager", "retry"): 2, ("email", "done"): 1}
    assert stage.counted() == counted


async def test_it_is_over_as_alertmanager_dies():
    mail, manager = Mailbox(), Manager()
    stage = Stage(mail, manager=manager)
    await stage.rounds([FIRING], 10)
    await stage.rounds([OVER])
    manager.there = False
    await stage.rounds([OVER], 3)
    assert mail.told == ["resolved: resolved"]


async def test_what_was_not_told_directly_is_left_to_alertmanager():
    mail, manager = Mailbox(result=Retry("down")), Manager(there=False)
    stage = Stage(mail, manager=manager)
    await stage.rounds([FIRING], 4)
    manager.there = True
    await stage.rounds([FIRING], 4)
    assert manager.silenced == []  # nobody knows yet, so it had better be told twice than never
    assert manager.pushed


async def test_a_killed_alertmanager_that_was_quick_to_return():
    mail, manager = Mailbox(), Manager()
    stage = Stage(mail, manager=manager)
    await stage.rounds([FIRING], 10)
    manager.begun = "second"
    await stage.rounds([FIRING])
    assert [labels for labels, _until, _known in manager.silenced] == [FIRING.labels]
    await stage.rounds([OVER], 2)
    assert mail.told == ["resolved: resolved"]


async def test_one_failure_is_no_outage():
    mail, manager = Mailbox(), Manager(there=False)
    stage = Stage(mail, manager=manager)
    await stage.rounds([FIRING])
    manager.there = True
    await stage.rounds([FIRING], 5)
    assert (mail.got, manager.silenced) == ([], [])
    assert stage.delivery.facts()["alertmanager"] == "answering"


async def test_without_direct_channels_alertmanager_is_all_there_is():
    manager = Manager()
    stage = Stage(manager=manager)
    await stage.rounds([FIRING], 10)
    manager.there = False
    await stage.rounds([FIRING], 10)
    assert stage.delivery.facts() == {"alertmanager": "away", "channels": {}}
    manager.there = True
    await stage.rounds([FIRING], 2)
    assert manager.silenced == []
    assert len(manager.pushed) == 12


async def test_a_restart_in_an_outage():
    mail, manager = Mailbox(), Manager()
    stage = Stage(mail, manager=manager)
    await stage.rounds([FIRING], 10)
    manager.there = False
    stage.restart()
    await stage.rounds([FIRING], 10)
    await stage.rounds([OVER], 2)
    assert mail.told == ["resolved: resolved"]


async def test_workers_deliver_by_themselves_until_cancelled():
    mail, hook = Mailbox(), Mailbox("webhook")
    stage = Stage(mail, hook)
    running = asyncio.create_task(stage.delivery.run())
    await stage.delivery.notify([FIRING], by_prometheus=False)
    async with asyncio.timeout(30):
        await mail.came.wait()
        await hook.came.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await stage.delivery.aclose()
    assert mail.told == hook.told == ["firing: firing"]
