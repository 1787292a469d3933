"""One statement of a person over the ledger's views: read, never written, and nothing else reached.

Owns what is admitted and how the engine is shut in; the answer is worked out whole before any of
it is handed over, so that a statement that fails prints nothing.
"""

from __future__ import annotations

import json
import math
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, Literal

import duckdb

from projections import fold
from projections.whole import COMPLETED, TABLES, add_area_days, add_areas, add_categories
from registry.errors import RegistryError
from registry.language import _
from registry.safe_text import safe
from registry.temporary import private_folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from duckdb import DuckDBPyConnection

    from projections.ledger import Ledger

PAGE_ROWS: Final = 5_000
MEMORY_LIMIT: Final = "1GB"
SPILL_LIMIT: Final = "4GB"
"""An answer is worked out whole; a larger one is asked for by mistake, and would fill the disk."""
WAIT_SECONDS: Final = 0.1

FieldKind = Literal["text", "code", "count", "number", "date", "instant", "flag", "json"]

_SHOW_TABLES: Final = re.compile(r"show\s+(all\s+)?tables", re.IGNORECASE)
_TABLES: Final = f"SELECT unnest({sorted(TABLES)!r}) AS name"  # the engine would list its own too

_FIRST_WORD: Final = re.compile(r"\w+")  # the engine has left comments before it out

# What a statement of a person cannot cause, shut in as it is: only a damaged image can.
_DAMAGE: Final = (duckdb.IOException, duckdb.InternalException, duckdb.SerializationException)

_WHOLE: Final = frozenset(
    {
        "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT",
        "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT",
    }
)  # fmt: skip
_WIDE: Final = frozenset({"HUGEINT", "UBIGINT"})
_PLAIN: Final[dict[str, FieldKind]] = {
    **dict.fromkeys(_WHOLE, "count"),
    "BOOLEAN": "flag",
    "DATE": "date",
    "TIMESTAMP": "instant",
    "TIMESTAMP WITH TIME ZONE": "instant",
    "UHUGEINT": "number",
    "DOUBLE": "number",
    "FLOAT": "number",
    "VARCHAR": "text",
    "UUID": "code",
}


class StatementRefusedError(RegistryError):
    """The statement is not one SELECT, or the engine refused it; its own words are in `why`."""

    code = "statement-refused"


@dataclass(frozen=True, slots=True)
class Field:
    """One column of an answer: its name, and how its values are printed."""

    name: str
    kind: FieldKind
    type: str


@dataclass(frozen=True, slots=True)
class StatementAnswer:
    """The fields of an answer, its rows as a generator, and how many there are.

    Whole numbers are int, decimals and floats Decimal (no number and infinity None), days date,
    instants UTC, nested values what JSON has.
    """

    fields: tuple[Field, ...]
    rows: Iterator[dict[str, object]]
    count: int


def answer_statement(
    ledger: Ledger, statement: str, *, known: int, take: Callable[[StatementAnswer], None]
) -> None:
    """Work out a statement and hand its answer to `take`, while the ledger is open.

    Views: the fold's tables as known at a position, `areas` (code, name, kind, province),
    `area_days` (what each was called and lay in, from day to day) and all `categories` (category, label_id, label_en, added).
    Raises: StatementRefusedError, in one line of the engine's.
    """
    connection = ledger.connection
    admitted = _admitted(statement)
    with private_folder() as spill:
        _shut_in(connection, known, str(spill))
        _work_out(connection, admitted, str(spill))
        fields = _fields(connection)
        (count,) = connection.execute("SELECT count(*) FROM temp.answer").fetchall()[0]
        take(StatementAnswer(fields, _rows(connection, fields), count))
        connection.execute("ROLLBACK")


def _admitted(statement: str) -> str:
    """Return the one statement there is, if it only asks."""
    try:
        found = duckdb.extract_statements(statement)
    except duckdb.Error as error:
        raise _refused(error) from None
    if len(found) != 1:
        raise StatementRefusedError(
            _("one statement is asked at a time") if found else _("there is no statement"),
            remedy=_('Write one, such as: ucj sql "SELECT * FROM entries LIMIT 5"'),
        )
    if found[0].type != duckdb.StatementType.SELECT:
        raise StatementRefusedError(
            _("{verb} is not admitted: the ledger is only asked").format(verb=_verb(found[0])),
            remedy=_("Use SELECT, WITH, FROM, DESCRIBE, SHOW TABLES or SUMMARIZE."),
        )
    asked = str(found[0].query).strip().rstrip(";")
    return _TABLES if _SHOW_TABLES.fullmatch(asked) else asked


def _verb(statement: duckdb.Statement) -> str:
    """Return the word that was typed; of what begins with WITH, which is admitted, the engine's."""
    typed = _FIRST_WORD.match(str(statement.query))
    word = typed[0].upper() if typed else "WITH"
    return statement.type.name if word == "WITH" else safe(word)


def _shut_in(connection: DuckDBPyConnection, known: int, spill: str) -> None:
    """Give the statement its views, and the engine no file, no network and no other setting."""
    connection.execute("CREATE SCHEMA ledger")
    for table in set(fold.TABLES) - COMPLETED:
        connection.execute(
            f"CREATE VIEW ledger.{table} AS"
            f" SELECT * FROM memory.main.{table} WHERE position <= {int(known)}"
        )
    add_areas(connection, "ledger.areas", known)
    add_area_days(connection, "ledger.area_days", known)
    add_categories(connection, "ledger.categories", known)
    quoted = spill.replace("'", "''")
    connection.execute(
        f"USE ledger; SET temp_directory = '{quoted}'; SET memory_limit = '{MEMORY_LIMIT}';"
        f" SET max_temp_directory_size = '{SPILL_LIMIT}';"
        " SET enable_external_access = false; SET lock_configuration = true"
    )


def _work_out(connection: DuckDBPyConnection, statement: str, spill: str) -> None:
    """Work the statement out into a temporary table, in a transaction that cannot write.

    In a thread, because the engine does not hear Ctrl-C by itself.
    """
    failed: list[BaseException] = []
    done = threading.Event()

    def work() -> None:
        try:
            # a WITH may hide an INSERT: the transaction refuses it
            connection.execute("BEGIN TRANSACTION READ ONLY")
            connection.execute(f"CREATE TEMP TABLE answer AS\n{statement}")
        except BaseException as error:  # noqa: BLE001 - handed to the caller, whatever it is
            failed.append(error)
        finally:
            done.set()

    # an event, because a `join` that is interrupted takes the thread for stopped (3.11)
    threading.Thread(target=work, daemon=True).start()
    try:
        while not done.wait(WAIT_SECONDS):
            pass
    except KeyboardInterrupt:
        connection.interrupt()
        done.wait()
        raise
    for error in failed:
        if isinstance(error, duckdb.OutOfMemoryException) or spill in str(error):
            raise StatementRefusedError(
                _("the answer needs more room than there is"),
                why=_("at most {limit} wait in the temporary folder").format(limit=SPILL_LIMIT),
                remedy=_("Ask for less: add a WHERE or a LIMIT, or sum."),
            ) from None
        if isinstance(error, duckdb.Error) and not isinstance(error, _DAMAGE):
            raise _refused(error) from None
        raise error


def _refused(error: duckdb.Error) -> StatementRefusedError:
    """Return the refusal in the engine's own words, on one line."""
    lines = [line.strip() for line in str(error).splitlines()]
    words = [line for line in lines if line and not line.startswith(("LINE ", "^"))]
    return StatementRefusedError(
        _("the statement was refused"),
        why=" ".join(words)[:500],
        remedy=_('`ucj sql "SHOW TABLES"` lists the views; `ucj sql "DESCRIBE entries"` a view.'),
    )


def _fields(connection: DuckDBPyConnection) -> tuple[Field, ...]:
    described = connection.execute("DESCRIBE temp.answer").fetchall()
    return tuple(
        Field(name, "number" if _is_beyond(connection, name, form) else _kind(form), form)
        for name, form, *_ in described
    )


def _is_beyond(connection: DuckDBPyConnection, name: str, form: str) -> bool:
    """Whether whole numbers of a column do not fit 64 bits, as those of a count do."""
    if form not in _WIDE:
        return False
    found = connection.execute(
        f"SELECT 1 FROM temp.answer WHERE {_quoted(name)}::HUGEINT"
        " NOT BETWEEN -9223372036854775808 AND 9223372036854775807 LIMIT 1"
    )
    return found.fetchone() is not None


def _kind(form: str) -> FieldKind:
    if form.startswith("DECIMAL"):
        return "number"
    if form.endswith("]") or form.startswith(("STRUCT", "MAP", "UNION")) or form == "JSON":
        return "json"
    return _PLAIN.get(form, "text")


def _rows(connection: DuckDBPyConnection, fields: tuple[Field, ...]) -> Iterator[dict[str, object]]:
    """Yield the rows of the answer; what Python has no plain value for comes as text or JSON."""
    columns = ", ".join(_selected(field) for field in fields)
    found = connection.execute(f"SELECT {columns} FROM temp.answer")
    while page := found.fetchmany(PAGE_ROWS):
        for values in page:
            yield {
                field.name: _value(value, field)
                for field, value in zip(fields, values, strict=True)
            }


def _selected(field: Field) -> str:
    name = _quoted(field.name)
    if field.kind == "json":
        return name if field.type == "JSON" else f"to_json({name})::VARCHAR"
    if field.kind == "date":
        return f"CASE WHEN isfinite({name}) THEN {name} END"
    if field.kind == "instant":
        return f"CASE WHEN isfinite({name}) THEN CAST({name} AS TIMESTAMP) END"
    if field.kind == "text" and field.type != "VARCHAR":
        return f"CAST({name} AS VARCHAR)"
    return name


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _value(value: object, field: Field) -> object:
    if value is None:
        return None
    if field.kind == "json":
        return json.loads(str(value), parse_float=Decimal)
    if field.kind == "instant":
        assert isinstance(value, datetime)
        return value.replace(tzinfo=UTC)
    if field.kind == "number" and isinstance(value, float):
        return Decimal(repr(value)) if math.isfinite(value) else None
    assert not isinstance(value, date) or field.kind == "date"
    return value
