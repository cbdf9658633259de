"""From settings to channels: what is configured is there, and nothing else."""

from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.support.alert_receiver import AlertReceiver
from tests.support.alerts import a_notification
from tests.support.command import run_command

from libraries_io_mcp.alerting.channels.build import build_channels
from libraries_io_mcp.alerting.channels.notification import Done
from libraries_io_mcp.settings import AlertmanagerSettings, SmtpSettings, WebhookSettings
from libraries_io_mcp.settings.alerts import parse_headers

pytestmark = pytest.mark.anyio
TEAM = ("ann@example.org",)


def test_nothing_is_configured():
    channels = build_channels(AlertmanagerSettings(), SmtpSettings(), WebhookSettings())
    assert (channels.direct, channels.alertmanager) == ((), None)


async def test_everything_is_configured():
    with AlertReceiver() as receiver:
        hook = WebhookSettings(
            url=SecretStr(receiver.url),
            token=SecretStr("t0ken"),
            headers=SecretStr("X-Team=a%20b"),
            hmac_secret=SecretStr("0123456789abcdef"),
        )
        smtp = SmtpSettings(server="mail.example.org", to_emails=TEAM, password=SecretStr("ca9a"))
        channels = build_channels(AlertmanagerSettings(url="http://am.example.org:9093"), smtp, hook)
        assert [repr(channel) for channel in channels.direct] == ["Email(mail.example.org:587)", "Webhook(127.0.0.1)"]
        assert repr(channels.alertmanager) == "Alertmanager(am.example.org)"
        assert await channels.direct[1].deliver(a_notification()) == Done()
        (request,) = receiver.requests
        assert request.headers["Authorization"] == "Bearer t0ken"
        assert request.headers["X-Team"] == "a b"
        assert "X-Signature-256" in request.headers
    for channel in (*channels.direct, channels.alertmanager):
        assert channel is not None
        await channel.aclose()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WEBHOOK_HEADERS", "ca9a secret"),
        ("WEBHOOK_HEADERS", "X-Team=a%0d%0aX-Evil: 1"),
        ("WEBHOOK_HEADERS", "=ca9a"),
        ("WEBHOOK_TOKEN", "ca9a b"),
        ("WEBHOOK_HMAC_SECRET", "ca9a"),
    ],
)
def test_what_can_not_be_sent_is_said_without_its_value(tmp_path: Path, name: str, value: str):
    ended = run_command(folder=tmp_path, **{name: value})
    assert ended.returncode == 2
    assert f"{name}=***: not allowed; allowed: " in ended.stderr
    assert "ca9a" not in ended.stderr


def test_headers_of_the_setting():
    assert parse_headers("X-Team=a%20b%2Cc, X-Other=1,") == {"X-Team": "a b,c", "X-Other": "1"}
