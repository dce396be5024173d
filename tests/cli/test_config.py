"""``torc config``, and that an option wins over every file."""

import json
import tomllib

import pytest


@pytest.fixture
def file(tmp_path):
    """The configuration file of the folder that commands run in."""
    return tmp_path / "torc.toml"


def test_show_prints_toml_that_can_be_read_again(offline, file):
    file.write_text(
        '[client]\nlog_level = "a\\u007f"\n[client.run]\ntime_limit = "90m"\n'
        '[client.hpc.custom_profiles."my cluster"]\ndescription = "x"\n'
    )
    said = offline("config", "show")
    assert said.code == 0
    shown = tomllib.loads(said.out)
    assert shown["client"]["format"] == "table"
    assert shown["client"]["run"]["poll_interval"] == 5.0
    assert "username" not in shown["client"]
    file.write_text(said.out)
    assert offline("config", "show").out == said.out


def test_show_says_where_a_value_comes_from(offline, file):
    file.write_text("[client.run]\nnum_cpus = 3\n")
    said = offline("config", "show", "--origins", env={"TORC_SERVER__PORT": "9000"})
    assert "num_cpus = 3  # torc.toml:2\n" in said.out
    assert "port = 9000  # environment TORC_SERVER__PORT\n" in said.out
    assert "threads = 16  # default\n" in said.out


@pytest.mark.parametrize("line", ["-f json config show", "config show -f json", "config -f json show"])
def test_show_as_json_has_what_is_unset_too(offline, file, line):
    file.write_text('[client.hpc.custom_profiles.here]\ndisplay_name = "Here"\n')
    shown = offline(*line.split()).json
    assert shown["client"]["username"] is None
    assert shown["client"]["hpc"]["custom_profiles"]["here"]["display_name"] == "Here"
    assert shown["server"]["logging"]["json_logs"] is False


def test_show_refuses_another_format(offline):
    said = offline("config", "show", "-f", "yaml")
    assert said.code == 2
    assert "Unknown format 'yaml'. Use 'toml' or 'json'." in said.err


def test_a_password_is_never_shown(offline, file):
    file.write_text('[client]\npassword = "geheim"\n')
    for line in ("config show", "config show -f json", "config show --origins", "config validate"):
        said = offline(*line.split(), env={"TORC_PASSWORD": "secret"})
        assert said.code == 0
        assert "geheim" not in said.out + said.err
        assert "secret" not in said.out + said.err


def test_init_writes_a_file_that_is_valid_and_overwrites_only_by_force(offline, file):
    said = offline("config", "init", "--local")
    assert (said.code, said.out.splitlines()[0]) == (0, "Created configuration file: torc.toml")
    valid = offline("config", "validate")
    assert valid.code == 0
    assert "  - torc.toml\n\nConfiguration is valid.\n" in valid.out
    file.write_text("mine")
    refused = offline("config", "init", "--local")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err == "Error: Configuration file already exists: torc.toml. Use --force to overwrite it.\n"
    assert file.read_text() == "mine"
    assert offline("config", "init", "--local", "-f").code == 0
    assert "[client]" in file.read_text()


def test_init_makes_the_users_folder(offline, tmp_path):
    said = offline("config", "init", env={"XDG_CONFIG_HOME": str(tmp_path / "new")})
    assert said.out.startswith(f"Created directory: {tmp_path}/new/torc\n")
    paths = offline("config", "paths", "-f", "json", env={"XDG_CONFIG_HOME": str(tmp_path / "new")}).json
    assert paths["user"] == {"path": f"{tmp_path}/new/torc/config.toml", "exists": True}
    assert offline("config", "init", "--user", "--local").code == 2


def test_paths_are_shown_with_what_is_there(offline, file, tmp_path):
    file.write_text("")
    said = offline("config", "paths", env={"XDG_CONFIG_HOME": str(tmp_path / "c")})
    assert "  Local:   torc.toml (exists)\n" in said.out
    assert f"  User:    {tmp_path}/c/torc/config.toml (not found)\n" in said.out
    assert said.out.endswith("Active configuration files: torc.toml\n")


def test_validate_reports_every_mistake(offline, file):
    file.write_text("[client]\nformat = 'xml'\n[server]\nprot = 1\n")
    environment = {"TORC_CLIENT__RUN__NUM_CPUS": "many", "TORC_SERVER__PROT": "1"}
    said = offline("config", "validate", env=environment)
    assert said.code == 1
    assert said.err.splitlines() == [
        "Configuration has 4 error(s):",
        "  - torc.toml:2: client.format: format must be either 'table' or 'json', not 'xml'.",
        "  - torc.toml:4: there is no setting 'server.prot'; do you mean 'server.port'?",
        "  - TORC_CLIENT__RUN__NUM_CPUS='many': 'many' is not a whole number. Set it differently or unset it.",
        "  - TORC_SERVER__PROT: there is no such setting; docs/settings.md has all of them.",
    ]
    as_json = offline("-f", "json", "config", "validate", env=environment)
    assert (as_json.code, as_json.json["valid"], len(as_json.json["errors"])) == (1, False, 4)


def test_a_wrong_file_stops_other_commands_but_not_help_or_config(offline, file):
    file.write_text("[client]\nformat = \n")
    said = offline("workflows", "list")
    assert (said.code, said.out) == (1, "")
    assert said.err.startswith("Error: torc.toml is not TOML: ")
    assert said.err.count("\n") == 1
    for line in ("--help", "jobs list --help", "config paths", "config init --local --force"):
        assert offline(*line.split()).code == 0


def test_an_option_wins_over_a_file_even_with_the_default(torc, file):
    file.write_text("[client]\nformat = 'json'\n[client.run]\nenforce_memory = true\npoll_interval = 0.3\n")
    assert torc("workflows", "list", "-l", "1").out.startswith("[")
    assert not torc("workflows", "list", "-l", "1", "--format", "table").out.startswith("[")
    run = torc("run", "--help").out
    assert "--enforce-memory, --no-enforce-memory" in run


def test_a_flag_of_a_file_is_taken_back_by_an_option(torc, file, tmp_path):
    file.write_text("[client.run]\nenforce_runtime = true\n")
    spec = {
        "name": "slow",
        "resource_requirements": [{"name": "short", "runtime": "PT1S"}],
        "jobs": [{"name": "slow", "command": "sleep 2.5", "resource_requirements": "short"}],
    }
    (tmp_path / "slow.json").write_text(json.dumps(spec))
    assert torc("run", "slow.json").code == 3
    assert torc("run", "slow.json", "--no-enforce-runtime").code == 0


def test_validate_knows_the_names_of_clusters(offline, file):
    file.write_text('[client.hpc.profile_overrides.kestral]\ndefault_account = "a"\n')
    said = offline("config", "validate")
    assert (said.code, "profile_overrides.kestral: there is no HPC profile 'kestral'" in said.err) == (1, True)
    file.write_text("")
    variable = "TORC_CLIENT__HPC__PROFILE_OVERRIDES__KESTREL__DEFAULT_ACCOUNT"
    assert offline("config", "validate", env={variable: "a"}).code == 0
    assert offline("config", "validate", env={variable.replace("REL", "RAL"): "a"}).code == 1
