"""What every command prints with ``--format json``: which keys, and what kind of value each has."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from torc.cli.command import COMMANDS
from torc.cli.main import NOUNS, module_of
from torc.errors import EXIT_JOBS_FAILED

SPEC = {
    "name": "shapes",
    "user": "tester",
    "files": [{"name": "made", "path": "made.txt"}],
    "user_data": [{"name": "rate", "data": {"lr": 0.5}}],
    "resource_requirements": [{"name": "small", "num_cpus": 1, "memory": "64m", "runtime": "PT1M"}],
    "actions": [{"trigger_type": "on_workflow_start", "action_type": "run_commands", "commands": ["true"]}],
    "jobs": [
        {"name": "first", "command": "echo one > ${files.output.made}; echo said", "resource_requirements": "small"},
        {"name": "second", "command": "cat ${files.input.made}", "input_user_data": ["rate"]},
        {"name": "third", "command": "exit 3", "depends_on": ["second"]},
    ],
}

SLURM_SPEC = {
    **SPEC,
    "slurm_schedulers": [{"name": "nodes", "account": "mine", "nodes": 1, "walltime": "00:10:00"}],
    "actions": [
        {
            "trigger_type": "on_workflow_start",
            "action_type": "schedule_nodes",
            "scheduler_type": "slurm",
            "scheduler": "nodes",
        }
    ],
}

SCHEDULER = {"id": int, "workflow_id": int, "name": str, "account": str, "nodes": int, "walltime": str}
PARTITION = {"name": str, "cpus_per_node": int, "memory_mb": int, "max_walltime_secs": int, "shared": bool}
WORKFLOW = {"id": int, "name": str, "user": str, "timestamp": str, "jobs_sort_method": str}
JOB = {"id": int, "workflow_id": int, "name": str, "command": str, "status": str}
FILE = {"id": int, "workflow_id": int, "name": str, "path": str}
USER_DATA = {"id": int, "workflow_id": int, "name": str, "is_ephemeral": bool}
REQUIREMENTS = {"id": int, "workflow_id": int, "name": str, "num_cpus": int, "memory": str, "runtime": str}
EVENT = {"id": int, "workflow_id": int, "timestamp": int, "data": dict}
RESULT = {"id": int, "job_id": int, "workflow_id": int, "run_id": int, "return_code": int, "status": str}
NODE = {"id": int, "workflow_id": int, "hostname": str, "pid": int, "num_cpus": int, "memory_gb": float}
CREATED = {"id": int, "workflow_id": int, "status": str, "message": str}
DONE = {"status": str, "message": str, "workflow_id": int}
CHECK = {"workflow_id": int, "safe": bool, "missing_input_files": [str], "existing_output_files": [str]}
RELATIONS = {"items": list, "offset": int, "max_limit": int, "count": int, "total_count": int, "has_more": bool}
RAN = {"status": str, "workflow_id": int, "run_id": int}
JOBS = {"jobs": [JOB]}
ASK = {"scheduler_config_id": int, "scheduler": str, "num_allocations": int, "job_count": int, "nodes": int}


class Scene:
    """A workflow that has run. A line has its own, which has not, where it says ``{fresh}``, or ``{begun}``."""

    def __init__(self, folder: Path, url: str, http: Any) -> None:
        self._http = http
        self._folder = folder
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("TORC_", "RUST_LOG"))}
        root = str(Path(__file__).resolve().parents[2])
        self._env = {**kept, "USER": "tester", "TORC_API_URL": url, "PYTHONPATH": root}
        (folder / "spec.json").write_text(json.dumps(SPEC))
        (folder / "plain.json").write_text(json.dumps({key: SPEC[key] for key in SPEC if key != "actions"}))
        (folder / "slurm.json").write_text(json.dumps(SLURM_SPEC))
        for program, says in (
            ("sbatch", 'echo "Submitted batch job $$"'),
            ("squeue", ":"),
            ("sacct", ":"),
            ("scancel", ":"),
        ):
            path = folder / program
            path.write_text(f"#!/bin/sh\n{says}\n")
            path.chmod(0o755)
            self._env[f"TORC_FAKE_{program.upper()}"] = str(path)
        self._env["TORC_CLIENT__SLURM__API_URL"] = url
        (folder / "commands.txt").write_text("echo a\n# not this\necho b\n")
        self._names: dict[str, Any] = {}
        self._names["wf"] = self.said("workflows create spec.json")["id"]
        self.said("run {wf}", EXIT_JOBS_FAILED)
        for name, line, key in FOUND:
            self._names[name] = self.said(line)[key][-1]["id"]
        (folder / "export.json").write_text(json.dumps(self.said("workflows export {wf}")))

    def said(self, line: str, code: int = 0) -> Any:
        """The document that a command prints, which must end with this code."""
        names = {**self._names, **self._made_for(line)}
        words = [word.format_map(names) for word in shlex.split(line)]
        done = subprocess.run(
            [sys.executable, "-m", "torc", "-f", "json", *words],
            cwd=self._folder,
            env=self._env,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == code, f"torc {' '.join(words)}: {done.stderr}{done.stdout}"
        return json.loads(done.stdout)

    def _made_for(self, line: str) -> dict[str, Any]:
        """What a line may destroy without harm to others."""
        made = {}
        if "{own" in line:
            made["own_file"] = self.said(f"files create {self._names['wf']} -n own -p own.txt")["id"]
            made["own_data"] = self.said(f"user-data create {self._names['wf']} -n own")["id"]
            made["own_scheduler"] = self.said(f"slurm create {self._names['wf']} -n own -a own")["id"]
            made["own_event"] = self.said(f"events create {self._names['wf']} -d {{{{}}}}")["id"]
        for kind in ("fresh", "begun", "disabled", "ended", "ready", "slurm", "planned"):
            if f"{{{kind}" in line:
                spec = "slurm" if kind in ("slurm", "planned") else "spec"
                made[kind] = self.said(f"workflows create {spec}.json")["id"]
                for name, listing, key in FOUND[:4]:
                    made[f"{kind}_{name}"] = self.said(listing.format(wf=made[kind]))[key][-1]["id"]
        for begun in made.keys() & {"begun", "ended", "ready", "planned"}:
            self.said(f"workflows initialize {made[begun]} --delete-outputs")
        if "ended" in made:
            self.said(f"run {made['ended']}", EXIT_JOBS_FAILED)
        if "disabled" in made:
            self.said(f"jobs disable {made['disabled_job']}")
        if "{claimed" in line:
            begun = self.said("workflows create spec.json")["id"]
            self.said(f"workflows initialize {begun} --delete-outputs")
            made["claimed"] = self._http.post(f"/workflows/{begun}/claim_next_jobs?limit=1").json["jobs"][0]["id"]
        if "ready" in made:  # and ends well
            self.said(f"jobs disable {made['ready_job']}")
        return made


FOUND = (
    ("job", "jobs list {wf}", "jobs"),
    ("file", "files list {wf}", "files"),
    ("data", "user-data list {wf}", "user_data"),
    ("need", "resource-requirements list {wf}", "resource_requirements"),
    ("result", "results list {wf}", "results"),
    ("node", "compute-nodes list {wf}", "items"),
    ("action", "workflows list-actions {wf}", "actions"),
    ("event", "events list {wf}", "events"),
)


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory, server: Any) -> Iterator[Scene]:
    yield Scene(tmp_path_factory.mktemp("shapes"), server.url, server.http)


SHAPES: dict[str, tuple[str, Any]] = {
    "workflows create": ("workflows create spec.json", CREATED),
    "workflows new": ("workflows new -n empty", WORKFLOW),
    "workflows update": ("workflows update {fresh} -n other", WORKFLOW),
    "workflows list": ("workflows list --limit 3", [WORKFLOW]),
    "workflows get": ("workflows get {wf}", WORKFLOW),
    "workflows status": ("workflows status {wf}", {"id": int, "run_id": int, "status": str, "job_counts": dict}),
    "workflows initialize": ("workflows initialize {fresh} --force", DONE),
    "workflows reinitialize": ("workflows reinitialize {fresh} --force", {**DONE, "run_id": int}),
    "workflows reset-status": (
        "workflows reset-status {fresh}",
        {"status": str, "workflow_id": int, "operations": dict, "failed_only": bool, "messages": [str]},
    ),
    "workflows cancel": ("workflows cancel {fresh}", {"status": str, "workflow_id": int, "canceled_slurm_jobs": list}),
    "workflows archive": (
        "workflows archive true {fresh}",
        {"status": str, "updated_workflows": [int], "is_archived": bool},
    ),
    "workflows delete": ("workflows delete {fresh}", [WORKFLOW]),
    "workflows execution-plan": ("workflows execution-plan {wf}", {"status": str, "total_jobs": int, "stages": [dict]}),
    "workflows list-actions": ("workflows list-actions {wf}", {"actions": [dict]}),
    "workflows export": ("workflows export {wf}", {"workflow": dict, "jobs": [dict]}),
    "workflows import": ("workflows import export.json", CREATED),
    "workflows spec-schema": ("workflows spec-schema", {"$schema": str, "properties": dict}),
    "jobs list": ("jobs list {wf}", JOBS),
    "jobs get": ("jobs get {job}", JOB),
    "jobs cancel": ("jobs cancel {begun_job}", JOBS),
    "jobs disable": ("jobs disable {fresh_job}", JOBS),
    "run": ("run {ready}", RAN),
    "workflows run": ("workflows run {ready}", RAN),
    "submit": ("submit {slurm}", DONE),
    "submit-slurm": ("submit-slurm spec.json --account a --profile kestrel", DONE),
    "workflows create-slurm": ("workflows create-slurm plain.json --account a --profile kestrel", CREATED),
    "slurm generate": (
        "slurm generate plain.json --account a --profile kestrel",
        {"name": str, "jobs": [dict], "slurm_schedulers": [dict], "actions": [dict]},
    ),
    "workflows submit": ("workflows submit {slurm}", DONE),
    "workflows sync-status": ("workflows sync-status {wf}", {"status": str, "workflow_id": int, "changes": list}),
    "hpc list": (
        "hpc list",
        [{"name": str, "display_name": str, "description": str, "partition_count": int, "detected": bool}],
    ),
    "hpc detect": ("hpc detect", {"detected": bool, "message": str}),
    "hpc show": (
        "hpc show kestrel",
        {"name": str, "display_name": str, "detection": [dict], "partitions": [PARTITION]},
    ),
    "hpc partitions": ("hpc partitions kestrel", [PARTITION]),
    "hpc match": (
        "hpc match kestrel",
        {"profile": str, "requirements": dict, "matching_partitions": [PARTITION], "best_partition": PARTITION},
    ),
    "slurm parse-logs": (
        "slurm parse-logs {wf} -o output",
        {"workflow_id": int, "output_dir": str, "total_issues": int, "errors": int, "warnings": int, "issues": list},
    ),
    "slurm sacct": ("slurm sacct {wf}", {"workflow_id": int, "message": str, "summary": list}),
    "slurm create": ("slurm create {fresh} --name s --account a", SCHEDULER),
    "slurm update": ("slurm update {own_scheduler} --walltime 2h", SCHEDULER),
    "slurm list": ("slurm list {slurm}", [SCHEDULER]),
    "slurm get": ("slurm get {own_scheduler}", SCHEDULER),
    "slurm delete": ("slurm delete {own_scheduler}", SCHEDULER),
    "slurm schedule-nodes": (
        "slurm schedule-nodes {slurm}",
        {"status": str, "workflow_id": int, "slurm_job_ids": [int]},
    ),
    "slurm regenerate": (
        "slurm regenerate {planned} --dry-run",
        {"workflow_id": int, "dry_run": bool, "allocations": [ASK], "slurm_job_ids": list},
    ),
    "recover": (
        "recover {ended} --retry-unknown --dry-run",
        {
            "workflow_id": int,
            "dry_run": bool,
            "recovered": bool,
            "jobs": [{"job_id": int, "name": str, "lacked": str, "evidence": str, "runs_again": bool}],
            "jobs_run_again": int,
            "run_id": int,
            "allocations": list,
            "slurm_job_ids": list,
        },
    ),
    "exec": ("exec true", RAN),
    "jobs create": ("jobs create {fresh} -n more -c true", JOB),
    "jobs create-from-file": (
        "jobs create-from-file {fresh} commands.txt",
        {"jobs_created": int, "message": str, "status": str, "workflow_id": int},
    ),
    "jobs update": ("jobs update {fresh_job} -n other", JOB),
    "jobs delete": ("jobs delete {fresh_job}", JOBS),
    "jobs delete-all": ("jobs delete-all {fresh} --force", {"count": int}),
    "jobs enable": ("jobs enable {disabled_job}", JOBS),
    "jobs retry": ("jobs retry {ended_job}", JOBS),
    "jobs terminate": ("jobs terminate {claimed}", JOBS),
    "jobs explain": ("jobs explain {job}", {"job_id": int, "status": str, "reasons": [{"kind": str, "says": str}]}),
    "jobs list-resource-requirements": (
        "jobs list-resource-requirements {wf}",
        [{"job_id": int, "job_name": str, "rr_name": str, "num_cpus": int, "memory": str, "runtime": str}],
    ),
    "events list": ("events list {wf}", {"events": [EVENT]}),
    "events get": ("events get {event}", EVENT),
    "events create": ("events create {wf} -d {{}}", EVENT),
    "events get-latest-event": ("events get-latest-event {wf}", EVENT),
    "events delete": ("events delete {own_event}", EVENT),
    "compute-nodes release": ("compute-nodes release {node}", dict),
    "results list": ("results list {wf}", {"results": [RESULT]}),
    "user-data list": ("user-data list {wf}", {"user_data": [USER_DATA]}),
    "user-data get": ("user-data get {data}", USER_DATA),
    "user-data create": ("user-data create {fresh} -n more -d [1]", USER_DATA),
    "user-data update": ("user-data update {data} -d 2", USER_DATA),
    "user-data delete": ("user-data delete {own_data}", USER_DATA),
    "user-data delete-all": ("user-data delete-all {fresh}", {"message": str}),
    "user-data list-missing": ("user-data list-missing {wf}", {"user_data": list}),
    "files list": ("files list {wf}", {"files": [FILE]}),
    "files get": ("files get {file}", FILE),
    "files create": ("files create {wf} -n extra -p extra.txt", FILE),
    "files update": ("files update {file} -p other.txt", FILE),
    "files delete": ("files delete {own_file}", FILE),
    "files list-required-existing": ("files list-required-existing {wf}", {"files": list}),
    "resource-requirements list": ("resource-requirements list {wf}", {"resource_requirements": [REQUIREMENTS]}),
    "resource-requirements get": ("resource-requirements get {need}", REQUIREMENTS),
    "resource-requirements create": ("resource-requirements create {wf} -n big --num-cpus 9", REQUIREMENTS),
    "resource-requirements update": ("resource-requirements update {need} --num-cpus 2", REQUIREMENTS),
    "resource-requirements delete": ("resource-requirements delete {fresh_need} --force", REQUIREMENTS),
    "results get": ("results get {result}", RESULT),
    "results delete": ("results delete {result}", RESULT),
    "compute-nodes list": ("compute-nodes list {wf}", {"items": [NODE], "total_count": int}),
    "compute-nodes get": ("compute-nodes get {node}", NODE),
    "scheduled-compute-nodes list": ("scheduled-compute-nodes list {wf}", {"items": list, "total_count": int}),
    "job-dependencies job-job": ("job-dependencies job-job {wf}", RELATIONS),
    "job-dependencies job-file": ("job-dependencies job-file {wf}", RELATIONS),
    "job-dependencies job-user-data": ("job-dependencies job-user-data {wf}", RELATIONS),
    "config show": ("config show", {"client": dict, "server": dict, "dash": dict}),
    "config paths": ("config paths", {"system": dict, "user": dict, "local": {"path": str, "exists": bool}}),
    "config init": ("config init --local --force", {"status": str, "file": str}),
    "config validate": ("config validate", {"valid": bool, "files": list, "errors": list}),
    "completions": ("completions bash", {"shell": str, "script": str}),
    "actions rerun": ("actions rerun {action}", dict),
    "reports results": ("reports results {wf}", {"workflow_id": int, "results": [dict]}),
    "reports check-resource-utilization": ("reports check-resource-utilization {wf}", {"workflow_id": int}),
}


NO_DOCUMENT = {
    "jobs logs": "what the job wrote, as it wrote it",
    "hpc generate": "needs a cluster: tests/slurm",
    "watch": "an object in each line: test_watch.py",
    "events monitor": "an object in each line: test_events.py",
}


@pytest.mark.parametrize("path", SHAPES)
def test_a_document_has_the_shape_that_is_promised(scene: Scene, path: str) -> None:
    line, shape = SHAPES[path]
    said = scene.said(line)
    assert mistakes(said, shape, "it") == [], said


def test_no_command_is_left_out() -> None:
    for noun in NOUNS:
        import_module(f"torc.cli.{module_of(noun)}")
    shown = {path for path, one in COMMANDS.items() if not one.hidden}
    assert shown == SHAPES.keys() | NO_DOCUMENT.keys()


def mistakes(said: Any, shape: Any, where: str) -> list[str]:
    """Where a document differs: more keys are no mistake, an empty list is."""
    if isinstance(shape, dict):
        if not isinstance(said, dict):
            return [f"{where} is no object"]
        missing = [f"{where} has no {key!r}" for key in shape if key not in said]
        inner = [mistakes(said[key], kind, f"{where}[{key!r}]") for key, kind in shape.items() if key in said]
        return missing + sum(inner, [])
    if isinstance(shape, list):
        if not isinstance(said, list) or not said:
            return [f"{where} is no list with something in it"]
        return sum((mistakes(one, shape[0], f"{where}[{at}]") for at, one in enumerate(said)), [])
    kinds = (int, float) if shape is float else shape
    return [] if isinstance(said, kinds) else [f"{where} is {said!r}, not {shape.__name__}"]
