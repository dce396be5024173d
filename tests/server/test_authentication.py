"""Accounts: who is let in by which server, how often bcrypt runs, and what a change of the file does."""

import base64
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conftest import Reply, Server
from torc import accounts
from torc.server import auth

Start = Callable[..., Server]
Eventually = Callable[..., object]

CHECKED = "with bcrypt"
PATHS = ("/ping", "/version", "/workflows", "/workflows/1", "/nothing", "/openapi.json")


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


ALICE = basic("alice", "wonder")
WRONG = [
    basic("alice", "wonde"),
    basic("alice", "wonder "),
    basic("alice", ""),
    basic("Alice", "wonder"),
    basic("nobody", "wonder"),
    basic("", ""),
    basic("alice", "wonder" + "x" * 80),
    basic("alice", "wonder\0"),
    {"Authorization": "Basic"},
    {"Authorization": "Basic YWxpY2U="},  # a name alone has an empty password
    {"Authorization": "Basic %%%"},
    {"Authorization": "Basic /w=="},  # not UTF-8
    {"Authorization": "Bearer wonder"},
    {"Authorization": "wonder"},
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """An htpasswd file with alice, and bob, whose password is quick to check as well."""
    made = tmp_path / "accounts"
    accounts.put(made, "alice", "wonder", 4)
    accounts.put(made, "bob", "builder", 4)
    return made


def log_of(server: Server) -> str:
    return server.log.read_text()


def times_checked(server: Server) -> int:
    """How often bcrypt has run."""
    return log_of(server).count(CHECKED)


def get(server: Server, path: str = "/ping", headers: dict[str, str] | None = None) -> Reply:
    return server.http.request("GET", path, headers=headers)


def refuse(*options: str, tmp_path: Path, env: dict[str, str] | None = None) -> str:
    """What a server says that does not start."""
    command = [sys.executable, "-m", "torc.server", "run", "--port", "0", "--database", str(tmp_path / "torc.db")]
    done = subprocess.run(
        [*command, *options], capture_output=True, text=True, env={**os.environ, **(env or {})}, timeout=60
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert not (tmp_path / "torc.db").exists()
    return done.stderr.splitlines()[-1]


def test_without_a_file_nobody_is_asked(server: Server) -> None:
    assert get(server).status == 200
    assert get(server, headers=WRONG[0]).status == 200


@pytest.mark.parametrize("credentials", WRONG, ids=range(len(WRONG)))
def test_with_a_file_wrong_credentials_are_refused(start_server: Start, path: Path, credentials) -> None:
    server = start_server("--auth-file", str(path))
    reply = get(server, headers=credentials)
    assert reply.status == 401
    assert reply.headers["www-authenticate"] == 'Basic realm="Torc"'
    assert reply.headers["content-type"].startswith("application/json")
    assert reply.message
    assert get(server, headers=ALICE).status == 200
    assert get(server).status == 200


def test_required_credentials_are_required_for_every_path(start_server: Start, path: Path) -> None:
    server = start_server("--auth-file", str(path), "--require-auth")
    for credentials in (None, *WRONG):
        for each in PATHS:
            reply = get(server, each, credentials)
            assert reply.status == 401
            assert reply.headers["www-authenticate"] == 'Basic realm="Torc"'
            assert reply.message
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        assert server.http.request(method, "/workflows", {"name": "w", "user": "u"}).status == 401
    assert get(server, "/workflows", ALICE).json["total_count"] == 0
    assert get(server, "/nothing", ALICE).status == 404


def test_every_variable_does_what_its_option_does(start_server: Start, path: Path) -> None:
    server = start_server(env={"TORC_AUTH_FILE": str(path), "TORC_SERVER__REQUIRE_AUTH": "true"})
    assert get(server).status == 401
    assert get(server, headers=ALICE).status == 200


def test_a_name_may_have_any_letter(start_server: Start, path: Path) -> None:
    accounts.put(path, "名 é", "pä:ss wörd", 4)
    server = start_server("--auth-file", str(path), "--require-auth")
    assert get(server, headers=basic("名 é", "pä:ss wörd")).status == 200


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "cannot read the accounts in {path}: No such file or directory"),
        ("alice:secret", "{path}, line 1: what follows 'alice' is no bcrypt hash"),
        ("# nobody\n", "{path} has no users; add one with: torc-htpasswd add"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_sentence(tmp_path: Path, text: str | None, sentence: str) -> None:
    path = tmp_path / "accounts"
    if text is not None:
        path.write_text(text)
    said = refuse("--auth-file", str(path), tmp_path=tmp_path)
    assert said.startswith("Error: " + sentence.format(path=path))
    assert "secret" not in said


@pytest.mark.parametrize(
    ("options", "env"), [(["--require-auth"], {}), ([], {"TORC_SERVER__REQUIRE_AUTH": "yes"})], ids=["option", "env"]
)
def test_required_without_a_file_does_not_start(tmp_path: Path, options: list[str], env: dict[str, str]) -> None:
    said = refuse(*options, tmp_path=tmp_path, env={"TORC_AUTH_FILE": "", **env})
    assert "--auth-file" in said and "TORC_AUTH_FILE" in said


def test_the_log_says_what_people_look_for(start_server: Start, path: Path) -> None:
    server = start_server("--auth-file", str(path), env={"RUST_LOG": "torc::server::auth=debug"})
    get(server)
    get(server, headers=ALICE)
    get(server, headers=basic("mallory\nWARNING", "secret"))
    log = log_of(server)
    assert f"INFO torc.server.auth: Loading htpasswd file from: {path}" in log
    assert "INFO torc.server.auth: Loaded 2 users from htpasswd file" in log
    assert "Authentication is OPTIONAL" in log
    assert "DEBUG torc.server.auth: User 'alice' authenticated successfully" in log
    assert "DEBUG torc.server.auth: No credentials provided, allowing anonymous access" in log
    assert r"WARNING torc.server.auth: Authentication failed for user 'mallory\nWARNING'" in log
    assert "wonder" not in log and "secret" not in log and "$2b$" not in log


def test_the_log_says_that_credentials_are_required(start_server: Start, path: Path) -> None:
    server = start_server("--auth-file", str(path), "--require-auth")
    get(server)
    assert "Authentication is REQUIRED for all requests" in log_of(server)
    assert "WARNING torc.server.auth: Authentication required but no credentials provided" in log_of(server)


def test_a_server_without_accounts_says_so(start_server: Start) -> None:
    assert "No htpasswd file configured, authentication disabled" in log_of(start_server())


def test_a_required_password_is_no_reason_for_the_warning_about_the_network(start_server: Start, path: Path) -> None:
    options = ("--host", "0.0.0.0", "--auth-file", str(path))
    optional = start_server(*options, database=path.with_name("optional.db"))
    assert "without authentication" in log_of(optional)
    logged = len(log_of(optional))
    required = start_server(*options, "--require-auth", database=path.with_name("required.db"))
    assert "without authentication" not in log_of(required)[logged:]


def test_many_requests_cost_one_check(start_server: Start, path: Path) -> None:
    server = start_server("--auth-file", str(path), "--require-auth", "--log-level", "debug")
    assert {get(server, headers=ALICE).status for _ in range(200)} == {200}
    assert times_checked(server) == 1
    assert get(server, headers=basic("bob", "builder")).status == 200
    assert times_checked(server) == 2


def test_the_same_wrong_password_costs_one_check(start_server: Start, path: Path) -> None:
    server = start_server("--auth-file", str(path), "--log-level", "debug")
    for credentials in (basic("alice", "wrong"), basic("nobody", "wrong")):
        assert {get(server, headers=credentials).status for _ in range(20)} == {401}
    assert times_checked(server) == 2
    assert log_of(server).count("Authentication failed for user") == 2


def test_first_requests_at_the_same_time_share_one_check(start_server: Start, path: Path) -> None:
    accounts.put(path, "alice", "wonder", 11)  # long enough for all of them to come meanwhile
    server = start_server("--auth-file", str(path), "--require-auth", "--log-level", "debug")
    with ThreadPoolExecutor(16) as pool:
        replies = pool.map(lambda _: get(server, headers=ALICE).status, range(16))
    assert set(replies) == {200}
    assert times_checked(server) == 1


def test_an_unknown_user_takes_as_long_as_a_wrong_password(start_server: Start, path: Path) -> None:
    for user in ("alice", "bob"):
        accounts.put(path, user, "right", 9)
    server = start_server("--auth-file", str(path), "--log-level", "debug")

    def seconds(user: str, guess: int) -> float:
        begun = time.monotonic()
        assert get(server, headers=basic(user, f"guess {guess}")).status == 401
        return time.monotonic() - begun

    known, unknown = zip(*((seconds("alice", n), seconds("nobody", n)) for n in range(9)), strict=True)
    assert times_checked(server) == 18
    assert 0.5 < statistics.median(unknown) / statistics.median(known) < 2


def test_a_flood_of_wrong_passwords_lets_known_users_pass(
    start_server: Start, path: Path, eventually: Eventually
) -> None:
    accounts.put(path, "alice", "wonder", 11)
    server = start_server("--auth-file", str(path), "--require-auth", "--log-level", "debug")
    assert get(server, headers=ALICE).status == 200
    over = threading.Event()
    seen: list[int] = []

    def guess(number: int) -> None:
        for turn in range(100_000):
            if over.is_set():
                return
            reply = get(server, headers=basic("alice", f"guess {number} {turn}"))
            assert reply.message
            seen.append(reply.status)

    with ThreadPoolExecutor(16) as pool:
        attackers = [pool.submit(guess, number) for number in range(16)]
        try:
            eventually(lambda: 503 in seen)
            waits = []
            for _ in range(30):
                begun = time.monotonic()
                assert get(server, headers=ALICE).status == 200
                waits.append(time.monotonic() - begun)
        finally:
            over.set()
    for attacker in attackers:
        attacker.result()
    assert set(seen) == {401, 503}
    # Behind a queue of 16 checks, two at a time and each of more than 0.1 s, this would be a second.
    assert statistics.median(waits) < 0.4


def test_a_removed_user_is_out_at_once(start_server: Start, path: Path) -> None:
    server = start_server("--auth-file", str(path), "--require-auth")
    assert get(server, headers=ALICE).status == 200
    accounts.remove(path, "alice")
    assert get(server, headers=ALICE).status == 401
    assert get(server, headers=basic("bob", "builder")).status == 200
    accounts.remove(path, "bob")  # a file without users lets nobody in
    assert get(server, headers=basic("bob", "builder")).status == 401


def test_a_new_password_replaces_the_old_one_at_once(start_server: Start, path: Path) -> None:
    server = start_server("--auth-file", str(path), "--require-auth")
    new = basic("alice", "new")
    assert (get(server, headers=ALICE).status, get(server, headers=new).status) == (200, 401)
    accounts.put(path, "alice", "new", 4)
    assert (get(server, headers=ALICE).status, get(server, headers=new).status) == (401, 200)


def test_a_new_user_may_come_in_at_once(start_server: Start, path: Path) -> None:
    server = start_server("--auth-file", str(path), "--require-auth")
    carol = basic("carol", "three")
    assert get(server, headers=carol).status == 401
    accounts.put(path, "carol", "three", 4)
    assert get(server, headers=carol).status == 200
    assert "Loaded 3 users" in log_of(server)


def test_a_file_that_was_written_over_is_read_again(start_server: Start, path: Path) -> None:
    server = start_server("--auth-file", str(path), "--require-auth")
    assert get(server, headers=ALICE).status == 200
    path.write_text("".join(line for line in path.read_text().splitlines(keepends=True) if "alice" not in line))
    assert get(server, headers=ALICE).status == 401


@pytest.mark.parametrize("how", ["broken", "missing", "a folder"])
def test_a_file_that_cannot_be_read_any_more_changes_nothing_and_is_warned_about_once(
    start_server: Start, path: Path, how: str
) -> None:
    server = start_server("--auth-file", str(path), "--require-auth")
    assert get(server, headers=ALICE).status == 200
    good = path.with_name("good")
    path.rename(good)
    if how == "broken":
        path.write_text(good.read_text() + "secret line\n")
    elif how == "a folder":
        path.mkdir()
    for _ in range(3):
        assert get(server, headers=ALICE).status == 200
        assert get(server, headers=basic("bob", "builder")).status == 200
        assert get(server, headers=WRONG[0]).status == 401
        assert get(server).status == 401
    warnings = [line for line in log_of(server).splitlines() if "stay valid" in line]
    assert len(warnings) == 1
    assert str(path) in warnings[0]
    assert "secret" not in log_of(server)
    if how == "a folder":
        path.rmdir()
    good.rename(path)
    accounts.remove(path, "alice")
    assert get(server, headers=ALICE).status == 401


def test_accounts_are_not_for_private_servers(start_server: Start, path: Path, attached_users: Callable[[], object]):
    attached_users()
    server = start_server("--standalone", env={"TORC_AUTH_FILE": str(path), "TORC_SERVER__REQUIRE_AUTH": "true"})
    assert get(server, headers=ALICE).status == 401


def test_a_workflow_belongs_to_whom_the_password_proves(start_server: Start, path: Path) -> None:
    server = start_server("--auth-file", str(path))
    body = {"name": "w", "user": "somebody", "owner": "somebody else"}
    made = server.http.request("POST", "/workflows", body, headers=ALICE)
    assert (made.json["user"], made.json["owner"]) == ("somebody", "alice")
    workflow = f"/workflows/{made.json['id']}"
    assert get(server, workflow).json["owner"] == "alice"
    server.http.request("PUT", workflow, {"name": "renamed", "owner": "bob"}, headers=basic("bob", "builder"))
    assert get(server, workflow).json["owner"] == "alice"
    assert server.http.post("/workflows", body).json.get("owner") is None


def test_a_draft_belongs_to_whom_the_password_proves(start_server: Start, path: Path) -> None:
    server = start_server("--auth-file", str(path))
    body = {"workflow": {"name": "w", "user": "somebody"}, "counts": {}}
    made = server.http.request("POST", "/drafts", body, headers=ALICE)
    assert made.status == 200, made.text
    token = {"Torc-Draft-Token": made.json["token"], **ALICE}
    done = server.http.request("POST", f"/drafts/{made.json['workflow_id']}/finalize", headers=token)
    assert done.status == 200, done.text
    assert get(server, f"/workflows/{made.json['workflow_id']}").json["owner"] == "alice"


def test_what_is_not_used_is_forgotten_and_what_is_used_is_not() -> None:
    recent = auth.Recent()
    recent.add(b"used", 0.0)
    recent.add(b"unused", 0.0)
    assert recent.has(b"used", auth.REMEMBER_S - 1)
    assert recent.has(b"used", 2 * auth.REMEMBER_S - 2)
    assert not recent.has(b"unused", auth.REMEMBER_S + 1)
    assert not recent.has(b"never", 0.0)


def test_only_so_many_are_remembered() -> None:
    recent = auth.Recent()
    for number in range(auth.MOST_REMEMBERED):
        recent.add(b"%d" % number, 0.0)
    assert recent.has(b"0", 1.0)
    recent.add(b"new", 2.0)
    assert recent.has(b"0", 3.0) and recent.has(b"new", 3.0)
    assert not recent.has(b"1", 3.0)
