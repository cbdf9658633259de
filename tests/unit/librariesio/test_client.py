import asyncio
import json
import logging

import httpx
import pytest
from tests.support.polling import HANG_SECONDS
from tests.unit.librariesio.service import BASE, KEY, PROJECT, FakeClock, answer, client, http_reply, raw_server

from libraries_io_mcp import errors


async def test_a_project_is_decoded_with_its_provenance():
    clock = FakeClock()
    asked = []

    def service(request):
        asked.append(request)
        return answer(PROJECT, **{"x-ratelimit-limit": "60", "x-ratelimit-remaining": "59", "x-ratelimit-reset": "42"})

    api = client(service, clock)
    reply = await api.project("npm", "left-pad")
    assert reply.data.name == "left-pad"
    assert reply.data.versions[0].number == "1.3.0"
    assert reply.endpoint == "/{platform}/{name}"
    assert (reply.source, reply.age_seconds, reply.fetched_at.timestamp()) == ("network", 0.0, clock.time)
    assert (reply.canonical_platform, reply.canonical_name) == ("NPM", None)
    assert str(asked[0].url) == f"{BASE}/npm/left-pad?api_key={KEY}"
    assert asked[0].headers["accept"] == "application/json"
    await api.aclose()


async def test_search_asks_without_versions_and_says_the_total():
    asked = []

    def service(request):
        asked.append(request)
        return answer([{**PROJECT, "versions": None}], total="96")

    reply = await client(service).search("left pad", platforms=["NPM", "Pypi"], sort="stars", page=2)
    assert reply.total == 96
    assert dict(asked[0].url.params) == {
        "q": "left pad",
        "include_versions": "false",
        "page": "2",
        "per_page": "30",
        "platforms": "NPM,Pypi",
        "sort": "stars",
        "api_key": KEY,
    }


@pytest.mark.parametrize(("page", "per_page"), [(0, 30), (301, 30), (101, 100), (1, 0), (1, 101)])
async def test_pages_that_the_service_would_refuse_cost_no_request(page, per_page):
    with pytest.raises(errors.InvalidRequestError):
        await client(_unreachable).search("x", page=page, per_page=per_page)


async def test_search_without_a_key_is_refused_before_it_is_sent():
    with pytest.raises(errors.KeyMissingError):
        await client(_unreachable, key=None).search("x")


async def test_questions_that_need_no_key_are_tried_without_one():
    asked = []

    def service(request):
        asked.append(request)
        return answer([])

    await client(service, key=None).platforms()
    assert asked[0].url.query == b""


async def test_latest_is_never_asked():
    with pytest.raises(errors.InvalidRequestError):
        await client(_unreachable).dependencies("npm", "left-pad", "Latest")


async def test_dependencies_ask_for_the_minimum():
    data = {"name": "a", "platform": "NPM", "dependencies_for_version": "1~2", "dependencies": []}
    asked = []

    def service(request):
        asked.append(request.url.raw_path)
        return answer(data)

    reply = await client(service, key=None).dependencies("npm", "a", "1~2")
    assert reply.data.dependencies == ()
    assert asked == [b"/api/npm/a/1%7E2/dependencies?subset=minimum"]


async def test_a_redirect_is_followed_by_its_path_only():
    asked = []

    def service(request):
        asked.append(request)
        if b"Flask" in request.url.raw_path:
            return answer({**PROJECT, "name": "Flask-Cors", "platform": "Pypi"})
        location = f"http://libraries.example/api/pypi/Flask-Cors?api_key={KEY}&x=1"
        return httpx.Response(302, headers={"location": location})

    reply = await client(service).project("pypi", "flask_cors")
    assert reply.canonical_name == "Flask-Cors"
    assert str(asked[1].url) == f"{BASE}/pypi/Flask-Cors?api_key={KEY}"


@pytest.mark.parametrize("location", ["https://evil.example/api/pypi/x", "/elsewhere/pypi", "/api/pypi/x/y/z", ""])
async def test_a_redirect_elsewhere_is_refused(location):
    api = client(lambda _: httpx.Response(302, headers={"location": location}))
    with pytest.raises(errors.InvalidReplyError):
        await api.project("pypi", "flask_cors")


async def test_a_redirect_in_a_circle_ends():
    api = client(lambda _: httpx.Response(302, headers={"location": "/api/pypi/x"}))
    with pytest.raises(errors.InvalidReplyError, match="circle"):
        await api.project("pypi", "flask_cors")


@pytest.mark.parametrize("status", [300, 302, 304])
async def test_a_redirect_to_nowhere_is_an_invalid_reply(status):
    api = client(lambda _: httpx.Response(status))
    with pytest.raises(errors.InvalidReplyError):
        await api.project("pypi", "flask_cors")


async def test_bulk_names_may_hold_anything_and_are_bounded():
    bodies = []

    def service(request):
        bodies.append(json.loads(request.content))
        return answer([])

    api = client(service)
    await api.check([("npm", "a\ud800\x00é")])
    assert bodies[0]["projects"][0]["name"] == "a\ud800\x00é"
    with pytest.raises(errors.InvalidRequestError):
        await api.check([("npm", "x" * 2_000_000)])
    assert len(bodies) == 1


@pytest.mark.parametrize("jump", [-7 * 86400, -3600, 3600, 7 * 86400])
async def test_a_jump_of_the_machines_clock_disturbs_no_call(jump):
    """While a question is under way, after a 429, and with a breaker open."""
    steady, shift, replies = FakeClock(), [0.0], []

    def service(_request):
        shift[0] += jump
        return replies.pop(0) if replies else answer(PROJECT)

    api = client(service, steady, now=lambda: steady.time + shift[0], monotonic=steady.now)
    replies += [httpx.Response(503), answer(PROJECT)]
    assert (await api.project("npm", "left-pad")).data.name == "left-pad"
    assert steady.time < FakeClock().time + 5

    replies += [httpx.Response(429, headers={"retry-after": "7"})]
    start = steady.time
    await api.project("npm", "left-pad")
    assert steady.time - start <= 70, "7 seconds of the 429, and a window that may have to be waited for"

    replies += [httpx.Response(500)] * 5
    for _ in range(5):
        with pytest.raises(errors.UpstreamFaultError):
            await api.project("npm", "left-pad")
    with pytest.raises(errors.CircuitOpenError):
        await api.project("npm", "left-pad")
    steady.time += 30
    assert (await api.project("npm", "left-pad")).data.name == "left-pad"


@pytest.mark.parametrize("body", [b"", b"null", b"{", b"[1]", b'{"name": 1}', b"\xff", b'{"name": {}, "platform": 1}'])
async def test_other_bodies_than_promised_are_invalid_replies(body):
    api = client(lambda _: httpx.Response(200, headers={"content-type": "application/json"}, content=body))
    with pytest.raises(errors.InvalidReplyError) as caught:
        await api.project("npm", "left-pad")
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


async def test_a_body_that_drips_ends_at_the_deadline():
    async def drip(head, writer):
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n")
        while not writer.is_closing():
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with raw_server(drip) as base_url:
        api = client(_unreachable, network=None, base_url=base_url, timeout=0.2, **_real_time())
        with pytest.raises(errors.UpstreamTimeoutError):
            await asyncio.wait_for(api.project("npm", "left-pad"), HANG_SECONDS)
        await api.aclose()


async def test_names_reach_a_real_socket_as_they_were_encoded():
    seen = []

    async def echo(head, writer):
        seen.append(head.split(b" ")[1])
        writer.write(http_reply(json.dumps(PROJECT).encode()))

    names = ["@babel/core", "../../etc", "a%2Fb", "é💥", "a b+c", "x?y=1#z", "github.com/gin-gonic/gin", "…", "a\\b"]
    async with raw_server(echo) as base_url:
        api = client(_unreachable, network=None, base_url=base_url, **_real_time())
        for name in names:
            await api.project("npm", name)
        await api.aclose()
    assert seen[0] == f"/api/npm/%40babel%2Fcore?api_key={KEY}".encode()
    assert seen[1] == f"/api/npm/..%2F..%2Fetc?api_key={KEY}".encode()
    assert all(path.count(b"/") == 3 and path.count(b"?") == 1 for path in seen)


async def test_the_call_is_logged_without_arguments_and_key(caplog):
    caplog.set_level(logging.DEBUG)
    await client(lambda _: answer([])).search("secret words")
    with pytest.raises(errors.NotFoundError):
        await client(lambda _: answer({"error": "not found"}, 404)).project("npm", "nope")
    records = [record for record in caplog.records if record.name == "libraries_io_mcp.librariesio"]
    assert [record.levelname for record in records] == ["DEBUG", "INFO", "DEBUG", "WARNING"]
    assert records[1].getMessage() == "GET /search answered in 0.0 ms"
    assert records[3].getMessage() == "GET /{platform}/{name} failed after 0.0 ms: not_found"
    assert vars(records[3])["error.type"] == "not_found"
    assert vars(records[3])["libraries_io.package"] == "nope"
    assert "secret words" not in str([vars(record) for record in records])
    assert KEY not in str([vars(record) for record in caplog.records])


async def test_a_kept_answer_is_logged_as_one(caplog):
    caplog.set_level(logging.DEBUG)
    clock = FakeClock()
    replies = [answer(PROJECT), httpx.Response(500)]
    api = client(lambda _: replies.pop(0), clock, cache_ttl_seconds=None)
    for _ in range(2):
        await api.project("npm", "left-pad")
    clock.time += 3601
    await api.project("npm", "left-pad")
    ends = [(record.levelname, record.getMessage()) for record in caplog.records if " in " in record.getMessage()]
    assert ends == [
        ("INFO", "GET /{platform}/{name} answered in 0.0 ms"),
        ("DEBUG", "GET /{platform}/{name} answered from the cache in 0.0 ms"),
        ("WARNING", "GET /{platform}/{name} answered with an old answer from the cache in 0.0 ms"),
    ]


def _unreachable(request):
    raise RuntimeError("nothing should be sent")


def _real_time():
    import time

    return {"now": time.time, "sleep": asyncio.sleep}
