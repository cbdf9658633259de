"""The channels that the settings ask for."""

import time
from collections.abc import Callable
from ssl import SSLContext

import httpx
from pydantic import SecretStr

from libraries_io_mcp.alerting.channels.alertmanager import LIMIT_SECONDS as ALERTMANAGER_SECONDS
from libraries_io_mcp.alerting.channels.alertmanager import Alertmanager
from libraries_io_mcp.alerting.channels.email import Email
from libraries_io_mcp.alerting.channels.http_post import HttpPost
from libraries_io_mcp.alerting.channels.notification import Channel, Channels
from libraries_io_mcp.alerting.channels.webhook import LIMIT_SECONDS as WEBHOOK_SECONDS
from libraries_io_mcp.alerting.channels.webhook import Webhook
from libraries_io_mcp.settings.alerts import AlertmanagerSettings, SmtpSettings, WebhookSettings, parse_headers
from libraries_io_mcp.tls import trust


def build_channels(
    alertmanager: AlertmanagerSettings,
    smtp: SmtpSettings,
    webhook: WebhookSettings,
    *,
    external_url: str = "",
    now: Callable[[], float] = time.time,
    network: httpx.AsyncBaseTransport | None = None,
    tls: SSLContext | None = None,
) -> Channels:
    """Nothing is opened or sent yet.

    Args:
        external_url: where a person can look, such as the status page; told in webhooks.
        tls: whom the mail channel trusts, if not those whom all trust.
    """
    direct: list[Channel] = list(_mails(smtp, tls))
    if webhook.url is not None:
        token = _clear(webhook.token)
        post = HttpPost(
            seconds=WEBHOOK_SECONDS,
            now=now,
            username=webhook.username,
            password=_clear(webhook.password),
            headers=_headers(webhook.headers) | ({"Authorization": f"Bearer {token}"} if token else {}),
            network=network,
        )
        secret = _clear(webhook.hmac_secret)
        direct.append(Webhook(webhook.url.get_secret_value(), post, hmac_secret=secret, external_url=external_url))
    if alertmanager.url is None:
        return Channels(tuple(direct))
    post = HttpPost(
        seconds=ALERTMANAGER_SECONDS,
        now=now,
        username=alertmanager.username,
        password=_clear(alertmanager.password),
        headers=_headers(alertmanager.headers),
        network=network,
    )
    return Channels(tuple(direct), Alertmanager(alertmanager.url, post, now=now))


def _mails(smtp: SmtpSettings, tls: SSLContext | None) -> list[Email]:
    """One for each recipient: what goes wrong for one of them is no trouble for the others."""
    if smtp.server is None:
        return []
    recipients = tuple(dict.fromkeys(smtp.to_emails))
    return [
        Email(
            smtp.server,
            smtp.port,
            recipient,
            all_recipients=recipients,
            sender=smtp.from_email,
            username=smtp.username,
            password=_clear(smtp.password),
            use_tls=smtp.use_tls,
            tls=tls or trust(),
        )
        for recipient in recipients
    ]


def _headers(secret: SecretStr | None) -> dict[str, str]:
    return parse_headers(_clear(secret) or "")


def _clear(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
