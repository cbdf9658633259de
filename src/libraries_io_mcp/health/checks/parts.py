"""Background tasks: whether all parts of the server that nobody waits for are running."""

from collections.abc import Callable, Sequence

from libraries_io_mcp.health.check import Outcome, Ping


def background_tasks(problems: Callable[[], Sequence[str]]) -> Ping:
    """Judges what the supervisor says."""

    async def ping() -> Outcome:
        failed = list(problems())
        if not failed:
            return Outcome("healthy", None, {"failed": []})
        advice = "It was started again by itself. Look for its error in the log."
        return Outcome("unhealthy", f"A part of the server ended: {failed[0]}.", {"failed": failed}, advice)

    return ping
