"""All five real servers on free loopback ports, started in the order in which compose starts them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.servers.alertmanager import Alertmanager
from tests.servers.collector import BackEnds, Collector, CollectorPorts
from tests.servers.influxdb import InfluxDB
from tests.servers.jaeger import Jaeger, JaegerPorts
from tests.servers.ports import free_ports
from tests.servers.process import ServerProcess
from tests.servers.prometheus import Prometheus


@dataclass(frozen=True)
class Stack:
    """The running servers."""

    folder: Path
    collector: Collector
    prometheus: Prometheus
    alertmanager: Alertmanager
    jaeger: Jaeger
    influxdb: InfluxDB

    @property
    def processes(self) -> list[ServerProcess]:
        """Back ends first."""
        servers = (self.influxdb, self.prometheus, self.alertmanager, self.jaeger, self.collector)
        return [server.process for server in servers]

    def last_words(self) -> str:
        """Where the logs are, and the end of each."""
        parts = [f"--- {process.name}: {process.log}\n{process.last_words(5)}" for process in self.processes]
        return "\n".join(parts)


@contextmanager
def running_stack(folder: Path) -> Iterator[Stack]:
    """Start all five, and stop them at the end."""
    ports = free_ports(13)
    jaeger_ports = JaegerPorts(*ports[:5])
    collector_ports = CollectorPorts(*ports[5:10])
    prometheus_port, alertmanager_port, influxdb_port = ports[10:]
    influxdb = InfluxDB(folder / "influxdb", influxdb_port)
    alertmanager = Alertmanager(folder / "alertmanager", alertmanager_port)
    targets = {
        "prometheus": f"127.0.0.1:{prometheus_port}",
        "alertmanager": f"127.0.0.1:{alertmanager_port}",
        "otel-collector": f"127.0.0.1:{collector_ports.metrics}",
        "jaeger": f"127.0.0.1:{jaeger_ports.metrics}",
        "influxdb": influxdb.address,
    }
    prometheus = Prometheus(folder / "prometheus", prometheus_port, targets)
    jaeger = Jaeger(folder / "jaeger", jaeger_ports, prometheus.url)
    back_ends = BackEnds(jaeger.otlp_endpoint, prometheus.url, influxdb.url, influxdb.collector_token_file)
    collector = Collector(folder / "collector", collector_ports, back_ends)
    stack = Stack(folder, collector, prometheus, alertmanager, jaeger, influxdb)
    try:
        *back, front = stack.processes
        for process in back:
            process.start()
        for process in back:
            process.wait_until_ready()
        influxdb.set_up()
        front.start()
        front.wait_until_ready()
        yield stack
    finally:
        for process in reversed(stack.processes):
            process.stop()
