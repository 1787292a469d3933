"""A workspace answers right over a damaged image, and says so in one line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from projections.coverage import coverage_at
from projections.ledger import Ledger
from projections.workspace import Workspace
from registry.commands import BatchLine, RecordBatch
from registry.errors import StoreMissingError
from registry.terms import Action
from tests.stores import Store

BATCHES = 400


@pytest.fixture(name="store")
def _store(tmp_path: Path) -> Path:
    """Return a store with an image of some size."""
    store = Store(tmp_path / "registry.db")
    day = date(2025, 1, 1)
    store.registry.record(
        *(
            RecordBatch(
                Action.ENROL,
                "16.06",
                f"SK {number} tentang kepesertaan nomor {number * 7919}",
                (BatchLine("marbot", number),),
                effective_on=day,
            )
            for number in range(1, BATCHES + 1)
        )
    )
    store.publish()
    store.close()
    assert store.path is not None
    return store.path


def active(ledger: Ledger) -> int | None:
    """Ask the simplest question."""
    return coverage_at(ledger, ["16.06"], date(2025, 6, 1))[0].active


RIGHT = BATCHES * (BATCHES + 1) // 2


def test_an_error_of_the_engine_in_the_middle_rebuilds_once_and_answers(store: Path) -> None:
    """The first try fails as over a damaged block; the image is built anew; one line says so."""
    said: list[str] = []
    tried: list[int] = []
    with Workspace(store, notice=said.append) as workspace:
        assert workspace.folder is not None
        (before,) = workspace.folder.images()
        built = before.path.stat().st_mtime_ns

        def question(ledger: Ledger) -> int | None:
            tried.append(ledger.tail_events)
            if len(tried) == 1:
                raise duckdb.IOException("Corrupt database file: computed checksum does not match")
            return active(ledger)

        assert workspace.ask(question) == RIGHT
        (after,) = workspace.folder.images()
    assert tried == [0, 0], "the second try is over a new image, without a tail"
    assert after.path.stat().st_mtime_ns > built, "the image is a new one"
    assert len(said) == 1


def test_an_error_that_stays_is_raised(store: Path) -> None:
    """Negative control: rebuilding is tried once, not for ever."""
    tried: list[int] = []

    def question(ledger: Ledger) -> int | None:
        tried.append(ledger.position)
        raise duckdb.IOException("still broken")

    with Workspace(store) as workspace, pytest.raises(duckdb.IOException):
        workspace.ask(question)
    assert len(tried) == 2


def test_a_fault_of_the_question_rebuilds_nothing(store: Path) -> None:
    """A wrong query is no damage: the image stays as it is."""
    said: list[str] = []
    with Workspace(store, notice=said.append) as workspace:
        assert workspace.folder is not None
        (before,) = workspace.folder.images()
        written = before.path.stat().st_mtime_ns
        with pytest.raises(duckdb.Error):
            workspace.ask(lambda ledger: ledger.connection.execute("SELECT nothing FROM nowhere"))
        (after,) = workspace.folder.images()
        assert after.path.stat().st_mtime_ns == written
    assert said == []


@pytest.mark.parametrize("place", [0, 1, 4096, 8192, 12288, 20480, -4096, -1])
def test_a_flipped_byte_never_makes_a_wrong_answer(store: Path, place: int) -> None:
    """Wherever a byte of the image is changed, the answer is right, and at most one line is said."""
    said: list[str] = []
    with Workspace(store, notice=said.append) as workspace:
        assert workspace.folder is not None
        (image,) = workspace.folder.images()
    content = bytearray(image.path.read_bytes())
    for each in range(16):
        content[(place + each) % len(content)] ^= 0xFF
    image.path.write_bytes(content)

    with Workspace(store, notice=said.append) as workspace:
        assert workspace.ask(active) == RIGHT
    assert len(said) <= 1


def test_a_truncated_image_is_set_aside(store: Path) -> None:
    """Half a file is no image; the answer comes from the log, with one line of notice."""
    said: list[str] = []
    with Workspace(store, notice=said.append) as workspace:
        assert workspace.folder is not None
        (image,) = workspace.folder.images()
        image.path.write_bytes(image.path.read_bytes()[:5000])
        assert workspace.ask(active) == RIGHT
    assert len(said) == 1


def test_a_missing_store_is_named(tmp_path: Path) -> None:
    """Opening for questions never makes a store."""
    with pytest.raises(StoreMissingError):
        Workspace(tmp_path / "nothing.db")
    assert list(tmp_path.iterdir()) == []
