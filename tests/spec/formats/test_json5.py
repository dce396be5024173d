"""What JSON5 adds to JSON is read; everything else is as in JSON. Two packages that read JSON5 serve as witnesses."""

import json

import json5
import pyjson5
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from torc.errors import InvalidSpec
from torc.spec import load_document
from torc.spec.formats.json5_text import Doubt, parse_quickly, parse_slowly
from torc.spec.formats.read import parse_text

BOTH_READ = [
    "{a: 1}",
    "{$a_1: 1, _b: 2, ünï: 3, null: 4, true: 5, if: 6, Infinity: 7}",
    r"{\u0061b: 1, c\u0064: 2}",
    "{a /*x*/ : /*y*/ 1 /*z*/ , /*,*/ }",
    "[1,]",
    "[1,// ]\n]",
    "[[],{},]",
    "{'a': 'b', \"c\": 'd\"e'}",
    r"'it\'s'",
    r'"\x41\u0042\v\0\b\f\n\r\t\\\/\"\'\q"',
    '"one \\\n line, \\\r\n still one \\\r and \\\u2028 one"',
    '"\u2028 \t \x01 \x7f"',
    r'"\u00e9 é"',
    "[0x10, -0x10, +0X1f, 0x0]",
    "[+1, .5, -.5, +.5, 5., 5.e1, 1.5E-3, +1e+5, -0, 0.0, 1e5]",
    "// first\n/* second */ 1 // last",
    "/**/1/***/",
    "1 //",
    "\v\f\xa0\ufeff\u2003\u3000[1\u2028,\u20292]",
    "// to the end of the line\r1",
    "[true, false, null]",
    '"// no comment /* here */, ]"',
    "'[1,]'",
]
BOTH_REFUSE = [
    *("[,]", "{,}", "[1,,]", "[1,,2]", "{a:1,,}", "[/*c*/,]", "{a}", "{a,}", "{a:,}", "[1 2]", "{a:1 b:2}", "]"),
    *("01", "-01", "0x", "0xg", "0x1.5", ".", "..5", "5..", "1e", "1e+", "--1", "- 1", "1n", "0b1", "0o7"),
    *("undefined", "True", "nan", "infinity", "nulll", "text", "a-b", "{a-b: 1}", "{1: 2}", "{: 1}"),
    *('"a', "'a", "'a\"", '"a\nb"', "'a\n'", '"\\', r'"\1"', r'"\9"', r'"\x4"', r'"\u12"', r'"\u{41}"'),
    *(
        "/* x",
        "/*/",
        "1 /",
        "/",
        "# c\n1",
        "",
        " ",
        "// only",
        "1 2",
        "[1]]",
        "{",
        "[",
        "{a:",
        "{a:1",
        "\x1c1",
        "1\x85",
    ),
]


def read(text: str):
    return parse_text(f"[{text}\n]", "flow.json5")[0]


@pytest.mark.parametrize("text", BOTH_READ)
def test_json5_is_read_as_others_read_it(text):
    value = parse_text(text, "flow.json5")
    assert value == json5.loads(text) == pyjson5.decode(text)
    assert repr(value) == repr(pyjson5.decode(text))


@pytest.mark.parametrize("text", BOTH_REFUSE)
def test_what_others_refuse_is_refused_with_its_place(text):
    with pytest.raises(ValueError):
        json5.loads(text)
    with pytest.raises(pyjson5.Json5DecoderException):
        pyjson5.decode(text)
    with pytest.raises(InvalidSpec, match=r"^flow.json5:\d+:\d+: not valid JSON5: .*; "):
        parse_text(text, "flow.json5")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("{a: 1,\n b: [2, 'a'],\n 'a': 3}", 'flow.json5:3:2: the key "a" is given twice'),
        ("{a: 1, \\u0061: 2}", 'flow.json5:1:8: the key "a" is given twice'),
        ("{a: [{b: 1}, {b: 1, 'c': 2, c: 1}]}", 'flow.json5:1:29: the key "c" is given twice'),
        ("[0xFFFFFFFFFFFFFFFF, 0x10000000000000000]", "flow.json5:1:22: the whole number 18446744073709551616 needs"),
        ("[1, -0x8000000000000001]", "flow.json5:1:5: the whole number -9223372036854775809 needs more than 64 bits"),
        ("[0x" + "f" * 9000 + "]", "flow.json5:1:2: the whole number 999"),
        ("[" + "9" * 9000 + "]", "flow.json5:1:2: the whole number 999"),
        ("{NaN: 'NaN', b: NaN}", "NaN cannot be stored or sent; write null or a text in quotes"),
        ("[-NaN]", "flow.json5:1:2: -NaN cannot be stored"),
        ("[1, +Infinity]", "flow.json5:1:5: Infinity cannot be stored"),
        ("[1, -Infinity]", "flow.json5:1:5: -Infinity cannot be stored"),
        ("[.1e400]", "flow.json5:1:2: the number .1e400 is too large"),
        (r"['\ud800']", "half of a"),
        (r"['\ude00\ud83d']", "half of a"),
        (r"'\01'", 'flow.json5:1:4: not valid JSON5: Unexpected "1"'),
        ("+-1", "flow.json5:1:2: not valid JSON5"),
        ("Infinityx", "flow.json5:1:1: Infinity cannot be stored"),
        ("1_000", "flow.json5:1:2: not valid JSON5"),
        ("[.e5]", "flow.json5:1:2: not valid JSON5: .e5 is no number"),
        ("[" * 101 + "]" * 101, "flow.json5:1:101: nested more than 100 levels deep"),
        ("[" * 100_000, "flow.json5:1:101: nested more than 100 levels deep"),
        ("{a:" * 100_000, "flow.json5:1:301: nested more than 100 levels deep"),
        ("{\n  a: 1, // one\n  'b': .5\n  c: 2\n}", 'flow.json5:4:3: not valid JSON5: Unexpected "c"; check'),
        ("{a: 1,\n /* b: 2}", "flow.json5:2:10: not valid JSON5: Unexpected end of input; check"),
        ("{a: 'b\n}", "flow.json5:1:7: not valid JSON5: Unexpected"),
        ("[1, 'b']]", 'flow.json5:1:9: not valid JSON5: Unexpected "]"'),
    ],
)
def test_what_a_specification_must_not_contain_is_refused_as_in_json(text, complaint):
    with pytest.raises(InvalidSpec) as refused:
        parse_text(text, "flow.json5")
    assert complaint in refused.value.message


def test_a_pair_of_halves_is_one_character():
    assert read(r"'\ud83d\ude00'") == "\N{GRINNING FACE}"


LATER = """// jobs
{
  name: 'n', /* { */
  jobs: [
    {name: 'a', command: 'x',},
    {
      'name': 'b',  "command" : 'x', depends_on: [
        'a',  // the first
        5],
      input_files : 'f' },
  ], a: 0, // }
}"""


def test_mistakes_found_later_have_their_places_too():
    with pytest.raises(InvalidSpec) as refused:
        load_document(LATER, source="flow.json5", user="u")
    assert [line.split(": ")[:2] for line in refused.value.message.splitlines()] == [
        ["flow.json5:9:9", "jobs[1].depends_on[1]"],
        ["flow.json5:10:7", "jobs[1].input_files"],
        ["flow.json5:11:6", "a"],
    ]
    with pytest.raises(InvalidSpec, match=r"^here:9:9: .*\nhere:10:7: .*\nhere:11:6: "):
        load_document(LATER, source="here", user="u")


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("ab'\"\\ \n/,:]}", max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


QUICK = settings(max_examples=150, deadline=None, derandomize=True, database=None)


@QUICK
@given(VALUES)
def test_json_is_json5(value):
    text = json.dumps(value)
    assert parse_text(text, "flow.json5") == value == parse_text(text, "flow.json")


@QUICK
@given(VALUES)
def test_what_another_package_writes_is_read(value):
    assert parse_text(json5.dumps(value, trailing_commas=True, indent=1), "flow.json5") == value


@settings(QUICK, max_examples=1500)
@given(st.text("{}[]:,'\"\\/* \n0x1.e-+au", max_size=12))
def test_random_text_is_read_as_others_read_it_or_refused(text):
    try:
        mine = parse_text(text, "flow.json5")
    except InvalidSpec:
        return
    assert mine == json5.loads(text)


@settings(QUICK, max_examples=300)
@given(VALUES)
def test_the_fast_package_gives_the_same_values(value):
    text = json5.dumps(value, quote_keys=False)
    try:
        quick = parse_quickly(text)
    except Doubt:
        return
    assert repr(quick) == repr(parse_slowly(text))


@settings(QUICK, max_examples=2500)
@given(
    st.text("0123459._eExX+-", max_size=7)
    | st.text("{}[]:,'\"\\/* \n0x1.e-+au_", max_size=12)
    | st.text("\\xuUv01aA\n\r\u2028 '", max_size=9).map('"{}"'.format)
)
def test_the_fast_package_is_asked_only_where_it_is_right(text):
    try:
        quick = parse_quickly(text)
    except Doubt:
        return
    assert repr(quick) == repr(parse_slowly(text))


@pytest.mark.parametrize("text", ["{a: 'b', c: [{d: true}]}", "{num_cpus: 4, b: [-1, 0.5, 1e3], $c: '\\''} // 5."])
def test_the_fast_package_reads_what_is_common(text):
    assert parse_quickly(text) == parse_slowly(text)


@pytest.mark.parametrize("text", [*BOTH_READ, "{a: 'x', a: 1}", "1_000", "NaN", "[0xfffffffffffffffff]"])
def test_without_the_fast_package_all_is_the_same(text, monkeypatch):
    with_it = outcome(text)
    monkeypatch.setattr("torc.spec.formats.json5_text.pyjson5", None)
    assert outcome(text) == with_it


def outcome(text: str) -> str:
    try:
        return repr(parse_text(text, "flow.json5"))
    except InvalidSpec as error:
        return error.message


def test_a_long_text_is_refused_without_asking_the_slow_package():
    text = "{\n" + "".join(f"  key_{i}: 'value',\n" for i in range(20_000)) + "  last: ]\n}"
    with pytest.raises(InvalidSpec, match=r"^flow.json5:20002:9: not valid JSON5: this cannot stand here; check"):
        parse_text(text, "flow.json5")
