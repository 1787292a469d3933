"""pandas and Polars: a CSV of entries read into memory, and asked there."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.peers.data import Data
from benchmarks.peers.peer import Question, Work, asked, heads_of, missing

if TYPE_CHECKING:
    from benchmarks.tally import Heads

_USED: Final = ("position", "area", "category", "effective_on", "workers")


class Pandas:
    """A frame with its words as categories, which is faster than text."""

    name = "pandas"
    batches_max: int | None = None

    def why_not(self) -> str | None:
        """Return what is missing."""
        return missing("pandas")

    def work(self, data: Data, folder: Path) -> Generator[Work, None, None]:
        """Yield its work; see `benchmarks.peers.peer.Peer`."""
        import pandas as pd

        del folder  # nothing is kept
        held: dict[str, Any] = {}
        day = pd.Timestamp(data.on)

        def load() -> None:
            # Read as text first: asked for categories at once, pandas takes 11.10 for a number.
            text = {"area": "str", "category": "str"}
            entries = pd.read_csv(
                data.csv, usecols=list(_USED), dtype=text, parse_dates=["effective_on"]
            )
            held["entries"] = entries.astype(dict.fromkeys(text, "category"))

        def heads(*, regency: str | None) -> Heads:
            entries = held["entries"]
            chosen = (entries["effective_on"] <= day) & (entries["position"] <= data.known)
            if regency is not None:
                chosen &= entries["area"] == regency
            sums = entries[chosen].groupby(["area", "category"], observed=True)["workers"].sum()
            return heads_of((area, category, heads) for (area, category), heads in sums.items())

        yield from _work(
            data, load, lambda: heads(regency=None), lambda: heads(regency=data.regency)
        )


class Polars:
    """A frame asked lazily, on all cores."""

    name = "Polars"
    batches_max: int | None = None

    def why_not(self) -> str | None:
        """Return what is missing."""
        return missing("polars")

    def work(self, data: Data, folder: Path) -> Generator[Work, None, None]:
        """Yield its work; see `benchmarks.peers.peer.Peer`."""
        import polars as pl

        del folder  # nothing is kept
        held: dict[str, Any] = {}
        schema = {"area": pl.String, "category": pl.String, "effective_on": pl.Date}

        def load() -> None:
            entries = pl.read_csv(data.csv, columns=list(_USED), schema_overrides=schema)
            held["entries"] = entries.sort("area", "category", "effective_on", "position")

        def heads(*, regency: str | None) -> Heads:
            entries = held["entries"].lazy()
            if regency is not None:
                entries = entries.filter(pl.col("area") == regency)
            chosen = entries.filter(
                pl.col("effective_on") <= data.on, pl.col("position") <= data.known
            )
            sums = chosen.group_by("area", "category").agg(pl.col("workers").sum()).collect()
            return heads_of(sums.iter_rows())

        yield from _work(
            data, load, lambda: heads(regency=None), lambda: heads(regency=data.regency)
        )


def _work(
    data: Data, load: Callable[[], None], nation: Callable[[], Heads], regency: Callable[[], Heads]
) -> Generator[Work, None, None]:
    yield Work(
        Question.LOAD,
        "entries from a CSV, into memory only",
        load,
        data.nation,
        answer=nation,
        batches=data.batch_events,
    )
    yield from asked(data, nation, regency)
