"""The way of the signals themselves."""

from typing import Final

from grafana.boards.questions import AMBER, ENVIRONMENT, HERE, RED, lost, rate
from grafana.panels import Dashboard, Panel, Query

_KINDS: Final = ("spans", "metric_points", "log_records")
_COLLECTOR: Final = 'job="otel-collector"'


PIPELINE: Final = Dashboard(
    "lio-pipeline",
    "Telemetry pipeline",
    "Do signals arrive? A queue that fills means a back end is away; what was refused or dropped is lost.",
    {
        "Lost": [
            Panel(
                "Not delivered by the server",
                "Made and given up: the Collector was away for too long.",
                "short",
                [lost(f"libraries_io_telemetry_dropped_total{{{HERE}}}", "libraries_io_signal")],
                "stat",
                8,
                5,
                {1: RED},
                alerts=["TelemetryDropped"],
            ),
            Panel(
                "Refused by a back end",
                "Sent by the Collector and refused for good, over the time shown.",
                "short",
                [lost(f'{{__name__=~"otelcol_exporter_send_failed_.+",{_COLLECTOR}}}', "exporter")],
                "stat",
                8,
                5,
                {1: RED},
                alerts=["CollectorDropping"],
            ),
            Panel(
                "Queues that were full",
                "Not taken into a queue on disk, over the time shown.",
                "short",
                [lost(f'{{__name__=~"otelcol_exporter_enqueue_failed_.+",{_COLLECTOR}}}', "exporter")],
                "stat",
                8,
                5,
                {1: RED},
                alerts=["CollectorDropping"],
            ),
        ],
        "The way through the Collector": [
            Panel(
                "Taken in",
                "Spans, points and records a second.",
                "cps",
                [Query(rate(f"otelcol_receiver_accepted_{what}{{{_COLLECTOR}}}"), what) for what in _KINDS],
                alerts=["TelemetryAbsent"],
            ),
            Panel(
                "Sent",
                "By exporter.",
                "cps",
                [Query(rate(f'{{__name__=~"otelcol_exporter_sent_.+",{_COLLECTOR}}}', "exporter"), "{{exporter}}")],
            ),
            Panel(
                "Queues",
                "Share of each queue on disk that is taken.",
                "percentunit",
                [
                    Query(
                        f"max by (exporter) (otelcol_exporter_queue_size{{{_COLLECTOR}}} "
                        f"/ otelcol_exporter_queue_capacity{{{_COLLECTOR}}})",
                        "{{exporter}}",
                    )
                ],
                steps={0.5: AMBER, 0.8: RED},
                maximum=1,
                alerts=["CollectorQueueFilling"],
            ),
        ],
        "The servers themselves": [
            Panel(
                "Up",
                "1 while Prometheus reaches it.",
                "short",
                [Query("up", "{{job}}")],
                maximum=1,
                alerts=["MonitoringServerDown", "ServerDown"],
            ),
            Panel(
                "Memory of the Collector",
                "Its limit is 512 MB in compose.",
                "bytes",
                [Query(f"otelcol_process_memory_rss{{{_COLLECTOR}}}", "resident")],
            ),
            Panel(
                "Series in Prometheus",
                "A sudden rise is a label that should not be one.",
                "short",
                [Query("prometheus_tsdb_head_series", "series")],
            ),
        ],
    },
    [ENVIRONMENT],
)
