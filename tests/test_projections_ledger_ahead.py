"""An image laid out before a commit: there at once for readers, and never believed without it."""

from __future__ import annotations

import itertools
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from benchmarks.country import commands
from benchmarks.stores import Store, empty_store, filled_store
from projections import fold, ledger
from projections.ledger import ImageFolder, Ledger
from projections.rules import LedgerBalances
from registry.application import EnrolmentRegistry
from registry.storage.log import ConnectionLog

LONG_TAIL = 50
PUBLISH_TAIL = "PUBLISH_TAIL_EVENTS"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    """An empty store of which a tail of fifty events is a long one."""
    monkeypatch.setattr(ledger, PUBLISH_TAIL, LONG_TAIL)
    return empty_store(tmp_path / "store")


def _record(store: Store, first: int, last: int, *, dry_run: bool = False) -> None:
    said = itertools.islice(commands(300), first, last)
    with closing(store.registry()) as registry:
        registry.record(*said, dry_run=dry_run)


def _abandon(store: Store, first: int, last: int) -> None:
    """Record, but for the commit, which never comes."""

    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EnrolmentRegistry, "_end", interrupted)
        with pytest.raises(KeyboardInterrupt):
            _record(store, first, last)


def _told(log: ConnectionLog, folder: ImageFolder | None) -> tuple[int, dict[str, list[Any]]]:
    """Return how many events were folded for the view, and every row of every table."""
    with closing(Ledger(log, folder)) as view:
        rows = {
            table: sorted(view.connection.execute(f"FROM {table}").fetchall(), key=repr)
            for table in fold.TABLES
        }
        return view.tail_events, rows


def _ahead(store: Store) -> list[Path]:
    return list(store.folder().path.glob("*.ahead"))


def test_nobody_folds_what_a_long_transaction_recorded(store: Store) -> None:
    """The first reader after the commit finds an image, equal to a fold of the whole log."""
    _record(store, 0, 200)
    with closing(store.log()) as log:
        folded, told = _told(log, store.folder())
        assert folded == 0
        assert told == _told(log, None)[1]
        assert len(told["events"]) == 200


def test_nobody_lays_out_under_the_lock_what_others_recorded(store: Store) -> None:
    """A small command after a long tail leaves the image to whoever asks without a lock."""
    _record(store, 0, 200)
    for image in store.folder().images():
        store.folder().discard(image)
    for ahead in _ahead(store):
        ahead.unlink()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LedgerBalances, "prepare", lambda _: None)
        _record(store, 200, 201)
    assert _ahead(store) == []
    _record(store, 201, 202)
    assert [each.position for each in store.folder().images()] == [201], "prepared before the lock"


def test_a_second_image_is_laid_out_from_the_first_and_the_tail(store: Store) -> None:
    """Image upon image, the rows stay those of the log, and older images go."""
    for first in range(0, 300, 100):
        _record(store, first, first + 100)
        with closing(store.log()) as log:
            assert _told(log, store.folder()) == (0, _told(log, None)[1])
    assert len(store.folder().images()) <= 2


def test_a_short_transaction_lays_nothing_out(store: Store) -> None:
    """The control: below the bound, readers fold the tail themselves."""
    _record(store, 0, LONG_TAIL - 1)
    assert _ahead(store) == []
    with closing(store.log()) as log:
        assert _told(log, store.folder())[0] == LONG_TAIL - 1


def test_a_dry_run_lays_nothing_out(store: Store) -> None:
    """What will not be committed is not worth an image."""
    _record(store, 0, 200, dry_run=True)
    assert _ahead(store) == []


def test_what_was_never_committed_is_in_no_answer(store: Store) -> None:
    """An abandoned import leaves an image of what is not in the log: no reader takes it up."""
    _abandon(store, 0, 200)
    assert len(_ahead(store)) == 1
    with closing(store.log()) as log:
        assert _told(log, store.folder())[1]["events"] == []
    assert len(_ahead(store)) == 1
    _record(store, 0, 10)
    assert _ahead(store) == []


def test_another_log_of_the_same_length_does_not_take_it_up(store: Store, tmp_path: Path) -> None:
    """An image of a transaction that was rolled back does not pass for another's."""
    _abandon(store, 0, 200)
    (left,) = _ahead(store)
    other = filled_store(tmp_path / "other", 200)
    with closing(other.log()) as log:
        folder = other.folder()
        folder.path.mkdir()
        (folder.path / left.name).write_bytes(left.read_bytes())
        folded, told = _told(log, folder)
        assert folded == log.head()
        assert told == _told(log, None)[1]
    assert list(folder.path.glob("*.ahead")) == []
    assert folder.images() == []


def test_without_room_for_it_the_transaction_stands(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is a cache: where it cannot be written, everything is recorded all the same."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ledger, "_publish", full)
    _record(store, 0, 200)
    assert _ahead(store) == []
    with closing(store.log()) as log:
        assert log.head() == 200
        assert _told(log, store.folder())[0] == 200


@pytest.mark.parametrize("tail", [10, 60])
def test_the_next_image_is_of_the_newest_and_the_tail(store: Store, tail: int) -> None:
    """Copied and sorted, not folded again: the same rows as a rebuild, and the older one is gone."""
    _record(store, 0, 40)
    store.publish()
    (first,) = store.folder().images()
    with pytest.MonkeyPatch.context() as patch:  # nothing is laid out ahead
        patch.setattr("projections.rules.lay_out_ahead", lambda _ledger: None)
        _record(store, 40, 40 + tail)
    with closing(store.log()) as log:
        _, right = _told(log, None)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ledger, "build_image", lambda *_, **__: pytest.fail("folded again"))
            image = ledger.publish_next(log, store.folder())
        assert image is not None
        assert (image.position, store.folder().images()) == (log.head(), [image])
        assert not first.path.exists()
        assert _told(log, store.folder()) == (0, right)


def test_without_an_image_the_next_is_of_the_whole_log(store: Store) -> None:
    """And of an empty log there is none."""
    with closing(store.log()) as log:
        assert ledger.publish_next(log, store.folder()) is None
    _record(store, 0, 40)
    with closing(store.log()) as log:
        image = ledger.publish_next(log, store.folder())
        assert image is not None
        assert _told(log, store.folder()) == (0, _told(log, None)[1])


@pytest.mark.parametrize(
    ("tail", "position", "is_due"),
    [
        (9_999, 0, False),
        (10_000, 0, True),
        (10_000, 200_000, True),
        (10_000, 1_000_000, False),
        (49_999, 1_000_000, False),
        (50_000, 1_000_000, True),
    ],
)
def test_publishing_costs_each_event_no_more_however_long_the_log(
    tail: int, position: int, is_due: bool
) -> None:
    """A twentieth of what is folded: the whole log is written at most twenty times an event."""
    image = ledger.Image(Path("x.duckdb"), position) if position else None
    assert ledger.is_worth_publishing(tail, image) == is_due
