"""The launchers in bin/, in a copy of the checkout and with stand-ins for what a machine may lack."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAUNCHERS = ("torc", "torc-server", "torc-htpasswd", "pytorc")

pytestmark = pytest.mark.slow

SAYS_IT_RUNS = '#!/bin/sh\necho started ${0##*/} "$@"\n'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the launchers need of a checkout."""
    folder = tmp_path / "a checkout"
    shutil.copytree(ROOT / "bin", folder / "bin")
    shutil.copy(ROOT / "setup.cfg", folder)
    return folder


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    """A PATH with the tools of a bare system and no Python."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in ("cat", "cksum", "flock", "grep", "mkdir", "mv", "readlink", "rm", "sed", "sh", "sleep", "tail"):
        found = shutil.which(name)
        if found:
            (folder / name).symlink_to(found)
    return folder


def script(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)


def launch(checkout: Path, tools: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Call a launcher with nothing from this environment."""
    command = [checkout / "bin" / arguments[0], *arguments[1:]]
    return subprocess.run(command, env={"PATH": str(tools), **environ}, capture_output=True, text=True, timeout=60)


def python_with_pip(tools: Path, pip: str) -> None:
    """A python3 on PATH that makes real environments and whose pip does what the given shell lines say."""
    real = Path(sys.base_prefix, "bin", "python3")
    script(
        tools / "python3",
        f'#!/bin/sh\nif [ "$1 $2" = "-m pip" ]; then\nvenv=${{4%/bin/python}}\n{pip}\nelse\nexec {real} "$@"\nfi\n',
    )


INSTALLS = (
    f"""echo "$@" >>"$venv.calls"; for name in {" ".join(LAUNCHERS)}; do cp "$venv.script" "$venv/bin/$name"; done"""
)


@pytest.fixture
def working_pip(checkout: Path, tools: Path) -> Path:
    """Install by writing programs that say they were started; the file that is returned lists the calls."""
    (tools / "cp").symlink_to(shutil.which("cp") or "/bin/cp")
    script(checkout / ".venv.script", SAYS_IT_RUNS)
    python_with_pip(tools, INSTALLS)
    return checkout / ".venv.calls"


def installs(calls: Path) -> list[str]:
    return [line for line in calls.read_text().splitlines() if " install " in line]


@pytest.mark.parametrize("name", LAUNCHERS)
def test_a_launcher_is_three_lines(name: str) -> None:
    assert len((ROOT / "bin" / name).read_text().splitlines()) == 3


@pytest.mark.parametrize("name", LAUNCHERS)
def test_the_first_call_installs_and_starts(checkout: Path, tools: Path, working_pip: Path, name: str) -> None:
    first = launch(checkout, tools, name, "one", "two words")
    assert (first.returncode, first.stdout) == (0, f"started {name} one two words\n")
    assert "installing into" in first.stderr
    assert len(installs(working_pip)) == 1


def test_the_second_call_only_starts(checkout: Path, tools: Path, working_pip: Path) -> None:
    launch(checkout, tools, "torc")
    second = launch(checkout, tools, "torc")
    assert (second.returncode, second.stdout, second.stderr) == (0, "started torc\n", "")
    assert len(installs(working_pip)) == 1


def test_a_launcher_works_through_a_link(checkout: Path, tools: Path, working_pip: Path) -> None:
    (tools / "torc").symlink_to(checkout / "bin" / "torc")
    linked = subprocess.run(
        ["torc"], env={"PATH": str(tools)}, capture_output=True, text=True, executable=tools / "torc"
    )
    assert linked.stdout == "started torc\n"


def test_no_variable_of_the_caller_changes() -> None:
    # A variable that the caller exported stays exported when a script assigns it, and would reach torc and its jobs.
    text = "".join((ROOT / "bin" / name).read_text() for name in ("bootstrap", *LAUNCHERS, "test"))
    assigned = {
        name for found in re.findall(r"^ *(\w+)=|\bfor (\w+) in|read -r (\w+)", text, re.MULTILINE) for name in found
    }
    assert {name for name in assigned if name and not name.startswith("torc_")} == {"PIP_USER"}  # for one command only


def test_a_changed_setup_cfg_installs_again(checkout: Path, tools: Path, working_pip: Path) -> None:
    launch(checkout, tools, "torc")
    with (checkout / "setup.cfg").open("a") as config:
        config.write("# changed\n")
    assert launch(checkout, tools, "torc").returncode == 0
    assert len(installs(working_pip)) == 2


def test_a_moved_checkout_installs_again(checkout: Path, tools: Path, working_pip: Path) -> None:
    launch(checkout, tools, "torc")
    moved = checkout.rename(checkout.with_name("moved"))
    assert launch(moved, tools, "torc").returncode == 0
    assert len(installs(moved / ".venv.calls")) == 2


def test_an_environment_whose_python_is_gone_is_made_anew(checkout: Path, tools: Path, working_pip: Path) -> None:
    launch(checkout, tools, "torc")
    (checkout / ".venv" / "bin" / "python").unlink()
    assert launch(checkout, tools, "torc").stdout == "started torc\n"
    assert (checkout / ".venv" / "bin" / "python").exists()


def test_the_tests_add_their_extra_once(checkout: Path, tools: Path, working_pip: Path) -> None:
    launch(checkout, tools, "torc")
    for name in ("ruff", "mypy"):
        script(checkout / ".venv" / "bin" / name, SAYS_IT_RUNS)
    for _ in range(2):
        launch(checkout, tools, "test")
    assert [line.endswith("[dev]") for line in installs(working_pip)] == [False, True]


@pytest.mark.parametrize(
    ("user", "expected"),
    [("0", "update -qq\ninstall -qq -y --no-install-recommends curl jq npm openssl zsh fish elvish\n"), ("1000", "")],
)
def test_programs_for_the_tests_are_installed_where_nobody_is_asked(
    checkout: Path, tools: Path, working_pip: Path, user: str, expected: str
) -> None:
    calls = tools / "calls"
    calls.touch()
    script(tools / "apt-get", f'#!/bin/sh\necho "$@" >>"{calls}"\n')
    script(tools / "id", f"#!/bin/sh\necho {user}\n")
    launch(checkout, tools, "test")
    assert calls.read_text() == expected


@pytest.mark.parametrize("flock", [True, False], ids=["flock", "without flock"])
def test_first_calls_at_the_same_time_install_once(checkout: Path, tools: Path, working_pip: Path, flock: bool) -> None:
    if not flock:
        (tools / "flock").unlink()
    processes = [
        subprocess.Popen([checkout / "bin" / "torc"], env={"PATH": str(tools)}, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    assert [process.communicate(timeout=60)[0] for process in processes] == ["started torc\n"] * 4
    assert len(installs(working_pip)) == 1


def test_the_lock_of_a_process_that_was_killed_is_named(checkout: Path, tools: Path, working_pip: Path) -> None:
    (tools / "flock").unlink()
    dead = subprocess.Popen(["true"])
    dead.wait()
    (checkout / ".venv.lock.d").mkdir()
    (checkout / ".venv.lock.d" / "pid").write_text(f"{dead.pid}\n")
    refused = launch(checkout, tools, "torc")
    assert refused.returncode == 1
    assert f"remove {checkout}/.venv.lock.d" in refused.stderr


def test_the_wheelhouse_replaces_the_network(checkout: Path, tools: Path, working_pip: Path) -> None:
    launch(checkout, tools, "torc", TORC_WHEELHOUSE="/some wheels")
    assert "--no-index --find-links /some wheels" in installs(working_pip)[0]


def test_no_python_is_one_sentence(checkout: Path, tools: Path) -> None:
    refused = launch(checkout, tools, "torc")
    assert refused.returncode == 1
    assert "needs Python 3.11 or newer" in refused.stderr.splitlines()[-1]
    assert not (checkout / ".venv").exists()


def test_an_old_python_is_passed_over(checkout: Path, tools: Path, working_pip: Path) -> None:
    (tools / "python3").rename(tools / "python3.11")
    script(tools / "python3", "#!/bin/sh\nexit 1\n")
    assert launch(checkout, tools, "torc").stdout == "started torc\n"


@pytest.mark.parametrize(
    ("pip", "environ", "sentence"),
    [
        ("case $5 in --version) ;; *) echo NewConnectionError; exit 1;; esac", {}, "package index does not answer"),
        ("case $5 in --version) ;; *) echo something else; exit 1;; esac", {}, "pip failed"),
        (
            "case $5 in --version) ;; *) echo ERROR: No matching distribution found for falcon; exit 1;; esac",
            {"TORC_WHEELHOUSE": "/wheels"},
            "TORC_WHEELHOUSE=/wheels: no wheel there for falcon",
        ),
    ],
    ids=["no network", "pip fails", "wheel missing"],
)
def test_a_failed_install_leaves_no_environment_and_one_sentence(
    checkout: Path, tools: Path, pip: str, environ: dict[str, str], sentence: str
) -> None:
    python_with_pip(tools, pip)
    refused = launch(checkout, tools, "torc", **environ)
    assert refused.returncode == 1
    assert sentence in refused.stderr.splitlines()[-1]
    assert str(checkout / ".venv.log") in refused.stderr
    assert not (checkout / ".venv").exists()


def test_a_failed_update_is_tried_again(checkout: Path, tools: Path, working_pip: Path) -> None:
    launch(checkout, tools, "torc")
    with (checkout / "setup.cfg").open("a") as config:
        config.write("# changed\n")
    python_with_pip(tools, "case $5 in --version) ;; *) exit 1;; esac")
    assert launch(checkout, tools, "torc").returncode == 1
    assert launch(checkout, tools, "torc").returncode == 1
    python_with_pip(tools, INSTALLS)
    assert launch(checkout, tools, "torc").stdout == "started torc\n"


def test_a_python_without_pip_and_ensurepip_is_one_sentence(checkout: Path, tools: Path) -> None:
    real = Path(sys.base_prefix, "bin", "python3")
    refuses = '#!/bin/sh\n[ "$1" = -m ] && exit 1\nexec {real} "$@"\n'
    makes = (
        f'mkdir -p "$4/bin"; printf \'{refuses.format(real=real)}\' >"$4/bin/python"; exec chmod 755 "$4/bin/python"'
    )
    (tools / "chmod").symlink_to(shutil.which("chmod") or "/bin/chmod")
    script(tools / "python3", f'#!/bin/sh\ncase "$2" in venv) {makes};; pip) exit 1;; *) exec {real} "$@";; esac\n')
    refused = launch(checkout, tools, "torc")
    assert "has no pip; install it" in refused.stderr.splitlines()[-1]
    assert not (checkout / ".venv").exists()


def test_a_checkout_that_cannot_be_written_is_one_sentence(checkout: Path, tools: Path, working_pip: Path) -> None:
    if os.geteuid() == 0:
        (checkout / ".venv.lock").mkdir()  # root may write everywhere, but not into a folder as if it were a file
    else:
        checkout.chmod(0o555)
    refused = launch(checkout, tools, "torc")
    checkout.chmod(0o755)
    assert refused.returncode == 1
    assert "cannot write to" in refused.stderr.splitlines()[-1]
