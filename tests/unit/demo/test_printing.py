"""What is printed comes from the structured content and the received records."""

import json
from dataclasses import replace

from tests.unit.demo.recorded import ASKED, LOG, QUESTION, RECEIVED, SECRET
from tests.unit.demo.test_trace_view import printed

from libraries_io_mcp.demo.printing import answer, headline, log_lines, next_steps, totals, used_up
from libraries_io_mcp.demo.story import tell

SOURCE = {"endpoint": "/x", "source": "network", "quota_remaining": 7}


def asked(tool, content, *, is_error=False):
    return replace(ASKED, question=replace(QUESTION, tool=tool), content=content, is_error=is_error)


def test_a_package_is_told_in_three_lines():
    text = printed(answer(ASKED), 120)
    assert "? What is serde?" in text
    assert "get_package_info  3.10 s" in text
    assert "Cargo/serde 1.0.219 of 2025-03-09  MIT or Apache-2.0  ★ 61,796  150,721 packages need it" in text
    assert "3 versions; from /{platform}/{name} by network; 10 requests left" in text


def test_a_search_has_a_line_a_package():
    hit = {"name": "httpx", "latest_stable": "0.28.1", "licenses": ["BSD-3-Clause"], "stars": 18368}
    hits = [hit | {"description": "word " * 50}, hit | {"description": None}]
    text = printed(answer(asked("search_packages", {"packages": hits, "total": 5, "provenance": SOURCE})), 80)
    assert "2 of 5 packages; from /x by network; 7 requests left" in text
    assert text.count("httpx") == 2
    assert "…" in text


def test_dependencies_have_a_line_each():
    dependency = {"name": "h11", "requirements": ">=0.16", "latest_stable": "0.16.0", "licenses": None}
    content = {"name": "httpcore", "version": "1.0.9", "dependencies": [dependency], "provenance": SOURCE}
    text = printed(answer(asked("get_package_dependencies", content)))
    assert "h11  >=0.16  newest 0.16.0" in text
    assert "httpcore 1.0.9 needs 1 packages" in text


def test_an_error_says_what_to_do():
    content = {"error_type": "not_found", "message": "There is none.", "next_step": "Use it.", "suggestions": ["NPM"]}
    text = printed(answer(asked("get_package_info", content, is_error=True)))
    assert "not_found: There is none." in text
    assert "next step: Use it.  suggestions: NPM" in text


def test_log_lines_carry_the_trace():
    call = replace(LOG, body="call completed", attributes={"libraries_io.endpoint": "/search"}, severity="WARN")
    first, second = printed(log_lines([LOG, call])).splitlines()
    assert first.endswith("INFO  tools/call get_package_info completed in 3087.0 ms  trace 5f3a5f3a")
    assert "WARN  call completed (/search)" in second


def test_totals_are_counts_of_what_was_received():
    text = printed(totals(tell([ASKED], RECEIVED, attempts=2, secret=SECRET), requests=2), 120)
    assert "5 spans, 1 points of 1 metrics and 1 log records arrived; the API key is in none of them" in text
    assert "2 requests of the server counted by the sandbox, 2 of them seen as spans" in text


def test_next_steps_hold_a_configuration_that_parses():
    text = printed(next_steps("/opt/libraries-io-mcp"), 200)
    configuration = text[text.index("{") : text.rindex("}") + 1]
    server = json.loads(configuration)["mcpServers"]["libraries-io"]
    assert server["command"] == "/opt/libraries-io-mcp"
    assert "serve --transport http" in text
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in text


def test_nothing_is_read_as_markup():
    content = {"error_type": "x", "message": "[bold]a[/bold] [/]", "next_step": "[red]b"}
    text = printed(answer(asked("get_package_info", content, is_error=True)))
    assert "[bold]a[/bold] [/]" in text
    assert "[red]b" in text


def test_headline_and_note():
    assert "end to end" in printed(headline())
    assert "14 requests: 0 left for the next 3 s" in printed(used_up(14, 3))
