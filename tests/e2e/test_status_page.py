"""The status page in a real browser, on a real server under load: what a person sees and does there."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
from selenium.webdriver.common.keys import Keys
from tests.e2e.load import Load
from tests.servers.ports import free_ports
from tests.support.browser import PATIENCE_SECONDS, PHONE, Browser, browser
from tests.support.command import Running
from tests.support.polling import HANG_SECONDS, poll_until
from tests.support.stand_in import CANARY, sandbox

from libraries_io_mcp.sandbox.faults import Fault

TOKEN: Final = "a-token-made-for-the-tests-of-the-page"
HOSTILE: Final = '"><img src=x onerror=alert(1)><script>alert(2)</script>'
RULES: Final = """
groups:
  - name: of-a-test
    interval: 1s
    rules:
      - alert: QuotaIsKnown
        expr: sum by (service_name) (libraries_io_quota_limit) > 0
        labels: {severity: high}
        annotations:
          summary: The quota of this server is known.
          description: It is a test.
          runbook_url: "javascript:alert(3)"
"""


@dataclass
class Site:
    """A server with a page, under load, that can be stopped and started again at the same address."""

    folder: Path
    port: int
    base_url: str
    variables: dict[str, str]
    loaded: bool = True
    running: ExitStack = field(default_factory=ExitStack)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/status"

    def start(self) -> None:
        rules = self.folder / "rules.yml"
        rules.write_text(RULES, encoding="utf-8")
        given = {
            "LIBRARIES_IO_BASE_URL": self.base_url,
            "LIBRARIES_IO_API_KEY": CANARY,
            "LIBRARIES_IO_TIMEOUT_SECONDS": "5",
            "CACHE_TTL_SECONDS": "1",
            "ALERT_RULES_PATH": str(rules),
            "ALERT_STATE_FILE": str(self.folder / "alerts.json"),
            **self.variables,
        }
        arguments = ("serve", "--transport", "http", "--port", str(self.port))
        server = self.running.enter_context(Running(*arguments, folder=self.folder, **given))
        self.running.callback(server.ask_to_end, "SIGTERM")
        # Without load it has to be waited for all the same.
        url = server.url
        if self.loaded:
            self.running.enter_context(Load(url))

    def stop(self) -> None:
        self.running.close()


@pytest.fixture(scope="module")
def service() -> Iterator[str]:
    """A service where one package always fails, slowly."""
    with sandbox(faults=[Fault("bad_gateway_slow", path="*/axios", delay=0.2)]) as url:
        yield url


@pytest.fixture(scope="module")
def site(service: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server for the module."""
    site = Site(tmp_path_factory.mktemp("site"), free_ports(1)[0], service, {})
    site.start()
    yield site
    site.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for the module."""
    with browser() as opened:
        yield opened


@pytest.fixture
def page(site: Site, chromium: Browser) -> Browser:
    """The page, opened anew, with traces on it."""
    chromium.dress("light")
    chromium.open(site.url)
    chromium.wait_for("#connection", "Live")
    chromium.wait_for("[data-trace]", "get_package_info")
    return chromium


def figure(page: Browser, selector: str) -> int:
    """A number of the page."""
    digits = "".join(each for each in page.text(selector) if each.isdigit())
    return int(digits) if digits else 0


def wait_for_rows(page: Browser, *words: str) -> None:
    """Wait until traces are listed, and nothing but such with all the words."""

    def fits() -> bool:
        rows = page.run("return [...document.querySelectorAll('[data-trace]')].map((each) => each.textContent)")
        return bool(rows) and all(word in row for row in rows for word in words)

    poll_until(fits, f"traces with {words} alone", PATIENCE_SECONDS)


def ask(site: Site, **arguments: str) -> None:
    """Call the tool once more, past the load."""
    headers = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-06-18"}
    opening: dict[str, Any] = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    }
    url = f"http://127.0.0.1:{site.port}/mcp"
    params = {"name": "get_package_info", "arguments": arguments}
    with httpx.Client(headers=headers, timeout=HANG_SECONDS) as client:
        opened = client.post(url, json={"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": opening})
        client.headers["mcp-session-id"] = opened.headers["mcp-session-id"]
        client.post(url, json={"jsonrpc": "2.0", "method": "notifications/initialized"})
        client.post(url, json={"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params}).raise_for_status()


def test_data_arrives_and_goes_on_arriving(page: Browser) -> None:
    calls = "#tools-body tbody tr:first-child td:nth-child(3)"
    page.wait_for("#tools-body th", "get_package_info")
    before = figure(page, calls)
    poll_until(lambda: figure(page, calls) > before, "more calls on the page", PATIENCE_SECONDS)
    page.wait_for("#upstream-body code", "/{platform}/{name}")
    page.wait_for("#quota-body", "requests left")
    page.wait_for("#cache-body", "look-ups")
    page.wait_for("#health-body", "api connectivity")
    page.wait_for("#logs-body li", "get_package_info")
    page.wait_for("#telemetry-body", "console")
    page.wait_for("#settings-body", "LIBRARIES_IO_API_KEY")
    assert CANARY not in page.driver.page_source
    page.wait_for("#chart-calls path.curve")
    label = "return document.querySelector('#chart-calls svg.plot')?.ariaLabel"
    poll_until(lambda: "Calls a minute" in str(page.run(label)), "the chart's name", PATIENCE_SECONDS)


def test_a_trace_opens_as_a_waterfall_by_the_keyboard(page: Browser) -> None:
    page.type("#trace-search", "axios")
    wait_for_rows(page, "axios")
    page.click("#trace-pause")
    button = page.find("[data-trace] button")[0]
    button.send_keys(Keys.ENTER)
    page.wait_for(".span-line", "tools/call get_package_info")
    page.wait_for(".span-line", "GET")
    page.find(".span-line")[0].send_keys(Keys.SPACE)
    page.wait_for(".span-facts:not([hidden]) dt", "gen_ai.tool.name")
    widths = page.run("return [...document.querySelectorAll('.span-bar')].map((each) => each.offsetWidth)")
    assert widths[0] == max(widths)
    page.find("[data-trace] button")[0].send_keys(Keys.ENTER)
    poll_until(lambda: not page.find(".waterfall"), "the waterfall to be closed", PATIENCE_SECONDS)


@pytest.mark.parametrize("word", ["axios", "upstream_error", "get_package_info express"])
def test_search_finds_by_tool_package_and_error(page: Browser, word: str) -> None:
    page.type("#trace-search", word)
    wait_for_rows(page, *word.split())


def test_what_is_found_nowhere_is_said(page: Browser) -> None:
    page.type("#trace-search", "nobody-asked-for-this")
    page.wait_for("#traces-body", "Nothing fits the search.")


def test_the_log_is_filtered_by_level(page: Browser) -> None:
    page.wait_for("#logs-body .level", "INFO")
    page.run(
        "const level = document.querySelector('#log-level'); level.value = '30';"
        "level.dispatchEvent(new Event('input', {bubbles: true}))"
    )
    page.wait_for("#logs-body .level", "WARNING")
    poll_until(
        lambda: (
            set(page.run("return [...document.querySelectorAll('#logs-body .level')].map((e) => e.textContent)"))
            <= {"WARNING", "ERROR"}
        ),
        "warnings and errors alone",
        PATIENCE_SECONDS,
    )


def test_hostile_text_stays_text(page: Browser, site: Site) -> None:
    ask(site, platform="npm", name=HOSTILE)
    page.type("#trace-search", "onerror=alert")
    page.wait_for("[data-trace]", "<img src=x onerror=alert(1)>")
    assert not page.find("main img, main script, main iframe, [onerror]")
    assert not page.find('a[href^="javascript"]')


def test_an_alert_fires_and_is_resolved_by_the_button(page: Browser) -> None:
    page.wait_for("[data-alert=QuotaIsKnown] .badge", "firing")
    page.wait_for("#alerts-active", "The quota of this server is known.")
    page.click("[data-alert=QuotaIsKnown] button")
    page.wait_for("#alerts-said", "QuotaIsKnown is resolved.")
    page.wait_for("[data-alert=QuotaIsKnown] .badge", "resolved by hand")
    poll_until(lambda: not page.find("[data-alert=QuotaIsKnown] button"), "no button", PATIENCE_SECONDS)
    page.click("#alerts-past summary")
    page.wait_for("#alerts-history td", "resolved by hand")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_accessibility(page: Browser, scheme: Any) -> None:
    page.dress(scheme)
    page.click("#trace-pause")
    page.click("[data-trace] button")
    page.wait_for(".span-line", "tools/call")
    page.click(".span-line")
    page.click("#alerts-past summary")
    page.run("document.querySelector('#logs-body details').open = true")
    assert page.accessibility() == []


def test_the_check_of_accessibility_finds_what_is_wrong(page: Browser) -> None:
    page.run(
        "const bad = document.createElement('button'); bad.id = 'bad'; document.querySelector('main').append(bad);"
        "document.querySelector('#tools-title').style.color = 'rgb(235, 235, 235)'"
    )
    found = page.accessibility()
    assert {each.partition(" ")[0] for each in found} == {"button-name", "color-contrast"}


def test_on_a_phone_nothing_is_wider_than_the_screen(page: Browser) -> None:
    page.dress("light", PHONE)
    page.open(page.driver.current_url)
    page.wait_for("[data-trace]", "get_package_info")
    page.click("[data-trace] button")
    page.wait_for(".span-line", "tools/call")
    assert page.run("return document.documentElement.scrollWidth <= innerWidth")
    assert page.accessibility() == []


def test_a_hidden_tab_is_quiet_and_comes_back(page: Browser) -> None:
    page.run(
        "window.seen = []; const place = document.querySelector('#connection');"
        "new MutationObserver(() => window.seen.push(place.textContent)).observe(place, {childList: true});"
    )
    mine = page.driver.current_window_handle
    page.driver.switch_to.new_window("tab")
    other = page.driver.current_window_handle
    page.driver.switch_to.window(mine)
    poll_until(lambda: "Paused while hidden" in page.run("return window.seen"), "the pause", PATIENCE_SECONDS)
    page.driver.switch_to.window(other)
    page.driver.close()
    page.driver.switch_to.window(mine)
    page.wait_for("#connection", "Live")


def test_no_error_in_the_console_and_no_other_origin(page: Browser, site: Site) -> None:
    """The last one of those that share the browser."""
    assert page.severe() == []
    foreign = [
        each
        for each in page.addresses()
        if not each.startswith((f"http://127.0.0.1:{site.port}/", "about:", "data:", "chrome:"))
    ]
    assert foreign == []


def test_a_stopped_server_is_said_and_a_started_one_found_again(service: str, tmp_path: Path) -> None:
    site = Site(tmp_path, free_ports(1)[0], service, {})
    site.start()
    try:
        with browser() as page:
            page.open(site.url)
            page.wait_for("[data-trace]", "get_package_info")
            site.stop()
            page.wait_for("#connection", "Offline")
            page.wait_for("#notice:not([hidden])", "The server does not answer.")
            site.start()
            page.wait_for("#connection", "Live")
            page.wait_for("[data-trace]", "get_package_info")
            page.wait_for("#notice[hidden]")
            assert [each for each in page.severe() if "ERR_" not in each] == []
    finally:
        site.stop()


def test_resolving_asks_for_the_token_where_there_is_one(service: str, tmp_path: Path) -> None:
    site = Site(tmp_path, free_ports(1)[0], service, {"MCP_AUTH_TOKEN": TOKEN}, loaded=False)
    site.start()
    try:
        with browser() as page:
            page.open(site.url)
            page.wait_for("[data-alert=QuotaIsKnown] .badge", "firing")
            page.click("[data-alert=QuotaIsKnown] button")
            page.wait_for("#alerts-said", "asks for its token")
            poll_until(page.find("#token")[0].is_displayed, "the field for the token", PATIENCE_SECONDS)
            page.type("#token", TOKEN)
            page.find("#token")[0].send_keys(Keys.ENTER)
            page.wait_for("#connection", "Live")
            page.wait_for("[data-alert=QuotaIsKnown] button", "Resolve")
            page.click("[data-alert=QuotaIsKnown] button")
            page.wait_for("#alerts-said", "QuotaIsKnown is resolved.")
            assert TOKEN not in page.driver.page_source
    finally:
        site.stop()


def test_without_telemetry_the_page_says_so(service: str, tmp_path: Path) -> None:
    site = Site(tmp_path, free_ports(1)[0], service, {"OTEL_SDK_DISABLED": "true"})
    site.start()
    try:
        with browser() as page:
            page.open(site.url)
            page.wait_for("#connection", "Live")
            page.wait_for("#tools-body", "Telemetry is switched off (OTEL_SDK_DISABLED)")
            page.wait_for("#traces-body", "There are no traces")
            page.wait_for("#logs-body li", "serving MCP")
            page.wait_for("#quota-body", "requests left")
            assert page.severe() == []
    finally:
        site.stop()
