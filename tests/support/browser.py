"""A real headless Chromium that looks at the status page, and what it says of it: console, requests, accessibility."""

import base64
import json
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from tests.support.polling import poll_until

_SCRIPT: Final = str(Path(__file__).parents[2] / "scripts" / "browser")
PATIENCE_SECONDS: Final = 180.0
"""Longest wait for something on the page, on a busy machine."""
STARTS: Final = 3
"""So often a browser is started until it comes up."""
DESKTOP: Final = (1280, 900)
PHONE: Final = (390, 844)
_OPTIONS: Final = (
    "--headless=new",
    "--no-sandbox",  # tests may run as root, where Chromium's own sandbox does not work
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--force-color-profile=srgb",
    "--js-flags=--expose-gc",
    "--enable-precise-memory-info",
)


@cache
def programs() -> Mapping[str, str]:
    """Paths of Chromium, its driver and axe-core, obtained first where one is missing."""
    found = subprocess.run([_SCRIPT, "--where"], capture_output=True, text=True, check=False)
    if found.returncode:
        subprocess.run([_SCRIPT], check=True)
        found = subprocess.run([_SCRIPT, "--where"], capture_output=True, text=True, check=True)
    return dict(line.split("=", 1) for line in found.stdout.splitlines())


class Browser:
    """One tab on one page."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver
        self._severe: list[str] = []
        self._addresses: list[str] = []

    def open(self, url: str) -> None:
        """Go to an address."""
        self.driver.get(url)

    def dress(self, scheme: Literal["light", "dark"], size: tuple[int, int] = DESKTOP, *, scale: float = 1.0) -> None:
        """Prefer a colour scheme, on a screen of a size."""
        self.command(
            "Emulation.setEmulatedMedia",
            features=[
                {"name": "prefers-color-scheme", "value": scheme},
                {"name": "prefers-reduced-motion", "value": "reduce"},
            ],
        )
        width, height = size
        self.command(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=scale,
            mobile=size == PHONE,
        )

    def command(self, name: str, **parameters: Any) -> Any:
        """A command of the DevTools protocol."""
        return self.driver.execute_cdp_cmd(name, parameters)

    def run(self, script: str, *arguments: Any) -> Any:
        """What a script returns."""
        return self.driver.execute_script(script, *arguments)

    def find(self, selector: str) -> list[WebElement]:
        """The elements that a selector finds now."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        """The text of the first element there; empty when there is none. As the page holds it, seen or not."""
        return str(self.run("return document.querySelector(arguments[0])?.textContent ?? ''", selector))

    def wait_for(self, selector: str, text: str = "") -> None:
        """Wait until an element is there whose text holds `text`."""
        script = (
            "const found = [...document.querySelectorAll(arguments[0])];"
            "return found.some((each) => each.textContent.includes(arguments[1]))"
        )
        poll_until(lambda: self.run(script, selector, text), f"{text!r} in {selector} on the page", PATIENCE_SECONDS)

    def click(self, selector: str) -> None:
        """Click the first such element, by its own method: what is around it may move meanwhile."""
        assert self.run(
            "const found = document.querySelector(arguments[0]); found?.click(); return Boolean(found)", selector
        ), f"no {selector}"

    def type(self, selector: str, text: str) -> None:
        """Put a text into a field, key by key."""
        (field,) = self.find(selector)
        field.clear()
        field.send_keys(text)

    def severe(self) -> list[str]:
        """Errors of the console since the start."""
        self._severe += [each["message"] for each in self.driver.get_log("browser") if each["level"] == "SEVERE"]
        return list(self._severe)

    def addresses(self) -> list[str]:
        """Every address that was asked for since the start."""
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self._addresses.append(message["params"]["request"]["url"])
        return list(self._addresses)

    def accessibility(self) -> list[str]:
        """What axe-core finds that is serious or critical, a line each."""
        self.run(Path(programs()["axe"]).read_text(encoding="utf-8"))
        found = self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            "axe.run(document, {resultTypes: ['violations']}).then((found) => done(found.violations), (error) =>"
            " done([{id: String(error), impact: 'critical', nodes: []}]))"
        )
        return [
            f"{each['id']} ({each['impact']}): {node['html'][:200]}: {node.get('failureSummary', '')}"
            for each in found
            if each["impact"] in {"serious", "critical"}
            for node in each["nodes"] or [{"html": ""}]
        ]

    def memory(self) -> dict[str, int]:
        """Bytes of the JavaScript heap after a collection, and the numbers of nodes and listeners."""
        for _ in range(3):
            self.command("HeapProfiler.collectGarbage")
        metrics = {each["name"]: int(each["value"]) for each in self.command("Performance.getMetrics")["metrics"]}
        return {"heap": metrics["JSHeapUsedSize"], "nodes": metrics["Nodes"], "listeners": metrics["JSEventListeners"]}

    def value(self, expression: str) -> Any:
        """What an expression is. Unlike `run`, it leaves nothing behind in the heap, however often it is asked."""
        return self.command("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def heap(self) -> dict[str, int]:
        """What the heap holds after a collection, by a snapshot of it.

        `data`: bytes of what the page keeps: objects, arrays, texts, closures. `functions`: how many the engine knows.
        `compiled`: bytes of what it made of them, which is up to the engine. `native`: how many objects the browser
        keeps for the page.
        """
        for _ in range(3):
            self.command("HeapProfiler.collectGarbage")
        self.driver.command_executor.add_command("snapshot", "GET", "/session/$sessionId/chromium/heap_snapshot")
        taken = self.driver.execute("snapshot")["value"]
        snapshot = json.loads(taken) if isinstance(taken, str) else taken
        meta, nodes, names = snapshot["snapshot"]["meta"], snapshot["nodes"], snapshot["strings"]
        fields, kinds = meta["node_fields"], meta["node_types"][0]
        columns = [nodes[fields.index(each) :: len(fields)] for each in ("type", "name", "self_size")]
        found = {"data": 0, "functions": 0, "compiled": 0, "native": 0}
        for kind, name, size in zip(*columns, strict=True):
            if kinds[kind] == "native":
                found["native"] += 1
            elif kinds[kind] == "code":
                found["compiled"] += size
                found["functions"] += names[name] == "system / SharedFunctionInfo"
            else:
                found["data"] += size
        return found

    def picture(self, path: Path, *, height: int | None = None) -> None:
        """The whole page, or its first `height` pixels, as PNG."""
        width, whole = self.run("return [innerWidth, document.documentElement.scrollHeight]")
        clip = {"x": 0, "y": 0, "width": width, "height": min(height or whole, whole), "scale": 1}
        shot = self.command("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
        path.write_bytes(base64.b64decode(shot["data"]))


def _started(options: Options) -> Chrome:
    """On a busy machine Chromium may come up later than its driver waits, or the driver's port be taken meanwhile."""
    for _ in range(STARTS - 1):
        with suppress(WebDriverException):
            return Chrome(options=options, service=Service(programs()["chromedriver"]))
    return Chrome(options=options, service=Service(programs()["chromedriver"]))


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser of its own: a fresh profile, an empty cache."""
    options = Options()
    options.binary_location = programs()["chromium"]
    for each in _OPTIONS:
        options.add_argument(each)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = _started(options)
    driver.set_script_timeout(PATIENCE_SECONDS * 10)
    try:
        opened = Browser(driver)
        opened.command("Page.enable")
        opened.command("Performance.enable")
        opened.dress("light")
        yield opened
    finally:
        driver.quit()
