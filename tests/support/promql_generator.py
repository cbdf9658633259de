"""Random series and random expressions for the comparison with Prometheus; the same seed gives the same."""

import math
import re
from collections.abc import Callable, Iterator
from random import Random
from typing import Final

from libraries_io_mcp.alerting.promql import STALE, is_stale

BASE: Final = 1_700_000_000.0
"""When the series begin, seconds since 1970."""
SPAN: Final = 2700.0
"""How long they are: less than the hour that Prometheus' head takes out of order of series."""
STEP: Final = 15.0

Recorded = list[tuple[dict[str, str], list[tuple[float, float]]]]
"""Label sets with (seconds, value), oldest first, stale markers among them."""

COUNTERS: Final = ("requests_total", "errors_total")
GAUGES: Final = ("temperature", "limit", "odd")
UNLIKE: Final = "unlike"
"""A gauge of which no two values are the same, so that a ranking has one right answer."""
JOBS: Final = ("a", "b")
INSTANCES: Final = ("1", "2", "3")
CODES: Final = ("200", "404", "500")
BOUNDS: Final = ("0.1", "0.5", "1.0", "2.5", "+Inf")
SINCE: Final = "(time() - 1.7e9)"
"""The time near zero: among numbers of ten digits, the variance of small ones depends on the order of elements."""
OFTEN: Final = 0.5


def series(random: Random) -> Recorded:
    """About seventy series: counters with resets, gauges, histograms, odd values, gaps, ends and new beginnings."""
    made: Recorded = []
    for job in JOBS:
        made.append(_recorded(random, {"__name__": "limit", "job": job, "team": random.choice("xy")}, _gauge))
        made.append(_recorded(random, {"__name__": "build_info", "job": job, "version": f"1.{job}"}, _one))
        for instance in INSTANCES:
            where = {"job": job, "instance": instance}
            made += [
                _recorded(random, {"__name__": "requests_total", "code": code} | where, _counter) for code in CODES
            ]
            made += [_recorded(random, {"__name__": name} | where, _gauge) for name in ("temperature", UNLIKE)]
            made += [
                _recorded(random, {"__name__": "errors_total"} | where, _counter),
                _recorded(random, {"__name__": "odd", "zone": random.choice("pq")} | where, _odd),
                _recorded(random, {"__name__": "moment"} | where, _moment),
            ]
        made += _histogram(random, job)
    random.shuffle(made)
    return made


def collections(recorded: Recorded) -> Iterator[tuple[float, list[tuple[dict[str, str], float]]]]:
    """The same as a process would collect it every 15 seconds: all series at one time, each that has a new sample."""
    for tick in range(int(SPAN / STEP)):
        end = BASE + STEP * tick
        latest = [(labels, _between(samples, end - STEP, end)) for labels, samples in recorded]
        yield end, [(labels, value) for labels, value in latest if value is not None]


def _between(samples: list[tuple[float, float]], start: float, end: float) -> float | None:
    inside = [value for time, value in samples if start < time <= end and not is_stale(value)]
    return inside[-1] if inside else None


def _times(random: Random) -> list[float]:
    shift = random.choice((0.0, 0.0, random.randrange(15_000) / 1000))
    step = random.choice((STEP, STEP, STEP, 30.0, 60.0, 7.0))
    jitter = random.choice((0, 0, 40))
    count = int(SPAN / step)
    return [round(BASE + shift + step * each + random.randint(0, jitter) / 1000, 3) for each in range(count)]


def _recorded(
    random: Random, labels: dict[str, str], values: Callable[[Random, int], list[float]]
) -> tuple[dict[str, str], list[tuple[float, float]]]:
    times = _times(random)
    samples = list(zip(times, values(random, len(times)), strict=True))
    return labels, _interrupted(random, samples)


def _interrupted(random: Random, samples: list[tuple[float, float]]) -> list[tuple[float, float]]:
    # Gaps, with or without a stale marker at their start; a late beginning; an early end.
    for _ in range(random.choice((0, 0, 1, 1, 2))):
        if not samples:
            break
        start = random.randrange(len(samples))
        end = min(len(samples), start + random.choice((1, 2, 5, 30, 60)))
        marker = [(samples[start][0], STALE)] if random.random() < OFTEN else []
        samples = samples[:start] + marker + samples[end:]
    if samples and random.random() < 0.2:
        samples = samples[random.randrange(len(samples)) :]
    return samples


def _counter(random: Random, count: int) -> list[float]:
    whole, value, made = random.random() < OFTEN, random.choice((0.0, 3.0, 1e6)), []
    rise = random.choice((0.1, 1.0, 50.0))
    for _ in range(count):
        if random.random() < 0.03:
            value = 0.0
        value += random.choice((0.0, rise * random.random()))
        made.append(float(math.floor(value)) if whole else value)
    return made


def _gauge(random: Random, count: int) -> list[float]:
    middle, spread = random.choice((0.0, 20.0, -300.0)), random.choice((1.0, 100.0))
    return [middle + spread * random.gauss(0, 1) for _ in range(count)]


def _odd(random: Random, count: int) -> list[float]:
    strange = [math.nan, math.inf, -math.inf, 0.0, 1e308, -1e308, 1e-100, 0.5, -2.5]
    value, made = 1.0, []
    for _ in range(count):
        if random.random() < 0.3:
            value = random.choice((*strange, float(random.randint(-5, 5)), random.random()))
        made.append(value)
    return made


def _one(_: Random, count: int) -> list[float]:
    return [1.0] * count


def _moment(random: Random, count: int) -> list[float]:
    return [random.uniform(-3e9, 5e9) for _ in range(count)]


def _histogram(random: Random, job: str) -> Recorded:
    made: Recorded = []
    times = _times(random)
    bounds = random.choice((BOUNDS, BOUNDS, BOUNDS[:-1], ("-1", "0", "+Inf"), ("+Inf",), (*BOUNDS, "1", "word", "1e1")))
    counts = [0.0] * len(bounds)
    rows: list[list[tuple[float, float]]] = [[] for _ in bounds]
    for time in times:
        if random.random() < 0.02:
            counts = [0.0] * len(bounds)
        seen = random.random() * 10
        for index in range(len(bounds)):
            counts[index] += seen * (index + 1) / len(bounds) if random.random() < 0.97 else 0.0
            rows[index].append((time, counts[index]))
    for bound, row in zip(bounds, rows, strict=True):
        labels = {"__name__": "latency_seconds_bucket", "job": job, "le": bound}
        made.append((labels, row if random.random() < 0.9 else _interrupted(random, row)))
    made.append(_recorded(random, {"__name__": "latency_seconds_count", "job": job}, _counter))
    made.append(_recorded(random, {"__name__": "latency_seconds_sum", "job": job}, _counter))
    return made


DATED: Final = ("moment", "odd", "", "vector(time())", "timestamp(requests_total)", "moment * 1e9")
MISTAKES: Final = (
    "rate(?)", "sum(#)", "(? and 1)", "(? + on (job) 1)", "abs(?[5m])", "? +", "topk(?, ?)", "1 > 2", "{job=~\".*\"}",
    "(? and on (job) group_left () ?)", "(? + bool ?)", "histogram_quantile(?, ?)", "nonsense(1)", "round()", "(?",
    'label_replace(?, "", "", "", "")', 'label_replace(?, "a", "", "b", "(")', 'count_values("", ?)', "clamp(?, 1)",
    "(? + on (job) group_left (job) ?)", "requests_total[5m]", "time(?)", 'requests_total{__name__="a"}', '-"a"',
    "(? == bool on (job) 2)", "vector()", "sum by (job ?", "label_join(?)", '"a"', "scalar(1)", "? offset 5m offset 1m",
)  # fmt: skip
"""What Prometheus refuses to read; `?` stands for a vector, `#` for a scalar."""


class Expressions:
    """Writes expressions of the documented subset; some of them cannot be evaluated, and must fail alike."""

    def __init__(self, random: Random) -> None:
        self._random = random

    def next(self) -> str:
        """One expression."""
        draw = self._random.random()
        if draw < 0.06:
            return self._scalar(3)
        if draw < 0.10:
            return self._mistake()
        depth = self._random.choice((1, 2, 2, 3, 3, 4))
        if draw < 0.16:
            # Outermost only: their last digits are not Go's, and a remainder or a variance would make much of that.
            function = self._pick("exp", "ln", "log2", "log10")
            inner = self._vector(depth)
            return self._pick(f"{function}({inner})", f"({inner}) ^ {self._number()}", f"{self._number()} ^ ({inner})")
        return self._vector(depth)

    def time(self) -> float:
        """A time of evaluation: within the series, a little outside, on a sample, on the edge of a range."""
        random = self._random
        if random.random() < 0.4:
            return BASE + STEP * random.randrange(-5, int(SPAN / STEP) + 30)
        return round(BASE + random.uniform(-60, SPAN + 400), 3)

    def _one_of(self, *choices: Callable[[], str]) -> str:
        return self._random.choice(choices)()

    def _pick(self, *choices: str) -> str:
        return self._random.choice(choices)

    def _number(self) -> str:
        plain = str(round(self._random.uniform(-20, 20), 2))
        return self._pick(
            plain, plain, "0", "1", "2", "0.5", "-1", "100", "1e3", "0x1f", "Inf", "-Inf", "NaN", ".5", "+2"
        )

    def _duration(self) -> str:
        return self._pick("1m", "2m", "5m", "5m", "90s", "10m", "20m", "30s", "37s", "1m1s500ms", "45m", "15s")

    def _metric(self) -> str:
        return self._pick(
            *COUNTERS, *COUNTERS, *GAUGES, UNLIKE, "build_info", "moment", "missing", "latency_seconds_count"
        )

    def _condition(self) -> str:
        return self._pick(
            'job="a"', 'job!="a"', 'instance=~"1|2"', 'instance!~"[23]"', 'code=~"4..|5.."', 'code!=""', 'code=""',
            'zone=""', 'nothing="x"', 'job=~".+"', 'job=~".*"', 'team="x"', 'instance="3"', 'job=~"(?:a|c)"', "job='a'",
            r'code=~"4\\d+"', "instance=~`[12]`", r'job="\x61"', r'code!~"\\w{3}"', 'job=~"a|"', 'zone=~"p?"',
        )  # fmt: skip

    def _selector(self) -> str:
        draw = self._random.random()
        if draw < 0.04:
            return self._pick('{__name__=~"requests.+|errors.+"}', '{__name__=~"temp.*",job="a"}', '{job="b",team!=""}')
        # One condition a label: see `_as_sorted` in functions.py for what two of them depend on.
        conditions = {re.split("[!=]", each)[0]: each for each in self._some(self._condition, 0, 0, 1, 2)}
        return self._metric() + (f"{{{','.join(conditions.values())}}}" if conditions else "")

    def _some(self, draw: Callable[[], str], *counts: int) -> list[str]:
        return [draw() for _ in range(self._random.choice(counts))]

    def _shifted(self, text: str) -> str:
        draw = self._random.random()
        if draw < 0.12:
            text += f" offset {self._pick('', '-')}{self._duration()}"
        if draw > 0.96:
            text += self._pick(" @ end()", " @ start()")
        return text

    def _range(self, depth: int) -> str:
        if depth > 0 and self._random.random() < 0.15:
            step = self._pick("15s", "30s", "1m", "7s", "100s")
            length = self._pick("1m", "2m", "5m", "10m")
            return self._shifted(f"({self._vector(depth - 1)})[{length}:{step}]")
        return self._shifted(f"{self._selector()}[{self._duration()}]")

    def _scalar(self, depth: int) -> str:
        if depth <= 0:
            return self._one_of(self._number, lambda: SINCE, lambda: f"scalar({self._selector()})")
        operator = self._pick("+", "-", "*", "/", "%", "== bool", "> bool", "<= bool", "!= bool")
        return self._one_of(
            self._number,
            lambda: f"scalar({self._vector(depth - 1)})",
            lambda: f"({self._scalar(depth - 1)} {operator} {self._scalar(depth - 1)})",
            lambda: f"-({self._scalar(depth - 1)})",
            lambda: self._pick(SINCE, "pi()"),
        )

    def _vector(self, depth: int) -> str:
        if depth <= 0:
            return self._shifted(self._selector())
        return self._random.choices(
            (
                lambda: self._shifted(self._selector()),
                lambda: self._over_range(depth),
                lambda: self._aggregated(depth),
                lambda: self._computed(depth),
                lambda: self._loose(self._matched(depth)),
                lambda: self._loose(self._with_scalar(depth)),
                lambda: self._loose(self._of_sets(depth)),
                lambda: self._quantile(depth),
                self._ranked,
            ),
            (1, 5, 5, 4, 5, 4, 2, 2, 1),
        )[0]()

    def _over_range(self, depth: int) -> str:
        plain = (
            "rate", "rate", "rate", "increase", "increase", "delta", "irate", "idelta", "resets", "changes", "deriv",
            "avg_over_time", "min_over_time", "max_over_time", "sum_over_time", "count_over_time", "last_over_time",
            "first_over_time",
            "stddev_over_time", "stdvar_over_time", "present_over_time", "absent_over_time",
        )  # fmt: skip
        draw = self._random.random()
        if draw < 0.06:
            return f"quantile_over_time({self._share()}, {self._range(depth - 1)})"
        if draw < 0.12:
            return f"predict_linear({self._range(depth - 1)}, {self._pick('60', '3600', '-100', '0')})"
        return f"{self._pick(*plain)}({self._range(depth - 1)})"

    def _share(self) -> str:
        return self._pick("0.5", "0.9", "0.95", "0.99", "0", "1", "-0.1", "1.1", "0.25", "NaN")

    def _labels(self) -> str:
        return self._pick("job", "instance", "job, instance", "code", "", "job, zone", "__name__", "missing", "le, job")

    def _aggregated(self, depth: int) -> str:
        grouping = self._pick(
            "", f" by ({self._labels()}) ", f" without ({self._labels()}) ", f" by ({self._labels()}) "
        )
        name = self._pick("sum", "sum", "sum", "avg", "min", "max", "count", "group", "stddev", "stdvar", "quantile",
                          "count_values")  # fmt: skip
        if name == "count_values":
            # The value becomes a label, so it must be one that has no last digit to differ in.
            inner = self._shifted(self._selector())
            operand = self._pick(inner, inner, f"count by (job) ({inner})", f"{inner} > 0", f"resets({self._range(0)})")
            return f'{name}{grouping}("{self._pick("value", "job")}", {operand})'
        share = f"{self._share()}, " if name == "quantile" else ""
        return f"{name}{grouping}({share}{self._vector(depth - 1)})"

    def _ranked(self) -> str:
        # Only over values of which no two are the same: of equals, Prometheus takes any.
        operand = UNLIKE + self._pick("", '{job="a"}', '{instance!="2"}', " offset 1m", " * 2", " > 0", " - 7")
        grouping = self._pick("", " by (job) ", " by (instance) ", " without (job) ")
        count = self._pick("0", "1", "2", "3", "100", "-1", "1.9", "NaN", "scalar(build_info)", "1e300", "Inf")
        ranked = f"{self._pick('topk', 'bottomk')}{grouping}({count}, {operand})"
        return self._pick(ranked, ranked, f"sum by (job) ({ranked})", f"sort({operand})", f"sort_desc({operand})")

    def _computed(self, depth: int) -> str:
        inner = self._vector(depth - 1)
        mathematics = self._pick("abs", "ceil", "floor", "sqrt", "sgn", "round", "sort", "-")
        field = self._pick(
            "minute", "hour", "day_of_week", "day_of_month", "day_of_year", "days_in_month", "month", "year"
        )
        target = self._pick("job", "other", "instance", "__name__")
        source = self._pick("job", "code", "none")
        template = self._pick("$1", "x-$1", "${1}y", "$$", "", "$2", "$1x", "c${0}", "$a", "b$")
        pattern = self._pick("(.*)", "(a)", "(.)(.*)", "", "[12]", "(?P<a>.+)")
        return self._one_of(
            lambda: f"{mathematics}({inner})",
            lambda: f"{mathematics}({inner})",
            lambda: f"round({inner}, {self._pick('5', '0.1', '10', '0', '0.25')})",
            lambda: f"clamp({inner}, {self._number()}, {self._number()})",
            lambda: f"clamp_max({inner}, {self._number()})",
            lambda: f"clamp_min({inner}, {self._scalar(0)})",
            lambda: f"absent({self._pick(inner, self._selector(), f'({self._selector()})')})",
            lambda: f"(timestamp({self._pick(inner, self._shifted(self._selector()))}) - 1.7e9)",
            lambda: f"{field}({self._pick(*DATED)})",
            lambda: f"vector({self._scalar(depth - 1)})",
            lambda: f'label_replace({inner}, "{target}", "{template}", "{source}", "{pattern}")',
            lambda: f'label_join({inner}, "{target}", "{self._pick(",", "")}", "job", "{self._pick("code", "none")}")',
        )

    def _operator(self) -> str:
        arithmetic = self._pick("+", "-", "*", "/", "/", "%")
        comparison = self._pick("==", "!=", ">", "<", ">=", "<=") + self._pick("", "", " bool")
        return self._pick(arithmetic, comparison)

    def _loose(self, text: str) -> str:
        # Without its parentheses, so that precedence decides.
        return text[1:-1] if self._random.random() < OFTEN else text

    def _with_scalar(self, depth: int) -> str:
        sides = [self._vector(depth - 1), self._scalar(self._random.choice((0, 0, 1)))]
        self._random.shuffle(sides)
        return f"({sides[0]} {self._operator()} {sides[1]})"

    def _matched(self, depth: int) -> str:
        if self._random.random() < 0.5:
            return self._matched_well(depth)
        grouping = self._pick(
            "", "", " on (job) ", " on (job, instance) ", " ignoring (code) ", " on () ", " ignoring (zone, instance) "
        )
        if grouping and self._random.random() < 0.5:
            grouping += self._pick(
                "group_left () ", "group_right () ", "group_left (team) ", "group_right (version, zone) "
            )
        return f"({self._vector(depth - 1)} {self._operator()}{grouping} {self._vector(depth - 1)})"

    def _matched_well(self, depth: int) -> str:
        # Pairs that do match, so that not nearly every pair is an error or nothing.
        operator = self._operator()
        length = self._duration()
        left = f"sum by (job, instance) (rate(requests_total[{length}]))"
        return self._one_of(
            lambda: f"({left} {operator} rate(errors_total[{length}]))",
            lambda: f"(rate(errors_total[{length}]) {operator} on (job, instance) {left})",
            lambda: f"(requests_total {operator} on (job) group_left (team) limit)",
            lambda: f"(limit {operator} on (job) group_right (team) temperature)",
            lambda: f"(temperature {operator} ignoring (instance) group_left (version) build_info)",
            lambda: f"(requests_total {operator} ignoring (code) group_left () errors_total)",
            lambda: f"(sum by (job) ({self._vector(depth - 1)}) {operator} sum by (job) ({self._vector(depth - 1)}))",
            lambda: f"(temperature {operator} on (job, instance) unlike offset {length})",
        )

    def _of_sets(self, depth: int) -> str:
        grouping = self._pick("", "", " on (job)", " on (job, instance)", " ignoring (code)", " on ()")
        return f"({self._vector(depth - 1)} {self._pick('and', 'or', 'unless')}{grouping} {self._vector(depth - 1)})"

    def _quantile(self, depth: int) -> str:
        buckets = self._pick(
            "latency_seconds_bucket",
            f"rate(latency_seconds_bucket[{self._duration()}])",
            f"sum by (le) (rate(latency_seconds_bucket[{self._duration()}]))",
            f"sum by (job, le) (increase(latency_seconds_bucket[{self._duration()}]))",
            'latency_seconds_bucket{job="a"}',
            "latency_seconds_bucket offset 2m",
            self._vector(depth - 1) if self._random.random() < 0.2 else "latency_seconds_bucket",
        )
        return f"histogram_quantile({self._share()}, {buckets})"

    def _mistake(self) -> str:
        return self._pick(*MISTAKES).replace("?", self._vector(1)).replace("#", self._scalar(0))
