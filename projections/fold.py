"""The fold: `fold.sql` applied to lines of the log, the same for a tail and for a whole log."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from registry.errors import StoreDamagedError, StoreNewerError
from registry.language import Words, _
from registry.storage.log import SEPARATOR

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

TABLES = (
    "entries",
    "events",
    "potentials",
    "targets",
    "figures",
    "area_changes",
    "taken_back",
    "closings",
    "overrides",
    "imports",
    "categories",
)

LINE_BYTES_MAX = 1 << 20
"""Most events are far below; for a longer one the engine sets more memory aside."""

READ_BYTES = 8 << 20
"""Handed to a thread at once: by default it would be sixteen times the longest line."""

LONG_EVENT_BYTES: Final = 4_096
LONG_CHUNK_BYTES: Final = 4 << 20
"""Each step of the fold takes 2,048 events at once: if they are long, these are the whole chunk."""


@cache
def _text() -> str:
    return Path(__file__).with_name("fold.sql").read_text(encoding="utf-8")


@cache
def version() -> str:
    """Return what names the fold: eight hex digits of its text, so that any change is another."""
    return hashlib.sha256(_text().encode()).hexdigest()[:8]


@cache
def section(name: str) -> str:
    """Return the part of the page below `-- @name`."""
    for part in _text().split("\n-- @")[1:]:
        head, _, body = part.partition("\n")
        if head.split(":")[0].strip() == name:
            return "\n".join(each for each in body.splitlines() if not each.startswith("--"))
    msg = f"fold.sql has no section {name}"
    raise LookupError(msg)


@cache
def topics() -> tuple[str, ...]:
    """Return the topics that the fold knows."""
    return tuple(_forms())


@cache
def state_keys() -> frozenset[str]:
    """Return the keys that the fold reads of a state."""
    return frozenset(_state())


@cache
def _state() -> dict[str, object]:
    """Return every key of a state and its type."""
    lines = json.dumps(json.loads(section("lines")))
    state: dict[str, object] = json.loads(section("state").replace("@LINES", lines))
    return state


@cache
def _structure_of(topics: frozenset[str]) -> str:
    """Return the keys that states of these topics have, and those that are asked of any."""
    asked = "".join((section("kinds"), _malformed_of(topics), _fold_of(topics)))
    keys = set(re.findall(r'state\."?(\w+)', asked))
    return json.dumps({key: each for key, each in _state().items() if key in keys})


@cache
def _forms() -> dict[str, tuple[str, ...]]:
    """Return the keys of each topic's state, in the order in which they are stored."""
    forms: dict[str, tuple[str, ...]] = {}
    common: list[str] = []
    for block in re.split(r"\n(?=\S)", section("forms").strip()):
        names, _, keys = block.partition(":")
        if names == "*":
            common = keys.split()
            continue
        for name in names.split():
            forms[f"ucj.{name}"] = tuple(sorted([*common, *keys.split()]))
    return forms


@cache
def _written_again(topics: frozenset[str]) -> str:
    """Return the expression that writes parsed states of these topics as they are stored."""
    topics_of: dict[tuple[str, ...], list[str]] = {}
    for topic in sorted(topics & _forms().keys()):
        topics_of.setdefault(_forms()[topic], []).append(f"'{topic}'")
    forms = []
    for keys, of_topics in topics_of.items():
        values = ", ".join(f"'{key}': {_value(key)}" for key in keys)
        forms.append(f"WHEN topic IN ({', '.join(of_topics)}) THEN to_json({{{values}}})")
    if not forms:  # no lines, so nothing is compared
        return "text"
    # As text: compared with JSON, what is stored would be read and checked as JSON once more.
    return f"CAST(CASE {' '.join(forms)} END AS VARCHAR)"


def _value(key: str) -> str:
    if key == "recorded_at":  # DuckDB would write a TIMESTAMP in another form
        return "strftime(state.recorded_at, '%Y-%m-%dT%H:%M:%S.%fZ')"
    return f'state."{key}"'


def sorted_by(table: str) -> str:
    """Return how a table lies in an image; by position unless the page says otherwise."""
    for each in section("order").splitlines():
        name, _, keys = each.partition(":")
        if name.strip() == table:
            return keys.strip()
    return "position"


def create_tables(connection: DuckDBPyConnection) -> None:
    """Create the fold's tables in the current schema."""
    connection.execute(section("tables"))


@dataclass(frozen=True, slots=True)
class Chunk:
    """A file of lines as `Log.lines` has them: how many, of which topics, how long one may be."""

    path: Path
    events: int
    topics: frozenset[str]
    line_bytes_max: int = LINE_BYTES_MAX

    @classmethod
    def written(cls, path: Path, pages: Iterable[list[str]], *, bytes_wanted: int) -> Self | None:
        """Write pages to a file until it has so many bytes, of long events fewer; None without any.

        Of an iterator of pages the next file takes those that are left.
        """
        events = size = 0
        longest = LINE_BYTES_MAX
        topics: set[str] = set()
        with path.open("wb") as file:
            for page in pages:
                text = "\n".join(page) + "\n"
                bytes_a_character_max = 1 if text.isascii() else 4
                longest = max(longest, max(map(len, page)) * bytes_a_character_max + 1)
                events += len(page)
                topics.update(line.rpartition(SEPARATOR)[2] for line in page)
                size += file.write(text.encode())
                if size >= (LONG_CHUNK_BYTES if size > events * LONG_EVENT_BYTES else bytes_wanted):
                    break
        if not events:
            path.unlink()
            return None
        return cls(path, events, frozenset(topics), longest)


def fold_chunk(connection: DuckDBPyConnection, chunk: Chunk) -> None:
    """Fold the lines of a file into the current schema's tables.

    Raises: StoreNewerError for an event that this ucj does not know, StoreDamagedError for one
    that is not as it was written. No event is ever skipped.
    """
    import duckdb

    longest = chunk.line_bytes_max
    # Nothing is quoted, and nothing is guessed: a line of more or fewer values is an error.
    lines = (
        f"read_csv($path, columns = {_COLUMNS}, auto_detect = false, header = false,"
        f" delim = '{SEPARATOR}', quote = '', escape = '', comment = '', new_line = '\\n',"
        f" max_line_size = {longest}, buffer_size = {max(READ_BYTES, 2 * longest)})"
    )
    connection.execute("BEGIN")  # one for all tables, of which each alone would be made durable
    # What no topic that is there needs is neither parsed nor planned.
    names = {"path": str(chunk.path), "structure": _structure_of(chunk.topics)}
    try:
        connection.execute(
            f"""CREATE OR REPLACE TEMP TABLE line AS
            SELECT * RENAME (state AS text), from_json(state, $structure) AS state FROM {lines}""",
            names,
        )
        _check_kinds(connection, chunk)
        _refuse_malformed(connection.execute(_malformed_of(chunk.topics)).fetchone())
        connection.execute(_fold_of(chunk.topics))
        connection.execute("DROP TABLE temp.line; COMMIT")
    except (duckdb.ConversionException, duckdb.InvalidInputException) as error:
        _undo(connection)
        # One value cannot be read as its type. A newer ucj's event may look like that, too.
        with suppress(duckdb.Error):  # nor can the line that it stands in
            _refuse_first(connection, chunk, lines, names)
        raise _malformed(_("an event"), str(error).splitlines()[0]) from error
    except BaseException as error:
        _undo(connection)
        if isinstance(error, duckdb.ConstraintException):
            raise _malformed(_("an event"), str(error).splitlines()[0]) from error
        raise


def _undo(connection: DuckDBPyConnection) -> None:
    """Roll back, if the engine has not done so by itself, as on a full disk."""
    import duckdb

    with suppress(duckdb.TransactionException):
        connection.execute("ROLLBACK")


def _check_kinds(connection: DuckDBPyConnection, chunk: Chunk) -> None:
    """Refuse the first event of a topic or form that is not known, and any number but that written.

    A state that holds the end of a line would be read as two.
    """
    kinds = connection.execute(section("kinds")).fetchall()
    for topic, class_version, _count, position, is_known in kinds:
        if not is_known or topic not in _forms():
            _refuse(position, topic, class_version)
    if sum(count for _topic, _version, count, *_ in kinds) != chunk.events:
        raise _malformed(_("an event"), _("It is not as it was written."))


@cache
def _malformed_of(topics: frozenset[str]) -> str:
    # Only the forms that are there: to plan all of them costs more than a small tail itself.
    return section("malformed").replace("@WRITTEN_AGAIN", _written_again(topics))


@cache
def _fold_of(topics: frozenset[str]) -> str:
    # A statement that names none of the topics that are there would insert nothing.
    statements = section("fold").replace("@LEGS", section("legs")).split(";\n")
    named = [(each, set(re.findall(r"'(ucj\.[a-z-]+)'", each))) for each in statements]
    return ";\n".join(each for each, names in named if not names or names & topics)


def _refuse_first(
    connection: DuckDBPyConnection, chunk: Chunk, lines: str, names: dict[str, str]
) -> None:
    """Raise for the first event that is of a newer ucj, or else cannot be read."""
    connection.execute(
        f"""CREATE OR REPLACE TEMP TABLE line AS
        SELECT position, topic, TRY(from_json(state, $structure)) IS NOT NULL AS readable,
               {{'class_version': TRY(CAST(state ->> '$.class_version' AS INTEGER))}} AS state
        FROM {lines}""",
        names,
    )
    _check_kinds(connection, chunk)
    _refuse_malformed(
        connection.execute(
            "SELECT position, topic FROM line WHERE NOT readable ORDER BY position LIMIT 1"
        ).fetchone()
    )


def _refuse(position: int, topic: str, class_version: int | None) -> None:
    from registry.safe_text import safe

    if class_version is None:
        _refuse_malformed((position, topic))
    what = _(
        "the event at #{position} ({topic}, form {class_version}) is not known to this ucj"
    ).format(position=position, topic=safe(topic), class_version=class_version)
    raise StoreNewerError(
        what, why=_("No figure is given while an event is skipped."), remedy=_("Update ucj.")
    )


def _refuse_malformed(found: tuple[int, str] | None) -> None:
    from registry.safe_text import safe

    if found is not None:
        position, topic = found
        raise _malformed(
            _("the event at #{position} ({topic})").format(position=position, topic=safe(topic)),
            _("It is not as it was written."),
        )


def _malformed(event: str, why: str) -> StoreDamagedError:
    from registry.safe_text import safe

    return StoreDamagedError(
        _("{event} in the log is malformed").format(event=event),
        why=why if isinstance(why, Words) else safe(why),
        remedy=_("Restore the store from a backup."),
    )


_COLUMNS = {
    "position": "BIGINT",
    "originator_id": "VARCHAR",
    "originator_version": "BIGINT",
    "state": "VARCHAR",
    "topic": "VARCHAR",
}
