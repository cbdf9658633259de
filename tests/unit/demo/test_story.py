"""The story is told only when every part of it was received."""

from dataclasses import replace

import pytest
from tests.unit.demo.recorded import ASKED, LOG, POINT, QUESTION, RECEIVED, SECRET, SPANS, TRACE, attempt

from libraries_io_mcp.demo.failure import DemoError
from libraries_io_mcp.demo.story import Received, newest, tell


def told(received: Received, asked=ASKED, attempts=2):
    return tell([asked], received, attempts=attempts, secret=SECRET)


def without(span_id: str) -> Received:
    return replace(RECEIVED, spans=tuple(span for span in SPANS if span.span_id != span_id))


def test_a_complete_store_tells_the_story():
    story = told(RECEIVED)
    (trace,) = story.traces
    assert trace.statuses == (429, 200)
    assert (trace.client.span_id, trace.server.span_id) == ("01", "03")
    assert [span.span_id for span in trace.spans] == ["01", "02", "03", "04", "05"]
    assert trace.logs == (LOG,)
    assert story.durations == (POINT,)


@pytest.mark.parametrize(
    ("received", "missing"),
    [
        (without("01"), "the client's span 'tools/call get_package_info'"),
        (without("02"), "the server's span 'tools/call get_package_info' below the client's"),
        (without("03"), "the server's span 'tools/call get_package_info' below the client's"),
        (without("04"), r"a refused attempt and a successful one \(seen: \(200,\)\)"),
        (replace(RECEIVED, spans=SPANS[:3]), "an attempt at the API under the server's span"),
        (replace(RECEIVED, logs=()), "a log record of the server's span"),
        (replace(RECEIVED, points=()), "1 measurements of get_package_info"),
        (replace(RECEIVED, points=(replace(POINT, count=2),)), "1 measurements of get_package_info"),
        (replace(RECEIVED, points=(replace(POINT, exemplars=()),)), "an exemplar of get_package_info"),
        (replace(RECEIVED, logs=(LOG, replace(LOG, body=f"leaks {SECRET}"))), "the API key is in"),
        (Received((), (), (), "0 requests"), "arrived: 0 requests"),
    ],
)
def test_what_is_missing_is_named(received, missing):
    with pytest.raises(DemoError, match=missing):
        told(received)


def test_the_sandbox_must_have_counted_the_same_attempts():
    with pytest.raises(DemoError, match="answered 3 requests of the server, but 2 attempts"):
        told(RECEIVED, attempts=3)


def test_a_failure_must_be_marked_on_the_span():
    question = replace(QUESTION, fails=True, refused_first=False)
    with pytest.raises(DemoError, match=r"error\.type=tool_error"):
        told(RECEIVED, asked=replace(ASKED, question=question))


def test_an_ordinary_question_may_have_any_number_of_attempts():
    asked = replace(ASKED, question=replace(QUESTION, refused_first=False))
    spans = (*SPANS, attempt("06", 3.081, 3.082, 200))
    assert told(replace(RECEIVED, spans=spans), asked, attempts=3).traces[0].statuses == (429, 200, 200)


def test_exemplars_of_earlier_exports_are_kept():
    later = replace(POINT, count=2, exemplars=())
    other = replace(POINT, attributes={"gen_ai.tool.name": "other"})
    assert newest([POINT, other, later]) == (replace(later, exemplars=POINT.exemplars), other)


def test_a_wrong_answer_is_a_complaint():
    assert ASKED.complaint is None
    for wrong in ({"name": "rails"}, {}):
        assert "wrong answer of get_package_info to 'What is serde?'" in str(replace(ASKED, content=wrong).complaint)
    assert replace(ASKED, is_error=True).complaint
    assert TRACE not in str(ASKED.complaint)
