"""Lines on stdin that are no message: each is answered, with its id where there is one, and the session goes on."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.support.command import Running

SURROGATE = (
    '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":'
    '{"name":"get_package_info","arguments":{"platform":"npm","name":"\\ud800"}}}'
)


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
def test_a_line_that_is_no_message_is_answered(line: str, number: Any, code: int, tmp_path: Path):
    with Running(folder=tmp_path, OTEL_SDK_DISABLED="true") as server:
        server.initialize()
        server.process.stdin.write(line.encode() + b"\n")
        server.process.stdin.flush()
        answer = json.loads(server.process.stdout.readline())
        assert answer == {"jsonrpc": "2.0", "id": number, "error": answer["error"]}
        assert answer["error"]["code"] == code
        assert "result" in server.answer(server.request("ping"))
