"""Completion scripts, in the real shells."""

import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.conftest import Said, Torc
from tests.conftest import Http, Server

SHELLS = ("bash", "elvish", "fish", "powershell", "zsh")

BASH = """\
source {script}
_init() {{ COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); }}
compopt() {{ :; }}   # there is no line being edited
_init {words}
_torc_complete "${{COMP_WORDS[0]}}" "${{COMP_WORDS[COMP_CWORD]}}"
printf '%s\\n' "${{COMPREPLY[@]}}"
"""

FISH = """\
source {script}
complete -C {line}
"""

# -l lists one match a line; zsh only completes in its line editor, so the answer is read from what compadd is given.
ZSH = """\
autoload -U compinit && compinit -u -d {folder}/dump
compadd() {{ local -a o; zparseopts -D -E -a o V: l d: -; print -rl -- "${{(@)@:#--}}" }}
_files() {{ local -a found; found=($words[CURRENT]*(N)); print -rl -- $found }}
source {script}
words=({words}) CURRENT=$#words
_torc | while read -r one; do [[ $one == ${{words[-1]}}* ]] && print -r -- $one; done
true
"""

ELVISH = """\
eval (slurp < {script})
try {{
  $edit:completion:arg-completer[{program}] {words} | each {{|one|
    if (eq (kind-of $one) string) {{ put $one }} else {{ put $one[stem] }}
  }} | to-lines > {answer}
}} catch problem {{ echo (to-string $problem) > {answer} }}
exit
"""

Complete = Callable[..., set[str]]


@pytest.fixture
def shell_environment(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """With a ``torc`` on the PATH."""
    program = tmp_path / "bin" / "torc"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m torc "$@"\n')
    program.chmod(0o755)
    (tmp_path / "work").mkdir()
    away = "http://127.0.0.1:9/torc-service/v1"
    return {
        **environment,
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "TORC_API_URL": away,
    }


@pytest.fixture(params=["bash", "elvish", "fish", "zsh"])
def complete(
    request: pytest.FixtureRequest, shell_environment: dict[str, str], offline: Torc, tmp_path: Path
) -> Complete:
    """``complete("torc", "wor")``: what a shell offers for the last word."""
    shell = str(request.param)
    if shutil.which(shell) is None:
        pytest.skip(f"not installed: {shell}")
    script = tmp_path / f"script.{shell}"
    script.write_text(offline("completions", shell).out)

    def ask(*words: str, url: str | None = None) -> set[str]:
        env = {**shell_environment, **({"TORC_API_URL": url} if url else {})}
        quoted = " ".join(f"'{word}'" for word in words)
        answer = tmp_path / "answer"
        texts = {"bash": BASH, "fish": FISH, "zsh": ZSH, "elvish": ELVISH}
        text = texts[shell].format(
            script=script, words=quoted, line=f"'{' '.join(words)}'", folder=tmp_path, program=words[0], answer=answer
        )
        if shell == "elvish":
            printed = in_elvish(text, answer, env, tmp_path)
        else:
            options = {"bash": ("--norc",), "fish": ("--no-config",), "zsh": ("-f",)}[shell]
            line = [shell, *options, "-c", text]
            done = subprocess.run(line, capture_output=True, text=True, env=env, cwd=tmp_path / "work", timeout=60)
            assert (done.returncode, done.stderr) == (0, "")
            printed = done.stdout
        offered = {one.partition("\t")[0].strip() for one in printed.splitlines()}
        return {one for one in offered if one.startswith(words[-1]) and one}

    return ask


def in_elvish(text: str, answer: Path, env: dict[str, str], folder: Path) -> str:
    """elvish has its editor, and so completion, on a terminal only: this is its rc.elv there."""
    rc = folder / "rc.elv"
    rc.write_text(text)
    terminal, other = pty.openpty()
    try:
        line = ["elvish", "-rc", str(rc), "-db", ""]
        subprocess.run(line, stdin=other, stdout=other, stderr=other, env=env, cwd=folder / "work", timeout=60)
    finally:
        os.close(terminal)
        os.close(other)
    return answer.read_text()


def test_commands_are_offered(complete: Complete) -> None:
    assert complete("torc", "wor") == {"workflows"}
    assert complete("torc", "workflows", "exe") == {"execution-plan"}
    assert complete("torc-client", "-f", "json", "jobs", "li") >= {"list"}
    assert complete("torc-htpasswd", "ver") == {"verify"}
    assert complete("pytorc", "run-") == {"run-function", "run-postprocess"}


def test_options_are_offered_everywhere_and_after_their_command(complete: Complete) -> None:
    assert complete("torc", "--standal") == {"--standalone"}
    assert complete("torc", "jobs", "list", "--sta") == {"--standalone", "--status"}
    assert complete("torc-server", "run", "--data") == {"--database"}
    assert complete("torc-server", "--data") == {"--database"}


def test_values_are_offered(complete: Complete) -> None:
    assert complete("torc", "-f", "") == {"table", "json"}
    assert complete("torc", "completions", "") == set(SHELLS)
    assert complete("torc", "jobs", "list", "--status", "re") == {"ready"}
    assert complete("torc", "workflows", "archive", "t") == {"true"}


def test_files_are_offered_where_a_path_is_meant(complete: Complete, tmp_path: Path) -> None:
    (tmp_path / "work" / "sweep.yaml").touch()
    assert complete("torc", "run", "swe") == {"sweep.yaml"}
    assert complete("torc", "--database", "swe") == {"sweep.yaml"}
    assert complete("torc", "jobs", "get", "swe") == set()


def test_workflow_ids_come_from_the_server(complete: Complete, server: Server, workflow: int) -> None:
    assert complete("torc", "workflows", "get", str(workflow), url=server.url) >= {str(workflow)}
    assert complete("torc", "workflows", "delete", "7", str(workflow), url=server.url) >= {str(workflow)}


def test_without_a_server_no_id_is_offered_and_nothing_said(complete: Complete) -> None:
    assert complete("torc", "workflows", "get", "") == set()


def test_a_shell_that_is_not_known_is_refused_with_those_that_are(offline: Torc) -> None:
    said = offline("completions", "tcsh")
    assert said.code == 2
    assert all(shell in said.err for shell in SHELLS)


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_is_made_without_a_server_and_is_not_big(offline: Torc, shell: str) -> None:
    said = offline("completions", shell)
    assert (said.code, said.err) == (0, "")
    assert "@GRAMMAR@" not in said.out
    assert len(said.out) < 150_000


def test_candidates_are_ids_and_names(torc: Torc, http: Http) -> None:
    created = http.post("/workflows", {"name": "two\nlines", "user": "tester"}).json["id"]
    said = torc("candidates", "workflows")
    assert said.code == 0
    assert said.out.splitlines()[0] == f"{created}\ttwo?lines"


@pytest.mark.parametrize(
    "env", [{}, {"TORC_API_URL": "nonsense"}, {"TORC_USERNAME": "ann"}, {"TORC_CLIENT__RUN__NUM_CPUS": "many"}]
)
def test_candidates_are_silent_about_what_is_wrong(offline: Torc, env: dict[str, str]) -> None:
    assert offline("candidates", "workflows", env=env) == Said(0, "", "")


def test_candidates_do_not_wait_for_a_server_that_is_silent(offline: Torc) -> None:
    import socket
    import time

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/torc-service/v1"
        begin = time.monotonic()
        said = offline("candidates", "workflows", env={"TORC_API_URL": url})
        assert time.monotonic() - begin < 10
    assert said.code == 0
