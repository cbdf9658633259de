"""The health report of a running server from everywhere it is shown, and whether all of them say the same."""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

import anyio
import httpx
from fastmcp import Client
from tests.support.polling import HANG_SECONDS

VALUES: Final = {"healthy": 1.0, "degraded": 0.5, "unhealthy": 0.0, "unknown": -1.0}
_STATUS: Final = re.compile(r'^health_check_status\{health_check_name="(\w+)"\} (\S+)$', re.MULTILINE)
_SCORE: Final = re.compile(r"^health_score (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Seen:
    """What was seen at one moment: the report, and the answers' codes by path."""

    report: dict[str, Any]
    codes: dict[str, int]

    @property
    def statuses(self) -> dict[str, str]:
        """The status of each check."""
        return {name: check["status"] for name, check in self.report["checks"].items()}

    def check(self, name: str) -> dict[str, Any]:
        """One check."""
        return self.report["checks"][name]


async def statuses_become(url: str, **wanted: str) -> Seen:
    """The report as soon as the named checks have these statuses, and it is the same everywhere.

    It is fetched by HTTP, check by check, as resource, by the tool and as metrics. Checks are made meanwhile, and on a
    busy machine any of them may find something else for a moment: then everything is fetched again.
    """
    base = url.removesuffix("/mcp")
    found: Any = None
    async with httpx.AsyncClient(base_url=base, timeout=HANG_SECONDS) as http, Client(url) as client:
        with anyio.move_on_after(HANG_SECONDS):
            while True:
                seen, others = await _fetch(http, client)
                found = [seen.statuses] + [
                    (where, said) for where, said in others.items() if said != _expected(seen.report, where)
                ]
                if wanted.items() <= seen.statuses.items() and len(found) == 1:
                    return seen
                await anyio.sleep(0.05)
    raise AssertionError(f"waited for {wanted}, the same everywhere; found {found}")


async def _fetch(http: httpx.AsyncClient, client: Client[Any]) -> tuple[Seen, dict[str, Any]]:
    detailed = await http.get("/health/detailed")
    report = detailed.json()
    each = {name: await http.get(f"/health/{name}") for name in report["checks"]}
    ready, metrics = await http.get("/health/ready"), (await http.get("/metrics")).text
    figures = (await http.get("/health/metrics")).json()
    (content,) = await client.read_resource("health://report")
    tool = (await client.call_tool("get_server_health", {})).structured_content
    score = _SCORE.search(metrics)
    others = {
        "each check": {name: answer.json()["status"] for name, answer in each.items()},
        "codes of checks": {name: answer.status_code for name, answer in each.items()},
        "ready": ready.status_code,
        "resource": _said(json.loads(content.text)),
        "tool": (tool["status"], tool["score"], {name: check["status"] for name, check in tool["checks"].items()}),
        "figures": (figures["score"], figures["checks"]),
        "metrics": ({name: float(value) for name, value in _STATUS.findall(metrics)}, score and float(score[1])),
    }
    codes = {"/health/detailed": detailed.status_code, "/health/ready": ready.status_code}
    return Seen(report, codes), others


def _expected(report: dict[str, Any], where: str) -> Any:
    statuses = {name: check["status"] for name, check in report["checks"].items()}
    return {
        "each check": statuses,
        "codes of checks": {name: 503 if status == "unhealthy" else 200 for name, status in statuses.items()},
        "ready": 503 if report["status"] == "unhealthy" else 200,
        "resource": _said(report),
        "tool": (report["status"], report["score"], statuses),
        "figures": (report["score"], {status: list(statuses.values()).count(status) for status in VALUES}),
        "metrics": ({name: VALUES[status] for name, status in statuses.items()}, report["score"]),
    }[where]


def _said(report: dict[str, Any]) -> tuple[Any, ...]:
    """What does not change from look to look as long as nothing happens."""
    return (
        report["status"],
        report["score"],
        report["instance_id"],
        {name: (check["status"], check["critical"]) for name, check in report["checks"].items()},
    )
