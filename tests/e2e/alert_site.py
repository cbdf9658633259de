"""Twenty alerts with a timetable, everything that evaluates and tells them, and the faults that all of that can have.

Site `a` is one server with a state file, site `b` two replicas with one Redis. Each has an Alertmanager, a webhook and
a mailbox of its own; one Prometheus evaluates for both.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml
from tests.e2e.told import HOOK_FAULTS, MAIL_FAULTS, Hooks, Mails, Notice
from tests.servers.binaries import binaries
from tests.servers.ports import free_ports
from tests.servers.process import ServerProcess
from tests.support.command import COMMAND
from tests.support.valkey import running_valkey

ALERTS: Final = tuple(f"Alert{number:02}" for number in range(20))
INTERVAL: Final = 2.0
SITES: Final = ("a", "b")
SHORTEST: Final = 65.0
LONGEST: Final = 120.0
"""How long an alert fires."""
LEAD_SECONDS: Final = 20.0
"""Between the start and the first alert."""
BAD_VALUES: Final = ("by_hand", "state", "seen", "samples", "leader")
PREFIX: Final = "libraries_io_mcp:alerts:1:"


@dataclass(frozen=True)
class Window:
    """When one alert fires."""

    alert: str
    start: float
    end: float


def timetable(seed: int, begin: float, seconds: float) -> list[Window]:
    """Each alert fires again and again, for longer than a minute each time."""
    dice = random.Random(seed)  # noqa: S311 - dice
    windows = []
    for alert in ALERTS:
        at = begin + dice.uniform(0, 40)
        while (end := at + dice.uniform(SHORTEST, LONGEST)) < begin + seconds:
            windows.append(Window(alert, at, end))
            at = end + dice.uniform(20, 50)
    return windows


def rules(windows: list[Window]) -> str:
    """The timetable as rules."""
    found = []
    for alert in ALERTS:
        parts = [f"vector(time()) >= {each.start:.0f} < {each.end:.0f}" for each in windows if each.alert == alert]
        found.append(
            {
                "alert": alert,
                "expr": " or ".join(parts) or "vector(0) > 1",
                "labels": {"severity": "high", "slo": "none", "service_name": alert},
                "annotations": {"summary": "It is time.", "cooldown": "0s"},
            }
        )
    return yaml.safe_dump({"groups": [{"name": "timetable", "interval": f"{INTERVAL:g}s", "rules": found}]})


@dataclass
class Site:
    """Everything that runs, and what people were told."""

    folder: Path
    windows: list[Window]
    notices: list[Notice]
    hooks: Hooks
    mails: Mails
    prometheus: ServerProcess
    alertmanagers: list[ServerProcess]
    servers: dict[str, ServerProcess]
    valkey: "Valkey"
    said: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        """Note what is done when."""
        self.said.append(f"{time.time():.1f} {text}")

    def quiet(self, seconds: float) -> bool:
        """Whether no alert ends from now on for so long: who loses its memory then can learn all of it again."""
        now = time.time()
        return not any(now - 2 < each.end < now + seconds for each in self.windows)


class Valkey:
    """Redis, with its faults."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._stack = ExitStack()
        self.server: Any = None

    def start(self) -> None:
        """Empty."""
        self.server = self._stack.enter_context(running_valkey(self.port))

    def stop(self) -> None:
        """And all is lost."""
        self._stack.close()

    def spoil(self, name: str) -> None:
        """Another kind of value under this name."""
        client = self.server.client()
        client.delete(PREFIX + name)
        client.set(PREFIX + name, "{no sense")


@contextmanager
def running_site(folder: Path, seed: int, seconds: float) -> Iterator[Site]:
    """Start everything; the timetable begins a little later."""
    prometheus_port, redis_port, *ports = free_ports(7)
    alertmanager_ports, server_ports = ports[:2], ports[2:]
    windows = timetable(seed, time.time() + LEAD_SECONDS, seconds)
    (folder / "rules").mkdir(parents=True)
    (folder / "rules" / "alerts.yml").write_text(rules(windows), encoding="utf-8")
    notices: list[Notice] = []
    valkey = Valkey(redis_port)
    with Hooks(notices) as hooks, Mails(notices) as mails:
        alertmanagers = [
            _alertmanager(folder, name, port, hooks.url) for name, port in zip(SITES, alertmanager_ports, strict=True)
        ]
        prometheus = _prometheus(folder, prometheus_port, alertmanager_ports)
        servers = {}
        for name, port in zip(("a", "b1", "b2"), server_ports, strict=True):
            site = name[0]
            variables = {
                "ALERT_RULES_PATH": str(folder / "rules"),
                "PROMETHEUS_URL": f"http://127.0.0.1:{prometheus_port}",
                "ALERTMANAGER_URL": f"http://127.0.0.1:{alertmanager_ports[SITES.index(site)]}",
                "WEBHOOK_URL": f"{hooks.url}/{site}-hook",
                "SMTP_SERVER": "127.0.0.1",
                "SMTP_PORT": str(mails.port),
                "SMTP_USE_TLS": "false",
                "SMTP_TO_EMAILS": f"{site}@example.org",
                "HEALTH_PROBE_SECONDS": "0",
                **({"REDIS_URL": f"redis://127.0.0.1:{redis_port}/0"} if site == "b" else {}),
                "ALERT_STATE_FILE": str(folder / f"{name}.json"),
            }
            command = [COMMAND, "serve", "--transport", "http", "--port", str(port)]
            ready = f"http://127.0.0.1:{port}/health"
            servers[name] = ServerProcess(f"server-{name}", command, folder / name, ready, variables)
        site = Site(folder, windows, notices, hooks, mails, prometheus, alertmanagers, servers, valkey)
        running = [prometheus, *alertmanagers, *servers.values()]
        try:
            valkey.start()
            for each in running:
                each.start()
            for each in running:
                each.wait_until_ready()
            yield site
        finally:
            for each in running:
                each.stop()
            valkey.stop()


def _prometheus(folder: Path, port: int, alertmanager_ports: list[int]) -> ServerProcess:
    home = folder / "prometheus"
    home.mkdir()
    targets = [f"127.0.0.1:{each}" for each in alertmanager_ports]
    configuration = {
        "rule_files": [str(folder / "rules" / "*.yml")],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": targets}]}]},
    }
    (home / "prometheus.yml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
    command = [
        binaries("prometheus")["prometheus"],
        f"--config.file={home / 'prometheus.yml'}",
        f"--storage.tsdb.path={home / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--rules.alert.resend-delay=5s",
    ]
    return ServerProcess("prometheus", command, home, f"http://127.0.0.1:{port}/-/ready", {})


def _alertmanager(folder: Path, site: str, port: int, receiver_url: str) -> ServerProcess:
    home = folder / f"alertmanager-{site}"
    home.mkdir()
    times = {"group_wait": "1s", "group_interval": "1s", "repeat_interval": "4h"}
    webhook = {"url": f"{receiver_url}/{site}-alertmanager", "send_resolved": True}
    configuration = {
        "route": {"receiver": "people", "group_by": ["alertname"], **times},
        "receivers": [{"name": "people", "webhook_configs": [webhook]}],
    }
    (home / "alertmanager.yml").write_text(yaml.safe_dump(configuration), encoding="utf-8")
    command = [
        binaries("alertmanager")["alertmanager"],
        f"--config.file={home / 'alertmanager.yml'}",
        f"--storage.path={home / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        # What it has told would be lost with it when it is killed, and with that whom it owes an end.
        "--data.maintenance-interval=1s",
    ]
    return ServerProcess(f"alertmanager-{site}", command, home, f"http://127.0.0.1:{port}/-/ready", {})


class Faults:
    """Breaks things and mends them until it is asked to end; three lanes, each with dice of its own."""

    def __init__(self, site: Site, seed: int) -> None:
        self._site = site
        self._seed = seed
        self._ending = threading.Event()
        self._failure: list[BaseException] = []
        lanes: tuple[Callable[[random.Random], None], ...] = (
            self._alertmanagers_fail,
            self._prometheus_fails,
            self._the_rest_fails,
        )
        self._threads = [threading.Thread(target=self._run, args=(lane, n)) for n, lane in enumerate(lanes)]

    def __enter__(self) -> "Faults":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        """All is mended when it returns."""
        self._ending.set()
        for thread in self._threads:
            thread.join()
        if self._failure:
            raise self._failure[0]

    def _run(self, lane: Callable[[random.Random], None], number: int) -> None:
        dice = random.Random(100 * self._seed + number)  # noqa: S311 - dice
        try:
            while not self._ending.is_set():
                lane(dice)
        except BaseException as error:  # told by the main thread
            self._failure.append(error)

    def _wait(self, seconds: float) -> None:
        self._ending.wait(seconds)

    def _restart(self, process: ServerProcess, *, kill: bool, down: float = 0.0) -> None:
        self._site.say(f"{'kill' if kill else 'stop'} {process.name}")
        process.kill() if kill else process.stop()
        self._wait(down)
        process.start()
        process.wait_until_ready()
        self._site.say(f"{process.name} is back")

    def _alertmanagers_fail(self, dice: random.Random) -> None:
        self._wait(dice.uniform(15, 35))
        if self._ending.is_set():
            return
        down, kill = dice.choice((5.0, 70.0, 90.0)), dice.random() < 0.5
        threads = [
            threading.Thread(target=self._restart, args=(each,), kwargs={"kill": kill, "down": down})
            for each in self._site.alertmanagers
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _prometheus_fails(self, dice: random.Random) -> None:
        self._wait(dice.uniform(20, 45))
        if not self._ending.is_set():
            self._restart(self._site.prometheus, kill=dice.random() < 0.5, down=dice.uniform(2, 45))

    def _the_rest_fails(self, dice: random.Random) -> None:
        faults = [
            self._mail_fails,
            self._hooks_fail,
            self._redis_fails,
            self._redis_is_spoiled,
            self._a_server_ends,
            self._a_server_ends,
            self._the_state_file_is_spoiled,
        ]
        dice.shuffle(faults)
        for fault in faults:
            self._wait(dice.uniform(3, 8))
            if self._ending.is_set():
                return
            fault(dice)

    def _mail_fails(self, dice: random.Random) -> None:
        for fault in dice.sample(MAIL_FAULTS, len(MAIL_FAULTS)):
            self._site.say(f"mail: {fault}")
            self._site.mails.faults = {f"{site}-mail": fault for site in SITES}
            self._wait(4)
        self._site.mails.faults = {}

    def _hooks_fail(self, dice: random.Random) -> None:
        for fault in dice.sample(HOOK_FAULTS, len(HOOK_FAULTS)):
            self._site.say(f"webhook: {fault[0]}")
            self._site.hooks.faults = {f"{site}-hook": fault for site in SITES}
            self._wait(3)
        self._site.hooks.faults = {}

    def _redis_fails(self, dice: random.Random) -> None:
        self._site.say("stop redis")
        self._site.valkey.stop()
        self._wait(dice.choice((3.0, 20.0)))
        self._site.valkey.start()

    def _redis_is_spoiled(self, dice: random.Random) -> None:
        for name in dice.sample(BAD_VALUES, len(BAD_VALUES)):
            self._site.say(f"spoil {name} in redis")
            self._site.valkey.spoil(name)
            self._wait(3)

    def _a_server_ends(self, dice: random.Random) -> None:
        name = dice.choice(tuple(self._site.servers))
        self._restart(self._site.servers[name], kill=dice.random() < 0.5, down=dice.uniform(0, 5))

    def _the_state_file_is_spoiled(self, _dice: random.Random) -> None:
        while not self._site.quiet(15):
            self._wait(0.5)
            if self._ending.is_set():
                return
        server = self._site.servers["a"]
        self._site.say("kill server-a, spoil its state")
        server.kill()
        (self._site.folder / "a.json").write_text("{no sense", encoding="utf-8")
        server.start()
        server.wait_until_ready()


@dataclass(frozen=True)
class Count:
    """What people knew."""

    windows: int
    told_to_nobody: list[str]
    resolved_without_firing: list[Notice]
    firing_for_ever: list[str]
    doubles: int
    told_by_both: int
    notices: int


def count(site: Site) -> Count:
    """By receiver and alert: what each was told, in order."""
    told: dict[tuple[str, str], list[Notice]] = {}
    for notice in sorted(site.notices, key=lambda each: each.at):
        told.setdefault((notice.receiver, notice.alert), []).append(notice)
    without, doubles = [], 0
    for notices in told.values():
        before: Notice | None = None
        for notice in notices:
            # The same once more, unless it has begun to fire again in between.
            again = before is not None and before.status == notice.status
            if again and before is not None and not _begins(site.windows, before, notice):
                doubles += 1
            elif notice.status == "resolved" and (before is None or before.status == "resolved"):
                without.append(notice)
            before = notice
    for_ever = [f"{alert} at {receiver}" for (receiver, alert), each in told.items() if each[-1].status == "firing"]
    untold = [
        f"{window.alert} from {window.start:.0f} to {window.end:.0f} at site {name}"
        for window in site.windows
        for name in SITES
        if not _is_told(window, name, told)
    ]
    both = sum(_is_told_by_both(window, name, told) for window in site.windows for name in SITES)
    return Count(len(site.windows), untold, without, for_ever, doubles, both, len(site.notices))


def _begins(windows: list[Window], one: Notice, other: Notice) -> bool:
    """Whether the alert begins to fire between two notices of it."""
    return any(window.alert == one.alert and one.at < window.start < other.at for window in windows)


def _is_told_by_both(window: Window, site: str, told: Mapping[tuple[str, str], list[Notice]]) -> bool:
    """Whether Alertmanager and the server itself told of it."""
    by = {
        receiver == f"{site}-alertmanager"
        for (receiver, alert), notices in told.items()
        if alert == window.alert and receiver.startswith(f"{site}-")
        for notice in notices
        if window.start <= notice.at <= window.end + INTERVAL and notice.status == "firing"
    }
    return len(by) > 1


def _is_told(window: Window, site: str, told: Mapping[tuple[str, str], list[Notice]]) -> bool:
    """Whether at any time of the window one receiver of the site knew that it fires."""
    for (receiver, alert), notices in told.items():
        if alert != window.alert or not receiver.startswith(f"{site}-"):
            continue
        before = [notice for notice in notices if notice.at < window.start]
        if before and before[-1].status == "firing":
            return True
        if any(window.start <= notice.at <= window.end + INTERVAL and notice.status == "firing" for notice in notices):
            return True
    return False
