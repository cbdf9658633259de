"""Random expressions over random series: the evaluator and the real Prometheus give the same, value by value.

PROMQL_SEED gives another seed, or several; PROMQL_EXPRESSIONS how many expressions of each.
"""

import http.client
import json
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.servers.binaries import binaries
from tests.servers.ports import free_ports
from tests.servers.process import ServerProcess
from tests.support import remote_write
from tests.support.polling import HANG_SECONDS
from tests.support.promql_generator import BASE, SPAN, Expressions, Recorded, collections, series
from tests.support.recorded_series import RecordedSeries

from libraries_io_mcp.alerting.promql import BadPromQL, EvaluationError, Storage, parse
from libraries_io_mcp.alerting.samples import SampleStore

SEEDS = [int(each) for each in os.environ.get("PROMQL_SEED", "20261124").split()]
"""The same ones each time, so that a failure is somebody's change; PROMQL_SEED tries others."""
IDS = [f"{index}" for index in range(len(SEEDS))]
"""Not the seed: every worker of pytest-xdist must name the tests alike."""
COUNT = int(os.environ.get("PROMQL_EXPRESSIONS") or 2_000)
TIMES = 2
SPELLINGS = r"""
0b1
.5
5.
1e-3
0X1F
1.5e3
+Inf
nan
5m
1h30m
vector(5m)
sum(requests_total) by (job)
sum(requests_total) without (job, instance)
SUM BY (job) (requests_total)
sum by (job,) (requests_total)
sum by () (requests_total)
sum without () (requests_total)
requests_total OFFSET 5m
requests_total offset 300
requests_total offset 1h30m
requests_total offset -5m
rate(requests_total[300])
rate(requests_total[5m] offset 1m)
rate(requests_total[5m]offset 1m)
requests_total AND limit
limit and on(job)requests_total
limit + on(job) group_right requests_total
requests_total * on(job) group_left limit
{"requests_total"}
{"requests_total",job="a"}
{__name__="requests_total",job="a"}
requests_total{job="a",}
requests_total{"job"="a"}
requests_total{,}
requests_total{job=a}
requests_total{job='a'}
requests_total{job=`a`}
requests_total{job="\u0061"}
requests_total{job=~"a|b"} == bool 1 > bool 0
requests_total > 1 > 2
2 ^ 3 ^ 2
-2 ^ 2
2 * -3
- - 3
1 - - 1
-(1)
+requests_total
-requests_total
(((requests_total)))
1 + 2 * 3 % 2 ^ 2
limit or limit and limit unless limit
1 < bool 2 + 3
limit == limit != bool limit
sum_over_time(limit[5m:1m] offset 1m)
sum_over_time(limit[5m:1m]offset 1m)
max_over_time((limit)[5m:1m])
max_over_time(limit[5m:60])
quantile(0.5, limit)
quantile by (job) (0.5, limit)
quantile(0.5, limit) by (job)
topk(1, sum by (job) (unlike))
count_values("a b", build_info)
label_replace(limit, "a b", "$1", "job", "(.*)")
sum by ("job") (limit)
limit # a comment
limit # "a comment
time ()
by
sum
bool
offset
group_left
inf
Infinity
start
absent(by{on="a"})
limit[5m]
limit[5m] offset 1m
limit[0s]
rate(limit[0s])
limit @ end()
sum(limit @ start() offset 1m)
max_over_time(limit[5m] @ end())
max_over_time(limit[5m:1m] @ end())
1 2
limit limit
(limit
limit)
limit{job="a"
limit{job="a"}}
limit{job=~"*"}
limit{job!~"(a)(b"}
rate(rate(limit[5m])[5m])
rate(limit)
limit and 1
1 and 1
1 == 1
"a" == "a"
limit + "a"
sum("a")
vector("a")
hour(1)
hour(limit, limit)
round(limit, limit)
scalar(scalar(limit))
""".strip().splitlines()
"""Expressions as people write them, and mistakes. docs/promql.md names the few spellings that differ."""
TOLERANCE = 1e-9
KINDS = (
    "many-to-many matching not allowed",
    "many-to-one matching must be explicit",
    "grouping labels must ensure unique matches",
    "vector cannot contain metrics with the same labelset",
    "Parameter value is NaN",
    "overflows int64",
)
FOUND_LATE = ("invalid label name", "invalid destination label name", "invalid regular expression in label_replace")
"""Prometheus says these at the evaluation, the evaluator when it reads the text."""
Answer = Mapping[tuple[tuple[str, str], ...], float] | str


@dataclass(frozen=True)
class Asked:
    """The real Prometheus, asked over one connection that is kept."""

    connection: http.client.HTTPConnection

    def write(self, recorded: Recorded) -> None:
        """Remote write."""
        self.connection.request("POST", "/api/v1/write", remote_write.body(recorded), remote_write.HEADERS)
        answer = self.connection.getresponse()
        said = answer.read()
        assert answer.status == 204, said

    def answer(self, text: str, moment: float) -> Answer:
        """The elements by labels, or the kind of error."""
        form = urlencode({"query": text, "time": repr(moment)})
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        self.connection.request("POST", "/api/v1/query", form, headers)
        said = json.loads(self.connection.getresponse().read())
        if said["status"] == "error":
            return "not PromQL" if said["errorType"] == "bad_data" else kind(said["error"])
        return elements(said["data"])


def elements(data: Mapping[str, Any]) -> Answer:
    """A result of the HTTP API."""
    if data["resultType"] == "scalar":
        return {(("", "scalar"),): float(data["result"][1])}
    if data["resultType"] != "vector":
        return "not PromQL"  # of a rule: it wants an instant vector or a scalar
    return {tuple(sorted(each["metric"].items())): float(each["value"][1]) for each in data["result"]}


def kind(message: str) -> str:
    """The part of an error message that says what is wrong and no labels."""
    if any(each in message for each in FOUND_LATE):
        return "not PromQL"
    return next((each for each in KINDS if each in message), message)


def ours(text: str, storage: Storage, moment: float) -> Answer:
    """What the evaluator says of the same."""
    try:
        value = parse(text).at(storage, moment)
    except BadPromQL:
        return "not PromQL"
    except EvaluationError as error:
        return kind(str(error))
    if isinstance(value, float):
        return {(("", "scalar"),): value}
    return {tuple(sorted(each.labels.items())): each.value for each in value}


def alike(left: Answer, right: Answer) -> bool:
    """The same kind of error, or the same labels with values that differ by less than the tolerance, relatively."""
    if isinstance(left, str) or isinstance(right, str):
        return left == right
    return left.keys() == right.keys() and all(close(value, right[key]) for key, value in left.items())


def close(left: float, right: float) -> bool:
    """Equal within the tolerance; NaN equals NaN."""
    return math.isclose(left, right, rel_tol=TOLERANCE) or (math.isnan(left) and math.isnan(right))


@pytest.fixture
def prometheus(tmp_path: Path) -> Iterator[Asked]:
    """A Prometheus of its own that takes remote writes and scrapes nothing."""
    (tmp_path / "prometheus.yml").write_text("global: {evaluation_interval: 15s}\n", encoding="utf-8")
    port = free_ports(1)[0]
    command = [
        binaries("prometheus")["prometheus"],
        f"--config.file={tmp_path / 'prometheus.yml'}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-remote-write-receiver",
    ]
    process = ServerProcess("parity", command, tmp_path / "process", f"http://127.0.0.1:{port}/-/ready", {})
    process.start()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HANG_SECONDS)
    try:
        process.wait_until_ready()
        yield Asked(connection)
    finally:
        connection.close()
        process.stop()


@dataclass
class Compared:
    """What was compared, and what differed."""

    expressions: int = 0
    answers: int = 0
    elements: int = 0
    empty: int = 0
    errors: int = 0
    differences: list[str] = field(default_factory=list)

    def one(self, text: str, moment: float, theirs: Answer, mine: Answer) -> None:
        """Count an answer."""
        self.answers += 1
        self.errors += isinstance(theirs, str)
        self.empty += not theirs
        self.elements += 0 if isinstance(theirs, str) else len(theirs)
        if not alike(mine, theirs):
            self.differences.append(f"{text}\n  at {moment!r}\n  Prometheus {theirs}\n  evaluator  {mine}")


def compare(prometheus: Asked, storage: Storage, written: Expressions, count: int) -> Compared:
    """Ask both for so many expressions at two times each; one time for what is refused on reading."""
    compared = Compared()
    for _ in range(count):
        text = written.next()
        moments = [written.time() for _ in range(TIMES)]
        try:
            parse(text)
        except BadPromQL:
            moments = moments[:1]
        compared.expressions += 1
        for moment in moments:
            compared.one(text, moment, prometheus.answer(text, moment), ours(text, storage, moment))
    return compared


def report(compared: Compared, seed: int, capsys: pytest.CaptureFixture[str]) -> None:
    """Print the seed and what was compared; fail at any difference."""
    differences = compared.differences
    with capsys.disabled():
        print(  # noqa: T201 - the seed is for a person
            f"\nPROMQL_SEED={seed}: {compared.expressions} expressions, {compared.answers} answers"
            f" ({compared.empty} empty, {compared.errors} errors), {compared.elements} values,"
            f" {len(differences)} differences"
        )
    assert not differences, f"seed {seed}, {len(differences)} differences, the first:\n" + "\n".join(differences[:5])
    assert compared.elements >= compared.expressions, "the expressions have lost the series"


def test_spellings(prometheus: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    """The library that reads the text, and Prometheus, which has its own reader, understand the same."""
    random = Random(1)  # noqa: S311 - nothing secret: it must be the same again
    recorded = series(random)
    prometheus.write(recorded)
    storage, compared = RecordedSeries(recorded), Compared()
    for text in SPELLINGS:
        moment = BASE + SPAN / 2
        compared.expressions += 1
        compared.one(text, moment, prometheus.answer(text, moment), ours(text, storage, moment))
    report(compared, 1, capsys)


@pytest.mark.parametrize("seed", SEEDS, ids=IDS)
def test_same_as_prometheus(seed: int, prometheus: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    """No difference in any label, value or kind of error; series with times of their own."""
    random = Random(seed)  # noqa: S311 - nothing secret: it must be the same again
    recorded = series(random)
    prometheus.write(recorded)
    report(compare(prometheus, RecordedSeries(recorded), Expressions(random), COUNT), seed, capsys)


@pytest.mark.parametrize("ends_missing", [True, False], ids=["ends", "no ends"])
@pytest.mark.parametrize("seed", SEEDS, ids=IDS)
def test_same_from_the_sample_store(
    seed: int, ends_missing: bool, prometheus: Asked, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the process keeps in memory, given to Prometheus sample by sample; the ends of series among them, or not, as
    the server has it."""
    random = Random(seed)  # noqa: S311 - nothing secret: it must be the same again
    store = SampleStore(keep_seconds=SPAN * 2, max_series=1000, ends_missing=ends_missing)
    for moment, samples in collections(series(random)):
        store.append(moment, samples)
    kept = store.select((), 0.0, BASE + SPAN)
    prometheus.write([(dict(each.labels), list(zip(each.times, each.values, strict=True))) for each in kept])
    report(compare(prometheus, store, Expressions(random), COUNT // 4), seed, capsys)
