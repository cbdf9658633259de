"""`libraries-io-mcp demo`: the tour from the first process started to the last one ended."""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import anyio
from rich.text import Text

from libraries_io_mcp.demo import client, sandbox_process
from libraries_io_mcp.demo.client import TracedClient, connected_client
from libraries_io_mcp.demo.failure import DemoError, tail
from libraries_io_mcp.demo.latency import latency_table
from libraries_io_mcp.demo.otlp_receiver import OtlpReceiver
from libraries_io_mcp.demo.printing import answer, headline, log_lines, next_steps, totals, used_up
from libraries_io_mcp.demo.questions import QUESTIONS, Asked, Question, quota_questions
from libraries_io_mcp.demo.sandbox_process import EARLY, LIMIT, WINDOW_SECONDS, Sandbox, running_sandbox
from libraries_io_mcp.demo.screen import Screen
from libraries_io_mcp.demo.story import DURATION, Received, Story, tell
from libraries_io_mcp.demo.trace_view import trace_tree

TITLE: Final = "libraries-io-mcp demo"


@dataclass(frozen=True, slots=True)
class Parts:
    """What the tour runs; tests put broken parts in."""

    receiver: OtlpReceiver
    sandbox_command: Sequence[str] = sandbox_process.COMMAND
    server_command: Sequence[str] = client.COMMAND


@dataclass(frozen=True, slots=True)
class Heard:
    """What the client heard, and what the sandbox counted of the server."""

    asked: tuple[Asked, ...]
    requests: int
    secret: str


def run(svg: Path | None = None, *, parts: Parts | None = None) -> int:
    """Run the tour; `svg` also gets what was shown as a picture. Returns the exit code."""
    if svg is not None and not svg.parent.is_dir():
        return _fail(f"--svg {svg}: there is no folder {svg.parent}", code=2)
    _forget_telemetry_settings()
    screen = Screen(picture=svg is not None)
    try:
        code = anyio.run(_until_signalled, screen, parts or Parts(OtlpReceiver()), svg)
        if svg is not None and code == 0:
            screen.save(svg, TITLE)
    except DemoError as error:
        return _fail(str(error))
    except OSError as error:
        return _fail(f"{error.filename or 'a file'}: {error.strerror or error}")
    return code


async def _until_signalled(screen: Screen, parts: Parts, svg: Path | None) -> int:
    code = 0

    async def watch() -> None:
        nonlocal code
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            async for number in signals:
                code = 128 + number
                tasks.cancel_scope.cancel()

    failure: DemoError | None = None
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch)
        try:
            await _tour(screen, parts, svg)
        except DemoError as error:
            # Kept out of the task group, which would wrap it.
            failure = error
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure
    return code


async def _tour(screen: Screen, parts: Parts, svg: Path | None) -> None:
    screen.show(headline())
    with tempfile.TemporaryDirectory(prefix="libraries-io-mcp-demo-") as name:
        directory = Path(name)
        with parts.receiver:
            heard = await _listen(screen, parts, directory)
        received = Received.by(parts.receiver)
        try:
            story = tell(heard.asked, received, attempts=heard.requests, secret=heard.secret)
        except DemoError as error:
            raise DemoError(f"{error}\nthe server wrote:\n{tail(directory / 'server.log')}") from error
    _show(screen, story, heard)
    screen.section("What to try next")
    screen.show(next_steps("libraries-io-mcp" if svg else _command()))


async def _listen(screen: Screen, parts: Parts, directory: Path) -> Heard:
    endpoint = parts.receiver.endpoint
    async with AsyncExitStack() as running:
        with screen.busy("starting the sandbox of the Libraries.io API"):
            sandbox = await running.enter_async_context(running_sandbox(directory, parts.sandbox_command))
        environment = {
            "LIBRARIES_IO_BASE_URL": sandbox.base_url,
            "LIBRARIES_IO_API_KEY": sandbox.key,
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_METRIC_EXPORT_INTERVAL": "1000",
            # Beside the log, which goes with the tour: nothing of it stays behind.
            "ALERT_STATE_FILE": str(directory / "alerts.json"),
            "LOG_FORMAT": "json",
        }
        with screen.busy("starting the server on stdio"):
            asker = await running.enter_async_context(
                connected_client(directory, environment, endpoint=endpoint, command=parts.server_command)
            )
        with screen.busy(f"waiting for a fresh window of the quota ({LIMIT} requests in {WINDOW_SECONDS} s here)"):
            await sandbox.at(EARLY)
        asked = [await _ask(screen, asker, question) for question in QUESTIONS]
        asked += await _ask_without_quota(screen, asker, sandbox)
        return Heard(tuple(asked), await sandbox.answered() - sandbox.spent, sandbox.key)


async def _ask(screen: Screen, asker: TracedClient, question: Question) -> Asked:
    with screen.busy(question.words, line=False):
        asked = await asker.ask(question)
    if asked.complaint:
        raise DemoError(asked.complaint)
    screen.show(answer(asked))
    return asked


async def _ask_without_quota(screen: Screen, asker: TracedClient, sandbox: Sandbox) -> list[Asked]:
    asked: list[Asked] = []
    for question in quota_questions():
        with screen.busy("another program with the same key uses up the quota"):
            budget = await sandbox.use_up()
        screen.show(used_up(sandbox.spent, budget.reset))
        refused = await sandbox.answered(429)
        asked.append(await _ask(screen, asker, question))
        if await sandbox.answered(429) > refused:
            return asked
        # A slow machine: the question came when the next window had begun, so it was an ordinary one.
        asked[-1] = replace(asked[-1], question=replace(question, refused_first=False))
    raise DemoError("no question reached the sandbox while its quota was used up; is this machine very slow?")


def _show(screen: Screen, story: Story, heard: Heard) -> None:
    trace = story.traces[-1]
    screen.section(f"Trace {trace.asked.trace_id[:8]}: {trace.asked.question.words}")
    screen.show(trace_tree(trace))
    screen.section("Log lines of that trace")
    screen.show(log_lines(trace.logs))
    screen.section(f"Latency: {DURATION}")
    screen.show(latency_table(story.durations))
    screen.show(Text("~ interpolated within the histogram's buckets; an exemplar leads to a trace", "dim"))
    screen.section("Received")
    screen.show(totals(story, requests=heard.requests))


def _command() -> str:
    installed = Path(sys.executable).with_name("libraries-io-mcp")
    return shutil.which("libraries-io-mcp") or (str(installed) if installed.exists() else "libraries-io-mcp")


def _forget_telemetry_settings() -> None:
    # They are meant for the user's own server and Collector, not for this client.
    for name in [name for name in os.environ if name.startswith("OTEL_")]:
        del os.environ[name]


def _fail(message: str, code: int = 1) -> int:
    print(f"\n{TITLE}: {message}", file=sys.stderr)
    return code
