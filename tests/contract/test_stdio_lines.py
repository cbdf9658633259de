"""Lines on stdin that are no message: each is answered, with its id where there is one, and the session goes on.

How a connection begins, and how the process ends with its parent.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.command import COMMAND, Running, environment
from tests.support.polling import HANG_SECONDS, poll_until
from tests.support.wire import MODERN

from libraries_io_mcp.demo.otlp_receiver import OtlpReceiver

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
        ('{"jsonrpc":"2.0","id":null,"method":"ping"}', None, -32600),
    ],
    ids=["half a surrogate pair", "no JSON", "no method", "another version", "deep", "no id"],
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


def test_initialize_begins_a_session_whatever_was_asked_before(tmp_path: Path):
    """As clients do that ask whether the server knows the newest revision, and do not wait long for the answer."""
    envelope = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}
    with Running(folder=tmp_path, OTEL_SDK_DISABLED="true") as server:
        probe = server.request("server/discover", _meta=envelope)
        server.initialize()
        assert server.call("get_quota_status")["isError"] is False
        again = server.answer(server.request("server/discover", _meta=envelope))
        assert again["error"]["code"] == -32600
        assert probe == 1
        assert server.end("EOF") == 0
        assert "Traceback" not in server.stderr


def test_a_probe_is_answered_and_no_log_is_promised(tmp_path: Path):
    envelope = {"io.modelcontextprotocol/protocolVersion": MODERN, "io.modelcontextprotocol/clientCapabilities": {}}
    with Running(folder=tmp_path, OTEL_SDK_DISABLED="true") as server:
        discovered = server.answer(server.request("server/discover", _meta=envelope))["result"]
        listed = server.answer(server.request("tools/list", _meta=envelope))["result"]
        client = {"name": "test", "version": "1"}
        number = server.request("initialize", protocolVersion="2025-11-25", capabilities={}, clientInfo=client)
        begun = server.answer(number)["result"]
    assert listed["tools"]
    assert "logging" not in discovered["capabilities"] | begun["capabilities"]


@pytest.mark.parametrize("closed", ["<&-", ">&- </dev/null", "2>&- </dev/null"], ids=["stdin", "stdout", "stderr"])
def test_a_standard_stream_may_be_closed(closed: str, tmp_path: Path):
    """What is opened next must not be taken for it."""
    ended = subprocess.run(
        ["/bin/sh", "-c", f'"$0" {closed}', COMMAND],
        capture_output=True,
        timeout=HANG_SECONDS,
        check=False,
        cwd=tmp_path,
        env=environment(tmp_path),
    )
    assert ended.returncode == 0
    assert b"Traceback" not in ended.stderr
    assert ended.stdout == b""


def test_it_ends_with_its_parent_though_somebody_else_holds_stdin(tmp_path: Path):
    """And what it has done is sent before."""
    parent = (
        "import subprocess, sys\n"
        "server = subprocess.Popen(sys.argv[1:2])\n"
        "print(server.pid, file=sys.stderr, flush=True)\n"
        "server.wait()\n"
    )
    stdin, ours = os.pipe()
    answers, stdout = os.pipe()
    with OtlpReceiver() as receiver:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint, "OTEL_BSP_SCHEDULE_DELAY": "600000"}
        client = subprocess.Popen(
            [sys.executable, "-c", parent, COMMAND],
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            cwd=tmp_path,
            env=environment(tmp_path, **variables),
        )
        os.close(stdin)
        os.close(stdout)
        number = int(client.stderr.readline())
        try:
            os.write(ours, b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n')
            with os.fdopen(answers, "rb") as lines:
                assert json.loads(lines.readline())["id"] == 1
                assert [span.name for span in receiver.spans] == []
                client.kill()
                client.wait(HANG_SECONDS)
                assert lines.read() == b""
            poll_until(lambda: not alive(number), "the server to end")
            assert [span.name for span in receiver.spans if span.name == "ping"] == ["ping"]
            assert b"the parent process has ended" in client.stderr.read()
        finally:
            os.close(ours)
            client.stderr.close()
            if alive(number):
                os.kill(number, signal.SIGKILL)


def alive(number: int) -> bool:
    """Whether the process still does something; nobody may have collected it."""
    try:
        state = Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"
