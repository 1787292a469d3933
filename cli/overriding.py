"""--override and --seconded-by: closed days are changed nevertheless, if two persons want it.

For every command that can change what a closing states; says nothing of what is closed.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar, cast

import click

from cli.options import TEXT, actor_named
from registry.language import _

if TYPE_CHECKING:
    from cli.options import Settings
    from registry.closing import Override

Command = TypeVar("Command", bound=Callable[..., Any])


def may_override(command: Command) -> Command:
    """Give a command that records the two options, and hand them to it within its `settings`."""

    @functools.wraps(command)
    def called(settings: Settings, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - any command
        override = _override(options.pop("override"), options.pop("seconded_by"))
        return command(replace(settings, override=override), *args, **options)

    decorated: Any = click.option(
        "--seconded-by", metavar="NAME", help="With --override: who else wants it; not --by."
    )(called)
    decorated = click.option(
        "--override",
        type=TEXT,
        metavar="REASON",
        help="Change closed days nevertheless, marked as late; why.",
    )(decorated)
    return cast("Command", decorated)


def _override(because: str | None, seconded_by: str | None) -> Override | None:
    if (because is None) != (seconded_by is None):
        raise click.UsageError(_("--override REASON and --seconded-by NAME go together."))
    if because is None or seconded_by is None:
        return None
    from registry.closing import Override

    if not seconded_by.strip():  # nobody else is meant, least of all whom the environment names
        raise click.UsageError(_("--seconded-by is empty; name who else wants it."))
    return Override(because, actor_named(seconded_by))
