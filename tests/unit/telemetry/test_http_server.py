"""HTTP server metrics, as a collection shows them after requests that end in every way."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from libraries_io_mcp.telemetry import semconv
from libraries_io_mcp.telemetry.http_server import ObserveHttp
from libraries_io_mcp.telemetry.instruments import Instruments

pytestmark = pytest.mark.anyio


async def fine(_request: Request) -> Response:
    return PlainTextResponse("fine")


async def broken(_request: Request) -> Response:
    raise LookupError("words of the user")


async def unavailable(_request: Request) -> Response:
    return PlainTextResponse("later", status_code=503)


@pytest.fixture
def reader() -> Iterator[InMemoryMetricReader]:
    reader = InMemoryMetricReader()
    yield reader
    reader.shutdown()


@pytest.fixture
async def client(reader: InMemoryMetricReader) -> AsyncIterator[httpx.AsyncClient]:
    provider = MeterProvider([reader], shutdown_on_exit=False)
    paths = {"/health/{check}": fine, "/broken": broken, "/unavailable": unavailable}
    web = Starlette(routes=[Route(path, endpoint, methods=["GET"]) for path, endpoint in paths.items()])
    instruments = Instruments(provider.get_meter(semconv.SCOPE_NAME))
    moments = iter(range(100))
    observed = ObserveHttp(web, instruments=instruments, routes=paths, monotonic=lambda: next(moments))
    transport = httpx.ASGITransport(observed, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        yield client


def points(reader: InMemoryMetricReader, metric: semconv.Metric) -> list[Any]:
    data = reader.get_metrics_data()
    scopes = [scope for group in data.resource_metrics for scope in group.scope_metrics]
    return [
        point
        for scope in scopes
        for found in scope.metrics
        if found.name == metric.name
        for point in found.data.data_points
    ]


async def attributes_after(client: httpx.AsyncClient, reader: InMemoryMetricReader, method: str, path: str) -> dict:
    await client.request(method, path)
    (point,) = points(reader, semconv.HTTP_SERVER_DURATION)
    assert (point.count, point.sum) == (1, 1)
    for name, value in point.attributes.items():
        assert semconv.FACTS[semconv.Attribute(name)].permits(value)
    return dict(point.attributes)


async def test_a_route_is_its_template(client: httpx.AsyncClient, reader: InMemoryMetricReader):
    found = await attributes_after(client, reader, "GET", "/health/libraries_io?q=words")
    assert found == {
        "http.request.method": "GET",
        "http.response.status_code": 200,
        "http.route": "/health/{check}",
        "network.protocol.version": "1.1",
        "url.scheme": "http",
    }


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/words/of/the/user", {"http.route": "_OTHER", "http.response.status_code": 404}),
        ("BREW", "/broken", {"http.request.method": "_OTHER", "http.response.status_code": 405}),
        ("GET", "/unavailable", {"http.response.status_code": 503, "error.type": "503"}),
        ("GET", "/broken", {"http.response.status_code": 500, "error.type": "500"}),
    ],
)
async def test_what_goes_wrong(
    client: httpx.AsyncClient, reader: InMemoryMetricReader, method: str, path: str, expected: dict
):
    found = await attributes_after(client, reader, method, path)
    assert expected.items() <= found.items()
    assert "words" not in str(found)


async def test_active_requests_go_back_to_zero(client: httpx.AsyncClient, reader: InMemoryMetricReader):
    for path in ("/health/x", "/broken"):
        await client.get(path)
    (point,) = points(reader, semconv.HTTP_SERVER_ACTIVE)
    assert (point.value, dict(point.attributes)) == (0, {"http.request.method": "GET", "url.scheme": "http"})


@pytest.mark.parametrize(("error", "error_type"), [(asyncio.CancelledError(), "cancelled"), (LookupError(), "_OTHER")])
async def test_one_that_ends_before_any_answer_is_of_a_closed_set(
    reader: InMemoryMetricReader, error: BaseException, error_type: str
):
    async def fails(*_asgi: object) -> None:
        raise error

    provider = MeterProvider([reader], shutdown_on_exit=False)
    instruments = Instruments(provider.get_meter(semconv.SCOPE_NAME))
    scope = {"type": "http", "method": "GET", "scheme": "http", "http_version": "1.1"}
    with pytest.raises(type(error)):
        await ObserveHttp(fails, instruments=instruments, routes=())(scope, fails, fails)
    (point,) = points(reader, semconv.HTTP_SERVER_DURATION)
    assert point.attributes["error.type"] == error_type
    assert error_type in semconv.HTTP_SERVER_DURATION.errors
