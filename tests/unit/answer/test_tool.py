"""The border: what a question gets, what becomes of what it raises, and what a tool looks like from outside."""

import logging
from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
import pytest
from anyio.lowlevel import checkpoint
from fastmcp import Client, Context, FastMCP
from opentelemetry.metrics import NoOpMeter
from pydantic import Field, SecretStr
from tests.support.in_process import KEY, NOW, reply

from libraries_io_mcp.answer import Answer, CursorPage, Tools
from libraries_io_mcp.errors import LibrariesIOMCPError, NotFoundError, SettingsError
from libraries_io_mcp.librariesio.client import LibrariesIOClient
from libraries_io_mcp.settings import LibrariesIOSettings
from libraries_io_mcp.telemetry.instruments import Instruments

pytestmark = pytest.mark.anyio


class Greeting(Answer):
    """The smallest answer."""

    words: str | None

    def text(self) -> str:
        """The words."""
        return f"Hello: {self.words}"


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = NOW

    async def sleep(self, seconds: float) -> None:
        until = self.now + seconds
        while self.now < until:
            # In small steps, so that who sleeps for a shorter time wakes up first.
            self.now = min(self.now + 0.25, until)
            await checkpoint()


@pytest.fixture
async def tools() -> AsyncIterator[Tools]:
    """A server without tools, whose quota is two requests a minute."""
    clock = Clock()
    asker = LibrariesIOClient(
        LibrariesIOSettings(
            api_key=SecretStr(KEY), base_url="https://libraries.example/api", timeout_seconds=200, rate_limit=2
        ),
        instruments=Instruments(NoOpMeter("test")),
        now=lambda: clock.now,
        sleep=clock.sleep,
        network=httpx.MockTransport(lambda _: reply([], **{"x-ratelimit-limit": "2", "x-ratelimit-remaining": "0"})),
    )
    yield Tools(FastMCP("test", mask_error_details=True), asker)
    await asker.aclose()


async def call(tools: Tools, name: str, **arguments: Any) -> Any:
    async with Client(tools.server) as client:
        return await client.call_tool(name, arguments, raise_on_error=False)


async def test_an_answer_is_structure_and_text_and_never_json_as_text(tools: Tools):
    async def greet(words: str) -> Greeting:
        """Greet."""
        return Greeting(words=words)

    tools.add("Greet", greet)
    result = await call(tools, "greet", words="you")
    assert result.structured_content == {"words": "you"}
    assert [content.text for content in result.content] == ["Hello: you"]
    assert tools.names == ["greet"]


async def test_clients_see_neither_the_client_nor_the_page(tools: Tools):
    async def greet(
        client: LibrariesIOClient,
        context: Context,
        words: Annotated[str, Field(max_length=3, description="What to say.")],
        page: CursorPage = 1,
    ) -> Greeting:
        """Greet."""
        return Greeting(words=f"{words} {client.quota().limit} {page} {bool(context.request_id)}")

    tools.add("Greet", greet)
    (tool,) = await tools.server.list_tools()
    assert tool.description == "Greet."
    assert tool.parameters["properties"] == {"words": {"type": "string", "maxLength": 3, "description": "What to say."}}
    assert (await call(tools, "greet", words="you")).structured_content == {"words": "you 2 1 True"}


@pytest.mark.parametrize(
    ("error", "error_type"),
    [
        (NotFoundError("No such thing."), "not_found"),
        (SettingsError("A=b"), "settings"),
        (LibrariesIOMCPError("x"), "internal"),
        (KeyError("secret"), "internal"),
    ],
)
async def test_what_a_question_raises_is_an_answer(
    tools: Tools, error: Exception, error_type: str, caplog: pytest.LogCaptureFixture
):
    async def fail() -> Greeting:
        """Fail."""
        raise error

    tools.add("Fail", fail)
    result = await call(tools, "fail")
    assert result.is_error
    assert result.structured_content["error_type"] == error_type
    # A defect is in the log with its traceback, and not in the answer.
    assert "secret" not in str(result)
    logged = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert bool(logged) == isinstance(error, KeyError)


async def test_a_wait_for_the_quota_is_told_as_progress(tools: Tools):
    async def search(client: LibrariesIOClient) -> Greeting:
        """Search."""
        await client.search("x")
        await client.search("y")
        return Greeting(words="done")

    tools.add("Search", search)
    told: list[tuple[float, float | None, str | None]] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, total, message))

    async with Client(tools.server) as client:
        result = await client.call_tool("search", {}, progress_handler=hear)
    assert result.structured_content == {"words": "done"}
    assert told
    assert all(message.startswith("Waiting for the Libraries.io quota: ") for _, _, message in told)
    assert [progress for progress, _, _ in told] == sorted(progress for progress, _, _ in told)
    assert all(progress <= total for progress, total, _ in told)
