import pytest


def names(document):
    return [job.name for job in document.jobs]


def commands(document):
    return [job.command for job in document.jobs]


def test_the_last_parameter_varies_fastest(load):
    document = load(
        """
        jobs:
          - name: job_{b}_{a}
            command: run {a} {b}
            parameters: {a: "1:2", b: "['x','y','z']"}
        """
    )
    assert names(document) == ["job_x_1", "job_y_1", "job_z_1", "job_x_2", "job_y_2", "job_z_2"]


def test_zip_pairs_values_by_position(load):
    document = load(
        """
        jobs:
          - name: train_{dataset}
            command: train {dataset} {model}
            parameters: {dataset: [cifar, mnist], model: [resnet, cnn]}
            parameter_mode: zip
        """
    )
    assert commands(document) == ["train cifar resnet", "train mnist cnn"]


@pytest.mark.parametrize(
    ("template", "values", "texts"),
    [
        ("{i:03d}_{i}", "[5]", ["005_5"]),
        ("{i:5d}|{i:<4}|{i:x}", "[10]", ["   10|10  |a"]),
        ("{i:.2f}", "[1,2.125]", ["1.00", "2.12"]),
        ("{i:.1e}", "[12345.0]", ["1.2e+04"]),
        ("{i:>4}", "['ab']", ["  ab"]),
        ("{i:}", "[0.10]", ["0.1"]),
        ("lr{i:.4f}", "[0.0001,0.001]", ["lr0.0001", "lr0.0010"]),
        ("100%_{i}_%s", "[1]", ["100%_1_%s"]),
        ("{i}{i}", "['{i}']", ["{i}{i}"]),
        ("${i} {i}", "[1]", ["${i} 1"]),
        ("{{i}}", "[1]", ["{1}"]),
    ],
)
def test_placeholders_are_filled_in(load, template, values, texts):
    document = load(
        f"""
        jobs:
          - name: "n{{i}}"
            command: '{template}'
            parameters: {{i: "{values}"}}
        """
    )
    assert commands(document) == texts


def test_braces_that_name_no_parameter_stay_in_commands(load):
    command = "awk '{print $1}' {a,b} {j} ${i} {i:03d"
    document = load(f'jobs: [{{name: "n{{i}}", command: "{command}", parameters: {{i: 1}}}}]')
    assert commands(document) == [command]


def test_shared_parameters_are_used_by_name_and_overridden_by_own_ones(load):
    document = load(
        """
        parameters: {lr: "[0.1,0.2]", size: [1, 2, 3]}
        jobs:
          - {name: "a_{lr}", command: x, use_parameters: [lr]}
          - {name: "b_{size}_{lr}", command: x, use_parameters: [size, lr], parameters: {lr: 9}}
          - {name: plain, command: "x {lr}"}
        """
    )
    assert names(document) == ["a_0.1", "a_0.2", "b_1_9", "b_2_9", "b_3_9", "plain"]
    assert commands(document)[-1] == "x {lr}"


def test_an_entry_whose_name_shows_no_parameter_is_one_job_with_the_union_of_its_lists(load):
    document = load(
        """
        parameters: {i: "1:3", j: "1:2"}
        files:
          - {name: "f_{i}_{j}", path: "{i}/{j}", use_parameters: [i, j]}
        jobs:
          - {name: "work_{i}_{j}", command: x, use_parameters: [i, j]}
          - name: collect
            command: x
            depends_on: ["work_{i}_{j}", "work_1_1"]
            input_files: ["f_{i}_{j}"]
            use_parameters: [i, j]
          - {name: after, command: x, depends_on: [collect]}
        """
    )
    assert names(document)[6:] == ["collect", "after"]
    assert document.jobs[6].depends_on == [0, 1, 2, 3, 4, 5]
    assert document.jobs[6].input_files == [0, 1, 2, 3, 4, 5]
    assert document.jobs[7].depends_on == [6]


def test_an_entry_whose_name_shows_some_parameters_unites_over_the_others(load):
    document = load(
        """
        parameters: {i: "1:3", j: "1:2"}
        jobs:
          - {name: "work_{i}_{j}", command: x, use_parameters: [i, j]}
          - {name: "sum_{j}", command: "x {j}", depends_on: ["work_{i}_{j}"], use_parameters: [i, j]}
        """
    )
    assert names(document)[6:] == ["sum_1", "sum_2"]
    assert [job.depends_on for job in document.jobs[6:]] == [[0, 2, 4], [1, 3, 5]]


def test_a_parameter_with_one_value_need_not_show_in_the_name(load):
    document = load('jobs: [{name: a, command: "x {size}", parameters: {size: 4}}]')
    assert commands(document) == ["x 4"]


def test_values_match_themselves_in_regexes(load):
    document = load(
        """
        parameters: {v: ["1.5", "1+5"]}
        jobs:
          - {name: "a_{v}", command: x, use_parameters: [v]}
          - {name: "a_1x5", command: x}
          - {name: "b_{v}", command: x, use_parameters: [v], depends_on_regexes: ["^a_{v}$"]}
        """
    )
    assert [job.depends_on for job in document.jobs[3:]] == [[0], [1]]


def test_quantifiers_of_a_regex_are_no_placeholders(load):
    document = load(
        """
        jobs:
          - {name: aaa, command: x}
          - {name: "b{i}", command: x, parameters: {i: 1}, depends_on_regexes: ["^a{3}$"]}
        """
    )
    assert document.jobs[1].depends_on == [0]


def test_requirements_and_scripts_are_templates_too(load):
    document = load(
        """
        resource_requirements: [{name: small_1}, {name: small_2}]
        jobs:
          - name: a_{i}
            command: x
            invocation_script: "wrap {i}"
            resource_requirements: small_{i}
            parameters: {i: "1:2"}
        """
    )
    assert [(job.invocation_script, job.resource_requirements) for job in document.jobs] == [
        ("wrap 1", 0),
        ("wrap 2", 1),
    ]


def test_files_and_user_data_are_multiplied(load):
    document = load(
        """
        files:
          - {name: "m_{i:03d}", path: "/models/{i:03d}.pt", parameters: {i: "1:2"}, st_mtime: 5}
          - {name: one, path: p, parameters: {i: "1:2"}}
        user_data:
          - name: config_{e}
            is_ephemeral: true
            data: {experiment: "{e}", deep: [{x: "a{e}"}], rate: 0.001}
            parameters: {e: [base, full]}
        """
    )
    assert [(file.name, file.path, file.st_mtime) for file in document.files] == [
        ("m_001", "/models/001.pt", 5.0),
        ("m_002", "/models/002.pt", 5.0),
        ("one", "p", None),
    ]
    assert [(record.name, record.is_ephemeral) for record in document.user_data] == [
        ("config_base", True),
        ("config_full", True),
    ]
    assert document.user_data[1].data == {"experiment": "full", "deep": [{"x": "afull"}], "rate": 0.001}


def test_without_parameters_data_is_left_as_it_is(load):
    document = load('user_data: [{name: u, data: {"{i}": "{i}"}}]')
    assert document.user_data[0].data == {"{i}": "{i}"}
