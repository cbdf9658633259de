"""What can be wrong with an expression: its text, what it asks of this evaluator, or the samples it meets."""


class PromQLError(Exception):
    """The root; the message is one sentence for the author of a rule."""


class BadPromQL(PromQLError):  # noqa: N818 - a fixed name: it says whose fault it is
    """Not PromQL: Prometheus refuses the text as well."""


class UnsupportedPromQL(PromQLError):  # noqa: N818 - a fixed name: it says whose fault it is
    """PromQL that this evaluator does not evaluate (docs/promql.md lists what it does).

    Attributes:
        construct: the part that is not supported, such as `info()` or `@ 1700000000`.
    """

    def __init__(self, construct: str, message: str) -> None:
        super().__init__(f"{construct}: {message}")
        self.construct = construct


class EvaluationError(PromQLError):
    """Samples that the expression cannot be applied to; the message begins as Prometheus' own does."""


def same_labels() -> EvaluationError:
    """Two elements of one result have the same labels."""
    return EvaluationError("vector cannot contain metrics with the same labelset")
