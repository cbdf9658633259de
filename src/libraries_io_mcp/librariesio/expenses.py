"""What one caller's questions have cost: who asks through one view of the client can say what its answer took."""

from libraries_io_mcp.librariesio.question import Question


class Expenses:
    """The questions that went to the service, in order. Who boards another caller's flight pays nothing."""

    def __init__(self) -> None:
        self._questions: list[Question] = []

    def add(self, question: Question) -> None:
        """A question is on its way; its requests count as they are sent."""
        self._questions.append(question)

    @property
    def requests(self) -> int:
        """Requests sent so far, repeats and redirects included."""
        return sum(question.requests for question in self._questions)

    @property
    def endpoints(self) -> tuple[str, ...]:
        """Path templates that were asked."""
        return tuple(dict.fromkeys(question.endpoint for question in self._questions if question.requests))
