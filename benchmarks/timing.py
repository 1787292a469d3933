"""The benchmark fixture as its users see it; pytest-benchmark's own is without types."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

Answer = TypeVar("Answer")


class Benchmark(Protocol):
    """Times a function; where nothing is measured, calls it once. Returns its last answer."""

    extra_info: dict[str, Any]

    def __call__(self, function: Callable[..., Answer], /, *arguments: object) -> Answer:
        """Call as often as the clock needs."""

    def pedantic(
        self,
        target: Callable[..., Answer],
        args: tuple[object, ...] = (),
        kwargs: Mapping[str, object] | None = None,
        *,
        setup: Callable[[], object] | None = None,
        rounds: int = 1,
        warmup_rounds: int = 0,
    ) -> Answer:
        """Call once a round, each prepared by `setup`."""
