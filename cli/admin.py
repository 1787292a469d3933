"""What admins do beside importing: make a store, take back, renew, add categories."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, cast

import click

from cli.destination import PLACE_OR_STDOUT, check_place, text_to
from cli.options import (
    CATEGORY,
    COUNT,
    DAY,
    POINT,
    POSITION,
    REFERENCE,
    REGENCY,
    TEXT,
    Settings,
    dry_run_option,
    notice,
    records,
    uses_store,
)
from cli.output import Column, Listing, listing_options, write_listing
from cli.overriding import may_override
from cli.recorded import say, say_recorded
from registry.language import _, language, said

if TYPE_CHECKING:
    from registry.application import EnrolmentRegistry, Recorded
    from registry.intake.columns import InputKind

KINDS: Final = ("batches", "potentials", "targets", "figures", "areas")

_RENEWING: Final = {
    "unknown-batch": _(
        "Check the reference and --area with `ucj history`; if its document has parts,"
        " name the part with --part."
    ),
    "no-such-cohort": _("Check --category, --segment and --old-term with `ucj show`."),
    "ambiguous-cohort": _(
        "Say which with --category, --segment or --old-term; renew the others"
        " under an --as-part of their own."
    ),
    "outside-term": _(
        "Check --until; where the batch has several terms, renew each with --old-term,"
        " under an --as-part of its own."
    ),
    "workers": _(
        "Give --workers as a number of persons, or leave it out to renew all who are left."
    ),
    "circular": _("Give the renewal a reference of its own with --as."),
}


@click.command("init")
@records
def init_command(settings: Settings) -> None:
    r"""Make an empty store.

    It is one file, readable by you only, at --store (UCJ_STORE; registry.db in this folder if not
    given). The folder must exist; an existing file is never touched.

    \b
    Examples:
      ucj init
      ucj init --store /srv/registry/sumsel.db --by "Siti Aminah"
    """
    from registry.storage.sqlite import create_store

    now = datetime.now(UTC).isoformat()
    store_id = create_store(settings.store, created_at=now, created_by=settings.actor)
    say(
        [
            _("made an empty store: {path}").format(path=settings.store.resolve()),
            _("its id is {store_id}").format(store_id=store_id),
        ]
    )
    notice(_("Next: `ucj template batches --output batches.csv`, or `ucj import batches FILE`."))


@click.command("template")
@click.argument("kind", type=click.Choice(KINDS))
@click.option("--allowed", is_flag=True, help="Print what each column may hold, and no file.")
@click.option(
    "--output",
    type=PLACE_OR_STDOUT,
    metavar="FILE",
    help="Write to a new FILE instead of standard output.",
)
def template_command(kind: str, allowed: bool, output: Path | None) -> None:  # noqa: FBT001
    r"""Print an empty file to fill in, with headers and examples.

    The examples are refused when they are imported: put your own rows in their place. What each
    column may hold is said on standard error (with --allowed, on standard output).

    \b
    Examples:
      ucj template batches > batches.csv
      ucj template figures --output figures.csv
      ucj template batches --allowed
    """
    from registry.intake.templates import allowed_values, template

    wanted = cast("InputKind", kind)
    file = None if output == Path("-") else output
    if file is not None:
        check_place(file, f"--output {file.name}", new=True)
    values = said(allowed_values(wanted, language()))
    with text_to(file, reader="programs") as stream:
        stream.write(values if allowed else template(wanted, language()))
    if not allowed:
        sys.stdout.flush()
        notice(
            _("What the columns of {kind} may hold:\n{columns}").format(
                kind=kind, columns=values.rstrip()
            )
        )


@click.command("withdraw")
@click.argument("reference", type=REFERENCE)
@click.option("--area", type=REGENCY, required=True, help="The kabupaten or kota of the batch.")
@click.option("--reason", type=TEXT, required=True, help="Why; kept with the withdrawal.")
@click.option("--part", type=REFERENCE, default=None, metavar="P", help="The part, if it has one.")
@dry_run_option
@records
@may_override
def withdraw_command(
    settings: Settings,
    reference: str,
    area: str,
    reason: str,
    part: str | None,
    dry_run: bool,  # noqa: FBT001
) -> None:
    r"""Take back a recorded batch.

    Everything it put in is taken back; what was known before stays known. Refused while other
    batches depend on it: they are listed.

    \b
    Examples:
      ucj withdraw 400/1/2025 --area 16.06 --reason "SK revoked" --dry-run
      ucj withdraw 400/1/2025 --area "Musi Banyuasin" --part b --reason "entered twice"
    """
    _record(
        settings,
        lambda registry: registry.withdraw_batch(
            area, reference, part=part or "", because=reason, dry_run=dry_run
        ),
    )


@click.command("renew")
@click.argument("reference", type=REFERENCE)
@click.option("--area", type=REGENCY, required=True, help="The kabupaten or kota of the batch.")
@click.option(
    "--until", type=POINT, required=True, metavar="DATE", help="The new last covered day."
)
@click.option(
    "--as", "new_reference", type=REFERENCE, required=True, help="The reference of the renewal."
)
@click.option("--as-part", "new_part", type=REFERENCE, metavar="P", help="Its part, if any.")
@click.option("--part", type=REFERENCE, metavar="P", help="The part of the batch renewed.")
@click.option("--workers", type=COUNT, help="Fewer than all who are left.")
@click.option("--category", type=CATEGORY, help="Only these, where the batch has several.")
@click.option("--segment", metavar="S", help="Only these: PU, BPU, JAKON or PMI.")
@click.option(
    "--old-term", type=POINT, metavar="DATE", help="Only those covered until this day (the last)."
)
@click.option("--funding", metavar="F", help="Who pays from now on.")
@click.option("--decided-on", type=DAY, metavar="DATE", help="The date on the decision.")
@click.option("--document", type=TEXT, help="The document it stands in.")
@click.option("--note", type=TEXT, help="Anything worth keeping.")
@dry_run_option
@records
@may_override
def renew_command(
    settings: Settings,
    reference: str,
    area: str,
    until: date,
    new_reference: str,
    new_part: str | None,
    part: str | None,
    workers: int | None,
    category: str | None,
    segment: str | None,
    old_term: date | None,
    funding: str | None,
    decided_on: date | None,
    document: str | None,
    note: str | None,
    dry_run: bool,  # noqa: FBT001
) -> None:
    r"""Cover on, as a new batch, those whose term ends.

    All who are left on the last day of the old term, unless told fewer. The renewal begins the day
    after and has a reference of its own.

    \b
    Examples:
      ucj renew 400/1/2025 --area 16.06 --until 2026-12 --as 400/9/2025 --dry-run
      ucj renew 400/1/2025 --area 16.06 --until 2026-12-31 --as 400/9/2025 --workers 1500
    """
    from registry.nomenclature import categories_of
    from registry.reference.words import find_word
    from registry.storage.log import open_log
    from registry.terms import Funding, Segment

    slug = None
    if category is not None:
        with closing(open_log(settings.store)) as log:
            slug = categories_of(log).find(category)
    chosen_segment = Segment(find_word("segment", segment)) if segment else None
    chosen_funding = Funding(find_word("funding", funding)) if funding else None
    _record(
        settings,
        lambda registry: registry.renew_batch(
            area,
            reference,
            until=until,
            new_reference=new_reference,
            part=part or "",
            new_part=new_part or "",
            workers=workers,
            category=slug,
            segment=chosen_segment,
            old_term=old_term,
            funding=chosen_funding,
            decided_on=decided_on,
            document=document,
            note=note,
            dry_run=dry_run,
        ),
        remedies=_RENEWING,
    )


@click.command("retract")
@click.argument("what", type=click.Choice(("figure", "potential", "target", "area")))
@click.argument("position", type=POSITION, metavar="@POSITION")
@click.option("--reason", type=TEXT, required=True, help="Why; kept with what takes it back.")
@dry_run_option
@records
@may_override
def retract_command(
    settings: Settings,
    what: str,
    position: int,
    reason: str,
    dry_run: bool,  # noqa: FBT001
) -> None:
    r"""Take back a figure, a potential, a target or a change of an area.

    It is named by the position at which it was recorded (`ucj history AREA` lists them). What was
    known before stays known. A change of an area on which another rests is refused.

    \b
    Examples:
      ucj retract figure @12 --reason "the newspaper corrected it" --dry-run
      ucj retract potential @7 --reason "of another regency"
      ucj retract area @31 --reason "the decree was annulled"
    """
    _record(
        settings,
        lambda registry: registry.take_back(what, position, because=reason, dry_run=dry_run),
    )


class _ListedGroup(click.Group):
    """A group that lists when it is told nothing else."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        named = [each for each in args if not each.startswith("-")]
        asks_help = not {"-h", "--help"}.isdisjoint(args)
        if not asks_help and (not named or named[0] not in self.commands):
            args = ["list", *args]
        return super().parse_args(ctx, args)


@click.group("category", cls=_ListedGroup)
def category_command() -> None:
    r"""List the categories of workers, or add one.

    \b
    Examples:
      ucj category
      ucj category list --format csv
      ucj category add tukang-sayur
    """


_CATEGORIES: Final = (
    Column("category", _("Category"), "code"),
    Column("label_id", _("Indonesian"), "text"),
    Column("label_en", _("English"), "text"),
    Column("aliases", _("Also called"), "json", show=False),
    Column("added", _("Added here"), "flag"),
)


@category_command.command("list")
@uses_store
@listing_options
def list_categories(
    settings: Settings,
    format: str | None,
    output: Path | None,
) -> None:
    r"""List the categories: the built-in ones and those added to the store.

    \b
    Examples:
      ucj category list
      ucj category list --format json
    """
    from registry.nomenclature import added_categories
    from registry.reference.categories import Categories
    from registry.storage.log import open_log

    with closing(open_log(settings.store)) as log:
        added = added_categories(log)
    slugs = {category.slug for category in added}
    rows = [
        {
            "category": category.slug,
            "label_id": category.label_id,
            "label_en": category.label_en,
            "aliases": [alias for alias in category.aliases if alias],
            "added": category.slug in slugs,
        }
        for category in Categories(added)
    ]
    columns = tuple(
        replace(column, show=bool(slugs)) if column.key == "added" else column
        for column in _CATEGORIES
    )
    write_listing(Listing("categories", columns, rows), format=format, output=output)


@category_command.command("add")
@click.argument("slug", type=TEXT)
@click.option(
    "--label-id",
    type=TEXT,
    help="Its name in Indonesian. [made of SLUG: tukang-sayur, Tukang sayur]",
)
@click.option("--label-en", type=TEXT, help="Its name in English. [made of SLUG, likewise]")
@click.option(
    "--alias", "aliases", type=TEXT, multiple=True, help="Another word for it; may be repeated."
)
@dry_run_option
@records
def add_category(
    settings: Settings,
    slug: str,
    label_id: str | None,
    label_en: str | None,
    aliases: tuple[str, ...],
    dry_run: bool,  # noqa: FBT001
) -> None:
    r"""Add a category of workers; SLUG is its short name, such as pekerja-rentan.

    Refused where a word of it means another category already. It cannot be removed.

    \b
    Examples:
      ucj category add tukang-sayur
      ucj category add nelayan-tangkap --label-id "Nelayan tangkap" \
        --label-en "Fishers at sea" --alias nelayan-laut
    """
    from registry.reference.categories import AddedCategory

    named = slug.replace("-", " ").capitalize()
    category = AddedCategory(slug, label_id or named, label_en or named, aliases)
    _record(settings, lambda registry: registry.add_category(category, dry_run=dry_run))


def _record(
    settings: Settings,
    command: Callable[[EnrolmentRegistry], Recorded],
    *,
    remedies: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Carry out a typed command and say what was recorded.

    `remedies` by code of problem: what to type, where the registry speaks of columns of a file.
    """
    from registry.errors import RuleBrokenError

    with settings.recording() as registry:
        try:
            recorded = command(registry)
        except RuleBrokenError as error:
            codes = [each.code for each in error.problems if each.severity == "error"]
            error.remedy = remedies.get(codes[0], error.remedy) if codes else error.remedy
            raise
        say_recorded(recorded)
