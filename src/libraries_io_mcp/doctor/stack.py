"""Prometheus and Alertmanager: whether they answer, and whether Prometheus has our rules."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import httpx

from libraries_io_mcp.alerting.rules import AlertingRule, default_rules, load_rules
from libraries_io_mcp.doctor.finding import Finding
from libraries_io_mcp.settings import Settings
from libraries_io_mcp.settings.alerts import parse_headers
from libraries_io_mcp.telemetry.reasons import reason
from libraries_io_mcp.tls import trust

SECONDS: Final = 6.0
_SHOWN: Final = 5


async def examine_prometheus(settings: Settings) -> tuple[Finding, ...]:
    """Finding `prometheus`."""
    url = settings.prometheus.url
    if url is None:
        found = "not set: this server evaluates the rules itself"
        return (Finding("prometheus", "skipped", "PROMETHEUS_URL", found),)
    tried = f"GET {url}/api/v1/rules"
    answer = await _json(f"{url}/api/v1/rules?type=alert")
    if isinstance(answer, str):
        advice = "Start Prometheus or correct PROMETHEUS_URL; until then this server evaluates the rules itself."
        return (Finding("prometheus", "warning", tried, answer, advice),)
    try:
        theirs = {rule["name"] for group in answer["data"]["groups"] for rule in group["rules"]}
    except (KeyError, TypeError):
        advice = "There is no Prometheus at this address: correct PROMETHEUS_URL."
        return (Finding("prometheus", "warning", tried, "an answer that is not Prometheus'", advice),)
    missing = sorted(_own_alerts(settings.alerts.rules_path) - theirs)
    if missing:
        names = ", ".join(missing[:_SHOWN]) + (", ..." if len(missing) > _SHOWN else "")
        found = f"it answers and lacks {len(missing)} of our alert rules: {names}"
        advice = "Load the rule files by `rule_files` of its configuration (docs/stack.md), then reload it."
        return (Finding("prometheus", "warning", tried, found, advice),)
    return (Finding("prometheus", "ok", tried, f"it has all of our {len(theirs)} alert rules"),)


async def examine_alertmanager(settings: Settings) -> tuple[Finding, ...]:
    """Finding `alertmanager`."""
    given = settings.alertmanager
    url = given.url
    if url is None:
        return (Finding("alertmanager", "skipped", "ALERTMANAGER_URL", "not set"),)
    tried = f"GET {url}/api/v2/status"
    headers = parse_headers(given.headers.get_secret_value()) if given.headers else {}
    password = given.password.get_secret_value() if given.password else ""
    login = httpx.BasicAuth(given.username, password) if given.username else None
    answer = await _json(f"{url}/api/v2/status", headers, login)
    if isinstance(answer, str):
        advice = "Start Alertmanager or correct ALERTMANAGER_URL; until then e-mail and webhook are used, if set."
        return (Finding("alertmanager", "warning", tried, answer, advice),)
    if not isinstance(answer, dict) or "versionInfo" not in answer:
        advice = "There is no Alertmanager at this address: correct ALERTMANAGER_URL."
        return (Finding("alertmanager", "warning", tried, "an answer that is not Alertmanager's", advice),)
    return (Finding("alertmanager", "ok", tried, "it answers"),)


async def _json(url: str, headers: Mapping[str, str] | None = None, login: httpx.BasicAuth | None = None) -> Any:
    """The decoded answer, or as a text what was wrong with it."""
    try:
        async with httpx.AsyncClient(trust_env=False, verify=trust(), timeout=SECONDS) as client:
            reply = await client.get(url, headers=headers, auth=login)
        return reply.raise_for_status().json()
    except httpx.HTTPStatusError as error:
        return f"status {error.response.status_code}"
    except ValueError:
        return "an answer that is no JSON"
    except (httpx.HTTPError, OSError) as error:
        return "no answer in time" if isinstance(error, httpx.TimeoutException) else reason(error)


def _own_alerts(path: Path | None) -> set[str]:
    loaded = load_rules(path or default_rules())
    return {rule.name for group in loaded.groups for rule in group.rules if isinstance(rule, AlertingRule)}
