"""Alerting as the settings ask for it: rules, samples, Prometheus, channels and state, put together in their thread."""

import time
from collections.abc import Callable, Sequence

import httpx

from libraries_io_mcp.alerting.channels.build import build_channels
from libraries_io_mcp.alerting.dispatcher import Dispatcher
from libraries_io_mcp.alerting.leader_election import LeaderElection
from libraries_io_mcp.alerting.prometheus import Prometheus
from libraries_io_mcp.alerting.rounds import Rounds, Samples, metrics_needed
from libraries_io_mcp.alerting.rule import Group
from libraries_io_mcp.alerting.rules import default_rules, load_rules
from libraries_io_mcp.alerting.service import Service
from libraries_io_mcp.alerting.shared_samples import SharedSamples
from libraries_io_mcp.alerting.state_file import StateFile
from libraries_io_mcp.redis_gateway import RedisGateway
from libraries_io_mcp.settings import Settings
from libraries_io_mcp.supervisor import Supervisor
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.observe import Observer
from libraries_io_mcp.tls import trust


def build_service(
    settings: Settings,
    *,
    collect: Callable[[], Samples],
    observer: Observer,
    instruments: Instruments,
    supervisor: Supervisor,
) -> Service:
    """Read the rules and make the parts; nothing is asked or sent yet. Call it in the thread that will run it."""
    rules = load_rules(settings.alerts.rules_path or default_rules())
    channels = build_channels(settings.alertmanager, settings.smtp, settings.webhook)
    gateway = _gateway(settings)
    samples = None if gateway is None else _shared_samples(gateway, collect, rules.groups)
    return Service(
        rules,
        Rounds(rules.groups, collect if samples is None else samples.collect, instruments),
        Dispatcher(channels, observer=observer, instruments=instruments),
        instruments=instruments,
        prometheus=_prometheus(settings),
        state_file=_state_file(settings) if gateway is None else None,
        election=None if gateway is None else LeaderElection(gateway),
        samples=samples,
        supervisor=supervisor,
    )


def _gateway(settings: Settings) -> RedisGateway | None:
    """The way to what replicas share, with REDIS_URL."""
    if settings.redis.url is None:
        return None
    return RedisGateway(settings.redis.url.get_secret_value(), purpose="alerts are", monotonic=time.monotonic)


def _shared_samples(gateway: RedisGateway, collect: Callable[[], Samples], groups: Sequence[Group]) -> SharedSamples:
    """The samples of all replicas."""
    needed = metrics_needed(groups)
    names = None if None in needed else {name for name in needed if name is not None}
    return SharedSamples(gateway, collect, names)


def _state_file(settings: Settings) -> StateFile | None:
    path = settings.alerts.state_path
    return StateFile(path, asked_for=settings.alerts.state_file is not None) if path is not None else None


def _prometheus(settings: Settings) -> Prometheus | None:
    if settings.prometheus.url is None or settings.alerts.evaluation == "always":
        return None
    # Nothing of this machine's proxy settings: it is asked every few seconds.
    return Prometheus(settings.prometheus.url, httpx.AsyncClient(trust_env=False, verify=trust()))
