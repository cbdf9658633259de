"""The log tail: what is kept and told, masked and bounded, whatever is logged."""

import json
import logging

import pytest
from opentelemetry.context import Context

from libraries_io_mcp.telemetry.logs.capture import Entry
from libraries_io_mcp.telemetry.logs.facts import Facts, Reader
from libraries_io_mcp.telemetry.logs.lines import json_line
from libraries_io_mcp.telemetry.logs.tail import LogTail
from libraries_io_mcp.telemetry.redaction import Redactor

SECRET = "5ecret5ecret5ecret"


def facts(message: str, level: int = logging.INFO, **extra: object) -> Facts:
    record = logging.LogRecord("somewhere", level, "file.py", 7, message, None, None)
    vars(record).update(extra)
    return Reader().facts(Entry(record, Context(), None))


@pytest.fixture
def tail() -> LogTail:
    return LogTail(json_line(Redactor([SECRET])), max_lines=5, max_notable=3, max_bytes=50_000)


def messages(tail: LogTail, number: int = 0, limit: int = 100) -> list[str]:
    return [each["message"] for each in tail.since(number, limit)[0]]


def test_what_is_new_is_told_in_order(tail: LogTail):
    tail.put(facts("one"))
    tail.put(facts("two", logging.ERROR))
    records, number, left_out = tail.since(0, 10)
    assert [(each["number"], each["level"], each["message"]) for each in records] == [
        (1, "INFO", "one"),
        (2, "ERROR", "two"),
    ]
    assert (number, left_out) == (2, 0)
    assert tail.since(number, 10) == ([], 2, 0)


def test_warnings_stay_while_others_are_pushed_out(tail: LogTail):
    tail.put(facts("trouble", logging.WARNING))
    for number in range(20):
        tail.put(facts(f"call {number}"))
    assert messages(tail) == ["trouble", *(f"call {number}" for number in range(15, 20))]
    assert tail.since(0, 100)[2] == 15


def test_of_too_many_the_newest_and_worst_are_told(tail: LogTail):
    tail.put(facts("trouble", logging.WARNING))
    for number in range(5):
        tail.put(facts(f"call {number}"))
    assert messages(tail, limit=3) == ["trouble", "call 3", "call 4"]
    assert messages(tail, limit=1) == ["trouble"]


def test_a_line_that_is_json_already_is_taken_as_it_is(tail: LogTail):
    tail.put(facts("one"), json.dumps({"message": "made before"}))
    assert messages(tail) == ["made before"]


def test_secrets_are_masked(tail: LogTail):
    tail.put(facts(f"the key is {SECRET}", api_key="whatever", header=f"Bearer {SECRET}"))
    assert SECRET not in str(tail.since(0, 10))
    assert "whatever" not in str(tail.since(0, 10))


def test_a_huge_record_is_cut_and_says_so(tail: LogTail):
    tail.put(facts("word " * 20_000, logging.ERROR, more="word " * 20_000))
    ((record,), _, _) = tail.since(0, 10)
    assert len(str(record)) < 10_000
    assert record["cut"].endswith("characters, shortened")
    assert record["level"] == "ERROR"


def test_memory_is_bounded_by_characters():
    tail = LogTail(json_line(Redactor()), max_lines=10_000, max_notable=10_000, max_bytes=20_000)
    for number in range(1_000):
        tail.put(facts("x" * 500, logging.WARNING if number % 2 else logging.INFO))
    assert 20_000 < tail.size <= 40_000


def test_a_hostile_record_can_not_pose_as_another_number(tail: LogTail):
    tail.put(facts("one", number=99))
    ((record,), number, _) = tail.since(0, 10)
    assert (record["number"], number) == (1, 1)
