"""The API key is in no store of any server, compressed or not, after all other tests; a marker is found in each."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest
from tests.e2e.scenario import MARKER, Done
from tests.servers.stack import Stack
from tests.support.polling import poll_until
from tests.support.stand_in import CANARY, REFUSED_CANARY

WINDOW: Final = 10
"""A compressed file holds a text whole or in pieces between repetitions of what else is there: any ten characters."""
ARRIVAL_SECONDS: Final = 240.0
STORES: Final = ("collector", "prometheus", "jaeger", "influxdb")
"""Folders with data. Alertmanager's is written when it ends: it is asked only."""


def windows(text: str) -> list[bytes]:
    """All parts of a text that are `WINDOW` long."""
    return [text[start : start + WINDOW].encode() for start in range(len(text) - WINDOW + 1)]


def written(path: Path) -> bytes:
    """What is in a file, without the holes: Jaeger's are two gigabytes of nothing."""
    pieces, end = [], 0
    with path.open("rb") as file:
        while True:
            try:
                start = file.seek(end, os.SEEK_DATA)
            except OSError:  # nothing but a hole is left
                return b"".join(pieces)
            end = file.seek(start, os.SEEK_HOLE)
            file.seek(start)
            pieces.append(file.read(end - start))


def holding(folder: Path, text: str) -> Iterator[Path]:
    """The files below a folder that hold a part of a text."""
    parts = windows(text)
    for path in folder.rglob("*"):
        try:
            content = written(path) if path.is_file() else b""
        except FileNotFoundError:
            continue  # a server that tidies up has deleted it just now
        if any(part in content for part in parts):
            yield path


def answers(stack: Stack) -> Mapping[str, str]:
    """All that each server tells of what it keeps."""
    flux = stack.influxdb.flux
    every_series = 'from(bucket: "metrics") |> range(start: 0) |> first() |> drop(columns: ["_value"])'
    return {
        "prometheus": stack.prometheus.everything(),
        "jaeger": f"{stack.jaeger.services()} {stack.jaeger.traces(limit=100_000)}",
        "influxdb metrics": str(flux(every_series)),
        "influxdb logs": str(flux('from(bucket: "logs") |> range(start: 0)')),
        "alertmanager": f"{stack.alertmanager.alerts()} {stack.alertmanager.silences()}",
    }


@pytest.fixture(scope="module")
def kept(stack: Stack, played: Mapping[str, Done]) -> Mapping[str, str]:
    """What the servers tell, once the marker is in each of them."""
    stack.alertmanager.silence(MARKER)

    def arrived() -> bool:
        return all(MARKER in text for text in answers(stack).values())

    poll_until(arrived, f"{MARKER} in the answers of every server", ARRIVAL_SECONDS)
    return answers(stack)


@pytest.mark.parametrize("store", STORES)
def test_the_search_finds_what_is_there(stack: Stack, kept: Mapping[str, str], store: str) -> None:
    assert any(holding(stack.folder / store, MARKER))


@pytest.mark.parametrize("key", [CANARY, REFUSED_CANARY])
def test_the_key_is_in_no_file(stack: Stack, kept: Mapping[str, str], key: str) -> None:
    assert list(holding(stack.folder, key)) == []


@pytest.mark.parametrize("key", [CANARY, REFUSED_CANARY])
def test_no_server_tells_the_key(kept: Mapping[str, str], key: str) -> None:
    assert [server for server, text in kept.items() if key in text] == []
