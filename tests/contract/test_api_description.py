"""docs/libraries-io.openapi.yaml is valid, names every endpoint that is asked, and is what the sandbox answers."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate
from tests.unit.librariesio.calls import READS, asking, sandbox

from libraries_io_mcp.librariesio import endpoints
from libraries_io_mcp.librariesio.endpoints import Endpoint

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]
DOCUMENT = yaml.safe_load((ROOT / "docs" / "libraries-io.openapi.yaml").read_text(encoding="utf-8"))
HOSTS = "github|gitlab|bitbucket"


def resolved(part: Any) -> Any:
    """The part that a reference stands for; anything else is itself."""
    while isinstance(part, dict) and "$ref" in part:
        target = DOCUMENT
        for step in part["$ref"].removeprefix("#/").split("/"):
            target = target[step.replace("~1", "/").replace("~0", "~")]
        part = target
    return part


def described() -> set[tuple[str, str]]:
    """Method and template of each operation; the three hosts of repositories are one, as the client has them."""
    return {
        (method.upper(), re.sub(rf"^/({HOSTS})/", "/{host}/", path))
        for path, item in DOCUMENT["paths"].items()
        for method in resolved(item)
        if method in {"get", "post", "put", "delete"}
    }


class Recording(httpx.AsyncHTTPTransport):
    """Keeps what came of each request."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, str, int, bytes]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        reply = await super().handle_async_request(request)
        body = await reply.aread()
        self.seen.append((request.method, request.url.path.removeprefix("/api"), reply.status_code, body))
        headers = [item for item in reply.headers.raw if item[0].lower() != b"content-encoding"]
        stream = httpx.ByteStream(body)
        return httpx.Response(reply.status_code, headers=headers, stream=stream, extensions=reply.extensions)


def test_it_is_valid():
    validate(DOCUMENT)
    assert DOCUMENT["openapi"].startswith("3.1")


def test_it_names_every_endpoint_that_is_asked_and_no_other():
    asked = {(value.method, value.template) for value in vars(endpoints).values() if isinstance(value, Endpoint)}
    assert described() == asked


@pytest.mark.parametrize("template", READS)
async def test_what_the_sandbox_answers_is_as_described(template: str):
    network = Recording()
    async with sandbox() as base_url, asking(base_url, network=network) as api:
        await READS[template](api)
    answered = [each for each in network.seen if each[2] == 200]
    assert answered
    method, path, _, body = answered[-1]
    names = [name for name in DOCUMENT["paths"] if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", name), path)]
    # The one with the fewest placeholders is meant.
    item = resolved(DOCUMENT["paths"][min(names, key=lambda name: name.count("{"))])
    reply = resolved(item[method.lower()]["responses"]["200"])
    schema = reply["content"]["application/json"]["schema"]
    validator = OAS31Validator({**schema, "components": DOCUMENT["components"]})
    errors = [
        f"{list(error.absolute_path)}: {error.message[:200]}" for error in validator.iter_errors(json.loads(body))
    ]
    assert errors == []
