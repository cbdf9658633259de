"""A client session with the installed server over stdio, and what every answer of a tool must be."""

import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Self

import httpx
from fastmcp import Client
from fastmcp.client.client import CallToolResult
from fastmcp.client.transports import StdioTransport
from jsonschema.validators import validator_for
from tests.support.command import environment, launcher
from tests.support.polling import HANG_SECONDS
from tests.support.stand_in import CANARY

from libraries_io_mcp.answer.cutting import BUDGET_TOKENS, CHARACTERS_A_TOKEN, size

ALL_TOOLSETS: Final = "discover,package,repositories,server,subscriptions"
PROVENANCE: Final = {
    "endpoint", "also_asked", "unreadable", "canonical_name", "fetched_at", "source", "age_seconds", "requests_spent",
    "quota_remaining",
}  # fmt: skip


@dataclass
class Session:
    """A session: every answer that comes through it is held against the tool's own schema."""

    client: Client[Any]
    schemas: dict[str, Any] = field(default_factory=dict)

    async def ask(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The structured content of a good answer."""
        result = await self.call(tool, **arguments)
        facts = result.structured_content
        assert not result.is_error, facts
        schema = await self._schema(tool)
        schema.validate(facts)
        assert set(facts) == set(schema.schema["properties"])
        if "provenance" in facts:
            assert set(facts["provenance"]) == PROVENANCE
        assert size(facts) <= BUDGET_TOKENS * CHARACTERS_A_TOKEN
        return facts

    async def fail(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The structured content of an error."""
        result = await self.call(tool, **arguments)
        facts = result.structured_content
        assert result.is_error, facts
        assert {"error_type", "message", "next_step"} <= set(facts)
        assert result.content[0].text.startswith(f"{facts['error_type']}: {facts['message']}")
        return facts

    async def call(self, tool: str, **arguments: Any) -> CallToolResult:
        """The result as it came; its text is never the JSON again."""
        result = await self.client.call_tool(tool, arguments, raise_on_error=False)
        assert len(result.content) == 1
        assert not result.content[0].text.startswith("{")
        return result

    async def follow(self, tool: str, listed: str, **arguments: Any) -> list[Any]:
        """All items of a list, by its cursors. There must be at least one."""
        facts = await self.ask(tool, **arguments)
        assert facts["truncated"], "nothing was cut"
        items = list(facts[listed])
        while facts["cursor"] is not None:
            assert facts["truncated"]
            left = facts["left_out"]
            facts = await self.ask(tool, **arguments, cursor=facts["cursor"])
            assert facts[listed]
            assert left is None or facts["left_out"] == left - len(facts[listed])
            items += facts[listed]
        assert not facts["truncated"]
        assert facts["left_out"] == 0
        return items

    async def read(self, uri: str) -> dict[str, Any]:
        """A resource, which must be JSON."""
        contents = await self.client.read_resource(uri)
        assert [content.mime_type for content in contents] == ["application/json"]
        return json.loads(contents[0].text)

    async def _schema(self, tool: str) -> Any:
        if not self.schemas:
            given = {each.name: each.output_schema for each in await self.client.list_tools()}
            # Once a tool: to check a schema itself takes longer than an answer.
            self.schemas = {name: validator_for(schema)(schema) for name, schema in given.items()}
        return self.schemas[tool]


@asynccontextmanager
async def session(folder: Path, base_url: str, **variables: str) -> AsyncIterator[Session]:
    """A server of its own, started as a client starts it, with all toolsets and nothing kept."""
    given = {
        "LIBRARIES_IO_BASE_URL": base_url,
        "LIBRARIES_IO_API_KEY": CANARY,
        "LOG_LEVEL": "ERROR",
        "TOOLSETS": ALL_TOOLSETS,
        "CACHE_TTL_SECONDS": "0",
        "OTEL_SDK_DISABLED": "true",
        **variables,
    }
    log = folder / "stderr"
    transport = StdioTransport(
        *launcher(), env=environment(folder, **given), cwd=str(folder), keep_alive=False, log_file=log
    )
    async with Client(transport) as client:
        yield Session(client)
    assert "Traceback" not in log.read_text(encoding="utf-8")


class Faults:
    """The sandbox's faults and its request log, by its control routes."""

    def __init__(self, base_url: str) -> None:
        self._control = f"{base_url.removesuffix('/api')}/_sandbox"
        # Plain HTTP: to load the machine's certificates for each request would be most of its time.
        self._http = httpx.Client(timeout=HANG_SECONDS, verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self._http.close()

    def switch_on(self, name: str, path: str = "*", **options: Any) -> None:
        """Switch one on for paths such as `/api/NPM/*`."""
        self._http.post(f"{self._control}/faults", json={"name": name, "path": path, **options}).raise_for_status()

    def clear(self) -> None:
        """Switch all off."""
        self._http.delete(f"{self._control}/faults").raise_for_status()

    def requests(self) -> int:
        """How many requests came since the last time this was asked."""
        total = self.arrived()
        self._http.delete(f"{self._control}/requests").raise_for_status()
        return total

    def arrived(self) -> int:
        """The same, without beginning to count anew."""
        return int(self._report()["total"])

    def broken_off(self) -> int:
        """How many of them ended without an answer."""
        return sum(row["count"] for row in self._report()["answers"] if row["status"] == 0)

    def _report(self) -> dict[str, Any]:
        report: dict[str, Any] = self._http.get(f"{self._control}/requests").raise_for_status().json()
        return report
