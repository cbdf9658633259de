"""Everything that can go wrong, as one tree.

    LibrariesIOMCPError
    ├── SettingsError              a setting that the program can't start with
    ├── DemoError                  demo/failure.py: the demo could not show what it should
    ├── NotReceivedError           demo/otlp_receiver.py: what was waited for did not arrive
    └── CallError                  one question could not be answered
        ├── InvalidRequestError      the question itself: refused before it was sent, or by the service
        │   └── ManifestError          manifests/faults.py: the text is no manifest that we can read
        ├── AuthenticationError
        │   ├── KeyMissingError        the endpoint needs a key and none is set
        │   └── KeyRejectedError       the service does not know the key
        ├── ForbiddenError           the key is known and may not do this
        ├── NotFoundError            no such platform, package, version, repository or user
        ├── QuotaExceededError       the quota does not allow the call before its deadline
        ├── UpstreamTimeoutError     no answer within the time limit
        ├── UpstreamUnreachableError no connection, or it broke
        ├── UpstreamFaultError       the service answered with an error of its own (5xx)
        ├── CallTimeLimitError       the call as a whole took longer than it may
        ├── CircuitOpenError         the service failed so often that it is not asked for a while
        ├── DefectError              answer/failure.py: this server's own fault
        └── InvalidReplyError        the answer is not what the service promises
            └── ReplyTooLargeError     the answer is larger than the limit

`error_type` is the stable name of a class towards clients, metrics and alerts: few values, never with user input.
`str(error)` is one sentence for a reader; it never holds the API key, a URL with a query, or a reply's body.
"""

from typing import ClassVar


class LibrariesIOMCPError(Exception):
    """The root of the tree."""

    error_type: ClassVar[str] = "internal"


class SettingsError(LibrariesIOMCPError):
    """A setting that the program can't start with. The message is one line that names the variable."""

    error_type = "settings"


class CallError(LibrariesIOMCPError):
    """One question could not be answered.

    Attributes:
        next_step: what the caller can do now. A sentence that names a tool stands by itself: it is left out where
            that tool is not offered.
        retry_after: seconds after which the same call may succeed; `None` when waiting does not help or is not known.
        status_code: the HTTP status of the reply that caused it, if there was one.
        suggestions: close names, when the error is about a name.
    """

    error_type = "call_failed"
    default_next_step: ClassVar[str] = "Try again later."

    def __init__(
        self,
        message: str,
        *,
        next_step: str | None = None,
        retry_after: float | None = None,
        status_code: int | None = None,
        suggestions: tuple[str, ...] = (),
    ) -> None:
        super().__init__(message)
        self.next_step = next_step or self.default_next_step
        self.retry_after = retry_after
        self.status_code = status_code
        self.suggestions = suggestions


class InvalidRequestError(CallError):
    """The question itself is wrong: refused before it was sent, or by the service with 400."""

    error_type = "invalid_request"
    default_next_step = "Correct the argument that the message names and call again."


class AuthenticationError(CallError):
    """The service can't tell, or does not accept, who is asking."""

    error_type = "authentication"
    default_next_step = (
        "Get a key at https://libraries.io/account and set LIBRARIES_IO_API_KEY where this server is started."
    )


class KeyMissingError(AuthenticationError):
    """The endpoint needs a key and none is set."""

    error_type = "api_key_missing"


class KeyRejectedError(AuthenticationError):
    """The service does not know the key."""

    error_type = "api_key_rejected"
    default_next_step = (
        "Compare LIBRARIES_IO_API_KEY with the key shown at https://libraries.io/account, then restart this server."
    )


class ForbiddenError(CallError):
    """The key is known and may not do this."""

    error_type = "forbidden"
    default_next_step = "This operation is not open to your key. Ask another question."


class NotFoundError(CallError):
    """No such platform, package, version, repository or user."""

    error_type = "not_found"
    default_next_step = "Check the spelling."


class QuotaExceededError(CallError):
    """The quota does not allow the call before its deadline."""

    error_type = "quota_exceeded"
    default_next_step = "Wait for retry_after seconds, then call again. get_quota_status shows the budget for free."


class UpstreamTimeoutError(CallError):
    """No answer within the time limit."""

    error_type = "timeout"
    default_next_step = "Libraries.io is slow for this question. Try again, or ask for less."


class UpstreamUnreachableError(CallError):
    """No connection, or it broke before the answer was complete."""

    error_type = "unreachable"
    default_next_step = "Check that this server's machine reaches Libraries.io, then try again."


class UpstreamFaultError(CallError):
    """The service answered with an error of its own (5xx)."""

    error_type = "upstream_error"
    default_next_step = "Libraries.io has a problem of its own. Try again in a minute."


class CallTimeLimitError(CallError):
    """The call as a whole took longer than it may."""

    error_type = "call_timeout"
    default_next_step = "Ask for less at once, or whoever runs the server can raise MCP_CALL_TIMEOUT_SECONDS."


class CircuitOpenError(CallError):
    """The service failed so often that it is not asked for a while."""

    error_type = "circuit_open"
    default_next_step = "Wait for retry_after seconds, then call again."


class InvalidReplyError(CallError):
    """The answer is not what the service promises: not JSON, cut off, or of other types."""

    error_type = "invalid_reply"
    default_next_step = "Libraries.io sent something unexpected. Try again later; report it if it stays."


class ReplyTooLargeError(InvalidReplyError):
    """The answer is larger than the limit and was not read to its end."""

    error_type = "reply_too_large"
    default_next_step = "Ask for less: one version, a smaller page, or the minimum subset."
