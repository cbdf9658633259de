"""Arguments -> settings -> app; exit codes; nothing else. Parts are imported when their command runs."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from libraries_io_mcp import __version__, interpreter
from libraries_io_mcp.errors import LibrariesIOMCPError, SettingsError

EXAMPLES = """\
examples:
  libraries-io-mcp                                  the MCP server on stdio, as clients start it
  libraries-io-mcp serve --transport http           the MCP server at http://127.0.0.1:8000/mcp
  libraries-io-mcp demo                             see it work: no key and no network needed
  libraries-io-mcp doctor                           what works, what does not, and what to do
  libraries-io-mcp sandbox                          a stand-in for the Libraries.io API on port 8081
  libraries-io-mcp alerts check my-rules.yml        what is wrong with rules for alerts, line by line

Settings come from environment variables or .env; docs/configuration.md lists them.
exit codes: 0 done, 1 failed, 2 wrong usage or settings, 130 and 143 ended by a signal
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        commands = {"alerts": _alerts, "demo": _demo, "doctor": _doctor, "sandbox": _sandbox}
        return commands.get(options.command, _serve)(options)
    except SettingsError as error:
        print(f"libraries-io-mcp: {error}", file=sys.stderr)
        return 2
    except LibrariesIOMCPError as error:
        print(f"libraries-io-mcp: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _serve(options: argparse.Namespace) -> int:
    from libraries_io_mcp.settings import load_settings  # noqa: PLC0415 - start-up time

    given = {name: vars(options).get(name) for name in ("transport", "host", "port")}
    settings = load_settings(**given)
    if settings.server.transport == "stdio" and (given["host"] or given["port"]):
        raise SettingsError("--host and --port are for HTTP; add --transport http")
    interpreter.loading()
    # Imported here so that wrong settings and --help answer at once.
    from libraries_io_mcp.app import run  # noqa: PLC0415

    run(settings)


def _demo(options: argparse.Namespace) -> int:
    from libraries_io_mcp.demo.tour import run  # noqa: PLC0415 - start-up time

    return run(svg=options.svg)


def _doctor(options: argparse.Namespace) -> int:
    from libraries_io_mcp.doctor.command import run  # noqa: PLC0415 - start-up time

    run(as_json=options.json, only_server=options.server is not None, url=options.server or None)


def _alerts(options: argparse.Namespace) -> int:
    from libraries_io_mcp.alerting.check import check  # noqa: PLC0415 - start-up time
    from libraries_io_mcp.settings import load_settings  # noqa: PLC0415

    lines, fine = check(options.path, None if options.path else load_settings().alerts.rules_path)
    print(*lines, sep="\n")
    return 0 if fine else 1


def _sandbox(options: argparse.Namespace) -> int:
    from libraries_io_mcp.sandbox.command import SandboxOptions, parse_key, run  # noqa: PLC0415 - start-up time
    from libraries_io_mcp.sandbox.faults import parse_fault  # noqa: PLC0415

    given: dict[str, Any] = {
        name: vars(options)[name] for name in ("host", "port", "window_seconds", "anonymous_limit")
    }
    try:
        if options.key:
            given["keys"] = dict(parse_key(text) for text in options.key)
        given["faults"] = tuple(parse_fault(text) for text in options.fault or ())
        run(SandboxOptions(**{name: value for name, value in given.items() if value is not None}))
    except ValueError as error:
        raise SettingsError(str(error)) from None
    except OSError as error:
        raise SettingsError(f"--port {options.port or 8081}: can't listen there: {error.strerror}") from None
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="libraries-io-mcp",
        description="An MCP server that answers questions about open-source packages from Libraries.io.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"libraries-io-mcp {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")

    serve = commands.add_parser("serve", help="run the MCP server (the default)")
    serve.add_argument("--transport", help="stdio or http (default: MCP_TRANSPORT, else stdio)")
    serve.add_argument("--host", help="address to listen on, http only (default: MCP_HOST, else 127.0.0.1)")
    serve.add_argument("--port", help="port to listen on, http only; 0 takes a free one (default: MCP_PORT, else 8000)")

    demo = commands.add_parser("demo", help="the main job end to end, without a key, Docker or network")
    demo.add_argument("--svg", type=Path, metavar="FILE", help="also save what is shown as a picture")

    doctor = commands.add_parser("doctor", help="try everything that the settings name, and say what to do")
    doctor.add_argument("--json", action="store_true", help="print JSON instead of lines")
    doctor.add_argument(
        "--server",
        nargs="?",
        const="",
        metavar="URL",
        help="only ask a running server whether it is ready, and no one else (default: MCP_HOST and MCP_PORT)",
    )

    sandbox = commands.add_parser("sandbox", help="a stand-in for the Libraries.io API, for tries and tests")
    sandbox.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    sandbox.add_argument("--port", type=int, help="port to listen on; 0 takes a free one (default: 8081)")
    sandbox.add_argument(
        "--key", action="append", metavar="KEY[:LIMIT]", help="a key it knows; may be given repeatedly"
    )
    sandbox.add_argument("--window-seconds", type=float, metavar="S", help="length of a quota window (default: 60)")
    sandbox.add_argument(
        "--anonymous-limit", type=int, metavar="N", help="requests an hour without a key (default: 10)"
    )
    sandbox.add_argument(
        "--fault",
        action="append",
        metavar="NAME[:path=GLOB][:rate=R][:count=N]",
        help="go wrong on purpose, such as timeout, html, truncated, server_error:rate=0.5; may be given repeatedly",
    )
    _add_alerts(commands)
    return parser


def _add_alerts(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    alerts = commands.add_parser("alerts", help="check rules for alerts")
    actions = alerts.add_subparsers(dest="action", metavar="ACTION", title="actions", required=True)
    check = actions.add_parser(
        "check",
        help="load rule files as the server does, and say what is wrong where",
        epilog="example:\n  libraries-io-mcp alerts check otel/rules my-rules.yml\n\n"
        "exit codes: 0 all is well, 1 something is wrong, 2 a path is not there",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    check.add_argument(
        "path",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="a file of rules as Prometheus has them, or a folder (default: ALERT_RULES_PATH, else the server's own)",
    )
