"""The ledger built anew: the whole log folded into a published image."""

from __future__ import annotations

from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from benchmarks.bench_coverage import later
from benchmarks.processes import UCJ, Finished, run_weighed
from benchmarks.stores import fill, filled_store
from projections.ledger import ImageFolder, Ledger, build_image, publish_next

if TYPE_CHECKING:
    from benchmarks.conftest import Country
    from benchmarks.stores import Store
    from benchmarks.timing import Benchmark


LARGE: Final = 5_000_000
"""Batches above which a rebuild takes minutes: it is then run once, and has another bar of memory."""


def _rounds(store: Store) -> int:
    return 5 if store.batches * store.times < LARGE else 1


@pytest.mark.benchmark(group="rebuild")
def test_rebuild(benchmark: Benchmark, country: Country, tmp_path: Path) -> None:
    """The image holds every event and every head."""
    folder = ImageFolder(tmp_path)
    with closing(country.store.log()) as log:
        image = benchmark.pedantic(build_image, (log, folder), rounds=_rounds(country.store))
        assert image is not None
        assert image.position == country.store.events
        with closing(Ledger(log, folder)) as ledger:
            events = ledger.connection.execute("SELECT count(*) FROM events").fetchall()
            heads = ledger.connection.execute(
                "SELECT sum(workers) FROM entries WHERE effective_on <= $1", [country.on]
            ).fetchall()
    assert events == [(country.store.events,)]
    assert heads == [(country.heads.total(),)]
    benchmark.extra_info["events"] = country.store.events


@pytest.mark.benchmark(group="rebuild")
def test_rebuild_of_a_tenth(
    benchmark: Benchmark, country: Country, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Beside it: of a country of a tenth of the batches, for the growth."""
    tenth = country.first_telling
    if tenth is None:
        tenth = filled_store(
            tmp_path_factory.mktemp("tenth") / "store", max(30, country.store.batches // 10)
        )
    with closing(tenth.log()) as log:
        image = benchmark.pedantic(build_image, (log, ImageFolder(tmp_path)), rounds=5)
    assert image is not None
    assert image.position == tenth.events


@pytest.mark.benchmark(group="rebuild")
def test_rebuild_as_a_process(
    benchmark: Benchmark, country: Country, environment: dict[str, str], tmp_path: Path
) -> None:
    """`ucj rebuild`: what it takes of memory, Python and all."""
    command = (*UCJ, "--store", str(country.store.path), "rebuild")
    elsewhere = environment | {"UCJ_CACHE": str(tmp_path)}
    weighed: list[Finished] = []
    benchmark.pedantic(
        lambda: weighed.append(run_weighed(*command, environment=elsewhere)), rounds=1
    )
    (image,) = tmp_path.rglob("*.duckdb")
    assert f"-{country.store.events}-" in image.name
    if weighed[0].memory_mib_max is not None:
        is_large = country.store.batches * country.store.times >= LARGE
        name = "memory_mib_max_if_large" if is_large else "memory_mib_max"
        benchmark.extra_info[name] = weighed[0].memory_mib_max


@pytest.mark.benchmark(group="rebuild")
def test_the_next_image(
    benchmark: Benchmark, country: Country, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Of the newest image and a tail of a twentieth of it, as it is published beside work."""
    store = country.store.copy(tmp_path_factory.mktemp("next") / "store")
    tail = max(1, store.events // 20)
    with closing(store.registry()) as registry:
        list(fill(registry, islice(later(tail), tail)))
    folder, (newest,) = store.folder(), store.folder().images()
    kept = newest.path.read_bytes()

    def only_the_newest() -> None:
        for image in folder.images():
            folder.discard(image)
        newest.path.write_bytes(kept)

    with closing(store.log()) as log:
        image = benchmark.pedantic(publish_next, (log, folder), setup=only_the_newest, rounds=3)
        assert image is not None
        assert image.position == store.events + tail
        with closing(Ledger(log, folder)) as ledger:
            events = ledger.connection.execute("SELECT count(*) FROM events").fetchall()
    assert events == [(store.events + tail,)]


@pytest.mark.benchmark(group="rebuild")
def test_bare_scan_written_out_as_lines(
    benchmark: Benchmark, country: Country, tmp_path: Path
) -> None:
    """Beside it: the log only read and written to a file, which no rebuild can do without."""
    target = tmp_path / "lines"

    def scan() -> int:
        count = 0
        with closing(country.store.log()) as log, target.open("w", encoding="utf-8") as file:
            for page in log.lines():
                file.write("\n".join(page) + "\n")
                count += len(page)
        return count

    assert benchmark.pedantic(scan, rounds=_rounds(country.store)) == country.store.events
    with target.open("rb") as file:
        assert sum(1 for _ in file) == country.store.events
