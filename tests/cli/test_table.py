"""Tables: widths, lines and frames, without a terminal and without records."""

import subprocess
import sys

import pytest

from torc.cli.table import box, width_of


def test_cells_are_as_wide_as_the_widest_one():
    assert list(box(["ID", "Name"], [["1", "long name"], ["100", ""]])) == [
        "╭─────┬───────────╮",
        "│ ID  │ Name      │",
        "├─────┼───────────┤",
        "│ 1   │ long name │",
        "│ 100 │           │",
        "╰─────┴───────────╯",
    ]


def test_a_cell_of_several_lines_makes_its_row_higher():
    lines = list(box(["a", "b"], [["1\n22", "x"]]))
    assert lines[3:5] == ["│ 1  │ x │", "│ 22 │   │"]


@pytest.mark.parametrize(
    ("cell", "width"),
    [("", 0), ("abc", 3), ("é", 1), ("e\u0301", 1), ("日本", 4), ("a\n日本\nb", 4), ("\U0001f600", 2)],
)
def test_widths_are_those_of_a_terminal(cell, width):
    assert width_of(cell) == width


def test_painted_cells_keep_their_width():
    lines = list(box(["s", "t"], [["ok", "x"]], {0: lambda cell, text: f"<{cell}|{text}>"}))
    assert lines[3] == "│ <ok|ok> │ x │"


def test_a_terminal_that_knows_only_ascii_gets_a_box_of_it(environment):
    code = "from torc.cli.table import box\nprint(*box(['ID'], [['1']]), sep='\\n')"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**environment, "PYTHONIOENCODING": "ascii"}
    )
    assert done.stdout == "+----+\n| ID |\n+----+\n| 1  |\n+----+\n"
