"""E-mail: a real SMTP server with STARTTLS and a log-in; what is refused, what is tried again, what is never said."""

import asyncio
import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from tests.support.alerts import NOON, a_notification, an_alert
from tests.support.polling import HANG_SECONDS
from tests.support.smtp_server import PASSWORD, REFUSED, USER, SilentServer, SmtpServer
from tests.support.tls import make_certificates

from libraries_io_mcp.alerting.channels.email import Email
from libraries_io_mcp.alerting.channels.notification import Delivered, Failed

pytestmark = pytest.mark.anyio
TEAM = ("ann@example.org", "bob@example.org")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """What the server shows, and what trusts it."""
    authority, server = make_certificates(tmp_path_factory.mktemp("tls"))
    return server, ssl.create_default_context(cafile=str(authority))


@pytest.fixture
def server(certificates: tuple[ssl.SSLContext, ssl.SSLContext]) -> Iterator[SmtpServer]:
    with SmtpServer(certificates[0], login=True) as server:
        yield server


@pytest.fixture
def trust(certificates: tuple[ssl.SSLContext, ssl.SSLContext]) -> ssl.SSLContext:
    return certificates[1]


def channel(server: SmtpServer | SilentServer, trust: ssl.SSLContext | None, **options: Any) -> Email:
    given = {"recipient": TEAM[0], "username": USER, "password": PASSWORD, "sender": "alerts@example.org", **options}
    return Email("127.0.0.1", server.port, tls=trust, **given)


def parts(mail: EmailMessage) -> tuple[str, str]:
    text, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert page is not None
    return text.get_content(), page.get_content()


async def test_it_comes_encrypted_with_a_log_in_and_says_who_else_gets_it(server: SmtpServer, trust: ssl.SSLContext):
    assert await channel(server, trust, all_recipients=TEAM).deliver(a_notification()) == Delivered()
    assert server.encrypted == [True]
    assert server.logins == [USER]
    assert server.recipients == [[TEAM[0]]]
    (mail,) = server.mails
    assert mail["From"] == "libraries-io-mcp <alerts@example.org>"
    assert mail["To"] == "ann@example.org, bob@example.org"
    assert mail["Subject"] == "[FIRING:1] HighErrorRate (high) libraries-io-mcp"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Date"].datetime.timestamp() == NOON + 1
    text, page = parts(mail)
    assert "FIRING: HighErrorRate is the case" in text
    assert "FIRING: HighErrorRate is the case" in page


async def test_firing_and_resolved_make_a_thread(server: SmtpServer, trust: ssl.SSLContext):
    email = channel(server, trust)
    await email.deliver(a_notification())
    await email.deliver(a_notification(an_alert(resolved=NOON + 60), count=1))
    await email.deliver(a_notification(an_alert(at=NOON + 900), count=2))
    first, second, other = server.mails
    assert second["References"] == first["References"]
    assert second["Subject"] == "[RESOLVED] HighErrorRate (high) libraries-io-mcp"
    assert len({mail["Message-ID"] for mail in server.mails}) == 3
    assert other["References"] != first["References"]


async def test_what_is_tried_twice_is_one_mail(server: SmtpServer, trust: ssl.SSLContext):
    email = channel(server, trust)
    await email.deliver(a_notification())
    await email.deliver(a_notification())
    assert len({mail["Message-ID"] for mail in server.mails}) == 1


async def test_nothing_of_an_alert_gets_into_the_headers_or_the_page(server: SmtpServer, trust: ssl.SSLContext):
    alert = an_alert(
        "Bad\r\nBcc: eve@example.org",
        annotations={"summary": "<script>x</script>\r\n.\r\nQUIT", "runbook_url": "javascript:x"},
        tool="<b>\u2028é",
    )
    assert await channel(server, trust).deliver(a_notification(alert)) == Delivered()
    (mail,) = server.mails
    assert mail["Bcc"] is None
    assert mail["Subject"] == "[FIRING:1] Bad Bcc: eve@example.org (high) libraries-io-mcp"
    text, page = parts(mail)
    assert "<script>" not in page
    assert "&lt;script&gt;x&lt;/script&gt; . QUIT" in page
    assert "href" not in page
    assert "<script>x</script> . QUIT" in text
    assert server.recipients == [[TEAM[0]]]


async def test_a_runbook_is_a_link(server: SmtpServer, trust: ssl.SSLContext):
    alert = an_alert(annotations={"runbook_url": 'https://example.org/a?b="c"'})
    await channel(server, trust).deliver(a_notification(alert))
    assert '<a href="https://example.org/a?b=&quot;c&quot;">' in parts(server.mails[0])[1]


async def test_a_wrong_password(server: SmtpServer, trust: ssl.SSLContext):
    result = await channel(server, trust, password="wrong").deliver(a_notification())
    assert result == Failed("it refused the log-in: 535 5.7.8 Authentication credentials invalid")
    assert server.mails == []


async def test_a_log_in_that_is_not_known_here():
    ended = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example.org\r\n")
        while line := await reader.readline():
            offer = b"250-mail.example.org\r\n250 AUTH NTLM GSSAPI\r\n"
            writer.write(offer if line.startswith(b"EHLO") else b"250 OK\r\n")
        writer.close()
        ended.set()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        email = Email("127.0.0.1", port, TEAM[0], username=USER, password=PASSWORD, use_tls=False)
        result = await email.deliver(a_notification())
        await asyncio.wait_for(ended.wait(), HANG_SECONDS)
    known = "known here are CRAM-MD5, LOGIN, PLAIN"
    assert result == Failed(f"the server offers only GSSAPI, NTLM to log in; {known}")


async def test_without_starttls_nothing_is_said():
    with SmtpServer(None, login=True) as server:
        result = await channel(server, None).deliver(a_notification())
        assert isinstance(result, Failed)
        assert "STARTTLS" in result.reason
        assert (server.logins, server.mails) == ([], [])


async def test_an_unknown_certificate(server: SmtpServer):
    result = await channel(server, None).deliver(a_notification())
    assert result == Failed("TLS: its certificate is not accepted: unable to get local issuer certificate")
    assert (server.logins, server.mails) == ([], [])


async def test_tls_from_the_first_byte(certificates: tuple[ssl.SSLContext, ssl.SSLContext], trust: ssl.SSLContext):
    with SmtpServer(certificates[0], implicit=True, login=True) as server:
        assert await channel(server, trust, implicit_tls=True).deliver(a_notification()) == Delivered()
        assert (server.encrypted, server.logins) == ([True], [USER])
        unknown = await channel(server, None, implicit_tls=True).deliver(a_notification())
        assert unknown == Failed("TLS: its certificate is not accepted: unable to get local issuer certificate")


async def test_in_clear_when_it_is_asked_for_on_this_host():
    with SmtpServer(None, login=True) as server:
        assert await channel(server, None, use_tls=False).deliver(a_notification()) == Delivered()
        assert server.encrypted == [False]


async def test_without_log_in():
    with SmtpServer(None) as server:
        email = channel(server, None, use_tls=False, username=None, password=None)
        assert await email.deliver(a_notification()) == Delivered()
        refused = await channel(server, None, use_tls=False).deliver(a_notification())
        assert refused == Failed("the server offers no log-in, and SMTP_USERNAME is set")


async def test_a_refused_recipient(server: SmtpServer, trust: ssl.SSLContext):
    result = await channel(server, trust, recipient=REFUSED, all_recipients=(REFUSED, *TEAM)).deliver(a_notification())
    assert result == Failed("it answered: 550 5.1.1 no such mailbox")
    assert await channel(server, trust, all_recipients=(REFUSED, *TEAM)).deliver(a_notification()) == Delivered()
    assert server.recipients == [[TEAM[0]]]


@pytest.mark.parametrize("reply", ["452 4.3.1 disk full", "554 5.7.1 spam"])
async def test_a_refused_mail(server: SmtpServer, trust: ssl.SSLContext, reply: str):
    server.refusal = reply
    assert await channel(server, trust).deliver(a_notification()) == Failed(f"it answered: {reply}")


async def test_what_it_says_is_told_without_the_password(server: SmtpServer, trust: ssl.SSLContext):
    server.refusal = f"554 5.7.1 not with {PASSWORD}"
    assert await channel(server, trust).deliver(a_notification()) == Failed("it answered: 554 5.7.1 not with ***")


async def test_a_server_that_hangs_is_tried_again(trust: ssl.SSLContext):
    with SilentServer() as server:
        result = await channel(server, trust, limit_seconds=0.3).deliver(a_notification())
    assert result == Failed("the server did not answer within 0.3 s")


async def test_a_server_that_is_not_there_is_tried_again(unused_port: int, trust: ssl.SSLContext):
    email = Email("127.0.0.1", unused_port, TEAM[0], tls=trust)
    result = await email.deliver(a_notification())
    assert result == Failed("connection refused: nobody listens there")


async def test_it_does_not_show_the_password():
    email = Email("mail.example.org", 587, TEAM[0], username=USER, password=PASSWORD)
    assert repr(email) == "Email(mail.example.org:587)"


async def test_a_password_is_not_told_in_clear_to_another_machine(server: SmtpServer):
    # The name leads here, but is none that stands for this host alone.
    from libraries_io_mcp.alerting.channels import email as module

    assert module._is_here("127.0.0.1")
    assert module._is_here("::1")
    assert not module._is_here("192.0.2.1")
    assert not module._is_here("mail.example.org")
