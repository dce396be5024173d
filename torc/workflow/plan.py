"""The execution plan of a workflow: the stages it runs through, and the nodes that are requested meanwhile."""

from torc.models.draft import DraftAction, DraftDocument
from torc.models.plan import Allocation, ExecutionPlan, PlanEvent, PlanStage
from torc.spec.load import garbage_collection_paused
from torc.workflow.plan_events import START_DESCRIPTION, Events, describe
from torc.workflow.waves import Waves


@garbage_collection_paused()
def make_plan(document: DraftDocument, workflow_id: int | None = None) -> ExecutionPlan:
    """Plan a workflow; with a ``workflow_id`` it is one that is stored.

    The plan's size is in proportion to the document's. Raises InvalidSpec when jobs wait for each other in a circle.
    """
    waves = Waves(document)
    events = Events(waves)
    by_stage = events.by_stage()
    stages = make_stages(waves, events, by_stage)
    other = place_allocations(document, waves, events, stages)
    found = [event for of_one in by_stage for event in of_one]
    return ExecutionPlan(
        source="spec_file" if workflow_id is None else "database",
        workflow_id=workflow_id,
        workflow_name=document.workflow.name,
        workflow_description=document.workflow.description,
        total_events=len(found),
        total_jobs=len(waves.names),
        total_stages=len(stages),
        independent_subworkflows=waves.count_parts(),
        root_events=[event.id for event in found if not event.depends_on_events],
        leaf_events=[event.id for event in found if not event.unlocks_events],
        events=found,
        stages=stages,
        other_allocations=other,
    )


def make_stages(waves: Waves, events: Events, by_stage: list[list[PlanEvent]]) -> list[PlanStage]:
    """The stages, without allocations. A stage begins when the jobs of the one before that it waits for complete."""
    jobs: list[list[int]] = [[] for _ in by_stage]
    for job, wave in enumerate(waves.wave_of):
        jobs[waves.waves[wave].stage - 1].append(job)
    triggers = find_triggers(waves, len(by_stage))
    return [
        PlanStage(
            stage=number,
            trigger_description=describe(events.names(sorted(trigger)), len(trigger)) if trigger else START_DESCRIPTION,
            events=[event.id for event in of_one],
            scheduler_allocations=[],
            jobs_becoming_ready=events.names(ready),
        )
        for number, (of_one, ready, trigger) in enumerate(zip(by_stage, jobs, triggers, strict=True), 1)
    ]


def find_triggers(waves: Waves, stages: int) -> list[set[int]]:
    """For each stage the jobs of the one before that somebody in it waits for; none for the first.

    What is older has completed by then. Leaving it out keeps this in proportion when many stages wait for one set.
    """
    triggers: list[set[int]] = [set() for _ in range(stages)]
    waited_for: list[set[int]] = [set() for _ in range(stages)]
    for wave in waves.waves:
        waited_for[wave.stage - 1].update(wave.sets)
        triggers[wave.stage - 1].update(job for job in wave.singles if waves.stage_of(job) == wave.stage - 1)
    for stage, sets in enumerate(waited_for):
        for number in sets:
            if waves.sets[number].stage == stage:
                members = waves.sets[number].members
                triggers[stage].update(job for job in members if waves.stage_of(job) == stage)
    return triggers


def place_allocations(
    document: DraftDocument, waves: Waves, events: Events, stages: list[PlanStage]
) -> list[Allocation]:
    """Add what actions request to the stages and events in which they fire; return what fires in none of them."""
    others = []
    for action in document.actions:
        if action.action_type != "schedule_nodes":
            continue
        allocation = allocation_of(action, document, events)
        place = place_of(action, waves, events, len(stages))
        if place is None:
            others.append(allocation)
        else:
            stage, event = place
            stages[stage - 1].scheduler_allocations.append(allocation)
            event.scheduler_allocations.append(allocation)
    return others


def allocation_of(action: DraftAction, document: DraftDocument, events: Events) -> Allocation:
    """What an action requests, in the words of a plan."""
    config = action.action_config
    scheduler_type = str(config.get("scheduler_type") or "slurm")
    name = None if action.scheduler is None else document.slurm_schedulers[action.scheduler].name
    return Allocation(
        scheduler=name or f"{scheduler_type}_scheduler",
        scheduler_type=scheduler_type,
        num_allocations=config.get("num_allocations") or 1,
        trigger_type=action.trigger_type,
        job_names=events.names(action.jobs or ()),
    )


def place_of(action: DraftAction, waves: Waves, events: Events, stages: int) -> tuple[int, PlanEvent] | None:
    """The stage, and the event in it, in which an action fires; None when that is in no stage.

    Actions that watch jobs fire once: when the last of them is ready, or has completed.
    """
    if action.trigger_type == "on_workflow_start":
        return 1, events.of_wave[0]
    if not action.jobs or action.trigger_type not in ("on_jobs_ready", "on_jobs_complete"):
        return None
    last = max(action.jobs, key=lambda job: (waves.stage_of(job), job))
    stage = waves.stage_of(last)
    if action.trigger_type == "on_jobs_ready":
        return stage, events.of_wave[waves.wave_of[last]]
    if stage == stages:
        return None
    following = [number for number in events.in_order if waves.waves[number].stage == stage + 1]
    waiting = (number for number in following if waves.waits_for(waves.waves[number], last))
    return stage + 1, events.of_wave[next(waiting, following[0])]
