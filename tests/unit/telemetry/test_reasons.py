"""Why connections fail, in words, out of what real libraries raise."""

import socket
import ssl

import httpx
import pytest
import requests
from tests.support.collectors import unused_port

from libraries_io_mcp.telemetry.reasons import reason


def raised_by(call) -> BaseException:
    with pytest.raises(Exception) as caught:  # noqa: PT011 - any; that is the point
        call()
    return caught.value


@pytest.mark.parametrize("library", [httpx, requests], ids=["httpx", "requests"])
def test_what_libraries_wrap_is_found(library):
    with unused_port() as port:
        error = raised_by(lambda: library.get(f"http://127.0.0.1:{port}/?api_key=hidden", timeout=5))
    assert reason(error) == "connection refused: nobody listens there"


async def test_a_group_of_attempts_is_looked_into():
    with unused_port() as port:
        async with httpx.AsyncClient() as client:
            with pytest.raises(httpx.ConnectError) as caught:
                await client.get(f"http://localhost:{port}/")
    assert reason(caught.value) == "connection refused: nobody listens there"


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TimeoutError(), "no answer in time"),
        (socket.gaierror(-2, "Name or service not known"), "the name can't be resolved: no such host, or no network"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong"), "TLS: the other side does not speak it on this port"),
        (OSError(113, "No route to host"), "no route to host"),
        (OSError("of a library"), "OSError: of a library"),
        (ValueError("odd"), "ValueError: odd"),
        (ValueError(), "ValueError"),
    ],
    ids=str,
)
def test_the_words(error: BaseException, words: str):
    assert reason(error) == words


def test_a_circle_of_causes_has_an_end():
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert reason(first) == "ValueError: a"
