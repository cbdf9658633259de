"""The variables that OpenTelemetry's SDK reads by itself: our defaults, and what would end in a traceback there.

OpenTelemetry's specification asks to warn of a value that can't be used and to go on with the default: such variables
are often set for a whole fleet, and no program should refuse to start for want of a propagator.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import Final

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
_SAMPLERS: Final = tuple(
    f"{parent}{kind}" for parent in ("", "parentbased_") for kind in ("always_on", "always_off", "traceidratio")
)
_WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "OTEL_METRICS_EXEMPLAR_FILTER": ("trace_based", "always_on", "always_off"),
    "OTEL_TRACES_SAMPLER": _SAMPLERS,
    **{
        f"OTEL_EXPORTER_OTLP_{signal}COMPRESSION": ("gzip", "deflate", "none")
        for signal in ("", "TRACES_", "METRICS_", "LOGS_")
    },
}
"""Variables that are one word of a few."""
_PARTS: Final[Mapping[str, str]] = {
    "OTEL_PROPAGATORS": "opentelemetry_propagator",
    "OTEL_EXPERIMENTAL_RESOURCE_DETECTORS": "opentelemetry_resource_detector",
    "OTEL_PYTHON_CONTEXT": "opentelemetry_context",
    "OTEL_PYTHON_TRACER_PROVIDER": "opentelemetry_tracer_provider",
    "OTEL_PYTHON_METER_PROVIDER": "opentelemetry_meter_provider",
    "OTEL_PYTHON_LOGGER_PROVIDER": "opentelemetry_logger_provider",
}
"""Variables that name installed parts, and the entry points by which parts announce themselves."""
_PACKAGES: Final[Mapping[str, str]] = {
    "b3": "opentelemetry-propagator-b3",
    "b3multi": "opentelemetry-propagator-b3",
    "jaeger": "opentelemetry-propagator-jaeger",
    "ottrace": "opentelemetry-propagator-ot-trace",
    "xray": "opentelemetry-propagator-aws-xray",
}
"""What brings the propagators that OpenTelemetry's specification names."""


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


def prepare_opentelemetry() -> tuple[str, ...]:
    """Put `.env` and our defaults where the SDK looks for them: it reads the environment of the process alone.

    Returns:
        A line for each value that can't be used; the default takes its place.
    """
    given = {**OPENTELEMETRY_DEFAULTS, **{name: value for name, value in env_file().items() if value}}
    for name, value in given.items():
        # An empty one is as good as none to us; the SDK would try to read a number from it.
        if name.startswith("OTEL_") and value and not os.environ.get(name):
            os.environ[name] = value
    broken = tuple(_replace_broken())
    for queue in ("OTEL_BSP", "OTEL_BLRP"):
        _fit_batch(f"{queue}_MAX_EXPORT_BATCH_SIZE", f"{queue}_MAX_QUEUE_SIZE")
    return broken


def opentelemetry_remarks() -> Iterator[str]:
    """What is asked of OpenTelemetry and not done."""
    wanted = os.environ.get(TEMPORALITY) or "cumulative"
    if wanted.strip().lower() != "cumulative":
        yield f"{TEMPORALITY}={wanted!r}: passed over; metrics are always cumulative"


def forget(name: str) -> str:
    """Have the SDK use the default of a variable; what that is, in words."""
    default = OPENTELEMETRY_DEFAULTS.get(name)
    if default is None:
        os.environ.pop(name, None)
        return "the default is used"
    os.environ[name] = default
    return f"the default is used ({default})"


def _replace_broken() -> Iterator[str]:
    for name in (*OPENTELEMETRY_NUMBERS, *_WORDS, "OTEL_TRACES_SAMPLER_ARG", *_PARTS):
        if os.environ.get(name) == "":
            del os.environ[name]
    for name, number in OPENTELEMETRY_NUMBERS.items():
        text = os.environ.get(name)
        if text is not None and not number.permits(text):
            yield _replaced(name, text, number.allowed)
    for name, words in _WORDS.items():
        text = os.environ.get(name)
        if text is not None and text.strip().lower() not in words:
            yield _replaced(name, text, " or ".join((", ".join(words[:-1]), words[-1])))
    ratio = os.environ.get("OTEL_TRACES_SAMPLER", "").lower().endswith("traceidratio")
    share, rate = Number(0, 1, whole=False), os.environ.get("OTEL_TRACES_SAMPLER_ARG")
    if ratio and rate and not share.permits(rate):
        yield _replaced("OTEL_TRACES_SAMPLER_ARG", rate, share.allowed)
    for name, group in _PARTS.items():
        yield from _keep_installed(name, group)


def _keep_installed(name: str, group: str) -> Iterator[str]:
    text = os.environ.get(name)
    if text is None:
        return
    wanted = [word.strip() for word in text.split(",") if word.strip()]
    known = {"none", "*", *(entry.name for entry in entry_points(group=group))}
    missing = [word for word in wanted if word not in known]
    if not missing:
        return
    packages = sorted({_PACKAGES[word] for word in missing if word in _PACKAGES})
    advice = f"install {', '.join(packages)}" if packages else "install what brings it, or correct the name"
    rest = [word for word in wanted if word in known]
    if rest:
        os.environ[name] = ",".join(rest)
    used = f"the others are used ({', '.join(rest)})" if rest else forget(name)
    yield f"{name}={text!r}: {', '.join(missing)} is not installed; {advice}; until then {used}"


def _fit_batch(batch: str, queue: str) -> None:
    """A batch larger than its queue is refused by the SDK, and who makes a queue smaller means the batches, too."""
    os.environ[batch] = str(min(int(os.environ[batch]), int(os.environ[queue])))


def _replaced(name: str, value: str, allowed: str) -> str:
    return f"{name}={value!r}: not allowed; allowed: {allowed}; {forget(name)}"


def queue_size(queue: str) -> int:
    """For how many items a queue of the SDK has room: `OTEL_BSP` or `OTEL_BLRP`."""
    name = f"{queue}_MAX_QUEUE_SIZE"
    return int(os.environ.get(name) or OPENTELEMETRY_DEFAULTS[name])
