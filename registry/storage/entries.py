"""Batches that only bring heads in, as stored events: written straight from their commands.

Most of what files say is that. Such a batch draws on nothing, so nothing has to be looked up, and
its event is its command in other words. The bytes are those of the event's model, which is not made:
only commands that `registry.intake` has read cell by cell may come here, and mostly they come by column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from itertools import chain, islice, repeat
from json.encoder import encode_basestring as json_string  # the bytes that to_json makes of a text
from typing import Final, NamedTuple
from uuid import UUID

from eventsourcing.persistence import StoredEvent
from pydantic_core import to_json

from registry.batch import RECORDED_AS, Stamp
from registry.commands import EntryPage, RecordBatch
from registry.drawing import KIND_OF
from registry.events import ImportSource
from registry.storage.mapper import instant_text
from registry.terms import Action, Kind

_Cell = str | int | None

_DAY: Final = timedelta(days=1)
_NULL: Final = "null"
_REMEMBERED_MAX: Final = 10_000
_RECONCILING: Final = json_string(Kind.RECONCILING)
_SETTLES_NOTHING: Final = '"settles":null,'  # a file settles no figure
_ENTERING: Final = {
    action: (KIND_OF[action], RECORDED_AS[KIND_OF[action]])
    for action in (Action.OPENING, Action.ENROL, Action.BALANCE_IN)
}
_ENTERING_AS: Final = {
    str(action): (json_string(kind), event_class.class_version, event_class.TOPIC)
    for action, (kind, event_class) in _ENTERING.items()
}


class StoredEntries(NamedTuple):
    """First events of streams: as the store's columns have them, and as a plan's digest takes them.

    That is without who, when and in which transaction, a line for each.
    """

    rows: list[tuple[str, int, str, bytes]]
    unstamped: bytes


class _Written(dict[_Cell, str]):
    """Cells of one column as they stand in JSON, remembered: offices repeat themselves."""

    def __init__(self, write: Callable[[str], str] = json_string) -> None:
        super().__init__()
        self._write = write

    def __missing__(self, cell: _Cell) -> str:
        if len(self) >= _REMEMBERED_MAX:
            self.clear()
        text = self[cell] = self._write(cell) if isinstance(cell, str) else _number(cell)
        return text

    def column(self, cells: Iterable[_Cell]) -> list[str]:
        """Return a column as it stands in JSON."""
        return [*map(self.__getitem__, cells)]


def _number(cell: int | None) -> str:
    return _NULL if cell is None else str(cell)


class Entries:
    """Writes the entries of one transaction; `sources` are its imports, by sheet."""

    def __init__(self, stamp: Stamp, sources: Mapping[str, ImportSource]) -> None:
        self._stamp = stamp
        self._recorded_at = instant_text(stamp.recorded_at)
        self._sources = {name: source.model_dump(mode="json") for name, source in sources.items()}
        self._words = _Written()
        self._texts = _Written()
        self._ends = _Written(lambda day: f'"{date.fromisoformat(day) + _DAY}"')
        self._programmes = _Written(lambda text: to_json(text.split(";") if text else []).decode())
        self._rejected = _Written(_rejected)

    def stored(self, command: RecordBatch, identity: UUID) -> StoredEvent | None:
        """Return the first event of the batch's stream; None if it does more than bring heads in."""
        entering = _ENTERING.get(command.action)
        if entering is None or command.because is not None:
            return None
        kind, event_class = entering
        # Keys in the order of canonical JSON.
        lines = [
            {
                "cohort": {
                    "area": command.area,
                    "category": line.category,
                    "expires_on": line.covered_until and line.covered_until + _DAY,
                    "funding": command.funding,
                    "part": command.part,
                    "reference": command.reference,
                    "segment": line.segment,
                },
                "of": None,
                "row": line.row,
                "workers": line.workers,
            }
            for line in command.lines
        ]
        state = {
            "area": command.area,
            "class_version": event_class.class_version,
            "decided_on": command.decided_on,
            "document": command.document,
            "effective_on": command.effective_on,
            "kind": kind,
            "lines": lines,
            "note": command.note,
            "part": command.part,
            "programmes": command.programmes,
            "proposed": command.proposed,
            "reason": command.reason,
            "recorded_at": self._recorded_at,
            "recorded_by": self._stamp.recorded_by,
            "reference": command.reference,
            "rejected": dict(sorted(command.rejected)),
            **({"settles": command.settles} if kind is Kind.RECONCILING else {}),
            "source": self._sources.get(command.sheet or ""),
            "transaction_id": self._stamp.transaction_id,
        }
        return StoredEvent(identity, 1, event_class.TOPIC, to_json(state))

    def stored_page(self, page: EntryPage, streams: list[str]) -> StoredEntries:
        """Return the first events of the streams, the same as `stored` makes of each batch.

        Only what is a batch's own, or a row's, is written anew for it. Keys in the order of canonical JSON.
        """
        words, texts = self._words.column, self._texts.column
        area, reference = words(page.area), [*map(json_string, page.reference)]
        funding, part = words(page.funding), texts([each or "" for each in page.part])
        # What all rows of a batch say of their cohort, and then what each says.
        said = [
            f'"funding":{funding},"part":{part},"reference":{reference},"segment":'
            for funding, part, reference in zip(funding, part, reference, strict=True)
        ]
        rows = zip(
            _repeated(area, page.lines),
            words(page.category),
            self._ends.column(page.covered_until),
            _repeated(said, page.lines),
            words(page.segment),
            page.row,
            page.workers,
            strict=True,
        )
        lines = iter(
            [
                f'{{"cohort":{{"area":{area},"category":{category},"expires_on":{expires_on},'
                f'{said}{segment}}},"of":null,"row":{row},"workers":{workers}}}'
                for area, category, expires_on, said, segment, row, workers in rows
            ]
        )
        kinds = [_ENTERING_AS[action] for action in page.action]
        heads = [
            f'{{"area":{area},"class_version":{version},"decided_on":{decided_on},'
            f'"document":{document},"effective_on":{effective_on},"kind":{kind},'
            f'"lines":[{",".join(islice(lines, count))}],"note":{note},"part":{part},'
            f'"programmes":{programmes},"proposed":{proposed},"reason":null,'
            for (
                kind,
                version,
                _,
            ), area, decided_on, document, effective_on, count, note, part, programmes, proposed in zip(
                kinds,
                area,
                words(page.decided_on),
                texts(page.document),
                words(page.effective_on),
                page.lines,
                texts(page.note),
                part,
                self._programmes.column([each or "" for each in page.programmes]),
                self._words.column(page.proposed),
                strict=True,
            )
        ]
        source = to_json(self._sources.get(page.sheet or "")).decode()
        tails = [
            f'"reference":{reference},"rejected":{rejected},'
            f'{_SETTLES_NOTHING if kind == _RECONCILING else ""}"source":{source},'
            for (kind, _, _), reference, rejected in zip(
                kinds,
                reference,
                self._rejected.column([each or "" for each in page.rejected]),
                strict=True,
            )
        ]
        by = json_string(self._stamp.recorded_by)
        stamp = f'"recorded_at":"{self._recorded_at}","recorded_by":{by},'
        end = f'"transaction_id":{self._stamp.transaction_id}}}'
        events = [*zip(streams, [topic for _, _, topic in kinds], heads, tails, strict=True)]
        unstamped = [
            f"{_dashed(stream)} 1 {topic} {head},{tail}}}\n" for stream, topic, head, tail in events
        ]
        return StoredEntries(
            [
                (stream, 1, topic, f"{head}{stamp}{tail}{end}".encode())
                for stream, topic, head, tail in events
            ],
            "".join(unstamped).encode(),
        )


def _dashed(stream: str) -> str:
    """Return a stream's id as a UUID is written."""
    return f"{stream[:8]}-{stream[8:12]}-{stream[12:16]}-{stream[16:20]}-{stream[20:]}"


def _repeated(column: Iterable[str], lines: Iterable[int]) -> Iterator[str]:
    """Return the value of each batch once for each of its rows."""
    return chain.from_iterable(map(repeat, column, lines))


def _rejected(text: str) -> str:
    pairs = (each.rpartition(":") for each in text.split(";") if each)
    return to_json(dict(sorted((reason, int(number)) for reason, _, number in pairs))).decode()
