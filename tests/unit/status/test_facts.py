"""The facts of the page: settings without secrets, the quota's window, what telemetry did."""

import pytest

from libraries_io_mcp.librariesio.quota import QuotaStatus
from libraries_io_mcp.settings import load_settings
from libraries_io_mcp.status import facts
from libraries_io_mcp.telemetry.deliveries import Counts
from libraries_io_mcp.telemetry.redaction import Redactor

SECRET = "5ecret5ecret5ecret5ecret"


def test_settings_name_every_variable_and_no_secret(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LIBRARIES_IO_API_KEY", SECRET)
    monkeypatch.setenv("REDIS_URL", f"redis://user:{SECRET}@127.0.0.1/0")
    monkeypatch.setenv("WEBHOOK_URL", f"https://hooks.example/{SECRET}")
    monkeypatch.setenv("SMTP_SERVER", "mail.example")
    monkeypatch.setenv("SMTP_TO_EMAILS", "me@example.org,you@example.org")
    monkeypatch.setenv("SMTP_FROM_EMAIL", "server@example.org")
    settings = load_settings(transport="http")
    shown = {each["variable"]: each for each in facts.settings(settings, Redactor(settings.secrets()))}
    assert SECRET not in str(shown)
    assert shown["LIBRARIES_IO_API_KEY"]["value"] == "***"
    assert shown["REDIS_URL"]["value"] == "***"
    assert (shown["MCP_TRANSPORT"]["value"], shown["MCP_TRANSPORT"]["is_default"]) == ("http", False)
    assert (shown["CACHE_MAX_ENTRIES"]["value"], shown["CACHE_MAX_ENTRIES"]["is_default"]) == ("5000", True)
    assert shown["PROMETHEUS_URL"]["value"] is None
    assert "example.org" not in str(shown)


def test_the_quota_changes_only_with_its_window():
    def status(left: float) -> QuotaStatus:
        return QuotaStatus(60, 50, left, 60, key_present=True, known_from="service", waiting=0)

    assert facts.quota(status(20.4), 100.0) == facts.quota(status(18.4), 102.0)
    assert facts.quota(status(20.4), 100.0)["resets_at"] == 120


def test_what_telemetry_did():
    counts = Counts("traces", "otlp")
    counts.offered(5)
    counts.delivered(2)
    counts.failed(1, "ConnectionError")
    shown = facts.telemetry([counts.snapshot()], [], off=False)
    (way,) = shown["ways"]
    assert (way["waiting"], way["delivered"], way["failed"], way["last_error"]) == (2, 2, 1, "ConnectionError")
    assert shown["off"] is False
