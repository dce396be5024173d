"""``torc exec``: commands without a specification, with values filled in as GNU parallel does."""

import pytest

pytestmark = pytest.mark.slow

HOSTILE = ["two words", "it's", '"', "$(touch hacked)", "`touch hacked`", "a\nb", "-rf", "", "*", "; touch hacked", "ü"]


def outputs(folder):
    return [path.read_text() for path in folder.glob("job_stdio/*.o")]


def test_hostile_values_arrive_as_they_are(torc, tmp_path):
    said = torc("exec", "printf '<%s>'", ":::", *HOSTILE)
    assert said.code == 0, said.err
    assert sorted(outputs(tmp_path / "output")) == sorted(f"<{value}>" for value in HOSTILE)
    assert not (tmp_path / "hacked").exists()


@pytest.mark.parametrize(
    ("words", "commands"),
    [
        (["a", "b c"], ["a", "b c"]),
        (["gzip", "-9", ":::", "x", "y"], ["gzip -9 x", "gzip -9 y"]),
        (["{.} {/} {//} {/.} {#}", ":::", "d/e.tar.gz"], ["d/e.tar e.tar.gz d e.tar 1"]),
        (["{2}{1}", ":::", "a", "b", ":::", "1", "2"], ["1a", "2a", "1b", "2b"]),
        (["echo", ":::", "a", "b", ":::+", "1", "2"], ["echo a 1", "echo b 2"]),
    ],
)
def test_a_dry_run_shows_the_commands(offline, tmp_path, words, commands):
    assert offline("-f", "json", "exec", "--dry-run", *words).json == {"commands": commands}
    assert not list(tmp_path.iterdir())


def test_commands_come_from_stdin_and_values_from_files(offline, tmp_path):
    said = offline("--format", "json", "exec", "--dry-run", "-f", "-", stdin="true\n\necho 'a b'\r\n")
    assert said.json == {"commands": ["true", "echo 'a b'"]}
    (tmp_path / "list").write_text("one two\nthree\n")
    said = offline("exec", "--dry-run", "cat", "::::", "list")
    assert said.out == "cat 'one two'\ncat three\n"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "nothing to run"),
        (["echo", ":::"], "nothing to run"),
        ([":::", "a"], "no command before"),
        (["echo", ":::", "a", "b", ":::+", "1"], "both need the same number"),
        (["{3}", ":::", "a"], "asks for value 3"),
        (["-f", "missing.txt"], "cannot be read"),
    ],
)
def test_what_makes_no_sense_is_one_sentence(offline, tmp_path, words, sentence):
    said = offline("exec", *words)
    assert said.code in (1, 2)
    assert sentence in said.err
    assert "Traceback" not in said.err
    assert not list(tmp_path.iterdir())


def test_it_works_without_a_server_of_ones_own(offline, tmp_path):
    said = offline("--standalone", "exec", "-o", "here", "--format", "json", "true", "exit 7")
    assert said.code == 3, said.err
    assert [(job["name"], job["return_code"]) for job in said.json["jobs"]] == [("exec_001", 0), ("exec_002", 7)]
    assert (tmp_path / "here" / "torc.db").exists()


def test_what_fails_is_tried_again(torc, tmp_path):
    assert torc("exec", "--retries", "1", "test -e mark || { touch mark; exit 1; }").code == 0


def test_a_server_that_was_named_and_does_not_answer_is_5(offline):
    assert offline("exec", "true").code == 5
