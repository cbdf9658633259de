"""From settings to channels: what is configured is there, and nothing else."""

import pytest
from pydantic import SecretStr, ValidationError
from tests.support.alert_receiver import AlertReceiver
from tests.support.alerts import a_notification

from libraries_io_mcp.alerting.channels.build import build_channels
from libraries_io_mcp.alerting.channels.notification import Delivered
from libraries_io_mcp.errors import SettingsError
from libraries_io_mcp.settings import AlertmanagerSettings, SmtpSettings, WebhookSettings, load_settings
from libraries_io_mcp.settings.alerts import parse_headers

pytestmark = pytest.mark.anyio
TEAM = ("ann@example.org", "bob@example.org")


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
        assert [repr(channel) for channel in channels.direct] == [
            "Email(mail.example.org:587)",
            "Email(mail.example.org:587)",
            "Webhook(127.0.0.1)",
        ]
        assert [channel.id for channel in channels.direct] == [f"email:{TEAM[0]}", f"email:{TEAM[1]}", "webhook"]
        assert [channel.label for channel in channels.direct] == [
            "email to recipient 1",
            "email to recipient 2",
            "webhook",
        ]
        assert repr(channels.alertmanager) == "Alertmanager(am.example.org)"
        assert await channels.direct[2].deliver(a_notification()) == Delivered()
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
        ("headers", "ca9a secret"),
        ("headers", "X-Team=ca9a%0d%0aX-Evil: 1"),
        ("headers", "=ca9a"),
        ("token", "ca9a b"),
        ("hmac_secret", "ca9a"),
    ],
)
def test_what_can_not_be_sent_is_refused_without_its_value(name: str, value: str):
    with pytest.raises(ValidationError) as refusal:
        WebhookSettings(**{name: SecretStr(value)})
    assert "ca9a" not in str(refusal.value)


def test_headers_of_the_setting():
    assert parse_headers("X-Team=a%20b%2Cc, X-Other=1,") == {"X-Team": "a b,c", "X-Other": "1"}


@pytest.mark.parametrize(
    "variables",
    [
        {"WEBHOOK_TOKEN": "t0ken", "WEBHOOK_HEADERS": "authorization=Bearer%20other"},
        {"WEBHOOK_TOKEN": "t0ken", "WEBHOOK_USERNAME": "ann"},
        {"ALERTMANAGER_USERNAME": "ann", "ALERTMANAGER_HEADERS": "Authorization=x"},
    ],
)
def test_two_ways_to_log_in_at_one_place_are_refused(variables: dict[str, str], monkeypatch: pytest.MonkeyPatch):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match="both log in at one place"):
        load_settings()


def test_an_address_that_most_mail_servers_refuse_is_refused_at_the_start():
    with pytest.raises(ValidationError):
        SmtpSettings(
            server="mail.example.org",
            to_emails=("ann@example.org", "j\xf6rg@example.org"),
        )
