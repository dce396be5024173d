"""The shape of the code base: which package may import which, and what may stand only in one place."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TORC = ROOT / "torc"
MODULES = sorted(TORC.rglob("*.py"))

# What each package imports directly; whatever those may import, it may import too.
ARROWS: dict[str, set[str]] = {
    "errors": set(),
    "units": set(),
    "rendezvous": {"errors", "units"},
    "logs": {"errors", "units"},
    "hpc_tables": set(),
    "configuration": {"errors"},
    "settings": {"errors", "units", "configuration", "hpc_tables"},
    "raising": {"units"},
    "models": {"errors", "units", "rendezvous", "raising"},
    "accounts": {"errors"},
    "store": {"models"},
    "server": {"store", "accounts"},
    "spec": {"models"},
    "client": {"models"},
    "hpc": {"models"},
    "workflow": {"spec", "client", "hpc"},
    "runner": {"workflow"},
    "openapi_client": {"client"},
    "exceptions": {"errors"},
    "loggers": {"exceptions"},
    "functions": {"exceptions", "api"},
    "api": {"exceptions", "openapi_client"},
    "pytorc": {"functions", "client"},
    "views": {"models", "hpc"},
    "cli": {"runner", "views", "workflow", "client", "spec", "accounts"},
    "__main__": {"cli"},
}
ALSO = {"torc.cli.completions.grammar": {"server", "pytorc"}}
"""Modules that need more than their package: completions are for the command lines of all programs."""

ENTRY_POINTS = (
    "torc.__main__",
    "torc.cli",
    "torc.server.serve",
    "torc.server.options",
    "torc.server.log_file",
    "torc.server.__main__",
)
ENTRY_POINTS_ONLY = {"configuration", "logs", "settings"}
NAMES_THAT_SAY_NOTHING = {"base", "common", "core", "helper", "helpers", "manager", "misc", "util", "utils"}
NOT_FOR_HELP = {"falcon", "gunicorn", "plotly", "sqlite3", "textual", "yaml"}


def module_name(path: Path) -> str:
    """``torc.store.jobs`` for torc/store/jobs.py, and ``torc.store`` for its __init__.py."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(path: Path) -> Iterator[str]:
    """Every module that a file names in an import, wherever in the file that stands."""
    package = module_name(path) if path.name == "__init__.py" else module_name(path).rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            origin = ".".join([*above, *([node.module] if node.module else [])])
            # `from torc import units` names a module, `from torc.units import format_bytes` does not
            yield from (f"{origin}.{alias.name}" for alias in node.names) if origin == "torc" else (origin,)


def packages_imported(path: Path) -> set[str]:
    """The parts of torc that a file imports, ``__version__`` aside."""
    named = {name.split(".")[1] for name in imports(path) if name.startswith("torc.")}
    return named - {"__version__"}


def closure(package: str) -> set[str]:
    """What a package may import: its arrows, and theirs."""
    direct = ARROWS[package]
    return direct.union(*(closure(name) for name in direct)) if direct else set()


def allowed(path: Path) -> set[str]:
    """What the module in this file may import from torc."""
    name = module_name(path)
    package = name.split(".")[1]
    extra = ENTRY_POINTS_ONLY if name.startswith(ENTRY_POINTS) else set()
    return closure(package) | {package} | extra | ALSO.get(name, set())


@pytest.mark.parametrize("path", [path for path in MODULES if path != TORC / "__init__.py"], ids=module_name)
def test_imports_follow_the_arrows(path: Path) -> None:
    assert packages_imported(path) <= allowed(path)


def test_every_package_has_its_arrows() -> None:
    packages = {path.name for path in TORC.iterdir() if path.is_dir() and list(path.glob("*.py"))}
    modules = {path.stem for path in TORC.glob("*.py")} - {"__init__"}
    assert packages | modules <= ARROWS.keys()


def test_only_the_store_imports_sqlite3() -> None:
    importers = {path for path in MODULES if any(name.split(".")[0] == "sqlite3" for name in imports(path))}
    # The samples of a runner are a file for plots and users' queries, not the database of a server.
    assert {path for path in importers if not path.is_relative_to(TORC / "store")} == {TORC / "runner" / "samples.py"}


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [path for path in MODULES if path.stem in NAMES_THAT_SAY_NOTHING] == []


@pytest.mark.parametrize("path", [path for path in MODULES if path.read_text().strip()], ids=module_name)
def test_every_module_says_what_lives_in_it(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


def test_the_command_line_starts_without_what_help_does_not_need() -> None:
    code = "import sys, torc.cli.main; print(*{name.split('.')[0] for name in sys.modules})"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert NOT_FOR_HELP & set(loaded.stdout.split()) == set()
