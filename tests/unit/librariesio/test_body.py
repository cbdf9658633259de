import asyncio
import gzip
import time
import tracemalloc

import pytest
from tests.unit.librariesio.service import client, http_reply, raw_server

from libraries_io_mcp import errors

PIECE = 65536
GZIP = "Content-Type: application/json\r\nContent-Encoding: gzip\r\n"


async def _ask(reply, sent=None, **options):
    sent = [] if sent is None else sent

    async def serve(head, writer):
        for start in range(0, len(reply), PIECE):
            writer.write(reply[start : start + PIECE])
            await writer.drain()
            sent.append(start)
        writer.close()

    async with raw_server(serve) as base_url:
        api = client(pytest.fail, network=None, base_url=base_url, now=time.time, sleep=asyncio.sleep, **options)
        try:
            return await api.platforms()
        finally:
            await api.aclose()


async def test_a_compressed_reply_is_read():
    body = gzip.compress(b"[]")
    reply = await _ask(http_reply(body, headers=GZIP))
    assert reply.data == ()


async def test_a_reply_over_the_limit_is_cut_off():
    """The service is stopped long before its end: what it could not send is still with it."""
    sent = []
    with pytest.raises(errors.ReplyTooLargeError):
        await _ask(http_reply(b"[" + b" " * 50_000_000 + b"]"), sent, max_reply_bytes=100_000)
    assert len(sent) * PIECE < 25_000_000


async def test_the_limit_counts_what_is_unpacked_and_no_more_than_that_is_unpacked():
    body = gzip.compress(b" " * 100_000_000)
    assert len(body) < 200_000
    tracemalloc.start()
    try:
        with pytest.raises(errors.ReplyTooLargeError):
            await _ask(http_reply(body, headers=GZIP), max_reply_bytes=1_000_000)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 8_000_000


async def test_what_can_not_be_unpacked_is_invalid():
    for body, headers in ((b"nope", GZIP), (gzip.compress(b"[]")[:-9], GZIP), (b"[]", GZIP.replace("gzip", "br"))):
        with pytest.raises(errors.InvalidReplyError, match="decompressed"):
            await _ask(http_reply(body, headers=headers))


async def test_a_reply_that_is_cut_off_is_asked_again_and_then_invalid():
    with pytest.raises(errors.InvalidReplyError, match="cut off"):
        await _ask(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n[", timeout=5)


async def test_what_follows_the_end_of_a_compressed_reply_is_not_kept():
    sent = []
    reply = http_reply(gzip.compress(b"[]") + b"x" * 50_000_000, headers=GZIP)
    with pytest.raises(errors.InvalidReplyError):
        await _ask(reply, sent)
    assert len(sent) * PIECE < 25_000_000


async def test_a_letter_outside_ascii_in_a_header_harms_nothing():
    reply = await _ask(http_reply(b"[]", headers="Content-Type: application/json\r\nVia: 1.1 pr\xf8xy\r\n"))
    assert reply.data == ()
