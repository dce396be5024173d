"""What a stranger gets: a wheel in an empty environment, and a fresh checkout in an empty home."""

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).resolve().parent.parent
WHEELHOUSE = os.environ.get("TORC_WHEELHOUSE")
FROM = ["--no-index", "--find-links", WHEELHOUSE] if WHEELHOUSE else []

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what git has or would take: the next clone."""
    folder = tmp_path_factory.mktemp("fresh") / "torc"
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    if listed.returncode != 0:
        pytest.skip("this is not a git checkout, so nobody can say which files belong to it")
    for name in {name for name in listed.stdout.split("\0") if name and (ROOT / name).exists()}:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    # a copy, since building leaves its traces in the source
    source = shutil.copytree(checkout, folder / "source")
    built = ["-m", "pip", "--python", sys.executable, "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, *FROM]
    subprocess.run([Path(sys.base_prefix, "bin", "python3"), *built, source], check=True)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that holds the wheel and what it asks for, and nothing else."""
    folder = tmp_path_factory.mktemp("empty")
    venv.create(folder, with_pip=True)
    subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", *FROM, wheel], check=True)
    return folder / "bin"


def call(
    command: list[str | Path], folder: Path, *, timeout_s: float, **environ: str
) -> subprocess.CompletedProcess[str]:
    bare = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    bare |= {name: value for name, value in os.environ.items() if name.startswith("PIP_") or name == "TORC_WHEELHOUSE"}
    return subprocess.run(
        command, cwd=folder, env={**bare, **environ}, capture_output=True, text=True, timeout=timeout_s
    )


def diamond_statuses(torc: Path, folder: Path) -> dict[str, str]:
    """The status of each job in the database that a run left in this folder."""
    listed = call([torc, "--standalone", "-f", "json", "jobs", "list", "1"], folder, timeout_s=60)
    assert listed.returncode == 0, listed.stderr
    return {job["name"]: job["status"] for job in json.loads(listed.stdout)["jobs"]}


def test_the_wheel_holds_every_module_the_schema_and_the_migrations(wheel: Path, checkout: Path) -> None:
    sources = {
        str(path.relative_to(checkout))
        for pattern in ("*.py", "*.sql", "py.typed")
        for path in (checkout / "torc").rglob(pattern)
    }
    packed = {name for name in ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert packed == sources
    assert "torc/store/schema.sql" in packed


def test_the_wheel_runs_the_example_in_an_empty_environment(installed: Path, tmp_path: Path) -> None:
    example = ROOT / "examples" / "yaml" / "diamond_workflow.yaml"
    ran = call([installed / "torc", "--standalone", "run", example], tmp_path, timeout_s=120)
    assert ran.returncode == 0, ran.stderr
    assert set(diamond_statuses(installed / "torc", tmp_path).values()) == {"completed"}


def test_the_installed_server_says_its_version(installed: Path, tmp_path: Path) -> None:
    said = call([installed / "torc-server", "version"], tmp_path, timeout_s=60)
    assert (said.returncode, said.stderr) == (0, "")
    assert "SQLite" in said.stdout


def test_a_fresh_checkout_runs_the_example_in_an_empty_home(checkout: Path, tmp_path: Path) -> None:
    torc = checkout / "bin" / "torc"
    example = checkout / "examples" / "yaml" / "diamond_workflow.yaml"
    ran = call([torc, "run", "--standalone", example], tmp_path, timeout_s=600)
    assert ran.returncode == 0, ran.stderr
    assert set(diamond_statuses(torc, tmp_path).values()) == {"completed"}
