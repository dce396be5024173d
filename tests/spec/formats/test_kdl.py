"""KDL says what YAML says, in every form that people write, and drops nothing."""

# ruff: noqa: E501  # a row of the table is a line

import pytest

from torc.errors import InvalidSpec
from torc.spec import load_document
from torc.spec.formats.read import parse_text


def read(text: str):
    return parse_text(text, "flow.kdl")


def complaints(text: str) -> str:
    with pytest.raises(InvalidSpec) as refused:
        read(text)
    return refused.value.message


def job(text: str):
    return read(f'job "a" {{\n{text}\n}}')["jobs"][0]


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ('name "n"; user "u"; description "d"', {"name": "n", "user": "u", "description": "d", "jobs": []}),
        ("compute_node_wait_for_new_jobs_seconds 0x10", {"compute_node_wait_for_new_jobs_seconds": 16, "jobs": []}),
        ('parameters { i "1:10"; j 1 2 3; k 0.5 }', {"parameters": {"i": "1:10", "j": [1, 2, 3], "k": 0.5}, "jobs": []}),
        ('parameters i="1:10" { j { - 1; - "b" } }', {"parameters": {"i": "1:10", "j": [1, "b"]}, "jobs": []}),
        ('parameters i=1\nparameters j=2', {"parameters": {"i": 1, "j": 2}, "jobs": []}),
        ('job "a"\njobs "b"\njob { name "c" }\njob name="d"', {"jobs": [{"name": name} for name in "abcd"]}),
        ('file "f" path="p"', {"files": [{"name": "f", "path": "p"}], "jobs": []}),
        ('files "f" { path "p" }', {"files": [{"name": "f", "path": "p"}], "jobs": []}),
        ('file "f" path="p" { parameters i=1 }', {"files": [{"name": "f", "path": "p", "parameters": {"i": 1}}], "jobs": []}),
        ('resource_requirements "r" num_cpus=4 memory="2g"', {"resource_requirements": [{"name": "r", "num_cpus": 4, "memory": "2g"}], "jobs": []}),
        ('resource_requirement "r" { num_cpus 4 }', {"resource_requirements": [{"name": "r", "num_cpus": 4}], "jobs": []}),
        ('slurm_scheduler "s" account="a"\nslurm_schedulers "t" { account "b"; nodes 2 }', {"slurm_schedulers": [{"name": "s", "account": "a"}, {"name": "t", "account": "b", "nodes": 2}], "jobs": []}),
        ("resource_monitor { enabled #true; sample_interval_seconds 1 }", {"resource_monitor": {"enabled": True, "sample_interval_seconds": 1}, "jobs": []}),
        ("resource_monitor enabled=#false", {"resource_monitor": {"enabled": False}, "jobs": []}),
        ('action { job "a"; jobs "b" "c"; job_name_regex "x"; job_name_regexes "y"; command "p"; commands "q" "r" }', {"actions": [{"jobs": ["a", "b", "c"], "job_name_regexes": ["x", "y"], "commands": ["p", "q", "r"]}], "jobs": []}),
        ('failure_handler "h" { rule exit_code=1 { cause "oom" }; rules { exit_codes 2 3; signal "TERM" 9; causes "timeout" "exit"; backoff_s 1.5 } }', {"failure_handlers": [{"name": "h", "rules": [{"exit_codes": [1], "causes": ["oom"]}, {"exit_codes": [2, 3], "signals": ["TERM", 9], "causes": ["timeout", "exit"], "backoff_s": 1.5}]}], "jobs": []}),
    ],
)  # fmt: skip
def test_nodes_become_fields(text, content):
    assert read(text) == content


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        *((f'{name} "x"\n{name} "y" "z"', "depends_on", ["x", "y", "z"]) for name in ("depends_on", "depends_on_job", "depends_on_jobs")),
        *((f'{name} "x" "y"', "depends_on_regexes", ["x", "y"]) for name in ("depends_on_regex", "depends_on_regexes")),
        *(
            (f'{way}_{what}{plural} "x"\n{way}_{what}{plural} "y" "z"', f"{way}_{field}", ["x", "y", "z"])
            for way in ("input", "output")
            for what, plural, field in (("file", "", "files"), ("file", "s", "files"), ("user_data", "", "user_data"), ("file_regex", "", "file_regexes"), ("file_regex", "es", "file_regexes"), ("user_data_regex", "", "user_data_regexes"), ("user_data_regex", "es", "user_data_regexes"))
        ),
        *((f'{name} "x" "y"', "use_parameters", ["x", "y"]) for name in ("use_parameter", "use_parameters")),
        ('depends_on { - "x"; - "y" }', "depends_on", ["x", "y"]),
        ("depends_on", "depends_on", []),
        ('resource_requirements "small"', "resource_requirements", "small"),
        ("resource_requirements { num_cpus 2 }", "resource_requirements", {"num_cpus": 2}),
        ('resource_requirements num_cpus=2 { memory "1g" }', "resource_requirements", {"num_cpus": 2, "memory": "1g"}),
        ('command "echo"', "command", "echo"),
        ("command hello", "command", "hello"),
        ('command #"say "hi" \\n"#', "command", 'say "hi" \\n'),
        ('command """\n  one\n    two\n  """', "command", "one\n  two"),
        ('command "tab \\t quote \\" \\u{e9}"', "command", 'tab \t quote " é'),
        ('command "a \\\n   b"', "command", "a b"),
        ("command \\\n   hello", "command", "hello"),
        ('/* c /* d */ */ command /- "no" "yes" // c', "command", "yes"),
        ('/- command "no"\n(shell)command (text)"yes";', "command", "yes"),
        ('"command" "yes"', "command", "yes"),
        ("supports_termination #true", "supports_termination", True),
        ("scheduler #null", "scheduler", None),
        ("parameter_mode zip", "parameter_mode", "zip"),
        ('parameters i="1:10"', "parameters", {"i": "1:10"}),
    ],
)  # fmt: skip
def test_a_job_has_its_fields(text, field, value):
    assert job(text)[field] == value
    assert type(job(text)[field]) is type(value)


@pytest.mark.parametrize(
    ("text", "content"),
    [
        ('job "a" { supports_termination true } // KDL 1', {"name": "a", "supports_termination": True}),
        ('job "a" { command r"C:\\x" }', {"name": "a", "command": "C:\\x"}),
        ('job "a" { command r#"say "x""#; scheduler null }', {"name": "a", "command": 'say "x"', "scheduler": None}),
        ('job "a" { command "one\ntwo" }', {"name": "a", "command": "one\ntwo"}),
        ('job "a" { command "\\/" }', {"name": "a", "command": "/"}),
    ],
)
def test_kdl_1_is_read(text, content):
    assert read(text)["jobs"] == [content]


def test_a_text_that_both_versions_allow_is_read_as_version_2():
    # in version 1 r would begin a raw text; both know this document, and only version 2 joins the lines of a text
    assert read('name "a\\\n  b"')["name"] == "ab"


@pytest.mark.parametrize("tail", ["}", "} ", "} // c", "} /* c */", "};", "} ;", "}\t\r\n", "}\n\n"])
def test_anything_may_stand_behind_a_closed_block(tail):
    assert read(f'job "a" {{ command "x" {tail}') == {"jobs": [{"name": "a", "command": "x"}]}
    assert read(f'action {{ job "a" {tail}\n') == {"jobs": [], "actions": [{"jobs": ["a"]}]}


@pytest.mark.parametrize(
    ("text", "data"),
    [
        (r'data "{\"key\": [1, null, 2.5]}"', {"key": [1, None, 2.5]}),
        ('data #"{"key": "value"}"#', {"key": "value"}),
        (r'data "\"text\""', "text"),
        ('data "5"', 5),
        ('data "null"', None),
        ("data 5", 5),
        ("data 2.5", 2.5),
        ("data #true", True),
        ("data #null", None),
        ("data 1 2 3", [1, 2, 3]),
        ('data { key "value"; list 1 2; deep { er { - 1; - { x #null }; - 2 3 } } }', {"key": "value", "list": [1, 2], "deep": {"er": [1, {"x": None}, [2, 3]]}}),
        ("data { - 1 }", [1]),
        ('data a=1 { b "5" }', {"a": 1, "b": "5"}),
        ("data (u8)5", 5),
    ],
)  # fmt: skip
def test_user_data_is_json_text_or_nodes(text, data):
    assert read(f'user_data "u" {{ {text}\n }}')["user_data"] == [{"name": "u", "data": data}]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        # what would otherwise be lost without a word
        ('name "a" "b"', 'flow.kdl:1:1: name: the argument "b" is one too many here'),
        ('name "a"\nname "b"', "flow.kdl:2:1: name: is given twice; remove one of them"),
        ('name "a" b="c"', 'flow.kdl:1:1: name: takes no property "b"'),
        ('name { x "a" }', "flow.kdl:1:1: name: takes one value and no block"),
        ('name "a" { x }', "flow.kdl:1:1: name: takes one value and no block"),
        ("name", "flow.kdl:1:1: name: has no value; write one behind it"),
        ('job "a" "b"', 'flow.kdl:1:1: jobs[0]: the argument "b" is one too many'),
        ('job "a" { name "b" }', "flow.kdl:1:11: jobs[0].name: is given twice"),
        ('job "a" name="b"', "jobs[0].name: is given twice"),
        ('job "a" command="x" { command "y" }', "flow.kdl:1:23: jobs[0].command: is given twice"),
        ('job "a" { command c="echo" }', 'jobs[0].command: takes no property "c"'),
        ('job "a" { resource_requirements "r" { num_cpus 1 } }', 'jobs[0].resource_requirements: the argument "r" is one too many'),
        ('job "a" { resource_requirements "r"; resource_requirements num_cpus=1 }', "flow.kdl:1:38: jobs[0].resource_requirements: is given twice"),
        ('job "a" { depends_on "b" x="c" }', 'jobs[0].depends_on: takes no property "x"'),
        ('job "a" { depends_on { x "c" } }', 'jobs[0].depends_on: takes a list of values and no node "x"'),
        ('job "a" { parameters "i" }', 'jobs[0].parameters: the argument "i" is one too many'),
        ('job "a" { parameters { i "1:2"; i "3:4" } }', "flow.kdl:1:33: jobs[0].parameters.i: is given twice"),
        ('parameters i=1\nparameters i=2', "flow.kdl:2:1: parameters.i: is given twice"),
        ('job "a" { parameters { i } }', "flow.kdl:1:24: jobs[0].parameters.i: has no value"),
        ("resource_monitor 1", "resource_monitor: the argument 1 is one too many"),
        ("resource_monitor enabled=#true\nresource_monitor enabled=#false", "flow.kdl:2:1: resource_monitor: is given twice"),
        ('action "a" { }', 'actions[0]: the argument "a" is one too many'),
        ('user_data "u" { data }', "user_data[0].data: has no value"),
        ('user_data "u" { data 1 { a 1 } }', "user_data[0].data: the argument 1 is one too many"),
        ('user_data "u" { data a=1 { a 1 } }', "user_data[0].data.a: is given twice"),
        ('user_data "u" {\n data "{key: 1}" }', "flow.kdl:2:2: user_data[0].data: not valid JSON: Expecting property name enclosed in double quotes; check the commas and quotes just before this place (character 2 of the text)"),
        ('user_data "u" { data "text" }', "a JSON text has quotes of its own"),
        ('user_data "u" { data #"{"a": 1, "a": 2}"# }', 'the key "a" is given twice'),
        # numbers
        ("compute_node_wait_for_new_jobs_seconds 18446744073709551616", "flow.kdl:1:1: compute_node_wait_for_new_jobs_seconds: the whole number 18446744073709551616 needs more than 64 bits"),
        ("parameters i=-9223372036854775809", "parameters.i: the whole number -9223372036854775809 needs more than 64 bits"),
        ("parameters { i " + "9" * 9000 + " }", "parameters.i: a number this large cannot be stored"),
        ('user_data "u" { data #inf }', "user_data[0].data: a number this large cannot be stored or sent; write #null or put it in quotes"),
        ('user_data "u" { data { - 1; - #nan } }', "user_data[0].data[1]: #nan cannot be stored"),
        ("parameters i=1e400", "parameters.i: a number this large cannot"),
        # depth
        ('user_data "u" { data {' + "a {" * 100_000 + "}" * 100_002, "nested more than 100 levels deep"),
        ("parameters {" + "i {\n" * 98 + "x" + "\n}" * 99, "nested more than 100 levels deep"),
    ],
)  # fmt: skip
def test_nothing_is_dropped(text, complaint):
    assert complaint in complaints(text)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("job \"a\" {\n  command \"x\n}\n", "flow.kdl:2:11: not valid KDL: this text is never closed; end it with quotes"),
        ('name """\n x\n', "flow.kdl:1:6: not valid KDL: this text is never closed"),
        ('name #"x"\n', "flow.kdl:1:6: not valid KDL: this text is never closed"),
        ("name x\n/* a /* b */\nuser y", "flow.kdl:2:1: not valid KDL: this comment is never closed; end it with */"),
        ('job "a" {\n command "x"\n}\njob "b" {\n parameters {\n}\njob "c" {\n}\n', "flow.kdl:4:9: not valid KDL: this { is never closed; end the block with }"),
        ("job a {" * 100_000, "flow.kdl:1:700000: not valid KDL: this { is never closed"),
        ("}" * 100_000, "flow.kdl:1:1: not valid KDL: this } closes nothing"),
        ('job "a" {\n}\n}\njob "b" {\n}', "flow.kdl:3:1: not valid KDL: this } closes nothing; remove it"),
        ("job \"a\" {\n}\n/- job \"b\" {\n}}\njob \"c\"", "flow.kdl:4:2: not valid KDL: this } closes nothing"),
        ('job "a" {\n supports_termination #true\n cancel_on_blocking_job_failure true\n}', "flow.kdl:3:33: not valid KDL: this is neither a value nor a property; write #true"),
        ('name #"x"#\nuser y=null', "flow.kdl:2:6: not valid KDL: this is neither a value nor a property; write #null"),
        ('supports #true\nname r"x"', 'flow.kdl:2:6: not valid KDL: this is neither a value nor a property; write raw text as #"..."#'),
        ("a true\nb x", "flow.kdl:2:3: not valid KDL: this is no value; put quotes around the text"),
        ('name "\\q"', "flow.kdl:1:6: not valid KDL: this is neither a value nor a property; put quotes around the text, or check the esc"),
        ("nodes 5x", "flow.kdl:1:7: not valid KDL"),
        ("nodes .5", "flow.kdl:1:7: not valid KDL"),
        ('job "a" { } b', "flow.kdl:1:13: not valid KDL: the node does not end here; begin the next one on a new line or behind a ;"),
        ("job{ }", "flow.kdl:1:4: not valid KDL: this cannot stand here; check the quotes, and put a space before {"),
        ("name x\nuser \x00", "flow.kdl:2:6: not valid KDL"),
        ("name \"x\"\n1 a", "flow.kdl:2:1: not valid KDL"),
        ("a\n{ }", "flow.kdl:2:1: not valid KDL"),
        ("name=x", "flow.kdl:1:1: not valid KDL"),
        ("// \x08\n[", "flow.kdl:1:1: not valid KDL"),
        ("a p=", "flow.kdl:1:3: not valid KDL: something is missing at the end"),
        ("a /-", "flow.kdl:1:3: not valid KDL: something is missing at the end"),
        ('name "\\u{d800}"', "flow.kdl:1:6: not valid KDL"),
        ("a true\nb \"\\u{d800}\"", "flow.kdl:2:3: not valid KDL: an escape in a text stands for no character"),
    ],
)  # fmt: skip
def test_a_syntax_error_has_its_place_and_cure(text, complaint):
    assert complaints(text).startswith(complaint)


@pytest.mark.parametrize("line", [1, 2, 500, 998, 1000])
@pytest.mark.parametrize("mistake", ['command "x', "command 5x", "} }", "command /* "])
def test_a_syntax_error_is_found_anywhere(line, mistake):
    jobs = [f'job "job {number}" {{ command "}} // \\" {{"; depends_on "a" }}' for number in range(1000)]
    jobs[line - 1] = f'job "a" {{ command "x"; {mistake}'
    assert complaints("\n".join(jobs)).startswith(f"flow.kdl:{line}:")


LATER = """
name "n" /* job "x" {} */
/- job "z" {
  command "x"
}
job "a" command="x" depends_on="b" {
  depends_on "c" "d"; /- depends_on "e"
  depends_on "f" \\
    5
}
jobs "b" {
  depend_on "a"
  resource_requirements {
    cpus 3
  }
}
job "a" { command "x" }
bogus { job "c" { d "e" }; f; }
parameters {
  i "x:y"
}
file "f" /- { path "q" } { path 3 }
"""


@pytest.mark.parametrize("source", ["flow.kdl", "flow"])
def test_mistakes_found_later_have_their_places(source):
    with pytest.raises(InvalidSpec) as refused:
        load_document(LATER, source=source, user="u")
    assert [tuple(line.split(": ")[:2]) for line in refused.value.message.splitlines()] == [
        (f"{source}:8:3", "jobs[0].depends_on[4]"),
        (f"{source}:11:1", "jobs[1]"),
        (f"{source}:12:3", "jobs[1].depend_on"),
        (f"{source}:14:5", "jobs[1].resource_requirements.cpus"),
        (f"{source}:18:1", "bogus"),
        (f"{source}:22:28", "files[0].path"),
    ]
    assert 'unknown key "depend_on"; did you mean "depends_on"?' in refused.value.message


def test_mistakes_in_nodes_and_in_what_they_mean_are_reported_together():
    text = """name "flow"
job "a" { command "x"; command "y" }
job "b" { command "x"; memory "2g" }
job "c" { command "x"; depends_on "a" "d" }
"""
    with pytest.raises(InvalidSpec) as refused:
        load_document(text, source="flow.kdl", user="ada")
    found = refused.value.message.splitlines()
    assert [line.split(":")[1] for line in found] == ["2", "3", "4"]
    assert 'no job is named "d"' in found[2]
