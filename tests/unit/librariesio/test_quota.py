import asyncio
import itertools
import math
from collections import Counter

import httpx
import pytest
from limits.aio.storage import MemoryStorage
from tests.unit.librariesio.service import FakeClock, answer, client
from tests.unit.librariesio.test_counters import counters_of

from libraries_io_mcp import errors

WINDOW = 60


class Service:
    """Counts as the service does: fixed windows of its own clock; a request is refused when count > limit."""

    def __init__(self, clock, *, limit=60, ahead=0.0, latency=0.05, headers=True, window=WINDOW):
        self.clock, self.limit, self.ahead, self.latency, self.headers = clock, limit, ahead, latency, headers
        self.window, self.counts, self.refused = window, Counter(), 0

    async def __call__(self, _request):
        await self.clock.sleep(self.latency / 2)
        reply = self.reply()
        await self.clock.sleep(self.latency / 2)
        return reply

    def reply(self):
        time = math.floor(self.clock.time + self.ahead)
        self.counts[time // self.window] += 1
        count, reset = self.counts[time // self.window], self.window - time % self.window
        headers = {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(max(self.limit - count, 0)),
            "x-ratelimit-reset": str(reset),
        }
        if count > self.limit:
            self.refused += 1
            return httpx.Response(429, headers={**headers, "retry-after": str(reset)} if self.headers else {})
        return answer([], **(headers if self.headers else {}))


NUMBER = itertools.count()


async def ask(api):
    """A question nobody has asked, so that it is neither coalesced nor kept."""
    return await api.search(f"q{next(NUMBER)}")


@pytest.mark.parametrize("ahead", [-20.0, -0.7, 0.0, 0.99, 13.0])
async def test_300_questions_use_the_budget_and_never_get_a_429(ahead):
    clock = FakeClock()
    start = clock.time
    service = Service(clock, ahead=ahead, latency=0.2)
    api = client(service, clock, timeout=300)
    concurrency = asyncio.Semaphore(8)

    async def question():
        async with concurrency:
            await ask(api)

    async def work():
        await asyncio.gather(*(question() for _ in range(300)))

    await clock.run(work())
    assert service.refused == 0
    assert sum(service.counts.values()) == 300
    assert len(service.counts) <= 6
    # The first window is entered at second 10 of ours: the fifth one begins 230 seconds later, give or take the clocks.
    assert clock.time - start < 4 * WINDOW + 25


async def test_what_never_reached_the_service_costs_nothing():
    clock = FakeClock()
    service, down = Service(clock), [True]

    async def sometimes(request):
        if down[0]:
            raise httpx.ConnectError("no network")
        return await service(request)

    api = client(sometimes, clock, timeout=5)
    for _ in range(3):
        with pytest.raises(errors.UpstreamUnreachableError):
            await ask(api)
    assert api.quota().remaining == 60
    down[0] = False
    await ask(api)
    assert api.quota().remaining == 59


async def test_without_headers_the_local_count_holds():
    clock = FakeClock()
    service = Service(clock, headers=False)
    api = client(service, clock, timeout=300)

    async def work():
        await asyncio.gather(*(ask(api) for _ in range(130)))

    await clock.run(work())
    assert service.refused == 0
    assert max(service.counts.values()) <= 60


async def test_a_wait_that_does_not_fit_the_deadline_is_refused_at_once():
    clock = FakeClock()
    api = client(Service(clock, limit=60), clock, limit=2, timeout=5)

    async def work():
        await ask(api)
        await ask(api)
        await ask(api)

    service_says_60 = client(Service(clock, headers=False), clock, limit=2, timeout=5)
    await ask(service_says_60)
    await ask(service_says_60)
    before = clock.time
    with pytest.raises(errors.QuotaExceededError) as caught:
        await ask(service_says_60)
    assert clock.time == before
    assert caught.value.retry_after == pytest.approx(50, abs=1)
    await work()
    assert api.quota().known_from == "service"


async def test_without_a_key_ten_an_hour():
    clock = FakeClock()
    service = Service(clock, limit=10, headers=False, window=3600)
    api = client(service, clock, key=None)
    for _ in range(10):
        await api.platforms()
    with pytest.raises(errors.QuotaExceededError) as caught:
        await api.platforms()
    assert caught.value.retry_after is not None
    assert caught.value.retry_after > 3000
    status = api.quota()
    assert (status.limit, status.remaining, status.window_seconds, status.key_present) == (10, 0, 3600, False)


async def test_what_other_processes_sent_is_no_other_user():
    """Two processes, one store: replies tell each of them about the other's requests, which are counted already."""
    clock, shared = FakeClock(), MemoryStorage()
    service = Service(clock, latency=4.0)
    slow, quick = (client(service, clock, timeout=300) for _ in range(2))
    for api in (slow, quick):
        api._quota._counters = counters_of(clock, shared)

    async def work():
        first = asyncio.ensure_future(ask(slow))
        await clock.sleep(0.01)
        service.latency = 0.02
        await asyncio.gather(*(ask(quick) for _ in range(20)))
        await first

    await clock.run(work())
    assert sum(service.counts.values()) == 21
    assert slow.quota().remaining == 60 - 21


async def test_another_user_of_the_key_is_noticed():
    clock = FakeClock()
    service = Service(clock)
    service.counts[math.floor(clock.time) // WINDOW] = 57
    api = client(service, clock, timeout=5)
    await ask(api)
    assert api.quota().remaining == 2
    await ask(api)
    await ask(api)
    with pytest.raises(errors.QuotaExceededError):
        await ask(api)
    assert service.refused == 0


async def test_a_limit_of_0_is_probed_once_a_window():
    clock = FakeClock()
    service = Service(clock, limit=0)
    api = client(service, clock)
    for _ in range(3):
        with pytest.raises(errors.QuotaExceededError):
            await ask(api)
    assert service.refused == 1
    assert (api.quota().limit, api.quota().remaining) == (0, 0)
    clock.time += WINDOW
    service.limit = 5
    await ask(api)
    assert api.quota().limit == 5


async def test_a_cancelled_waiter_leaves_the_line():
    clock = FakeClock()
    service = Service(clock, headers=False)
    api = client(service, clock, limit=1, timeout=200)

    async def work():
        await ask(api)
        waiters = [asyncio.ensure_future(ask(api)) for _ in range(2)]
        for _ in range(50):
            await asyncio.sleep(0)
        assert api.quota().waiting == 2
        waiters[0].cancel()
        await asyncio.wait(waiters)
        assert waiters[0].cancelled()
        assert waiters[1].result().data == ()

    await clock.run(work())
    assert api.quota().waiting == 0
    assert clock.time < 1_800_000_010 + 2 * WINDOW


async def test_a_batch_leaves_a_reserve_and_does_not_hold_up_others():
    clock = FakeClock()
    service = Service(clock, latency=0.2)
    api = client(service, clock, timeout=5)
    batch = api.asking(priority="batch", timeout_seconds=600)
    seconds = []

    async def interactive():
        await clock.sleep(3)
        for _ in range(5):
            start = clock.time
            await ask(api)
            seconds.append(clock.time - start)

    async def work():
        await asyncio.gather(interactive(), *(ask(batch) for _ in range(150)))

    await clock.run(work())
    assert max(seconds) < 1
    assert service.refused == 0
    assert max(service.counts.values()) <= 60


async def test_waiting_is_reported_to_who_asked_for_it():
    clock = FakeClock()
    told = []
    api = client(Service(clock, headers=False), clock, limit=1, timeout=300)

    async def work():
        await ask(api)
        listening = api.asking(on_wait=lambda seconds, position: told.append((seconds, position)))
        await asyncio.gather(ask(api), ask(listening))

    await clock.run(work())
    assert len(told) > 60
    assert told[0][1] == 1
    assert told[-1][1] == 0
    assert [seconds for seconds, _ in told] == sorted((seconds for seconds, _ in told), reverse=True)


async def test_the_line_is_first_come_first_served():
    clock = FakeClock()
    api = client(Service(clock, headers=False), clock, limit=2, timeout=300)
    served = []

    async def question(number):
        await ask(api)
        served.append(number)

    async def work():
        await asyncio.gather(*(question(number) for number in range(8)))

    await clock.run(work())
    assert [sorted(served[start : start + 2]) for start in range(0, 8, 2)] == [[0, 1], [2, 3], [4, 5], [6, 7]]


async def test_requests_in_flight_are_limited():
    clock = FakeClock()
    service = Service(clock, headers=False, latency=2.0)
    flying, most = 0, 0

    async def count(request):
        nonlocal flying, most
        flying += 1
        most = max(most, flying)
        try:
            return await service(request)
        finally:
            flying -= 1

    api = client(count, clock, timeout=300)

    async def work():
        await asyncio.gather(*(ask(api) for _ in range(40)))

    await clock.run(work())
    assert most == 10
