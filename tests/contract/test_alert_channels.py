"""The installed command tells people of an alert by mail and webhook, and gives no secret of theirs away."""

from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from tests.support.alert_receiver import AlertReceiver
from tests.support.collectors import ByteKeeper
from tests.support.command import HTTP, Running
from tests.support.polling import HANG_SECONDS, poll_until
from tests.support.smtp_server import PASSWORD, USER, SmtpServer
from tests.support.tls import make_certificates

PATH, TOKEN, HEADER, HMAC = "ca9a-hook-path", "ca9a-hook-token", "ca9a-hook-header", "ca9a-hook-hmac-secret"
SECRETS = (PATH, TOKEN, HEADER, HMAC, PASSWORD)
RULES = """
groups:
  - name: always
    interval: 1s
    rules:
      - alert: AlwaysTheCase
        expr: vector(42)
        labels: {severity: high, service_name: libraries-io-mcp, slo: none}
        annotations: {summary: "the value is {{ $value }}", cooldown: 1h}
"""


@dataclass(frozen=True)
class Told:
    """What came of one run: to people, and by every other way out."""

    mails: SmtpServer
    hooks: AlertReceiver
    ways_out: dict[str, bytes]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    folder = tmp_path_factory.mktemp("told")
    (folder / "rules.yml").write_text(RULES)
    authority, certificate = make_certificates(folder)
    state = folder / "alerts.json"
    ways_out: dict[str, bytes] = {}
    with SmtpServer(certificate, login=True) as mails, AlertReceiver() as hooks, ByteKeeper() as keeper:
        hooks.status, hooks.reply = 500, PATH.encode()  # so there is something to say of it
        given = {
            "ALERT_RULES_PATH": str(folder / "rules.yml"),
            "ALERT_STATE_FILE": str(state),
            "LOG_LEVEL": "DEBUG",
            "OTEL_EXPORTER_OTLP_ENDPOINT": keeper.endpoint,
            "SMTP_SERVER": "127.0.0.1",
            "SMTP_PORT": str(mails.port),
            "SMTP_USERNAME": USER,
            "SMTP_PASSWORD": PASSWORD,
            "SMTP_TO_EMAILS": "ann@example.org,bob@example.org",
            "SSL_CERT_FILE": str(authority),
            "WEBHOOK_URL": f"{hooks.url}/{PATH}",
            "WEBHOOK_TOKEN": TOKEN,
            "WEBHOOK_HEADERS": f"X-Other={HEADER}",
            "WEBHOOK_HMAC_SECRET": HMAC,
        }
        with Running(*HTTP, folder=folder / "process", **given) as server:
            address = server.url.removesuffix("/mcp")
            mails.wait_for(2)
            hooks.wait_for(1)
            poll_until(lambda: _counted(address) >= 2, "the counts of two channels")
            (active,) = httpx.get(f"{address}/alerts", timeout=HANG_SECONDS).json()["active"]
            resolved = httpx.post(f"{address}/alerts/{active['fingerprint']}/resolve", timeout=HANG_SECONDS)
            assert resolved.status_code == 200, resolved.text
            mails.wait_for(4)
            for path in ("/metrics", "/alerts", "/alerts/history", "/health/detailed", "/status"):
                ways_out[path] = httpx.get(f"{address}{path}", timeout=HANG_SECONDS).content
            server.end("SIGTERM")
            ways_out["stderr"] = server.stderr.encode()
        for signal in ("traces", "metrics", "logs"):
            ways_out[signal] = keeper.bodies(f"/v1/{signal}")
        ways_out["state"] = state.read_bytes()
        yield Told(mails, hooks, ways_out)


def _counted(address: str) -> int:
    return httpx.get(f"{address}/metrics", timeout=HANG_SECONDS).text.count("alerting_deliveries_total{")


def test_people_are_told_once_that_it_fires_and_once_that_it_is_over(told: Told):
    assert [mail["Subject"] for mail in told.mails.mails] == [
        "[FIRING:1] AlwaysTheCase (high) libraries-io-mcp",
        "[FIRING:1] AlwaysTheCase (high) libraries-io-mcp",
        "[RESOLVED] AlwaysTheCase (high) libraries-io-mcp",
        "[RESOLVED] AlwaysTheCase (high) libraries-io-mcp",
    ]
    assert sorted(map(tuple, told.mails.recipients[:2])) == [("ann@example.org",), ("bob@example.org",)]
    assert len({mail["References"] for mail in told.mails.mails}) == 1
    assert all(told.mails.encrypted)
    first = told.hooks.requests[0]
    assert first.data["status"] == "firing"
    assert first.data["alerts"][0]["annotations"]["summary"] == "the value is 42"
    assert first.headers["Authorization"] == f"Bearer {TOKEN}"


def test_no_secret_is_given_away(told: Told):
    assert all(told.ways_out.values()), "a way out was not looked at"
    for way, content in told.ways_out.items():
        for secret in SECRETS:
            assert secret.encode() not in content, f"{secret} in {way}"


def test_each_delivery_is_logged_counted_and_traced(told: Told):
    stderr = told.ways_out["stderr"].decode()
    assert "email to recipient 1: AlwaysTheCase is firing, 1 alert: delivered" in stderr
    assert "webhook: AlwaysTheCase is firing, 1 alert: failed (it answered 500: ***; again in " in stderr
    metrics = told.ways_out["/metrics"].decode()
    assert 'alerting_channel="email",alerting_outcome="delivered"' in metrics
    assert 'alerting_channel="webhook",alerting_outcome="failed"' in metrics
    assert b"alerting.deliver" in told.ways_out["traces"]
