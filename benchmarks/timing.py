"""The benchmark fixture as its users see it, pytest-benchmark's own being without types; two in turn."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter
from typing import Any, Final, Protocol, TypeVar

Answer = TypeVar("Answer")
Other = TypeVar("Other")

ROUNDS_IN_TURN: Final = 21


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


def timed_in_turn(
    benchmark: Benchmark, question: Callable[[], Answer], beside: Callable[[], Other]
) -> tuple[Answer, Other]:
    """Time a question, and before each round what it is held against; return what both answered.

    Seconds apart they may have another number of cores to themselves, and a ratio of the two then
    says nothing. The median of the other is noted as `beside`, in seconds.
    """
    took: list[float] = []
    answers: list[Other] = []

    def ask_the_other() -> None:
        began = perf_counter()
        answers[:] = [beside()]
        took.append(perf_counter() - began)

    answer = benchmark.pedantic(question, setup=ask_the_other, rounds=ROUNDS_IN_TURN)
    benchmark.extra_info["beside"] = median(took)
    return answer, answers[0]
