"""The figures as one table for each size, with ratios to ucj, a line where a peer wins, and the bars."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from benchmarks.peers.bars import held
from benchmarks.peers.measuring import RUNS_MIN, Figure
from benchmarks.peers.peer import Question

TITLES: Final = {
    Question.LOAD: "recorded or loaded, a batch",
    Question.REBUILD: "rebuilt, the whole log",
    Question.NATION: "the nation by regency and category, as known half-way",
    Question.REGENCY: "one regency by category, as known half-way",
}
REFERENCE: Final = "ucj"


def tables(figures: Sequence[Figure], *, batches: int) -> Iterator[str]:
    """Yield the lines of the table of one size, in Markdown, and what it comes to."""
    yield f"### {batches:,} batches"
    yield ""
    yield "| question | who | how | median | × ucj | processor | × ucj | |"
    yield "|---|---|---|---|---|---|---|---|"
    for question in Question:
        of_question = [each for each in figures if each.question is question]
        for number, each in enumerate(of_question):
            title = TITLES[question] if number == 0 else ""
            cells = (title, each.peer, each.way, *_compared(each, figures), _marks(each))
            yield "| " + " | ".join(cells) + " |"
    yield ""
    for question in Question:
        if winners := _winners(question, figures):
            yield f"- {TITLES[question]}: faster than ucj: {winners}."
        elif any(each.question is question and each.peer != REFERENCE for each in figures):
            yield f"- {TITLES[question]}: no peer is faster than ucj."
    if bars := [*held(figures, REFERENCE)]:
        yield ""
        yield from bars


def _winners(question: Question, figures: Sequence[Figure]) -> str:
    """Say who was faster than ucj, the fastest first, and in what share of its time."""
    faster = [
        each
        for each in figures
        if each.question is question and each.peer != REFERENCE and _ratio(each, figures) < 1
    ]
    faster.sort(key=lambda each: each.amount)
    named = []
    for each in faster:
        way = f" ({each.way})" if each.way else ""
        named.append(f"{each.peer}{way} in {_shown(_ratio(each, figures))} of its time")
    return "; ".join(named)


def _compared(figure: Figure, figures: Sequence[Figure]) -> Iterator[str]:
    """Yield the median and its ratio, by the clock and of processor time."""
    yield _amount(figure, figure.amount)
    yield _shown(_ratio(figure, figures))
    processor, reference = figure.processor_amount, _reference(figure, figures).processor_amount
    yield "" if processor is None else _amount(figure, processor)
    yield _shown(processor / reference) if processor is not None and reference else ""


def _ratio(figure: Figure, figures: Sequence[Figure]) -> float:
    """Return how many times what ucj takes a figure is, by the clock."""
    return figure.amount / _reference(figure, figures).amount


def _reference(figure: Figure, figures: Sequence[Figure]) -> Figure:
    """Return ucj's figure for the same question: of its ways, the first."""
    return next(
        each for each in figures if each.peer == REFERENCE and each.question is figure.question
    )


def _shown(ratio: float) -> str:
    return f"{ratio:,.{3 if ratio < 0.1 else 2 if ratio < 10 else 0}f}"


def _amount(figure: Figure, seconds: float) -> str:
    if figure.batches:
        return f"{seconds * 1e6:,.1f} µs"
    return f"{seconds * 1e3:,.{0 if seconds >= 0.1 else 2}f} ms"


def _marks(figure: Figure) -> str:
    marks = []
    if not figure.is_right:
        marks.append("**another answer**")
    if (runs := len(figure.times)) < RUNS_MIN:
        marks.append("run once" if runs == 1 else f"run {runs} times")
    return ", ".join(marks)
