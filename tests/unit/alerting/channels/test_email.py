"""E-mail: a real SMTP server with STARTTLS and a log-in; what is refused, what is tried again, what is never said."""

import ssl
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
from tests.support.alerts import NOON, a_notification, an_alert
from tests.support.smtp_server import GREYLISTED, PASSWORD, REFUSED, USER, SilentServer, SmtpServer
from tests.support.tls import make_certificates

from libraries_io_mcp.alerting.channels.email import Email
from libraries_io_mcp.alerting.channels.notification import Done, GiveUp, Retry

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
    given = {"recipients": TEAM, "username": USER, "password": PASSWORD, "sender": "alerts@example.org", **options}
    return Email("127.0.0.1", server.port, tls=trust, **given)


def parts(mail: EmailMessage) -> tuple[str, str]:
    text, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None
    assert page is not None
    return text.get_content(), page.get_content()


async def test_it_comes_encrypted_with_a_log_in_to_all(server: SmtpServer, trust: ssl.SSLContext):
    assert await channel(server, trust).deliver(a_notification()) == Done()
    assert server.encrypted == [True]
    assert server.logins == [USER]
    assert server.recipients == [list(TEAM)]
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
    await email.deliver(a_notification(an_alert(resolved=NOON + 60), sequence=1))
    await email.deliver(a_notification(started=NOON + 900))
    first, second, other = server.mails
    assert second["In-Reply-To"] == second["References"] == first["Message-ID"]
    assert second["Subject"] == "[RESOLVED] HighErrorRate (high) libraries-io-mcp"
    assert len({mail["Message-ID"] for mail in server.mails}) == 3
    assert other["In-Reply-To"] is None


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
    assert await channel(server, trust).deliver(a_notification(alert)) == Done()
    (mail,) = server.mails
    assert mail["Bcc"] is None
    assert mail["Subject"] == "[FIRING:1] Bad Bcc: eve@example.org (high) libraries-io-mcp"
    text, page = parts(mail)
    assert "<script>" not in page
    assert "&lt;script&gt;x&lt;/script&gt; . QUIT" in page
    assert "href" not in page
    assert "<script>x</script> . QUIT" in text
    assert server.recipients == [list(TEAM)]


async def test_a_runbook_is_a_link(server: SmtpServer, trust: ssl.SSLContext):
    alert = an_alert(annotations={"runbook_url": 'https://example.org/a?b="c"'})
    await channel(server, trust).deliver(a_notification(alert))
    assert '<a href="https://example.org/a?b=&quot;c&quot;">' in parts(server.mails[0])[1]


async def test_a_wrong_password_is_given_up(server: SmtpServer, trust: ssl.SSLContext):
    result = await channel(server, trust, password="wrong").deliver(a_notification())
    assert result == GiveUp("the log-in was refused (535)")
    assert server.mails == []


async def test_without_starttls_nothing_is_said():
    with SmtpServer(None, login=True) as server:
        result = await channel(server, None).deliver(a_notification())
        assert isinstance(result, GiveUp)
        assert "STARTTLS" in result.reason
        assert (server.logins, server.mails) == ([], [])


async def test_an_unknown_certificate_is_given_up(server: SmtpServer):
    result = await channel(server, None).deliver(a_notification())
    assert result == GiveUp("the server's certificate can't be verified")
    assert (server.logins, server.mails) == ([], [])


async def test_tls_from_the_first_byte(certificates: tuple[ssl.SSLContext, ssl.SSLContext], trust: ssl.SSLContext):
    with SmtpServer(certificates[0], implicit=True, login=True) as server:
        assert await channel(server, trust, implicit_tls=True).deliver(a_notification()) == Done()
        assert (server.encrypted, server.logins) == ([True], [USER])
        unknown = await channel(server, None, implicit_tls=True).deliver(a_notification())
        assert unknown == GiveUp("the server's certificate can't be verified")


async def test_in_clear_when_it_is_asked_for_on_this_host():
    with SmtpServer(None, login=True) as server:
        assert await channel(server, None, use_tls=False).deliver(a_notification()) == Done()
        assert server.encrypted == [False]


async def test_without_log_in():
    with SmtpServer(None) as server:
        email = channel(server, None, use_tls=False, username=None, password=None)
        assert await email.deliver(a_notification()) == Done()
        refused = await channel(server, None, use_tls=False).deliver(a_notification())
        assert refused == GiveUp("the server offers no log-in, and SMTP_USERNAME is set")


async def test_refused_recipients_are_said(server: SmtpServer, trust: ssl.SSLContext):
    one = await channel(server, trust, recipients=(REFUSED, *TEAM)).deliver(a_notification())
    assert one == Done("1 of 3 recipients were refused (550)")
    assert server.recipients == [list(TEAM)]
    everybody = await channel(server, trust, recipients=(REFUSED,)).deliver(a_notification())
    assert everybody == GiveUp("1 of 1 recipients were refused (550)")


async def test_only_who_was_refused_for_now_is_tried_again(server: SmtpServer, trust: ssl.SSLContext):
    email = channel(server, trust, recipients=(*TEAM, GREYLISTED))
    assert await email.deliver(a_notification()) == Retry("1 of 3 recipients were refused (451)")
    assert await email.deliver(a_notification()) == Retry("1 of 1 recipients were refused (451)")
    server.patient = True
    assert await email.deliver(a_notification()) == Done()
    assert server.recipients == [list(TEAM), [GREYLISTED]]


@pytest.mark.parametrize(
    ("reply", "result"),
    [
        ("452 4.3.1 disk full", Retry("it was refused (452)")),
        ("554 5.7.1 spam", GiveUp("it was refused (554)")),
    ],
)
async def test_a_refused_mail(server: SmtpServer, trust: ssl.SSLContext, reply: str, result: Retry | GiveUp):
    server.refusal = reply
    assert await channel(server, trust).deliver(a_notification()) == result


async def test_a_server_that_hangs_is_tried_again(trust: ssl.SSLContext):
    with SilentServer() as server:
        result = await channel(server, trust, limit_seconds=0.3).deliver(a_notification())
    assert result == Retry("the server did not answer within 0.3 s")


async def test_a_server_that_is_not_there_is_tried_again(unused_port: int, trust: ssl.SSLContext):
    email = Email("127.0.0.1", unused_port, TEAM, tls=trust)
    result = await email.deliver(a_notification())
    assert isinstance(result, Retry)
    assert "can't be reached" in result.reason


async def test_it_does_not_show_the_password():
    email = Email("mail.example.org", 587, TEAM, username=USER, password=PASSWORD)
    assert repr(email) == "Email(mail.example.org:587)"


async def test_a_password_is_not_told_in_clear_to_another_machine(server: SmtpServer):
    # The name leads here, but is none that stands for this host alone.
    from libraries_io_mcp.alerting.channels import email as module

    assert module._is_here("127.0.0.1")
    assert module._is_here("::1")
    assert not module._is_here("192.0.2.1")
    assert not module._is_here("mail.example.org")
