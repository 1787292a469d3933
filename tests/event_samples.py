"""One sample of every event, and a strategy for any event, hostile texts included.

The samples are what the golden files hold; neither knows the rules, only the forms.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Final
from uuid import UUID

from hypothesis import strategies as st

from registry.events import (
    AreaChanged,
    AreaChangeWithdrawn,
    BalanceReconciled,
    BatchCorrected,
    BatchDeactivated,
    BatchEnrolled,
    BatchReclassified,
    BatchRenewed,
    BatchWithdrawn,
    CategoryAdded,
    ClosingOverridden,
    Event,
    FigurePublished,
    FigureRetracted,
    FileImported,
    LabourPotentialRevised,
    LabourPotentialWithdrawn,
    OpeningStated,
    PeriodClosed,
    PeriodReopened,
    TargetSet,
    TargetWithdrawn,
)
from registry.terms import (
    FIRST_DAY,
    LAST_DAY,
    Change,
    Funding,
    Kind,
    LeaveReason,
    Programme,
    Segment,
)

RECORDED_AT: Final = datetime(2025, 8, 1, 2, 3, 4, 56, tzinfo=UTC)

_STREAM: Final = {
    "originator_id": UUID("6d0f4b26-1f2c-5a9e-8d33-0123456789ab"),
    "originator_version": 1,
    "transaction_id": 7,
    "recorded_at": RECORDED_AT,
    "recorded_by": "Sri Wahyuni",
}
_SOURCE: Final = {
    "import_id": UUID("0a1b2c3d-4e5f-5678-9abc-def012345678"),
    "sheet": "Data 2025",
}


def _cohort(**changes: Any) -> dict[str, Any]:
    return {
        "area": "16.06",
        "reference": "SK 12/KPTS/2025",
        "part": "",
        "category": "pekerja-rentan",
        "segment": Segment.BPU,
        "funding": Funding.APBD_KABUPATEN,
        "expires_on": date(2026, 1, 1),
        **changes,
    }


def _line(workers: int, *, row: int | None = 2, of: Any = None, **cohort: Any) -> dict[str, Any]:
    return {"cohort": _cohort(**cohort), "workers": workers, "row": row, "of": of}


_BATCH: Final = {
    **_STREAM,
    "area": "16.06",
    "reference": "SK 12/KPTS/2025",
    "part": "",
    "decided_on": date(2025, 7, 1),
    "document": "“Pake Kelambu” – lampiran I",
    "source": _SOURCE,
}
_STATEMENT: Final = {
    **_BATCH,
    "effective_on": date(2025, 7, 16),
    "programmes": (Programme.JKK, Programme.JKM),
    "reason": None,
    "proposed": 120,
    "rejected": {"invalid-nik": 15, "duplicate": 5},
    "note": None,
}
_TAKEN: Final = {
    "kind": Kind.ENROLMENT,
    "effective_on": date(2025, 7, 16),
    "reason": None,
    "lines": (_line(100),),
}
_SAID: Final = {**_STREAM, "area": "16.06", "source": None, "row": None}
_TAKEN_BACK: Final = {**_STREAM, "area": "16", "takes_back_position": 3, "because": "typed wrongly"}

SAMPLES: Final[tuple[Event, ...]] = (
    OpeningStated.model_validate(
        {
            **_STATEMENT,
            "kind": Kind.OPENING,
            "lines": (_line(88_958, row=None, expires_on=None, segment=None, funding=None),),
        }
    ),
    BatchEnrolled.model_validate(
        {
            **_STATEMENT,
            "kind": Kind.ENROLMENT,
            "lines": (_line(100), _line(1, row=3, category="marbot")),
        }
    ),
    BatchRenewed.model_validate(
        {
            **_STATEMENT,
            "kind": Kind.RENEWAL,
            "lines": (
                _line(
                    70,
                    of={"reference": "SK 3/2024", "part": "b", "funding": Funding.CSR},
                ),
            ),
        }
    ),
    BatchDeactivated.model_validate(
        {
            **_STATEMENT,
            "kind": Kind.DEACTIVATION,
            "reason": LeaveReason.OTHER,
            "note": "pindah ke segmen PU,\n\tlihat lampiran",
            "lines": (_line(-30), _line(-2, reference=None, expires_on=None, row=9)),
        }
    ),
    BatchReclassified.model_validate(
        {
            **_STATEMENT,
            "kind": Kind.RECLASSIFICATION,
            "lines": (_line(-5), _line(5, category="guru-ngaji")),
        }
    ),
    BalanceReconciled.model_validate(
        {
            **_STATEMENT,
            "kind": Kind.RECONCILING,
            "note": "to the published 103,079",
            "settles": 16,
            "lines": (_line(-30_879, reference=None, expires_on=None),),
        }
    ),
    BatchCorrected.model_validate(
        {
            **_STATEMENT,
            "originator_version": 2,
            "kind": Kind.ENROLMENT,
            "takes_back": _TAKEN,
            "puts": (_line(98),),
            "because": "two heads twice",
        }
    ),
    BatchWithdrawn.model_validate(
        {
            **_BATCH,
            "originator_version": 2,
            "kind": Kind.ENROLMENT,
            "source": None,
            "takes_back": _TAKEN,
            "because": "not this regency",
            "row": 7,
        }
    ),
    LabourPotentialRevised.model_validate(
        {
            **_SAID,
            "valid_from": date(2024, 1, 1),
            "workers": 213_582,
            "definition": "bukan penerima upah dan penerima upah",
            "citation": "https://example.org/sumsel",
            "documented_on": date(2024, 2, 3),
            "source": _SOURCE,
            "row": 2,
        }
    ),
    LabourPotentialWithdrawn.model_validate(_TAKEN_BACK),
    TargetSet.model_validate(
        {
            **_SAID,
            "due_on": date(2025, 12, 31),
            "percent": "52.15",
            "basis": "RPJMD",
            "citation": "Perda 1/2025",
            "documented_on": None,
        }
    ),
    TargetWithdrawn.model_validate(_TAKEN_BACK),
    FigurePublished.model_validate(
        {
            **_SAID,
            "as_of": "2025-07",
            "category": None,
            "segment": Segment.PU,
            "active": 103_079,
            "potential": 213_582,
            "percent": "48.26",
            "uncovered_percent": "51.74",
            "target_percent": "52.15",
            "gap": "-3.89",
            "tolerance": 0,
            "publisher": "Pemkab Muba",
            "published_on": date(2025, 8, 1),
            "citation": "siaran pers",
            "quote": 'baru "48,26" persen',
        }
    ),
    FigureRetracted.model_validate(_TAKEN_BACK),
    PeriodClosed.model_validate(
        {
            **_STREAM,
            "area": "16.06",
            "closed_through": date(2025, 6, 30),
            "known_position": 6,
            "active": 88_963,
            "active_by_category": {"guru": 5, "tidak-terklasifikasi": 88_958},
            "potential": 213_582,
        }
    ),
    PeriodReopened.model_validate(
        {
            **_STREAM,
            "area": "16.06",
            "reopened_from": date(2025, 6, 1),
            "closed_through": date(2025, 5, 31),
            "because": "SK 400/9 came in late",
        }
    ),
    ClosingOverridden.model_validate(
        {
            **_STREAM,
            "area": "16.06",
            "closed_through": date(2025, 6, 30),
            "closing_position": 6,
            "changes": (
                {
                    "category": "guru",
                    "first_on": date(2025, 1, 1),
                    "last_on": date(2025, 6, 30),
                    "lowest": -5,
                    "highest": 10,
                },
                {
                    "category": None,
                    "first_on": date(2025, 3, 1),
                    "last_on": date(2025, 6, 30),
                    "lowest": 0,
                    "highest": 0,
                },
            ),
            "seconded_by": "Budi Santoso",
            "because": "SK 400/9 came in late",
        }
    ),
    AreaChanged.model_validate(
        {
            **_SAID,
            "area": "93.01",
            "change": Change.RECODED,
            "effective_on": date(2022, 7, 25),
            "before": "91.01",
            "after": "93.01",
            "split_from": None,
            "document": "UU 14/2022",
            "citation": "Kepmendagri",
            "note": None,
            "source": _SOURCE,
            "row": 2,
        }
    ),
    AreaChangeWithdrawn.model_validate(_TAKEN_BACK),
    FileImported.model_validate(
        {
            **_STREAM,
            "file_name": "SK Pake Kelambu.xlsx",
            "sha256": "ab" * 32,
            "size": 15_321,
            "kept_sha256": "cd" * 32,
            "import_kind": "batches",
            "sheet": "Data 2025",
            "options": {"locale": "id", "area_codes": "kemendagri"},
            "rows": 120,
            "control_workers": 45_000,
        }
    ),
    CategoryAdded.model_validate(
        {
            **_STREAM,
            "category": "nelayan",
            "label_id": "Nelayan",
            "label_en": "Fishers",
            "aliases": ("pencari ikan", "awak kapal < 5 GT"),
        }
    ),
)

# --- any event ----------------------------------------------------------------------------------

HOSTILE_TEXTS: Final = (
    "",
    "\t\n",
    '"',
    "\\",
    '\\"',
    "\\u0000",
    "'; DROP TABLE stored_events; --",
    '{"_type_":"subprocess:Popen","_data_":[]}',
    '"},"workers":99,"x":{"',
    "/",
    "</script>",
    "=1+1",
    "@here",
    "null",
    "NaN",
    "-0",
    "\u2028\u2029",
    "\ufeff",
    "\ufffe\uffff",
    "\u202edrawkcab",
    "e\u0301",
    "\U0001f600",
    "\U0010ffff",
    "Ⅷ ﬁ ǆ",
    " ",
    "2025-13-45",
)

_printable = st.characters(
    codec="utf-8",
    exclude_characters=[chr(c) for c in (*range(9), *range(11, 32), *range(127, 160))],
)


def _texts(least: int = 0, most: int = 40) -> st.SearchStrategy[str]:
    hostile = st.sampled_from([each for each in HOSTILE_TEXTS if least <= len(each) <= most])
    return hostile | st.text(_printable, min_size=least, max_size=most)


_days = st.dates(FIRST_DAY, LAST_DAY - timedelta(days=1))
_maybe_day = st.none() | _days
_areas = st.from_regex(r"[0-9]{2}\.[0-9]{2}", fullmatch=True)
_slugs = st.from_regex(r"[a-z0-9]{1,8}(-[a-z0-9]{1,8}){0,3}", fullmatch=True)
_rows = st.none() | st.integers(1, 2**53 - 1)
_counts = st.integers(0, 300_000_000)
_heads = st.integers(0, 2**53 - 1)
_decimals = st.from_regex(r"-?[0-9]{1,12}(\.[0-9]{1,6})?", fullmatch=True)
_instants = st.datetimes(
    datetime(1970, 1, 2),
    datetime(2199, 1, 1),
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=7))]),
)
_sources = st.none() | st.fixed_dictionaries({"import_id": st.uuids(), "sheet": _texts()})
_stream = {
    "originator_id": st.uuids(),
    "originator_version": st.integers(1, 2**31),
    "transaction_id": st.integers(1, 2**53 - 1),
    "recorded_at": _instants,
    "recorded_by": _texts(1),
}
_of_renewed = st.none() | st.fixed_dictionaries(
    {"reference": _texts(1), "part": _texts(), "funding": st.none() | st.sampled_from(Funding)}
)
_SIGNS: Final = {
    Kind.OPENING: 1,
    Kind.ENROLMENT: 1,
    Kind.RENEWAL: 1,
    Kind.DEACTIVATION: -1,
}


@st.composite
def _lines(draw: st.DrawFn, kind: Kind, effective_on: date) -> tuple[dict[str, Any], ...]:
    """Draw lines as that kind may have them: only leavers can be of the pool."""
    lines: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(1, 4))):
        sign = _SIGNS.get(kind) or draw(st.sampled_from([1, -1]))
        in_pool = kind not in {Kind.OPENING, Kind.ENROLMENT, Kind.RENEWAL} and draw(st.booleans())
        later = st.dates(effective_on + timedelta(days=1), LAST_DAY)
        cohort = {
            "area": draw(_areas),
            "reference": None if in_pool else draw(_texts(1)),
            "part": draw(_texts()),
            "category": draw(_slugs),
            "segment": draw(st.none() | st.sampled_from(Segment)),
            "funding": draw(st.none() | st.sampled_from(Funding)),
            "expires_on": None if in_pool else draw(st.none() | later),
        }
        lines.append(
            {
                "cohort": cohort,
                "workers": sign * draw(st.integers(1, 300_000_000)),
                "row": draw(_rows),
                "of": draw(_of_renewed),
            }
        )
    if kind is Kind.RECLASSIFICATION:
        lines += [{**line, "workers": -line["workers"]} for line in lines]
    return tuple(lines)


@st.composite
def _taken(draw: st.DrawFn) -> dict[str, Any]:
    kind = draw(st.sampled_from([each for each in Kind if each is not Kind.LAPSE]))
    effective_on = draw(_days)
    return {
        "kind": kind,
        "effective_on": effective_on,
        "reason": draw(st.none() | st.sampled_from(LeaveReason)),
        "lines": draw(_lines(kind, effective_on)),
    }


_batch = {
    **_stream,
    "area": _areas,
    "reference": _texts(1),
    "part": _texts(),
    "decided_on": _maybe_day,
    "document": st.none() | _texts(),
    "source": _sources,
}
_statement = {
    **_batch,
    "programmes": st.lists(st.sampled_from(Programme), max_size=3).map(tuple),
    "reason": st.none() | st.sampled_from(LeaveReason),
    "proposed": st.none() | _counts,
    "rejected": st.dictionaries(_texts(), _counts, max_size=3),
    "note": st.none() | _texts(),
}
_KINDS: Final[dict[type[Event], Kind]] = {
    OpeningStated: Kind.OPENING,
    BatchEnrolled: Kind.ENROLMENT,
    BatchRenewed: Kind.RENEWAL,
    BatchDeactivated: Kind.DEACTIVATION,
    BatchReclassified: Kind.RECLASSIFICATION,
    BalanceReconciled: Kind.RECONCILING,
}
_said_of = {
    **_stream,
    "area": st.sampled_from(["ID", "16"]) | _areas,
    "citation": _texts(),
    "source": _sources,
    "row": _rows,
}
_taken_back = {
    **_stream,
    "area": _areas,
    "takes_back_position": st.integers(1, 2**53 - 1),
    "because": _texts(),
}
_OTHERS: Final[dict[type[Event], dict[str, st.SearchStrategy[Any]]]] = {
    LabourPotentialRevised: {
        **_said_of,
        "valid_from": _days,
        "workers": st.integers(1, 300_000_000),
        "definition": _texts(),
        "documented_on": _maybe_day,
    },
    TargetSet: {
        **_said_of,
        "due_on": _days,
        "percent": _decimals,
        "basis": _texts(),
        "documented_on": _maybe_day,
    },
    FigurePublished: {
        **_said_of,
        "as_of": st.none() | st.sampled_from(["2025", "2025-07", "2025-07-31"]),
        "category": st.none() | _slugs,
        "segment": st.none() | st.sampled_from(Segment),
        **dict.fromkeys(("active", "potential"), st.none() | _counts),
        **dict.fromkeys(
            ("percent", "uncovered_percent", "target_percent", "gap"), st.none() | _decimals
        ),
        "tolerance": _counts,
        "publisher": _texts(),
        "published_on": _maybe_day,
        "quote": st.none() | _texts(),
    },
    PeriodClosed: {
        **_stream,
        "area": _areas,
        "closed_through": _days,
        "known_position": st.integers(0, 2**53 - 1),
        "active": st.none() | _heads,
        "active_by_category": st.dictionaries(_slugs, _heads, max_size=3),
        "potential": st.none() | st.integers(1, 300_000_000),
    },
    PeriodReopened: {
        **_stream,
        "area": _areas,
        "reopened_from": _days,
        "closed_through": _maybe_day,
        "because": _texts(),
    },
    AreaChanged: {
        **_said_of,
        "effective_on": _days,
        "document": st.none() | _texts(),
        "note": st.none() | _texts(),
    },
    AreaChangeWithdrawn: _taken_back,
    LabourPotentialWithdrawn: _taken_back,
    TargetWithdrawn: _taken_back,
    FigureRetracted: _taken_back,
    FileImported: {
        **_stream,
        "file_name": _texts(1),
        "sha256": st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
        "size": st.integers(0, 2**53 - 1),
        "kept_sha256": st.from_regex(r"[0-9a-f]{64}", fullmatch=True),
        "import_kind": st.sampled_from(["batches", "potentials", "targets", "figures", "areas"]),
        "sheet": _texts(),
        "options": st.dictionaries(_texts(), _texts(), max_size=3),
        "rows": st.integers(0, 2**53 - 1),
        "control_workers": st.integers(1 - 2**53, 2**53 - 1),
    },
    CategoryAdded: {
        **_stream,
        "category": _slugs,
        "label_id": _texts(1),
        "label_en": _texts(1),
        "aliases": st.lists(_texts(1), max_size=3).map(tuple),
    },
}


@st.composite
def _overrides(draw: st.DrawFn) -> dict[str, Any]:
    """Draw what is overridden: each change in order, and of closed days."""
    changes: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(1, 3))):
        first_on, last_on = sorted((draw(_days), draw(_days)))
        lowest, highest = sorted(draw(st.integers(1 - 2**53, 2**53 - 1)) for _ in range(2))
        changes.append(
            {
                "category": draw(st.none() | _slugs),
                "first_on": first_on,
                "last_on": last_on,
                "lowest": lowest,
                "highest": highest,
            }
        )
    return {
        **draw(st.fixed_dictionaries(_stream)),
        "area": draw(_areas),
        "closed_through": draw(st.dates(max(each["last_on"] for each in changes), LAST_DAY)),
        "closing_position": draw(st.integers(1, 2**53 - 1)),
        "changes": tuple(changes),
        "seconded_by": draw(_texts(1)),
        "because": draw(_texts()),
    }


@st.composite
def _changes(draw: st.DrawFn) -> dict[str, Any]:
    """Draw what became of an area: something else than it was, or something new."""
    change = draw(st.sampled_from(Change))
    opened = change is Change.OPENED
    after = draw(_texts(1))
    before = None if opened else draw(_texts(1).filter(lambda each: each != after))
    split_from = draw(st.none() | _areas) if opened else None
    return {"change": change, "before": before, "after": after, "split_from": split_from}


@st.composite
def events(draw: st.DrawFn) -> Event:
    """Draw any event that its form admits."""
    event_class = draw(st.sampled_from([type(each) for each in SAMPLES]))
    if event_class in _OTHERS:
        said = draw(st.fixed_dictionaries(_OTHERS[event_class]))
        more = draw(_changes()) if event_class is AreaChanged else {}
        return event_class.model_validate({**said, **more})
    if event_class is ClosingOverridden:
        return ClosingOverridden.model_validate(draw(_overrides()))
    if event_class is BatchWithdrawn:
        facts = draw(st.fixed_dictionaries(_batch))
        taken = draw(_taken())
        row = draw(st.none() | st.integers(1, 2**31))
        more = {"kind": taken["kind"], "takes_back": taken, "because": draw(_texts()), "row": row}
        return BatchWithdrawn.model_validate({**facts, **more})
    effective_on = draw(_days)
    facts = {**draw(st.fixed_dictionaries(_statement)), "effective_on": effective_on}
    if event_class is BatchCorrected:
        taken = draw(_taken())
        more = {
            "kind": taken["kind"],
            "takes_back": taken,
            "puts": draw(_lines(taken["kind"], effective_on)),
            "because": draw(_texts()),
        }
        return BatchCorrected.model_validate({**facts, **more})
    kind = _KINDS[event_class]
    facts |= {"kind": kind, "lines": draw(_lines(kind, effective_on))}
    if event_class is BalanceReconciled:
        facts["settles"] = draw(st.none() | st.integers(1, 2**53 - 1))
    return event_class.model_validate(facts)
