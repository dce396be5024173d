"""What is wrong with a specification is said with its file, its place and the cure."""

# ruff: noqa: E501  # a row of the table is a line

import pytest

from torc.errors import InvalidSpec
from torc.spec import load_document

MISTAKES = [
    # text after "name: flow", then the line of the message
    ("jobs: 5", "flow.yaml:2:1: jobs: must be a list, not the number 5"),
    ("jobs: [5]", "flow.yaml:2:8: jobs[0]: must be a mapping of keys such as"),
    ("jobs: []\njob: []", 'flow.yaml:3:1: job: unknown key "job"; did you mean "jobs"?'),
    ("description: x", 'flow.yaml:1:1: document: the key "jobs" is missing; add it'),
    ("jobs:\n- name: a", 'flow.yaml:3:3: jobs[0]: the key "command" is missing; add it'),
    ("jobs: [{command: x}]", 'jobs[0]: the key "name" is missing; add it'),
    ("jobs: [{name: a, command: x, memory: 2g}]", 'jobs[0].memory: unknown key "memory"; the keys here are'),
    ("jobs: [{name: a, command: x, depend_on: [b]}]", 'jobs[0].depend_on: unknown key "depend_on"; did you mean "depends_on"?'),
    ("jobs: [{name: 12, command: x}]", "jobs[0].name: must be text, not the number 12; put it in quotes"),
    ("jobs: [{name: a, command: true}]", "jobs[0].command: must be text, not true; put it in quotes"),
    ("jobs: [{name: a, command: x, depends_on: b}]", 'depends_on: must be a list, not the text "b"; write a list, such as'),
    ("jobs: [{name: a, command: x, depends_on: [1]}]", "jobs[0].depends_on[0]: must be text, not the number 1; put it in quotes"),
    ("jobs: [{name: a, command: x, depends_on: [~]}]", "jobs[0].depends_on[0]: must be text, not nothing"),
    ("jobs: [{name: a, command: x, supports_termination: 'yes'}]", "write true or false without quotes"),
    ("jobs: [{name: a, command: x, scheduler: gpu}]\nslurm_schedulers: [{name: gpus, account: a}]", 'flow.yaml:2:30: jobs[0].scheduler: no Slurm scheduler is named "gpu"; correct or add it; did you mean "gpus"?'),
    ("jobs: [{name: a, command: x, slurm_scheduler: s}]", 'jobs[0].scheduler: no Slurm scheduler is named "s"'),
    ("jobs: [{name: a, command: x, slurm_scheduler: s, scheduler: s}]\nslurm_schedulers: [{name: s, account: a}]", "jobs[0].slurm_scheduler: is another name of scheduler, which is given too; remove one of them"),
    ("jobs: [{name: a, command: x, failure_handler: h}]", 'jobs[0].failure_handler: no failure handler is named "h"; correct or add it'),
    ("jobs: []\nslurm_schedulers: [{account: a}]", 'slurm_schedulers[0]: the key "name" is missing; add it'),
    ("jobs: []\nslurm_schedulers: [{name: s}]", 'slurm_schedulers[0]: the key "account" is missing; add it'),
    ("jobs: []\nslurm_schedulers: [{name: s, account: ' '}]", "slurm_schedulers[0].account: the account is empty"),
    ("jobs: []\nslurm_schedulers: [{name: s, account: a, nodes: 2, num_nodes: 2}]", "slurm_schedulers[0].num_nodes: is another name of nodes"),
    ("jobs: []\nslurm_schedulers: [{name: s, account: a, nodes: 0}]", "slurm_schedulers[0].nodes: must be at least 1, not 0"),
    ("jobs: []\nslurm_schedulers: [{name: s, account: a, walltime: 4 hours}]", 'slurm_schedulers[0].walltime: "4 hours" is no walltime (Invalid walltime: 4 hours); write one such as 04:00:00'),
    ("jobs: []\nslurm_schedulers: [{name: s, account: a, walltime: 60}]", "slurm_schedulers[0].walltime: must be text, not the number 60; put it in quotes"),
    ("jobs: []\nslurm_schedulers: [{name: s, account: a, mem: lots}]", 'slurm_schedulers[0].mem: "lots" is no amount of memory'),
    ('jobs: []\nslurm_schedulers: [{name: s, account: "a\\nrm -rf x"}]', "slurm_schedulers[0].account: holds a line break or control character; sbatch takes none, remove it"),
    ("jobs: []\nslurm_schedulers: [{name: s, account: a}, {name: s, account: a}]", 'slurm_schedulers[1].name: the Slurm scheduler name "s" is taken by slurm_schedulers[0]'),
    ("jobs: []\nactions: [{action_type: run_commands, commands: [x]}]", 'flow.yaml:3:11: actions[0]: the key "trigger_type" is missing; add it'),
    ("jobs: []\nactions: [{trigger_type: on_start, action_type: run_commands, commands: [x]}]", 'actions[0].trigger_type: "on_start" is not one of on_workflow_start, on_workflow_complete'),
    ("jobs: []\nactions: [{trigger_type: on_workflow_start, action_type: run_command, commands: [x]}]", 'actions[0].action_type: "run_command" is not one of run_commands, schedule_nodes; did you mean "run_commands"?'),
    ("jobs: []\nactions: [{trigger_type: on_workflow_start, action_type: run_commands}]", "actions[0]: run_commands has nothing to run; add commands"),
    ("jobs: []\nactions: [{trigger_type: on_workflow_start, action_type: run_commands, commands: [' ']}]", "actions[0].commands[0]: the command is empty"),
    ("jobs: []\nactions: [{trigger_type: on_workflow_start, action_type: run_commands, commands: [x], num_allocations: 2}]", "actions[0].num_allocations: run_commands has no use for num_allocations; remove it"),
    ("jobs: []\nslurm_schedulers: [{name: s, account: a}]\nactions: [{trigger_type: on_workflow_start, action_type: schedule_nodes, scheduler: s}]", 'actions[0]: schedule_nodes needs the key "scheduler_type"; add it: slurm'),
    ("jobs: []\nslurm_schedulers: [{name: s, account: a}]\nactions: [{trigger_type: on_workflow_start, action_type: schedule_nodes, scheduler_type: slurm}]", 'actions[0]: schedule_nodes needs the key "scheduler"; add it: the name of one of slurm_schedulers'),
    ("jobs: []\nactions: [{trigger_type: on_workflow_start, action_type: schedule_nodes, scheduler: s, scheduler_type: slurm}]", 'actions[0].scheduler: no Slurm scheduler is named "s"'),
    ("jobs: []\nslurm_schedulers: [{name: s, account: a}]\nactions: [{trigger_type: on_workflow_start, action_type: schedule_nodes, scheduler: s, scheduler_type: pbs}]", 'actions[0].scheduler_type: "pbs" is not one of slurm'),
    ("jobs: []\nslurm_schedulers: [{name: s, account: a}]\nactions: [{trigger_type: on_workflow_start, action_type: schedule_nodes, scheduler: s, scheduler_type: slurm, commands: [x]}]", "actions[0].commands: schedule_nodes has no use for commands; remove it"),
    ("jobs: []\nactions: [{trigger_type: on_jobs_ready, action_type: run_commands, commands: [x]}]", "actions[0]: on_jobs_ready needs to know which jobs; add jobs or job_name_regexes"),
    ("jobs: []\nactions: [{trigger_type: on_jobs_complete, action_type: run_commands, commands: [x], jobs: []}]", "actions[0]: names no jobs; add some"),
    ("jobs: [{name: train_1, command: x}]\nactions: [{trigger_type: on_jobs_complete, action_type: run_commands, commands: [x], jobs: [train_2]}]", 'actions[0].jobs[0]: no job is named "train_2"; correct or add it; did you mean "train_1"?'),
    ("jobs: [{name: a, command: x}]\nactions: [{trigger_type: on_jobs_complete, action_type: run_commands, commands: [x], job_name_regexes: [^b]}]", 'actions[0].job_name_regexes[0]: "^b" matches no job; correct or remove it'),
    ("jobs: [{name: a, command: x}]\nactions: [{trigger_type: on_jobs_complete, action_type: run_commands, commands: [x], job_name_regexes: ['(']}]", 'actions[0].job_name_regexes[0]: "(" is not a regular expression'),
    ("jobs: []\nfailure_handlers: [{name: s, rules: []}]", "failure_handlers[0].rules: a handler without rules handles nothing; add one"),
    ("jobs: []\nfailure_handlers: [{name: s, rules: [{max_retries: 3}]}]", "failure_handlers[0].rules[0]: matches no failure; add exit_codes"),
    ("jobs: []\nfailure_handlers: [{name: s, rules: [{causes: [om]}]}]", 'failure_handlers[0].rules[0].causes[0]: "om" is not one of exit, signal, oom, timeout'),
    ("jobs: []\nfailure_handlers: [{name: s, rules: [{signals: [TERMM]}]}]", 'failure_handlers[0].rules[0].signals[0]: "TERMM" is no signal; write a name such as TERM; did you mean "TERM"?'),
    ("jobs: []\nfailure_handlers: [{name: s, rules: [{signals: [99]}]}]", '"99" is no signal'),
    ("jobs: []\nfailure_handlers: [{name: s, rules: [{exit_codes: [300]}]}]", "failure_handlers[0].rules[0].exit_codes[0]: must be at most 255, not 300"),
    ("jobs: []\nfailure_handlers: [{name: s, rules: [{exit_codes: [0]}]}]", "exit_codes[0]: must be at least 1, not 0"),
    ("jobs: []\nfailure_handlers: [{name: s, rules: [{exit_codes: [1], max_retries: -1}]}]", "failure_handlers[0].rules[0].max_retries: must be at least 0, not -1"),
    ("jobs: []\nfailure_handlers: [{name: s, rules: [{exit_codes: [1], memory_factor: 0.5}]}]", "failure_handlers[0].rules[0].memory_factor: must be at least 1"),
    ("jobs: []\njobs_sort_method: fast", 'jobs_sort_method: "fast" is not one of gpus_runtime_memory, gpus_memory_runtime, none'),
    ("jobs: []\njobs_sort_method: none\njob_sort_method: none", "flow.yaml:4:1: job_sort_method: is another name of"),
    ("jobs: []\nuser: ' '", "flow.yaml:3:1: user: the user is empty; write one or leave it out"),
    ("jobs: []\ncompute_node_wait_for_new_jobs_seconds: -1", "must be at least 0, not -1"),
    ("jobs: []\ncompute_node_wait_for_new_jobs_seconds: 1.5", "must be a whole number, not the number 1.5"),
    ("jobs: []\nresource_monitor: {granularity: fine}", 'resource_monitor.granularity: "fine" is not one of summary, time_series'),
    ("jobs: []\nresource_monitor: {sample_interval_seconds: 0}", "sample_interval_seconds: must be at least 1, not 0"),
    ("jobs: []\nresource_monitor: {interval: 0}", 'resource_monitor.interval: unknown key "interval"'),
    ("jobs: []\nresource_requirements: [{name: r, num_cpus: 0}]", "resource_requirements[0].num_cpus: must be at least 1, not 0"),
    ("jobs: []\nresource_requirements: [{name: r, num_cpus: -4}]", "must be at least 1, not -4"),
    ("jobs: []\nresource_requirements: [{name: r, num_cpus: '4'}]", "must be a whole number, not the text \"4\"; write the number"),
    ("jobs: []\nresource_requirements: [{name: r, num_cpus: 4294967296}]", "must be at most 2147483647"),
    ("jobs: []\nresource_requirements: [{name: r, num_gpus: -1}]", "num_gpus: must be at least 0, not -1"),
    ("jobs: []\nresource_requirements: [{name: r, memory: 2gb}]", 'resource_requirements[0].memory: "2gb" is no amount of memory (Invalid memory unit: b); write one such as'),
    ("jobs: []\nresource_requirements: [{name: r, memory: 2}]", "memory: must be text, not the number 2; put it in quotes"),
    ("jobs: []\nresource_requirements: [{name: r, runtime: '04:00:00'}]", 'runtime: "04:00:00" is no duration (Invalid ISO 8601'),
    ("jobs: []\nresource_requirements: [{name: r, runtime: PT1.5H}]", "write one such as PT30M, PT1H30M or P2D"),
    ("jobs: [{name: a, command: x, resource_requirements: {memory: x}}]", 'jobs[0].resource_requirements.memory: "x" is no amount'),
    ("jobs: [{name: a, command: x, resource_requirements: {cpus: 1}}]", 'jobs[0].resource_requirements.cpus: unknown key "cpus"; did you mean "num_cpus"?'),
    ("jobs: [{name: a, command: x, resource_requirements: smal}]\nresource_requirements: [{name: small}]", 'jobs[0].resource_requirements: no resource requirement is named "smal"; correct or add it; did you mean "small"?'),
    ("jobs: [{name: a, command: x}, {name: a, command: y}]", 'jobs[1].name: the job name "a" is taken by jobs[0]; rename one of them'),
    ("jobs: [{name: 'a_{i:.0f}', command: x, parameters: {i: [1.1, 1.2]}}]", 'several combinations of parameters make a job named "a_1"'),
    ("jobs: []\nfiles: [{name: f, path: p}, {name: f, path: q}]", 'files[1].name: the file name "f" is taken by files[0]'),
    ("jobs: []\nuser_data: [{name: u}, {name: u}]", 'user_data[1].name: the user data record name "u" is taken'),
    ("jobs: []\nuser_data: [{data: 1}]", 'user_data[0]: the key "name" is missing'),
    ("jobs: []\nresource_requirements: [{name: r}, {name: r}]", 'resource_requirements[1].name: the resource requirement name "r" is taken'),
    ("jobs: [{name: ' ', command: x}]", "jobs[0].name: a job needs a name that is not empty"),
    ("jobs: [{name: a, command: ' '}]", 'jobs[0].command: the command of job "a" is empty; write what it runs'),
    ('jobs: [{name: a, command: "x\\0y"}]', "jobs[0].command: holds a NUL character"),
    ("jobs: []\nfiles: [{name: f, path: ''}]", 'files[0].path: the path of file "f" is empty'),
    ("jobs: [{name: train, command: x}, {name: b, command: x, depends_on: [trian]}]", 'jobs[1].depends_on[0]: no job is named "trian"; correct or add it; did you mean "train"?'),
    ("jobs: [{name: b, command: x, depends_on: ['a_{i}']}]", 'no job is named "a_{i}"; no parameter of this entry fills in its braces'),
    ("jobs: [{name: b, command: x, input_files: [f]}]", 'jobs[0].input_files[0]: no file is named "f"'),
    ("jobs: [{name: b, command: x, output_user_data: [u]}]", 'jobs[0].output_user_data[0]: no user data record is named "u"'),
    ("jobs: [{name: b, command: x, depends_on_regexes: [q]}]", 'jobs[0].depends_on_regexes[0]: "q" matches no job; correct or remove it'),
    ("jobs: [{name: b, command: x, depends_on_regexes: [b]}]", '"b" matches only the job that waits for it'),
    ("jobs: [{name: b, command: x, depends_on_regexes: ['(']}]", '"(" is not a regular expression: missing ), unterminated subpattern'),
    ("jobs: [{name: b, command: x, input_file_regexes: [q]}]", 'jobs[0].input_file_regexes[0]: "q" matches no file'),
    ("jobs: [{name: b, command: 'x ${files.input.f}'}]", 'jobs[0].command: no file is named "f"'),
    ("jobs: [{name: b, command: 'x ${files.f}'}]", "jobs[0].command: cannot read ${files.f}; write ${files.input.NAME} or .output.NAME"),
    ("jobs: [{name: b, command: 'x ${user_data.inputs.f}'}]", "cannot read ${user_data.inputs.f}; write ${user_data.input.NAME}"),
    ("jobs: [{name: b, command: x, invocation_script: '${user_data_json.input.f}'}]", 'jobs[0].invocation_script: no user data record is named "f"'),
    ("jobs: [{name: 'a_{j}', command: x, parameters: {i: 1}}]", "jobs[0].name: {j} in the name stands for no parameter of this entry; declare it"),
    ("parameters: {i: '1:3'}\njobs: [{name: 'a_{i}', command: x}]", "jobs[0].name: {i} in the name stands for no parameter of this entry; declare it under parameters or use_parameters"),
    ("parameters: {lr: 1}\njobs: [{name: a, command: x, use_parameters: [lrr]}]", 'jobs[0].use_parameters[0]: no parameter of the workflow is named "lrr"; correct it or declare it there; did you mean "lr"?'),
    ("jobs: [{name: a, command: 'x {i}', parameters: {i: '1:3'}}]", "jobs[0].command: varies with {i}, but the name does not"),
    ("jobs: [{name: 'a_{i}', command: x, parameters: {i: '5:1'}}]", "jobs[0].parameters.i: parameter \"i\" runs the wrong way in '5:1'"),
    ("parameters: {i: '1:2:3:4'}\njobs: []", "flow.yaml:2:14: parameters.i: parameter \"i\" cannot read '1:2:3:4' as a range"),
    ("jobs: [{name: 'a_{i}', command: x, parameters: {i: []}}]", 'parameters.i: parameter "i" has no values; list at least one'),
    ("jobs: [{name: a, command: x, parameters: {'i j': 1}}]", '"i j" cannot be used as {i j}; use letters'),
    ("jobs: [{name: 'a_{i:03d}', command: x, parameters: {i: [x]}}]", "jobs[0].name: the format in {i:03d} does not fit the value x"),
    ("jobs: [{name: 'a_{i:9999d}', command: x, parameters: {i: 1}}]", "the format in {i:9999d} is wider than 999 characters"),
    ("jobs: [{name: 'a_{i}_{j}', command: x, parameters: {i: '1:9999', j: '1:9999'}}]", "expands to 99,980,001 combinations, more than 5,000,000; use fewer values"),
    ("jobs: [{name: 'a_{i}_{j}', command: x, parameters: {i: [1, 2], j: [1]}, parameter_mode: zip}]", "jobs[0].parameter_mode: zip needs lists of one length, but i has 2, j has 1"),
    ("jobs: [{name: a, command: x, parameter_mode: zap}]", 'jobs[0].parameter_mode: "zap" is not one of product, zip; did you mean "zip"?'),
    ("jobs: []\nuser_data: [{name: u, data: 'x{i}', parameters: {i: [1, 2]}}]", "user_data[0].data: varies with {i}, but the name does not"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line"), MISTAKES, ids=[text[:60] for text, _ in MISTAKES])
def test_a_mistake_is_refused_with_place_and_cure(refusal, text, line):
    message = refusal(f"name: flow\n{text}\n")
    assert message.startswith("flow.yaml:")
    assert line in message
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", "flow.yaml: document: must be a mapping of keys such as name, not nothing"),
        ("hello", 'flow.yaml:1:1: document: must be a mapping of keys such as name, not the text "hello"'),
        ("name: ' '\njobs: []", "flow.yaml:1:1: name: the name is empty; write one"),
        ("jobs: []", 'flow.yaml:1:1: document: the key "name" is missing; add it'),
    ],
)
def test_a_document_that_is_no_workflow_is_refused(refusal, text, line):
    assert refusal(text) == line


def test_all_mistakes_are_reported_in_the_order_of_their_lines(refusal):
    message = refusal(
        """name: flow
jobs:
  - name: a
    comand: x
  - name: b
    command: x
    depends_on: [1]
files:
  - path: 7
colour: red
"""
    )
    assert [line.split(": ")[:2] for line in message.splitlines()] == [
        ["flow.yaml:3:5", "jobs[0]"],
        ["flow.yaml:4:5", "jobs[0].comand"],
        ["flow.yaml:7:18", "jobs[1].depends_on[0]"],
        ["flow.yaml:9:5", "files[0]"],
        ["flow.yaml:9:5", "files[0].path"],
        ["flow.yaml:10:1", "colour"],
    ]


def test_mistakes_after_expansion_are_reported_together_too(refusal):
    message = refusal(
        """name: flow
jobs:
  - {name: a, command: x, depends_on: [q], resource_requirements: {memory: 1x}}
  - {name: a, command: "${files.input.f}"}
"""
    )
    assert [line.split(": ")[1] for line in message.splitlines()] == [
        "jobs[0].depends_on[0]",
        "jobs[0].resource_requirements.memory",
        "jobs[1].name",
        "jobs[1].command",
    ]


def test_one_template_that_is_wrong_in_many_jobs_does_not_flood(refusal):
    message = refusal(
        """name: flow
jobs:
  - {name: "a_{i}", command: x, depends_on: ["b_{i}"], parameters: {i: "1:20000"}}
"""
    )
    lines = message.splitlines()
    assert len(lines) == 4
    assert lines[-1] == "flow.yaml: 19997 more like these are not shown"


def test_json_mistakes_have_lines_too():
    text = '{\n  "name": "f",\n  "jobs": [\n    {"name": "a", "command": 5}\n  ]\n}'
    with pytest.raises(InvalidSpec) as refused:
        load_document(text, source="f.json", user="u")
    assert refused.value.message == "f.json:4:19: jobs[0].command: must be text, not the number 5; put it in quotes"


def test_a_mistake_in_merged_keys_is_placed_where_they_are_merged(refusal):
    text = "name: f\nbase: &b {cmd: x}\njobs:\n  - <<: *b\n    name: a\n    command: x\n"
    assert 'flow.yaml:4:5: jobs[0].cmd: unknown key "cmd"' in refusal(text)


def test_control_characters_in_a_mistake_stay_on_its_line(refusal):
    message = refusal('name: f\njobs: [{name: a, command: x, depends_on: ["b\\n\\e[31m"]}]')
    assert message == r'flow.yaml:2:43: jobs[0].depends_on[0]: no job is named "b\n\x1b[31m"; correct or add it'


def test_mistakes_of_every_kind_are_reported_together(refusal):
    message = refusal(
        """name: flow
jobs:
  - {name: first, comand: x}
  - {name: 5, command: x, depends_on: first}
  - {name: "sweep_{i}", command: x, memory: 2g, parameters: {i: "1:3"}}
  - {name: good, command: x, depends_on: [first, "5", sweep_2, sweep_4]}
  - {name: bad, command: x, input_files: [f, g], resource_requirements: big}
files:
  - {name: f}
resource_requirements:
  - {name: small, memory: 2gb}
actions:
  - {trigger_type: never, action_type: run_commands}
"""
    )
    assert [line.removeprefix("flow.yaml:") for line in message.splitlines()] == [
        '3:5: jobs[0]: the key "command" is missing; add it',
        '3:19: jobs[0].comand: unknown key "comand"; did you mean "command"?',
        "4:6: jobs[1].name: must be text, not the number 5; put it in quotes",
        '4:27: jobs[1].depends_on: must be a list, not the text "first"; write a list, such as [name]',
        '5:37: jobs[2].memory: unknown key "memory"; the keys here are '
        + message.partition("the keys here are ")[2].partition("\n")[0],
        '6:64: jobs[3].depends_on[3]: no job is named "sweep_4"; correct or add it; did you mean "sweep_3"?',
        '7:46: jobs[4].input_files[1]: no file is named "g"; correct or add it',
        '7:50: jobs[4].resource_requirements: no resource requirement is named "big"; correct or add it',
        '9:5: files[0]: the key "path" is missing; add it',
        '11:19: resource_requirements[0].memory: "2gb" is no amount of memory (Invalid memory unit: b); write one such as 512m, 2g or 1.5t',
        '13:6: actions[0].trigger_type: "never" is not one of on_workflow_start, on_workflow_complete, on_jobs_ready, on_jobs_complete, on_worker_start, on_worker_complete',
    ]


def test_a_mistake_at_the_top_hides_what_may_only_follow_from_it(refusal):
    message = refusal("name: flow\njobs: [{name: a, command: x, input_files: [f]}]\nfiels: [{name: f, path: p}]\n")
    assert message == 'flow.yaml:3:1: fiels: unknown key "fiels"; did you mean "files"?'
