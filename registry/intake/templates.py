"""An empty file to fill in, with examples that cannot be recorded by mistake, and what may stand in it.

Owns the examples and the words about each column. What a column may hold is decided by the forms;
a test imports every template.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Final, Literal

from registry.intake.batch_form import DEMANDS
from registry.intake.columns import COLUMNS, InputKind
from registry.language import _, joined
from registry.reference.categories import Categories
from registry.reference.words import WordKind, usual_words, values
from registry.terms import Action, Change, Funding, LeaveReason, Programme, Segment

Language = Literal["en", "id"]

# Keys are columns; what is left out is blank. Numbers read the same in both locales. `{mark}`
# becomes EXAMPLE or CONTOH: a row that still begins so is refused (`example-row`).
_EXAMPLES: Final[Mapping[InputKind, tuple[Mapping[str, str], ...]]] = {
    "batches": (
        {
            "reference": "{mark}-400/1/2025",
            "action": "enrol",
            "area": "16.06",
            "category": "pekerja-rentan",
            "workers": "1616",
            "effective_on": "2025-01-01",
            "covered_until": "2025-12-31",
            "segment": "BPU",
            "funding": "apbd-kabupaten",
            "programmes": "JKK;JKM",
            "decided_on": "2024-12-20",
            "proposed": "1800",
            "rejected": "invalid-nik:120;duplicate:64",
        },
        {
            "reference": "{mark}-400/7/2025",
            "action": "deactivate",
            "area": "16.06",
            "workers": "30",
            "effective_on": "2025-03-01",
            "of_batch": "400/1/2025",
            "reason": "deceased",
        },
        {
            "reference": "{mark}-400/9/2025",
            "action": "renew",
            "area": "16.06",
            "workers": "1586",
            "covered_until": "2026-12-31",
            "of_batch": "400/1/2025",
        },
    ),
    "potentials": (
        {
            "area": "16.06",
            "valid_from": "2024-12-31",
            "workers": "213582",
            "definition": "angkatan kerja (BPS 2025)",
            "source": "{mark}-BPS",
        },
    ),
    "targets": (
        {
            "area": "16.06",
            "due_on": "2025-12-31",
            "percent": "58",
            "basis": "RPJMD 2025-2029",
            "source": "{mark}-RPJMD",
        },
    ),
    "figures": (
        {
            "area": "16.06",
            "as_of": "2025-07-31",
            "active": "103079",
            "potential": "213582",
            "percent": "48",
            "publisher": "BPJS Ketenagakerjaan",
            "published_on": "2025-09-18",
            "source": "{mark}-JPNN",
        },
    ),
    "areas": (
        {
            "area": "93.01",
            "change": "recoded",
            "on": "2022-07-25",
            "from": "91.01",
            "to": "93.01",
            "document": "UU 14/2022",
            "source": "{mark}-BPK",
        },
        {
            "area": "93.01",
            "change": "moved",
            "on": "2022-07-25",
            "from": "Papua",
            "to": "Papua Selatan",
            "document": "UU 14/2022",
            "source": "{mark}-BPK",
        },
        {
            "area": "16.18",
            "change": "opened",
            "on": "2027-01-01",
            "from": "16.06",
            "to": "Musi Banyuasin Ilir",
            "source": "{mark}-BPK",
        },
    ),
}
_MARKS: Final[Mapping[Language, str]] = {"en": "EXAMPLE", "id": "CONTOH"}

_DAY: Final = _("a day: 2025-07-31, 31/07/2025, 31-07-2025 or 31 Juli 2025")
_HEADS: Final = _("a whole number of persons, written in the declared locale")
_PERCENT: Final = _("percent as printed, 0 to 1000, written in the declared locale")
_TEXT: Final = _("text")
_AREA: Final = _("a code (16.06) or a name (Musi Banyuasin)")
_MEANINGS: Final[Mapping[str, str]] = {
    "reference": _("the number of the decision (SK), as written on it"),
    "part": _("tells parts apart where one decision orders several dates, actions or funders"),
    "area": _AREA,
    "from_area": _("reclassify between areas: where they leave, {area}").format(area=_AREA),
    "effective_on": _(
        "the first day it is true (deactivate: the first day not covered), {day}"
    ).format(day=_DAY),
    "covered_until": _("the last covered day, blank for no end, {day}").format(day=_DAY),
    "workers": _HEADS,
    "of_batch": _("the reference of the batch they are drawn from"),
    "of_part": _("the part of that batch"),
    "from_category": _("reclassify: the category they leave"),
    "decided_on": _("the date on the decision, {day}").format(day=_DAY),
    "document": _TEXT,
    "proposed": _("how many were proposed, {heads}").format(heads=_HEADS),
    "note": _("text; needed by balance-in, balance-out, correct, withdraw and the reason other"),
    "valid_from": _("the first day it counts, {day}").format(day=_DAY),
    "definition": _("what is counted: labour force, employed, without civil servants …"),
    "source": _("where it was published"),
    "documented_on": _("the date of the source, {day}").format(day=_DAY),
    "due_on": _DAY,
    "percent": _PERCENT,
    "uncovered_percent": _PERCENT,
    "target_percent": _PERCENT,
    "basis": _("what the target rests on"),
    "as_of": _("a day, a month (2025-07), a year (2025), or unknown"),
    "active": _HEADS,
    "potential": _HEADS,
    "gap": _("persons or points to the target, as printed"),
    "tolerance": _("how far off still agrees, {heads}; 0 unless given").format(heads=_HEADS),
    "publisher": _("who says so"),
    "published_on": _DAY,
    "quote": _("the words as printed"),
    "on": _("the first day on which it is so, {day}").format(day=_DAY),
    "from": _(
        "the code, name or province before (blank: as the registry knows it); opened: the"
        " kabupaten or kota that it is split from"
    ),
    "to": _("recoded: the new code; renamed, opened: the name; moved: the province"),
}


_MEANINGS_OF_AREAS: Final[Mapping[str, str]] = {"note": _TEXT}


def template(kind: InputKind, lang: Language = "en") -> str:
    """Return a CSV with the headers of the kind and example rows to be replaced."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\r\n")
    columns = COLUMNS[kind]
    writer.writerow(_headers(kind, lang).values())
    for example in _EXAMPLES[kind]:
        writer.writerow(
            example.get(column.name, "").replace("{mark}", _MARKS[lang]) for column in columns
        )
    return stream.getvalue()


def allowed_values(kind: InputKind, lang: Language = "en") -> str:
    """Return, as text, what each column may hold and, for batches, what each action needs.

    The columns are called as the template of the language calls them; in Indonesian each English
    value of a closed list has the Indonesian word beside it that means the same.
    """
    closed = {
        "action": _listed("action", Action, lang),
        "change": _listed("change", Change, lang),
        "category": ", ".join(Categories().slugs()),
        "segment": _listed("segment", Segment, lang),
        "funding": _listed("funding", Funding, lang),
        "programmes": _("{programmes}; several as JKK;JKM").format(
            programmes=_listed("programme", Programme, lang)
        ),
        "reason": _listed("reason", LeaveReason, lang),
        "rejected": _(
            "how many were refused and why, as invalid-nik:120;duplicate:64; reasons: {reasons}"
        ).format(reasons=_listed("rejection", values("rejection"), lang)),
    }
    of_kind = _MEANINGS_OF_AREAS if kind == "areas" else {}
    meanings = {**closed, **_MEANINGS, **of_kind}
    headers = _headers(kind, lang)
    lines = []
    for column in COLUMNS[kind]:
        header = headers[column.name]
        name = header if header == column.name else f"{header} ({column.name})"
        needed = _(" (needed)") if column.required else ""
        lines.append(joined("", (name, needed, ": ", meanings[column.name])))
    if kind == "batches":
        lines += ["", _("Each action needs:")]
        lines += [
            f"  {action}: {', '.join(headers[name] for name in demand.needs)}"
            for action, demand in DEMANDS.items()
        ]
        lines += [
            _("  deactivate, balance-out: {category} or {of_batch}").format(
                category=headers["category"], of_batch=headers["of_batch"]
            ),
            _("  reclassify: {from_category} or {from_area}").format(
                from_category=headers["from_category"], from_area=headers["from_area"]
            ),
        ]
    return joined("\n", lines) + "\n"


def _headers(kind: InputKind, lang: Language) -> dict[str, str]:
    """Return the header that the template has for each column."""
    return {
        column.name: column.name if lang == "en" else column.aliases[0].replace(" ", "_")
        for column in COLUMNS[kind]
    }


def _listed(kind: WordKind, values: Iterable[str], lang: Language) -> str:
    """Return the values of a closed list; in Indonesian as `enrol (penambahan)`."""
    words = {} if lang == "en" else usual_words(kind)
    return ", ".join(f"{value} ({words[value]})" if value in words else value for value in values)
