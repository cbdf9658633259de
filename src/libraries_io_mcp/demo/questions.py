"""What the demo asks, as data: the words of a person, the tool call, and what a right answer holds."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Content = Mapping[str, Any]
"""Structured content of a tool's answer."""


@dataclass(frozen=True, slots=True)
class Question:
    """One tool call. `is_right` judges the structured content; `fails` means that an error is the right answer.

    `refused_first`: the first attempt must meet an exhausted quota (429) and a later one must succeed.
    """

    words: str
    tool: str
    arguments: Mapping[str, str | int | list[str]]
    is_right: Callable[[Content], bool]
    fails: bool = False
    refused_first: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with its answer, and the trace that the client's span began. `seconds` as the client saw it."""

    question: Question
    content: Content
    is_error: bool
    trace_id: str
    seconds: float

    @property
    def complaint(self) -> str | None:
        """What is wrong with the answer."""
        try:
            right = self.is_error == self.question.fails and self.question.is_right(self.content)
        except (KeyError, TypeError):
            right = False
        facts = str(dict(self.content))[:300]
        return None if right else f"wrong answer of {self.question.tool} to {self.question.words!r}: {facts}"


QUESTIONS: Final = (
    Question(
        "Which HTTP clients are there for Python?",
        "search_packages",
        {"query": "http client", "platforms": ["pypi"], "sort": "stars", "per_page": 4},
        lambda answer: "httpx" in [package["name"] for package in answer["packages"]],
    ),
    Question(
        "What is httpx, and may I use it?",
        "get_package_info",
        {"platform": "pypi", "name": "httpx"},
        lambda answer: answer["name"] == "httpx" and "BSD-3-Clause" in answer["licenses"],
    ),
    Question(
        "What does it bring along?",
        "get_package_dependencies",
        {"platform": "pypi", "name": "httpx"},
        lambda answer: "httpcore" in [dependency["name"] for dependency in answer["dependencies"]],
    ),
    Question(
        "And left-pad on the platform 'nmp'?",
        "get_package_info",
        {"platform": "nmp", "name": "left-pad"},
        lambda answer: answer["error_type"] == "not_found" and "NPM" in answer["suggestions"],
        fails=True,
    ),
)


def quota_questions() -> Iterator[Question]:
    """Questions to ask once the quota is used up: the first is enough, unless its turn comes too late."""
    for platform, name in (("cargo", "serde"), ("npm", "axios"), ("rubygems", "rails")):
        yield Question(
            f"What is {name} on {platform}, now that the quota is used up?",
            "get_package_info",
            {"platform": platform, "name": name},
            lambda answer, name=name: answer.get("name") == name,  # type: ignore[misc]
            refused_first=True,
        )
