"""Names of metrics and labels as Prometheus' OTLP receiver makes them (translation `UnderscoreEscapingWithSuffixes`).

The rules of its library `otlptranslator`; `tests/e2e/test_sample_names.py` holds them against the real server.
"""

import json
import re
from decimal import Decimal
from typing import Any, Final, Literal

Kind = Literal["counter", "gauge", "histogram", "up_down_counter"]

UNITS: Final = {
    **{"d": "days", "h": "hours", "min": "minutes", "s": "seconds"},
    **{"ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"},
    **{"By": "bytes", "KiBy": "kibibytes", "MiBy": "mebibytes", "GiBy": "gibibytes", "TiBy": "tibibytes"},
    **{"KBy": "kilobytes", "MBy": "megabytes", "GBy": "gigabytes", "TBy": "terabytes"},
    **{"m": "meters", "V": "volts", "A": "amperes", "J": "joules", "W": "watts", "g": "grams"},
    **{"Cel": "celsius", "Hz": "hertz", "1": "", "%": "percent"},
}
"""What a unit of UCUM is called in a name."""
PER_UNITS: Final = {"s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week", "mo": "month", "y": "year"}
"""The same after a slash."""

_NO_METRIC: Final = re.compile(r"[^A-Za-z0-9:]+")
_NO_LABEL: Final = re.compile(r"[^A-Za-z0-9]")


def metric_name(name: str, unit: str, kind: Kind) -> str:
    """`http.server.request.duration`, `s` -> `http_server_request_duration_seconds`; a counter ends with `_total`."""
    words = [word for word in _NO_METRIC.split(name) if word]
    main, per = _unit_suffixes(unit)
    if main and main not in words:
        words.append(main)
    if per and per not in words:
        words.append(per)
    last = "total" if kind == "counter" else "ratio" if unit == "1" and kind == "gauge" else None
    if last:
        words = [word for word in words if word != last] + [last]
    joined = "_".join(words)
    return f"_{joined}" if joined[:1].isdigit() else joined


def label_name(attribute: str) -> str:
    """`http.request.method` -> `http_request_method`."""
    name = _NO_LABEL.sub("_", attribute)
    if name[:1].isdigit():
        return f"key_{name}"
    return f"key{name}" if name.startswith("_") and not name.startswith("__") else name


def label_value(value: Any) -> str:
    """An attribute's value as OTLP shows it as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and 1e-6 <= abs(value) < 1e21:
        return number(value)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def number(value: float) -> str:
    """A number without an exponent and without needless zeros: the `le` of a bucket."""
    text = f"{Decimal(repr(value)):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _unit_suffixes(unit: str) -> tuple[str, str]:
    main, _, per = (part.strip() for part in unit.partition("/"))
    main = "" if "{" in main or "}" in main else _clean(UNITS.get(main, main))
    per = "" if "{" in per or "}" in per else _clean(PER_UNITS.get(per, per))
    return main.rstrip("_") if per else main, f"per_{per}".rstrip("_") if per else ""


def _clean(unit: str) -> str:
    return re.sub("_+", "_", re.sub(r"[^A-Za-z0-9:]", "_", unit)).removeprefix("_")
