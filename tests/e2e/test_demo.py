"""The demo when a part of it is broken, and when it is interrupted: it says so, and leaves no process behind."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.demo_run import DEMO, finished, newcomer
from tests.support.polling import HANG_SECONDS

BROKEN = """
import sys
from libraries_io_mcp.demo.otlp_receiver import OtlpReceiver
from libraries_io_mcp.demo.tour import Parts, run
receiver = OtlpReceiver()
sys.exit(run(parts={parts}))
"""
NO_SANDBOX = "Parts(receiver, sandbox_command=(sys.executable, '-c', 'raise SystemExit(\"no room left\")'))"
NO_SERVER = "Parts(receiver, server_command=(sys.executable, '-c', 'raise SystemExit(\"no room left\")'))"


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """The environment of a user who has nothing yet."""
    return newcomer(tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the demo keeps what its children write."""
    return tmp_path / "temporary"


def children_of(folder: Path) -> list[str]:
    """Processes that work in the demo's folder, which only its own children do."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(folder):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
        except OSError:
            continue  # somebody else's, or it has ended just now
    return found


def test_what_was_not_received_makes_it_fail(home: dict[str, str], folder: Path, tmp_path: Path):
    script = BROKEN.format(parts="Parts(receiver)").replace("sys.exit", "receiver.hang()\nsys.exit")
    done = finished([sys.executable, "-c", script], home, tmp_path)
    assert done.returncode == 1
    assert "not received for 'Which HTTP clients are there for Python?'" in done.stderr
    assert "arrived: " in done.stderr
    assert "Trace" not in done.stdout
    assert "Traceback" not in done.stderr
    assert children_of(folder) == []


@pytest.mark.parametrize(
    ("parts", "message"),
    [(NO_SANDBOX, "the sandbox did not start; it wrote"), (NO_SERVER, "the server did not answer")],
)
def test_a_part_that_does_not_start_is_named(
    parts: str, message: str, home: dict[str, str], folder: Path, tmp_path: Path
):
    done = finished([sys.executable, "-c", BROKEN.format(parts=parts)], home, tmp_path)
    assert done.returncode == 1
    assert message in done.stderr
    assert "no room left" in done.stderr
    assert "Traceback" not in done.stderr
    assert children_of(folder) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_everything(number: int, code: int, home: dict[str, str], folder: Path, tmp_path: Path):
    with subprocess.Popen(
        DEMO, env=home, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    ) as demo:
        for line in demo.stdout:
            if line.startswith("? "):
                break
        assert len(children_of(folder)) == 2
        demo.send_signal(number)
        said, complained = demo.communicate(timeout=2 * HANG_SECONDS)
        assert demo.returncode == code
    assert "Traceback" not in said + complained
    assert children_of(folder) == []
