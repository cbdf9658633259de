"""A gentle, varied load for `docker compose --profile traffic`: some questions a minute, some unknown or wrong."""

import asyncio
import random
import sys
from pathlib import Path
from typing import Any, Final

from fastmcp import Client

PAUSE_SECONDS: Final = 3.0
ANSWERED: Final = Path("/tmp/answered")  # noqa: S108 - the container's own; its health check looks how old it is
CHANCE: Final = random.SystemRandom()
NPM: Final = ("express", "react", "axios", "debug", "ms", "lodash")
PYPI: Final = ("requests", "flask", "numpy", "django", "httpx")


def question() -> tuple[str, dict[str, Any]]:
    """A tool and its arguments; about one in ten is about nothing or wrong."""
    platform, names = CHANCE.choice((("npm", NPM), ("pypi", PYPI)))
    package = {"platform": platform, "name": CHANCE.choice(names)}
    questions: tuple[tuple[str, dict[str, Any]], ...] = (
        ("get_package_info", package),
        ("get_package_info", package),
        ("get_package_versions", package),
        ("get_package_dependencies", package),
        ("get_sourcerank", package),
        ("search_packages", {"query": CHANCE.choice(("http", "json", "test", "client"))}),
        ("get_popular_packages", {"platform": platform}),
        ("get_quota_status", {}),
        ("list_platforms", {}),
        ("get_package_info", {"platform": platform, "name": "nobody-has-written-this"}),
        ("get_package_info", {"platform": platform}),
    )
    return CHANCE.choice(questions)


async def ask_for_ever(url: str) -> None:
    """One session after the other; a server that is away is tried again."""
    while True:
        try:
            async with Client(url) as client:
                for _ in range(20):
                    tool, arguments = question()
                    await client.call_tool(tool, arguments, raise_on_error=False)
                    ANSWERED.touch()
                    await asyncio.sleep(CHANCE.uniform(0.3, 1.7) * PAUSE_SECONDS)
        except Exception as error:  # whatever it was, the load goes on
            sys.stderr.write(f"traffic: {type(error).__name__}; trying again\n")
            await asyncio.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    asyncio.run(ask_for_ever(sys.argv[1]))
