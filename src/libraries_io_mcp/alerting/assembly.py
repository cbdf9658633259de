"""Alerting as the settings ask for it: rules, samples, Prometheus, channels and state, put together in their thread."""

import time
from collections.abc import Callable, Sequence
from typing import Final

import httpx

from libraries_io_mcp.alerting.channels.build import build_channels
from libraries_io_mcp.alerting.delivery import Delivery
from libraries_io_mcp.alerting.prometheus import Prometheus
from libraries_io_mcp.alerting.rounds import Rounds, Samples, metrics_needed
from libraries_io_mcp.alerting.rule import Group
from libraries_io_mcp.alerting.rules import DEFAULT_INTERVAL_SECONDS, default_rules, load_rules
from libraries_io_mcp.alerting.service import Service
from libraries_io_mcp.alerting.shared_samples import SharedSamples
from libraries_io_mcp.alerting.shared_state import SharedState
from libraries_io_mcp.alerting.shared_store import SharedStore, redis_store
from libraries_io_mcp.alerting.state_file import StateFile
from libraries_io_mcp.settings import Settings
from libraries_io_mcp.telemetry.instruments import Instruments
from libraries_io_mcp.telemetry.observe import Observer

CHANNEL_SHARE: Final = 0.8
"""One question to Alertmanager takes at most this part of an interval, so that it never outlasts it."""
ALERTMANAGER_SECONDS: Final = 5.0


def build_service(
    settings: Settings, *, collect: Callable[[], Samples], observer: Observer, instruments: Instruments
) -> Service:
    """Read the rules and make the parts; nothing is asked or sent yet. Call it in the thread that will run it.

    Raises:
        SettingsError: WEBHOOK_HEADERS can't be read.
    """
    rules = load_rules(settings.alerts.rules_path or default_rules())
    shortest = min((group.interval for group in rules.groups), default=DEFAULT_INTERVAL_SECONDS)
    channels = build_channels(
        settings.alertmanager,
        settings.smtp,
        settings.webhook,
        alertmanager_limit_seconds=min(ALERTMANAGER_SECONDS, CHANNEL_SHARE * shortest),
    )
    delivery = Delivery(
        channels,
        observer=observer,
        instruments=instruments,
        interval_seconds=shortest,
        settle_seconds=settings.alertmanager.settle_seconds,
    )
    store = _store(settings)
    return Service(
        rules,
        Rounds(rules.groups, collect if store is None else _together(store, collect, rules.groups), instruments),
        delivery,
        instruments=instruments,
        prometheus=_prometheus(settings),
        state_file=_state_file(settings) if store is None else SharedState(store),
    )


def _store(settings: Settings) -> SharedStore | None:
    """What replicas share, with REDIS_URL."""
    if settings.redis.url is None:
        return None
    return SharedStore(redis_store(settings.redis.url.get_secret_value()), monotonic=time.monotonic)


def _together(store: SharedStore, collect: Callable[[], Samples], groups: Sequence[Group]) -> Callable[[], Samples]:
    """The samples of all replicas."""
    needed = metrics_needed(groups)
    names = None if None in needed else {name for name in needed if name is not None}
    return SharedSamples(store, collect, names).collect


def _state_file(settings: Settings) -> StateFile | None:
    path = settings.alerts.state_path
    return StateFile(path, asked_for=settings.alerts.state_file is not None) if path is not None else None


def _prometheus(settings: Settings) -> Prometheus | None:
    if settings.prometheus.url is None or settings.alerts.evaluation == "always":
        return None
    # Nothing of this machine's proxy settings: it is asked every few seconds.
    return Prometheus(settings.prometheus.url, httpx.AsyncClient(trust_env=False))
