"""Why a connection failed, in words: found in the chain of exceptions that libraries wrap around it."""

import errno
import os
import socket
import ssl
from collections.abc import Iterator


def reason(error: BaseException) -> str:
    """One short text. Addresses and queries that libraries put into their messages are left out."""
    causes = tuple(_chain(error))
    for kind, words in _BY_KIND:
        found = next((each for each in causes if isinstance(each, kind)), None)
        if found is not None:
            return words(found)
    # Libraries derive exceptions of their own from OSError; only the system's has a number.
    system = next((each for each in causes if isinstance(each, OSError) and isinstance(each.errno, int)), None)
    if system is not None:
        return _of_system(system)
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and all that it carries, each once: causes, contexts, arguments, and `reason` of urllib3."""
    waiting, seen = [error], set[int]()
    while waiting:
        each = waiting.pop(0)
        if id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        group = each.exceptions if isinstance(each, BaseExceptionGroup) else ()
        inside = (each.__cause__, each.__context__, getattr(each, "reason", None), *each.args, *group)
        waiting += [part for part in inside if isinstance(part, BaseException)]


def _of_tls(error: BaseException) -> str:
    text = str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"TLS: its certificate is not accepted: {error.verify_message}"
    if "WRONG_VERSION_NUMBER" in text or "UNEXPECTED_EOF" in text or "RECORD_LAYER" in text or "HTTP_REQUEST" in text:
        return "TLS: the other side does not speak it on this port"
    return f"TLS: {getattr(error, 'reason', None) or text}"


def _of_system(error: OSError) -> str:
    if error.errno == errno.ECONNREFUSED:
        return "connection refused: nobody listens there"
    return os.strerror(error.errno or 0).lower()


_BY_KIND = (
    (ssl.SSLError, _of_tls),
    (socket.gaierror, lambda _error: "the name can't be resolved: no such host, or no network"),
    (TimeoutError, lambda _error: "no answer in time"),
)
