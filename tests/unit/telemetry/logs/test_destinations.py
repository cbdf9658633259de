"""A destination alone: what is written, what happens when it can't be. Time is told, no thread runs."""

import io
import logging
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
from tests.support.polling import HANG_SECONDS

from libraries_io_mcp.telemetry.logs.destinations import (
    RETRY_SECONDS,
    Destination,
    console,
    line_record,
    rotating_file,
    syslog,
)


@pytest.fixture(autouse=True)
def closing() -> Iterator[None]:
    """Closes what a test has opened."""
    Stage.made.clear()
    yield
    for stage in Stage.made:
        stage.destination.close()


class Stage:
    """A destination whose clock is told, and what it says and drops."""

    made: ClassVar[list["Stage"]] = []

    def __init__(self, open_, **options) -> None:
        self.made.append(self)
        self.now = 0.0
        self.dropped = 0
        self.destination = Destination("file", open_, on_drop=self.drop, now=lambda: self.now, **options)

    def drop(self) -> None:
        self.dropped += 1

    def put(self, *lines: str) -> None:
        for line in lines:
            self.destination.put(line_record(logging.INFO, line))


def test_lines_come_out_in_order_each_on_its_own_line():
    stream = io.StringIO()
    stage = Stage(console(stream))
    stage.put(*(f"line {number}" for number in range(1000)))
    assert stage.destination.work() is None
    assert stream.getvalue().splitlines() == [f"line {number}" for number in range(1000)]


def test_a_full_queue_drops_and_counts():
    stage = Stage(console(io.StringIO()), limit=2)
    stage.put("a", "b", "c", "d")
    assert stage.dropped == 2


def test_a_file_is_rotated_and_its_folder_made(tmp_path: Path):
    path = tmp_path / "deep" / "log.jsonl"
    stage = Stage(rotating_file(path, max_bytes=1000, backup_count=2), chunk=250)
    stage.put(*(f"{number:0>99}" for number in range(60)))
    stage.destination.work()
    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == ["log.jsonl", "log.jsonl.1", "log.jsonl.2"]
    assert all(file.stat().st_size <= 1000 for file in files)
    assert path.read_text().splitlines()[-1] == f"{59:0>99}"


def test_what_can_not_be_opened_is_said_once_tried_again_and_its_recovery_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    folder = tmp_path / "folder"
    folder.write_text("a file where the folder should be")
    stage = Stage(rotating_file(folder / "log", max_bytes=1000, backup_count=1), limit=2)
    stage.put("a", "b", "c")
    assert stage.destination.work() == RETRY_SECONDS
    stage.now = 1.0
    assert stage.destination.work() == RETRY_SECONDS - 1
    stage.now = RETRY_SECONDS
    assert stage.destination.work() == RETRY_SECONDS
    assert [each.getMessage() for each in caplog.records] == [
        "log destination file does not work: File exists; it is tried again every 5 s"
    ]
    folder.unlink()
    stage.now = 2 * RETRY_SECONDS
    assert stage.destination.work() is None
    assert (folder / "log").read_text() == "a\nb\n"
    assert caplog.records[-1].getMessage() == "log destination file works again; 1 lines were dropped"
    assert len(caplog.records) == 2


def test_a_full_disk_is_said_and_loses_nothing_that_fits_the_queue(caplog: pytest.LogCaptureFixture):
    stage = Stage(rotating_file(Path("/dev/full"), max_bytes=1000, backup_count=1))
    stage.put("a", "b")
    assert stage.destination.work() == RETRY_SECONDS
    assert "No space left on device" in caplog.text
    assert stage.dropped == 0
    assert len(stage.destination._queue) == 2


def test_the_only_destination_says_its_trouble_on_stderr(tmp_path: Path, capsys: pytest.CaptureFixture):
    stage = Stage(rotating_file(tmp_path, max_bytes=1000, backup_count=1), alone=True)
    stage.destination.work()
    assert capsys.readouterr().err.startswith("libraries-io-mcp: log destination file does not work: Is a directory")


def test_syslog_gets_a_datagram_a_line_with_name_and_priority():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(HANG_SECONDS)
        stage = Stage(syslog(receiver.getsockname(), "libraries-io-mcp"), chunk=0)
        stage.put("one", "x" * 20_000)
        stage.destination.put(line_record(logging.WARNING, "three"))
        stage.destination.work()
        datagrams = [receiver.recv(65536).decode() for _ in range(3)]
        stage.destination.close()
    assert datagrams[0] == "<14>libraries-io-mcp: one\0"
    assert len(datagrams[1]) < 8100
    assert datagrams[2] == "<12>libraries-io-mcp: three\0"


def test_a_missing_syslog_is_a_destination_that_does_not_work(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    stage = Stage(syslog(str(tmp_path / "nobody"), "x"), chunk=0)
    stage.put("one")
    assert stage.destination.work() == RETRY_SECONDS
    assert "No such file or directory" in caplog.text
