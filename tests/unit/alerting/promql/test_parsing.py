"""What is read, what is refused and how that is said, and how far back an expression looks."""

import pytest
from tests.support.promql_series import load

from libraries_io_mcp.alerting.promql import BadPromQL, UnsupportedPromQL, parse

NOTHING = load(15, {})


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("up", 300),
        ("rate(up[10m])", 600),
        ("up offset 1h", 3900),
        ("rate(up[10m] offset 1h)", 4200),
        ("max_over_time(rate(up[5m])[1h:30s] offset 10m)", 4500),
        ("max_over_time(up[1h:30s])", 3900),
        ("up offset -1h", 0),
        ("sum(rate(a[5m])) / sum(rate(b[20m]))", 1200),
        ("vector(time())", 0),
    ],
)
def test_how_far_back_it_looks(text: str, seconds: float) -> None:
    """The longest range with its offset, the five minutes of an instant selector included."""
    assert parse(text).range_seconds == seconds


def test_what_it_needs_of_each_metric() -> None:
    """By name, so that nothing else has to be kept; None for a selector that names none."""
    needs = parse('rate(a[1m]) + on () group_left () b or topk(1, {job="x"} offset 1m) or a').needs
    assert needs == {"a": 300, "b": 300, None: 360}


@pytest.mark.parametrize(
    ("text", "construct"),
    [
        ("info(up)", "info()"),
        ("mad_over_time(up[5m])", "mad_over_time()"),
        ("histogram_fraction(0, 1, up)", "histogram_fraction()"),
        ("histogram_count(up)", "histogram_count()"),
        ("double_exponential_smoothing(up[5m], 0.5, 0.5)", "double_exponential_smoothing()"),
        ("limitk(1, up)", "limitk()"),
        ("limit_ratio(0.5, up)", "limit_ratio()"),
        ("up @ 1700000000", "@ with a time"),
        ("max_over_time(up[5m:])", "a subquery without a step"),
        ("up + fill (0) up", "fill()"),
        ("up atan2 up", "atan2"),
        ('up{a="1" or a="2"}', "or between label matchers"),
        ('up{a="\\xff"}', "an escape for a byte above 127"),
        (r'up{a=~"\\pL+"}', r"\p in a regular expression"),
        (r"up{a=~`\d`}", "a backslash between backticks"),
        ('up{a=~"(?i)x"}', "(? in a regular expression"),
        ('label_replace(up, "a", "", "b", "x++")', "++ in a regular expression"),
    ],
)
def test_unsupported_names_the_construct(text: str, construct: str) -> None:
    """PromQL, or near it, that is refused rather than evaluated otherwise than Prometheus would."""
    with pytest.raises(UnsupportedPromQL) as refused:
        parse(text)
    assert refused.value.construct == construct
    assert str(refused.value).startswith(f"{construct}: ")


@pytest.mark.parametrize(
    "text",
    [
        "sum(",
        "nonsense(up)",
        "up[5m]",
        '"text"',
        "{}",
        '{job=~".*"}',
        "rate(up)",
        "abs(up[5m])",
        "1 > 2",
        "up and 1",
        "up + on (job) 1",
        "up + bool up",
        "up and on (job) group_left () up",
        "up + on (job) group_left (job) up",
        "topk(up, up)",
        'count_values("", up)',
        "sum(1)",
        "clamp(up, 1)",
        "clamp(up, 1, 2, 3)",
        "rate(up[5m], 1)",
        "histogram_quantile(up, up)",
        'label_replace(up, "", "", "", "")',
        'label_replace(up, "a", "", "b", "(")',
        'label_join(up, "a", ",", "")',
        '-"a"',
        "",
    ],
)
def test_what_prometheus_would_not_take(text: str) -> None:
    """A mistake, said as one."""
    with pytest.raises(BadPromQL) as refused:
        parse(text)
    assert str(refused.value)


def test_a_scalar_is_a_number() -> None:
    """An instant vector is a list, a scalar is not."""
    assert parse("2 ^ 10 - 1").at(NOTHING, 0.0) == 1023.0
    assert parse("time()").at(NOTHING, 12.345) == 12.345
    assert parse("up").at(NOTHING, 0.0) == []
