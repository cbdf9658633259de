"""Mail and webhook: as far as can be tried without sending anybody an alert."""

import asyncio
from typing import Final
from urllib.parse import urlsplit

import aiosmtplib

from libraries_io_mcp.alerting.channels.email import no_login
from libraries_io_mcp.doctor.finding import Finding
from libraries_io_mcp.settings import Settings, SmtpSettings
from libraries_io_mcp.telemetry.reasons import reason
from libraries_io_mcp.tls import trust

SECONDS: Final = 6.0
IMPLICIT_TLS_PORT: Final = 465


async def examine_mail(settings: Settings) -> tuple[Finding, ...]:
    """Finding `mail`: the talk with the mail server up to the point where a mail would begin."""
    smtp = settings.smtp
    if smtp.server is None:
        return (Finding("mail", "skipped", "SMTP_SERVER", "not set: no alert is sent by e-mail"),)
    steps = ["EHLO", *(["STARTTLS"] if _starts_tls(smtp) else []), *(["AUTH"] if smtp.username else [])]
    tried = f"{', '.join(steps)} at {smtp.server}:{smtp.port}, no mail sent"
    try:
        async with asyncio.timeout(SECONDS):
            refusal = await _talk(smtp)
    except aiosmtplib.SMTPAuthenticationError as error:
        advice = "Correct SMTP_USERNAME and SMTP_PASSWORD; many providers want a password for apps."
        return (Finding("mail", "warning", tried, f"the log-in was refused ({error.code})", advice),)
    except aiosmtplib.SMTPResponseException as error:
        return (Finding("mail", "warning", tried, f"refused with {error.code}", "Ask who runs the mail server."),)
    except (aiosmtplib.SMTPException, OSError) as error:
        advice = "Correct SMTP_SERVER and SMTP_PORT (587 with STARTTLS, 465 with TLS), or open the way out."
        return (Finding("mail", "warning", tried, reason(error), advice),)
    if refusal is not None:
        return (Finding("mail", "warning", tried, *refusal),)
    return (Finding("mail", "ok", tried, "accepted"),)


def _starts_tls(smtp: SmtpSettings) -> bool:
    return smtp.use_tls and smtp.port != IMPLICIT_TLS_PORT


async def _talk(settings: SmtpSettings) -> tuple[str, str] | None:
    """What stands in the way of a mail and what to do about it, or `None`."""
    smtp = aiosmtplib.SMTP(
        hostname=settings.server,
        port=settings.port,
        timeout=SECONDS,
        use_tls=settings.use_tls and settings.port == IMPLICIT_TLS_PORT,
        start_tls=False,
        tls_context=trust(),
    )
    try:
        await smtp.connect()
        await smtp.ehlo()
        if _starts_tls(settings):
            if not smtp.supports_extension("starttls"):
                return "it offers no STARTTLS", "Use port 465, or SMTP_USE_TLS=false for a relay on this host."
            await smtp.starttls()
            await smtp.ehlo()
        if settings.username:
            if (refusal := no_login(smtp)) is not None:
                return refusal, "Unset SMTP_USERNAME, or use the port for submission (587) or another server."
            password = settings.password.get_secret_value() if settings.password else ""
            await smtp.login(settings.username, password)
        await smtp.quit()
    finally:
        smtp.close()
    return None


async def examine_webhook(settings: Settings) -> tuple[Finding, ...]:
    """Finding `webhook`: a connection, and nothing said on it."""
    if settings.webhook.url is None:
        return (Finding("webhook", "skipped", "WEBHOOK_URL", "not set: no alert is posted"),)
    url = urlsplit(settings.webhook.url.get_secret_value())
    tls = url.scheme == "https"
    port = url.port or (443 if tls else 80)
    tried = f"a {'TLS' if tls else 'TCP'} connection to {url.hostname}:{port}, no alert sent"
    try:
        async with asyncio.timeout(SECONDS):
            context = trust() if tls else None
            _, writer = await asyncio.open_connection(url.hostname, port, ssl=context)
    except OSError as error:
        advice = "Correct WEBHOOK_URL, or open the way out to it."
        return (Finding("webhook", "warning", tried, reason(error), advice),)
    writer.close()
    found = "it connects; whether the receiver takes alerts shows with the first one"
    return (Finding("webhook", "ok", tried, found),)
