"""The client in a simulated five minutes of the sandbox, which refuses what is over the limit."""

import asyncio

import httpx
import pytest
from tests.unit.librariesio.service import FakeClock, client

from libraries_io_mcp.sandbox.app import create_app
from libraries_io_mcp.sandbox.keys import KNOWN_KEY


@pytest.mark.parametrize("ahead", [-0.6, 0.0, 17.0])
async def test_300_questions_in_five_minutes_without_a_429(ahead):
    clock = FakeClock()
    statuses = []

    class Watched(httpx.ASGITransport):
        async def handle_async_request(self, request):
            await clock.sleep(0.05)
            reply = await super().handle_async_request(request)
            statuses.append((reply.status_code, clock.time))
            return reply

    app = create_app(keys={KNOWN_KEY: 60}, now=lambda: clock.time + ahead)
    api = client(
        pytest.fail, clock, network=Watched(app=app), key=KNOWN_KEY, base_url="http://sandbox.test/api", timeout=300
    )
    start = clock.time

    async def work():
        await asyncio.gather(*(api.search(f"question {number}") for number in range(300)))

    await clock.run(work())
    assert {status for status, _ in statuses} == {200}
    assert len(statuses) == 300
    # At least 95 % of what five windows allow, the first of them begun already.
    within = [moment for _, moment in statuses if moment < start + 300]
    assert len(within) >= 0.95 * 300
    await api.aclose()
