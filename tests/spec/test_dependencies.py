import random
import re

import pytest

from torc.spec import expand, load_document


def waits_for(document, job):
    """All jobs that come before one: its edges, and the members of its groups."""
    members = [member for group in job.depends_on_groups for member in document.groups[group].members]
    assert len(set(job.depends_on + members)) == len(job.depends_on + members)
    return sorted(job.depends_on + members)


def test_dependencies_by_name_are_indexes_in_order_without_repeats(load):
    document = load(
        "jobs: [{name: c, command: x, depends_on: [b, a, b]}, {name: a, command: x}, {name: b, command: x}]"
    )
    assert document.jobs[0].depends_on == [1, 2]
    assert document.groups == []


def test_a_regex_is_searched_for_anywhere_in_a_name(load):
    document = load(
        """
        jobs:
          - {name: xa1, command: x}
          - {name: a2, command: x}
          - {name: b, command: x, depends_on_regexes: ["a"]}
          - {name: c, command: x, depends_on_regexes: ["^a"]}
          - {name: d, command: x, depends_on_regexes: ["1$", "^b"], depends_on: [b, c]}
        """
    )
    assert [job.depends_on for job in document.jobs[2:]] == [[0, 1], [1], [0, 2, 3]]


def test_a_regex_never_matches_the_job_that_waits(load):
    document = load(
        """
        jobs:
          - {name: work_1, command: x}
          - {name: work_2, command: x}
          - {name: work_done, command: x, depends_on_regexes: [work]}
        """
    )
    assert document.jobs[2].depends_on == [0, 1]


def test_all_to_all_by_regex_is_one_group(load):
    document = load(
        """
        jobs:
          - {name: "a_{i}", command: x, parameters: {i: "1:300"}}
          - {name: "b_{i}", command: x, parameters: {i: "1:300"}, depends_on_regexes: ["^a_"]}
          - {name: "c_{i}", command: x, parameters: {i: "1:300"}, depends_on_regexes: ["^a_[0-9]+$"], depends_on: [a_1]}
        """
    )
    assert [group.members for group in document.groups] == [list(range(300))]
    assert all(job.depends_on_groups == [0] and not job.depends_on for job in document.jobs[300:])


def test_all_to_all_by_equal_lists_is_one_group(load):
    several = ", ".join(f"a_{i}" for i in range(20))
    document = load(
        "jobs:\n"
        + "".join(f"  - {{name: a_{i}, command: x}}\n" for i in range(20))
        + "".join(f"  - {{name: b_{i}, command: x, depends_on: [{several}]}}\n" for i in range(20))
    )
    assert [group.members for group in document.groups] == [list(range(20))]
    assert all(job.depends_on_groups == [0] for job in document.jobs[20:])


def test_all_to_all_by_parameters_is_one_group(load):
    document = load(
        """
        parameters: {i: "1:2000", j: "1:2000"}
        jobs:
          - {name: "a_{i}", command: x, use_parameters: [i]}
          - {name: "b_{j}", command: x, use_parameters: [i, j], depends_on: ["a_{i}"]}
        """
    )
    assert [len(group.members) for group in document.groups] == [2000]


def test_a_job_may_wait_for_several_groups(load):
    document = load(
        """
        jobs:
          - {name: "a_{i}", command: x, parameters: {i: "1:10"}}
          - {name: "b_{i}", command: x, parameters: {i: "1:10"}}
          - {name: "c_{i}", command: x, parameters: {i: "1:10"}, depends_on_regexes: ["^b_", "^a_"], depends_on: [z]}
          - {name: z, command: x}
        """
    )
    assert [group.members for group in document.groups] == [list(range(10, 20)), list(range(10))]
    assert (document.jobs[20].depends_on_groups, document.jobs[20].depends_on) == ([0, 1], [30])


def test_few_pairs_stay_plain_edges(load):
    document = load(
        """
        jobs:
          - {name: "a_{i}", command: x, parameters: {i: "1:2"}}
          - {name: "b_{i}", command: x, parameters: {i: "1:2"}, depends_on_regexes: [^a]}
        """
    )
    assert document.groups == []
    assert [job.depends_on for job in document.jobs[2:]] == [[0, 1], [0, 1]]


PATTERNS = [
    "^n1",
    "^n\\d$",
    "^n-?1\\-",
    "^n1*2",
    "^n1{2}",
    "^n2?",
    "n",
    "2$",
    "^n1|^n2",
    "(?i)^N3",
    "^[n]4",
    "^n",
    "^n1+",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_regex_finds_what_trying_it_on_every_name_finds(pattern):
    names = [f"n{i}{tail}" for i in range(25) for tail in ("", "-x")]
    jobs = "".join(f"  - {{name: {name}, command: x}}\n" for name in names)
    text = f"name: f\njobs:\n{jobs}  - {{name: last, command: x, depends_on_regexes: ['{pattern}']}}\n"
    document = load_document(text, source="flow.yaml", user="ada")
    assert waits_for(document, document.jobs[-1]) == [i for i, name in enumerate(names) if re.search(pattern, name)]


@pytest.mark.parametrize("seed", range(5))
def test_groups_and_edges_together_say_the_same_as_pairs(seed):
    chance = random.Random(seed)
    names = [f"j{i:02d}" for i in range(60)]
    wanted, jobs = [], []
    for position, name in enumerate(names):
        choices = names[:position]
        digits = chance.sample("0123", k=chance.randint(0, 2))
        patterns = [f"^j{d}" for d in digits if any(choice[1] == d for choice in choices) and name[1] != d]
        explicit = chance.sample(choices, k=min(len(choices), chance.randint(0, 3)))
        matched = [other for other in names if any(other.startswith(p[1:]) for p in patterns)]
        wanted.append(sorted({names.index(other) for other in explicit + matched}))
        jobs.append(f"  - {{name: {name}, command: x, depends_on: {explicit}, depends_on_regexes: {patterns}}}\n")
    document = load_document("name: f\njobs:\n" + "".join(jobs), source="flow.yaml", user="ada")
    assert [waits_for(document, job) for job in document.jobs] == wanted


def test_a_long_chain_is_no_deep_recursion(load):
    jobs = ["{name: j_0, command: x}"]
    jobs += [f"{{name: j_{i}, command: x, depends_on: [j_{i - 1}]}}" for i in range(1, 5000)]
    document = load("jobs:\n" + "".join(f"- {job}\n" for job in jobs))
    assert document.jobs[-1].depends_on == [4998]


@pytest.mark.parametrize(
    ("text", "circle"),
    [
        ("- {name: a, command: x, depends_on: [a]}", "jobs[0]: job waits for itself: a -> a;"),
        (
            "- {name: z, command: x, depends_on: [c]}\n"
            "- {name: a, command: x, depends_on: [b]}\n"
            "- {name: b, command: x, depends_on: [c]}\n"
            "- {name: c, command: x, depends_on: [a]}",
            "jobs[1]: jobs wait for each other: a -> b -> c -> a;",
        ),
        (
            "- {name: a, command: x, depends_on_regexes: [b]}\n- {name: b, command: x, depends_on_regexes: [^a]}",
            "jobs[0]: jobs wait for each other: a -> b -> a;",
        ),
        (
            "- {name: 'a_{i}', command: x, parameters: {i: '1:50'}, depends_on_regexes: [^b_]}\n"
            "- {name: 'b_{i}', command: x, parameters: {i: '1:50'}, depends_on_regexes: [^a_]}",
            "jobs[0]: jobs wait for each other: a_1 -> b_1 -> a_1;",
        ),
        (
            "- {name: 'a_{i}', command: x, parameters: {i: '1:50'}, depends_on_regexes: [.]}",
            "jobs[0].depends_on_regexes[0]: jobs wait for each other: a_1 -> a_2 -> a_1, since both use",
        ),
        (
            "- {name: a, command: 'x ${files.input.f} ${files.output.g}'}\n"
            "- {name: b, command: 'x ${files.input.g} ${files.output.f}'}",
            'jobs[0]: jobs wait for each other: a -> b -> a (through "',
        ),
        (
            "- {name: a, command: 'x ${user_data.input.u}', depends_on: [b]}\n"
            "- {name: b, command: x}\n"
            "- {name: c, command: 'x ${user_data.output.u}', depends_on: [a]}",
            'jobs[0]: jobs wait for each other: a -> c -> a (through "u")',
        ),
        (
            "- {name: a, command: x, input_files: [f], output_files: [f]}",
            'jobs[0]: job waits for itself: a -> a (through "f")',
        ),
    ],
)
def test_a_circle_is_refused_by_the_names_in_it(refusal, text, circle):
    records = "files: [{name: f, path: f}, {name: g, path: g}]\nuser_data: [{name: u}]\n"
    assert circle in refusal(f"name: flow\n{records}jobs:\n{text}")


def test_a_circle_of_thousands_names_its_ends(refusal):
    jobs = "".join(f"- {{name: j{i}, command: x, depends_on: [j{(i + 1) % 1000}]}}\n" for i in range(1000))
    message = refusal(f"name: flow\njobs:\n{jobs}")
    assert "j0 -> j1 -> j2 -> j3 -> j4 -> j5 -> ... 989 more ... -> j995" in message
    assert message.endswith("j999 -> j0; remove one of these dependencies")


A_THOUSAND = "jobs:\n- {name: 'a_{i}', command: x, parameters: {i: '1:1000'}}\n"


@pytest.mark.parametrize(
    "entries",
    [
        "- {name: 'b_{i}', command: x, parameters: {i: '1:1000'}, depends_on_regexes: ['^a_']}\n",
        "- {name: 'b_{j}', command: x, parameters: {i: '1:1000', j: '1:1000'}, depends_on: ['a_{i}']}\n",
        "".join(
            f"- {{name: '{letter}_{{i}}', command: x, parameters: {{i: '1:500'}},"
            f" depends_on: [{', '.join(f'a_{i}' for i in range(1, 1001))}]}}\n"
            for letter in "bc"
        ),
    ],
    ids=["regex", "template", "equal lists"],
)
def test_a_thousand_before_a_thousand_are_their_sum_and_not_their_product(load, entries):
    document = load(A_THOUSAND + entries)
    assert [len(group.members) for group in document.groups] == [1000]
    waiting = [(job.depends_on, job.depends_on_groups) for job in list(document.jobs)[1000:]]
    assert waiting == [([], [0])] * 1000


def test_jobs_of_an_entry_share_the_files_that_are_the_same_for_all(load):
    document = load(
        "files: [{name: 'f_{i}', path: '{i}', parameters: {i: '1:1000'}}]\n"
        "jobs: [{name: 'b_{i}', command: x, parameters: {i: '1:1000'}, input_file_regexes: ['^f_']}]"
    )
    lists = {id(job.input_files) for job in document.jobs}
    assert (len(lists), len(document.jobs[0].input_files)) == (1, 1000)


def test_jobs_of_a_huge_specification_are_made_anew_for_each_look_at_them(load, monkeypatch):
    text = (
        A_THOUSAND + "- {name: b, command: 'x ${files.input.f}', depends_on_regexes: [a]}\nfiles: [{name: f, path: p}]"
    )
    kept = load(text).jobs
    monkeypatch.setattr(expand, "KEPT_JOBS", 1000)
    made = load(text).jobs
    assert (len(made), list(made), list(made)) == (1001, kept, kept)
    assert next(iter(made)) is not next(iter(made))
