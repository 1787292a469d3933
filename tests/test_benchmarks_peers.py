"""The peers of the benchmarks: each that is here gives the tally's figures, or is found out."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

import pytest

from benchmarks.peers import __main__ as command
from benchmarks.peers.data import Data, prepared
from benchmarks.peers.measuring import Figure, measured
from benchmarks.peers.peer import Peer, Question, Work, asked, missing
from benchmarks.peers.stock_eventsourcing import FOLDED, REPLAYED
from benchmarks.peers.table import tables
from benchmarks.peers.ucj_itself import Ucj
from benchmarks.tally import Heads

BATCHES = 300


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    """A small country, with terms, corrections and withdrawals."""
    return prepared(tmp_path_factory.mktemp("peers") / "data", BATCHES)


class Made:
    """A peer of the test's own, which answers what it is told to."""

    name = "made"
    batches_max: int | None = None

    def __init__(self, answer: Heads | None = None, *, reason: str | None = None) -> None:
        self.answer = answer
        self.reason = reason
        self.is_closed = False

    def why_not(self) -> str | None:
        """Return what it was told."""
        return self.reason

    def work(self, data: Data, folder: Path) -> Generator[Work, None, None]:
        """Answer, or break where no answer was given."""
        assert folder.is_dir()
        try:
            yield from asked(data, self._heads, lambda: data.of_regency)
        finally:
            self.is_closed = True

    def _heads(self) -> Heads:
        if self.answer is None:
            msg = "out of order"
            raise OSError(msg)
        return self.answer


@pytest.mark.parametrize("peer", [Ucj(), *command.PEERS], ids=lambda peer: peer.name)
def test_a_peer_gives_the_tallys_figures(peer: Peer, data: Data, tmp_path: Path) -> None:
    """Nothing is timed that does not answer the same as what the commands come to."""
    if reason := peer.why_not():
        pytest.skip(reason)
    figures = measured(peer, data, tmp_path / "peer", runs_min=1)
    assert figures
    assert [each for each in figures if not each.is_right] == []
    for each in figures:
        assert min(each.times) > 0
        assert (each.batches is not None) == (each.question is Question.LOAD)


def test_the_questions_are_not_idle(data: Data) -> None:
    """The data has what distinguishes the peers: things taken back, and things not yet known."""
    entries = list(data.entries())
    assert {each.act for each in entries} == {"original", "takes-back", "puts"}
    assert 0 < data.known < entries[-1].position
    assert data.of_regency
    assert len(data.nation) > len(data.of_regency)
    assert sum(1 for _ in data.events()) == data.batch_events
    now = sum(each.workers for each in entries if each.effective_on <= data.on.isoformat())
    assert now != data.nation.total()


def test_another_answer_is_found_out(data: Data, tmp_path: Path) -> None:
    """Negative control: one worker more, and the figure is marked."""
    wrong = Heads(data.nation)
    wrong[next(iter(wrong))] += 1
    figures = measured(Made(wrong), data, tmp_path / "peer", runs_min=1)
    assert [(each.question, each.is_right) for each in figures] == [
        (Question.NATION, False),
        (Question.REGENCY, True),
    ]


def test_what_a_peer_opened_is_closed_when_it_breaks(data: Data, tmp_path: Path) -> None:
    """No server outlives the failure of a question."""
    peer = Made()
    with pytest.raises(OSError, match="out of order"):
        measured(peer, data, tmp_path / "peer")
    assert peer.is_closed


@pytest.mark.parametrize(
    ("peer", "code", "said"),
    [
        (Made(Heads()), 1, "**another answer**"),
        (Made(), 1, "Failed: made: OSError: out of order"),
        (Made(reason="it is not installed"), 0, "Skipped: made: it is not installed."),
    ],
)
def test_the_command_says_what_it_could_not_compare(
    peer: Made,
    code: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A wrong answer and a failure end with 1, what is not installed does not."""
    monkeypatch.setattr(command, "PEERS", (peer,))
    assert command.main(["--batches", "60", "--runs", "1"]) == code
    printed = capsys.readouterr().out
    assert said in printed
    assert "| rebuilt, the whole log | ucj |" in printed


def test_a_name_that_no_peer_has_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """Rather than a table of nobody."""
    with pytest.raises(SystemExit):
        command.main(["--only", "Excel"])
    assert "Excel" in capsys.readouterr().err


def test_a_module_that_is_not_there_is_named() -> None:
    """The word with which a peer is skipped."""
    assert missing("json") is None
    assert missing("json", "no_such_module") == (
        "the Python package no_such_module is not installed (extra: peers)"
    )


def test_ucj_is_measured_at_both_ends() -> None:
    """The median of all runs counts, and one wrong answer of either end."""
    before = Figure(Question.NATION, "ucj", "", (1.0, 1.0), (0.5, 0.5), None, is_right=True)
    after = Figure(Question.NATION, "ucj", "", (3.0, 3.0), (0.7, 0.7), None, is_right=False)
    both = before.with_more(after)
    assert both.amount == 2.0
    assert both.processor_amount == 0.6
    assert not both.is_right


def test_the_table_has_ratios_and_says_who_wins() -> None:
    """Of recording, the time of one batch is compared: files hold different numbers of them."""

    def figure(question: Question, peer: str, seconds: float, batches: int | None) -> Figure:
        times = (seconds,) * (5 if peer == "ucj" else 1)
        spent = None if peer == "fast" else tuple(each / 2 for each in times)
        return Figure(question, peer, "", times, spent, batches, is_right=True)

    lines = list(
        tables(
            [
                figure(Question.LOAD, "ucj", 2.0, 20_000),
                figure(Question.LOAD, "slow", 3.0, 10_000),
                figure(Question.NATION, "ucj", 0.2, None),
                figure(Question.NATION, "fast", 0.05, None),
            ],
            batches=20_000,
        )
    )
    assert "| recorded or loaded, a batch | ucj |  | 100.0 µs | 1.00 | 50.0 µs | 1.00 |  |" in lines
    assert "|  | slow |  | 300.0 µs | 3.00 | 150.0 µs | 3.00 | run once |" in lines
    assert "|  | fast |  | 50.00 ms | 0.25 |  |  | run once |" in lines
    assert "- recorded or loaded, a batch: no peer is faster than ucj." in lines
    assert lines[-1].endswith("half-way: faster than ucj: fast in 0.25 of its time.")


def test_the_table_ends_with_the_bars_it_can_be_held_against() -> None:
    """A bar is missed by a ratio below it; of what was not measured nothing is said."""

    def figure(question: Question, peer: str, way: str, seconds: float) -> Figure:
        return Figure(question, peer, way, (seconds,) * 5, None, None, is_right=True)

    figures = [
        figure(Question.REBUILD, "ucj", "", 1.0),
        figure(Question.REBUILD, "eventsourcing", REPLAYED, 2.9),
        figure(Question.REBUILD, "eventsourcing", FOLDED, 5.0),
    ]
    assert list(tables(figures, batches=20_000))[-2:] == [
        "| log only replayed through its mapper | 2.90 × | ≥ 3 × | missed |",
        "| replayed and folded into an indexed SQLite table | 5.00 × | ≥ 5 × |  |",
    ]
    assert not any("≥" in line for line in tables(figures[:1], batches=20_000))
