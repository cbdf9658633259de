"""The dashboards, as whoever is on call reads them: is it well, where does it hurt, and which trace shows it."""

from typing import Final

from grafana.boards.alerts import ALERTS
from grafana.boards.influxdb import INFLUXDB
from grafana.boards.overview import OVERVIEW
from grafana.boards.pipeline import PIPELINE
from grafana.boards.tool import ONE_TOOL
from grafana.boards.upstream import UPSTREAM

BOARDS: Final = {
    "overview": OVERVIEW,
    "tool": ONE_TOOL,
    "upstream": UPSTREAM,
    "pipeline": PIPELINE,
    "influxdb": INFLUXDB,
    "alerts": ALERTS,
}
