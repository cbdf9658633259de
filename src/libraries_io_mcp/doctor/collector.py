"""The telemetry's ways out: whether a Collector, or whoever listens there, takes an empty export of each signal."""

import asyncio
import logging
from contextlib import suppress
from typing import Final

from libraries_io_mcp.doctor.finding import Finding
from libraries_io_mcp.settings import Settings, TelemetrySettings
from libraries_io_mcp.telemetry.reasons import reason
from libraries_io_mcp.telemetry.semconv import Signal

SECONDS: Final = 6.0
SIGNALS: Final[tuple[Signal, ...]] = ("traces", "metrics", "logs")
ADVICE: Final = (
    "Start the Collector, or correct OTEL_EXPORTER_OTLP_ENDPOINT (http/protobuf: port 4318, grpc: port 4317), its "
    "headers and certificate."
)


def load_exporters(settings: Settings) -> None:
    """Do what would stop all other looks while it lasts. What goes wrong is found again by the look itself."""
    # Imported here for start-up time: the SDK and its exporters.
    from libraries_io_mcp.telemetry.trying import load_exporter  # noqa: PLC0415

    for signal in SIGNALS:
        if settings.telemetry.otlp(signal):
            with suppress(Exception):
                load_exporter(settings.telemetry, signal)


async def examine_collector(settings: Settings) -> tuple[Finding, ...]:
    """Finding `collector`."""
    telemetry = settings.telemetry
    if telemetry.sdk_disabled:
        return (Finding("collector", "skipped", "OTEL_SDK_DISABLED", "telemetry is switched off"),)
    sent = [signal for signal in SIGNALS if telemetry.otlp(signal)]
    if not sent:
        found = "no endpoint is set: nothing is sent by OTLP"
        return (Finding("collector", "skipped", "OTEL_EXPORTER_OTLP_ENDPOINT", found),)
    # What exporters log is taken by the attempt; nothing else is to be written between the findings.
    logging.getLogger("opentelemetry").propagate = False
    refusals = await asyncio.gather(*(asyncio.to_thread(_refusal, telemetry, signal) for signal in sent))
    endpoints = dict.fromkeys(_endpoint(telemetry, signal) for signal in sent)
    tried = f"an empty export of {', '.join(sent)} to {', '.join(endpoints)}"
    wrong: dict[str, list[str]] = {}
    for signal, refusal in zip(sent, refusals, strict=True):
        if refusal is not None:
            wrong.setdefault(refusal, []).append(signal)
    if not wrong:
        return (Finding("collector", "ok", tried, "taken"),)
    found = "; ".join(f"{', '.join(signals)} not taken: {refusal}" for refusal, signals in wrong.items())
    return (Finding("collector", "warning", tried, found, ADVICE),)


def _refusal(telemetry: TelemetrySettings, signal: Signal) -> str | None:
    from libraries_io_mcp.telemetry.trying import try_otlp  # noqa: PLC0415 - start-up time

    try:
        return try_otlp(telemetry, signal, SECONDS)
    except Exception as error:  # an exporter that can't be made, such as for a certificate file that is not there
        return reason(error)


def _endpoint(telemetry: TelemetrySettings, signal: Signal) -> str:
    own: str | None = getattr(telemetry, f"exporter_otlp_{signal}_endpoint")
    return f"{own or telemetry.exporter_otlp_endpoint} ({telemetry.protocol(signal)})"
