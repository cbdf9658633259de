"""The sandbox on a real socket, and as a process."""

import contextlib
import signal
import subprocess
import sys

import httpx
import pytest

from libraries_io_mcp.sandbox.app import create_app
from libraries_io_mcp.sandbox.command import parse_key
from libraries_io_mcp.sandbox.connections import Connections
from libraries_io_mcp.sandbox.server import bind, serving

PROGRAM = "from libraries_io_mcp.sandbox.command import SandboxOptions, run; run(SandboxOptions(port=0))"


async def test_a_slash_stays_encoded_on_the_wire():
    async with serving(create_app(), Connections()) as url, httpx.AsyncClient() as client:
        assert (await client.get(f"{url}/npm/@babel%2Fcore")).json()["name"] == "@babel/core"
        assert (await client.get(f"{url}/npm/@babel/core")).status_code == 404


def test_a_port_in_use():
    with bind("127.0.0.1", 0) as listener, pytest.raises(OSError, match="in use"):
        bind("127.0.0.1", listener.getsockname()[1])


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 130)])
def test_one_line_when_ready_and_a_clean_end(number: signal.Signals, code: int):
    program = f"import sys\ntry:\n    {PROGRAM}\nexcept KeyboardInterrupt:\n    sys.exit(130)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        with contextlib.ExitStack() as stack:
            stack.callback(process.kill)
            line = process.stdout.readline().decode()
            url = line.split(" at ")[1].split(" ")[0]
            assert httpx.get(f"{url}/npm/axios").status_code == 200
            process.send_signal(number)
            assert process.wait(10) == code
            stack.pop_all()
        assert process.stdout.read() == b""
        assert process.stderr.read() == b""


@pytest.mark.parametrize(("text", "pair"), [("abc:5", ("abc", 5)), ("abc", ("abc", 60)), ("abc:0", ("abc", 0))])
def test_keys_of_the_command_line(text: str, pair: tuple[str, int]):
    assert parse_key(text) == pair


@pytest.mark.parametrize("text", ["", ":5", "abc:", "abc:-1", "abc:many"])
def test_keys_that_make_no_sense(text: str):
    with pytest.raises(ValueError, match="KEY:LIMIT"):
        parse_key(text)
