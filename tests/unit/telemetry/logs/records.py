"""Records and entries made by hand."""

import logging

from opentelemetry.context import Context

from libraries_io_mcp.telemetry.logs.capture import Entry
from libraries_io_mcp.telemetry.logs.facts import Facts, Reader
from libraries_io_mcp.telemetry.request_context import RequestContext


def record(message: str = "hello %s", *args: object, name: str = "libraries_io_mcp.test", **extra: object):
    """A record of level INFO, unless `extra` says otherwise."""
    made = logging.makeLogRecord(
        {"name": name, "msg": message, "args": args, "levelname": "INFO", "levelno": logging.INFO, "created": 0.5}
    )
    vars(made).update(extra)
    return made


def facts(made: logging.LogRecord, request: RequestContext | None = None, **reader: bool) -> Facts:
    """Its facts outside of any span."""
    return Reader(**reader).facts(Entry(made, Context(), request))
