"""What the rules cost in the process: one pass of all rule files over 500 series, as a share of its period."""

import statistics
import time
from collections.abc import Iterator, Sequence
from itertools import count, islice
from typing import Final

from libraries_io_mcp.alerting.evaluator import evaluate
from libraries_io_mcp.alerting.group_state import GroupState
from libraries_io_mcp.alerting.rule import Group, RecordingRule
from libraries_io_mcp.alerting.rules import DEFAULT_INTERVAL_SECONDS as PERIOD
from libraries_io_mcp.alerting.rules import default_rules, load_rules
from libraries_io_mcp.alerting.samples import SampleStore

SERIES: Final = 500
NOW: Final = 1_700_000_000.0
SHARED: Final = {
    "service_name": "libraries-io-mcp",
    "service_version": "0.0.0",
    "service_instance_id": "0b6a7f9e-5a0e-4bb1-9d0c-7f2a2a3e5f10",
    "deployment_environment_name": "production",
    "job": "libraries-io-mcp",
    "instance": "0b6a7f9e-5a0e-4bb1-9d0c-7f2a2a3e5f10",
}
BOUNDS: Final = ("0.005", "0.01", "0.05", "0.1", "0.5", "1", "5", "+Inf")
Labels = dict[str, str]


def alert_rules(passes: int) -> dict[str, float]:
    """Milliseconds (medians) and share of the period: taking in the samples, and evaluating every group."""
    groups = load_rules(default_rules()).groups
    needs = _needs(groups)
    recorded = {rule.record for group in groups for rule in group.rules if isinstance(rule, RecordingRule)}
    labels = list(islice(_series([name for name in needs if name not in recorded]), SERIES))
    given = [*labels, *({"__name__": name, "service_name": SHARED["service_name"]} for name in recorded)]
    store = SampleStore(max(needs.values()) + PERIOD, len(given), needs)
    before = round(max(needs.values()) / PERIOD)
    for tick in range(before):
        store.append(NOW + tick * PERIOD, [(each, float(tick)) for each in given])
    timings = [_one_pass(tick, given, groups, store) for tick in range(before, before + passes)]
    append, evaluation = (statistics.median(each) for each in zip(*timings, strict=True))
    return {
        "series": len(labels),
        "rules": sum(len(group.rules) for group in groups),
        "samples": store.samples,
        "append_ms": append * 1000,
        "evaluate_ms": evaluation * 1000,
        "share_percent": (append + evaluation) / PERIOD * 100,
    }


def _one_pass(tick: int, given: Sequence[Labels], groups: Sequence[Group], store: SampleStore) -> tuple[float, float]:
    moment = NOW + tick * PERIOD
    samples = [(each, float(tick)) for each in given]
    began = time.perf_counter()
    store.append(moment, samples)
    appended = time.perf_counter()
    for group in groups:
        evaluate(group, store, moment, GroupState())
    return appended - began, time.perf_counter() - appended


def _needs(groups: Sequence[Group]) -> dict[str, float]:
    needs: dict[str, float] = {}
    for rule in (rule for group in groups for rule in group.rules):
        for name, reach in rule.expression.needs.items():
            if name is not None:
                needs[name] = max(reach, needs.get(name, 0.0))
    return needs


def _series(names: list[str]) -> Iterator[Labels]:
    # Every metric that a rule looks at, in as many series of each as it takes.
    for number in count():
        for name in names:
            yield _labels(name, number)


def _labels(name: str, number: int) -> Labels:
    bucket = {"le": BOUNDS[number % len(BOUNDS)]} if name.endswith("_bucket") else {}
    variant = number // len(BOUNDS) if bucket else number
    return (
        SHARED
        | bucket
        | {
            "__name__": name,
            "mcp_method_name": "tools/call",
            "gen_ai_tool_name": f"tool_{variant}",
            "libraries_io_cache_result": "miss",
            "error_type": ("", "timeout", "quota_exceeded")[variant % 3],
            "health_check_name": f"check_{number}",
        }
    )
