"""What the benchmarks measure on: one country a session, as large as UCJ_BENCH_BATCHES says.

Without it, a million batches where is measured (`make bench`), and a few hundred where the benchmarks
only run once to see that they work (`make test`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from benchmarks.bars import table
from benchmarks.country import commands, regencies_of
from benchmarks.stores import Store, filled_store
from benchmarks.tally import Heads, Tally, changed_references, potentials_on
from benchmarks.told_again import told_again
from registry.commands import RevisePotential

MEASURED_BATCHES: Final = 1_000_000
SMOKE_BATCHES: Final = 300
TOLD_AGAIN_BATCHES: Final = 1_000_000
TENTH: Final = 10
REGENCY: Final = "16.06"


class Told(NamedTuple):
    """What the commands themselves say of a country."""

    heads: Heads
    heads_half_way: Heads
    heads_a_year_before: Heads
    potentials: dict[str, int]


@dataclass(frozen=True)
class Country:
    """A filled store with its image, and what is known of it without asking the store."""

    store: Store
    on: date
    first_telling: Store | None = None
    """Of a country told ten times: the tenth that it was told from."""

    @property
    def heads(self) -> Heads:
        """Heads by area and category on the day, as known at the end."""
        return self._told.heads

    @property
    def heads_half_way(self) -> Heads:
        """Heads by area and category on the day, as known at the position half-way."""
        return self._told.heads_half_way

    @property
    def heads_a_year_before(self) -> Heads:
        """Heads by area and category a year before the day, as known at the end."""
        return self._told.heads_a_year_before

    @property
    def potentials(self) -> dict[str, int]:
        """The labour potential of each regency on the day."""
        return self._told.potentials

    @property
    def half_way(self) -> int:
        """The position at the end of the middle month."""
        return self.store.positions[len(self.store.positions) // 2]

    @property
    def regency(self) -> str:
        """A regency of the country: Musi Banyuasin, if it is so large."""
        codes = regencies_of(self.store.batches)
        return REGENCY if REGENCY in codes else codes[0]

    @cached_property
    def _told(self) -> Told:
        """What was said, gone through once for all that is known of it: it takes a while."""
        changed = changed_references(commands(self.store.batches))
        tally = Tally(self.on, changed=changed)
        before = Tally(self.on.replace(year=self.on.year - 1), changed=changed)
        part = Heads()
        potentials: list[RevisePotential] = []
        # One command is one event here, so a position counts commands.
        times, rest = divmod(self.half_way, self.store.events // self.store.times)
        for position, command in enumerate(commands(self.store.batches), start=1):
            tally.tell(command)
            before.tell(command)
            if position == rest:
                part = tally.heads.copy()
            if isinstance(command, RevisePotential):
                potentials.append(command)
        return Told(
            _times(tally.heads, self.store.times),
            _times(tally.heads, times) + part,
            _times(before.heads, self.store.times),
            potentials_on(potentials, self.on),
        )


def _times(heads: Heads, times: int) -> Heads:
    return Heads({each: times * workers for each, workers in heads.items() if times})


def is_measuring(config: pytest.Config) -> bool:
    """Whether this run measures, or only sees that every benchmark works."""
    disabled = bool(config.getoption("benchmark_disable"))
    return not disabled or bool(config.getoption("benchmark_enable"))


SIZES: Final = {
    # fixture: what is measured, and what only has to work
    "lines": ((1_000, 200_000), (60,)),
    "small": ((1_000,), (60,)),
    "large": ((200_000,), (60,)),
    "tail": ((0, 1_000, 10_000), (60,)),
    "questions": ((50,), (3,)),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a benchmark that asks for a size the sizes of this run."""
    for name, (measured, smoke) in SIZES.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, measured if is_measuring(metafunc.config) else smoke)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """End with what was measured beside what is promised."""
    session = getattr(config, "_benchmarksession", None)
    if session is None or not is_measuring(config):
        return
    figures: dict[str, float] = {}
    for each in session.benchmarks:
        name = each.name.removeprefix("test_")
        if each.stats.rounds:
            figures[name] = each.stats.median
        for key, value in each.extra_info.items():
            if isinstance(value, int | float):
                figures[f"{name}:{key}"] = value
    for line in table(figures):
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def measuring(request: pytest.FixtureRequest) -> bool:
    """Whether this run measures."""
    return is_measuring(request.config)


@pytest.fixture(scope="session")
def batches(measuring: bool) -> int:  # noqa: FBT001 - a fixture
    """How many batches the country has."""
    default = MEASURED_BATCHES if measuring else SMOKE_BATCHES
    return int(os.environ.get("UCJ_BENCH_BATCHES", default))


@pytest.fixture(scope="session")
def country(batches: int, tmp_path_factory: pytest.TempPathFactory) -> Country:
    """A country nobody writes to, its image up to date; above a million batches told several times."""
    times = max(1, batches // TOLD_AGAIN_BATCHES)
    folder = tmp_path_factory.mktemp("country")
    store = filled_store(folder / "store", batches // times)
    first = store.copy(folder / "first") if times == TENTH else None
    store = told_again(store, times)
    store.publish()
    return Country(store, date(2024, 6, 30), first)


@pytest.fixture(scope="session")
def growing(country: Country, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A copy of the country that may be written to."""
    return country.store.copy(tmp_path_factory.mktemp("growing") / "store")


@pytest.fixture
def environment() -> dict[str, str]:
    """The variables for a process of ucj, without settings of the person who measures.

    What is compiled is kept, as where ucj is installed; or each start would compile it once more.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith("UCJ_")}
    return own | {
        "PYTHONPATH": str(Path(__file__).parent.parent),
        "PYTHONDONTWRITEBYTECODE": "",
    }
