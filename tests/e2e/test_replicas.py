"""Three real replicas behind a real proxy with a real Valkey: nothing that happens to one of them reaches a caller."""

import asyncio
import json
import os
import sys
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
LIMIT = 300
"""Requests a minute: more than there are different questions, less than there are calls."""
NAMES = [each.name for each in load_catalogue().packages if each.platform.lower() == "npm" and each.latest]
SETTLE_SECONDS = 240.0
WITHOUT_REDIS = "alerts are not shared: Redis failed"
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
    three: Fleet, expected: dict[str, str], names: Sequence[str], calls: int, happens: Callable[[], Any]
) -> Crowd:
    """So many calls at least, while something happens; the crowd when both have ended."""
    crowd = Crowd(three.url, {name: expected[name] for name in names}, at_least=calls)
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(lambda: asyncio.run(crowd.ask(CLIENTS)))
        try:
            poll_until(lambda: crowd.answered.total() >= CLIENTS or asking.done(), "the crowd to be at work", 240)
            happens()
        finally:
            crowd.over = True
        asking.result(SETTLE_SECONDS + 240)
    return crowd


def told(what: str, crowd: Crowd, upstream: dict[int, int]) -> None:
    figures = {"calls": crowd.asked, "wrong": len(crowd.wrong), "failed": len(crowd.failed), "upstream": upstream}
    sys.stdout.write(f"{what}: {json.dumps(figures)}\n{''.join(f'  {each}{os.linesep}' for each in crowd.failed[:5])}")


def test_a_rolling_restart_fails_no_call(three: Fleet, expected: dict[str, str], upstream_url: str) -> None:
    answers_of(upstream_url)
    names, codes = NAMES[:40], []
    crowd = through(three, expected, names, CALLS // 2, lambda: codes.extend(three.roll()))
    upstream = answers_of(upstream_url)
    told("rolling restart", crowd, upstream)
    assert codes == [SIGTERM_CODE] * REPLICAS
    assert (crowd.wrong, crowd.failed) == ([], [])
    # What one replica knows, all know, also after its end. A busy machine may make Redis seem to be away for a moment.
    assert set(upstream) == {200}
    assert len(names) <= upstream[200] <= REPLICAS * len(names)


def test_a_killed_replica_is_not_missed(three: Fleet, expected: dict[str, str], upstream_url: str) -> None:
    def kill() -> None:
        three.replicas[0].kill()
        three.replicas[0].start()

    answers_of(upstream_url)
    names = NAMES[:40]
    crowd = through(three, expected, names, CALLS // 4, kill)
    upstream = answers_of(upstream_url)
    told("kill -9 of a replica", crowd, upstream)
    assert (crowd.wrong, crowd.failed) == ([], [])
    assert 429 not in upstream


def test_people_are_told_of_an_alert_once(three: Fleet, people: AlertReceiver) -> None:
    """By now each replica was restarted, and one was killed."""
    poll_until(lambda: told_to(people), "people to be told", SETTLE_SECONDS)
    for each in three.replicas:
        poll_until(
            lambda each=each: each.firing() == ["HasQuota"], f"the alert at replica {each.number}", SETTLE_SECONDS
        )
    heard = told_to(people)
    sys.stdout.write(f"told: {heard}\n")
    if WITHOUT_REDIS in three.logs:
        # A busy machine made Redis seem to be away: then each tells, because twice is better than not at all.
        assert set(heard) == {"firing"}
    else:
        assert heard == ["firing"]


def test_without_valkey_each_goes_on_alone_and_comes_back(
    three: Fleet, expected: dict[str, str], upstream_url: str
) -> None:
    def status(wanted: str) -> Callable[[], bool]:
        return lambda: all(
            each.health()["checks"]["storage_connectivity"]["status"] == wanted for each in three.replicas
        )

    def kill() -> None:
        three.valkey.terminate()  # by kill -9
        poll_until(status("degraded"), "every replica to say that it is alone", SETTLE_SECONDS)

    answers_of(upstream_url)
    names = NAMES[40:80]
    crowd = through(three, expected, names, CALLS // 4, kill)
    upstream = answers_of(upstream_url)
    told("kill -9 of Valkey", crowd, upstream)
    assert (crowd.wrong, crowd.failed) == ([], [])
    assert set(upstream) == {200}
    assert len(names) <= upstream[200] <= REPLICAS * len(names)
    three.valkey.start()
    poll_until(status("healthy"), "every replica to have joined again", SETTLE_SECONDS)
