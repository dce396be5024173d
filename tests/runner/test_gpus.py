"""Which GPU devices a runner may give out, by what the drivers' programs, variables and Slurm say."""

import time
from pathlib import Path

import pytest

from torc.runner import gpus
from torc.runner.gpus import Devices

NVIDIA_SMI = "GPU 0: NVIDIA H100 (UUID: GPU-aa)\nGPU 1: NVIDIA H100 (UUID: GPU-bb)\nGPU 2: NVIDIA H100 (UUID: GPU-cc)\n"
WITH_MIG = (
    "GPU 0: NVIDIA A100 (UUID: GPU-aa)\n"
    "  MIG 4g.20gb     Device  0: (UUID: MIG-a0)\n"
    "  MIG 2g.10gb     Device  1: (UUID: MIG-a1)\n"
    "GPU 1: NVIDIA A100 (UUID: GPU-bb)\n"
)
ROCM_SMI = (
    "WARNING: AMD GPU device(s) is/are in a low-power state\n"
    '{"card1": {"Device Name": "MI300X", "GUID": "5656"}, "card2": {"GUID": "30617"}, "system": {"Driver": "6.7"}}\n'
)
OLD_ROCM_SMI = "=== ROCm System Management Interface ===\nGPU[0]\t\t: GPU ID: 0x66af\nGPU[1]\t\t: GPU ID: 0x66af\n"
XPU_SMI = "Device ID\n0\n1\n"


class Programs:
    """A folder with the drivers' programs, and an environment in which there are no others."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, name: str, script: str) -> None:
        program = self._folder / name
        program.write_text(f"#!/bin/bash\n{script}\n")
        program.chmod(0o755)

    def listing(self, name: str, text: str) -> None:
        (self._folder / f"{name}.txt").write_text(text)
        self.write(name, f"exec /bin/cat {self._folder}/{name}.txt")

    def find(self, **variables: str) -> Devices:
        return gpus.find({"PATH": str(self._folder), **variables})


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    return Programs(tmp_path)


@pytest.mark.parametrize(
    ("program", "listing", "found"),
    [
        ("nvidia-smi", NVIDIA_SMI, Devices("cuda", ("0", "1", "2"))),
        ("nvidia-smi", WITH_MIG, Devices("cuda", ("MIG-a0", "MIG-a1", "GPU-bb"))),
        ("nvidia-smi", "No devices were found\n", Devices()),
        ("rocm-smi", ROCM_SMI, Devices("rocm", ("0", "1"))),
        ("rocm-smi", OLD_ROCM_SMI, Devices("rocm", ("0", "1"))),
        ("rocm-smi", "{}\n", Devices()),
        ("xpu-smi", XPU_SMI, Devices("level_zero", ("0", "1"))),
        ("xpu-smi", "No device discovered\n", Devices()),
    ],
)
def test_devices_are_what_the_driver_lists(programs: Programs, program: str, listing: str, found: Devices) -> None:
    programs.listing(program, listing)
    assert programs.find() == found


def test_without_any_driver_there_are_no_devices(programs: Programs) -> None:
    assert programs.find() == Devices()


def test_the_next_driver_is_asked_when_one_has_no_devices(programs: Programs) -> None:
    programs.listing("nvidia-smi", "No devices were found\n")
    programs.listing("rocm-smi", ROCM_SMI)
    assert programs.find().kind == "rocm"


@pytest.mark.parametrize(
    "script", ["echo 'GPU 0: half an answer (UUID: GPU-aa)'; exit 9", "kill -9 $$", "printf '\\xff'"]
)
def test_a_driver_that_fails_has_no_devices(programs: Programs, script: str) -> None:
    programs.write("nvidia-smi", script)
    assert programs.find() == Devices()


def test_a_program_that_cannot_be_executed_has_no_devices(programs: Programs, tmp_path: Path) -> None:
    (tmp_path / "nvidia-smi").write_bytes(b"\x7fELF")
    (tmp_path / "nvidia-smi").chmod(0o755)
    assert programs.find() == Devices()


def test_a_driver_that_hangs_is_given_up(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpus, "LISTING_TIMEOUT_S", 0.2)
    programs.write("nvidia-smi", "exec /bin/sleep 60")
    started = time.monotonic()
    assert programs.find() == Devices()
    assert time.monotonic() - started < 30


@pytest.mark.parametrize(
    ("visible", "ids"),
    [
        ("1", ("1",)),
        ("2,0", ("2", "0")),
        ("1, 1", ("1",)),
        ("GPU-bb,GPU-cc", ("GPU-bb", "GPU-cc")),
        ("0,7,1", ("0",)),  # the runtime stops at the first that is not there
        ("0,-1,1", ("0",)),
        ("", ()),
        ("NoDevFiles", ()),
        ("-1", ()),
    ],
)
def test_a_variable_limits_what_is_ours(programs: Programs, visible: str, ids: tuple[str, ...]) -> None:
    programs.listing("nvidia-smi", NVIDIA_SMI)
    assert programs.find(CUDA_VISIBLE_DEVICES=visible).ids == ids


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        ({"CUDA_VISIBLE_DEVICES": "3,4"}, Devices("cuda", ("3", "4"))),
        ({"CUDA_VISIBLE_DEVICES": "MIG-a0"}, Devices("cuda", ("MIG-a0",))),
        ({"ROCR_VISIBLE_DEVICES": "1"}, Devices("rocm", ("1",))),
        ({"HIP_VISIBLE_DEVICES": "2"}, Devices("rocm", ("2",))),
        ({"ROCR_VISIBLE_DEVICES": "1", "HIP_VISIBLE_DEVICES": "0"}, Devices("rocm", ("1",))),
        ({"ZE_AFFINITY_MASK": "0.0,0.1"}, Devices("level_zero", ("0.0", "0.1"))),
        ({"CUDA_VISIBLE_DEVICES": "", "ROCR_VISIBLE_DEVICES": "1"}, Devices("rocm", ("1",))),
    ],
)
def test_a_variable_is_believed_where_no_program_lists(
    programs: Programs, variables: dict[str, str], found: Devices
) -> None:
    assert programs.find(**variables) == found


def test_an_empty_mask_of_level_zero_hides_nothing(programs: Programs) -> None:
    programs.listing("xpu-smi", XPU_SMI)
    assert programs.find(ZE_AFFINITY_MASK="").ids == ("0", "1")


def test_a_program_that_obeys_the_variable_is_asked_without_it(programs: Programs) -> None:
    programs.write("xpu-smi", "printf 'Device ID\\n0\\n'; [ -n \"$ZE_AFFINITY_MASK\" ] || printf '1\\n'")
    assert programs.find(ZE_AFFINITY_MASK="1").ids == ("1",)


@pytest.mark.parametrize(
    ("variables", "ids"),
    [
        ({"SLURM_JOB_ID": "5", "SLURM_JOB_GPUS": "1"}, ("1",)),
        ({"SLURM_JOB_ID": "5", "SLURM_JOB_GPUS": "0-1"}, ("0", "1")),
        ({"SLURM_JOB_ID": "5", "SLURM_JOB_GPUS": "0,1", "SLURM_STEP_GPUS": "1"}, ("1",)),
        ({"SLURM_JOB_ID": "5", "SLURM_JOB_GPUS": ""}, ()),
        ({"SLURM_JOB_ID": "5"}, ()),
        # Slurm hides the others: the three that are listed are those it counts as 4, 5 and 7
        ({"SLURM_JOB_ID": "5", "SLURM_JOB_GPUS": "4-5,7"}, ("0", "1", "2")),
        ({"SLURM_JOB_ID": "5", "SLURM_JOB_GPUS": "4,5", "CUDA_VISIBLE_DEVICES": "0,1"}, ("0", "1")),
        ({"SLURM_JOB_ID": "5", "SLURM_JOB_GPUS": "0", "CUDA_VISIBLE_DEVICES": ""}, ()),
    ],
)
def test_in_a_slurm_job_only_what_it_was_granted_is_ours(
    programs: Programs, variables: dict[str, str], ids: tuple[str, ...]
) -> None:
    programs.listing("nvidia-smi", NVIDIA_SMI)
    assert programs.find(**variables).ids == ids


def test_what_slurm_grants_is_believed_where_no_program_lists(programs: Programs) -> None:
    assert programs.find(SLURM_JOB_ID="5", SLURM_JOB_GPUS="2,5-6") == Devices("assumed", ("2", "5", "6"))


@pytest.mark.parametrize(
    ("found", "num_gpus", "used"),
    [
        (Devices("cuda", ("2", "5")), None, Devices("cuda", ("2", "5"))),
        (Devices("cuda", ("2", "5")), 1, Devices("cuda", ("2",))),
        (Devices("cuda", ("2", "5")), 0, Devices("cuda", ())),
        (Devices("cuda", ("2", "5")), 3, Devices("cuda", ("0", "1", "2"))),
        (Devices(), 2, Devices("assumed", ("0", "1"))),
        (Devices(), None, Devices()),
    ],
)
def test_the_user_says_how_many_are_used(found: Devices, num_gpus: int | None, used: Devices) -> None:
    assert found.limited_to(num_gpus) == used


@pytest.mark.parametrize(
    ("devices", "granted", "variables"),
    [
        (Devices("cuda", ("0", "1")), ["1"], {"CUDA_VISIBLE_DEVICES": "1"}),
        (Devices("cuda", ("0", "1")), [], {"CUDA_VISIBLE_DEVICES": ""}),
        (Devices("cuda", ("MIG-a", "MIG-b")), ["MIG-a"], {"CUDA_VISIBLE_DEVICES": "MIG-a"}),
        (Devices("rocm", ("2", "3")), ["2", "3"], {"ROCR_VISIBLE_DEVICES": "2,3", "HIP_VISIBLE_DEVICES": "0,1"}),
        (Devices("rocm", ("2", "3")), [], {"ROCR_VISIBLE_DEVICES": "", "HIP_VISIBLE_DEVICES": ""}),
        (Devices("level_zero", ("0", "1")), ["1"], {"ZE_AFFINITY_MASK": "1"}),
        (Devices("level_zero", ("0", "1")), [], {"ZE_AFFINITY_MASK": "65535"}),
        (Devices(), [], {}),
    ],
)
def test_a_job_sees_its_own_devices_and_no_others(
    devices: Devices, granted: list[str], variables: dict[str, str]
) -> None:
    assert devices.environment(granted) == variables


def test_assumed_devices_are_named_to_every_runtime() -> None:
    assert Devices("assumed", ("0", "1")).environment(["1"]) == {
        "CUDA_VISIBLE_DEVICES": "1",
        "ROCR_VISIBLE_DEVICES": "1",
        "HIP_VISIBLE_DEVICES": "0",
        "ZE_AFFINITY_MASK": "1",
    }


def test_a_runner_inside_a_job_has_what_the_job_was_given(programs: Programs) -> None:
    programs.listing("nvidia-smi", NVIDIA_SMI)
    outer = programs.find()
    assert programs.find(**outer.environment(["1", "2"])).ids == ("1", "2")
    assert programs.find(**outer.environment([])).ids == ()


def test_a_runner_inside_a_job_without_devices_has_none_either(programs: Programs) -> None:
    assert programs.find(**Devices("assumed", ("0", "1")).environment([])) == Devices()
