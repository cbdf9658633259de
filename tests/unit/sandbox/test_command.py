"""The command as a process, and its options."""

import contextlib
import signal
import subprocess
import sys

import httpx
import pytest
from tests.support.polling import HANG_SECONDS

from libraries_io_mcp.sandbox.command import SandboxOptions, parse_key

# As Python does at its start, unless whoever started it ignores SIGINT, as `nohup` and jobs in the background do.
PROGRAM = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
from libraries_io_mcp.sandbox.command import SandboxOptions, run
from libraries_io_mcp.sandbox.faults import parse_fault
try:
    run(SandboxOptions(port=0, faults=(parse_fault("reset:path=/api/hex/*"),)))
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 130)])
def test_one_line_when_ready_and_a_clean_end(number: signal.Signals, code: int):
    with subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        with contextlib.ExitStack() as stack:
            stack.callback(process.kill)
            line = process.stdout.readline().decode()
            url = line.split(" at ")[1].split(" ")[0]
            assert httpx.get(f"{url}/npm/axios", timeout=HANG_SECONDS).status_code == 200
            with pytest.raises(httpx.ReadError):
                httpx.get(f"{url}/hex/plug", timeout=HANG_SECONDS)
            process.send_signal(number)
            assert process.wait(HANG_SECONDS) == code
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


@pytest.mark.parametrize("options", [{"window_seconds": 0}, {"window_seconds": float("nan")}, {"anonymous_limit": -1}])
def test_options_that_make_no_sense(options: dict[str, float]):
    with pytest.raises(ValueError, match="allowed is"):
        SandboxOptions(**options)
