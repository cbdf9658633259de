"""Alerts by e-mail over SMTP. `docs/decisions/alert-channels.md` says why aiosmtplib."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import aiosmtplib

from libraries_io_mcp.alerting.channels.mail_text import compose
from libraries_io_mcp.alerting.channels.notification import Done, GiveUp, Notification, Result, Retry
from libraries_io_mcp.telemetry.semconv import AlertChannel

LIMIT_SECONDS: Final = 30.0
_GOODBYE_SECONDS: Final = 2.0
IMPLICIT_TLS_PORT: Final = 465
_MOST_UNFINISHED: Final = 100


class Email:
    """Sends notifications through one mail server.

    Port 465 is TLS from the first byte. With any other port `use_tls` means STARTTLS, and nothing but the greeting is
    said in clear; without it a password is only told to a server on this host.

    Args:
        implicit_tls: TLS from the first byte; `None` for what the port says.
        limit_seconds: for one attempt in all.
        tls: whom to trust; `None` for the system's certificates.
    """

    name: AlertChannel = "email"

    def __init__(
        self,
        server: str,
        port: int,
        recipients: Sequence[str],
        *,
        sender: str | None = None,
        username: str | None = None,
        password: str | None = None,
        use_tls: bool = True,
        implicit_tls: bool | None = None,
        limit_seconds: float = LIMIT_SECONDS,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._server = server
        self._port = port
        self._recipients = tuple(dict.fromkeys(recipients))
        self._sender = sender or self._recipients[0]
        self._login = (username, password or "") if username else None
        self._implicit = port == IMPLICIT_TLS_PORT if implicit_tls is None else implicit_tls
        self._starttls = use_tls and not self._implicit
        self._limit = limit_seconds
        self._tls = tls
        self._remaining: dict[str, tuple[str, ...]] = {}

    def __repr__(self) -> str:
        return f"Email({self._server}:{self._port})"

    async def deliver(self, notification: Notification) -> Result:
        """Send it to all who have not got it yet."""
        try:
            mail = compose(notification, self._sender, self._recipients)
        except (ValueError, IndexError) as error:
            return GiveUp(f"no mail can be made of it ({type(error).__name__})")
        identity = str(mail["Message-ID"])
        recipients = self._remaining.get(identity, self._recipients)
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
                refusal = await self._open(smtp)
                if refusal is not None:
                    return refusal
                refused, _text = await smtp.send_message(mail, sender=self._sender, recipients=list(recipients))
            codes = {address: reply.code for address, reply in refused.items()}
            await _say_goodbye(smtp)
        except aiosmtplib.SMTPRecipientsRefused as error:
            codes = {each.recipient: each.code for each in error.recipients}
        except (aiosmtplib.SMTPException, TimeoutError, OSError, ValueError) as error:
            return _failure(error, self._limit)
        finally:
            _hang_up(smtp)
        return self._sent(identity, recipients, codes)

    async def aclose(self) -> None:
        """Nothing stays open between two mails."""

    async def _open(self, smtp: aiosmtplib.SMTP) -> Result | None:
        """Connect, encrypt and log in; what stands in the way, or `None`."""
        await smtp.connect()
        if smtp.is_ehlo_or_helo_needed:
            await smtp.ehlo()
        if self._starttls:
            if not smtp.supports_extension("starttls"):
                return GiveUp("the server has no STARTTLS, and SMTP_USE_TLS=true allows nothing in clear")
            await smtp.starttls()
            await smtp.ehlo()  # what was said in clear counts no more
        if self._login is None:
            return None
        if not (self._starttls or self._implicit or _is_here(self._server)):
            return GiveUp("SMTP_USE_TLS=false: a password is not told in clear to another machine")
        if not smtp.supports_extension("auth") and not smtp.supported_auth_methods:
            return GiveUp("the server offers no log-in, and SMTP_USERNAME is set")
        await smtp.login(*self._login)
        return None

    def _sent(self, identity: str, recipients: tuple[str, ...], codes: dict[str, int]) -> Result:
        """What came of it, by the recipients that were refused."""
        later = tuple(address for address, code in codes.items() if code < 500)
        never = len(codes) - len(later)
        self._remaining.pop(identity, None)
        said = ", ".join(str(code) for code in sorted(set(codes.values())))
        note = f"{len(codes)} of {len(recipients)} recipients were refused ({said})"
        if later:
            # Only they are tried again: the others have it, or never will.
            self._remaining[identity] = later
            while len(self._remaining) > _MOST_UNFINISHED:
                self._remaining.pop(next(iter(self._remaining)))
            return Retry(note)
        if never and never == len(recipients) == len(self._recipients):
            return GiveUp(note)
        return Done(note if never else None)


def _failure(error: Exception, seconds: float) -> Result:
    """What an exception means. Replies of the server may repeat what it was told, so only their codes are said."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return GiveUp("the server's certificate can't be verified")
        cause = cause.__cause__ or cause.__context__
    if isinstance(error, aiosmtplib.SMTPResponseException):
        what = "the log-in was refused" if isinstance(error, aiosmtplib.SMTPAuthenticationError) else "it was refused"
        text = f"{what} ({error.code})"
        # 4xx is for now. A server that does not even greet may be having a bad day, whatever the code.
        passes = error.code < 500 or isinstance(error, aiosmtplib.SMTPConnectResponseError)
        return Retry(text) if passes else GiveUp(text)
    if isinstance(error, TimeoutError):
        return Retry(f"the server did not answer within {seconds:g} s")
    if isinstance(error, OSError):
        return Retry(f"the server can't be reached ({type(error).__name__})")
    return GiveUp(f"the server can't be used ({type(error).__name__})")


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
