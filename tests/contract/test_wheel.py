"""The wheel: the server as it is installed from it, away from the checkout."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.support.command import environment

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the content of the wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder / "dist")]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel) as content:
        content.extractall(folder / "site")
    return folder / "site"


def test_the_default_rules_are_in_the_wheel_and_are_loaded_from_it(installed: Path, tmp_path: Path) -> None:
    rules = installed / "libraries_io_mcp" / "alerting" / "default_rules"
    assert {path.name: path.read_bytes() for path in rules.iterdir()} == {
        path.name: path.read_bytes() for path in (ROOT / "otel" / "rules").glob("*.yml")
    }
    done = subprocess.run(
        [sys.executable, "-m", "libraries_io_mcp", "alerts", "check"],
        cwd=tmp_path,
        env=environment(tmp_path, PYTHONPATH=str(installed)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{rules / 'watchdog.yml'}: 1 group" in done.stdout


def test_the_description_on_pypi_names_the_entry_of_the_mcp_registry(installed: Path) -> None:
    """The registry looks for that mark there, followed by nothing that could be a part of a longer name."""
    (metadata,) = installed.glob("*.dist-info/METADATA")
    name = json.loads((ROOT / "server.json").read_text(encoding="utf-8"))["name"]
    assert re.search(rf"mcp-name: {re.escape(name)}(?![\w./-])", metadata.read_text(encoding="utf-8"))


def test_nothing_but_the_package_is_in_the_wheel(installed: Path) -> None:
    names = {path.name.partition("-")[0] for path in installed.iterdir()}
    assert names == {"libraries_io_mcp"}
    assert not list(installed.rglob("tests"))
