"""The contents page of the API: every operation, one line each."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import falcon

from torc.models.catalogue import FILES, LOCAL_SCHEDULERS, SLURM_SCHEDULERS
from torc.models.export import Export
from torc.models.job import JobVerb
from torc.rendezvous import BASE_PATH
from torc.server import plain
from torc.server.actions import Actions
from torc.server.allocations import Allocations
from torc.server.codec import read_object
from torc.server.drafts import Drafts
from torc.server.events import Events
from torc.server.exports import Exports
from torc.server.graph import Graph
from torc.server.groups import Groups
from torc.server.jobs import Claims, JobCommands, Jobs, JobVerbs
from torc.server.nodes import Nodes
from torc.server.openapi import Description
from torc.server.operation import Endpoint, Operation
from torc.server.operation import operation as op
from torc.server.plain import Plain
from torc.server.requirements import Requirements
from torc.server.results import Results
from torc.server.service import Service
from torc.server.stream import MEDIA_TYPE, EventStream, Streams
from torc.server.user_data import UserDataRecords
from torc.server.workflows import Lifecycle, Status, Workflows
from torc.store.database import Database
from torc.store.leases import Leases


def add_routes(
    app: "falcon.App[Any, Any]", database: Database, leases: Leases, streams: Streams, instance: str
) -> None:
    """Put every operation in place."""
    by_path: dict[str, list[Operation]] = defaultdict(list)
    for found in operations(database, leases, streams, instance):
        by_path[found.path].append(found)
    for path, found_here in by_path.items():
        app.add_route(BASE_PATH + path, Endpoint(found_here))


def operations(database: Database, leases: Leases, streams: Streams, instance: str) -> Iterator[Operation]:
    """Every operation of the API."""
    nodes, events = Nodes(database, leases), Events(database)
    yield from _workflows(database)
    yield from _graph(database)
    yield from _jobs(database, leases)
    for resource in (FILES, LOCAL_SCHEDULERS, SLURM_SCHEDULERS):
        yield from plain.operations(Plain(database, resource))
    allocations = Allocations(database)
    yield from plain.operations(allocations)
    yield op("claim_allocation_check", "POST", "/scheduled_compute_nodes/claim_check", allocations.claim_check)
    user_data = UserDataRecords(database)
    yield op("create_user_data_batch", "POST", "/bulk_user_data", user_data.create_many)
    for special in (user_data, Requirements(database), Results(database), nodes, events):
        yield from plain.operations(special)
    happened, stream = "/workflows/{workflow_id}/events", EventStream(database, streams)
    yield op("list_workflow_events", "GET", happened, events.page_of)
    yield op("stream_workflow_events", "GET", f"{happened}/stream", stream.listen, media=MEDIA_TYPE)
    exports = Exports(database, streams)
    yield op("export_workflow", "GET", "/workflows/{workflow_id}/export", exports.get, answer=Export)
    yield op("sync_compute_node", "POST", "/compute_nodes/{record_id}/sync", nodes.sync)
    yield op("renew_compute_node", "PUT", "/compute_nodes/{record_id}/renew", nodes.renew)
    yield op("release_compute_node", "PUT", "/compute_nodes/{record_id}/release", nodes.release)
    yield from _actions(database)
    yield from _drafts(database)
    yield from _service(database, instance)
    description = Description(lambda: operations(database, leases, streams, instance))
    yield op("get_openapi", "GET", "/openapi.json", description.get)


def described() -> Iterator[Operation]:
    """Every operation, for somebody who only wants to know what there is: none of them can be called."""
    nothing: Any = None
    return operations(nothing, nothing, nothing, "")


def _workflows(database: Database) -> Iterator[Operation]:
    workflows, status, lifecycle = Workflows(database), Status(database), Lifecycle(database)
    one = "/workflows/{workflow_id}"
    yield op("create_workflow", "POST", "/workflows", workflows.create)
    yield op("list_workflows", "GET", "/workflows", workflows.page)
    yield op("get_workflow", "GET", one, workflows.get)
    yield op("update_workflow", "PUT", one, workflows.update)
    yield op("delete_workflow", "DELETE", one, workflows.delete)
    yield op("get_workflow_status", "GET", f"{one}/status", status.get)
    yield op("update_workflow_status", "PUT", f"{one}/status", status.update)
    yield op("archive_workflow", "POST", f"{one}/archive", status.archive)
    yield op("is_workflow_complete", "GET", f"{one}/is_complete", status.is_complete)
    yield op("is_workflow_uninitialized", "GET", f"{one}/is_uninitialized", status.is_uninitialized)
    yield op("count_jobs", "GET", f"{one}/job_counts", status.counts)
    yield op("initialize_workflow", "POST", f"{one}/initialize", lifecycle.initialize)
    yield op("reinitialize_workflow", "POST", f"{one}/reinitialize", lifecycle.reinitialize)
    yield op("initialize_jobs", "POST", f"{one}/initialize_jobs", lifecycle.initialize_jobs, read=read_object)
    yield op("cancel_workflow", "PUT", f"{one}/cancel", lifecycle.cancel)
    yield op("reset_workflow_status", "POST", f"{one}/reset_status", lifecycle.reset_status)
    yield op("reset_job_status", "POST", f"{one}/reset_job_status", lifecycle.reset_jobs)
    yield op("list_required_existing_files", "GET", f"{one}/required_existing_files", lifecycle.required_files)
    yield op("list_missing_user_data", "GET", f"{one}/missing_user_data", lifecycle.missing_data)


def _graph(database: Database) -> Iterator[Operation]:
    graph = Graph(database)
    one = "/workflows/{workflow_id}"
    yield op("list_job_ids", "GET", f"{one}/job_ids", graph.job_ids)
    yield op("list_job_dependencies", "GET", f"{one}/job_dependencies", graph.dependencies)
    yield op("list_job_file_relationships", "GET", f"{one}/job_file_relationships", graph.files)
    yield op("list_job_user_data_relationships", "GET", f"{one}/job_user_data_relationships", graph.user_data)
    yield op("get_dot_graph", "GET", f"{one}/dot_graph/{{name}}", graph.drawing)
    yield op("get_latest_event_timestamp", "GET", f"{one}/latest_event_timestamp", graph.latest_event)
    yield op("process_changed_job_inputs", "POST", f"{one}/process_changed_job_inputs", graph.changed_inputs)
    yield op("get_ready_job_requirements", "GET", f"{one}/ready_job_requirements", graph.ready_requirements)


def _jobs(database: Database, leases: Leases) -> Iterator[Operation]:
    jobs, commands, claims = Jobs(database), JobCommands(database, leases), Claims(database, leases)
    one, workflow = "/jobs/{job_id}", "/workflows/{workflow_id}"
    yield op("create_job", "POST", "/jobs", jobs.create)
    yield op("create_jobs", "POST", "/bulk_jobs", jobs.create_many)
    yield op("list_jobs", "GET", "/jobs", jobs.page)
    yield op("delete_jobs", "DELETE", "/jobs", jobs.delete_all)
    yield op("get_job", "GET", one, jobs.get)
    yield op("explain_job", "GET", f"{one}/explain", jobs.explain)
    yield op("update_job", "PUT", one, jobs.update)
    yield op("delete_job", "DELETE", one, jobs.delete)
    yield op("start_job", "PUT", f"{one}/start_job/{{run_id}}/{{compute_node_id}}", commands.start)
    yield op("complete_job", "POST", f"{one}/complete_job/{{status}}/{{run_id}}", commands.complete)
    yield op("manage_status_change", "PUT", f"{one}/manage_status_change/{{status}}/{{run_id}}", commands.manage)
    yield op("change_job_status", "POST", f"{one}/manage_status_change", commands.change)
    verbs = JobVerbs(database, leases)
    for verb in JobVerb:
        yield op(f"{verb}_job", "POST", f"{one}/{verb}", getattr(verbs, verb))
    yield op("command_jobs", "POST", "/bulk_jobs/{verb}", verbs.several)
    yield op("delete_several_jobs", "POST", "/bulk_jobs/delete", verbs.delete_several)
    yield op("bind_jobs", "POST", "/bulk_jobs/bind", verbs.bind)
    yield op("claim_next_jobs", "POST", f"{workflow}/claim_next_jobs", claims.next)
    fitting = f"{workflow}/claim_jobs_based_on_resources/{{limit}}"
    yield op("claim_jobs_based_on_resources", "POST", fitting, claims.fitting)


def _actions(database: Database) -> Iterator[Operation]:
    actions, groups = Actions(database), Groups(database)
    all_actions, all_groups = "/workflows/{workflow_id}/actions", "/workflows/{workflow_id}/dependency_groups"
    yield op("create_workflow_action", "POST", all_actions, actions.create)
    yield op("get_workflow_actions", "GET", all_actions, actions.list_all)
    yield op("get_pending_actions", "GET", f"{all_actions}/pending", actions.pending)
    yield op("claim_action", "POST", f"{all_actions}/{{action_id}}/claim", actions.claim)
    yield op("rerun_action", "POST", "/actions/{action_id}/rerun", actions.rerun)
    yield op("create_dependency_group", "POST", all_groups, groups.create)
    yield op("list_dependency_groups", "GET", all_groups, groups.page)


def _drafts(database: Database) -> Iterator[Operation]:
    drafts = Drafts(database)
    one = "/drafts/{workflow_id}"
    yield op("create_draft", "POST", "/drafts", drafts.create)
    yield op("discard_draft", "DELETE", one, drafts.discard)
    yield op("add_to_draft", "POST", f"{one}/batches", drafts.add)
    yield op("finalize_draft", "POST", f"{one}/finalize", drafts.finalize)


def _service(database: Database, instance: str) -> Iterator[Operation]:
    service = Service(database, instance)
    yield op("ping", "GET", "/ping", service.ping)
    yield op("get_health", "GET", "/health", service.health)
    yield op("get_version", "GET", "/version", service.version)
    yield op("get_doctor", "GET", "/doctor", service.doctor)
