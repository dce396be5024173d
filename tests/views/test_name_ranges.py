"""Names with consecutive numbers are folded, and nothing else is."""

import pytest

from torc.views.name_ranges import compress


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        ([], []),
        (["a", "b"], ["a", "b"]),
        (["w_1", "w_2", "w_3"], ["w_1", "w_2", "w_3"]),
        (["w_1", "w_2", "w_3", "w_4"], ["w_{1..4}"]),
        (["w_4", "w_2", "w_3", "w_1"], ["w_{1..4}"]),
        ([f"w{i}" for i in (1, 2, 3, 4, 6, 8, 9, 10, 11)], ["w{1..4}", "w6", "w{8..11}"]),
        (["x_009", "x_010", "x_011", "x_012"], ["x_{009..012}"]),
        (["x_8", "x_9", "x_10", "x_11"], ["x_{8..11}"]),
        (["x_0", "x_1", "x_2", "x_3"], ["x_{0..3}"]),
        (["x_098", "x_099", "x_100", "x_101"], ["x_{098..101}"]),
        # a shell would write {097..1000} with four digits each
        ([f"x_{i:03d}" for i in range(97, 1001)], ["x_{097..999}", "x_1000"]),
        (["x_1", "x_02", "x_3", "x_04"], ["x_1", "x_02", "x_3", "x_04"]),
        (["b1", "a", "b2", "c", "b3", "b4"], ["b{1..4}", "a", "c"]),
        (["w", "w1", "w2", "w3", "w4"], ["w", "w{1..4}"]),
        (["1", "2", "3", "4"], ["{1..4}"]),
        (["größe_1", "größe_2", "größe_3", "größe_4"], ["größe_{1..4}"]),
        (["n²", "n³", "n٤", "n5"], ["n²", "n³", "n٤", "n5"]),
        (["a\n1", "a\n2", "a\n3", "a\n4"], ["a\n{1..4}"]),
        (["j" + "9" * 5000, "j1"], ["j" + "9" * 5000, "j1"]),
        ([f"j{10**30 + i}" for i in range(4)], [f"j{10**12}{{{0:018d}..{3:018d}}}"]),
    ],
)
def test_runs_of_four_and_more_are_folded(names, shown):
    found = compress(names)
    assert [each.text for each in found] == shown
    assert sum(each.size for each in found) == len(names)
