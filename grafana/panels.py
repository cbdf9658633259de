"""The pieces of a dashboard as Grafana's JSON: few kinds of panels, each with a unit and thresholds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Json = dict[str, Any]
WIDTH: Final = 24
RUNBOOKS: Final = "/d/lio-alerts"
"""The dashboard that shows all runbooks: the repository has no address that would do everywhere."""
_FLUX: Final = "influxdb"


@dataclass(frozen=True)
class Query:
    """One question to a data source: PromQL, Flux, or a search in Jaeger (`text` is then the service)."""

    text: str
    legend: str = ""
    source: str = "prometheus"
    instant: bool = False
    exemplars: bool = False

    def json(self, number: int) -> Json:
        """A panel's target."""
        found: Json = {"refId": chr(ord("A") + number), "datasource": {"type": self.source, "uid": self.source}}
        if self.source == _FLUX:
            return found | {"query": self.text}
        if self.source == "jaeger":
            return found | {"queryType": "search", "service": self.text, "limit": 20}
        shape = {"range": not self.instant, "instant": self.instant, "exemplar": self.exemplars}
        name = self.legend or "__auto"
        return (
            found
            | {"expr": self.text, "legendFormat": name, "format": "table" if self.instant else "time_series"}
            | shape
        )


@dataclass(frozen=True)
class Link:
    """Where a value of a table leads: an address with `${__value.raw}` in it."""

    title: str
    url: str


@dataclass(frozen=True)
class Panel:
    """One panel; `steps` are thresholds as value -> colour, drawn as lines in a time series.

    `alerts` names those that watch what it shows: each becomes a link to the runbooks. `empty` is said instead of "No
    data". `links` leads each value of a column somewhere. A text panel has no queries.
    """

    title: str
    about: str
    unit: str
    queries: Sequence[Query]
    kind: str = "timeseries"
    width: int = 8
    height: int = 8
    steps: Mapping[float, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    maximum: float | None = None
    alerts: Sequence[str] = ()
    empty: str = ""
    links: Mapping[str, Sequence[Link]] = field(default_factory=dict)

    def json(self, number: int, x: int, y: int) -> Json:
        """The panel at a place of the grid."""
        steps: list[Json] = [{"color": "green", "value": None}]
        steps += [{"color": colour, "value": value} for value, colour in self.steps.items()]
        defaults: Json = {"unit": self.unit, "thresholds": {"mode": "absolute", "steps": steps}, "min": 0}
        if self.maximum is not None:
            defaults["max"] = self.maximum
        if self.kind == "timeseries":
            style = "area" if self.steps else "off"
            defaults["custom"] = {"fillOpacity": 8, "showPoints": "never", "thresholdsStyle": {"mode": style}}
        elif self.kind == "stat":
            defaults["color"] = {"mode": "thresholds"}
        if self.empty:
            defaults["noValue"] = self.empty
        source = [{"type": each.source, "uid": each.source} for each in self.queries[:1]]
        links = [{"title": f"Runbook: {alert}", "url": RUNBOOKS, "targetBlank": True} for alert in self.alerts]
        return {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.about,
            **({"datasource": source[0]} if source else {}),
            **({"links": links} if links else {}),
            "gridPos": {"x": x, "y": y, "w": self.width, "h": self.height},
            "fieldConfig": {"defaults": defaults, "overrides": [_leading(*each) for each in self.links.items()]},
            "options": _OPTIONS.get(self.kind, {}) | dict(self.options),
            "targets": [query.json(index) for index, query in enumerate(self.queries)],
        }


def _leading(column: str, links: Sequence[Link]) -> Json:
    """An entry of `overrides`."""
    value = [{"title": link.title, "url": link.url} for link in links]
    return {"matcher": {"id": "byName", "options": column}, "properties": [{"id": "links", "value": value}]}


_OPTIONS: Final[Mapping[str, Json]] = {
    "timeseries": {
        "legend": {"displayMode": "list", "placement": "bottom"},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "stat": {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "background", "graphMode": "area"},
    "table": {"cellHeight": "sm", "showHeader": True},
    "logs": {"showTime": True, "wrapLogMessage": True, "sortOrder": "Descending"},
}


@dataclass(frozen=True)
class Variable:
    """A choice above the dashboard, filled from Prometheus' label values."""

    name: str
    label: str
    query: str
    everything: bool = True

    def json(self) -> Json:
        """An entry of `templating.list`."""
        found: Json = {
            "name": self.name,
            "label": self.label,
            "type": "query",
            "datasource": {"type": "prometheus", "uid": "prometheus"},
            "query": {"query": self.query, "refId": self.name},
            "refresh": 2,
            "sort": 1,
            "includeAll": self.everything,
            "multi": self.everything,
        }
        return found | ({"allValue": ".*", "current": {"text": "All", "value": "$__all"}} if self.everything else {})


@dataclass(frozen=True)
class TextBox:
    """Something to type above the dashboard, empty at first; a link can fill it in."""

    name: str
    label: str

    def json(self) -> Json:
        """An entry of `templating.list`."""
        return {"name": self.name, "label": self.label, "type": "textbox", "query": "", "current": {"value": ""}}


@dataclass(frozen=True)
class Dashboard:
    """A dashboard: rows of panels under titles."""

    uid: str
    title: str
    about: str
    rows: Mapping[str, Sequence[Panel]]
    variables: Sequence[Variable | TextBox] = ()

    def json(self) -> Json:
        """The file that Grafana provisions."""
        return {
            "uid": self.uid,
            "title": self.title,
            "description": self.about,
            "tags": ["libraries-io-mcp"],
            "schemaVersion": 41,
            "editable": False,
            "refresh": "30s",
            "time": {"from": "now-1h", "to": "now"},
            "timezone": "browser",
            "graphTooltip": 1,
            "links": [
                {
                    "type": "dashboards",
                    "title": "Dashboards",
                    "tags": ["libraries-io-mcp"],
                    "asDropdown": True,
                    "keepTime": True,
                }
            ],
            "templating": {"list": [variable.json() for variable in self.variables]},
            "panels": self._panels(),
        }

    def _panels(self) -> list[Json]:
        found: list[Json] = []
        y = 0
        for title, panels in self.rows.items():
            found.append(
                {
                    "id": len(found) + 1,
                    "type": "row",
                    "title": title,
                    "collapsed": False,
                    "panels": [],
                    "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1},
                }
            )
            y += 1
            x = tallest = 0
            for panel in panels:
                if x + panel.width > WIDTH:
                    x, y, tallest = 0, y + tallest, 0
                found.append(panel.json(len(found) + 1, x, y))
                x, tallest = x + panel.width, max(tallest, panel.height)
            y += tallest
        return found
