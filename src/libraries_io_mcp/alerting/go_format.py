"""Numbers as Go prints them, and Prometheus' humanize functions on top of that.

Each function gives to the letter what Prometheus 3 gives for the same number.
"""

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

VERB: Final = re.compile(r"%(?P<flags>[-+]?)(?P<width>[0-9]*)(?:\.(?P<precision>[0-9]*))?(?P<verb>.|$)", re.DOTALL)
"""One directive of `printf`, among them `%%`; `verb` is empty when the text ends before it."""
NUMBER_VERBS: Final = "efgv"
TEXT_VERBS: Final = "sv"

_LARGE: Final = ("", "k", "M", "G", "T", "P", "E", "Z", "Y")
_SMALL: Final = ("", "m", "u", "n", "p", "f", "a", "z", "y")
_BINARY: Final = ("", "ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi")
_EXPONENT_FROM: Final = 6
_LONGEST_WIDTH: Final = 1000
_NANOSECONDS: Final = 1 << 63
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def number(value: float) -> str:
    """A number as `{{ $value }}` shows it: the shortest digits that mean it, an exponent from 1e+06 on."""
    if not math.isfinite(value):
        return _not_finite(value)
    digits, exponent = _shortest(value)
    if exponent < -4 or exponent >= _EXPONENT_FROM:
        return _scientific(value, digits, exponent)
    return _plain(value, digits, exponent)


def printf(form: str, *values: float | str) -> str:
    """Go's `printf` for the directives that `check_printf` lets through."""
    remaining = iter(values)
    return VERB.sub(lambda match: "%" if match["verb"] == "%" else _directive(match, next(remaining)), form)


def check_printf(form: str, kinds: tuple[type, ...]) -> str | None:
    """What is wrong with a format for values of these kinds (`float` or `str`), or `None`."""
    used = 0
    for match in VERB.finditer(form):
        verb, spec = match["verb"], match[0]
        if spec == "%%":
            continue
        if verb == "%" or not verb:
            return f"printf: {spec!r} is no directive"
        if used == len(kinds):
            return f"printf: no value for {spec!r}"
        allowed = NUMBER_VERBS if kinds[used] is float else TEXT_VERBS
        if verb not in allowed:
            return f"printf: {spec!r} is not supported for a {'number' if kinds[used] is float else 'text'}"
        if int(match["width"] or 0) > _LONGEST_WIDTH or int(match["precision"] or 0) > _LONGEST_WIDTH:
            return f"printf: {spec!r} is too wide"
        used += 1
    return None if used == len(kinds) else "printf: more values than directives"


def humanize(value: float) -> str:
    """Metric prefixes: 1234567 is `1.235M`."""
    if value == 0 or not math.isfinite(value):
        return _four(value)
    if abs(value) >= 1:
        return _scaled(value, 1000.0, _LARGE)
    return _magnified(value)


def humanize_1024(value: float) -> str:
    """Binary prefixes: 2048 is `2ki`."""
    if not math.isfinite(value) or abs(value) <= 1:
        return _four(value)
    return _scaled(value, 1024.0, _BINARY)


def humanize_duration(value: float) -> str:
    """Seconds as days to milliseconds: 3725 is `1h 2m 5s`."""
    if not math.isfinite(value):
        return _four(value)
    if value == 0:
        return f"{_four(value)}s"
    if abs(value) < 1:
        return f"{_magnified(value)}s"
    sign, value = ("-", -value) if value < 0 else ("", value)
    minutes, seconds = divmod(int(value), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if not (days or hours or minutes):
        return f"{sign}{_four(value)}s"
    largest_first = f"{days}d {hours}h {minutes}m {seconds}s".split()
    return sign + " ".join(largest_first[0 if days else 1 if hours else 2 :])


def humanize_percentage(value: float) -> str:
    """A ratio as a percentage: 0.1234 is `12.34%`."""
    return f"{_four(value * 100)}%"


def humanize_timestamp(value: float) -> str:
    """Seconds since 1970 as a date and time in UTC, to the millisecond.

    Raises:
        ValueError: the time is outside the years 1677 to 2262, which Prometheus can't show.
    """
    if not math.isfinite(value):
        return _four(value)
    nanoseconds = value * 1e9
    if not -_NANOSECONDS <= nanoseconds <= _NANOSECONDS:
        raise ValueError(f"{number(value)} cannot be represented as a nanoseconds timestamp since it overflows int64")
    # Go divides towards zero.
    milliseconds = math.trunc(math.trunc(nanoseconds) / 1_000_000)
    moment = _EPOCH + timedelta(milliseconds=milliseconds)
    fraction = f"{moment.microsecond:06d}".rstrip("0")
    return f"{moment:%Y-%m-%d %H:%M:%S}{'.' if fraction else ''}{fraction} +0000 UTC"


HUMANIZE: Final[Mapping[str, Callable[[float], str]]] = {
    "humanize": humanize,
    "humanize1024": humanize_1024,
    "humanizeDuration": humanize_duration,
    "humanizePercentage": humanize_percentage,
    "humanizeTimestamp": humanize_timestamp,
}
"""By their names in templates."""


def _not_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "+Inf" if value > 0 else "-Inf"


def _four(value: float) -> str:
    """`%.4g`."""
    return f"{value:.4g}" if math.isfinite(value) else _not_finite(value)


def _scaled(value: float, step: float, prefixes: tuple[str, ...]) -> str:
    index = 0
    while abs(value) >= step and index < len(prefixes) - 1:
        value /= step
        index += 1
    return f"{_four(value)}{prefixes[index]}"


def _magnified(value: float) -> str:
    index = 0
    while abs(value) < 1 and index < len(_SMALL) - 1:
        value *= 1000
        index += 1
    return f"{_four(value)}{_SMALL[index]}"


def _shortest(value: float) -> tuple[str, int]:
    """The fewest digits that mean this number, and the exponent of the first one."""
    mantissa, _, exponent = f"{value!r}".lstrip("-").partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = f"{whole}{fraction}"
    leading = len(digits) - len(digits.lstrip("0"))
    stripped = digits.strip("0")
    if not stripped:
        return "0", 0
    return stripped, len(whole) - 1 - leading + int(exponent or 0)


def _scientific(value: float, digits: str, exponent: int) -> str:
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{_sign(value)}{digits[0]}{fraction}e{exponent:+03d}"


def _plain(value: float, digits: str, exponent: int) -> str:
    if exponent < 0:
        return f"{_sign(value)}0.{'0' * (-exponent - 1)}{digits}"
    whole = digits[: exponent + 1].ljust(exponent + 1, "0")
    fraction = digits[exponent + 1 :]
    return f"{_sign(value)}{whole}{'.' if fraction else ''}{fraction}"


def _sign(value: float) -> str:
    return "-" if math.copysign(1, value) < 0 else ""


def _directive(match: re.Match[str], value: float | str) -> str:
    width = int(match["width"] or 0)
    if isinstance(value, str):
        precision = match["precision"]
        text = value if precision is None else value[: int(precision or 0)]
    else:
        text = _formatted(match, value)
    return text.ljust(width) if match["flags"] == "-" else text.rjust(width)


def _formatted(match: re.Match[str], value: float) -> str:
    verb, precision = match["verb"], match["precision"]
    if not math.isfinite(value):
        text = _not_finite(value)
    elif precision is None and verb in "gv":
        text = number(value)
    else:
        text = format(value, f".{6 if precision is None else int(precision or 0)}{'g' if verb == 'v' else verb}")
    # For %v a plus sign means something else in Go, and nothing for a number.
    return f"+{text}" if match["flags"] == "+" and verb != "v" and text[0] not in "+-" else text
