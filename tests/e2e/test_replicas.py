"""Three real replicas behind a real proxy with a real Valkey: nothing that happens to one of them reaches a caller.

All the while they are asked for more than their key allows in a minute. The restarts are those of processes, not of
containers. What was counted is told below the results.
"""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from tests.e2e.replicas import REPLICAS, SIGTERM_CODE, Crowd, Fleet, fleet
from tests.support.alert_receiver import AlertReceiver
from tests.support.polling import HANG_SECONDS, poll_until
from tests.support.stand_in import CANARY, PLENTY, sandbox

from libraries_io_mcp.sandbox.catalogue_files import load_catalogue
from libraries_io_mcp.sandbox.keys import KNOWN_KEY

CLIENTS, CALLS = 50, 1_000
LIMIT = 40
"""Requests a minute: fewer than there are new questions in any of the tests, whatever the replicas share."""
NAMES = [each.name for each in load_catalogue().packages if each.platform.lower() == "npm" and each.latest]
SETTLE_SECONDS = 240.0
RULES = """
groups:
  - name: always
    interval: 1s
    rules:
      - alert: HasQuota
        expr: max by (service_name) (libraries_io_quota_limit) > 0
        labels: {severity: high}
        annotations: {summary: There is a quota., description: As long as any server runs., cooldown: 0s}
"""
"""An alert that fires for every replica, from its first look to its end."""


@pytest.fixture(scope="module")
def upstream_url() -> Iterator[str]:
    with sandbox({CANARY: LIMIT, KNOWN_KEY: PLENTY}) as url:
        yield url


@pytest.fixture(scope="module")
def expected(upstream_url: str) -> dict[str, str]:
    """The truth about each package, from the service itself, past the product."""

    async def ask() -> dict[str, str]:
        async with httpx.AsyncClient(timeout=HANG_SECONDS, params={"api_key": KNOWN_KEY}) as http:
            answers = [(await http.get(f"{upstream_url}/npm/{name.replace('/', '%2F')}")).json() for name in NAMES]
        return {each["name"]: each["latest_stable_release_number"] for each in answers}

    return asyncio.run(ask())


@pytest.fixture(scope="module")
def people() -> Iterator[AlertReceiver]:
    """Who is told of alerts."""
    with AlertReceiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def three(upstream_url: str, people: AlertReceiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fleet]:
    folder = tmp_path_factory.mktemp("replicas")
    (folder / "rules.yml").write_text(RULES, encoding="utf-8")
    given = {
        "HEALTH_CHECK_SECONDS": "2",
        "LIBRARIES_IO_RATE_LIMIT": str(LIMIT),
        # A question waits for the next minute, perhaps for the one after it.
        "LIBRARIES_IO_TIMEOUT_SECONDS": "240",
        "ALERT_RULES_PATH": str(folder / "rules.yml"),
        "WEBHOOK_URL": people.url,
    }
    with fleet(folder, upstream_url, CANARY, **given) as found:
        yield found


def told_to(people: AlertReceiver) -> list[str]:
    """What people heard of the alert, from whichever replica."""
    return [alert["status"] for body in people.bodies for alert in body["alerts"]]


def answers_of(upstream_url: str) -> dict[int, int]:
    """What the service has answered since it was asked last, by status."""
    address = f"{upstream_url.removesuffix('/api')}/_sandbox/requests"
    counted: dict[int, int] = {}
    for row in httpx.get(address, timeout=HANG_SECONDS).json()["answers"]:
        counted[row["status"]] = counted.get(row["status"], 0) + row["count"]
    httpx.delete(address, timeout=HANG_SECONDS).raise_for_status()
    return counted


def through(
    three: Fleet,
    expected: dict[str, str],
    names: Sequence[str],
    calls: int,
    happens: Callable[[], Any],
    later: Sequence[str] = (),
) -> Crowd:
    """So many calls at least, while something happens, and of more packages after it; the crowd when all has ended."""
    crowd = Crowd(three.url, expected, names, at_least=calls)
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(lambda: asyncio.run(crowd.ask(CLIENTS)))
        try:
            poll_until(lambda: crowd.answered.total() >= CLIENTS or asking.done(), "the crowd to be at work", 240)
            happens()
            if later:
                crowd.names, crowd.at_least = later, crowd.asked + calls
        finally:
            crowd.over = True
        asking.result(SETTLE_SECONDS + 240)
    return crowd


def row(what: str, crowd: Crowd, upstream: dict[int, int]) -> str:
    """What was counted, and the first failures."""
    statuses = ", ".join(f"{status}: {count}" for status, count in sorted(upstream.items()))
    counted = f"{crowd.asked} calls | {len(crowd.wrong)} wrong | {len(crowd.failed)} failed"
    failures = "".join(f"\n  {each}" for each in crowd.failed[:5])
    return f"{what} | {counted} | requests to the service by status: {statuses}{failures}"


def test_a_rolling_restart_fails_no_call(
    three: Fleet, expected: dict[str, str], upstream_url: str, report: list[str]
) -> None:
    answers_of(upstream_url)
    names, codes = NAMES[:70], []
    crowd = through(three, expected, names, CALLS // 2, lambda: codes.extend(three.roll()))
    upstream = answers_of(upstream_url)
    report.append(row("a rolling restart", crowd, upstream))
    assert codes == [SIGTERM_CODE] * REPLICAS
    assert (crowd.wrong, crowd.failed) == ([], [])
    # What one replica knows, all know, also after its end. A busy machine may make Redis seem to be away for a moment.
    assert set(upstream) == {200}
    assert LIMIT < len(names) <= upstream[200] <= REPLICAS * len(names)


def test_a_killed_replica_is_not_missed(
    three: Fleet, expected: dict[str, str], upstream_url: str, report: list[str]
) -> None:
    def kill() -> None:
        three.replicas[0].kill()
        three.replicas[0].start()

    answers_of(upstream_url)
    names = NAMES[70:140]
    crowd = through(three, expected, names, CALLS // 4, kill)
    upstream = answers_of(upstream_url)
    report.append(row("kill -9 of a replica", crowd, upstream))
    assert (crowd.wrong, crowd.failed) == ([], [])
    assert set(upstream) == {200}
    assert LIMIT < len(names) <= upstream[200]


def test_people_are_told_of_an_alert_once(three: Fleet, people: AlertReceiver) -> None:
    """By now each replica was restarted, and one was killed."""
    poll_until(lambda: told_to(people), "people to be told", SETTLE_SECONDS)
    for each in three.replicas:
        poll_until(
            lambda each=each: each.firing() == ["HasQuota"], f"the alert at replica {each.number}", SETTLE_SECONDS
        )
    assert told_to(people) == ["firing"]


def test_without_valkey_each_goes_on_alone_and_comes_back(
    three: Fleet, expected: dict[str, str], upstream_url: str, report: list[str]
) -> None:
    def status(wanted: str) -> Callable[[], bool]:
        return lambda: all(
            each.health()["checks"]["storage_connectivity"]["status"] == wanted for each in three.replicas
        )

    def kill() -> None:
        three.valkey.terminate()  # by kill -9
        poll_until(status("degraded"), "every replica to say that it is alone", SETTLE_SECONDS)

    answers_of(upstream_url)
    known, new = NAMES[:20], NAMES[140:160]
    crowd = through(three, expected, known, CALLS // 4, kill, later=new)
    upstream = answers_of(upstream_url)
    report.append(row("kill -9 of Valkey", crowd, upstream))
    assert (crowd.wrong, crowd.failed) == ([], [])
    # Each asks for itself, and no more than its part of what all may.
    assert set(upstream) == {200}
    assert upstream[200] > LIMIT
    three.valkey.start()
    poll_until(status("healthy"), "every replica to have joined again", SETTLE_SECONDS)
