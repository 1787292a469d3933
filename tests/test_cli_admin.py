"""cli.admin: stores are made, batches withdrawn and renewed, figures retracted, categories added."""

from __future__ import annotations

import csv
import os
import shutil
import stat
from pathlib import Path

import pytest

from tests.program import EXAMPLE, head, nothing_recorded, ucj

HEADER = "reference,action,area,category,workers,effective_on,covered_until,of_batch,reason\n"
ROWS = (
    "400/1/2025,enrol,16.06,pekerja-rentan,100,2025-01-01,2025-12-31,,\n"
    "400/1/2025,enrol,16.06,marbot,50,2025-01-01,2025-12-31,,\n"
    "400/2/2025,deactivate,16.06,pekerja-rentan,30,2025-03-01,,400/1/2025,deceased\n"
)
STORE = "registry.db"


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a store: 100 and 50 enrolled until the year's end, 30 of them left."""
    folder = tmp_path_factory.mktemp("office")
    assert ucj("init", folder=folder).code == 0
    (folder / "b.csv").write_text(HEADER + ROWS, encoding="utf-8")
    assert ucj("import", "batches", "b.csv", folder=folder).code == 0
    return folder


@pytest.fixture
def office(made_once: Path, tmp_path: Path) -> Path:
    """Return a copy of that folder."""
    shutil.copytree(made_once, tmp_path, dirs_exist_ok=True)
    return tmp_path


def active(folder: Path, on: str) -> int:
    """Return the heads of Musi Banyuasin on a day."""
    answer = ucj("coverage", "16.06", "--on", on, "--format", "json", folder=folder)
    found: int = answer.json()[0]["active"]
    return found


# --- init --------------------------------------------------------------------------------------


def test_a_store_is_made_private_and_says_where(tmp_path: Path) -> None:
    """One file, readable by its owner only whatever the umask, its place on stdout."""
    before = os.umask(0)
    try:
        answer = ucj("init", folder=tmp_path)
    finally:
        os.umask(before)
    assert answer.code == 0
    assert answer.lines[0] == f"made an empty store: {tmp_path.resolve() / STORE}"
    assert stat.S_IMODE((tmp_path / STORE).stat().st_mode) == 0o600
    assert head(tmp_path / STORE) == 0


@pytest.mark.parametrize("there", ["file", "folder", "store", "link"])
def test_what_is_there_is_never_touched(there: str, tmp_path: Path) -> None:
    """An existing file, folder, store or dangling link is refused with exit code 4."""
    place = tmp_path / "there"
    match there:
        case "file":
            place.write_text("precious")
        case "folder":
            place.mkdir()
        case "store":
            ucj("init", "--store", place, folder=tmp_path)
        case _:
            place.symlink_to(tmp_path / "elsewhere")
    content = place.read_bytes() if place.is_file() else None
    answer = ucj("init", "--store", place, folder=tmp_path)
    assert answer.code == 4, answer
    assert answer.out == ""
    assert "already" in answer.err
    assert (place.read_bytes() if place.is_file() else None) == content
    assert not (tmp_path / "elsewhere").exists()


def test_the_folder_must_exist(tmp_path: Path) -> None:
    """No folder is made by the way; exit code 4."""
    answer = ucj("init", "--store", "nosuch/registry.db", folder=tmp_path)
    assert answer.code == 4
    assert not (tmp_path / "nosuch").exists()


@pytest.mark.parametrize(
    ("before", "after", "environment", "expected"),
    [
        ((), (), {}, "registry.db"),
        ((), (), {"UCJ_STORE": "env.db"}, "env.db"),
        (("--store", "global.db"), (), {"UCJ_STORE": "env.db"}, "global.db"),
        (("--store", "global.db"), ("--store", "own.db"), {"UCJ_STORE": "env.db"}, "own.db"),
    ],
)
def test_which_store(
    before: tuple[str, ...],
    after: tuple[str, ...],
    environment: dict[str, str],
    expected: str,
    tmp_path: Path,
) -> None:
    """The command's --store, else the program's, else UCJ_STORE, else registry.db here."""
    answer = ucj(*before, "init", *after, folder=tmp_path, environment=environment)
    assert answer.code == 0
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".db"] == [expected]


def test_who_records(office: Path) -> None:
    """The command's --by, else the program's, else UCJ_ACTOR: it stands in the log."""
    given = ("category", "add", "pelaut-sungai", "--label-id", "Pelaut sungai", "--label-en", "x y")
    answer = ucj("--by", "global", *given, "--by", "Siti Aminah", folder=office)
    assert answer.lines[0].endswith("by Siti Aminah")


# --- template ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["batches", "potentials", "targets", "figures"])
def test_a_template_is_a_csv_and_says_what_it_may_hold(kind: str, tmp_path: Path) -> None:
    """The file on stdout and nothing else; the allowed values on stderr, or alone on stdout."""
    answer = ucj("template", kind, folder=tmp_path)
    assert answer.code == 0
    rows = list(csv.reader(answer.out.splitlines()))
    assert len({len(row) for row in rows}) == 1
    assert "area" in rows[0]
    assert "area (needed): a code (16.06) or a name" in answer.err
    allowed = ucj("template", kind, "--allowed", folder=tmp_path)
    assert (allowed.code, allowed.err) == (0, "")
    assert allowed.out in f"{answer.err.partition(chr(10))[2]}\n"


def test_a_template_in_indonesian_is_explained_in_its_own_words(tmp_path: Path) -> None:
    """The headers printed are the headers explained."""
    answer = ucj("--lang", "id", "template", "batches", folder=tmp_path)
    for header in answer.out.splitlines()[0].split(","):
        assert f"\n{header} (" in answer.err
    assert "deactivate (nonaktif)" in answer.err


def test_a_template_never_overwrites(tmp_path: Path) -> None:
    """A filled-in file of that name stays."""
    assert ucj("template", "batches", "--output", "b.csv", folder=tmp_path).code == 0
    written = (tmp_path / "b.csv").read_bytes()
    assert written.startswith(b"reference,")
    (tmp_path / "b.csv").write_bytes(b"somebody's work")
    answer = ucj("template", "batches", "--output", "b.csv", folder=tmp_path)
    assert answer.code == 1
    assert (tmp_path / "b.csv").read_bytes() == b"somebody's work"
    assert ucj("template", "batches", "--output", "nosuch/b.csv", folder=tmp_path).code == 2
    assert ucj("template", "nonsense", folder=tmp_path).code == 2


# --- withdraw ----------------------------------------------------------------------------------


def test_a_withdrawal_takes_everything_back(office: Path) -> None:
    """Position, effect and sum; tried first without recording."""
    given = ("withdraw", "400/2/2025", "--area", "Muba", "--reason", "SK dicabut")
    with nothing_recorded(office / STORE):
        dry = ucj(*given, "--dry-run", folder=office)
    assert dry.code == 0
    assert dry.lines[0] == "would be recorded at #4; nothing was recorded"
    answer = ucj(*given, folder=office)
    assert answer.code == 0
    assert answer.lines[0].startswith("recorded at #4, ")
    assert (
        answer.lines[1:]
        == dry.lines[1:]
        == [
            "400/2/2025 of Musi Banyuasin (16.06): deactivation withdrawn",
            "  +30 pekerja-rentan from 2025-03-01 until 2025-12-31 of 400/1/2025, taken back",
        ]
    )
    assert active(office, "2025-06-30") == 150


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        (("400/1/2025", "--area", "16.06", "--reason", "x"), 1, "400/2/2025 (30 on 2025-03-01)"),
        (("400/7/2025", "--area", "16.06", "--reason", "x"), 1, "no such batch"),
        (("400/2/2025", "--area", "16.07", "--reason", "x"), 1, "no such batch"),
        (("400/2/2025", "--area", "16", "--reason", "x"), 1, "is no kabupaten or kota"),
        (("400/2/2025", "--area", "16.06", "--part", "b", "--reason", "x"), 1, "no such batch"),
        (("400/2/2025", "--area", "16.06", "--reason", "  "), 1, "--reason is empty"),
        (("400/2/2025", "--area", "16.06", "--reason", "a\u200bb"), 1, "cannot be seen"),
        (("400/2/2025", "--area", "16.06", "--reason", "x" * 2001), 1, "2000"),
        (("", "--area", "16.06", "--reason", "x"), 1, "REFERENCE is empty"),
        (("400/2/2025", "--area", "Atlantis", "--reason", "x"), 1, "Atlantis"),
        (("400/2/2025", "--area", "1606", "--reason", "x"), 1, "with its dot (16.06), or the name"),
        (("400/2/2025", "--area", "16.06"), 2, "--reason"),
        (("400/2/2025", "--reason", "x"), 2, "--area"),
    ],
)
def test_a_withdrawal_that_cannot_be_is_refused(
    given: tuple[str, ...], code: int, words: str, office: Path
) -> None:
    """The reason, and every batch that depends on it; nothing recorded."""
    with nothing_recorded(office / STORE):
        answer = ucj("withdraw", *given, folder=office)
    assert answer.code == code, answer
    assert answer.out == ""
    assert words in answer.err


@pytest.mark.parametrize("when", ["before", "during", "after"])
def test_an_interruption_tells_whether_it_came_too_late(
    office: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """Before the commit nothing is recorded; once it is done, that is said."""
    from registry.storage.sqlite import LogConnection

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    committed = LogConnection.commit

    def commit(self: LogConnection) -> None:
        if when == "during":
            committed(self)
        interrupt()

    if when == "after":
        monkeypatch.setattr("cli.admin.say_recorded", interrupt)
    else:
        monkeypatch.setattr(LogConnection, "commit", commit)
    before = head(office / "registry.db")
    answer = ucj("withdraw", "400/2/2025", "--area", "16.06", "--reason", "x", folder=office)
    recorded = when != "before"
    assert answer.code == 130
    assert head(office / "registry.db") == before + recorded
    told = f"Interrupted, but recorded at #{before + 1}."
    assert answer.err.endswith(f"{told if recorded else 'Interrupted; nothing was recorded.'}\n")


def test_withdrawing_twice_is_refused(office: Path) -> None:
    """The second time there is nothing left to take back."""
    given = ("withdraw", "400/2/2025", "--area", "16.06", "--reason", "x")
    assert ucj(*given, folder=office).code == 0
    with nothing_recorded(office / STORE):
        answer = ucj(*given, folder=office)
    assert answer.code == 1
    assert "is withdrawn" in answer.err


# --- renew -------------------------------------------------------------------------------------

RENEW = ("renew", "400/1/2025", "--area", "16.06", "--until", "2026-12", "--as", "400/9/2025")


def test_a_renewal_covers_on_those_who_are_left(office: Path) -> None:
    """70 of 100 and 50 survive; a month of --until is its last day."""
    with nothing_recorded(office / STORE):
        dry = ucj(*RENEW, "--dry-run", folder=office)
    answer = ucj(*RENEW, folder=office)
    assert (dry.code, answer.code) == (0, 0), answer
    assert (
        answer.lines[1:]
        == dry.lines[1:]
        == [
            "400/9/2025 of Musi Banyuasin (16.06): renewal",
            "  +50 marbot from 2026-01-01 until 2026-12-31 continuing 400/1/2025",
            "  +70 pekerja-rentan from 2026-01-01 until 2026-12-31 continuing 400/1/2025",
            "  in all +120",
        ]
    )
    assert [active(office, on) for on in ("2025-12-31", "2026-01-01", "2027-01-01")] == [
        120, 120, 0
    ]  # fmt: skip


def test_a_renewal_of_fewer_says_which(office: Path) -> None:
    """--workers needs the one group it is about; all options arrive."""
    with nothing_recorded(office / STORE):
        answer = ucj(*RENEW, "--workers", "60", folder=office)
    assert answer.code == 1
    assert "several groups" in answer.err
    more = (
        "--workers", "60", "--category", "Pekerja Rentan", "--funding", "CSR",
        "--old-term", "2025-12", "--decided-on", "31/12/2025", "--document", "SK", "--note", "n",
        "--as-part", "b",
    )  # fmt: skip
    answer = ucj(*RENEW, *more, folder=office)
    assert answer.code == 0, answer
    assert answer.lines[1] == "400/9/2025 part b of Musi Banyuasin (16.06): renewal"
    by_funding = ("coverage", "16.06", "--by", "funding", "--on", "2026-06", "--format", "json")
    assert [
        (row["funding"], row["active"]) for row in ucj(*by_funding, folder=office).json()
        if row["active"]
    ] == [("csr", 60)]  # fmt: skip


@pytest.mark.parametrize(
    ("more", "code", "words"),
    [
        (("--workers", "71", "--category", "pekerja-rentan"), 1, "only 70 are left"),
        (("--category", "guru"), 1, "is left to renew"),
        (("--category", "astronaut"), 1, "astronaut"),
        (("--segment", "XX"), 1, "XX"),
        (("--funding", "gold"), 1, "gold"),
        (("--old-term", "2024-12-31"), 1, "is left to renew"),
        (("--until", "2025-12-31"), 1, "2026-01-01"),
        (("--workers", "0", "--category", "marbot"), 1, "0"),
        (("--until", "soon"), 1, "--until: soon"),
        (("--decided-on", "2025-12"), 1, "--decided-on: 2025-12"),
        (("--old-term", "2025-13"), 1, "--old-term: 2025-13"),
        (("--area", "Sumatera Selatan"), 1, "is no kabupaten or kota"),
        (("--workers", "1_000"), 2, "plain digits"),
        (("--workers", "-1"), 2, "plain digits"),
    ],
)
def test_a_renewal_that_cannot_be_is_refused(
    more: tuple[str, ...], code: int, words: str, office: Path
) -> None:
    """The reason on stderr; nothing recorded."""
    with nothing_recorded(office / STORE):
        answer = ucj(*RENEW, *more, folder=office)
    assert answer.code == code, answer
    assert words in answer.err


def test_a_refused_renewal_speaks_of_options(tmp_path: Path) -> None:
    """Never of the columns of a file, which nobody typed; each remedy is one that helps."""
    ucj("init", folder=tmp_path)
    rows = (
        "SK 1,enrol,16.71,guru,100,2025-01-01,2025-06-30,,\n"
        "SK 1,enrol,16.71,guru,50,2025-01-01,2025-12-31,,\n"
    )
    (tmp_path / "b.csv").write_text(HEADER + rows, encoding="utf-8")
    assert ucj("import", "batches", "b.csv", folder=tmp_path).code == 0
    renew = ("renew", "SK 1", "--area", "16.71", "--as", "SK 9", "--until")
    told = {
        ("2026-12",): "--old-term",
        ("2025-06", "--old-term", "2025-06"): "--until",
        ("2026-12", "--old-term", "2025-06", "--workers", "0"): "--workers",
        ("2026-12", "--part", "b"): "--part",
    }
    for more, option in told.items():
        answer = ucj(*renew, *more, folder=tmp_path)
        assert answer.code == 1, answer
        *_, remedy = answer.err.splitlines()
        assert option in remedy, answer
        assert "_" not in remedy, "the name of a column"
    itself = ucj("renew", "SK 8", "--area", "16.71", "--as", "SK 8", "--until", "2026-12",
                 folder=tmp_path)  # fmt: skip
    assert "--as" in itself.err.splitlines()[-1]
    assert ucj(*renew, "2026-12", "--old-term", "2025-06", folder=tmp_path).code == 0


# --- retract -----------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["figure", "potential", "target"])
def test_what_was_said_of_an_area_is_taken_back_once(what: str, tmp_path: Path) -> None:
    """By its position; a second time, another kind, or no such position is refused."""
    ucj("init", folder=tmp_path)
    file = EXAMPLE / f"{what}s.csv"
    assert ucj("import", f"{what}s", file, "--locale", "en", folder=tmp_path).code == 0
    end = head(tmp_path / STORE)
    with nothing_recorded(tmp_path / STORE):
        for position in ("@1", f"@{end + 1}", "@9999999999"):
            answer = ucj("retract", what, position, "--reason", "x", folder=tmp_path)
            assert answer.code == 1, answer
            assert f"no {what} was recorded at" in answer.err
        for typed in ("two", "2", "@0", "@-2", "@1e3", ""):
            assert ucj("retract", what, typed, "--reason", "x", folder=tmp_path).code == 2
        dry = ucj("retract", what, "@2", "--reason", "x", "--dry-run", folder=tmp_path)
    assert dry.lines[0].startswith("would be recorded at")
    answer = ucj("retract", what, "#2", "--reason", "press corrected it", folder=tmp_path)
    assert answer.code == 0
    assert answer.lines[0].startswith(f"recorded at #{end + 1}, ")
    assert answer.lines[1] == f"the {what} of Musi Banyuasin (16.06) at #2 is taken back"
    again = ucj("retract", what, "@2", "--reason", "x", folder=tmp_path)
    assert (again.code, again.out) == (0, "nothing to record\n")
    assert "#2 is taken back already" in again.err


# --- category ----------------------------------------------------------------------------------

ADD = ("category", "add", "pelaut-sungai", "--label-id", "Pelaut sungai", "--label-en", "Boatmen")


def test_a_category_is_added_listed_and_used(office: Path) -> None:
    """It is in the list, and a file that names an alias of it is taken."""
    with nothing_recorded(office / STORE):
        assert ucj(*ADD, "--dry-run", folder=office).code == 0
    answer = ucj(*ADD, "--alias", "jukung", "--alias", "ketek", folder=office)
    assert answer.lines[1:] == ["category pelaut-sungai: Pelaut sungai / Boatmen"]
    listed = ucj("category", "--format", "json", folder=office).json()
    assert [row["category"] for row in listed if row["added"]] == ["pelaut-sungai"]
    assert listed[-1]["aliases"] == ["jukung", "ketek"]
    assert listed == ucj("category", "list", "--format", "json", folder=office).json()
    rows = "SK-9,enrol,16.06,Ketek,7,2025-01-01,,,\n"
    (office / "c.csv").write_text(HEADER + rows, encoding="utf-8")
    answer = ucj("import", "batches", "c.csv", folder=office)
    assert answer.code == 0, answer
    assert "  pelaut-sungai: +7 -0" in answer.lines


@pytest.mark.parametrize(
    ("given", "label_id", "label_en"),
    [
        ((), "Tukang sayur", "Tukang sayur"),
        (("--label-en", "Greengrocers"), "Tukang sayur", "Greengrocers"),
        (("--label-id", "Penjual sayur"), "Penjual sayur", "Tukang sayur"),
    ],
)
def test_labels_are_made_of_the_slug_where_none_are_given(
    given: tuple[str, ...], label_id: str, label_en: str, office: Path
) -> None:
    """`ucj category add SLUG` is enough."""
    answer = ucj("category", "add", "tukang-sayur", *given, "--dry-run", folder=office)
    assert answer.code == 0, answer
    assert answer.lines[1:] == [f"category tukang-sayur: {label_id} / {label_en}"]


@pytest.mark.parametrize(
    ("given", "code", "words"),
    [
        (("marbot", "--label-id", "a", "--label-en", "b"), 1, "marbot"),
        (("pelaut", "--label-id", "Marbot", "--label-en", "b"), 1, "already means"),
        (("Not A Slug", "--label-id", "a", "--label-en", "b"), 1, "slug"),
        (("pelaut", "--label-id", "", "--label-en", "b"), 1, "--label-id is empty"),
        (("marbot",), 1, "already means"),
        ((), 2, "SLUG"),
    ],
)
def test_a_category_that_cannot_be_is_refused(
    given: tuple[str, ...], code: int, words: str, office: Path
) -> None:
    """One word means one category; nothing recorded."""
    with nothing_recorded(office / STORE):
        answer = ucj("category", "add", *given, folder=office)
    assert answer.code == code, answer
    assert words in answer.err


def test_the_list_fits_a_terminal(office: Path) -> None:
    """No line is wider than the terminal it is printed on."""
    for columns in (60, 80):
        answer = ucj("category", folder=office, terminal=True, columns=columns)
        assert answer.code == 0
        plain = [line.replace("\x1b[1m", "").replace("\x1b[0m", "") for line in answer.lines]
        assert max(map(len, plain)) <= columns
    quiet = ucj("category", folder=office, terminal=True, environment={"NO_COLOR": "1"})
    assert "\x1b" not in quiet.out


@pytest.mark.parametrize(
    "given",
    [
        ("import", "batches", "b.csv"),
        ("correct", "SK-1", "b.csv", "--area", "16.06", "--reason", "x"),
        ("withdraw", "SK-1", "--area", "16.06", "--reason", "x"),
        ("renew", "SK-1", "--area", "16.06", "--until", "2026", "--as", "SK-2"),
        ("renew", "SK-1", "--area", "16.06", "--until", "2026-12", "--as", "SK-2"),
        ("renew", "SK-1", "--area", "16.06", "--until", "2026-12", "--as", "SK-2",
         "--category", "guru"),
        ("retract", "figure", "@1", "--reason", "x"),
        ("category",),
        ADD,
        ("status",),
        ("rebuild",),
        ("rebuild", "--check"),
        ("backup", "copy.db"),
        ("coverage",),
        ("timeline", "16.06"),
        ("history",),
        ("show", "@1"),
        ("source", "@1", "--file", "copy.csv"),
        ("sql", "SELECT 1"),
        ("export", "ledger"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("store", ["missing", "folder", "text", "database", "newer", "unreachable"])
def test_without_a_store_every_command_says_so(
    given: tuple[str, ...], store: str, tmp_path: Path
) -> None:
    """Exit code 4 (1 where an option is wrong already), one reason, nothing made."""
    import sqlite3
    from contextlib import closing

    place = tmp_path / STORE
    if store == "folder":
        place.mkdir()
    elif store == "text":
        place.write_text("dear all, " * 100, encoding="utf-8")
    elif store == "database":
        with closing(sqlite3.connect(place)) as other:
            other.execute("CREATE TABLE other (x)")
    elif store == "newer":
        ucj("init", folder=tmp_path)
        with closing(sqlite3.connect(place)) as newer:
            newer.execute("PRAGMA user_version = 99")
    elif store == "unreachable":  # no file system has names so long
        given = ("--store", "x" * 300, *given)
    before = sorted(path.name for path in tmp_path.iterdir())
    answer = ucj(*given, folder=tmp_path)
    assert answer.code == (1 if "2026" in given else 4), answer
    assert answer.out == ""
    assert "Traceback" not in answer.err
    assert sorted(path.name for path in tmp_path.iterdir()) == before
