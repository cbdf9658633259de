"""What a start on stdio does without: libraries that take long to import and serve nothing there."""

import sys
from pathlib import Path

import pytest
from tests.support.command import Running

NEEDLESS = (
    # A parser of docstrings, for descriptions that we give.
    "griffe",
    "opentelemetry.exporter.prometheus",
    "libraries_io_mcp.status",
)


class Importing(Running):
    """Tells on stderr what it imports."""

    program = (sys.executable, "-X", "importtime", "-m", "libraries_io_mcp")


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder: Path = tmp_path_factory.mktemp("start")
    with Importing(folder=folder, OTEL_SDK_DISABLED="true") as server:
        server.initialize()
        server.answer(server.request("tools/list"))
        server.call("get_quota_status")
        return {line.rpartition("|")[2].strip() for line in server.stderr.splitlines() if "import time" in line}


def test_what_is_needed_is_seen(imported: set[str]):
    assert {"fastmcp", "libraries_io_mcp.tools"} <= imported


@pytest.mark.parametrize("module", NEEDLESS)
def test_what_is_not_needed_is_not_imported(module: str, imported: set[str]):
    assert module not in imported
