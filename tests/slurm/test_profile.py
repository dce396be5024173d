"""The profile that is made of a real cluster is one that commands take, and Slurm accepts what it says."""

from tests.slurm.conftest import Site


def test_a_cluster_is_its_own_profile(site: Site) -> None:
    site.torc("hpc", "generate", "--account", "testacct", "-o", "torc.toml")
    site.torc("config", "validate")
    found = site.document("hpc", "detect")
    assert (found["detected"], found["name"]) == (True, "testcluster")
    partitions = site.document("hpc", "partitions")
    assert {part["name"] for part in partitions} == {"debug", "standard", "gpu", "bigmem"}
    assert [part["name"] for part in partitions if part["gpus_per_node"]] == ["standard", "gpu"]


def test_slurm_accepts_what_matches_and_refuses_what_does_not(site: Site) -> None:
    site.torc("hpc", "generate", "-o", "torc.toml")
    for cpus, memory_mb, gpus, fits in (
        (8, 16000, 0, True),
        (1, 60000, 0, True),
        (1, 500, 2, True),
        (9, 500, 0, False),
    ):
        best = site.document("hpc", "match", f"--cpus={cpus}", f"--memory={memory_mb}", f"--gpus={gpus}")[
            "best_partition"
        ]
        partition = [f"--partition={best['name']}"] if best and best["requires_explicit_request"] else []
        wanted = [f"--cpus-per-task={cpus}", f"--mem={memory_mb}", f"--gpus={gpus}", "--time=60", "--account=testacct"]
        assert bool(best) == fits
        site.run("sbatch", "--test-only", *partition, *wanted, "--wrap=true", code=0 if fits else 1)
