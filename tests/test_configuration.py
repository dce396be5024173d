"""Configuration files: which count, what wins, and what a mistake in one is answered with."""

import itertools
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from torc import configuration, settings
from torc.errors import TorcError
from torc.settings import BY_KEY, Found


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A folder of one's own to work in; nothing is set anywhere."""
    for variable in list(os.environ):
        if variable.startswith(("TORC_", "RUST_LOG", "DATABASE_URL")):
            monkeypatch.delenv(variable)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setattr(configuration, "SYSTEM", tmp_path / "etc" / "config.toml")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    settings.in_files.cache_clear()
    yield tmp_path
    settings.in_files.cache_clear()


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    settings.in_files.cache_clear()


SOURCES = ("system", "user", "local", "environment", "older variable")


def set_in(source: str, key: str, value: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give a setting a value in a source; the origin it then has."""
    setting = BY_KEY[key]
    if source == "environment":
        monkeypatch.setenv(setting.variable, value)
        return f"environment {setting.variable}"
    if source == "older variable":
        assert setting.older_variable
        monkeypatch.setenv(setting.older_variable, value)
        return f"environment {setting.older_variable}"
    path = configuration.places()[source]
    table, _, name = key.rpartition(".")
    write(path, f'# first line\n[{table}]\n{name} = "{value}"\n')
    return f"{path}:3"


@pytest.mark.parametrize(("lower", "higher"), list(itertools.pairwise(SOURCES)))
def test_the_higher_of_two_sources_wins(monkeypatch, lower, higher):
    key = "client.api_url"
    origin = set_in(lower, key, "http://lower/", monkeypatch)
    assert settings.API_URL.found() == Found("http://lower/", origin)
    origin = set_in(higher, key, "http://higher/", monkeypatch)
    assert settings.API_URL.found() == Found("http://higher/", origin)


def test_files_are_merged_key_by_key():
    write(configuration.SYSTEM, '[client]\nformat = "json"\napi_url = "http://a/"\n')
    write(configuration.user_file(), '[client]\napi_url = "http://b/"\n[client.run]\nnum_cpus = 3\n')
    write(configuration.LOCAL, "client.run.num_cpus = 4\nserver.require_auth = true\n")
    assert settings.FORMAT.configured() == "json"
    assert settings.API_URL.configured() == "http://b/"
    assert settings.NUM_CPUS.found() == Found(4, "torc.toml:1")
    assert settings.REQUIRE_AUTH.configured() is True


def test_torc_config_names_a_file_instead_of_the_users(monkeypatch, home):
    write(configuration.user_file(), '[client]\nformat = "json"\n')
    write(home / "mine.toml", "[client.run]\nmemory_gb = 2.5\n")
    monkeypatch.setenv("TORC_CONFIG", str(home / "mine.toml"))
    settings.in_files.cache_clear()
    assert settings.MEMORY_GB.configured() == 2.5
    assert settings.FORMAT.configured() == "table"


def test_a_file_that_torc_config_names_must_be_there(monkeypatch):
    monkeypatch.setenv("TORC_CONFIG", "gone.toml")
    with pytest.raises(TorcError, match="^TORC_CONFIG='gone.toml': there is no such file"):
        settings.FORMAT.configured()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[client]\nformat = 'xml'", "torc.toml:2: client.format: format must be either 'table' or 'json', not 'xml'."),
        ("[client]\nformat = ['json']", "torc.toml:2: client.format: expected one value, not ['json']."),
        ("\n[client.run]\n\nnum_cpus = 0", "torc.toml:4: client.run.num_cpus: '0' is less than 1."),
        ("[client]\nrun = {num_cpus = 1.5}", "torc.toml:2: client.run.num_cpus: '1.5' is not a whole number."),
        (
            "[client.run]\nnum_cpu = 3",
            "torc.toml:2: there is no setting 'client.run.num_cpu'; do you mean 'client.run.num_cp",
        ),
        ("[nonsense.'a b']\nq = 3", "torc.toml:2: there is no setting 'nonsense.a b.q'; docs/settings.md has all of"),
        ("[server]\nport = 70000", "torc.toml:2: server.port: '70000' is more than 65535."),
        (
            "[client.hpc]\ncustom_profiles = 3",
            "torc.toml:2: client.hpc.custom_profiles: must be a table of tables, not 3.",
        ),
        (
            "[client.hpc.custom_profiles.a]\npartitions = [{name = 5, cpus_per_node = 1, memory_mb = 1}]",
            "torc.toml:2: client.hpc.custom_profiles.a.partitions: [0]: name: must be a string, not 5.",
        ),
        (
            "[client.hpc.custom_profiles.a]\ndetect_hostname = '('",
            "torc.toml:2: client.hpc.custom_profiles.a.detect_hostname: '(' is no regular expression: ",
        ),
        ("[client]\npassword = ['geheim']", "torc.toml:2: client.password: cannot be used."),
        (
            "[client]\nx = " + "[" * 3000 + "]" * 3000,
            "torc.toml cannot be read: its tables or lists are nested too deep",
        ),
        ("client = 3", "torc.toml:1: there is no setting 'client'"),
        ("[client\n", "torc.toml is not TOML: Expected ']'"),
    ],
)
def test_a_mistake_is_one_sentence_with_file_line_and_key(text, sentence):
    write(configuration.LOCAL, text)
    with pytest.raises(TorcError) as refused:
        settings.POLL_INTERVAL.configured()
    assert refused.value.message.startswith(sentence)


def test_what_cannot_be_read_is_named(home):
    configuration.LOCAL.mkdir()
    with pytest.raises(TorcError, match="^torc.toml cannot be read: Is a directory; see `torc config paths`"):
        settings.FORMAT.configured()


def test_a_file_that_is_no_text_is_named():
    configuration.LOCAL.write_bytes(b"[client]\nformat = '\xff'")
    with pytest.raises(TorcError, match="^torc.toml is no text in UTF-8"):
        settings.FORMAT.configured()


def test_names_below_a_profile_are_the_users():
    write(
        configuration.LOCAL,
        "[client.hpc.custom_profiles.here]\n"
        'partitions = [{name = "short", cpus_per_node = 4, memory_mb = 9, max_walltime_secs = 60, min_nodes = 2}]\n',
    )
    (entry,) = settings.in_files().values()
    assert (entry.value[0]["min_nodes"], entry.place) == (2, "torc.toml:2")


def test_a_home_folder_may_be_written_with_a_tilde(monkeypatch, home):
    monkeypatch.setenv("HOME", str(home))
    write(configuration.LOCAL, '[client.run]\noutput_dir = "~/logs"\n')
    assert settings.OUTPUT_DIR.configured() == home / "logs"


def test_without_files_no_toml_is_read():
    code = "import sys; from torc.settings import FORMAT; FORMAT.configured(); print('tomllib' in sys.modules)"
    root = Path(__file__).resolve().parent.parent
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(root)}
    )
    assert done.stdout == "False\n", done.stderr


def test_the_template_names_every_setting_and_sets_none(home):
    from torc.cli.config import _template

    assert all(tomllib.loads(_template()).get(table) is not None for table in ("client", "server", "dash"))
    write(configuration.LOCAL, _template())
    assert settings.in_files() == {}
    uncommented = "\n".join(
        line.removeprefix("# ") for line in _template().splitlines() if " = " in line and "(not set)" not in line
    )
    assert "num_cpus" not in uncommented and "port = 8080" in uncommented
    for key in BY_KEY:
        assert f"# {key.rpartition('.')[2]} = " in _template()
