"""The installed command: a fresh user, and what it says when a part is broken."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.support.polling import HANG_SECONDS

DEMO = [sys.executable, "-m", "libraries_io_mcp", "demo"]
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
    (tmp_path / "home").mkdir()
    return {"HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"]}


def finished(command: list[str], environment: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        env=environment,
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=4 * HANG_SECONDS,
        check=False,
    )


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


@pytest.fixture
def folder(tmp_path: Path, home: dict[str, str]) -> Path:
    """Where the demo keeps what its children write."""
    place = tmp_path / "temporary"
    place.mkdir()
    home["TMPDIR"] = str(place)
    return place


def test_a_newcomer_sees_the_main_job(home, folder, tmp_path):
    (tmp_path / ".env").write_text("LIBRARIES_IO_BASE_URL=nonsense\nOTEL_SDK_DISABLED=true\n")
    home |= {"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_SAMPLER": "always_off", "HTTP_PROXY": "http://127.0.0.1:9"}
    done = finished([*DEMO, "--svg", "demo.svg"], home, tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    for line in (
        r"\? Which HTTP clients are there for Python\? +search_packages",
        r"Pypi/httpx \d",
        r"httpcore +==1\.\*",
        r"not_found: There is no platform 'nmp'",
        r"suggestions: .*NPM",
        r"another program with the same key",
        r"tools/call get_package_info client +demo",
        r"tools/call get_package_info server +server",
        r"GET /\{platform\}/\{name\} 429 refused",
        r"waits for the next quota window +server +\d\.\d\d s",
        r"GET /\{platform\}/\{name\} 200, attempt 2",
        r"INFO +tools/call get_package_info completed in \d+\.\d ms +trace [0-9a-f]{8}",
        r"search_packages +ok +1 .* trace [0-9a-f]{8}",
        r"get_package_info +tool_error +1 .* trace [0-9a-f]{8}",
        r"\d+ spans, \d+ points of \d+ metrics and \d+ log records arrived; the API key is in none of them",
        r"LIBRARIES_IO_API_KEY",
    ):
        assert re.search(line, done.stdout), line
    assert "\x1b" not in done.stdout
    assert max(len(line) for line in done.stdout.splitlines()) <= 100
    picture = "".join(ElementTree.parse(tmp_path / "demo.svg").getroot().itertext())  # noqa: S314 - our own file
    assert "429" in picture
    assert list(folder.iterdir()) == []
    assert list((tmp_path / "home").iterdir()) == []


def test_what_was_not_received_makes_it_fail(home, folder, tmp_path):
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
def test_a_part_that_does_not_start_is_named(parts, message, home, folder, tmp_path):
    done = finished([sys.executable, "-c", BROKEN.format(parts=parts)], home, tmp_path)
    assert done.returncode == 1
    assert message in done.stderr
    assert "no room left" in done.stderr
    assert "Traceback" not in done.stderr
    assert children_of(folder) == []


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_everything(number, code, home, folder, tmp_path):
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


def test_a_picture_that_can_not_be_saved_is_said_at_once(home, tmp_path):
    done = finished([*DEMO, "--svg", "nowhere/demo.svg"], home, tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "there is no folder nowhere" in done.stderr
