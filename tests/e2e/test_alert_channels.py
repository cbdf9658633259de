"""The real Alertmanager: takes what we send, mutes what follows from a cause, and says things as our channels do."""

import subprocess
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.servers.alertmanager import Alertmanager as Server
from tests.servers.binaries import OTEL
from tests.servers.ports import free_ports
from tests.support.alert_receiver import AlertReceiver
from tests.support.alerts import a_notification, an_alert
from tests.support.polling import poll_until
from tests.support.smtp_server import SmtpServer

from libraries_io_mcp.alerting.alert import Alert
from libraries_io_mcp.alerting.channels.alertmanager import Alertmanager
from libraries_io_mcp.alerting.channels.http_post import HttpPost
from libraries_io_mcp.alerting.channels.notification import Delivered, Failed
from libraries_io_mcp.alerting.channels.webhook import message

pytestmark = pytest.mark.anyio
TOKEN = "ca9a-webhook-token-11"


class World:
    """Alertmanager with the shipped configuration, made for our receivers, and quicker."""

    def __init__(self, folder: Path, mails: SmtpServer, hooks: AlertReceiver) -> None:
        self.mails, self.hooks = mails, hooks
        given, secrets = folder / "given", folder / "secrets"
        given.mkdir(parents=True)
        secrets.mkdir()
        settings = {
            "SMTP_SERVER": "127.0.0.1",
            "SMTP_PORT": str(mails.port),
            "SMTP_TO_EMAILS": "ann@example.org",
            "SMTP_USE_TLS": "false",
            "WEBHOOK_URL": hooks.url,
            "WEBHOOK_TOKEN": TOKEN,
        }
        (given / "settings").write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        made = folder / "alertmanager.yml"
        subprocess.run(["sh", OTEL / "alertmanager.sh", OTEL / "alertmanager.yml", given, secrets, made], check=True)
        text = made.read_text()
        made.chmod(0o644)
        made.write_text(
            text.replace("group_wait: 10s", "group_wait: 1s").replace("group_interval: 1m", "group_interval: 1s")
        )
        (port,) = free_ports(1)
        self.server = Server(folder / "alertmanager", port, configuration=made)

    def about(self, name: str) -> list[Any]:
        """What came by webhook about a rule."""
        return [body for body in self.hooks.bodies if body["groupLabels"]["alertname"] == name]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with SmtpServer() as mails, AlertReceiver() as hooks:
        world = World(tmp_path_factory.mktemp("world"), mails, hooks)
        world.server.process.start()
        try:
            world.server.process.wait_until_ready()
            yield world
        finally:
            world.server.process.stop()


@pytest.fixture
async def api(world: World) -> AsyncIterator[Alertmanager]:
    api = Alertmanager(world.server.url, HttpPost(seconds=5.0, now=time.time))
    yield api
    await api.aclose()


def shape(value: Any) -> Any:
    """Keys and types."""
    if isinstance(value, Mapping):
        return {key: shape(each) for key, each in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else type(value).__name__


def fired(name: str, **options: Any) -> Alert:
    return an_alert(name, at=time.time() - 5, annotations={"description": "d"}, **options)


async def test_our_body_is_its_body(world: World, api: Alertmanager):
    alert = fired("Shape", slo="x")
    assert await api.push([alert]) == Delivered()
    theirs = poll_until(lambda: world.about("Shape"), "the alert to be told")[0]
    ours = message(a_notification(alert), "http://127.0.0.1")
    assert list(ours) == list(theirs)
    assert shape(ours) == shape(theirs)
    same = ("status", "version", "groupLabels", "commonLabels", "commonAnnotations", "truncatedAlerts", "routeLabels")
    assert {name: ours[name] for name in (*same, "notification_reason")} == {
        name: theirs[name] for name in (*same, "notification_reason")
    }
    (our_alert,), (their_alert,) = ours["alerts"], theirs["alerts"]
    changing = {"startsAt": None}
    assert our_alert | changing == their_alert | changing
    # Ours has no route before the group.
    assert theirs["groupKey"].endswith(ours["groupKey"].removeprefix("{}"))
    (request,) = [each for each in world.hooks.requests if each.data["groupLabels"]["alertname"] == "Shape"]
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"


async def test_it_tells_the_end_by_webhook_and_mail(world: World, api: Alertmanager):
    alert = fired("Ending")
    await api.push([alert])
    poll_until(lambda: world.about("Ending"), "it to be told as firing")
    over = Alert(alert.labels, alert.annotations, 1.0, "resolved", alert.active_at, alert.fired_at, time.time())
    assert await api.push([over]) == Delivered()
    poll_until(lambda: any(body["status"] == "resolved" for body in world.about("Ending")), "its end to be told")

    def mails() -> list[Any]:
        return [mail for mail in world.mails.mails if "Ending" in mail["Subject"]]

    firing, resolved = poll_until(lambda: mails() if len(mails()) > 1 else None, "two mails")[:2]
    assert firing["Message-ID"] != resolved["Message-ID"]
    # It threads by a reference to a mail that never was, as ours do.
    assert firing["References"] == resolved["References"]


async def test_an_outage_of_the_service_is_one_notification(world: World, api: Alertmanager):
    follows = [
        fired("LowSuccessRate", slo="availability"),
        fired("ErrorBudgetBurnFast", severity="critical", slo="availability"),
        fired("HighErrorRate", slo="availability"),
        fired("QuotaExhausted", slo="quota"),
        fired("BreakerOpen", severity="medium", slo="upstream", libraries_io_endpoint="search"),
        fired("HealthCheckUnhealthy", slo="health", health_check_name="api_connectivity"),
        fired("HealthCheckUnhealthy", slo="health", health_check_name="upstream_breaker"),
    ]
    down, other = fired("UpstreamDown", severity="critical", slo="upstream"), fired("CacheStoreLost", slo="cache")
    # The cause fires first: the others have a longer `for`.
    assert await api.push([down]) == Delivered()
    poll_until(lambda: world.about("UpstreamDown"), "the cause to be told")
    assert await api.push([down, *follows, other]) == Delivered()
    poll_until(lambda: world.about("CacheStoreLost"), "what does not follow from it to be told")

    def suppressed() -> bool:
        states = {each["labels"]["alertname"]: each["status"] for each in world.server.alerts()}
        names = {alert.name for alert in follows}
        return all(states[name]["state"] == "suppressed" and states[name]["inhibitedBy"] for name in names)

    poll_until(suppressed, "what follows from it to be muted")
    assert [each for alert in follows for each in world.about(alert.name)] == []


async def test_whether_it_answers(world: World, api: Alertmanager):
    assert await api.ask() == Delivered()
    world.server.process.kill()
    assert isinstance(await api.ask(), Failed)
    world.server.process.start()
    world.server.process.wait_until_ready()
    assert await api.ask() == Delivered()
