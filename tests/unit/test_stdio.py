"""Lines as they come through pipes: in pieces, several at once, without an end; and from plain files. What is answered
here, and what the SDK is shown.
"""

import json
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.support.polling import HANG_SECONDS, poll_until

from libraries_io_mcp.stdio import Input, OpenRequests, Output


def request(number: Any, method: str = "ping", **params: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode()


def answer(number: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": number, "result": {}}).encode() + b"\n"


NOTIFICATION = b'{"jsonrpc":"2.0","method":"notifications/initialized"}'
LONG = request(1, text="x" * 1_000_000)


class Wire:
    """Both ends of a filter that reads `descriptor`."""

    def __init__(self, descriptor: int, *, parent: int = 0) -> None:
        self.descriptor, self._written = os.pipe()
        self.drains = 0
        self.output = Output(self._written)
        self.requests = self.output.requests
        self.input = Input(descriptor, self.output, parent=parent, drain=self._drain)

    def _drain(self) -> None:
        self.drains += 1

    def shown(self) -> list[bytes]:
        """What the SDK is shown until the connection ends."""
        return self.input.read().splitlines()

    def answered(self) -> list[dict[str, Any]]:
        """What the client was answered, all of it."""
        os.close(self._written)
        with os.fdopen(self.descriptor, "rb") as read:
            return [json.loads(line) for line in read]


@contextmanager
def wire(*pieces: bytes, **options: Any) -> Iterator[Wire]:
    """One whose client writes these pieces and closes its end."""
    out, into = os.pipe()

    def write() -> None:
        with os.fdopen(into, "wb", buffering=0) as pipe:
            for piece in pieces:
                left = memoryview(piece)
                while left:
                    left = left[pipe.write(left) or 0 :]

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield Wire(out, **options)
    finally:
        os.close(out)
        thread.join(HANG_SECONDS)


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ((), []),
        ((request(1) + b"\n", request(2) + b"\n"), [request(1), request(2)]),
        ((request(1) + b"\n" + request(2)[:9], request(2)[9:] + b"\n"), [request(1), request(2)]),
        ((request(1) + b"\n" + request(2),), [request(1), request(2)]),
        ((b"\n\r\n \n" + request(1) + b"\r\n\n",), [request(1)]),
        ((b"\xef\xbb\xbf" + request(1) + b"\n",), [request(1)]),
        ((LONG[:500_000], LONG[500_000:] + b"\n" + NOTIFICATION), [LONG, NOTIFICATION]),
    ],
    ids=["nothing", "a line at a time", "in pieces", "without an end", "empty lines", "byte-order mark", "long"],
)
def test_lines_of_a_pipe(pieces: Sequence[bytes], expected: list[bytes]):
    with wire(*pieces) as filtered:
        assert filtered.shown() == expected
        assert filtered.answered() == []


def test_a_plain_file_is_read_to_its_end(tmp_path: Path):
    file = tmp_path / "lines"
    file.write_bytes(request(1) + b"\n" + request(2))
    descriptor = os.open(file, os.O_RDONLY)
    try:
        assert Wire(descriptor).shown() == [request(1), request(2)]
    finally:
        os.close(descriptor)


def test_the_end_is_drained_for_and_stays():
    with wire(request(1)) as filtered:
        assert filtered.shown() == [request(1)]
        assert filtered.drains == 1
        assert filtered.shown() == []
        assert not filtered.input.reopens


def test_an_end_that_is_asked_for_comes_behind_what_was_read():
    out, into = os.pipe()
    try:
        filtered = Wire(out)
        os.write(into, request(1) + b"\n" + request(2) + b"\n")
        first = filtered.input.read(len(request(1)) + 1)
        filtered.input.end()
        assert [first.rstrip(), *filtered.shown()] == [request(1), request(2)]
    finally:
        os.close(out)
        os.close(into)


@pytest.mark.parametrize("number", [None, 1.5, True, {}])
def test_an_id_that_is_none_is_refused(number: Any):
    with wire(request(number)) as filtered:
        assert filtered.shown() == []
        (refusal,) = filtered.answered()
        assert (refusal["id"], refusal["error"]["code"]) == (None, -32600)


def test_an_id_that_is_in_use_is_refused_and_free_again_with_the_answer():
    with wire(request(1) + b"\n" + request(1) + b"\n" + request("1")) as filtered:
        assert filtered.shown() == [request(1)]
        filtered.output.write(answer(1))
        assert filtered.requests.add(1)
        first, second, third = filtered.answered()
        assert [(each["id"], each["error"]["code"]) for each in (first, second)] == [(1, -32600), ("1", -32600)]
        assert third["result"] == {}


def test_a_cancelled_request_is_not_answered():
    cancelled = b'{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}'
    with wire(request(1) + b"\n" + cancelled + b"\n" + request(2)) as filtered:
        assert len(filtered.shown()) == 3
        filtered.output.write(answer(1))
        filtered.output.write(answer(2))
        assert [each["id"] for each in filtered.answered()] == [2]


def test_initialize_after_another_request_begins_a_connection_anew():
    with wire(b"\n".join([request(1, "server/discover"), request(2, "initialize"), request(3)])) as filtered:
        first = request(1, "server/discover") + b"\n"
        assert filtered.input.read(len(first)) == first
        filtered.output.write(answer(1))
        assert filtered.shown() == []
        assert (filtered.input.reopens, filtered.drains) == (True, 0)
        assert filtered.shown() == [request(2, "initialize"), request(3)]
        assert [each["id"] for each in filtered.answered()] == [1]


def test_a_second_initialize_is_the_sdks():
    lines = [request(1, "initialize"), request(2, "initialize")]
    with wire(b"\n".join(lines)) as filtered:
        assert filtered.shown() == lines


def test_waiting_for_answers_ends_with_the_last_one():
    requests = OpenRequests()
    for number in range(3):
        requests.add(number)
    waiting = threading.Thread(target=requests.wait, args=(HANG_SECONDS,))
    waiting.start()
    for number in range(3):
        assert waiting.is_alive()
        requests.remove(number)
    waiting.join(HANG_SECONDS)
    assert not waiting.is_alive()


def test_a_client_that_reads_nothing_is_given_up_at_the_end():
    """The pipe is full, and a thread waits for room."""
    with wire() as filtered:
        gone: list[BaseException] = []

        def write() -> None:
            try:
                while True:
                    filtered.output.refuse(1, -32600, "x" * 10_000)
            except BrokenPipeError as error:
                gone.append(error)

        thread = threading.Thread(target=write)
        thread.start()
        filtered.output.ending = True
        poll_until(lambda: gone, "the thread to give up")
        thread.join(HANG_SECONDS)
