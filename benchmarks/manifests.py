"""What hostile manifests cost the running server: seconds and peak memory of audit_dependencies, over stdio.

    python benchmarks/manifests.py

Each manifest goes to a server of its own, started fresh, against the sandbox. `before` is the server's peak after an
audit of one package, so `more` is what the manifest took. The client's own work is not measured.
"""

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

TEN_MB = 10 * 1024 * 1024
KEY = "5a4db0c05a4db0c05a4db0c05a4db0c0"
OURS = (sys.executable, "-m", "libraries_io_mcp")
LAUGHS_XML = (
    '<?xml version="1.0"?><!DOCTYPE project [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    + "]><project><artifactId>&a11;</artifactId></project>"
)


def lines(count: int) -> str:
    """Requirements that nobody knows."""
    return "".join(f"package-{number}>=1.{number}\n" for number in range(count))


def npm(count: int) -> str:
    """The same as a package.json."""
    return json.dumps({"dependencies": {f"package-{number}": f"^1.{number}.0" for number in range(count)}})


MANIFESTS: dict[str, tuple[str, Callable[[], str]]] = {
    "10 MB of requirements": ("requirements.txt", lambda: lines(TEN_MB // 25)),
    "10 MB of package.json": ("package.json", lambda: npm(TEN_MB // 36)),
    "10 MB of package-lock.json": (
        "package-lock.json",
        lambda: json.dumps(
            {
                "lockfileVersion": 3,
                "packages": {f"node_modules/p{n}": {"version": f"1.0.{n}", "license": "MIT"} for n in range(150_000)},
            }
        ),
    ),
    "more than 10 MB": ("requirements.txt", lambda: "a" * (TEN_MB + 1)),
    "one line of 10 MB": ("requirements.txt", lambda: "a" * TEN_MB),
    "10,000 packages": ("requirements.txt", lambda: lines(10_000)),
    "10,000 packages of npm": ("package.json", lambda: npm(10_000)),
    "billion laughs (XML)": ("pom.xml", lambda: LAUGHS_XML),
    "billion laughs (YAML)": (
        "pnpm-lock.yaml",
        lambda: "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)),
    ),
    "JSON nested 10,000 deep": ("package.json", lambda: '{"dependencies":' * 10_000 + "{}" + "}" * 10_000),
    "TOML nested 10,000 deep": ("pyproject.toml", lambda: "a = " + "[" * 10_000 + "]" * 10_000),
    "wrong encoding": ("requirements.txt", lambda: "réquests==1.0\n".encode("utf-16").decode("latin-1")),
    "CRLF": ("requirements.txt", lambda: lines(1_000).replace("\n", "\r\n")),
    "BOM": ("requirements.txt", lambda: "\ufeff" + lines(1_000)),
}


class Server:
    """One server on stdio."""

    def __init__(self, upstream: str) -> None:
        environment = {
            "PATH": "/usr/bin:/bin",
            "LIBRARIES_IO_BASE_URL": upstream,
            "LIBRARIES_IO_API_KEY": KEY,
            "OTEL_SDK_DISABLED": "true",
            "LOG_LEVEL": "ERROR",
        }
        self.process = subprocess.Popen(
            OURS, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=tempfile.gettempdir()
        )
        self._id = 0
        self.request(
            "initialize",
            {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}},
        )
        self._send({"method": "notifications/initialized"})

    def audit(self, manifest: str, filename: str) -> dict[str, object]:
        """The result of one audit."""
        given = {"manifest": manifest, "filename": filename}
        return self.request("tools/call", {"name": "audit_dependencies", "arguments": given})

    def request(self, method: str, parameters: dict[str, object]) -> dict[str, object]:
        """One request and its result."""
        self._id += 1
        self._send({"id": self._id, "method": method, "params": parameters})
        for line in self.process.stdout or ():
            reply: dict[str, dict[str, object]] = json.loads(line)
            if reply.get("id") == self._id:
                return reply.get("result") or reply["error"]
        raise SystemExit("the server has ended")

    def peak_mb(self) -> float:
        """The most memory that the process ever held."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024  # type: ignore[index]

    def end(self) -> None:
        """Stop it."""
        self.process.kill()
        self.process.wait()

    def _send(self, message: dict[str, object]) -> None:
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")  # type: ignore[union-attr]
        self.process.stdin.flush()  # type: ignore[union-attr]


def measured(upstream: str, filename: str, manifest: str) -> tuple[float, float, float, str]:
    """Seconds, peak before and after in MB, and what came of it."""
    server = Server(upstream)
    try:
        server.audit("requests\n", "requirements.txt")
        before = server.peak_mb()
        start = time.perf_counter()
        result = server.audit(manifest, filename)
        return time.perf_counter() - start, before, server.peak_mb(), outcome(result)
    finally:
        server.end()


def outcome(result: dict[str, object]) -> str:
    """One line."""
    facts = result.get("structuredContent")
    if not isinstance(facts, dict):
        return str(result.get("message"))[:70]
    if result.get("isError"):
        return f"{facts['error_type']}: {facts['message'][:70]}"
    counts = {word: count for word, count in facts["counts"].items() if count}
    return f"answer of {len(json.dumps(facts)):,} characters; {counts}"


def main() -> int:
    """All of them, one after the other."""
    sandbox = subprocess.Popen(
        (*OURS, "sandbox", "--port", "0", "--key", f"{KEY}:1000000"), stdout=subprocess.PIPE, text=True
    )
    try:
        upstream = sandbox.stdout.readline().split(" at ")[1].split()[0]  # type: ignore[union-attr]
        print(f"{'manifest':28} {'MB':>6} {'seconds':>8} {'before':>7} {'peak':>6} {'more':>6}  outcome")
        for name, (filename, make) in MANIFESTS.items():
            text = make()
            seconds, before, peak, what = measured(upstream, filename, text)
            size = len(text.encode()) / 1024 / 1024
            print(
                f"{name:28} {size:6.2f} {seconds:8.2f} {before:7.0f} {peak:6.0f} {peak - before:6.0f}  {what}",
                flush=True,
            )
    finally:
        sandbox.kill()
    return 0


if __name__ == "__main__":
    sys.exit(main())
