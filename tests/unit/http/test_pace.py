import pytest

from libraries_io_mcp.http.pace import BYTE_SECONDS, MOST_CALLERS, TIMES, VALUE_SECONDS, Pace

pytestmark = pytest.mark.anyio
MEGABYTES = 10_000_000


class Waits:
    """A pace, and how long each request had to wait."""

    def __init__(self) -> None:
        self.now = 100.0
        self.mixed = True
        self.slept: list[float] = []
        self.pace = Pace(lambda: self.now, self._sleep, lambda: self.mixed)

    async def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


async def test_a_callers_second_heavy_request_waits_for_many_times_the_cost_of_the_first():
    waits = Waits()
    await waits.pace.keep("a", MEGABYTES, 3)
    assert waits.slept == []
    await waits.pace.keep("a", 0, 9_000)
    assert waits.slept == [pytest.approx(TIMES * (MEGABYTES * BYTE_SECONDS + 3 * VALUE_SECONDS))]
    await waits.pace.keep("a", MEGABYTES, 0)
    assert waits.slept[1:] == [pytest.approx(TIMES * 9_000 * VALUE_SECONDS)]


async def test_the_others_and_light_requests_do_not_wait():
    waits = Waits()
    await waits.pace.keep("a", MEGABYTES, 0)
    await waits.pace.keep("b", MEGABYTES, 0)
    await waits.pace.keep("a", 1_000, 10)
    assert waits.slept == []


async def test_who_is_alone_does_not_wait():
    waits = Waits()
    waits.mixed = False
    for _ in range(3):
        await waits.pace.keep("a", MEGABYTES, 0)
    assert waits.slept == []


async def test_what_is_over_is_forgotten():
    waits = Waits()
    for number in range(MOST_CALLERS):
        await waits.pace.keep(f"{number}", MEGABYTES, 0)
    waits.now += 1_000
    await waits.pace.keep("new", MEGABYTES, 0)
    assert len(waits.pace._next) == 1
