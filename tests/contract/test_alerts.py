"""Alerts of the installed server, over both transports: raised, shown, told, resolved, known after a restart."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.support import wire
from tests.support.alert_receiver import AlertReceiver
from tests.support.command import HTTP, Running
from tests.support.polling import HANG_SECONDS, poll_until

RULES = """
groups:
  - name: calls
    interval: 250ms
    rules:
      - alert: QuotaAskedFor
        expr: |
          sum by (service_name) (
            increase(mcp_server_operation_duration_seconds_count{gen_ai_tool_name="get_quota_status"}[WINDOW])
          ) > 0
        for: 250ms
        labels: {severity: critical}
        annotations: {summary: Somebody asks., description: Again and again., cooldown: 0s}
      - alert: Mistaken
        expr: sum(
"""


@pytest.fixture
def receiver() -> Iterator[AlertReceiver]:
    """Where messages go."""
    with AlertReceiver() as receiver:
        yield receiver


def variables(folder: Path, receiver: AlertReceiver, window: str = "3s") -> dict[str, str]:
    """The alert is over when nobody has asked for so long: longer than a busy machine keeps the next call waiting."""
    (folder / "rules.yml").write_text(RULES.replace("WINDOW", window), encoding="utf-8")
    return {
        "ALERT_RULES_PATH": str(folder / "rules.yml"),
        "WEBHOOK_URL": receiver.url,
        "OTEL_TRACES_EXPORTER": "none",
        "LOG_LEVEL": "INFO",
    }


def statuses(receiver: AlertReceiver) -> list[str]:
    """What people were told of the alert, in order."""
    return [alert["status"] for body in receiver.bodies for alert in body["alerts"]]


def events(history: dict[str, Any]) -> list[str]:
    return [event["event"] for event in reversed(history["events"])]


def story(
    receiver: AlertReceiver, call: Callable[[], Any], alerts: Callable[[], Any], history: Callable[[], Any]
) -> None:
    """An alert fires while its condition holds, and is over when it does not."""

    def firing() -> dict[str, Any] | None:
        call()
        return next((each for each in alerts()["active"] if each["state"] == "firing"), None)

    found = poll_until(firing, "the alert to fire")
    assert (found["name"], found["severity"], found["summary"]) == ("QuotaAskedFor", "critical", "Somebody asks.")
    assert found["labels"]["service_name"] == "libraries-io-mcp"
    facts = alerts()
    assert facts["evaluated_by"] == "in_process"
    assert ["rule Mistaken" in problem for problem in facts["problems"]] == [True]
    poll_until(lambda: statuses(receiver), "people to be told")
    poll_until(lambda: not alerts()["active"], "the alert to be over")
    poll_until(lambda: len(statuses(receiver)) > 1, "people to be told that it is over")
    assert statuses(receiver) == ["firing", "resolved"]
    assert events(history())[-3:] == ["pending", "firing", "resolved"]


def test_over_stdio(receiver: AlertReceiver, tmp_path: Path):
    with Running(folder=tmp_path, **variables(tmp_path, receiver)) as server:
        server.initialize()

        def read(uri: str) -> Any:
            return json.loads(server.answer(server.request("resources/read", uri=uri))["result"]["contents"][0]["text"])

        story(
            receiver,
            lambda: server.call("get_quota_status"),
            lambda: read("alerts://active"),
            lambda: read("alerts://history"),
        )
        assert server.end("EOF") == 0


def test_over_http_with_a_restart_in_between(receiver: AlertReceiver, tmp_path: Path):
    settings = variables(tmp_path, receiver)
    with Running(*HTTP, folder=tmp_path, **settings) as server, httpx.Client(timeout=HANG_SECONDS) as client:
        root = server.url.removesuffix("/mcp")
        request = wire.tool_call(server.url, wire.MODERN, "get_quota_status")
        story(
            receiver,
            lambda: client.send(request).raise_for_status(),
            lambda: client.get(f"{root}/alerts").raise_for_status().json(),
            lambda: client.get(f"{root}/alerts/history").raise_for_status().json(),
        )
        server.end("SIGTERM")
    with Running(*HTTP, folder=tmp_path, **settings) as server:
        root = server.url.removesuffix("/mcp")

        def remembered() -> bool:
            history = httpx.get(f"{root}/alerts/history", timeout=HANG_SECONDS).raise_for_status().json()
            return events(history)[-3:] == ["pending", "firing", "resolved"]

        poll_until(remembered, "what was before the restart")


def test_a_person_resolves_it(receiver: AlertReceiver, tmp_path: Path):
    settings = variables(tmp_path, receiver, "1m")
    with Running(*HTTP, folder=tmp_path, **settings) as server, httpx.Client(timeout=HANG_SECONDS) as client:
        root = server.url.removesuffix("/mcp")
        request = wire.tool_call(server.url, wire.MODERN, "get_quota_status")

        def firing() -> str | None:
            client.send(request).raise_for_status()
            active = client.get(f"{root}/alerts").json()["active"]
            return next((each["fingerprint"] for each in active if each["state"] == "firing"), None)

        fingerprint = poll_until(firing, "the alert to fire")
        refused = client.post(f"{root}/alerts/0123456789abcdef/resolve")
        assert (refused.status_code, refused.json()["active"]) == (404, [fingerprint])
        assert client.post(f"{root}/alerts/{fingerprint}/resolve", headers={"Origin": "https://evil.example"}).is_error
        resolved = client.post(f"{root}/alerts/{fingerprint}/resolve")
        told = {"fingerprint": fingerprint, "resolved": True}
        assert (resolved.status_code, resolved.json()) == (200, told | {"already": False})
        again = client.post(f"{root}/alerts/{fingerprint}/resolve")
        assert (again.status_code, again.json()) == (200, told | {"already": True})
        assert client.get(f"{root}/alerts").json()["summary"]["critical"] == 0
        poll_until(lambda: len(statuses(receiver)) > 1, "people to be told that it is over")
        assert statuses(receiver) == ["firing", "resolved"]
        assert "resolved_by_hand" in events(client.get(f"{root}/alerts/history").json())


def test_switched_off_nothing_of_it_is_loaded(tmp_path: Path):
    with Running(*HTTP, folder=tmp_path, ALERT_EVALUATION="off", PYTHONPROFILEIMPORTTIME="1") as server:
        root = server.url.removesuffix("/mcp")
        with httpx.Client(base_url=root, timeout=HANG_SECONDS) as client:
            facts = client.get("/alerts").json()
            assert (facts["evaluated_by"], facts["active"], facts["problems"]) == ("off", [], [])
            assert client.get("/alerts/history").json() == {"events": [], "kept": 0, "dropped": 0}
            assert client.post("/alerts/0123456789abcdef/resolve").status_code == 404
        assert "libraries_io_mcp.reports" in server.stderr
        assert "libraries_io_mcp.alerting" not in server.stderr
    assert not (tmp_path / ".local").exists()
