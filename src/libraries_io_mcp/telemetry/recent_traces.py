"""The newest traces of this process, kept in memory for who has no trace store: bounded, and redacted when read.

A span processor beside those of the exporters. Bounded by traces, by spans of one trace and by bytes; the oldest goes
first. Traces with an error, and slow ones, have a room of their own, so that many good calls don't push them out.
"""

import itertools
import threading
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.trace import StatusCode

from libraries_io_mcp.telemetry.redacting import clean_spans
from libraries_io_mcp.telemetry.redaction import Redactor
from libraries_io_mcp.telemetry.semconv import Attribute

MAX_TRACES: Final = 100
MAX_NOTABLE: Final = 50
MAX_SPANS: Final = 200
MAX_BYTES: Final = 4_000_000
LONGEST_TEXT: Final = 2_000
"""Characters of one value that are shown; what is cut off is said."""
_SPAN_BYTES: Final = 2_000
"""What a span costs beside its texts: objects, ids, keys."""
_MOST_PACKAGES: Final = 5


@dataclass(slots=True)
class _Trace:
    """One trace as it grows. `number` is that of its last change."""

    spans: deque[tuple[ReadableSpan, int]]
    number: int = 0
    bytes: int = 0
    left_out: int = 0
    finished: bool = False
    notable: bool = False


@dataclass(frozen=True, slots=True)
class TraceBounds:
    """How much is kept: traces, as many more with an error or slow ones, spans of one trace, bytes of all (about)."""

    traces: int = MAX_TRACES
    notable: int = MAX_NOTABLE
    spans: int = MAX_SPANS
    bytes: int = MAX_BYTES


@dataclass(slots=True)
class _Rooms:
    """Traces by id, the one that changed last at the end."""

    ordinary: OrderedDict[int, _Trace] = field(default_factory=OrderedDict)
    notable: OrderedDict[int, _Trace] = field(default_factory=OrderedDict)


class RecentTraces(SpanProcessor):
    """Keeps ended spans by trace. `slow_seconds`: a request that takes longer makes its trace notable."""

    def __init__(self, redactor: Redactor, *, slow_seconds: float, bounds: TraceBounds | None = None) -> None:
        self._redactor = redactor
        self._slow_nanoseconds = slow_seconds * 1e9
        self._bounds = bounds or TraceBounds()
        self._lock = threading.Lock()
        self._rooms = _Rooms()
        self._numbers = itertools.count(1)
        self._bytes = 0
        self._forgotten = 0

    @property
    def bytes(self) -> int:
        """About how much memory the kept spans take."""
        return self._bytes

    def on_end(self, span: ReadableSpan) -> None:
        """Keep an ended span. Called by whoever ends it, so it does little: `docs/decisions/status-page.md`."""
        if span.context is None:
            return
        trace_id, size = span.context.trace_id, _size(span)
        with self._lock:
            rooms = self._rooms
            trace = rooms.notable.get(trace_id) or rooms.ordinary.get(trace_id)
            if trace is None:
                trace = rooms.ordinary[trace_id] = _Trace(deque())
            if len(trace.spans) >= self._bounds.spans:
                self._take(trace, trace.spans.popleft()[1])
                trace.left_out += 1
            trace.spans.append((span, size))
            self._take(trace, -size)
            trace.number = next(self._numbers)
            trace.finished = trace.finished or _is_local_root(span)
            if not trace.notable and self._is_notable(span):
                trace.notable = True
                rooms.notable[trace_id] = rooms.ordinary.pop(trace_id)
            (rooms.notable if trace.notable else rooms.ordinary).move_to_end(trace_id)
            self._forget()

    def since(self, number: int, limit: int) -> tuple[list[dict[str, Any]], int]:
        """What is new after `number`: at most `limit` summaries, oldest first, and the number to ask with next time.

        Of more than `limit` the newest are told. A trace is told when a request of it has ended, and again when it
        has changed.
        """
        with self._lock:
            rooms = (self._rooms.ordinary, self._rooms.notable)
            traces = [(each.number, key, each) for room in rooms for key, each in room.items() if each.number > number]
            newest = max((each for each, _, _ in traces), default=number)
            # No two have the same number.
            chosen = sorted(each for each in traces if each[2].finished)[-limit:]
            fresh = [(key, [span for span, _ in each.spans], each.left_out) for _, key, each in chosen]
        # One look at the texts of all of them, which nearly always finds nothing to redact.
        clean = iter(clean_spans(self._redactor, [span for _, spans, _ in fresh for span in spans]))
        return [
            _summary(key, sorted(itertools.islice(clean, len(spans)), key=_start), left_out)
            for key, spans, left_out in fresh
        ], newest

    def trace(self, trace_id: str) -> dict[str, Any] | None:
        """One trace with its spans in the order they began, or `None` when it is not kept (any more)."""
        try:
            key = int(trace_id, 16)
        except ValueError:
            return None
        with self._lock:
            found = self._rooms.notable.get(key) or self._rooms.ordinary.get(key)
            if found is None:
                return None
            spans, left_out = [span for span, _ in found.spans], found.left_out
        clean = sorted(clean_spans(self._redactor, spans), key=_start)
        began = _start(clean[0])
        return {**_summary(key, clean, left_out), "spans": [_shown(span, began) for span in clean]}

    def facts(self) -> dict[str, int]:
        """How much is kept and how many traces were forgotten to make room."""
        with self._lock:
            kept = len(self._rooms.ordinary) + len(self._rooms.notable)
            return {"kept": kept, "forgotten": self._forgotten, "bytes": self._bytes, "most_bytes": self._bounds.bytes}

    def _is_notable(self, span: ReadableSpan) -> bool:
        return span.status.status_code is StatusCode.ERROR or (
            _is_local_root(span) and (span.end_time or 0) - _start(span) > self._slow_nanoseconds
        )

    def _take(self, trace: _Trace, size: int) -> None:
        trace.bytes -= size
        self._bytes -= size

    def _forget(self) -> None:
        rooms, bounds = self._rooms, self._bounds
        while len(rooms.notable) > bounds.notable:
            self._drop(rooms.notable)
        while len(rooms.ordinary) > bounds.traces:
            self._drop(rooms.ordinary)
        while self._bytes > bounds.bytes and (rooms.ordinary or rooms.notable):
            self._drop(rooms.ordinary or rooms.notable)

    def _drop(self, room: OrderedDict[int, _Trace]) -> None:
        _, oldest = room.popitem(last=False)
        self._bytes -= oldest.bytes
        self._forgotten += 1


def _is_local_root(span: ReadableSpan) -> bool:
    return span.parent is None or span.parent.is_remote


def _start(span: ReadableSpan) -> int:
    return span.start_time or 0


def _size(span: ReadableSpan) -> int:
    size = _SPAN_BYTES
    for value in (span.attributes or {}).values():
        if isinstance(value, str):
            size += len(value)
        elif isinstance(value, Sequence):
            size += len(str(value))
    # An event is rare: something went wrong.
    return size + sum(len(str(event.attributes)) for event in span.events)


def _summary(key: int, spans: Sequence[ReadableSpan], left_out: int) -> dict[str, Any]:
    """`spans` are redacted and in the order they began; there is at least one."""
    roots = [span for span in spans if _is_local_root(span)]
    first = roots[0] if roots else spans[0]
    began = _start(spans[0])
    return {
        "trace_id": format(key, "032x"),
        "name": _cut(first.name),
        "tools": list(dict.fromkeys(_values(roots, Attribute.TOOL_NAME, Attribute.PROMPT_NAME))),
        "packages": list(dict.fromkeys(_packages(spans)))[:_MOST_PACKAGES],
        "errors": list(dict.fromkeys(_errors(spans))),
        "failed": any(span.status.status_code is StatusCode.ERROR for span in roots),
        "started": began / 1e9,
        "duration": max((span.end_time or 0) - began for span in spans) / 1e9,
        "requests": len(roots),
        "span_count": len(spans),
        "left_out": left_out,
    }


def _values(spans: Sequence[ReadableSpan], *names: str) -> Iterator[str]:
    for span in spans:
        for name in names:
            if name in (span.attributes or {}):
                yield _cut(str((span.attributes or {})[name]))


def _packages(spans: Sequence[ReadableSpan]) -> Iterator[str]:
    for span in spans:
        attributes = span.attributes or {}
        if Attribute.PACKAGE in attributes:
            yield _cut(f"{attributes.get(Attribute.PLATFORM, '?')!s}/{attributes[Attribute.PACKAGE]!s}")


def _errors(spans: Sequence[ReadableSpan]) -> Iterator[str]:
    yield from _values(spans, Attribute.CALL_ERROR_TYPE, Attribute.ERROR_TYPE)


def _shown(span: ReadableSpan, began: int) -> dict[str, Any]:
    context = span.context
    return {
        "span_id": format(context.span_id, "016x") if context else "",
        "parent_id": format(span.parent.span_id, "016x") if span.parent else None,
        "remote_parent": span.parent is not None and span.parent.is_remote,
        "name": _cut(span.name),
        "kind": span.kind.name,
        "offset": (_start(span) - began) / 1e9,
        "duration": ((span.end_time or _start(span)) - _start(span)) / 1e9,
        "status": span.status.status_code.name,
        "status_description": span.status.description and _cut(span.status.description),
        "attributes": {str(key): _plain(value) for key, value in (span.attributes or {}).items()},
        "events": [
            {
                "name": _cut(event.name),
                "offset": (event.timestamp - began) / 1e9,
                "attributes": {str(key): _plain(value) for key, value in (event.attributes or {}).items()},
            }
            for event in span.events
        ],
        "links": [format(link.context.trace_id, "032x") for link in span.links],
    }


def _plain(value: Any) -> Any:
    return value if isinstance(value, bool | int | float) else _cut(value if isinstance(value, str) else str(value))


def _cut(text: str) -> str:
    left = len(text) - LONGEST_TEXT
    return text if left <= 0 else f"{text[:LONGEST_TEXT]}... ({left} more characters)"
