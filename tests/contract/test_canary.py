"""The API key is nowhere to be seen: a canary is planted as the key, and every way out is searched for it."""

import base64
import logging
import os
import traceback
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from anyio import to_thread
from fastmcp import Client
from fastmcp.client.transports import StdioTransport
from opentelemetry.metrics import NoOpMeter
from pydantic import SecretStr
from tests.support.collectors import ByteKeeper
from tests.support.command import HTTP, Running, environment, launcher, run_command
from tests.support.polling import HANG_SECONDS
from tests.support.stand_in import CANARY, REFUSED_CANARY
from tests.support.upstream import EXPECTED, Upstream

from libraries_io_mcp.errors import CallError
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.settings import LibrariesIOSettings
from libraries_io_mcp.telemetry.instruments import Instruments

pytestmark = pytest.mark.anyio

Calls = tuple[tuple[str, dict[str, Any]], ...]
# An answer before each fault, or the circuit breaker would keep the later ones out.
FAULTS: Calls = tuple(
    ("get_package_info", {"platform": "npm", "name": each}) for name in EXPECTED for each in (f"good--{name}", name)
)
QUESTIONS: Calls = (
    ("search_packages", {"query": "http"}),
    ("get_package_info", {"platform": "pypi", "name": "requests"}),
    ("get_package_info", {"platform": "pypi", "name": "Requests"}),  # another spelling: 302 with the key in Location
    ("get_package_info", {"platform": "npm", "name": "no-such-package"}),
    ("get_package_info", {"platform": "no-such-platform", "name": "requests"}),
    ("get_package_dependencies", {"platform": "pypi", "name": "requests"}),
    ("get_quota_status", {}),
)


def pieces(key: str) -> list[bytes]:
    """The key in the forms in which it could slip out; halves too, since one half would already be a leak."""
    plain = [key, key[:16], key[16:], key.upper(), key[::-1], base64.b64encode(key.encode()).decode()[:40]]
    return [text.encode() for text in plain]


def assert_clean(way_out: str, content: bytes | str, *keys: str) -> None:
    raw = content.encode() if isinstance(content, str) else content
    for piece in [piece for key in keys or (CANARY, REFUSED_CANARY) for piece in pieces(key)]:
        at = raw.find(piece)
        assert at < 0, f"the key is in {way_out}: ...{raw[max(at - 80, 0) : at + 60]!r}..."


@dataclass
class World:
    """One server with the canary as its key, and everything that came out of it."""

    name: str
    key: str
    variables: dict[str, str]
    calls: Calls
    expected: set[str | None]
    """The error types that its calls lead to; `None` is an answer."""
    transport: str = "stdio"
    error_types: set[str | None] = field(default_factory=set)
    ways_out: dict[str, bytes | str] = field(default_factory=dict)

    async def run(self, folder: Path) -> None:
        """Make the calls, end the server, and keep all that it gave away."""
        with ByteKeeper() as keeper, ExitStack() as stack:
            given = {
                **self.variables,
                "LIBRARIES_IO_API_KEY": self.key,
                "LOG_LEVEL": "DEBUG",
                "OTEL_EXPORTER_OTLP_ENDPOINT": keeper.endpoint,
                "OTEL_METRIC_EXPORT_INTERVAL": "60000",
            }
            server = None
            if self.transport == "http":
                server = stack.enter_context(Running(*HTTP, folder=folder, cold=True, **given))
                target: Any = await to_thread.run_sync(lambda: server.url)
            else:
                target = StdioTransport(
                    *launcher(),
                    env=environment(folder, **given),
                    cwd=str(folder),
                    keep_alive=False,
                    log_file=folder / "stderr",
                )
            async with Client(target) as client:
                await self._ask(client)
            if server is not None:
                await self._look_at_http(server)
                await to_thread.run_sync(server.end, "SIGTERM")
            self.ways_out["stderr"] = (folder / "stderr").read_bytes()
            for path in ("/v1/traces", "/v1/metrics", "/v1/logs"):
                self.ways_out[f"OTLP {path}"] = keeper.bodies(path)
                self.ways_out[f"OTLP {path} decoded"] = keeper.decoded(path)

    async def _ask(self, client: Client) -> None:
        self.ways_out["tools/list"] = str(await client.list_tools()) + str(client.initialize_result)
        answers = []
        for tool, arguments in self.calls:
            answer = await client.call_tool(tool, arguments, raise_on_error=False)
            answers.append(repr(answer))
            self.error_types.add(answer.structured_content["error_type"] if answer.is_error else None)
        wrong = await client.call_tool("get_package_info", {"platform": 1}, raise_on_error=False)
        self.ways_out["answers"] = "\n".join([*answers, repr(wrong)])

    async def _look_at_http(self, server: Running) -> None:
        async with httpx.AsyncClient(base_url=server.url.removesuffix("/mcp"), timeout=HANG_SECONDS) as client:
            for path in ("/health", "/health/detailed", "/health/metrics", "/metrics", "/no-such-page"):
                reply = await client.get(path)
                self.ways_out[path] = f"{reply.headers}\n{reply.text}"
        self.ways_out["process title"] = server.command_line


@pytest.fixture(scope="module")
async def worlds(sandbox_url: str, upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> dict[str, World]:
    """All worlds, lived through side by side."""
    bad_days = {"LIBRARIES_IO_BASE_URL": upstream.base_url, "LIBRARIES_IO_TIMEOUT_SECONDS": "6"}
    sandboxed = {"LIBRARIES_IO_BASE_URL": sandbox_url}
    nowhere = {"LIBRARIES_IO_BASE_URL": "http://127.0.0.1:1/api"}
    found = [
        World("answers by http", CANARY, sandboxed, QUESTIONS, {None, "not_found"}, "http"),
        World("bad days by stdio", CANARY, {**bad_days, "LOG_FORMAT": "text"}, FAULTS, set(EXPECTED.values())),
        World("bad days by http", CANARY, bad_days, FAULTS, set(EXPECTED.values()), "http"),
        World("refused key", REFUSED_CANARY, sandboxed, QUESTIONS, {None, "api_key_rejected", "not_found"}),
        World("unreachable", CANARY, {**nowhere, "LOG_FORMAT": "text"}, FAULTS[:1], {"unreachable"}),
    ]
    async with anyio.create_task_group() as tasks:
        for world in found:
            tasks.start_soon(world.run, tmp_path_factory.mktemp(world.name.replace(" ", "-")))
    return {world.name: world for world in found}


WORLDS = ("answers by http", "bad days by stdio", "bad days by http", "refused key", "unreachable")


@pytest.mark.parametrize("name", WORLDS)
async def test_no_way_out_shows_the_key(worlds: dict[str, World], name: str):
    world = worlds[name]
    assert world.error_types == world.expected
    assert {way for way, content in world.ways_out.items() if not content} == set()
    for way_out, content in world.ways_out.items():
        assert_clean(f"{way_out} of {name}", content)


async def test_the_key_was_really_used(worlds: dict[str, World], upstream: Upstream):
    """Otherwise finding it nowhere says nothing."""
    assert worlds
    for name in EXPECTED:
        assert upstream.asked_for(f"/api/NPM/{name}?api_key={CANARY}") >= (1 if name == "quota" else 2), name


async def test_the_search_would_find_it():
    with pytest.raises(AssertionError, match="the key is in there"):
        assert_clean("there", f"url=http://x/?api_key={CANARY[:16]}%")


@pytest.mark.parametrize(
    "variables",
    [
        {"LIBRARIES_IO_API_KEY": CANARY, "LIBRARIES_IO_RATE_LIMIT": "many"},
        {"LIBRARIES_IO_API_KEY": f"{CANARY} {CANARY}"},
        {"LIBRARIES_IO_API_KEY": f"{CANARY}\u00e9"},
        {"LIBRARIES_IO_BASE_URL": "ftp://x/api", "LIBRARIES_IO_API_KEY": CANARY},
    ],
    ids=["other setting", "two keys", "not ascii", "address"],
)
def test_wrong_settings_do_not_show_the_key(variables: dict[str, str], tmp_path: Path):
    done = run_command(folder=tmp_path, **variables)
    assert done.returncode == 2
    assert done.stdout == ""
    assert_clean("the error line", done.stderr)


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["serve", "--help"], ["serve", "--colour"]])
def test_the_command_line_does_not_show_the_key(arguments: list[str], tmp_path: Path):
    done = run_command(*arguments, folder=tmp_path, LIBRARIES_IO_API_KEY=CANARY)
    assert_clean("the output", done.stdout + done.stderr)
    assert done.stdout + done.stderr


class Keep(logging.Handler):
    """Keeps every record, formatted as a careless program would."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(f"{record.name} {self.format(record)} {vars(record)}")


@pytest.fixture
def loggers() -> Iterator[Keep]:
    """The root logger and those of the HTTP libraries at DEBUG."""
    kept, names = Keep(), (None, "httpx", "httpcore", "httpcore.http11", "httpcore.connection", "h11", "asyncio")
    levels = {name: logging.getLogger(name).level for name in names}
    logging.getLogger().addHandler(kept)
    for name in names:
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield kept
    logging.getLogger().removeHandler(kept)
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


def chain(error: BaseException) -> Iterator[BaseException]:
    """The exception, and all that it came from, suppressed ones too."""
    seen: list[BaseException] = []
    open_ = [error]
    while open_:
        at = open_.pop()
        if at not in seen:
            seen.append(at)
            yield at
            open_ += [other for other in (at.__cause__, at.__context__) if other is not None]


async def shown_by(client: LibrariesIOClient, name: str) -> tuple[str | None, list[str]]:
    """Error type and everything that can be shown of a question's outcome: tracebacks with all local variables too."""
    try:
        return None, [repr(await client.project("NPM", name))]
    except CallError as error:
        report = traceback.TracebackException.from_exception(error, capture_locals=True)
        links = [f"{link!r} {link} {vars(link)}" for link in chain(error)]
        return error.error_type, [*report.format(), *links]


@pytest.mark.parametrize("name", [name for name in EXPECTED if name != "quota"])
async def test_the_client_package_keeps_the_key_to_itself(name: str, upstream: Upstream, loggers: Keep):
    """In reprs, exceptions and tracebacks, and in the records of the HTTP libraries at DEBUG."""
    seconds = 3 if name == "hang" else HANG_SECONDS
    settings = LibrariesIOSettings(api_key=SecretStr(CANARY), base_url=upstream.base_url, timeout_seconds=seconds)
    client = LibrariesIOClient(settings, instruments=Instruments(NoOpMeter("test")))
    before = upstream.asked_for(f"{name}?api_key={CANARY}")
    error_type, shown = await shown_by(client, name)
    shown += [repr(settings), str(settings), settings.model_dump_json(), repr(client), repr(client.quota())]
    await client.aclose()
    assert error_type == EXPECTED[name]
    assert upstream.asked_for(f"{name}?api_key={CANARY}") > before
    assert any("httpcore" in line for line in loggers.lines)
    for text in [*shown, *loggers.lines]:
        assert_clean("what the client shows", text)


def test_the_environment_of_this_process_has_no_key():
    """So nothing above can come from anywhere else."""
    assert "LIBRARIES_IO_API_KEY" not in os.environ
