import pytest

from torc.spec.values import parse_values, plain_text


@pytest.mark.parametrize(
    ("raw", "values"),
    [
        ("1:5", [1, 2, 3, 4, 5]),
        (" 1 : 3 ", [1, 2, 3]),
        ("{1:3}", [1, 2, 3]),
        ("0:100:25", [0, 25, 50, 75, 100]),
        ("0:10:4", [0, 4, 8]),
        ("5:1:-2", [5, 3, 1]),
        ("-2:2:2", [-2, 0, 2]),
        ("3:3", [3]),
        ("0.0:1.0:0.1", [0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1]),
        ("0:1:0.25", [0, 0.25, 0.5, 0.75, 1]),
        ("1.0:0.0:-0.5", [1, 0.5, 0]),
        ("0.5:3", [0.5, 1.5, 2.5]),
        ("1e-3:3e-3:1e-3", [0.001, 0.002, 0.003]),
        ("0.0001:0.01:3", [0.0001, 0.001, 0.01]),
        ("-0.5:0.5:1", [-0.5, 0.5]),
        ("1.0:9.0:4", [1, 5, 9]),
        ("lin(0,1,5)", [0, 0.25, 0.5, 0.75, 1]),
        ("lin(1, 10, 4)", [1, 4, 7, 10]),
        ("lin(10,0,3)", [10, 5, 0]),
        ("log(1,1000,4)", [1, 10, 100, 1000]),
        ("log(0.01,100,5)", [0.01, 0.1, 1, 10, 100]),
        ("log(7,9,1)", [7]),
        ("[16,32,64]", [16, 32, 64]),
        ("[0.1, 1e-5]", [0.1, 1e-05]),
        ("['adam','sgd']", ["adam", "sgd"]),
        ("['a,b', \"c'd\", e f]", ["a,b", "c'd", "e f"]),
        ("['001', 002]", ["001", 2]),
        ("[1:3, x]", ["1:3", "x"]),
        ("['http://x/y']", ["http://x/y"]),
        ("['']", [""]),
        ("abc", ["abc"]),
        ("'1:5'", ["1:5"]),
        ("42", [42]),
        ("4.5", [4.5]),
        (5, [5]),
        (0.5, [0.5]),
        ([1, "1:3", 2.5, True], [1, "1:3", 2.5, "true"]),
    ],
)
def test_a_parameter_has_these_values(raw, values):
    assert parse_values(raw) == values


def test_ten_values_on_a_log_scale_as_in_the_book():
    values = parse_values("0.0001:0.01:10")
    assert len(values) == 10
    assert values[0] == 0.0001
    assert values[-1] == 0.01
    ratios = [later / earlier for earlier, later in zip(values, values[1:], strict=False)]
    assert max(ratios) == pytest.approx(min(ratios))


@pytest.mark.parametrize(
    ("raw", "types"), [("1:2", int), ("lin(1,3,3)", int), ("lin(1.0,3,3)", float), ("1.0:2.0:1.0", float)]
)
def test_whole_numbers_stay_whole_only_when_written_so(raw, types):
    assert {type(value) for value in parse_values(raw)} == {types}


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("5:1", "runs the wrong way"),
        ("1:3:-1", "runs the wrong way"),
        ("1.0:0.5", "runs the wrong way"),
        ("1:5:0", "step 0"),
        ("12:30:00", "step 0"),
        ("1:2:3:4", "cannot read '1:2:3:4' as a range"),
        ("1:", "cannot read"),
        ("a:b", "put a text with a colon in quotes"),
        ("http://x", "cannot read"),
        ("0.0:inf", "cannot read"),
        ("0:999999999999", "more than 5,000,000 values"),
        ("0.0:1.0:0.00000001", "more than 5,000,000 values"),
        ("lin(1,2)", "cannot read"),
        ("lin(1,2,x)", "cannot read"),
        ("lin(1,2,0)", "too small a count"),
        ("lin(1,2,1)", "too small a count"),
        ("lin(1,2,99999999)", "more than 5,000,000 values"),
        ("log(0,1,3)", "positive ends"),
        ("log(-1,1,3)", "positive ends"),
        ("[]", "no values"),
        ([], "no values"),
        ("[1,]", "ends with a comma"),
        ("['a' 'b']", "not a list of values"),
        ([[1, 2]], "may only hold numbers and texts"),
        ([None], "may only hold numbers and texts"),
        (None, "may only hold numbers and texts"),
        ({"a": 1}, "may only hold numbers and texts"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused_with_the_reason(raw, reason):
    with pytest.raises(ValueError, match=reason):
        parse_values(raw)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1"), (1.0, "1"), (0.1, "0.1"), (1e5, "100000"), (1e-5, "0.00001"), (1e21, "1" + "0" * 21), ("x", "x")]
    + [(-0.5, "-0.5"), (float("inf"), "inf")],
)
def test_a_value_is_shown_without_exponent_or_noise(value, text):
    assert plain_text(value) == text
