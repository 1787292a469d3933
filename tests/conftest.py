"""What every test shares: the Hypothesis profiles, and an environment without settings of ucj.

Owns no fixture about the domain; those stand beside the tests that use them.
"""

from __future__ import annotations

import os
import signal
import sqlite3
from importlib.metadata import version
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, settings

from registry.language import use

PROFILE: Final = os.environ.get("HYPOTHESIS_PROFILE", "ci")

# Examples and steps: the figures for a model test (50 x 20 in every run, 500 x 50 in
# the long one). Never derandomised: each run looks elsewhere; what a failure needs to be repeated
# is printed as a blob. No deadline and no complaint of slowness: the machine may be busy.
settings.register_profile(
    "ci",
    max_examples=50,
    stateful_step_count=20,
    deadline=None,
    derandomize=False,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "soak", settings.get_profile("ci"), max_examples=500, stateful_step_count=50
)
# Where it is asked whether a fault is found, and not what it is (tests/test_properties_mutants.py).
settings.register_profile(
    "unshrunk", settings.get_profile("ci"), phases=(Phase.explicit, Phase.generate), database=None
)
settings.load_profile(PROFILE)

# A shell that starts the tests in the background has them, and every program they start, ignore
# Ctrl-C; some tests send it. What is handled here is the default again in a program started.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_report_header() -> list[str]:
    """Say with how many examples this run looks, and on which engines."""
    chosen = settings.get_profile(PROFILE)
    extent = f"{chosen.max_examples} examples, {chosen.stateful_step_count} steps"
    return [
        f"hypothesis: profile {PROFILE}, {extent} (HYPOTHESIS_PROFILE=ci|soak)",
        f"engines: SQLite {sqlite3.sqlite_version}, DuckDB {version('duckdb')}",
    ]


@pytest.fixture(autouse=True)
def _no_settings_of_the_person_testing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every UCJ_… variable away, and the language of the test before."""
    for name in [name for name in os.environ if name.startswith("UCJ_")]:
        monkeypatch.delenv(name)
    use("en")
