"""The batch script: what sbatch is asked for, how the runner is started, and that nothing a user typed gets loose."""

import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from torc.errors import UsageError
from torc.hpc.script import script_text, write_password
from torc.models.scheduler import SlurmScheduler


def made(*, worker_per_node: bool = False, output_dir: str = "/scratch/out", **fields: Any) -> str:
    usual = {"workflow_id": 5, "account": "proj", "nodes": 1, "walltime": "4h"}
    return script_text(
        SlurmScheduler(**{**usual, **fields}),
        job_name="worker_1",
        output_dir=Path(output_dir),
        api_url="http://login1:8080/torc-service/v1",
        workflow_id=5,
        poll_interval_s=60,
        worker_per_node=worker_per_node,
        username="ann",
        password_file=Path("/scratch/out/.torc/password"),
    )


def directives(text: str) -> list[str]:
    return [line.removeprefix("#SBATCH ") for line in text.splitlines() if line.startswith("#SBATCH ")]


def test_every_field_is_asked_for_always_in_the_same_order():
    everything = {
        "nodes": 2,
        "ntasks_per_node": 4,
        "partition": "gpu",
        "qos": "high",
        "gres": "gpu:a100:2",
        "mem": "64g",
        "tmp": "1t",
        "extra": "--constraint='a&b' -C fast --comment=\"two words\"",
    }
    text = made(**everything)
    assert directives(text) == [
        "--account=proj",
        "--job-name=worker_1",
        "--time=04:00:00",
        "--output=/scratch/out/slurm_output_%j.o",
        "--error=/scratch/out/slurm_output_%j.e",
        "--nodes=2",
        "--ntasks-per-node=4",
        "--partition=gpu",
        "--qos=high",
        "--gres=gpu:a100:2",
        "--mem=64g",
        "--tmp=1t",
        '--constraint="a&b"',
        "-C fast",
        '--comment="two words"',
    ]
    assert text == made(**everything)


def test_the_shell_becomes_the_runner_or_passes_signals_on_to_all():
    assert made().splitlines()[-1] == "exec torc-slurm-job-runner $TORC_URL 5 /scratch/out --poll-interval 60"
    text = made(worker_per_node=True)
    assert "unset SLURM_MEM_PER_CPU SLURM_MEM_PER_GPU\n" in text
    assert "\nsrun --nodes=$SLURM_JOB_NUM_NODES --ntasks-per-node=1" in text
    assert "trap 'scancel --quiet --signal=TERM $SLURM_JOB_ID' TERM" in text


@pytest.mark.parametrize("worker_per_node", [True, False])
def test_it_is_a_script_whatever_the_folder_is_called(worker_per_node: bool):
    text = made(worker_per_node=worker_per_node, output_dir="/tmp/$(touch gone) 'x' 100%")
    assert subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True).stderr == ""
    assert "'/tmp/$(touch gone) '\"'\"'x'\"'\"' 100%'" in text
    assert "--output=\"/tmp/$(touch gone) 'x' 100%%/slurm_output_%j.o\"" in directives(text)


@pytest.mark.parametrize(
    ("fields", "match"),
    [
        ({"account": "a\nrm -rf /"}, "account .* must be one line of printable text"),
        ({"walltime": "soon"}, "walltime 'soon': Invalid walltime"),
        ({"extra": "fast"}, "has to begin with an option"),
        ({"extra": "--x='"}, "No closing quotation"),
        ({"partition": "a\x1b"}, "partition .* printable"),
    ],
)
def test_what_could_end_the_line_is_refused(fields: dict[str, str], match: str):
    with pytest.raises(UsageError, match=match):
        made(**fields)


def test_the_password_lies_where_only_its_owner_reads_it(tmp_path: Path):
    assert write_password(tmp_path, None) is None
    path = write_password(tmp_path, "s3cret")
    assert path is not None and path.read_text() == "s3cret\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "s3cret" not in made()
