"""Settings: where values come from, and that each is documented."""

from pathlib import Path

import pytest

from torc import settings
from torc.errors import TorcError
from torc.settings import Setting

ALL = [value for value in vars(settings).values() if isinstance(value, Setting)]


def test_a_default_holds_until_the_environment_says_otherwise(monkeypatch):
    monkeypatch.delenv("TORC_CLIENT__RUN__POLL_INTERVAL", raising=False)
    assert settings.POLL_INTERVAL.configured() == 5.0
    monkeypatch.setenv("TORC_CLIENT__RUN__POLL_INTERVAL", "0.5")
    assert settings.POLL_INTERVAL.configured() == 0.5


def test_an_empty_variable_is_unset(monkeypatch):
    monkeypatch.setenv("TORC_CLIENT__RUN__NUM_CPUS", "")
    assert settings.NUM_CPUS.configured() is None


def test_the_older_variable_wins(monkeypatch):
    monkeypatch.setenv("TORC_CLIENT__API_URL", "http://new/")
    monkeypatch.setenv("TORC_API_URL", "http://old/")
    assert settings.API_URL.configured() == "http://old/"
    monkeypatch.delenv("TORC_API_URL")
    assert settings.API_URL.configured() == "http://new/"


@pytest.mark.parametrize(
    ("variable", "text", "reason"),
    [
        ("TORC_CLIENT__RUN__NUM_CPUS", "many", "'many' is not a whole number"),
        ("TORC_CLIENT__RUN__NUM_CPUS", "0", "'0' is less than 1"),
        ("TORC_CLIENT__RUN__MEMORY_GB", "-2", "'-2' is not a number above zero"),
        ("TORC_CLIENT__RUN__MEMORY_GB", "inf", "'inf' is not a number above zero"),
        ("TORC_CLIENT__FORMAT", "xml", "format must be either 'table' or 'json', not 'xml'"),
    ],
)
def test_a_wrong_value_is_named_with_its_variable(monkeypatch, variable, text, reason):
    monkeypatch.setenv(variable, text)
    (setting,) = [one for one in ALL if one.variable == variable]
    with pytest.raises(TorcError) as refused:
        setting.configured()
    assert refused.value.message.startswith(f"{variable}={text!r}: {reason}.")


@pytest.mark.parametrize("setting", ALL, ids=lambda setting: setting.key)
def test_every_setting_is_documented(setting):
    (line,) = [one for one in Path("docs/settings.md").read_text().splitlines() if f"| `{setting.key}` |" in one]
    assert f"`{setting.variable}`" in line
    assert all(f"`{option}`" in line for option in setting.options if option != "--output")
    assert setting.older_variable is None or f"`{setting.older_variable}`" in line
    assert setting.default is None or f"`{setting.default}`" in line
