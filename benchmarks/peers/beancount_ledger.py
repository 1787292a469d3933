"""Beancount: each event a transaction of a ledger of text, each group of heads an account."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from typing import Any, Final

from benchmarks.peers.data import Data, Entry
from benchmarks.peers.peer import Question, Work, asked, heads_of, missing
from benchmarks.tally import Heads

_OPENED: Final = "1970-01-01"
_CONTRA: Final = "Equity:Workers"


class Beancount:
    """What a bookkeeper would do; its loader reads all of the text each time."""

    name = "Beancount"
    batches_max: int | None = 100_000

    def why_not(self) -> str | None:
        """Return what is missing."""
        return missing("beancount")

    def work(self, data: Data, folder: Path) -> Generator[Work, None, None]:
        """Yield its work; see `benchmarks.peers.peer.Peer`."""
        from beancount import loader

        path = folder / "entries.beancount"
        names = write_ledger(data, path)
        held: list[Any] = []

        def load() -> None:
            # As `load_file` does, without the pickled copy that it would read the next time.
            entries, errors, _options = loader.load_string(path.read_text(encoding="utf-8"))
            assert not errors, errors[0]
            held[:] = entries

        def heads(within: str) -> Heads:
            sums = _summed(held, within, data)
            return heads_of((*names[account], count) for account, count in sums.items())

        def nation() -> Heads:
            return heads("Assets:")

        yield Work(
            Question.LOAD,
            "ledger of text, into memory only",
            load,
            data.nation,
            answer=nation,
            batches=data.batch_events,
        )
        yield from asked(data, nation, lambda: heads(f"Assets:{_code(data.regency)}:"))


def _summed(entries: list[Any], within: str, data: Data) -> Counter[str]:
    """Return the sums by account, of the accounts whose name begins so."""
    from beancount.core.data import Transaction

    sums: Counter[str] = Counter()
    for entry in entries:
        if entry.date > data.on:  # they stand in order of their days
            break
        if isinstance(entry, Transaction) and entry.meta["position"] <= data.known:
            for posting in entry.postings:
                if posting.account.startswith(within):
                    sums[posting.account] += posting.units.number
    return sums


def write_ledger(data: Data, path: Path) -> dict[str, tuple[str, str]]:
    """Write the entries as a ledger; return area and category of each account."""
    names = {_account(each): (each.area, each.category) for each in data.entries()}
    with path.open("w", encoding="utf-8") as file:
        for account in (_CONTRA, *sorted(names)):
            file.write(f"{_OPENED} open {account}\n")
        for _, entries in data.events():
            entries.sort(key=lambda each: each.effective_on)
            for day, together in itertools.groupby(entries, lambda each: each.effective_on):
                file.write(f'{day} * "{entries[0].reference}"\n  position: {entries[0].position}\n')
                total = 0
                for each in together:
                    file.write(f"  {_account(each)}  {each.workers} WORKERS\n")
                    total += each.workers
                file.write(f"  {_CONTRA}  {-total} WORKERS\n")
    return names


def _account(entry: Entry) -> str:
    return f"Assets:{_code(entry.area)}:{entry.category.title()}"


def _code(area: str) -> str:
    return area.replace(".", "")
