"""The checks on Libraries.io, against the real client and a service whose replies the test writes."""

from collections.abc import Callable

import httpx
import pytest
from tests.unit.librariesio.service import PROJECT, FakeClock, answer, client

from libraries_io_mcp.errors import CallError
from libraries_io_mcp.health.check import Outcome
from libraries_io_mcp.health.checks.upstream import api_connectivity, rate_limit_status, upstream_breaker
from libraries_io_mcp.librariesio.client import LibrariesIOClient

pytestmark = pytest.mark.anyio
LIMITS = {"x-ratelimit-limit": "60", "x-ratelimit-reset": "40"}


class Service:
    """Answers as it is told, and counts."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.reply: Callable[[], httpx.Response] = lambda: answer(PROJECT)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request.url.path)
        return self.reply()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def api(service: Service, clock: FakeClock) -> LibrariesIOClient:
    return client(service, clock)


async def ask(api: LibrariesIOClient, count: int = 1, name: str = "p") -> None:
    for number in range(count):
        try:
            await api.project("npm", f"{name}{number}")
        except CallError:
            continue


async def test_unknown_until_the_service_was_asked(api: LibrariesIOClient, service: Service):
    ping = api_connectivity(api.vitals, 300)
    assert (await ping()).status == "unknown"
    assert service.asked == []


async def test_healthy_by_what_others_asked(api: LibrariesIOClient, service: Service):
    await ask(api)
    found = await api_connectivity(api.vitals, 300)()
    assert found == Outcome("healthy", None, found.details)
    assert found.details["failures"] == 0
    assert len(service.asked) == 1


async def test_one_request_when_nobody_asked_for_long(api: LibrariesIOClient, service: Service, clock: FakeClock):
    ping = api_connectivity(api.vitals, 300)
    clock.time += 299
    await ping()
    assert service.asked == []
    clock.time += 1
    service.reply = lambda: answer({"error": "not found"}, 404)
    assert (await ping()).status == "healthy"
    assert service.asked == ["/api/NPM/lodash/sourcerank"]
    clock.time += 299
    await ping()
    assert len(service.asked) == 1
    clock.time += 1
    await ping()
    assert len(service.asked) == 2


async def test_a_day_of_silence_costs_what_is_documented(api: LibrariesIOClient, service: Service, clock: FakeClock):
    service.reply = lambda: answer({"error": "down"}, 503)
    ping = api_connectivity(api.vitals, 300)
    for _ in range(24 * 60 * 6):
        clock.time += 10
        await ping()
    assert len(service.asked) <= 24 * 12


async def test_zero_switches_the_own_request_off(api: LibrariesIOClient, service: Service, clock: FakeClock):
    ping = api_connectivity(api.vitals, 0)
    clock.time += 1e6
    assert (await ping()).status == "unknown"
    assert service.asked == []


async def test_no_own_request_from_what_little_is_left(service: Service, clock: FakeClock):
    api = client(service, clock, key=None)
    service.reply = lambda: answer(PROJECT, **LIMITS | {"x-ratelimit-limit": "10", "x-ratelimit-remaining": "5"})
    await ask(api)
    ping = api_connectivity(api.vitals, 300)
    clock.time += 301
    await ping()
    assert len(service.asked) == 1


async def test_not_found_is_an_answer(api: LibrariesIOClient, service: Service):
    service.reply = lambda: answer({"error": "not found"}, 404)
    await ask(api, 3)
    assert (await api_connectivity(api.vitals, 300)()).status == "healthy"


async def test_failures_degrade_and_many_are_an_outage(api: LibrariesIOClient, service: Service):
    ping = api_connectivity(api.vitals, 300)
    await ask(api)
    service.reply = lambda: answer({"error": "down"}, 503)
    await ask(api, name="q")
    found = await ping()
    assert (found.status, found.details["last_error"]) == ("degraded", "upstream_error")
    await ask(api, 2, name="r")
    found = await ping()
    assert found.status == "unhealthy"
    assert "last 3 questions failed" in str(found.error)
    assert "doctor" in str(found.what_to_do)
    service.reply = lambda: answer(PROJECT)
    await ask(api, name="s")
    assert (await ping()).status == "degraded"
    await ask(api, 8, name="t")
    assert (await ping()).status == "healthy"


async def test_a_page_instead_of_an_answer_is_a_failure(api: LibrariesIOClient, service: Service):
    service.reply = lambda: httpx.Response(200, content=b"<html>", headers={"content-type": "text/html"})
    await ask(api, 3)
    found = await api_connectivity(api.vitals, 300)()
    assert (found.status, found.details["last_error"]) == ("unhealthy", "invalid_reply")


async def test_a_wrong_key_is_unhealthy_at_once(api: LibrariesIOClient, service: Service):
    service.reply = lambda: httpx.Response(403, content=b"Forbidden\n", headers={"content-type": "text/plain"})
    await ask(api)
    found = await api_connectivity(api.vitals, 300)()
    assert (found.status, found.error) == ("unhealthy", "Libraries.io rejects the API key.")
    assert "LIBRARIES_IO_API_KEY" in str(found.what_to_do)


async def test_what_is_long_ago_is_unknown(service: Service, clock: FakeClock):
    api = client(service, clock)
    await ask(api)
    ping = api_connectivity(api.vitals, 0)
    clock.time += 599
    assert (await ping()).status == "healthy"
    clock.time += 2
    assert (await ping()).status == "unknown"


async def test_the_quota_from_full_to_used_up(service: Service, clock: FakeClock):
    api = client(service, clock)
    ping = rate_limit_status(api.vitals)
    assert (await ping()).status == "healthy"
    service.reply = lambda: answer(PROJECT, **LIMITS, **{"x-ratelimit-remaining": "5"})
    await ask(api)
    found = await ping()
    assert (found.status, found.details["remaining"], found.details["known_from"]) == ("degraded", 5, "service")
    service.reply = lambda: answer(PROJECT, **LIMITS, **{"x-ratelimit-remaining": "0"})
    await ask(api, name="q")
    found = await ping()
    assert (found.status, found.error) == ("unhealthy", "The quota of this window is used up.")
    assert "answered from the cache" in str(found.what_to_do)
    clock.time += 120
    assert (await ping()).status == "healthy"


async def test_the_breakers(api: LibrariesIOClient, service: Service, clock: FakeClock):
    ping = upstream_breaker(api.vitals)
    assert await ping() == Outcome("healthy", None, {})
    service.reply = lambda: answer([])
    await api.search("x")
    service.reply = lambda: answer({"error": "down"}, 503)
    await ask(api, 5)
    found = await ping()
    assert found.status == "degraded"
    assert found.details["project"]["state"] == "open"
    assert 0 < found.details["project"]["retry_in_seconds"] <= 30
    assert found.details["search"]["state"] == "closed"
    for number in range(5):
        with pytest.raises(CallError):
            await api.search(f"y{number}")
    assert (await ping()).status == "unhealthy"
    clock.time += 31
    service.reply = lambda: answer(PROJECT)
    await ask(api, name="z")
    assert (await ping()).status == "degraded"
