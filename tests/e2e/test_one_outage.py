"""One outage of Libraries.io is one notification: by the server's own channels, and by the real Alertmanager.

The whole server lives through the outage on a simulated clock, with the rules that it ships. What fired is then handed
to Alertmanager with the shipped inhibitions, a quarter of an hour in six seconds.
"""

import time
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest
import yaml
from tests.servers.alertmanager import Alertmanager as Server
from tests.servers.binaries import OTEL
from tests.servers.ports import free_ports
from tests.support.alert_receiver import AlertReceiver
from tests.support.own_process import in_own_process
from tests.support.polling import poll_until
from tests.support.simulated_outage import STEP_SECONDS, story

from libraries_io_mcp.alerting.alert import Alert, alert_from_json
from libraries_io_mcp.alerting.channels.alertmanager import Alertmanager
from libraries_io_mcp.alerting.channels.http_post import HttpPost
from libraries_io_mcp.alerting.channels.notification import Delivered

pytestmark = pytest.mark.anyio
MINUTES = (3, 20)
TIMES = 150
"""So much faster Alertmanager lives through it."""
ONE = [("UpstreamDown", "firing"), ("UpstreamDown", "resolved")]


@pytest.fixture(scope="module", params=MINUTES, ids=lambda minutes: f"{minutes} minutes")
def lived(request: pytest.FixtureRequest) -> Mapping[str, Any]:
    """What came of an outage of so many minutes."""
    return in_own_process(partial(story, 60.0 * request.param))


def test_by_the_servers_own_channels(lived: Mapping[str, Any], report: list[str]) -> None:
    report.append(f"one outage: fired {', '.join(lived['fired'])}; told {lived['told']}")
    assert [tuple(each) for each in lived["told"]] == ONE


async def test_by_alertmanager(lived: Mapping[str, Any], tmp_path: Path) -> None:
    configuration = yaml.safe_load((OTEL / "alertmanager.yml").read_text(encoding="utf-8"))
    with AlertReceiver() as hooks:
        for receiver in configuration["receivers"]:
            if receiver["name"] == "mail-and-webhook":
                receiver["webhook_configs"] = [{"url": hooks.url, "send_resolved": True}]
        configuration["route"] |= {"group_wait": "100ms", "group_interval": "1s"}
        (tmp_path / "alertmanager.yml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
        (port,) = free_ports(1)
        server = Server(tmp_path / "alertmanager", port, configuration=tmp_path / "alertmanager.yml")
        server.process.start()
        try:
            server.process.wait_until_ready()
            await _replay(server.url, lived["timeline"])
            told = poll_until(lambda: _told(hooks) if len(_told(hooks)) > 1 else None, "the end to be told")
        finally:
            server.process.stop()
    assert told == ONE


async def _replay(url: str, timeline: list[list[dict[str, Any]]]) -> None:
    begin = time.time()
    steps = [[alert for alert in map(alert_from_json, step) if alert.name != "Watchdog"] for step in timeline]
    first = min(alert.active_at for step in steps for alert in step)
    api = Alertmanager(url, HttpPost(seconds=5.0, now=time.time))
    for alerts in steps:
        if alerts:
            assert await api.push([_moved(alert, begin, first) for alert in alerts]) == Delivered()
            await anyio.sleep(STEP_SECONDS / TIMES)
    await api.aclose()


def _moved(alert: Alert, begin: float, first: float) -> Alert:
    """The alert with the times of the quicker clock."""
    active_at = begin + (alert.active_at - first) / TIMES
    over = None if alert.resolved_at is None else time.time()
    return replace(alert, active_at=active_at, fired_at=active_at, resolved_at=over)


def _told(hooks: AlertReceiver) -> list[tuple[str, str]]:
    return [(body["groupLabels"]["alertname"], body["status"]) for body in hooks.bodies]
