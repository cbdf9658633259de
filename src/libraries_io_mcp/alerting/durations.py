"""Durations as Prometheus writes them: `1h30m`, `2w`, `500ms`, `0`."""

import re
from typing import Final

UNITS: Final = (
    ("y", 31_536_000.0),
    ("w", 604_800.0),
    ("d", 86_400.0),
    ("h", 3_600.0),
    ("m", 60.0),
    ("s", 1.0),
    ("ms", 0.001),
)
"""Units with their seconds, largest first: the order in which they may stand."""
LONGEST_SECONDS: Final = float((1 << 63) - 1) / 1e9
"""Prometheus counts in nanoseconds of 63 bits: 292 years."""

_WHOLE: Final = re.compile("".join(f"(?:([0-9]+){unit})?" for unit, _seconds in UNITS))


def parse_duration(text: str) -> float:
    """Seconds of a duration.

    Raises:
        ValueError: not a duration, units out of order or repeated, or longer than 292 years. One line.
    """
    if text == "0":
        return 0.0
    match = _WHOLE.fullmatch(text)
    if not text or match is None:
        raise ValueError(f"{text!r} is no duration such as 30s, 5m or 1h30m")
    parts = zip(match.groups(), UNITS, strict=True)
    # Whole milliseconds, so that 1m0.1s and its like never differ in the last digit.
    milliseconds = sum(int(count) * round(seconds * 1000) for count, (_unit, seconds) in parts if count)
    if milliseconds / 1000 > LONGEST_SECONDS:
        raise ValueError(f"{text!r} is longer than 292 years")
    return milliseconds / 1000
