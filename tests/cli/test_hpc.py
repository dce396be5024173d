"""``torc hpc``: what is shown of clusters, and where it comes from."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SEEN = ROOT / "tests" / "hpc"
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith(("TORC_", "SLURM_"))},
    "PYTHONPATH": str(ROOT),
}

CONFIGURATION = """
[client.hpc]
default_account = "everybodys"

[client.hpc.profile_overrides.kestrel]
default_account = "mine"

[client.hpc.custom_profiles.research]
display_name = "Research Cluster"
description = "Ours"
detect_env_var = "CLUSTER_NAME=research"

[[client.hpc.custom_profiles.research.partitions]]
name = "batch"
cpus_per_node = 48
memory_mb = 192000
max_walltime_secs = 259200
max_nodes = 10
"""


@pytest.fixture
def hpc(tmp_path: Path):
    """``hpc(*words, CLUSTER=...)``: what ``torc hpc`` does in a folder with a configuration of its own."""
    (tmp_path / "torc.toml").write_text(CONFIGURATION)

    def run(*words: str, code: int = 0, **environ: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, "-m", "torc", "hpc", *words],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**ENVIRONMENT, **environ},
            timeout=60,
        )
        assert done.returncode == code, done.stderr
        return done

    return run


def test_clusters_of_the_configuration_are_known(hpc):
    found = json.loads(hpc("list", "-f", "json", CLUSTER_NAME="research").stdout)
    assert [(one["name"], one["partition_count"], one["detected"]) for one in found] == [
        ("kestrel", 15, False),
        ("research", 1, True),
    ]
    assert "│ research │ Research Cluster │ 1          │          │" in hpc("list").stdout
    said = hpc("list", CLUSTER_NAME="research", PYTHONIOENCODING="utf-8").stdout
    assert said.startswith("Known HPC profiles:\n\n╭")
    assert "│ research │ Research Cluster │ 1          │ ✓        │" in said
    assert (
        "| research | Research Cluster | 1          | Yes      |"
        in hpc("list", CLUSTER_NAME="research", PYTHONIOENCODING="ascii").stdout
    )


def test_a_cluster_is_detected(hpc):
    assert json.loads(hpc("detect", "-f", "json").stdout) == {
        "detected": False,
        "message": "No known HPC system detected",
    }
    assert "Detection: NREL_CLUSTER=kestrel" in hpc("detect", NREL_CLUSTER="kestrel").stdout
    assert hpc("partitions", CLUSTER_NAME="research").stdout.startswith("Partitions for research:\n\n")


def test_overrides_count(hpc):
    def account(**environ: str) -> str:
        return str(json.loads(hpc("show", "kestrel", "-f", "json", **environ).stdout)["default_account"])

    assert account() == "mine"
    assert account(TORC_CLIENT__HPC__PROFILE_OVERRIDES__KESTREL__DEFAULT_ACCOUNT="other") == "other"
    unknown = "TORC_CLIENT__HPC__PROFILE_OVERRIDES__KESTRAL__DEFAULT_ACCOUNT"
    assert f"{unknown}: there is no such setting, but: " in hpc("list", code=1, **{unknown: "x"}).stderr


def test_a_profile_is_shown(hpc):
    said = hpc("show", "kestrel", NREL_CLUSTER="kestrel").stdout
    for line in ("HPC Profile: NREL Kestrel (kestrel)", "  Detected: Yes", "  Partitions: 15 total (11 CPU, 4 GPU)"):
        assert f"{line}\n" in said
    document = json.loads(hpc("show", "kestrel", "-f", "json").stdout)
    assert document["detection"] == [{"type": "env_var", "name": "NREL_CLUSTER", "value": "kestrel"}]
    assert set(document["metadata"]) == {"documentation", "support_email"}
    assert list(document["partitions"][1].items()) == [
        ("name", "short"),
        ("description", ""),
        ("cpus_per_node", 104),
        ("memory_mb", 240000),
        ("max_walltime_secs", 14400),
        ("max_nodes", 2240),
        ("max_nodes_per_user", None),
        ("min_nodes", None),
        ("gpus_per_node", None),
        ("gpu_type", None),
        ("gpu_memory_gb", None),
        ("local_disk_gb", None),
        ("shared", False),
        ("requires_explicit_request", False),
        ("default_qos", None),
        ("features", []),
    ]


def test_partitions_are_shown_as_a_person_would_write_them(hpc):
    said = hpc("partitions", "kestrel").stdout
    for row in (
        "│ Name      │ CPUs/Node │ Mem/Node │ Max Walltime │ GPUs     │ Shared │ Notes                              │",
        "│ standard  │ 104       │ 240 GB   │ 48h          │ -        │ -      │ -                                  │",
        "│ hbw       │ 104       │ 240 GB   │ 48h          │ -        │ -      │ Requires -p, Min 2 nodes, dual-nic │",
        "│ gpu-h100  │ 128       │ 360 GB   │ 48h          │ 4 (H100) │ Yes    │ gpu, h100                          │",
    ):
        assert row in said


def test_filters_combine(hpc):
    def names(*words: str) -> list[str]:
        return [one["name"] for one in json.loads(hpc("partitions", "kestrel", "-f", "json", *words).stdout)]

    assert names("--gpu") == ["debug", "gpu-h100s", "gpu-h100", "gpu-h100l"]
    assert names("--cpu", "--shared") == ["shared", "sharedl"]


def test_a_match_names_the_best_and_how_to_ask_for_it(hpc):
    said = hpc("match", "kestrel", "--cpus", "32", "--memory", "64g", "--walltime", "2h").stdout
    assert "Recommended: short partition (Slurm chooses it by itself)" in said
    found = json.loads(hpc("match", "--profile", "research", "--memory", "190000", "-f", "json").stdout)
    assert found["requirements"] == {
        "cpus": 1,
        "memory_mb": 190000,
        "walltime_secs": 3600,
        "gpus": None,
        "num_nodes": 1,
    }
    assert found["best_partition"]["max_nodes"] == 10
    assert "the nearest partition, batch, has 48 CPUs a node, not 50" in hpc("match", "research", "--cpus", "50").stdout
    explicit = hpc("match", "kestrel", "--nodes", "2", "--walltime", "30m").stdout
    assert "│ Requires -p, Min 2 nodes │" in explicit


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2h", 7200), ("4:00:00", 14400), ("90", 5400), ("30m", 1800), ("1-12:00:00", 129600), ("PT2H", 7200)],
)
def test_times_are_read_as_slurm_and_people_write_them(hpc, text, seconds):
    found = json.loads(hpc("match", "kestrel", "--walltime", text, "-f", "json").stdout)
    assert found["requirements"]["walltime_secs"] == seconds


def test_nothing_is_recommended_where_nothing_may_be_used(hpc):
    said = hpc("match", "kestrel", "--cpus", "105").stdout
    assert said.endswith(
        "None of them is for jobs without GPUs; the nearest partition, short, has 104 CPUs a node, not 105.\n"
    )
    found = json.loads(hpc("match", "kestrel", "--cpus", "129", "-f", "json").stdout)
    assert (found["matching_partitions"], found["best_partition"]) == ([], None)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("show", "nowhere"), "Unknown HPC profile: nowhere. Known are: kestrel, research"),
        (("partitions",), "No HPC profile specified and no system detected."),
        (("match", "kestrel", "--memory", "lots"), "Invalid memory format: "),
        (("match", "kestrel", "--walltime", "soon"), "Invalid walltime format: "),
        (("match", "kestrel", "--walltime", "0"), "Invalid walltime format: "),
        (("match", "kestrel", "--profile", "research"), "two profiles are given, kestrel and research; leave out one."),
        (("generate", "--name", ""), "--name is empty; leave it out"),
    ],
)
def test_a_mistake_is_one_sentence(hpc, words, sentence):
    refused = hpc(*words, code=2)
    assert sentence in refused.stderr
    assert refused.stdout == ""


def test_without_slurm_no_profile_is_generated(hpc):
    assert "there is no scontrol on PATH" in hpc("generate", code=1, TORC_FAKE_SCONTROL="/nowhere/scontrol").stderr


@pytest.fixture
def slurm(tmp_path: Path) -> dict[str, str]:
    """Programs that print what a real cluster did."""
    programs = {
        "scontrol": f"case $2 in partition) cat {SEEN}/partitions.txt;; *) echo 'ClusterName  = TestCluster';; esac",
        "sinfo": f"cat {SEEN}/nodes.txt",
    }
    for name, text in programs.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    return {f"TORC_FAKE_{name.upper()}": str(tmp_path / name) for name in programs}


@pytest.mark.parametrize("name", ["testcluster", "a.b", 'say "cluster" \x7f'])
def test_a_generated_profile_is_a_valid_configuration_that_shows_the_same(hpc, slurm, tmp_path, name):
    configuration = tmp_path / "torc.toml"
    configuration.unlink()
    words = () if name == "testcluster" else ("--name", name)
    made = json.loads(
        hpc("generate", "--account", "proj", "-o", "torc.toml", *words, "-f", "json", CLUSTER_NAME="x", **slurm).stdout
    )
    assert made["name"] == name
    assert configuration.read_text() == made["toml"] + "\n"
    subprocess.run([sys.executable, "-m", "torc", "config", "validate"], cwd=tmp_path, check=True, env=ENVIRONMENT)
    shown = json.loads(hpc("show", name, "-f", "json").stdout)
    assert shown["partitions"] == made["partitions"]
    assert (shown["display_name"], shown["default_account"]) == ("TestCluster", "proj")
    assert shown["detection"] == [{"type": "env_var", "name": "CLUSTER_NAME", "value": "x"}]
    again = hpc("generate", "-o", "torc.toml", code=2, **slurm)
    assert "cannot write torc.toml: File exists; choose a file that is not there yet." in again.stderr


def test_without_a_file_the_profile_is_printed(hpc, slurm):
    said = hpc("generate", "--name", "ours", **slurm).stdout
    assert said.startswith('[client.hpc.custom_profiles.ours]\ndisplay_name = "TestCluster"\ndetect_hostname = "^')
    assert '\n[[client.hpc.custom_profiles.ours.partitions]]\nname = "gpu"\ncpus_per_node = 8\n' in said


def test_a_cluster_without_partitions_has_no_profile(hpc, slurm, tmp_path):
    (tmp_path / "sinfo").write_text("#!/bin/sh\n")
    assert "this cluster has no partition that is up and has nodes" in hpc("generate", code=1, **slurm).stderr
