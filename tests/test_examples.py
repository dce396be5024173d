"""Every example can be loaded, and does what its comment says."""

from pathlib import Path

import pytest

from torc.spec import load_document

EXAMPLES = Path(__file__).parent.parent / "examples"
FILES = sorted(path for path in (EXAMPLES / "yaml").rglob("*") if path.is_file())


def load(name: str):
    path = EXAMPLES / name
    return load_document(path.read_text(), source=path.name, user="ada")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_an_example_loads_and_says_how_to_run_it(path):
    text = path.read_text()
    assert f"bin/torc run --standalone examples/{path.relative_to(EXAMPLES)}" in text
    assert load_document(text, source=path.name, user="ada").jobs


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(EXAMPLES)))
def test_every_job_of_an_example_fits_the_smallest_machine(path):
    needs = load_document(path.read_text(), source=path.name, user="ada").resource_requirements
    assert all((record.num_cpus, record.num_gpus, record.num_nodes) == (1, 0, 1) for record in needs)


def test_the_diamond_is_held_together_by_files():
    jobs = load("yaml/diamond_workflow.yaml").jobs
    links = {job.name: (job.input_files, job.output_files) for job in jobs}
    assert links == {
        "preprocess": ([], [0, 1, 2]),
        "work1": ([1], [3]),
        "work2": ([2], [4]),
        "postprocess": ([3, 4], [5]),
    }


def test_the_sweep_has_a_hundred_jobs_that_write_a_file_each():
    document = load("yaml/hundred_jobs.yaml")
    assert [job.output_files for job in document.jobs] == [[index] for index in range(100)]


def test_the_barrier_has_two_stages_of_a_thousand():
    jobs = load("yaml/barrier.yaml").jobs
    assert len(jobs) == 2002
    assert jobs[1000].depends_on == list(range(1000))
    assert jobs[1500].depends_on == [1000]
    assert jobs[2001].depends_on == list(range(1001, 2001))
