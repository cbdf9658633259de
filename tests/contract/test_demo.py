"""The demo: what a fresh user sees. What it says when a part is broken is in tests/e2e/test_demo.py."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests.support.demo_run import DEMO, finished, newcomer


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """The environment of a user who has nothing yet."""
    return newcomer(tmp_path)


def test_a_newcomer_sees_the_main_job(home: dict[str, str], tmp_path: Path):
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
    assert list((tmp_path / "temporary").iterdir()) == []
    assert list((tmp_path / "home").iterdir()) == []


def test_a_picture_that_can_not_be_saved_is_said_at_once(home: dict[str, str], tmp_path: Path):
    done = finished([*DEMO, "--svg", "nowhere/demo.svg"], home, tmp_path)
    assert done.returncode == 2
    assert done.stdout == ""
    assert "there is no folder nowhere" in done.stderr
