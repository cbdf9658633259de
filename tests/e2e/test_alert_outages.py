"""Alternating failures of everything over twenty alerts, counted at the receivers: nobody is left untold.

.venv/bin/python -m tests.e2e.test_alert_outages SEED SECONDS    plays it and prints what was counted
"""

import sys
import tempfile
import time
from pathlib import Path

import pytest
from tests.e2e.alert_site import ALERTS, LEAD_SECONDS, Count, Faults, count, running_site
from tests.support.polling import poll_until

SHORT_SECONDS = 240.0
LONG_SECONDS = 1_740.0
ENDS_SECONDS = 240.0
"""After the last one has ended: what people were told of and the state was lost of is over after two minutes."""


def play(folder: Path, seed: int, seconds: float) -> Count:
    """Break things for so long, mend them, and wait until nobody believes that anything fires."""
    with running_site(folder, seed, seconds) as site:
        try:
            with Faults(site, seed):
                until = max(window.end for window in site.windows)
                time.sleep(max(0.0, until - time.time()))
            poll_until(lambda: not count(site).firing_for_ever, "people to know that all is over", ENDS_SECONDS)
        except AssertionError:
            # What was counted says more.
            print(*site.said, sep="\n")  # noqa: T201
        found = count(site)
        (folder / "said").write_text("\n".join(site.said), encoding="utf-8")
        (folder / "notices").write_text("\n".join(map(str, site.notices)), encoding="utf-8")
        return found


def check(found: Count, report: list[str], seed: int) -> None:
    """Nobody was left untold."""
    report.append(
        f"alerts over alternating failures, seed {seed}: {found.windows} times an alert fired, "
        f"{found.notices} notices at 6 receivers, {found.doubles} of them doubles, "
        f"{found.told_by_both} told by Alertmanager and past it; "
        f"untold: {len(found.told_to_nobody)}, "
        f"resolved without firing: {len(found.resolved_without_firing)}, firing for ever: {len(found.firing_for_ever)}"
    )
    assert found.windows >= len(ALERTS)
    assert not found.told_to_nobody
    assert not found.resolved_without_firing
    assert not found.firing_for_ever


def test_alternating_failures_of_five_minutes(tmp_path: Path, report: list[str]) -> None:
    check(play(tmp_path, 1, SHORT_SECONDS), report, 1)


@pytest.mark.outage
def test_alternating_failures_of_half_an_hour(tmp_path: Path, report: list[str]) -> None:
    seed = int(time.time()) % 1000
    check(play(tmp_path, seed, LONG_SECONDS), report, seed)


if __name__ == "__main__":
    place = Path(tempfile.mkdtemp())
    lines: list[str] = []
    counted = play(place, int(sys.argv[1]), float(sys.argv[2]))
    print(place, LEAD_SECONDS, counted)  # noqa: T201
    check(counted, lines, int(sys.argv[1]))
    print(*lines)  # noqa: T201
