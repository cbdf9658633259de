"""Answers over HTTP in a session: JSON, or an event stream for a client that wants to hear of progress."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import pytest
from tests.support import wire
from tests.support.command import HTTP, Running
from tests.support.polling import HANG_SECONDS
from tests.support.stand_in import CANARY

from libraries_io_mcp.http.answers import asks_progress

QUESTION: dict[str, Any] = {
    "manifest": "".join(f"package-{number}>=1\n" for number in range(250)),
    "filename": "requirements.txt",
}
MESSAGE = wire.message("tools/call", name="audit_dependencies", arguments=QUESTION)
WITH_TOKEN = wire.message("tools/call", name="audit_dependencies", arguments=QUESTION, _meta={"progressToken": "p"})


@pytest.fixture(scope="module")
def url(sandbox_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = {"LIBRARIES_IO_BASE_URL": sandbox_url, "LIBRARIES_IO_API_KEY": CANARY}
    with Running(*HTTP, folder=tmp_path_factory.mktemp("server"), **settings) as server:
        yield server.url


def ask(url: str, message: Mapping[str, Any], headers: Mapping[str, str]) -> httpx.Response:
    return httpx.post(url, json=message, headers=dict(headers), timeout=HANG_SECONDS)


def events(answer: httpx.Response) -> list[dict[str, Any]]:
    """The messages of an event stream."""
    assert answer.headers["content-type"].startswith("text/event-stream")
    return [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]


def test_who_asks_for_no_progress_gets_json(url: str):
    headers = wire.open_session(url)
    for _ in range(2):
        answer = ask(url, MESSAGE, headers)
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()["result"]["isError"] is False


def test_who_asks_for_progress_hears_of_it_and_gets_streams_from_then_on(url: str):
    headers = wire.open_session(url)
    assert ask(url, MESSAGE, headers).headers["content-type"] == "application/json"
    *progress, last = events(ask(url, WITH_TOKEN, headers))
    assert {each["method"] for each in progress} == {"notifications/progress"}
    assert [each["params"]["progress"] for each in progress][-1] == 250
    assert last["result"]["isError"] is False
    (only,) = events(ask(url, MESSAGE, headers))
    assert only["result"]["isError"] is False
    # Another session is another client's.
    assert ask(url, MESSAGE, wire.open_session(url)).headers["content-type"] == "application/json"


def test_an_unknown_session_is_not_found(url: str):
    headers = wire.open_session(url) | {"mcp-session-id": "unknown"}
    assert ask(url, WITH_TOKEN, headers).status_code == 404


@pytest.mark.parametrize(("body", "asks"), [(WITH_TOKEN, True), (MESSAGE, False)])
def test_what_asks_for_progress(body: Mapping[str, Any], asks: bool):
    assert asks_progress(json.dumps(body).encode()) is asks
