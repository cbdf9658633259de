"""The twenty questions through a real client over stdio, against the sandbox; what each costs is counted there."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import get_args

import pytest
from tests.scenarios.questions import QUESTIONS, Question, page
from tests.support.mcp_session import Faults, Session, session
from tests.support.stand_in import sandbox

from libraries_io_mcp.settings import Toolset

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def base_url() -> Iterator[str]:
    with sandbox() as url:
        yield url


@pytest.fixture(scope="module")
async def server(base_url: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Session]:
    folder = tmp_path_factory.mktemp("server")
    async with session(folder, base_url, TOOLSETS=",".join(get_args(Toolset))) as opened:
        yield opened


@pytest.fixture(scope="module")
def upstream(base_url: str) -> Iterator[Faults]:
    with Faults(base_url) as control:
        yield control


def test_there_are_twenty():
    assert len(QUESTIONS) == 20
    assert len({question.asked for question in QUESTIONS}) == 20


def test_the_page_shows_them():
    """After a change: `python -c "from tests.scenarios.questions import page; print(page(), end='')"` writes it."""
    assert (Path(__file__).parents[2] / "docs" / "scenarios.md").read_text(encoding="utf-8") == page()


@pytest.mark.parametrize("question", QUESTIONS, ids=str)
async def test_a_question_is_answered_at_its_cost(server: Session, upstream: Faults, question: Question):
    upstream.requests()
    for call in question.calls:
        facts = await (server.fail if call.fails else server.ask)(call.tool, **call.arguments)
        cost = upstream.requests()
        text = (await server.call(call.tool, **call.arguments)).content[0].text
        upstream.requests()
        assert not [words for words in call.says if words not in text], text
        assert cost == call.cost, (call.tool, cost)
        assert ("error_type" in facts) is call.fails
