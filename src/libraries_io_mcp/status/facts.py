"""The parts' own objects as the plain facts that the page shows; each is computed elsewhere."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final

from pydantic import SecretStr

from libraries_io_mcp.librariesio.quota import QuotaStatus
from libraries_io_mcp.librariesio.vitals import BreakerFacts, CacheFacts
from libraries_io_mcp.settings import Group, Settings, variable
from libraries_io_mcp.telemetry.deliveries import Delivery
from libraries_io_mcp.telemetry.logs.destinations import DestinationFacts
from libraries_io_mcp.telemetry.redaction import MASK, Redactor
from libraries_io_mcp.telemetry.series import rows_of
from libraries_io_mcp.telemetry.summary import Summary

UNSET: Final = None


def figures(summary: Summary) -> dict[str, Any]:
    """The summary, all tools together, and the slice of time that is just going on."""
    latest = summary.latest()
    return {
        **latest.facts,
        "tools": latest.tools,
        "slice": {"number": latest.number, "seconds": round(latest.seconds, 1), **rows_of(latest.operations)},
    }


def telemetry(deliveries: Iterable[Delivery], destinations: Iterable[DestinationFacts], *, off: bool) -> dict[str, Any]:
    """Each way out for each signal, and where log lines go. `off`: telemetry is switched off, so nothing is made."""
    return {
        "off": off,
        "ways": [{**asdict(each), "waiting": each.waiting} for each in deliveries],
        "destinations": [asdict(each) for each in destinations],
    }


def cache(facts: CacheFacts, store_kind: str) -> dict[str, Any]:
    """The cache, with the sum of its look-ups."""
    return {**asdict(facts), "total": sum(facts.lookups.values()), "store": store_kind}


def quota(status: QuotaStatus, now: float) -> dict[str, Any]:
    """The budget; the end of its window as a moment, so that it changes only when the window does."""
    known = asdict(status)
    left = known.pop("resets_in_seconds")
    return {**known, "resets_at": round(now + left)}


def breakers(facts: Mapping[str, BreakerFacts]) -> dict[str, Any]:
    """The circuit breakers by endpoint group."""
    return {group: asdict(each) for group, each in facts.items()}


def settings(given: Settings, redactor: Redactor) -> list[dict[str, Any]]:
    """Every setting in force by its variable. A secret says only that it is set."""
    groups = [group for name in given.__slots__ if isinstance(group := getattr(given, name), Group)]
    return [
        {
            "variable": variable(type(group), name),
            "value": _shown(getattr(group, name), redactor),
            "is_default": name not in group.model_fields_set,
            "description": field.description,
        }
        for group in groups
        for name, field in type(group).model_fields.items()
    ]


def _shown(value: Any, redactor: Redactor) -> str | None:
    if value is None or value == ():
        return UNSET
    if isinstance(value, SecretStr):
        return MASK if value.get_secret_value() else UNSET
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return redactor.text(", ".join(str(each) for each in value))
    return redactor.text(str(value))
