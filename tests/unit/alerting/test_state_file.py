"""The state file: written as a whole, for its owner alone, by one process at a time; never a reason to fail."""

import json
import logging
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from libraries_io_mcp.alerting.state_file import VERSION, StateFile

LOGGER = "libraries_io_mcp.alerting.state_file"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the state goes: the folder is not there yet."""
    return tmp_path / "state" / "alerts.json"


def test_what_was_saved_is_loaded_by_the_next_process(path: Path):
    with closing(StateFile(path)) as first:
        assert first.load() == {}
        first.save({"alerts": [1, 2]})
    with closing(StateFile(path)) as second:
        assert second.load() == {"version": VERSION, "alerts": [1, 2]}


def test_only_its_owner_can_read_it(path: Path):
    with closing(StateFile(path)) as file:
        file.save({})
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_nothing_is_left_beside_it_but_the_lock_and_the_one_before(path: Path):
    with closing(StateFile(path)) as file:
        file.save({"a": 1})
        file.save({"a": 2})
    names = ["alerts.json", "alerts.json.lock", "alerts.json.previous"]
    assert sorted(each.name for each in path.parent.iterdir()) == names


@pytest.mark.parametrize("content", [b"{", None])
def test_a_damaged_one_costs_one_step(path: Path, content: bytes | None, caplog: pytest.LogCaptureFixture):
    with closing(StateFile(path)) as file:
        file.save({"a": 1})
        file.save({"a": 2})
    if content is None:
        path.unlink()
    else:
        path.write_bytes(content)
    with closing(StateFile(path)) as file:
        assert file.load()["a"] == 1
        file.save({"a": 3})
        assert file.load()["a"] == 3
    assert ("is damaged" in caplog.text) == (content is not None)


def test_the_same_state_is_not_written_again(path: Path):
    with closing(StateFile(path)) as file:
        file.save({"a": 1})
        path.unlink()
        file.save({"a": 1})
        assert not path.exists()
        file.save({"a": 2})
    assert json.loads(path.read_text("utf-8"))["a"] == 2


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "is damaged"),
        (b"\xff\xfe", "is damaged"),
        (b"[]", "is damaged"),
        (b'{"version": 99}', "another version of this program (99)"),
    ],
)
def test_what_cannot_be_used_is_said_once_and_replaced(
    path: Path, content: bytes, words: str, caplog: pytest.LogCaptureFixture
):
    path.parent.mkdir()
    path.write_bytes(content)
    with caplog.at_level(logging.DEBUG, LOGGER), closing(StateFile(path)) as file:
        assert file.load() == {}
        file.save({"a": 1})
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert words in record.getMessage()
    assert json.loads(path.read_text("utf-8"))["a"] == 1


def test_a_second_process_leaves_it_alone_until_the_first_has_ended(path: Path, caplog: pytest.LogCaptureFixture):
    script = (
        "import sys; from pathlib import Path; from libraries_io_mcp.alerting.state_file import StateFile\n"
        "file = StateFile(Path(sys.argv[1])); file.save({'by': 'first'}); print(file.owned, flush=True); input()"
    )
    command = [sys.executable, "-c", script, str(path)]
    with (
        closing(StateFile(path)) as second,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as first,
    ):
        assert first.stdout is not None
        assert first.stdout.readline() == "True\n"
        with caplog.at_level(logging.DEBUG, LOGGER):
            assert second.load() == {}
            second.save({"by": "second"})
            second.save({"by": "second", "more": 1})
        assert not second.owned
        assert json.loads(path.read_text("utf-8"))["by"] == "first"
        assert [record.levelname for record in caplog.records] == ["DEBUG"]
        first.kill()
        first.wait()
        second.save({"by": "second"})
        assert second.owned
    assert json.loads(path.read_text("utf-8"))["by"] == "second"


@pytest.mark.parametrize(("asked_for", "level"), [(True, "WARNING"), (False, "INFO")])
def test_a_place_that_cannot_be_used_is_said_once(
    tmp_path: Path, asked_for: bool, level: str, caplog: pytest.LogCaptureFixture
):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    file = StateFile(tmp_path / "file" / "alerts.json", asked_for=asked_for)
    with caplog.at_level(logging.DEBUG, LOGGER):
        assert file.load() == {}
        file.save({"a": 1})
        file.save({"a": 2})
    (record,) = caplog.records
    assert record.levelname == level
    assert "do not survive a restart" in record.getMessage()
