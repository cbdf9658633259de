"""Lines on stdin that are no message: each is answered, with its id where there is one, and the session goes on."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.command import COMMAND, Running, environment
from tests.support.polling import HANG_SECONDS

SURROGATE = (
    '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":'
    '{"name":"get_package_info","arguments":{"platform":"npm","name":"\\ud800"}}}'
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One session for all of the lines: it goes on after each of them."""
    with Running(folder=tmp_path_factory.mktemp("server"), OTEL_SDK_DISABLED="true") as server:
        server.initialize()
        yield server


@pytest.mark.parametrize(
    ("line", "number", "code"),
    [
        (SURROGATE, 7, -32700),
        ("not json", None, -32700),
        ('{"jsonrpc":"2.0","id":"seven"}', "seven", -32600),
        ('{"jsonrpc":"1.0","id":7,"method":"ping"}', 7, -32600),
        ("[" * 100_000, None, -32700),
    ],
    ids=["half a surrogate pair", "no JSON", "no method", "another version", "deep"],
)
def test_a_line_that_is_no_message_is_answered(line: str, number: Any, code: int, server: Running):
    server.process.stdin.write(line.encode() + b"\n")
    server.process.stdin.flush()
    answer = json.loads(server.process.stdout.readline())
    assert answer == {"jsonrpc": "2.0", "id": number, "error": answer["error"]}
    assert answer["error"]["code"] == code
    assert "result" in server.answer(server.request("ping"))


def test_requests_may_come_from_a_plain_file(tmp_path: Path):
    """Which can't be waited for as a pipe can."""
    requests = tmp_path / "requests"
    requests.write_text('{"jsonrpc":"2.0","id":1,"method":"ping"}\n{"jsonrpc":"2.0","id":2,"method":"ping"}')
    with requests.open("rb") as stdin:
        ended = subprocess.run(
            [COMMAND],
            stdin=stdin,
            capture_output=True,
            timeout=HANG_SECONDS,
            check=True,
            cwd=tmp_path,
            env=environment(tmp_path, OTEL_SDK_DISABLED="true"),
        )
    assert {json.loads(line)["id"] for line in ended.stdout.splitlines()} == {1, 2}
