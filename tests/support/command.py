"""The installed command as a person or a client starts it: a clean environment, a folder of its own, real pipes."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Final, Self

from tests.support.fork_server import ForkServer
from tests.support.polling import HANG_SECONDS, poll_until

COMMAND: Final = str(Path(sys.executable).with_name("libraries-io-mcp"))
ADDRESS: Final = re.compile(r"serving MCP at (http://[^\s\"]+)[\s\"]")  # the whole of it: the line may be half written
START_SECONDS: Final = 180.0
"""A start imports a lot, which takes its time on a busy machine."""
HTTP: Final = ("serve", "--transport", "http", "--port", "0")
READ_BY_IMPORTS: Final = ("FASTMCP", "OTEL_PROPAGATORS", "OTEL_PYTHON", "OTEL_EXPERIMENTAL", "PYTHON", "SSL_CERT")
"""Beginnings of variables that count while something is imported; with one of them the command itself is started."""


def environment(folder: Path, **variables: str) -> dict[str, str]:
    """What the process sees: nothing of this process's own settings."""
    return {"PATH": os.defpath, "HOME": str(folder), "LANG": "C.UTF-8", **variables}


@cache
def fork_server() -> ForkServer:
    """The one of this process, started when it is first needed."""
    return ForkServer()


def launcher() -> tuple[str, list[str]]:
    """What a client starts instead of the command, and the arguments to put before its own: a quick start."""
    program, *arguments = fork_server().launcher
    return program, arguments


def run_command(*arguments: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end in `folder`."""
    if not any(name.startswith(READ_BY_IMPORTS) for name in variables):
        return _run_forked(arguments, folder, environment(folder, **variables))
    return subprocess.run(
        [COMMAND, *arguments],
        cwd=folder,
        env=environment(folder, **variables),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=HANG_SECONDS,
        check=False,
    )


def _run_forked(
    arguments: Sequence[str], folder: Path, variables: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    with TemporaryFile() as stderr:
        process = fork_server().start(arguments, folder, variables, stderr.fileno())
        process.stdin.close()
        watch = threading.Timer(HANG_SECONDS, process.kill)
        watch.start()
        with process.stdout:
            stdout = process.stdout.read()
        code = process.wait(HANG_SECONDS)
        watch.cancel()
        stderr.seek(0)
        said = stderr.read()
    return subprocess.CompletedProcess([COMMAND, *arguments], code, stdout.decode(), said.decode())


class Running:
    """One started command with pipes of ours; killed at the end of `with` if it still runs.

    It is forked from a process that has imported everything. `cold=True` starts the command itself, for tests of what
    a start does; so does a `program` of one's own.
    """

    program: Sequence[str] = (COMMAND,)

    def __init__(self, *arguments: str, folder: Path, cold: bool = False, **variables: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._number = 0
        self._stderr_path = folder / "stderr"
        cold = cold or self.program != (COMMAND,) or any(name.startswith(READ_BY_IMPORTS) for name in variables)
        with self._stderr_path.open("wb") as stderr:
            if not cold:
                self.process: Any = fork_server().start(
                    arguments, folder, environment(folder, **variables), stderr.fileno()
                )
                return
            self.process = subprocess.Popen(
                [*self.program, *arguments],
                cwd=folder,
                env=environment(folder, **variables),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.process.kill()
        self.hang_up()
        self.process.wait(HANG_SECONDS)

    @property
    def stderr(self) -> str:
        """All that was written to stderr so far."""
        return self._stderr_path.read_text(encoding="utf-8")

    @property
    def command_line(self) -> bytes:
        """What every user of the machine can see of the process."""
        return Path(f"/proc/{self.process.pid}/cmdline").read_bytes()

    @property
    def url(self) -> str:
        """Where it serves MCP by HTTP; waits until it does."""

        def address() -> str | None:
            if self.process.poll() is not None:
                raise AssertionError(f"ended with {self.process.returncode}: {self.stderr}")
            found = ADDRESS.search(self.stderr)
            return found[1] if found else None

        return poll_until(address, "the address in the first log line", START_SECONDS)

    def log_lines(self) -> list[dict[str, Any]]:
        """stderr as JSON objects; fails when one line is anything else."""
        return [_json_object(line) for line in self.stderr.splitlines()]

    def send(self, message: Mapping[str, Any]) -> None:
        """Write one message of the stdio transport."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self.process.stdin.flush()

    def request(self, method: str, **params: Any) -> int:
        """Write one request and return its id."""
        self._number += 1
        self.send({"id": self._number, "method": method, "params": params})
        return self._number

    def answer(self, number: int) -> dict[str, Any]:
        """The answer to a request; messages before it are skipped."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            message = json.loads(line)
            if message.get("id") == number:
                return message
        raise AssertionError(f"stdout ended without answer {number}: {self.stderr}")

    def initialize(self) -> None:
        """The opening of a session as protocol revisions before 2026-07-28 have it."""
        client = {"name": "test", "version": "1"}
        self.answer(self.request("initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo=client))
        self.send({"method": "notifications/initialized"})

    def call(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """Call a tool and return its result."""
        return self.answer(self.request("tools/call", name=tool, arguments=arguments))["result"]

    def hang_up(self) -> None:
        """Close our ends of both pipes."""
        for pipe in (self.process.stdin, self.process.stdout):
            try:
                pipe.close()
            except BrokenPipeError:
                continue

    def ask_to_end(self, how: str) -> None:
        """Give it a reason to end: `EOF`, or the signal of that name."""
        if how == "EOF":
            self.process.stdin.close()
        else:
            self.process.send_signal(signal.Signals[how])

    def end(self, how: str) -> int:
        """End it and return its exit code."""
        self.ask_to_end(how)
        return self.process.wait(HANG_SECONDS)


def _json_object(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        raise AssertionError(f"not JSON: {line}") from None
    assert isinstance(found, dict), line
    return found


def server_arguments(transport: str) -> Sequence[str]:
    """The arguments that start the server on a transport; HTTP takes a free port."""
    return HTTP if transport == "http" else ()
