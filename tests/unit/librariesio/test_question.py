"""Who asks what another one is just asking is served no worse than if it had asked alone."""

import asyncio

import pytest
from tests.unit.librariesio.service import FakeClock, client
from tests.unit.librariesio.test_quota import Service, ask

from libraries_io_mcp import errors
from libraries_io_mcp.librariesio.question import Question, wait_in_words


async def test_all_aboard_hear_of_a_wait():
    clock, told = FakeClock(), {"first": [], "second": [], "gone": []}
    api = client(Service(clock, headers=False), clock, limit=1, timeout=300)

    def listening(name):
        return api.asking(on_wait=lambda seconds, ahead: told[name].append((seconds, ahead)))

    async def work():
        await ask(api)
        gone = asyncio.ensure_future(listening("gone").platforms())
        both = [asyncio.ensure_future(listening(name).platforms()) for name in ("first", "second")]
        await clock.sleep(20)
        gone.cancel()
        await asyncio.gather(*both)

    await clock.run(work())
    assert len(told["first"]) > 40
    assert told["first"] == told["second"]
    assert told["gone"] == told["first"][: len(told["gone"])]
    assert 15 < len(told["gone"]) < 22


async def test_one_who_boards_later_hears_too():
    clock, told = FakeClock(), []
    api = client(Service(clock, headers=False), clock, limit=1, timeout=300)

    async def work():
        await ask(api)
        first = asyncio.ensure_future(api.platforms())
        await clock.sleep(5)
        await api.asking(on_wait=lambda seconds, ahead: told.append((seconds, ahead))).platforms()
        await first

    await clock.run(work())
    assert len(told) > 35


@pytest.mark.parametrize("order", [(20, 300), (300, 20)])
async def test_the_longest_deadline_counts(order):
    clock = FakeClock()
    api = client(Service(clock, headers=False), clock, limit=1)

    async def work():
        await ask(api)
        questions = [api.asking(timeout_seconds=seconds).platforms() for seconds in order]
        return await asyncio.gather(*questions, return_exceptions=True)

    outcomes = await clock.run(work())
    assert not isinstance(outcomes[order.index(300)], BaseException)


async def test_the_deadline_of_what_is_under_way_moves_too():
    """The service takes 0.4 s of real time; who asked first would give up after 0.1 s."""
    clock = FakeClock()

    async def slow(request):
        await asyncio.sleep(0.4)
        return await Service(clock, headers=False)(request)

    api = client(slow, clock)
    first = asyncio.ensure_future(api.asking(timeout_seconds=0.1).platforms())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (await api.asking(timeout_seconds=60).platforms()).source == "network"
    await asyncio.gather(first, return_exceptions=True)


async def test_who_can_not_wait_as_long_as_the_others_is_told_at_once():
    clock = FakeClock()
    api = client(Service(clock, headers=False), clock, limit=1)

    async def work():
        await ask(api)
        patient = asyncio.ensure_future(api.asking(timeout_seconds=300).platforms())
        await clock.sleep(5)
        start = clock.time
        with pytest.raises(errors.QuotaExceededError) as caught:
            await api.asking(timeout_seconds=20).platforms()
        assert clock.time == start
        assert 40 < caught.value.retry_after < 50
        return await patient

    assert (await clock.run(work())).source == "network"


async def test_an_interactive_question_does_not_wait_in_the_line_of_a_batch():
    clock = FakeClock()
    service = Service(clock)
    api = client(service, clock, timeout=300)
    batch = api.asking(priority="batch")
    seconds = []

    async def interactive():
        await clock.sleep(20)
        start = clock.time
        await api.platforms()
        seconds.append(clock.time - start)

    async def work():
        queue = [ask(batch) for _ in range(150)]
        await asyncio.gather(interactive(), *queue, batch.platforms())

    await clock.run(work())
    assert seconds[0] < 1
    assert service.refused == 0
    assert sum(service.counts.values()) == 151
    assert max(service.counts.values()) <= 60


def test_boarding_raises_and_leaving_lowers_nothing():
    heard = []
    question = Question("/x", "x", 10.0, priority="batch", on_wait=lambda *wait: heard.append(("first", *wait)))
    other = Question("/x", "x", 5.0, on_wait=lambda *wait: heard.append(("other", *wait)))
    question.board(other)
    question.tell(3.0, 2)
    question.leave(other)
    question.tell(2.0, None)
    assert (question.deadline, question.priority) == (10.0, "interactive")
    assert heard == [("first", 3.0, 2), ("other", 3.0, 2), ("first", 2.0, None)]


def test_a_wait_in_words():
    assert wait_in_words(7.4, 2) == "Waiting for the Libraries.io quota: 7 s left, 2 calls ahead."
    assert wait_in_words(4.0, None) == "Libraries.io is still making the answer; it is asked again in 4 s."
