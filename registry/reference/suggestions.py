"""The nearest known spellings, for the remedy of a refusal only. Never used to decide anything.

Expected cost: shared pairs of letters single out a few spellings, only those are compared in full,
so that a file with a hundred thousand wrong names is refused in seconds rather than minutes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Final

_COMPARED_MAX: Final = 12
_LIKENESS_MIN: Final = 0.6
_LENGTH_MAX: Final = 60  # longer than any name: a sentence in the wrong cell, not a slip


class Suggestions:
    """Spellings to suggest from; those less alike than `likeness_min` are not."""

    def __init__(self, spellings: Iterable[str], *, likeness_min: float = _LIKENESS_MIN) -> None:
        self._likeness_min = likeness_min
        self._by_pair: dict[str, list[str]] = defaultdict(list)
        for spelling in dict.fromkeys(spellings):
            for pair in _pairs(spelling):
                self._by_pair[pair].append(spelling)

    def near(self, spelling: str) -> list[str]:
        """Return the spellings that are alike, the likest first."""
        from difflib import SequenceMatcher  # only a refusal needs it

        if len(spelling) > _LENGTH_MAX:
            return []
        shared: Counter[str] = Counter()
        for pair in _pairs(spelling):
            shared.update(self._by_pair.get(pair, ()))
        matcher = SequenceMatcher(b=spelling, autojunk=False)
        alike: list[tuple[float, str]] = []
        for known, _ in _first(shared):
            matcher.set_seq1(known)
            likeness = matcher.ratio()
            if likeness >= self._likeness_min:
                alike.append((-likeness, known))
        return [known for _, known in sorted(alike)]


def _pairs(spelling: str) -> set[str]:
    bounded = f"^{spelling}$"
    return {bounded[at : at + 2] for at in range(len(bounded) - 1)}


def _first(shared: Counter[str]) -> list[tuple[str, int]]:
    """The spellings sharing most pairs, for their length; equal ones in a fixed order."""

    def rank(item: tuple[str, int]) -> tuple[float, str]:
        known, count = item
        return (-count / (len(known) + 1), known)

    often = [item for item in shared.items() if item[1] > 1]
    return sorted(often, key=rank)[:_COMPARED_MAX]
