"""The option --lang, which says what people read; it is heard before all others.

Owns also that click, which asks gettext itself, answers in the same language. Knows no command.
"""

from __future__ import annotations

import gettext
import os
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from registry.language import LANGUAGES, Language, language, use

Command = TypeVar("Command", bound=Callable[..., Any])
VARIABLE: Final = "UCJ_LANG"
_LANGUAGES_OF_GETTEXT: Final = "LANGUAGE"  # the variable in which gettext looks first
_NO_DOMAIN: Final = "messages"  # gettext's own default, for which nothing is installed
_before: Final[list[str | None]] = []  # the variable's value while it is ours


def begin() -> None:
    """Take the language from the environment; what it may hold else is refused by the option."""
    speak("id" if os.environ.get(VARIABLE) == "id" else "en")


def speak(chosen: Language) -> None:
    """Say everything in this language, click's own words too; again, to go back."""
    use(chosen)
    _restore()
    if chosen != "en":
        from registry.indonesian import DOMAIN, FOLDER

        gettext.bindtextdomain(DOMAIN, FOLDER)
        gettext.textdomain(DOMAIN)
        _before.append(os.environ.get(_LANGUAGES_OF_GETTEXT))
        os.environ[_LANGUAGES_OF_GETTEXT] = chosen


def _restore() -> None:
    gettext.textdomain(_NO_DOMAIN)
    if not _before:
        return
    value = _before.pop()
    if value is None:
        os.environ.pop(_LANGUAGES_OF_GETTEXT, None)
    else:
        os.environ[_LANGUAGES_OF_GETTEXT] = value


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
    if value is not None and value != language():
        speak(value)
