"""The same from InfluxDB, with the recent logs."""

from typing import Final

from grafana.boards.questions import NOTHING_YET, TO_TRACE, TRACE
from grafana.panels import Dashboard, Panel, Query

_FLUX_OPERATIONS: Final = """from(bucket: "metrics")
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "mcp.server.operation.duration" and r._field == "{field}")
  |> filter(fn: (r) => r["mcp.method.name"] == "tools/call")"""
_FLUX_MEANS: Final = _FLUX_OPERATIONS.replace('r._field == "{field}"', '(r._field == "sum" or r._field == "count")')
INFLUXDB: Final = Dashboard(
    "lio-influxdb",
    "InfluxDB",
    "The same metrics and the recent logs, from InfluxDB itself.",
    {
        "Metrics": [
            Panel(
                "Tool calls",
                "Calls in each interval, by tool.",
                "short",
                [
                    Query(
                        _FLUX_OPERATIONS.format(field="count")
                        + """
  |> aggregateWindow(every: v.windowPeriod, fn: last, createEmpty: false)
  |> difference(nonNegative: true)
  |> group(columns: ["gen_ai.tool.name", "_time"])
  |> sum()
  |> group(columns: ["gen_ai.tool.name"])""",
                        source="influxdb",
                    )
                ],
                empty=NOTHING_YET,
            ),
            Panel(
                "Mean duration of tool calls",
                "Of all calls since the server started, by tool.",
                "s",
                [
                    Query(
                        _FLUX_MEANS
                        + """
  |> last()
  |> group(columns: ["gen_ai.tool.name", "_field"])
  |> sum()
  |> group()
  |> pivot(rowKey: ["gen_ai.tool.name"], columnKey: ["_field"], valueColumn: "_value")
  |> map(fn: (r) => ({tool: r["gen_ai.tool.name"], _value: r.sum / r.count}))""",
                        source="influxdb",
                    )
                ],
                "table",
                empty=NOTHING_YET,
            ),
            Panel(
                "Quota left",
                "As InfluxDB has it.",
                "short",
                [
                    Query(
                        """from(bucket: "metrics")
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "libraries_io.quota.remaining" and r._field == "gauge")
  |> aggregateWindow(every: v.windowPeriod, fn: min, createEmpty: false)
  |> group()""",
                        source="influxdb",
                    )
                ],
            ),
        ],
        "Logs": [
            Panel(
                "Warnings and errors",
                "Records of severity WARN and above in each interval.",
                "short",
                [
                    Query(
                        """from(bucket: "logs")
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "logs" and r._field == "severity_number" and r._value >= 13)
  |> aggregateWindow(every: v.windowPeriod, fn: count, createEmpty: false)""",
                        source="influxdb",
                    )
                ],
                width=24,
                height=6,
                empty="0",
            ),
            Panel(
                "Recent records",
                "Newest first, of one trace if its id is given above. A trace id leads to its trace in Jaeger.",
                "short",
                [
                    Query(
                        """import "regexp"
import "strings"
from(bucket: "logs")
  |> range(start: v.timeRangeStart, stop: v.timeRangeStop)
  |> filter(fn: (r) => r._measurement == "logs")
  |> filter(fn: (r) => r._field == "body" or r._field == "severity_text" or r._field == "attributes")
  |> pivot(rowKey: ["_time"], columnKey: ["_field"], valueColumn: "_value")
  |> group()
  |> map(fn: (r) => ({r with trace_id: strings.trimPrefix(
      v: regexp.findString(r: /"trace_id":"[0-9a-f]{32}/, v: if exists r.attributes then r.attributes else ""),
      prefix: "\\"trace_id\\":\\"")}))
  |> filter(fn: (r) => "$trace" == "" or r.trace_id == "$trace")
  |> sort(columns: ["_time"], desc: true)
  |> limit(n: 200)
  |> keep(columns: ["_time", "severity_text", "body", "trace_id", "attributes"])""",
                        source="influxdb",
                    )
                ],
                "table",
                24,
                12,
                links={"trace_id": [TO_TRACE]},
            ),
        ],
    },
    [TRACE],
)
