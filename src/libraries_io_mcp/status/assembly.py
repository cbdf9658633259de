"""Puts the page together from what the server has."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from fastmcp import FastMCP

from libraries_io_mcp.librariesio.vitals import Vitals
from libraries_io_mcp.settings import Settings
from libraries_io_mcp.status import facts
from libraries_io_mcp.status.feed import Feed
from libraries_io_mcp.status.routes import add_status_routes
from libraries_io_mcp.status.sources import Part, Sources
from libraries_io_mcp.telemetry.providers import Telemetry
from libraries_io_mcp.telemetry.series import Series
from libraries_io_mcp.telemetry.summary import Summary


def add_status_page(
    server: FastMCP,
    *,
    settings: Settings,
    telemetry: Telemetry,
    vitals: Vitals,
    summary: Summary,
    series: Series,
    about: Mapping[str, Any],
    more: Mapping[str, Part],
    now: Callable[[], float] = time.time,
) -> None:
    """Add the page and its routes. `more` are parts of others: `health`, `alerts`, `alert_history`.

    `about` says which server it is and never changes.
    """
    off = settings.telemetry.sdk_disabled
    # Neither of these changes while the server runs.
    in_force = facts.settings(settings, telemetry.redactor)
    started = now()
    parts: dict[str, Part] = {
        "server": lambda: {**about, "started_at": started, "telemetry_off": off, "series": series.facts()},
        "figures": lambda: facts.figures(summary),
        "quota": lambda: facts.quota(vitals.quota(), now()),
        "breakers": lambda: facts.breakers(vitals.breakers()),
        "cache": lambda: facts.cache(vitals.cache(), vitals.store_kind),
        "telemetry": lambda: facts.telemetry(telemetry.deliveries(), telemetry.logging.facts(), off=off),
        "settings": lambda: in_force,
        **more,
    }
    if telemetry.recent_traces is not None:
        parts["traces"] = telemetry.recent_traces.facts
    sources = Sources(parts, series, telemetry.recent_traces, telemetry.log_tail)
    add_status_routes(server, Feed(sources, now=now), telemetry.recent_traces)
