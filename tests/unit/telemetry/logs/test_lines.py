"""The forms of a line, and that nothing secret stands in any."""

import json
import string
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.telemetry.logs.records import facts, record

from libraries_io_mcp.telemetry.logs.lines import json_line, text_line
from libraries_io_mcp.telemetry.redaction import LONGEST_TEXT, Redactor
from libraries_io_mcp.telemetry.request_context import RequestContext

SECRET = "hush-hush-hush"
REQUEST = RequestContext({"libraries_io.request.id": "r-1", "user.hash": "abcd"})


def test_a_json_line():
    line = json_line(Redactor())(facts(record("hello %s", "you", **{"libraries_io.outcome": "completed"}), REQUEST))
    fields = json.loads(line)
    assert fields["timestamp"] == "1970-01-01T00:00:00.500Z"
    assert (fields["level"], fields["logger"], fields["message"]) == ("INFO", "libraries_io_mcp.test", "hello you")
    assert (fields["libraries_io.outcome"], fields["request_id"], fields["user.hash"]) == ("completed", "r-1", "abcd")
    assert {"module", "function", "line"} <= set(fields)
    assert not {"exception", "trace_id", "event"} & set(fields)


def test_a_text_line():
    line = text_line(Redactor())(facts(record("hello %s", "you", outcome="completed"), REQUEST))
    assert line == (
        "1970-01-01T00:00:00.500Z INFO     libraries_io_mcp.test: hello you outcome=completed request_id=r-1 "
        "user.hash=abcd"
    )


def test_attributes_and_request_id_can_be_left_out():
    made = facts(record("hello", outcome="completed"), REQUEST, structured=False, request_id=False)
    assert not {"outcome", "request_id"} & set(json.loads(json_line(Redactor())(made)))


def test_a_strangers_attribute_hides_no_field_of_ours():
    fields = json.loads(json_line(Redactor())(facts(record("hello", level="mine", trace_id="mine"))))
    assert (fields["level"], fields["extra.level"], fields["extra.trace_id"]) == ("INFO", "mine", "mine")


@given(st.text(string.printable, max_size=60), st.text('abc \n\r"\\{}', max_size=60))
def test_any_message_stays_one_line(message: str, value: str):
    made = facts(record("%s", message, value=value, thing=object()))
    line = json_line(Redactor())(made)
    assert not {"\n", "\r"} & set(line)
    assert json.loads(line)["value"] == value
    assert not {"\n", "\r"} & set(text_line(Redactor())(made))


class Thing:
    """An object that shows something when it is written."""

    def __init__(self, shown: str) -> None:
        self.shown = shown

    def __str__(self) -> str:
        return f"<{self.shown}>"


@given(st.text(string.ascii_letters + string.digits + "\"'\\{}[]:,&=-_.", min_size=8, max_size=40))
@pytest.mark.parametrize("form", [json_line, text_line])
def test_a_secret_is_in_no_line(form, secret: str):
    """Whatever it is made of: quotes and backslashes are written differently in JSON."""
    made = record("key=%s.", secret, value=[secret, {"a": secret}], thing=Thing(secret), exc_text=f"at {secret}")
    line = form(Redactor([secret]))(facts(made))
    assert secret not in line
    assert secret not in str(json.loads(line) if form is json_line else "")
    assert json.dumps(secret)[1:-1] not in line


def test_an_exception_is_text_in_one_field():
    try:
        int(SECRET)
    except ValueError:
        made = record("it failed", exc_info=sys.exc_info())
    fields = json.loads(json_line(Redactor([SECRET]))(facts(made)))
    assert fields["exception"].startswith("Traceback")
    assert fields["exception"].endswith("base 10: '***'")
    assert text_line(Redactor([SECRET]))(facts(made)).endswith("base 10: '***'")


def test_a_value_that_holds_itself_is_written_all_the_same():
    endless: list[object] = []
    endless.append(endless)
    assert json.loads(json_line(Redactor())(facts(record("hello", value=endless))))["value"] == "[[...]]"


@given(st.text(max_size=60), st.text(max_size=60))
def test_nothing_that_a_terminal_obeys_is_in_a_line(message: str, value: str):
    made = facts(record("%s", message, value=value))
    json_text, text = json_line(Redactor())(made), text_line(Redactor())(made)
    assert json_text.isprintable()
    assert text.isprintable()
    if not Redactor().suspicious(json_text):
        assert json.loads(json_text)["value"] == value


def test_an_escape_in_an_exception_is_shown_as_one():
    line = text_line(Redactor())(facts(record("it failed", exc_text="first\n\x1b[31mred\x9b")))
    assert line.endswith("it failed\nfirst\n\\x1b[31mred\\x9b")


def test_a_long_message_and_a_long_field_are_cut():
    made = facts(record("%s", "word " * 10_000, value="word " * 10_000))
    assert len(json_line(Redactor())(made)) < 3 * LONGEST_TEXT
    assert json_line(Redactor())(made).count("characters cut") == 2
