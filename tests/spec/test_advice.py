"""Warnings: said where something is probably not meant, and silent about what is."""

# ruff: noqa: E501  # a row of the table is a line

import textwrap

import pytest

from torc.spec import check

JOB = "jobs: [{name: a, command: x}]"
SMALL = "slurm_schedulers: [{name: s, account: a, walltime: '01:00:00', mem: 8G}]\n"
TWO = "slurm_schedulers: [{name: s, account: a, mem: 8G}, {name: t, account: a, mem: 16G, nodes: 2}]\n"


def warned(text, *, skip_checks=False):
    """The warnings of a text that has no mistake."""
    found = check(f"name: flow\n{textwrap.dedent(text)}\n", source="flow.yaml", user="ada", skip_checks=skip_checks)
    assert found.errors == []
    return found.warnings


def needing(needs, scheduler=None):
    """A job with requirements, bound to a scheduler or not."""
    bound = f", scheduler: {scheduler}" if scheduler else ""
    return f"resource_requirements: [{{name: r, {needs}}}]\njobs: [{{name: a, command: x, resource_requirements: r{bound}}}]"


WARNINGS = [
    # nothing uses it
    (JOB + "\nfiles: [{name: f, path: p}]", 'flow.yaml:3:9: files[0]: nothing uses file "f"'),
    (JOB + "\nfiles: [{name: 'f{i}', path: 'p{i}', parameters: {i: '1:5'}}]", 'files[0]: nothing uses file "f1", "f2", "f3" and 2 more'),
    (JOB + "\nuser_data: [{name: u}]", 'user_data[0]: nothing uses user data record "u"'),
    (JOB + "\nresource_requirements: [{name: default}]", 'nothing uses resource requirement "default"'),
    (JOB + "\nslurm_schedulers: [{name: s, account: a}]", 'nothing uses Slurm scheduler "s"'),
    (JOB + "\nfailure_handlers: [{name: h, rules: [{causes: [oom]}]}]", 'nothing uses failure handler "h"'),
    (JOB + "\nparameters: {lr: [1, 2]}", 'flow.yaml:3:14: parameters.lr: nothing uses the parameter "lr"; list it under use_parameters where it is meant, or remove it'),
    ("parameters: {lr: [1, 2]}\njobs: [{name: 'a{lr}', command: x, parameters: {lr: 3}}]", 'nothing uses the parameter "lr"'),
    ("jobs: [{name: a, command: x, parameters: {i: '1:9'}}]", 'jobs[0]: the parameter "i" changes nothing here; write {i} where it belongs, or remove it'),
    ("parameters: {i: '1:3', j: '1:3'}\njobs: [{name: 'a{i}', command: x, use_parameters: [i, j]}]", 'the parameter "j" changes nothing here'),
    (JOB[:-1] + ", {name: b, command: x, input_files: [f]}]\nfiles: [{name: f, path: p, parameters: {i: 1}}]", 'files[0]: the parameter "i" changes nothing here'),
    ("jobs: [{name: a, command: x, input_user_data: [u]}]\nuser_data: [{name: u, data: 1, parameters: {i: 1}}]", 'user_data[0]: the parameter "i" changes nothing here'),
    ("parameters: {lr: '1:3'}\njobs: [{name: 'a{lr}', command: x, use_parameters: [lr]}, {name: b, command: 'echo {lr:.2f}'}]", "flow.yaml:3:69: jobs[1].command: {lr} stays as it is; list lr under use_parameters if the parameter is meant"),
    (JOB + "\nactions: [{trigger_type: on_workflow_start, action_type: run_commands, commands: [x], jobs: [a]}]", "actions[0]: on_workflow_start does not look at jobs; remove jobs and job_name_regexes"),
    # memory
    (needing("memory: '512'"), 'resource_requirements[0].memory: "512" is read as bytes; write a unit, such as 512m'),
    ("jobs: [{name: a, command: x, resource_requirements: {memory: '512'}}]", 'jobs[0].resource_requirements.memory: "512" is read as bytes'),
    # what fits nowhere
    (SMALL + needing("runtime: PT2H", "s"), '1 job(s) with the requirements "r" fit into no allocation of their scheduler ("s": its runtime PT2H is longer than the walltime 01:00:00)'),
    (SMALL + needing("memory: 9g", "s"), '("s": it needs 9g of memory, a node has 8G)'),
    (SMALL + needing("num_nodes: 2", "s"), '("s": it needs 2 nodes, an allocation has 1)'),
    (SMALL + needing("num_gpus: 1", "s"), '("s": it needs 1 GPU(s), gres gives none)'),
    ("slurm_schedulers: [{name: s, account: a, gres: 'gpu:h100:2'}]\n" + needing("num_gpus: 4", "s"), '("s": it needs 4 GPU(s), gres gives gpu:h100:2)'),
    (TWO + "jobs_sort_method: none\n" + needing("memory: 17g"), '1 job(s) with the requirements "r" fit into no allocation of any scheduler ("s": it needs 17g of memory, a node has 8G; "t": it needs 17g of memory, a node has 16G)'),
    (TWO + "jobs_sort_method: none\n" + needing("memory: 9g, num_nodes: 3"), '("s": it needs 3 nodes, an allocation has 1; "t": it needs 3 nodes, an allocation has 2)'),
    (SMALL + "jobs: [{name: a, command: x, resource_requirements: {memory: 9g}}]", "jobs[0].resource_requirements: 1 job(s) with these requirements fit into no allocation of any scheduler"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line"), WARNINGS, ids=[line[-50:] for _, line in WARNINGS])
def test_what_is_hardly_meant_is_warned_of(text, line):
    # A scheduler that no job names is no use either; that is another row.
    others = {'nothing uses Slurm scheduler "s"', 'nothing uses Slurm scheduler "t"'} - {line}
    warnings = [warning for warning in warned(text) if not any(warning.endswith(other) for other in others)]
    assert len(warnings) == 1
    assert line in warnings[0]


NAMED = """
slurm_schedulers: [{{name: s, account: a, {0}}}, {{name: t, account: a, {1}}}]
jobs: [{{name: a, command: x, scheduler: s}}, {{name: b, command: x{2}}}, {{name: c, command: x, scheduler: t}}]
"""


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        ("mem: 8G", "mem: 16G", "memory (mem)"),
        ("gres: 'gpu:1'", "qos: q", "GPUs (gres)"),
        ("walltime: '1:00:00', partition: p", "walltime: '2:00:00', partition: q", "walltime, partition"),
        ("gres: 'gpu:1', mem: 1G", "walltime: 2h, partition: p", "GPUs (gres), memory (mem), walltime, partition"),
    ],
)
def test_jobs_that_may_land_on_unequal_schedulers_are_warned_of(first, second, words):
    (warning,) = warned(NAMED.format(first, second, ""))
    assert f"slurm_schedulers: the 2 schedulers differ in {words}, but 1 job(s) name no scheduler" in warning
    assert "set jobs_sort_method to gpus_memory_runtime or none, or name a scheduler in each job" in warning


@pytest.mark.parametrize(
    "text",
    [
        NAMED.format("mem: 8G", "mem: 16G", ", scheduler: t"),
        NAMED.format("mem: 8G", "mem: 16G", "") + "jobs_sort_method: gpus_runtime_memory",
        NAMED.format("mem: 8G", "mem: 16G", "") + "job_sort_method: none",
        NAMED.format("qos: high", "qos: low", ""),
        NAMED.format("mem: 8G, walltime: 2h", "mem: 8192M, walltime: '02:00:00'", ""),
        NAMED.format("mem: 8G", "mem: 8g", ""),
    ],
)
def test_schedulers_that_do_not_differ_or_are_chosen_are_no_reason_to_warn(text):
    assert warned(text) == []


SCHEDULE = "{trigger_type: on_workflow_start, action_type: schedule_nodes, scheduler_type: slurm"

SENSIBLE = {
    "an output that nobody reads": "files: [{name: f, path: p}]\njobs: [{name: a, command: 'x > ${files.output.f}'}]",
    "a file found by regex": "files: [{name: f, path: p}]\njobs: [{name: a, command: x, input_file_regexes: ['.']}]",
    "a file in an invocation script": "files: [{name: f, path: p}]\njobs: [{name: a, command: x, invocation_script: '${files.input.f}'}]",
    "user data for a job": "user_data: [{name: u, data: 1}]\njobs: [{name: a, command: 'x ${user_data_json.input.u}'}]",
    "a scheduler that an action names": SMALL + JOB + "\nactions: [" + SCHEDULE + ", scheduler: s}]",
    "a scheduler that a job names": SMALL + "jobs: [{name: a, command: x, scheduler: s}]",
    "a job that just fits": SMALL + needing("memory: 8g, runtime: PT1H", "s"),
    "a job that fits one of two schedulers": TWO + "jobs_sort_method: none\n" + needing("memory: 16g") + f"\nactions: [{SCHEDULE}, scheduler: s}}, {SCHEDULE}, scheduler: t}}]",
    "a node with all its memory": "slurm_schedulers: [{name: s, account: a, mem: '0'}]\n" + needing("memory: 900g", "s"),
    "memory of a node in megabytes": "slurm_schedulers: [{name: s, account: a, mem: '8192'}]\n" + needing("memory: 8g", "s"),
    "no limit of time": "slurm_schedulers: [{name: s, account: a, walltime: '0'}]\n" + needing("runtime: P9D", "s"),
    "GPUs of a type": "slurm_schedulers: [{name: s, account: a, gres: 'gpu:h100:2,nvme:1'}]\n" + needing("num_gpus: 2", "s"),
    "GPUs of two types": "slurm_schedulers: [{name: s, account: a, gres: 'gpu:a:1,gpu:b'}]\n" + needing("num_gpus: 2", "s"),
    "GPUs by another option": "slurm_schedulers: [{name: s, account: a, extra: '--exclusive --gpus-per-node=4'}]\n" + needing("num_gpus: 4", "s"),
    "a parameter that only a list shows": "jobs: [{name: 'a{i}', command: x, parameters: {i: '1:2'}}, {name: b, command: x, depends_on: ['a{i}'], parameters: {i: '1:2'}}]",
    "a parameter that only the command shows": "jobs: [{name: a, command: 'x {size}', parameters: {size: 4}}]",
    "a shared parameter that one entry has for itself": "parameters: {lr: [1, 2]}\njobs: [{name: 'a{lr}', command: x, use_parameters: [lr]}, {name: 'b{lr}', command: x, parameters: {lr: 3}}]",
    "memory with a unit": needing("memory: 512m"),
}  # fmt: skip


@pytest.mark.parametrize("text", SENSIBLE.values(), ids=SENSIBLE)
def test_what_is_sensible_is_not_warned_of(text):
    assert warned(text) == []


WIDE = """
slurm_schedulers: [{name: wide, account: a, nodes: 4}]
resource_requirements: [{name: one}, {name: four, num_nodes: 4}]
jobs: [{name: a, command: x, scheduler: wide, resource_requirements: one}%s]
actions: [{trigger_type: on_workflow_start, action_type: schedule_nodes, scheduler: wide, scheduler_type: slurm%s}]
"""
IDLE = (
    'actions[0]: an allocation of the scheduler "wide" has 4 nodes, but no job that names it needs num_nodes: 4;'
    " say so in their requirements, or set start_one_worker_per_node: true to run a worker on each node"
)


def test_nodes_that_no_job_spans_are_refused_unless_checks_are_skipped():
    text = "name: flow\n" + (WIDE % ("", "")).replace(", {name: four, num_nodes: 4}", "")
    refused = check(text, source="flow.yaml", user="ada")
    assert (refused.document, refused.errors) == (None, [f"flow.yaml:6:11: {IDLE}"])
    taken = check(text, source="flow.yaml", user="ada", skip_checks=True)
    assert taken.document is not None
    assert (taken.errors, taken.warnings) == ([], [f"flow.yaml:6:11: {IDLE}"])


@pytest.mark.parametrize(
    "parts",
    [
        (", {name: b, command: x, scheduler: wide, resource_requirements: four}", ""),
        (", {name: b, command: x, resource_requirements: four}", ", start_one_worker_per_node: true"),
    ],
)
def test_nodes_that_a_job_spans_or_that_have_workers_of_their_own_are_fine(parts):
    assert warned(WIDE % parts) == []


def test_nodes_for_whichever_jobs_come_are_fine():
    text = (WIDE % ("", "")).replace("scheduler: wide, resource_requirements: one", "resource_requirements: four")
    assert warned(text.replace("{name: one}, ", "")) == []


def test_a_text_of_user_data_is_looked_at_once_and_not_for_every_record():
    text = """
    parameters: {lr: "1:3"}
    jobs: [{name: "a{lr}", command: x, use_parameters: [lr], input_user_data_regexes: ["."]}]
    user_data: [{name: "u{i}", data: ["{i} {lr}", {n: "{i}"}], parameters: {i: "1:9"}}]
    """
    assert warned(text) == [
        "flow.yaml:5:28: user_data[0].data: {lr} stays as it is; list lr under use_parameters if the parameter is meant"
    ]
