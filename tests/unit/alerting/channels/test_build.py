"""From settings to channels: what is configured is there, and nothing else."""

import pytest
from pydantic import SecretStr
from tests.support.alert_receiver import AlertReceiver
from tests.support.alerts import a_notification

from libraries_io_mcp.alerting.channels.build import build_channels
from libraries_io_mcp.alerting.channels.notification import Done
from libraries_io_mcp.errors import SettingsError
from libraries_io_mcp.settings import AlertmanagerSettings, SmtpSettings, WebhookSettings

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


def test_headers_that_can_not_be_read_are_said_without_their_values():
    hook = WebhookSettings(url=SecretStr("http://127.0.0.1"), headers=SecretStr("ca9a secret"))
    with pytest.raises(SettingsError, match=r"^WEBHOOK_HEADERS=\*\*\*: not allowed"):
        build_channels(AlertmanagerSettings(), SmtpSettings(), hook)
