import asyncio
import re
import sys
from datetime import UTC, datetime

import httpx
import pytest
from tests.unit.librariesio.service import PROJECT, FakeClock, answer, client, instruments

from libraries_io_mcp import errors
from libraries_io_mcp.librariesio.cache import NEGATIVE_SECONDS, Cache, Fetched
from libraries_io_mcp.librariesio.question import Question
from libraries_io_mcp.librariesio.reply import Reply

HOUR = 3600.0


class Source:
    """Counts what is fetched; a gate holds fetches back until it is opened."""

    def __init__(self, clock, *, size=10, keep=HOUR):
        self.clock, self.size, self.keep = clock, size, keep
        self.fetched, self.cancelled, self.gate, self.error = 0, 0, asyncio.Event(), None
        self.gate.set()

    async def __call__(self):
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error:
            raise self.error
        self.fetched += 1
        data = {"number": self.fetched}
        return Fetched(Reply(data, "/x", datetime.fromtimestamp(self.clock.time, UTC)), self.size, self.keep)


def _cache(clock, **bounds):
    return Cache(instruments=instruments(), now=clock.now, **bounds)


async def _get(cache, source, question="q", seconds=5.0):
    traveller = Question("/x", "x", source.clock.time + seconds)
    outcome, result = await cache.get("/x", question, source, traveller=traveller, timeout_seconds=seconds)
    if isinstance(outcome, errors.CallError):
        raise outcome
    return outcome, result


async def test_a_hit_is_the_same_object_with_its_age():
    clock = FakeClock()
    cache, source = _cache(clock), Source(clock)
    first, result = await _get(cache, source)
    assert (result, first.source) == ("miss", "network")
    clock.time += 90
    second, result = await _get(cache, source)
    assert (result, second.source, second.age_seconds) == ("hit", "cache", 90)
    assert second.data is first.data
    assert source.fetched == 1


async def test_a_hit_costs_no_decoding_and_no_copy():
    """Every function that runs for a hit is looked at, those written in C and Rust too."""
    versions = [{"number": f"1.0.{number}"} for number in range(500)]
    api = client(lambda _: answer({**PROJECT, "versions": versions}), cache_ttl_seconds=None)

    async def called_for(question) -> tuple[set[str], object]:
        names: set[str] = set()

        def note(frame, event, function):
            if event == "call":
                names.add(f"{frame.f_globals.get('__name__')}.{frame.f_code.co_qualname}")
            elif event == "c_call":
                names.add(f"{function.__module__}.{function.__qualname__}")

        sys.setprofile(note)
        try:
            reply = await question
        finally:
            sys.setprofile(None)
        return names, reply.data

    await api.project("npm", "left-pad")
    hit, data = await called_for(api.project("npm", "left-pad"))
    _, again = await called_for(api.project("npm", "left-pad"))
    assert data is again
    assert any("Cache.get" in name for name in hit)
    assert {
        name for name in hit if re.search("pydantic|json|copy|datetime.*fromtimestamp", name, re.IGNORECASE)
    } == set()
    assert len(hit) < 80
    api._asker._cache._entries.clear()
    miss, _ = await called_for(api.project("npm", "left-pad"))
    assert len(miss) > len(hit)


async def test_what_has_grown_old_is_fetched_again():
    clock = FakeClock()
    cache, source = _cache(clock), Source(clock)
    await _get(cache, source)
    clock.time += HOUR
    reply, result = await _get(cache, source)
    assert (result, reply.data) == ("miss", {"number": 2})


@pytest.mark.parametrize(
    "error", [errors.UpstreamFaultError("x"), errors.QuotaExceededError("x"), errors.CircuitOpenError("x")]
)
async def test_an_outage_shows_the_old_answer_with_its_age(error):
    clock = FakeClock()
    cache, source = _cache(clock), Source(clock)
    await _get(cache, source)
    clock.time += 2 * HOUR
    source.error = error
    reply, result = await _get(cache, source)
    assert (result, reply.source, reply.age_seconds, reply.data) == ("stale", "stale", 2 * HOUR, {"number": 1})


@pytest.mark.parametrize(
    "error", [errors.KeyRejectedError("x"), errors.InvalidRequestError("x"), errors.NotFoundError("x")]
)
async def test_other_errors_are_not_hidden_by_an_old_answer(error):
    clock = FakeClock()
    cache, source = _cache(clock), Source(clock)
    await _get(cache, source)
    clock.time += 2 * HOUR
    source.error = error
    with pytest.raises(type(error)):
        await _get(cache, source)


async def test_a_404_is_kept_briefly():
    clock = FakeClock()
    asked = []

    def service(request):
        asked.append(request)
        return answer({"error": "not found"}, 404)

    api = client(service, clock, cache_ttl_seconds=None)
    for _ in range(3):
        with pytest.raises(errors.NotFoundError):
            await api.project("npm", "nope")
    assert len(asked) == 1
    clock.time += NEGATIVE_SECONDS
    with pytest.raises(errors.NotFoundError):
        await api.project("npm", "nope")
    assert len(asked) == 2


@pytest.mark.parametrize("options", [{"cache_ttl_seconds": 0.0}, {"cache_ttl_seconds": 5.0}])
async def test_a_404_is_kept_no_longer_than_answers(options):
    clock, asked = FakeClock(), []

    def service(request):
        asked.append(request)
        return answer({"error": "not found"}, 404)

    api = client(service, clock, **options)
    for _ in range(2):
        with pytest.raises(errors.NotFoundError):
            await api.project("npm", "nope")
        clock.time += options["cache_ttl_seconds"]
    assert len(asked) == 2


async def test_a_kept_404_is_said_to_be_one_and_is_one_for_any_method_of_asking(caplog):
    """An unknown package costs one request a minute, whoever asks, and its error is never the same object twice."""
    caplog.set_level("DEBUG")
    asked = []

    def service(request):
        asked.append(request)
        return answer({"error": "not found"}, 404)

    api = client(service, cache_ttl_seconds=None)
    caught = await asyncio.gather(*(api.project("npm", "nope") for _ in range(10)), return_exceptions=True)
    caught += await asyncio.gather(*(api.project("npm", "nope") for _ in range(10)), return_exceptions=True)
    assert {type(error) for error in caught} == {errors.NotFoundError}
    assert len(asked) == 1
    results = [vars(record).get("libraries_io.cache.result") for record in caplog.records]
    assert (results.count("miss"), results.count("coalesced"), results.count("negative")) == (1, 9, 10)


async def test_arguments_that_no_request_could_carry_leave_nothing_behind():
    kept = []
    telemetry = instruments()
    telemetry.watch_cache = kept.append
    api = client(lambda _: pytest.fail("sent"), cache_ttl_seconds=None, instruments=telemetry)
    for number in range(50):
        with pytest.raises(errors.CallError):
            await api.project(f"no.platform.{number}", "x" * 100)
        with pytest.raises(errors.CallError):
            await api.project("npm", "x" * (1_000_000 + number))
    assert kept[0]() == (0, 0)


async def test_bulk_questions_are_kept_under_short_keys():
    entry = {"status": 404, "body": {"error": "x"}}
    asked = []

    def service(request):
        asked.append(request)
        return answer([entry] * 1000)

    api = client(service, cache_ttl_seconds=None)
    packages = [("npm", f"{'n' * 400}{number}", "1") for number in range(1000)]
    await api.bulk_dependencies(packages)
    await api.bulk_dependencies(packages)
    assert len(asked) == 1
    assert len(repr(list(api._asker._cache._entries))) < 1000


async def test_50_identical_questions_cost_one_request():
    asked = []

    async def service(request):
        asked.append(request)
        await asyncio.sleep(0)
        return answer(PROJECT)

    api = client(service, cache_ttl_seconds=None)
    replies = await asyncio.gather(*(api.project("npm", "left-pad") for _ in range(50)))
    assert len(asked) == 1
    assert len({id(reply.data) for reply in replies}) == 1


async def test_one_who_leaves_does_not_disturb_the_others():
    clock = FakeClock()
    cache, source = _cache(clock), Source(clock)
    source.gate.clear()
    tasks = [asyncio.ensure_future(_get(cache, source)) for _ in range(3)]
    await _settle()
    tasks[0].cancel()
    await _settle()
    source.gate.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[0], asyncio.CancelledError)
    assert [result for _, result in results[1:]] == ["coalesced", "coalesced"]
    assert (source.fetched, source.cancelled) == (1, 0)


async def test_an_answer_is_kept_even_if_the_one_who_asked_first_has_left():
    clock = FakeClock()
    cache, source = _cache(clock), Source(clock)
    source.gate.clear()
    tasks = [asyncio.ensure_future(_get(cache, source)) for _ in range(2)]
    await _settle()
    tasks[0].cancel()
    await _settle()
    source.gate.set()
    assert (await tasks[1])[1] == "coalesced"
    assert (await _get(cache, source))[1] == "hit"
    assert source.fetched == 1


@pytest.mark.parametrize("jump", [-30 * 86400, -HOUR, HOUR + 1, 30 * 86400])
async def test_a_jump_of_the_clock_makes_what_is_kept_old_at_worst(jump):
    clock = FakeClock()
    cache, source = _cache(clock), Source(clock)
    await _get(cache, source)
    clock.time += jump
    assert (await _get(cache, source))[1] == "miss"
    assert (await _get(cache, source))[1] == "hit"


async def test_a_flight_that_fails_when_all_have_left_is_not_complained_about():
    clock = FakeClock()
    cache, source = _cache(clock), Source(clock)
    source.gate.clear()
    source.error = errors.UpstreamFaultError("x")
    task = asyncio.ensure_future(_get(cache, source))
    await _settle()
    source.gate.set()
    task.cancel()
    await _settle()
    source.error = None
    assert (await _get(cache, source))[1] == "miss"


async def test_when_all_have_left_the_fetch_ends_and_the_next_one_starts_anew():
    clock = FakeClock()
    cache, source = _cache(clock), Source(clock)
    source.gate.clear()
    tasks = [asyncio.ensure_future(_get(cache, source)) for _ in range(2)]
    await _settle()
    for task in tasks:
        task.cancel()
    newcomer = asyncio.ensure_future(_get(cache, source))
    await _settle()
    follower = asyncio.ensure_future(_get(cache, source))
    source.gate.set()
    assert (await newcomer)[1] in {"miss", "coalesced"}
    assert (await follower)[0].data == (await newcomer)[0].data
    assert source.fetched == 1


async def test_one_who_boards_late_still_has_its_own_deadline():
    clock = FakeClock()
    cache, source = _cache(clock), Source(clock)
    source.gate.clear()
    patient = asyncio.ensure_future(_get(cache, source))
    await _settle()
    with pytest.raises(errors.UpstreamTimeoutError):
        await _get(cache, source, seconds=0.0)
    source.gate.set()
    assert (await patient)[1] == "miss"


async def test_it_is_bounded_by_entries_and_bytes():
    clock = FakeClock()
    cache = _cache(clock, max_entries=3, max_bytes=10_000)
    small = Source(clock, size=600)
    for question in "abcd":
        await _get(cache, small, question)
    assert (await _get(cache, small, "b"))[1] == "hit"
    assert (await _get(cache, small, "a"))[1] == "miss"
    big = Source(clock, size=9_000)
    await _get(cache, big, "big")
    assert (await _get(cache, big, "big"))[1] == "hit"
    assert (await _get(cache, small, "b"))[1] == "miss"
    await _get(cache, Source(clock, size=10_001), "too big")
    assert (await _get(cache, big, "big"))[1] == "hit"


async def test_a_setting_bounds_how_long_answers_are_kept():
    clock = FakeClock()
    asked = []

    def service(request):
        asked.append(request)
        return answer(PROJECT)

    api = client(service, clock, cache_ttl_seconds=30.0)
    await api.project("npm", "left-pad")
    clock.time += 29
    await api.project("npm", "left-pad")
    assert len(asked) == 1
    clock.time += 1
    await api.project("npm", "left-pad")
    assert len(asked) == 2


async def test_an_outage_is_shown_by_the_client_too():
    clock = FakeClock()
    replies = [answer(PROJECT), httpx.Response(500)]
    api = client(lambda _: replies.pop(0), clock, cache_ttl_seconds=None)
    await api.project("npm", "left-pad")
    clock.time += HOUR + 1
    reply = await api.project("npm", "left-pad")
    assert (reply.source, reply.age_seconds) == ("stale", HOUR + 1)


async def _settle():
    for _ in range(20):
        await asyncio.sleep(0)
