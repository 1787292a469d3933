"""The wheel works without the checkout: every data file is inside."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path
from typing import Final

import pytest

from registry import __version__

ROOT: Final = Path(__file__).parent.parent


def _run(*command: str | Path, folder: Path) -> str:
    """Run a command without this checkout, without a network, without settings of ucj."""
    settings = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "PIP_", "UCJ_", "COV_"))
    }
    settings |= {
        "HOME": str(folder),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PYTHONUTF8": "1",
    }
    done = subprocess.run(
        [str(part) for part in command],
        cwd=folder,
        env=settings,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel with the pinned hatchling that stands beside pytest."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=100
    )
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.mark.slow
def test_the_wheel_holds_the_packages_with_their_data_and_nothing_else(wheel: Path) -> None:
    """Every file of the three packages is in the wheel; tests, stores and caches are not."""
    inside = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        str(path.relative_to(ROOT).as_posix())
        for package in ("registry", "projections", "cli")
        for path in (ROOT / package).rglob("*")
        if path.suffix in {".py", ".sql", ".csv", ".json", ".mo"}
        and "__pycache__" not in path.parts
    }
    assert {"projections/fold.sql", "registry/reference/areas.csv"} <= wanted
    assert wanted <= inside
    tops = {name.split("/", 1)[0] for name in inside}
    assert tops == {"registry", "projections", "cli", f"ucj-{__version__}.dist-info"}
    assert f"ucj-{__version__}.dist-info/licenses/LICENSE" in inside
    assert not [name for name in inside if name.endswith((".pyc", ".db"))]


@pytest.mark.slow
def test_the_wheel_works_in_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    """Installed outside the checkout, `ucj --version` and `ucj demo` answer.

    The dependencies are lent by a .pth file from the environment of the tests, which holds them
    at the pinned versions. A .pth file inside a lent folder is not read, so the checkout that is
    installed there as editable stays out of reach; the test makes sure of it.
    """
    home = tmp_path / "empty"
    venv.create(home, with_pip=True)
    scripts = home / ("Scripts" if os.name == "nt" else "bin")
    _run(scripts / "python", "-m", "pip", "install", "--no-deps", wheel, folder=tmp_path)
    base = {"base": str(home), "platbase": str(home)}
    packages = Path(sysconfig.get_path("purelib", "venv", vars=base))
    lent = sysconfig.get_path("purelib")
    (packages / "lent.pth").write_text(f"{lent}\n", encoding="utf-8")

    where = "import registry, projections, cli; print(registry.__file__, cli.__file__)"
    for place in _run(scripts / "python", "-c", where, folder=tmp_path).split():
        assert Path(place).is_relative_to(packages)
    assert __version__ in _run(scripts / "ucj", "--version", folder=tmp_path)
    told = _run(scripts / "ucj", "demo", folder=tmp_path)
    for figure in ("88,958", "41.65", "133,958", "62.72", "103,079", "48.26"):
        assert figure in told
