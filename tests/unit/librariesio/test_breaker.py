import asyncio
import contextlib

import httpx
import pytest
from tests.unit.librariesio.service import FakeClock, client, instruments

from libraries_io_mcp import errors
from libraries_io_mcp.librariesio.breaker import FAILURES, OPEN_SECONDS, PROBE_SECONDS, BreakerTransport
from libraries_io_mcp.librariesio.question import EXTENSION, Question


class Service(httpx.AsyncBaseTransport):
    def __init__(self, outcome):
        self.outcome, self.sent = outcome, 0

    async def handle_async_request(self, _request):
        self.sent += 1
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        if isinstance(self.outcome, asyncio.Event):
            await self.outcome.wait()
            return httpx.Response(200)
        return httpx.Response(self.outcome)


class Caller:
    def __init__(self, outcome):
        self.clock, self.service = FakeClock(), Service(outcome)
        self.transport = BreakerTransport(self.service, instruments=instruments(), now=self.clock.now)

    async def ask(self, group="project", deadline=20.0, sent=True):
        question = Question("/x", group, self.clock.time + deadline, sent=sent)
        return await self.transport.handle_async_request(
            httpx.Request("GET", "https://h/", extensions={EXTENSION: question})
        )

    async def fail(self, times=FAILURES, **options):
        for _ in range(times):
            with contextlib.suppress(httpx.TransportError, asyncio.CancelledError):
                await self.ask(**options)


@pytest.mark.parametrize("outcome", [500, 503, httpx.ReadTimeout("x"), httpx.ConnectError("x")])
async def test_failures_in_a_row_open_it(outcome):
    caller = Caller(outcome)
    await caller.fail()
    with pytest.raises(errors.CircuitOpenError) as caught:
        await caller.ask()
    assert caught.value.retry_after == OPEN_SECONDS
    assert caller.service.sent == FAILURES


async def test_another_group_goes_on():
    caller = Caller(503)
    await caller.fail()
    assert (await caller.ask("search")).status_code == 503


@pytest.mark.parametrize("outcome", [200, 404, 403, 429])
async def test_signs_of_life_close_it_or_keep_it_closed(outcome):
    caller = Caller(503)
    await caller.fail(FAILURES - 1)
    caller.service.outcome = outcome
    await caller.ask()
    caller.service.outcome = 503
    await caller.fail(FAILURES - 1)
    assert (await caller.ask()).status_code == 503


@pytest.mark.parametrize("outcome", [errors.QuotaExceededError("x"), asyncio.CancelledError()])
async def test_what_says_nothing_about_the_service_does_not_count(outcome):
    caller = Caller(outcome)
    for _ in range(2 * FAILURES):
        with pytest.raises(type(outcome)):
            await caller.ask()
    assert caller.service.sent == 2 * FAILURES


async def test_a_deadline_that_passed_counts():
    caller = Caller(asyncio.CancelledError())
    await caller.fail(deadline=0.0)
    with pytest.raises(errors.CircuitOpenError):
        await caller.ask()


async def test_questions_whose_turn_never_came_say_nothing_about_the_service():
    caller = Caller(asyncio.CancelledError())
    await caller.fail(2 * FAILURES, deadline=0.0, sent=False)
    caller.service.outcome = 200
    assert (await caller.ask()).status_code == 200


async def test_a_probe_that_waits_long_does_not_keep_the_others_out():
    caller = Caller(503)
    await caller.fail()
    caller.clock.time += OPEN_SECONDS
    gate = caller.service.outcome = asyncio.Event()
    slow = asyncio.ensure_future(caller.ask())
    await asyncio.sleep(0)
    caller.clock.time += PROBE_SECONDS
    caller.service.outcome = 200
    assert (await caller.ask()).status_code == 200
    assert (await caller.ask()).status_code == 200
    gate.set()
    assert (await slow).status_code == 200


async def test_one_probe_decides():
    caller = Caller(503)
    await caller.fail()
    caller.clock.time += OPEN_SECONDS
    gate = caller.service.outcome = asyncio.Event()
    probe = asyncio.ensure_future(caller.ask())
    await asyncio.sleep(0)
    with pytest.raises(errors.CircuitOpenError):
        await caller.ask()
    gate.set()
    assert (await probe).status_code == 200
    assert (await caller.ask()).status_code == 200


async def test_a_probe_that_fails_opens_it_again():
    caller = Caller(503)
    await caller.fail()
    caller.clock.time += OPEN_SECONDS
    await caller.ask()
    with pytest.raises(errors.CircuitOpenError):
        await caller.ask()


async def test_a_probe_that_is_cancelled_lets_the_next_one_try():
    caller = Caller(503)
    await caller.fail()
    caller.clock.time += OPEN_SECONDS
    caller.service.outcome = asyncio.CancelledError()
    with pytest.raises(asyncio.CancelledError):
        await caller.ask()
    caller.service.outcome = 200
    assert (await caller.ask()).status_code == 200


@pytest.mark.parametrize(("at_once", "cost"), [(1, 11), (10, 10)])
async def test_an_outage_costs_few_requests_before_it_is_noticed(at_once, cost):
    """One after the other two questions are repeated, four attempts each, and three are not; a probe costs one."""
    clock, sent = FakeClock(), []

    async def down(request):
        sent.append(request)
        await clock.sleep(0.1)
        return httpx.Response(502)

    api = client(down, clock, timeout=60)

    async def work():
        for first in range(0, 40, at_once):
            questions = (api.search(f"q{number}") for number in range(first, first + at_once))
            outcomes = await asyncio.gather(*questions, return_exceptions=True)
            assert {type(each) for each in outcomes} <= {errors.UpstreamFaultError, errors.CircuitOpenError}

    await clock.run(work())
    assert len(sent) == cost
    clock.time += OPEN_SECONDS
    before = len(sent)
    with pytest.raises(errors.UpstreamFaultError):
        await clock.run(api.search("probe"))
    assert len(sent) == before + 1
