"""The option --lang, which says what people read; it is heard before all others.

Knows no command.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from registry.language import LANGUAGES, Language, use

Command = TypeVar("Command", bound=Callable[..., Any])
VARIABLE: Final = "UCJ_LANG"


def begin() -> None:
    """Take the language from the environment; what it may hold else is refused by the option."""
    use("id" if os.environ.get(VARIABLE) == "id" else "en")


def language_option(help: str, *, variable: str | None = None) -> Callable[[Command], Command]:  # noqa: A002 - as click calls it
    """Give a command --lang; `variable` names the environment's, where it is to be read."""
    return click.option(
        "--lang",
        type=click.Choice(LANGUAGES),
        envvar=variable,
        is_eager=True,
        expose_value=False,
        callback=_speak,
        help=help,
    )


def _speak(ctx: click.Context, param: click.Parameter, value: Language | None) -> None:
    del ctx, param
    if value is not None:
        use(value)
