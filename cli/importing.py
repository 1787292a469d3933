"""Files that come in: checked without a lock, then recorded whole or not at all.

Owns the order of things for one file and for several, where reports and refused rows go, and what
is said of an interruption. Knows no rule and no column.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

import click

from cli.destination import PLACE_OR_STDOUT, check_place
from cli.giving_way import LONG_ROWS, LONG_TEXT_BYTES, give_way
from cli.import_report import PLAN_DIGITS_MIN, print_report, say_before
from cli.options import (
    COUNT,
    REFERENCE,
    REGENCY,
    TEXT,
    Settings,
    dry_run_option,
    given_once,
    notice,
    records,
    taking,
)
from cli.overriding import may_override
from cli.refused_places import is_ours, left_beside, place_beside
from registry.language import _
from registry.safe_text import safe
from registry.system_errors import cause_of

if TYPE_CHECKING:
    from cli.imported_before import ImportedBefore
    from registry.application import EnrolmentRegistry, Recorded
    from registry.intake.admission import Admission, AdmissionOptions
    from registry.intake.admitted import AdmittedFile
    from registry.intake.report import Report
    from registry.reference.boundaries import Boundaries
    from registry.reference.categories import Categories

Command = Callable[..., Any]
STDIN: Final = Path("-")
_PLAN_DIGITS_MAX: Final = 64
EXIT_REFUSED: Final = 1
EXIT_INTERRUPTED: Final = 130

_LOADED_MEANWHILE: Final = (
    "pydantic", "duckdb", "registry.events", "eventsourcing.persistence",
    "eventsourcing.application", "registry.application", "projections.rules",
)  # fmt: skip
_DOING: Final = ("dry_run", "plan", "report", "refused", "format")
_FILE: Final = click.Path(allow_dash=True, path_type=Path)


@dataclass(frozen=True, slots=True)
class Request:
    """What a person asks to be done with files, whatever they hold."""

    options: AdmissionOptions
    dry_run: bool = False
    plan: str | None = None
    report: Path | None = None
    refused: Path | None = None
    format: str = "text"
    correcting: Correction | None = None

    @property
    def expects_totals(self) -> bool:
        """Whether the file is held against totals."""
        return self.options.expect_rows is not None or self.options.expect_workers is not None


@dataclass(frozen=True, slots=True)
class Correction:
    """Which batch a file corrects, and why."""

    area: str
    reference: str
    part: str
    because: str


class _LateRegistry:
    """The registry, opened when it is first needed.

    Where a file is read by a child, what it needs is loaded piece by piece meanwhile.
    """

    def __init__(self, settings: Settings) -> None:
        from registry.intake.reading_ahead import can_read_ahead

        self._settings = settings
        self._opened: EnrolmentRegistry | None = None
        self._to_load = iter(_LOADED_MEANWHILE)
        if settings.override is not None or not can_read_ahead():
            self.open()  # and refuses before anything is read

    @property
    def committed(self) -> tuple[int, int] | None:
        """See `EnrolmentRegistry.committed`."""
        return None if self._opened is None else self._opened.committed

    def load_some(self) -> None:
        """Load the next piece, if any is left: few milliseconds, for which the child need not wait."""
        from cli.interruption import heard_later

        if self._opened is None and (name := next(self._to_load, None)) is not None:
            with heard_later():
                import_module(name)

    def open(self) -> EnrolmentRegistry:
        """Return the registry."""
        from cli.interruption import heard_later

        if self._opened is None:
            with heard_later():
                self._opened = self._settings.registry()
        return self._opened

    def close(self) -> None:
        """Close it, if it was opened."""
        if self._opened is not None:
            self._opened.close()


class _JustCommitted(KeyboardInterrupt):
    """An interruption that came after the commit."""


class PlanType(click.ParamType[Any]):
    """The digest of a plan, or its first digits."""

    name = "digest"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Return the digits."""
        text = str(value).lower()
        if not set(text) <= set("0123456789abcdef") or len(text) > _PLAN_DIGITS_MAX:
            self.fail(
                _("{text} is no digest; copy it from --dry-run.").format(text=text), param, ctx
            )
        if len(text) < PLAN_DIGITS_MIN:
            self.fail(
                _("At least {number} digits of the digest are needed.").format(
                    number=PLAN_DIGITS_MIN
                ),
                param,
                ctx,
            )
        return text


_READING_OPTIONS: Final = (
    click.option(
        "--locale",
        type=click.Choice(("id", "en")),
        default="id",
        show_default=True,
        help="How numbers are written: id 45.000 and 48,26; en 45,000 and 48.26.",
    ),
    click.option(
        "--area-codes",
        type=click.Choice(("kemendagri", "bps")),
        default="kemendagri",
        show_default=True,
        help="What digits without a dot mean; kemendagri refuses them.",
    ),
    click.option(
        "--sheet",
        multiple=True,
        callback=given_once,
        metavar="NAME",
        help="Read only this sheet of a spreadsheet.",
    ),
    click.option(
        "--ignore-column",
        "ignore_columns",
        multiple=True,
        metavar="NAME",
        help="Leave this column unread, such as one of NIK; may be repeated.",
    ),
)
_FILE_OPTIONS: Final = (
    click.option(
        "--report",
        type=PLACE_OR_STDOUT,
        metavar="FILE.json",
        help="Write the report there as JSON, with the first 20 of each kind of problem.",
    ),
    click.option(
        "--refused",
        type=PLACE_OR_STDOUT,
        metavar="FILE.csv",
        help="Where refused rows go: a new file, or one of refused rows. [beside the input, as"
        " NAME.refused.csv, or NAME.refused-2.csv where that is another file]",
    ),
    click.option(
        "--format",
        type=click.Choice(("text", "json", "jsonl")),
        default="text",
        help="Print the report as words, as JSON, or as JSON on one line for each file.",
    ),
)
_TOTALS_OPTIONS: Final = (
    click.option(
        "--plan", type=PlanType(), help="Record only what --dry-run showed under this digest."
    ),
    click.option("--expect-rows", type=COUNT, help="Refuse the file if it has other than N rows."),
    click.option(
        "--expect-workers", type=COUNT, help="Refuse it if its workers add up to other than N."
    ),
)


_takes_files: Final = taking(
    click.argument("files", nargs=-1, required=True, type=_FILE, metavar="FILE..."),
    *_READING_OPTIONS,
    dry_run_option,
    *_TOTALS_OPTIONS,
    *_FILE_OPTIONS,
    records,
)
_takes_one_file: Final = taking(*_READING_OPTIONS, dry_run_option, *_FILE_OPTIONS, records)


@click.group("import")
def import_command() -> None:
    r"""Record a file of batches, potentials, targets, figures or areas.

    CSV, XLSX, XLS and ODS, with headers in Indonesian or English. One file is one decision: all of
    it is recorded, or nothing. Importing the same file again records nothing and says so, however
    it is to be read. Rows that are refused are written beside it, to look through: repair the file
    itself and import that again.

    \b
    Examples:
      ucj import batches sk-400.xlsx --dry-run
      ucj import batches sk-400.xlsx
      ucj import figures press.csv --locale en
    """


@import_command.command("batches")
@_takes_files
@may_override
def import_batches(settings: Settings, files: tuple[Path, ...], **given: object) -> int:
    r"""Record batches: who came in, left, was renewed.

    Each row is a line of a batch (a decision, an upload); rows with the same reference, part and
    area are one batch. `ucj template batches` shows the columns. Of several files each is a decision
    of its own; with --dry-run each is checked as if the others were not there.

    \b
    Examples:
      ucj import batches sk-400.xlsx --dry-run
      ucj import batches sk-400.xlsx --expect-rows 120 --expect-workers 45000
      ucj import batches *.csv --locale en --by "Siti Aminah"
      sipp-export | ucj import batches -
    """
    return _import_files(settings, files, _request("batches", given))


@import_command.command("potentials")
@_takes_files
@may_override
def import_potentials(settings: Settings, files: tuple[Path, ...], **given: object) -> int:
    r"""Record labour potentials: what coverage is divided by.

    Each row is the number of workers that an area has from a day on, with its source.

    \b
    Examples:
      ucj import potentials bps-2025.csv --locale en
      ucj import potentials bps-2025.xlsx --sheet Sumsel --area-codes bps
    """
    return _import_files(settings, files, _request("potentials", given))


@import_command.command("targets")
@_takes_files
def import_targets(settings: Settings, files: tuple[Path, ...], **given: object) -> int:
    r"""Record targets: the coverage to reach by a day.

    \b
    Examples:
      ucj import targets rpjmd.csv
      ucj import targets rpjmd.csv --dry-run --report rpjmd.json
    """
    return _import_files(settings, files, _request("targets", given))


@import_command.command("figures")
@_takes_files
def import_figures(settings: Settings, files: tuple[Path, ...], **given: object) -> int:
    r"""Record published figures: what somebody printed.

    Claims to be tested against the register, never an input of coverage.

    \b
    Examples:
      ucj import figures press.csv --locale id
      ucj import figures press.csv --plan 3f9a1c0b77d2
    """
    return _import_files(settings, files, _request("figures", given))


@import_command.command("areas")
@_takes_files
@may_override
def import_areas(settings: Settings, files: tuple[Path, ...], **given: object) -> int:
    r"""Record changes of areas: a new code, name or province, or a new area.

    Each row is one change from a day on. An area is found by any code or name that it has or had;
    what is recorded of it stays its own. Heads that a new regency takes over are transferred by
    rows of a batches file (`reclassify` with from_area). Where days of a regency are closed, it takes
    two persons to move it to another province on them, or to split a new one from it.

    \b
    Examples:
      ucj import areas papua-2022.csv --dry-run
      ucj import areas papua-2022.csv
    """
    return _import_files(settings, files, _request("areas", given))


@click.command("correct")
@click.argument("reference", type=REFERENCE)
@click.argument("file", type=_FILE, metavar="FILE")
@click.option("--area", type=REGENCY, required=True, help="The kabupaten or kota of the batch.")
@click.option("--reason", type=TEXT, required=True, help="Why; kept with the correction.")
@click.option("--part", type=REFERENCE, metavar="P", help="The part, if it has one.")
@_takes_one_file
@may_override
def correct_command(
    settings: Settings,
    reference: str,
    file: Path,
    area: str,
    reason: str,
    part: str | None,
    **given: object,
) -> int:
    r"""Replace what a recorded batch says.

    FILE has the batch's complete new rows, with its own action or `correct`, and nothing else. What was
    known before stays known. Refused while other batches depend on what it takes: they are listed.

    \b
    Examples:
      ucj correct 400/1/2025 corrected.csv --area 16.06 --reason "two counted twice" --dry-run
      ucj correct 400/1/2025 corrected.csv --area 16.06 --part b --reason "typing error"
    """
    correction = Correction(area, reference, part or "", reason)
    return _import_files(settings, (file,), _request("batches", given, correction))


def _request(kind: str, given: dict[str, object], correcting: Correction | None = None) -> Request:
    """Sort what was given into how a file is read and what is done with it."""
    from registry.intake.admission import AdmissionOptions

    doing = {name: given.pop(name, None) for name in _DOING}
    doing["dry_run"] = bool(doing["dry_run"])
    options = AdmissionOptions(
        kind=cast("Any", kind), correcting=correcting is not None, **cast("Any", given)
    )
    return Request(options=options, correcting=correcting, **cast("Any", doing))


def _check_usage(files: Sequence[Path], request: Request) -> None:
    """Refuse, before anything is read, what cannot be meant."""
    options = request.options
    if request.dry_run and request.plan:
        raise click.UsageError(_("--dry-run makes a plan and --plan carries one out: give one."))
    if len(files) > 1:
        of_one = {
            "--plan": request.plan,
            "--expect-rows": options.expect_rows,
            "--expect-workers": options.expect_workers,
            "--report": request.report,
            "--refused": request.refused,
            "--format json (use jsonl)": "json" if request.format == "json" else None,
        }
        for name, given in of_one.items():
            if given is not None:
                raise click.UsageError(
                    _("{name} is about one file; {number} were named.").format(
                        name=name, number=len(files)
                    )
                )
    if list(files).count(STDIN) > 1:
        raise click.UsageError(_("Standard input (-) can be read only once."))
    _check_places(files, request)


def _check_places(files: Sequence[Path], request: Request) -> None:
    """Refuse places where a report or refused rows cannot go."""
    if STDIN in {request.refused, request.report}:
        raise click.UsageError(
            _("--report and --refused need a file; see --format json for stdout.")
        )
    for name, place in (("--report", request.report), ("--refused", request.refused)):
        if place is None:
            continue
        check_place(place, f"{name} {place.name}")
        if any(_is_the_same(place, file) for file in files):
            raise click.UsageError(
                _("{option} {file} would overwrite the input.").format(option=name, file=place.name)
            )
    if request.refused is not None and not is_ours(request.refused):
        check_place(request.refused, f"--refused {request.refused.name}", new=True)


def _is_the_same(place: Path, file: Path) -> bool:
    try:
        return place.samefile(file)
    except OSError:  # one of them is not there
        return False


def _import_files(settings: Settings, files: Sequence[Path], request: Request) -> int:
    """Decide file after file; a refused one does not stop the others. The worst code counts."""
    _check_usage(files, request)
    from registry.boundaries import boundaries_of
    from registry.errors import RegistryError, StoreError
    from registry.nomenclature import categories_of
    from registry.storage.log import open_log

    with closing(open_log(settings.store, asking=False)) as log:
        known = categories_of(log), boundaries_of(log)
    codes: list[int] = []
    done = 0  # decided well; one that was recorded, and could not be reported, as well
    with closing(_LateRegistry(settings)) as registry:
        for file in files:
            before_it = registry.committed
            try:
                codes.append(_import_file(settings, registry, file, request, known))
                done += codes[-1] == 0
            except StoreError:
                _say_left(files, len(codes))
                raise
            except RegistryError as error:
                if len(files) == 1:
                    raise
                for line in error.diagnostics():
                    notice(line)
                codes.append(error.exit_code)
                done += registry.committed != before_it
            except KeyboardInterrupt as interruption:
                committed = isinstance(interruption, _JustCommitted)
                if not codes and not committed:
                    raise
                _say_left(files, len(codes) + committed)
                return EXIT_INTERRUPTED
    _say_done(files, done, dry_run=request.dry_run)
    if not request.dry_run and done:
        _publish(settings)
    return max(codes)


def _say_done(files: Sequence[Path], done: int, *, dry_run: bool) -> None:
    if len(files) == 1:
        return
    words = (
        _("{done} of {files} files are checked.")
        if dry_run
        else _("{done} of {files} files are recorded.")
    )
    notice(words.format(done=done, files=len(files)))
    if dry_run:
        notice(
            _(
                "Each was checked against the store as it is, without the files before it:"
                " recorded one after another, they may be judged otherwise."
            )
        )


def _say_left(files: Sequence[Path], done: int) -> None:
    if len(files) > 1:
        left = ", ".join(_name_of(file) for file in files[done:])
        notice(
            _("{done} of {files} files were decided as said above; left: {left}.").format(
                done=done, files=len(files), left=left
            )
        )


def _import_file(
    settings: Settings,
    registry: _LateRegistry,
    file: Path,
    request: Request,
    known: tuple[Categories, Boundaries],
) -> int:
    from cli.imported_before import imported_before
    from cli.terminal import progress
    from registry.intake.admission import admit
    from registry.intake.admitted import AdmittedFile
    from registry.intake.spool import spool_input

    with spool_input(_stdin() if file == STDIN else file, name=str(file)) as spooled:
        # Not of a spreadsheet, before it is read: that is done by a child within a time.
        if spooled.kind == "text" and spooled.size >= LONG_TEXT_BYTES:
            give_way()
        with progress(_("{name}: rows read").format(name=spooled.name)) as bar:

            def read_on(rows: int) -> None:
                bar.reach(rows)
                registry.load_some()

            categories, boundaries = known
            admission = admit(
                spooled,
                request.options,
                categories,
                boundaries=boundaries,
                on_progress=read_on,
            )
        if admission.report.rows_read >= LONG_ROWS:
            give_way()
        with admission:
            before_it = registry.committed
            try:
                admitted = AdmittedFile(spooled, admission)
                before = None
                if request.correcting is None:
                    before = imported_before(settings.store, admitted)
                if before is not None:
                    _look_at_changes(settings, registry.open(), admitted, admission.report, before)
                recorded = _decide(registry.open(), admitted, admission.report, request, before)
                _keep_refused(admission, file, request)
                print_report(
                    admission.report,
                    recorded,
                    form=request.format,
                    place=request.report,
                    correcting=request.correcting is not None,
                )
                if before is not None:
                    say_before(admission.report, before, admitted.options)
                _say_left_beside(admission.report, file, request)
            except KeyboardInterrupt:
                if registry.committed == before_it:
                    raise
                notice(_("Interrupted, but {name} is recorded.").format(name=spooled.name))
                raise _JustCommitted from None
            return EXIT_REFUSED if admission.report.decision == "refused" else 0


def _stdin() -> BinaryIO:
    """Return standard input; a service that starts ucj may have closed it."""
    from registry.errors import InputUnreadableError

    if sys.stdin is None:
        raise InputUnreadableError(
            _("standard input (-) cannot be read"),
            why=_("it is closed"),
            remedy=_("name a file, or hand one over: ucj … < FILE"),
        )
    if sys.stdin.isatty():
        notice(_("Reading the file from the keyboard; end it with Ctrl-D."))
    return sys.stdin.buffer


def _look_at_changes(
    settings: Settings,
    registry: EnrolmentRegistry,
    admitted: AdmittedFile,
    report: Report,
    before: ImportedBefore,
) -> None:
    """Warn, of bytes that are recorded already, of the batches that say something else by now."""
    from projections.changed_since import CODES, changed_since
    from registry.balances import FINDINGS_MAX

    event_of, where = registry.mapper.to_domain_event, admitted.address
    with settings.workspace() as workspace:
        found = workspace.ask(
            lambda ledger: [
                *islice(
                    changed_since(ledger, before.imports, event_of=event_of, where=where),
                    FINDINGS_MAX,
                )
            ]
        )
    admitted.add_problems(found)
    if len(found) == FINDINGS_MAX:
        report.capped.update(CODES)


def _decide(
    registry: EnrolmentRegistry,
    admitted: AdmittedFile,
    report: Report,
    request: Request,
    before: ImportedBefore | None,
) -> Recorded | None:
    """Record, or check, an admitted file; what became of it stands in the report.

    A file of whose bytes all is recorded is not refused for the way it is read now; but totals that
    a person expects of it are a question of their own, and are answered.
    """
    from cli.terminal import progress

    correction = request.correcting
    if not report.errors and correction is not None:
        admitted.refuse_others(correction.area, correction.reference, correction.part)
    if report.errors and before is not None and not request.expects_totals:
        recorded = before.recorded()
        admitted.take_outcome(recorded, already_recorded=0)
        return recorded
    if report.errors:
        return None
    with progress(
        _("{name}: decided").format(name=admitted.file_name), report.batches_total
    ) as bar:
        recorded = registry.import_file(
            admitted,
            dry_run=request.dry_run,
            plan=request.plan,
            correcting=correction.because if correction else None,
            progress=bar.advance,
        )
    counts = recorded.counts
    admitted.take_outcome(
        recorded,
        already_recorded=counts.already_recorded,
        moved=counts.moved,
        capped=counts.capped,
    )
    return recorded


def _keep_refused(admission: Admission, file: Path, request: Request) -> None:
    """Write the refused rows to where they were asked for, or beside the input."""
    report = admission.report
    if report.decision != "refused":
        return
    place = request.refused
    if not any(each.severity == "error" and each.row is not None for each in report.problems):
        if place is not None:
            notice(
                _("No row is at fault by itself, so {name} was not written.").format(
                    name=safe(place.name)
                )
            )
        return
    if place is None:
        if file == STDIN:
            return
        place = place_beside(file)
    try:
        admission.write_refused(place)
    except OSError as error:
        notice(
            _(
                "the refused rows cannot be written to {name}"
                " ({why}); name another place with --refused"
            ).format(name=safe(place.name), why=cause_of(error))
        )


def _say_left_beside(report: Report, file: Path, request: Request) -> None:
    """Name what an earlier refusal has left: nothing that a person may have written in is removed."""
    if report.decision in {"refused", "planned"} or file == STDIN:
        return
    for left in [request.refused] if request.refused else left_beside(file):
        if is_ours(left):
            name = safe(left.name)
            notice(
                _("{name} has rows refused earlier; {file} is recorded, so it may go.").format(
                    name=name, file=report.file
                )
            )


def _publish(settings: Settings) -> None:
    """Leave a ledger image behind where the tail is long: all is recorded and said by now."""
    from cli.terminal import progress

    try:
        with (
            settings.workspace() as workspace,
            progress(_("ledger image: events folded"), workspace.log.head()) as bar,
        ):
            workspace.publish_if_due(bar.reach)
    except KeyboardInterrupt:
        notice(_("The ledger image was left for later; everything said above is recorded."))


def _name_of(file: Path) -> str:
    from registry.intake.spool import shown_file_name

    return shown_file_name(str(file))
