"""An HTTP session for exporters whose replies have an end: a Collector answers with a few bytes, a stranger may not."""

import io
import time
from collections.abc import Callable
from typing import Any, Final

from requests import PreparedRequest, Response, Session
from requests.adapters import HTTPAdapter
from requests.exceptions import ConnectionError as ReplyError

LONGEST_REPLY: Final = 65_536
"""Bytes of a reply, after any decompression."""
REPLY_SECONDS: Final = 10.0
"""How long a reply may go on coming. The time-out of the request only bounds the pause between two pieces."""
_PIECE: Final = 8_192


class BoundedAdapter(HTTPAdapter):
    """Reads each reply itself, up to a size and a time, and hands it on as one that is complete."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._monotonic = monotonic

    def send(self, request: PreparedRequest, stream: bool = False, **options: Any) -> Response:  # type: ignore[override]  # noqa: ARG002
        """Send the request.

        Raises:
            requests.exceptions.ConnectionError: also when the reply is longer, or takes longer, than it may.
        """
        response = super().send(request, stream=True, **options)
        try:
            body = self._body(response)
        finally:
            response.close()
        response.raw = io.BytesIO(body)
        return response

    def _body(self, response: Response) -> bytes:
        pieces: list[bytes] = []
        size, end = 0, self._monotonic() + REPLY_SECONDS
        while piece := response.raw.read1(_PIECE, decode_content=True):
            pieces.append(piece)
            size += len(piece)
            if size > LONGEST_REPLY:
                raise ReplyError(f"the reply is longer than {LONGEST_REPLY} bytes")
            if self._monotonic() > end:
                raise ReplyError(f"the reply took longer than {REPLY_SECONDS:g} s")
        return b"".join(pieces)


def bounded_session() -> Session:
    """A session whose replies are bounded."""
    session = Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, BoundedAdapter())
    return session
