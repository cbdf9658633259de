"""What is slow: a tree has more time than other questions, and what is still being made is asked for again."""

import itertools

import httpx
import pytest
from tests.unit.librariesio.service import FakeClock, answer, client

from libraries_io_mcp import errors
from libraries_io_mcp.librariesio.sending import FIRST_POLL_SECONDS, LONGEST_POLL_SECONDS, READ_SECONDS

NODE = {
    "version": {"number": "1"},
    "requirements": None,
    "dependency": {"platform": "NPM", "project_name": "x", "kind": None},
    "normalized_licenses": [],
    "dependencies": [],
}


class Making:
    """Says 202 so many times, then answers."""

    def __init__(self, clock, times, **headers):
        self.clock, self.times, self.headers, self.asked = clock, times, headers, []

    def __call__(self, request):
        self.asked.append((self.clock.time, request))
        if len(self.asked) <= self.times:
            return httpx.Response(202, headers=self.headers)
        return answer(NODE)

    def pauses(self):
        moments = [moment for moment, _ in self.asked]
        return [later - earlier for earlier, later in itertools.pairwise(moments)]


async def test_what_is_still_being_made_is_asked_for_again_after_growing_pauses():
    clock, told = FakeClock(), []
    service = Making(clock, 6)
    api = client(service, clock).asking(on_wait=lambda seconds, ahead: told.append((seconds, ahead)))
    assert (await clock.run(api.tree("npm", "x"))).data.version.number == "1"
    assert service.pauses() == pytest.approx([FIRST_POLL_SECONDS, 2, 4, LONGEST_POLL_SECONDS, 8, 8])
    assert told == [(pause, None) for pause in (1, 2, 4, 8, 8, 8)]
    assert (api.expenses.requests, api.quota().remaining) == (7, 53)


async def test_it_is_not_asked_for_before_the_service_wants_it():
    clock = FakeClock()
    service = Making(clock, 2, **{"retry-after": "15"})
    await client(service, clock).tree("npm", "x")
    assert service.pauses() == pytest.approx([15, 15])


async def test_it_is_asked_for_no_longer_than_the_deadline():
    clock = FakeClock()
    service, start = Making(clock, 1000), clock.time
    with pytest.raises(errors.UpstreamTimeoutError, match="still working"):
        await client(service, clock, timeout=20).tree("npm", "x")
    assert 50 < clock.time - start <= 65
    service, start = Making(clock, 1000), clock.time
    with pytest.raises(errors.UpstreamTimeoutError):
        await client(service, clock, timeout=20).asking(timeout_seconds=10).tree("npm", "x")
    assert clock.time - start <= 10


async def test_what_changes_something_is_not_sent_again():
    service = Making(FakeClock(), 1)
    with pytest.raises(errors.UpstreamTimeoutError):
        await client(service).subscribe("npm", "x")
    assert len(service.asked) == 1


async def test_a_tree_has_more_time_than_other_questions():
    """Told by how long it may wait for the quota, which has 40 seconds to go."""
    clock = FakeClock()
    clock.time += 20 - clock.time % 60
    api = client(lambda request: answer(NODE if "tree" in request.url.path else []), clock, limit=1)
    await api.search("x")
    with pytest.raises(errors.QuotaExceededError):
        await api.project("npm", "x")
    with pytest.raises(errors.QuotaExceededError):
        await api.asking(timeout_seconds=30).tree("npm", "x")
    assert (await api.tree("npm", "x")).data.version.number == "1"


async def test_each_phase_has_a_limit_of_its_own():
    service = Making(FakeClock(), 0)
    await client(service, timeout=300).tree("npm", "x")
    ((_, request),) = service.asked
    timeout = request.extensions["timeout"]
    assert timeout == {"connect": 5.0, "write": 10.0, "pool": 10.0, "read": READ_SECONDS}
