"""What every answer has in common, and the one border where exceptions become error answers."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libraries_io_mcp.answer import Answer, Provenance, answers, error_result, result_of, shown
from libraries_io_mcp.errors import CallError, LibrariesIOMCPError, NotFoundError, QuotaExceededError, SettingsError

pytestmark = pytest.mark.anyio


class Greeting(Answer):
    """The smallest answer."""

    words: str | None

    def text(self) -> str:
        """The words."""
        return f"Hello: {self.words}"


def all_errors(root: type[LibrariesIOMCPError] = CallError) -> list[type[LibrariesIOMCPError]]:
    return [root, *(error for kind in root.__subclasses__() for error in all_errors(kind))]


def test_an_answer_is_structure_and_text_and_never_json_as_text():
    result = result_of(Greeting(words=None))
    assert result.structured_content == {"words": None}
    assert [content.text for content in result.content] == ["Hello: None"]
    assert not result.is_error


@given(st.none() | st.integers())
def test_a_count_that_is_not_known_is_not_0(number: int | None):
    assert shown(number) == ("unknown" if number is None else str(number))


@pytest.mark.parametrize("kind", all_errors(), ids=lambda kind: kind.__name__)
def test_every_error_says_what_to_do_next(kind: type[CallError]):
    result = error_result(kind("It went wrong."))
    facts = result.structured_content
    assert result.is_error
    assert facts["error_type"] == kind.error_type
    assert facts["message"] == "It went wrong."
    assert len(facts["next_step"]) > 10
    assert set(facts) == {"error_type", "message", "next_step"}
    assert result.content[0].text == f"{kind.error_type}: It went wrong. {facts['next_step']}"


def test_error_types_are_few_and_distinct():
    names = [kind.error_type for kind in all_errors()]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() and name.islower() for name in names)


@pytest.mark.parametrize(("retry_after", "said"), [(0.0, 0.0), (12.34, 12.3)])
def test_when_to_try_again(retry_after: float, said: float):
    result = error_result(QuotaExceededError("Used up.", retry_after=retry_after))
    assert result.structured_content["retry_after"] == said
    assert f"retry_after: {said} s." in result.content[0].text


def test_suggestions():
    result = error_result(NotFoundError("No.", suggestions=("NPM", "Pub")))
    assert result.structured_content["suggestions"] == ["NPM", "Pub"]
    assert result.content[0].text.endswith("Did you mean: NPM, Pub?")


@pytest.mark.parametrize(
    ("error", "error_type"),
    [
        (NotFoundError("No such thing."), "not_found"),
        (SettingsError("A=b"), "settings"),
        (KeyError("secret"), "internal"),
    ],
)
async def test_the_border(error: Exception, error_type: str, caplog: pytest.LogCaptureFixture):
    @answers
    async def tool() -> Greeting:
        raise error

    result = await tool()
    assert result.is_error
    assert result.structured_content["error_type"] == error_type
    # A defect is in the log with its traceback, and not in the answer.
    assert "secret" not in str(result)
    assert bool(caplog.records) == (error_type == "internal")


async def test_the_border_lets_answers_through():
    @answers
    async def tool(words: str) -> Greeting:
        return Greeting(words=words)

    assert (await tool("you")).structured_content == {"words": "you"}


@pytest.mark.parametrize(
    ("source", "age", "line"),
    [
        ("network", 0.0, "[network; 7 requests left]"),
        ("cache", 61.2, "[cache, 61 s old; 7 requests left]"),
        ("stale", 3600.0, "[stale, 3600 s old; 7 requests left]"),
    ],
)
def test_provenance_in_one_line(source: str, age: float, line: str):
    provenance = Provenance(
        endpoint="/search", fetched_at=datetime.now(UTC), source=source, age_seconds=age, quota_remaining=7
    )
    assert provenance.text() == line
