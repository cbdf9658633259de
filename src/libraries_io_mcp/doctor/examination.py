"""All that the doctor looks at, side by side and within a bounded time."""

import asyncio
import platform
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from libraries_io_mcp import __version__
from libraries_io_mcp.doctor.channels import examine_mail, examine_webhook
from libraries_io_mcp.doctor.collector import examine_collector, load_exporters
from libraries_io_mcp.doctor.finding import Finding
from libraries_io_mcp.doctor.keeping import examine_files, examine_rules, examine_store
from libraries_io_mcp.doctor.limits import examine_limits
from libraries_io_mcp.doctor.replicas import examine_replicas
from libraries_io_mcp.doctor.server import address_of, examine_address, examine_server
from libraries_io_mcp.doctor.sign_in import examine_sign_in
from libraries_io_mcp.doctor.stack import examine_alertmanager, examine_prometheus
from libraries_io_mcp.doctor.upstream import examine_upstream
from libraries_io_mcp.errors import SettingsError
from libraries_io_mcp.settings import Group, Settings, load_settings, variable
from libraries_io_mcp.telemetry.redaction import Redactor

SECONDS: Final = 12.0
"""No look takes longer; most have a shorter limit of their own."""


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found, in the order in which it is told."""

    findings: tuple[Finding, ...]

    @property
    def broken(self) -> bool:
        """Whether something is broken without which the server can't do its main job."""
        return any(finding.state == "broken" for finding in self.findings)

    def facts(self) -> dict[str, Any]:
        """As JSON: `{version, python, platform, status, findings: [{name, state, tried, found, what_to_do}]}`."""
        states = {finding.state for finding in self.findings}
        return {
            **about(),
            "status": next((state for state in ("broken", "warning") if state in states), "ok"),
            "findings": [
                {
                    "name": finding.name,
                    "state": finding.state,
                    "tried": finding.tried,
                    "found": finding.found,
                    "what_to_do": finding.what_to_do,
                }
                for finding in self.findings
            ],
        }


def about() -> dict[str, str]:
    """Which program it is, and where it runs: what a bug report needs."""
    return {"version": __version__, "python": platform.python_version(), "platform": platform.platform(terse=True)}


async def examine_everything(now: Callable[[], float]) -> Examination:
    """Look at all that the settings name. `now` is epoch seconds. Costs one request of the Libraries.io quota."""
    try:
        settings = load_settings()
    except SettingsError as error:
        advice = "Correct it (docs/configuration.md); nothing else was looked at."
        finding = Finding("settings", "broken", "the environment and .env read", str(error), advice)
        return _clean((finding,), Redactor())
    load_exporters(settings)
    looks: tuple[tuple[str, Awaitable[Sequence[Finding]]], ...] = (
        ("upstream", examine_upstream(settings.libraries_io, now, settings.proxy.to(settings.libraries_io.base_url))),
        ("server", examine_address(settings)),
        ("sign-in", examine_sign_in(settings)),
        ("limits", asyncio.to_thread(examine_limits, settings)),
        ("cache store", examine_store(settings)),
        ("replicas", examine_replicas(settings)),
        ("files", asyncio.to_thread(examine_files, settings)),
        ("collector", examine_collector(settings)),
        ("rules", asyncio.to_thread(examine_rules, settings)),
        ("prometheus", examine_prometheus(settings)),
        ("alertmanager", examine_alertmanager(settings)),
        ("mail", examine_mail(settings)),
        ("webhook", examine_webhook(settings)),
    )
    found = await asyncio.gather(*(_bounded(name, look) for name, look in looks))
    findings = (_settings(settings), *(finding for group in found for finding in group))
    return _clean(findings, Redactor(settings.secrets()))


async def examine_running(url: str | None) -> Examination:
    """Only ask a running server: the one at `url`, else the one that the settings mean. Costs nothing upstream."""
    if url is None:
        try:
            url = address_of(load_settings(transport="http").server)
        except SettingsError as error:
            finding = Finding("settings", "broken", "the environment and .env read", str(error), "Correct it.")
            return _clean((finding,), Redactor())
    return _clean(await examine_server(url.rstrip("/").removesuffix("/mcp")), Redactor())


async def _bounded(name: str, look: Awaitable[Sequence[Finding]]) -> Sequence[Finding]:
    try:
        async with asyncio.timeout(SECONDS):
            return await look
    except TimeoutError:
        return (Finding(name, "warning", "everything that was to be tried", f"it did not end within {SECONDS:g} s"),)
    except Exception as error:  # one look that breaks must not hide the others
        advice = "This is a defect of the doctor: please report it with this line."
        return (Finding(name, "warning", "everything that was to be tried", f"{type(error).__name__}", advice),)


def _settings(settings: Settings) -> Finding:
    tried = "the environment and .env read"
    if settings.broken:
        advice = "Correct the value, or unset it; until then its default is used."
        return Finding("settings", "broken", tried, "; ".join((*settings.broken, *settings.remarks)), advice)
    if settings.remarks:
        advice = "Correct it; docs/configuration.md says what each variable does."
        return Finding("settings", "warning", tried, "; ".join(settings.remarks), advice)
    names = ", ".join(_given(settings)) or "none, so all have their defaults"
    return Finding("settings", "ok", tried, f"allowed; set: {names}")


def _given(settings: Settings) -> Iterator[str]:
    """The variables that are set."""
    groups = (getattr(settings, name) for name in settings.__slots__)
    for group in groups:
        if isinstance(group, Group):
            yield from (variable(type(group), field) for field in sorted(group.model_fields_set))


def _clean(findings: Sequence[Finding], redactor: Redactor) -> Examination:
    return Examination(
        tuple(
            replace(each, tried=_line(redactor.text(each.tried)), found=_line(redactor.text(each.found)))
            for each in findings
        )
    )


def _line(text: str) -> str:
    """One line without control characters: texts of other servers may hold anything."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
