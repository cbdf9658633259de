"""Series in the notation of promtool's unit tests, and expressions over them."""

import re
from collections.abc import Mapping

from tests.support.recorded_series import RecordedSeries

from libraries_io_mcp.alerting.promql import STALE, parse

_NAME = re.compile(r"(?P<name>\w*)(?:\{(?P<labels>.*)\})?")
_LABEL = re.compile(r'(\w+)="([^"]*)"')
Found = dict[str, float]


def load(interval: float, series: Mapping[str, str], start: float = 0.0) -> RecordedSeries:
    """Series by selector, values apart by spaces, one each `interval` seconds: `_` for none, `stale` for the marker."""
    return RecordedSeries(
        [
            (
                labels(name),
                [(start + interval * at, _value(value)) for at, value in enumerate(values.split()) if value != "_"],
            )
            for name, values in series.items()
        ]
    )


def labels(selector: str) -> dict[str, str]:
    """`up{job="a"}` as labels."""
    read = _NAME.fullmatch(selector)
    assert read, selector
    name = {"__name__": read["name"]} if read["name"] else {}
    return name | dict(_LABEL.findall(read["labels"] or ""))


def ask(storage: RecordedSeries, text: str, time: float) -> Found | float:
    """The elements by selector, sorted by label names; or the number."""
    found = parse(text).at(storage, time)
    return found if isinstance(found, float) else {written(dict(each.labels)): each.value for each in found}


def written(given: dict[str, str]) -> str:
    """Labels as a selector."""
    name = given.pop("__name__", "")
    inside = ", ".join(f'{label}="{value}"' for label, value in sorted(given.items()))
    return f"{name}{{{inside}}}" if inside else name or "{}"


def _value(text: str) -> float:
    return STALE if text == "stale" else float(text)
