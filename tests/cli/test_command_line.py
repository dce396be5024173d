"""How command lines are read: what is accepted where, and what a mistake is answered with."""

import re
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from torc import __version__, errors
from torc.cli.command import COMMANDS
from torc.cli.main import NOUNS, module_of

LINES = (
    "run",
    "exec",
    "workflows",
    "workflows create",
    "workflows new",
    "workflows update",
    "workflows run",
    "workflows submit",
    "workflows sync-status",
    "submit",
    "submit-slurm",
    "workflows create-slurm",
    "slurm generate",
    "hpc",
    "hpc list",
    "hpc detect",
    "hpc show",
    "hpc partitions",
    "hpc match",
    "hpc generate",
    "slurm",
    "slurm schedule-nodes",
    "slurm parse-logs",
    "slurm regenerate",
    "slurm sacct",
    "recover",
    "slurm create",
    "slurm update",
    "slurm list",
    "slurm get",
    "slurm delete",
    "workflows list",
    "workflows get",
    "workflows status",
    "workflows initialize",
    "workflows reinitialize",
    "workflows reset-status",
    "workflows cancel",
    "workflows archive",
    "workflows list-actions",
    "workflows delete",
    "workflows export",
    "workflows import",
    "workflows execution-plan",
    "workflows spec-schema",
    "jobs",
    "jobs list",
    "jobs get",
    "jobs list-resource-requirements",
    "jobs explain",
    "jobs logs",
    "jobs create",
    "jobs update",
    "jobs delete",
    "jobs delete-all",
    "jobs create-from-file",
    "jobs cancel",
    "jobs terminate",
    "jobs retry",
    "jobs disable",
    "jobs enable",
    "watch",
    "events",
    "events create",
    "events list",
    "events get",
    "events get-latest-event",
    "events delete",
    "events monitor",
    "results",
    "results list",
    "config",
    "config show",
    "config paths",
    "config init",
    "config validate",
    "reports",
    "reports check-resource-utilization",
    "reports results",
    "actions",
    "actions rerun",
    "user-data",
    "user-data list",
    "user-data get",
    "user-data create",
    "user-data update",
    "user-data delete",
    "user-data delete-all",
    "user-data list-missing",
    "results get",
    "results delete",
    "files",
    "files list",
    "files list-required-existing",
    "files get",
    "files create",
    "files update",
    "files delete",
    "resource-requirements",
    "resource-requirements list",
    "resource-requirements get",
    "resource-requirements create",
    "resource-requirements update",
    "resource-requirements delete",
    "compute-nodes",
    "compute-nodes list",
    "compute-nodes get",
    "compute-nodes release",
    "scheduled-compute-nodes",
    "scheduled-compute-nodes list",
    "job-dependencies",
    "job-dependencies job-job",
    "job-dependencies job-file",
    "job-dependencies job-user-data",
    "completions",
)


def test_version_is_printed(offline):
    said = offline("--version")
    assert (said.code, said.out) == (0, f"torc {__version__}\n")


def test_help_of_torc(offline, golden: Callable[[str, str], None]):
    said = offline("--help")
    assert said.code == 0
    golden("help", said.out)


def test_the_help_of_torc_says_the_same_as_the_commands():
    for noun, help in NOUNS.items():
        import_module(f"torc.cli.{module_of(noun)}")
        assert noun not in COMMANDS or COMMANDS[noun].help == help
    assert {path for path, one in COMMANDS.items() if not one.hidden} <= set(LINES)


@pytest.mark.parametrize("command", LINES)
def test_every_command_has_help(offline, command):
    said = offline(*command.split(), "--help")
    assert said.code == 0
    assert said.out.startswith(f"usage: torc {command}")
    assert "--standalone" in said.out


def test_help_of_run_has_the_exit_codes_of_the_documentation(offline, golden):
    said = offline("run", "--help")
    golden("help_run", said.out)
    documented = re.findall(r"^\| (\d+) \|", Path("docs/exit-codes.md").read_text(), re.MULTILINE)
    assert re.findall(r"^  (\d+)  ", said.out, re.MULTILINE) == documented
    known = {str(value) for name, value in vars(errors).items() if name.startswith("EXIT_")}
    assert set(documented) == known | {"0"}


def test_help_does_not_import_what_it_does_not_need():
    code = "import sys; from torc.cli.main import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
    code += "print(*{'http.client', 'msgspec', 'yaml', 'psutil'} & set(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "\n"


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("job list 1", "there is no command 'job'; do you mean 'jobs'?"),
        ("do jobs 1", "there is no command 'do'; there are: run, "),
        ("jobs lst 1", "there is no command 'lst'; do you mean 'list'?"),
        ("jobs list", "the following arguments are required: WORKFLOW_ID"),
        ("jobs list 0", "argument WORKFLOW_ID: '0' is less than 1"),
        ("jobs list 1 --stat ready", "unexpected: --stat"),
        ("jobs list 1 --lim 3", "unexpected: --lim"),
        ("jobs list 1 2", "unexpected: 2"),
        ("--form json jobs list 1", "unrecognized arguments: --form"),
        ("workflows list --all", "unexpected: --all"),
        ("workflows list --all-users=true", "ignored explicit argument 'true'"),
        ("workflows list --all-users --all-users", "--all-users is given more than once"),
        ("jobs list 1 --limit 3 -l 4", "-l is given more than once"),
        ("jobs list 1 -l -1", "argument -l/--limit: '-1' is less than 0"),
        ("jobs list 1 -f xml", "format must be either 'table' or 'json', not 'xml'"),
        ("run spec.yaml --num-cpus some", "argument --num-cpus: 'some' is not a whole number"),
        ("run spec.yaml --num-cpus 0", "argument --num-cpus: '0' is less than 1"),
        ("run spec.yaml --poll-interval 0", "'0' is not a number above zero"),
        ("run spec.yaml --memory-gb nan", "'nan' is not a number above zero"),
    ],
)
def test_a_usage_error_is_one_sentence_with_usage_and_code_2(offline, line, sentence):
    said = offline(*line.split())
    assert said.code == 2
    assert said.out == ""
    assert said.err.startswith("error: ")
    assert sentence in said.err.splitlines()[0]
    assert "\nUsage: torc" in said.err
    assert "--help" in said.err.splitlines()[-1]


@pytest.mark.parametrize("line", ["", "jobs", "-f json workflows"])
def test_a_line_without_a_command_prints_help_and_ends_with_2(offline, line):
    said = offline(*line.split())
    assert said.code == 2
    assert said.out == ""
    assert said.err.startswith("usage: torc")


@pytest.mark.parametrize(
    "line", ["-f json jobs list 1", "jobs -f json list 1", "jobs list 1 -f json", "jobs list -f=json 1"]
)
def test_global_options_may_stand_anywhere(offline, line):
    said = offline(*line.split())
    assert said.code == errors.EXIT_SERVER_AWAY
    assert said.json["status"] == "error"


def test_the_later_of_two_places_wins(offline):
    said = offline("-f", "json", "jobs", "list", "1", "-f", "table")
    assert said.out == ""
    assert "no answer from" in said.err


def test_a_failure_in_json_is_an_object_on_stdout_and_a_sentence_on_stderr(offline):
    said = offline("-f", "json", "workflows", "initialize", "7")
    assert said.json["workflow_id"] == 7
    assert said.err == f"Error: {said.json['message']}\n"


def test_no_server_is_one_sentence_that_tells_how_to_start_one(offline):
    said = offline("workflows", "list")
    assert said.code == 5
    assert said.err.count("\n") == 1
    assert "http://127.0.0.1:9/torc-service/v1 (Connection refused)" in said.err
    assert "torc-server run" in said.err


@pytest.mark.parametrize("url", ["localhost:8080", "ftp://x/", "http://", "http://a:b:c/"])
def test_what_is_no_url_is_refused(offline, url):
    said = offline("workflows", "list", "--url", url)
    assert said.code == 2
    assert said.err.startswith(f"Error: {url!r} is not the URL of a server")


def test_database_without_standalone_is_refused(offline):
    said = offline("workflows", "list", "--database", "x.db")
    assert said.code == 2
    assert "--standalone" in said.err


def test_a_name_without_a_password_is_refused_where_nobody_can_be_asked(offline):
    said = offline("workflows", "list", "--username", "ann")
    assert said.code == 1
    assert "TORC_PASSWORD" in said.err


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ("missing.yaml", "missing.yaml: there is no such file."),
        ("MISSING.JSON", "MISSING.JSON: there is no such file."),
        (".", "'.' is neither a workflow specification file nor the ID or name of a workflow."),
        ("", "'' is neither"),
    ],
)
def test_run_says_what_is_neither_a_specification_nor_an_id(offline, given, sentence):
    said = offline("run", given)
    assert said.code == 1
    assert said.err.startswith(f"Error: {sentence}")


def test_a_reader_that_goes_away_is_no_failure(tmp_path):
    code = "import sys; from torc.cli import output; output.write('x' * 10**6); output.write('more'); sys.exit(7)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 7


def test_a_full_disk_is_one_sentence(environment):
    code = "import sys; from torc.cli.main import main; from torc.cli import output\n"
    code += "try: output.write('x')\nexcept Exception as error: print(repr(error), file=sys.stderr)"
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=full, stderr=subprocess.PIPE, text=True, env=environment
        )
    assert done.stderr == "TorcError('the result cannot be written to stdout: No space left on device.')\n"
    assert done.returncode == 0


@pytest.mark.parametrize("full", [">/dev/full", "2>/dev/full", ">/dev/full 2>&1"])
def test_a_failure_keeps_its_code_where_it_cannot_be_told(environment, full, tmp_path):
    line = f"{sys.executable} -m torc -f json jobs list 1 --url http://127.0.0.1:9/ {full}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert done.returncode == errors.EXIT_SERVER_AWAY
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("closing", ["<&-", ">&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_crash(environment, closing, tmp_path):
    line = f"{sys.executable} -m torc -f json jobs list 1 --url http://127.0.0.1:9/ {closing}"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, env=environment, cwd=tmp_path)
    assert done.returncode == errors.EXIT_SERVER_AWAY
    assert "Traceback" not in done.stderr
