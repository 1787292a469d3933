"""Reads an area written as digits. Kemendagri's code has a dot; BPS's has none, and differs.

199 of 514 BPS codes have other digits than Kemendagri's, and 164 of them are the digits of another
regency's Kemendagri code. So digits without a dot are read only where the file says whose they are.
"""

from __future__ import annotations

import re
from collections import defaultdict
from functools import cache
from typing import Final, Literal

from registry.errors import AmbiguousAreaError, BareDigitsError, UnknownAreaError
from registry.language import _, joined
from registry.reference.gazetteer import Area, area_by_code, area_of
from registry.reference.tables import rows
from registry.safe_text import safe

AreaCodes = Literal["kemendagri", "bps"]

_CODE_LIKE: Final = re.compile(r"[\s.,:;/'\-–]*[0-9][0-9\s.,:;/'\-–]*")
_REGENCY: Final = re.compile(r"[0-9]{2}\.[0-9]{2}")
_PROVINCE: Final = re.compile(r"[0-9]{2}")
_BPS_REGENCY: Final = re.compile(r"[0-9]{4}")
_LOST_ZERO: Final = re.compile(r"([0-9]{2})\.([0-9])")
_BELOW_REGENCY: Final = re.compile(r"([0-9]{2}\.[0-9]{2})\.[0-9.]+|([0-9]{7}|[0-9]{10})")
_DIGITS_OF_REGENCY: Final = 4


def is_code_like(text: str) -> bool:
    """Whether a text is digits and punctuation only, so that no name is meant."""
    return _CODE_LIKE.fullmatch(text) is not None


def read_code(text: str, area_codes: AreaCodes) -> Area:
    """Return the area that the digits mean, by the coding that the file declares.

    Raises: UnknownAreaError, BareDigitsError (digits without a dot, undeclared),
    AmbiguousAreaError (a BPS province that has been divided since).
    """
    if _REGENCY.fullmatch(text):
        return _regency(text)
    if _PROVINCE.fullmatch(text):
        return _bps_province(text) if area_codes == "bps" else area_by_code(text)
    if _BPS_REGENCY.fullmatch(text):
        return _bps_regency(text) if area_codes == "bps" else _refuse_bare(text)
    raise UnknownAreaError(
        _("{text} is not the code of an area").format(text=safe(text)), remedy=_remedy(text)
    )


def _regency(code: str) -> Area:
    area = area_of(code)
    if area is not None:
        return area
    now = _former().get(code)
    if now is not None:
        raise UnknownAreaError(
            _("no area has the code {code} today").format(code=code),
            why=_("Until the provinces of Papua were divided in 2022 it was {full_name}.").format(
                full_name=now.full_name
            ),
            remedy=_("Did you mean {now}?").format(now=now),
        )
    raise UnknownAreaError(
        _("no area has the code {code}").format(code=code),
        remedy=_("Write the code of Kemendagri with its dot (16.06), or the name with its kind."),
    )


def _refuse_bare(digits: str) -> Area:
    bps, kemendagri = _bps_codes().get(digits), area_of(f"{digits[:2]}.{digits[2:]}")
    dotted = dict.fromkeys(area.code for area in (bps, kemendagri) if area is not None)
    raise BareDigitsError(
        _("the digits {digits} have two readings").format(digits=digits),
        why=_(
            "as the code of BPS: {bps}; as the code of Kemendagri: "
            "{kemendagri}. Of 514 regencies 199 differ, so no file is read by guess."
        ).format(bps=bps or _("no area"), kemendagri=kemendagri or _("no area")),
        remedy=_(
            "Write Kemendagri's code with its dot ({codes}), "
            "or declare --area-codes bps for the whole file."
        ).format(codes=joined(_(" or "), dotted) or "16.06"),
    )


def _bps_regency(digits: str) -> Area:
    area = _bps_codes().get(digits)
    if area is None:
        raise UnknownAreaError(
            _("no regency or city has the BPS code {digits}").format(digits=digits),
            why=_("Known are BPS's codes of 2020, second half."),
            remedy=_(
                "Write the code of Kemendagri with its dot (16.06), or the name with its kind."
            ),
        )
    return area


def _bps_province(digits: str) -> Area:
    found = _bps_provinces().get(digits, ())
    if len(found) == 1:
        return found[0]
    if not found:
        raise UnknownAreaError(
            _("no province has the BPS code {digits}").format(digits=digits),
            why=_("Known are BPS's codes of 2020, second half."),
            remedy=_("Write the name of the province."),
        )
    raise AmbiguousAreaError(
        _("the BPS code {digits} is of a province that has been divided since").format(
            digits=digits
        ),
        why=_("Its regencies lie today in {provinces}.").format(
            provinces=", ".join(map(str, found))
        ),
        remedy=_("Write the name of the province."),
    )


def _remedy(text: str) -> str:
    """What to do about digits that no coding has: the slips of spreadsheets are named."""
    lost = _LOST_ZERO.fullmatch(text)
    if lost:
        near = [area_of(f"{lost[1]}.{lost[2]}0"), area_of(f"{lost[1]}.0{lost[2]}")]
        meant = " or ".join(str(area) for area in near if area is not None)
        question = _(" Did you mean {meant}?").format(meant=meant) if meant else ""
        return _(
            "A spreadsheet drops the last zero of 16.10; make the column text.{question}"
        ).format(question=question)
    if _BELOW_REGENCY.fullmatch(text):
        return _("Districts and villages have no batches; write the code of the regency (16.06).")
    digits = re.sub("[^0-9]", "", text)
    dotted = f"{digits[:2]}.{digits[2:]}"
    if len(digits) == _DIGITS_OF_REGENCY and area_of(dotted) is not None:
        return _("Codes are written with one dot: did you mean {area}?").format(
            area=area_of(dotted)
        )
    return _("Codes look like 16.06 (regency or city), 16 (province) or ID (the nation).")


@cache
def _bps_codes() -> dict[str, Area]:
    return {bps: area_by_code(code) for code, bps in rows("bps_codes")}


@cache
def _former() -> dict[str, Area]:
    return {former: area_by_code(code) for former, code in rows("former_codes")}


@cache
def _bps_provinces() -> dict[str, tuple[Area, ...]]:
    """Which provinces the regencies of each BPS province lie in today."""
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for bps, area in _bps_codes().items():
        found[bps[:2]][area.province or ""] = None
    return {bps: tuple(area_by_code(code) for code in codes) for bps, codes in found.items()}
