"""A run on this machine: everything that takes part in it, put together and taken apart again."""

import os
from contextlib import ExitStack

from torc.client.api import Client
from torc.models.workflow import Workflow
from torc.runner import gpus
from torc.runner.actions import ActionRunner
from torc.runner.capacity import THIS_NODE, Capacity
from torc.runner.cgroups import JobCgroups
from torc.runner.clock import Clock
from torc.runner.contact import Contact
from torc.runner.ending import Outcome, Progress
from torc.runner.events import BATCH_SIGNALS, Inbox, OverMemory, signals_as_events
from torc.runner.ledger import Key
from torc.runner.loop import Loop
from torc.runner.monitor import Monitor, settings_of
from torc.runner.node import (
    RunOptions,
    job_environment,
    lock_node,
    make_folders,
    open_spool,
    prepare_folders,
    register,
    resources,
)
from torc.runner.processes import node_mark
from torc.runner.samples import SampleFile, file_path
from torc.runner.span import Span
from torc.runner.takeover import take_over, take_over_from
from torc.runner.watch import Watch
from torc.runner.work import Work

__all__ = ["Outcome", "Progress", "RunOptions", "make_folders", "run_workflow"]


def run_workflow(client: Client, workflow_id: int, options: RunOptions, progress: Progress) -> Outcome:
    """Run the jobs of a workflow here until there is nothing left to do.

    Call it in the main thread: it takes the process's signals until it returns. Raises what the server refuses, and
    ServerAway as long as there is nothing to lose. Whatever happens, no job is left running.
    """
    workflow = client.workflows.get(workflow_id)
    place = options.place
    devices = gpus.find(os.environ).part(*place.gpu_part).limited_to(options.num_gpus)
    total = resources(options, workflow, devices)
    environment = job_environment(client, workflow_id)
    with ExitStack() as stack:
        launcher, spool_folder = prepare_folders(options.output_dir, workflow_id, environment)
        stack.callback(launcher.close)
        node = register(client, workflow_id, place, total, spool_folder)
        launcher.node_mark = node_mark(node.database_id, node.id)
        launcher.oom_score_adj = options.oom_score_adj
        spool = open_spool(spool_folder, node)
        lock = lock_node(node, spool.path)
        take_over(client, node, progress.note)
        for predecessor in place.predecessors:
            take_over_from(client, node, predecessor, progress.note)

        inbox = stack.enter_context(signals_as_events(BATCH_SIGNALS if place.is_batch else ()))
        contact = Contact(client, node.id or 0, inbox)
        stack.callback(contact.close)
        watch = _watch(options, workflow, client.workflows.status(workflow_id).run_id, inbox)
        stack.callback(watch.close)
        nodes = place.nodes or (THIS_NODE,)
        capacity = Capacity(total, slots=options.max_parallel_jobs, gpu_ids=devices.ids, nodes=nodes)
        span = Span(place, num_cpus=total.num_cpus, folder=spool_folder / "bin")
        actions = ActionRunner(
            options.output_dir,
            workflow_id,
            environment,
            node_id=node.id or 0,
            node_mark=launcher.node_mark,
            asks_for_nodes=options.asks_for_nodes,
            note=progress.note,
        )
        stack.callback(actions.bury)
        work = Work(
            capacity=capacity,
            launcher=launcher,
            gpus=devices,
            span=span,
            watch=watch,
            spool=spool,
            progress=progress,
        )
        stack.callback(work.bury_all)
        clock = Clock(options, buffer_s=workflow.compute_node_expiration_buffer_seconds)
        loop = Loop(contact, work, actions, node, workflow, progress, inbox, clock, place)
        outcome = loop.run()
        # What is left stays for a successor on this machine, which finds it by the lock that nobody holds.
        closed = outcome.kind != "server_away" and loop.say_farewell()
        spool.close(discard=closed)
        if lock:
            lock.release(gone=closed)
        return outcome


def _watch(options: RunOptions, workflow: Workflow, run_id: int, inbox: Inbox) -> Watch:
    """What the workflow wants to know of its jobs, and the limits this runner shall keep them to."""
    settings = settings_of(workflow.resource_monitor_config)
    file = None
    if settings.enabled and settings.granularity == "time_series":
        file = SampleFile(file_path(options.output_dir, workflow_id=workflow.id or 0, run_id=run_id))

    def over_memory(key: Key, used_bytes: int) -> None:
        inbox.put(OverMemory(key, used_bytes))

    monitor = None
    if settings.enabled or options.enforce_memory:
        monitor = Monitor(settings, on_memory=over_memory if options.enforce_memory else None, file=file)
    return Watch(
        monitor,
        enforce_runtime=options.enforce_runtime,
        cgroups=JobCgroups.open() if options.enforce_memory else None,
    )
