"""The thread of alerting: begins when the server has been quiet, or is asked; ends under the server's deadline."""

import asyncio
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest
from tests.support.polling import poll_until

from libraries_io_mcp.alerting.alerting_thread import AlertingThread
from libraries_io_mcp.reports import NoAlerts
from libraries_io_mcp.supervisor import Supervisor

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
    alerting = AlertingThread(lambda: service, NoAlerts, supervisor=Supervisor(), quiet_seconds=NEVER)
    alerting.start()
    assert alerting.health_facts() == {"evaluated_by": "in_process", "failed_parts": ()}
    assert alerting.latest_facts()["problems"] == ["alerting has not started yet"]
    assert alerting.facts() == alerting.latest_facts() == {"evaluated_by": "in_process"}
    assert alerting.history_facts() == alerting.latest_history_facts() == {"kept": 1}
    assert alerting.health_facts() == {"interval": 15.0}
    assert alerting.resolve("0123456789abcdef")
    assert service.resolved == ["0123456789abcdef"]
    assert service.thread == "alerting"
    alerting.end()
    assert service.saved.is_set()


def test_it_begins_by_itself():
    service = Recorded()
    alerting = AlertingThread(lambda: service, NoAlerts, supervisor=Supervisor(), quiet_seconds=0.01)
    alerting.start()
    poll_until(lambda: service.thread, "the service to run")
    alerting.end()
    assert service.saved.is_set()


def test_what_has_not_begun_ends_at_once():
    built = []
    alerting = AlertingThread(
        lambda: built.append(1) or Recorded(), NoAlerts, supervisor=Supervisor(), quiet_seconds=NEVER
    )
    alerting.start()
    alerting.end()
    alerting.stop()
    assert not built
    assert not alerting.resolve("0123456789abcdef")


def test_it_can_begin_again():
    services: list[Recorded] = []

    def build() -> Recorded:
        services.append(Recorded())
        return services[-1]

    alerting = AlertingThread(build, NoAlerts, supervisor=Supervisor(), quiet_seconds=NEVER)
    for _ in range(2):
        alerting.start()
        alerting.start()
        alerting.facts()
        alerting.end()
    assert [service.saved.is_set() for service in services] == [True, True]


class PanicError(BaseException):
    """What a foreign library throws that is no Exception."""


@pytest.mark.parametrize("error", [OSError("no such thing"), PanicError()])
def test_what_can_not_be_built_is_said_and_tried_again(error: BaseException, caplog: pytest.LogCaptureFixture):
    service, broken = Recorded(), threading.Event()

    def build() -> Recorded:
        if not broken.is_set():
            broken.set()
            raise error
        return service

    alerting = AlertingThread(build, NoAlerts, supervisor=Supervisor(), quiet_seconds=NEVER)
    with caplog.at_level(logging.ERROR):
        alerting.start()
        assert alerting.facts() == NoAlerts(f"alerting failed: {type(error).__name__}").facts()
    assert f"alerting failed ({type(error).__name__}); again in 1 s" in caplog.text
    (failed,) = alerting.health_facts()["failed_parts"]
    assert type(error).__name__ in failed
    assert not alerting.resolve("0123456789abcdef")
    poll_until(lambda: service.thread, "the service to run")
    alerting.end()
    assert service.saved.is_set()


@pytest.mark.parametrize("error", [ValueError("a mistake"), PanicError()])
def test_a_service_that_fails_later_is_started_again(error: BaseException):
    services: list[Recorded] = []

    class Failing(Recorded):
        async def run(self, ready: Callable[[], None]) -> None:
            ready()
            raise error

    def build() -> Recorded:
        services.append(Recorded() if services else Failing())
        return services[-1]

    supervisor = Supervisor()
    alerting = AlertingThread(build, NoAlerts, supervisor=supervisor, quiet_seconds=NEVER)
    alerting.start()
    alerting.facts()
    poll_until(lambda: len(services) == 2 and services[1].thread, "the next service to run")
    assert alerting.facts() == {"evaluated_by": "in_process"}
    assert len(supervisor.problems) == 1
    alerting.end()
    assert services[1].saved.is_set()
