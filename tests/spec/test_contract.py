"""The contract of workflow specifications, row by row.

A row has a text and either what becomes of it or the sentence that refuses it. "Ours" marks where we decided
otherwise than the contract records. Not repeated here: parameter values (test_values.py), formats (test_formats.py,
test_json5.py, test_kdl.py), and the rows of test_mistakes.py, test_actions.py, test_schedulers.py and test_advice.py.
"""

# ruff: noqa: E501  # a row of a table is a line

from operator import attrgetter

import pytest

from torc.errors import InvalidSpec
from torc.models.draft import DraftFile, DraftRequirements, DraftUserData
from torc.spec import load_document

JOB = "jobs: [{name: a, command: x}]\n"

# Section 1.0: decoding.

REFUSED = {
    "1.0 ours: an unknown key at the top": (JOB + "local_schedulers: []", 'unknown key "local_schedulers"'),
    "1.0 ours: in jobs": ("jobs: [{name: a, command: x, priority: 1}]", 'unknown key "priority"'),
    "1.0 ours: status is the server's": ("jobs: [{name: a, command: x, status: ready}]", 'unknown key "status"'),
    "1.0 ours: in files": (JOB + "files: [{name: f, path: p, size: 1}]", 'unknown key "size"'),
    "1.0 ours: in user_data": (JOB + "user_data: [{name: u, value: 1}]", 'unknown key "value"; '),
    "1.0 ours: in resource_requirements": (JOB + "resource_requirements: [{name: r, cpus: 1}]", 'unknown key "cpus"; did you mean "num_cpus"?'),
    "1.0 ours: in slurm_schedulers": (JOB + "slurm_schedulers: [{name: s, account: a, time: x}]", 'unknown key "time"'),
    "1.0 ours: in resource_monitor": (JOB + "resource_monitor: {plots: true}", 'unknown key "plots"'),
    "1.0 in actions": (JOB + "actions: [{trigger_type: on_workflow_start, action_type: run_commands, commands: [x], foo: 1}]", 'unknown key "foo"'),
    "1.0 in failure_handlers": (JOB + "failure_handlers: [{name: h, rules: [{code: 1}]}]", 'unknown key "code"'),
    "1.0 texts are texts": ("jobs: [{name: a, command: 5}]", "jobs[0].command: must be text, not the number 5; put it in quotes"),
    "1.0 no text: true": (JOB + "description: true", "description: must be text, not true"),
    "1.0 no text: a list": ("jobs: [{name: [a], command: x}]", "jobs[0].name: must be text, not a list"),
    "1.0 integers: 4.0": (JOB + "resource_requirements: [{name: r, num_cpus: 4.0}]", "num_cpus: must be a whole number, not the number 4.0"),
    "1.0 integers: 1e2": (JOB + "resource_requirements: [{name: r, num_cpus: 1e2}]", "num_cpus: must be a whole number, not the number 100.0"),
    "1.0 integers: text": (JOB + "slurm_schedulers: [{name: s, account: a, nodes: '4'}]", 'nodes: must be a whole number, not the text "4"'),
    "1.0 ours: negative integers": (JOB + "compute_node_expiration_buffer_seconds: -1", "must be at least 0, not -1"),
    "1.0 booleans: text": (JOB + "compute_node_ignore_workflow_completion: 'yes'", 'must be true or false, not the text "yes"'),
    "1.0 YAML's yes is text": (JOB + "compute_node_ignore_workflow_completion: yes", 'must be true or false, not the text "yes"'),
    "1.0 a scalar is no list": ("jobs: [{name: a, command: x, output_files: f}]", 'output_files: must be a list, not the text "f"'),
    "1.0 a mapping is no list": ("jobs: {name: a, command: x}", "jobs: must be a list, not a mapping"),
    "1.0 null is no text": ("jobs: [{name: a, command: ~}]", 'the key "command" is missing'),
    "1.0 ours: a key given twice": (JOB + "user: a\nuser: b", 'the key "user" is given twice'),
    # 1.1 to 1.8: what is required
    "1.1 name": ("description: x", 'the key "jobs" is missing'),
    "1.2 command": ("jobs: [{name: a}]", 'jobs[0]: the key "command" is missing'),
    "1.3 path": (JOB + "files: [{name: f}]", 'files[0]: the key "path" is missing'),
    "1.4 ours: a name for user data": (JOB + "user_data: [{data: 1}]", 'user_data[0]: the key "name" is missing'),
    "1.5 name": (JOB + "resource_requirements: [{num_cpus: 1}]", 'resource_requirements[0]: the key "name" is missing'),
    "1.6 ours: a name for schedulers": (JOB + "slurm_schedulers: [{account: a}]", 'slurm_schedulers[0]: the key "name" is missing'),
    "1.6 account": (JOB + "slurm_schedulers: [{name: s}]", 'slurm_schedulers[0]: the key "account" is missing'),
    "1.8 trigger": (JOB + "actions: [{action_type: run_commands, commands: [x]}]", 'actions[0]: the key "trigger_type" is missing'),
    "1.8 type": (JOB + "actions: [{trigger_type: on_workflow_start, commands: [x]}]", 'actions[0]: the key "action_type" is missing'),
    "1.8 ours: another trigger never fires": (JOB + "actions: [{trigger_type: on_job_ready, action_type: run_commands, commands: [x]}]", 'did you mean "on_jobs_ready"?'),
    "1.8 no templates in actions": ("jobs: [{name: 't_{i}', command: x, parameters: {i: '1:2'}}]\nactions: [{trigger_type: on_jobs_ready, action_type: run_commands, commands: [x], jobs: ['t_{i}']}]", 'no job is named "t_{i}"'),
    "1.8 ours: references to files belong to jobs": (JOB + "files: [{name: f, path: p}]\nactions: [{trigger_type: on_workflow_start, action_type: run_commands, commands: ['x ${files.input.f}']}]", "actions[0].commands[0]: ${files.input.f} means something in jobs alone"),
    # Section 3
    "3 ours: a mode that is none": ("jobs: [{name: a, command: x, parameter_mode: Zip}]", '"Zip" is not one of product, zip'),
    "3.1 ours: an empty range": ("jobs: [{name: 'a{i}', command: x, parameters: {i: '5:1'}}]", "runs the wrong way"),
    "3.1 ours: no values": ("jobs: [{name: 'a{i}', command: x, parameters: {i: '[]'}}]", "has no values; list at least one"),
    "3.1 four parts": ("jobs: [{name: 'a{i}', command: x, parameters: {i: '1:2:3:4'}}]", "jobs[0].parameters.i: parameter \"i\" cannot read '1:2:3:4' as a range"),
    "3.1 no numbers": ("jobs: [{name: 'a{i}', command: x, parameters: {i: 'http://x'}}]", "put a text with a colon in quotes"),
    "3.1 step 0": (JOB + "files: [{name: 'f{i}', path: p, parameters: {i: '1:2:0'}}]", "files[0].parameters.i: parameter \"i\" has the step 0"),
    "3.3 ours: a format that does not fit": ("jobs: [{name: 'a{i:.2d}', command: x, parameters: {i: 1}}]", "the format in {i:.2d} does not fit the value 1"),
    "3.3 ours: d on a text": ("jobs: [{name: 'a{i:03d}', command: x, parameters: {i: x}}]", "the format in {i:03d} does not fit the value x"),
    "3.3 ours: d on a float": ("jobs: [{name: 'a{i:03d}', command: x, parameters: {i: 1.5}}]", "the format in {i:03d} does not fit the value 1.5"),
    "3.4 ours: unknown use_parameters": ("parameters: {i: 1}\njobs: [{name: a, command: x, use_parameters: [j]}]", 'no parameter of the workflow is named "j"'),
    "3.4 zip of unequal lists": ("jobs: [{name: 'a{i}{j}', command: x, parameters: {i: '1:2', j: '1:3'}, parameter_mode: zip}]", "zip needs lists of one length, but i has 2, j has 3"),
    "3.4 workflow parameters are not inherited": ("parameters: {i: '1:2'}\njobs: [{name: 'a{i}', command: x}]", "{i} in the name stands for no parameter of this entry"),
    "3.8 placeholders of others": ("jobs: [{name: 'a{i}', command: x, depends_on: ['b{j}'], parameters: {i: 1}}]", 'no job is named "b{j}"; no parameter of this entry fills in its braces'),
    "3.9 jobs": ("jobs: [{name: 'a{i}', command: x, parameters: {i: [1, 1]}}]", 'several combinations of parameters make a job named "a1"'),
    "3.9 files": (JOB + "files: [{name: f, path: p}, {name: f, path: p}]", 'the file name "f" is taken by files[0]'),
    "3.9 user data": (JOB + "user_data: [{name: u}, {name: u}]", 'the user data record name "u" is taken by user_data[0]'),
    "3.9 requirements": (JOB + "resource_requirements: [{name: r}, {name: r}]", 'name "r" is taken by resource_requirements[0]'),
    "3.9 schedulers": (JOB + "slurm_schedulers: [{name: s, account: a}, {name: s, account: a}]", 'name "s" is taken by slurm_schedulers[0]'),
    "3.9 failure handlers": (JOB + "failure_handlers: [{name: h, rules: [{causes: [oom]}]}, {name: h, rules: [{causes: [oom]}]}]", 'name "h" is taken by failure_handlers[0]'),
    # Section 4
    "4 ours: an unknown file": ("jobs: [{name: a, command: 'x ${files.output.f}'}]", 'jobs[0].command: no file is named "f"'),
    "4 ours: unknown user data": ("jobs: [{name: a, command: 'x ${user_data.output.u}'}]", 'jobs[0].command: no user data record is named "u"'),
    # Section 5
    "5 an unknown job": ("jobs: [{name: a, command: x, depends_on: [q]}]", 'jobs[0].depends_on[0]: no job is named "q"'),
    "5 a regex that is none": ("jobs: [{name: a, command: x, input_file_regexes: ['(']}]", 'jobs[0].input_file_regexes[0]: "(" is not a regular expression'),
    "5 no job matches": ("jobs: [{name: a, command: x, depends_on_regexes: [q]}]", '"q" matches no job'),
    "5 no file matches": ("jobs: [{name: a, command: x, output_file_regexes: [q]}]", 'jobs[0].output_file_regexes[0]: "q" matches no file'),
    "5 no user data matches": ("jobs: [{name: a, command: x, input_user_data_regexes: [q]}]", 'jobs[0].input_user_data_regexes[0]: "q" matches no user data record'),
    "5 none matches for output": ("jobs: [{name: a, command: x, output_user_data_regexes: [q]}]", 'jobs[0].output_user_data_regexes[0]: "q" matches no user data record'),
    "5 an unknown file by name": ("jobs: [{name: a, command: x, output_files: [q]}]", 'jobs[0].output_files[0]: no file is named "q"'),
    "5 unknown user data by name": ("jobs: [{name: a, command: x, input_user_data: [q]}]", 'jobs[0].input_user_data[0]: no user data record is named "q"'),
    "5 unknown requirements": ("jobs: [{name: a, command: x, resource_requirements: q}]", 'jobs[0].resource_requirements: no resource requirement is named "q"'),
    "5 an unknown scheduler": ("jobs: [{name: a, command: x, scheduler: q}]", 'jobs[0].scheduler: no Slurm scheduler is named "q"'),
    "5 a job that waits for itself": ("jobs: [{name: a, command: x, depends_on: [a]}]", "job waits for itself: a -> a"),
    "5 a circle": ("jobs: [{name: a, command: x, depends_on: [b]}, {name: b, command: x, depends_on: [a]}]", "jobs wait for each other: a -> b -> a"),
    "5 ours: a circle through files": ("files: [{name: f, path: p}, {name: g, path: q}]\njobs: [{name: a, command: x, input_files: [f], output_files: [g]}, {name: b, command: x, input_files: [g], output_files: [f]}]", "jobs wait for each other: a -> b -> a"),
    "5 ours: reading what one writes": ("user_data: [{name: u}]\njobs: [{name: a, command: x, input_user_data: [u], output_user_data: [u]}]", 'job waits for itself: a -> a (through "u")'),
    # Section 6
    "6.1 no scheduler": (JOB + "actions: [{trigger_type: on_workflow_start, action_type: schedule_nodes, scheduler_type: slurm}]", 'schedule_nodes needs the key "scheduler"'),
    "6.1 an unknown scheduler": (JOB + "actions: [{trigger_type: on_workflow_start, action_type: schedule_nodes, scheduler_type: slurm, scheduler: q}]", 'actions[0].scheduler: no Slurm scheduler is named "q"'),
    "6.2 an unknown job in an action": (JOB + "actions: [{trigger_type: on_jobs_ready, action_type: run_commands, commands: [x], jobs: [q]}]", 'actions[0].jobs[0]: no job is named "q"'),
    "6.2 ours: a regex of an action that matches nothing": (JOB + "actions: [{trigger_type: on_jobs_ready, action_type: run_commands, commands: [x], job_name_regexes: [q]}]", 'actions[0].job_name_regexes[0]: "q" matches no job'),
    "6.2 memory": (JOB + "resource_requirements: [{name: r, memory: 1gb}]", '"1gb" is no amount of memory'),
    "6.2 runtime": (JOB + "resource_requirements: [{name: r, runtime: 1h}]", '"1h" is no duration'),
}  # fmt: skip


@pytest.mark.parametrize(("text", "sentence"), REFUSED.values(), ids=REFUSED)
def test_a_row_of_the_contract_is_refused_in_one_line(text, sentence):
    with pytest.raises(InvalidSpec) as refused:
        load_document(f"name: flow\n{text}\n", source="flow.yaml", user="ada")
    (line,) = refused.value.message.split("\n")
    assert sentence in line


PAIR = "jobs: [{name: a1, command: x}, {name: a2, command: x}, {name: b, command: x, %s}]"
FILES = "files: [{name: f1, path: p1}, {name: f2, path: p2}]\n"
DATA = "user_data: [{name: u1}, {name: u2}]\n"
SWEEP = "jobs: [{name: '%s', command: x, parameters: {i: %s}}]"
NAMES = "jobs[*].name"

TAKEN = {
    # what is asked of the document, and the answer; [*] is every item
    "1.0 empty lists": ("jobs: []\nfiles: []\nactions: []", "jobs", []),
    "1.0 null in optional places": ("jobs: [{name: a, command: x, invocation_script: ~, depends_on: ~}]", "jobs[*].invocation_script", [None]),
    "1.0 ours: null where there is a default": (JOB + "resource_requirements: [{name: r, num_gpus: ~, runtime: ~}]", "resource_requirements", [DraftRequirements(name="r", runtime="PT1H")]),
    "1.0 ours: parameters may be numbers and lists": ("jobs: [{name: 'a{i}{j}', command: x, parameters: {i: 5, j: [1, b]}}]", NAMES, ["a51", "a5b"]),
    "1.1 ours: the user of the text": (JOB + "user: bob", "workflow.user", "bob"),
    "1.1 the user at the keyboard": (JOB, "workflow.user", "ada"),
    "1.2 every flag": ("jobs: [{name: a, command: x, cancel_on_blocking_job_failure: false, supports_termination: true}]", "jobs[*].supports_termination", [True]),
    "1.3 ours: a time of modification": (JOB + "files: [{name: f, path: p, st_mtime: 5}]", "files", [DraftFile(name="f", path="p", st_mtime=5)]),
    "1.4 any JSON": (JOB + "user_data: [{name: u, is_ephemeral: true, data: {a: [1, null]}}]", "user_data", [DraftUserData(name="u", is_ephemeral=True, data={"a": [1, None]})]),
    "1.4 no data": (JOB + "user_data: [{name: u}]", "user_data", [DraftUserData(name="u")]),
    "1.4 ours: parameters": (JOB + "user_data: [{name: 'u{i}', data: '{i}', parameters: {i: '1:2'}}]", "user_data[*].data", ["1", "2"]),
    "1.5 ours: only a name": (JOB + "resource_requirements: [{name: r}]", "resource_requirements", [DraftRequirements(name="r", num_cpus=1, num_gpus=0, num_nodes=1, memory="1m", runtime="PT1H")]),
    "1.7 ours: empty means enabled": (JOB + "resource_monitor: {}", "workflow.resource_monitor_config", '{"enabled":true,"granularity":"summary","sample_interval_seconds":5,"generate_plots":false}'),
    # 3.2 text forms
    "3.2 1.0": (SWEEP % ("a{i}", "['1.0']"), NAMES, ["a1.0"]),
    "3.2 a float without its zero": (SWEEP % ("a{i}", "'[1.0,1e5,1e-5]'"), NAMES, ["a1", "a100000", "a0.00001"]),
    "3.2 ours: no noise": (SWEEP % ("a{i}", "'0.0:0.3:0.1'"), NAMES, ["a0", "a0.1", "a0.2", "a0.3"]),
    "3.2 a text as it is": (SWEEP % ("a{i}", "\"['001', b c]\""), NAMES, ["a001", "ab c"]),
    # 3.3 formats
    "3.3 zeros": (SWEEP % ("a{i:03d}", "'5:6'"), NAMES, ["a005", "a006"]),
    "3.3 the sign counts": (SWEEP % ("a{i:03d}", "-5"), NAMES, ["a-05"]),
    "3.3 decimals, ties to even": (SWEEP % ("a{i:.2f}", "[0.125, 0.375]"), NAMES, ["a0.12", "a0.38"]),
    "3.3 ours: decimals of a whole number": (SWEEP % ("a{i:.2f}", "[1]"), NAMES, ["a1.00"]),
    "3.3 ours: powers": (SWEEP % ("a{i:.2e}", "[0.001]"), NAMES, ["a1.00e-03"]),
    "3.3 ours: hexadecimal, width": (SWEEP % ("a{i:x}_{i:>3}", "[255]"), NAMES, ["aff_255"]),
    "3.3 ours: an empty format": (SWEEP % ("a{i:}", "[1]"), NAMES, ["a1"]),
    # 3.4 which parameters
    "3.4 ours: own ones beside shared ones": ("parameters: {i: '1:2', j: '1:2'}\njobs: [{name: 'a{i}{j}', command: x, use_parameters: [i], parameters: {j: 9}}]", NAMES, ["a19", "a29"]),
    "3.4 ours: own ones win": ("parameters: {i: '1:2'}\njobs: [{name: 'a{i}', command: x, use_parameters: [i], parameters: {i: 9}}]", NAMES, ["a9"]),
    "3.4 the order of use_parameters": ("parameters: {i: '1:2', j: '1:2'}\njobs: [{name: 'a{i}{j}', command: x, use_parameters: [j, i]}]", NAMES, ["a11", "a21", "a12", "a22"]),
    "3.4 empty parameters": ("jobs: [{name: a, command: x, parameters: {}}]", NAMES, ["a"]),
    "3.4 ours: empty parameters hide nothing": ("parameters: {i: '1:2'}\njobs: [{name: 'a{i}', command: x, parameters: {}, use_parameters: [i]}]", NAMES, ["a1", "a2"]),
    "3.4 empty use_parameters": ("parameters: {i: 1}\njobs: [{name: a, command: x, use_parameters: []}]", NAMES, ["a"]),
    "3.4 an order that is always the same": ("jobs: [{name: 'a{j}{i}', command: x, parameters: {i: '1:2', j: '1:2'}}]", NAMES, ["a11", "a21", "a12", "a22"]),
    "3.4 one list in zip mode": ("jobs: [{name: 'a{i}', command: x, parameters: {i: '1:2'}, parameter_mode: zip}]", NAMES, ["a1", "a2"]),
    "3.4 instances stand where the entry stood": ("jobs: [{name: a, command: x}, {name: 'b{i}', command: x, parameters: {i: '1:2'}}, {name: c, command: x}]", NAMES, ["a", "b1", "b2", "c"]),
    # 3.5 substitution
    "3.5 ours: a format and none in one text": (SWEEP % ("a_{i:03d}_{i}", "5"), NAMES, ["a_005_5"]),
    "3.5 ours: values are not searched again": ("jobs: [{name: 'a{i}', command: 'x {i}', parameters: {i: \"['{j}']\", j: 1}}]", "jobs[*].command", ["x {j}"]),
    "3.5 a brace that is not closed": ("jobs: [{name: 'a{i}', command: 'x {i', parameters: {i: 1}}]", "jobs[*].command", ["x {i"]),
    "3.5 the shell's own": ("jobs: [{name: 'a{i}', command: 'x ${i} {i}', parameters: {i: 1}}]", "jobs[*].command", ["x ${i} 1"]),
    # 3.7 regexes
    "3.7 ours: values match themselves": ("jobs: [{name: 'v1.0', command: x}, {name: v1x0, command: x}, {name: 'b{i}', command: x, parameters: {i: ['1.0']}, depends_on_regexes: ['^v{i}$']}]", "jobs[*].depends_on", [[], [], [0]]),
    # 3.8 aggregates
    "3.8 ours: one job with the union": ("jobs: [{name: 'a{i}', command: x, parameters: {i: '1:2'}}, {name: b, command: x, depends_on: ['a{i}'], parameters: {i: '1:2'}}]", "jobs[*].depends_on", [[], [], [0, 1]]),
    "3.8 ours: a union of matches": ("jobs: [{name: 'a{i}', command: x, parameters: {i: '1:3'}}, {name: b, command: x, depends_on_regexes: ['^a{i}$'], parameters: {i: '1:2'}}]", "jobs[*].depends_on", [[], [], [], [0, 1]]),
    "3.8 each with its own": ("jobs: [{name: 'a{i}', command: x, parameters: {i: '1:2'}}, {name: 'b{i}', command: x, depends_on: ['a{i}'], parameters: {i: '1:2'}}]", "jobs[*].depends_on", [[], [], [0], [1]]),
    # 4 references
    "4 a path": (FILES + "jobs: [{name: a, command: 'x ${files.input.f1} ${files.output.f2}'}]", "jobs[*].command", ["x p1 p2"]),
    "4 after the parameters": (FILES + "jobs: [{name: 'a{i}', command: 'x ${files.input.f{i}}', parameters: {i: '1:2'}}]", "jobs[*].command", ["x p1", "x p2"]),
    "4 ours: union with the list": (FILES + "jobs: [{name: a, command: 'x ${files.input.f2}', input_files: [f1]}]", "jobs[*].input_files", [[0, 1]]),
    "4 ours: user data by id, later": (DATA + "jobs: [{name: a, command: 'x ${user_data.input.u2}'}]", "jobs[*].command", ["x ${user_data.input.u2}"]),
    "4 user data without data": (DATA + "jobs: [{name: a, command: 'x ${user_data.output.u2}'}]", "jobs[*].output_user_data", [[1]]),
    "4 the script": (FILES + "jobs: [{name: a, command: x, invocation_script: 'w ${files.input.f1}', input_files: [f2]}]", "jobs[*].input_files", [[0, 1]]),
    "4 the shell's own": ("jobs: [{name: a, command: 'x ${HOME} $X ${files}'}]", "jobs[*].command", ["x ${HOME} $X ${files}"]),
    # 5 dependencies
    "5 search, not match": (PAIR % "depends_on_regexes: ['2']", "jobs[*].depends_on", [[], [], [1]]),
    "5 ours: never itself": (PAIR % "depends_on_regexes: ['.']", "jobs[*].depends_on", [[], [], [0, 1]]),
    "5 ours: a name and a regex for the same": (PAIR % "depends_on: [a1], depends_on_regexes: ['^a']", "jobs[*].depends_on", [[], [], [0, 1]]),
    "5 ours: a name twice": (PAIR % "depends_on: [a1, a1]", "jobs[*].depends_on", [[], [], [0]]),
    "5 ours: Python's regexes": (PAIR % "depends_on_regexes: ['^a(?!1)']", "jobs[*].depends_on", [[], [], [1]]),
    "5 input files by regex": (FILES + PAIR % "input_file_regexes: ['^f']", "jobs[*].input_files", [[], [], [0, 1]]),
    "5 output files by regex": (FILES + PAIR % "output_file_regexes: ['2$']", "jobs[*].output_files", [[], [], [1]]),
    "5 user data by regex": (DATA + PAIR % "input_user_data_regexes: [u]", "jobs[*].input_user_data", [[], [], [0, 1]]),
    "5 user data written, by regex": (DATA + PAIR % "output_user_data_regexes: [u1]", "jobs[*].output_user_data", [[], [], [0]]),
    "5 several writers": (FILES + "jobs: [{name: a, command: x, output_files: [f1]}, {name: b, command: x, output_files: [f1]}]", "jobs[*].output_files", [[0], [0]]),
    # aliases of design.md
    "ours: job_sort_method": (JOB + "job_sort_method: none", "workflow.jobs_sort_method", "none"),
    "ours: needs inside the job": ("jobs: [{name: a, command: x, resource_requirements: {num_cpus: 2}}]", "resource_requirements[*].num_cpus", [2]),
}  # fmt: skip


def answer(document, question):
    """What stands at ``workflow.user`` or at ``jobs[*].name`` of a document."""
    kind, _, field = question.partition("[*].")
    found = attrgetter(kind)(document)
    return [getattr(item, field) for item in found] if field else found


@pytest.mark.parametrize(("text", "question", "expected"), TAKEN.values(), ids=TAKEN)
def test_a_row_of_the_contract_is_taken(text, question, expected):
    document = load_document(f"name: flow\n{text}\n", source="flow.yaml", user="ada")
    assert answer(document, question) == expected
