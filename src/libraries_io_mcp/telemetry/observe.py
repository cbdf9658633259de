"""`observer.operation(name)`: span, duration, outcome and log record of an operation of our own, in one line.

    @observer.operation("startup")           # a function or an async function
    async def connect(...): ...

    with observer.operation("startup"):      # or a block; `async with` does the same
        ...

The name comes from the closed set `OperationName` in `semconv/values.py`. An exception is recorded by its class alone,
since its text may hold what somebody typed, and goes on to the caller. A generator is refused: it runs while somebody
takes from it, so it has no duration of its own. Nothing is global: the observer is handed in.
"""

import asyncio
import functools
import inspect
import logging
import time
from collections.abc import Callable
from contextlib import ContextDecorator
from contextvars import Token
from types import TracebackType
from typing import Any, Final, Self, TypeVar, cast

from opentelemetry import context as opentelemetry_context
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, Status, StatusCode, Tracer

from libraries_io_mcp.errors import LibrariesIOMCPError
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.logs.capture import EVENT_NAME
from libraries_io_mcp.telemetry.semconv import OTHER, Attribute, Event, OperationName

FunctionT = TypeVar("FunctionT", bound=Callable[..., Any])
CANCELLED: Final = "cancelled"

logger: Final = logging.getLogger(__name__)


class Observer:
    """Watches operations with one tracer and one set of instruments."""

    def __init__(
        self, tracer: Tracer, instruments: Instruments, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._tracer = tracer
        self._instruments = instruments
        self._monotonic = monotonic

    def operation(self, name: OperationName) -> "Operation":
        """A decorator and a (synchronous or asynchronous) context manager for one operation."""
        return Operation(name, self._tracer, self._instruments, self._monotonic)


class Operation(ContextDecorator):
    """One operation. As a decorator it watches every call; as a context manager it is used once."""

    def __init__(
        self, name: OperationName, tracer: Tracer, instruments: Instruments, monotonic: Callable[[], float]
    ) -> None:
        self._name = name
        self._tracer = tracer
        self._instruments = instruments
        self._monotonic = monotonic
        self._started = 0.0
        self._span: Span = trace.INVALID_SPAN
        self._token: Token[Context] | None = None

    def _recreate_cm(self) -> Self:
        return type(self)(self._name, self._tracer, self._instruments, self._monotonic)

    def __call__(self, function: FunctionT) -> FunctionT:
        """The function, watched.

        Raises:
            TypeError: it is a generator function, whose call only makes the generator.
        """
        if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
            raise TypeError(
                f"{function.__qualname__} is a generator function, whose call does no work; "
                "watch the work instead: `with observer.operation(...)` around it"
            )
        if not inspect.iscoroutinefunction(function):
            return super().__call__(function)

        @functools.wraps(function)
        async def watched(*arguments: Any, **options: Any) -> Any:
            with self._recreate_cm():
                return await function(*arguments, **options)

        return cast("FunctionT", watched)

    def __enter__(self) -> Span:
        self._started = self._monotonic()
        self._span = self._tracer.start_span(self._name, attributes={Attribute.OPERATION: self._name})
        self._token = opentelemetry_context.attach(trace.set_span_in_context(self._span))
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug(
                "%s started", self._name, extra={Attribute.OPERATION: self._name, EVENT_NAME: Event.WORK_STARTED}
            )
        return self._span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        duration = max(0.0, self._monotonic() - self._started)
        error_type = None if kind is None else _error_type(kind)
        if kind is not None and error_type is not None:
            self._span.set_attribute(Attribute.ERROR_TYPE, error_type)
            self._span.set_status(Status(StatusCode.ERROR, kind.__name__))
            self._span.add_event(Event.EXCEPTION, {Attribute.EXCEPTION_TYPE: kind.__name__})
        # Inside the span, so that it becomes the exemplar of the point and its ids stand on the record.
        self._instruments.work(self._name, duration, error_type)
        self._log(duration, kind)
        if self._token is not None:
            opentelemetry_context.detach(self._token)
        self._span.end()

    async def __aenter__(self) -> Span:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, where)

    def _log(self, duration: float, kind: type[BaseException] | None) -> None:
        level = logging.DEBUG if kind is None else logging.WARNING
        if not logger.isEnabledFor(level):
            return
        outcome = "completed" if kind is None else "failed"
        extra: dict[str, Any] = {
            Attribute.OPERATION: self._name,
            Attribute.DURATION: round(duration, 6),
            Attribute.OUTCOME: outcome,
            EVENT_NAME: Event.WORK_COMPLETED if kind is None else Event.WORK_FAILED,
        }
        if kind is not None:
            extra |= {Attribute.ERROR_TYPE: _error_type(kind), Attribute.EXCEPTION_TYPE: kind.__name__}
        logger.log(level, "%s %s in %.1f ms", self._name, outcome, duration * 1000, extra=extra)


def _error_type(kind: type[BaseException]) -> str:
    """What stands on the metric: of a closed set, whatever class it is."""
    if issubclass(kind, asyncio.CancelledError):
        return CANCELLED
    if issubclass(kind, LibrariesIOMCPError):
        return kind.error_type
    return "timeout" if issubclass(kind, TimeoutError) else OTHER
