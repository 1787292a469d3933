"""The same entries kept up by the library's ProjectionRunner, in an SQLite view with an index."""

from __future__ import annotations

from pathlib import Path

from eventsourcing.persistence import ApplicationRecorder, Tracking
from eventsourcing.projection import Projection, ProjectionRunner
from eventsourcing.sqlite import SQLiteTrackingRecorder

from benchmarks.peers.sqlite_table import INSERT, SCHEMA
from benchmarks.peers.stock_application import Batch, Register, Row, rows_of

WAIT_SECONDS = 3_600.0


class EntriesView(SQLiteTrackingRecorder):
    """A table of entries, and how far it has come."""

    def construct_create_table_statements(self) -> list[str]:
        """Return the statements that make the tables, as often as they are asked for."""
        ours = [each.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS") for each in SCHEMA]
        ours = [each.replace("CREATE INDEX", "CREATE INDEX IF NOT EXISTS") for each in ours]
        return [*super().construct_create_table_statements(), *ours]

    def add(self, rows: list[Row], tracking: Tracking) -> None:
        """Take in an event's entries, and that it was taken in, together."""
        with self.datastore.transaction(commit=True) as cursor:
            self._insert_tracking(cursor, tracking)
            cursor.executemany(INSERT, rows)


class Entries(Projection[EntriesView]):
    """Puts events into the view, one by one, as the runner hands them on."""

    name = "entries"

    def process_event(self, domain_event: object, tracking: Tracking) -> None:
        """Take in an event."""
        if isinstance(domain_event, Batch.Event | Batch.Created):
            self.view.add(list(rows_of(domain_event)), tracking)


def project(register: Register, view: Path, events: int) -> None:
    """Run the projection over a log in memory, up to its end.

    In memory, because the library's SQLite recorder cannot be subscribed to.
    """
    recorder = register.recorder

    class Kept(Register):
        def construct_recorder(self) -> ApplicationRecorder:
            return recorder

    env = {
        "ENTRIES_PERSISTENCE_MODULE": "eventsourcing.sqlite",
        "ENTRIES_SQLITE_DBNAME": str(view),
        "KEPT_PERSISTENCE_MODULE": "eventsourcing.popo",
    }
    with ProjectionRunner(
        application_class=Kept, projection_class=Entries, view_class=EntriesView, env=env
    ) as runner:
        runner.wait(events, timeout=WAIT_SECONDS)
