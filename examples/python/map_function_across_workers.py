"""Map a Python function to jobs: one call per set of parameters, and one that collects what they return.

Each call is a job of its own, on whatever machine has room. With a server at TORC_API_URL (by default
http://localhost:8080/torc-service/v1):

    python examples/python/map_function_across_workers.py
    torc run ID
    curl "$TORC_API_URL/user_data?workflow_id=ID&name=postprocess_result"

On a cluster, name an account with --account and the jobs can run in Slurm allocations.
"""

import argparse
import getpass
import os
from pathlib import Path

from torc import make_api, map_function_to_jobs, setup_logging
from torc.openapi_client import DefaultApi, ResourceRequirementsModel, SlurmSchedulerModel, WorkflowModel

TORC_API_URL = os.getenv("TORC_API_URL", "http://localhost:8080/torc-service/v1")
PARAMS = [{"height": 2.0, "elasticity": elasticity} for elasticity in (0.5, 0.7, 0.9)]


def build_workflow(api: DefaultApi, workflow_id: int, account: str | None) -> int:
    """Add the jobs; the answer counts them."""
    needs = api.create_resource_requirements(
        ResourceRequirementsModel(workflow_id=workflow_id, name="small", num_cpus=1, memory="200m", runtime="PT5M")
    )
    if account is not None:
        api.create_slurm_scheduler(
            SlurmSchedulerModel(workflow_id=workflow_id, name="short", account=account, nodes=1, walltime="04:00:00")
        )
    jobs = map_function_to_jobs(
        api,
        workflow_id,
        "simulation",
        "run",
        PARAMS,
        postprocess_func="postprocess",
        # Not needed for what is installed, or lies in the folder that this is called in.
        module_directory=Path(__file__).parent,
        resource_requirements_id=needs.id,
    )
    return len(jobs)


def main() -> None:
    """Create the workflow, or nothing."""
    parser = argparse.ArgumentParser(description="Create a workflow that maps a Python function to jobs.")
    parser.add_argument("--account", help="Slurm account for allocations")
    account = parser.parse_args().account
    setup_logging()
    api = make_api(TORC_API_URL)
    workflow = api.create_workflow(
        WorkflowModel(
            name="map_function_workflow",
            user=getpass.getuser(),
            description="Map a function across workers",
        )
    )
    assert workflow.id is not None
    try:
        count = build_workflow(api, workflow.id, account)
    except Exception:
        api.delete_workflow(workflow.id)
        raise
    print(f"Created workflow {workflow.id} with {count} jobs. Run it with: torc run {workflow.id}")


if __name__ == "__main__":
    main()
