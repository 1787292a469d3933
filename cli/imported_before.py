"""The very bytes again: when they were recorded, and whether they were read then as they are now.

A file's identity is its bytes, kind and sheets; how it is read is no part of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import UUID

from registry.language import _, joined, ngettext

if TYPE_CHECKING:
    from registry.application import Recorded
    from registry.intake.admitted import AdmittedFile

_READING: Final = {
    "locale": "--locale",
    "area_codes": "--area-codes",
    "ignore_columns": "--ignore-column",
}


@dataclass(frozen=True, slots=True)
class ImportedBefore:
    """An earlier import of the same bytes: its position, instant, person, and how it was read.

    `imports`: the ids of all its sheets' imports.
    """

    position: int
    recorded_at: datetime
    recorded_by: str
    options: Mapping[str, str]
    imports: tuple[str, ...]

    def recorded(self) -> Recorded:
        """Return it as what became of the file: nothing new."""
        from registry.application import Recorded

        return Recorded(
            "already-recorded",
            first_position=self.position,
            last_position=self.position,
            recorded_at=self.recorded_at,
            recorded_by=self.recorded_by,
        )

    def note(self, file: str, options: Mapping[str, str], errors: int) -> str | None:
        """Return what a clerk should know who asks for a file to be read in some way now.

        `options` are the ones given now, `errors` what would be refused. None: nothing to say.
        """
        refused = ngettext(
            "would be refused ({errors:,} error)", "would be refused ({errors:,} errors)", errors
        ).format(errors=errors)
        differing = [name for name in _READING if self.options.get(name) != options.get(name)]
        if not differing:
            return (
                _("Read now, {file} {refused}; what is recorded stands.").format(
                    file=file, refused=refused
                )
                if errors
                else None
            )
        then = joined(" ", [_written(name, self.options) for name in differing])
        now = joined(" ", [_written(name, options) for name in differing])
        if errors:
            return _(
                "{file} was read {then} then. Read {now}, it {refused}; what is recorded stands."
            ).format(file=file, then=then, now=now, refused=refused)
        return _(
            "{file} was read {then} then, and so it stands. If it should have been read {now},"
            " correct or take back what it brought."
        ).format(file=file, then=then, now=now)


def imported_before(store: Path, admitted: AdmittedFile) -> ImportedBefore | None:
    """Return the earlier import of a file; None unless every sheet that is read was imported."""
    from registry.storage.log import open_log
    from registry.terms import import_id

    with closing(open_log(store, asking=False)) as log:
        streams = [
            log.stream(import_id(admitted.sha256, admitted.import_kind, sheet.name).hex)
            for sheet in admitted.sheets
        ]
    if not streams or not all(streams):
        return None
    row = streams[0][0]
    facts = row.facts()
    return ImportedBefore(
        row.position,
        row.recorded_at(),
        str(facts["recorded_by"]),
        facts["options"],
        tuple(str(UUID(stream[0].originator_id)) for stream in streams),
    )


def _written(name: str, options: Mapping[str, str]) -> str:
    value = options.get(name)
    if value is None:
        return _("without {option}").format(option=_READING[name])
    values = json.loads(value) if name == "ignore_columns" else [value]
    return _("with {options}").format(
        options=" ".join(f"{_READING[name]} {each}" for each in values)
    )
