"""The words of the registry. Pure, standard library only: a question needs no more.

Every word is explained in docs/glossary.md; the closed lists below are promises to files and
commands, so members are only ever added.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta, timezone
from enum import StrEnum
from functools import lru_cache
from hashlib import sha1
from typing import Final
from uuid import NAMESPACE_URL, UUID, uuid5

NATION: Final = "ID"
AREA_PATTERN: Final = r"^(?:ID|[0-9]{2}|[0-9]{2}\.[0-9]{2})$"
REGENCY_PATTERN: Final = r"^[0-9]{2}\.[0-9]{2}$"
CATEGORY_PATTERN: Final = r"^[a-z0-9]+(?:-[a-z0-9]+)*$"

REFERENCE_LENGTH_MAX: Final = 200
NOTE_LENGTH_MAX: Final = 2_000
LINES_MAX: Final = 20_000  # of one batch, held by one event; a decision about one regency has tens
WORKERS_MAX: Final = 300_000_000  # more than the people of Indonesia: a slip, not a batch
FIRST_DAY: Final = date(1977, 12, 5)  # Astek, the first forerunner of Jamsostek: PP 33/1977
LAST_DAY: Final = date(2199, 12, 31)
JAKARTA: Final = timezone(timedelta(hours=7), "Asia/Jakarta")  # no summer time since 1964


class Kind(StrEnum):
    """What happened to the heads of a movement."""

    OPENING = "opening"
    ENROLMENT = "enrolment"
    RENEWAL = "renewal"
    DEACTIVATION = "deactivation"
    RECLASSIFICATION = "reclassification"
    TRANSFER = "transfer"
    RECONCILING = "reconciling"
    LAPSE = "lapse"


class Act(StrEnum):
    """How a movement came into the log."""

    ORIGINAL = "original"
    TAKES_BACK = "takes-back"
    PUTS = "puts"


class Action(StrEnum):
    """What a row of a batches file asks for."""

    OPENING = "opening"
    ENROL = "enrol"
    RENEW = "renew"
    DEACTIVATE = "deactivate"
    RECLASSIFY = "reclassify"
    BALANCE_IN = "balance-in"
    BALANCE_OUT = "balance-out"
    CORRECT = "correct"
    WITHDRAW = "withdraw"


class Segment(StrEnum):
    """The membership segment of BPJS Ketenagakerjaan."""

    PU = "PU"
    BPU = "BPU"
    JAKON = "JAKON"
    PMI = "PMI"


class Programme(StrEnum):
    """The protection programmes; descriptive."""

    JKK = "JKK"
    JKM = "JKM"
    JHT = "JHT"
    JP = "JP"
    JKP = "JKP"


class Funding(StrEnum):
    """Who pays the contribution."""

    APBD_KABUPATEN = "apbd-kabupaten"
    APBD_PROVINSI = "apbd-provinsi"
    APBDES = "apbdes"
    DBH_SAWIT = "dbh-sawit"
    DBH_CHT = "dbh-cht"
    APBN = "apbn"
    CSR = "csr"
    BAZNAS = "baznas"
    EMPLOYER = "employer"
    SELF = "self"
    OTHER = "other"


class LeaveReason(StrEnum):
    """Why heads were deactivated; `other` needs a note."""

    ARREARS = "arrears"
    RESIGNED = "resigned"
    DECEASED = "deceased"
    OVER_AGE = "over-age"
    INVALID_NIK = "invalid-nik"
    DUPLICATE = "duplicate"
    COVERED_ELSEWHERE = "covered-elsewhere"
    MOVED = "moved"
    CIVIL_SERVANT = "civil-servant"
    QUOTA_CUT = "quota-cut"
    PROJECT_FINISHED = "project-finished"
    OTHER = "other"


class RejectionReason(StrEnum):
    """Why proposed heads were not taken, beside the reasons for which heads leave."""

    INCOMPLETE = "incomplete-data"
    UNDER_AGE = "under-age"


class Change(StrEnum):
    """What may happen to an area itself, from a day on."""

    RECODED = "recoded"
    RENAMED = "renamed"
    MOVED = "moved"
    OPENED = "opened"


_NAMESPACE: Final = uuid5(NAMESPACE_URL, "urn:ucj:registry")
_BATCHES: Final = _NAMESPACE.bytes + b"batch\x1f"
# Of a UUID of RFC 4122: the two highest bits are 10.
_VARIANT: Final = {f"{digit:x}": "89ab"[digit & 3] for digit in range(16)}
_SPACES: Final = re.compile(r"\s+")


def normalised_reference(reference: str) -> str:
    """Return the reference as compared: NFKC, case-folded, without spaces. Shown as written."""
    if reference.isascii():  # the same, in a quarter of the time
        return "".join(reference.lower().split())
    folded = unicodedata.normalize("NFKC", reference).casefold()
    return _SPACES.sub("", unicodedata.normalize("NFKC", folded))


def batch_key(area: str, reference: str, part: str = "") -> str:
    """Return what makes a batch the same one: its area, and its reference and part as compared."""
    return f"{area}\x1f{normalised_reference(reference)}\x1f{normalised_reference(part)}"


@lru_cache(maxsize=8_192)  # a page of an import asks for each of its batches several times
def batch_id(area: str, reference: str, part: str = "") -> UUID:
    """Return the stream of a batch: the same batch always has the same one, in every process."""
    return uuid5(_NAMESPACE, f"batch\x1f{batch_key(area, reference, part)}")


def batch_stream(key: str) -> str:
    """Return the stream of the batch of a key in hexadecimal: its `batch_id`, in a third of the time."""
    digits = sha1(_BATCHES + key.encode(), usedforsecurity=False).hexdigest()
    return f"{digits[:12]}5{digits[13:16]}{_VARIANT[digits[16]]}{digits[17:32]}"


def area_id(area: str) -> UUID:
    """Return the stream of an area: its potential, targets, figures and closed periods."""
    return uuid5(_NAMESPACE, f"area\x1f{area}")


def import_id(sha256: str, kind: str, sheet: str) -> UUID:
    """Return the stream of one imported file, kind and sheet."""
    return uuid5(_NAMESPACE, f"import\x1f{sha256}\x1f{kind}\x1f{sheet}")


NOMENCLATURE_ID: Final = uuid5(_NAMESPACE, "nomenclature")
BOUNDARIES_ID: Final = uuid5(_NAMESPACE, "boundaries")
"""The stream of all changes of areas: a code in use and a province's regencies concern all of them."""


def is_regency(area: str) -> bool:
    """Whether the code has the form PP.KK; only regencies hold batches."""
    return "." in area
