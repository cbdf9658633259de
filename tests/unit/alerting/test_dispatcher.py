"""Who tells: Alertmanager while it answers, otherwise the server's own receivers; and nobody is left untold."""

import asyncio
import json
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tests.support.alerts import NOON, an_alert

from libraries_io_mcp.alerting.alert import Alert
from libraries_io_mcp.alerting.channels.notification import Channels, Delivered, Failed, Notification, Result
from libraries_io_mcp.alerting.dispatcher import AWAY_SECONDS, LONGEST_PAUSE_SECONDS, Dispatcher
from libraries_io_mcp.supervisor import Supervisor
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.observe import Observer
from libraries_io_mcp.telemetry.semconv import AlertChannel

pytestmark = pytest.mark.anyio
INTERVAL = 15.0


@dataclass
class Mailbox:
    """A channel that answers as it is told to."""

    name: AlertChannel = "email"
    result: Result | Exception = field(default_factory=Delivered)
    got: list[Notification] = field(default_factory=list)
    tried_at: list[float] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    now: Callable[[], float] = lambda: NOON

    @property
    def id(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return self.name

    async def deliver(self, notification: Notification) -> Result:
        self.tried_at.append(self.now() - NOON)
        if isinstance(self.result, Exception):
            raise self.result
        if isinstance(self.result, Delivered):
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
    pushed: list[list[Alert]] = field(default_factory=list)

    async def push(self, alerts: Sequence[Alert]) -> Result:
        if not self.there:
            return Failed("away")
        self.pushed.append(list(alerts))
        return Delivered()

    async def ask(self) -> Result:
        return Delivered() if self.there else Failed("away")

    async def aclose(self) -> None:
        """Nothing is open."""


class Stage:
    """A dispatcher on a clock that is told to move."""

    def __init__(self, *direct: Mailbox, manager: Manager | None = None) -> None:
        self.now = NOON
        for mailbox in direct:
            mailbox.now = lambda: self.now
        self.reader = InMemoryMetricReader()
        self.spans = InMemorySpanExporter()
        tracers = TracerProvider(shutdown_on_exit=False)
        tracers.add_span_processor(SimpleSpanProcessor(self.spans))
        instruments = Instruments(MeterProvider([self.reader], shutdown_on_exit=False).get_meter("t"))
        self.make: Callable[[], Dispatcher] = lambda: Dispatcher(
            Channels(direct, manager),
            observer=Observer(tracers.get_tracer("t"), instruments),
            instruments=instruments,
            now=lambda: self.now,
            monotonic=lambda: self.now,
            jitter=lambda: 1.0,
        )
        self.dispatcher = self.make()

    async def rounds(self, alerts: Sequence[Alert] = (), count: int = 1, sent_elsewhere: Sequence[Alert] = ()) -> None:
        """So many intervals with these alerts."""
        for _ in range(count):
            fingerprints = {alert.fingerprint for alert in sent_elsewhere}
            self.dispatcher.update(alerts, sent_elsewhere=fingerprints)
            await self.dispatcher.work()
            self.now += INTERVAL

    def restart(self) -> None:
        """The process ends and begins again, with its state file."""
        state = json.loads(json.dumps(self.dispatcher.to_json()))
        self.dispatcher = self.make()
        self.dispatcher.restore(state)

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
    assert mail.told == hook.told == ["firing: firing", "resolved: resolved"]
    assert stage.counted()["email", "delivered"] == 2


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


async def test_a_failing_channel_is_tried_with_growing_pauses_for_as_long_as_it_fires_and_blocks_nobody():
    mail, hook = Mailbox(result=Failed("it answered 404")), Mailbox("webhook")
    stage = Stage(mail, hook)
    stage.dispatcher.update([FIRING])
    for _ in range(3 * 3600):
        await stage.dispatcher.work()
        stage.now += 1.0
    assert hook.told == ["firing: firing"]
    pauses = [after - before for before, after in zip(mail.tried_at, mail.tried_at[1:], strict=False)]
    assert pauses[:5] == [5, 10, 20, 40, 60]
    assert set(pauses[5:]) == {LONGEST_PAUSE_SECONDS}
    mail.result = Delivered()
    stage.now += LONGEST_PAUSE_SECONDS
    await stage.rounds([FIRING])
    assert mail.told == ["firing: firing"]


async def test_what_nobody_could_be_told_has_no_end_to_tell():
    mail = Mailbox(result=Failed("it answered: 554"))
    stage = Stage(mail)
    await stage.rounds([FIRING], 5)
    assert stage.dispatcher.facts()["channels"]["email"]["firing"]
    mail.result = Delivered()
    await stage.rounds([OVER], 10)
    assert mail.got == []
    assert not stage.dispatcher.facts()["channels"]["email"]["failing"]


async def test_the_end_is_tried_until_it_is_told():
    mail = Mailbox()
    stage = Stage(mail)
    await stage.rounds([FIRING])
    mail.result = Failed("down")
    await stage.rounds([OVER], 10)
    # Nobody mentions it any more, and it is still owed.
    await stage.rounds([], 100)
    mail.result = Delivered()
    await stage.rounds([], 5)
    assert mail.told == ["firing: firing", "resolved: resolved"]


async def test_what_the_other_side_asks_for_is_waited_for():
    mail = Mailbox(result=Failed("it answered 429", 600.0))
    stage = Stage(mail)
    await stage.rounds([FIRING], 42)
    assert mail.tried_at == [0.0, 600.0]


async def test_a_mistake_in_a_channel_is_a_failure_like_any_other(caplog: pytest.LogCaptureFixture):
    mail = Mailbox(result=ValueError("a mistake"))
    stage = Stage(mail)
    await stage.rounds([FIRING], 2)
    assert len(mail.tried_at) == 2
    assert "it failed (ValueError); again in" in caplog.text
    assert stage.counted()["email", "failed"] == 2
    assert {span.status.is_ok for span in stage.spans.get_finished_spans()} == {False}


async def test_while_alertmanager_answers_it_gets_everything_each_time_and_nobody_else_does():
    mail, manager = Mailbox(), Manager()
    stage = Stage(mail, manager=manager)
    await stage.rounds([FIRING], 4)
    await stage.rounds([OVER], 2)
    assert manager.pushed == [[FIRING]] * 4 + [[OVER]] * 2
    assert mail.got == []
    assert stage.dispatcher.facts()["alertmanager"] == "answering"


async def test_what_prometheus_sends_is_not_sent_twice_but_told_when_alertmanager_is_away():
    mail, manager = Mailbox(), Manager()
    stage = Stage(mail, manager=manager)
    await stage.rounds([FIRING], 3, sent_elsewhere=[FIRING])
    assert manager.pushed == []
    manager.there = False
    await stage.rounds([FIRING], 6, sent_elsewhere=[FIRING])
    assert mail.told == ["firing: firing"]


async def test_an_alertmanager_that_is_away_for_a_minute_is_stood_in_for_until_it_is_back(
    caplog: pytest.LogCaptureFixture,
):
    mail, manager = Mailbox(), Manager()
    stage = Stage(mail, manager=manager)
    await stage.rounds([FIRING], 2)
    manager.there = False
    since = stage.now
    with caplog.at_level(logging.INFO):
        await stage.rounds([FIRING], 6)
    assert mail.told == ["firing: firing"]
    assert AWAY_SECONDS - INTERVAL <= mail.got[0].created - since <= 60
    assert stage.dispatcher.facts()["alertmanager"] == "away"
    manager.there = True
    other = an_alert("Other")
    with caplog.at_level(logging.INFO):
        await stage.rounds([FIRING, other], 3)
        await stage.rounds([OVER, other], 3)
    # It is back, so it tells what is new; what was told here is told to its end here, too.
    assert mail.told == ["firing: firing", "resolved: resolved"]
    assert [message.partition(":")[2] for message in caplog.messages if message.startswith("alertmanager")] == [
        " does not take alerts (away)",
        " away; the server's own channels tell people",
        " takes alerts again; it tells people from now on",
    ]


async def test_one_failure_of_alertmanager_is_no_outage():
    mail, manager = Mailbox(), Manager()
    stage = Stage(mail, manager=manager)
    for _ in range(10):
        manager.there = not manager.there
        await stage.rounds([FIRING], 2)
    assert mail.got == []


async def test_without_receivers_it_is_said_that_nobody_is_told(caplog: pytest.LogCaptureFixture):
    stage = Stage(manager=Manager(there=False))
    await stage.rounds([FIRING], 5)
    assert "alertmanager: away; nobody is told" in caplog.text


async def test_a_restart_repeats_nothing_and_forgets_nothing():
    mail, hook = Mailbox(), Mailbox("webhook", result=Failed("down"))
    stage = Stage(mail, hook)
    await stage.rounds([FIRING], 3)
    hook.result = Delivered()
    stage.restart()
    await stage.rounds([FIRING], 3)
    stage.restart()
    await stage.rounds([OVER], 3)
    assert mail.told == hook.told == ["firing: firing", "resolved: resolved"]


async def test_a_restart_while_alertmanager_is_away_waits_for_no_minute():
    mail, manager = Mailbox(), Manager()
    stage = Stage(mail, manager=manager)
    await stage.rounds([], 1)
    manager.there = False
    stage.now += 3600
    stage.restart()
    await stage.rounds([FIRING])
    assert mail.told == ["firing: firing"]


@pytest.mark.parametrize("state", [None, 7, {"log": 7}, {"log": [7, {}], "alertmanager_answered_at": "x"}])
async def test_a_state_that_makes_no_sense_costs_nothing_but_itself(state: object):
    mail = Mailbox()
    stage = Stage(mail)
    stage.dispatcher.restore(state)
    await stage.rounds([FIRING])
    assert mail.told == ["firing: firing"]


async def test_a_replica_that_does_not_lead_says_nothing():
    mail = Mailbox()
    stage = Stage(mail)
    await stage.rounds([FIRING])
    stage.dispatcher.update(None)
    await stage.dispatcher.work()
    assert mail.told == ["firing: firing"]


async def test_it_runs_by_itself_and_says_what_it_delivered():
    mail, manager = Mailbox(), Manager(there=False)
    stage = Stage(mail, manager=manager)
    delivered: list[int] = []
    stage.dispatcher.on_delivered = lambda: delivered.append(len(mail.got))
    stage.dispatcher.update([FIRING])
    stage.now += AWAY_SECONDS
    running = asyncio.create_task(stage.dispatcher.run(Supervisor()))
    await asyncio.wait_for(mail.came.wait(), 30)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert delivered == [1]
