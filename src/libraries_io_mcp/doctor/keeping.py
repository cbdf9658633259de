"""What the server keeps: answers in Redis, lines and telemetry in files, and the rules that it reads from files."""

import os
import tempfile
import time
from pathlib import Path
from typing import Final

from libraries_io_mcp.alerting.rules import AlertingRule, default_rules, load_rules
from libraries_io_mcp.doctor.finding import Finding
from libraries_io_mcp.redis_gateway import CHECK_SECONDS, RedisGateway
from libraries_io_mcp.settings import Settings

BLOCK: Final = bytes(4096)


async def examine_store(settings: Settings) -> tuple[Finding, ...]:
    """Finding `cache store`: a value is written to it and read back."""
    url = settings.redis.url
    if url is None:
        return (Finding("cache store", "ok", "REDIS_URL", "not set: answers are kept in memory"),)
    tried = "a value written to REDIS_URL and read back"
    try:
        store = RedisGateway(
            url.get_secret_value(), purpose="answers are", monotonic=time.monotonic, seconds=CHECK_SECONDS
        )
    except ImportError:
        advice = "Install libraries-io-mcp[redis], or unset REDIS_URL: the server does not start like this."
        return (Finding("cache store", "broken", tried, "the package `redis` is not installed", advice),)
    except ValueError:
        advice = (
            "Allowed are redis://, rediss://, valkey:// and unix:// addresses; the server does not start like this."
        )
        return (Finding("cache store", "broken", tried, "not an address of Redis", advice),)
    try:
        error = await store.round_trip()
    finally:
        await store.aclose()
    if error is None:
        return (Finding("cache store", "ok", tried, "it works"),)
    advice = "Start Redis or Valkey, or correct REDIS_URL; until then this process keeps answers and quota to itself."
    return (Finding("cache store", "warning", tried, error, advice),)


def examine_files(settings: Settings) -> tuple[Finding, ...]:
    """Findings `log file` and `telemetry files`: whether a block of bytes can be written where they go. Blocks."""
    log, observation = settings.log, settings.observation
    findings = []
    if log.file is not None and log.writes_file:
        findings.append(_written("log file", "LOG_FILE", log.file.parent, log.file))
    wanted = {
        way for signal in ("traces", "metrics", "logs") for way in getattr(settings.telemetry, f"{signal}_exporter")
    }
    folder = observation.telemetry_file_directory
    if "file" in wanted and folder is None:
        advice = "Set TELEMETRY_FILE_DIRECTORY: the server does not start like this."
        findings.append(Finding("telemetry files", "broken", "TELEMETRY_FILE_DIRECTORY", "not set", advice))
    elif "file" in wanted and folder is not None:
        findings.append(_written("telemetry files", "TELEMETRY_FILE_DIRECTORY", folder, None))
    return tuple(findings)


def _written(name: str, variable: str, folder: Path, file: Path | None) -> Finding:
    place = next((each for each in (folder, *folder.parents) if each.exists()), folder)
    tried = f"{len(BLOCK)} bytes written to {place} ({variable})"
    try:
        with tempfile.NamedTemporaryFile(dir=place, prefix=".libraries-io-mcp-doctor-") as block:
            block.write(BLOCK)
            block.flush()
            os.fsync(block.fileno())
        if file is not None and file.exists():
            file.open("ab").close()
    except OSError as error:
        advice = f"Make room there, or give this user the right to write, or correct {variable}."
        return Finding(name, "warning", tried, (error.strerror or type(error).__name__).lower(), advice)
    return Finding(name, "ok", tried, "it can be written")


def examine_rules(settings: Settings) -> tuple[Finding, ...]:
    """Finding `rules`: the rule files are loaded as the evaluator does. Blocks."""
    if settings.alerts.evaluation == "off":
        return (Finding("rules", "skipped", "ALERT_EVALUATION", "off: no rule is evaluated here"),)
    path = settings.alerts.rules_path or default_rules()
    tried = f"the rule files of {path} loaded"
    loaded = load_rules(path)
    count = sum(isinstance(rule, AlertingRule) for group in loaded.groups for rule in group.rules)
    if loaded.problems:
        found = f"{count} alert rules, {len(loaded.problems)} problems; the first: {loaded.problems[0]}"
        advice = f"Correct the file; `libraries-io-mcp alerts check {path}` shows every problem."
        return (Finding("rules", "warning", tried, found, advice),)
    return (Finding("rules", "ok", tried, f"{count} alert rules in {len(loaded.files)} files"),)
