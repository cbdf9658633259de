"""Alerts by e-mail over SMTP. `docs/decisions/alert-delivery.md` says why aiosmtplib."""

import asyncio
import base64
import ipaddress
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import aiosmtplib

from libraries_io_mcp.alerting.channels.mail_text import compose
from libraries_io_mcp.alerting.channels.notification import Delivered, Failed, Notification, Result, cleaned
from libraries_io_mcp.telemetry.reasons import reason
from libraries_io_mcp.telemetry.semconv import AlertChannel

LIMIT_SECONDS: Final = 30.0
_GOODBYE_SECONDS: Final = 2.0
IMPLICIT_TLS_PORT: Final = 465


class Email:
    """Sends notifications to one recipient through one mail server.

    Port 465 is TLS from the first byte. With any other port `use_tls` means STARTTLS, and nothing but the greeting is
    said in clear; without it a password is only told to a server on this host.

    Args:
        all_recipients: who else gets the same; all of them are named in the mail.
        implicit_tls: TLS from the first byte; `None` for what the port says.
        limit_seconds: for one attempt in all.
        tls: whom to trust.
    """

    name: AlertChannel = "email"

    def __init__(
        self,
        server: str,
        port: int,
        recipient: str,
        *,
        all_recipients: Sequence[str] = (),
        sender: str | None = None,
        username: str | None = None,
        password: str | None = None,
        use_tls: bool = True,
        implicit_tls: bool | None = None,
        limit_seconds: float = LIMIT_SECONDS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._all_recipients = tuple(all_recipients) or (recipient,)
        self.id = f"email:{recipient}"
        # The address itself is nothing for the log.
        place = self._all_recipients.index(recipient) + 1
        self.label = "email" if len(self._all_recipients) == 1 else f"email to recipient {place}"
        self._server = server
        self._port = port
        self._recipient = recipient
        self._sender = sender or self._all_recipients[0]
        self._login = (username, password or "") if username else None
        self._implicit = port == IMPLICIT_TLS_PORT if implicit_tls is None else implicit_tls
        self._starttls = use_tls and not self._implicit
        self._limit = limit_seconds
        self._tls = tls

    def __repr__(self) -> str:
        return f"Email({self._server}:{self._port})"

    async def deliver(self, notification: Notification) -> Result:
        """Send it once."""
        try:
            mail = compose(notification, self._sender, self._all_recipients)
        except (ValueError, IndexError) as error:
            return Failed(f"no mail can be made of it ({type(error).__name__})")
        smtp = aiosmtplib.SMTP(
            hostname=self._server,
            port=self._port,
            local_hostname=_own_name(),
            timeout=self._limit,
            use_tls=self._implicit,
            start_tls=False,  # done below, where it can be told why not
            tls_context=self._tls,
        )
        try:
            async with asyncio.timeout(self._limit):
                await self._open(smtp)
                await smtp.send_message(mail, sender=self._sender, recipients=[self._recipient])
            await _say_goodbye(smtp)
        except (_RefusedError, aiosmtplib.SMTPException, TimeoutError, OSError, ValueError) as error:
            return Failed(self._reason(error))
        finally:
            _hang_up(smtp)
        return Delivered()

    async def aclose(self) -> None:
        """Nothing stays open between two mails."""

    async def _open(self, smtp: aiosmtplib.SMTP) -> None:
        """Connect, encrypt and log in.

        Raises:
            _RefusedError: this server is not to be talked to like that.
        """
        await smtp.connect()
        if smtp.is_ehlo_or_helo_needed:
            await smtp.ehlo()
        if self._starttls:
            if not smtp.supports_extension("starttls"):
                raise _RefusedError("the server has no STARTTLS, and SMTP_USE_TLS=true allows nothing in clear")
            await smtp.starttls()
            await smtp.ehlo()  # what was said in clear counts no more
        if self._login is None:
            return
        if not (self._starttls or self._implicit or _is_here(self._server)):
            raise _RefusedError("SMTP_USE_TLS=false: a password is not told in clear to another machine")
        if (refusal := no_login(smtp)) is not None:
            raise _RefusedError(refusal)
        await smtp.login(*self._login)

    def _reason(self, error: Exception) -> str:
        """What an exception means: the server's own words, without the password that it may repeat."""
        if isinstance(error, _RefusedError):
            return str(error)
        if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
            error = error.recipients[0]
        if isinstance(error, aiosmtplib.SMTPResponseException):
            what = "it refused the log-in" if isinstance(error, aiosmtplib.SMTPAuthenticationError) else "it answered"
            return cleaned(f"{what}: {error.code} {error.message}", self._secrets())
        if isinstance(error, TimeoutError):
            return f"the server did not answer within {self._limit:g} s"
        return cleaned(reason(error), self._secrets())

    def _secrets(self) -> list[str]:
        if self._login is None:
            return []
        username, password = self._login
        texts = (password, f"\0{username}\0{password}")
        return [password, *(base64.b64encode(text.encode()).decode() for text in texts)] if password else []


class _RefusedError(Exception):
    """What this side does not do, in words."""


def no_login(smtp: aiosmtplib.SMTP) -> str | None:
    """Why nobody can log in at this server, or `None`."""
    if smtp.supported_auth_methods:
        return None
    offered = ", ".join(sorted(method.upper() for method in smtp.server_auth_methods))
    if not offered:
        return "the server offers no log-in, and SMTP_USERNAME is set"
    known = ", ".join(sorted(method.upper() for method in smtp.AUTH_METHODS))
    return f"the server offers only {offered} to log in; known here are {known}"


async def _say_goodbye(smtp: aiosmtplib.SMTP) -> None:
    transport = smtp.transport
    try:
        # The mail is sent whatever becomes of the goodbye.
        with suppress(aiosmtplib.SMTPException, TimeoutError, OSError):
            await smtp.quit(timeout=_GOODBYE_SECONDS)
    finally:
        _abort(transport)


def _hang_up(smtp: aiosmtplib.SMTP) -> None:
    transport = smtp.transport
    smtp.close()
    _abort(transport)


def _abort(transport: asyncio.BaseTransport | None) -> None:
    if isinstance(transport, asyncio.WriteTransport):
        # Closing alone waits for the other side's end of TLS, which may never come.
        transport.abort()


def _is_here(server: str) -> bool:
    try:
        return ipaddress.ip_address(server).is_loopback
    except ValueError:
        return server == "localhost"


def _own_name() -> str:
    # Not socket.getfqdn(), which asks the network and may take its time.
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"
