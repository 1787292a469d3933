"""What commands have in common: which store, who acts, and how areas and dates are written."""

from __future__ import annotations

import functools
import getpass
import os
import re
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar, cast

import click

from cli.speech import language_option
from registry.errors import (
    BareDigitsError,
    InvalidDateError,
    RegistryError,
    StoreBusyError,
    StoreError,
)
from registry.language import _
from registry.safe_text import looks_personal
from registry.terms import is_regency

if TYPE_CHECKING:
    from datetime import date

    from click.shell_completion import CompletionItem

    from projections.workspace import Workspace
    from registry.application import EnrolmentRegistry
    from registry.closing import Override
    from registry.reference.boundaries import Boundaries
    from registry.reference.categories import Categories

Command = TypeVar("Command", bound=Callable[..., Any])
DEFAULT_STORE: Final = "registry.db"
ACTOR_LENGTH_MAX: Final = 200
COMPLETION_WAIT_SECONDS: Final = 0.2  # for a busy store, while somebody is typing
_DOTTED: Final = _("Write Kemendagri's code with its dot (16.06), or the name with its kind.")


class RefusedTextError(RegistryError):
    """A text that was typed cannot be kept: empty, hidden characters, or a personal number."""

    code = "refused-text"


class NotARegencyError(RegistryError):
    """A batch is looked for in a province or in the nation."""

    code = "not-a-regency"


class UnusableActorError(RegistryError):
    """The name of who records is empty, too long, or holds what must not be kept."""

    code = "actor"


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the store is and who acts, from options, then environment, then defaults.

    `override`: what closed days are changed for, where a command may (`cli.overriding`).
    """

    store: Path
    actor: str
    override: Override | None = None

    def acting(self, named: str | None) -> Settings:
        """Return the same store with whoever records, for a question that comes to record."""
        given = click.get_current_context().find_root().obj or {}
        return replace(self, actor=actor_named(named or given.get("actor")))

    def workspace(self) -> Workspace:
        """Open the store for questions."""
        from cli.interruption import loading

        with loading():
            from projections.workspace import Workspace

        return Workspace(self.store, notice=notice)

    def boundaries(self) -> Boundaries:
        """Return the areas of the store, as it knows them now, for what is said at the end."""
        return _boundaries_or_built_in(self.store)

    @contextmanager
    def recording(self) -> Iterator[EnrolmentRegistry]:
        """Open the store for a command that records; an interruption never denies what it did."""
        from cli.interruption import RecordedBeforeInterruptError, is_interruption

        with closing(self.registry()) as registry:
            try:
                yield registry
            except BaseException as error:
                if registry.committed is not None and is_interruption(error):
                    raise RecordedBeforeInterruptError(*registry.committed) from None
                raise

    def registry(self) -> EnrolmentRegistry:
        """Open the store for recording."""
        from cli.interruption import loading

        with loading():
            from projections.ledger import image_folder
            from projections.rules import LedgerBalances
            from registry.application import EnrolmentRegistry
            from registry.storage.log import open_log

        with closing(open_log(self.store, asking=False)) as log:
            folder = image_folder(self.store, log.store_id)
        balances = LedgerBalances(folder, lambda: open_log(self.store, asking=False))
        return EnrolmentRegistry(
            self.store,
            balances=balances,
            actor=self.actor,
            override=self.override,
            clock=lambda: datetime.now(UTC),
        )


def notice(line: str) -> None:
    """Say one line beside the answer."""
    from cli.escapes import visible

    click.echo(visible(line), err=True)


def uses_store(command: Command) -> Command:
    """Give a command --store (also after its name) and hand it `settings` as first argument."""
    return _with_settings(command, acts=False)


def records(command: Command) -> Command:
    """As `uses_store`, and --by as well: who records."""
    return _with_settings(command, acts=True)


def _with_settings(command: Command, *, acts: bool) -> Command:
    @functools.wraps(command)
    def called(*args: Any, **options: Any) -> Any:  # noqa: ANN401 - any command
        given = click.get_current_context().find_root().obj or {}
        store = options.pop("store") or given.get("store")
        actor = (options.pop("actor") if acts else None) or given.get("actor")
        settings = _settings(store, actor if acts else "-")
        return command(settings, *args, **_with_areas(settings.store, options, asking=not acts))

    decorated: Any = click.option("--store", metavar="PATH", help="The store to use.")(called)
    if acts:
        decorated = click.option("--by", "actor", metavar="NAME", help="Who records.")(decorated)
    decorated = language_option("What people read.")(decorated)
    return cast("Command", decorated)


def _settings(store: str | None, actor: str | None) -> Settings:
    place = _place(store)
    return Settings(place, actor if actor == "-" else actor_named(actor))


def _place(store: str | None) -> Path:
    place = store or os.environ.get("UCJ_STORE") or DEFAULT_STORE
    if "://" in place:
        raise StoreError(
            _("this ucj keeps its store in a file; it has no server store yet"),
            remedy=_("Name a file with --store (or UCJ_STORE)."),
        )
    return Path(place).expanduser()


def actor_named(named: str | None) -> str:
    """Return who records: as named, else UCJ_ACTOR, else the login name.

    Raises: UnusableActorError.
    """
    name = named or os.environ.get("UCJ_ACTOR")
    if not name:
        try:
            name = getpass.getuser()
        except (KeyError, OSError):  # a container without a login name
            name = ""
    name = unicodedata.normalize("NFC", name).strip()
    unusable = len(name) > ACTOR_LENGTH_MAX or not name.isprintable() or looks_personal(name)
    if not name or unusable:
        raise UnusableActorError(
            _("nobody is named as the one who records")
            if not name
            else _("the name of who records cannot be kept as it is"),
            remedy=_("Name yourself with --by NAME (or UCJ_ACTOR): one line, no NIK."),
        )
    return name


class DateType(click.ParamType[Any]):
    """A date; a refusal names the option, since commands take several."""

    name = "date"

    def __init__(self, *, month_means: Literal["its last day", "nothing"]) -> None:
        self._month_means = month_means

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> date:
        """Return the day."""
        del ctx
        from registry.dates import parse_day, parse_point

        parse = parse_point if self._month_means == "its last day" else parse_day
        try:
            return parse(str(value))
        except InvalidDateError as error:
            raise InvalidDateError(
                error.what, why=error.why, remedy=error.remedy, where=_written(param, self.name)
            ) from None


@dataclass(frozen=True, slots=True)
class AskedArea:
    """An area as typed, until the store says which areas it has."""

    text: str
    regencies_only: bool

    def code(self, boundaries: Boundaries) -> str:
        """Return the code under which the store keeps the area."""
        try:
            area = boundaries.find(self.text)
        except BareDigitsError as error:  # its remedy is that of a file, which may declare a coding
            raise BareDigitsError(error.what, why=error.why, remedy=_DOTTED) from None
        if self.regencies_only and not is_regency(area.code):
            raise NotARegencyError(
                _("{full_name} is no kabupaten or kota").format(full_name=area.full_name),
                why=_("Only those hold batches; provinces and the nation are sums over them."),
                remedy=_("Name the kabupaten or kota of the batch."),
            )
        return area.code


def _with_areas(store: Path, options: dict[str, Any], *, asking: bool) -> dict[str, Any]:
    """Return the options with each area that was typed as its code in the store.

    Raises: StoreBusyError: to go on would only be to wait once more. Of any other store that cannot
    be read it is said later what is wrong, with the built-in areas till then.
    """
    asked = {
        name: value
        for name, value in options.items()
        if isinstance(value, AskedArea)
        or (isinstance(value, tuple) and value and isinstance(value[0], AskedArea))
    }
    if not asked:
        return options
    try:
        boundaries = _boundaries(store, asking=asking)
    except StoreBusyError:
        raise
    except StoreError:
        from registry.reference.boundaries import BUILT_IN

        boundaries = BUILT_IN
    return options | {
        name: value.code(boundaries)
        if isinstance(value, AskedArea)
        else tuple(each.code(boundaries) for each in value)
        for name, value in asked.items()
    }


def _boundaries(
    store: Path, *, wait_seconds: float | None = None, asking: bool = True
) -> Boundaries:
    """Return the areas of a store. Raises: StoreError."""
    from registry.boundaries import boundaries_of
    from registry.storage.log import READ_TIMEOUT_SECONDS, open_log

    timeout = READ_TIMEOUT_SECONDS if wait_seconds is None else wait_seconds
    with closing(open_log(store, lock_timeout_seconds=timeout, asking=asking)) as log:
        return boundaries_of(log)


def _boundaries_or_built_in(store: Path, *, wait_seconds: float | None = None) -> Boundaries:
    """Return the areas of a store; the built-in ones where it cannot be read."""
    from registry.reference.boundaries import BUILT_IN

    try:
        return _boundaries(store, wait_seconds=wait_seconds)
    except StoreError:
        return BUILT_IN


class AreaType(click.ParamType[Any]):
    """A code or a name of an area; the code under which the store keeps it is handed over."""

    name = "area"

    def __init__(self, *, regencies_only: bool = False) -> None:
        self._regencies_only = regencies_only

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer the codes that begin so, or whose area's name does."""
        del param
        from click.shell_completion import CompletionItem

        begun = incomplete.casefold()
        store = ctx.params.get("store") or ctx.find_root().params.get("store")
        boundaries = _boundaries_or_built_in(_place(store), wait_seconds=COMPLETION_WAIT_SECONDS)
        return [
            CompletionItem(area.code, help=area.full_name)
            for area in boundaries.areas
            if area.code.casefold().startswith(begun)
            or (begun and area.name.casefold().startswith(begun))
        ]

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> AskedArea:
        """Return what was typed; which area it is, is asked of the store (`_with_settings`)."""
        del param, ctx
        return AskedArea(str(value), self._regencies_only)


class CategoryType(click.ParamType[Any]):
    """A category of workers, by any of its words; what it means is asked of the store's list."""

    name = "c"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Offer the slugs that begin so, built in or added to the store, if it can be read."""
        del param
        from click.shell_completion import CompletionItem

        begun = incomplete.casefold()
        return [
            CompletionItem(category.slug, help=category.label_id)
            for category in _categories(ctx)
            if category.slug.startswith(begun)
        ]


def _categories(ctx: click.Context) -> Categories:
    """Return the store's categories while a command is typed; without a store, the built-in ones."""
    from registry.nomenclature import categories_of
    from registry.reference.categories import Categories
    from registry.storage.log import open_log

    store = ctx.params.get("store") or ctx.find_root().params.get("store")
    try:
        place = _settings(store, "-").store
        with closing(open_log(place, lock_timeout_seconds=COMPLETION_WAIT_SECONDS)) as log:
            return categories_of(log)
    except RegistryError:
        return Categories()


class TextType(click.ParamType[Any]):
    """A text that is kept for ever: one line, nothing hidden, nobody's number."""

    def __init__(self, name: Literal["text", "reference"]) -> None:
        self.name = name

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Return the text as it is kept."""
        del ctx
        from registry.intake.readings import (
            CellRefusedError,
            reading_of_prose,
            reading_of_reference,
        )

        reading = reading_of_prose() if self.name == "text" else reading_of_reference()
        option = _written(param, self.name)
        try:
            text = reading[str(value)]
        except CellRefusedError as error:
            raise RefusedTextError(
                _("{option} cannot be kept").format(option=option),
                why=error.why,
                remedy=error.remedy,
            ) from None
        if text is None:
            raise RefusedTextError(
                _("{option} is empty").format(option=option), remedy=_("Say it in a few words.")
            )
        return str(text)


class PositionType(click.ParamType[Any]):
    """A position in the log: @12 or #12."""

    name = "@position"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Return the position."""
        match = re.fullmatch(r"[@#]([1-9][0-9]{0,9})", str(value))
        if match is None:
            self.fail(_("{value} is no position; write it as @12.").format(value=value), param, ctx)
        return int(match[1])


class CountType(click.ParamType[Any]):
    """A whole number in plain digits, so that no separator is ever guessed."""

    name = "n"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Return the number."""
        text = str(value)
        if re.fullmatch(r"[0-9]{1,10}", text) is None:
            self.fail(
                _("{text} is no whole number; write it in plain digits: 45000.").format(text=text),
                param,
                ctx,
            )
        return int(text)


def _written(param: click.Parameter | None, otherwise: str) -> str:
    """Return how a parameter is called where it is typed: `--on`, or REFERENCE."""
    if param is None:
        return otherwise
    return param.human_readable_name if isinstance(param, click.Argument) else param.opts[0]


POINT: Final = DateType(month_means="its last day")
DAY: Final = DateType(month_means="nothing")
AREA: Final = AreaType()
REGENCY: Final = AreaType(regencies_only=True)
TEXT: Final = TextType("text")
REFERENCE: Final = TextType("reference")
POSITION: Final = PositionType()
COUNT: Final = CountType()
CATEGORY: Final = CategoryType()

boundaries_option = click.option(
    "--boundaries",
    type=click.Choice(("then", "now")),
    default="then",
    show_default=True,
    help="Codes, names and provinces of each day asked about, or today's.",
)


known_option = click.option(
    "--known",
    metavar="K",
    help="As known then: a position (#1234 or @1234), a date (its end, Jakarta), or an instant.",
)


dry_run_option = click.option(
    "--dry-run",
    is_flag=True,
    help="Check everything and say what would be recorded; record nothing.",
)


def given_once(ctx: click.Context | None, param: click.Parameter, values: tuple[Any, ...]) -> Any:  # noqa: ANN401 - a callback of click
    """Return the one value of an option that is declared `multiple`; of two none is left unsaid.

    Otherwise click takes the last one in silence.
    """
    del ctx
    if len(values) > 1:
        raise click.UsageError(
            _("{option} can be given once; it was given {number} times.").format(
                option=_written(param, str(param.name)), number=len(values)
            )
        )
    return values[0] if values else None


def taking(*options: Callable[[Command], Command]) -> Callable[[Command], Command]:
    """Return a decorator that gives a command these arguments and options, in this order."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def boundaries_notes(boundaries: str) -> list[str]:
    """Return what view of the areas was asked for, where it is not the plain one."""
    return [_("Codes, names and provinces are today's.")] if boundaries == "now" else []


def drawn_as_of(boundaries: str, *days: date) -> date | None:
    """Return the day whose boundaries are meant; None: those of each day asked about.

    Today's, or the last day asked about where that is still to come.
    """
    return None if boundaries == "then" else max(today(), *days)


def today() -> date:
    """Return the day it is in Jakarta, where a date without a clock is meant."""
    from registry.terms import JAKARTA

    return datetime.now(JAKARTA).date()
