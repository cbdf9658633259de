"""The command as typed in a shell: help, version, wrong usage, addresses that can't be had."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.command import run_command

from libraries_io_mcp import __version__
from libraries_io_mcp.cli import main


def test_help(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match=r"^0$"):
        main(["--help"])
    text = capsys.readouterr().out
    for said in ("serve", "demo", "sandbox", "alerts check", "docs/configuration.md", "exit codes"):
        assert said in text


@pytest.mark.parametrize("command", ["serve", "demo", "sandbox", "alerts check"])
def test_help_of_each_command(command: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match=r"^0$"):
        main([*command.split(), "--help"])
    assert f"libraries-io-mcp {command}" in capsys.readouterr().out


def test_version(tmp_path: Path):
    done = run_command("--version", folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"libraries-io-mcp {__version__}\n", "")


@pytest.mark.parametrize("arguments", [["--colour"], ["dance"], ["serve", "--colour"], ["demo", "extra"]])
def test_wrong_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match=r"^2$"):
        main(arguments)
    assert capsys.readouterr().err.startswith("usage: libraries-io-mcp")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--transport", "sse"], "--transport='sse': not allowed; allowed: stdio or http"),
        (["--port", "9000"], "--host and --port are for HTTP; add --transport http"),
        (["--port", "70000"], "--port='70000': not allowed; allowed: a whole number from 0 to 65535"),
        (["--transport", "http", "--host", "192.168.1.1"], "--host='192.168.1.1': other machines could call"),
    ],
)
def test_wrong_options(arguments: list[str], line: str, tmp_path: Path):
    done = run_command("serve", *arguments, folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"libraries-io-mcp: {line}")
    assert done.stderr.count("\n") == 1


def test_a_port_in_use(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run_command("serve", "--transport", "http", "--port", str(port), folder=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"libraries-io-mcp: MCP_HOST=127.0.0.1 MCP_PORT={port}: can't listen there: ")
    assert "allowed: " in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_sandbox_port_in_use(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = run_command("sandbox", "--port", str(taken.getsockname()[1]), folder=tmp_path)
    assert done.returncode in (1, 2)
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1


def test_an_address_of_no_machine(tmp_path: Path):
    done = run_command("serve", "--transport", "http", folder=tmp_path, MCP_HOST="no.such.host.invalid")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1


def test_a_name_that_does_not_resolve(tmp_path: Path):
    variables = {"MCP_HOST": "no.such.host.invalid", "MCP_ALLOW_ANONYMOUS": "true"}
    done = run_command("serve", "--transport", "http", folder=tmp_path, **variables)
    assert done.returncode == 2
    assert done.stderr.startswith("libraries-io-mcp: MCP_HOST=no.such.host.invalid")
    assert "Traceback" not in done.stderr


def test_the_module_is_the_command(tmp_path: Path):

    done = subprocess.run(
        [sys.executable, "-m", "libraries_io_mcp", "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"libraries-io-mcp {__version__}\n"


@pytest.mark.parametrize("before", ["SIG_DFL", "SIG_IGN"])
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_it_loads_ends_it_quietly(number: signal.Signals, code: int, before: str, tmp_path: Path):
    """At the first import of a library, which is long before there is a server. A script's job in the background begins
    with SIGINT ignored.
    """
    program = (
        "import os, signal, sys\n"
        f"signal.signal({int(number)}, signal.{before})\n"
        "class Ends:\n"
        f"    def find_spec(self, *_): os.kill(os.getpid(), {int(number)})\n"
        "from libraries_io_mcp.__main__ import main\n"
        "sys.meta_path.insert(0, Ends())\n"
        "sys.exit(main())\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")
