"""The diamond in Python: one job prepares, two work side by side, one collects.

Nothing here says which job comes first: a job that reads a file waits for the job that writes it. With a server at
TORC_API_URL (by default http://localhost:8080/torc-service/v1):

    python examples/python/diamond_workflow.py
    torc run ID
    cat output/diamond/table.txt
"""

import getpass
import os
from pathlib import Path
from shlex import quote

from torc import make_api, setup_logging
from torc.api import create_jobs
from torc.openapi_client import DefaultApi, FileModel, JobModel, ResourceRequirementsModel, WorkflowModel

TORC_API_URL = os.getenv("TORC_API_URL", "http://localhost:8080/torc-service/v1")
FOLDER = Path("output/diamond").absolute()
MEASUREMENTS = "north 12\nsouth 7\nnorth 3\neast 7\n"


def write_input() -> Path:
    """The file that is there before any job runs."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / "measurements.txt"
    path.write_text(MEASUREMENTS)
    return path


def add_file(api: DefaultApi, workflow_id: int, path: Path) -> int:
    """Declare a file; the answer is what jobs refer to it by."""
    file = api.create_file(FileModel(workflow_id=workflow_id, name=path.stem, path=str(path)))
    assert file.id is not None
    return file.id


def build_workflow(api: DefaultApi, workflow_id: int) -> None:
    """Add four jobs that hand files to each other."""
    paths = {"measurements": write_input()}
    paths |= {name: FOLDER / f"{name}.txt" for name in ("places", "values", "place_counts", "value_counts", "table")}
    files = {name: add_file(api, workflow_id, path) for name, path in paths.items()}
    text = {name: quote(str(path)) for name, path in paths.items()}
    small = api.create_resource_requirements(
        ResourceRequirementsModel(workflow_id=workflow_id, name="small", num_cpus=1, memory="100m", runtime="PT1M")
    )

    def job(name: str, command: str, reads: list[str], writes: list[str]) -> JobModel:
        return JobModel(
            workflow_id=workflow_id,
            name=name,
            command=command,
            input_file_ids=[files[each] for each in reads],
            output_file_ids=[files[each] for each in writes],
            resource_requirements_id=small.id,
        )

    split = "cut -d' ' -f1 {measurements} > {places} && cut -d' ' -f2 {measurements} > {values}"
    create_jobs(
        api,
        [
            job("preprocess", split.format(**text), ["measurements"], ["places", "values"]),
            job("work1", "sort {places} | uniq -c > {place_counts}".format(**text), ["places"], ["place_counts"]),
            job("work2", "sort -n {values} | uniq -c > {value_counts}".format(**text), ["values"], ["value_counts"]),
            job(
                "postprocess",
                "paste {place_counts} {value_counts} > {table}".format(**text),
                ["place_counts", "value_counts"],
                ["table"],
            ),
        ],
    )


def main() -> None:
    """Create the workflow, or nothing."""
    setup_logging()
    api = make_api(TORC_API_URL)
    workflow = api.create_workflow(
        WorkflowModel(name="diamond_workflow", user=getpass.getuser(), description="Count measurements in two ways")
    )
    assert workflow.id is not None
    try:
        build_workflow(api, workflow.id)
    except Exception:
        api.delete_workflow(workflow.id)
        raise
    print(f"Created workflow {workflow.id}. Run it with: torc run {workflow.id}")


if __name__ == "__main__":
    main()
