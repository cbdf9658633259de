"""A process that has imported the product once, and forks itself for each server that a test wants.

Importing is nearly all that a start costs. What is forked is a process like any other: pipes, folder, environment and
arguments of its own, signals, an exit code. It differs in what can be seen of its start alone (the command line, what
an import reads from the environment), so tests of that start the command itself.

    ForkServer().start(...)              a process, as `subprocess.Popen` gives one
    ForkServer().launcher                a command that stands for the product's, for clients that start one themselves

Whoever wants a process connects to a Unix socket and sends what is wanted with three descriptors. The connection brings
the process's id, and in the end its exit code. `python fork_server.py` is what forks; `... --launch` the launcher.
"""

import atexit
import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NoReturn

PRELOADED: Final = (
    "libraries_io_mcp.app",
    "libraries_io_mcp.cli",
    "libraries_io_mcp.demo.tour",
    "libraries_io_mcp.doctor.examination",
    "libraries_io_mcp.sandbox.server",
    "libraries_io_mcp.status.assembly",
    "opentelemetry.exporter.otlp.proto.http._log_exporter",
    "opentelemetry.exporter.otlp.proto.http.metric_exporter",
    "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "opentelemetry.exporter.prometheus",
    "opentelemetry.instrumentation.system_metrics",
)
NUMBER_BYTES: Final = 4
START_SECONDS: Final = 180.0


class ForkedProcess:
    """As much of `subprocess.Popen` as tests use."""

    def __init__(self, connection: socket.socket, stdin: Any, stdout: Any) -> None:
        self.pid = _number(connection)
        self.stdin = stdin
        self.stdout = stdout
        self.returncode: int | None = None
        self._connection = connection
        self._lock = threading.Lock()

    def poll(self) -> int | None:
        """The exit code, if it has ended."""
        return self._code(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end.

        Raises:
            subprocess.TimeoutExpired: it did not end in time.
        """
        code = self._code(timeout)
        if code is None:
            raise subprocess.TimeoutExpired("forked", timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def _code(self, seconds: float | None) -> int | None:
        with self._lock:
            if self.returncode is None and select.select([self._connection], (), (), seconds)[0]:
                self.returncode = _number(self._connection)
                self._connection.close()
        return self.returncode


class ForkServer:
    """Started with this process, and ended with it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="fork-server-")
        self._address = str(Path(self._folder.name) / "socket")
        self._process = subprocess.Popen(
            [sys.executable, __file__, self._address],
            env={"PATH": os.defpath, "LANG": "C.UTF-8"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"
        atexit.register(self.close)

    @property
    def launcher(self) -> tuple[str, ...]:
        """A command that takes the product's arguments, and is served by a forked process."""
        return (sys.executable, "-I", "-S", __file__, self._address, "--launch")

    def start(self, arguments: Sequence[str], folder: Path, variables: Mapping[str, str], stderr: int) -> ForkedProcess:
        """Start the command. stdin and stdout are pipes of ours."""
        stdin, our_stdin = os.pipe()
        our_stdout, stdout = os.pipe()
        connection = _order(self._address, arguments, str(folder), variables, (stdin, stdout, stderr))
        os.close(stdin)
        os.close(stdout)
        return ForkedProcess(connection, os.fdopen(our_stdin, "wb"), os.fdopen(our_stdout, "rb"))

    def close(self) -> None:
        """End it and wait, so that what it and its processes have cost is counted as this process's."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        self._folder.cleanup()


def _order(
    address: str, arguments: Sequence[str], folder: str, variables: Mapping[str, str], descriptors: Sequence[int]
) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(address)
    order = json.dumps([list(arguments), folder, dict(variables)]).encode()
    socket.send_fds(connection, [len(order).to_bytes(NUMBER_BYTES, "big")], list(descriptors))
    connection.sendall(order)
    return connection


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = connection.recv(count - len(data))
        if not piece:
            raise EOFError("the fork server has ended")
        data += piece
    return data


def _number(connection: socket.socket) -> int:
    return int.from_bytes(_exactly(connection, NUMBER_BYTES), "big", signed=True)


def _tell(connection: socket.socket, number: int) -> None:
    try:
        connection.sendall(number.to_bytes(NUMBER_BYTES, "big", signed=True))
    except OSError:
        return  # nobody waits for it any more


def serve(address: str) -> None:
    """Fork for each order, until stdin ends. Returns in each forked process, which is to run the command."""
    for name in PRELOADED:
        import_module(name)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen(64)
    os.write(1, b"ready\n")
    guards = set()
    while True:
        ready, _, _ = select.select([listener, 0], (), (), 1.0)
        guards -= {pid for pid in guards if os.waitpid(pid, os.WNOHANG)[0]}
        if 0 in ready:
            for pid in guards:
                os.waitpid(pid, 0)
            os._exit(0)
        if listener in ready:
            connection, _ = listener.accept()
            pid = os.fork()
            if pid == 0:
                listener.close()
                _guard(connection)
                return
            connection.close()
            guards.add(pid)


def _guard(connection: socket.socket) -> None:
    """Take the order, fork once more, and tell the id and the end of that process; returns in that process."""
    head, descriptors, _, _ = socket.recv_fds(connection, NUMBER_BYTES, 3)
    arguments, folder, variables = json.loads(_exactly(connection, int.from_bytes(head, "big")))
    pid = os.fork()
    if pid:
        for descriptor in (0, 1, 2, *descriptors):
            os.close(descriptor)
        _tell(connection, pid)
        _tell(connection, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        os._exit(0)
    connection.close()
    for target, descriptor in enumerate(descriptors):
        os.dup2(descriptor, target)
        os.close(descriptor)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    sys.argv = ["libraries-io-mcp", *arguments]
    # Ids are drawn from it, and would be the same in each process.
    random.seed()
    # Noted at the start of a process, which for this one is now.
    import_module("libraries_io_mcp.interpreter").PARENT = os.getppid()


def run() -> NoReturn:
    """Run the command as its script does, and end without taking to pieces all that was imported."""
    from libraries_io_mcp.__main__ import main as command

    code: object = 1
    try:
        code = command()
    except SystemExit as end:
        code = end.code
    except BaseException:  # as the interpreter does it
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)


def launch(address: str, arguments: Sequence[str]) -> int:
    """Have the command run by a forked process with this process's descriptors, signals and environment."""
    connection = _order(address, arguments, str(Path.cwd()), os.environ, (0, 1, 2))
    pid = _number(connection)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, _frame: os.kill(pid, number))
    # The other ends must see when the process itself closes them.
    for descriptor in (0, 1):
        os.close(descriptor)
    code = _number(connection)
    if code < 0:
        signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
        time.sleep(1)
    return code


if __name__ == "__main__":
    if sys.argv[2:3] == ["--launch"]:
        sys.exit(launch(sys.argv[1], sys.argv[3:]))
    sys.path.pop(0)
    serve(sys.argv[1])
    run()
