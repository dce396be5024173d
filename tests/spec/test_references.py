def test_file_references_become_paths_and_links(load):
    document = load(
        """
        files:
          - {name: a, path: in dir/a.txt}
          - {name: b, path: b.txt}
          - {name: c, path: "${files.input.a}"}
          - {name: d, path: d}
        jobs:
          - name: j
            command: cp ${files.input.a} ${files.output.b} ${files.output.c} ${files.input.a}
            invocation_script: env FILE=${files.input.d}
        """
    )
    job = document.jobs[0]
    assert job.command == "cp in dir/a.txt b.txt ${files.input.a} in dir/a.txt"
    assert job.invocation_script == "env FILE=d"
    assert (job.input_files, job.output_files) == ([0, 3], [1, 2])


def test_references_add_to_the_lists_and_never_replace_them(load):
    document = load(
        """
        files: [{name: a, path: a}, {name: b, path: b}, {name: c, path: c}]
        jobs:
          - {name: j, command: "cat ${files.input.c}", input_files: [b, b], input_file_regexes: ["^[ab]$"]}
          - {name: k, command: "cat", input_files: [c, a]}
        """
    )
    assert [job.input_files for job in document.jobs] == [[0, 1, 2], [0, 2]]


def test_a_reference_in_one_job_of_an_entry_does_not_leak_into_the_next(load):
    document = load(
        """
        files: [{name: "f_{i}", path: "f{i}", parameters: {i: "1:2"}}, {name: all, path: all}]
        jobs:
          - {name: "j_{i}", command: "cat ${files.input.f_{i}}", input_files: [all], parameters: {i: "1:2"}}
        """
    )
    assert [job.input_files for job in document.jobs] == [[0, 2], [1, 2]]


def test_user_data_stays_by_name_and_makes_links(load):
    document = load(
        """
        user_data: [{name: a.b, data: 1}, {name: c}, {name: d}, {name: e}]
        jobs:
          - name: j
            command: get ${user_data.input.a.b}; put ${user_data.output.c} '${user_data_json.input.d}'
            output_user_data_regexes: [e]
        """
    )
    job = document.jobs[0]
    assert job.command == "get ${user_data.input.a.b}; put ${user_data.output.c} '${user_data_json.input.d}'"
    assert (job.input_user_data, job.output_user_data) == ([0, 2], [1, 3])


def test_other_dollar_braces_belong_to_the_shell(load):
    command = "echo ${HOME} ${filesystem.x} ${user_data} $files.input.a ${x:-{}} $(date) $$"
    assert load(f"jobs: [{{name: j, command: '{command}'}}]").jobs[0].command == command
