"""The thread of alerting: begins when the server has been quiet, or is asked; ends under the server's deadline."""

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
from tests.support.polling import HANG_SECONDS, poll_until

from libraries_io_mcp.alerting.background import Background
from libraries_io_mcp.reports import NoAlerts

NEVER = 3600.0


class Recorded:
    """A service that says what was done with it."""

    def __init__(self) -> None:
        self.saved = threading.Event()
        self.resolved: list[str] = []
        self.thread = ""

    async def run(self, ready: Callable[[], None]) -> None:
        self.thread = threading.current_thread().name
        ready()
        try:
            await asyncio.Event().wait()
        finally:
            self.saved.set()

    def facts(self) -> dict[str, Any]:
        return {"evaluated_by": "in_process"}

    def history_facts(self) -> dict[str, Any]:
        return {"kept": 1}

    def health_facts(self) -> dict[str, Any]:
        return {"interval": 15.0}

    async def resolve(self, fingerprint: str) -> bool:
        self.resolved.append(fingerprint)
        return True


def test_a_question_begins_it_and_the_end_saves_its_state():
    service = Recorded()
    background = Background(lambda: service, NoAlerts, quiet_seconds=NEVER)
    background.start()
    assert background.health_facts() == {"evaluated_by": "in_process"}
    assert background.latest_facts()["problems"] == ["alerting has not started yet"]
    assert background.facts() == background.latest_facts() == {"evaluated_by": "in_process"}
    assert background.history_facts() == background.latest_history_facts() == {"kept": 1}
    assert background.health_facts() == {"interval": 15.0}
    assert background.resolve("0123456789abcdef")
    assert service.resolved == ["0123456789abcdef"]
    assert service.thread == "alerting"
    background.end()
    assert service.saved.is_set()


def test_it_begins_by_itself():
    service = Recorded()
    background = Background(lambda: service, NoAlerts, quiet_seconds=0.01)
    background.start()
    poll_until(lambda: service.thread, "the service to run")
    background.end()
    assert service.saved.is_set()


def test_what_has_not_begun_ends_at_once():
    built = []
    background = Background(lambda: built.append(1) or Recorded(), NoAlerts, quiet_seconds=NEVER)
    background.start()
    background.end()
    background.stop()
    assert not built
    assert not background.resolve("0123456789abcdef")


def test_it_can_begin_again():
    services: list[Recorded] = []

    def build() -> Recorded:
        services.append(Recorded())
        return services[-1]

    background = Background(build, NoAlerts, quiet_seconds=NEVER)
    for _ in range(2):
        background.start()
        background.start()
        background.facts()
        background.end()
    assert [service.saved.is_set() for service in services] == [True, True]


def test_what_can_not_be_built_is_said_and_nothing_else_fails(caplog: pytest.LogCaptureFixture):
    def build() -> Recorded:
        raise OSError("no such thing")

    background = Background(build, NoAlerts, quiet_seconds=NEVER)
    with caplog.at_level(logging.ERROR):
        background.start()
        assert background.facts() == NoAlerts("alerting ended: OSError").facts()
    assert "no alert is raised from now on" in caplog.text
    assert background.health_facts()["problems"] == ("alerting ended: OSError",)
    assert background.health_facts()["last_evaluation_age"] >= 0
    assert not background.resolve("0123456789abcdef")
    background.end()


def test_a_service_that_fails_later_is_said_too(caplog: pytest.LogCaptureFixture):
    class Failing(Recorded):
        async def run(self, ready: Callable[[], None]) -> None:
            ready()
            raise ValueError("a mistake")

    background = Background(Failing, NoAlerts, quiet_seconds=NEVER)
    with caplog.at_level(logging.ERROR):
        background.start()
        poll_until(lambda: "alerting ended: ValueError" in str(background.facts()), "the failure", HANG_SECONDS)
    background.end()
