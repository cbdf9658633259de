"""What the sandbox was asked: arrivals, and answers counted by method, path template and status."""

from collections import Counter, deque
from collections.abc import Callable
from typing import Final, TypedDict

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from libraries_io_mcp.sandbox.keys import mask_keys

UNROUTED: Final = "(unrouted)"
RECENT = 200


class AnswerRow(TypedDict):
    """Answers of one kind. The status of an exchange that got no status line is 0 and is counted when it ends."""

    method: str
    path: str
    status: int
    count: int


class Recent(TypedDict):
    """One arrival, keys masked."""

    method: str
    url: str


class Report(TypedDict):
    """`total` counts arrivals, also those that are not answered yet."""

    total: int
    answers: list[AnswerRow]
    recent: list[Recent]


class RequestLog:
    """Counts in memory since the start or the last `clear`."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self._total = 0
        self._answers: Counter[tuple[str, str, int]] = Counter()
        self._recent: deque[Recent] = deque(maxlen=RECENT)

    def arrived(self, method: str, path: str, query: str) -> None:
        self._total += 1
        self._recent.append({"method": method, "url": f"{path}?{mask_keys(query)}" if query else path})

    def answered(self, method: str, template: str, status: int) -> None:
        self._answers[method, template, status] += 1

    def report(self) -> Report:
        rows: list[AnswerRow] = [
            {"method": method, "path": path, "status": status, "count": count}
            for (method, path, status), count in sorted(self._answers.items())
        ]
        return {"total": self._total, "answers": rows, "recent": list(self._recent)}


class LogRequests:
    """The middleware that fills the log. An answer is counted before its first byte leaves.

    Args:
        app: what answers.
        log: where to count.
        template_of: method and path -> the template of the route, None for a path that is no route.
    """

    def __init__(self, app: ASGIApp, log: RequestLog, template_of: Callable[[str, str], str | None]) -> None:
        self._app = app
        self._log = log
        self._template_of = template_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["raw_path"].decode("latin-1")
        template = self._template_of(method, path) or UNROUTED
        status = 0
        self._log.arrived(method, path, scope["query_string"].decode("latin-1"))

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._log.answered(method, template, status)
            await send(message)

        try:
            await self._app(scope, receive, counted)
        finally:
            if status == 0:
                self._log.answered(method, template, status)
