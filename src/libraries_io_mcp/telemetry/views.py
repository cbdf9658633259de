"""Holds what official instrumentations measure to the attributes that `semconv` declares; the rest is dropped."""

from opentelemetry.sdk.metrics.view import View

from libraries_io_mcp.telemetry import semconv


def views() -> list[View]:
    """One view for each metric that is not our own. Our own are held to their sets where they are recorded."""
    return [
        View(instrument_name=metric.name, attribute_keys={str(attribute) for attribute in metric.attributes})
        for metric in semconv.FOREIGN_METRICS
    ]
