"""Random expressions over random series: the evaluator and the real Prometheus give the same, value by value.

PROMQL_SEED gives the seed of a run that failed, PROMQL_EXPRESSIONS how many expressions.
"""

import http.client
import json
import math
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random, SystemRandom
from typing import Any
from urllib.parse import urlencode

import pytest
from tests.servers.binaries import binaries
from tests.servers.ports import free_ports
from tests.servers.process import ServerProcess
from tests.support import remote_write
from tests.support.promql_generator import Expressions, Recorded, series
from tests.support.recorded_series import RecordedSeries

from libraries_io_mcp.alerting.promql import BadPromQL, EvaluationError, UnsupportedPromQL, parse

SEED = int(os.environ.get("PROMQL_SEED") or SystemRandom().randrange(10**6))
COUNT = int(os.environ.get("PROMQL_EXPRESSIONS") or 2_000)
TIMES = 2
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


def ours(text: str, storage: RecordedSeries, moment: float) -> Answer:
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


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    """A Prometheus of its own that takes remote writes and scrapes nothing."""
    folder: Path = tmp_path_factory.mktemp("parity")
    (folder / "prometheus.yml").write_text("global: {evaluation_interval: 15s}\n", encoding="utf-8")
    port = free_ports(1)[0]
    command = [
        binaries()["prometheus"],
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address=127.0.0.1:{port}",
        "--web.enable-remote-write-receiver",
    ]
    process = ServerProcess("parity", command, folder / "process", f"http://127.0.0.1:{port}/-/ready", {})
    process.start()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        process.wait_until_ready()
        yield Asked(connection)
    finally:
        connection.close()
        process.stop()


def test_same_as_prometheus(prometheus: Asked, capsys: pytest.CaptureFixture[str]) -> None:
    """No difference in any label, value or kind of error."""
    random = Random(SEED)
    recorded = series(random)
    prometheus.write(recorded)
    storage, written = RecordedSeries(recorded), Expressions(random)
    differences: list[str] = []
    counted = {"expressions": 0, "values": 0, "elements": 0, "errors": 0, "not empty": 0}
    began = time.monotonic()
    while counted["expressions"] < COUNT:
        text = written.next()
        moments = [written.time() for _ in range(TIMES)]
        try:
            parse(text)
        except UnsupportedPromQL as refused:
            raise AssertionError(f"seed {SEED}: {text} is refused: {refused}") from refused
        except BadPromQL:
            moments = moments[:1]
        counted["expressions"] += 1
        for moment in moments:
            theirs, mine = prometheus.answer(text, moment), ours(text, storage, moment)
            counted["values"] += 1
            counted["errors"] += isinstance(theirs, str)
            counted["not empty"] += bool(theirs)
            counted["elements"] += 0 if isinstance(theirs, str) else len(theirs)
            if not alike(mine, theirs):
                differences.append(f"{text}\n  at {moment!r}\n  Prometheus {theirs}\n  evaluator  {mine}")
    with capsys.disabled():
        print(f"\nPROMQL_SEED={SEED}: {counted}, {len(differences)} differences, {time.monotonic() - began:.1f} s")
    assert not differences, f"seed {SEED}, {len(differences)} differences, the first:\n" + "\n".join(differences[:5])
