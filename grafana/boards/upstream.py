"""Libraries.io, its quota and the cache before it."""

from typing import Final

from grafana.boards.questions import AMBER, ENVIRONMENT, HERE, RED, latency, rate, ratio
from grafana.panels import Dashboard, Panel, Query

_ASKED: Final = f"libraries_io_call_duration_seconds_count{{{HERE}}}"
UPSTREAM: Final = Dashboard(
    "lio-upstream",
    "Libraries.io and its quota",
    "Is Libraries.io slow, refusing, or are we out of quota?",
    {
        "Questions": [
            Panel(
                "Questions",
                "By endpoint, answered from the cache or not.",
                "reqps",
                [Query(rate(_ASKED, "libraries_io_endpoint"), "{{libraries_io_endpoint}}")],
            ),
            Panel(
                "Failing questions",
                "By kind of error.",
                "reqps",
                [
                    Query(
                        rate(f'libraries_io_call_duration_seconds_count{{error_type!="",{HERE}}}', "error_type"),
                        "{{error_type}}",
                    )
                ],
                alerts=["UpstreamDown"],
            ),
            latency(
                "Duration of a question",
                f"libraries_io_call_duration_seconds_bucket{{{HERE}}}",
                "With waits, retries and the look-up in the cache.",
            ),
        ],
        "Attempts": [
            latency(
                "Duration of one attempt",
                f"http_client_request_duration_seconds_bucket{{{HERE}}}",
                "One HTTP request to Libraries.io.",
                ["UpstreamSlow"],
            ),
            Panel(
                "Retries",
                "Attempts made again, by reason.",
                "reqps",
                [Query(rate(f"libraries_io_retries_total{{{HERE}}}", "error_type"), "{{error_type}}")],
            ),
            Panel(
                "Circuit breakers",
                "1 open (questions fail at once), 0.5 probing, 0 closed.",
                "short",
                [
                    Query(
                        f"max by (libraries_io_endpoint) (libraries_io_breaker_open{{{HERE}}}) or vector(0)",
                        "{{libraries_io_endpoint}}",
                    )
                ],
                steps={0.5: AMBER, 1: RED},
                maximum=1,
                alerts=["BreakerOpen"],
            ),
        ],
        "Quota and cache": [
            Panel(
                "Quota",
                "Left and allowed in the current minute.",
                "short",
                [
                    Query(f"min(libraries_io_quota_remaining{{{HERE}}})", "left"),
                    Query(f"max(libraries_io_quota_limit{{{HERE}}})", "allowed"),
                ],
                alerts=["QuotaNearlyUsedUp"],
            ),
            Panel(
                "Waiting for the quota",
                "Questions that wait now.",
                "short",
                [Query(f"sum(libraries_io_quota_waiting{{{HERE}}})", "waiting")],
                steps={10: AMBER},
                alerts=["QuotaExhausted"],
            ),
            Panel(
                "Answered without a request",
                "Share of look-ups in the cache that needed none.",
                "percentunit",
                [
                    Query(
                        ratio(
                            f'libraries_io_cache_lookups_total{{libraries_io_cache_result!="miss",{HERE}}}',
                            f"libraries_io_cache_lookups_total{{{HERE}}}",
                        ),
                        "share",
                    )
                ],
                maximum=1,
            ),
            Panel(
                "Answers kept",
                "In memory.",
                "short",
                [Query(f"sum(libraries_io_cache_entries{{{HERE}}})", "answers")],
                width=12,
            ),
            Panel(
                "Memory of the cache",
                "Bytes of the replies kept.",
                "bytes",
                [Query(f"sum(libraries_io_cache_size_bytes{{{HERE}}})", "bytes")],
                width=12,
            ),
        ],
    },
    [ENVIRONMENT],
)
