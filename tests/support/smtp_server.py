"""A real SMTP server on loopback, in a thread: STARTTLS, log-in, and recipients with bad days."""

import asyncio
import socket
import ssl
import threading
from concurrent.futures import Future
from contextlib import suppress
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, Final, Self

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from tests.support.polling import HANG_SECONDS, poll_until

USER: Final = "alerts"
PASSWORD: Final = "ca9a-mail-password-7f31"
"""Made to be looked for."""
REFUSED: Final = "nobody@example.org"
"""Refused for good."""
GREYLISTED: Final = "slow@example.org"
"""Refused for now, each time until `SmtpServer.patient` is set."""


class SmtpServer:
    """Keeps what it is sent.

    Args:
        tls: the server's certificate; without it there is no STARTTLS.
        implicit: TLS from the first byte instead.
        login: nothing is taken without `USER` and `PASSWORD`.
    """

    def __init__(
        self, tls: ssl.SSLContext | None = None, *, implicit: bool = False, login: bool = False, port: int = 0
    ) -> None:
        self._tls = tls
        self._implicit = implicit
        self._login = login
        self._wanted_port = port
        self._address: Future[tuple[int, asyncio.AbstractEventLoop, asyncio.Event]] = Future()
        self._thread = threading.Thread(target=self._work, name="smtp", daemon=True)
        self._transports: list[asyncio.WriteTransport] = []
        self.patient = False
        self.refusal: str | None = None
        """What it says to any mail instead of taking it."""
        self.mails: list[EmailMessage] = []
        self.recipients: list[list[str]] = []
        self.logins: list[str] = []
        self.encrypted: list[bool] = []

    def __enter__(self) -> Self:
        self._thread.start()
        self._address.result(HANG_SECONDS)
        return self

    def __exit__(self, *_exception: object) -> None:
        _port, loop, stop = self._address.result(HANG_SECONDS)
        loop.call_soon_threadsafe(stop.set)
        self._thread.join(HANG_SECONDS)

    @property
    def port(self) -> int:
        """Its port on 127.0.0.1."""
        return self._address.result(HANG_SECONDS)[0]

    def wait_for(self, count: int) -> list[EmailMessage]:
        """The mails, once there are so many."""
        return poll_until(lambda: self.mails if len(self.mails) >= count else None, f"{count} mails")

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Take the recipient or not."""
        if address == REFUSED:
            return "550 5.1.1 no such mailbox"
        if address == GREYLISTED and not self.patient:
            return "451 4.7.1 try again later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 - the library's name
        self, _server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        """Take the mail or not."""
        if self.refusal:
            return self.refusal
        mail = message_from_bytes(bytes(envelope.content or b""), policy=policy.default)
        self.encrypted.append(self._implicit or session.ssl is not None)
        self.recipients.append(list(envelope.rcpt_tos))
        self.mails.append(mail)
        return "250 OK"

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        given = isinstance(data, LoginPassword) and (data.login.decode(), data.password.decode())
        if given:
            self.logins.append(given[0])
        return AuthResult(success=given == (USER, PASSWORD), handled=False)

    def _protocol(self) -> SMTP:
        starttls = self._tls is not None and not self._implicit
        return _Connection(
            self._transports,
            self,
            hostname="mail.example.org",
            tls_context=self._tls if starttls else None,
            require_starttls=starttls,
            authenticator=self._authenticate if self._login else None,
            # The library warns of this where it is not encrypted.
            auth_required=self._login and starttls,
            # Offered in clear too, so that it is the client that has to keep quiet.
            auth_require_tls=starttls or not self._login,
        )

    def _work(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:
            if self._address.done():
                raise
            self._address.set_exception(error)

    async def _serve(self) -> None:
        loop, stop = asyncio.get_running_loop(), asyncio.Event()
        tls = self._tls if self._implicit else None
        server = await loop.create_server(self._protocol, "127.0.0.1", self._wanted_port, ssl=tls)
        async with server:
            self._address.set_result((server.sockets[0].getsockname()[1], loop, stop))
            await stop.wait()
        for transport in self._transports:
            # One that was closed twice has forgotten what there is to abort; Python 3.11.2 fails over that.
            with suppress(AttributeError):
                transport.abort()
        await asyncio.sleep(0)


class _Connection(SMTP):
    """Remembers its transport, so that none is left open at the end."""

    def __init__(self, transports: list[asyncio.WriteTransport], *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._all_transports = transports

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """In clear, and again when TLS begins."""
        assert isinstance(transport, asyncio.WriteTransport)
        self._all_transports.append(transport)
        super().connection_made(transport)


class SilentServer:
    """Accepts connections and never says a word."""

    def __enter__(self) -> Self:
        self._socket = socket.create_server(("127.0.0.1", 0))
        return self

    def __exit__(self, *_exception: object) -> None:
        self._socket.close()

    @property
    def port(self) -> int:
        """Its port on 127.0.0.1."""
        return int(self._socket.getsockname()[1])
