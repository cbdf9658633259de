import asyncio
import logging
import time
import traceback

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import SecretStr
from tests.support.polling import HANG_SECONDS
from tests.unit.librariesio.service import BASE, KEY, client, http_reply, raw_server

from libraries_io_mcp import errors
from libraries_io_mcp.librariesio.api_key import ApiKeyTransport, without_key


async def test_the_key_is_taken_off_location_and_link():
    link = f'<{BASE}/x?api_key={KEY}&page=2>; rel="next", <{BASE}/x?page=3&api_key={KEY}>; rel="last"'
    inner = httpx.MockTransport(lambda _: httpx.Response(302, headers={"location": f"/x?api_key={KEY}", "link": link}))
    transport = ApiKeyTransport(inner, key=SecretStr(KEY), origin=httpx.URL(BASE))
    reply = await transport.handle_async_request(httpx.Request("GET", f"{BASE}/x"))
    assert KEY not in str(reply.headers.raw)
    assert "page=2" in reply.headers["link"]
    await transport.aclose()


@pytest.mark.parametrize(
    "url", ["https://evil.example/api", "http://libraries.example/api", "https://libraries.example:1/"]
)
async def test_other_origins_get_nothing(url):
    transport = ApiKeyTransport(
        httpx.MockTransport(lambda _: pytest.fail("sent")), key=SecretStr(KEY), origin=httpx.URL(BASE)
    )
    with pytest.raises(httpx.UnsupportedProtocol):
        await transport.handle_async_request(httpx.Request("GET", url))
    await transport.aclose()


async def test_baggage_stays_here():
    seen = []
    inner = httpx.MockTransport(lambda request: seen.append(request.headers) or httpx.Response(200))
    transport = ApiKeyTransport(inner, key=None, origin=httpx.URL(BASE))
    await transport.handle_async_request(
        httpx.Request("GET", f"{BASE}/x", headers={"baggage": "a=b", "traceparent": "x"})
    )
    assert "baggage" not in seen[0]
    assert seen[0]["traceparent"] == "x"
    await transport.aclose()


@pytest.mark.parametrize(
    "text", [f"?api_key={KEY}", f"?api_key={KEY}&x=1", f"x?a=1&api_key%3D{KEY}", f"[(b'location', b'/?api_key={KEY}')]"]
)
def test_text_is_cleaned(text):
    assert KEY not in without_key(text)


def _replies():
    redirect = f"Location: /api/npm/y?api_key={KEY}\r\n"
    link = f"Content-Type: application/json\r\nLink: </x?api_key={KEY}>; rel=next\r\n"
    return {
        "ok": http_reply(b'{"name": "x", "platform": "NPM"}', headers=link),
        "redirect": http_reply(b"", status="302 Found", headers=redirect),
        "rejected": http_reply(b"Forbidden\n", status="403 Forbidden", headers="Content-Type: text/plain\r\n"),
        "fault": http_reply(b"{}", status="500 Oops"),
        "quota": http_reply(b"Retry later\n", status="429 Too Many", headers="Retry-After: 7200\r\n"),
        "html": http_reply(b"<html>", headers="Content-Type: text/html\r\n"),
        "no http": b"SMTP hello\r\n\r\n",
        "cut off": b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{",
        "huge": http_reply(b" " * 5000),
        "bad gzip": http_reply(b"nope", headers="Content-Type: application/json\r\nContent-Encoding: gzip\r\n"),
        "silence": b"",
        "reset": None,
    }


async def _what_is_told(base_url: str, provider: TracerProvider, seconds: float) -> str:
    """The exception of one question with its causes and what their frames held."""
    told = "no exception"
    api = client(
        pytest.fail, network=None, base_url=base_url, tracer_provider=provider,
        timeout=seconds, now=time.time, sleep=asyncio.sleep, max_reply_bytes=1000,
    )  # fmt: skip
    try:
        await api.project("npm", "x")
    except errors.CallError as error:
        told = "".join(traceback.format_exception(error)) + repr(error)
        frames = list(traceback.walk_tb(error.__traceback__))
        told += repr([frame.f_locals for frame, _ in frames[1:]])
    assert KEY not in repr(api)
    await api.aclose()
    return told


@pytest.mark.parametrize("case", list(_replies()))
async def test_the_key_is_nowhere_to_be_seen(case, caplog):
    """A real socket; every log record at DEBUG, every span, and the whole exception with its causes."""
    caplog.set_level(logging.DEBUG)
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    heads = []

    async def serve(head, writer):
        heads.append(head)
        if (reply := _replies()[case]) is not None:
            writer.write(reply)
        if reply is None or case in {"cut off", "no http"}:
            await writer.drain()
            writer.close()

    async with raw_server(serve) as base_url:
        # Silence has to be waited for; a busy machine may need longer than that to send anything.
        for seconds in (1.0, 10.0, HANG_SECONDS) if case == "silence" else (HANG_SECONDS,):
            told = await _what_is_told(base_url, provider, seconds)
            if heads:
                break
    assert KEY.encode() in heads[0]
    assert (told == "no exception") == (case == "ok")
    assert KEY not in told
    assert KEY not in str([record.getMessage() for record in caplog.records])
    assert KEY not in str([vars(record) for record in caplog.records])
    spans = exporter.get_finished_spans()
    assert spans
    assert KEY not in "".join(span.to_json() for span in spans)
