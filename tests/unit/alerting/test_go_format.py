"""Numbers as Go prints them. The expected texts are Go's own; many more are compared in tests/e2e."""

import math

import pytest

from libraries_io_mcp.alerting.go_format import HUMANIZE, check_printf, number, printf

NUMBERS = [
    (0.0, "0"),
    (-0.0, "-0"),
    (100000.0, "100000"),
    (1e6, "1e+06"),
    (123456789.0, "1.23456789e+08"),
    (0.0001, "0.0001"),
    (1e-5, "1e-05"),
    (0.000123, "0.000123"),
    (12.345, "12.345"),
    (1.5e22, "1.5e+22"),
    (5e-324, "5e-324"),
    (math.inf, "+Inf"),
    (-math.inf, "-Inf"),
]


@pytest.mark.parametrize(("value", "text"), NUMBERS)
def test_a_number(value: float, text: str) -> None:
    assert number(value) == text


def test_not_a_number() -> None:
    assert number(math.nan) == "NaN"
    assert {name: function(math.nan) for name, function in HUMANIZE.items()} == {
        **dict.fromkeys(HUMANIZE, "NaN"),
        "humanizePercentage": "NaN%",
    }


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        ("%.2f", 12.345, "12.35"),
        ("%f", 1e-5, "0.000010"),
        ("%e", 12.345, "1.234500e+01"),
        ("%.3g", 123456789.0, "1.23e+08"),
        ("%g", 1e6, "1e+06"),
        ("%8.2f|", -2.5, "   -2.50|"),
        ("%-8.2f|", -2.5, "-2.50   |"),
        ("%+.2f", 1.0, "+1.00"),
        ("%+f", math.inf, "+Inf"),
        ("%+v", 1.0, "1"),
        ("%.2v", 100000.0, "1e+05"),
        ("%.f%%", 12.5, "12%"),
        ("%5s|", "abc", "  abc|"),
        ("%-5s|", "abc", "abc  |"),
        ("%.2s", "abc", "ab"),
    ],
)
def test_printf(form: str, value: float | str, text: str) -> None:
    assert check_printf(form, (type(value),)) is None
    assert printf(form, value) == text


@pytest.mark.parametrize(
    ("form", "kinds", "message"),
    [
        ("%d", (float,), "'%d' is not supported for a number"),
        ("%s", (float,), "'%s' is not supported for a number"),
        ("%f", (str,), "'%f' is not supported for a text"),
        ("%f%f", (float,), "no value for '%f'"),
        ("%f", (float, float), "more values than directives"),
        ("%", (float,), "'%' is no directive"),
        ("%5%", (), "'%5%' is no directive"),
        ("%99999f", (float,), "too wide"),
        ("%[1]f", (float,), "'%[' is not supported"),
    ],
)
def test_what_printf_does_not_know(form: str, kinds: tuple[type, ...], message: str) -> None:
    assert message in (check_printf(form, kinds) or "")


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("humanize", 0.0, "0"),
        ("humanize", 999.95, "1000"),
        ("humanize", 1234567.0, "1.235M"),
        ("humanize", -0.00012, "-120u"),
        ("humanize", 1e30, "1e+06Y"),
        ("humanize1024", 1.0, "1"),
        ("humanize1024", 2048.0, "2ki"),
        ("humanize1024", 0.5, "0.5"),
        ("humanizeDuration", 0.0, "0s"),
        ("humanizeDuration", 0.0123, "12.3ms"),
        ("humanizeDuration", 59.99, "59.99s"),
        ("humanizeDuration", 60.0, "1m 0s"),
        ("humanizeDuration", -3725.5, "-1h 2m 5s"),
        ("humanizeDuration", 90061.0, "1d 1h 1m 1s"),
        ("humanizePercentage", 0.12345, "12.35%"),
        ("humanizeTimestamp", 0.0, "1970-01-01 00:00:00 +0000 UTC"),
        ("humanizeTimestamp", 1435065584.128, "2015-06-23 13:19:44.128 +0000 UTC"),
        ("humanizeTimestamp", -0.25, "1969-12-31 23:59:59.75 +0000 UTC"),
    ],
)
def test_humanize(name: str, value: float, text: str) -> None:
    assert HUMANIZE[name](value) == text


def test_a_time_that_prometheus_can_not_show() -> None:
    with pytest.raises(ValueError, match=r"1e\+12 cannot be represented"):
        HUMANIZE["humanizeTimestamp"](1e12)
