"""A ledger made while events are appended: the one that is made of the log afterwards, or none."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final
from unittest import mock

import duckdb
import pytest

from benchmarks.country import importable
from projections import fold, following, rules
from projections.following import Following
from projections.ledger import Ledger
from registry.application import Recorded
from registry.balances import Finding
from registry.commands import BatchLine, Command, RecordBatch
from registry.storage.sqlite import WriteTransaction
from registry.terms import Action
from tests.stores import Admitted, Store

COMMANDS: Final = tuple(importable(300))


@contextmanager
def _imported(
    path: Path, *files: Sequence[Command], image: bool = False, followed_events: int = 1
) -> Iterator[tuple[Store, list[Recorded], list[Any]]]:
    """Import files into a new store; give it, what became of each, and the last ledger that was asked."""
    asked: list[Any] = []
    question = rules._findings

    def findings(connection: duckdb.DuckDBPyConnection, since: int) -> list[Finding]:
        asked[:] = [
            connection.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall()
            for table in fold.TABLES
        ]
        return question(connection, since)

    with (
        closing(Store(path)) as store,
        mock.patch.object(rules, "FOLLOWED_EVENTS", followed_events),
        mock.patch.object(rules, "_findings", findings),
    ):
        recorded = []
        for number, commands in enumerate(files):
            if image and number:
                store.publish()
            file = Admitted(tuple(commands), number)
            recorded.append(store.registry.import_file(file))
        yield store, recorded, asked


def _outcome(recorded: list[Recorded]) -> list[object]:
    return [(each.decision, each.counts, each.problems, each.plan) for each in recorded]


@pytest.mark.parametrize("image", [False, True])
@pytest.mark.parametrize("together", [1, 7, 2_000])
def test_the_rules_are_asked_of_the_very_same_ledger(
    tmp_path: Path, together: int, *, image: bool
) -> None:
    """With an image and without one, of an empty store and a filled one, however events come."""
    files = COMMANDS[:200], COMMANDS[200:], COMMANDS[100:]  # the last is recorded already, by half
    never = 1_000_000
    with (
        mock.patch("registry.storage.sqlite.INSERTED_ROWS", together),
        _imported(tmp_path / "one.db", *files, image=image) as (_, recorded, asked),
        _imported(tmp_path / "two.db", *files, image=image, followed_events=never) as afterwards,
    ):
        assert (_outcome(recorded), asked) == (_outcome(afterwards[1]), afterwards[2])
    assert asked[fold.TABLES.index("entries")]
    assert not [each for each in threading.enumerate() if each.name == "ucj-following"]


def test_the_lines_are_those_of_the_log(tmp_path: Path) -> None:
    """Letter for letter, so that whatever the fold would refuse of the log it refuses of them."""
    given: list[str] = []

    class Listening(Following):
        def _put(self, page: list[str] | None) -> None:
            given.extend(page or ())
            super()._put(page)

    with (
        mock.patch.object(rules, "Following", Listening),
        _imported(tmp_path / "one.db", COMMANDS) as (store, _, _),
        closing(store.log()) as log,
    ):
        assert given == [line for page in log.lines() for line in page]


def test_a_refused_file_leaves_nothing(tmp_path: Path) -> None:
    """The rules are asked, refuse, and nothing is in the log; nor is a thread or a folder left."""
    leave = RecordBatch(
        Action.DEACTIVATE, "16.06", "SK-9", (BatchLine("guru", 10**6, row=2),),
        effective_on=COMMANDS[0].effective_on, row=2,
    )  # fmt: skip
    with _imported(tmp_path / "one.db", COMMANDS, (leave,)) as (store, recorded, _):
        assert [each.decision for each in recorded] == ["recorded", "refused"]
        with closing(store.log()) as log:
            assert log.head() == recorded[0].last_position
    assert not [each for each in threading.enumerate() if each.name == "ucj-following"]


def _never_told(_self: Following, _position: int, _rows: object) -> None:
    """Take nothing."""


def test_control_what_did_not_hear_of_everything_is_not_asked(tmp_path: Path) -> None:
    """A ledger that lacks an event is none: another is made of the log."""
    with (
        mock.patch.object(Following, "take", _never_told),
        _imported(tmp_path / "one.db", COMMANDS) as (_, recorded, asked),
        _imported(tmp_path / "two.db", COMMANDS, followed_events=1_000_000) as afterwards,
    ):
        assert (_outcome(recorded), asked) == (_outcome(afterwards[1]), afterwards[2])


@pytest.mark.parametrize("error", [duckdb.OutOfMemoryException, OSError])
def test_what_cannot_follow_keeps_nobody_waiting(tmp_path: Path, error: type[Exception]) -> None:
    """Its thread ended: what is appended after that goes nowhere, and a ledger is made anew."""
    made = Ledger.__init__

    def failing(self: Ledger, log: Any, *rest: Any, **given: Any) -> None:
        if isinstance(log, following._GrowingLog):
            raise error
        made(self, log, *rest, **given)

    with (
        mock.patch.object(following, "WAITING_PAGES", 1),
        mock.patch("registry.storage.sqlite.INSERTED_ROWS", 5),
        mock.patch.object(Ledger, "__init__", failing),
        _imported(tmp_path / "one.db", COMMANDS) as (_, recorded, _),
    ):
        assert recorded[0].decision == "recorded"


def test_an_interruption_ends_it(tmp_path: Path) -> None:
    """In the middle of a file: nothing is recorded, and no thread goes on."""
    inserted = WriteTransaction.append_rows

    def interrupted(self: WriteTransaction, rows: Any) -> None:
        inserted(self, rows)
        if self.appended > len(COMMANDS) // 2:
            raise KeyboardInterrupt

    with (
        closing(Store(tmp_path / "one.db")) as store,
        mock.patch.object(rules, "FOLLOWED_EVENTS", 1),
        mock.patch("registry.storage.sqlite.INSERTED_ROWS", 50),
    ):
        with (
            mock.patch.object(WriteTransaction, "append_rows", interrupted),
            pytest.raises(KeyboardInterrupt),
        ):
            store.registry.import_file(Admitted(COMMANDS, 1))
        with closing(store.log()) as log:
            assert log.head() == 0
        assert not [each for each in threading.enumerate() if each.name == "ucj-following"]
        assert store.registry.import_file(Admitted(COMMANDS, 1)).decision == "recorded"


def test_who_loses_patience_while_it_ends_leaves_none(tmp_path: Path) -> None:
    """Ctrl-C in the wait for what is still to be folded: it is ended all the same, folding no more."""
    waited = threading.Thread.join
    interrupted: list[bool] = []

    def impatient(self: threading.Thread, timeout: float | None = None) -> None:
        if self.name == "ucj-following" and not interrupted:
            interrupted.append(True)
            raise KeyboardInterrupt
        waited(self, timeout)

    with (
        closing(Store(tmp_path / "one.db")) as store,
        mock.patch.object(rules, "FOLLOWED_EVENTS", 1),
        mock.patch.object(threading.Thread, "join", impatient),
    ):
        with pytest.raises(KeyboardInterrupt):
            store.registry.import_file(Admitted(COMMANDS, 1))
        assert interrupted
        assert not [each for each in threading.enumerate() if each.name == "ucj-following"]
        assert store.registry.import_file(Admitted(COMMANDS, 1)).decision == "recorded"


def test_what_nobody_wants_is_not_folded(tmp_path: Path) -> None:
    """Pages that wait when it is closed are let be, however many they are."""
    folded = mock.Mock()
    with closing(Store(tmp_path / "one.db")) as store:
        with mock.patch.object(fold, "fold_chunk", folded):
            follower = Following(None, store.log, 10)
            follower._is_unwanted.set()
            follower.take(1, [("s", 1, "ucj.batch-enrolled", b"{}")])
            follower.close()
        folded.assert_not_called()
        with closing(store.log()) as log:
            assert follower.ledger(log, 0) is None


def test_without_a_thread_nothing_follows(tmp_path: Path) -> None:
    """As where a user may start no more: the ledger is made of the log, as ever."""
    with (
        mock.patch.object(threading.Thread, "start", side_effect=RuntimeError("can't start")),
        _imported(tmp_path / "one.db", COMMANDS[:50]) as (_, recorded, _),
    ):
        assert recorded[0].decision == "recorded"
