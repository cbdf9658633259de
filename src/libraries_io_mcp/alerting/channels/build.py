"""The channels that the settings ask for."""

import time
from collections.abc import Callable
from ssl import SSLContext

import httpx
from pydantic import SecretStr

from libraries_io_mcp.alerting.channels.alertmanager import LIMIT_SECONDS, Alertmanager
from libraries_io_mcp.alerting.channels.email import Email
from libraries_io_mcp.alerting.channels.notification import Channel, Channels
from libraries_io_mcp.alerting.channels.webhook import Webhook
from libraries_io_mcp.settings.alerts import AlertmanagerSettings, SmtpSettings, WebhookSettings, parse_headers


def build_channels(
    alertmanager: AlertmanagerSettings,
    smtp: SmtpSettings,
    webhook: WebhookSettings,
    *,
    external_url: str = "",
    alertmanager_limit_seconds: float = LIMIT_SECONDS,
    now: Callable[[], float] = time.time,
    network: httpx.AsyncBaseTransport | None = None,
    tls: SSLContext | None = None,
) -> Channels:
    """Nothing is opened or sent yet.

    Args:
        external_url: where a person can look, such as the status page; told in webhooks.
        alertmanager_limit_seconds: for one question to Alertmanager; less than the interval of evaluations.
        tls: whom the mail channel trusts; `None` for the system's certificates.
    """
    direct: list[Channel] = []
    if smtp.server is not None and smtp.to_emails:
        mail = Email(
            smtp.server,
            smtp.port,
            smtp.to_emails,
            sender=smtp.from_email,
            username=smtp.username,
            password=_clear(smtp.password),
            use_tls=smtp.use_tls,
            tls=tls,
        )
        direct.append(mail)
    if webhook.url is not None:
        direct.append(_webhook(webhook, webhook.url, external_url, now, network))
    if alertmanager.url is None:
        return Channels(tuple(direct))
    first = Alertmanager(alertmanager.url, limit_seconds=alertmanager_limit_seconds, now=now, network=network)
    return Channels(tuple(direct), first)


def _webhook(
    settings: WebhookSettings,
    url: SecretStr,
    external_url: str,
    now: Callable[[], float],
    network: httpx.AsyncBaseTransport | None,
) -> Webhook:
    return Webhook(
        url.get_secret_value(),
        token=_clear(settings.token),
        headers=parse_headers(_clear(settings.headers) or ""),
        hmac_secret=_clear(settings.hmac_secret),
        external_url=external_url,
        now=now,
        network=network,
    )


def _clear(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
