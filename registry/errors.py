"""Every refusal. Each explains itself: what, where, why, and what to do.

An error never carries personal data and never shows a traceback to a user. `exit_code` is what
the command line returns for it (docs/architecture.md#exit-codes).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from registry.language import joined

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong (or odd) in one place of one file.

    `where` is an address a clerk can go to: `batches.csv:17:workers`, `Data!C17`. `value` is the
    cell as read, already made safe to print (`registry.safe_text`), or None.
    """

    code: str
    severity: Severity
    where: str
    value: str | None
    why: str
    remedy: str
    row: int | None = None
    sheet: str | None = None


class RegistryError(Exception):
    """Base of every refusal; `code` is stable, `exit_code` is the process's answer."""

    code: ClassVar[str] = "refused"
    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, why: str = "", remedy: str = "", where: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.remedy = remedy
        self.where = where

    def diagnostics(self) -> list[str]:
        """Return the refusal as lines: what (with where), why, what to do."""
        lines = [joined(": ", (self.where, self.what)) if self.where else self.what]
        lines += [text for text in (self.why, self.remedy) if text]
        return lines

    def __str__(self) -> str:
        return " — ".join(self.diagnostics())


# --- words and reference data -----------------------------------------------------------------


class UnknownAreaError(RegistryError):
    """No area has that code or name; up to three suggestions in the remedy."""

    code = "unknown-area"


class AmbiguousAreaError(UnknownAreaError):
    """The name is both a kabupaten and a kota (or a province as well); the kind is needed."""

    code = "ambiguous-area"


class BareDigitsError(UnknownAreaError):
    """Digits without a dot read differently in Kemendagri's and in BPS's code."""

    code = "bare-digits"


class UnknownCategoryError(RegistryError):
    """No category has that slug, label or alias."""

    code = "unknown-category"


class UnknownWordError(RegistryError):
    """A word outside a closed list: action, funding, programme, segment or reason."""

    code = "unknown-word"


class InvalidDateError(RegistryError):
    """A date that cannot be read, or whose reading would be a guess."""

    code = "invalid-date"


class InvalidNumberError(RegistryError):
    """A number that cannot be read in the declared locale, or whose reading would be a guess."""

    code = "invalid-number"


class KnownInFutureError(RegistryError):
    """`known` names a position or an instant that the log has not reached."""

    code = "known-in-future"


# --- rules ------------------------------------------------------------------------------------


class RuleBrokenError(RegistryError):
    """A command that the rules do not admit; `problems` lists every reason found."""

    code = "rule-broken"

    def __init__(
        self,
        what: str,
        *,
        why: str = "",
        remedy: str = "",
        where: str = "",
        problems: tuple[Problem, ...] = (),
    ) -> None:
        super().__init__(what, why=why, remedy=remedy, where=where)
        self.problems = problems


class UnknownBatchError(RegistryError):
    """No batch of that reference is recorded in that area."""

    code = "unknown-batch"


class ImportRefusedError(RegistryError):
    """A file was refused as a whole; nothing was recorded. The report says why."""

    code = "import-refused"


# --- input ------------------------------------------------------------------------------------


class InputUnreadableError(RegistryError):
    """The file cannot be read as a table at all (missing, encrypted, not a spreadsheet …)."""

    code = "unreadable"
    exit_code = 3


# --- the store --------------------------------------------------------------------------------


class StoreError(RegistryError):
    """The store cannot serve; nothing was recorded."""

    code = "store"
    exit_code = 4


class StoreMissingError(StoreError):
    """There is no store at that place."""

    code = "store-missing"


class StoreBusyError(StoreError):
    """Another process held the store for longer than the time-out; nothing was recorded."""

    code = "store-busy"


class StoreNewerError(StoreError):
    """The store, or an event in it, was written by a newer ucj than this one."""

    code = "store-newer"


class StoreDamagedError(StoreError):
    """The store holds something that cannot be."""

    code = "store-damaged"
