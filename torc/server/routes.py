"""The contents page of the API: every path, one line each."""

from typing import Any

import falcon

from torc.models.catalogue import COMPUTE_NODES as NODES
from torc.models.catalogue import FILES, REQUIREMENTS, RESULTS, USER_DATA
from torc.rendezvous import BASE_PATH
from torc.server.actions import Actions
from torc.server.drafts import Drafts
from torc.server.events import Events
from torc.server.groups import Groups
from torc.server.jobs import Claims, JobCommands, Jobs
from torc.server.nodes import Node, Nodes
from torc.server.plain import Collection, Item
from torc.server.requirements import Requirement, Requirements
from torc.server.results import Results
from torc.server.service import Service
from torc.server.workflows import Lifecycle, Status, Workflows
from torc.store.database import Database
from torc.store.leases import Leases


def add_routes(app: "falcon.App[Any, Any]", database: Database, leases: Leases, instance: str) -> None:
    """Put every endpoint in place."""

    def route(path: str, resource: object, suffix: str | None = None) -> None:
        app.add_route(BASE_PATH + path, resource, suffix=suffix)

    for plain in (FILES, USER_DATA):
        route(f"/{plain.path}", Collection(database, plain))
        route(f"/{plain.path}/{{record_id:id}}", Item(database, plain))
    route(f"/{REQUIREMENTS.path}", Requirements(database, REQUIREMENTS))
    route(f"/{REQUIREMENTS.path}/{{record_id:id}}", Requirement(database, REQUIREMENTS))

    route(f"/{RESULTS.path}", Results(database))
    route(f"/{RESULTS.path}/{{record_id:id}}", Item(database, RESULTS))
    events = Events(database)
    route("/events", events)
    route("/events/{record_id:id}", events, "item")

    node = Node(database, leases)
    route(f"/{NODES.path}", Nodes(database, leases))
    route(f"/{NODES.path}/{{record_id:id}}", Item(database, NODES))
    route(f"/{NODES.path}/{{record_id:id}}/sync", node, "sync")
    route(f"/{NODES.path}/{{record_id:id}}/renew", node, "renew")
    route(f"/{NODES.path}/{{record_id:id}}/release", node, "release")

    jobs, commands, claims = Jobs(database), JobCommands(database), Claims(database, leases)
    route("/jobs", jobs)
    route("/bulk_jobs", jobs, "bulk")
    route("/jobs/{job_id:id}", jobs, "item")
    route("/jobs/{job_id:id}/start_job/{run_id:id}/{compute_node_id:id}", commands, "start")
    route("/jobs/{job_id:id}/complete_job/{status}/{run_id:id}", commands, "complete")
    route("/jobs/{job_id:id}/manage_status_change/{status}/{run_id:id}", commands, "manage")

    workflows, status, lifecycle = Workflows(database), Status(database), Lifecycle(database)
    one = "/workflows/{workflow_id:id}"
    route("/workflows", workflows)
    route(one, workflows, "item")
    route(f"{one}/status", status)
    route(f"{one}/is_complete", status, "complete")
    route(f"{one}/is_uninitialized", status, "uninitialized")
    route(f"{one}/job_counts", status, "counts")
    route(f"{one}/initialize", lifecycle, "initialize")
    route(f"{one}/initialize_jobs", lifecycle, "initialize_jobs")
    route(f"{one}/cancel", lifecycle, "cancel")
    route(f"{one}/reset_status", lifecycle, "reset_status")
    route(f"{one}/reset_job_status", lifecycle, "reset_jobs")
    route(f"{one}/required_existing_files", lifecycle, "required_files")
    route(f"{one}/missing_user_data", lifecycle, "missing_data")
    route(f"{one}/claim_next_jobs", claims, "next")
    route(f"{one}/claim_jobs_based_on_resources/{{limit}}", claims, "fitting")

    actions = Actions(database)
    route(f"{one}/actions", actions)
    route(f"{one}/actions/pending", actions, "pending")
    route(f"{one}/actions/{{action_id:id}}/claim", actions, "claim")
    route(f"{one}/dependency_groups", Groups(database))

    drafts = Drafts(database)
    route("/drafts", drafts)
    route("/drafts/{workflow_id:id}", drafts, "item")
    route("/drafts/{workflow_id:id}/batches", drafts, "batch")
    route("/drafts/{workflow_id:id}/finalize", drafts, "finalize")

    service = Service(database, instance)
    route("/ping", service, "ping")
    route("/version", service, "version")
    route("/doctor", service, "doctor")
