"""The language of what people read: English, as it stands in the code, or Indonesian.

Owns the setting of the process. A sentence is `_("{count:,} rows").format(count=n)`: a `Words`,
which to every program (JSON, CSV, a comparison) is its English text, and which `said` turns into the
language of the process where a person reads it. So nothing for programs is ever translated. Knows no
sentence and no stream; `registry.indonesian` is imported only when it is asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any, Final, Literal, Self, get_args

Language = Literal["en", "id"]

LANGUAGES: Final[tuple[Language, ...]] = get_args(Language)


class _Setting:
    language: Language = "en"


def use(language: Language) -> None:
    """Say everything from now on in this language; set where the process begins."""
    _Setting.language = language


def language() -> Language:
    """Return the language that people read."""
    return _Setting.language


class Words(str):
    """English text that can be said in the language of the process; as a `str` it is the English."""

    __slots__ = ()

    def said(self) -> str:
        """Return the text as a person reads it."""
        return str(self)

    def __add__(self, other: str) -> Words:
        return Joined("", (self, other))

    def __radd__(self, other: str) -> Words:
        return Joined("", (other, self))

    def __deepcopy__(self, memo: object) -> Self:
        return self  # nothing of it changes; a copy would be the English alone


class Sentence(Words):
    """A text of the catalogue, with what stands in its braces once that is known."""

    __slots__ = ("_parts",)

    def __new__(
        cls,
        template: str,
        *,
        several: str | None = None,
        number: int = 1,
        context: str | None = None,
        arguments: Mapping[str, Any] | None = None,
    ) -> Self:
        """Make the sentence; with arguments its English is filled in at once."""
        english = template if several is None or number == 1 else several
        made = super().__new__(cls, english.format(**arguments) if arguments else english)
        made._parts = (template, several, number, context, arguments)
        return made

    _parts: tuple[str, str | None, int, str | None, Mapping[str, Any] | None]

    def format(self, *nothing: object, **arguments: object) -> Words:
        """Return the sentence with its braces filled in, by name."""
        assert not nothing, "braces have names, so that a translation may put them elsewhere"
        template, several, number, context, _ = self._parts
        return Sentence(
            template, several=several, number=number, context=context, arguments=arguments
        )

    def said(self) -> str:
        """Return the text as a person reads it."""
        if _Setting.language == "en":
            return str(self)
        from registry.indonesian import catalogue, filled

        template, several, number, context, arguments = self._parts
        if several is not None:
            text = catalogue().ngettext(template, several, number)
        elif context is not None:
            text = catalogue().pgettext(context, template)
        else:
            text = catalogue().gettext(template)
        if not arguments:
            return text
        told = {name: said(each) for name, each in arguments.items()}
        return filled(text, told)


class Joined(Words):
    """Several texts, one after the other, with the same text between them."""

    __slots__ = ("_parts",)

    def __new__(cls, between: str, parts: Iterable[str]) -> Self:
        """Join the parts."""
        listed = tuple(parts)
        made = super().__new__(cls, str(between).join(listed))
        made._parts = (between, listed)
        return made

    _parts: tuple[str, tuple[str, ...]]

    def said(self) -> str:
        """Return the text as a person reads it."""
        between, parts = self._parts
        return str(said(between)).join(str(said(each)) for each in parts)


class Formatted(Words):
    """A number, a day or an instant as it stands in a sentence: `45,000`, `+6.61`, `2025-07-31`."""

    __slots__ = ("_parts",)

    def __new__(cls, value: object, form: str) -> Self:
        """Write the value in English by its format specification."""
        made = super().__new__(cls, format(value, form))
        made._parts = (value, form)
        return made

    _parts: tuple[object, str]

    def said(self) -> str:
        """Return the text as a person reads it."""
        if _Setting.language == "en":
            return str(self)
        from registry.indonesian import written

        return written(*self._parts)


class Decimals(Words):
    """A number as it was printed, its decimals kept, with a dot: `48.26`."""

    __slots__ = ()

    def said(self) -> str:
        """Return the text as a person reads it."""
        return numeral(str(self))


class Period(Words):
    """A day, a month or a year, made of its ISO text: `2025-07-31`, `2025-07`, `2025`."""

    __slots__ = ()

    def said(self) -> str:
        """Return the text as a person reads it."""
        if _Setting.language == "en":
            return str(self)
        from registry.indonesian import period

        return period(str(self))


@cache
def _(text: str) -> str:
    """Mark a text that people read; its translation is looked up when it is said."""
    return Sentence(text)


def ngettext(one: str, several: str, number: int) -> str:
    """Mark a text about a number of things: English tells one from several."""
    return Sentence(one, several=several, number=number)


def pgettext(context: str, text: str) -> str:
    """Mark a text that means different things in different places, such as a short heading."""
    return Sentence(text, context=context)


def said(text: Any) -> Any:  # noqa: ANN401 - what is no text stays what it is
    """Return any text as a person reads it; what is not `Words` is returned as it is."""
    return text.said() if isinstance(text, Words) else text


def joined(between: str, parts: Iterable[str]) -> str:
    """Return the parts with `between` between them, to be said in the language of the process."""
    return Joined(between, parts)


def whole(number: int, form: str = ",") -> str:
    """Return a whole number inside a sentence, its thousands grouped; `+,` has it signed."""
    return Formatted(number, form)


def formatted(value: object, form: str = "") -> str:
    """Return a number, a day or an instant inside a sentence, by a format specification."""
    return Formatted(value, form)


def decimal(text: object) -> str:
    """Return a number inside a sentence that is kept as text or as Decimal: `48.26`."""
    return Decimals(text)


def numeral(text: str) -> str:
    """Return a number written in English as the language of the process writes it, at once."""
    if _Setting.language == "en":
        return text
    from registry.indonesian import numeral as translated

    return translated(text)


def short_day(iso: str) -> str:
    """Return the day of a table, at once: `2025-07-31`, in Indonesian `31-07-2025`."""
    if _Setting.language == "en":
        return iso
    from registry.indonesian import short_day as translated

    return translated(iso)


def packed(text: str) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Return the text as values of JSON, of which `unpacked` makes the same words again."""
    if isinstance(text, Sentence):
        *parts, arguments = text._parts  # noqa: SLF001 - of this module
        told = arguments and {name: _packed_value(each) for name, each in arguments.items()}
        return {"sentence": [*parts, told]}
    if isinstance(text, Joined):
        between, joined_parts = text._parts  # noqa: SLF001 - of this module
        return {"joined": [packed(between), [packed(each) for each in joined_parts]]}
    if isinstance(text, Formatted):
        return {"formatted": text._parts}  # noqa: SLF001 - of this module
    if isinstance(text, Decimals):
        return {"decimal": str(text)}
    return {"period": str(text)} if isinstance(text, Period) else str(text)


def unpacked(data: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    """Return the words that `packed` took apart."""
    match data:
        case {"sentence": [template, several, number, context, arguments]}:
            told = arguments and {name: unpacked(each) for name, each in arguments.items()}
            return Sentence(
                template, several=several, number=number, context=context, arguments=told
            )
        case {"joined": [between, parts]}:
            return Joined(unpacked(between), map(unpacked, parts))
        case {"formatted": [value, form]}:
            return Formatted(value, form)
        case {"decimal": text}:
            return Decimals(text)
        case {"period": text}:
            return Period(text)
        case _:
            return data  # type: ignore[no-any-return]


def _packed_value(value: object) -> object:
    if isinstance(value, str):
        return packed(value)
    return value if value is None or isinstance(value, int | float) else str(value)
