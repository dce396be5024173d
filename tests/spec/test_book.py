"""Every specification that the users' book prints loads, and expands to what the book says about it.

A specification is known by its first line in the book. One that is in none of the tables fails a test, so that a new
edition is looked at.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from torc.models.draft import DraftDocument
from torc.spec import check
from torc.spec.document import Specification

BOOK = Path(__file__).resolve().parents[3] / "shared" / "book" / "torc-book.txt"

pytestmark = pytest.mark.skipif(not BOOK.exists(), reason="the users' book is not part of this checkout")

KEYS = "|".join(Specification.__struct_fields__)
NODES = "name|user|description|job|file|parameters|user_data|resource_requirements|slurm_scheduler|action"
PROSE = re.compile(r"\s*(•|\d+\.) ")
BEGINNINGS = {
    "yaml": re.compile(rf"({KEYS}):(\s|$)"),
    "kdl": re.compile(rf'({NODES}) ("|\{{)'),
    "json5": re.compile(r"\{$"),
}
MIDDLES = {
    "yaml": re.compile(rf"$|#| |- |({KEYS}):(\s|$)"),
    "kdl": re.compile(rf'$|//| |\}}|({NODES}) ("|\{{)'),
    "json5": re.compile(r"[^}]|$"),
}
PARTS = {
    "yaml": re.compile(rf"^({KEYS}):", re.MULTILINE),
    "kdl": re.compile(r"^(\w+) ", re.MULTILINE),
    "json5": re.compile(r'^  "?(\w+)"?:', re.MULTILINE),
}


@dataclass(frozen=True)
class Block:
    """A piece of a specification in the book."""

    line: int
    form: str
    text: str

    @property
    def parts(self) -> set[str]:
        """What it has at its top level."""
        return set(PARTS[self.form].findall(self.text))

    @property
    def has_jobs(self) -> bool:
        return not self.parts.isdisjoint(("jobs", "job"))

    @property
    def is_complete(self) -> bool:
        return self.has_jobs and "name" in self.parts


def blocks() -> Iterator[Block]:
    """The pieces, in the order of the book. In the text of the book only indentation tells code from prose."""
    lines = BOOK.read_text().splitlines()
    at = 0
    while at < len(lines):
        form = next((form for form, beginning in BEGINNINGS.items() if beginning.match(lines[at])), None)
        if form is None:
            at += 1
            continue
        first = at
        while at < len(lines) and MIDDLES[form].match(lines[at]) and not PROSE.match(lines[at]):
            at += 1
        if form == "json5":
            at += 1
        yield Block(first + 1, form, "\n".join(lines[first:at]).rstrip() + "\n")


@dataclass(frozen=True)
class Said:
    """What the book says about a specification."""

    jobs: int
    waits: dict[str, str] = field(default_factory=dict)  # names of all jobs that a job waits for
    numbers: dict[str, int] = field(default_factory=dict)  # how many jobs a job waits for
    names: str = ""  # of some jobs, in order from the first
    files: int = 0
    add: str = ""  # what the book leaves out, in YAML
    rows: int | None = None  # of dependencies, members of groups included


DIAMOND = {"work1": "preprocess", "work2": "preprocess", "postprocess": "work1 work2"}
DOWNLOAD = Said(2, {"process_data": "download_data"}, files=2)
GRID = [
    f"train_lr{rate}_bs{size}_opt{optimizer}"
    for rate in ("0.0001", "0.0010", "0.0100")
    for size in (16, 32, 64)
    for optimizer in ("adam", "sgd")
]
RATES = ("0.0001", "0.0005", "0.0010", "0.0050", "0.0100")
SETUP_FIRST = {f"experiment_{i}": "setup" for i in range(1, 101)}

COMPLETE = {
    52: Said(4, DIAMOND, files=6),
    295: Said(2, {"job 1": "", "job 2": ""}),
    326: Said(4, DIAMOND, files=6),
    403: Said(2, {"job2": "job1"}),
    468: Said(3, {"train": "preprocess", "evaluate": "train"}),
    825: Said(1),
    1908: Said(4, {"train_model": "preprocess", "evaluate": "train_model", "generate_report": "evaluate"}),
    3629: Said(3, {"train_model": "preprocess", "evaluate": "train_model"}),
    7660: DOWNLOAD,
    7721: DOWNLOAD,
    7793: DOWNLOAD,
    8119: Said(19, {"aggregate_results": " ".join(GRID)}, names=" ".join(GRID), files=18),
    10642: Said(4, DIAMOND),
    10777: Said(100, {"job_001": "", "job_100": ""}, names="job_001 job_002 job_003"),
    10918: Said(4, DIAMOND, files=6),
    11145: Said(3, {"train_model": "generate_config", "evaluate_model": "generate_config"}),
    11388: Said(
        11,
        {f"evaluate_lr{rate}": f"train_lr{rate}" for rate in RATES}
        | {"compare_results": " ".join(f"evaluate_lr{rate}" for rate in RATES)},
        names=" ".join(f"train_lr{rate}" for rate in RATES),
        files=10,
    ),
    11666: Said(
        21,
        dict.fromkeys(GRID, "prepare_data")
        | {"aggregate_results": " ".join(GRID), "select_best_model": "aggregate_results"},
        files=37,
    ),
    # A million pairs; as a group it is two rows a job.
    11959: Said(2001, numbers={"preprocess_000": 0, "analyze_999": 1000, "final_report": 1000}, rows=3000),
    12001: Said(
        2003,
        {"analyze_999": "barrier_stage1_complete", "final_report": "barrier_stage2_complete"},
        {"barrier_stage1_complete": 1000, "barrier_stage2_complete": 1000},
        rows=3001,
    ),
    12094: Said(
        202,
        {"generate_data_00": "", "process_data_99": "data_generation_complete"},
        {"data_generation_complete": 100, "processing_complete": 100},
        names="generate_data_00 generate_data_01",
    ),
    12928: Said(2, {"train": "preprocess"}),
}

UNFINISHED = {
    2107: "an extract: comments stand for more jobs, schedulers and the requirements",
    3782: "a comment stands for the jobs",
}

FRAGMENTS = {
    40: Said(100, names="job_1 job_2"),
    662: Said(100, names="work_1 work_2"),
    672: Said(100, names="work_1 work_2"),
    1101: Said(2, {"analyze": "preprocess"}),
    1115: Said(2, {"analyze": "preprocess"}, files=1, add="files: [{name: intermediate_data, path: p}]"),
    1130: Said(2, {"run_simulation": "generate_config"}),
    1175: Said(1, files=2, add="files: [{name: raw, path: p}, {name: result, path: q}]"),
    1202: Said(2),
    1287: Said(2, add="resource_requirements: [{name: large}, {name: highmem}]"),
    2052: Said(3, {"step2": "step1", "step3": "step1 step2"}, add="resource_requirements: [{name: small}]"),
    2069: Said(2, {"analyze": "process"}, files=2, add="resource_requirements: [{name: compute}]"),
    3054: Said(2, {"analyze": "preprocess"}, files=2),
    3168: Said(
        2,
        {"train": "preprocess"},
        add="slurm_schedulers: [{name: standard, account: a}, {name: gpu_nodes, account: a}]",
    ),
    3544: Said(1),
    7895: Said(100, names="process_1"),
    7982: Said(5, names="job_1 job_2 job_3 job_4 job_5"),
    7990: Said(2, names="job_1 job_2"),
    8001: Said(100, names="job_001 job_002"),
    8011: Said(3, names="train_lr0.0001 train_lr0.0010 train_lr0.0100"),
    8035: Said(9, names="train_lr0.0001_bs16 train_lr0.0001_bs32 train_lr0.0001_bs64 train_lr0.0010_bs16"),
    8055: Said(15, names="process_train_rep01 process_train_rep02"),
    8068: Said(
        6,
        {f"process_{config}": f"generate_{config}" for config in "ABC"},
        files=3,
        add="files: [{name: 'data_{c}', path: '{c}', parameters: {c: [A, B, C]}}]",
    ),
    8163: Said(11, names="train_lr0.0001_bs16"),
    8186: Said(5, names="train_lr0.0001 train_lr0.0010 train_lr0.0100 special_lr0.0100 special_lr0.1000"),
    8204: Said(9, names="train_lr0.0001_bs16 train_lr0.0001_bs32"),
    8216: Said(9, names="train_lr0.0001_bs16 train_lr0.0001_bs32"),
    8238: Said(9, names="job_1_x job_1_y job_1_z job_2_x"),
    8252: Said(3, names="train_cifar10_resnet train_mnist_cnn train_imagenet_transformer"),
    8279: Said(3, names="train_cifar10_resnet train_mnist_cnn train_imagenet_transformer"),
    11322: Said(1, add="user_data: [{name: optimal_params}]"),
    11590: Said(12),
    11881: Said(101, SETUP_FIRST, names="setup experiment_1"),
    12246: Said(
        200,
        {f"analyze_{i}": f"preprocess_{i}" for i in range(100)},
        files=100,
        add="files: [{name: 'data_{i}.json', path: '{i}', parameters: {i: '0:99'}}]",
    ),
    12267: Said(
        4,
        {
            "process_weather": "fetch_data",
            "process_traffic": "fetch_data",
            "generate_report": "process_weather process_traffic",
        },
    ),
}

UNFINISHED_FRAGMENTS = {
    1750: "two keys of an action",
    2200: "depends on a job that is not shown",
    11332: "a loop of the shell makes the names of user data, which cannot be known when the workflow is created",
    11370: "two ways to write one list of jobs, as one text",
    11561: "braces within [...] need quotes in YAML; the jobs have no commands",
    11907: "jobs without commands",
    12290: "one stage of two",
}

SECTIONS = {
    91: "slurm_schedulers",
    1585: "actions",
    2011: "resource_requirements",
    2169: "resource_requirements",
    3107: "slurm_schedulers",
    3184: "slurm_schedulers actions",
    3218: "slurm_schedulers actions",
    3251: "slurm_schedulers actions",
    3320: "slurm_schedulers",
    3524: "slurm_schedulers",
    7956: "",
    7962: "",
    7967: "",
    7972: "",
    8021: "files",
    8097: "files",
    8105: "user_data",
    8327: "resource_requirements",
    8694: "slurm_schedulers",
    11534: "",
    11642: "",
    11655: "",
}


def found(*, complete: bool) -> dict[int, Block]:
    """The blocks that have jobs, by line."""
    return {block.line: block for block in blocks() if block.has_jobs and block.is_complete is complete}


def load(text: str, form: str) -> DraftDocument:
    """The document in a text that must have no mistake."""
    checked = check(text, source=f"book.{form}", user="ada")
    assert checked.document is not None, "\n".join(checked.errors)
    return checked.document


def load_fragment(block: Block, add: str) -> DraftDocument:
    """The document when a name, and what else the book leaves out, is added."""
    if block.form == "json5":
        return load(block.text.replace("{", '{name: "book",', 1), block.form)
    name = 'name "book"\n' if block.form == "kdl" else "name: book\n"
    return load(f"{name}{add}\n{block.text}", block.form)


def waits(document: DraftDocument) -> dict[str, set[str]]:
    """Names of what each job waits for: by edges, groups, files and user data."""
    jobs = list(document.jobs)
    writers = defaultdict(set)
    for index, job in enumerate(jobs):
        for record in [("f", file) for file in job.output_files] + [("u", data) for data in job.output_user_data]:
            writers[record].add(index)
    everything = {}
    for job in jobs:
        indexes = set(job.depends_on)
        indexes.update(*(document.groups[group].members for group in job.depends_on_groups))
        indexes.update(*(writers[("f", file)] for file in job.input_files))
        indexes.update(*(writers[("u", data)] for data in job.input_user_data))
        everything[job.name] = {jobs[index].name for index in indexes}
    return everything


def compare(document: DraftDocument, said: Said) -> None:
    """Fail where the document is not what the book says."""
    names = [job.name for job in document.jobs]
    assert (len(names), len(document.files)) == (said.jobs, said.files)
    shown = said.names.split()
    assert names[: len(shown)] == shown
    waited = waits(document)
    assert {name: waited[name] for name in said.waits} == {
        name: set(others.split()) for name, others in said.waits.items()
    }
    assert {name: len(waited[name]) for name in said.numbers} == said.numbers
    if said.rows is not None:
        edges = sum(len(job.depends_on) + len(job.depends_on_groups) for job in document.jobs)
        assert edges + sum(len(group.members) for group in document.groups) == said.rows


def test_every_complete_specification_of_the_book_is_in_a_table() -> None:
    assert sorted(found(complete=True)) == sorted([*COMPLETE, *UNFINISHED])


def test_every_fragment_with_jobs_is_in_a_table() -> None:
    assert sorted(found(complete=False)) == sorted([*FRAGMENTS, *UNFINISHED_FRAGMENTS])


@pytest.mark.parametrize("line", COMPLETE)
def test_a_complete_specification_becomes_what_the_book_says(line: int) -> None:
    block = found(complete=True)[line]
    compare(load(block.text, block.form), COMPLETE[line])


@pytest.mark.parametrize("line", FRAGMENTS)
def test_a_fragment_becomes_what_the_book_says(line: int) -> None:
    compare(load_fragment(found(complete=False)[line], FRAGMENTS[line].add), FRAGMENTS[line])


@pytest.mark.parametrize("line", SECTIONS)
def test_a_section_alone_can_be_read(line: int) -> None:
    block = next(block for block in blocks() if block.line == line)
    document = load(f"name: book\njobs: []\n{block.text}", block.form)
    filled = ("files", "user_data", "resource_requirements", "slurm_schedulers", "actions")
    assert [part for part in filled if getattr(document, part)] == SECTIONS[line].split()


@pytest.mark.parametrize("line", [*UNFINISHED, *UNFINISHED_FRAGMENTS])
def test_what_is_unfinished_is_refused_in_words(line: int) -> None:
    block = next(block for block in blocks() if block.line == line)
    text = block.text if block.is_complete else f"name: book\n{block.text}"
    checked = check(text, source="book.yaml", user="ada")
    assert checked.errors
    assert all(error.startswith("book.yaml") for error in checked.errors)


def test_the_three_formats_of_one_example_are_the_same_but_for_quotes() -> None:
    by_form: dict[str, DraftDocument] = {}
    for line in (7660, 7721, 7793):
        block = found(complete=True)[line]
        by_form[block.form] = load(block.text, block.form)
    assert by_form["json5"] == by_form["kdl"]
    for document in by_form.values():
        document.actions[0].action_config["commands"][1] = 'echo "Workflow started"'
    assert by_form["yaml"] == by_form["json5"]


ACTION = re.compile(r"^- trigger_type: .*\n(?:(?:  .*)?\n)*", re.MULTILINE)
WORLD = """name: book
slurm_schedulers: [{name: gpu_cluster, account: a}]
jobs:
  - {name: "train_model_{i}", command: x, parameters: {i: "1:2"}}
  - {name: "train_model_{i:03d}", command: x, parameters: {i: "1:3"}}
  - {name: "preprocess_{i}", command: x, parameters: {i: "1:3"}}
  - {name: "job{i}", command: x, parameters: {i: "1:3"}}
  - {name: eval_all, command: x}
actions:
"""


def test_the_actions_of_their_chapter_can_be_read() -> None:
    text = BOOK.read_text()
    actions = [load(WORLD + match[0], "yaml").actions[0] for match in ACTION.finditer(text)]
    assert Counter(str(action.trigger_type) for action in actions) == {
        "on_workflow_start": 1,
        "on_workflow_complete": 2,
        "on_jobs_ready": 3,
        "on_jobs_complete": 2,
        "on_worker_start": 1,
        "on_worker_complete": 1,
    }
    assert [len(action.jobs or ()) for action in actions] == [0, 0, 3, 3, 0, 0, 3, 6, 0, 2]


RANGES: list[tuple[str, Callable[[], list[int | float]]]] = [
    ('i: "1:10"', lambda: list(range(1, 11))),
    ('i: "0:100:10"', lambda: list(range(0, 101, 10))),
    ('alpha: "0.0:1.0:0.1"', lambda: [round(0.1 * step, 1) for step in range(11)]),
]


@pytest.mark.parametrize(("line", "values"), RANGES, ids=[line for line, _ in RANGES])
def test_the_ranges_of_the_book_have_the_values_of_their_comments(
    line: str, values: Callable[[], list[int | float]]
) -> None:
    assert f"\n  {line}" in BOOK.read_text()
    name = line.partition(":")[0]
    text = f"name: book\njobs:\n- name: n_{{{name}}}\n  command: x\n  parameters:\n    {line}\n"
    assert [float(job.name[2:]) for job in load(text, "yaml").jobs] == values()
