"""The server over HTTP, which also shows what its in-process reader gives.

    python -m tests.support.sampled_server

GET /samples answers with a list of [labels, value]. All else is the product's own.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from tests.support.command import Running

from libraries_io_mcp.app import build_app, ending_of
from libraries_io_mcp.http.listening import bound_socket
from libraries_io_mcp.http.serving import serve_http
from libraries_io_mcp.settings import load_settings
from libraries_io_mcp.telemetry.samples import ProcessSamples

ROOT: Final = Path(__file__).parents[2]


class SampledServer(Running):
    """This module as a process."""

    program: Sequence[str] = (sys.executable, "-m", "tests.support.sampled_server")

    def __init__(self, *, folder: Path, **variables: str) -> None:
        super().__init__(folder=folder, PYTHONPATH=str(ROOT), **variables)


def main() -> None:
    """Serve until a signal comes."""
    settings = load_settings(transport="http", port=0)
    with bound_socket(settings.server.host, settings.server.port) as listener:
        app = build_app(settings)
        samples = ProcessSamples(app.telemetry.meter_provider, app.telemetry.redactor)

        @app.server.custom_route("/samples", methods=["GET"])
        async def show(_request: Request) -> Response:
            return JSONResponse([[dict(labels), value] for labels, value in samples.read()])

        given = (app.settings.server, app.settings.limits, listener, app.telemetry.instruments)
        serve_http(app.server, *given, ending_of(app))


if __name__ == "__main__":
    main()
