"""What an error looks like to an agent."""

import pytest

from libraries_io_mcp.answer.failure import DefectError, error_result
from libraries_io_mcp.errors import CallError, LibrariesIOMCPError, NotFoundError, QuotaExceededError


def all_errors(root: type[LibrariesIOMCPError] = CallError) -> list[type[LibrariesIOMCPError]]:
    return [root, *(error for kind in root.__subclasses__() for error in all_errors(kind))]


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
    # A finer class of a part of the product keeps the name of its parent.
    kinds = [kind for kind in all_errors() if kind.__base__.__dict__.get("error_type") != kind.error_type]
    names = [kind.error_type for kind in kinds if "error_type" in kind.__dict__]
    assert DefectError.error_type in names
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
