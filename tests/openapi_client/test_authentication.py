"""Scripts and mapped functions against a server that asks everybody who they are."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from torc import ApiClient, Configuration, accounts, make_api, map_function_to_jobs
from torc.openapi_client import DefaultApi, UnauthorizedException, WorkflowModel

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def url(start_server: Callable[..., Any], tmp_path: Path) -> str:
    """A server that lets in ann alone."""
    path = tmp_path / "accounts"
    accounts.put(path, "ann", "secret", 4)
    return str(start_server("--auth-file", str(path), "--require-auth").url)


def test_a_configuration_with_the_right_password_is_let_in(url: str) -> None:
    api = DefaultApi(ApiClient(Configuration(host=url, username="ann", password="secret")))
    assert api.create_workflow(WorkflowModel(name="w", user="u")).owner == "ann"


@pytest.mark.parametrize("credentials", [{}, {"username": "ann", "password": "wrong"}, {"username": "ann"}])
def test_everybody_else_is_unauthorized(credentials: dict[str, str], url: str) -> None:
    with pytest.raises(UnauthorizedException) as refused:
        make_api(url, **credentials).list_workflows()
    assert refused.value.status == 401


def test_mapped_functions_have_the_credentials_of_their_runner(url: str, tmp_path: Path) -> None:
    api = make_api(url, username="ann", password="secret")
    workflow = api.create_workflow(WorkflowModel(name="w", user="u"))
    assert workflow.id is not None
    map_function_to_jobs(api, workflow.id, "posixpath", "join", ["b"], name_prefix="a")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TORC_")}
    kept |= {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "TORC_API_URL": url,
        "TORC_USERNAME": "ann",
        "TORC_PASSWORD": "secret",
    }
    command = [sys.executable, "-m", "torc", "run", str(workflow.id)]
    ran = subprocess.run(command, cwd=tmp_path, env=kept, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert [record.data for record in api.list_user_data(workflow.id, name="output_a1").items] == ["a1/b"]
