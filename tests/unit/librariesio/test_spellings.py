"""A redirect is paid once: what is known by another spelling is asked and kept under the stored one."""

import httpx
import pytest
from tests.unit.librariesio.service import FakeClock, answer, client

from libraries_io_mcp import errors
from libraries_io_mcp.librariesio.ask import Ask
from libraries_io_mcp.librariesio.endpoints import PROJECT, REPOSITORY
from libraries_io_mcp.librariesio.spellings import KEEP_SECONDS, MOST, Spellings


class Service:
    """Knows `requests`, and redirects every other spelling to it."""

    def __init__(self):
        self.asked = []

    def __call__(self, request):
        path = request.url.path.removeprefix("/api")
        self.asked.append(path)
        if "Requests" in path:
            return httpx.Response(302, headers={"location": f"/api{path.replace('Requests', 'requests')}"})
        if path.endswith("contributors"):
            return answer([])
        return answer({"name": "requests", "platform": "Pypi"})


async def _ask_everything(api):
    replies = []
    for _ in range(2):
        for spelling in ("Requests", "requests"):
            replies += [await api.project("pypi", spelling), await api.contributors("pypi", spelling)]
    return replies


async def test_a_redirect_is_paid_once():
    service = Service()
    replies = await _ask_everything(client(service, cache_ttl_seconds=None))
    assert service.asked == ["/pypi/Requests", "/pypi/requests", "/pypi/requests/contributors"]
    assert [reply.canonical_name for reply in replies] == ["requests", "requests", None, None] * 2
    assert [reply.source for reply in replies] == ["network", "network", *["cache"] * 6]


async def test_without_a_cache_the_name_is_remembered_all_the_same():
    service = Service()
    await _ask_everything(client(service))
    assert [path for path in service.asked if "Requests" in path] == ["/pypi/Requests"]


async def test_an_old_answer_stands_in_under_both_spellings():
    clock, service = FakeClock(), Service()
    down = []
    api = client(lambda request: httpx.Response(500) if down else service(request), clock, cache_ttl_seconds=None)
    await api.project("pypi", "Requests")
    clock.time += 3600
    down.append(True)
    for spelling, canonical in (("Requests", "requests"), ("requests", None)):
        reply = await api.project("pypi", spelling)
        assert (reply.source, reply.canonical_name) == ("stale", canonical)


async def test_an_unknown_name_is_no_spelling():
    api = client(lambda _: answer({"error": "not found"}, 404), cache_ttl_seconds=None)
    with pytest.raises(errors.NotFoundError):
        await api.project("pypi", "Requests")


def _asked(name, platform="pypi"):
    return Ask(PROJECT, {"platform": platform, "name": name})


def test_it_is_known_for_a_day_on_that_platform_in_any_case():
    clock = FakeClock()
    spellings = Spellings(clock.now)
    assert spellings.learn(_asked("Requests"), "/pypi/requests").names == {"platform": "pypi", "name": "requests"}
    assert spellings.stored(_asked("Requests", "PyPI")).names == {"platform": "PyPI", "name": "requests"}
    for other in (_asked("requests"), _asked("Requests", "npm"), Ask(REPOSITORY, {"name": "Requests"})):
        assert spellings.stored(other) is other
    clock.time += KEEP_SECONDS
    assert spellings.stored(_asked("Requests")).names["name"] == "Requests"


@pytest.mark.parametrize("path", ["/pypi/Requests", "/pypi/%52equests", "/pypi/requests/1", "/pypi/", "", "/search"])
def test_what_is_no_other_name_is_not_learned(path):
    spellings, ask = Spellings(FakeClock().now), _asked("Requests")
    assert spellings.learn(ask, path) is None
    assert spellings.stored(ask) is ask


def test_only_so_many_are_remembered():
    spellings = Spellings(FakeClock().now)
    for number in range(MOST + 1):
        spellings.learn(_asked(f"Name-{number}"), f"/pypi/name-{number}")
    assert spellings.stored(_asked("Name-0")).names["name"] == "Name-0"
    assert spellings.stored(_asked(f"Name-{MOST}")).names["name"] == f"name-{MOST}"
