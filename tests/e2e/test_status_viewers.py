"""Pages that are opened and then not read: they are sent away, cost a bounded amount of memory, and slow nobody."""

import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
from tests.support import wire
from tests.support.command import HTTP, Running
from tests.support.polling import HANG_SECONDS, poll_until
from tests.support.raw_http import address, rest

from libraries_io_mcp.status.feed import MAX_VIEWERS

MOST_BYTES = 1_000_000
"""What the server may hand to the network for one who does not read. It tells each page 25 kB a second."""
MOST_EVENTS = 60
FIRST_CALLS = 200
EVENTS = "/status/events"
SLOW = 8


@contextmanager
def asked_all_the_time(url: str) -> Iterator[None]:
    """A client that asks on and on, so that there is always something to tell; from the start of the block a lot."""
    session, end, answers = wire.open_session(url), threading.Event(), itertools.count()
    asked = threading.Event()

    def ask() -> None:
        with httpx.Client(headers=session, timeout=HANG_SECONDS) as client:
            while not end.is_set():
                client.post(url, json=wire.message("tools/call", name="get_quota_status", arguments={}))
                if next(answers) == FIRST_CALLS:
                    asked.set()

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        assert asked.wait(HANG_SECONDS)
        yield
    finally:
        end.set()
        asking.join()


@contextmanager
def read_all_the_time(events: str) -> Iterator[list[str]]:
    """A page that is read as it comes: what it is told, by the names of the events."""
    told: list[str] = []
    end = threading.Event()

    def read() -> None:
        with httpx.stream("GET", events, timeout=HANG_SECONDS) as answer:
            for line in answer.iter_lines():
                if line.startswith("event: "):
                    told.append(line.removeprefix("event: "))
                if end.is_set():
                    return
        told.append("the end")

    reading = threading.Thread(target=read)
    reading.start()
    try:
        poll_until(lambda: told, "the first event")
        yield told
    finally:
        end.set()
        reading.join()


def opened_and_not_read(url: str) -> socket.socket:
    """A page that has asked for its events, seen that they come, and reads no further."""
    connection = socket.socket()
    connection.settimeout(HANG_SECONDS)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(address(url))
    connection.sendall(f"GET {EVENTS} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    assert connection.recv(12) == b"HTTP/1.1 200"
    return connection


def free_places(events: str) -> int:
    """How many pages more can be open at once."""
    with ExitStack() as stack:
        for count in range(MAX_VIEWERS + 1):
            if stack.enter_context(httpx.stream("GET", events, timeout=HANG_SECONDS)).status_code != 200:
                return count
    raise AssertionError("there is room for more than there should be")


def test_who_does_not_read_is_sent_away_and_the_others_are_told_on(sandbox_url: str, tmp_path: Path) -> None:
    with (
        Running(*HTTP, folder=tmp_path, LIBRARIES_IO_BASE_URL=sandbox_url, ALERT_EVALUATION="off") as server,
        asked_all_the_time(server.url),
        read_all_the_time(server.url.removesuffix("/mcp") + EVENTS) as told,
        ExitStack() as stack,
    ):
        slow = [stack.enter_context(opened_and_not_read(server.url)) for _ in range(SLOW)]
        # Their places are taken until the server gives them up.
        while free_places(server.url.removesuffix("/mcp") + EVENTS) < MAX_VIEWERS - 1:
            assert len(told) < MOST_EVENTS
            more_than(told, len(told))
        more_than(told, len(told) + 1)
        assert told[0] == "snapshot"
        assert set(told[1:]) == {"tick"}
        for connection in slow:
            # What was under way when it was given up, and no more.
            assert len(rest(connection)) < MOST_BYTES
        assert "Traceback" not in server.stderr
        assert "without completing" not in server.stderr


def more_than(told: list[str], count: int) -> None:
    """Wait until the page that is read has been told more."""
    poll_until(lambda: len(told) > count, f"more than {count} events")
