import re

import pytest

from torc.errors import InvalidSpec
from torc.spec.formats.read import parse_text


def yaml_value(text: str):
    return parse_text(f"value: {text}", "flow.yaml")["value"]


@pytest.mark.parametrize(
    "text",
    [
        "04:00:00",
        "1:10",
        "yes",
        "no",
        "on",
        "off",
        "y",
        "010",
        "08",
        "-010",
        "1_000",
        "2001-01-01",
        "0X1F",
        "0o8",
        "tRue",
    ]
    + ["1e", "+", "-x", ".", "..5", "0x", "nUll", ".iNf", "1.2.3", "--1"],
)
def test_what_yaml_1_1_would_misread_is_text(text):
    assert yaml_value(text) == text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("-5", -5),
        ("+5", 5),
        ("0o17", 15),
        ("0x1F", 31),
        ("0b11", 3),
        ("1e3", 1000.0),
        ("12e03", 12000.0),
        ("1E-2", 0.01),
        (".5", 0.5),
        ("1.", 1.0),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("Null", None),
        ("", None),
        ("18446744073709551615", 2**64 - 1),
        ("!!str 5", "5"),
        ("!!int '5'", 5),
        ("!!float 5", 5.0),
        ("!!bool 'true'", True),
        ("!!null ''", None),
        ("! 5", "5"),
        ("'5'", "5"),
        ('"a\\tb"', "a\tb"),
        ("!!seq [a]", ["a"]),
        ("!!map {a: 1}", {"a": 1}),
    ],
)
def test_yaml_scalars_follow_the_core_rules(text, value):
    found = yaml_value(text)
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", [".inf", "-.INF", "+.Inf", ".nan", ".NaN"])
def test_what_json_cannot_carry_is_refused(text):
    with pytest.raises(InvalidSpec, match=rf"flow.yaml:1:8: {re.escape(text)} cannot be stored or sent"):
        yaml_value(text)


def test_a_number_that_is_too_large_is_refused():
    with pytest.raises(InvalidSpec, match="flow.yaml:1:8: the number -1e400 is too large; put it in quotes"):
        yaml_value("-1e400")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1: a\ntrue: b", {"1": "a", "true": "b"}),
        ("a: &x [1, 2]\nb: *x", {"a": [1, 2], "b": [1, 2]}),
        ("a: &x k\n*x : b", {"a": "k", "k": "b"}),
        ("base: &b {x: 1, y: 2}\nuse:\n  <<: *b\n  y: 3", {"base": {"x": 1, "y": 2}, "use": {"y": 3, "x": 1}}),
        ("- &p {x: 1}\n- &q {x: 2, y: 2}\n- {<<: [*p, *q]}", [{"x": 1}, {"x": 2, "y": 2}, {"x": 1, "y": 2}]),
        ("a: b\r\nc: d\r\n", {"a": "b", "c": "d"}),
        ("\ufeffa: b", {"a": "b"}),
        ("%YAML 1.2\n---\na: yes\n...", {"a": "yes"}),
        ("", None),
        ("# only a comment", None),
    ],
)
def test_yaml_documents(text, value):
    assert parse_text(text, "flow.yaml") == value


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("a: 1\nb: 2\na: 3", 'flow.yaml:3:1: the key "a" is given twice'),
        ("a: 1\n---\nb: 2", "flow.yaml:2:1: a second document begins here"),
        ("a: !foo 1", "flow.yaml:1:4: the tag !foo is not supported"),
        ("a: !!binary aGk=", "flow.yaml:1:4: the tag !!binary is not supported"),
        ("a: !!python/object:os.system {}", "flow.yaml:1:4: the tag !!python/object:os.system is not supported"),
        ("a: !!int x", "flow.yaml:1:4: this is not a int"),
        ("a: !!seq {}", "is not supported"),
        ("a: [1, *b]", "flow.yaml:1:8: *b stands for nothing yet"),
        ("a: &x [*x]", "flow.yaml:1:8: *x stands for nothing yet"),
        ("a: 18446744073709551616", "flow.yaml:1:4: this whole number needs more than 64 bits"),
        ("a: -9223372036854775809", "needs more than 64 bits"),
        ("a: " + "9" * 5000, "needs more than 64 bits"),
        ("a: &x 1\n*x : b", "flow.yaml:2:1: a key must be plain text"),
        ("[a]: 1", "flow.yaml:1:1: a key must be plain text"),
        ("a: {<<: 5}", "flow.yaml:1:9: << needs a mapping"),
        ("a:\n\t- x", "cannot start any token; indent with spaces instead of tabs"),
        ("a:\n\t- x", "flow.yaml:2:1: not valid YAML: "),
        ("a: b: c", "flow.yaml:1:5: not valid YAML: mapping values are not allowed"),
        ("a: b: c", 'put quotes around text that contains ": "'),
        ("a: @x", "put quotes around the text"),
        ("a: [1", "check the indentation and the quotes"),
        ("a: 'x", "flow.yaml:1"),
        ("a: \x01", "flow.yaml:1"),
        ("a: " + "[" * 200_000, "nested more than 100 levels deep"),
        ("- " * 101, "nested more than 100 levels deep"),
    ],
)
def test_bad_yaml_is_refused_with_its_place(text, complaint):
    with pytest.raises(InvalidSpec) as refused:
        parse_text(text, "flow.yaml")
    assert complaint in refused.value.message


def test_aliases_of_aliases_cannot_fill_the_memory():
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12))
    with pytest.raises(InvalidSpec, match=r"flow.yaml:\d+:\d+: aliases repeat more than 10,000,000 values"):
        parse_text(bomb, "flow.yaml")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"a": 1,}', "flow.json:1:9: not valid JSON"),
        ('{"a": 1}\n{}', "flow.json:2:1: not valid JSON: Extra data"),
        ('{"a": 1,\n "a": 2}', 'flow.json:2:2: the key "a" is given twice'),
        ('{"b": [{"a": 1, "c": "a"}, {"a": 3, "c": 1, "a": 2}]}', 'flow.json:1:45: the key "a" is given twice'),
        ("{'a': 1}", "flow.json:1:2: not valid JSON"),
        ('{"b": {"a": 1, "a": 2}, {{', "flow.json:1:25: not valid JSON"),
        ('{"b": ":a", "a" : 1, "a": 2}', 'flow.json:1:22: the key "a" is given twice'),
        ('{"NaN": NaN}', "flow.json:1:9: NaN cannot be stored or sent"),
        ('{"a": -Infinity}', "flow.json:1:7: -Infinity cannot be stored"),
        ('{"a": 1e999}', "flow.json:1:7: the number 1e999 is too large"),
        ('{"a": 18446744073709551616}', "flow.json:1:7: the whole number 18446744073709551616 needs more than 64 bits"),
        ('{"a": ' + "9" * 5000 + "}", "needs more than 64 bits"),
        ('{"a": "\\ud800"}', "character pair"),
        ("[" * 200_000, "flow.json:1:101: nested more than 100 levels deep"),
        ("[" * 101 + "]" * 101, "flow.json:1:101: nested more than 100 levels deep"),
        ('{"a":' * 101 + "1" + "}" * 101, "levels deep"),
        ('{"a": "\ud800"}', "flow.json:1:8: this is no text in UTF-8"),
        ("", "flow.json:1:1: not valid JSON"),
    ],
)
def test_bad_json_is_refused_with_its_place(text, complaint):
    with pytest.raises(InvalidSpec) as refused:
        parse_text(text, "flow.json")
    assert complaint in refused.value.message


@pytest.mark.parametrize("source", ["flow.json", "FLOW.JSON", "flow.yaml", "flow.yml", "flow", "flow.txt", "-"])
def test_json_is_read_under_any_name_that_does_not_say_otherwise(source):
    assert parse_text('\ufeff{"a": [1, "x", 1e3]}', source) == {"a": [1, "x", 1000.0]}


def test_a_character_may_be_written_as_a_pair_in_json():
    assert parse_text(r'["\ud83d\ude00"]', "flow.json") == ["\N{GRINNING FACE}"]


def test_a_hundred_levels_are_read():
    assert parse_text("[" * 100 + "]" * 100, "flow.json") == parse_text("[" * 100 + "]" * 100, "flow.yaml")


@pytest.mark.parametrize("source", ["flow.yaml", "flow.YML", "flow", "flow.conf"])
def test_yaml_is_read_under_any_name_that_does_not_say_otherwise(source):
    assert parse_text("{a: [1, x]}", source) == {"a": [1, "x"]}


SAME = {"name": "n", "jobs": [{"name": "a", "command": "x: y", "depends_on": ["b", "c"]}]}
SAME_TEXTS = [
    '{"name": "n", "jobs": [{"name": "a", "command": "x: y", "depends_on": ["b", "c"]}]}',
    "// made by hand\n{name: 'n', jobs: [{name: 'a', command: 'x: y', depends_on: ['b', 'c'],},],}",
    "/* a: b */ {name: 'n', jobs: [{name: 'a', command: 'x: y', depends_on: ['b', 'c']}]}",
    "{name: n, jobs: [{name: a, command: 'x: y', depends_on: [b, c]}]}",
    "# name\nname: n\njobs:\n- name: a\n  command: 'x: y'\n  depends_on: [b, c]\n",
    "%YAML 1.2\n---\nname: n\njobs: [{name: a, command: 'x: y', depends_on: [b, c]}]\n",
    '"name": n\n"jobs": [{name: a, command: "x: y", depends_on: [b, c]}]\n',
    'name "n"\njob "a" { command "x: y"; depends_on "b" "c"; }',
    'name n\njob a { command "x: y"; depends_on b c; }',
    '\n// made: by hand\nname "n"\njob "a" command="x: y" { depends_on "b"; depends_on "c"; }',
    '/* made: by hand */ job "a" command="x: y" { depends_on "b" "c"; }\nname "n"',
    '/- job "z" {}\njob "a" command="x: y" { depends_on "b" "c"; }\nname "n"',
    '(note)name "n"\njob "a" command="x: y" { depends_on "b" "c"; }',
    'name r"n"\njob "a" command="x: y" { depends_on "b" "c"; }',
    'job name="a" command="x: y" { depends_on "b" "c"; }; name "n"',
]


@pytest.mark.parametrize("text", SAME_TEXTS)
@pytest.mark.parametrize("source", ["-", "flow", "flow.txt", "flow.v1.2"])
def test_without_an_extension_the_content_tells_the_format(text, source):
    assert parse_text(text, source) == SAME
    assert parse_text("\ufeff" + text, source) == SAME


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"a": 1,\n  b: [}', "flow:2:7: not valid JSON5"),
        ("{name: 'n',\n jobs: [{name: 'a' command: 'x'}]}", 'flow:2:20: not valid JSON5: Unexpected "c"'),
        ("// c\n{name: 'n\n'}", "flow:2:10: not valid JSON5"),
        ('name "n"\njob "a" {\n  command "x"\n', "flow:2:9: not valid KDL: this { is never closed"),
        ('name "n"\njob "a" { command "x" }}\n', "flow:2:24: not valid KDL"),
        ("name: n\njobs: [a\nb: c", "flow:3:2: not valid YAML"),
        ('name: n\njobs:\n  - name: "a', "flow:3:13: not valid YAML"),
    ],
)
def test_a_mistake_is_told_in_the_terms_of_the_format_it_looks_like(text, complaint):
    with pytest.raises(InvalidSpec) as refused:
        parse_text(text, "flow")
    assert complaint in refused.value.message


@pytest.mark.parametrize("text", ["", "# nothing", "5", "[1]", "- a\n- b"])
def test_what_is_no_mapping_in_any_format_is_left_as_it_is(text):
    assert not isinstance(parse_text(text, "flow"), dict)
