"""The roll-up: heads and potentials of an area's regencies, and what they come to together.

The rule of coverage as a running state: it is taken over the regencies that have both an active
count and a potential, and over the area's own recorded potential only where all of them have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from fractions import Fraction
from typing import Final

from registry.reference.areas import regencies
from registry.terms import is_regency

EVERYBODY: Final = ""
"""The group of heads where nobody asks for groups."""


class RollUp:
    """The running state of one area: heads (by group, if asked) and potentials of its regencies.

    `inside`: its regencies, where they are not those of the built-in list. What is fed of others is
    remembered, and counts once they come to lie inside. `active` is everybody; what coverage is
    taken over is `active_counted` and `potential`.
    """

    def __init__(self, area: str, inside: Collection[str] | None = None) -> None:
        self._area = area
        self._is_regency = is_regency(area)
        self._heads: dict[str, dict[str, int]] = {}
        self._potentials: dict[str, int] = {}
        self._own: int | None = None
        self.groups: defaultdict[str, int] = defaultdict(int)
        if inside is None:
            inside = [area] if self._is_regency else [each.code for each in regencies(area)]
        self.draw(inside)

    def draw(self, inside: Collection[str]) -> None:
        """Take other regencies; a group that goes with a regency has nobody left."""
        self._inside = frozenset(inside)
        self._only = next(iter(self._inside), "")  # of a regency, itself
        self.regencies_total = len(self._inside)
        self.groups = defaultdict(int, dict.fromkeys(self.groups, 0))
        self._groups_counted: defaultdict[str, int] = defaultdict(int)
        self._active = 0
        self._active_counted = 0
        self._potential_counted = 0
        self._having = set(self._inside & self._heads.keys())
        self._counted: set[str] = set()
        for regency in self._having:
            for group, workers in self._heads[regency].items():
                self.groups[group] += workers
                self._active += workers
            self._count(regency)

    def move(self, regency: str, workers: int, group: str = EVERYBODY) -> None:
        """Let heads (signed) enter or leave a group of a regency."""
        heads = self._heads.setdefault(regency, {})
        heads[group] = heads.get(group, 0) + workers
        if regency not in self._inside:
            return
        self._having.add(regency)
        self.groups[group] += workers
        self._active += workers
        if regency in self._counted:
            self._groups_counted[group] += workers
            self._active_counted += workers
        else:
            self._count(regency)

    def revise(self, area: str, workers: int) -> None:
        """Let a potential come into force, of a regency or of the area itself."""
        if area == self._area and not self._is_regency:
            self._own = workers
            return
        if area in self._counted:
            self._potential_counted += workers - self._potentials[area]
        self._potentials[area] = workers
        if area in self._inside:
            self._count(area)

    @property
    def active(self) -> int | None:
        """All heads; None before the first entry."""
        return self._active if self._having else None

    @property
    def regencies_counted(self) -> int:
        """How many regencies have both an active count and a potential."""
        return len(self._counted)

    @property
    def counts_all(self) -> bool:
        """Whether everybody's regency has both, so that what is counted is everybody."""
        return len(self._counted) == len(self._having)

    def counts(self, regency: str) -> bool:
        """Whether a regency has both."""
        return regency in self._counted

    @property
    def groups_counted(self) -> dict[str, int]:
        """The heads that coverage is taken over, by group."""
        return self.groups if self._own_is_used else self._groups_counted

    @property
    def active_counted(self) -> int | None:
        """The heads that coverage is taken over; None where nobody is counted."""
        if not self._counted:
            return None
        return self._active if self._own_is_used else self._active_counted

    @property
    def potential(self) -> int | None:
        """The potential that coverage is taken over; a regency's own also before its first entry."""
        if self._is_regency:
            return self._potentials.get(self._only)
        if self._own_is_used:
            return self._own
        return self._potential_counted if self._counted else None

    @property
    def coverage(self) -> Fraction | None:
        """Heads over potential, in percent, exact."""
        active, potential = self.active_counted, self.potential
        return None if active is None or not potential else Fraction(100 * active, potential)

    @property
    def _own_is_used(self) -> bool:
        return self._own is not None and len(self._counted) == self.regencies_total

    def _count(self, regency: str) -> None:
        """Count a regency from the moment it has both."""
        if regency in self._counted or not (regency in self._heads and regency in self._potentials):
            return
        self._counted.add(regency)
        self._potential_counted += self._potentials[regency]
        for group, workers in self._heads[regency].items():
            self._groups_counted[group] += workers
            self._active_counted += workers
